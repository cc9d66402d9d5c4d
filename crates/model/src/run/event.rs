//! What happens in a run, as it happens: all that a reporter ever sees, and what `--json` prints.

use serde::{Deserialize, Serialize};

use crate::names::{EnvironmentName, HostName, RunId, Unit};
use crate::run::outcome::{FailureKind, Outcome};

/// One thing that happened. Fields and variants are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// Its id.
        run: RunId,
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
    /// There is no plan: nothing was touched.
    Refused {
        /// All that speaks against it.
        reasons: Vec<Reason>,
    },
    /// The work is decided, and begins.
    WorkStarted {
        /// In a few words: `deploy v0.2.0 (6b4943c012)`.
        headline: String,
        /// The names of the phases.
        phases: Vec<String>,
        /// How many steps each host has, in the order of the hosts.
        steps: Vec<(HostName, u32)>,
    },
    /// A phase began.
    PhaseStarted {
        /// Its name.
        phase: String,
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
    },
    /// A step ended well, or its failure doesn't matter.
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
    /// A command of the configuration runs on the deployer.
    LocalStarted {
        /// The command.
        command: String,
    },
    /// A local command printed a line.
    LocalOutput {
        /// The line.
        line: String,
    },
    /// A local command ended.
    LocalEnded {
        /// Its exit status.
        status: i32,
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

/// Something that speaks against a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// In whole words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
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
