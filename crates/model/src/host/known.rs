//! The releases that hosts know, and which of them a person means.

use std::collections::BTreeMap;

use crate::host::facts::HostFacts;
use crate::names::CommitId;
use crate::release::Release;

/// Why a word names no release that could be gone back to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKnown {
    /// No host knows it.
    #[error("no host knows a release {word:?}: {}", list(known, "there is none to go back to"))]
    Unknown {
        /// What was typed.
        word: String,
        /// What there is.
        known: Vec<Release>,
    },
    /// It may be any of several.
    #[error("{word:?} may be any of these: {}", list(releases, ""))]
    Ambiguous {
        /// What was typed.
        word: String,
        /// Which.
        releases: Vec<Release>,
    },
}

fn list(releases: &[Release], none: &str) -> String {
    match releases {
        [] => none.to_owned(),
        _ => releases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// The shortest beginning of a commit's id that git takes.
const SHORTEST: usize = 4;

/// The release that a word names: by its tag, by `git describe`'s name for it, or by the beginning of its commit's id; in
/// this order, so that a tag that looks like a commit is the tag.
pub fn known_release<'a>(
    word: &str,
    hosts: impl IntoIterator<Item = &'a HostFacts>,
) -> Result<Release, NotKnown> {
    let known = known(hosts);
    let is_tag = |release: &Release| release.tag.as_deref() == Some(word);
    let is_name = |release: &Release| release.describe == word;
    let is_commit = |release: &Release| {
        word.len() >= SHORTEST && release.commit.as_str().starts_with(&word.to_ascii_lowercase())
    };
    let ways: [&dyn Fn(&Release) -> bool; 3] = [&is_tag, &is_name, &is_commit];
    for names in ways {
        let found: Vec<&Release> = known.iter().filter(|release| names(release)).collect();
        match found[..] {
            [] => {}
            [release] => return Ok(release.clone()),
            _ => {
                let releases = found.into_iter().cloned().collect();
                return Err(NotKnown::Ambiguous { word: word.to_owned(), releases });
            }
        }
    }
    Err(NotKnown::Unknown { word: word.to_owned(), known })
}

/// All that is or was in the slots of these hosts, and that their journals say has served, where those were asked. Where hosts know one commit by several names, a tag wins.
fn known<'a>(hosts: impl IntoIterator<Item = &'a HostFacts>) -> Vec<Release> {
    let mut known: BTreeMap<CommitId, Release> = BTreeMap::new();
    let hosts: Vec<&HostFacts> = hosts.into_iter().collect();
    let slots = hosts.iter().flat_map(|facts| facts.slots.values());
    let records = slots.filter_map(|seen| seen.record.as_ref());
    let served = hosts.iter().flat_map(|facts| &facts.served);
    let recorded = records.flat_map(|record| [Some(&record.release), record.former.as_ref()]).flatten();
    for release in recorded.chain(served) {
        match known.get(&release.commit) {
            Some(other) if other.tag.is_some() || release.tag.is_none() => {}
            _ => drop(known.insert(release.commit.clone(), release.clone())),
        }
    }
    let mut known: Vec<Release> = known.into_values().collect();
    known.sort_by(|one, other| one.describe.cmp(&other.describe));
    known
}
