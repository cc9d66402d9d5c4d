//! What is written down of runs on the machine that they run on, and shown again.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use buedafab_testkit::FleetOptions;
use serde_json::Value;

use super::stage::{Ran, Stage, step_starts};

fn folder(stage: &Stage) -> PathBuf {
    stage.state().join("buedafab/runs")
}

/// The logs, the oldest first.
fn logs(stage: &Stage) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(stage)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it is read").path()).collect();
    // Several runs may begin within a second.
    paths.sort_by_key(|path| path.metadata().and_then(|found| found.modified()).expect("it has a time"));
    paths
}

fn id(log: &Path) -> String {
    log.file_stem().expect("it has a name").to_string_lossy().into_owned()
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o7777
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

#[test]
fn a_run_is_shown_again_log_and_all() {
    let stage = Stage::new();
    stage.production(&["history", "last"], 2).says("no run of this app and environment was written down");
    stage.production(&["deploy"], 0);
    let [deployed] = &logs(&stage)[..] else { panic!("one run is one log") };
    assert_eq!((mode(&folder(&stage)), mode(deployed)), (0o700, 0o600));

    stage.release("two");
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    stage.production(&["deploy"], 7);
    stage.production(&["hold", "--reason", "we move the database"], 0);
    stage.production(&["deploy"], 5);
    // What only looks leaves no log.
    stage.production(&["status"], 0);
    stage.production(&["deploy", "--dry-run"], 5);
    stage.production(&["maintenance", "status"], 0);
    let found = logs(&stage);
    let [_, failed, held, refused] = &found[..] else { panic!("{found:?}") };

    // No host is asked for it.
    for host in stage.fleet.hosts() {
        host.stop_sshd();
    }
    let again = stage.production(&["history", &id(failed)], 0);
    assert_eq!(again.stderr, "");
    assert!(again.stdout.starts_with("five · production · deploy two ("), "{}", again.stdout);
    again
        .says(&format!("  {} · deploy · ada@", id(failed)))
        .says(" s ago\n")
        .says("  web1  one (")
        .says(")  → two (")
        .says("prepare:\n  web")
        .says("  web2  │ the check says no\n")
        .says("  web2  ✗ check: test ! -e /tmp/fail-check")
        .says("exit status 1\n✗ deploy two (")
        .says("✗ deploy two (")
        .says("failed before the switch (exit 7)\n  served then: one (")
        .says(") on web1, web2, web3\n");
    let word = id(deployed).rsplit('-').next().expect("it has one").to_owned();
    stage.production(&["history", &word], 0).says("✓ deploy one (").says("served then: one (");
    stage.production(&[&format!("history:{word}")], 0).says("✓ deploy one (");
    stage.production(&["history", &id(held)], 0).says("· hold · ada@");
    stage
        .production(&["history", &id(refused)], 0)
        .says("five · production · deploy\n")
        .says("we move the database")
        .says("✗ deploy: locked: nothing was changed (exit 5)");

    let documents = stage.production(&["history", &id(failed), "--json"], 0).stdout;
    assert_eq!(documents, std::fs::read_to_string(failed).expect("it is there"));
    let documents = events(&documents);
    assert_eq!((&documents[0]["event"], &documents[0]["command"]), (&"run_started".into(), &"deploy".into()));
    assert_eq!(documents.last().expect("it has some")["event"], "run_ended");

    let none = stage.production(&["history", "zzzz"], 2);
    none.says("not on this machine, and web1, web2, web3 can't be asked")
        .says("deploy two (")
        .says(&id(failed));
    // The day is the same for all.
    stage.production(&["history", &id(failed)[..4]], 2).says("may mean several runs").says(&id(deployed));
}

#[test]
fn the_last_run_is_shown_and_the_journals_know_of_others() {
    let stage = Stage::with(FleetOptions::default());
    stage.production(&["deploy"], 0);
    let deployed = id(&logs(&stage)[0]);
    let word = deployed.rsplit('-').next().expect("it has one");
    stage.production(&["history", "last"], 0).says("✓ deploy one (").says("served then: one (");
    let list = stage.production(&["history"], 0);
    assert!(list.stdout.trim_end().ends_with(&format!("log: {word}")), "{}", list.stdout);
    assert_eq!(
        list.stderr,
        "buedafab production history last shows the newest run of this machine again, with its log\n"
    );

    // As on a colleague's machine.
    std::fs::remove_dir_all(stage.state()).expect("it is ours");
    let known = stage.production(&["history", word], 0);
    assert_eq!(known.stderr, "there is no log of it on this machine; the hosts' journals say:\n");
    assert!(
        known.stdout.contains("deployed  one (") && known.stdout.lines().count() == 1,
        "{}",
        known.stdout
    );
    stage.production(&["history", "zzzz"], 2).says("neither on this machine nor in the hosts' journals");
    let list = stage.production(&["history"], 0);
    assert!(list.stderr.is_empty() && !list.stdout.contains("log:"), "{}{}", list.stdout, list.stderr);
}

#[test]
fn a_run_goes_on_when_it_cannot_be_written_down() {
    let stage = Stage::with(FleetOptions::default());
    let with = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = stage.command(&["production", "restart_webserver"]);
        change(&mut command);
        let ran = Ran::of(command.output().expect("it runs"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr.lines().filter(|line| line.contains("written down")).map(str::to_owned).collect::<Vec<_>>()
    };
    stage.production(&["deploy"], 0);
    std::fs::remove_dir_all(stage.state()).expect("it is ours");
    std::fs::write(stage.state(), "a file").expect("it is ours");
    let path = folder(&stage);
    assert_eq!(
        with(&|_| {}),
        [format!(
            "this run isn't written down for `history`: {}: Not a directory (os error 20)",
            path.display()
        )]
    );
    let nowhere = with(&|command| {
        command.env("XDG_STATE_HOME", "relative").env_remove("HOME");
    });
    assert_eq!(
        nowhere,
        ["this run isn't written down for `history`: neither HOME nor XDG_STATE_HOME says where"]
    );
    let home = stage.checkout().join("home");
    let usual = with(&|command| {
        command.env("XDG_STATE_HOME", "relative").env("HOME", &home);
    });
    assert_eq!(usual, [""; 0]);
    assert_eq!(std::fs::read_dir(home.join(".local/state/buedafab/runs")).expect("it is made").count(), 1);
    // A disk that is full: the first line fits nowhere.
    std::fs::remove_file(stage.state()).expect("it is ours");
    std::fs::create_dir_all(&path).expect("it is ours");
    let full = with(&|command| {
        let words = ["-c", "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\""];
        let mut limited = std::process::Command::new("bash");
        limited.args(words).arg(command.get_program()).args(command.get_args());
        limited.current_dir(stage.checkout()).stdin(std::process::Stdio::null());
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        *command = limited;
    });
    assert_eq!(full, ["this run isn't written down for `history`: File too large (os error 27)"]);
}

#[test]
fn what_had_to_be_put_back_first_is_a_run_of_its_own() {
    let stage = Stage::with(FleetOptions::default());
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || { kill -9 -$PPID; exec sleep 60; }\"\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.production(&["deploy"], 9);
    stage.wait_until_free();
    stage.configure_with("");
    let told = events(&stage.production(&["--json", "deploy"], 0).stdout);
    let of = |name: &str, key: &str| {
        let found = told.iter().filter(|event| event["event"] == name);
        found.map(|event| event[key].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("run_ended", "verdict"), ["done", "done"]);
    let runs = of("run_started", "run");
    let found = logs(&stage);
    assert_eq!(found[2..].iter().map(|log| id(log)).collect::<Vec<_>>(), runs);
    stage.production(&["history", &id(&found[1])], 0).says("(exit 9)\n  the link led to two (");
    stage.production(&["history", &runs[0]], 0).says("put back the switch").says("✓ recover: done");
    let again = stage.production(&["history", &runs[1]], 0);
    again.says("  web1  one (").says("✓ deploy two (").says("served then: two (");
    // The journals know the deploy by the same id.
    let list = stage.production(&["history"], 0).stdout;
    assert!(list.trim_end().ends_with(&format!("log: {}", &runs[1][16..])), "{list}");
}

#[test]
fn a_log_keeps_only_so_much_of_what_steps_print() {
    let stage = Stage::with(FleetOptions::default());
    let much = "yes \"$(printf %01000d 0)\" | head -n 6000; echo the last word";
    let ran = stage.production(&["run", "--", much], 0);
    assert_eq!(ran.stdout.lines().count(), 6001);
    let text = std::fs::read_to_string(&logs(&stage)[0]).expect("it is there");
    assert!((4 << 20..5 << 20).contains(&text.len()), "{}", text.len());
    let kept = events(&text);
    assert_eq!(kept.iter().filter(|event| event["event"] == "output_cut").count(), 1);
    assert_eq!(kept.last().expect("it has some")["event"], "run_ended");
    let again = stage.production(&["history", "last"], 0);
    again.says("\n  (steps printed more: a log keeps 4 MiB)\n  web1  yes").says("✓ yes");
    assert!(!again.stdout.contains("│ the last word"));
}

#[test]
fn no_log_holds_a_secret() {
    const SECRET: &str = "hunter-two";
    let stage = Stage::with(FleetOptions::default());
    let url = format!("https://ada:{SECRET}@example.com/five");
    let configure = |top: &str, check: &str| {
        stage.configure(&format!(
            "{top}\nunit = \"five\"\nenv_file = \".env\"\nvariables = {{ TOKEN = \"{SECRET}\" }}\n\
             [hooks]\ncheck = \"{check}\"\nrestart = \"true\"\n\
             [hooks.local]\nbefore = \"echo local {url}\"\n\
             [tasks.rechef]\nrun = [\"true\"]\narguments = {{ password = \"\" }}\n\
             [environments.production]\nhosts = [\"web1\"]\n\
             [environments.staging]\nhosts = [\"web1\"]\nconnect = \"sh -c 'echo no: {url} >&2; exit 1' {{host}}\"\n"
        ));
    };
    configure("", &format!("echo remote {url}"));
    let file = stage.checkout().join("live.env");
    std::fs::write(&file, format!("KEY={SECRET}\n")).expect("it is ours");
    stage.production(&["env", "push", "live.env"], 0);
    stage.production(&["-v", "deploy"], 0);
    stage.production(&["run", "--", &format!("echo {url}; false")], 7);
    stage.production(&["rechef", &format!("password={SECRET}")], 0);
    let mut command = stage.command(&["production", "run", "--", &format!("echo said {SECRET}")]);
    command.env("BUEDAFAB_SUDO_PASSWORD", SECRET).output().expect("it runs");
    stage.release("two");
    configure("", &format!("echo failed at {url} >&2; exit 1"));
    stage.production(&["deploy"], 7);
    assert_eq!(stage.run(&["staging", "restart_webserver"]).code, 6);
    configure(&format!("scm = \"http://ada:{SECRET}@127.0.0.1:9/five\""), "true");
    stage.release("three");
    stage.production(&["deploy", "--take-over"], 7);

    let found = logs(&stage);
    assert_eq!(found.len(), 8, "{found:?}");
    let texts: Vec<String> =
        found.iter().map(|log| std::fs::read_to_string(log).expect("it is there")).collect();
    for text in &texts {
        assert!(!text.contains(SECRET), "{text}");
    }
    let all = texts.concat();
    for words in ["local https://********@example.com/five", "remote https://********@", "said ********"] {
        assert!(all.contains(words), "{words}:\n{all}");
    }
    assert!(all.contains("no: https://********@example.com/five"), "{all}");
    for log in &found {
        let environment = if id(log) == id(&found[6]) { "staging" } else { "production" };
        let shown = stage.run(&[environment, "history", &id(log)]);
        assert!(shown.code == 0 && !shown.stdout.contains(SECRET), "{}{}", shown.stdout, shown.stderr);
    }
}

/// A run that came to nothing is known to all who ask the hosts, whoever ran it and on which machine.
#[test]
fn runs_that_came_to_nothing_stand_in_the_journals() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    stage.production(&["deploy"], 7);
    stage.fleet.host("web2").run("rm /tmp/fail-check; echo two >/tmp/fail-restart");
    stage.production(&["deploy"], 8);
    stage.fleet.host("web2").run("rm /tmp/fail-restart");
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web1", "fetch"));
    run.signal("INT");
    let (_, code) = run.finish();
    assert_eq!(code, 130);
    // What is so already is said, and stands in no journal.
    stage.production(&["hold", "--reason", "we move the database"], 0);
    stage.production(&["hold", "--reason", "again"], 0).says("web2: on hold already, says ada@");
    stage.production(&["unhold"], 0);
    stage.production(&["unhold"], 0).says("web3: not on hold");

    let documents = |ran: Ran| events(&ran.stdout);
    let kinds = |documents: &[Value]| -> Vec<String> {
        documents.iter().map(|document| document["kind"].as_str().expect("it has one").to_owned()).collect()
    };
    let all = documents(stage.production(&["--json", "history"], 0));
    assert_eq!(kinds(&all), ["deployed", "failed", "reverted", "interrupted", "held", "unheld"]);
    let [_, failed, reverted, interrupted, ..] = &all[..] else { panic!("{all:?}") };
    assert_eq!(failed["hosts"], serde_json::json!(["web1", "web2", "web3"]));
    assert_eq!((&failed["phase"], &reverted["phase"]), (&"prepare".into(), &"switch".into()));
    let reason = failed["reason"].as_str().expect("it has one");
    assert!(reason.starts_with("web2: check: test ! -e") && reason.ends_with("exit status 1"), "{reason}");
    assert!(
        reverted["reason"].as_str().is_some_and(|reason| reason.starts_with("web2: restart")),
        "{reverted}"
    );
    assert_eq!(interrupted["reason"], "a person interrupted it");
    assert!(all[1..4].iter().all(|document| document["milliseconds"].as_u64().is_some()), "{all:?}");

    // Times are the reader's own; a host that can't be asked is told, and isn't one of "all hosts".
    stage.fleet.host("web3").stop_sshd();
    let mut command = stage.command(&["production", "history"]);
    let ran = Ran::of(command.env("TZ", "Etc/GMT-14").output().expect("it runs"));
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    ran.says("web3 couldn't be asked, and its journal isn't in this: ").says("  in prepare, after ");
    assert!(!ran.stdout.contains("all hosts") && ran.stdout.contains("web1, web2"), "{}", ran.stdout);
    let at: jiff::Timestamp = failed["at"].as_str().expect("it has one").parse().expect("a time");
    let there = (at + jiff::SignedDuration::from_hours(14)).strftime("%Y-%m-%d %H:%M").to_string();
    ran.says(&there);
}
