//! What a run makes of what it hears: hosts are believed what the plan has them say, and none is confirmed before all have
//! answered.

mod common;

use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::{HostName, SlotName};
use buedafab_model::plan::Plan;
use buedafab_model::planner::{DeployRequest, SeenHost, plan_deploy};
use buedafab_model::run::message::{Command, Input, Seen};
use buedafab_model::run::outcome::{FailureKind, Serving, Verdict};
use buedafab_model::run::state::RunState;
use insta::assert_snapshot;

use common::{URL, bare, live, release, run, settings};

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
                    let slot = SlotName::new("a").expect("a name");
                    let seen = Seen {
                        slot: Some(slot),
                        commit: from,
                        run: None,
                        is_half_made: false,
                        confirmed: true,
                        trouble: Vec::new(),
                        is_link_alone: false,
                    };
                    inputs.push(Input::Seen { host, seen: Some(seen) });
                }
                Command::Note { host, .. } => inputs.push(Input::Ended { host, ok: true }),
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
        Command::Note { host, .. } => format!("note {host}"),
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
    let noted = ["note web1", "note web2", "end"];
    let back = [&["ask web1", "ask web2", "revert web1", "revert web2"][..], &noted].concat();
    let back: Vec<String> = back.into_iter().map(str::to_owned).collect();
    assert_eq!(ask(answered(false)), (back.clone(), Verdict::Reverted));
    assert_eq!(
        ask(lost),
        (
            ["ask web1", "ask web2", "revert web1", "look web2", "note web1", "end"]
                .map(str::to_owned)
                .to_vec(),
            Verdict::Reverted
        )
    );
    let mut stopped = back;
    stopped.insert(2, "cancel web2".to_owned());
    assert_eq!(ask(interrupted), (stopped, Verdict::Interrupted));
}

/// Before the link has moved a host fails, and says this of its way back. What it serves, if it was looked at.
fn fail_to_switch(way_back: impl Fn(Vec<Input>) -> Vec<Input>) -> (Verdict, Option<Serving>) {
    let plan = plan();
    let (mut state, mut commands) = RunState::start(&plan);
    let mut is_seen = false;
    for _ in 0..100 {
        let mut inputs = Vec::new();
        for command in std::mem::take(&mut commands) {
            match command {
                Command::Send { host, phases } => {
                    let mut said = obeys(&plan, &host, &phases);
                    let is_link = |input: &Input| matches!(input, Input::StepStarted { step, .. } if plan.action(*step).is_some_and(|action| action.effects().switches()));
                    if let Some(at) = said.iter().position(is_link).filter(|_| host.as_str() == "web2") {
                        let Input::StepStarted { step, .. } = said[at] else { unreachable!() };
                        said.truncate(at + 1);
                        let what = FailureKind::Exited { status: 1 };
                        said.push(Input::StepFailed { host: host.clone(), step, what });
                        said.push(Input::Ended { host, ok: false });
                    }
                    inputs.extend(said);
                }
                Command::Revert { host } if host.as_str() == "web2" => {
                    inputs.extend(way_back(goes_back(&plan, &host)));
                }
                Command::Revert { host } => inputs.extend(goes_back(&plan, &host)),
                Command::Note { host, .. } => inputs.push(Input::Ended { host, ok: true }),
                Command::LookAgain { host } => {
                    is_seen = true;
                    let planned = plan.host(&host).expect("it is in the plan");
                    let commit = planned.from.as_ref().map(|from| from.commit.clone());
                    let slot = Some(SlotName::new("a").expect("a slot"));
                    let trouble = vec!["five.service doesn't run".to_owned()];
                    inputs.push(Input::Seen {
                        host,
                        seen: Some(Seen {
                            slot,
                            commit,
                            run: None,
                            is_half_made: false,
                            confirmed: true,
                            trouble,
                            is_link_alone: false,
                        }),
                    });
                }
                Command::End(outcome) => {
                    let mut of_web2 = outcome.hosts.into_iter().filter(|of| of.host == host("web2"));
                    return (outcome.verdict, of_web2.next().filter(|_| is_seen).map(|of| of.serving));
                }
                _ => {}
            }
        }
        for input in inputs {
            commands.extend(state.handle(input));
        }
    }
    panic!("it doesn't end");
}

