//! What happens when something goes wrong: on a host, on the line, or on the machine that deploys.

use std::cell::Cell;

use serde_json::Value;

use buedafab_testkit::FleetOptions;

use super::stage::{Stage, step_starts, wait_for};

fn deployed() -> Stage {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage
}

#[test]
fn a_host_that_fails_to_prepare_leaves_all_as_they_were() {
    let stage = deployed();
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    let ran = stage.production(&["deploy"], 7);
    ran.says("the check says no")
        .says("failed before the switch")
        .says("serving now: one (")
        .says("web1, web2, web3");
    ran.says("look: buedafab production --hosts web2 shell").says("again: buedafab production deploy");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.fleet.host("web2").run("rm /tmp/fail-check");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn a_failed_prepare_costs_the_way_back_only_a_rebuild() {
    let stage = deployed();
    stage.production(&["deploy"], 0);
    stage.release("three");
    stage.fleet.host("web2").run("touch /tmp/fail-check");
    stage.production(&["deploy"], 7);
    stage.fleet.host("web2").run("rm /tmp/fail-check");
    stage
        .production(&["rollback"], 0)
        .says("has to be built again first: it was overwritten by a later attempt");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_host_that_fails_to_restart_reverts_all() {
    let stage = deployed();
    stage.fleet.host("web3").run("echo two >/tmp/fail-restart");
    let ran = stage.production(&["deploy"], 8);
    ran.says("the restart says no")
        .says("exit status 3")
        .says("reverted (exit 8)")
        .says("serving now: one (");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["history"], 0).says("reverted");
    stage.fleet.host("web3").run("rm /tmp/fail-restart");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn a_way_back_that_fails_too_needs_a_person() {
    let stage = deployed();
    stage.fleet.host("web3").run("printf 'one\\ntwo\\n' >/tmp/fail-restart");
    let ran = stage.production(&["deploy"], 9);
    ran.says("serving now: one (").says("on web1, web2\n");
    // Its old release wasn't started, and nothing can be asked.
    ran.says("the link leads to one (").says("on web3").says("see: buedafab production status");
}

#[test]
fn a_first_deploy_that_fails_leaves_nothing_live() {
    let stage = Stage::new();
    stage.fleet.host("web1").run("echo one >/tmp/fail-restart");
    stage.production(&["deploy"], 8).says("serving now: nothing on web1, web2, web3");
    for host in stage.fleet.hosts() {
        assert!(!host.exec("test -L /var/webapps/five/releases/current").status.success());
    }
}

#[test]
fn an_unreachable_host_stops_all() {
    let stage = deployed();
    stage.fleet.host("web2").stop_sshd();
    let ran = stage.production(&["deploy"], 6);
    ran.says("web2").says("nothing was touched").says("name the others with --hosts");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["status"], 6).says("unreachable").says("one (");
    stage.production(&["--hosts", "web1,web3", "deploy"], 0);
    stage.fleet.host("web2").start_sshd();
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

/// The deployer dies without a word at the start of every step there is; the hosts put themselves right, status tells
/// the truth, and the next deploy heals.
#[test]
fn a_deployer_killed_at_any_step_leaves_no_lock_and_no_half_release() {
    kill_at_any_step(&Stage::new());
}

#[test]
fn a_deployer_killed_at_any_step_in_the_one_folder() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with(IN_PLACE);
    kill_at_any_step(&stage);
}

const IN_PLACE: &str = "strategy = \"in-place\"";

fn kill_at_any_step(stage: &Stage) {
    stage.production(&["deploy"], 0);
    let mut old = "one".to_owned();
    let mut steps = 0;
    loop {
        let new = format!("after-{steps}-steps");
        stage.release(&new);
        let mut run = stage.start(&["deploy"]);
        let mut seen = 0;
        let killed = loop {
            match run.next() {
                Some(event) if event["event"] == "step_started" && event["host"] == "web1" => {
                    if seen == steps {
                        run.signal("KILL");
                        break true;
                    }
                    seen += 1;
                }
                Some(_) => {}
                None => break false,
            }
        };
        let _ = run.child.wait();
        stage.wait_until_free();
        let serving = stage.serving();
        // Until the confirmation all go back; a deployer killed in the middle of it may leave some on either side,
        // but each on a whole release that it runs.
        assert!(
            serving.iter().all(|served| *served == old || *served == new),
            "{serving:?} after {steps} steps"
        );
        for (document, served) in stage.status().iter().zip(&serving) {
            assert_eq!(document["live"]["describe"], served.as_str(), "after {steps} steps: {document}");
            assert_eq!(document["locked"], serde_json::Value::Null);
        }
        stage.production(&["deploy"], 0);
        assert!(stage.serving().iter().all(|served| *served == new), "after {steps} steps");
        if !killed {
            break;
        }
        old = new;
        steps += 1;
    }
    assert!(steps >= 10, "a redeploy has more steps than {steps}");
}

/// The way back goes on without its deployer: an app that isn't restarted would run what was just given up.
#[test]
fn a_deployer_killed_while_hosts_revert_is_not_missed() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"sleep 3; cat version >../../served\"\n\
         verify = \"test $(cat version) = one\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    // Hosts begin to go back one by one, each when it has failed.
    let reverts =
        |host: &'static str| move |event: &Value| event["event"] == "reverting" && event["hosts"][0] == host;
    let (second, third, restarts) = (Cell::new(false), Cell::new(false), Cell::new(false));
    run.wait_for(|event| {
        restarts.set(restarts.get() || second.get() && step_starts("web2", "restart")(event));
        second.set(second.get() || reverts("web2")(event));
        third.set(third.get() || reverts("web3")(event));
        third.get() && restarts.get()
    });
    run.signal("KILL");
    let _ = run.child.wait();
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["history"], 0).says("reverted");
    assert!(stage.status().iter().all(|document| document["confirmed"] == true));
}

