//! What a run makes of what it hears: hosts are believed what the plan has them say, and none is confirmed before all have
//! answered.

mod common;

use buedafab_model::names::HostName;
use buedafab_model::plan::Plan;
use buedafab_model::planner::{DeployRequest, SeenHost, plan_deploy};
use buedafab_model::run::message::{Command, Input, Seen};
use buedafab_model::run::outcome::Verdict;
use buedafab_model::run::state::RunState;
use common::{URL, live, release, run, settings};

/// A deploy of release 2 over release 1 on two hosts.
fn plan() -> Plan {
    let settings = settings("unit = \"five\"\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n");
    let facts = live().0;
    let seen: Vec<_> = settings.hosts.iter().map(|host| SeenHost { host, facts: &facts }).collect();
    plan_deploy(&settings, &run(2), &DeployRequest::new(release(2), URL), &seen).expect("a plan")
}

fn host(name: &str) -> HostName {
    HostName::new(name).expect("a name")
}

/// What a host says that does all it is sent.
fn obeys(plan: &Plan, host: &HostName, phases: &[usize]) -> Vec<Input> {
    let steps =
        phases.iter().filter_map(|phase| plan.phases[*phase].work_of(host)).flat_map(|work| work.steps());
    let mut inputs = Vec::new();
    for step in steps {
        inputs.push(Input::StepStarted { host: host.clone(), step: step.id });
        inputs.push(Input::StepEnded { host: host.clone(), step: step.id });
    }
    inputs.push(Input::Ended { host: host.clone(), ok: true });
    inputs
}

fn goes_back(plan: &Plan, host: &HostName) -> Vec<Input> {
    let steps = plan.phases.iter().filter_map(|phase| phase.work_of(host)).flat_map(|work| work.way_back());
    let mut inputs = Vec::new();
    for step in steps {
        inputs.push(Input::StepStarted { host: host.clone(), step: step.id });
        inputs.push(Input::StepEnded { host: host.clone(), step: step.id });
    }
    inputs.push(Input::Ended { host: host.clone(), ok: true });
    inputs
}

/// Carries out the plan on hosts that do all that they are told, but for what `web2` says where it is asked whether it
/// serves. Gives back all that the run wanted since then, and how it ended.
fn ask(answers: impl Fn(&HostName) -> Vec<Input>) -> (Vec<String>, Verdict) {
    let plan = plan();
    let (mut state, mut commands) = RunState::start(&plan);
    let mut told = Vec::new();
    let mut is_asked = false;
    for _ in 0..100 {
        let mut inputs = Vec::new();
        for command in std::mem::take(&mut commands) {
            is_asked |= matches!(command, Command::Ask { .. });
            if is_asked {
                told.push(name_of(&command));
            }
            match command {
                Command::Send { host, phases } => inputs.extend(obeys(&plan, &host, &phases)),
                Command::Ask { host } if host.as_str() == "web1" => {
                    inputs.push(Input::Answered { host, serves: true })
                }
                Command::Ask { host } => inputs.extend(answers(&host)),
                Command::Revert { host } => inputs.extend(goes_back(&plan, &host)),
                Command::LookAgain { host } => {
                    let from = plan.hosts[0].from.as_ref().map(|from| from.commit.clone());
                    let slot = buedafab_model::names::SlotName::new("a").expect("a name");
                    let seen = Seen { slot: Some(slot), commit: from, confirmed: true };
                    inputs.push(Input::Seen { host, seen: Some(seen) });
                }
                Command::End(outcome) => return (told, outcome.verdict),
                _ => {}
            }
        }
        for input in inputs {
            commands.extend(state.handle(input));
        }
    }
    panic!("it doesn't end: {told:?}");
}

fn name_of(command: &Command) -> String {
    match command {
        Command::Send { host, .. } => format!("send {host}"),
        Command::Cancel { host } => format!("cancel {host}"),
        Command::Revert { host } => format!("revert {host}"),
        Command::Ask { host } => format!("ask {host}"),
        Command::Cut { host, why } => format!("cut {host}: {why}"),
        Command::LookAgain { host } => format!("look {host}"),
        Command::End(_) => "end".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn no_host_is_confirmed_before_all_have_answered() {
    let answered = |serves| move |host: &HostName| vec![Input::Answered { host: host.clone(), serves }];
    let lost = |host: &HostName| vec![Input::Lost { host: host.clone(), why: "silence".to_owned() }];
    let interrupted =
        |host: &HostName| vec![Input::Interrupted, Input::Answered { host: host.clone(), serves: true }];
    assert_eq!(
        ask(answered(true)),
        (
            ["ask web1", "ask web2", "send web1", "send web2", "end"].map(str::to_owned).to_vec(),
            Verdict::Done
        )
    );
    let back = ["ask web1", "ask web2", "revert web1", "revert web2", "end"].map(str::to_owned).to_vec();
    assert_eq!(ask(answered(false)), (back.clone(), Verdict::Reverted));
    assert_eq!(
        ask(lost),
        (
            ["ask web1", "ask web2", "revert web1", "look web2", "end"].map(str::to_owned).to_vec(),
            Verdict::Reverted
        )
    );
    let mut stopped = back;
    stopped.insert(2, "cancel web2".to_owned());
    assert_eq!(ask(interrupted), (stopped, Verdict::Interrupted));
}

/// A host says of the first frame that it was sent something that the plan doesn't have.
#[track_caller]
fn check_distrust(lie: impl Fn(&[u32]) -> Vec<Input>, expected: &str) {
    let plan = plan();
    let (mut state, commands) = RunState::start(&plan);
    let Some(Command::Send { phases, .. }) = commands.first() else { panic!("{commands:?}") };
    let steps: Vec<u32> = plan.phases[phases[0]].work[0].steps().map(|step| step.id).collect();
    let mut commands: Vec<String> = Vec::new();
    for input in lie(&steps) {
        commands.extend(state.handle(input).iter().map(name_of));
    }
    assert_eq!(
        commands,
        [format!("cut web1: its answers don't fit the plan: {expected}"), "cancel web2".to_owned()]
    );
}

#[test]
fn a_host_is_believed_only_what_the_plan_has_it_say() {
    let web1 = || host("web1");
    let started = |step| Input::StepStarted { host: web1(), step };
    let ended = |step| Input::StepEnded { host: web1(), step };
    let done = || Input::Ended { host: web1(), ok: true };
    check_distrust(|_| vec![done()], "it says that all is done, and not that step 1 ended");
    check_distrust(
        |steps| vec![started(steps[0]), ended(steps[0]), done()],
        "it says that all is done, and not that step 2 ended",
    );
    check_distrust(|steps| vec![started(steps[1])], "it says that it began step 2");
    check_distrust(|steps| vec![ended(steps[1])], "it says that it ended step 2");
    check_distrust(|_| vec![started(999)], "it says that it began step 999");
    check_distrust(|_| vec![Input::Confirmed { host: web1() }], "it says that it is confirmed");
}
