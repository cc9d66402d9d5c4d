//! A plan: everything that a run will do, decided before it does anything.
//!
//! It is data. It can be shown, written as JSON, linted, simulated and executed, and all five see the same thing. The
//! executor makes no choice that isn't in it.

pub mod action;
pub mod check;
pub mod refusal;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::deployer::action::DeployerAction;
use crate::host::Host;
use crate::host::layout::Layout;
use crate::names::{EnvironmentName, HostName, RunId, SlotName, Unit};
use crate::plan::action::Action;
use crate::release::Release;

/// What a run will do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The run that this plan is for.
    pub run: RunId,
    /// When the run began, by the deployer's clock.
    pub at: Timestamp,
    /// The person and machine at the helm.
    pub by: String,
    /// What kind of run it is.
    pub intent: Intent,
    /// What a person calls it, where that isn't what it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The app.
    pub unit: Unit,
    /// Where.
    pub environment: EnvironmentName,
    /// The hosts that take part, in the order of the configuration.
    pub hosts: Vec<HostPlan>,
    /// What is done on the deployer before any host is touched, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local: Vec<DeployerAction>,
    /// What is done, in order. No phase begins before the one before it has ended well on all of its hosts.
    pub phases: Vec<Phase>,
    /// What a person should know before they say yes.
    pub notes: Vec<Note>,
}

/// What kind of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A release gets live.
    Deploy,
    /// The release before gets live again.
    Rollback,
    /// The app is restarted as it is.
    Restart,
    /// Something small that switches nothing: a command, a hold.
    Work,
}

/// What changes on one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostPlan {
    /// The host.
    pub host: Host,
    /// Where everything lies on it.
    #[serde(skip)]
    pub layout: Layout,
    /// What serves before the run, as far as it is known.
    pub from: Option<Release>,
    /// What serves after it; `None` if the run switches nothing here.
    pub to: Option<Target>,
}

/// What a host is switched to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// The slot that will serve.
    pub slot: SlotName,
    /// What will be in it.
    pub release: Release,
}

/// A part of the plan with a gate before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// What it is for.
    pub kind: PhaseKind,
    /// What each of its hosts does; a host with nothing to do isn't in it.
    pub work: Vec<HostWork>,
}

/// What a phase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum PhaseKind {
    /// Take every lock, or none.
    Lock,
    /// Make the idle slots ready. Touches nothing that serves.
    Prepare,
    /// What has to run on one host only, before any host switches.
    Once,
    /// Make a wave of hosts serve the new release, until confirmed or reverted.
    Switch {
        /// Which wave, from 1.
        wave: u32,
        /// Of how many.
        of: u32,
    },
    /// Confirm, and write down what happened. Nothing here can fail a run.
    Finish,
    /// Something that switches nothing.
    Work,
}

impl fmt::Display for PhaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PhaseKind::Lock => f.pad("lock"),
            PhaseKind::Prepare => f.pad("prepare"),
            PhaseKind::Once => f.pad("once"),
            PhaseKind::Switch { of: 1, .. } => f.pad("switch"),
            PhaseKind::Switch { wave, of } => f.pad(&format!("switch, wave {wave} of {of}")),
            PhaseKind::Finish => f.pad("finish"),
            PhaseKind::Work => f.pad("work"),
        }
    }
}

/// What one host does in one phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostWork {
    /// The host.
    pub host: HostName,
    /// In order; the first failure ends the phase on this host.
    pub steps: Vec<Step>,
    /// How the host undoes its switch, by itself or when told. It counts from the moment before the link moves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revert: Vec<Step>,
}

/// One action with a number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Unique within the plan.
    pub id: u32,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
}

/// Something a person should know before they say yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The host that it is about; `None`: all.
    pub host: Option<HostName>,
    /// In whole words.
    pub text: String,
}

impl Plan {
    /// The plan for one host.
    pub fn host(&self, name: &HostName) -> Option<&HostPlan> {
        self.hosts.iter().find(|plan| plan.host.name == *name)
    }

    /// The step of this number, with its host and phase.
    pub fn step(&self, id: u32) -> Option<(&Phase, &HostWork, &Step)> {
        self.phases.iter().flat_map(|phase| phase.work.iter().map(move |work| (phase, work))).find_map(
            |(phase, work)| {
                let step = work.steps.iter().chain(&work.revert).find(|step| step.id == id)?;
                Some((phase, work, step))
            },
        )
    }

    /// Whether any step may be done by sudo.
    pub fn may_use_sudo(&self) -> bool {
        let work = self.phases.iter().flat_map(|phase| &phase.work);
        work.flat_map(|work| work.steps.iter().chain(&work.revert)).any(|step| step.action.may_use_sudo())
    }

    /// Whether the run would do nothing at all.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty()
    }

    /// What the run does, in a few words: `deploy v0.2.0 (6b4943c012)`.
    pub fn headline(&self) -> String {
        let release = self.hosts.iter().find_map(|plan| plan.to.as_ref()).map(|target| &target.release);
        match (self.intent, release) {
            (Intent::Deploy, Some(release)) => format!("deploy {release}"),
            (Intent::Rollback, Some(release)) => format!("roll back to {release}"),
            (Intent::Deploy | Intent::Rollback, None) => "nothing to do".to_owned(),
            (Intent::Restart, _) => "restart".to_owned(),
            (Intent::Work, _) if self.title.is_some() => self.title.clone().unwrap_or_default(),
            (Intent::Work, _) => {
                match self.phases.first().and_then(|phase| phase.work.first()?.steps.first()) {
                    Some(step) => step.action.to_string(),
                    None => "do nothing".to_owned(),
                }
            }
        }
    }
}

impl Phase {
    /// What a host does in it.
    pub fn work_of(&self, host: &HostName) -> Option<&HostWork> {
        self.work.iter().find(|work| work.host == *host)
    }
}
