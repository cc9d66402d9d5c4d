//! Filling a slot with a commit, and seeing that it is filled.

use std::fmt;

use serde::Serialize;

use super::Action;
use super::effects::{Effect, Effects, PhaseName, StepInput};
use crate::app::bundle::{Bases, Bundle};
use crate::app::package::FetchedPackage;
use crate::app::text::one_line;
use crate::names::{CommitId, SlotName};

/// What git does on a host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum GitAction {
    /// Brings a commit's objects into a slot's clone, which is made if it isn't there.
    Fetch {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// Where it comes from, if no slot of the host has it.
        url: String,
        /// Whether git is given a name and password for it, which come as the step's input.
        credentials: bool,
        /// Slots that may have it already.
        siblings: Vec<SlotName>,
        /// Whether a new clone holds only what releases take.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
        /// Lines of a `known_hosts` file; empty leaves it to the host.
        known_hosts: Vec<String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
    },
    /// Brings a commit's objects into a slot's clone from what the deployer sends, which comes as the step's input, and from other
    /// slots. No remote is asked.
    Unbundle {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// Where it would be fetched from, which the clone goes on to know.
        url: String,
        /// What is sent.
        sent: Sent,
        /// Slots that hold what it builds on.
        siblings: Vec<SlotName>,
        /// Whether the release has submodules.
        submodules: bool,
    },
    /// Makes a slot's files those of the commit and nothing else, but for the virtualenv and what is shared.
    Checkout {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// Whether Git LFS keeps files of it: they get their contents by a step of their own.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        lfs: bool,
        /// The folders that it is only made of, with the files above them; `None`: all there are.
        #[serde(skip_serializing_if = "Option::is_none")]
        only: Option<Vec<String>>,
        /// Whether git's own folder is closed to other users: a web server would give it to everybody.
        closed: bool,
        /// Paths that what is shared is linked to: whatever lies there is left to that step.
        shared: Vec<String>,
        /// Files and folders that nobody said may be lost: they are set aside.
        aside: Vec<String>,
        /// The group that git's own folder stays open to.
        group: Option<String>,
        /// Whether it is the slot that serves.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        in_place: bool,
    },
    /// Makes the submodules of a slot those of its commit, and nothing else.
    Submodules {
        /// The slot.
        slot: SlotName,
        /// The remote of the slot's own clone, which addresses of submodules may be relative to.
        url: String,
        /// Whether git is given a name and password for its server, which come as the step's input.
        credentials: bool,
        /// Lines of a `known_hosts` file; empty leaves it to the host.
        known_hosts: Vec<String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
        /// Whether it is known that Git LFS keeps files of the release: they have a step of their own.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        lfs: bool,
    },
    /// The same from the objects that the slot's own clone was sent. No remote is asked.
    OwnSubmodules {
        /// The slot.
        slot: SlotName,
        /// The remote of the slot's own clone.
        url: String,
        /// Whether it is known that Git LFS keeps files of the release.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        lfs: bool,
    },
    /// Puts what Git LFS keeps for a slot's commit and its submodules in the places of its pointers, and asks the remote's LFS server for
    /// what the host lacks.
    FetchLfs {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// The remote of the slot's own clone, which says where that server is.
        url: String,
        /// Whether git is given a name and password for its server, which come as the step's input.
        credentials: bool,
        /// Lines of a `known_hosts` file; empty leaves it to the host.
        known_hosts: Vec<String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
    },
    /// The same of what the deployer sends, which comes as the step's input. No server is asked.
    PlaceLfs {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
        /// What is sent; `None`: the host has all of it.
        sent: Option<Box<FetchedPackage>>,
    },
    /// Fails unless a slot holds just this commit, unchanged.
    VerifyCommit {
        /// The slot.
        slot: SlotName,
        /// The commit.
        commit: CommitId,
    },
    /// Fails unless a release has this file.
    RequireFile {
        /// The slot.
        slot: SlotName,
        /// The file.
        file: String,
    },
}

/// What the deployer sends of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Nothing: a slot of the host holds the commit.
    Nothing,
    /// What the host lacks.
    Bundle(Bundle),
    /// A bundle that nobody has made yet: one that builds on these. Such a plan is a draft, and can't be carried out.
    NotYet(Bases),
}

impl Sent {
    /// The file, if there is one.
    pub fn file(&self) -> Option<&FetchedPackage> {
        match self {
            Sent::Bundle(bundle) => bundle.file.as_ref(),
            Sent::Nothing | Sent::NotYet(_) => None,
        }
    }
}

