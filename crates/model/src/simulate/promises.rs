//! What is promised of every run, whatever goes wrong in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::host::{Content, Process, SimHost};
use crate::host::facts::CurrentLink;
use crate::host::record::{JournalKind, SlotState};
use crate::names::{CommitId, HostName};
use crate::plan::action::Action;
use crate::plan::{Intent, Plan, Step};
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
    link: Option<String>,
    /// What served, if all of it was there.
    served: Option<CommitId>,
    was_running: bool,
    /// Whether the plan restarts the app here.
    restarts: bool,
    /// Whether the plan takes the lock here.
    locks: bool,
    /// The phase that it works on.
    phase: Option<usize>,
    moved: bool,
    answered: bool,
    could_not_revert: bool,
    lost_power: bool,
}

impl Promises {
    pub(super) fn new(plan: &Plan, hosts: &[SimHost]) -> Self {
        let starts = plan.hosts.iter().map(|planned| {
            let name = &planned.host.name;
            let host = hosts.iter().find(|host| host.host.name == *name).expect("it is simulated");
            let has = |wanted: fn(&Action) -> bool| {
                let work = plan.phases.iter().filter_map(|phase| phase.work_of(name));
                work.flat_map(|work| &work.steps).any(|step| wanted(&step.action))
            };
            Start {
                host: name.clone(),
                link: host.link.clone(),
                served: host.live_commit().cloned(),
                was_running: host.link.is_some()
                    && matches!(host.process, Process::Runs(_) | Process::Foreign),
                restarts: has(|action| matches!(action, Action::Restart { .. })),
                locks: has(|action| matches!(action, Action::Lock { .. })),
                phase: None,
                moved: false,
                answered: false,
                could_not_revert: false,
                lost_power: false,
            }
        });
        let numbered = plan.phases.iter().enumerate();
        let phase_of = numbered.flat_map(|(index, phase)| {
            let steps = phase.work.iter().flat_map(|work| &work.steps);
            steps.map(move |step| (step.id, index))
        });
        Self {
            violations: Vec::new(),
            abandoned: false,
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

    pub(super) fn could_not_revert(&mut self, site: usize) {
        self.starts[site].could_not_revert = true;
    }

    /// What holds after every single action.
    pub(super) fn after(&mut self, plan: &Plan, host: &SimHost, site: usize, step: &Step, instruction: Done) {
        let Done { succeeded, reverting, confirmed } = instruction;
        let name = &host.host.name;
        if let Some(what) = self.bad_link(site, host) {
            self.broken(Some(name), format!("after \"{}\": {what}", step.action));
        }
        let before_the_lock = matches!(step.action, Action::CreateFolders { .. } | Action::Lock { .. });
        if self.starts[site].locks
            && !before_the_lock
            && host.lock.as_ref().is_none_or(|lock| lock.run != plan.run)
        {
            self.broken(Some(name), format!("\"{}\" was done without the lock", step.action));
        }
        // Folders are made again with every attempt at the lock.
        let may_repeat = matches!(step.action, Action::CreateFolders { .. });
        if succeeded && !self.done.insert(step.id) && !may_repeat {
            self.broken(Some(name), format!("\"{}\" was done twice", step.action));
        }
        if !reverting {
            self.gate(plan, site, step);
            self.starts[site].moved |= host.link != self.starts[site].link;
        }
        match &step.action {
            Action::Record { state: SlotState::Live | SlotState::Retired, .. } if !confirmed => {
                self.broken(Some(name), "a release counts as proven that isn't confirmed");
            }
            Action::Journal { kind: JournalKind::Deployed | JournalKind::RolledBack, .. } if !confirmed => {
                self.broken(Some(name), "the journal tells of a release that isn't confirmed");
            }
            Action::Journal { kind: JournalKind::Reverted, .. } if !reverting || confirmed => {
                self.broken(Some(name), "the journal tells of a revert that didn't happen");
            }
            _ => {}
        }
    }

    /// Whether the link leads to something that nobody should serve.
    fn bad_link(&self, site: usize, host: &SimHost) -> Option<String> {
        let start = &self.starts[site];
        let Some(slot) = host.live_slot() else {
            return match (&start.served, host.link == start.link) {
                (None, true) => None,
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
        let earlier = plan.phases[..phase].iter().flat_map(|phase| &phase.work);
        let mut steps = earlier.flat_map(|work| work.steps.iter().map(move |step| (&work.host, step)));
        let is_open = |step: &Step| !step.action.is_optional() && !self.done.contains(&step.id);
        if let Some((host, open)) = steps.find(|(_, step)| is_open(step)) {
            let name = self.starts[site].host.clone();
            let kind = plan.phases[phase].kind;
            self.broken(Some(&name), format!("{kind} began before \"{}\" of {host} was done", open.action));
        }
    }

    /// What holds when all is over and every runner has ended.
    pub(super) fn at_the_end(
        &mut self,
        plan: &Plan,
        hosts: &[SimHost],
        confirmed: &[bool],
        outcome: Option<&Outcome>,
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
            // A restart that fails leaves an app that a person has to look after; no other run does.
            if plan.intent != Intent::Restart {
                self.process_is_right(site, host);
            }
            if let Some(outcome) = outcome.filter(|_| plan.intent != Intent::Work) {
                self.telling_is_true(plan, site, host, outcome);
                self.verdict_is_true(plan, site, host, confirmed, outcome);
            }
        }
        if let Some(Outcome { verdict: Verdict::Mixed, hosts: told, .. }) = outcome {
            self.mixed_is_mixed(plan, hosts, confirmed, told);
        }
    }

    fn process_is_right(&mut self, site: usize, host: &SimHost) {
        let start = &self.starts[site];
        // Where nothing served before and nothing does now, there was nothing to start instead.
        let has_one = start.was_running || host.live_commit().is_some();
        if !start.restarts || start.could_not_revert || !has_one {
            return;
        }
        let expected = match (host.live_commit(), host.current()) {
            (Some(commit), _) => Process::Runs(commit.clone()),
            (None, CurrentLink::Elsewhere(_)) => Process::Foreign,
            (None, _) => Process::Nothing,
        };
        if host.process != expected {
            let what = format!("the app is {:?}, and current leads to {expected:?}", host.process);
            let name = start.host.clone();
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
                let was_lost = outcome.failures.iter().any(|f| f.host == name && lost(&f.what));
                let excused = self.abandoned || start.could_not_revert || (was_lost && !start.answered);
                let could_be_asked = was_lost && host.is_up && !start.answered;
                if !excused || (could_be_asked && !self.abandoned) {
                    self.broken(Some(&name), "what it serves is said to be unknown, without need");
                }
                return;
            }
            Serving::Release { release } => Some(&release.commit),
            Serving::Nothing => None,
        };
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
        let is_unforeseen = self.abandoned && (start.could_not_revert || start.lost_power);
        if !host.is_up || is_unforeseen {
            return;
        }
        let is_unchanged =
            host.link == start.link && host.live_commit() == start.served.as_ref() && !confirmed;
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
            let is_recorded = recorded.is_some_and(|record| record.state == SlotState::Live);
            all_new &= is_recorded && host.link.as_deref() == Some(target.slot.as_str());
            all_old &= !*confirmed && host.link == start.link;
        }
        if all_new || all_old {
            self.broken(None, "the verdict is that the hosts need a person, and they don't");
        }
    }
}
