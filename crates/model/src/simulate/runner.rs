//! The far end of a connection: what `runner.sh` promises, without its processes.

use std::collections::VecDeque;

use super::fault::Progress;
use crate::names::HostName;
use crate::plan::{PhaseKind, Plan, Step};

/// One thing that a runner does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed<'p> {
    /// A step of the plan.
    Step(&'p Step),
    /// From here on it knows how to go back.
    Arm(&'p [Step]),
    /// From here on it doesn't go back, and what follows is run to its end.
    Confirm,
}

/// What a frame makes a host do: the same calls, in the same order, as
/// [`render_phases`](crate::shell::render_phases) writes.
pub(super) fn deeds<'p>(plan: &'p Plan, host: &HostName, phases: &[usize]) -> VecDeque<Deed<'p>> {
    let mut deeds = VecDeque::new();
    for phase in phases.iter().map(|phase| &plan.phases[*phase]) {
        let Some(work) = phase.work_of(host) else { continue };
        if phase.kind == PhaseKind::Finish {
            deeds.push_back(Deed::Confirm);
        }
        let mut armed = work.revert.is_empty();
        for step in &work.steps {
            if step.action.switches() && !armed {
                armed = true;
                deeds.push_back(Deed::Arm(&work.revert));
            }
            deeds.push_back(Deed::Step(step));
        }
    }
    deeds
}

/// A runner, between two of the things that it does.
#[derive(Debug, Default)]
pub(super) struct Runner<'p> {
    /// What is left of the frame that it works on.
    pub(super) deeds: VecDeque<Deed<'p>>,
    /// Whether it works on a frame.
    pub(super) working: bool,
    /// Whether that frame is the way back.
    pub(super) reverting: bool,
    pub(super) failed: bool,
    pub(super) cancelled: bool,
    pub(super) confirmed: bool,
    /// What it was armed with.
    revert: Option<&'p [Step]>,
    /// The line is gone: how many more things it does until it notices, and how far the next one gets then.
    pub(super) unnoticed: Option<(u32, Progress)>,
    /// It has noticed, or was told that this was all.
    pub(super) ending: bool,
    pub(super) ended: bool,
}

impl<'p> Runner<'p> {
    /// Begins on a frame.
    pub(super) fn begin(&mut self, deeds: VecDeque<Deed<'p>>) {
        self.deeds = deeds;
        self.working = true;
        self.failed = false;
        self.cancelled = false;
    }

    /// Begins to go back, if it was armed; if not, the frame is over at once.
    pub(super) fn begin_revert(&mut self) {
        self.begin(self.revert.unwrap_or_default().iter().map(Deed::Step).collect());
        self.reverting = true;
    }

    /// Whether nothing can stop what it does now.
    pub(super) fn is_unstoppable(&self) -> bool {
        self.reverting || self.confirmed
    }

    /// What it does next in its frame; `None` at the frame's end. What is skipped is gone.
    pub(super) fn next(&mut self) -> Option<Deed<'p>> {
        let stopped = (self.cancelled || self.ending) && !self.is_unstoppable();
        if self.failed || stopped {
            self.failed |= !self.deeds.is_empty();
            self.deeds.clear();
        }
        self.deeds.front().copied()
    }

    pub(super) fn arm(&mut self, revert: &'p [Step]) {
        self.revert = Some(revert);
    }

    pub(super) fn confirm(&mut self) {
        self.confirmed = true;
        self.revert = None;
    }

    /// The end of a frame; gives back whether all of it went well.
    pub(super) fn end_frame(&mut self) -> bool {
        if std::mem::take(&mut self.reverting) {
            self.revert = None;
        }
        self.working = false;
        !self.failed
    }

    /// Whether it has to go back before it may end.
    pub(super) fn is_armed(&self) -> bool {
        self.revert.is_some()
    }
}
