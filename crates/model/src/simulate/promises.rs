//! What is promised of every run, whatever goes wrong in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::deployer::SimDeployer;
use super::host::{Content, Process, SimHost, instance_of};
use crate::deployer::action::DeployerAction;
use crate::host::facts::CurrentLink;
use crate::host::record::{JournalKind, JournalRecord, SlotState};
use crate::host::running::KnownBy;
use crate::names::{CommitId, HostName, RunId};
use crate::plan::action::Effect;
use crate::plan::{Found, HostWork, Intent, PhaseKind, Plan, Step};
use crate::run::outcome::{FailureKind, Outcome, Serving, Verdict};

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, if in one place.
    pub host: Option<HostName>,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{host}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// What the promises need to remember.
#[derive(Debug)]
pub(super) struct Promises {
    pub(super) violations: Vec<Violation>,
    /// Whether a person left without waiting for the end.
    pub(super) abandoned: bool,
    /// Whether the deployer was gone before the end.
    pub(super) deployer_gone: bool,
    starts: Vec<Start>,
    /// Steps that were done, and all of them.
    done: BTreeSet<u32>,
    phase_of: BTreeMap<u32, usize>,
}

/// How a step was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) succeeded: bool,
    pub(super) reverting: bool,
    pub(super) confirmed: bool,
}

/// A host of the plan before the run, and what became of it.
#[derive(Debug)]
struct Start {
    host: HostName,
    /// Whether the plan changes the release where it serves.
    in_place: bool,
    link: Option<String>,
    /// What served, if all of it was there.
    served: Option<CommitId>,
    /// What web servers found, if all of it was there.
    visited: Option<CommitId>,
    was_running: bool,
    /// Whether the plan restarts the app here.
    restarts: bool,
    /// Whether something answers that each slot has its own of: from then on a whole release does at every moment.
    answers: bool,
    /// Whether the plan takes the lock here.
    locks: bool,
    /// The phase that it works on.
    phase: Option<usize>,
    moved: bool,
    /// Whether its journal tells of this run.
    noted: bool,
    answered: bool,
    could_not_revert: bool,
    /// What the link led to before a run that was cut short, where that is still to be put back.
    pending: Option<Option<String>>,
    lost_power: bool,
    lost_runner: bool,
    told: bool,
    /// By which run it was out of traffic, and whether a person wanted that.
    drained: Option<(RunId, bool)>,
}

impl Promises {
    pub(super) fn new(plan: &Plan, hosts: &[SimHost]) -> Self {
        let starts = plan.hosts.iter().map(|planned| {
            let name = &planned.host.name;
            let host = hosts.iter().find(|host| host.host.name == *name).expect("it is simulated");
            let has = |wanted: fn(&Effect<'_>) -> bool| {
                let work = plan.phases.iter().filter_map(|phase| phase.work_of(name));
                work.flat_map(HostWork::steps).any(|step| wanted(&step.action.effects().effect))
            };
            Start {
                host: name.clone(),
                in_place: planned.is_in_place(),
                link: host.link.clone(),
                served: host.live_commit().cloned(),
                visited: host.visited_commit().cloned(),
                was_running: host.link.is_some()
                    && host
                        .processes
                        .values()
                        .any(|process| matches!(process, Process::Runs(_) | Process::Foreign)),
                restarts: has(|effect| matches!(effect, Effect::Start(_) | Effect::StartIn { .. })),
                answers: answers(host),
                locks: has(|effect| matches!(effect, Effect::Lock(_))),
                phase: None,
                moved: false,
                noted: false,
                answered: false,
                could_not_revert: false,
                lost_power: false,
                lost_runner: false,
                pending: host.pending.as_ref().map(|pending| pending.record.from.clone()),
                told: host.maintenance,
                drained: host.drained.clone(),
            }
        });
        let numbered = plan.phases.iter().enumerate();
        let phase_of = numbered.flat_map(|(index, phase)| {
            let steps = phase.work.iter().flat_map(HostWork::steps);
            let hosts = steps.map(|step| step.id);
            hosts.chain(phase.deployer.iter().map(|step| step.id)).map(move |id| (id, index))
        });
        Self {
            violations: Vec::new(),
            abandoned: false,
            deployer_gone: false,
            starts: starts.collect(),
            done: BTreeSet::new(),
            phase_of: phase_of.collect(),
        }
    }