#[test]
fn ctrl_c_stops_in_order_and_says_what_serves() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\n[hooks]\nbuild = \"sleep 60\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web3", "build"));
    run.signal("INT");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (130, &"interrupted".into()));
    assert_eq!(end["hosts"][0]["release"]["describe"], "one");
    for host in stage.fleet.hosts() {
        assert!(!host.exec("pgrep -fx 'sleep 60'").status.success(), "the step's processes are gone");
    }
    assert_eq!(stage.serving(), ["one", "one", "one"]);

    // After the switch, and impatiently.
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || sleep 60\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web3", "verify"));
    run.signal("INT");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (130, &"interrupted".into()));
    assert_eq!(stage.serving(), ["one", "one", "one"]);

    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "verify"));
    run.signal("INT");
    run.signal("INT");
    let (_, code) = run.finish();
    assert_eq!(code, 130);
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_step_that_takes_too_long_is_ended_and_has_failed_whatever_it_says() {
    let stage = deployed();
    let hooks = [
        ("build", "sleep 60 & sleep 60", 7),
        ("build", "trap 'exit 0' TERM; sleep 60 & wait", 7),
        ("verify", "trap 'exit 0' TERM; [ $(cat version) = one ] || sleep 60 & wait", 8),
    ];
    for hosts in ["\"web1\"", "\"web1\", \"web2\""] {
        for (point, command, code) in hooks {
            stage.configure(&format!(
                "unit = \"five\"\nstep_timeout_seconds = 1\n[hooks]\n{point} = \"{command}\"\n\
                 restart = \"cat version >../../served\"\n[environments.production]\nhosts = [{hosts}]\n"
            ));
            stage.production(&["deploy"], code).says("ran for longer than 1 s").says("serving now: one (");
            stage.wait_until_free();
            assert_eq!(stage.serving(), ["one", "one", "one"], "{point}: {command}");
        }
    }
    assert!(!stage.fleet.host("web1").exec("pgrep -fx 'sleep 60'").status.success(), "its group is gone");
}