impl GitAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        const PREPARE: &[PhaseName] = &[PhaseName::Prepare];
        const FILL: &[PhaseName] = &[PhaseName::Prepare, PhaseName::InPlace];
        match self {
            GitAction::Fetch { slot, commit, credentials, lend_agent, .. } => Effects {
                input: credentials.then_some(StepInput::Credentials),
                ..Effects::new(Effect::Objects { slot, commit }, PREPARE).with_agent(*lend_agent).telling()
            },
            GitAction::Unbundle { slot, commit, sent, .. } => Effects {
                input: sent.file().map(StepInput::Package),
                ..Effects::new(Effect::Objects { slot, commit }, PREPARE).telling()
            },
            GitAction::Checkout { slot, commit, in_place: true, .. } => {
                Effects::new(Effect::InPlace { slot, commit }, &[PhaseName::InPlace]).telling()
            }
            GitAction::Checkout { slot, commit, in_place: false, .. } => {
                Effects::new(Effect::Files { slot, commit }, PREPARE).telling()
            }
            GitAction::Submodules { slot, credentials, lend_agent, .. } => Effects {
                input: credentials.then_some(StepInput::Credentials),
                ..Effects::new(Effect::Part { slot }, FILL).with_agent(*lend_agent).telling()
            },
            GitAction::OwnSubmodules { slot, .. } => Effects::new(Effect::Part { slot }, FILL).telling(),
            GitAction::FetchLfs { slot, credentials, lend_agent, .. } => Effects {
                input: credentials.then_some(StepInput::Credentials),
                ..Effects::new(Effect::Part { slot }, FILL).with_agent(*lend_agent).telling()
            },
            GitAction::PlaceLfs { slot, sent, .. } => Effects {
                input: sent.as_deref().map(StepInput::Package),
                ..Effects::new(Effect::Part { slot }, FILL).telling()
            },
            GitAction::VerifyCommit { slot, commit } => {
                Effects::new(Effect::Holds { slot, commit }, &[PhaseName::Prepare, PhaseName::Work])
            }
            GitAction::RequireFile { .. } => Effects::new(Effect::Nothing, FILL).quick(),
        }
    }
}

impl fmt::Display for GitAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GitAction::Fetch { slot, commit, .. } => write!(f, "fetch {} into {slot}", commit.short()),
            GitAction::Unbundle { slot, commit, sent, .. } => {
                let short = commit.short();
                match sent {
                    Sent::Bundle(Bundle { file: Some(_), on, .. }) if on.is_empty() => {
                        write!(f, "bring {short} into {slot} by a bundle of all of it")
                    }
                    Sent::Bundle(Bundle { file: Some(_), on, .. }) => {
                        let on: Vec<&str> = on.iter().map(CommitId::short).collect();
                        write!(f, "bring {short} into {slot} by a bundle that builds on {}", on.join(", "))
                    }
                    Sent::Bundle(_) | Sent::Nothing => {
                        write!(f, "bring {short} into {slot} from what the host has")
                    }
                    Sent::NotYet(_) => write!(f, "bring {short} into {slot} by a bundle"),
                }
            }
            GitAction::Checkout { slot, commit, only, in_place, .. } => {
                f.write_str("check out ")?;
                if let Some(only) = only {
                    write!(f, "{} of ", part_of(only))?;
                }
                let serves = if *in_place { ", which serves" } else { "" };
                write!(f, "{} in {slot}{serves}", commit.short())
            }
            GitAction::Submodules { slot, .. } => write!(f, "fetch the submodules of {slot}"),
            GitAction::OwnSubmodules { slot, .. } => write!(f, "check out the submodules of {slot}"),
            GitAction::FetchLfs { slot, .. } => write!(f, "fetch the LFS files of {slot}"),
            GitAction::PlaceLfs { slot, sent, .. } => match sent {
                Some(_) => write!(f, "bring the LFS files of {slot} that the host lacks"),
                None => write!(f, "bring the LFS files of {slot} from what the host has"),
            },
            GitAction::VerifyCommit { slot, commit } => {
                write!(f, "verify that {slot} holds {}, unchanged", commit.short())
            }
            GitAction::RequireFile { file, .. } => write!(f, "require {}", one_line(file)),
        }
    }
}

/// What people call a part of a project.
pub(super) fn part_of(folders: &[String]) -> String {
    match folders {
        [] => "what stands at the root".to_owned(),
        folders => one_line(&folders.join(", ")).to_string(),
    }
}

impl From<GitAction> for Action {
    fn from(action: GitAction) -> Action {
        Action::Git(action)
    }
}
