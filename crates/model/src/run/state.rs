//! The state of a run: what to do next, given what has happened. Pure: the driver and the simulator both obey it.
//!
//! It promises that no host is sent a phase before every host, and the deployer, has ended the one before it well; that
//! after a failure every host that was armed is reverted, and that what the deployer has made is taken back; that a host
//! whose answer is missing is asked again before a word is said about it; that a host is believed only what the plan has it
//! say; and that nothing is done on the deployer at the end before the outcome is certain.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::app::virtualenv::differing;
use crate::deployer::action::DeployerAction;
use crate::names::HostName;
use crate::plan::action::{Action, Effect, PhaseName, PythonAction};
use crate::plan::frame::Instruction;
use crate::plan::{Found, HostWork, Intent, PhaseKind, Plan};
use crate::run::message::{Command, DeployerEnd, Input, Seen};
use crate::run::outcome::{Failure, FailureKind, Outcome};
use crate::run::traffic::OutOfTraffic;

/// The exit status of a lock that somebody else holds; the runner's `lock` says it.
pub const LOCK_IS_TAKEN: i32 = 75;

/// The exit status of a step that wasn't begun, since the host couldn't keep the way back from it; the runner's `arm` says it.
pub const NOT_ARMED: i32 = 73;

/// How often a run that holds the first host's lock asks again for the others. Of two runs that took each other's
/// hosts in the same moment, only one holds the first: the other lets go.
const LOCK_ATTEMPTS: u32 = 4;

/// The exit status of the deployer's own work on load balancers, where it has taken no host out of traffic.
pub const NONE_TAKEN_OUT: i32 = 69;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Forward,
    /// Something failed: waiting until every host has come to rest.
    Stopping,
    Reverting,
    Looking,
    /// Hosts serve what they will; those that the deployer has taken out of traffic are put back.
    PuttingBack,
    /// The outcome is certain, and hosts write it down.
    Noting,
    /// The outcome is certain; the deployer takes back what it has made, and does what is done at the end.
    Closing,
    Over,
}

#[derive(Debug, Clone, Default)]
pub(super) struct HostState {
    /// The last phase that it was sent; `None`: nothing was.
    pub(super) sent: Option<usize>,
    pub(super) working: bool,
    /// What it was sent last ended well.
    pub(super) ok: bool,
    /// The steps of what it was sent, in order, that it hasn't told the end of. The first may run.
    pub(super) expected: VecDeque<u32>,
    /// Those of the way back that it has told the end of, since it was told to go back.
    pub(super) taken_back: Vec<u32>,
    /// One of those failed, and counts.
    pub(super) back_failed: bool,
    pub(super) lost: bool,
    /// The line to it is gone, whether or not that matters to the run.
    pub(super) gone: bool,
    /// It may be armed: it has to be told to go back, or be confirmed.
    pub(super) may_be_armed: bool,
    /// It may serve the new release, or be on its way there.
    pub(super) may_have_switched: bool,
    /// The link is known to have been touched.
    pub(super) switched: bool,
    pub(super) reverted: bool,
    /// It was told to go back, and couldn't.
    pub(super) stuck: bool,
    pub(super) confirmed: bool,
    pub(super) lock_taken: bool,
    /// Its lock is known to be ours: something was begun there after it.
    pub(super) has_lock: bool,
    pub(super) seen: Option<Option<Seen>>,
    /// The step that has said what has to be the same everywhere, and what that is.
    compared: Option<(u32, String)>,
}

/// The state of one run.
#[derive(Debug)]
pub struct RunState<'p> {
    pub(super) plan: &'p Plan,
    groups: Vec<Vec<usize>>,
    group: usize,
    pub(super) mode: Mode,
    pub(super) interrupted: bool,
    pub(super) abandoned: bool,
    lock_attempts: u32,
    /// Hosts are asked whether they are there, before any is confirmed.
    pub(super) asking: bool,
    pub(super) hosts: BTreeMap<HostName, HostState>,
    pub(super) deployer: DeployerState,
    pub(super) traffic: OutOfTraffic,
    pub(super) failures: Vec<Failure>,
    /// The last phase of which something was begun on a host.
    pub(super) phase: Option<PhaseKind>,
    /// Once it is certain.
    pub(super) outcome: Option<Outcome>,
}

