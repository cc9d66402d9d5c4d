//! Ranges in names, as Ansible writes them: `web[01:50]`, `[a:f]`, `db[1:9:2]`.
//!
//! An inventory has to mean here what it means to Ansible, whose rules aren't those of our own `hosts`
//! (`config/areas/hosts/pattern.rs`): steps; a beginning that may be left out, as 0; `[1:03]`, whose ends differ in width; letters of both
//! cases in one range, the small ones first; and brackets that hold no range, which are part of a name.

use super::MOST_LISTED;

/// All names that a pattern stands for.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, range, after)) = next_range(rest) {
        let texts = texts_of(range)?;
        if names.len().saturating_mul(texts.len()) > MOST_LISTED {
            return Err(format!("{pattern} stands for more than {MOST_LISTED} hosts"));
        }
        names = names
            .iter()
            .flat_map(|name| texts.iter().map(move |text| format!("{name}{before}{text}")))
            .collect();
        rest = after;
    }
    Ok(names.into_iter().map(|name| format!("{name}{rest}")).collect())
}

/// What stands before the next range, in it, and after it. Brackets around an address are none.
fn next_range(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('[')?;
    let close = open + text[open..].find(']')?;
    let inner = &text[open + 1..close];
    inner.contains(':').then_some((&text[..open], inner, &text[close + 1..]))
}

fn texts_of(range: &str) -> Result<Vec<String>, String> {
    let wrong = |why: &str| Err(format!("[{range}] {why}"));
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => match step.parse::<usize>() {
            Ok(step) if step > 0 => (*first, *last, step),
            _ => return wrong("has a step that is no number"),
        },
        _ => return wrong("isn't a range"),
    };
    let first = if first.is_empty() { "0" } else { first };
    if let (Some(from), Some(to)) = (place_of_letter(first), place_of_letter(last)) {
        if from > to {
            return wrong("runs backwards");
        }
        return Ok(LETTERS[from..=to].chars().step_by(step).map(String::from).collect());
    }
    let (Ok(from), Ok(to)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return wrong("isn't a range");
    };
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && width != last.len() {
        return wrong("has ends of different width");
    }
    if from > to {
        return wrong("runs backwards");
    }
    if (to - from) / step >= MOST_LISTED {
        return wrong("stands for too many hosts");
    }
    Ok((from..=to).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

/// Python's `string.ascii_letters`, by whose order Ansible counts.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn place_of_letter(text: &str) -> Option<usize> {
    if text.len() == 1 { LETTERS.find(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ansible's own code makes of these, errors aside, which say what is wrong here.
    #[test]
    fn names_as_ansible_counts_them() {
        let cases = [
            ("web", "web"),
            ("web[1:3]", "web1 web2 web3"),
            ("web[01:03].x", "web01.x web02.x web03.x"),
            ("web[1:03]", "web1 web2 web3"),
            ("web[:2]", "web0 web1 web2"),
            ("web[1:9:4]", "web1 web5 web9"),
            ("db[a:c]", "dba dbb dbc"),
            ("db[a:f:2]", "dba dbc dbe"),
            ("db[y:B]", "dby dbz dbA dbB"),
            ("r[1:2]n[a:b]", "r1na r1nb r2na r2nb"),
            ("db[A:c]", "error: [A:c] runs backwards"),
            ("web[3:1]", "error: [3:1] runs backwards"),
            ("web[01:100]", "error: [01:100] has ends of different width"),
            ("web[1:]", "error: [1:] isn't a range"),
            ("web[a:3]", "error: [a:3] isn't a range"),
            ("web[1:5:0]", "error: [1:5:0] has a step that is no number"),
            ("web[1:99999999]", "error: [1:99999999] stands for too many hosts"),
            ("[1:200][1:200]", "error: [1:200][1:200] stands for more than 10000 hosts"),
        ];
        for (pattern, expected) in cases {
            let told = expand(pattern).map_or_else(|why| format!("error: {why}"), |names| names.join(" "));
            assert_eq!(told, expected, "{pattern}");
        }
    }
}