    pub(super) fn broken(&mut self, host: Option<&HostName>, what: impl Into<String>) {
        self.violations.push(Violation { host: host.cloned(), what: what.into() });
    }

    pub(super) fn answered(&mut self, site: usize) {
        self.starts[site].answered = true;
    }

    pub(super) fn lost_power(&mut self, site: usize) {
        self.starts[site].lost_power = true;
    }

    pub(super) fn lost_runner(&mut self, site: usize) {
        self.starts[site].lost_runner = true;
    }

    pub(super) fn deployer_did(&mut self, step: u32) {
        self.done.insert(step);
    }

    /// Nothing is done on the deployer, either, before all that comes before it was done.
    pub(super) fn deployer_begins(&mut self, plan: &Plan, step: u32, kind: PhaseKind) {
        let Some(phase) = self.phase_of.get(&step).copied() else { return };
        if let Some((host, open)) = self.open_before(plan, phase) {
            self.broken(None, format!("{kind} began here before \"{open}\" of {host} was done"));
        }
    }

    pub(super) fn could_not_revert(&mut self, site: usize) {
        self.starts[site].could_not_revert = true;
    }

    /// What holds after every single action.
    pub(super) fn after(&mut self, plan: &Plan, host: &SimHost, site: usize, step: &Step, done: Done) {
        let Done { succeeded, reverting, confirmed } = done;
        let name = &host.host.name;
        if let Some(what) = self.bad_link(site, host) {
            self.broken(Some(name), format!("after \"{}\": {what}", step.action));
        }
        // But for what is put back, to write things down and to lay them out anew is no deploy.
        let Start { visited: was, pending, .. } = &self.starts[site];
        let found = host.visited_commit();
        if plan.intent == Intent::Work && pending.is_none() && found != was.as_ref() {
            let what =
                format!("after \"{}\": web servers find {found:?}, and found {was:?} before", step.action);
            self.broken(Some(name), what);
        }
        let Start { answers: answered, lost_power, pending, .. } = &self.starts[site];
        // Where nothing served before, nothing is what is gone back to.
        let is_bare = pending.as_ref() == Some(&None) && host.link.is_none();
        // A restart is one.
        if *answered && !lost_power && !is_bare && plan.intent != Intent::Restart && !answers(host) {
            self.broken(
                Some(name),
                format!("after \"{}\": nothing answers who follows the link", step.action),
            );
        }
        let effects = step.action.effects();
        let before_the_lock = matches!(effects.effect, Effect::Folders(_) | Effect::Lock(_));
        if self.starts[site].locks
            && !before_the_lock
            && host.lock.as_ref().is_none_or(|lock| lock.run != plan.run)
        {
            self.broken(Some(name), format!("\"{}\" was done without the lock", step.action));
        }
        // Folders are made again with every attempt at the lock.
        let may_repeat = matches!(effects.effect, Effect::Folders(_));
        if succeeded && !self.done.insert(step.id) && !may_repeat {
            self.broken(Some(name), format!("\"{}\" was done twice", step.action));
        }
        if !reverting {
            self.gate(plan, site, step);
            self.starts[site].moved |= host.link != self.starts[site].link;
            self.starts[site].moved |=
                matches!(effects.effect, Effect::InPlace { .. } | Effect::PutBack { .. });
        }
        match effects.effect {
            // What a tree holds is found, and not made.
            Effect::Mark { slot, release, .. } if plan.intent == Intent::Work => {
                let content = host.slots.get(slot).map(|slot| &slot.content);
                if succeeded && content != Some(&Content::Complete(release.commit.clone())) {
                    self.broken(Some(name), format!("{release} is said to be in {slot}, and isn't"));
                }
            }
            Effect::Mark { state: SlotState::Live | SlotState::Retired, .. } if !confirmed => {
                self.broken(Some(name), "a release counts as proven that isn't confirmed");
            }
            Effect::Journal { kind: JournalKind::Deployed | JournalKind::RolledBack, .. } if !confirmed => {
                self.broken(Some(name), "the journal tells of a release that isn't confirmed");
            }
            Effect::Journal { kind: JournalKind::Reverted, .. } if !reverting || confirmed => {
                self.broken(Some(name), "the journal tells of a revert that didn't happen");
            }
            Effect::Journal { .. } => self.starts[site].noted |= succeeded,
            _ => {}
        }
    }