/// What the deployer does.
#[derive(Debug, Default)]
pub(super) struct DeployerState {
    /// The step that runs.
    running: Option<u32>,
    /// The hosts that it leaves alone.
    without: BTreeSet<HostName>,
    /// Those that follow it, before the hosts of the phase have their turn.
    pub(super) queue: VecDeque<u32>,
    /// Steps that take back what was made, the last first.
    pub(super) way_back: Vec<u32>,
}

impl<'p> RunState<'p> {
    /// The beginning of a run of this plan, and its first commands.
    pub fn start(plan: &'p Plan) -> (Self, Vec<Command>) {
        let hosts =
            plan.hosts.iter().map(|planned| (planned.host.name.clone(), HostState::default())).collect();
        let mut state = RunState {
            plan,
            groups: group_phases(plan),
            group: 0,
            mode: Mode::Forward,
            interrupted: false,
            abandoned: false,
            lock_attempts: 1,
            asking: false,
            hosts,
            deployer: DeployerState::default(),
            traffic: OutOfTraffic::default(),
            failures: Vec::new(),
            phase: None,
            outcome: None,
        };
        let commands = if state.groups.is_empty() { state.end() } else { state.begin_group() };
        (state, commands)
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        self.mode == Mode::Over
    }

    /// The phases that hosts work on now.
    pub fn current_phases(&self) -> &[usize] {
        self.groups.get(self.group).map_or(&[], Vec::as_slice)
    }

