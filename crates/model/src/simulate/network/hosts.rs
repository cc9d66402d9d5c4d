//! The hosts' side: runners that work, lines that break, and whatever else goes wrong there.

use super::{Message, Network, Site};
use crate::plan::Step;
use crate::plan::action::{Effect, FailureMeans};
use crate::run::message::Input;
use crate::run::outcome::FailureKind;
use crate::run::state::LOCK_IS_TAKEN;
use crate::simulate::fault::{Fault, FaultKind, Progress};
use crate::simulate::host::SimPending;
use crate::simulate::promises::Done;
use crate::simulate::runner::Next;

impl<'p> Network<'p, '_> {
    pub(super) fn host_hears(&mut self, site: usize) {
        let Some(message) = self.sites[site].to_host.pop_front() else { return };
        let runner = &mut self.sites[site].runner;
        match message {
            Message::Frame(instructions) => runner.begin(instructions),
            Message::Revert => runner.begin_revert(),
            Message::Bye => runner.ending = true,
            Message::Ask => {
                let Site { name, connected, to_deployer, at, runner, .. } = &mut self.sites[site];
                let host = &self.hosts[*at];
                let switched = host.pending.as_ref().and_then(|pending| pending.record.to.as_ref());
                let serves =
                    !runner.went_back && switched.is_none_or(|to| host.link.as_deref() == Some(to.as_str()));
                if *connected {
                    to_deployer.push_back(Input::Answered { host: name.clone(), serves });
                }
            }
            Message::Cancel(_) if !runner.working => {}
            // It goes back, or is confirmed: a runner doesn't stop then, whoever says so.
            Message::Cancel(_) if runner.is_unstoppable() => {}
            Message::Cancel(progress) => {
                self.stop(site, progress);
                self.sites[site].runner.cancelled = true;
            }
        }
    }

    /// What runs is cut short.
    fn stop(&mut self, site: usize, progress: Progress) {
        match self.sites[site].runner.next() {
            Some(Next::Step(step)) => {
                self.sites[site].runner.take_next();
                self.sites[site].moments.push(Some(step.id));
                self.step(site, step, progress, progress == Progress::All);
            }
            // They take no time: done, or not begun.
            Some(_) if progress == Progress::All => self.next_instruction(site),
            Some(_) | None => {}
        }
    }

    pub(super) fn runner_works(&mut self, site: usize) {
        if let Some(fault) = self.next_fault(site) {
            self.struck[fault] = true;
            self.strike(site, self.faults[fault].kind);
            return;
        }
        if !self.sites[site].runner.working {
            let runner = &mut self.sites[site].runner;
            runner.ending = true;
            if runner.is_armed() {
                runner.begin_revert()
            } else {
                self.end_runner(site)
            }
            return;
        }
        self.go_on(site);
    }

    fn next_fault(&mut self, site: usize) -> Option<usize> {
        let Site { name, moments, runner, .. } = &mut self.sites[site];
        if !runner.working {
            return None;
        }
        let next = runner.next();
        let happens = |(index, fault): (usize, &Fault)| {
            let is_timely = match fault.kind {
                FaultKind::LockTaken { .. } | FaultKind::Unreachable => false,
                FaultKind::StepFails(_) | FaultKind::DiskFills => matches!(next, Some(Next::Step(_))),
                // The way back comes from the runner's own memory.
                FaultKind::FrameCut(_) => !runner.reverting && next.is_some(),
                FaultKind::DeployerStepFails { .. } => false,
                FaultKind::Interrupted(_) | FaultKind::Abandoned { .. } => self.state.is_some(),
                FaultKind::ConnectionLost { .. }
                | FaultKind::TakenForDead(_)
                | FaultKind::DeployerKilled { .. } => runner.unnoticed.is_none(),
                FaultKind::HostRebooted { .. } | FaultKind::RunnerKilled(_) => true,
            };
            let is_here = fault.host == *name && fault.moment as usize == moments.len();
            (is_timely && is_here && !self.struck[index]).then_some(index)
        };
        self.faults.iter().enumerate().find_map(happens)
    }

    fn strike(&mut self, site: usize, kind: FaultKind) {
        self.note(|| format!("!!! {kind:?}"));
        match kind {
            FaultKind::StepFails(progress) => {
                let Site { runner, moments, .. } = &mut self.sites[site];
                if let Some(Next::Step(step)) = runner.next() {
                    runner.take_next();
                    moments.push(Some(step.id));
                    self.step(site, step, progress, false);
                }
            }
            FaultKind::DiskFills => {
                self.hosts[self.sites[site].at].disk_is_full = true;
                self.go_on(site);
            }
            FaultKind::FrameCut(progress) => {
                let runner = &mut self.sites[site].runner;
                match progress {
                    Progress::Nothing => runner.instructions.clear(),
                    Progress::Half => runner.instructions.truncate(runner.instructions.len() / 2),
                    Progress::All => {}
                }
                self.go_on(site);
            }
            FaultKind::ConnectionLost { unnoticed, progress } => {
                if progress == Progress::All && self.sites[site].runner.next().is_none() {
                    self.go_on(site);
                }
                self.lose(site);
                self.sites[site].runner.unnoticed = Some((unnoticed, progress));
            }
            FaultKind::TakenForDead(progress) => {
                if progress == Progress::All && self.sites[site].runner.next().is_none() {
                    self.go_on(site);
                }
                self.sites[site].runner.unnoticed = Some((0, progress));
            }
            FaultKind::RunnerKilled(progress) => {
                match self.sites[site].runner.next() {
                    None if progress == Progress::All => self.go_on(site),
                    _ => self.stop(site, progress),
                }
                self.promises.lost_runner(site);
                self.lose(site);
                self.end_runner(site);
                self.sites[site].to_host.clear();
            }
            FaultKind::HostRebooted { progress, comes_back } => {
                match self.sites[site].runner.next() {
                    None if progress == Progress::All => self.go_on(site),
                    _ => self.stop(site, progress),
                }
                self.promises.lost_power(site);
                self.lose(site);
                self.end_runner(site);
                self.sites[site].to_host.clear();
                let host = &mut self.hosts[self.sites[site].at];
                host.boot();
                host.is_up = comes_back;
            }
            FaultKind::DeployerKilled { unnoticed, progress } => self.deployer_goes(unnoticed, progress),
            FaultKind::Interrupted(progress) => {
                self.interruption = progress;
                self.handle(Input::Interrupted);
            }
            FaultKind::Abandoned { after, progress } => {
                self.interruption = progress;
                self.handle(Input::Interrupted);
                match after {
                    0 => self.abandon(progress),
                    _ => self.abandon_after = Some((after - 1, progress)),
                }
            }
            FaultKind::LockTaken { .. } | FaultKind::Unreachable | FaultKind::DeployerStepFails { .. } => {}
        }
    }

    /// The line to a host breaks. Words that are under way arrive, or don't.
    pub(super) fn lose(&mut self, site: usize) {
        let arrive = self.schedule.now();
        let Site { name, connected, to_deployer, to_host, .. } = &mut self.sites[site];
        if !std::mem::take(connected) {
            return;
        }
        if !arrive {
            to_deployer.clear();
        }
        to_host.clear();
        to_deployer.push_back(Input::Lost { host: name.clone(), why: "broken".to_owned() });
    }

    /// The next thing of the frame, or its end.
    fn go_on(&mut self, site: usize) {
        let runner = &mut self.sites[site].runner;
        if let Some((left, progress)) = runner.unnoticed
            && !runner.ending
        {
            if left == 0 {
                runner.ending = true;
                if !runner.is_unstoppable() {
                    // Let the step that runs be cut short before the rest is skipped.
                    runner.ending = false;
                    self.stop(site, progress);
                    self.sites[site].runner.ending = true;
                    return;
                }
            } else {
                runner.unnoticed = Some((left - 1, progress));
            }
        }
        if self.sites[site].runner.next().is_some() {
            self.next_instruction(site);
            return;
        }
        let Site { runner, name, connected, to_deployer, moments, at, .. } = &mut self.sites[site];
        moments.push(None);
        let was_reverting = runner.reverting;
        // The way back that a runner goes by itself is no frame that anybody waits for.
        let on_its_own = runner.ending && was_reverting;
        let ok = runner.end_frame();
        if was_reverting && ok {
            // The way back was gone to its end: nothing is pending any more.
            self.hosts[*at].pending = None;
        }
        if *connected && !on_its_own {
            to_deployer.push_back(Input::Ended { host: name.clone(), ok });
        }
        if was_reverting && !ok {
            self.promises.could_not_revert(site);
        }
        let leaving = runner.leaving;
        self.note_host(site, || format!("end of frame: {}", if ok { "ok" } else { "failed" }));
        if leaving && ok {
            self.end_runner(site);
        }
    }

    /// Does the next thing of the frame.
    fn next_instruction(&mut self, site: usize) {
        let Some(next) = self.sites[site].runner.next() else { return };
        let Site { runner, name, connected, to_deployer, moments, at, .. } = &mut self.sites[site];
        runner.take_next();
        moments.push(match next {
            Next::Step(step) => Some(step.id),
            Next::Arm(_) | Next::Confirm | Next::Leave => None,
        });
        match next {
            Next::Arm(arm) => {
                runner.arm(arm);
                let way_back = arm.way_back.iter().map(|step| step.action.clone()).collect();
                self.hosts[*at].pending = Some(SimPending { record: arm.pending.clone(), way_back });
                self.note_host(site, || "armed".to_owned());
            }
            Next::Confirm => {
                runner.confirm();
                if *connected {
                    to_deployer.push_back(Input::Confirmed { host: name.clone() });
                }
                self.hosts[*at].pending = None;
                self.note_host(site, || "confirmed".to_owned());
            }
            Next::Leave => runner.leaving = true,
            Next::Step(step) => self.step(site, step, Progress::All, true),
        }
    }

    /// Does a step as far as it gets. `may_succeed`: its status is what comes of it, rather than a failure in any case.
    fn step(&mut self, site: usize, step: &'p Step, progress: Progress, may_succeed: bool) {
        let refused = self.lock_is_refused(site, step);
        let (plan, at) = (self.plan, self.sites[site].at);
        let status = if refused {
            LOCK_IS_TAKEN
        } else {
            self.hosts[at].apply(&step.action, progress, &plan.run, plan.at)
        };
        let status = if status == 0 && !may_succeed { 1 } else { status };
        let Site { runner, name, connected, to_deployer, .. } = &mut self.sites[site];
        let (reverting, confirmed) = (runner.reverting, runner.confirmed);
        let effects = step.action.effects();
        let failed = status != 0 && !effects.is_optional();
        if reverting && effects.failure == FailureMeans::StopUnlessGoingBack {
            runner.failed_late |= failed;
        } else {
            runner.failed |= failed;
        }
        if *connected {
            let (host, step_id) = (name.clone(), step.id);
            to_deployer.push_back(Input::StepStarted { host: host.clone(), step: step_id });
            if failed {
                let what = FailureKind::Exited { status };
                to_deployer.push_back(Input::StepFailed { host, step: step_id, what });
            } else {
                to_deployer.push_back(Input::StepEnded { host, step: step_id });
            }
        }
        self.note_host(site, || format!("{} {} ({progress:?}): {status}", step.id, step.action));
        if !refused {
            let done = Done { succeeded: status == 0, reverting, confirmed };
            self.promises.after(plan, &self.hosts[at], site, step, done);
        }
    }

    fn lock_is_refused(&mut self, site: usize, step: &Step) -> bool {
        if !matches!(step.action.effects().effect, Effect::Lock(_)) {
            return false;
        }
        let Site { name, locks_refused, .. } = &mut self.sites[site];
        for (index, fault) in self.faults.iter().enumerate() {
            if let FaultKind::LockTaken { attempts } = fault.kind
                && fault.host == *name
                && *locks_refused < attempts
            {
                *locks_refused += 1;
                self.struck[index] = true;
                return true;
            }
        }
        false
    }

    /// The runner's process ends, and the kernel takes its lock away.
    pub(super) fn end_runner(&mut self, site: usize) {
        let Site { runner, at, name, connected, to_deployer, .. } = &mut self.sites[site];
        runner.ended = true;
        runner.working = false;
        if std::mem::take(connected) && self.state.is_some() {
            let why = "its runner ended early".to_owned();
            to_deployer.push_back(Input::Lost { host: name.clone(), why });
        }
        let host = &mut self.hosts[*at];
        if host.lock.as_ref().is_some_and(|holder| holder.run == self.plan.run) {
            host.lock = None;
        }
        self.note_host(site, || "the runner ends".to_owned());
    }
}