    /// Whether the link leads to something that nobody should serve.
    fn bad_link(&self, site: usize, host: &SimHost) -> Option<String> {
        let start = &self.starts[site];
        // What was never confirmed may be put back to what was there before, even to nothing.
        if start.pending.as_ref() == Some(&host.link)
            && (host.pending.is_some() || host.live_slot().is_none())
        {
            return None;
        }
        // In its place a release can't come to serve in one moment; but never without a way back.
        if start.in_place && host.pending.is_some() {
            return None;
        }
        let Some(slot) = host.live_slot() else {
            // Another tool's link may do without ours.
            let is_passed_by = host.link.is_none() && host.visited_commit().is_some();
            return match (&start.served, host.link == start.link) {
                (None, true) => None,
                _ if is_passed_by => None,
                _ => Some(format!("current leads to no slot: {:?}", host.link)),
            };
        };
        let state = slot.record.as_ref().map(|record| record.state);
        match &slot.content {
            Content::Complete(_) if state != Some(SlotState::Building) => None,
            Content::Complete(_) => Some("the live slot is being built".to_owned()),
            Content::Partial | Content::Missing => Some("the live slot isn't complete".to_owned()),
        }
    }

    /// No phase begins anywhere before the one before it has ended well on every host.
    fn gate(&mut self, plan: &Plan, site: usize, step: &Step) {
        let Some(phase) = self.phase_of.get(&step.id).copied() else { return };
        if self.starts[site].phase == Some(phase) {
            return;
        }
        self.starts[site].phase = Some(phase);
        if let Some((host, open)) = self.open_before(plan, phase) {
            let name = self.starts[site].host.clone();
            let kind = plan.phases[phase].kind;
            self.broken(Some(&name), format!("{kind} began before \"{open}\" of {host} was done"));
        }
    }

    /// A step of an earlier phase that has to be done, and isn't.
    fn open_before(&self, plan: &Plan, phase: usize) -> Option<(String, String)> {
        plan.phases[..phase].iter().find_map(|phase| {
            let deployer = phase.deployer.iter().find(|step| !self.done.contains(&step.id));
            let open = deployer.map(|step| ("the deployer".to_owned(), step.action.to_string()));
            open.or_else(|| {
                let steps = phase.work.iter().flat_map(|work| work.steps().map(move |step| (work, step)));
                let is_open =
                    |step: &Step| !step.action.effects().is_optional() && !self.done.contains(&step.id);
                let (work, step) = steps.into_iter().find(|(_, step)| is_open(step))?;
                Some((work.host.to_string(), step.action.to_string()))
            })
        })
    }

    /// What holds when all is over and every runner has ended.
    pub(super) fn at_the_end(
        &mut self,
        plan: &Plan,
        hosts: &[SimHost],
        confirmed: &[bool],
        outcome: Option<&Outcome>,
        out: &BTreeSet<HostName>,
    ) {
        for (site, confirmed) in confirmed.iter().copied().enumerate() {
            let name = self.starts[site].host.clone();
            let host = hosts.iter().find(|host| host.host.name == name).expect("it is simulated");
            if host.lock.as_ref().is_some_and(|lock| lock.run == plan.run) {
                self.broken(Some(&name), "the lock is still held");
            }
            if let Some(what) = self.bad_link(site, host) {
                self.broken(Some(&name), format!("at the end: {what}"));
            }
            self.nothing_is_left(plan, site, host, outcome);
            // A restart that fails leaves an app that a person has to look after; no other run does.
            if plan.intent != Intent::Restart {
                self.process_is_right(site, host);
            }
            if let Some(outcome) = outcome.filter(|_| plan.intent != Intent::Work) {
                self.telling_is_true(plan, site, host, outcome);
                self.verdict_is_true(plan, site, host, confirmed, outcome);
            }
        }
        let says_nothing_was_done = outcome.is_some_and(|outcome| {
            matches!(outcome.verdict, Verdict::Refused | Verdict::Locked | Verdict::Unreachable)
        });
        let noted = self.starts.iter().find(|start| start.noted).map(|start| start.host.clone());
        if let Some(host) = noted.filter(|_| says_nothing_was_done && !self.abandoned) {
            self.broken(
                Some(&host),
                "nothing was changed, says the verdict, and its journal tells of this run",
            );
        }
        if let Some(Outcome { verdict: Verdict::Mixed, hosts: told, .. }) = outcome {
            // A host that gets no requests waits for a person, too.
            if out.is_empty() {
                self.mixed_is_mixed(plan, hosts, confirmed, told);
            }
        }
    }