    /// Takes note of what happened, and says what to do.
    pub fn handle(&mut self, input: Input) -> Vec<Command> {
        match (self.mode, &input) {
            (Mode::Over, _) => return Vec::new(),
            (Mode::Noting, Input::Ended { host, .. } | Input::Lost { host, .. }) => {
                let state = self.state(host);
                state.working = false;
                state.gone |= matches!(input, Input::Lost { .. });
                let all_noted = self.hosts.values().all(|state| !state.working);
                return if all_noted { self.let_go() } else { Vec::new() };
            }
            (Mode::PuttingBack, Input::Lost { host, .. }) => {
                self.state(host).gone = true;
                return Vec::new();
            }
            // Only the deployer works now, and it isn't stopped: whom it doesn't put back gets no requests.
            (Mode::PuttingBack, Input::DeployerEnded { .. } | Input::Abandoned) => {}
            (Mode::Noting, Input::Abandoned) => {}
            (Mode::PuttingBack | Mode::Noting, _) => return Vec::new(),
            // The outcome is certain, whatever hosts say now.
            (Mode::Closing, Input::DeployerEnded { .. } | Input::Abandoned) => {}
            // What takes something back is let end; nobody has to wait for the rest.
            (Mode::Closing, Input::Interrupted) => {
                let running = self.deployer.running.and_then(|step| self.plan.step(step));
                let is_hook = matches!(running, Some(Found::OnDeployer { goes_back: false, .. }));
                return if is_hook { vec![Command::CancelOnDeployer] } else { Vec::new() };
            }
            (Mode::Closing, _) => return Vec::new(),
            (Mode::Forward | Mode::Stopping | Mode::Reverting | Mode::Looking, _) => {}
        }
        match input {
            Input::StepStarted { host, step } => {
                let plan = self.plan;
                let found = plan.step(step);
                if !self.fits(&host, found) {
                    return self.distrust(host, format!("it says that it began step {step}"));
                }
                let Some(Found::OnHost { phase, step, goes_back }) = found else { return Vec::new() };
                if step.action.effects().switches() && !goes_back {
                    self.state(&host).switched = true;
                }
                if !matches!(step.action.effects().effect, Effect::Lock(_) | Effect::Folders(_)) {
                    self.state(&host).has_lock = true;
                }
                if self.mode == Mode::Forward && !goes_back {
                    self.phase = self.phase.max(Some(phase.kind));
                }
                Vec::new()
            }
            Input::StepEnded { host, step } => {
                let found = self.plan.step(step);
                if !self.fits(&host, found) {
                    return self.distrust(host, format!("it says that it ended step {step}"));
                }
                self.note_end(&host, found);
                Vec::new()
            }
            Input::Compared { host, step, text } => {
                if self.fits(&host, self.plan.step(step)) {
                    self.state(&host).compared = Some((step, text));
                }
                Vec::new()
            }
            Input::Answered { host, serves } => {
                if !serves {
                    let what = FailureKind::NotServing;
                    self.failures.push(Failure { host: Some(host.clone()), step: None, what });
                }
                if !self.asking || !self.state(&host).working {
                    return Vec::new();
                }
                self.state(&host).working = false;
                self.advance(!serves)
            }
            Input::Confirmed { host } => {
                // The first thing in that phase.
                if !(self.state(&host).working && self.group_confirms(&host)) {
                    return self.distrust(host, "it says that it is confirmed".to_owned());
                }
                self.state(&host).confirmed = true;
                Vec::new()
            }
            Input::StepFailed { host, step, what } => {
                let plan = self.plan;
                let found = plan.step(step);
                self.note_end(&host, found);
                self.state(&host).back_failed |= matches!(found, Some(Found::OnHost { goes_back: true, .. }));
                let effect = plan.action(step).map(|action| action.effects().effect);
                if matches!(effect, Some(Effect::Lock(_)))
                    && what == (FailureKind::Exited { status: LOCK_IS_TAKEN })
                {
                    // Even where the whole run was sent in one go, nothing but this was done.
                    let state = self.state(&host);
                    state.lock_taken = true;
                    state.has_done_nothing();
                    return Vec::new();
                }
                // It was to switch, and couldn't be armed: what serves is as it was.
                if self.is_first_once_armed(&host, step)
                    && what == (FailureKind::Exited { status: NOT_ARMED })
                {
                    let state = self.state(&host);
                    state.switched = false;
                    state.may_have_switched = false;
                }
                self.failures.push(Failure { host: Some(host), step: Some(step), what });
                Vec::new()
            }
            Input::Ended { host, ok } => {
                if !self.state(&host).working {
                    return Vec::new();
                }
                let reverting = self.mode == Mode::Reverting;
                if !ok && self.stopped_by_itself(&host) {
                    return self.cut_off(host, "its runner stopped by itself".to_owned());
                }
                if let Some(missing) = self.missing_end(&host).filter(|_| ok) {
                    return self.distrust(
                        host,
                        format!("it says that all is done, and not that step {missing} ended"),
                    );
                }
                // Only the record of what was pending stays where nothing can be written: the next run takes it away.
                let is_back = ok || (reverting && self.went_back(&host));
                let has_locked = ok && !reverting && self.group_has(PhaseKind::Lock);
                let state = self.state(&host);
                state.has_lock |= has_locked;
                state.working = false;
                state.ok = ok;
                state.reverted |= reverting && is_back;
                state.stuck |= reverting && !is_back;
                if ok && !reverting && self.group_confirms(&host) {
                    self.state(&host).confirmed = true;
                }
                self.advance(!ok)
            }
            Input::Lost { host, why } => {
                let (takes_part, looking) = (self.takes_part(&host), self.mode == Mode::Looking);
                let is_on_its_own = matches!(self.plan.intent, Intent::Work | Intent::Restart);
                let was_sent_all = is_on_its_own && self.was_sent_all(&host);
                // Whoever is lost while others have still to follow it is no good example.
                let is_followed = self.mode == Mode::Forward && !self.is_past_the_switch();
                let state = self.state(&host);
                state.gone = true;
                let is_through =
                    (state.confirmed && !is_followed) || state.reverted || (was_sent_all && !state.working);
                // Of a host that is through with its part nothing more was wanted; and one that is confirmed goes on by
                // itself.
                if state.lost || is_through || !takes_part {
                    let was_working = std::mem::take(&mut state.working);
                    return if was_working { self.advance(false) } else { Vec::new() };
                }
                state.lost = true;
                state.working = false;
                let look_now = looking && state.needs_look();
                self.failures.push(Failure {
                    host: Some(host.clone()),
                    step: None,
                    what: FailureKind::Lost { why },
                });
                if look_now { vec![Command::LookAgain { host }] } else { self.advance(true) }
            }
            Input::Unreachable { host, why } => {
                let state = self.state(&host);
                state.working = false;
                state.has_done_nothing();
                let what = FailureKind::Unreachable { why };
                self.failures.push(Failure { host: Some(host), step: None, what });
                self.advance(true)
            }
            Input::Seen { host, seen } => {
                self.state(&host).seen = Some(seen);
                if self.hosts.values().all(|state| !state.needs_look() || state.seen.is_some()) {
                    self.end()
                } else {
                    Vec::new()
                }
            }
            Input::DeployerEnded { step, how } => self.deployer_ended(step, how),
            Input::Interrupted => {
                // Confirmed is confirmed: what is left are notes, and stopping them would help nobody.
                if self.interrupted || self.mode != Mode::Forward || self.is_past_the_switch() {
                    return Vec::new();
                }
                self.interrupted = true;
                // A wave that is being confirmed is the last.
                if self.is_confirming() { Vec::new() } else { self.advance(true) }
            }
            Input::Abandoned => {
                self.interrupted = true;
                self.abandoned = true;
                let outcome = self.outcome.take().unwrap_or_else(|| self.settle());
                self.mode = Mode::Over;
                vec![Command::End(outcome)]
            }
        }
    }

