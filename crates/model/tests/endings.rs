//! How a run that didn't go well is told: each error once, whoever reads and whatever failed, and hosts in one order.

use buedafab_model::run::event::{Event, StampedEvent};
use buedafab_model::view::{Line, RunLines, Seen, StepOutput, Summary};

const STARTED: &str = r#"{"event":"run_started","run":"20261123-203221-ie2d","command":"fails","by":"ada@laptop","unit":"five","environment":"production","hosts":["web2","web1"]}"#;

/// A run of these events and an end, as its reader sees it.
fn told(output: StepOutput, verbose: bool, events: &[&str], verdict: &str, failures: &str) -> String {
    let end = format!(
        r#"{{"event":"run_ended","verdict":"{verdict}","hosts":[],"failures":[{failures}],"exit_code":7,"milliseconds":1000}}"#
    );
    let mut lines = RunLines::new(verbose, output);
    let mut summary = Summary::default();
    let mut text = String::new();
    for event in [STARTED].iter().chain(events).copied().chain([end.as_str()]) {
        let event: Event = serde_json::from_str(event).expect("an event");
        let stamped = StampedEvent { at: "2026-11-23T20:32:21Z".parse().expect("a time"), event };
        summary.note(&stamped.event);
        for Line::Data(line) | Line::Talk(line) in lines.tell(&stamped) {
            text += &format!("{line}\n");
        }
    }
    let seen = if lines.tells_all() { Seen::All } else { Seen::Little };
    if !lines.is_data() || summary.went_wrong() {
        text += &summary.tell("buedafab production fails", "buedafab production", seen);
    }
    text
}

const FAILED: [&str; 3] = [
    r#"{"event":"step_started","host":"web1","step":2,"title":"./bin/check"}"#,
    r#"{"event":"output","host":"web1","step":2,"stream":"stderr","line":"no database"}"#,
    r#"{"event":"step_failed","host":"web1","step":2,"title":"./bin/check","what":{"kind":"exited","status":3}}"#,
];
const LOST: [&str; 1] = [
    r#"{"event":"step_failed","host":"web1","step":null,"title":"","what":{"kind":"lost","why":"broken pipe"}}"#,
];
const UNREACHABLE: [&str; 1] =
    [r#"{"event":"unreachable","host":"web1","why":"no route","hint":"see its address"}"#];
const HERE: [&str; 3] = [
    r#"{"event":"deployer_started","step":1,"title":"make test","may_ask":false}"#,
    r#"{"event":"deployer_output","step":1,"line":"1 failed"}"#,
    r#"{"event":"deployer_ended","step":1,"status":3,"milliseconds":100}"#,
];
const UNDONE: [&str; 3] = [
    r#"{"event":"step_started","host":"web1","step":2,"title":"./bin/after"}"#,
    r#"{"event":"output","host":"web1","step":2,"stream":"stderr","line":"no database"}"#,
    r#"{"event":"step_ended","host":"web1","step":2,"status":3,"milliseconds":100}"#,
];

/// What fails, its events, the verdict, its failures, and the words of the error.
type Kind<'a> = (&'a str, &'a [&'a str], &'a str, &'a str, &'a [&'a str]);

#[test]
fn each_error_is_told_once() {
    let on_web1 = r#"{"host":"web1","step":2,"what":{"kind":"exited","status":3}}"#;
    let kinds: [Kind<'_>; 6] = [
        ("a step", &FAILED, "failed_before", on_web1, &["exit status 3", "no database"]),
        (
            "a lost host",
            &LOST,
            "mixed",
            r#"{"host":"web1","step":null,"what":{"kind":"lost","why":"broken pipe"}}"#,
            &["connection lost", "broken pipe"],
        ),
        (
            "an unreachable host",
            &UNREACHABLE,
            "unreachable",
            r#"{"host":"web1","step":null,"what":{"kind":"unreachable","why":"no route"}}"#,
            &["no route", "see its address"],
        ),
        (
            "the deployer's own",
            &HERE,
            "failed_before",
            r#"{"step":1,"what":{"kind":"exited","status":3}}"#,
            &["exit status 3", "1 failed"],
        ),
        ("what stops nothing", &UNDONE, "done", "", &["exit status 3", "no database"]),
        ("what stops nothing here", &HERE, "done", "", &["exit status 3", "1 failed"]),
    ];
    for (kind, events, verdict, failures, errors) in kinds {
        for (output, verbose) in
            [(StepOutput::Data, false), (StepOutput::Talk, false), (StepOutput::Talk, true)]
        {
            let text = told(output, verbose, events, verdict, failures);
            for error in errors {
                assert_eq!(text.matches(error).count(), 1, "{kind}, {output:?}, {verbose}: {error}\n{text}");
            }
        }
    }
}

