//! How a run ended, and what serves now.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::host::running::KnownBy;
use crate::names::HostName;
use crate::plan::refusal::Refusal;
use crate::release::Release;
use crate::run::exit_code::ExitCode;

/// How a run ended. Each has one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was done, or there was nothing to do.
    Done,
    /// Refused, and nothing was touched.
    Refused,
    /// Another run holds a lock, or a person holds deploys.
    Locked,
    /// A host couldn't be reached, and nothing was changed.
    Unreachable,
    /// Something failed before any host switched; the old release serves everywhere.
    FailedBefore,
    /// Something failed after a host switched, and every host was reverted.
    Reverted,
    /// The hosts serve different releases, or what some serve isn't known.
    Mixed,
    /// A person interrupted; the old release serves everywhere.
    Interrupted,
}

impl Verdict {
    /// The exit code of a run that ended so.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Verdict::Done => ExitCode::Done,
            Verdict::Refused => ExitCode::Refused,
            Verdict::Locked => ExitCode::Locked,
            Verdict::Unreachable => ExitCode::Unreachable,
            Verdict::FailedBefore => ExitCode::FailedBefore,
            Verdict::Reverted => ExitCode::Reverted,
            Verdict::Mixed => ExitCode::Mixed,
            Verdict::Interrupted => ExitCode::Interrupted,
        }
    }
}

impl fmt::Display for Verdict {
    /// What a person is told first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Done => "done",
            Verdict::Refused => "refused: nothing was touched",
            Verdict::Locked => "locked: nothing was changed",
            Verdict::Unreachable => "unreachable: nothing was changed",
            Verdict::FailedBefore => "failed before the switch",
            Verdict::Reverted => "failed after the switch, and reverted",
            Verdict::Mixed => "the hosts need a person",
            Verdict::Interrupted => "interrupted",
        })
    }
}

/// How a run ends that is refused for these reasons.
pub fn verdict_of(refusals: &[Refusal]) -> Verdict {
    if refusals.iter().any(|refusal| matches!(refusal, Refusal::Unreachable { .. })) {
        return Verdict::Unreachable;
    }
    let first = refusals.first().map_or(Verdict::Refused, verdict_of_one);
    if refusals.iter().all(|refusal| verdict_of_one(refusal) == first) { first } else { Verdict::Refused }
}

fn verdict_of_one(refusal: &Refusal) -> Verdict {
    match refusal {
        // Waiting, or a word with a colleague, is all that it takes.
        Refusal::Unfit { diagnosis, .. } if diagnosis.kind.says_wait() => Verdict::Locked,
        Refusal::Unreachable { .. } | Refusal::TooManyUnreachable { .. } | Refusal::NoneReached { .. } => {
            Verdict::Unreachable
        }
        // The release can't be made ready. That is seen so early that the idle slot, and what could be rolled back to
        // in it, is still as it was.
        Refusal::Unfit { diagnosis, .. } if diagnosis.kind.is_the_apps_need() => Verdict::FailedBefore,
        Refusal::BadTemplate { .. } => Verdict::FailedBefore,
        Refusal::OfApp { refusal, .. } => verdict_of_one(refusal),
        Refusal::NoHosts
        | Refusal::UnclearLevel { .. }
        | Refusal::NoLevel
        | Refusal::Unfit { .. }
        | Refusal::NothingBefore { .. }
        | Refusal::NotKnown(_)
        | Refusal::NeverProven { .. }
        | Refusal::DifferentTargets { .. }
        | Refusal::SameMachine { .. }
        | Refusal::CannotRehearse { .. }
        | Refusal::NothingLive { .. }
        | Refusal::TooFewInService { .. }
        | Refusal::TooManyWaits { .. }
        | Refusal::CannotStop { .. }
        | Refusal::DrainedOtherwise { .. }
        | Refusal::UnknownDraining { .. }
        | Refusal::NoDraining
        | Refusal::NotAdopted { .. }
        | Refusal::ArchiveGone { .. }
        | Refusal::UnknownLoss { .. }
        | Refusal::LastingMigrations { .. }
        | Refusal::Rule(_)
        | Refusal::SameFolder { .. }
        | Refusal::NoRemote { .. } => Verdict::Refused,
    }
}

