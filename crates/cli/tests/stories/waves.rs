//! What a run does between its waves, on real hosts.

use std::time::{Duration, Instant};

use super::stage::{Stage, step_starts};

/// An app with a process of its own.
const APP: &str = r#"
[hooks]
restart = "cat version >../../served; kill $(cat /tmp/app) || true; setsid sh -c 'echo $$ >/tmp/app; exec sleep 1000' >/dev/null 2>&1 &"
[health]
command = "kill -0 $(cat /tmp/app)"
grace_seconds = 2
[environments.production]
hosts = ["web1", "web2", "web3"]
"#;

/// Release one serves on three hosts, and two waits to be deployed.
fn stage_with(top: &str) -> Stage {
    let stage = Stage::new();
    let configure = |top: &str| {
        stage.configure(&format!("unit = \"five\"\nservice = \"none\"\nwaves = [1, \"100%\"]\n{top}\n{APP}"));
    };
    configure("");
    stage.production(&["deploy"], 0);
    stage.release("two");
    configure(top);
    stage
}

#[test]
fn an_app_that_dies_while_it_bakes_takes_all_back() {
    let stage = stage_with("bake_seconds = 3");
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web1", "wait for 3 s"));
    assert_eq!(stage.serving(), ["two", "one", "one"]);
    stage.fleet.host("web1").run("kill $(cat /tmp/app)");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (8, &"reverted".into()), "{end}");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["history", "last"], 0).says("bake, wave 1 of 2").says("the app isn't well");

    // With the last wave every host is asked again.
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web3", "wait for 3 s"));
    stage.fleet.host("web1").run("kill $(cat /tmp/app)");
    assert_eq!(run.finish().1, 8);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.production(&["deploy"], 0).says("bake, wave 2 of 2");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn nobody_waits_to_the_end_of_a_bake_to_go_back() {
    let stage = stage_with("bake_seconds = 600");
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web1", "wait for 600 s"));
    let asked = Instant::now();
    run.signal("INT");
    assert_eq!(run.finish().1, 130);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    assert_eq!(stage.serving(), ["one", "one", "one"]);

    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web1", "wait for 600 s"));
    run.signal("KILL");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

const STOPS: &str = "on_wave_failure = \"stop\"";

#[test]
fn a_wave_that_fails_leaves_those_before_it_where_they_are() {
    let stage = stage_with(&format!("{STOPS}\nbake_seconds = 3"));
    stage
        .production(&["deploy", "--dry-run"], 0)
        .says("when a later one fails, those before it keep the new release")
        .says("confirm, wave 1 of 2");
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web3", "wait for 3 s"));
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    stage.fleet.host("web3").run("kill $(cat /tmp/app)");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (9, &"mixed".into()), "{end}");
    assert_eq!(stage.serving(), ["two", "one", "one"]);
    stage.production(&["status"], 0).says("drift: the hosts serve different releases");

    // As the ending says: the others follow, or the first goes back.
    stage.production(&["deploy"], 0).says("web1: two (");
    assert_eq!(stage.serving(), ["two", "two", "two"]);
    stage.release("three");
    stage.fleet.host("web2").run("touch /tmp/fail");
    let fails =
        APP.replace("restart = \"", "restart = \"[ ! -e /tmp/fail ] || [ $(cat version) = two ] || exit 3; ");
    stage.configure(&format!("unit = \"five\"\nservice = \"none\"\nwaves = [1, \"100%\"]\n{STOPS}\n{fails}"));
    stage
        .production(&["deploy"], 9)
        .says("serving now: three (")
        .says("on web1\n")
        .says("on web2, web3\n")
        .says("bring the others level: buedafab production deploy\n")
        .says("or go back: buedafab production --hosts web1 rollback\n");
    assert_eq!(stage.serving(), ["three", "two", "two"]);
    stage.production(&["--hosts", "web1", "rollback"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

#[test]
fn only_the_wave_that_is_not_confirmed_yet_goes_back() {
    let stage = stage_with(&format!("{STOPS}\nbake_seconds = 2"));
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "wait for 2 s"));
    run.signal("INT");
    assert_eq!(run.finish().1, 9);
    assert_eq!(stage.serving(), ["two", "one", "one"]);
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "wait for 2 s"));
    run.signal("KILL");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["two", "one", "one"]);
}
