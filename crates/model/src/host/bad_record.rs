//! Records that are there and tell nothing: they are closed to who looks, or say what nobody has written. What they would say
//! isn't known then, which is something else than that there is nothing.

use serde::Serialize;

/// A record, or a folder of records, that is there and can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRecord {
    /// Where it lies.
    pub path: String,
    /// Why it can't be read.
    pub why: BadRecordReason,
}

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BadRecordReason {
    /// The user may not.
    Closed {
        /// Whose it is.
        owner: String,
        /// Its permissions, as `chmod` takes them.
        mode: String,
    },
    /// It isn't what the program writes.
    Garbled {
        /// How it begins.
        begins: String,
    },
}

impl BadRecord {
    /// A record that says this, which nobody can make sense of.
    pub fn garbled(path: impl Into<String>, line: &str) -> Self {
        let begins = line.chars().take(SHOWN).collect();
        BadRecord { path: path.into(), why: BadRecordReason::Garbled { begins } }
    }

    /// What the look says of one that is closed: its owner and mode, and on the next line where it lies.
    pub fn read_closed(value: &str) -> Self {
        let (who, path) = value.split_once('\n').unwrap_or(("", value));
        let (owner, mode) = who.split_once(' ').unwrap_or(("somebody else", "unknown"));
        let why = BadRecordReason::Closed { owner: owner.to_owned(), mode: mode.to_owned() };
        BadRecord { path: path.to_owned(), why }
    }

    /// For people, without what to do.
    pub fn in_words(&self, user: &str) -> String {
        let BadRecord { path, why } = self;
        match why {
            BadRecordReason::Closed { owner, mode } => {
                format!("{user} can't read {path}, which belongs to {owner} (mode {mode})")
            }
            BadRecordReason::Garbled { begins } if begins.trim().is_empty() => {
                format!("{path} is empty, and should say something")
            }
            BadRecordReason::Garbled { begins } => {
                format!("{path} isn't what buedafab writes there: {begins:?}")
            }
        }
    }
}

/// So much of what is no record as a person can make sense of.
const SHOWN: usize = 200;
