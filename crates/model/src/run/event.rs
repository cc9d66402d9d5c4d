//! What happens in a run, as it happens: all that a reporter ever sees, and what `--json` prints.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{EnvironmentName, HostName, RunId, Unit};
use crate::plan::action::PhaseName;
use crate::plan::{Found, Intent, PhaseKind, Plan, SkippedHost, WorkKind};
use crate::release::Release;
use crate::run::outcome::{FailureKind, Outcome};

/// One thing that happened. Fields and variants are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// Its id.
        run: RunId,
        /// What was typed for it, without its arguments: `deploy`, or the name of a task.
        #[serde(default)]
        command: String,
        /// The person and machine that run it.
        #[serde(default)]
        by: String,
        /// The app.
        unit: Unit,
        /// Where.
        environment: EnvironmentName,
        /// The hosts, in order.
        hosts: Vec<HostName>,
    },
    /// A connection stands.
    Connected {
        /// To this host.
        host: HostName,
        /// Whether one was open already.
        warm: bool,
        /// How long it took.
        milliseconds: u64,
    },
    /// A host can't be reached.
    Unreachable {
        /// The host.
        host: HostName,
        /// Why.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Hosts that can't be reached are left out.
    HostsSkipped {
        /// Which, and why each of them can't.
        skipped: Vec<SkippedHost>,
    },
    /// There is no plan: nothing was touched.
    Refused {
        /// All that speaks against it.
        reasons: Vec<Reason>,
    },
    /// The work is decided, and begins.
    WorkStarted {
        /// In a few words: `deploy v0.2.0 (6b4943c012)`.
        headline: String,
        /// The person and machine that run it.
        by: String,
        /// What kind of run it is.
        intent: Intent,
        /// What others are told of, where nothing is switched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        work: Option<WorkKind>,
        /// What was live before; where hosts differ, what most of those that change served.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Release>,
        /// What changes on each host, in the order of the configuration.
        changes: Vec<PlannedChange>,
        /// The phases, in order.
        phases: Vec<PhaseKind>,
        /// How many steps each host has, in the order of the hosts.
        steps: Vec<(HostName, u32)>,
    },
    /// A phase began.
    PhaseStarted {
        /// Which.
        #[serde(flatten)]
        phase: PhaseKind,
    },
    /// A step began.
    StepStarted {
        /// Where.
        host: HostName,
        /// Its number in the plan.
        step: u32,
        /// What it does.
        title: String,
    },
    /// A step printed a line.
    Output {
        /// Where.
        host: HostName,
        /// The step.
        step: u32,
        /// Which stream.
        stream: Stream,
        /// The line, without its end; bytes that aren't UTF-8 are replaced.
        line: String,
        /// Whether a person should know it, whatever they asked to see.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_told: bool,
    },
    /// A step ended well, or its failure stops nothing: `status` says which.
    StepEnded {
        /// Where.
        host: HostName,
        /// The step.
        step: u32,
        /// Its exit status.
        status: i32,
        /// How long it took.
        milliseconds: u64,
    },
    /// A step was ended, because the run stops.
    StepCancelled {
        /// Where.
        host: HostName,
        /// The step.
        step: u32,
    },
    /// A step failed.
    StepFailed {
        /// Where.
        host: HostName,
        /// The step; `None` if the host was lost between two steps.
        step: Option<u32>,
        /// What it was to do.
        title: String,
        /// What happened.
        what: FailureKind,
    },
    /// A person asked to stop.
    Interrupted {
        /// What happens now.
        then: String,
    },
    /// Hosts go back to the old release.
    Reverting {
        /// Which.
        hosts: Vec<HostName>,
    },
    /// A host that was lost is asked what it serves.
    LookingAgain {
        /// Which.
        host: HostName,
    },
    /// A step of the deployer began.
    DeployerStarted {
        /// Its number in the plan; 0 before there is one.
        step: u32,
        /// What it does.
        title: String,
        /// Whether it may ask a person for something, at the terminal.
        may_ask: bool,
    },
    /// A step of the deployer printed a line.
    DeployerOutput {
        /// The step.
        step: u32,
        /// The line, without its end; bytes that aren't UTF-8 are replaced.
        line: String,
    },
    /// A step of the deployer ended.
    DeployerEnded {
        /// The step.
        step: u32,
        /// Its exit status.
        status: i32,
        /// How long it took.
        milliseconds: u64,
    },
    /// Steps have printed more than is kept, in the run's log or for a reader that pauses: output goes on, and isn't all
    /// here.
    OutputCut {
        /// How much is kept.
        most_bytes: u64,
    },
    /// The run ended.
    RunEnded {
        /// How, and what serves now.
        #[serde(flatten)]
        outcome: Outcome,
        /// The exit code.
        exit_code: u8,
        /// How long the whole run took.
        milliseconds: u64,
    },
}

/// What a run changes on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The host.
    pub host: HostName,
    /// What serves before, as far as it is known.
    pub from: Option<Release>,
    /// What is to serve after it; `None`: nothing is switched.
    pub to: Option<Release>,
}

/// An event with the time at which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampedEvent {
    /// When, by the deployer's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Reads all that happens, and stops nothing: what goes wrong with it is its own affair.
pub trait Consumer {
    /// Takes note of an event.
    fn event(&mut self, event: &StampedEvent);
}

impl Event {
    /// What is told when the work of a plan begins.
    pub fn work_started(plan: &Plan) -> Event {
        let count = |host: &HostName| {
            let work = plan.phases.iter().filter_map(|phase| phase.work_of(host));
            work.map(|work| work.steps().count() as u32).sum()
        };
        Event::WorkStarted {
            headline: plan.headline(),
            by: plan.by.clone(),
            intent: plan.intent,
            work: plan.work,
            from: plan.from.clone(),
            changes: plan
                .hosts
                .iter()
                .map(|planned| PlannedChange {
                    host: planned.host.name.clone(),
                    from: planned.from.clone(),
                    to: planned.to.as_ref().map(|target| target.release.clone()),
                })
                .collect(),
            phases: plan.phases.iter().map(|phase| phase.kind).collect(),
            steps: plan.hosts.iter().map(|host| (host.host.name.clone(), count(&host.host.name))).collect(),
        }
    }
}

/// Something that speaks against a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// In whole words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whether a person should know what a step prints there, whatever they asked to see. What is done once for all is migrations
/// above all, which are worth reading.
pub fn is_told(plan: &Plan, step: u32, stream: Stream) -> bool {
    let is_once =
        matches!(plan.step(step), Some(Found::OnHost { phase, .. }) if phase.kind.name() == PhaseName::Once);
    let tells = plan.action(step).is_some_and(|action| action.effects().tells);
    is_once || stream == Stream::Stdout && tells
}

/// One of a step's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
