//! Hosts that can't be reached: left out where the settings say so, told of, and brought level when they are back.

use std::collections::BTreeSet;

use buedafab_testkit::FleetOptions;
use serde_json::Value;

use super::stage::{Stage, step_starts};

/// Four hosts, of which so many are in the configuration.
fn configure(stage: &Stage, hosts: usize, more: &str) {
    let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
    stage.configure(&format!(
        "unit = \"five\"\nunreachable = \"skip\"\n{more}\n[hooks]\nonce = \"cat version >>/tmp/once\"\n\
         restart = \"cat version >../../served\"\n[environments.production]\nhosts = [{}]\n",
        names.join(", ")
    ));
}

#[test]
fn a_host_that_is_away_is_left_out_and_brought_level() {
    let stage = Stage::with(FleetOptions { hosts: 4, ..FleetOptions::default() });
    configure(&stage, 3, "");
    stage.production(&["deploy"], 0);
    stage.release("two");
    // The primary of all hosts: the next one does what is done once.
    stage.fleet.host("web1").stop_sshd();
    let ran = stage.production(&["deploy"], 0);
    ran.says("leaves out web1: can't be reached: ").says("left out: web1");
    ran.says("note: web2: does what is done once, in the place of web1");
    ran.says("when it is back: buedafab production deploy --only-outdated");
    assert_eq!(stage.serving(), ["one", "two", "two", "-"]);
    assert_eq!(stage.fleet.host("web2").run("cat /tmp/once").trim(), "two");
    stage.production(&["status"], 6).says("web1: two (").says(" became live without it, ");
    // Nor does it stop the next.
    stage
        .production(&["check"], 0)
        .says("can't be reached, and a deploy leaves it out: ")
        .says("ready to deploy");
    stage.production(&["deploy", "--only-outdated"], 0).says("no host that can be reached lacks two");
    // Nothing else leaves anybody out, and a run without most hosts is none.
    stage.production(&["restart_webserver"], 6).says("web1: can't be reached");
    stage.fleet.host("web2").stop_sshd();
    let ran = stage.production(&["deploy"], 6);
    ran.says("2 of 3 hosts can't be reached (web1, web2), and no more than 50% may be left out")
        .says("nothing was touched");
    stage.fleet.host("web2").start_sshd();
    stage.fleet.host("web1").start_sshd();

    let ran = stage.production(&["status"], 0);
    ran.says("web1: serves one (").says(", the others two (").says("; it couldn't be reached when ada@");
    ran.says("drift: the hosts serve different releases; `deploy --only-outdated` brings them level");
    // A host joins, and there is a newer release, which is nobody's business.
    configure(&stage, 4, "");
    stage.release("three");
    let ran = stage.production(&["deploy", "--only-outdated", "--dry-run"], 0);
    ran.says("web2  two (")
        .says("stays as it is")
        .says("web4  nothing live")
        .says("what is done once isn't done again");
    // Each by itself, if that is wanted: the others are only asked.
    let ran = stage.production(&["--hosts", "web4", "--json", "deploy", "--only-outdated"], 0);
    assert_eq!(changed_by(&ran.stdout), ["web4".to_owned()].into());
    assert_eq!(stage.serving(), ["one", "two", "two", "two"]);
    let ran = stage.production(&["--json", "deploy", "--only-outdated"], 0);
    assert_eq!(changed_by(&ran.stdout), ["web1".to_owned()].into());
    assert_eq!(stage.serving(), ["two", "two", "two", "two"]);
    for host in ["web1", "web4"] {
        assert_ne!(
            stage.fleet.host(host).run("cat /tmp/once 2>/dev/null || true").lines().last(),
            Some("two")
        );
    }
    let ran = stage.production(&["status"], 0);
    assert!(!ran.stdout.contains("drift") && !ran.stdout.contains("the others"), "{}", ran.stdout);
    stage.production(&["deploy", "--only-outdated"], 0).says("no host lacks two (");
}

/// The hosts on which any step began.
fn changed_by(events: &str) -> BTreeSet<String> {
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event a line"));
    let steps = events.filter(step_starts("", ""));
    steps.map(|event| event["host"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_host_that_was_away_when_others_went_back_goes_back_later() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..FleetOptions::default() });
    configure(&stage, 3, "max_unreachable = 1");
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.fleet.host("web3").stop_sshd();
    stage.production(&["rollback"], 0).says("leaves out web3: can't be reached");
    stage.fleet.host("web3").start_sshd();
    assert_eq!(stage.serving(), ["one", "one", "two"]);
    stage.production(&["status"], 0).says("web3: serves two (").says(", the others one (");
    stage.production(&["deploy", "--only-outdated"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    // One that somebody tries first isn't what the others lack.
    stage.release("three");
    stage.production(&["--hosts", "web1", "deploy"], 0);
    let ran = stage.production(&["deploy", "--only-outdated"], 4);
    ran.says("their records don't say which of them is meant to be live").says("--allow-older");
}
