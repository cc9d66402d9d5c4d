//! Outputs that break, and readers that pause.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use buedafab_testkit::FleetOptions;

use super::stage::{Ran, Stage, wait_for};
use super::terminal::{finish, raw_terminal, screen_of};

fn piped(stage: &Stage, words: &[&str]) -> Child {
    let mut command = stage.command(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

#[test]
fn an_output_that_breaks_ends_no_run_and_is_no_success() {
    let stage = Stage::new();
    // The reader takes one line, and is gone.
    let mut child = piped(&stage, &["--json", "production", "deploy"]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut first).expect("it is read");
    assert!(first.contains("run_started"), "{first}");
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    ran.says("standard output takes no more (Broken pipe (os error 32)): what was begun goes on");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    // A failure stays what it is.
    stage.release("two");
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    let mut child = piped(&stage, &["--json", "production", "deploy"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
    // What can't be written was not said, whatever it is.
    for words in
        [&["production", "status"][..], &["production", "config"], &["--json", "production", "history"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let ran = Ran::of(stage.command(words).stdout(full).output().expect("it runs"));
        assert_eq!(ran.code, 10, "{words:?}: {}", ran.stderr);
        ran.says("not all was said: standard output takes no more: No space left on device");
    }
}

#[test]
fn a_reader_that_pauses_holds_up_no_run() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    for (release, words) in
        [("two", &["--json", "production", "deploy"][..]), ("three", &["-v", "production", "deploy"])]
    {
        stage.configure(
            "unit = \"five\"\n[hooks]\ncheck = \"seq 60000\"\nrestart = \"cat version >../../served\"\nverify = \"sleep 5\"\n\
             [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
        );
        stage.release(release);
        let child = piped(&stage, words);
        let is_confirmed = || {
            stage.fleet.hosts().iter().all(|host| {
                let journal = host.run("cat /var/webapps/five/.buedafab/journal.jsonl");
                journal
                    .lines()
                    .last()
                    .is_some_and(|line| line.contains("deployed") && line.contains(&format!("{release:?}")))
            })
        };
        wait_for("the deploy is over, unread", is_confirmed);
        assert_eq!(stage.serving(), [release; 3]);
        let ran = Ran::of(child.wait_with_output().expect("it ends"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.says("60000");
    }
}

/// What was asked for is all there, however far behind its reader is.
#[test]
fn what_a_slow_reader_asked_for_is_all_there() {
    let stage = Stage::with(FleetOptions::default());
    let mut child = piped(&stage, &["production", "run", "--", "seq 3000000"]);
    // A host takes a deployer for dead that is silent for three seconds, and so does the deployer.
    let until = Instant::now() + Duration::from_secs(7);
    wait_for("the reader has paused for long", || Instant::now() > until);
    let read = BufReader::new(child.stdout.take().expect("it is piped")).lines().count();
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.code, read), (0, 3_000_000), "{}", ran.stderr);
}

/// What others have written is shown to the letter, and the terminal does nothing of it.
#[test]
fn a_terminal_obeys_nothing_that_hosts_and_repositories_say() {
    let stage = Stage::with(FleetOptions::default());
    stage.production(&["deploy"], 0);
    // The title of the window, a cleared screen, a line over the line before, and the same in one letter.
    let evil = "\u{1b}]0;mine\u{7}\u{1b}[2J\u{1b}[1A\u{9b}2J";
    stage.remote.commit(&[("version", "two"), ("evil", evil)], &format!("two {evil}"));
    stage.remote.tag("two");
    stage.remote.push();
    let print = ["production", "run", "--", "cat /var/webapps/five/releases/current/evil; echo; false"];
    let all: [(&[&str], i32); 6] = [
        (&["production", "changes"], 0),
        (&["-v", "production", "deploy"], 0),
        (&print, 7),
        (&["production", "hold", "--reason", &format!("wait{evil}for it")], 0),
        (&["production", "status"], 0),
        (&["production", "history"], 0),
    ];
    for (words, code) in all {
        let said = finish(raw_terminal(&stage, words), code);
        // Bytes are shown as letters here.
        for obeyed in ["\u{1b}]", "\u{7}", "\u{1b}[2J\u{1b}", "\u{c2}\u{9b}"] {
            assert!(!said.contains(obeyed), "{words:?}: {said:?}");
        }
    }
    // A file gets what it is.
    let ran = stage.production(&print[1..], 7);
    assert!(ran.stdout.contains(evil), "{ran:?}", ran = ran.stdout);
}

/// A host's files are whose they are: none of them makes the deployer wait, grow, or say on one line what is two.
#[test]
fn what_a_host_says_of_itself_is_bounded() {
    let stage = Stage::with(FleetOptions::default());
    stage.production(&["deploy"], 0);
    let host = stage.fleet.host("web1");
    let memory = "/var/webapps/five/.buedafab";
    host.run(&format!("cp -r {memory} /tmp/kept"));
    let back = format!("rm -rf {memory}; cp -r /tmp/kept {memory}; chown -R deploy {memory}");
    let deep = "head -c 100000 /dev/zero | tr '\\0' '['";
    let two =
        r#"{"at":"2026-11-05T00:00:00Z","by":"ada\nweb9: all is well","reason":"wait\nweb9: all is well"}"#;
    let cases = [
        // Three hundred lines of a megabyte.
        (
            format!(
                "yes x | head -c 1000000 | tr -d '\\n' >/tmp/x; for n in $(seq 300); do cat /tmp/x; echo; done >>{memory}/journal.jsonl"
            ),
            0,
            "",
        ),
        (
            format!("{deep} >>{memory}/journal.jsonl; {deep} >{memory}/maintenance; chown deploy {memory}/*"),
            0,
            "maintenance isn't what buedafab writes there",
        ),
        (format!("echo '{two}' >{memory}/hold"), 0, "deploys are on hold"),
        (
            format!("head -c 6000000 /dev/zero | tr '\\0' x >{memory}/hold"),
            6,
            "what it says of itself is longer than 4 MiB",
        ),
    ];
    for (what, code, words) in cases {
        host.run(&what);
        let ran = stage.production(&["status"], code);
        ran.says(words);
        stage.production(&["history"], code);
        assert!(!ran.stdout.contains("\nweb9"), "{}", ran.stdout);
        assert!(ran.stdout.len() + ran.stderr.len() < 2_000, "{what}");
        host.run(&back);
    }
}

/// Whoever waits sees for how long, and for what; and nothing of it stands above the ending.
#[test]
fn long_steps_say_for_how_long_and_no_bar_is_left() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\n[hooks]\nbuild = \"echo compiling the 7th of 9; sleep 5\"\n\
         check = \"echo the check says no; exit 1\"\nlocal.before = \"echo before\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
    );
    let told = finish(raw_terminal(&stage, &["--yes", "production", "deploy"]), 7);
    // Of a long title, as much as leaves room for the rest.
    assert!(told.contains("s \u{c2}\u{b7} compiling"), "it says for how long, and what it said last");
    let screen = screen_of(&told, 80);
    assert!(!screen.contains('━') && !screen.contains("compiling"), "{screen}");
    assert_eq!(
        screen.matches("the check says no").count(),
        2,
        "the ending says it, its command above it: {screen}"
    );

    // Why a host can't be reached is said once.
    stage.fleet.host("web2").stop_sshd();
    stage.run(&["disconnect"]);
    let ran = stage.production(&["deploy"], 6);
    assert_eq!(ran.stderr.matches("Connection refused").count(), 1, "{}", ran.stderr);
    let ran = stage.production(&["run", "--", "true"], 7);
    assert_eq!(ran.stderr.matches("Connection refused").count(), 1, "{}", ran.stderr);
    ran.says("  help: see whether this works: ssh ");
}
