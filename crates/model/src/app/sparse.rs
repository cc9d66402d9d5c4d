//! A part of a project: some of its folders, with what stands above them.

use std::collections::BTreeSet;

/// The folders, none of them within another one; and those above them, the root (`""`) first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// All of whose contents belong to it.
    pub folders: Vec<&'a str>,
    /// Whose files belong to it, but no other folders.
    pub above: Vec<&'a str>,
}

impl<'a> Part<'a> {
    /// The part that these folders make.
    pub fn of(folders: &'a [String]) -> Part<'a> {
        let all: BTreeSet<&str> = folders.iter().map(String::as_str).collect();
        let is_within = |folder: &str| folder.match_indices('/').any(|(at, _)| all.contains(&folder[..at]));
        let folders: Vec<&str> = all.iter().copied().filter(|folder| !is_within(folder)).collect();
        let above = folders.iter().flat_map(|folder| folder.match_indices('/').map(|(at, _)| &folder[..at]));
        let above: BTreeSet<&str> = [""].into_iter().chain(above).collect();
        Part { folders, above: above.into_iter().collect() }
    }

    /// The same as patterns of git, of which the last that fits decides.
    pub fn patterns(&self) -> String {
        let mut patterns = String::new();
        for above in &self.above {
            let path = escaped(above);
            let path = if path.is_empty() { path } else { format!("/{path}") };
            let files = if path.is_empty() { "/*".to_owned() } else { format!("{path}/") };
            patterns.push_str(&format!("{files}\n!{path}/*/\n"));
        }
        for folder in &self.folders {
            patterns.push_str(&format!("/{}/\n", escaped(folder)));
        }
        patterns
    }
}

/// A path as a pattern that means nothing else.
fn escaped(path: &str) -> String {
    path.chars().fold(String::new(), |mut pattern, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folders: &[&str], patterns: &str) {
        let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        assert_eq!(Part::of(&folders).patterns(), patterns);
    }

    #[test]
    fn git_is_told_of_folders_and_of_what_stands_above_them() {
        check(&[], "/*\n!/*/\n");
        check(&["backend"], "/*\n!/*/\n/backend/\n");
        check(&["libs", "backend", "libs/x"], "/*\n!/*/\n/backend/\n/libs/\n");
        check(
            &["apps/one/src", "apps/two"],
            "/*\n!/*/\n/apps/\n!/apps/*/\n/apps/one/\n!/apps/one/*/\n/apps/one/src/\n/apps/two/\n",
        );
        check(&["a-b", "a/b"], "/*\n!/*/\n/a/\n!/a/*/\n/a-b/\n/a/b/\n");
        check(&["a*[b] c"], "/*\n!/*/\n/a\\*\\[b\\] c/\n");
    }
}