#[test]
fn a_way_back_that_was_gone_to_its_end_has_succeeded_whatever_cannot_be_written_down() {
    let without_note = |mut said: Vec<Input>| {
        said.pop();
        said.push(Input::Ended { host: host("web2"), ok: false });
        said
    };
    assert_eq!(fail_to_switch(|said| said), (Verdict::Reverted, None));
    assert_eq!(fail_to_switch(without_note), (Verdict::Reverted, None));
    // A step that failed is another matter, and so is one of which nothing was said: the host is looked at.
    let failed = |said: Vec<Input>| {
        let mut said = without_note(said);
        let Some(Input::StepEnded { step, .. }) = said.get(1).cloned() else { panic!("{said:?}") };
        said[1] = Input::StepFailed { host: host("web2"), step, what: FailureKind::Exited { status: 1 } };
        said
    };
    let is_mixed = |(verdict, serving): (Verdict, Option<Serving>)| {
        let told = serving.expect("it was looked at").told(&["web2"], true);
        assert_eq!(verdict, Verdict::Mixed);
        assert!(told.contains("five.service doesn't run"), "{told}");
    };
    is_mixed(fail_to_switch(failed));
    is_mixed(fail_to_switch(|said| [&said[..2], &[Input::Ended { host: host("web2"), ok: false }]].concat()));
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

/// What requirements leave open may come out differently on two hosts: that is seen before either of them switches.
#[test]
fn hosts_of_a_release_hold_the_same_packages() {
    let settings = settings(
        "unit = \"five\"\nrecipe = \"wsgi\"\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n",
    );
    let plan_of = |facts: [&HostFacts; 2]| {
        let seen: Vec<_> =
            settings.hosts.iter().zip(facts).map(|(host, facts)| SeenHost { host, facts }).collect();
        plan_deploy(&settings, &run(2), &DeployRequest::new(release(2), URL), &seen).expect("a plan")
    };
    let run_with = |plan: &Plan, lists: [&str; 2]| {
        let (mut state, mut commands) = RunState::start(plan);
        for _ in 0..100 {
            let mut inputs = Vec::new();
            for command in std::mem::take(&mut commands) {
                match command {
                    Command::Send { host, phases } => {
                        let list = lists[usize::from(host.as_str() == "web2")].to_owned();
                        for input in obeys(plan, &host, &phases) {
                            if let Input::StepEnded { step, .. } = input
                                && plan.action(step).is_some_and(|action| action.effects().is_compared)
                            {
                                inputs.push(Input::Compared { host: host.clone(), step, text: list.clone() });
                            }
                            inputs.push(input);
                        }
                    }
                    Command::Ask { host } => inputs.push(Input::Answered { host, serves: true }),
                    Command::Note { host, .. } => inputs.push(Input::Ended { host, ok: true }),
                    Command::End(outcome) => {
                        let told: Vec<String> =
                            outcome.failures.iter().map(|failure| failure.what.to_string()).collect();
                        return format!("{:?} {}", outcome.verdict, told.join("\n"));
                    }
                    Command::Revert { host } => panic!("{host} was to switch"),
                    _ => {}
                }
            }
            for input in inputs {
                commands.extend(state.handle(input));
            }
        }
        panic!("it doesn't end")
    };
    let old = live().0;
    let both = plan_of([&old, &old]);
    for same in [["", ""], ["six==1.0\n", "six==1.0\n"], ["six==1.0\n", "six==1.0\nbackport==2\n"]] {
        assert_eq!(run_with(&both, same), "Done ");
    }
    let told = run_with(&both, ["six==1.0\nx @ git+file:///x@12\n", "six==2.0\nx @ git+file:///x@34\n"]);
    insta::assert_snapshot!(told.lines().next().unwrap_or_default(), @"FailedBefore six is 1.0 on web1 and 2.0 on web2; x is git+file:///x@12 on web1 and git+file:///x@34 on web2; `deploy --upgrade` takes the newest on all of them, and a requirement with a version leaves no choice");
    // A host that joins is compared with one that stays as it is. pip and uv write the name of a package in ways of their own.
    let new = bare().slot("a", SlotState::Live, 2).link("a");
    let new = new.change(|facts| facts.pins = vec!["zope-interface==1.0".to_owned()]).0;
    let joins = plan_of([&old, &new]);
    assert_eq!(run_with(&joins, ["Zope.Interface==1.0\n", ""]), "Done ");
    let told = run_with(&joins, ["Zope.Interface==2.0\n", ""]);
    insta::assert_snapshot!(told, @"FailedBefore zope-interface is 2.0 on web1 and 1.0 on web2; `deploy --force --upgrade` takes the newest on all of them, and a requirement with a version leaves no choice");
    // What stays with another release has what that asks for.
    let older = live().change(|facts| facts.pins = vec!["zope-interface==1.0".to_owned()]).0;
    assert_eq!(run_with(&plan_of([&older, &old]), ["zope-interface==2.0\n"; 2]), "Done ");
}

/// Three hosts in two waves, each of which is confirmed by itself. Instead of what `name` is to do in a phase this happens; what the run
/// wants from then on, and what hosts serve in the end.
fn in_waves(phase: &str, name: &str, instead: impl Fn(Vec<Input>) -> Vec<Input>) -> String {
    let settings = settings(
        "unit = \"five\"\nwaves = [1]\non_wave_failure = \"stop\"\n[environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let facts = live().0;
    let seen: Vec<_> = settings.hosts.iter().map(|host| SeenHost { host, facts: &facts }).collect();
    let plan = plan_deploy(&settings, &run(2), &DeployRequest::new(release(2), URL), &seen).expect("a plan");
    let (mut state, mut commands) = RunState::start(&plan);
    let mut told: Option<Vec<String>> = None;
    for _ in 0..100 {
        let mut inputs = Vec::new();
        for command in std::mem::take(&mut commands) {
            if let Some(told) = &mut told {
                told.push(name_of(&command));
            }
            match command {
                Command::Send { host, phases } => {
                    let kind = plan.phases[phases[0]].kind.to_string();
                    let said = obeys(&plan, &host, &phases);
                    let is_it = kind.starts_with(phase) && host.as_str() == name;
                    inputs.extend(if is_it { instead(said) } else { said });
                    if is_it {
                        told = Some(Vec::new());
                    }
                }
                Command::Ask { host } => inputs.push(Input::Answered { host, serves: true }),
                Command::Cancel { host } => inputs.push(Input::Ended { host, ok: false }),
                Command::Revert { host } => inputs.extend(goes_back(&plan, &host)),
                Command::LookAgain { host } => inputs.push(Input::Seen { host, seen: None }),
                Command::Note { host, .. } => inputs.push(Input::Ended { host, ok: true }),
                Command::End(outcome) => {
                    let serving = outcome.hosts.iter().map(|told| match &told.serving {
                        Serving::Release { release, .. } => format!("{} {release}", told.host),
                        other => format!("{} {other:?}", told.host),
                    });
                    let serving: Vec<String> = serving.collect();
                    let told = told.unwrap_or_default();
                    return format!("{}\n{:?}: {}\n", told.join(", "), outcome.verdict, serving.join(", "));
                }
                _ => {}
            }
        }
        for input in inputs {
            commands.extend(state.handle(input));
        }
    }
    panic!("it doesn't end: {told:?}");
}

#[test]
fn a_wave_that_was_confirmed_by_itself_stays() {
    let fails = |said: Vec<Input>| {
        let Some(Input::StepStarted { host, step }) = said.first().cloned() else { return Vec::new() };
        let what = FailureKind::Exited { status: 1 };
        vec![
            Input::StepStarted { host: host.clone(), step },
            Input::StepFailed { host: host.clone(), step, what },
            Input::Ended { host, ok: false },
        ]
    };
    let interrupted = |said: Vec<Input>| [vec![Input::Interrupted], said].concat();
    let lost = |_: Vec<Input>| vec![Input::Lost { host: host("web1"), why: "silence".to_owned() }];
    assert_snapshot!(in_waves("finish", "web3", |said| said), @"
    end
    Done: web1 v2 (2222222222), web2 v2 (2222222222), web3 v2 (2222222222)
    ");
    assert_snapshot!(in_waves("switch, wave 1", "web1", fails), @"
    revert web1, note web1, note web2, note web3, end
    Reverted: web1 v1 (1111111111), web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    assert_snapshot!(in_waves("switch, wave 2", "web3", fails), @"
    revert web2, revert web3, note web2, note web3, end
    Mixed: web1 v2 (2222222222), web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    assert_snapshot!(in_waves("switch, wave 2", "web3", |_| vec![Input::Interrupted]), @"
    cancel web3, revert web2, revert web3, note web2, note web3, end
    Mixed: web1 v2 (2222222222), web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    // What is being confirmed is so to its end, and nothing follows it.
    assert_snapshot!(in_waves("confirm, wave 1", "web1", interrupted), @"
    note web2, note web3, end
    Mixed: web1 v2 (2222222222), web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    assert_snapshot!(in_waves("confirm, wave 1", "web1", lost), @"
    look web1, note web2, note web3, end
    Mixed: web1 Unknown, web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    // A host that is lost later is no example to follow.
    assert_snapshot!(in_waves("switch, wave 2", "web3", lost), @"
    cancel web3, revert web2, revert web3, look web1, note web2, note web3, end
    Mixed: web1 v2 (2222222222), web2 v1 (1111111111), web3 v1 (1111111111)
    ");
    assert_snapshot!(in_waves("finish", "web3", |said| [lost(Vec::new()), said].concat()), @"
    end
    Done: web1 v2 (2222222222), web2 v2 (2222222222), web3 v2 (2222222222)
    ");
}
