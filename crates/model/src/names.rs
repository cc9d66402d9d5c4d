//! Names of things, each a type of its own, so that a host can't be passed for a role nor a tag for a commit.
//!
//! Whatever a name promises is checked once, where it is made; no other code validates it again.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text can't be the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} can't be {what}: {why}")]
pub struct NameError {
    what: &'static str,
    text: String,
    why: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it can be such a name, and says why if it can't.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(why) => Err(NameError { what: $what, text, why }),
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(
    /// What an app is called on its hosts: the name of its folder, service and init script.
    Unit, "a unit", file_name
);
name!(
    /// The name of an environment, as it is typed first on the command line.
    EnvironmentName, "an environment", word
);
name!(
    /// What a host is called in output, flags and events. Unique within an environment.
    HostName, "a host", printable
);
name!(
    /// One of several apps of a configuration, as `--app` names it.
    AppName, "an app", word
);
name!(
    /// What a host is for: `web`, `worker`, …
    Role, "a role", word
);
name!(
    /// What a command of the project's own is called on the command line.
    TaskName, "a task", word
);
name!(
    /// One of the alternating directories of a host: `a`, `b`.
    SlotName, "a slot", file_name
);
name!(
    /// A full, lower-case commit id: 40 hexadecimal digits, or 64 in a SHA-256 repository.
    CommitId, "a commit", full_commit_id
);
name!(
    /// What tells one run of the program from every other, in journals, locks and events.
    RunId, "a run", word
);
name!(
    /// An absolute path on a host. May hold spaces, quotes and newlines; never `.`, `..` or a NUL byte.
    HostPath, "a path on a host", absolute_path
);

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl RunId {
    /// The second in which it began, `20261123-203221`, where it tells that. Of two that began in the same one, neither came first.
    pub fn second(&self) -> Option<&str> {
        self.is_dated().then(|| &self.0[..15])
    }

    /// Whether it begins with the day and time, `20261123-203221-`, as the ids do that this program gives: sorted, they
    /// stand in the order in which their runs began.
    pub fn is_dated(&self) -> bool {
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        match self.0.splitn(3, '-').collect::<Vec<_>>()[..] {
            [day, time, word] => digits(day, 8) && digits(time, 6) && !word.is_empty(),
            _ => false,
        }
    }
}

impl HostPath {
    /// The path of `name` inside this directory.
    pub fn join(&self, name: &str) -> HostPath {
        HostPath(format!("{}/{name}", self.0.trim_end_matches('/')))
    }
}

fn file_name(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("it is empty"),
        "." | ".." => Err("it stands for another folder"),
        _ if text.starts_with('-') => Err("commands would take it for an option"),
        _ if text.contains(['/', '\0']) => Err("a file can't have this name"),
        _ => Ok(()),
    }
}

fn word(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('-') {
        return Err("it would be taken for an option");
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.chars().all(plain) {
        Ok(())
    } else {
        Err("only letters, digits, `_`, `-` and `.` may stand in it")
    }
}

fn printable(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('-') {
        return Err("ssh would take it for an option");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',') {
        return Err("spaces, commas and control characters can't stand in it");
    }
    // As long as a name may be in the DNS.
    if text.len() > 253 {
        return Err("it is longer than 253 bytes");
    }
    Ok(())
}

fn full_commit_id(text: &str) -> Result<(), &'static str> {
    let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if digits && matches!(text.len(), 40 | 64) {
        Ok(())
    } else {
        Err("it isn't a full, lower-case commit id")
    }
}

fn absolute_path(text: &str) -> Result<(), &'static str> {
    if !text.starts_with('/') {
        return Err("it isn't absolute");
    }
    if text.contains('\0') {
        return Err("no path holds a NUL byte");
    }
    if text.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("it leads through `.` or `..`");
    }
    if text.trim_matches('/').is_empty() {
        return Err("it is the root of the file system");
    }
    Ok(())
}

/// A few words on one line, whatever stands in the record: whoever can write it isn't trusted to have kept to that.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const LONGEST: usize = 200;
    let text = String::deserialize(deserializer)?;
    let letters =
        text.chars().map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter });
    Ok(letters.take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_where_they_are_made() {
        assert!(Unit::new("five").is_ok());
        assert!(Unit::new("it's \"five\" $HOME\n").is_ok());
        assert!(Unit::new("a/b").is_err());
        assert!(HostName::new("-oProxyCommand=x").is_err());
        assert!(HostName::new("a".repeat(253)).is_ok());
        assert!(HostName::new("a".repeat(254)).is_err());
        assert!(HostPath::new("/var/../etc").is_err());
        assert!(HostPath::new("var").is_err());
        assert!(CommitId::new("6b4943c").is_err());
        assert_eq!(
            CommitId::new("6B").expect_err("too short").to_string(),
            r#""6B" can't be a commit: it isn't a full, lower-case commit id"#
        );
    }
}
