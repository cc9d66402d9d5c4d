//! Django's migrations that a database has and an older release doesn't know: what undoing each of them does, in the
//! words of `migrations.py`, which asks Django's own graph.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A migration that would be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// Its app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// The database that has it, by its alias in Django's settings.
    pub database: String,
    /// What undoing it does, as far as something is lost by that or nobody can say; in the order in which it is done.
    pub does: Vec<String>,
}

impl Migration {
    /// What undoing it does, for whoever has to say yes to that.
    pub fn undone(&self) -> String {
        let does = match &self.does[..] {
            [] => "loses nothing".to_owned(),
            does => does.join("; "),
        };
        format!("undoing {self} {does}")
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.app, self.name)?;
        if self.database == DEFAULT_DATABASE { Ok(()) } else { write!(f, " of database {}", self.database) }
    }
}

/// What Django calls the database that isn't named.
const DEFAULT_DATABASE: &str = "default";

/// What a host answers when it is asked which migrations a release that is gone back to doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownMigrations {
    /// These, in the order in which they are undone.
    These(Vec<Migration>),
    /// They can't be undone: a line for each reason.
    Lasting(Vec<String>),
    /// It couldn't say: the last of its words.
    Silent(String),
}

/// The mark of the line that is the answer: settings may print, too.
const MARK: &str = "BUEDAFAB ";

/// How many lines are told of a release that couldn't answer.
const TOLD: usize = 5;

impl UnknownMigrations {
    /// Reads all that was printed.
    pub fn read(printed: &str) -> UnknownMigrations {
        #[derive(Deserialize)]
        struct Answer {
            migrations: Vec<Migration>,
            blocked: Vec<String>,
        }
        let answer = printed.lines().rev().find_map(|line| line.strip_prefix(MARK));
        match answer.and_then(|answer| serde_json::from_str(answer).ok()) {
            Some(Answer { migrations, blocked }) if blocked.is_empty() => {
                UnknownMigrations::These(migrations)
            }
            Some(Answer { blocked, .. }) => UnknownMigrations::Lasting(blocked),
            None => {
                let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
                UnknownMigrations::Silent(lines[lines.len().saturating_sub(TOLD)..].join("\n"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(printed: &str, expected: &str) {
        let read = match UnknownMigrations::read(printed) {
            UnknownMigrations::These(migrations) => {
                migrations.iter().map(Migration::undone).collect::<Vec<_>>().join("\n")
            }
            UnknownMigrations::Lasting(why) => format!("lasting: {}", why.join("; ")),
            UnknownMigrations::Silent(why) => format!("silent: {why}"),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn an_answer_is_told_from_what_settings_print() {
        let item = r#"{"app":"shop","name":"more","database":"default","does":["drops x","runs y"]}"#;
        let other = r#"{"app":"shop","name":"more","database":"logs","does":[]}"#;
        check(
            &format!(
                "hello\nBUEDAFAB {{\"migrations\":[{item},{other}],\"blocked\":[]}}\nSTRANGE shop.more\n"
            ),
            "undoing shop.more drops x; runs y\nundoing shop.more of database logs loses nothing",
        );
        check(
            &format!("BUEDAFAB {{\"migrations\":[{item}],\"blocked\":[\"no way back\"]}}"),
            "lasting: no way back",
        );
        check("1\n2\n\n3\n4\n5\nImportError: no\n", "silent: 2\n3\n4\n5\nImportError: no");
        check("BUEDAFAB half", "silent: BUEDAFAB half");
    }
}
