//! What no plan may hold: a good plan is spoilt in every way that there is a rule against.

use std::collections::BTreeSet;

use buedafab_model::app::hooks::HookPoint;
use buedafab_model::config::parse;
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::names::{CommitId, EnvironmentName, HostPath, RunId, SlotName};
use buedafab_model::plan::action::{Action, AppAction, GitAction, RecordAction, Surroundings};
use buedafab_model::plan::check::PlanRule;
use buedafab_model::plan::frame::{Arm, Instruction};
use buedafab_model::plan::promise::Promise;
use buedafab_model::plan::{DeployerStep, HostWork, Phase, PhaseKind, Plan, Step};
use buedafab_model::planner::{DeployRequest, RunContext, SeenHost, plan_deploy};
use buedafab_model::release::Release;
use buedafab_model::shell::{LONGEST_STEP, check_plan};
use buedafab_model::simulate::{Scenario, SimHost, simulate};

/// A deploy on two hosts that serve an older release from slot a.
fn good_plan() -> Plan {
    good_plan_of("")
}

/// The same with something more in the configuration.
fn good_plan_of(more: &str) -> Plan {
    let text = format!(
        "unit = \"five\"\nwaves = [1]\n{more}[hooks]\nbuild = \"make\"\nonce = \"migrate\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n"
    );
    let production = EnvironmentName::new("production").expect("a word");
    let settings =
        parse("buedafab.toml", &text).and_then(|file| file.settings(&production)).expect("settings");
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
            skipped: Vec::new(),
            in_traffic: BTreeSet::new(),
        };
        let (tag, remote) = (format!("v{number}"), "origin".to_owned());
        let tagging = DeployerAction::Tag {
            tag: tag.clone(),
            commit: release.commit.clone(),
            signed: false,
            signers: Vec::new(),
            remote: remote.clone(),
        };
        let request = DeployRequest {
            before: vec![tagging],
            publish: vec![DeployerAction::PushTag { remote, tag }],
            ..DeployRequest::new(release, "git@host:five")
        };
        plan_deploy(&settings, &context, &request, &seen).expect("a plan")
    };
    let first = deploy(&hosts, 1);
    simulate(&first, &mut hosts, &Scenario::default());
    deploy(&hosts, 2)
}

/// The rules that a plan breaks after this was done to it.
fn broken(change: impl FnOnce(&mut Plan)) -> Vec<PlanRule> {
    broken_in(good_plan(), change)
}

fn broken_in(mut plan: Plan, change: impl FnOnce(&mut Plan)) -> Vec<PlanRule> {
    change(&mut plan);
    let mut rules: Vec<PlanRule> = check_plan(&plan).into_iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn phase<'p>(plan: &'p mut Plan, name: &str) -> &'p mut Phase {
    let phase = plan.phases.iter_mut().find(|phase| phase.kind.to_string().starts_with(name));
    phase.expect("there is one")
}

/// The first host's work in a phase.
fn work<'p>(plan: &'p mut Plan, name: &str) -> &'p mut HostWork {
    &mut phase(plan, name).work[0]
}

fn arm<'p>(plan: &'p mut Plan, name: &str) -> &'p mut Arm {
    let arms = work(plan, name).frame.iter_mut().filter_map(|instruction| match instruction {
        Instruction::Arm(arm) => Some(arm),
        Instruction::Do(_) | Instruction::Confirm | Instruction::Leave => None,
    });
    arms.last().expect("it is armed")
}

/// The first host's steps in a phase.
fn steps<'p>(plan: &'p mut Plan, name: &str) -> impl Iterator<Item = &'p mut Step> {
    work(plan, name).frame.iter_mut().filter_map(|instruction| match instruction {
        Instruction::Do(step) => Some(step),
        Instruction::Arm(_) | Instruction::Confirm | Instruction::Leave => None,
    })
}

fn position(work: &HostWork, step: &str) -> usize {
    let is_it = |found: &Instruction| matches!(found, Instruction::Do(found) if found.action.to_string().starts_with(step));
    work.frame.iter().position(is_it).expect("there is one")
}

fn remove(plan: &mut Plan, phase: &str, step: &str) {
    let work = work(plan, phase);
    let at = position(work, step);
    work.frame.remove(at);
}

fn remove_words(plan: &mut Plan, phase: &str, is_it: fn(&Instruction) -> bool) {
    work(plan, phase).frame.retain(|instruction| !is_it(instruction));
}

fn last_id(plan: &Plan) -> u32 {
    let work = plan.phases.iter().flat_map(|phase| &phase.work);
    let hosts = work.flat_map(HostWork::all_steps).map(|step| step.id);
    hosts.chain(plan.deployer_steps().map(|found| found.id())).max().unwrap_or(0)
}