    /// What a run has only begun, and nobody says how it goes on, is taken back: the switch, and what visitors are told.
    fn nothing_is_left(&mut self, plan: &Plan, site: usize, host: &SimHost, outcome: Option<&Outcome>) {
        let Start { host: name, told, could_not_revert, lost_power, lost_runner, .. } = &self.starts[site];
        if *could_not_revert || *lost_power || *lost_runner {
            return;
        }
        let (name, told) = (name.clone(), *told);
        if host.pending.is_some() {
            self.broken(Some(&name), "a switch is still pending");
        }
        let switches = matches!(plan.intent, Intent::Deploy | Intent::Rollback);
        if switches && host.maintenance != told {
            self.broken(Some(&name), "visitors are told something else than before the run");
        }
        // What another run has left, one that comes to nothing needn't put right.
        let is_done = outcome.is_some_and(|outcome| outcome.verdict == Verdict::Done);
        let left_out = |(by, is_by_hand): &(RunId, bool)| !is_by_hand && (is_done || *by == plan.run);
        if switches && host.drained.as_ref().is_some_and(left_out) && !drains_by_deployer(plan) {
            self.broken(Some(&name), "it is left out of traffic");
        }
        let was_by_hand = self.starts[site].drained.as_ref().is_some_and(|(_, is_by_hand)| *is_by_hand);
        if switches && was_by_hand && host.drained.is_none() {
            self.broken(Some(&name), "a person had taken it out of traffic, and it was put back");
        }
    }

    /// A tag that nobody else has seen goes with the release that came to nothing; one that somebody has seen stays.
    pub(super) fn of_the_deployer(
        &mut self,
        plan: &Plan,
        hosts: &[SimHost],
        before: &SimDeployer,
        after: &SimDeployer,
        outcome: Option<&Outcome>,
    ) {
        let new = |tag: &&String| !before.tags.contains(*tag);
        let failed = outcome.is_some_and(|outcome| outcome.verdict != Verdict::Done);
        for tag in after.tags.iter().filter(new) {
            let is_public = after.remote_tags.get(tag) == Some(&true);
            if failed && !is_public && !self.abandoned && !self.deployer_gone {
                self.broken(None, format!("the tag {tag} is left, though the run came to nothing"));
            }
        }
        self.traffic_is_told(plan, hosts, before, after, outcome);
        let done = outcome.is_some_and(|outcome| outcome.verdict == Verdict::Done);
        let tags = plan.deployer_steps().filter_map(|found| match found {
            Found::OnDeployer { step, .. } => match &step.action {
                DeployerAction::PushTag { tag, .. } => Some(tag),
                _ => None,
            },
            Found::OnHost { .. } => None,
        });
        for tag in tags {
            if done && after.remote_tags.get(tag) != Some(&true) {
                self.broken(None, format!("all is done, and the tag {tag} was never pushed"));
            }
        }
    }

