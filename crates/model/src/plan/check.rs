//! Proves of a plan, as data, that it can do no harm: whoever made it, and whatever the facts were.
//!
//! A finding is a bug of the planner, never of the person who asked for the plan.

use std::collections::BTreeSet;
use std::fmt;

use crate::host::layout::Layout;
use crate::host::record::SlotState;
use crate::names::{CommitId, HostName, HostPath};
use crate::plan::action::{Action, Schema};
use crate::plan::{HostPlan, HostWork, Phase, PhaseKind, Plan, Step};

/// Something that no plan may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is broken.
    pub rule: PlanRule,
    /// Where; `None` if it is the plan as a whole.
    pub host: Option<HostName>,
    /// The number of the step, if it is one.
    pub step: Option<u32>,
    /// What was found.
    pub what: String,
}

/// What is proven of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanRule {
    /// Phases come in order (lock, prepare, once, switch by waves, finish), or there is only work that switches nothing.
    PhaseOrder,
    /// Every step has a number of its own, from 1.
    StepNumbers,
    /// A step is in a phase where it may be, on a host that the plan knows, once.
    Misplaced,
    /// A host that is changed has its lock taken first, and its state is then compared with what the plan was made from.
    Unlocked,
    /// Nothing before the switch touches the slot that serves.
    LiveSlotTouched,
    /// A slot is marked as being built before anything in it changes, and as ready last.
    Unmarked,
    /// A host is switched to a slot that this plan has made ready or proven, with the release that was promised.
    Unproven,
    /// A host that is switched knows how to go back, and begins with the link.
    NoWayBack,
    /// Nothing in the last phase can fail the run.
    StrictFinish,
    /// The shell of a step fits into a command.
    TooLong,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.rule)?;
        if let Some(host) = &self.host {
            write!(f, ", {host}")?;
        }
        if let Some(step) = self.step {
            write!(f, ", step {step}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// All that is wrong with a plan but the length of its shell, which [`shell::check_plan`](crate::shell::check_plan) adds.
pub(crate) fn check(plan: &Plan) -> Vec<Finding> {
    let mut findings = Findings::default();
    phase_order(plan, &mut findings);
    step_numbers(plan, &mut findings);
    places(plan, &mut findings);
    for host in &plan.hosts {
        findings.host = Some(host.host.name.clone());
        let work = HostLine::new(plan, host);
        unlocked(&work, &mut findings);
        live_slot(&work, &mut findings);
        marks(&work, &mut findings);
        targets(&work, &mut findings);
        way_back(&work, &mut findings);
    }
    findings.list
}

#[derive(Default)]
struct Findings {
    host: Option<HostName>,
    list: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, rule: PlanRule, step: Option<&Step>, what: impl Into<String>) {
        let (host, step) = (self.host.clone(), step.map(|step| step.id));
        self.list.push(Finding { rule, host, step, what: what.into() });
    }
}

/// All that one host does, in order.
struct HostLine<'p> {
    planned: &'p HostPlan,
    work: Vec<(PhaseKind, &'p HostWork)>,
}

impl<'p> HostLine<'p> {
    fn new(plan: &'p Plan, planned: &'p HostPlan) -> Self {
        let of = |phase: &'p Phase| Some((phase.kind, phase.work_of(&planned.host.name)?));
        Self { planned, work: plan.phases.iter().filter_map(of).collect() }
    }

    fn steps(&self) -> impl Iterator<Item = (PhaseKind, &'p Step)> + '_ {
        self.work.iter().flat_map(|(kind, work)| work.steps.iter().map(move |step| (*kind, step)))
    }

    fn reverts(&self) -> impl Iterator<Item = &'p Step> + '_ {
        self.work.iter().flat_map(|(_, work)| &work.revert)
    }

    /// The folder that the link leads to before the run, as far as the way back tells.
    fn live_folder(&self) -> Option<HostPath> {
        let text = self.reverts().find_map(|step| match &step.action {
            Action::SwitchLink { target } => target.as_deref(),
            _ => None,
        })?;
        let Layout { releases, .. } = &self.planned.layout;
        let text = text.trim_end_matches('/');
        if text.starts_with('/') {
            return HostPath::new(text).ok();
        }
        Some(releases.join(text.strip_prefix("./").unwrap_or(text)))
    }
}

fn is_switch(kind: PhaseKind) -> bool {
    matches!(kind, PhaseKind::Switch { .. })
}

fn phase_order(plan: &Plan, findings: &mut Findings) {
    let kinds: Vec<PhaseKind> = plan.phases.iter().map(|phase| phase.kind).collect();
    if kinds == [PhaseKind::Work] {
        return;
    }
    for pair in kinds.windows(2) {
        if pair[0] >= pair[1] {
            findings.add(PlanRule::PhaseOrder, None, format!("{} comes before {}", pair[0], pair[1]));
        }
    }
    if kinds.contains(&PhaseKind::Work) {
        findings.add(PlanRule::PhaseOrder, None, "work stands beside other phases");
    }
    let waves = kinds.iter().filter(|kind| is_switch(**kind)).count() as u32;
    let switches = kinds.iter().copied().filter(|kind| is_switch(*kind));
    for (index, kind) in switches.enumerate() {
        if kind != (PhaseKind::Switch { wave: index as u32 + 1, of: waves }) {
            findings.add(PlanRule::PhaseOrder, None, format!("{kind}: there are {waves} waves"));
        }
    }
    if waves > 0 && kinds.last() != Some(&PhaseKind::Finish) {
        findings.add(PlanRule::PhaseOrder, None, "a switch is never confirmed");
    }
}

fn step_numbers(plan: &Plan, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for work in plan.phases.iter().flat_map(|phase| &phase.work) {
        for step in work.steps.iter().chain(&work.revert) {
            // The look at a host is step 0.
            if step.id == 0 || !seen.insert(step.id) {
                findings.add(PlanRule::StepNumbers, Some(step), "its number isn't its own");
            }
        }
    }
}

/// Who does what in which phase.
fn places(plan: &Plan, findings: &mut Findings) {
    for phase in &plan.phases {
        let mut hosts = BTreeSet::new();
        if phase.kind == PhaseKind::Once && phase.work.len() != 1 {
            let what = format!("{} hosts do what one host should", phase.work.len());
            findings.add(PlanRule::Misplaced, None, what);
        }
        for work in &phase.work {
            findings.host = Some(work.host.clone());
            if plan.host(&work.host).is_none() || !hosts.insert(&work.host) {
                findings.add(
                    PlanRule::Misplaced,
                    None,
                    format!("a stranger, or there twice, in {}", phase.kind),
                );
            }
            if !work.revert.is_empty() && !is_switch(phase.kind) {
                findings.add(PlanRule::Misplaced, None, format!("a way back in {}", phase.kind));
            }
            for step in &work.steps {
                if !may_be_in(&step.action, phase.kind) {
                    findings.add(
                        PlanRule::Misplaced,
                        Some(step),
                        format!("\"{}\" in {}", step.action, phase.kind),
                    );
                }
                if phase.kind == PhaseKind::Finish && !step.action.is_optional() {
                    findings.add(PlanRule::StrictFinish, Some(step), step.action.to_string());
                }
            }
            findings.host = None;
        }
    }
}

fn may_be_in(action: &Action, kind: PhaseKind) -> bool {
    use PhaseKind::{Finish, Lock, Once, Prepare, Switch, Work};
    match action {
        // What is kept may have to be kept before the first deploy.
        Action::CreateFolders { .. } => matches!(kind, Lock | Work),
        Action::Guard { .. } => matches!(kind, Lock | Work),
        Action::ProveSudo => kind == Lock,
        Action::Prune => kind == Finish,
        Action::Lock { .. } => matches!(kind, Lock | Work),
        Action::Fetch { .. }
        | Action::Checkout { .. }
        | Action::Submodules { .. }
        | Action::Shared { .. }
        | Action::Package { .. }
        | Action::Virtualenv { .. }
        | Action::ServiceFiles { .. }
        | Action::VerifyCommit { .. } => kind == Prepare,
        Action::AskApp { .. } => is_switch(kind),
        Action::VerifyRunning { .. } => is_switch(kind) || kind == Work,
        Action::Migrations { schema: Schema::Reverse, .. } => kind == Once,
        Action::Migrations { .. } => kind == Prepare,
        Action::Record { state: SlotState::Building | SlotState::Ready, .. } => {
            // What is rolled back from is marked as ready, which makes it no target of a rollback.
            kind == Prepare || kind == Finish
        }
        Action::Record { .. } => kind == Finish,
        Action::Hook { .. } => matches!(kind, Prepare | Once | Switch { .. } | Finish),
        Action::SwitchLink { .. } => is_switch(kind),
        Action::Restart { .. } | Action::Stop { .. } => is_switch(kind) || kind == Work,
        Action::Journal { .. } => matches!(kind, Prepare | Finish | Work),
        Action::EnvFile { .. } => kind == Work,
        Action::RequireFile { .. } => kind == Prepare,
        Action::Crontab { .. } => kind == Finish,
        Action::MaintenanceSetting { .. } => kind == Prepare || is_switch(kind) || kind == Work,
        Action::Maintenance { .. } => is_switch(kind) || kind == Work,
        Action::Hold { .. } | Action::Unhold | Action::Run { .. } => kind == Work,
    }
}

/// The lock and the guard come before all else, but for making the folder that the lock lies in.
fn unlocked(line: &HostLine<'_>, findings: &mut Findings) {
    let mut steps = line.steps().filter(|(kind, _)| *kind != PhaseKind::Work);
    let mut next = steps.next();
    if next.is_none() {
        return;
    }
    if matches!(next, Some((_, Step { action: Action::CreateFolders { .. }, .. }))) {
        next = steps.next();
    }
    if !matches!(next, Some((PhaseKind::Lock, Step { action: Action::Lock { .. }, .. }))) {
        findings.add(PlanRule::Unlocked, next.map(|(_, step)| step), "it comes before the lock");
        return;
    }
    let next = steps.next();
    if !matches!(next, Some((PhaseKind::Lock, Step { action: Action::Guard { .. }, .. }))) {
        findings.add(PlanRule::Unlocked, next.map(|(_, step)| step), "it comes before the guard");
    }
}

fn live_slot(line: &HostLine<'_>, findings: &mut Findings) {
    let Some(live) = line.live_folder() else { return };
    let current = line.planned.layout.current();
    let is_live = |path: &HostPath| {
        let inside = |folder: &HostPath| {
            path == folder
                || path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        inside(&live) || inside(&current)
    };
    for (kind, step) in line.steps() {
        let touched = match &step.action {
            // Once a run is confirmed, the slot that served is no longer live.
            Action::Record { slot, .. } if kind != PhaseKind::Finish => line.planned.layout.slot(slot),
            Action::Fetch { slot, .. }
            | Action::Checkout { slot, .. }
            | Action::Submodules { slot, .. }
            | Action::Shared { slot, .. }
            | Action::Virtualenv { slot, .. } => line.planned.layout.slot(slot),
            Action::MaintenanceSetting { slot, .. } if kind != PhaseKind::Work => {
                line.planned.layout.slot(slot)
            }
            Action::Hook { around, .. } if kind != PhaseKind::Finish => around.directory.clone(),
            _ => continue,
        };
        if is_live(&touched) {
            let what = format!("\"{}\" in {touched}, which serves", step.action);
            findings.add(PlanRule::LiveSlotTouched, Some(step), what);
        }
    }
}

/// How far a slot is, in one run.
#[derive(PartialEq)]
enum Mark {
    Unknown,
    Building,
    Filled(CommitId),
    Ready(CommitId),
}

fn marks(line: &HostLine<'_>, findings: &mut Findings) {
    let Some(target) = &line.planned.to else { return };
    let mut mark = Mark::Unknown;
    let slot_folder = line.planned.layout.slot(&target.slot);
    for (kind, step) in line.steps() {
        let mut wrong = |what: &str| {
            findings.add(PlanRule::Unmarked, Some(step), format!("\"{}\": {what}", step.action));
        };
        match &step.action {
            Action::Record { slot, state: SlotState::Building, release, .. } => {
                if *slot != target.slot || *release != target.release || mark != Mark::Unknown {
                    wrong("it isn't the slot that will serve, or not the first mark there");
                }
                mark = Mark::Building;
            }
            Action::Fetch { slot, commit, .. } | Action::Checkout { slot, commit, .. } => {
                if *slot != target.slot || *commit != target.release.commit {
                    wrong("it isn't what will serve");
                }
                if !matches!(mark, Mark::Building | Mark::Filled(_)) {
                    wrong("the slot isn't marked as being built");
                }
                if matches!(step.action, Action::Checkout { .. }) {
                    mark = Mark::Filled(commit.clone());
                }
            }
            Action::Submodules { slot, .. }
            | Action::Shared { slot, .. }
            | Action::Virtualenv { slot, .. }
                if *slot != target.slot || mark != Mark::Filled(target.release.commit.clone()) =>
            {
                wrong("the slot isn't filled, or is ready already");
            }
            Action::Hook { around, .. }
                if kind == PhaseKind::Prepare
                    && around.directory == slot_folder
                    && !matches!(mark, Mark::Filled(_)) =>
            {
                wrong("the slot isn't filled, or is ready already");
            }
            Action::Record { slot, state: SlotState::Ready, release, .. } if kind == PhaseKind::Prepare => {
                if *slot != target.slot || mark != Mark::Filled(release.commit.clone()) {
                    wrong("the slot doesn't hold that");
                }
                mark = Mark::Ready(release.commit.clone());
            }
            _ => {}
        }
    }
    if matches!(mark, Mark::Building | Mark::Filled(_)) {
        findings.add(PlanRule::Unmarked, None, format!("{} is never marked as ready", target.slot));
    }
}

/// Every link that is moved leads to what was made ready, or proven, before.
fn targets(line: &HostLine<'_>, findings: &mut Findings) {
    let mut proven = Vec::new();
    let mut points = 0;
    for (_, step) in line.steps() {
        match &step.action {
            Action::Record { slot, state: SlotState::Ready, release, .. } => {
                proven.push((slot.as_str(), &release.commit));
            }
            Action::VerifyCommit { slot, commit } => proven.push((slot.as_str(), commit)),
            Action::SwitchLink { target } => {
                points += 1;
                let promised = line.planned.to.as_ref();
                let is_promised = promised.is_some_and(|to| target.as_deref() == Some(to.slot.as_str()));
                let is_proven =
                    promised.is_some_and(|to| proven.contains(&(to.slot.as_str(), &to.release.commit)));
                if !is_promised || !is_proven {
                    let what = format!("\"{}\", which this plan hasn't proven", step.action);
                    findings.add(PlanRule::Unproven, Some(step), what);
                }
            }
            _ => {}
        }
    }
    let expected = u32::from(line.planned.to.is_some());
    if points != expected {
        let what = format!("its link is moved {points} times rather than {expected}");
        findings.add(PlanRule::Unproven, None, what);
    }
}

fn way_back(line: &HostLine<'_>, findings: &mut Findings) {
    for (_, work) in &line.work {
        let Some(forward) = work.steps.iter().find(|step| step.action.switches()) else { continue };
        let Some(Step { action: Action::SwitchLink { target: back }, .. }) = work.revert.first() else {
            findings.add(
                PlanRule::NoWayBack,
                Some(forward),
                "nothing, or not the link, comes first on its way back",
            );
            continue;
        };
        if work.revert.iter().filter(|step| step.action.switches()).count() > 1 {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back moves the link twice");
        }
        let leads_on = matches!(&forward.action, Action::SwitchLink { target } if target == back);
        if leads_on {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back leads where it led already");
        }
        if back.is_none() && line.planned.from.is_some() {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back takes away a link that was there");
        }
    }
}
