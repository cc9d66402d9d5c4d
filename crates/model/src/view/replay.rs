//! A run shown again from its log: who did what and when, phase by phase and step by step, and how it ended.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::lines::{Line, RunLines, StepOutput};
use super::{Summary, Table, ago};
use crate::plan::Intent;
use crate::run::event::{Event, PlannedChange, Reason};
use crate::run::log::RunLog;

/// The run in words, as it was told with `-v` when it happened; when that was, at the time of a `zone`.
pub fn show_replay(log: &RunLog, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = show_head(log, now, zone);
    let mut lines = RunLines::new(true, StepOutput::Talk);
    let mut summary = Summary::default();
    for stamped in &log.events {
        summary.note(&stamped.event);
        for Line::Data(line) | Line::Talk(line) in lines.tell(stamped) {
            let _ = writeln!(text, "{line}");
        }
        // The program said these at its end, where they aren't events.
        match &stamped.event {
            Event::Refused { reasons } => {
                for Reason { message, hint } in reasons {
                    let _ = writeln!(text, "✗ {message}");
                    if let Some(hint) = hint {
                        let _ = writeln!(text, "  help: {hint}");
                    }
                }
            }
            Event::OutputCut { most_bytes } => {
                let _ = writeln!(text, "  (steps printed more: a log keeps {} MiB)", most_bytes >> 20);
            }
            _ => {}
        }
    }
    text.push_str(&summary.tell_again());
    show_gaps(&mut text, log);
    text
}

fn show_head(log: &RunLog, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = String::new();
    for stamped in &log.events {
        match &stamped.event {
            Event::RunStarted { run, command, by, unit, environment, hosts: _ } => {
                let _ = writeln!(text, "{unit} · {environment} · {}", log.headline());
                let when = stamped.at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z");
                let told = [command, by].into_iter().filter(|word| !word.is_empty());
                let mut parts = vec![run.to_string()];
                parts.extend(told.cloned());
                let _ = writeln!(text, "  {} · {when}, {}", parts.join(" · "), ago(stamped.at, now));
            }
            Event::WorkStarted { intent: Intent::Deploy | Intent::Rollback, changes, .. } => {
                text.push_str(&show_changes(changes));
            }
            _ => {}
        }
    }
    text
}

fn show_changes(changes: &[PlannedChange]) -> String {
    let mut table = Table::default();
    for PlannedChange { host, from, to } in changes {
        let from = from.as_ref().map_or_else(|| "nothing live".to_owned(), ToString::to_string);
        let to = to.as_ref().map_or_else(|| "stays as it is".to_owned(), |to| format!("→ {to}"));
        table.row([host.to_string(), from, to]);
    }
    table.render("  ")
}