    /// Whether a step comes right after a host was armed with the way back from its switch: it says so where it couldn't be.
    fn is_first_once_armed(&self, host: &HostName, step: u32) -> bool {
        let works = self.plan.phases.iter().filter_map(|phase| phase.work_of(host));
        works.flat_map(|work| work.frame.windows(2)).any(|pair| match pair {
            [Instruction::Arm(arm), Instruction::Do(first)] => arm.pending.to.is_some() && first.id == step,
            _ => false,
        })
    }

    pub(super) fn state(&mut self, host: &HostName) -> &mut HostState {
        self.hosts.entry(host.clone()).or_default()
    }

    /// Whether a host that was to go forward gave up, though nothing failed there and nobody told it to: it takes this
    /// end of the line for dead, and goes back, or has already.
    fn stopped_by_itself(&self, host: &HostName) -> bool {
        let state = &self.hosts[host];
        self.mode == Mode::Forward
            && !state.lock_taken
            && !self.failures.iter().any(|failure| failure.host.as_ref() == Some(host))
    }

    /// Whether the run can only end well now, or with a person's help: the last hosts are confirmed, or told to be.
    fn is_past_the_switch(&self) -> bool {
        let is_last = self.group + 1 == self.groups.len();
        let to_confirm =
            || self.hosts.iter().filter(|(host, _)| self.confirms(host, 0..self.plan.phases.len()));
        let all_confirmed = to_confirm().next().is_some() && to_confirm().all(|(_, state)| state.confirmed);
        (is_last && self.is_confirming()) || all_confirmed
    }

    /// Whether hosts are told to be confirmed, all that have work now.
    fn is_confirming(&self) -> bool {
        let phases = self.current_phases();
        !self.asking && !phases.is_empty() && phases.iter().all(|phase| self.is_confirmation(*phase))
    }

    /// Whether hosts have work now in which any of them is confirmed.
    pub(super) fn may_be_confirming(&self) -> bool {
        !self.asking && self.current_phases().iter().any(|phase| self.is_confirmation(*phase))
    }

    fn is_confirmation(&self, phase: usize) -> bool {
        self.plan.phases[phase].kind.name() == PhaseName::Finish
    }

    /// Whether a host is confirmed in one of these phases.
    fn confirms(&self, host: &HostName, phases: impl IntoIterator<Item = usize>) -> bool {
        let mut works = phases.into_iter().filter_map(|phase| self.plan.phases[phase].work_of(host));
        works.any(HostWork::confirms)
    }

    fn group_confirms(&self, host: &HostName) -> bool {
        self.confirms(host, self.current_phases().iter().copied())
    }

    pub(super) fn group_has(&self, kind: PhaseKind) -> bool {
        self.current_phases().iter().any(|phase| self.plan.phases[*phase].kind == kind)
    }

    /// The deployer's part of the group, or else the hosts'.
    fn begin_group(&mut self) -> Vec<Command> {
        let phases = self.groups[self.group].iter().map(|phase| &self.plan.phases[*phase]);
        self.deployer.queue = phases.flat_map(|phase| &phase.deployer).map(|step| step.id).collect();
        self.next_on_deployer().map_or_else(|| self.send_group(), |command| vec![command])
    }