/// It accepts a connection, and says nothing. Nobody has to wait for it who doesn't want to.
#[test]
fn ctrl_c_is_answered_while_a_git_server_says_nothing() {
    let stage = deployed();
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("git://{}/five", server.local_addr().expect("it has one"));
    stage.remote.git(&["remote", "set-url", "origin", &url]);
    stage.configure_with("require_tag = true");
    for words in [&["deploy"][..], &["changes"], &["check"]] {
        let run = stage.start(words);
        let (_connection, _) = server.accept().expect("git asks");
        let asked = std::time::Instant::now();
        run.signal("INT");
        let (_, code) = run.finish();
        assert_eq!(code, 130, "{words:?}");
        assert!(asked.elapsed() < std::time::Duration::from_secs(2), "{words:?}: {:?}", asked.elapsed());
    }
}

#[test]
fn a_lock_that_is_taken_after_the_look_is_told_as_such() {
    let stage = deployed();
    let go = stage.state().join("go");
    stage.configure(&format!(
        "unit = \"five\"\n[hooks.local]\nbefore = \"until test -e {}; do sleep 0.05; done\"\n\
         [hooks]\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
        go.display()
    ));
    let mut run = stage.start(&["deploy"]);
    run.wait_for(|event| event["event"] == "deployer_started");
    let host = stage.fleet.host("web2");
    host.run(
        "sh -c 'exec 9<>/var/webapps/five/.buedafab/lock; flock 9; echo $$ >/tmp/holder; exec sleep 600' >/dev/null 2>&1 &",
    );
    wait_for("it is locked", || {
        !host.exec("flock -n /var/webapps/five/.buedafab/lock true").status.success()
    });
    // It hasn't said who it is, and is told all the same.
    stage.production(&["status"], 0).says("web2: locked by a run that hasn't said who it is");
    std::fs::write(&go, "").expect("it is written");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (5, &"locked".into()), "{end}");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    host.run("kill $(cat /tmp/holder)");
}

#[test]
fn a_host_whose_memory_is_full_is_not_said_to_serve() {
    let stage = deployed();
    // Memory that any user of the host can fill, and fills just before it switches: all of it, or all but a page.
    let host = stage.fleet.host("web1");
    host.run("mount -t tmpfs -o size=1m,mode=1777 none /dev/shm");
    for leave in ["true", "rm /dev/shm/page"] {
        stage.configure(&format!(
            "unit = \"five\"\nwaves = [1]\n[hooks]\nonce = \"\
             head -c 4096 /dev/zero >/dev/shm/page; cat /dev/zero >/dev/shm/full; {leave}\"\n\
             restart = \"cat version >../../served\"\nverify = \": {}\"\n\
             [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
            "x".repeat(60_000)
        ));
        stage.production(&["deploy"], 8).says("it can't keep what it is sent: /dev/shm is full");
        stage.wait_until_free();
        assert_eq!(stage.serving(), ["one", "one", "one"], "{leave}");
        // Where it is full from the beginning, there are other places.
        stage.production(&["status"], 0).says("one (");
        host.run("rm -rf /dev/shm/*");
    }
}

/// It was armed, and nothing was switched: that it can't write down that nothing is pending makes nobody wonder.
#[test]
fn a_file_system_that_becomes_read_only_before_the_switch_leaves_all_as_they_were() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\nwaves = [1]\n[hooks]\nbefore_switch = \"touch /tmp/waits; test $(hostname) != web1 || until test -e /tmp/go; do sleep 0.05; done\"\n\
         restart = \"true\"\n[environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let run = stage.start(&["deploy"]);
    let host = stage.fleet.host("web1");
    wait_for("it waits before the switch", || host.exec("test -e /tmp/waits").status.success());
    host.run(
        "mount --bind /var/webapps /var/webapps && mount -o remount,ro,bind /var/webapps && touch /tmp/go",
    );
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (7, &"failed_before".into()), "{end}");
    host.run("mount -o remount,rw,bind /var/webapps");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// A host that can't be reached stops nothing on the others, and what they did is told.
