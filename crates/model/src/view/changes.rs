//! What a deploy would bring and take away.

use std::fmt::Write;

use serde::Serialize;

use crate::deployer::checkout::CommitsBetween;
use crate::names::HostName;
use crate::release::Release;

/// What a deploy would change on hosts that serve the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The hosts.
    pub hosts: Vec<HostName>,
    /// What they serve; `None`: nothing.
    pub from: Option<Release>,
    /// What they would serve.
    pub to: Release,
    /// Paths of which the app is made, where nothing of them differs between the two: a deploy leaves it as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<String>,
    /// How the two differ; `None` if this checkout doesn't know what is live.
    pub commits: Option<CommitsBetween>,
    /// A page that shows it, if the repository has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The changes, to read.
pub fn show_changes(changes: &[Change]) -> String {
    let mut text = String::new();
    for Change { hosts, from, to, same, commits, page } in changes {
        let hosts = hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ");
        let _ = match from {
            None => writeln!(text, "{hosts}: nothing live → {to}"),
            Some(from) if from.commit == to.commit => writeln!(text, "{hosts}: {to} is live already"),
            Some(from) if !same.is_empty() => {
                let made_of = same.join(", ");
                writeln!(text, "{hosts}: nothing in {made_of} has changed since {from}, which stays live")
            }
            Some(from) => writeln!(text, "{hosts}: {from} → {to}"),
        };
        if !same.is_empty() {
            continue;
        }
        if from.as_ref().is_some_and(|from| from.commit == to.commit) {
            continue;
        }
        match (commits, from) {
            (Some(commits), _) => text.push_str(&show_commits(commits)),
            (None, Some(_)) => {
                text.push_str("  this checkout doesn't have the commit that is live: try git fetch\n")
            }
            (None, None) => {}
        }
        if let Some(page) = page {
            let _ = writeln!(text, "  see: {page}");
        }
    }
    text
}

/// Commits that come and go, each kind under a heading.
pub fn show_commits(commits: &CommitsBetween) -> String {
    let CommitsBetween { brings, takes_away, has_more: _, brings_more, takes_away_more } = commits;
    let mut text = String::new();
    for (what, lines, more) in
        [("brings", brings, *brings_more), ("takes away", takes_away, *takes_away_more)]
    {
        if !lines.is_empty() || more > 0 {
            let _ = writeln!(text, "  {what}:");
        }
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
        if more > 0 {
            let _ = writeln!(text, "    … and {more} more");
        }
    }
    text
}
