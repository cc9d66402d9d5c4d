//! Proves of a plan, as data, that it can do no harm: whoever made it, and whatever the facts were.
//!
//! A finding is a bug of the planner, never of the person who asked for the plan.

use std::collections::BTreeSet;
use std::fmt;

use crate::action::{Action, Schema};
use crate::layout::Layout;
use crate::names::{CommitId, HostName, HostPath};
use crate::plan::{HostPlan, HostWork, Phase, PhaseKind, Plan, Step};
use crate::record::SlotState;
use crate::shell::render_step;

/// The longest shell text of a step, in bytes. A step is one argument of a command, which may have 128 KiB; the runner
/// adds a little.
pub const LONGEST_STEP: usize = 120 * 1024;

/// Something that no plan may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// What is broken.
    pub rule: LintRule,
    /// Where; `None` if it is the plan as a whole.
    pub host: Option<HostName>,
    /// The number of the step, if it is one.
    pub step: Option<u32>,
    /// What was found.
    pub what: String,
}

/// What is proven of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintRule {
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

impl fmt::Display for LintFinding {
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

/// All that is wrong with a plan; nothing, if it is a good one.
pub fn lint(plan: &Plan) -> Vec<LintFinding> {
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
        too_long(plan, &work, &mut findings);
    }
    findings.list
}

#[derive(Default)]
struct Findings {
    host: Option<HostName>,
    list: Vec<LintFinding>,
}

impl Findings {
    fn add(&mut self, rule: LintRule, step: Option<&Step>, what: impl Into<String>) {
        let (host, step) = (self.host.clone(), step.map(|step| step.id));
        self.list.push(LintFinding { rule, host, step, what: what.into() });
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
            Action::Point { target } => target.as_deref(),
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
            findings.add(LintRule::PhaseOrder, None, format!("{} comes before {}", pair[0], pair[1]));
        }
    }
    if kinds.contains(&PhaseKind::Work) {
        findings.add(LintRule::PhaseOrder, None, "work stands beside other phases");
    }
    let waves = kinds.iter().filter(|kind| is_switch(**kind)).count() as u32;
    let switches = kinds.iter().copied().filter(|kind| is_switch(*kind));
    for (index, kind) in switches.enumerate() {
        if kind != (PhaseKind::Switch { wave: index as u32 + 1, of: waves }) {
            findings.add(LintRule::PhaseOrder, None, format!("{kind}: there are {waves} waves"));
        }
    }
    if waves > 0 && kinds.last() != Some(&PhaseKind::Finish) {
        findings.add(LintRule::PhaseOrder, None, "a switch is never confirmed");
    }
}

