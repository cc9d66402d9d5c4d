//! What a step does: data, which the planner chooses and [`shell`](crate::shell) renders. A family a file, with what its
//! actions have for effects.

mod app;
mod archive;
mod effects;
mod git;
mod python;
mod record;
mod service;
mod traffic;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use app::{Answerer, AppAction, EnvEdit, ToldVisitors};
pub use archive::ArchiveAction;
pub use effects::{Effect, Effects, FailureMeans, Pace, PhaseName, StepInput};
pub use git::{GitAction, Sent};
pub use python::{AppIn, PythonAction, Schema};
pub use record::{Copies, RecordAction};
pub use service::ServiceAction;
pub use traffic::{HostWay, TrafficAction};

use crate::app::run_as::RunAs;
use crate::names::HostPath;

/// One thing that is done on one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Action {
    /// Filling a slot with a commit.
    Git(GitAction),
    /// Filling one from a file that the deployer has made.
    Archive(ArchiveAction),
    /// Virtualenvs and migrations.
    Python(PythonAction),
    /// What runs.
    Service(ServiceAction),
    /// What a later run has to know.
    Record(RecordAction),
    /// The app's own code.
    App(AppAction),
    /// Out of traffic, and back.
    Traffic(TrafficAction),
}

/// What a command of the app finds around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// The folder that it runs in.
    pub directory: HostPath,
    /// Its environment, besides the user's own.
    pub variables: BTreeMap<String, String>,
    /// The virtualenv whose programs it finds first.
    pub virtualenv: Option<HostPath>,
    /// The user that it runs as, by sudo. `None`: the one who logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
}

impl Action {
    /// What it does to a host.
    pub fn effects(&self) -> Effects<'_> {
        match self {
            Action::Git(action) => action.effects(),
            Action::Archive(action) => action.effects(),
            Action::Python(action) => action.effects(),
            Action::Service(action) => action.effects(),
            Action::Record(action) => action.effects(),
            Action::App(action) => action.effects(),
            Action::Traffic(action) => action.effects(),
        }
    }
}

impl fmt::Display for Action {
    /// A line for people, in the imperative.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Git(action) => action.fmt(f),
            Action::Archive(action) => action.fmt(f),
            Action::Python(action) => action.fmt(f),
            Action::Service(action) => action.fmt(f),
            Action::Record(action) => action.fmt(f),
            Action::App(action) => action.fmt(f),
            Action::Traffic(action) => action.fmt(f),
        }
    }
}
