//! What services and files say: where it is looked for, and the shell that reads it.

mod common;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use buedafab_model::app::logs::{LogQuery, LogSources};
use buedafab_model::host::Host;
use buedafab_model::names::RunId;
use buedafab_model::plan::action::{Action, AppAction};
use buedafab_model::planner::plan_logs;
use buedafab_model::shell::render_step;
use insta::assert_snapshot;

use common::shells::{Place, everywhere, everywhere_in, shells, with_tools};
use common::{assert_sound, run, settings};

/// What each host would read; or why there is nothing.
fn planned(text: &str, service: Option<&str>) -> String {
    let settings = settings(&format!(
        "unit = \"five\"\n{text}\n[environments.production]\nhosts = [\"web1\", {{ name = \"jobs1\", roles = [\"jobs\"] }}]\n"
    ));
    let hosts: Vec<&Host> = settings.hosts.iter().collect();
    let plan = match plan_logs(&settings, &run(7), &LogQuery::default(), service, &hosts) {
        Ok(plan) => plan,
        Err(why) => return format!("{why}\n  {}", why.hint()),
    };
    assert_sound(&plan);
    let steps = plan.phases.iter().flat_map(|phase| &phase.work);
    let line = |work: &buedafab_model::plan::HostWork| {
        let steps: Vec<String> = work.steps().map(|step| step.action.to_string()).collect();
        format!("{}: {}", work.host, steps.join("; "))
    };
    steps.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_host_reads_what_runs_there() {
    let services = "service = \"systemd:five\"\nlog_files = [\"log/*.log\"]\n[services.worker]\nservice = \"systemd-user:five-worker\"\nroles = [\"jobs\"]";
    assert_snapshot!(planned(services, None), @"
    web1: read the logs: five, log/*.log
    jobs1: read the logs: user/five-worker, five, log/*.log
    ");
    assert_snapshot!(planned(services, Some("worker")), @"jobs1: read the logs: user/five-worker");
    assert_snapshot!(planned(services, Some("five")), @"
    web1: read the logs: five
    jobs1: read the logs: five
    ");
    assert_snapshot!(planned(services, Some("wroker")), @r#"
    five has no service "wroker" on these hosts
      there are: five, worker
    "#);
    let old = "service = \"init:five\"";
    assert_snapshot!(planned(old, None), @r#"
    nothing that runs of five is a service of systemd, and `log_files` isn't set
      say where the app writes: log_files = ["log/*.log"]
    "#);
    assert_snapshot!(planned(old, Some("five")), @r#"
    init:five is no service of systemd, and has no journal
      say where the app writes: log_files = ["log/*.log"]; and leave the service out
    "#);
    assert_snapshot!(planned("log_files = [\"log/five.log\"]", None), @"
    web1: read the logs: log/five.log
    jobs1: read the logs: log/five.log
    ");
}

fn logs(units: &[&str], files: &[&str], query: LogQuery) -> Action {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
    AppAction::Logs { sources: LogSources { units: words(units), files: words(files) }, query }.into()
}

#[test]
fn files_are_read_from_their_ends() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand(
            "cd it*; mkdir -p releases/a/log; ln -s a releases/current; cd releases/a/log\n\
             seq 1 5 >five.log; echo 'an error & more' >>five.log; echo only >'it'\\''s a|b&.log'; touch -d '2 hours ago' five.log",
        );
        let mut found = String::new();
        let mut tell = |files: &[&str], query: LogQuery| {
            let _ = writeln!(found, "{}", place.act(shell, &logs(&[], files, query)));
        };
        let lines = |lines: u32| LogQuery { lines: Some(lines), ..LogQuery::default() };
        tell(&["log/five.log"], lines(2));
        tell(&["log/*.log"], lines(1));
        tell(&["log/five.log", "log/no*.log"], lines(1));
        let pattern = |pattern: &str| LogQuery { pattern: Some(pattern.to_owned()), ..LogQuery::default() };
        tell(&["log/five.log"], pattern("^[35]$|err"));
        tell(&["log/five.log"], pattern("it's nowhere"));
        let wrong = place.act(shell, &logs(&[], &["log/five.log"], pattern("(")));
        assert!(wrong.starts_with("2: grep: ") || wrong.starts_with("1: grep: "), "{wrong}");
        tell(&["log/*.log"], LogQuery { since_seconds: Some(3600), ..LogQuery::default() });
        found
    });
    assert_snapshot!(found, @r#"
    0: 5
    an error & more
    0: five.log: an error & more
    it's a|b&.log: only
    0: an error & more
    no file is called log/no*.log here
    0: 3
    5
    an error & more
    0: nothing in log/five.log that matches "it's nowhere"
    0: only
    "#);
    let found = everywhere(|shell, place| {
        place.by_hand("rm -r five");
        place.act(shell, &logs(&[], &["log/*.log"], LogQuery::default()))
    });
    assert_snapshot!(found, @"1: ROOT/five isn't there");
}

#[test]
fn the_journal_is_asked_for_what_is_wanted() {
    let found = everywhere(|shell, place| {
        let tools = [
            ("id", "case $1 in -u) echo 1000 ;; -Gn) echo ada ;; *) echo ada ;; esac"),
            (
                "journalctl",
                "case $* in *--help*) echo --no-hostname ;; *'--lines 0'*) exit 1 ;; *) printf '%s|' \"$@\"; echo ;; esac",
            ),
            (
                "sudo",
                "[ \"$1\" = -n ] && shift; case $* in *'--lines 0'*) exit \"${MAY:-0}\" ;; esac; printf 'as root: '; \"$@\"",
            ),
        ];
        let mut found = String::new();
        let query = LogQuery {
            since_seconds: Some(600),
            pattern: Some("it's".to_owned()),
            lines: Some(5),
            follow: false,
        };
        for (units, query) in [
            (&["it's five"][..], LogQuery::default()),
            (&["five", "user/worker"][..], LogQuery { pattern: None, ..query.clone() }),
            (&["user/worker"][..], LogQuery::default()),
            (&["five"][..], query),
        ] {
            let _ = writeln!(found, "{}", with_tools(shell, place, &tools, &logs(units, &[], query)));
        }
        // What can't be read is no success, whatever its lines go through.
        let broken =
            [tools[0], ("journalctl", "echo no journal >&2; exit 1"), ("tail", "echo gone >&2; exit 1")];
        place.by_hand(
            "mkdir -p five/releases/a; ln -sfn a five/releases/current; echo x >five/releases/a/x.log",
        );
        for (units, files) in
            [(&["user/worker"][..], &[][..]), (&[], &["x.log"]), (&["user/worker"], &["x.log"])]
        {
            let action =
                logs(units, files, LogQuery { pattern: Some("x".to_owned()), ..LogQuery::default() });
            let _ = writeln!(found, "{}", with_tools(shell, place, &broken, &action));
        }
        // An empty journal is no mistake, and no silence either.
        let empty =
            [tools[0], ("journalctl", ""), ("tail", "echo x"), ("sudo", "[ \"$1\" = -n ] && shift; \"$@\"")];
        let day = LogQuery { since_seconds: Some(86_400), ..LogQuery::default() };
        let pattern = LogQuery { pattern: Some("it's".to_owned()), ..LogQuery::default() };
        for (units, files, query) in [
            (&["five", "user/worker"][..], &[][..], LogQuery::default()),
            (&["five"], &["x.log", "no.log"], pattern),
            (&["user/worker"], &["no*.log"], day),
        ] {
            let _ = writeln!(found, "{}", with_tools(shell, place, &empty, &logs(units, files, query)));
        }
        let denied = [tools[0], tools[1], ("sudo", "exit 1")];
        let _ = writeln!(
            found,
            "{}",
            with_tools(shell, place, &denied, &logs(&["five"], &[], LogQuery::default()))
        );
        found
    });
    assert_snapshot!(found, @r#"
    0: as root: --quiet|--no-pager|--output|short-iso|--lines|all|--no-hostname|--unit|it's five|
    0: as root: --quiet|--no-pager|--output|short-iso|--lines|5|--no-hostname|--since|-600s|--unit|five|--user-unit|worker|
    0: --quiet|--no-pager|--output|short-iso|--lines|all|--no-hostname|--user-unit|worker|
    0: nothing in the journal of five since 10 min ago that matches "it's"
    1: no journal
    1: gone
    1: no journal
    gone
    0: nothing in the journal of five, worker
    0: no file is called no.log here
    nothing in the journal of five, nor in x.log that matches "it's"
    0: nothing in no*.log, nor in the journal of worker since 1 d ago
    0: --quiet|--no-pager|--output|short-iso|--lines|all|--no-hostname|--unit|five|
    ada may not read the journal of services: add them to the group systemd-journal
    "#);
}

/// What follows is told as it is said; and nothing of it is left where the step is ended, as the runner does it.
#[test]
fn what_is_said_from_now_on_is_told_until_it_is_ended() {
    for shell in shells() {
        let place = Place::with_room("five");
        place.by_hand("mkdir -p five/releases/a/log; ln -s a five/releases/current; echo old >five/releases/a/log/a.log; echo other >five/releases/a/log/b.log");
        let query =
            LogQuery { lines: Some(1), follow: true, pattern: Some("l".to_owned()), ..LogQuery::default() };
        let action = logs(&[], &["log/a.log", "log/b.log"], query);
        let script = render_step(&action, &place.layout, &RunId::new("r1").expect("a word"));
        let mut child = shell
            .command(&script, &place.root())
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut next = || lines.next().expect("a line").expect("UTF-8");
        assert_eq!(next(), "a.log: old", "{}", shell.name);
        place.by_hand(
            "echo 'none' >>five/releases/a/log/b.log; echo 'a new line' >>five/releases/a/log/b.log",
        );
        assert_eq!(next(), "b.log: a new line", "{}", shell.name);
        place.by_hand(&format!("kill -TERM -- -{}", child.id()));
        child.wait().expect("it ends");
        // Whoever lived on would hold the pipe.
        assert!(lines.next().is_none(), "{}", shell.name);
    }
}