/// Puts an action before all others of the first host in a phase.
fn insert(plan: &mut Plan, phase: &str, action: impl Into<Action>) {
    let id = last_id(plan) + 1;
    work(plan, phase).frame.insert(0, Instruction::Do(Step { id, action: action.into() }));
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
    use PlanRule::{PhaseOrder, Unconfirmed, Unlocked};
    let at = |plan: &Plan, name: &str| {
        plan.phases.iter().position(|phase| phase.kind.to_string().starts_with(name)).expect("there is one")
    };
    let swapped = |one: &str, other: &str| {
        broken(|plan| {
            let (one, other) = (at(plan, one), at(plan, other));
            plan.phases.swap(one, other);
        })
    };
    assert_eq!(swapped("once", "switch, wave 1"), [PhaseOrder]);
    assert_eq!(swapped("switch, wave 1", "switch, wave 2"), [PhaseOrder]);
    assert_eq!(swapped("begin", "lock"), [PhaseOrder]);
    assert_eq!(broken(|plan| drop(plan.phases.pop())), [PhaseOrder, Unconfirmed]);
    let without_lock = broken(|plan| {
        let lock = at(plan, "lock");
        drop(plan.phases.remove(lock));
    });
    assert_eq!(without_lock, [Unlocked]);
    assert_eq!(broken(|plan| plan.phases[1].kind = PhaseKind::Work)[0], PhaseOrder);
}

#[test]
fn steps_have_numbers_of_their_own() {
    let numbered = |change: fn(&mut Plan)| assert_eq!(broken(change), [PlanRule::StepNumbers]);
    numbered(|plan| {
        let first = steps(plan, "lock").next().expect("there is one").id;
        steps(plan, "prepare").next().expect("there is one").id = first;
    });
    numbered(|plan| arm(plan, "switch").way_back[0].id = last_id(&good_plan()) - 1);
    numbered(|plan| steps(plan, "prepare").next().expect("there is one").id = 0);
    numbered(|plan| phase(plan, "publish").deployer[0].id = 1);
}

#[test]
fn a_host_is_locked_and_compared_first() {
    use PlanRule::Unlocked;
    assert_eq!(broken(|plan| remove(plan, "lock", "take the lock")), [Unlocked]);
    assert_eq!(broken(|plan| remove(plan, "lock", "check that")), [Unlocked]);
    assert_eq!(broken(|plan| drop(phase(plan, "lock").work.remove(0))), [Unlocked]);
    assert_eq!(broken(|plan| work(plan, "lock").frame.swap(0, 1)), [Unlocked]);
}

