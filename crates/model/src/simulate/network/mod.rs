//! The run, the runners, and the lines between them, on which messages wait until somebody takes them: what can happen next,
//! and in which order it does. What the deployer does is in [`deployer`], what hosts do in [`hosts`].

mod deployer;
mod hosts;

use std::collections::{BTreeSet, VecDeque};

use crate::names::HostName;
use crate::plan::Plan;
use crate::plan::frame::Instruction;
use crate::run::message::{Command, Input};
use crate::run::outcome::Outcome;
use crate::run::state::RunState;
use crate::simulate::deployer::SimDeployer;
use crate::simulate::fault::{Fault, Progress};
use crate::simulate::host::SimHost;
use crate::simulate::promises::{Promises, Violation, drains_by_deployer};
use crate::simulate::runner::Runner;
use crate::simulate::schedule::Schedule;

/// What happened in a simulated run.
#[derive(Debug)]
pub struct SimulatedRun {
    /// What the run said at its end; `None` if the deployer was killed before it could say anything.
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
    /// The deployer's machine, afterwards.
    pub deployer: SimDeployer,
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
    /// The deployer's machine, before.
    pub deployer: SimDeployer,
}

/// More events than any run has: one that needs more turns in circles.
const MOST_EVENTS: u32 = 20_000;

/// Carries out a plan on these hosts, and checks every promise on the way.
pub fn simulate(plan: &Plan, hosts: &mut [SimHost], scenario: &Scenario) -> SimulatedRun {
    let promises = Promises::new(plan, hosts);
    let (state, commands) = RunState::start(plan);
    let site = |planned: &crate::plan::HostPlan| {
        let at = hosts.iter().position(|host| host.host.name == planned.host.name);
        Site::new(planned.host.name.clone(), at.expect("the plan's hosts are simulated"))
    };
    let mut deployer = scenario.deployer.clone();
    if drains_by_deployer(plan) {
        // Those that say so may be out since an earlier run.
        let says_so = hosts.iter().filter(|host| matches!(host.drained, Some((_, false))));
        deployer.out.extend(says_so.map(|host| host.host.name.clone()));
    }
    let before = deployer.clone();
    let mut network = Network {
        plan,
        sites: plan.hosts.iter().map(site).collect(),
        hosts,
        state: Some(state),
        outcome: None,
        promises,
        faults: &scenario.faults,
        struck: vec![false; scenario.faults.len()],
        interruption: Progress::Nothing,
        abandon_after: None,
        schedule: Schedule::new(scenario.seed),
        trace: scenario.keep_trace.then(Vec::new),
        deployer,
        running: None,
        begun: 0,
    };
    network.obey(commands);
    network.run();
    let Network { sites, hosts, outcome, mut promises, struck, trace, deployer, .. } = network;
    let confirmed: Vec<bool> = sites.iter().map(|site| site.runner.confirmed).collect();
    promises.at_the_end(plan, hosts, &confirmed, outcome.as_ref(), &deployer.out);
    promises.of_the_deployer(plan, hosts, &before, &deployer, outcome.as_ref());
    SimulatedRun {
        outcome,
        confirmed,
        violations: promises.violations,
        struck,
        moments: sites.into_iter().map(|site| site.moments).collect(),
        trace: trace.unwrap_or_default(),
        deployer,
    }
}

/// What the deployer says to a host.
enum Message<'p> {
    Frame(VecDeque<&'p Instruction>),
    Revert,
    Cancel(Progress),
    Ask,
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

/// A step of the deployer that runs.
#[derive(Debug, Clone)]
struct DeployerWork {
    step: u32,
    without: BTreeSet<HostName>,
    cancelled: bool,
}

struct Network<'p, 'w> {
    plan: &'p Plan,
    sites: Vec<Site<'p>>,
    hosts: &'w mut [SimHost],
    /// `None` once the deployer is gone, or done.
    state: Option<RunState<'p>>,
    outcome: Option<Outcome>,
    promises: Promises,
    faults: &'w [Fault],
    struck: Vec<bool>,
    /// How far the steps get that are running when a person interrupts.
    interruption: Progress,
    abandon_after: Option<(u32, Progress)>,
    schedule: Schedule,
    trace: Option<Vec<String>>,
    deployer: SimDeployer,
    /// The step of the deployer that runs.
    running: Option<DeployerWork>,
    /// How many steps the deployer has begun.
    begun: u32,
}

impl<'p> Network<'p, '_> {
    fn run(&mut self) {
        let mut busy = Vec::with_capacity(self.sites.len());
        for _ in 0..MOST_EVENTS {
            busy.clear();
            busy.extend((0..self.sites.len()).filter(|site| self.happenings(*site).next().is_some()));
            // The deployer's own work comes after all hosts.
            busy.extend((self.state.is_some() && self.running.is_some()).then_some(self.sites.len()));
            if busy.is_empty() {
                if self.state.is_some() {
                    self.promises.broken(None, "the run waits for something that never happens");
                }
                return;
            }
            let site = self.schedule.choose(&busy);
            if site == self.sites.len() {
                self.deployer_works();
                continue;
            }
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
        let deployer_lives = self.state.is_some();
        let Site { runner, connected, to_host, to_deployer, look_wanted, .. } = &self.sites[site];
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
            (deployer_lives && *look_wanted && (runner.ended || *connected)).then_some(Happening::Look),
            works.then_some(Happening::RunnerWorks),
        ];
        possible.into_iter().flatten()
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    pub(super) fn note_host(&mut self, site: usize, line: impl FnOnce() -> String) {
        let Self { sites, trace, .. } = self;
        if let Some(trace) = trace {
            trace.push(format!("{:>4} {}: {}", sites[site].moments.len(), sites[site].name, line()));
        }
    }

    pub(super) fn site(&mut self, host: &HostName) -> &mut Site<'p> {
        self.sites.iter_mut().find(|site| site.name == *host).expect("the run knows the plan's hosts")
    }
}

fn shorten(command: &Command) -> String {
    match command {
        Command::End(outcome) => format!("End({:?}, {:?})", outcome.verdict, outcome.hosts),
        other => format!("{other:?}"),
    }
}