    /// A host that only the deployer can put back says that it is out of traffic for as long as it may be, and no longer than somebody could tell
    /// it; and a run that has left one out says that a person is needed.
    fn traffic_is_told(
        &mut self,
        plan: &Plan,
        hosts: &[SimHost],
        before: &SimDeployer,
        after: &SimDeployer,
        outcome: Option<&Outcome>,
    ) {
        if !drains_by_deployer(plan) {
            return;
        }
        let verdict = outcome.map(|outcome| outcome.verdict);
        let is_whole = !self.abandoned && !self.deployer_gone;
        for host in hosts {
            let name = host.host.name.clone();
            let is_out = after.out.contains(&name);
            if is_out && host.drained.is_none() {
                self.broken(Some(&name), "it is out of traffic, and doesn't say so");
            }
            let is_wanted = plan.intent == Intent::Work && verdict == Some(Verdict::Done);
            let is_told = is_wanted || verdict == Some(Verdict::Mixed);
            if is_out && !before.out.contains(&name) && is_whole && !is_told {
                self.broken(Some(&name), "it was left out of traffic, and nobody is told");
            }
            // Where the run came to nothing it forgets that before it writes down that it did.
            let wrote = |record: &JournalRecord| record.run == plan.run && record.kind == JournalKind::Failed;
            let could_be_told = verdict == Some(Verdict::Done) || host.journal.iter().any(wrote);
            if !is_out && host.drained.as_ref().is_some_and(|(_, is_by_hand)| !is_by_hand) && could_be_told {
                self.broken(Some(&name), "it says that it is out of traffic, and isn't");
            }
        }
    }

    fn process_is_right(&mut self, site: usize, host: &SimHost) {
        let start = &self.starts[site];
        // Where nothing served before and nothing does now, there was nothing to start instead.
        let has_one = start.was_running || host.live_commit().is_some();
        if !start.restarts || start.could_not_revert || start.lost_runner || !has_one {
            return;
        }
        // What was half-way to another release when the power went, nothing can be started from.
        if start.in_place && host.pending.is_some() {
            return;
        }
        let expected = match (host.live_commit(), host.current()) {
            (Some(commit), _) => Process::Runs(commit.clone()),
            (None, CurrentLink::Elsewhere(_)) => Process::Foreign,
            (None, _) => Process::Nothing,
        };
        let name = start.host.clone();
        // What another slot has of its own may run, or not.
        let is_live =
            |service: &str| instance_of(service).is_none_or(|slot| host.link.as_deref() == Some(slot));
        let wrong =
            host.processes.iter().filter(|(service, process)| is_live(service) && **process != expected);
        for (service, process) in wrong {
            let what = format!("{service} is {process:?}, and current leads to {expected:?}");
            self.broken(Some(&name), what);
        }
    }

    /// What is told of a host is what it serves; and nothing is left open that could have been asked.
    fn telling_is_true(&mut self, plan: &Plan, site: usize, host: &SimHost, outcome: &Outcome) {
        let start = &self.starts[site];
        let name = start.host.clone();
        let Some(told) = outcome.hosts.iter().find(|told| told.host == name) else {
            return self.broken(Some(&name), "nothing is told of it");
        };
        let told_commit = match &told.serving {
            Serving::Unknown => {
                let lost = |what: &FailureKind| matches!(what, FailureKind::Lost { .. });
                let was_lost =
                    outcome.failures.iter().any(|f| f.host.as_ref() == Some(&name) && lost(&f.what));
                // Where one release is half in the place of another, neither serves.
                let is_neither = start.in_place && host.pending.is_some();
                let excused =
                    self.abandoned || start.could_not_revert || (was_lost && !start.answered) || is_neither;
                let could_be_asked = was_lost && host.is_up && !start.answered;
                if !excused || (could_be_asked && !self.abandoned) {
                    self.broken(Some(&name), "what it serves is said to be unknown, without need");
                }
                return;
            }
            serving => serving.linked().map(|release| &release.commit),
        };
        // A host that couldn't go back was looked at: what is said to serve has to be what runs.
        let is_plain = matches!(told.serving, Serving::Release { known_by: KnownBy::App, .. });
        if start.could_not_revert && !self.abandoned && is_plain && host.is_up {
            let runs = told_commit.map(|commit| Process::Runs(commit.clone()));
            let is_live =
                |service: &str| instance_of(service).is_none_or(|slot| host.link.as_deref() == Some(slot));
            let mut running = host.processes.iter().filter(|(service, _)| is_live(service));
            if let Some((service, process)) = running.find(|(_, runs_now)| Some(*runs_now) != runs.as_ref()) {
                let what = format!("it is said to serve {told_commit:?}, and {service} is {process:?}");
                return self.broken(Some(&name), what);
            }
        }
        // What a host without power serves is nobody's to know; and a release that nobody recorded has no name.
        let known = plan.host(&name).is_some_and(|planned| planned.from.is_some()) || start.served.is_none();
        let truth = host.live_commit();
        if host.is_up && told_commit != truth && (known || told_commit.is_some()) {
            self.broken(Some(&name), format!("it is said to serve {told_commit:?}, and serves {truth:?}"));
        }
    }

