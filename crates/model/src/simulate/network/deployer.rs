//! The deployer's side: it does what the run says, and tells it what it hears.

use super::{DeployerWork, Message, Network, Site, shorten};
use crate::names::HostName;
use crate::plan::Found;
use crate::run::message::{Command, DeployerEnd, Input, Seen};
use crate::run::outcome::FailureKind;
use crate::simulate::fault::{FaultKind, Progress};
use crate::simulate::runner::instructions;

impl<'p> Network<'p, '_> {
    pub(super) fn handle(&mut self, input: Input) {
        self.note(|| format!("run ← {input:?}"));
        let Some(state) = &mut self.state else { return };
        let commands = state.handle(input);
        self.obey(commands);
    }

    pub(super) fn obey(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.note(|| format!("run → {}", shorten(&command)));
            match command {
                Command::Send { host, phases } => self.send(&host, &phases),
                Command::Cancel { host } => {
                    let interruption = self.interruption;
                    let site = self.site(&host);
                    site.told_to_stop = true;
                    self.say(&host, Message::Cancel(interruption));
                }
                Command::Revert { host } => {
                    self.site(&host).told_to_stop = false;
                    self.say(&host, Message::Revert);
                }
                Command::Note { host, ended } => {
                    let frame = self.plan.at_failure(&host, &ended).into();
                    self.site(&host).told_to_stop = false;
                    self.say(&host, Message::Frame(frame));
                }
                Command::Ask { host } => self.say(&host, Message::Ask),
                Command::Cut { host, why: _ } => {
                    let site = self.site(&host);
                    if std::mem::take(&mut site.connected) {
                        site.to_deployer.clear();
                        site.to_host.clear();
                        site.runner.unnoticed = Some((0, Progress::Nothing));
                    }
                }
                Command::LookAgain { host } => self.site(&host).look_wanted = true,
                Command::RunOnDeployer { step, verdict: _, without } => {
                    self.running = Some(DeployerWork { step, without, cancelled: false });
                }
                Command::CancelOnDeployer => {
                    if let Some(work) = &mut self.running {
                        work.cancelled = true;
                    }
                }
                Command::LetGo => self.say_bye(),
                Command::End(outcome) => {
                    self.outcome = Some(outcome);
                    self.state = None;
                    self.say_bye();
                }
            }
        }
    }

    fn say_bye(&mut self) {
        let names: Vec<HostName> = self.sites.iter().map(|site| site.name.clone()).collect();
        names.iter().for_each(|host| self.say(host, Message::Bye));
    }

    /// The deployer's own step comes to its end.
    pub(super) fn deployer_works(&mut self) {
        let Some(DeployerWork { step: id, without, cancelled }) = self.running.take() else { return };
        let Some(Found::OnDeployer { phase, step, .. }) = self.plan.step(id) else { return };
        let nth = self.begun;
        self.begun += 1;
        let fails = self.faults.iter().enumerate().find_map(|(index, fault)| match fault.kind {
            FaultKind::DeployerStepFails { nth: this, progress } if this == nth => Some((index, progress)),
            _ => None,
        });
        if let Some((index, _)) = fails {
            self.struck[index] = true;
        }
        if let Some(phase) = phase {
            self.promises.deployer_begins(self.plan, id, phase.kind);
        }
        let progress = match fails {
            Some((_, progress)) => progress,
            None if cancelled => self.interruption,
            None => Progress::All,
        };
        let ok = self.deployer.apply(&step.action.without(&without), progress);
        let how = match (fails, cancelled, ok) {
            (Some(_), ..) | (None, false, false) => DeployerEnd::Failed(FailureKind::Exited { status: 1 }),
            (None, true, _) => DeployerEnd::Stopped,
            (None, false, true) => DeployerEnd::Done,
        };
        self.note(|| format!("here: {id} {} ({progress:?}): {how:?}", step.action));
        if how == DeployerEnd::Done {
            self.promises.deployer_did(id);
        }
        self.handle(Input::DeployerEnded { step: id, how });
    }

    pub(super) fn send(&mut self, host: &HostName, phases: &[usize]) {
        let unreachable = self
            .faults
            .iter()
            .position(|fault| fault.host == *host && matches!(fault.kind, FaultKind::Unreachable));
        let frame = instructions(self.plan, host, phases);
        let site = self.site(host);
        site.told_to_stop = false;
        if !site.reached {
            if let Some(fault) = unreachable {
                site.runner.ended = true;
                site.to_deployer
                    .push_back(Input::Unreachable { host: host.clone(), why: "no route".to_owned() });
                self.struck[fault] = true;
                return;
            }
            site.reached = true;
            site.connected = true;
        }
        self.say(host, Message::Frame(frame));
    }

    /// What is said into a line that is gone is heard by nobody; that it is gone is on its way to the run.
    pub(super) fn say(&mut self, host: &HostName, message: Message<'p>) {
        let site = self.site(host);
        if site.connected {
            site.to_host.push_back(message);
        }
    }

    pub(super) fn deployer_hears(&mut self, site: usize) {
        let Some(input) = self.sites[site].to_deployer.pop_front() else { return };
        // A step that was told to end is no failure of its own.
        if matches!(input, Input::StepFailed { .. }) && self.sites[site].told_to_stop {
            return;
        }
        self.handle(input);
        if let Some((after, progress)) = &mut self.abandon_after {
            if *after == 0 {
                let progress = *progress;
                self.abandon(progress);
            } else {
                *after -= 1;
            }
        }
    }

    pub(super) fn abandon(&mut self, progress: Progress) {
        self.abandon_after = None;
        if self.state.is_none() {
            return;
        }
        self.promises.abandoned = true;
        self.handle(Input::Abandoned);
        if self.state.is_some() {
            self.promises.broken(None, "a person who leaves at once is kept waiting");
        }
        self.deployer_goes(0, progress);
    }

    /// The deployer's process ends, and with it every line. What it had sent may still arrive.
    pub(super) fn deployer_goes(&mut self, unnoticed: u32, progress: Progress) {
        self.state = None;
        self.promises.deployer_gone = true;
        for site in 0..self.sites.len() {
            let arrives = self.schedule.now();
            let Site { connected, to_host, runner, .. } = &mut self.sites[site];
            if std::mem::take(connected) {
                runner.unnoticed = Some((unnoticed, progress));
                to_host.retain(|message| arrives && !matches!(message, Message::Bye));
            }
        }
    }

    pub(super) fn look(&mut self, site: usize) {
        let Site { name, at, look_wanted, .. } = &mut self.sites[site];
        *look_wanted = false;
        let (host, name) = (&self.hosts[*at], name.clone());
        let seen = host.is_up.then(|| Seen::of(&host.facts()));
        if seen.is_some() {
            self.promises.answered(site);
        }
        self.handle(Input::Seen { host: name, seen });
    }
}
