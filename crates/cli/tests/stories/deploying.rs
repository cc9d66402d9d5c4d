//! The usual life of a fleet: deploys, rollbacks, questions, and the refusals in between.

use buedafab_testkit::{FleetOptions, Sudo};

use super::stage::{Ran, Stage, step_starts};

#[test]
fn first_deploy_redeploy_and_rollback() {
    let stage = Stage::new();
    stage.production(&["rollback"], 4).says("nothing was ever live on this host").says("nothing was touched");
    stage.production(&["deploy"], 0).says("done").says("serving now: one (");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["rollback"], 4).says("what serves is the first release on this host");

    stage.release("two");
    stage.production(&["deploy"], 0).says("serving now: two (");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    stage.production(&["deploy"], 0).says("note: web1, web2, web3: two (").says("is live already");
    assert_eq!(stage.serving(), ["two", "two", "two"]);

    stage.production(&["rollback"], 0).says("roll back to one (");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    // Whoever isn't sure that the first one worked, and types it again, must not go forward to what was wrong.
    stage.production(&["rollback"], 4).says("rolled back from");
    assert_eq!(stage.serving(), ["one", "one", "one"]);

    stage.production(&["deploy:release=two"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    let history = stage.production(&["history"], 0);
    let told: Vec<&str> = history.stdout.lines().collect();
    assert_eq!(told.len(), 4, "{}", history.stdout);
    assert!(told[2].contains("rolled back") && told[2].contains("all hosts") && told[2].contains("ada@"));
}

#[test]
fn status_tells_what_runs_where_since_when_by_whom() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["--hosts", "web2", "deploy"], 0);
    assert_eq!(stage.serving(), ["one", "two", "one"]);
    let status = stage.production(&["status"], 0);
    status.says("drift: the hosts serve different releases").says("ada@");
    let documents = stage.status();
    assert_eq!(documents[1]["live"]["describe"], "two");
    assert_eq!(documents[1]["rollback"]["describe"], "one");
    assert_eq!(documents[0]["confirmed"], true);
    // One host is ahead: a rollback of all would mix them up further.
    stage.production(&["rollback"], 4).says("nothing to roll back to");
    stage.production(&["deploy"], 0).says("web2: two (").says("is live already");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn a_dry_run_shows_the_very_plan_and_changes_nothing() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    let state = "cd /var/webapps/five && find . | sort && cat .buedafab/slots/* .buedafab/journal.jsonl";
    let before = stage.fleet.host("web1").run(state);
    let plan = stage.production(&["deploy", "--dry-run", "-v"], 0);
    plan.says("→ two (")
        .says("on web1, web2, web3")
        .says("git clone --quiet --origin origin --no-local")
        .says("mv -fT");
    plan.says("brings:");
    let document = stage.production(&["deploy", "--dry-run", "--json"], 0);
    let last = document.stdout.lines().last().expect("a document");
    let plan: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(plan["phases"].as_array().map(Vec::len), Some(4));
    assert_eq!(stage.fleet.host("web1").run(state), before);
}

#[test]
fn a_hold_stops_deploys_and_not_rollbacks() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.release("three");
    stage.production(&["hold", "--reason", "it's \"Friday\"\n$HOME"], 0);
    let document = stage.production(&["deploy", "--json"], 5);
    document.says("\"event\":\"refused\"").says("\"exit_code\":5");
    stage.production(&["deploy"], 5).says("on hold").says("it's \\\"Friday\\\"").says("ada@");
    stage.production(&["status"], 0).says("on hold since");
    stage.production(&["check"], 4).says("on hold");
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["unhold"], 0);
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["three", "three", "three"]);
}

#[test]
fn a_hold_that_is_put_up_during_a_deploy_is_said_by_both() {
    let stage = Stage::new();
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\nverify = \"until [ -e /tmp/go ]; do sleep 0.1; done\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    let begun = run.wait_for(|event| event["event"] == "run_started");
    run.wait_for(step_starts("web3", "verify"));
    let held = stage.production(&["hold", "--reason", "we move the database"], 0);
    held.says("web2: a run that has begun goes on: locked by ada@").says("deploy");
    for host in stage.fleet.hosts() {
        host.run("touch /tmp/go");
    }
    let (_, code) = run.finish();
    assert_eq!(code, 0);
    let log = stage.production(&["history", begun["run"].as_str().expect("an id")], 0);
    for host in ["web1", "web2", "web3"] {
        log.says(&format!("{host}  │ meanwhile the next deploys were put on hold"));
    }
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["deploy"], 5).says("we move the database");
}

