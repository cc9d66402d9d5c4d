//! The rules of an environment: what may be deployed there, and how it is named. Pure; what was seen comes in as
//! [`CheckoutFacts`], and what has to be done on the deployer goes out as [`DeployerAction`]s.

mod broken;
mod python;
mod question;
mod tag;

pub use broken::{BrokenRule, WayToRemote};
pub use question::{PushSurprise, Question};
pub use tag::{TagChoice, check_new_tag, latest_tag, release_tag};

use crate::app::placeholder::keeps_a_folder;
use crate::config::Settings;
use crate::deployer::action::DeployerAction;
use crate::deployer::checkout::{Ancestry, CheckoutFacts, LiveRelease, PushFacts, TrackedPath};
use crate::deployer::version;
use crate::release::Release;
use broken::listed;
use python::nothing_to_install;
use question::surprise;
use tag::{Choice, choose_tag, tag_choice};

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
    /// What comes before any host is prepared: tagging, and the push that hosts fetch from.
    pub before: Vec<DeployerAction>,
    /// What is made public once every host is ready: a release that can't be built burns no version.
    pub publish: Vec<DeployerAction>,
    /// Whether it may lack something that is live, being older or of another branch: then the database may have what it doesn't
    /// know.
    pub goes_back: bool,
    /// What a person has to say yes to.
    pub questions: Vec<Question>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Allowed {
    /// What has passed the rules before, and is live somewhere: nothing is tagged, pushed or asked for it.
    pub fn as_it_is(release: Release) -> Self {
        let (before, publish, questions, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Allowed { release, before, publish, goes_back: false, questions, notes }
    }
}

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
    if settings.rules.require_clean && !facts.changes.is_empty() {
        broken.push(BrokenRule::NotClean { changes: facts.changes.clone() });
    }
    broken.extend(shared(settings, facts));
    let files = facts.python.as_ref().filter(|_| settings.app.recipe.is_python());
    let (nothing, unsaid) = files.map_or((None, None), |files| nothing_to_install(settings, files));
    broken.extend(nothing);
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
    let mut before = Vec::new();
    if let Some(tag) = new_tag {
        let shall_sign = settings.rules.sign_tags || settings.rules.verify_signatures;
        if shall_sign && !facts.can_sign {
            if settings.rules.verify_signatures {
                return Err(vec![BrokenRule::CannotSign { tag }]);
            }
            questions.push(Question::Unsigned { tag: tag.clone() });
        }
        before.push(DeployerAction::Tag {
            tag,
            commit: release.commit.clone(),
            signed: shall_sign && facts.can_sign,
            signers: if settings.rules.verify_signatures {
                settings.rules.allowed_signers.clone()
            } else {
                Vec::new()
            },
            remote: facts.remote.name.clone(),
        });
    }
    questions.extend(push.and_then(|push| surprise(push, &facts.remote.name)));
    before.extend(push.map(|push| DeployerAction::PushBranch {
        remote: facts.remote.name.clone(),
        branch: push.branch.clone(),
        commit: release.commit.clone(),
    }));
    let publish = push_tag.map(|tag| DeployerAction::PushTag { remote: facts.remote.name.clone(), tag });
    let publish = publish.into_iter().collect();
    let newer = live.iter().find(|live| is_older(&release, live));
    if let Some(live) = newer.filter(|_| !settings.rules.allow_older) {
        questions.push(Question::Older { release: release.clone(), live: live.release.clone() });
    }
    let contains = |live: &LiveRelease| live.ancestry == Ancestry::NotOlder && !is_older(&release, live);
    let goes_back = !live.iter().all(contains);
    let mut notes = notes(facts);
    notes.extend(unsaid);
    let strange = live.iter().filter(|live| live.ancestry == Ancestry::Unknown && !is_older(&release, live));
    notes.extend(strange.map(|LiveRelease { release: live, .. }| {
        format!("neither this checkout nor {} has {live}, which is live: it may be newer", facts.remote.name)
    }));
    Ok(Ruling::Allowed(Box::new(Allowed { release, before, publish, goes_back, questions, notes })))
}

