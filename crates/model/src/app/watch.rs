//! Numbers that decide, while a wave bakes, whether a release is as good as it looks.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::Role;

/// Something that is counted on each host since its switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// What it is called.
    pub name: String,
    /// What is counted.
    #[serde(flatten)]
    pub counted: Counted,
    /// Whether too much of it is only told.
    pub advisory: bool,
    /// The roles of the hosts that are watched. Empty: all hosts.
    pub roles: BTreeSet<Role>,
}

/// What is counted, and how much of it may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "counts", rename_all = "snake_case")]
pub enum Counted {
    /// Answers of a web server with a status of 500 or more.
    ServerErrors {
        /// Its log.
        access_log: String,
        /// The largest share of them among all answers, in millionths.
        most_millionths: u32,
        /// Of how many answers it says something.
        min_requests: u32,
        /// What fewer mean.
        no_data: NoData,
    },
    /// Lines of what the app's services say.
    Lines {
        /// A pattern as `grep -E` knows it.
        journal: String,
        /// How many there may be.
        most: u32,
    },
}

/// What it means that there are too few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoData {
    /// Nothing speaks against the release.
    Pass,
    /// Nothing speaks for it.
    Fail,
}

impl Watch {
    /// Whether hosts of these roles are watched.
    pub fn is_on(&self, roles: &BTreeSet<Role>) -> bool {
        self.roles.is_empty() || !self.roles.is_disjoint(roles)
    }
}

impl fmt::Display for Watch {
    /// Short, as a step's title names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Watch { name, counted, .. } = self;
        match counted {
            Counted::ServerErrors { most_millionths, .. } => {
                write!(f, "{name}: at most {} % of 5xx", percent(*most_millionths))
            }
            Counted::Lines { most, .. } => write!(f, "{name}: at most {most} such lines"),
        }
    }
}

/// `2`, `0.5`.
fn percent(millionths: u32) -> String {
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