#[test]
fn what_was_done_on_some_hosts_only_is_not_called_nothing() {
    let stage = deployed();
    stage.fleet.host("web3").stop_sshd();
    let ran = stage.production(&["hold", "--reason", "the audit"], 7);
    ran.says("web3");
    assert!(!ran.stderr.contains("nothing was"), "{}", ran.stderr);
    stage.fleet.host("web3").start_sshd();
    stage.production(&["status"], 0).says("the audit");
}

#[test]
fn a_full_disk_stops_a_deploy_before_anything_changes() {
    let stage = Stage::with(buedafab_testkit::FleetOptions {
        hosts: 3,
        webapps_size: Some("2m".to_owned()),
        ..Default::default()
    });
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.fleet.host("web2").fill_disk();
    let ran = stage.production(&["deploy"], 4);
    ran.says("web2: the disk is full: 0 KiB are free, and no release fits").says("nothing was touched");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.fleet.host("web2").free_disk();
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

/// The way back couldn't be kept: so there is nothing to take back.
#[test]
fn a_disk_that_fills_just_before_the_switch_stops_it() {
    let stage = Stage::with(buedafab_testkit::FleetOptions {
        hosts: 1,
        webapps_size: Some("2m".to_owned()),
        ..Default::default()
    });
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\n[hooks]\nbefore_switch = \"rm /var/webapps/five/.buedafab/reserve.*; ! cat /dev/zero >/var/webapps/.filler\"\n\
         restart = \"cat version >../../served\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.production(&["deploy"], 7).says("without which nothing is switched").says("serving now: one (");
    assert_eq!(stage.serving(), ["one"]);
    stage.fleet.host("web1").free_disk();
    assert_eq!(
        stage.fleet.host("web1").run("ls -A /var/webapps/five/.buedafab | grep -e pending -e back || :"),
        ""
    );
}

#[test]
fn a_host_that_loses_power_in_the_switch_is_told_and_healed() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || test $(hostname) != web2 || sleep 60\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "verify"));
    stage.fleet.host("web2").power_off();
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (9, &"mixed".into()));
    assert_eq!(end["hosts"][1]["serving"], "unknown");
    assert_eq!(end["hosts"][0]["release"]["describe"], "one");
    stage.fleet.host("web2").start_sshd();
    assert_eq!(stage.serving(), ["one", "two", "one"]);
    let status = stage.production(&["status"], 0);
    status.says("web2: a switch to slot b was never confirmed").says("drift");
    stage.configure_with("");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    assert!(stage.status().iter().all(|document| document["confirmed"] == true));
}

#[test]
fn a_daemon_that_a_restart_leaves_behind_holds_nothing_up() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served; sleep 300 & echo started\"\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    stage.production(&["deploy"], 0);
    assert_eq!(
        stage.fleet.host("web1").run("pgrep -fxc 'sleep 300'").trim(),
        "1",
        "nobody waited for its end"
    );
    // It doesn't keep the lock either.
    stage.release("three");
    stage.production(&["deploy"], 0);
    wait_for("both daemons live", || stage.fleet.host("web1").run("pgrep -fxc 'sleep 300'").trim() == "2");
}

/// Whoever runs out of memory or processes loses its shell first.
#[test]
fn a_host_whose_runner_was_killed_goes_back_by_itself() {
    let stage = deployed();
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(hostname) != web2 || test $(cat version) = one || { kill -9 $PPID; exec sleep 60; }\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    stage.production(&["deploy"], 8).says("serving now: one (").says("web1, web2, web3");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    assert!(!stage.fleet.host("web2").exec("pgrep -fx 'sleep 60'").status.success(), "the step is ended");
    stage.production(&["recover"], 0).says("nothing to recover");
}