    pub(super) fn next_on_deployer(&mut self) -> Option<Command> {
        let step = self.deployer.queue.pop_front()?;
        self.deployer.running = Some(step);
        if let Some(Found::OnDeployer { step, .. }) = self.plan.step(step) {
            self.traffic.begins(&step.action);
        }
        let verdict = self.outcome.as_ref().map(|outcome| outcome.verdict);
        self.deployer.without = if self.mode == Mode::PuttingBack { self.gone() } else { BTreeSet::new() };
        Some(Command::RunOnDeployer { step, verdict, without: self.deployer.without.clone() })
    }

    fn deployer_ended(&mut self, id: u32, how: DeployerEnd) -> Vec<Command> {
        if self.deployer.running != Some(id) {
            return Vec::new();
        }
        self.deployer.running = None;
        let plan = self.plan;
        let Some(Found::OnDeployer { step, goes_back, .. }) = plan.step(id) else { return Vec::new() };
        if how == DeployerEnd::Done {
            self.traffic.ended(&step.action, &self.deployer.without);
        }
        if self.mode == Mode::PuttingBack {
            if let DeployerEnd::Failed(what) = how {
                self.failures.push(Failure { host: None, step: Some(id), what });
            }
            return self.next_on_deployer().map_or_else(|| self.note(), |command| vec![command]);
        }
        if self.mode == Mode::Closing {
            // What is taken back is so as far as that goes; of the rest the first that fails is the last.
            if how != DeployerEnd::Done && !goes_back && !step.action.is_optional() {
                self.deployer.queue.clear();
            }
            return self.next_on_deployer().map_or_else(|| self.close(), |command| vec![command]);
        }
        // A command of the user's may mean anything by it.
        let is_ours = matches!(&step.action, DeployerAction::Drain(shift) if shift.is_by_load_balancer());
        let has_refused =
            is_ours && how == DeployerEnd::Failed(FailureKind::Exited { status: NONE_TAKEN_OUT });
        if has_refused {
            self.traffic.refused(&step.action);
        }
        match how {
            DeployerEnd::Failed(_) if has_refused => {}
            DeployerEnd::Done if step.action.is_public() => self.deployer.way_back.clear(),
            // A tag that was made and then couldn't be verified has to go, too.
            DeployerEnd::Done | DeployerEnd::Failed(_) | DeployerEnd::Stopped => {
                self.deployer.way_back.extend(step.way_back.as_ref().map(|back| back.id));
            }
        }
        match how {
            DeployerEnd::Done => {}
            DeployerEnd::Failed(what) => self.failures.push(Failure { host: None, step: Some(id), what }),
            DeployerEnd::Stopped => self.interrupted = true,
        }
        let trouble = self.interrupted || !self.failures.is_empty();
        if trouble || self.mode != Mode::Forward {
            self.deployer.queue.clear();
            return self.advance(true);
        }
        if let Some(command) = self.next_on_deployer() {
            return vec![command];
        }
        let commands = self.send_group();
        if commands.is_empty() { self.next_group() } else { commands }
    }

    fn send_group(&mut self) -> Vec<Command> {
        let phases = self.groups[self.group].clone();
        let names: Vec<HostName> = self.hosts.keys().cloned().collect();
        // A host that is gone by now goes back: if the others were confirmed, they would serve something else for good.
        let confirms = phases.iter().all(|phase| self.is_confirmation(*phase));
        if confirms && !self.asking {
            let asked: Vec<HostName> =
                names.iter().filter(|host| self.is_sent(host, &phases)).cloned().collect();
            if asked.len() > 1 {
                self.asking = true;
                for host in &asked {
                    self.state(host).working = true;
                }
                return asked.into_iter().map(|host| Command::Ask { host }).collect();
            }
        }
        self.asking = false;
        names.into_iter().filter_map(|host| self.send(host, &phases)).collect()
    }

    fn is_sent(&self, host: &HostName, phases: &[usize]) -> bool {
        phases.iter().any(|phase| self.plan.phases[*phase].work_of(host).is_some())
    }