fn step_numbers(plan: &Plan, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for work in plan.phases.iter().flat_map(|phase| &phase.work) {
        for step in work.steps.iter().chain(&work.revert) {
            // The look at a host is step 0.
            if step.id == 0 || !seen.insert(step.id) {
                findings.add(LintRule::StepNumbers, Some(step), "its number isn't its own");
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
            findings.add(LintRule::Misplaced, None, what);
        }
        for work in &phase.work {
            findings.host = Some(work.host.clone());
            if plan.host(&work.host).is_none() || !hosts.insert(&work.host) {
                findings.add(
                    LintRule::Misplaced,
                    None,
                    format!("a stranger, or there twice, in {}", phase.kind),
                );
            }
            if !work.revert.is_empty() && !is_switch(phase.kind) {
                findings.add(LintRule::Misplaced, None, format!("a way back in {}", phase.kind));
            }
            for step in &work.steps {
                if !may_be_in(&step.action, phase.kind) {
                    findings.add(
                        LintRule::Misplaced,
                        Some(step),
                        format!("\"{}\" in {}", step.action, phase.kind),
                    );
                }
                if phase.kind == PhaseKind::Finish && !step.action.is_optional() {
                    findings.add(LintRule::StrictFinish, Some(step), step.action.to_string());
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
        Action::MakeRoom { .. } => matches!(kind, Lock | Work),
        Action::Guard { .. } => matches!(kind, Lock | Work),
        Action::ProveSudo => kind == Lock,
        Action::Forget => kind == Finish,
        Action::Lock { .. } => matches!(kind, Lock | Work),
        Action::Fetch { .. }
        | Action::Checkout { .. }
        | Action::Submodules { .. }
        | Action::Shared { .. }
        | Action::Package { .. }
        | Action::Virtualenv { .. }
        | Action::ServiceFiles { .. }
        | Action::Prove { .. } => kind == Prepare,
        Action::AskApp { .. } => is_switch(kind),
        Action::StayUp { .. } => is_switch(kind) || kind == Work,
        Action::Migrations { schema: Schema::Reverse, .. } => kind == Once,
        Action::Migrations { .. } => kind == Prepare,
        Action::Record { state: SlotState::Building | SlotState::Ready, .. } => {
            // What is rolled back from is marked as ready, which makes it no target of a rollback.
            kind == Prepare || kind == Finish
        }
        Action::Record { .. } => kind == Finish,
        Action::Hook { .. } => matches!(kind, Prepare | Once | Switch { .. } | Finish),
        Action::Point { .. } => is_switch(kind),
        Action::Restart { .. } | Action::Stop { .. } => is_switch(kind) || kind == Work,
        Action::Journal { .. } => matches!(kind, Prepare | Finish | Work),
        Action::EnvFile { .. } => kind == Work,
        Action::Has { .. } => kind == Prepare,
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
    if matches!(next, Some((_, Step { action: Action::MakeRoom { .. }, .. }))) {
        next = steps.next();
    }
    if !matches!(next, Some((PhaseKind::Lock, Step { action: Action::Lock { .. }, .. }))) {
        findings.add(LintRule::Unlocked, next.map(|(_, step)| step), "it comes before the lock");
        return;
    }
    let next = steps.next();
    if !matches!(next, Some((PhaseKind::Lock, Step { action: Action::Guard { .. }, .. }))) {
        findings.add(LintRule::Unlocked, next.map(|(_, step)| step), "it comes before the guard");
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
            findings.add(LintRule::LiveSlotTouched, Some(step), what);
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
            findings.add(LintRule::Unmarked, Some(step), format!("\"{}\": {what}", step.action));
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
        findings.add(LintRule::Unmarked, None, format!("{} is never marked as ready", target.slot));
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
            Action::Prove { slot, commit } => proven.push((slot.as_str(), commit)),
            Action::Point { target } => {
                points += 1;
                let promised = line.planned.to.as_ref();
                let is_promised = promised.is_some_and(|to| target.as_deref() == Some(to.slot.as_str()));
                let is_proven =
                    promised.is_some_and(|to| proven.contains(&(to.slot.as_str(), &to.release.commit)));
                if !is_promised || !is_proven {
                    let what = format!("\"{}\", which this plan hasn't proven", step.action);
                    findings.add(LintRule::Unproven, Some(step), what);
                }
            }
            _ => {}
        }
    }
    let expected = u32::from(line.planned.to.is_some());
    if points != expected {
        let what = format!("its link is moved {points} times rather than {expected}");
        findings.add(LintRule::Unproven, None, what);
    }
}

fn way_back(line: &HostLine<'_>, findings: &mut Findings) {
    for (_, work) in &line.work {
        let Some(forward) = work.steps.iter().find(|step| step.action.switches()) else { continue };
        let Some(Step { action: Action::Point { target: back }, .. }) = work.revert.first() else {
            findings.add(
                LintRule::NoWayBack,
                Some(forward),
                "nothing, or not the link, comes first on its way back",
            );
            continue;
        };
        if work.revert.iter().filter(|step| step.action.switches()).count() > 1 {
            findings.add(LintRule::NoWayBack, Some(forward), "its way back moves the link twice");
        }
        let leads_on = matches!(&forward.action, Action::Point { target } if target == back);
        if leads_on {
            findings.add(LintRule::NoWayBack, Some(forward), "its way back leads where it led already");
        }
        if back.is_none() && line.planned.from.is_some() {
            findings.add(LintRule::NoWayBack, Some(forward), "its way back takes away a link that was there");
        }
    }
}

fn too_long(plan: &Plan, line: &HostLine<'_>, findings: &mut Findings) {
    for step in line.steps().map(|(_, step)| step).chain(line.reverts()) {
        let length = render_step(&step.action, &line.planned.layout, &plan.run).len();
        if length > LONGEST_STEP {
            let what = format!("\"{}\" is {length} bytes long, {LONGEST_STEP} is the most", step.action);
            findings.add(LintRule::TooLong, Some(step), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Surroundings;
    use crate::config::parse;
    use crate::names::{EnvironmentName, RunId, SlotName};
    use crate::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
    use crate::release::Release;
    use crate::simulate::{Scenario, SimHost, simulate};

    /// A deploy on two hosts that serve an older release from slot a.
    fn good_plan() -> Plan {
        let text = "unit = \"five\"\nwaves = [1]\n[hooks]\nbuild = \"make\"\nonce = \"migrate\"\n\
                    [environments.production]\nhosts = [\"web1\", \"web2\"]\n";
        let production = EnvironmentName::new("production").expect("a word");
        let settings =
            parse("buedafab.toml", text).and_then(|file| file.settings(&production)).expect("settings");
        let mut hosts: Vec<SimHost> =
            settings.hosts.iter().map(|host| SimHost::bare(&settings, host)).collect();
        let deploy = |hosts: &[SimHost], number: u8| {
            let facts: Vec<_> = hosts.iter().map(SimHost::facts).collect();
            let seen: Vec<_> =
                hosts.iter().zip(&facts).map(|(host, facts)| SeenHost { host: &host.host, facts }).collect();
            let commit = CommitId::new(number.to_string().repeat(40)).expect("40 digits");
            let release = Release::unnamed(commit);
            let context = RunContext {
                run: RunId::new(format!("r{number}")).expect("a word"),
                at: jiff::Timestamp::UNIX_EPOCH,
                by: "ada@laptop".to_owned(),
            };
            let request = DeployRequest::new(release, "git@host:five");
            plan_deploy(&settings, &context, &request, &seen).expect("a plan")
        };
        let first = deploy(&hosts, 1);
        simulate(&first, &mut hosts, &Scenario::default());
        deploy(&hosts, 2)
    }

    /// The rules that a plan breaks after this was done to it.
    fn broken(change: impl FnOnce(&mut Plan)) -> Vec<LintRule> {
        let mut plan = good_plan();
        change(&mut plan);
        let mut rules: Vec<LintRule> = lint(&plan).into_iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The first host's work in a phase.
    fn work<'p>(plan: &'p mut Plan, name: &str) -> &'p mut HostWork {
        let phase = plan.phases.iter_mut().find(|phase| phase.kind.to_string().starts_with(name));
        &mut phase.expect("there is one").work[0]
    }

    fn remove(plan: &mut Plan, phase: &str, step: &str) {
        let work = work(plan, phase);
        let at = work.steps.iter().position(|found| found.action.to_string().starts_with(step));
        work.steps.remove(at.expect("there is one"));
    }

    fn last_id(plan: &Plan) -> u32 {
        let work = plan.phases.iter().flat_map(|phase| &phase.work);
        work.flat_map(|work| work.steps.iter().chain(&work.revert)).map(|step| step.id).max().unwrap_or(0)
    }

    /// Puts an action before all others of the first host in a phase.
    fn insert(plan: &mut Plan, phase: &str, action: Action) {
        let id = last_id(plan) + 1;
        work(plan, phase).steps.insert(0, Step { id, action });
    }

    fn slot(name: &str) -> SlotName {
        SlotName::new(name).expect("a slot")
    }

    #[test]
    fn a_good_plan_has_no_findings() {
        assert_eq!(lint(&good_plan()), []);
    }

    #[test]
    fn phases_come_in_order() {
        use LintRule::{PhaseOrder, Unlocked};
        assert_eq!(broken(|plan| plan.phases.swap(2, 3)), [PhaseOrder]);
        assert_eq!(broken(|plan| plan.phases.swap(3, 4)), [PhaseOrder]);
        assert_eq!(broken(|plan| drop(plan.phases.pop())), [PhaseOrder]);
        assert_eq!(broken(|plan| drop(plan.phases.remove(0))), [Unlocked]);
        assert_eq!(broken(|plan| plan.phases[1].kind = PhaseKind::Work)[0], PhaseOrder);
    }

    #[test]
    fn steps_have_numbers_of_their_own() {
        assert_eq!(broken(|plan| work(plan, "prepare").steps[0].id = 1), [LintRule::StepNumbers]);
        assert_eq!(broken(|plan| work(plan, "switch").revert[0].id = 1), [LintRule::StepNumbers]);
        assert_eq!(broken(|plan| work(plan, "prepare").steps[0].id = 0), [LintRule::StepNumbers]);
    }

    #[test]
    fn a_host_is_locked_and_compared_first() {
        use LintRule::Unlocked;
        assert_eq!(broken(|plan| remove(plan, "lock", "take the lock")), [Unlocked]);
        assert_eq!(broken(|plan| remove(plan, "lock", "check that")), [Unlocked]);
        assert_eq!(broken(|plan| drop(plan.phases[0].work.remove(0))), [Unlocked]);
        assert_eq!(broken(|plan| work(plan, "lock").steps.swap(0, 1)), [Unlocked]);
    }

    #[test]
    fn the_live_slot_is_left_alone() {
        use LintRule::LiveSlotTouched;
        let hook = |directory: &str| Action::Hook {
            point: crate::action::HookPoint::BeforePrepare,
            command: "rm -r *".to_owned(),
            around: Surroundings {
                directory: HostPath::new(format!("/var/webapps/five/{directory}")).expect("a path"),
                variables: Default::default(),
                virtualenv: None,
                run_as: None,
            },
            optional: false,
        };
        for directory in ["releases/a", "releases/a/env", "releases/current", "releases/current/run"] {
            assert_eq!(
                broken(|plan| insert(plan, "prepare", hook(directory))),
                [LiveSlotTouched],
                "{directory}"
            );
        }
        assert_eq!(broken(|plan| insert(plan, "prepare", hook("releases/ab"))), []);
        let into_live = broken(|plan| {
            for step in &mut work(plan, "prepare").steps {
                if let Action::Checkout { slot: into, .. } = &mut step.action {
                    *into = slot("a");
                }
            }
        });
        assert!(into_live.contains(&LiveSlotTouched), "{into_live:?}");
    }

    #[test]
    fn a_slot_is_marked_before_and_after() {
        use LintRule::{Unmarked, Unproven};
        assert_eq!(broken(|plan| remove(plan, "prepare", "mark b as being built")), [Unmarked]);
        assert_eq!(broken(|plan| work(plan, "prepare").steps.swap(0, 1)), [Unmarked]);
        assert_eq!(broken(|plan| remove(plan, "prepare", "mark b as ready")), [Unmarked, Unproven]);
        assert_eq!(broken(|plan| remove(plan, "prepare", "check out")), [Unmarked]);
        let last_two = |plan: &mut Plan| {
            let steps = &mut work(plan, "prepare").steps;
            let last = steps.len() - 1;
            steps.swap(last, last - 1);
        };
        assert_eq!(broken(last_two), [Unmarked]);
    }

    #[test]
    fn links_lead_to_what_was_proven() {
        use LintRule::{NoWayBack, Unproven};
        let point = |plan: &mut Plan, to: Option<&str>| {
            for step in &mut work(plan, "switch").steps {
                if let Action::Point { target } = &mut step.action {
                    *target = to.map(str::to_owned);
                }
            }
        };
        assert_eq!(broken(|plan| point(plan, Some("a"))), [Unproven, NoWayBack]);
        assert_eq!(broken(|plan| point(plan, Some("c"))), [Unproven]);
        assert_eq!(broken(|plan| point(plan, None)), [Unproven]);
        assert_eq!(broken(|plan| remove(plan, "switch", "point current")), [Unproven]);
    }

    #[test]
    fn a_switch_has_a_way_back() {
        use LintRule::NoWayBack;
        assert_eq!(broken(|plan| work(plan, "switch").revert.clear()), [NoWayBack]);
        assert_eq!(broken(|plan| drop(work(plan, "switch").revert.remove(0))), [NoWayBack]);
        assert_eq!(broken(|plan| work(plan, "switch").revert.swap(0, 1)), [NoWayBack]);
        let forget = |plan: &mut Plan| {
            work(plan, "switch").revert[0].action = Action::Point { target: None };
        };
        assert_eq!(broken(forget), [NoWayBack]);
    }

    #[test]
    fn steps_are_where_they_belong() {
        use LintRule::{Misplaced, StrictFinish, Unproven};
        let point = || Action::Point { target: Some("b".to_owned()) };
        assert_eq!(broken(|plan| insert(plan, "prepare", point()))[0], Misplaced);
        assert_eq!(broken(|plan| insert(plan, "finish", Action::Unhold)), [Misplaced, StrictFinish]);
        let strict = |plan: &mut Plan| {
            if let Action::Record { optional, .. } = &mut work(plan, "finish").steps[0].action {
                *optional = false;
            }
        };
        assert_eq!(broken(strict), [StrictFinish]);
        let twice = |plan: &mut Plan| {
            let mut again = work(plan, "once").clone();
            again.steps[0].id = last_id(plan) + 1;
            plan.phases[2].work.push(again);
        };
        assert_eq!(broken(twice), [Misplaced]);
        let idle = |plan: &mut Plan| plan.hosts[0].to = None;
        assert_eq!(broken(idle), [Unproven]);
    }

    #[test]
    fn a_step_fits_into_a_command() {
        let long = |plan: &mut Plan| {
            for step in &mut work(plan, "prepare").steps {
                if let Action::Hook { command, .. } = &mut step.action {
                    *command = "x".repeat(LONGEST_STEP);
                }
            }
        };
        assert_eq!(broken(long), [LintRule::TooLong]);
    }
}