/// What a host serves when a run has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "serving", rename_all = "snake_case")]
pub enum Serving {
    /// The link leads to this release, and nothing speaks against its serving.
    Release {
        /// Which.
        release: Release,
        /// By what that is known.
        #[serde(default)]
        known_by: KnownBy,
    },
    /// The link leads to this release, and it doesn't serve, or something else does as well.
    Troubled {
        /// Which.
        release: Release,
        /// What is wrong with what runs.
        trouble: Vec<String>,
    },
    /// No release: none was ever live.
    Nothing,
    /// It couldn't be asked, or it was left between two releases.
    Unknown,
}

impl Serving {
    /// What is served where the link leads to `release`, or nowhere, and this is wrong with what runs.
    pub fn of(release: Option<Release>, known_by: KnownBy, trouble: Vec<String>) -> Self {
        match release {
            Some(release) if trouble.is_empty() => Serving::Release { release, known_by },
            Some(release) => Serving::Troubled { release, trouble },
            None => Serving::Nothing,
        }
    }

    /// The release that the link leads to.
    pub fn linked(&self) -> Option<&Release> {
        match self {
            Serving::Release { release, .. } | Serving::Troubled { release, .. } => Some(release),
            Serving::Nothing | Serving::Unknown => None,
        }
    }

    /// In words, where it is so now, or was so when a run ended.
    pub fn told(&self, hosts: &[&str], is_now: bool) -> String {
        let hosts = hosts.join(", ");
        let serving = if is_now { "serving now" } else { "served then" };
        let leads = if is_now { "leads" } else { "led" };
        match self {
            Serving::Release { release, known_by: KnownBy::App } => {
                format!("{serving}: {release} on {hosts}")
            }
            Serving::Release { release, known_by: KnownBy::Link } => {
                format!("the link {leads} to {release} on {hosts}; what runs isn't asked")
            }
            Serving::Troubled { release, trouble } => {
                format!("the link {leads} to {release} on {hosts}; {}", trouble.join("; "))
            }
            Serving::Nothing => format!("{serving}: nothing on {hosts}"),
            Serving::Unknown => format!("{serving}: not known on {hosts}"),
        }
    }
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What every host of the run serves now.
    pub hosts: Vec<HostOutcome>,
    /// The first thing that went wrong on each host.
    pub failures: Vec<Failure>,
    /// Hosts that the run took out of traffic, and couldn't put back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_traffic: Vec<HostName>,
}

/// The end of a run on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostOutcome {
    /// The host.
    pub host: HostName,
    /// What it serves.
    #[serde(flatten)]
    pub serving: Serving,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The host; `None`: the deployer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// The step, if one was under way.
    pub step: Option<u32>,
    /// What happened.
    pub what: FailureKind,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FailureKind {
    /// A step ended with this status; above 128 it usually died of the signal `status - 128`.
    Exited {
        /// The status.
        status: i32,
    },
    /// A step ran for longer than it may, and was ended.
    TimedOut {
        /// The limit.
        seconds: u32,
    },
    /// What a step was to read can't be read on the deployer. The host began no step of the phase.
    Unreadable {
        /// Which file, and what is wrong with it.
        why: String,
    },
    /// The host's link doesn't lead to what was switched to.
    NotServing,
    /// What it has said isn't what other hosts say, and has to be.
    Differs {
        /// What differs, and what can be done about it.
        why: String,
    },
    /// No connection came to stand.
    Unreachable {
        /// Why.
        why: String,
    },
    /// The connection ended.
    Lost {
        /// Why, as far as it is known.
        why: String,
    },
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FailureKind::Exited { status } => match signal_name(*status - 128) {
                Some(signal) => write!(f, "ended by {signal} (status {status})"),
                None => write!(f, "exit status {status}"),
            },
            FailureKind::TimedOut { seconds } => write!(f, "ran for longer than {seconds} s, and was ended"),
            FailureKind::NotServing => {
                f.write_str("its link doesn't lead to the release that was switched to")
            }
            FailureKind::Unreadable { why } | FailureKind::Differs { why } => f.write_str(why),
            FailureKind::Unreachable { why } => write!(f, "unreachable: {why}"),
            FailureKind::Lost { why } => write!(f, "connection lost: {why}"),
        }
    }
}

fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return None,
    })
}
