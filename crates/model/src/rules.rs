//! The rules of an environment: what may be deployed there, and how it is named. Pure; what was seen comes in as
//! [`CheckoutFacts`], and what has to be done on the deployer goes out as [`LocalAction`]s.

use std::fmt;

use crate::checkout::{Asked, CheckoutFacts, Kinship, LiveRelease, PushFacts, Tag};
use crate::config::Settings;
use crate::local::{LocalAction, PushedBranch};
use crate::names::CommitId;
use crate::plan::Note;
use crate::release::Release;
use crate::version;

/// What the rules say.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// It may be deployed.
    Allowed(Box<Allowed>),
    /// It needs a tag, and a person has to say which.
    NeedsTag(TagChoice),
}

/// What may be deployed, and what comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed {
    /// The commit, under its best name.
    pub release: Release,
    /// Tagging and pushing.
    pub actions: Vec<LocalAction>,
    /// What a person has to say yes to.
    pub questions: Vec<Question>,
    /// What a person should know.
    pub notes: Vec<Note>,
}

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

/// Something that a person has to say yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A push would bring more to the remote than this person's own work.
    Push {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
        /// Why it may come as a surprise.
        surprise: PushSurprise,
    },
    /// The release is older than what is live.
    Older {
        /// The release.
        release: Release,
        /// What is live.
        live: Release,
    },
    /// No signature can be made.
    Unsigned {
        /// The tag.
        tag: String,
    },
}

/// What may come as a surprise in a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushSurprise {
    /// The remote has no such branch yet.
    NewBranch,
    /// Others' commits would go along: a line each.
    OthersCommits(Vec<String>),
}

/// A rule that the release breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenRule {
    /// Files in the checkout aren't committed.
    #[error("files in your checkout aren't committed: {}", listed(changes))]
    NotClean {
        /// Which.
        changes: Vec<String>,
    },
    /// The remote doesn't have the commit, and it can't be brought there.
    #[error("{release} isn't on the remote {remote:?}: hosts couldn't fetch it")]
    NotOnRemote {
        /// The release.
        release: Release,
        /// The remote.
        remote: String,
        /// What would help.
        way: WayToRemote,
    },
    /// The remote's branch has commits that the one here lacks.
    #[error(
        "{branch} of {remote:?} has commits that yours lacks: {release} can't be pushed without losing them"
    )]
    NotFastForward {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
        /// The release.
        release: Release,
    },
    /// The commit isn't on the branch that releases come from.
    #[error("{release} isn't on {pattern} of {remote:?}, where releases come from here")]
    WrongBranch {
        /// The release.
        release: Release,
        /// The branch, as it is set.
        pattern: String,
        /// The remote.
        remote: String,
    },
    /// There is no such branch.
    #[error("{remote:?} has no branch {pattern}, where releases come from here")]
    NoBranch {
        /// The branch, as it is set.
        pattern: String,
        /// The remote.
        remote: String,
    },
    /// Only tagged commits may be deployed.
    #[error("{release} has no release tag, and only releases are deployed here")]
    NeedsTag {
        /// The release.
        release: Release,
        /// A name for it.
        proposed: Option<String>,
    },
    /// No release has a tag yet.
    #[error("no tag here looks like a release ({pattern})")]
    NoLatestTag {
        /// What one looks like.
        pattern: String,
    },
    /// A tag's name isn't that of a release.
    #[error("{tag:?} doesn't look like a release ({pattern})")]
    NotAVersion {
        /// The tag.
        tag: String,
        /// What one looks like.
        pattern: String,
    },
    /// A name that git doesn't take.
    #[error("git takes no tag called {tag:?}")]
    NotAName {
        /// The name.
        tag: String,
    },
    /// A new tag's name is taken.
    #[error("there is a tag {tag:?} already, on {}", commit.short())]
    TagTaken {
        /// The tag.
        tag: String,
        /// What it stands on.
        commit: CommitId,
    },
    /// A tag is something else to others than here.
    #[error("{tag:?} is {} here, and {} on {remote:?}", here.short(), there.short())]
    TagMoved {
        /// The tag.
        tag: String,
        /// The remote.
        remote: String,
        /// What it is here.
        here: CommitId,
        /// What it is there.
        there: CommitId,
    },
    /// The remote doesn't have a tag, and it isn't to be brought there.
    #[error("the tag {tag:?} isn't on the remote {remote:?}")]
    TagNotOnRemote {
        /// The tag.
        tag: String,
        /// The remote.
        remote: String,
    },
    /// A tag has to be signed, and nothing is set up to sign it.
    #[error("{tag:?} has to be signed, and git has no key to sign with")]
    CannotSign {
        /// The tag.
        tag: String,
    },
    /// A tag doesn't carry the signature that it has to.
    #[error("{why}")]
    BadSignature {
        /// What is wrong with it.
        why: String,
    },
    /// Nobody was there to say yes.
    #[error("{0}, and nobody said yes")]
    Unanswered(Question),
}