#[test]
fn commands_run_everywhere_and_their_failures_count() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    let ran = stage.production(&["run", "--", "cat version; hostname; pwd"], 0);
    for host in ["web1", "web2", "web3"] {
        ran.says(&format!("{host} │ one{host}\n"));
    }
    ran.says("web1 │ /var/webapps/five/releases/");
    stage.production(&["run:echo a b | tr a-z A-Z"], 0).says("web2 │ A B\n");
    stage.production(&["run", "--", "printf", "<%s>", "a  b", "$HOME"], 0).says("web3 │ <a  b><$HOME>");
    let failed = stage.production(&["run", "--", "test $(hostname) != web2 || exit 7; echo fine"], 7);
    failed
        .says("web1 │ fine")
        .says("web3 │ fine")
        .says(": failed (exit 7)")
        .says("web2: ")
        .says("exit status 7");
    stage.production(&["--roles", "web", "--hosts", "*2", "run", "--", "hostname"], 0).says("web2 │ web2");
    stage.production(&["--hosts", "web9", "run", "--", "true"], 2).says("no host of production is called");
}

#[test]
fn checks_say_what_would_stop_a_deploy() {
    let stage = Stage::new();
    stage.production(&["check"], 0).says("ready to deploy").says("reached as deploy");
    stage.fleet.host("web2").run("chown root /var/webapps && chmod 755 /var/webapps");
    stage.production(&["check"], 4).says("deploy can't write").says("a deploy would be stopped");
    stage
        .production(&["deploy"], 4)
        .says("web2: deploy can't write /var/webapps/five")
        .says("install -d -o deploy");
    stage.fleet.host("web3").stop_sshd();
    stage.production(&["check"], 6).says("web3");
}

