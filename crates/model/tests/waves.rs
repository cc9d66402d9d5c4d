//! What a run does between its waves: how long it waits there, whom it asks again, and what speaks against it.

mod common;

use buedafab_model::config::parse;
use buedafab_model::names::EnvironmentName;
use insta::assert_snapshot;

use common::{Seen, deploy, difference, rollback, second};

const HEALTH: &str = "service = \"systemd:five\"\nwaves = [1, 1]\n[health]\nhttp = \"http://localhost/\"";

fn hosts(count: usize) -> Vec<Seen> {
    (0..count).map(|_| second()).collect()
}

/// What this has a deploy on three hosts in waves do besides.
fn besides(text: &str) -> String {
    let hosts = hosts(3);
    difference(&deploy(HEALTH, &hosts, 3), &deploy(&format!("{text}\n{HEALTH}"), &hosts, 3))
}

#[test]
fn each_wave_bakes_with_those_before_it() {
    assert_snapshot!(besides("bake_seconds = 30"), @"
    switch, wave 1 of 3
    + bake, wave 1 of 3
    +   on web1
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    + 
    switch, wave 2 of 3
    + bake, wave 2 of 3
    +   on web1, web2
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    + 
    switch, wave 3 of 3
    + bake, wave 3 of 3
    +   on web1, web2, web3
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    +
    ");
    // Nobody can ask what isn't known: it is waited all the same.
    let alone = |text: &str| deploy(&format!("service = \"none\"\n{text}"), &hosts(1), 3);
    assert_snapshot!(difference(&alone(""), &alone("bake_seconds = 30")), @"
    switch
    + bake
    +   on web1
    +     wait for 30 s
    +
    ");
    // Hosts are back in traffic by then.
    let drained = |text: &str| deploy(&format!("drain = \"file\"\nwaves = [1]\n{text}"), &hosts(2), 3);
    assert_snapshot!(difference(&drained(""), &drained("bake_seconds = 30")), @"
    undrain, wave 1 of 2
    + bake, wave 1 of 2
    +   on web1
    +     wait for 30 s
    + 
    undrain, wave 2 of 2
    + bake, wave 2 of 2
    +   on web1, web2
    +     wait for 30 s
    +
    ");
}

#[test]
fn a_rollback_does_not_bake() {
    assert_eq!(rollback("bake_seconds = 30", &hosts(2)), rollback("", &hosts(2)));
}

#[test]
fn hosts_wait_no_longer_than_for_their_confirmation() {
    let refused = |text: &str| deploy(&format!("waves = [1, 1]\n{text}"), &hosts(3), 3);
    assert_snapshot!(refused("bake_seconds = 600"), @"
    hosts would wait 1800 s in all to bake, wave by wave, and go back by themselves after 1800 s without a confirmation
      hint: make waves larger, `bake_seconds` smaller, or `confirm_timeout_seconds` larger
    ");
    assert_snapshot!(refused("bake_seconds = 500\ndrain = \"file\"\ndrain_grace_seconds = 100"), @"
    hosts would wait 1820 s in all, 320 s for their traffic and 1500 s to bake, wave by wave, and go back by themselves after 1800 s without a confirmation
      hint: make waves larger, `drain_grace_seconds` or `bake_seconds` smaller, or `confirm_timeout_seconds` larger
    ");
}

#[test]
fn how_long_it_bakes_is_said_well() {
    let production = EnvironmentName::new("production").expect("a word");
    let told = |line: &str| {
        let text = format!("unit = \"five\"\n{line}\n[environments.production]\nhosts = [\"web1\"]\n");
        match parse("buedafab.toml", &text).and_then(|file| file.settings(&production)) {
            Ok(_) => "all is well\n".to_owned(),
            Err(mistakes) => mistakes.to_string(),
        }
    };
    let lines = ["bake_seconds = -1", "bake_seconds = \"30\"", "bake_seconds = 900", "bake_seconds = 899"];
    assert_snapshot!(lines.map(told).join("\n"), @r#"
    error: -1 is too small
     --> buedafab.toml:2:16
      |
    2 | bake_seconds = -1
      |                ^^
      |
      = help: the smallest is 0
    error: `bake_seconds` takes a whole number, not a string
     --> buedafab.toml:2:16
      |
    2 | bake_seconds = "30"
      |                ^^^^
      |
      = help: write it without quotes: `30`
    error: a step that takes 900 s is ended
     --> buedafab.toml:2:16
      |
    2 | bake_seconds = 900
      |                ^^^
      |
      = help: make it smaller, or `step_timeout_seconds` larger
    all is well
    "#);
}