#[test]
fn the_live_slot_is_left_alone() {
    use PlanRule::LiveSlotTouched;
    let hook = |directory: &str| AppAction::Hook {
        point: HookPoint::BeforePrepare,
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
    // A strategy that works in place says so, and a person is told.
    let in_place = |plan: &mut Plan| {
        plan.hosts[0].broken_promises = vec![Promise::LiveUntouched];
        insert(plan, "prepare", hook("releases/a"));
    };
    assert_eq!(broken(in_place), []);
    let into_live = broken(|plan| {
        for step in steps(plan, "prepare") {
            if let Action::Git(GitAction::Checkout { slot: into, .. }) = &mut step.action {
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
    assert_eq!(broken(|plan| work(plan, "prepare").frame.swap(0, 1)), [Unmarked]);
    assert_eq!(broken(|plan| remove(plan, "prepare", "mark b as ready")), [Unmarked, Unproven]);
    assert_eq!(broken(|plan| remove(plan, "prepare", "check out")), [Unmarked]);
    let last_two = |plan: &mut Plan| {
        let frame = &mut work(plan, "prepare").frame;
        let last = frame.len() - 1;
        frame.swap(last, last - 1);
    };
    assert_eq!(broken(last_two), [Unmarked]);
}

#[test]
fn links_lead_to_what_was_proven() {
    use PlanRule::{NoWayBack, Unproven};
    let lead = |plan: &mut Plan, to: Option<&str>| {
        for step in steps(plan, "switch") {
            if let Action::Record(RecordAction::SwitchLink { target }) = &mut step.action {
                *target = to.map(str::to_owned);
            }
        }
    };
    assert_eq!(broken(|plan| lead(plan, Some("a"))), [Unproven, NoWayBack]);
    assert_eq!(broken(|plan| lead(plan, Some("c"))), [Unproven]);
    assert_eq!(broken(|plan| lead(plan, None)), [Unproven]);
    assert_eq!(broken(|plan| remove(plan, "switch", "switch the link")), [Unproven]);
}

#[test]
fn a_switch_has_a_way_back() {
    use PlanRule::NoWayBack;
    assert_eq!(broken(|plan| arm(plan, "switch").way_back.clear()), [NoWayBack]);
    assert_eq!(broken(|plan| drop(arm(plan, "switch").way_back.remove(0))), [NoWayBack]);
    assert_eq!(broken(|plan| arm(plan, "switch").way_back.swap(0, 1)), [NoWayBack]);
    let forget = |plan: &mut Plan| {
        arm(plan, "switch").way_back[0].action = RecordAction::SwitchLink { target: None }.into();
    };
    assert_eq!(broken(forget), [NoWayBack]);
    let late = |plan: &mut Plan| {
        let work = work(plan, "switch");
        let at = position(work, "switch the link");
        work.frame.swap(at, at - 1);
    };
    assert_eq!(broken(late), [NoWayBack]);
}

#[test]
fn a_host_that_was_armed_is_confirmed_and_let_go() {
    use PlanRule::{NoWayBack, Unconfirmed};
    let is_arm = |instruction: &Instruction| matches!(instruction, Instruction::Arm(_));
    let is_confirm = |instruction: &Instruction| *instruction == Instruction::Confirm;
    let is_leave = |instruction: &Instruction| *instruction == Instruction::Leave;
    assert_eq!(broken(|plan| remove_words(plan, "switch", is_arm)), [NoWayBack, Unconfirmed]);
    assert_eq!(broken(|plan| remove_words(plan, "finish", is_confirm)), [Unconfirmed]);
    assert_eq!(broken(|plan| remove_words(plan, "finish", is_leave)), [Unconfirmed]);
    assert_eq!(broken(|plan| work(plan, "finish").frame.swap(0, 1)), [Unconfirmed]);
    assert_eq!(broken(|plan| work(plan, "switch").frame.push(Instruction::Confirm)), [Unconfirmed]);
    assert_eq!(broken(|plan| work(plan, "prepare").frame.push(Instruction::Leave)), [Unconfirmed]);
}

#[test]
fn hosts_bake_until_they_are_confirmed() {
    use PlanRule::{PhaseOrder, Unbaked};
    let baking = || good_plan_of("bake_seconds = 30\n");
    assert_eq!(broken_in(baking(), |_| {}), []);
    assert_eq!(broken_in(baking(), |plan| drop(phase(plan, "bake, wave 1").work.remove(0))), [Unbaked]);
    assert_eq!(broken_in(baking(), |plan| drop(phase(plan, "bake, wave 2").work.remove(0))), [Unbaked]);
    assert_eq!(broken_in(baking(), |plan| drop(phase(plan, "bake, wave 2").work.remove(1))), [Unbaked]);
    let late = |plan: &mut Plan| phase(plan, "bake, wave 2").kind = PhaseKind::Bake { wave: 3, of: 3 };
    assert_eq!(broken_in(baking(), late), [PhaseOrder]);
}

#[test]
fn a_wave_is_confirmed_whole() {
    use PlanRule::{Misplaced, NoWayBack, PhaseOrder, StrictFinish, Unbaked, Unconfirmed};
    let stops = || good_plan_of("on_wave_failure = \"stop\"\nbake_seconds = 30\n");
    assert_eq!(broken_in(stops(), |_| {}), []);
    let is_confirm = |instruction: &Instruction| *instruction == Instruction::Confirm;
    assert_eq!(broken_in(stops(), |plan| remove_words(plan, "confirm", is_confirm)), [Unconfirmed, Unbaked]);
    assert_eq!(broken_in(stops(), |plan| work(plan, "confirm").frame.swap(0, 1)), [Unconfirmed]);
    let again = |plan: &mut Plan| work(plan, "finish").frame.insert(0, Instruction::Confirm);
    assert_eq!(broken_in(stops(), again), [Unconfirmed]);
    let early = |plan: &mut Plan| work(plan, "confirm").frame.push(Instruction::Leave);
    assert_eq!(broken_in(stops(), early), [Unconfirmed]);
    assert_eq!(broken_in(stops(), |plan| phase(plan, "bake, wave 1").work.clear()), [Unbaked]);
    let of_another = |plan: &mut Plan| {
        let work = work(plan, "confirm").clone();
        let others = work.frame.into_iter().filter(|instruction| !matches!(instruction, Instruction::Do(_)));
        let host = plan.hosts[1].host.name.clone();
        phase(plan, "confirm").work.push(HostWork { host, frame: others.collect() });
    };
    assert_eq!(broken_in(stops(), of_another), [NoWayBack, Unconfirmed]);
    let late = |plan: &mut Plan| phase(plan, "confirm").kind = PhaseKind::Confirm { wave: 3, of: 3 };
    assert_eq!(broken_in(stops(), late), [PhaseOrder, Unconfirmed]);
    let strict = |plan: &mut Plan| {
        let first = steps(plan, "confirm").next().expect("there is one");
        if let Action::Record(RecordAction::Record { optional, .. }) = &mut first.action {
            *optional = false;
        }
    };
    assert_eq!(broken_in(stops(), strict), [StrictFinish]);
    let hold = |plan: &mut Plan| insert(plan, "confirm", RecordAction::Unhold);
    assert_eq!(broken_in(stops(), hold), [Misplaced, Unconfirmed, StrictFinish]);
}

#[test]
fn nothing_is_made_public_before_all_hosts_are_ready() {
    use PlanRule::{Misplaced, StepNumbers, TooEarly};
    let early = |plan: &mut Plan| {
        let push = phase(plan, "publish").deployer.remove(0);
        phase(plan, "begin").deployer.push(push);
    };
    assert_eq!(broken(early), [TooEarly]);
    let forget = |plan: &mut Plan| phase(plan, "begin").deployer[0].way_back = None;
    assert_eq!(broken(forget), [TooEarly]);
    let in_switch = |plan: &mut Plan| {
        let id = last_id(plan) + 1;
        let action = DeployerAction::Hook { command: "make".to_owned() };
        phase(plan, "switch").deployer.push(DeployerStep { id, action, way_back: None });
    };
    assert_eq!(broken(in_switch), [Misplaced]);
    let twice = |plan: &mut Plan| {
        let again = phase(plan, "publish").deployer[0].clone();
        phase(plan, "publish").deployer.push(again);
    };
    assert_eq!(broken(twice), [StepNumbers]);
}

#[test]
fn steps_are_where_they_belong() {
    use PlanRule::{Misplaced, StrictFinish, Unconfirmed, Unproven};
    let link = || RecordAction::SwitchLink { target: Some("b".to_owned()) };
    assert_eq!(broken(|plan| insert(plan, "prepare", link()))[0], Misplaced);
    let hold = broken(|plan| insert(plan, "finish", RecordAction::Unhold));
    assert_eq!(hold, [Misplaced, Unconfirmed, StrictFinish]);
    let strict = |plan: &mut Plan| {
        let first = steps(plan, "finish").next().expect("there is one");
        if let Action::Record(RecordAction::Record { optional, .. }) = &mut first.action {
            *optional = false;
        }
    };
    assert_eq!(broken(strict), [StrictFinish]);
    let twice = |plan: &mut Plan| {
        let mut again = work(plan, "once").clone();
        let id = last_id(plan) + 1;
        if let Instruction::Do(step) = &mut again.frame[0] {
            step.id = id;
        }
        phase(plan, "once").work.push(again);
    };
    assert_eq!(broken(twice), [Misplaced]);
    let idle = |plan: &mut Plan| plan.hosts[0].to = None;
    assert_eq!(broken(idle), [Unproven]);
}

#[test]
fn whoever_is_taken_out_of_traffic_is_put_back() {
    use PlanRule::NeverPutBack;
    let by_host = || good_plan_of("drain = \"file\"\n");
    let by_deployer = || good_plan_of("drain = { command = \"out\", undo = \"in\", on = \"deployer\" }\n");
    for plan in [by_host(), by_deployer()] {
        assert_eq!(broken_in(plan, |_| {}), []);
    }
    assert!(broken_in(by_host(), |plan| arm(plan, "drain").way_back.clear()).contains(&NeverPutBack));
    assert_eq!(broken_in(by_host(), |plan| phase(plan, "undrain").work.clear()), [NeverPutBack]);
    assert_eq!(broken_in(by_deployer(), |plan| phase(plan, "announce").work.clear()), [NeverPutBack]);
    assert_eq!(
        broken_in(by_deployer(), |plan| remove_from_failures(plan, "note that it is back")),
        [NeverPutBack]
    );
    let forget = |plan: &mut Plan| phase(plan, "drain").deployer[0].way_back = None;
    assert_eq!(broken_in(by_deployer(), forget), [PlanRule::TooEarly]);
}

fn remove_from_failures(plan: &mut Plan, step: &str) {
    for work in &mut plan.on_failure {
        let at = position(work, step);
        work.frame.remove(at);
    }
}

#[test]
fn a_step_fits_into_a_command() {
    let long = |plan: &mut Plan| {
        for step in steps(plan, "prepare") {
            if let Action::App(AppAction::Hook { command, .. }) = &mut step.action {
                *command = "x".repeat(LONGEST_STEP);
            }
        }
    };
    assert_eq!(broken(long), [PlanRule::TooLong]);
}
