//! What no plan may hold: a good plan is spoilt in every way that there is a rule against.

use buedafab_model::config::parse;
use buedafab_model::names::{CommitId, HostPath};
use buedafab_model::names::{EnvironmentName, RunId, SlotName};
use buedafab_model::plan::action::Action;
use buedafab_model::plan::action::Surroundings;
use buedafab_model::plan::check::PlanRule;
use buedafab_model::plan::{HostWork, PhaseKind, Plan, Step};
use buedafab_model::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
use buedafab_model::release::Release;
use buedafab_model::shell::{LONGEST_STEP, check_plan};
use buedafab_model::simulate::{Scenario, SimHost, simulate};

/// A deploy on two hosts that serve an older release from slot a.
fn good_plan() -> Plan {
    let text = "unit = \"five\"\nwaves = [1]\n[hooks]\nbuild = \"make\"\nonce = \"migrate\"\n\
                [environments.production]\nhosts = [\"web1\", \"web2\"]\n";
    let production = EnvironmentName::new("production").expect("a word");
    let settings =
        parse("buedafab.toml", text).and_then(|file| file.settings(&production)).expect("settings");
    let mut hosts: Vec<SimHost> = settings.hosts.iter().map(|host| SimHost::bare(&settings, host)).collect();
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
fn broken(change: impl FnOnce(&mut Plan)) -> Vec<PlanRule> {
    let mut plan = good_plan();
    change(&mut plan);
    let mut rules: Vec<PlanRule> = check_plan(&plan).into_iter().map(|finding| finding.rule).collect();
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
    assert_eq!(check_plan(&good_plan()), []);
}

#[test]
fn phases_come_in_order() {
    use PlanRule::{PhaseOrder, Unlocked};
    assert_eq!(broken(|plan| plan.phases.swap(2, 3)), [PhaseOrder]);
    assert_eq!(broken(|plan| plan.phases.swap(3, 4)), [PhaseOrder]);
    assert_eq!(broken(|plan| drop(plan.phases.pop())), [PhaseOrder]);
    assert_eq!(broken(|plan| drop(plan.phases.remove(0))), [Unlocked]);
    assert_eq!(broken(|plan| plan.phases[1].kind = PhaseKind::Work)[0], PhaseOrder);
}

#[test]
fn steps_have_numbers_of_their_own() {
    assert_eq!(broken(|plan| work(plan, "prepare").steps[0].id = 1), [PlanRule::StepNumbers]);
    assert_eq!(broken(|plan| work(plan, "switch").revert[0].id = 1), [PlanRule::StepNumbers]);
    assert_eq!(broken(|plan| work(plan, "prepare").steps[0].id = 0), [PlanRule::StepNumbers]);
}

#[test]
fn a_host_is_locked_and_compared_first() {
    use PlanRule::Unlocked;
    assert_eq!(broken(|plan| remove(plan, "lock", "take the lock")), [Unlocked]);
    assert_eq!(broken(|plan| remove(plan, "lock", "check that")), [Unlocked]);
    assert_eq!(broken(|plan| drop(plan.phases[0].work.remove(0))), [Unlocked]);
    assert_eq!(broken(|plan| work(plan, "lock").steps.swap(0, 1)), [Unlocked]);
}

#[test]
fn the_live_slot_is_left_alone() {
    use PlanRule::LiveSlotTouched;
    let hook = |directory: &str| Action::Hook {
        point: buedafab_model::app::hooks::HookPoint::BeforePrepare,
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
        assert_eq!(broken(|plan| insert(plan, "prepare", hook(directory))), [LiveSlotTouched], "{directory}");
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
    use PlanRule::{Unmarked, Unproven};
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
    use PlanRule::{NoWayBack, Unproven};
    let point = |plan: &mut Plan, to: Option<&str>| {
        for step in &mut work(plan, "switch").steps {
            if let Action::SwitchLink { target } = &mut step.action {
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
    use PlanRule::NoWayBack;
    assert_eq!(broken(|plan| work(plan, "switch").revert.clear()), [NoWayBack]);
    assert_eq!(broken(|plan| drop(work(plan, "switch").revert.remove(0))), [NoWayBack]);
    assert_eq!(broken(|plan| work(plan, "switch").revert.swap(0, 1)), [NoWayBack]);
    let forget = |plan: &mut Plan| {
        work(plan, "switch").revert[0].action = Action::SwitchLink { target: None };
    };
    assert_eq!(broken(forget), [NoWayBack]);
}

#[test]
fn steps_are_where_they_belong() {
    use PlanRule::{Misplaced, StrictFinish, Unproven};
    let point = || Action::SwitchLink { target: Some("b".to_owned()) };
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
    assert_eq!(broken(long), [PlanRule::TooLong]);
}
