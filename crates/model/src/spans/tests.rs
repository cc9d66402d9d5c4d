//! Events in, spans out.

use insta::assert_snapshot;

use super::*;
use crate::run::log::RunLog;

const HEAD: &str = r#"{"at":"2026-11-23T20:32:20Z","event":"run_started","run":"20261123-203221-ie2d","command":"deploy","by":"ada@laptop","unit":"five","environment":"production","hosts":["web1","web2"]}
{"at":"2026-11-23T20:32:21Z","event":"connected","host":"web1","warm":false,"milliseconds":700}"#;
const WORK: &str = r#"{"at":"2026-11-23T20:32:22Z","event":"work_started","headline":"deploy v0.2.0 (5ed17b1b2b)","by":"ada@laptop","intent":"deploy","changes":[{"host":"web1","from":null,"to":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}}],"phases":[],"steps":[["web1",2]]}
{"at":"2026-11-23T20:32:22Z","event":"phase_started","phase":"begin"}
{"at":"2026-11-23T20:32:22.1Z","event":"deployer_started","step":1,"title":"run the tests: make test","may_ask":false}
{"at":"2026-11-23T20:32:24Z","event":"deployer_ended","step":1,"status":0,"milliseconds":1900}
{"at":"2026-11-23T20:32:24.5Z","event":"phase_started","phase":"prepare"}
{"at":"2026-11-23T20:32:24.6Z","event":"step_started","host":"web1","step":2,"title":"fetch 5ed17b1b2b into b"}
{"at":"2026-11-23T20:32:24.6Z","event":"step_started","host":"web2","step":4,"title":"fetch 5ed17b1b2b into b"}
{"at":"2026-11-23T20:32:25Z","event":"step_ended","host":"web1","step":2,"status":0,"milliseconds":400}"#;
const FAILS: &str = r#"{"at":"2026-11-23T20:32:26Z","event":"step_failed","host":"web1","step":3,"title":"check: ./selftest","what":{"kind":"exited","status":1}}
{"at":"2026-11-23T20:32:26.1Z","event":"step_cancelled","host":"web2","step":4}
{"at":"2026-11-23T20:32:27Z","event":"run_ended","verdict":"failed_before","hosts":[],"failures":[],"exit_code":7,"milliseconds":7000}"#;
const REFUSED: &str = r#"{"at":"2026-11-23T20:32:22Z","event":"refused","reasons":[{"message":"production is held by grace@desk","hint":null}]}
{"at":"2026-11-23T20:32:22Z","event":"run_ended","verdict":"locked","hosts":[],"failures":[],"exit_code":5,"milliseconds":1000}"#;

fn spans(parts: &[&str]) -> String {
    let mut spans = Spans::default();
    for event in RunLog::parse(&parts.join("\n")).events {
        spans.note(&event);
    }
    let mut text = String::new();
    for run in spans.take() {
        text.push_str(&format!("{} {:?}\n", run.headline, run.verdict));
        for Span { kind: _, name, parent, start, end, result } in &run.spans {
            let mut depth = 0;
            let mut above = *parent;
            while let Some(outer) = above {
                depth += 1;
                above = run.spans[outer].parent;
            }
            let second = |at: &Timestamp| at.strftime("%S%.f").to_string();
            let result = match result {
                SpanResult::Bad(why) => format!("bad: {why}"),
                other => format!("{other:?}").to_lowercase(),
            };
            text.push_str(&format!(
                "{}{name} {}–{} {result}\n",
                "  ".repeat(depth),
                second(start),
                second(end)
            ));
        }
    }
    text
}

#[test]
fn a_run_that_failed() {
    assert_snapshot!(spans(&[HEAD, WORK, FAILS]), @"
    deploy v0.2.0 (5ed17b1b2b) Some(FailedBefore)
    deploy 20–27 bad: failed before the switch
      connect to web1 20.3–21 good
      begin 22–24.5 good
        here 22.1–24 good
          run the tests: make test 22.1–24 good
      prepare 24.5–27 bad: web1: check: ./selftest: exit status 1
        web1 24.6–26 bad: check: ./selftest: exit status 1
          fetch 5ed17b1b2b into b 24.6–25 good
        web2 24.6–26.1 cancelled
          fetch 5ed17b1b2b into b 24.6–26.1 cancelled
          check: ./selftest 26–26 bad: exit status 1
    ");
}

#[test]
fn a_run_that_was_refused_and_one_that_was_cut_short() {
    assert_snapshot!(spans(&[HEAD, REFUSED, HEAD, WORK]), @"
    deploy Some(Locked)
    deploy 20–22 bad: production is held by grace@desk
      connect to web1 20.3–21 good
    deploy v0.2.0 (5ed17b1b2b) None
    deploy 20–25 cancelled
      connect to web1 20.3–21 good
      begin 22–24.5 good
        here 22.1–24 good
          run the tests: make test 22.1–24 good
      prepare 24.5–25 cancelled
        web1 24.6–25 good
          fetch 5ed17b1b2b into b 24.6–25 good
        web2 24.6–25 cancelled
          fetch 5ed17b1b2b into b 24.6–25 cancelled
    ");
}

/// Who is left out has failed nobody.
#[test]
fn a_run_that_goes_on_without_a_host() {
    let away = r#"{"at":"2026-11-23T20:32:21Z","event":"unreachable","host":"web2","why":"no route to host","hint":null}"#;
    let skipped = r#"{"at":"2026-11-23T20:32:21Z","event":"hosts_skipped","skipped":[{"host":"web2","why":"no route to host"}]}"#;
    let done = r#"{"at":"2026-11-23T20:32:22Z","event":"run_ended","verdict":"done","hosts":[],"failures":[],"exit_code":0,"milliseconds":2000}"#;
    assert_snapshot!(spans(&[HEAD, away, skipped, done]), @"
    deploy Some(Done)
    deploy 20–22 good
      connect to web1 20.3–21 good
      connect to web2 21–21 cancelled
    ");
    assert_snapshot!(spans(&[HEAD, away, REFUSED]), @"
    deploy Some(Locked)
    deploy 20–22 bad: production is held by grace@desk
      connect to web1 20.3–21 good
      connect to web2 21–21 bad: no route to host
    ");
}