/// How a commit could get to the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayToRemote {
    /// A person pushes the branch that is checked out: this program isn't to.
    ByHand,
    /// It isn't on the branch that is checked out, which is the only one that this program pushes.
    OtherBranch,
}

/// How many tags a person chooses from.
const LAST_TAGS: usize = 5;

/// Applies the rules of an environment to what was asked for. `new_tag` is the name of a tag that shall be made, `live`
/// what serves on the hosts now.
///
/// # Errors
///
/// All the rules that it breaks.
pub fn judge(
    settings: &Settings,
    facts: &CheckoutFacts,
    live: &[LiveRelease],
    new_tag: Option<&str>,
) -> Result<Ruling, Vec<BrokenRule>> {
    let mut broken = Vec::new();
    let mut questions = Vec::new();
    if settings.require_clean && !facts.changes.is_empty() {
        broken.push(BrokenRule::NotClean { changes: facts.changes.clone() });
    }
    let push = match push(settings, facts) {
        Ok(push) => {
            broken.extend(branch(settings, facts, push.is_some()));
            push
        }
        Err(rule) => {
            broken.push(rule);
            None
        }
    };
    let choice = match choose_tag(settings, facts, new_tag) {
        Ok(choice) => choice,
        Err(rule) => {
            broken.push(rule);
            Choice::None
        }
    };
    if !broken.is_empty() {
        return Err(broken);
    }
    let (release, new_tag, push_tag) = match choice {
        Choice::Ask => return Ok(Ruling::NeedsTag(tag_choice(settings, facts))),
        Choice::None => (facts.release.clone(), None, None),
        Choice::Known { tag, push } => (facts.release.clone().tagged(&tag), None, push.then_some(tag)),
        Choice::New(tag) => (facts.release.clone().tagged(&tag), Some(tag.clone()), Some(tag)),
    };
    let mut actions = Vec::new();
    if let Some(tag) = new_tag {
        let shall_sign = settings.sign_tags || settings.verify_signatures;
        if shall_sign && !facts.can_sign {
            if settings.verify_signatures {
                return Err(vec![BrokenRule::CannotSign { tag }]);
            }
            questions.push(Question::Unsigned { tag: tag.clone() });
        }
        actions.push(LocalAction::Tag {
            tag,
            commit: release.commit.clone(),
            signed: shall_sign && facts.can_sign,
            signers: if settings.verify_signatures { settings.allowed_signers.clone() } else { Vec::new() },
            remote: facts.remote.name.clone(),
        });
    }
    questions.extend(push.and_then(|push| surprise(push, &facts.remote.name)));
    if push.is_some() || push_tag.is_some() {
        actions.push(LocalAction::Push {
            remote: facts.remote.name.clone(),
            branch: push
                .map(|push| PushedBranch { name: push.branch.clone(), commit: release.commit.clone() }),
            tag: push_tag,
        });
    }
    if !settings.allow_older
        && let Some(live) = live.iter().find(|live| is_older(&release, live))
    {
        questions.push(Question::Older { release: release.clone(), live: live.release.clone() });
    }
    Ok(Ruling::Allowed(Box::new(Allowed { release, actions, questions, notes: notes(facts) })))
}