    fn send(&mut self, host: HostName, phases: &[usize]) -> Option<Command> {
        let plan = self.plan;
        let phases: Vec<usize> =
            phases.iter().copied().filter(|phase| plan.phases[*phase].work_of(&host).is_some()).collect();
        if phases.is_empty() {
            return None;
        }
        let works = || phases.iter().filter_map(|phase| plan.phases[*phase].work_of(&host));
        let switches = works().any(|work| work.steps().any(|step| step.action.effects().switches()));
        let arms = works().any(|work| work.arm().is_some());
        let expected: VecDeque<u32> = works().flat_map(|work| work.steps()).map(|step| step.id).collect();
        let state = self.state(&host);
        state.expected = expected;
        state.working = true;
        state.ok = false;
        state.lock_taken = false;
        state.may_have_switched |= switches;
        state.may_be_armed |= arms;
        state.sent = phases.last().copied();
        Some(Command::Send { host, phases })
    }

    /// Something ended, or was lost, or was told to stop: what follows?
    fn advance(&mut self, trouble: bool) -> Vec<Command> {
        let working = self.deployer.running.is_some() || self.hosts.values().any(|state| state.working);
        match self.mode {
            Mode::Forward if working && self.hosts_are_independent() => Vec::new(),
            Mode::Forward if working && trouble && (self.is_past_the_switch() || self.is_confirming()) => {
                Vec::new()
            }
            // Trouble may have come before the last host ended well: whoever was lost is asked in any case.
            Mode::Forward if self.is_past_the_switch() && !working => self.look(),
            // What one of them couldn't do, the deployer doesn't build on.
            Mode::Forward if self.hosts_are_independent() && !trouble && self.all_went_well() => {
                self.next_group()
            }
            Mode::Forward if self.hosts_are_independent() => self.end(),
            Mode::Forward if trouble && working && self.only_locks_are_missing() => Vec::new(),
            Mode::Forward if trouble && working => {
                self.mode = Mode::Stopping;
                let busy = self.hosts.iter().filter(|(_, state)| state.working);
                let hosts = busy.map(|(host, _)| Command::Cancel { host: host.clone() });
                hosts.chain(self.deployer.running.map(|_| Command::CancelOnDeployer)).collect()
            }
            Mode::Forward if working => Vec::new(),
            Mode::Forward if self.hosts.values().any(|state| state.lock_taken) => self.lock_again(),
            // Who is confirmed stays so, and no other wave follows.
            Mode::Forward if self.is_confirming() && !self.all_went_well() => self.revert(),
            Mode::Forward if trouble => self.revert(),
            Mode::Forward if self.asking => self.send_group(),
            Mode::Forward => {
                if self.hosts_differ() {
                    self.revert()
                } else {
                    self.next_group()
                }
            }
            Mode::Stopping if working => Vec::new(),
            Mode::Stopping => self.revert(),
            Mode::Reverting if working => Vec::new(),
            Mode::Reverting => self.look(),
            Mode::Looking | Mode::PuttingBack | Mode::Noting | Mode::Closing | Mode::Over => Vec::new(),
        }
    }

    /// Where nothing is switched, a host that fails takes no other with it; only a person stops them all.
    fn hosts_are_independent(&self) -> bool {
        matches!(self.plan.intent, Intent::Work | Intent::Restart) && !self.interrupted
    }

    fn all_went_well(&self) -> bool {
        self.failures.is_empty() && !self.interrupted && !self.hosts.values().any(|state| state.lock_taken)
    }

    /// While locks are taken, a host that can't have its own must not stop the others from trying.
    fn only_locks_are_missing(&self) -> bool {
        self.group_has(PhaseKind::Lock) && !self.interrupted && self.failures.is_empty()
    }

    fn lock_again(&mut self) -> Vec<Command> {
        let first_is_ours =
            self.hosts.iter().find(|(host, _)| self.takes_part(host)).is_some_and(|(_, s)| s.ok);
        if !first_is_ours || !self.failures.is_empty() || self.lock_attempts >= LOCK_ATTEMPTS {
            return self.end();
        }
        self.lock_attempts += 1;
        let phases = self.groups[self.group].clone();
        let missing: Vec<HostName> =
            self.hosts.iter().filter(|(_, state)| state.lock_taken).map(|(host, _)| host.clone()).collect();
        missing.into_iter().filter_map(|host| self.send(host, &phases)).collect()
    }

