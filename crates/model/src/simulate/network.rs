//! The machine, the runners, and the lines between them, on which words wait until somebody takes them.

use std::collections::VecDeque;

use super::fault::{Fault, FaultKind, Progress};
use super::host::SimHost;
use super::promises::{Done, Promises, Violation};
use super::runner::{Instruction, Runner, instructions};
use super::schedule::Schedule;
use crate::names::HostName;
use crate::plan::action::Action;
use crate::plan::{Plan, Step};
use crate::run::outcome::{FailureKind, Outcome};
use crate::run::state::{Command, Input, LOCK_IS_TAKEN, RunState, Seen};

/// What happened in a simulated run.
#[derive(Debug)]
pub struct Ending {
    /// What the machine said; `None` if the deployer was killed before it could say anything.
    pub outcome: Option<Outcome>,
    /// Which hosts were confirmed, in the order of the plan's hosts.
    pub confirmed: Vec<bool>,
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// Whether each fault of the scenario came to pass.
    pub struck: Vec<bool>,
    /// What each host's runner did, in the order of the plan's hosts: the moments at which faults can strike. The number
    /// of a step, or `None` where it armed itself, was confirmed, left, or came to the end of a frame.
    pub moments: Vec<Vec<Option<u32>>>,
    /// All that happened, in order; empty unless it was asked for.
    pub trace: Vec<String>,
}

/// What a run meets.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// The order in which hosts get on: 0 takes them in turn, 1 and 2 work on one as long as possible, from the first or
    /// the last, and others shuffle all that can be shuffled.
    pub seed: u64,
    /// Whether to write down all that happens.
    pub keep_trace: bool,
}

/// More events than any run has: one that needs more turns in circles.
const MOST_EVENTS: u32 = 20_000;

/// Carries out a plan on these hosts, and checks every promise on the way.
pub fn simulate(plan: &Plan, hosts: &mut [SimHost], scenario: &Scenario) -> Ending {
    let promises = Promises::new(plan, hosts);
    let (machine, commands) = RunState::start(plan);
    let site = |planned: &crate::plan::HostPlan| {
        let at = hosts.iter().position(|host| host.host.name == planned.host.name);
        Site::new(planned.host.name.clone(), at.expect("the plan's hosts are simulated"))
    };
    let mut network = Network {
        plan,
        sites: plan.hosts.iter().map(site).collect(),
        hosts,
        machine: Some(machine),
        outcome: None,
        promises,
        faults: &scenario.faults,
        struck: vec![false; scenario.faults.len()],
        interruption: Progress::Nothing,
        abandon_after: None,
        schedule: Schedule::new(scenario.seed),
        trace: scenario.keep_trace.then(Vec::new),
    };
    network.obey(commands);
    network.run();
    let Network { sites, hosts, outcome, mut promises, struck, trace, .. } = network;
    let confirmed: Vec<bool> = sites.iter().map(|site| site.runner.confirmed).collect();
    promises.at_the_end(plan, hosts, &confirmed, outcome.as_ref());
    Ending {
        outcome,
        confirmed,
        violations: promises.violations,
        struck,
        moments: sites.into_iter().map(|site| site.moments).collect(),
        trace: trace.unwrap_or_default(),
    }
}

/// What the deployer says to a host.
enum Message<'p> {
    Frame(VecDeque<Instruction<'p>>),
    Revert,
    Cancel(Progress),
    Bye,
}

/// A host, its runner, and the line to it.
struct Site<'p> {
    name: HostName,
    /// The host's place in the slice.
    at: usize,
    runner: Runner<'p>,
    /// Whether the deployer has ever reached it in this run.
    reached: bool,
    connected: bool,
    /// Whether the deployer has told it to stop what it works on.
    told_to_stop: bool,
    to_host: VecDeque<Message<'p>>,
    to_deployer: VecDeque<Input>,
    look_wanted: bool,
    moments: Vec<Option<u32>>,
    locks_refused: u32,
}