/// Whether a tag that is to be made may have this name.
pub fn check_new_tag(settings: &Settings, facts: &CheckoutFacts, tag: &str) -> Result<(), BrokenRule> {
    if !is_tag_name(tag) {
        return Err(BrokenRule::NotAName { tag: tag.to_owned() });
    }
    if !settings.version_pattern.matches(tag) {
        let pattern = settings.version_pattern.as_str().to_owned();
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
    let latest = version::latest(names, &settings.version_pattern).map(str::to_owned);
    let pattern = settings.version_pattern.as_str().to_owned();
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

/// The push that brings the commit to the remote, if one is needed.
fn push<'f>(settings: &Settings, facts: &'f CheckoutFacts) -> Result<Option<&'f PushFacts>, BrokenRule> {
    let remote = &facts.remote;
    if remote.has_release && (remote.branch_has_release || settings.branch.is_any()) {
        return Ok(None);
    }
    let not_on_remote =
        |way| BrokenRule::NotOnRemote { release: facts.release.clone(), remote: remote.name.clone(), way };
    match &remote.push {
        Some(push) if !settings.branch.matches(&push.branch) => Ok(None),
        Some(push) if settings.push_before_deploy && push.is_fast_forward => Ok(Some(push)),
        // What is wrong with it then is the branch.
        _ if remote.has_release => Ok(None),
        Some(push) if settings.push_before_deploy => Err(BrokenRule::NotFastForward {
            branch: push.branch.clone(),
            remote: remote.name.clone(),
            release: facts.release.clone(),
        }),
        Some(_) => Err(not_on_remote(WayToRemote::ByHand)),
        None => Err(not_on_remote(WayToRemote::OtherBranch)),
    }
}

fn branch(settings: &Settings, facts: &CheckoutFacts, pushed: bool) -> Option<BrokenRule> {
    let remote = &facts.remote;
    if settings.branch.is_any() || remote.branch_has_release || pushed {
        return None;
    }
    let (pattern, remote_name) = (settings.branch.as_str().to_owned(), remote.name.clone());
    Some(match remote.has_branch {
        false => BrokenRule::NoBranch { pattern, remote: remote_name },
        true => BrokenRule::WrongBranch { release: facts.release.clone(), pattern, remote: remote_name },
    })
}

enum Choice {
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

fn choose_tag(
    settings: &Settings,
    facts: &CheckoutFacts,
    new_tag: Option<&str>,
) -> Result<Choice, BrokenRule> {
    let required = settings.require_tag || settings.verify_signatures;
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
        if required && !settings.version_pattern.matches(tag) {
            let pattern = settings.version_pattern.as_str().to_owned();
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
    version::latest(standing.map(|tag| tag.name.as_str()), &settings.version_pattern)
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
    if there.is_none() && !settings.push_before_deploy {
        return Err(BrokenRule::TagNotOnRemote { tag: tag.to_owned(), remote });
    }
    match &facts.bad_signature {
        Some(why) if settings.verify_signatures => Err(BrokenRule::BadSignature { why: why.clone() }),
        _ => Ok(Choice::Known { tag: tag.to_owned(), push: there.is_none() }),
    }
}

fn tag_choice(settings: &Settings, facts: &CheckoutFacts) -> TagChoice {
    let mut known: Vec<&str> =
        facts.tags.iter().chain(&facts.remote.tags).map(|tag| tag.name.as_str()).collect();
    known.sort_by(|one, other| version::compare(one, other));
    known.dedup();
    let pattern = &settings.version_pattern;
    TagChoice {
        release: facts.release.clone(),
        latest: version::latest(known.iter().copied(), pattern).map(str::to_owned),
        proposed: version::next(known.iter().copied(), pattern),
        last: known[known.len().saturating_sub(LAST_TAGS)..].iter().map(|tag| (*tag).to_owned()).collect(),
    }
}

fn surprise(push: &PushFacts, remote: &str) -> Option<Question> {
    let others: Vec<String> =
        push.commits.iter().filter(|commit| !commit.is_own).map(|commit| commit.line.clone()).collect();
    let surprise = match (push.is_new, others.is_empty()) {
        (true, _) => PushSurprise::NewBranch,
        (false, false) => PushSurprise::OthersCommits(others),
        (false, true) => return None,
    };
    Some(Question::Push { branch: push.branch.clone(), remote: remote.to_owned(), surprise })
}

/// A tagged release is older than what is live by its version, or because the live one was built on it.
fn is_older(release: &Release, live: &LiveRelease) -> bool {
    let Some(tag) = &release.tag else { return false };
    let by_version = live.release.tag.as_ref().is_some_and(|live| version::is_older(tag, live));
    by_version || live.kinship == Kinship::Older
}

fn notes(facts: &CheckoutFacts) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |text: String| notes.push(Note { host: None, text });
    if !facts.changes.is_empty() {
        note(format!("not committed, so not deployed: {}", listed(&facts.changes)));
    }
    for submodule in &facts.unpushed_submodules {
        note(format!(
            "the submodule {submodule} stands on a commit that its remote doesn't have, as far as is known here"
        ));
    }
    notes
}

/// The first few files of `git status --porcelain`.
fn listed(changes: &[String]) -> String {
    const MOST: usize = 5;
    let names: Vec<&str> = changes.iter().take(MOST).map(|line| line.get(3..).unwrap_or(line)).collect();
    match changes.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

impl Question {
    /// Whether `--yes` answers it. What would make a tag worth less, or take back what users have, takes more than the
    /// habit of typing that.
    pub fn yes_is_enough(&self) -> bool {
        matches!(self, Question::Push { .. })
    }

    /// What a person is asked.
    pub fn prompt(&self) -> String {
        match self {
            Question::Push { branch, remote, surprise: PushSurprise::NewBranch } => {
                format!("Push {branch} to {remote} as a new branch?")
            }
            Question::Push { branch, remote, surprise: PushSurprise::OthersCommits(lines) } => {
                let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
                format!("Commits of others would be pushed to {branch} of {remote}:\n{lines}Push them?")
            }
            Question::Older { release, live } => {
                format!("{release} is older than {live}, which is live. Deploy it?")
            }
            Question::Unsigned { tag } => {
                format!("Git has no key to sign {tag} with. Make it without a signature?")
            }
        }
    }
}

impl fmt::Display for Question {
    /// What would be done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Push { branch, remote, surprise: PushSurprise::NewBranch } => {
                write!(f, "{branch} would be pushed to {remote:?} as a new branch")
            }
            Question::Push { branch, remote, surprise: PushSurprise::OthersCommits(lines) } => {
                write!(f, "commits of others would be pushed to {branch} of {remote:?}: {}", lines.join(", "))
            }
            Question::Older { release, live } => {
                write!(f, "{release} is older than {live}, which is live")
            }
            Question::Unsigned { tag } => {
                write!(f, "{tag:?} would be made without a signature: git has no key to sign with")
            }
        }
    }
}

