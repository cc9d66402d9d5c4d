//! What a host is told in a phase: steps, and between them the words by which its runner knows what to do when it loses
//! its deployer. The planner decides where they stand; they are shown, rendered and simulated as they do.

use serde::Serialize;

use super::Step;
use crate::host::record::PendingSwitch;

/// One thing that a runner does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Instruction {
    /// A step; the first that fails ends the frame.
    Do(Step),
    /// From here on the host goes back by itself, unless it is confirmed; the way back is on its disk.
    Arm(Arm),
    /// From here on it doesn't go back, and what follows is run to its end.
    Confirm,
    /// This was all: the runner ends without being told, and the lock with it.
    Leave,
}

/// How a host goes back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// What stands in `.buedafab/pending.json` until it is confirmed.
    pub pending: PendingSwitch,
    /// The way back, in order.
    pub way_back: Vec<Step>,
}
