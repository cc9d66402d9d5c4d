//! What a run is told, and what it wants done.

use std::collections::BTreeSet;

use super::outcome::{FailureKind, Outcome, Verdict};
use crate::host::facts::HostFacts;
use crate::host::record::SlotState;
use crate::names::{CommitId, HostName, RunId, SlotName};
use crate::plan::Ended;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A step began.
    StepStarted {
        /// Where.
        host: HostName,
        /// Which.
        step: u32,
    },
    /// A step ended, well or in a way that doesn't count.
    StepEnded {
        /// Where.
        host: HostName,
        /// Which.
        step: u32,
    },
    /// A step has said what has to be the same on all hosts. Its end is still to come.
    Compared {
        /// Where.
        host: HostName,
        /// Which.
        step: u32,
        /// All that it printed.
        text: String,
    },
    /// A step failed; the host skips the rest of what it was sent.
    StepFailed {
        /// Where.
        host: HostName,
        /// Which.
        step: u32,
        /// How.
        what: FailureKind,
    },
    /// A host was asked whether what it switched to serves.
    Answered {
        /// Which.
        host: HostName,
        /// Whether its link leads there.
        serves: bool,
    },
    /// What a host has switched to is live for good.
    Confirmed {
        /// Where.
        host: HostName,
    },
    /// A host has worked through what it was sent.
    Ended {
        /// Where.
        host: HostName,
        /// Whether all of it went well.
        ok: bool,
    },
    /// A host that was to be connected can't be: it did nothing.
    Unreachable {
        /// Which.
        host: HostName,
        /// Why.
        why: String,
    },
    /// The connection to a host is gone, and what it was doing is unknown.
    Lost {
        /// Which.
        host: HostName,
        /// Why, as far as it is known.
        why: String,
    },
    /// A lost host was asked what it serves.
    Seen {
        /// Which.
        host: HostName,
        /// What it said; `None` if it couldn't be asked.
        seen: Option<Seen>,
    },
    /// A step of the deployer ended.
    DeployerEnded {
        /// Which.
        step: u32,
        /// How.
        how: DeployerEnd,
    },
    /// A person asked to stop.
    Interrupted,
    /// A person doesn't want to wait any longer.
    Abandoned,
}

/// How a step of the deployer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeployerEnd {
    /// Well.
    Done,
    /// It failed.
    Failed(FailureKind),
    /// It was ended, by a person or because it was cancelled.
    Stopped,
}

/// What a host that was lost, or couldn't go back, says it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The slot that is live, if the link leads to one.
    pub slot: Option<SlotName>,
    /// The commit that is live, if any.
    pub commit: Option<CommitId>,
    /// The run that has written last what the slot holds.
    pub run: Option<RunId>,
    /// Whether something in the slot is being changed, as far as is written.
    pub is_half_made: bool,
    /// Whether the run that switched to it was confirmed.
    pub confirmed: bool,
    /// What is wrong with what runs, in words.
    pub trouble: Vec<String>,
    /// Whether nobody knows what runs: a switch is pending that wasn't put back, and nothing can be asked.
    pub is_link_alone: bool,
}

impl Seen {
    /// What was seen on a host, as far as the run asks for it.
    pub fn of(facts: &HostFacts) -> Self {
        Self {
            slot: facts.live_slot().cloned(),
            commit: facts.live().map(|release| release.commit),
            run: facts.live_record().map(|record| record.run.clone()),
            is_half_made: facts.live_record().is_some_and(|record| record.state == SlotState::Building),
            confirmed: facts.live_is_confirmed(),
            trouble: facts.trouble_in_words(),
            is_link_alone: facts
                .pending
                .as_ref()
                .is_some_and(|pending| pending.is_in_place() || !facts.running.is_known()),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a host these phases of the plan, in one go.
    Send {
        /// Where.
        host: HostName,
        /// Indices into [`Plan::phases`](crate::plan::Plan::phases).
        phases: Vec<usize>,
    },
    /// End the step that runs on a host, and skip the rest.
    Cancel {
        /// Where.
        host: HostName,
    },
    /// Have a host undo its switch, if it began one.
    Revert {
        /// Where.
        host: HostName,
    },
    /// Have a host write down how the run came to nothing.
    Note {
        /// Where.
        host: HostName,
        /// How; the driver knows how long the run took.
        ended: Ended,
    },
    /// Ask a host whether it still waits to be confirmed, and its link leads where it was switched to. It has to answer.
    Ask {
        /// Which.
        host: HostName,
    },
    /// End the connection to a host: what comes over it can't be believed. Its runner puts the host right by itself.
    Cut {
        /// Where.
        host: HostName,
        /// What it said.
        why: String,
    },
    /// Connect to a lost host again, once nothing runs there, and ask what it serves.
    LookAgain {
        /// Which.
        host: HostName,
    },
    /// Do a step on the deployer.
    RunOnDeployer {
        /// Which.
        step: u32,
        /// How the run ended, where it is done at the end.
        verdict: Option<Verdict>,
        /// Hosts that it leaves alone: they are lost, and somebody else may be at work there by now.
        without: BTreeSet<HostName>,
    },
    /// End the step that runs on the deployer.
    CancelOnDeployer,
    /// Let all hosts go, and with them their locks: nothing more is wanted of them.
    LetGo,
    /// The run is over.
    End(Outcome),
}
