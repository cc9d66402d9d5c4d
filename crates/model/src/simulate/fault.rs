//! What can go wrong, and where.

use std::fmt;

use crate::names::HostName;

/// One thing that goes wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub host: HostName,
    /// When: at which of the things that the host's runner does, counted from 0 over the whole run. Steps count, and so
    /// do arming, confirming, leaving, and the end of every frame.
    pub moment: u32,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The step fails, having come so far.
    StepFails(Progress),
    /// The disk of the host is full from then on, but for what is kept for records: nothing can be added to a slot.
    DiskFills,
    /// The host keeps only so much of the frame that it was sent, and says that all of it is done.
    FrameCut(Progress),
    /// The connection breaks. The runner lives, and hears of it after it has done so many more things; what it does then
    /// gets so far.
    ConnectionLost {
        /// How many more things.
        unnoticed: u32,
        /// How far the next one gets.
        progress: Progress,
    },
    /// The line is whole, and the runner takes its deployer for dead all the same: nothing was heard for too long, or no
    /// word came that the release is confirmed.
    TakenForDead(Progress),
    /// The runner is killed, so that nothing at all is done by it any more: neither the way back nor a last word.
    RunnerKilled(Progress),
    /// The host loses its power, and starts again.
    HostRebooted {
        /// How far the step got.
        progress: Progress,
        /// Whether the host is there again when it is asked what it serves.
        comes_back: bool,
    },
    /// The deployer is killed: every runner is in the case of a lost connection.
    DeployerKilled {
        /// As in a lost connection, on every host.
        unnoticed: u32,
        /// As in a lost connection, on every host.
        progress: Progress,
    },
    /// A step of the deployer fails, whatever the host and the moment: the one of this number among those that it does.
    DeployerStepFails {
        /// Which, from 0.
        nth: u32,
        /// How far it gets.
        progress: Progress,
    },
    /// A person types Ctrl-C; what runs on each host gets so far.
    Interrupted(Progress),
    /// A person types Ctrl-C, and once more when the run has heard of so many more things.
    Abandoned {
        /// How many.
        after: u32,
        /// How far the steps get that run then.
        progress: Progress,
    },
    /// Another run holds this host's lock for so many attempts, whatever the moment.
    LockTaken {
        /// How many.
        attempts: u32,
    },
    /// The host can't be reached when the run wants to begin on it, whatever the moment.
    Unreachable,
}

/// How far a step gets before it is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has done nothing yet.
    Nothing,
    /// Some of what it does is done. What is atomic isn't done at all.
    Half,
    /// All is done; only its word about it is missing.
    All,
}

impl Progress {
    /// All of them.
    pub const EACH: [Progress; 3] = [Progress::Nothing, Progress::Half, Progress::All];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at moment {} of {}", self.kind, self.moment, self.host)
    }
}
