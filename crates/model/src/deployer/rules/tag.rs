//! The tag that makes a commit a release: known, new, or still to be chosen.

use super::BrokenRule;
use crate::config::Settings;
use crate::deployer::checkout::{Asked, CheckoutFacts, Tag};
use crate::deployer::version;
use crate::names::CommitId;
use crate::release::Release;

/// What a person chooses a tag from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChoice {
    /// The commit that would be tagged.
    pub release: Release,
    /// The last tags, in version order.
    pub last: Vec<String>,
    /// The latest release's tag: what is deployed when no new one is made.
    pub latest: Option<String>,
    /// A name for the new one.
    pub proposed: Option<String>,
}

/// How many tags a person chooses from.
const LAST_TAGS: usize = 5;

/// Whether a tag that is to be made may have this name.
pub fn check_new_tag(settings: &Settings, facts: &CheckoutFacts, tag: &str) -> Result<(), BrokenRule> {
    if !is_tag_name(tag) {
        return Err(BrokenRule::NotAName { tag: tag.to_owned() });
    }
    if !settings.rules.version_pattern.matches(tag) {
        let pattern = settings.rules.version_pattern.as_str().to_owned();
        return Err(BrokenRule::NotAVersion { tag: tag.to_owned(), pattern });
    }
    match facts.tags.iter().chain(&facts.remote.tags).find(|known| known.name == tag) {
        Some(taken) => Err(BrokenRule::TagTaken { tag: tag.to_owned(), commit: taken.commit.clone() }),
        None => Ok(()),
    }
}

/// The latest release's tag, here or on the remote.
pub fn latest_tag(settings: &Settings, tags: &[Tag]) -> Result<String, BrokenRule> {
    let names = tags.iter().map(|tag| tag.name.as_str());
    let latest = version::latest(names, &settings.rules.version_pattern).map(str::to_owned);
    let pattern = settings.rules.version_pattern.as_str().to_owned();
    latest.ok_or(BrokenRule::NoLatestTag { pattern })
}

/// Git's rules for the last part of a ref's name (git-check-ref-format), and that no command takes it for an option.
fn is_tag_name(tag: &str) -> bool {
    let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !tag.starts_with('-')
        && !tag.ends_with('.')
        && tag != "@"
        && !tag.contains(odd)
        && !tag.contains("..")
        && !tag.contains("@{")
        && tag.split('/').all(part)
}

/// Where the release's tag comes from.
pub(super) enum Choice {
    /// None is needed.
    None,
    /// It has one.
    Known {
        tag: String,
        push: bool,
    },
    /// This one is made.
    New(String),
    Ask,
}

pub(super) fn choose_tag(
    settings: &Settings,
    facts: &CheckoutFacts,
    new_tag: Option<&str>,
) -> Result<Choice, BrokenRule> {
    let required = settings.rules.require_tag || settings.rules.verify_signatures;
    let commit = &facts.release.commit;
    let stands = |tag: &&Tag| tag.commit == *commit;
    if let Some(tag) = new_tag {
        // Asked for again after a deploy that failed: the tag was made then.
        let here = facts.tags.iter().chain(&facts.remote.tags).filter(stands).any(|known| known.name == tag);
        if !here {
            check_new_tag(settings, facts, tag)?;
            return Ok(Choice::New(tag.to_owned()));
        }
        return known_tag(settings, facts, tag);
    }
    if let Asked::Tag(tag) = &facts.asked {
        if required && !settings.rules.version_pattern.matches(tag) {
            let pattern = settings.rules.version_pattern.as_str().to_owned();
            return Err(BrokenRule::NotAVersion { tag: tag.clone(), pattern });
        }
        return known_tag(settings, facts, tag);
    }
    if !required {
        return Ok(Choice::None);
    }
    match release_tag(settings, facts.tags.iter().chain(&facts.remote.tags), commit) {
        Some(tag) => known_tag(settings, facts, tag),
        None => Ok(Choice::Ask),
    }
}

/// The tag that makes a commit a release: the latest of those that stand on it.
pub fn release_tag<'t>(
    settings: &Settings,
    tags: impl IntoIterator<Item = &'t Tag>,
    commit: &CommitId,
) -> Option<&'t str> {
    let standing = tags.into_iter().filter(|tag| tag.commit == *commit);
    version::latest(standing.map(|tag| tag.name.as_str()), &settings.rules.version_pattern)
}

/// A tag that is there has to be the same to everybody.
fn known_tag(settings: &Settings, facts: &CheckoutFacts, tag: &str) -> Result<Choice, BrokenRule> {
    let remote = facts.remote.name.clone();
    let there = facts.remote.tags.iter().find(|known| known.name == tag);
    if let Some(there) = there
        && there.commit != facts.release.commit
    {
        return Err(BrokenRule::TagMoved {
            tag: tag.to_owned(),
            remote,
            here: facts.release.commit.clone(),
            there: there.commit.clone(),
        });
    }
    if there.is_none() && !settings.rules.push_before_deploy {
        return Err(BrokenRule::TagNotOnRemote { tag: tag.to_owned(), remote });
    }
    match &facts.bad_signature {
        Some(why) if settings.rules.verify_signatures => Err(BrokenRule::BadSignature { why: why.clone() }),
        _ => Ok(Choice::Known { tag: tag.to_owned(), push: there.is_none() }),
    }
}

pub(super) fn tag_choice(settings: &Settings, facts: &CheckoutFacts) -> TagChoice {
    let mut known: Vec<&str> =
        facts.tags.iter().chain(&facts.remote.tags).map(|tag| tag.name.as_str()).collect();
    known.sort_by(|one, other| version::compare(one, other));
    known.dedup();
    let pattern = &settings.rules.version_pattern;
    TagChoice {
        release: facts.release.clone(),
        latest: version::latest(known.iter().copied(), pattern).map(str::to_owned),
        proposed: version::next(known.iter().copied(), pattern),
        last: known[known.len().saturating_sub(LAST_TAGS)..].iter().map(|tag| (*tag).to_owned()).collect(),
    }
}