#[test]
fn a_task_that_fails_says_so_below_what_it_printed() {
    let on_web1 = r#"{"host":"web1","step":2,"what":{"kind":"exited","status":3}}"#;
    let text = told(StepOutput::Data, false, &FAILED, "failed_before", on_web1);
    insta::assert_snapshot!(text, @"
    web1 │ no database
    web1: ./bin/check: exit status 3
    ✗ fails: failed (exit 7)
      look: buedafab production --hosts web1 shell
      again: buedafab production fails
    ");
    let text = told(StepOutput::Talk, false, &FAILED, "failed_before", on_web1);
    insta::assert_snapshot!(text, @"
      web1  ✗ ./bin/check
    web1: ./bin/check: exit status 3
      │ no database
    ✗ fails: failed (exit 7)
      look: buedafab production --hosts web1 shell
      again: buedafab production fails
    ");
}

#[test]
fn what_fails_after_the_end_is_told_by_itself() {
    let mut lines = RunLines::new(false, StepOutput::Talk);
    let after = [
        STARTED,
        r#"{"event":"run_ended","verdict":"done","hosts":[],"failures":[],"exit_code":0,"milliseconds":1000}"#,
        r#"{"event":"deployer_started","step":0,"title":"exit 22","may_ask":false}"#,
        r#"{"event":"deployer_ended","step":0,"status":22,"milliseconds":100}"#,
    ];
    let told = after.iter().flat_map(|event| {
        let event: Event = serde_json::from_str(event).expect("an event");
        lines.tell(&StampedEvent { at: "2026-11-23T20:32:21Z".parse().expect("a time"), event })
    });
    let told: Vec<String> = told.map(|(Line::Data(line) | Line::Talk(line))| line).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    here: exit 22
      here  ✗ exit 22: exit status 22
    ");
}

#[test]
fn hosts_are_named_in_the_order_of_the_configuration() {
    let failure = |host: &str, status: u8| {
        format!(r#"{{"host":"{host}","step":2,"what":{{"kind":"exited","status":{status}}}}}"#)
    };
    // As they come to fail, which varies.
    for statuses in [(3, 3), (3, 4)] {
        let orders = [["web1", "web2"], ["web2", "web1"]].map(|order| {
            let failures =
                order.map(|host| failure(host, if host == "web1" { statuses.0 } else { statuses.1 }));
            told(StepOutput::Data, false, &[], "failed_before", &failures.join(","))
        });
        assert_eq!(orders[0], orders[1]);
        let (first, second) = (orders[0].find("web2"), orders[0].find("web1"));
        assert!(first < second && orders[0].contains("--hosts web2"), "{}", orders[0]);
    }
}

/// A wave that failed has left the ones before it on the new release: it is said how all come to serve the same again.
#[test]
fn hosts_that_differ_are_brought_level() {
    const RELEASES: [&str; 2] = [
        r#"{"commit":"1111111111111111111111111111111111111111","describe":"v1"}"#,
        r#"{"commit":"2222222222222222222222222222222222222222","describe":"v2"}"#,
    ];
    let told_after = |intent: &str, serving: [&str; 3], failed: &str| {
        let names = ["web1", "web2", "web3"];
        let changes =
            names.map(|host| format!(r#"{{"host":"{host}","from":{},"to":{}}}"#, RELEASES[0], RELEASES[1]));
        let started = format!(
            r#"{{"event":"work_started","headline":"deploy v2","by":"ada","intent":"{intent}","changes":[{}],"phases":[],"steps":[]}}"#,
            changes.join(",")
        );
        let hosts = [0, 1, 2].map(|at| match serving[at] {
            "unknown" => format!(r#"{{"host":"{}","serving":"unknown"}}"#, names[at]),
            which => {
                let release = RELEASES[usize::from(which == "v2")];
                format!(
                    r#"{{"host":"{}","serving":"release","release":{release},"known_by":"app"}}"#,
                    names[at]
                )
            }
        });
        let ended = format!(
            r#"{{"event":"run_ended","verdict":"mixed","hosts":[{}],"failures":[{failed}],"exit_code":9,"milliseconds":1000}}"#,
            hosts.join(",")
        );
        let mut summary = Summary::default();
        for event in [STARTED, &started, &ended] {
            summary.note(&serde_json::from_str(event).expect("an event"));
        }
        summary.tell("buedafab production deploy", "buedafab production", Seen::All)
    };
    let told = |intent: &str, serving: [&str; 3]| told_after(intent, serving, "");
    // One that couldn't go back was never confirmed: a rollback would go one further.
    let failed = r#"{"host":"web1","step":2,"what":{"kind":"exited","status":1}}"#;
    let stuck = told_after("deploy", ["v2", "v1", "v1"], failed);
    assert!(!stuck.contains("rollback") && stuck.contains("again: buedafab production deploy"), "{stuck}");
    insta::assert_snapshot!(told("deploy", ["v2", "v2", "v1"]), @"
    ✗ deploy v2: the hosts need a person (exit 9)
      serving now: v2 (2222222222) on web1, web2
      serving now: v1 (1111111111) on web3
      bring the others level: buedafab production deploy
      or go back: buedafab production --hosts web1,web2 rollback
      see: buedafab production status
    ");
    insta::assert_snapshot!(told("rollback", ["v2", "v2", "v1"]), @"
    ✗ deploy v2: the hosts need a person (exit 9)
      serving now: v2 (2222222222) on web1, web2
      serving now: v1 (1111111111) on web3
      see: buedafab production status
      again: buedafab production deploy
    ");
    insta::assert_snapshot!(told("deploy", ["v2", "v1", "unknown"]), @"
    ✗ deploy v2: the hosts need a person (exit 9)
      serving now: v2 (2222222222) on web1
      serving now: v1 (1111111111) on web2
      serving now: not known on web3
      see: buedafab production status
      again: buedafab production deploy
    ");
}