fn show_gaps(text: &mut String, log: &RunLog) {
    let RunLog { events: _, unknown, broken } = log;
    match unknown {
        0 => {}
        1 => text.push_str("1 event isn't shown: a later version of buedafab wrote it\n"),
        more => {
            let _ = writeln!(text, "{more} events aren't shown: a later version of buedafab wrote them");
        }
    }
    match broken {
        0 => {}
        1 => text.push_str("1 line of the log is cut short, and isn't shown\n"),
        more => {
            let _ = writeln!(text, "{more} lines of the log are damaged, and aren't shown");
        }
    }
    if log.verdict().is_none() {
        text.push_str(
            "the log ends here: the program was ended before the run was; `status` shows what serves now\n",
        );
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const HEAD: &str = r#"{"at":"2026-11-23T20:32:21Z","event":"run_started","run":"20261123-203221-ie2d","command":"deploy","by":"ada@laptop","unit":"five","environment":"production","hosts":["web1","jobs-one"]}"#;
    const WORK: &str = r#"{"at":"2026-11-23T20:32:22Z","event":"work_started","headline":"deploy v0.2.0 (5ed17b1b2b)","by":"ada@laptop","intent":"deploy","changes":[{"host":"web1","from":{"commit":"7e9a189beef02d744cdb183638e5194c5dd25304","describe":"v0.1.0","tag":"v0.1.0"},"to":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}},{"host":"jobs-one","from":null,"to":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}}],"phases":[],"steps":[["web1",2],["jobs-one",2]]}
{"at":"2026-11-23T20:32:22.1Z","event":"phase_started","phase":"begin"}
{"at":"2026-11-23T20:32:22.1Z","event":"deployer_started","step":1,"title":"run the tests: make test","may_ask":false}
{"at":"2026-11-23T20:32:23Z","event":"deployer_output","step":1,"line":"42 passed"}
{"at":"2026-11-23T20:32:24Z","event":"deployer_ended","step":1,"status":0,"milliseconds":1900}
{"at":"2026-11-23T20:32:24Z","event":"phase_started","phase":"prepare"}
{"at":"2026-11-23T20:32:24Z","event":"step_started","host":"web1","step":2,"title":"fetch 5ed17b1b2b into b"}
{"at":"2026-11-23T20:32:24Z","event":"step_started","host":"jobs-one","step":4,"title":"fetch 5ed17b1b2b into b"}
{"at":"2026-11-23T20:32:25Z","event":"output","host":"jobs-one","step":4,"stream":"stderr","line":"From example.com:five"}
{"at":"2026-11-23T20:32:25Z","event":"step_ended","host":"jobs-one","step":4,"status":0,"milliseconds":1000}
{"at":"2026-11-23T20:32:25Z","event":"step_ended","host":"web1","step":2,"status":0,"milliseconds":40}"#;
    const DONE: &str = r#"{"at":"2026-11-23T20:32:25.5Z","event":"phase_started","phase":"switch","wave":1,"of":2}
{"at":"2026-11-23T20:32:27Z","event":"run_ended","verdict":"done","hosts":[{"host":"web1","serving":"release","release":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}},{"host":"jobs-one","serving":"release","release":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}}],"failures":[],"exit_code":0,"milliseconds":6100}"#;
    const FAILED: &str = r#"{"at":"2026-11-23T20:32:26Z","event":"step_started","host":"web1","step":3,"title":"check: ./selftest"}
{"at":"2026-11-23T20:32:26Z","event":"output","host":"web1","step":3,"stream":"stdout","line":"no database"}
{"at":"2026-11-23T20:32:26Z","event":"step_failed","host":"web1","step":3,"title":"check: ./selftest","what":{"kind":"exited","status":1}}
{"at":"2026-11-23T20:32:27Z","event":"run_ended","verdict":"failed_before","hosts":[{"host":"web1","serving":"release","release":{"commit":"7e9a189beef02d744cdb183638e5194c5dd25304","describe":"v0.1.0","tag":"v0.1.0"}},{"host":"jobs-one","serving":"nothing"}],"failures":[{"host":"web1","step":3,"what":{"kind":"exited","status":1}}],"exit_code":7,"milliseconds":6100}"#;
    const REFUSED: &str = r#"{"at":"2026-11-23T20:32:22Z","event":"refused","reasons":[{"message":"production is held by grace@desk","hint":"buedafab production unhold"}]}
{"at":"2026-11-23T20:32:22Z","event":"run_ended","verdict":"locked","hosts":[{"host":"web1","serving":"unknown"}],"failures":[],"exit_code":5,"milliseconds":1000}"#;

    fn replay(parts: &[&str]) -> String {
        let now = "2026-11-24T02:00:00Z".parse().expect("a time");
        show_replay(&RunLog::parse(&parts.join("\n")), now, &TimeZone::UTC)
    }

    #[test]
    fn a_run_that_ended_well() {
        assert_snapshot!(replay(&[HEAD, WORK, DONE]), @"
        five · production · deploy v0.2.0 (5ed17b1b2b)
          20261123-203221-ie2d · deploy · ada@laptop · 2026-11-23 20:32:21 UTC, 5 h ago
          web1      v0.1.0 (7e9a189bee)  → v0.2.0 (5ed17b1b2b)
          jobs-one  nothing live         → v0.2.0 (5ed17b1b2b)
        begin:
        here: run the tests: make test
                    │ 42 passed
          here      run the tests: make test  1.9 s
          begin     1.9 s
        prepare:
          jobs-one  │ From example.com:five
          jobs-one  fetch 5ed17b1b2b into b  1.0 s
          web1      fetch 5ed17b1b2b into b  0.04 s
          prepare   1.5 s
        switch, wave 1 of 2:
          switch, wave 1 of 2  1.5 s
        ✓ deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
          the link led to v0.2.0 (5ed17b1b2b) on web1, jobs-one; what runs isn't asked
        ");
    }

    #[test]
    fn a_run_that_failed() {
        assert_snapshot!(replay(&[HEAD, WORK, FAILED]), @"
        five · production · deploy v0.2.0 (5ed17b1b2b)
          20261123-203221-ie2d · deploy · ada@laptop · 2026-11-23 20:32:21 UTC, 5 h ago
          web1      v0.1.0 (7e9a189bee)  → v0.2.0 (5ed17b1b2b)
          jobs-one  nothing live         → v0.2.0 (5ed17b1b2b)
        begin:
        here: run the tests: make test
                    │ 42 passed
          here      run the tests: make test  1.9 s
          begin     1.9 s
        prepare:
          jobs-one  │ From example.com:five
          jobs-one  fetch 5ed17b1b2b into b  1.0 s
          web1      fetch 5ed17b1b2b into b  0.04 s
          web1      │ no database
          web1      ✗ check: ./selftest
        web1: check: ./selftest: exit status 1
        ✗ deploy v0.2.0 (5ed17b1b2b): failed before the switch (exit 7)
          the link led to v0.1.0 (7e9a189bee) on web1; what runs isn't asked
          served then: nothing on jobs-one
        ");
    }

    #[test]
    fn a_run_that_was_refused() {
        assert_snapshot!(replay(&[HEAD, REFUSED]), @"
        five · production · deploy
          20261123-203221-ie2d · deploy · ada@laptop · 2026-11-23 20:32:21 UTC, 5 h ago
        ✗ production is held by grace@desk
          help: buedafab production unhold
        ✗ deploy: locked: nothing was changed (exit 5)
          served then: not known on web1
        ");
    }

    #[test]
    fn a_log_that_a_crash_cut_short_and_one_of_a_later_version() {
        let newer = r#"{"at":"2026-11-23T20:32:24Z","event":"drained","host":"web1"}"#;
        assert_snapshot!(replay(&[HEAD, newer, r#"{"at":"2026-11-23T20:32:24Z","eve"#]), @"
        five · production · deploy
          20261123-203221-ie2d · deploy · ada@laptop · 2026-11-23 20:32:21 UTC, 5 h ago
        1 event isn't shown: a later version of buedafab wrote it
        1 line of the log is cut short, and isn't shown
        the log ends here: the program was ended before the run was; `status` shows what serves now
        ");
        assert_snapshot!(replay(&[]), @"the log ends here: the program was ended before the run was; `status` shows what serves now");
    }
}