impl BrokenRule {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            BrokenRule::NotClean { .. } => "commit or stash them; `require_clean` asks for it".into(),
            BrokenRule::NotOnRemote { remote, way, .. } => match way {
                WayToRemote::ByHand => format!("push it first: git push {remote} HEAD"),
                WayToRemote::OtherBranch => format!(
                    "only the branch that is checked out is pushed: check out the one that it is on. If it was on \
                     {remote:?} once, somebody has rewritten that branch: git fetch {remote}"
                ),
            },
            BrokenRule::NotFastForward { remote, branch, .. } => {
                format!("take them in first: git pull --rebase {remote} {branch}")
            }
            BrokenRule::WrongBranch { pattern, .. } => {
                format!("merge it into {pattern} first; `branch` in buedafab.toml says where releases come from")
            }
            BrokenRule::NoBranch { .. } => {
                "set `branch` in buedafab.toml to the branch that releases come from: branch = \"main\"".into()
            }
            BrokenRule::NeedsTag { proposed, .. } => format!(
                "name one: --tag {}; or deploy one that is there: --release TAG, --release latest_tag",
                proposed.as_deref().unwrap_or("NAME")
            ),
            BrokenRule::NoLatestTag { .. } => "make the first one: deploy --tag NAME".into(),
            BrokenRule::NotAVersion { .. } => "`version_pattern` in buedafab.toml says what one looks like".into(),
            BrokenRule::NotAName { .. } => "see git help check-ref-format".into(),
            BrokenRule::TagTaken { .. } => "a release's tag is never moved: choose another name".into(),
            BrokenRule::TagMoved { tag, remote, .. } => format!(
                "find out who is right; to take theirs: git tag -d {tag} && git fetch {remote} tag {tag}"
            ),
            BrokenRule::TagNotOnRemote { tag, remote } => format!("push it first: git push {remote} {tag}"),
            BrokenRule::CannotSign { .. } => {
                "set up a key, as in: git config --global gpg.format ssh; git config --global user.signingKey ~/.ssh/id_ed25519.pub".into()
            }
            BrokenRule::BadSignature { .. } => {
                "`allowed_signers` in buedafab.toml says whose signature counts; have one of them make the tag".into()
            }
            BrokenRule::Unanswered(Question::Push { .. }) => "say it with --yes, or push it by hand first".into(),
            BrokenRule::Unanswered(Question::Older { .. }) => {
                "say it with --allow-older; `rollback` goes back to the release before".into()
            }
            BrokenRule::Unanswered(Question::Unsigned { .. }) => {
                "set up a key (git config user.signingKey), or set `sign_tags = false`".into()
            }
        }
    }
}