/// Nobody is left to go back: what was begun lies on the host's disk until somebody comes.
#[test]
fn a_switch_whose_runner_was_killed_is_put_back_by_the_next_run() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    let killed = "kill -9 -$PPID; exec sleep 60";
    stage.configure(&format!(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(hostname) != web2 || test $(cat version) = one || {{ {killed}; }}\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n"
    ));
    stage.production(&["deploy"], 9).says("the hosts need a person").says("serving now: one (");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "two", "one"]);
    stage.production(&["status"], 0).says("a switch to slot b was never confirmed");
    stage.production(&["check"], 4).says("a switch to slot b was never confirmed").says("recover");
    stage.production(&["restart_webserver"], 4).says("never confirmed").says("`recover` puts it back");
    stage.production(&["deploy", "--dry-run"], 4).says("put back the switch").says("recover puts it back");
    stage.production(&["recover", "--dry-run"], 0).says("put back the switch");
    assert_eq!(stage.serving(), ["one", "two", "one"], "a dry run changes nothing");
    stage.production(&["recover"], 0).says("recover: done");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["recover"], 0).says("nothing to recover");
    let ended = stage.run(&["--json", "production", "history", "last"]);
    assert!(ended.stdout.contains("\"run_ended\",\"verdict\":\"done\""), "{}", ended.stdout);
    // A deploy does the same by itself, and so does a rollback.
    stage.production(&["deploy"], 9);
    stage.wait_until_free();
    stage.configure_with("");
    stage.production(&["deploy"], 0).says("recover").says("serving now: two (");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// Half-way between two releases in one folder, too; and from there to folders that take turns, and back.
#[test]
fn a_release_half_in_the_place_of_another_is_put_back() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    stage.configure_with(IN_PLACE);
    stage.production(&["deploy"], 0);
    stage.release("two");
    let killed = "test $(hostname) != web2 || { kill -9 -$PPID; exec sleep 60; }";
    stage.configure(&format!(
        "unit = \"five\"\n{IN_PLACE}\n[hooks]\nbuild = \"{killed}\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n"
    ));
    let ran = stage.production(&["deploy"], 9);
    ran.says("there is a moment in which neither release is complete")
        .says("serving now: one (")
        .says("on web1");
    stage.wait_until_free();
    let host = stage.fleet.host("web2");
    assert_eq!(host.read("/var/webapps/five/releases/a/version").trim(), "two");
    stage.production(&["status"], 0).says("web2: a switch to slot a was never confirmed");
    stage.production(&["deploy", "--dry-run"], 4).says("put back the switch");
    stage.production(&["recover"], 0).says("recover: done");
    assert_eq!(stage.serving(), ["one", "one"]);
    assert_eq!(host.run("cd /var/webapps/five/releases/a && sudo -u deploy git status --short"), "");

    stage.configure_with(IN_PLACE);
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two"]);
    stage.configure_with("");
    stage.release("three");
    stage.production(&["deploy"], 0).says("in slot b");
    assert_eq!(host.run("ls -A /var/webapps/five/releases").trim(), "a\nb\ncurrent");
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["two", "two"]);
    stage.configure_with(IN_PLACE);
    stage.production(&["deploy"], 0).says("in slot a");
    assert_eq!(stage.serving(), ["three", "three"]);
    // From its copy, and then by its commit.
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["two", "two"]);
    stage.production(&["rollback"], 0).says("another release was checked out in its place");
    assert_eq!(stage.serving(), ["one", "one"]);
}

/// An app that can't be started as it was must not stand in the way of the release that mends it.
#[test]
fn what_can_not_be_put_back_is_deployed_over() {
    let stage = Stage::with(Default::default());
    stage.production(&["deploy"], 0);
    stage.release("two");
    let host = stage.fleet.host("web1");
    host.run("printf 'one\\ntwo\\n' >/tmp/fail-restart");
    stage.production(&["deploy"], 9).says("the restart says no");
    stage.production(&["status"], 0).says("the link is back already");
    stage.release("three");
    stage.production(&["deploy"], 0).says("recover: the hosts need a person").says("serving now: three (");
    assert_eq!(stage.serving(), ["three"]);
    stage.production(&["recover"], 0).says("nothing to recover");
}