    fn verdict_is_true(
        &mut self,
        plan: &Plan,
        site: usize,
        host: &SimHost,
        confirmed: bool,
        outcome: &Outcome,
    ) {
        let start = &self.starts[site];
        let target = plan.hosts[site].to.as_ref();
        // What goes wrong after a person has left without waiting, nobody could have told them.
        let is_unforeseen =
            self.abandoned && (start.could_not_revert || start.lost_power || start.lost_runner);
        if !host.is_up || is_unforeseen {
            return;
        }
        // A host that only told its visitors is confirmed, too, and serves what it served.
        let is_confirmed_switch = confirmed && target.is_some();
        let is_unchanged =
            host.link == start.link && host.live_commit() == start.served.as_ref() && !is_confirmed_switch;
        let recorded = host.live_slot().and_then(|slot| slot.record.as_ref());
        let is_confirmed = confirmed || recorded.is_some_and(|record| record.state == SlotState::Live);
        let holds = match (outcome.verdict, target) {
            (Verdict::Done, Some(target)) => {
                host.live_commit() == Some(&target.release.commit)
                    && host.link.as_deref() == Some(target.slot.as_str())
                    && is_confirmed
            }
            (Verdict::Done, None) => is_unchanged,
            (Verdict::Refused | Verdict::Locked | Verdict::Unreachable | Verdict::FailedBefore, _) => {
                is_unchanged && !start.moved
            }
            (Verdict::Reverted | Verdict::Interrupted, _) => is_unchanged,
            (Verdict::Mixed, _) => true,
        };
        if !holds {
            let name = start.host.clone();
            let what = format!(
                "the verdict is {:?}, but current leads to {:?}, confirmed: {confirmed}",
                outcome.verdict, host.link
            );
            self.broken(Some(&name), what);
        }
    }

    /// A person is called only if one is needed.
    fn mixed_is_mixed(
        &mut self,
        plan: &Plan,
        hosts: &[SimHost],
        confirmed: &[bool],
        told: &[crate::run::outcome::HostOutcome],
    ) {
        if told.iter().any(|told| told.serving == Serving::Unknown) {
            return;
        }
        let mut all_new = true;
        let mut all_old = true;
        for ((planned, start), confirmed) in plan.hosts.iter().zip(&self.starts).zip(confirmed) {
            let Some(target) = &planned.to else { continue };
            let host = hosts.iter().find(|host| host.host.name == start.host).expect("it is simulated");
            // A host that lost its power between being confirmed and writing that down is nobody's to tell apart.
            let recorded = host.live_slot().and_then(|slot| slot.record.as_ref());
            // In its place the same release may come once more.
            let is_recorded = recorded.is_some_and(|record| {
                record.state == SlotState::Live && (!start.in_place || record.run == plan.run)
            });
            all_new &= is_recorded && host.link.as_deref() == Some(target.slot.as_str());
            all_old &= !*confirmed && host.link == start.link && host.live_commit() == start.served.as_ref();
            // What couldn't be put back waits for a person, wherever the link leads.
            if host.pending.is_some() {
                return;
            }
        }
        if all_new || all_old {
            self.broken(None, "the verdict is that the hosts need a person, and they don't");
        }
    }
}

pub(super) fn drains_by_deployer(plan: &Plan) -> bool {
    plan.deployer_steps().any(|found| match found {
        Found::OnDeployer { step, .. } => matches!(step.action, DeployerAction::Drain(_)),
        Found::OnHost { .. } => false,
    })
}

/// Whether what runs the release that the link leads to is up, where each slot has its own: all of it, and nothing else, is asked by
/// who follows the link.
fn answers(host: &SimHost) -> bool {
    let is_live = |service: &str| instance_of(service).is_some_and(|slot| host.link.as_deref() == Some(slot));
    let mut live = host.processes.iter().filter(|(service, _)| is_live(service)).peekable();
    let serves = host.live_commit().map(|commit| Process::Runs(commit.clone()));
    live.peek().is_some() && live.all(|(_, process)| Some(process) == serves.as_ref())
}