    /// Whether nothing is left of the plan that a host wasn't sent.
    pub(super) fn was_sent_all(&self, host: &HostName) -> bool {
        let sent = self.hosts.get(host).and_then(|state| state.sent);
        let rest = self.plan.phases.iter().skip(sent.map_or(0, |last| last + 1));
        rest.into_iter().all(|phase| phase.work_of(host).is_none())
    }

    /// Hosts whose lines are gone.
    pub(super) fn gone(&self) -> BTreeSet<HostName> {
        self.hosts.iter().filter(|(_, state)| state.gone).map(|(host, _)| host.clone()).collect()
    }

    fn takes_part(&self, host: &HostName) -> bool {
        self.plan.phases.iter().any(|phase| phase.work_of(host).is_some())
    }

    /// Whether hosts have said different things where all of them have to say the same. It is noted as a failure of each.
    fn hosts_differ(&mut self) -> bool {
        let said: Vec<(HostName, u32, String)> = self
            .hosts
            .iter_mut()
            .filter_map(|(host, state)| state.compared.take().map(|(step, text)| (host.clone(), step, text)))
            .collect();
        let beside: BTreeMap<&HostName, String> = said
            .iter()
            .filter_map(|(_, step, _)| match self.plan.action(*step)? {
                Action::Python(PythonAction::Versions { beside, .. }) => Some(beside),
                _ => None,
            })
            .flatten()
            .map(|(host, packages)| (host, packages.join("\n")))
            .collect();
        let texts: Vec<(&HostName, &str)> = said
            .iter()
            .map(|(host, _, text)| (host, text.as_str()))
            .chain(beside.iter().map(|(host, text)| (*host, text.as_str())))
            .collect();
        let Some(why) = differing(&texts, !beside.is_empty()) else { return false };
        for (host, step, _) in said {
            let what = FailureKind::Differs { why: why.clone() };
            self.failures.push(Failure { host: Some(host), step: Some(step), what });
        }
        true
    }

    fn next_group(&mut self) -> Vec<Command> {
        self.group += 1;
        if self.group < self.groups.len() {
            return self.begin_group();
        }
        self.end()
    }

    fn revert(&mut self) -> Vec<Command> {
        self.mode = Mode::Reverting;
        let mut commands = Vec::new();
        for (host, state) in &mut self.hosts {
            if state.may_be_armed && !state.lost && !state.confirmed {
                state.working = true;
                state.taken_back.clear();
                state.back_failed = false;
                commands.push(Command::Revert { host: host.clone() });
            }
        }
        if commands.is_empty() { self.look() } else { commands }
    }

    fn look(&mut self) -> Vec<Command> {
        self.mode = Mode::Looking;
        let lost = self.hosts.iter().filter(|(_, state)| state.needs_look());
        let commands: Vec<Command> =
            lost.map(|(host, _)| Command::LookAgain { host: host.clone() }).collect();
        if commands.is_empty() { self.end() } else { commands }
    }
}

impl HostState {
    /// What it was sent came to nothing before it could do any of it.
    fn has_done_nothing(&mut self) {
        self.may_have_switched = false;
        self.may_be_armed = false;
    }

    pub(super) fn needs_look(&self) -> bool {
        self.stuck || (self.lost && self.may_have_switched)
    }
}

/// Phases with gates go one by one. Where only one host works, a gate between two phases holds of itself, as the
/// runner stops at the first failure: all goes in one trip, but for what has to wait for the deployer, or for its comparing what
/// the host says with what hosts have that stay.
fn group_phases(plan: &Plan) -> Vec<Vec<usize>> {
    let workers: BTreeSet<&HostName> =
        plan.phases.iter().flat_map(|phase| phase.work.iter().map(|work| &work.host)).collect();
    let is_hosts_alone = |index: usize| plan.phases[index].deployer.is_empty();
    let compares = |index: usize| {
        let mut steps = plan.phases[index].work.iter().flat_map(|work| work.steps());
        steps.any(|step| step.action.effects().is_compared)
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in 0..plan.phases.len() {
        match groups.last_mut() {
            Some(last)
                if workers.len() == 1
                    && is_hosts_alone(index)
                    && is_hosts_alone(last[0])
                    && !last.iter().any(|index| compares(*index)) =>
            {
                last.push(index)
            }
            _ => groups.push(vec![index]),
        }
    }
    groups
}
