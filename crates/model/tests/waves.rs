//! What a run does between its waves: how long it waits there, whom it asks again, and what speaks against it.

mod common;

use buedafab_model::config::{SettingsByHost, parse};
use buedafab_model::names::EnvironmentName;
use buedafab_model::plan::action::ToldVisitors;
use buedafab_model::planner::{DeployRequest, SeenHost, plan_deploy, plan_deploy_together};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::{
    Seen, apps, bare, check, deploy, deploy_as, difference, fleet, request, rollback, run, second, seen,
    settings,
};

const HEALTH: &str = "service = \"systemd:five\"\nwaves = [1, 1]\n[health]\nhttp = \"http://localhost/\"";

/// A first deploy of two apps, one after the other, on two hosts.
fn of_two_apps(text: &str) -> String {
    let text = format!(
        "unit = \"five\"\n{text}\n[apps.api]\n[apps.web]\nafter = [\"api\"]\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n"
    );
    let (whole, apps) = (settings(&text), apps(&text));
    let facts = bare().0;
    let hosts = apps.iter().flat_map(|app| &app.settings.hosts);
    let seen: Vec<_> = hosts.map(|host| SeenHost { host, facts: &facts }).collect();
    let by_host = SettingsByHost { whole: &whole, apps: &apps };
    check(plan_deploy_together(by_host, &run(60), &seen, |_| request(3)))
}

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

/// That the deployer may take hosts out of traffic, they say no earlier than it may.
#[test]
fn the_next_wave_is_not_said_to_be_out_while_one_bakes() {
    let drained = |text: &str| {
        let drain = "drain = { command = \"out\", undo = \"in\", on = \"deployer\" }";
        deploy(&format!("{drain}\nwaves = [1]\n{text}"), &hosts(2), 3)
    };
    assert_snapshot!(difference(&drained(""), &drained("bake_seconds = 30")), @"
    undrain, wave 1 of 2
    + 
    + bake, wave 1 of 2
    +   on web1
    +     wait for 30 s
    +     wait for 30 s
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
    // The first app waits for the last.
    assert_snapshot!(of_two_apps("waves = [1]\nbake_seconds = 500"), @"
    hosts would wait 2000 s in all to bake, wave by wave, and go back by themselves after 1800 s without a confirmation
      hint: make waves larger, `bake_seconds` smaller, or `confirm_timeout_seconds` larger
    ");
    assert_snapshot!(refused("bake_seconds = 500\ndrain = \"file\"\ndrain_grace_seconds = 150"), @"
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

#[test]
fn each_wave_is_confirmed_by_itself_where_a_later_one_takes_none_back() {
    assert_snapshot!(besides("on_wave_failure = \"stop\"\nbake_seconds = 30"), @"
    deploy v3 (3333333333)
    +   note: each wave is confirmed by itself: when a later one fails, those before it keep the new release
    switch, wave 1 of 3
    + bake, wave 1 of 3
    +   on web1
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    + 
    + confirm, wave 1 of 3
    +   on web1
    +     mark a as live
    +     keep b for a rollback to v2 (2222222222)
    +     note which hosts there are
    +     note in the journal: deployed
    + 
    switch, wave 2 of 3
    + bake, wave 2 of 3
    +   on web2
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    + 
    + confirm, wave 2 of 3
    +   on web2
    +     mark a as live
    +     keep b for a rollback to v2 (2222222222)
    +     note which hosts there are
    +     note in the journal: deployed
    + 
    switch, wave 3 of 3
    + bake, wave 3 of 3
    +   on web3
    +     verify that systemd:five stays up for 30 s
    +     ask whether the app is well: / at localhost:80
    + 
    finish
    -   on web1, web2, web3
    +   on web3
    ");
    // In one wave there is nothing that could stay.
    let alone = |text: &str| deploy(text, &hosts(2), 3);
    assert_eq!(alone("on_wave_failure = \"stop\""), alone(""));
    let shell = |text: &str| {
        let settings = fleet(&format!("waves = [1]\n{text}"), 2);
        let hosts = hosts(2);
        let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts)).expect("a plan");
        let words = ["confirm", "finish", "  on ", "    confirm:", "    leave:"];
        let is_told = |line: &&str| words.iter().any(|word| line.starts_with(word));
        let shown = show_plan(&plan, Detail::Shell);
        let last = shown.find("\nconfirm").unwrap_or_default();
        shown[last..].lines().filter(is_told).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_snapshot!(shell("on_wave_failure = \"stop\""), @"
    confirm, wave 1 of 2
      on web1
        confirm: from here on the host doesn't go back
      on web2
    finish
      on web1
        leave: the runner ends, and the lock with it
      on web2
        confirm: from here on the host doesn't go back
        leave: the runner ends, and the lock with it
      on web1, web2
    ");
    // Each has all the time for itself.
    let stops = |back: u32| {
        let text = format!(
            "confirm_timeout_seconds = 1000\nwaves = [1, 1]\nbake_seconds = 890\ndrain = \"file\"\ndrain_grace_seconds = 800\n\
             undrain_grace_seconds = {back}\non_wave_failure = \"stop\""
        );
        deploy(&text, &hosts(3), 3)
    };
    assert!(stops(100).contains("confirm, wave 2 of 3"));
    assert_snapshot!(stops(110), @"
    hosts would wait 1000 s in all, 110 s for their traffic and 890 s to bake, wave by wave, and go back by themselves after 1000 s without a confirmation
      hint: make waves larger, `drain_grace_seconds` or `bake_seconds` smaller, or `confirm_timeout_seconds` larger
    ");
}

#[test]
fn what_is_confirmed_together_can_not_stop_half_way() {
    let told =
        ToldVisitors { by: "ada@laptop".to_owned(), message: None, until: None, page: "soon".to_owned() };
    let stops = "waves = [1]\non_wave_failure = \"stop\"";
    let request = DeployRequest { told: Some(told), ..request(3) };
    assert_snapshot!(deploy_as(stops, &hosts(2), &request), @r#"
    `on_wave_failure = "stop"` can't be kept: with `--maintenance` visitors are let in when all hosts have switched, and all are confirmed together
      hint: deploy without it, or between `maintenance on` and `maintenance off`
    "#);
    assert_snapshot!(of_two_apps(stops), @r#"
    `on_wave_failure = "stop"` can't be kept: several apps are one release, and all are confirmed together
      hint: leave the line out, or write `on_wave_failure = "revert"`
    "#);
}
