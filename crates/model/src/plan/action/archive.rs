//! A release that comes as one file: taking it, and unpacking it into a slot.

use std::fmt;

use serde::Serialize;

use super::Action;
use super::effects::{Effect, Effects, PhaseName, StepInput};
use crate::names::{CommitId, SlotName};

/// What is done with the archive of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ArchiveAction {
    /// Takes the archive, which comes as the step's input, and keeps it in `packages`.
    TakeArchive {
        /// The commit that it was made of.
        commit: CommitId,
        /// Its name there.
        file: String,
    },
    /// Makes a slot's files those of the archive and nothing else, but for the virtualenv and what is shared.
    Unpack {
        /// The slot.
        slot: SlotName,
        /// The commit that the archive was made of.
        commit: CommitId,
        /// The archive's name in `packages`.
        file: String,
        /// Paths that what is shared is linked to: whatever lies there is left to that step.
        shared: Vec<String>,
        /// Files and folders that nobody said may be lost: they are set aside.
        aside: Vec<String>,
    },
    /// Keeps what somebody changed in what came as an archive, and forgets that it did: git fills the slot next.
    Leave {
        /// The slot.
        slot: SlotName,
        /// The commit that it is going to hold.
        commit: CommitId,
    },
}

impl ArchiveAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        const PREPARE: &[PhaseName] = &[PhaseName::Prepare];
        match self {
            ArchiveAction::TakeArchive { file, .. } => {
                Effects { input: Some(StepInput::Archive(file)), ..Effects::new(Effect::Beside, PREPARE) }
            }
            ArchiveAction::Unpack { slot, commit, .. } => {
                Effects::new(Effect::Files { slot, commit }, PREPARE).telling()
            }
            // What its files are is nobody's to say meanwhile.
            ArchiveAction::Leave { slot, commit } => {
                Effects::new(Effect::Objects { slot, commit }, PREPARE).telling()
            }
        }
    }
}

impl fmt::Display for ArchiveAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveAction::TakeArchive { file, .. } => write!(f, "send {file}"),
            ArchiveAction::Leave { slot, .. } => write!(f, "keep what somebody changed in {slot}"),
            ArchiveAction::Unpack { slot, file, .. } => write!(f, "unpack {file} in {slot}"),
        }
    }
}

impl From<ArchiveAction> for Action {
    fn from(action: ArchiveAction) -> Action {
        Action::Archive(action)
    }
}
