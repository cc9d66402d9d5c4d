//! What a host is believed: that it does what the plan has it do, step by step, and nothing else.

use super::message::{Command, Input};
use super::state::{Mode, RunState};
use crate::names::HostName;
use crate::plan::Found;
use crate::plan::frame::Arm;

impl RunState<'_> {
    /// Whether a host may say of this step that it begins or ends. On the way forward there is one step at a time that
    /// it may; a host that goes back by itself says so by the steps of its way back.
    pub(super) fn fits(&self, host: &HostName, found: Option<Found<'_>>) -> bool {
        let Some(state) = self.hosts.get(host) else { return false };
        match found {
            Some(Found::OnHost { phase, step, goes_back: true }) => {
                state.may_be_armed
                    && phase.work_of(host).is_some_and(|work| work.way_back().any(|back| back.id == step.id))
            }
            Some(Found::OnHost { step, .. }) => state.working && state.expected.front() == Some(&step.id),
            Some(Found::OnDeployer { .. }) | None => false,
        }
    }

    pub(super) fn note_end(&mut self, host: &HostName, found: Option<Found<'_>>) {
        let Some(Found::OnHost { step, goes_back, .. }) = found else { return };
        let state = self.state(host);
        if goes_back {
            state.taken_back.push(step.id);
        } else if state.expected.front() == Some(&step.id) {
            state.expected.pop_front();
        }
    }

    /// A step without which what a host works on can't have ended well, and of which it has said nothing. What a host
    /// doesn't say isn't done: a frame that came to it empty would end just as well.
    pub(super) fn missing_end(&self, host: &HostName) -> Option<u32> {
        let state = &self.hosts[host];
        if self.mode != Mode::Reverting {
            return state.expected.front().copied();
        }
        let ways = self.plan.phases.iter().filter_map(|phase| phase.work_of(host)?.arm());
        let missing =
            |arm: &Arm| arm.way_back.iter().map(|step| step.id).find(|step| !state.taken_back.contains(step));
        // Which of them it was armed with isn't known: one has to be complete. Where the link hasn't moved, it may not
        // have been armed at all.
        let mut missing: Vec<Option<u32>> = ways.map(missing).collect();
        missing.sort_unstable();
        let is_complete = missing.contains(&None);
        if is_complete || (!state.switched && state.taken_back.is_empty()) {
            return None;
        }
        missing.into_iter().flatten().next()
    }

    /// Whether a host has told the end of every step of its way back, and that none failed.
    pub(super) fn went_back(&self, host: &HostName) -> bool {
        let state = &self.hosts[host];
        !state.back_failed && !state.taken_back.is_empty() && self.missing_end(host).is_none()
    }

    /// A host that says what the plan doesn't have is as good as lost: nothing is known of it until it was asked again.
    pub(super) fn distrust(&mut self, host: HostName, what: String) -> Vec<Command> {
        if self.hosts.get(&host).is_none_or(|state| state.lost) {
            return Vec::new();
        }
        self.cut_off(host, format!("its answers don't fit the plan: {what}"))
    }

    /// Nothing more is heard of a host: its runner lets its lock go when the line ends, and puts the host right.
    pub(super) fn cut_off(&mut self, host: HostName, why: String) -> Vec<Command> {
        let mut commands = vec![Command::Cut { host: host.clone(), why: why.clone() }];
        commands.extend(self.handle(Input::Lost { host, why }));
        commands
    }
}