#[test]
fn a_commit_that_was_not_pushed_is_refused() {
    let stage = Stage::new();
    stage.configure_with("push_before_deploy = false");
    stage.remote.commit(&[("version", "secret")], "not pushed");
    stage.production(&["deploy"], 4).says("isn't on the remote").says("git push origin HEAD");
    stage.production(&["deploy:commit=nonsense"], 4).says("names no commit");
    stage
        .production(&["deploy:release=v9"], 4)
        .says("there is no tag \"v9\", neither here nor on the remote");
    stage.production(&["deploy:commit=one"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn waves_switch_one_after_the_other_and_revert_together() {
    let stage = Stage::new();
    stage.configure_with("waves = [1, \"100%\"]");
    stage.production(&["deploy"], 0).says("switch, wave 1 of 2").says("switch, wave 2 of 2");
    stage.release("two");
    stage.fleet.host("web3").run("echo two >/tmp/fail-restart");
    stage.production(&["deploy"], 8).says("the restart says no");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn hooks_run_where_and_when_they_should_with_the_facts_of_the_run() {
    let stage = Stage::new();
    let log = |point: &str| {
        format!(
            "{point} = 'echo {point} $BUEDAFAB_TAG $BUEDAFAB_SLOT $DEPLOYMENT_TYPE $(basename \"$PWD\") >>/tmp/log'"
        )
    };
    let points = [
        "before_prepare",
        "build",
        "check",
        "once",
        "before_switch",
        "restart",
        "after_switch",
        "verify",
        "after_finish",
    ];
    let hooks: Vec<String> = points.iter().map(|point| log(point)).collect();
    stage.configure(&format!(
        "unit = \"five\"\nvariables = {{ COLOR = \"it's green\" }}\n[hooks]\n{}\n[hooks.local]\n\
         before = \"echo before $BUEDAFAB_HOSTS >>here.log\"\nafter = \"echo after $BUEDAFAB_EXIT_CODE >>here.log\"\n\
         on_failure = \"echo failed $BUEDAFAB_EXIT_CODE >>here.log\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
        hooks.join("\n")
    ));
    stage.production(&["deploy"], 0);
    let log = stage.fleet.host("web1").read("/tmp/log");
    let expected: Vec<String> = points
        .iter()
        .map(|point| {
            format!("{point} one a PRODUCTION {}", if *point == "before_prepare" { "five" } else { "a" })
        })
        .collect();
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    assert!(!stage.fleet.host("web2").read("/tmp/log").contains("once"), "once is for one host");
    let here = std::fs::read_to_string(stage.checkout().join("here.log")).expect("local hooks ran");
    assert_eq!(here, "before web1,web2\nafter 0\n");
    // It stops nothing, and the ending tells it.
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\n[hooks.local]\nafter = \"exit 22\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
    );
    stage.production(&["deploy", "--force"], 0).says("left undone here: exit 22: exit status 22\n✓ deploy");
}

#[test]
fn the_app_is_restarted_by_hand_too() {
    let stage = Stage::new();
    stage.production(&["restart_webserver"], 4).says("no release is live");
    stage.production(&["deploy"], 0);
    stage.fleet.host("web1").run("rm /var/webapps/five/served");
    stage.production(&["restart_webserver"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["history"], 0).says("restarted");
}

#[test]
fn two_deploys_at_once_one_waits_its_turn_and_says_whose() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.configure(
        "unit = \"five\"\n[hooks]\nbuild = \"until [ -e /tmp/go-on ]; do sleep 0.1; done\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    stage.release("two");
    let mut first = stage.start(&["deploy"]);
    first.wait_for(step_starts("", "build"));
    let second = stage.production(&["deploy"], 5);
    second.says("locked by ada@").says("deploy two (");
    stage.production(&["status"], 0).says("locked by ada@");
    stage.fleet.hosts().iter().for_each(|host| _ = host.run("touch /tmp/go-on"));
    let (_, code) = first.finish();
    assert_eq!(code, 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn two_deploys_in_the_same_moment_one_wins_on_all_hosts() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    let start = || {
        stage
            .command(&["production", "deploy"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    let both = [start(), start()];
    let mut ran: Vec<Ran> =
        both.into_iter().map(|child| Ran::of(child.wait_with_output().expect("it ends"))).collect();
    ran.sort_by_key(|ran| ran.code);
    assert_eq!(ran[0].code, 0, "{}", ran[0].stderr);
    // The other found the hosts locked, changed since it looked, or done already: never half.
    assert!([0, 4, 5].contains(&ran[1].code), "{} {}", ran[1].code, ran[1].stderr);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn the_configuration_is_explained_where_it_is_wrong() {
    let stage = Stage::new();
    std::fs::write(stage.checkout().join("buedafab.toml"), "unit = \"five\"\nstrateg = \"ab\"\n")
        .expect("written");
    let ran = stage.production(&["deploy"], 3);
    ran.says("buedafab.toml:2:1").says("did you mean `strategy`?");
    stage.configure("unit = \"five\"\n");
    stage.production(&["deploy"], 3).says("production has no hosts");
    stage.run(&["prodution", "deploy"]).says("did you mean");
    let nowhere = tempfile::tempdir().expect("a folder");
    let ran = Ran::of(
        stage.command(&["production", "status"]).current_dir(nowhere.path()).output().expect("it runs"),
    );
    assert_eq!(ran.code, 3);
    ran.says("buedafab init writes one");
    assert_eq!(stage.run(&["deploy"]).says("the environment is missing").code, 2);
}

#[test]
fn status_of_all_environments_says_what_runs_and_how_far_behind_it_is() {
    let stage = Stage::with(FleetOptions {
        hosts: 2,
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    });
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\nrequire_tag = false\n[services.web]\ncommand = \"sleep 1000\"\n\
         [environments.production]\nhosts = [\"web1\"]\n[environments.staging]\nhosts = [\"web2\"]\n",
    );
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.release("three");
    let ran = stage.run(&["staging", "deploy"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = stage.run(&["status"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let line = |begins: &str| lines.iter().position(|line| line.starts_with(begins)).unwrap_or(usize::MAX);
    assert!(
        line("staging") < line("web2  three (") || line("production") < line("web1  one ("),
        "{}",
        ran.stdout
    );
    ran.says("\nweb1: five-web.service runs\n").says("\nweb2: five-web-staging.service runs\n");
    ran.says("\nweb1: 2 commits behind origin/master, as far as this checkout knows\n");
    assert!(!ran.stdout.contains("web2: 2 commits"), "{}", ran.stdout);
    let documents = stage.status();
    assert_eq!(documents[0]["behind"]["commits"], 2);
    assert_eq!(documents[0]["environment"], "production");
    stage
        .run(&["--hosts", "web1", "status"])
        .says("--hosts and --roles choose among the hosts of an environment");

    // Again and again, until somebody has seen enough.
    let mut watch = stage.command(&["production", "status", "--watch=1"]);
    let mut child = watch.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut said = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    for _ in 0..2 {
        let round =
            |line: Result<String, _>| line.is_ok_and(|line| line.contains("every 1 s; Ctrl-C ends it"));
        assert!(said.by_ref().any(round), "it is shown again and again");
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    said.for_each(drop);
    assert!(child.wait().expect("it ends").success());
}
