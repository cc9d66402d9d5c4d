//! The page of events, with an example of each.

use std::fmt::Write;

use buedafab_model::host::running::KnownBy;
use buedafab_model::plan::{Intent, PhaseKind, SkippedHost};
use buedafab_model::run::event::{Event, PlannedChange, Stream};
use buedafab_model::run::outcome::{Failure, FailureKind, HostOutcome, Outcome, Serving, Verdict};
use jiff::Timestamp;
use serde_json::Value;

use crate::markdown::{WIDTH, paragraph};
use crate::samples::{at, production, release, run, unit, web};

all! {
    events_told: Event, &'static str,
    RunStarted => Event::RunStarted {
        run: run(), command: "deploy".into(), by: "ada@laptop".into(), unit: unit(), environment: production(), hosts: vec![web(1), web(2)],
    }, "A run began. `command` is what was typed, without its arguments; `hosts` are in order.";
    Connected => Event::Connected { host: web(1), warm: true, milliseconds: 41 },
        "A connection stands. `warm` says whether one was open already.";
    Unreachable => Event::Unreachable {
        host: web(2),
        why: "ssh: connect to host web2 port 22: Connection refused".into(),
        hint: Some("see whether this works: ssh web2".into()),
    }, "A host can't be reached. `hint` says what to do about it, or is `null`.";
    HostsSkipped => Event::HostsSkipped {
        skipped: vec![SkippedHost {
            host: web(2),
            why: "ssh: connect to host web2 port 22: Connection refused".into(),
        }],
    }, "With `unreachable = \"skip\"`: these hosts are left out of the run.";
    WorkStarted => Event::WorkStarted {
        headline: "deploy v0.2.0 (5ed17b1b2b)".into(),
        by: "ada@laptop".into(),
        intent: Intent::Deploy,
        work: None,
        from: None,
        changes: vec![PlannedChange { host: web(1), from: None, to: Some(release()) }],
        phases: vec![
            PhaseKind::Lock, PhaseKind::Prepare, PhaseKind::Switch { wave: 1, of: 1 }, PhaseKind::Finish,
        ],
        steps: vec![(web(1), 13), (web(2), 13)],
    }, "The work is decided, and begins. `from` is there where something was live, and is what most of the hosts served \
        that change; `work` is there where nothing is switched and others are told nevertheless: `recover`, `maintenance` \
        or `hold`. `changes` says what each host serves before and after, `steps` how many steps \
        it has.";
    PhaseStarted => Event::PhaseStarted { phase: PhaseKind::Switch { wave: 1, of: 2 } },
        "A phase began. No phase begins before the one before it has ended well, here and on all of its hosts. \
        `wave` and `of` are there for `drain`, `switch`, `undrain`, `bake` and `confirm`.";
    StepStarted => Event::StepStarted { host: web(1), step: 8, title: "fetch 5ed17b1b2b into b".into() },
        "A step began. `step` is its number in the plan, which `deploy --dry-run --json` shows.";
    Output => Event::Output {
        host: web(1), step: 10, stream: Stream::Stderr, line: "SyntaxError: '(' was never closed".into(),
        is_told: false,
    }, "A step printed a line, to `stdout` or `stderr`. Bytes that aren't UTF-8 are replaced. `is_told` is there, and true, where \
        a person should know the line whatever they asked to see.";
    StepEnded => Event::StepEnded { host: web(1), step: 8, status: 0, milliseconds: 14 },
        "A step ended well, or its failure stops nothing.";
    StepCancelled => Event::StepCancelled { host: web(2), step: 15 },
        "A step was ended, because the run stops.";
    StepFailed => Event::StepFailed {
        host: web(1),
        step: Some(10),
        title: "check: python3 -m py_compile app.py".into(),
        what: FailureKind::Exited { status: 1 },
    }, "A step failed. `step` is `null` if the host was lost between two steps.";
    Interrupted => Event::Interrupted { then: "stopping, and putting back what has switched".into() },
        "A person asked to stop. `then` says what happens now.";
    Refused => Event::Refused {
        reasons: vec![buedafab_model::run::event::Reason {
            message: "web1: deploy can't write /var/webapps/five".into(),
            hint: Some("on that host, as root: install -d -o deploy /var/webapps/five".into()),
        }],
    },
        "There is no plan: nothing was touched. `reasons` holds all that speaks against it.";
    Reverting => Event::Reverting { hosts: vec![web(1), web(2)] },
        "Hosts go back to the old release.";
    LookingAgain => Event::LookingAgain { host: web(2) },
        "A host that was lost is asked what it serves.";
    DeployerStarted => Event::DeployerStarted { step: 1, title: "make test".into(), may_ask: false },
        "A step on the machine that deploys began. `may_ask` says whether it may ask a person for something. Step 0 is \
        one that comes before the plan.";
    DeployerOutput => Event::DeployerOutput { step: 1, line: "42 passed".into() },
        "A step on the machine that deploys printed a line.";
    DeployerEnded => Event::DeployerEnded { step: 1, status: 0, milliseconds: 5120 },
        "A step on the machine that deploys ended.";
    OutputCut => Event::OutputCut { most_bytes: 4 << 20 },
        "The log of the run keeps no more of what steps print. It stands in logs alone: `history RUN --json`.";
    RunEnded => Event::RunEnded {
        outcome: Outcome {
            verdict: Verdict::FailedBefore,
            hosts: vec![HostOutcome { host: web(1), serving: Serving::of(Some(release()), KnownBy::App, Vec::new()) }],
            failures: vec![Failure {
                host: Some(web(1)), step: Some(10), what: FailureKind::Exited { status: 1 },
            }],
            out_of_traffic: Vec::new(),
        },
        exit_code: Verdict::FailedBefore.exit_code().number(),
        milliseconds: 1843,
    }, "The run ended: how, what every host serves now, and the first thing that went wrong on each; a failure \
        without a host is one of the machine that deploys.";
}