/// What git tracks where a link to what is shared belongs, once for each. What only keeps a folder there is in no way.
fn shared(settings: &Settings, facts: &CheckoutFacts) -> Vec<BrokenRule> {
    let is_below =
        |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let folders: Vec<String> = settings.shared.folders.iter().map(|path| settings.app.file(path)).collect();
    let in_the_way = |shared: &String| {
        let conflict = |tracked: &&TrackedPath| {
            let TrackedPath { path, is_link } = tracked;
            let keeps = folders.contains(shared) && path != shared && keeps_a_folder(path);
            path == shared || is_below(path, shared) && !keeps || *is_link && is_below(shared, path)
        };
        let TrackedPath { path, is_link } = facts.shared_in_git.iter().find(conflict)?;
        let (shared, release) = (shared.clone(), facts.release.clone());
        Some(if *is_link && is_below(&shared, path) {
            BrokenRule::SharedBehindLink { shared, link: path.clone(), release }
        } else {
            BrokenRule::SharedIsTracked { shared, tracked: path.clone(), release }
        })
    };
    let files = settings.shared.files.iter().map(|path| settings.app.file(path));
    files.chain(folders.iter().cloned()).filter_map(|shared| in_the_way(&shared)).collect()
}

/// The push that brings the commit to the remote, if one is needed.
fn push<'f>(settings: &Settings, facts: &'f CheckoutFacts) -> Result<Option<&'f PushFacts>, BrokenRule> {
    let remote = &facts.remote;
    if remote.has_release && (remote.branch_has_release || settings.rules.branch.is_any()) {
        return Ok(None);
    }
    let not_on_remote =
        |way| BrokenRule::NotOnRemote { release: facts.release.clone(), remote: remote.name.clone(), way };
    match &remote.push {
        Some(push) if !settings.rules.branch.matches(&push.branch) => Ok(None),
        Some(push) if settings.rules.push_before_deploy && push.is_fast_forward => Ok(Some(push)),
        Some(push) if settings.rules.push_before_deploy => Err(BrokenRule::NotFastForward {
            branch: push.branch.clone(),
            remote: remote.name.clone(),
            release: facts.release.clone(),
        }),
        // What is wrong with it then is the branch.
        _ if remote.has_release => Ok(None),
        Some(_) => Err(not_on_remote(WayToRemote::ByHand)),
        None => Err(not_on_remote(WayToRemote::OtherBranch)),
    }
}

fn branch(settings: &Settings, facts: &CheckoutFacts, pushed: bool) -> Option<BrokenRule> {
    let remote = &facts.remote;
    if settings.rules.branch.is_any() || remote.branch_has_release || pushed {
        return None;
    }
    let (pattern, remote_name) = (settings.rules.branch.as_str().to_owned(), remote.name.clone());
    Some(if remote.has_branch {
        BrokenRule::WrongBranch { release: facts.release.clone(), pattern, remote: remote_name }
    } else {
        BrokenRule::NoBranch { pattern, remote: remote_name }
    })
}

/// A release is older than what is live because the live one was built on it; a tagged one also by its version.
fn is_older(release: &Release, live: &LiveRelease) -> bool {
    let versions = release.tag.as_ref().zip(live.release.tag.as_ref());
    let by_version = versions.is_some_and(|(tag, live)| version::is_older(tag, live));
    by_version || live.ancestry == Ancestry::Older
}

fn notes(facts: &CheckoutFacts) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: String| notes.push(text);
    // What is used of the configuration, and what isn't, is another matter (`ConfigFile::settings_of_release`).
    let is_configuration = |line: &&String| {
        let path = facts.release_file.as_ref().map(|file| file.path.as_str());
        line.get(3..).is_some_and(|changed| Some(changed) == path)
    };
    let changes: Vec<String> = facts.changes.iter().filter(|line| !is_configuration(line)).cloned().collect();
    if !changes.is_empty() {
        note(format!("not committed, so not deployed: {}", listed(&changes)));
    }
    for submodule in &facts.unpushed_submodules {
        note(format!(
            "the submodule {submodule} is at a commit that its remote doesn't have, as far as this checkout knows"
        ));
    }
    notes
}
