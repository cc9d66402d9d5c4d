//! What somebody, the app most likely, has written into a release since it was made: a deploy would lose it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// At most so many files are listed of a slot.
pub const WRITTEN_LISTED: usize = 50;

/// A file that git doesn't know, or the outermost folder of such files, with something in it that is newer than the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// From the root of the release on; that of a folder ends with `/`.
    pub path: String,
    /// How many files are newer, as far as they were listed.
    pub files: usize,
}

impl Written {
    /// Reads what a look says: what git doesn't know, a path a line, and after an empty line the newer files.
    pub(super) fn parse(text: &str) -> Vec<Written> {
        let (unknown, newer) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for file in newer.lines().map(|line| line.strip_prefix("./").unwrap_or(line)) {
            let around = |path: &&str| file == *path || (path.ends_with('/') && file.starts_with(*path));
            if let Some(path) = unknown.lines().find(around) {
                *found.entry(path).or_default() += 1;
            }
        }
        found.into_iter().map(|(path, files)| Written { path: path.to_owned(), files }).collect()
    }

    /// The same as it would be named in `shared_dirs`, if it is a folder.
    pub fn folder(&self) -> Option<&str> {
        self.path.strip_suffix('/')
    }

    fn is_database(&self) -> bool {
        [".sqlite3", ".sqlite", ".db", ".db3"].iter().any(|end| self.path.ends_with(end))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { path, files } = self;
        match (self.folder(), files) {
            (None, _) if self.is_database() => write!(f, "{path} (a database)"),
            (None, _) => f.write_str(path),
            (Some(_), 1) => write!(f, "{path} (1 file)"),
            (Some(_), &(WRITTEN_LISTED..)) => write!(f, "{path} ({files} files or more)"),
            (Some(_), _) => write!(f, "{path} ({files} files)"),
        }
    }
}