all! {
    failures_told: FailureKind, &'static str,
    Exited => FailureKind::Exited { status: 1 },
        "A step ended with this status; above 128 it usually died of the signal `status - 128`.";
    TimedOut => FailureKind::TimedOut { seconds: 900 },
        "A step ran for longer than `step_timeout_seconds`, and was ended.";
    Unreadable => FailureKind::Unreadable { why: "can't read plato-1.0.tar.gz: No such file or directory".into() },
        "What a step was to read can't be read on the deployer. The host began no step of the phase.";
    NotServing => FailureKind::NotServing,
        "The host was asked again before it was confirmed, and its link doesn't lead to the release that was switched to.";
    Differs => FailureKind::Differs { why: "six is 1.16.0 on web1 and 1.17.0 on web2".into() },
        "What it said isn't what other hosts said, and has to be: no host has switched.";
    Unreachable => FailureKind::Unreachable { why: "Permission denied (publickey).".into() },
        "No connection came to stand.";
    Lost => FailureKind::Lost { why: "nothing heard for 15 s".into() },
        "The connection ended.";
}

all! {
    servings_told: Serving, &'static str,
    Release => Serving::Release { release: release(), known_by: KnownBy::App }, "The link leads to this release, and \
        nothing speaks against its serving. `known_by` is `app` where what runs was asked, and `link` where nothing else \
        is known.";
    Troubled => Serving::Troubled { release: release(), trouble: vec!["five.service doesn't run: it is failed".into()] },
        "The link leads to this release, and it doesn't serve, or another one does as well.";
    Nothing => Serving::Nothing, "No release: none was ever live.";
    Unknown => Serving::Unknown, "It couldn't be asked, or it was left between two releases.";
}

all! {
    verdicts: Verdict, (),
    Done => Verdict::Done, ();
    Refused => Verdict::Refused, ();
    Locked => Verdict::Locked, ();
    Unreachable => Verdict::Unreachable, ();
    FailedBefore => Verdict::FailedBefore, ();
    Reverted => Verdict::Reverted, ();
    Mixed => Verdict::Mixed, ();
    Interrupted => Verdict::Interrupted, ();
}

pub(crate) fn page() -> String {
    let mut text = String::from("# Events\n\n");
    text.push_str(&paragraph(
        "With `--json`, a command that changes hosts prints one event a line on standard output, as it happens. Each \
         has `event`, its name, and `at`, the time by the clock of the machine that deploys. Fields and events are only \
         ever added: skip what you don't know. The last event of a run is `run_ended`. \
         [Scripting with --json](../json.md) has examples, and the documents of `status`, `history` and `check`.",
    ));
    text.push('\n');
    for (event, meaning) in events_told() {
        let value = serde_json::to_value(&event).expect("events are plain data");
        let name = value["event"].as_str().expect("every event has a name");
        let document = line(&Envelope { at: at(), event });
        let _ = write!(text, "## `{name}`\n\n{}\n```json\n{document}\n```\n\n", paragraph(meaning));
    }
    text.push_str("## What may go wrong with a step\n\nThe values of `what`, told apart by `kind`.\n\n");
    for (failure, meaning) in failures_told() {
        let _ = write!(text, "{}\n```json\n{}\n```\n\n", paragraph(meaning), line(&failure));
    }
    text.push_str(
        "## What a host serves\n\nThe entries of `hosts` in `run_ended`, told apart by `serving`.\n\n",
    );
    for (serving, meaning) in servings_told() {
        let document = HostOutcome { host: web(1), serving };
        let _ = write!(text, "{}\n```json\n{}\n```\n\n", paragraph(meaning), line(&document));
    }
    let verdicts: Vec<String> =
        verdicts().iter().map(|(verdict, ())| format!("`{}`", text_of(verdict))).collect();
    text.push_str("## How a run ends\n\n");
    text.push_str(&paragraph(&format!(
        "The values of `verdict` in `run_ended`: {}. Each has [an exit code](exit-codes.md).",
        verdicts.join(", ")
    )));
    text
}

/// As the JSON reporter prints it.
#[derive(serde::Serialize)]
struct Envelope {
    at: Timestamp,
    #[serde(flatten)]
    event: Event,
}

/// A document over several lines where one would be too long.
fn line<T: serde::Serialize>(document: &T) -> String {
    let short = serde_json::to_string(document).expect("plain data");
    if short.len() <= WIDTH { short } else { serde_json::to_string_pretty(document).expect("plain data") }
}

/// The verdict as it stands in a document.
pub(crate) fn text_of(verdict: &Verdict) -> String {
    match serde_json::to_value(verdict) {
        Ok(Value::String(text)) => text,
        other => panic!("a verdict is a word: {other:?}"),
    }
}
