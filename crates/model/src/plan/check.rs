//! Proves of a plan, as data, that it can do no harm: whoever made it, and whatever the facts were.
//!
//! A finding is a bug of the planner, never of the person who asked for the plan.

use std::collections::BTreeSet;
use std::fmt;

use super::action::{Effect, Effects, PhaseName};
use super::frame::Instruction;
use super::promise::Promise;
use super::{DeployerStep, Found, HostPlan, HostWork, Phase, PhaseKind, Plan, Step};
use crate::deployer::action::DeployerAction;
use crate::host::layout::Layout;
use crate::host::record::SlotState;
use crate::names::{CommitId, HostName, HostPath};

/// Something that no plan may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is broken.
    pub rule: PlanRule,
    /// Where; `None` if it is the plan as a whole, or the deployer.
    pub host: Option<HostName>,
    /// The number of the step, if it is one.
    pub step: Option<u32>,
    /// What was found.
    pub what: String,
}

/// What is proven of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanRule {
    /// Phases come in their order, or there is only work that switches nothing.
    PhaseOrder,
    /// Every step has a number of its own, from 1.
    StepNumbers,
    /// A step is in a phase where it may be, on a host that the plan knows, once.
    Misplaced,
    /// A host that is changed has its lock taken first, and its state is then compared with what the plan was made from.
    Unlocked,
    /// Nothing before the switch touches the slot that serves, unless the strategy can't promise that; nor does the switch itself, but
    /// where the host was armed with the way back to a copy of it.
    LiveSlotTouched,
    /// A slot is marked as being built before anything in it changes, and as ready last.
    Unmarked,
    /// A host is switched to a slot that this plan has made ready or proven, with the release that was promised.
    Unproven,
    /// A host that is switched is armed before, knows how to go back, and begins with the link.
    NoWayBack,
    /// A host that was armed is confirmed in the end, once, and before anything that only a live release is told; and
    /// its runner is let go last.
    Unconfirmed,
    /// What others can see is made public only when every host is ready, and what led to it can be taken back until then.
    TooEarly,
    /// Where an app's hosts bake, all of those that serve its new release by then do, and each does before it is confirmed.
    Unbaked,
    /// Nothing can fail the run where hosts are confirmed.
    StrictFinish,
    /// A host that the run takes out of traffic is put back by it, and by every way back; or says that it is out until the deployer has put it back.
    NeverPutBack,
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
    hosts_of_phases(plan, &mut findings);
    deployer(plan, &mut findings);
    for host in &plan.hosts {
        findings.host = Some(host.host.name.clone());
        let line = HostLine::new(plan, host);
        unlocked(&line, &mut findings);
        if !host.broken_promises.contains(&Promise::LiveUntouched) {
            live_slot(&line, &mut findings);
        }
        marks(&line, &mut findings);
        targets(&line, &mut findings);
        way_back(&line, &mut findings);
        frames(&line, &mut findings);
        baked(plan, &line, &mut findings);
        never_put_back(plan, &line, &mut findings);
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

    fn add_deployer(&mut self, rule: PlanRule, step: &DeployerStep, what: impl Into<String>) {
        self.list.push(Finding { rule, host: None, step: Some(step.id), what: what.into() });
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

    /// The steps of the way forward, with what they do.
    fn steps(&self) -> impl Iterator<Item = (PhaseKind, &'p Step, Effects<'p>)> + '_ {
        self.work
            .iter()
            .flat_map(|(kind, work)| work.steps().map(move |step| (*kind, step, step.action.effects())))
    }

    /// The steps of its switch that come once it is armed.
    fn steps_once_armed(&self) -> BTreeSet<u32> {
        let switches = self.work.iter().filter(|(kind, _)| is_switch(*kind));
        let armed = switches.flat_map(|(_, work)| work.frame.iter().skip_while(|other| !is_arm(other)));
        let ids = armed.filter_map(|instruction| match instruction {
            Instruction::Do(step) => Some(step.id),
            Instruction::Arm(_) | Instruction::Confirm | Instruction::Leave => None,
        });
        ids.collect()
    }

    fn way_back(&self) -> impl Iterator<Item = &'p Step> + '_ {
        self.work.iter().flat_map(|(_, work)| work.way_back())
    }

    /// The folder that the link leads to before the run, as far as the way back tells.
    fn live_folder(&self) -> Option<HostPath> {
        let text = self.way_back().find_map(|step| match step.action.effects().effect {
            Effect::Link(target) => target,
            Effect::PutBack { slot, .. } => Some(slot.as_str()),
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
    if !kinds.is_empty() && kinds.iter().all(|kind| *kind == PhaseKind::Work) {
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
    for kind in &kinds {
        if let PhaseKind::Bake { wave, of } | PhaseKind::Confirm { wave, of } = *kind
            && !kinds.contains(&PhaseKind::Switch { wave, of })
        {
            findings.add(PlanRule::PhaseOrder, None, format!("{kind}: no such wave switches"));
        }
    }
    for phase in &plan.phases {
        let PhaseKind::Confirm { wave, of } = phase.kind else { continue };
        let hosts = |phase: &Phase| phase.work.iter().map(|work| work.host.clone()).collect::<BTreeSet<_>>();
        let switched = plan.phases.iter().find(|phase| phase.kind == PhaseKind::Switch { wave, of });
        if wave == of || switched.map(hosts) != Some(hosts(phase)) {
            findings.add(PlanRule::Unconfirmed, None, format!("{} isn't for all of its wave", phase.kind));
        }
    }
    if waves > 0 && kinds.last() != Some(&PhaseKind::Finish) {
        findings.add(PlanRule::PhaseOrder, None, "a switch is never confirmed");
    }
}

fn step_numbers(plan: &Plan, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    // The look at a host is step 0.
    let mut is_new = |id: u32| id != 0 && seen.insert(id);
    for step in plan.phases.iter().flat_map(|phase| &phase.work).flat_map(HostWork::all_steps) {
        if !is_new(step.id) {
            findings.add(PlanRule::StepNumbers, Some(step), "its number isn't its own");
        }
    }
    for found in plan.deployer_steps() {
        if let Found::OnDeployer { step, .. } = found
            && !is_new(step.id)
        {
            findings.add_deployer(PlanRule::StepNumbers, step, "its number isn't its own");
        }
    }
}

/// Who does what in which phase.
fn hosts_of_phases(plan: &Plan, findings: &mut Findings) {
    for phase in &plan.phases {
        let mut hosts = BTreeSet::new();
        let app = |work: &HostWork| plan.host(&work.host).and_then(|planned| planned.host.app.as_ref());
        let apps: BTreeSet<_> = phase.work.iter().map(app).collect();
        if matches!(phase.kind, PhaseKind::Once { .. }) && apps.len() != phase.work.len() {
            let what = format!("{} hosts do what one host should", phase.work.len());
            findings.add(PlanRule::Misplaced, None, what);
        }
        for work in &phase.work {
            findings.host = Some(work.host.clone());
            if plan.host(&work.host).is_none() || !hosts.insert(&work.host) {
                let what = format!("a stranger, or there twice, in {}", phase.kind);
                findings.add(PlanRule::Misplaced, None, what);
            }
            for step in work.steps() {
                let effects = step.action.effects();
                let in_place = plan.host(&work.host).is_some_and(HostPlan::is_in_place);
                if !effects.may_be_in(phase.kind, in_place) {
                    let what = format!("\"{}\" in {}", step.action, phase.kind);
                    findings.add(PlanRule::Misplaced, Some(step), what);
                }
                if phase.kind.name() == PhaseName::Finish && !effects.is_optional() {
                    findings.add(PlanRule::StrictFinish, Some(step), step.action.to_string());
                }
            }
            findings.host = None;
        }
    }
}

/// What the deployer does in which phase, and what it can take back.
fn deployer(plan: &Plan, findings: &mut Findings) {
    for found in plan.deployer_steps() {
        let Found::OnDeployer { phase, step, goes_back } = found else { continue };
        let kind = phase.map(|phase| phase.kind);
        if step.action.is_public() && (kind != Some(PhaseKind::Publish) || goes_back) {
            findings.add_deployer(PlanRule::TooEarly, step, "others see it before every host is ready");
        }
        if matches!(step.action, DeployerAction::MoveRef { .. }) && phase.is_some() {
            findings.add_deployer(PlanRule::TooEarly, step, "it says what is live before that is");
        }
        let may_stand = match kind {
            Some(PhaseKind::Begin | PhaseKind::Publish) | None => true,
            Some(PhaseKind::Drain { .. }) => matches!(step.action, DeployerAction::Drain(_)) || goes_back,
            Some(PhaseKind::Undrain { .. }) => matches!(step.action, DeployerAction::Undrain(_)),
            Some(PhaseKind::Work) => {
                matches!(step.action, DeployerAction::Drain(_) | DeployerAction::Undrain(_))
            }
            Some(_) => false,
        };
        if !may_stand {
            findings.add_deployer(
                PlanRule::Misplaced,
                step,
                format!("\"{}\" is no work of a host", step.action),
            );
        }
        let way_back = step.way_back.as_ref().map(|back| back.action.clone());
        if !goes_back && way_back != step.action.way_back() {
            findings.add_deployer(PlanRule::TooEarly, step, "it can't be taken back as it should be");
        }
        if goes_back && !matches!(step.action, DeployerAction::RemoveTag { .. } | DeployerAction::Undrain(_))
        {
            findings.add_deployer(PlanRule::Misplaced, step, "it takes nothing back");
        }
    }
}

/// The lock and the guard come before all else, but for making the folder that the lock lies in.
fn unlocked(line: &HostLine<'_>, findings: &mut Findings) {
    let mut steps = line.steps().filter(|(kind, ..)| *kind != PhaseKind::Work).peekable();
    if steps.peek().is_none() {
        return;
    }
    steps.next_if(|(_, _, effects)| matches!(effects.effect, Effect::Folders(_)));
    match steps.next() {
        Some((PhaseKind::Lock, _, Effects { effect: Effect::Lock(_), .. })) => {}
        other => {
            findings.add(PlanRule::Unlocked, other.map(|(_, step, _)| step), "it comes before the lock");
            return;
        }
    }
    match steps.next() {
        Some((PhaseKind::Lock, _, Effects { effect: Effect::Unchanged(_), .. })) => {}
        other => {
            findings.add(PlanRule::Unlocked, other.map(|(_, step, _)| step), "it comes before the guard");
        }
    }
}

fn live_slot(line: &HostLine<'_>, findings: &mut Findings) {
    let Some(live) = line.live_folder() else { return };
    let layout = &line.planned.layout;
    let current = layout.current();
    let is_live = |path: &HostPath| {
        let inside = |folder: &HostPath| {
            path == folder
                || path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        inside(&live) || inside(&current)
    };
    let in_place = line.planned.is_in_place();
    let armed = line.steps_once_armed();
    for (kind, step, effects) in line.steps() {
        let is_past = matches!(kind.name(), PhaseName::Reopen | PhaseName::Finish);
        // New objects change no file. What else is done there is done once there is a way back.
        if in_place && (armed.contains(&step.id) || matches!(effects.effect, Effect::Objects { .. })) {
            continue;
        }
        let touched = match effects.effect {
            // Once a run is confirmed, the slot that served is no longer live.
            Effect::Mark { slot, .. } if !is_past => layout.slot(slot),
            Effect::Objects { slot, .. }
            | Effect::Files { slot, .. }
            | Effect::InPlace { slot, .. }
            | Effect::PutBack { slot, .. }
            | Effect::Part { slot }
            | Effect::Removed { slot }
            | Effect::RoomGivenBack { slot } => layout.slot(slot),
            // What serves may say that it is in maintenance, and has to say that it no longer is.
            Effect::Edit { slot } if !is_past && kind != PhaseKind::Announce && kind != PhaseKind::Work => {
                layout.slot(slot)
            }
            Effect::Command { directory, .. } if !is_past => directory.clone(),
            Effect::Mark { .. }
            | Effect::Edit { .. }
            | Effect::Command { .. }
            | Effect::Nothing
            | Effect::Folders(_)
            | Effect::Lock(_)
            | Effect::Unchanged(_)
            | Effect::Recovered
            | Effect::Holds { .. }
            | Effect::Link(_)
            | Effect::Adopted { .. }
            | Effect::Disowned { .. }
            | Effect::Followed(_)
            | Effect::PassedBy(_)
            | Effect::Start(_)
            | Effect::Stop(_)
            | Effect::StartIn { .. }
            | Effect::Journal { .. }
            | Effect::Hold { .. }
            | Effect::NoHold
            | Effect::Maintenance(_)
            | Effect::Drained { .. }
            | Effect::InTraffic
            | Effect::Copied { .. }
            | Effect::CopiesDropped { .. }
            | Effect::PutsBackAtBoot
            | Effect::Beside => continue,
            Effect::StopIn { .. } if is_past => continue,
            // What serves from it would serve no more.
            Effect::StopIn { slot, .. } => layout.slot(slot),
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
    let mut proven = BTreeSet::new();
    let slot_folder = line.planned.layout.slot(&target.slot);
    let in_place = line.planned.is_in_place();
    for (kind, step, effects) in line.steps() {
        let mut wrong = |what: &str| {
            findings.add(PlanRule::Unmarked, Some(step), format!("\"{}\": {what}", step.action));
        };
        match effects.effect {
            Effect::Mark { slot, state: SlotState::Building, release, .. } => {
                if *slot != target.slot || *release != target.release || mark != Mark::Unknown {
                    wrong("it isn't the slot that will serve, or not the first mark there");
                }
                mark = Mark::Building;
            }
            Effect::Objects { slot, commit }
            | Effect::Files { slot, commit }
            | Effect::InPlace { slot, commit }
            | Effect::PutBack { slot, commit, .. } => {
                if *slot != target.slot || *commit != target.release.commit {
                    wrong("it isn't what will serve");
                }
                // Beside what serves, new objects are kept for later.
                let are_for_later = in_place && matches!(effects.effect, Effect::Objects { .. });
                if !matches!(mark, Mark::Building | Mark::Filled(_)) && !are_for_later {
                    wrong("the slot isn't marked as being built");
                }
                if !matches!(effects.effect, Effect::Objects { .. }) {
                    mark = Mark::Filled(commit.clone());
                }
            }
            Effect::Start(_) if in_place && is_switch(kind) => {
                if mark != Mark::Ready(target.release.commit.clone()) {
                    wrong("the slot isn't ready");
                }
            }
            Effect::RoomGivenBack { slot } => {
                if *slot != target.slot || mark != Mark::Building {
                    wrong("the slot isn't marked as being built, or holds something already");
                }
            }
            Effect::Removed { slot } => {
                if *slot == target.slot {
                    wrong("it is what will serve");
                }
            }
            Effect::Part { slot } => {
                if *slot != target.slot || mark != Mark::Filled(target.release.commit.clone()) {
                    wrong("the slot isn't filled, or is ready already");
                }
            }
            Effect::Command { directory, .. } => {
                let here = kind.name() == PhaseName::Prepare && *directory == slot_folder;
                if here && !matches!(mark, Mark::Filled(_)) {
                    wrong("the slot isn't filled, or is ready already");
                }
            }
            Effect::Mark { slot, state: SlotState::Ready, release, .. }
                if kind == PhaseKind::Prepare || (in_place && is_switch(kind)) =>
            {
                if *slot != target.slot || mark != Mark::Filled(release.commit.clone()) {
                    wrong("the slot doesn't hold that");
                }
                mark = Mark::Ready(release.commit.clone());
            }
            Effect::Mark { .. }
            | Effect::Edit { .. }
            | Effect::Nothing
            | Effect::Folders(_)
            | Effect::Lock(_)
            | Effect::Unchanged(_)
            | Effect::Recovered
            | Effect::Link(_)
            | Effect::Adopted { .. }
            | Effect::Disowned { .. }
            | Effect::Followed(_)
            | Effect::PassedBy(_)
            | Effect::Start(_)
            | Effect::Stop(_)
            | Effect::StopIn { .. }
            | Effect::Journal { .. }
            | Effect::Hold { .. }
            | Effect::NoHold
            | Effect::Maintenance(_)
            | Effect::Drained { .. }
            | Effect::InTraffic
            | Effect::Copied { .. }
            | Effect::CopiesDropped { .. }
            | Effect::PutsBackAtBoot
            | Effect::Beside => {}
            Effect::Holds { slot, .. } => drop(proven.insert(slot)),
            Effect::StartIn { slot, .. } => {
                if *slot == target.slot && !matches!(&mark, Mark::Ready(_)) && !proven.contains(&slot) {
                    wrong("the slot isn't ready");
                }
            }
        }
    }
    if matches!(mark, Mark::Building | Mark::Filled(_)) {
        findings.add(PlanRule::Unmarked, None, format!("{} is never marked as ready", target.slot));
    }
}

/// Every link that is moved leads to what was made ready, or proven, before.
fn targets(line: &HostLine<'_>, findings: &mut Findings) {
    let mut proven = Vec::new();
    let mut moves = 0;
    for (_, step, effects) in line.steps() {
        match effects.effect {
            Effect::Mark { slot, state: SlotState::Ready, release, .. } => {
                proven.push((slot.as_str(), &release.commit));
            }
            Effect::Holds { slot, commit } => proven.push((slot.as_str(), commit)),
            // What it has to be proven of comes after it: that is for the marks.
            Effect::InPlace { .. } | Effect::PutBack { .. } => {
                moves += 1;
                if !line.planned.is_in_place() {
                    let what = format!("\"{}\", where a link should be moved", step.action);
                    findings.add(PlanRule::Unproven, Some(step), what);
                }
            }
            Effect::Link(target) => {
                moves += 1;
                let promised = line.planned.to.as_ref();
                let is_promised = promised.is_some_and(|to| target == Some(to.slot.as_str()));
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
    if moves != expected {
        let what = format!("its link is moved {moves} times rather than {expected}");
        findings.add(PlanRule::Unproven, None, what);
    }
}

fn way_back(line: &HostLine<'_>, findings: &mut Findings) {
    let mut copied = None;
    for (_, work) in &line.work {
        copied = copied.or(work.steps().find_map(|step| match step.action.effects().effect {
            Effect::Copied { slot, commit } => Some((slot, commit)),
            _ => None,
        }));
        let Some(forward) = work.steps().find(|step| step.action.effects().switches()) else { continue };
        let first = work.way_back().next().map(|step| step.action.effects().effect);
        if line.planned.is_in_place() {
            let is_way = |back: &Effect<'_>| match back {
                Effect::PutBack { slot, commit, record } => *record && copied == Some((*slot, *commit)),
                _ => false,
            };
            let served = line.planned.from.as_ref().map(|from| &from.commit);
            if !first.is_some_and(|back| is_way(&back)) || copied.map(|(_, commit)| commit) != served {
                let what = "nothing, or not what was kept of what serves, comes first on its way back";
                findings.add(PlanRule::NoWayBack, Some(forward), what);
            }
            continue;
        }
        let Some(Effect::Link(back)) = first else {
            let what = "nothing, or not the link, comes first on its way back";
            findings.add(PlanRule::NoWayBack, Some(forward), what);
            continue;
        };
        if work.way_back().filter(|step| step.action.effects().switches()).count() > 1 {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back moves the link twice");
        }
        if forward.action.effects().effect == Effect::Link(back) {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back leads where it led already");
        }
        if back.is_none() && line.planned.from.is_some() {
            findings.add(PlanRule::NoWayBack, Some(forward), "its way back takes away a link that was there");
        }
    }
}

/// What the runner is told between the steps: armed before the link moves, confirmed at the beginning of the finish or right after
/// its wave, let go at the very end.
fn frames(line: &HostLine<'_>, findings: &mut Findings) {
    let mut armed = false;
    let mut confirmed = false;
    let mut left = false;
    for (kind, work) in &line.work {
        let mut is_first = true;
        for instruction in &work.frame {
            if left {
                findings.add(PlanRule::Unconfirmed, None, "something comes after its runner was let go");
            }
            match instruction {
                Instruction::Arm(arm) => {
                    if confirmed || arm.way_back.is_empty() {
                        findings.add(PlanRule::NoWayBack, None, "it is armed too late, or with nothing");
                    }
                    armed = true;
                }
                Instruction::Confirm => {
                    if confirmed || !armed || kind.name() != PhaseName::Finish || !is_first {
                        findings.add(PlanRule::Unconfirmed, None, "it is confirmed in the wrong moment");
                    }
                    confirmed = true;
                }
                Instruction::Leave => left = true,
                Instruction::Do(step) => {
                    let switches = step.action.effects().switches();
                    if switches && !work.frame.iter().take_while(|other| *other != instruction).any(is_arm) {
                        findings.add(PlanRule::NoWayBack, Some(step), "it isn't armed");
                    }
                    if kind.name() == PhaseName::Finish && !confirmed {
                        findings.add(PlanRule::Unconfirmed, Some(step), "it comes before the confirmation");
                    }
                }
            }
            is_first = false;
        }
    }
    if armed && !confirmed {
        findings.add(PlanRule::Unconfirmed, None, "it is never confirmed");
    }
    if !line.work.is_empty() && !left {
        findings.add(PlanRule::Unconfirmed, None, "its runner is never let go");
    }
}

/// What was well when it began to serve has to be so after a while, and with every wave that follows, until it is confirmed.
fn baked(plan: &Plan, line: &HostLine<'_>, findings: &mut Findings) {
    let app = &line.planned.host.app;
    let is_ours = |work: &HostWork| plan.host(&work.host).is_some_and(|planned| planned.host.app == *app);
    let bakes =
        |phase: &Phase| matches!(phase.kind, PhaseKind::Bake { .. }) && phase.work.iter().any(is_ours);
    if !plan.phases.iter().any(bakes) {
        return;
    }
    let (mut has_switched, mut has_baked) = (false, true);
    for phase in &plan.phases {
        let work = phase.work_of(&line.planned.host.name);
        let is_confirmed = work.is_some_and(HostWork::confirms);
        let goes_on = is_confirmed || is_switch(phase.kind) && phase.work.iter().any(is_ours);
        if goes_on && !has_baked {
            findings.add(PlanRule::Unbaked, None, format!("it hasn't baked before {}", phase.kind));
        }
        if is_confirmed {
            return;
        }
        if is_switch(phase.kind) && work.is_some() {
            (has_switched, has_baked) = (true, false);
        }
        if bakes(phase) && has_switched {
            has_baked = true;
            if work.is_none() {
                findings.add(PlanRule::Unbaked, None, format!("it isn't asked in {}", phase.kind));
            }
        }
    }
}

/// Whoever takes a host out of traffic puts it back, whichever way it goes.
fn never_put_back(plan: &Plan, line: &HostLine<'_>, findings: &mut Findings) {
    let is_back = |step: &Step| step.action.effects().effect == Effect::InTraffic;
    let mut out: Option<&Step> = None;
    for (kind, work) in &line.work {
        // By hand it is a person who puts it back.
        if *kind == PhaseKind::Work {
            continue;
        }
        for step in work.steps() {
            match step.action.effects().effect {
                Effect::Drained { is_by_hand: false } => out = Some(step),
                Effect::Drained { is_by_hand: true } => {
                    findings.add(
                        PlanRule::NeverPutBack,
                        Some(step),
                        "only a person may want it out for good",
                    );
                }
                Effect::InTraffic => out = None,
                _ => {}
            }
        }
        let Some(step) = out else { continue };
        let failed = plan.on_failure.iter().filter(|work| work.host == line.planned.host.name);
        let by_deployer = failed.flat_map(HostWork::steps).any(is_back);
        if work.arm().is_some() && !by_deployer && !work.way_back().any(is_back) {
            findings.add(
                PlanRule::NeverPutBack,
                Some(step),
                format!("the way back from {kind} leaves it out"),
            );
        }
        if work.arm().is_none() && !by_deployer {
            findings.add(
                PlanRule::NeverPutBack,
                Some(step),
                format!("nothing puts it back where {kind} fails"),
            );
        }
    }
    if let Some(step) = out {
        findings.add(PlanRule::NeverPutBack, Some(step), "it is never put back");
    }
    // Where only the deployer can, the host has to say so from before.
    let host = &line.planned.host.name;
    let mut says_so = false;
    for phase in &plan.phases {
        let takes_out = |step: &&DeployerStep| match &step.action {
            DeployerAction::Drain(shift) => shift.hosts.iter().any(|drained| drained.host == *host),
            _ => false,
        };
        if let Some(step) = phase.deployer.iter().find(takes_out).filter(|_| !says_so) {
            findings.add_deployer(PlanRule::NeverPutBack, step, format!("{host} doesn't say that it is out"));
        }
        for step in phase.work_of(host).into_iter().flat_map(HostWork::steps) {
            match step.action.effects().effect {
                Effect::Drained { .. } => says_so = true,
                Effect::InTraffic => says_so = false,
                _ => {}
            }
        }
    }
}

fn is_arm(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::Arm(_))
}
