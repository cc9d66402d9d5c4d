//! Virtualenvs, the packages that they are made from, and Django's migrations.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::effects::{Effect, Effects, PhaseName, StepInput};
use super::{Action, Surroundings};
use crate::app::migration::Migration;
use crate::app::package::FetchedPackage;
use crate::app::text::one_line;
use crate::app::virtualenv::VirtualenvSpec;
use crate::names::{CommitId, HostName, SlotName};

/// What is done for Python.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PythonAction {
    /// Puts a private package on the host. It comes as the step's input.
    Package {
        /// Which.
        package: FetchedPackage,
    },
    /// Makes a slot's virtualenv what its release asks for.
    Virtualenv {
        /// The slot.
        slot: SlotName,
        /// The release's commit.
        commit: CommitId,
        /// What it holds.
        spec: VirtualenvSpec,
        /// The environment of what installs it.
        variables: BTreeMap<String, String>,
        /// Whether the deployer's SSH agent is lent.
        lend_agent: bool,
    },
    /// Tells which packages a slot's virtualenv holds: of one release all hosts have the same.
    Versions {
        /// The slot.
        slot: SlotName,
        /// What was seen of hosts that have this release already, and keep it: a package and its version each.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        beside: BTreeMap<HostName, Vec<String>>,
    },
    /// Looks for migrations that the release in `older` doesn't know, and refuses or undoes them.
    Migrations {
        /// The app of the release that is gone back to.
        older: AppIn,
        /// The app that serves.
        newer: AppIn,
        /// What is done about them.
        schema: Schema,
        /// Those that are undone, in this order, where they are: just what a person has said yes to.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        undoes: Vec<Migration>,
        /// What the app's commands find around them.
        #[serde(flatten)]
        around: Surroundings,
    },
}

/// An app in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppIn {
    /// The slot.
    pub slot: SlotName,
    /// The commit, where it is no longer the slot that holds it, but the copy that was kept of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<CommitId>,
    /// Where in the project it lies; `None`: at its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
}

/// What a rollback does about migrations that the older release doesn't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// It fails, and names them.
    Refuse,
    /// It leaves them.
    Keep,
    /// It undoes them, by the newer release.
    Reverse,
}

impl PythonAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        const PREPARE: &[PhaseName] = &[PhaseName::Prepare];
        const FILL: &[PhaseName] = &[PhaseName::Prepare, PhaseName::InPlace];
        match self {
            PythonAction::Package { package, .. } => {
                Effects { input: Some(StepInput::Package(package)), ..Effects::new(Effect::Beside, PREPARE) }
            }
            PythonAction::Virtualenv { slot, lend_agent, .. } => {
                Effects::new(Effect::Part { slot }, FILL).with_agent(*lend_agent)
            }
            PythonAction::Versions { .. } => Effects::new(Effect::Nothing, FILL).quick().compared(),
            PythonAction::Migrations { schema, around, .. } => {
                let (effect, phases): (_, &[PhaseName]) = match schema {
                    Schema::Refuse | Schema::Keep => (Effect::Nothing, FILL),
                    Schema::Reverse => (Effect::Beside, &[PhaseName::Once]),
                };
                Effects::new(effect, phases).by_sudo(around.run_as.is_some())
            }
        }
    }
}

impl fmt::Display for PythonAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PythonAction::Package { package, .. } => write!(f, "send {}", one_line(&package.file)),
            PythonAction::Virtualenv { slot, .. } => write!(f, "bring the virtualenv of {slot} up to date"),
            PythonAction::Versions { slot, beside: _ } => {
                write!(f, "compare the packages of {slot} with those of the other hosts")
            }
            PythonAction::Migrations { older, schema: Schema::Reverse, undoes, .. } => {
                let names: Vec<String> = undoes.iter().map(Migration::to_string).collect();
                write!(f, "undo migrations that {} doesn't know: {}", older.slot, names.join(", "))
            }
            PythonAction::Migrations { older, schema: Schema::Refuse | Schema::Keep, .. } => {
                write!(f, "look for migrations that {} doesn't know", older.slot)
            }
        }
    }
}

impl From<PythonAction> for Action {
    fn from(action: PythonAction) -> Action {
        Action::Python(action)
    }
}