impl Site<'_> {
    fn new(name: HostName, at: usize) -> Self {
        Site {
            name,
            at,
            runner: Runner::default(),
            reached: false,
            connected: false,
            told_to_stop: false,
            to_host: VecDeque::new(),
            to_deployer: VecDeque::new(),
            look_wanted: false,
            moments: Vec::new(),
            locks_refused: 0,
        }
    }
}

/// What can happen next on a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    HostHears,
    DeployerHears,
    Look,
    RunnerWorks,
}

struct Network<'p, 'w> {
    plan: &'p Plan,
    sites: Vec<Site<'p>>,
    hosts: &'w mut [SimHost],
    /// `None` once the deployer is gone, or done.
    machine: Option<RunState<'p>>,
    outcome: Option<Outcome>,
    promises: Promises,
    faults: &'w [Fault],
    struck: Vec<bool>,
    /// How far the steps get that are running when a person interrupts.
    interruption: Progress,
    abandon_after: Option<(u32, Progress)>,
    schedule: Schedule,
    trace: Option<Vec<String>>,
}

impl<'p> Network<'p, '_> {
    fn run(&mut self) {
        let mut busy = Vec::with_capacity(self.sites.len());
        for _ in 0..MOST_EVENTS {
            busy.clear();
            busy.extend((0..self.sites.len()).filter(|site| self.happenings(*site).next().is_some()));
            if busy.is_empty() {
                if self.machine.is_some() {
                    self.promises.broken(None, "the machine waits for something that never happens");
                }
                return;
            }
            let site = self.schedule.choose(&busy);
            let mut happening = None;
            for possible in self.happenings(site) {
                happening = happening.or(Some(possible));
                if self.schedule.now() {
                    happening = Some(possible);
                    break;
                }
            }
            match happening {
                Some(Happening::HostHears) => self.host_hears(site),
                Some(Happening::DeployerHears) => self.deployer_hears(site),
                Some(Happening::Look) => self.look(site),
                Some(Happening::RunnerWorks) => self.runner_works(site),
                None => {}
            }
        }
        self.promises.broken(None, "the run goes on for ever");
    }

    /// What can happen next on a site, in the order in which it does where nothing is shuffled.
    fn happenings(&self, site: usize) -> impl Iterator<Item = Happening> + use<> {
        let deployer_lives = self.machine.is_some();
        let Site { runner, to_host, to_deployer, look_wanted, .. } = &self.sites[site];
        // A frame waits in the runner's queue while it works on another; a word about the one that it works on doesn't.
        let is_heard = |message: &Message<'_>| !runner.working || matches!(message, Message::Cancel(_));
        let host_hears = !runner.ended && to_host.front().is_some_and(is_heard);
        let has_to_end = runner.ending || runner.unnoticed.is_some() && to_host.is_empty();
        // What was said before a line broke comes before its end.
        let hears_first = runner.unnoticed.is_some() && host_hears;
        let works = !runner.ended && !hears_first && (runner.working || has_to_end);
        let possible = [
            host_hears.then_some(Happening::HostHears),
            (deployer_lives && !to_deployer.is_empty()).then_some(Happening::DeployerHears),
            (deployer_lives && *look_wanted && runner.ended).then_some(Happening::Look),
            works.then_some(Happening::RunnerWorks),
        ];
        possible.into_iter().flatten()
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    // ---- the deployer ----

    fn handle(&mut self, input: Input) {
        self.note(|| format!("machine ← {input:?}"));
        let Some(machine) = &mut self.machine else { return };
        let commands = machine.handle(input);
        self.obey(commands);
    }

    fn obey(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.note(|| format!("machine → {}", shorten(&command)));
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
                Command::LookAgain { host } => self.site(&host).look_wanted = true,
                Command::End(outcome) => {
                    self.outcome = Some(outcome);
                    self.machine = None;
                    let names: Vec<HostName> = self.sites.iter().map(|site| site.name.clone()).collect();
                    names.iter().for_each(|host| self.say(host, Message::Bye));
                }
            }
        }
    }

    fn send(&mut self, host: &HostName, phases: &[usize]) {
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

    /// What is said into a line that is gone is heard by nobody; that it is gone is on its way to the machine.
    fn say(&mut self, host: &HostName, message: Message<'p>) {
        let site = self.site(host);
        if site.connected {
            site.to_host.push_back(message);
        }
    }

    fn deployer_hears(&mut self, site: usize) {
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

    fn abandon(&mut self, progress: Progress) {
        self.abandon_after = None;
        if self.machine.is_none() {
            return;
        }
        self.promises.abandoned = true;
        self.handle(Input::Abandoned);
        if self.machine.is_some() {
            self.promises.broken(None, "a person who leaves at once is kept waiting");
        }
        self.deployer_goes(0, progress);
    }

    /// The deployer's process ends, and with it every line. What it had sent may still arrive.
    fn deployer_goes(&mut self, unnoticed: u32, progress: Progress) {
        self.machine = None;
        for site in 0..self.sites.len() {
            let arrives = self.schedule.now();
            let Site { connected, to_host, runner, .. } = &mut self.sites[site];
            if std::mem::take(connected) {
                runner.unnoticed = Some((unnoticed, progress));
                to_host.retain(|message| arrives && !matches!(message, Message::Bye));
            }
        }
    }

    fn look(&mut self, site: usize) {
        let Site { name, at, look_wanted, .. } = &mut self.sites[site];
        *look_wanted = false;
        let (host, name) = (&self.hosts[*at], name.clone());
        let seen = host.is_up.then(|| Seen::of(&host.facts()));
        if seen.is_some() {
            self.promises.answered(site);
        }
        self.handle(Input::Seen { host: name, seen });
    }

    // ---- the hosts ----

    fn host_hears(&mut self, site: usize) {
        let Some(message) = self.sites[site].to_host.pop_front() else { return };
        let runner = &mut self.sites[site].runner;
        match message {
            Message::Frame(instructions) => runner.begin(instructions),
            Message::Revert => runner.begin_revert(),
            Message::Bye => runner.ending = true,
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
            Some(Instruction::Step(step)) => {
                self.sites[site].runner.instructions.pop_front();
                self.sites[site].moments.push(Some(step.id));
                self.step(site, step, progress, progress == Progress::All);
            }
            // They take no time: done, or not begun.
            Some(_) if progress == Progress::All => self.instruction(site),
            Some(_) | None => {}
        }
    }

    fn runner_works(&mut self, site: usize) {
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
                FaultKind::StepFails(_) => matches!(next, Some(Instruction::Step(_))),
                FaultKind::Interrupted(_) | FaultKind::Abandoned { .. } => self.machine.is_some(),
                FaultKind::ConnectionLost { .. }
                | FaultKind::TakenForDead(_)
                | FaultKind::DeployerKilled { .. } => runner.unnoticed.is_none(),
                FaultKind::PowerLost { .. } => true,
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
                if let Some(Instruction::Step(step)) = runner.instructions.pop_front() {
                    moments.push(Some(step.id));
                    self.step(site, step, progress, false);
                }
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
            FaultKind::PowerLost { progress, comes_back } => {
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
            FaultKind::LockTaken { .. } | FaultKind::Unreachable => {}
        }
    }

    /// The line to a host breaks. Words that are under way arrive, or don't.
    fn lose(&mut self, site: usize) {
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
            self.instruction(site);
            return;
        }
        let Site { runner, name, connected, to_deployer, moments, .. } = &mut self.sites[site];
        moments.push(None);
        let was_reverting = runner.reverting;
        // The way back that a runner goes by itself is no frame that anybody waits for.
        let on_its_own = runner.ending && was_reverting;
        let ok = runner.end_frame();
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
    fn instruction(&mut self, site: usize) {
        let Some(instruction) = self.sites[site].runner.next() else { return };
        let Site { runner, moments, .. } = &mut self.sites[site];
        runner.instructions.pop_front();
        moments.push(match instruction {
            Instruction::Step(step) => Some(step.id),
            Instruction::Arm(_) | Instruction::Confirm | Instruction::Leave => None,
        });
        match instruction {
            Instruction::Arm(revert) => {
                runner.arm(revert);
                self.note_host(site, || "armed".to_owned());
            }
            Instruction::Confirm => {
                runner.confirm();
                self.note_host(site, || "confirmed".to_owned());
            }
            Instruction::Leave => runner.leaving = true,
            Instruction::Step(step) => self.step(site, step, Progress::All, true),
        }
    }

    /// Does a step as far as it gets. `may_succeed`: its status is what comes of it, rather than a failure in any case.
    fn step(&mut self, site: usize, step: &'p Step, progress: Progress, may_succeed: bool) {
        let refused = self.lock_is_refused(site, step);
        let (plan, at) = (self.plan, self.sites[site].at);
        let status = match refused {
            true => LOCK_IS_TAKEN,
            false => self.hosts[at].apply(&step.action, progress, &plan.run, plan.at),
        };
        let status = if status == 0 && !may_succeed { 1 } else { status };
        let Site { runner, name, connected, to_deployer, .. } = &mut self.sites[site];
        let (reverting, confirmed) = (runner.reverting, runner.confirmed);
        let failed = status != 0 && !step.action.is_optional();
        match runner.reverting && step.action.lets_way_back_go_on() {
            true => runner.failed_late |= failed,
            false => runner.failed |= failed,
        }
        if *connected {
            let (host, step_id) = (name.clone(), step.id);
            to_deployer.push_back(Input::StepStarted { host: host.clone(), step: step_id });
            if status != 0 && !step.action.is_optional() {
                let what = FailureKind::Exited { status };
                to_deployer.push_back(Input::StepFailed { host, step: step_id, what });
            }
        }
        self.note_host(site, || format!("{} {} ({progress:?}): {status}", step.id, step.action));
        if !refused {
            let instruction = Done { succeeded: status == 0, reverting, confirmed };
            self.promises.after(plan, &self.hosts[at], site, step, instruction);
        }
    }

    fn lock_is_refused(&mut self, site: usize, step: &Step) -> bool {
        if !matches!(step.action, Action::Lock { .. }) {
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
    fn end_runner(&mut self, site: usize) {
        let Site { runner, at, name, connected, to_deployer, .. } = &mut self.sites[site];
        runner.ended = true;
        runner.working = false;
        if std::mem::take(connected) && self.machine.is_some() {
            let why = "its runner ended early".to_owned();
            to_deployer.push_back(Input::Lost { host: name.clone(), why });
        }
        let host = &mut self.hosts[*at];
        if host.lock.as_ref().is_some_and(|holder| holder.run == self.plan.run) {
            host.lock = None;
        }
        self.note_host(site, || "the runner ends".to_owned());
    }

    fn note_host(&mut self, site: usize, line: impl FnOnce() -> String) {
        let Self { sites, trace, .. } = self;
        if let Some(trace) = trace {
            trace.push(format!("{:>4} {}: {}", sites[site].moments.len(), sites[site].name, line()));
        }
    }

    fn site(&mut self, host: &HostName) -> &mut Site<'p> {
        self.sites.iter_mut().find(|site| site.name == *host).expect("the machine knows the plan's hosts")
    }
}

fn shorten(command: &Command) -> String {
    match command {
        Command::End(outcome) => format!("End({:?}, {:?})", outcome.verdict, outcome.hosts),
        other => format!("{other:?}"),
    }
}
