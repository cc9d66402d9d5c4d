//! Hosts that are taken out of traffic while they change: what the plan of it is, and what speaks against it.

mod common;

use std::collections::BTreeMap;

use buedafab_model::app::traffic::{DrainCommand, DrainMethod, DrainOn};
use buedafab_model::config::parse;
use buedafab_model::host::bad_record::BadRecord;
use buedafab_model::host::balancer::{BalancerGroup, Membership};
use buedafab_model::host::record::DrainRecord;
use buedafab_model::names::{EnvironmentName, HostName, RunId};
use buedafab_model::plan::action::{HostWay, Surroundings, TrafficAction};
use buedafab_model::planner::{plan_drain, plan_forget_drain, plan_undrain};
use buedafab_model::shell::inspect::Scope;
use insta::assert_snapshot;
use jiff::Timestamp;

use common::shells::{ODD, Place, everywhere, list};
use common::{Seen, check, deploy, difference, fleet, live, rollback, run, second, seen};

/// Out of traffic, by a person or by a run.
fn out(is_by_hand: bool) -> Seen {
    out_by(is_by_hand, None)
}

/// The same, as far as it was written down how.
fn out_by(is_by_hand: bool, method: Option<DrainMethod>) -> Seen {
    let record = DrainRecord {
        at: Timestamp::UNIX_EPOCH,
        by: "bob@desk".to_owned(),
        run: RunId::new("r5").expect("a word"),
        is_by_hand,
        method,
        memberships: vec![target("web2", 8000)],
    };
    second().change(|facts| facts.drained = Some(record))
}

/// By commands of the deployer's.
fn by_command(command: &str, undo: &str) -> DrainMethod {
    let (command, undo) = (command.to_owned(), undo.to_owned());
    DrainMethod::Command(DrainCommand { command, undo, on: DrainOn::Deployer })
}

/// Out of traffic, as a note says that nobody can read.
fn unreadable() -> Seen {
    let path = "/var/webapps/five/.buedafab/drained".to_owned();
    second().change(|facts| facts.bad_records = vec![BadRecord::garbled(path, "half a no")])
}

fn target(id: &str, port: u16) -> Membership {
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/five/73e2d6bc24d8a067".to_owned();
    let group = BalancerGroup::TargetGroup { name: "five".to_owned(), arn, of_connections: false };
    Membership { group, id: format!("i-{id}"), port: Some(port), zone: None, delay_seconds: 0 }
}

fn balanced(id: &str) -> Seen {
    second().change(|facts| facts.memberships = vec![target(id, 8000), target(id, 8001)])
}

/// What is done about traffic, phase by phase, or said of it.
fn about_traffic(plan: &str) -> String {
    let mut shown = String::new();
    let mut keeps = false;
    for line in plan.lines() {
        if !line.starts_with(' ') {
            keeps = ["announce", "drain", "undrain"].iter().any(|phase| line.starts_with(phase));
        }
        let is_about_it = line.contains("traffic") || line.contains("undrain");
        if (keeps && !line.is_empty()) || is_about_it {
            shown += &format!("{line}\n");
        }
    }
    shown
}

#[test]
fn a_host_is_out_of_traffic_while_it_changes() {
    let without = deploy("", &[second(), second()], 3);
    assert_snapshot!(difference(&without, &deploy("drain = \"file\"", &[second(), second()], 3)), @"
    deploy v3 (3333333333)
    +   note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    prepare
    - switch
    -   on web1, web2
    + drain, wave 1 of 2
    +   on web1
    +     take it out of traffic, and wait 30 s
    +     if it fails: put it back into traffic
    + 
    + switch, wave 1 of 2
    +   on web1
    +     switch the link to a
    +     restart init:five
    +     if it fails: switch the link to b
    +     if it fails: restart init:five
    +     if it fails: put it back into traffic
    +     if it fails: mark a as failed
    +     if it fails: note in the journal: reverted
    + 
    + undrain, wave 1 of 2
    +   on web1
    +     put it back into traffic, and wait 10 s
    + 
    + drain, wave 2 of 2
    +   on web2
    +     take it out of traffic, and wait 30 s
    +     if it fails: put it back into traffic
    + 
    + switch, wave 2 of 2
    +   on web2
    +     if it fails: put it back into traffic
    + undrain, wave 2 of 2
    +   on web2
    +     put it back into traffic
    +
    ");
}

#[test]
fn each_way_out_has_its_way_back() {
    let two = [balanced("web1"), balanced("web2")];
    let by = |text: &str| about_traffic(&deploy(text, &two, 3));
    assert_snapshot!(by("drain = { command = \"out\", undo = \"in\" }\nundrain_grace_seconds = 3"), @"
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    drain, wave 1 of 2
      on web1
        take it out of traffic: out, and wait 10 s
        if it fails: put it back into traffic: in
        if it fails: put it back into traffic: in
    undrain, wave 1 of 2
      on web1
        put it back into traffic: in, and wait 3 s
    drain, wave 2 of 2
      on web2
        take it out of traffic: out, and wait 10 s
        if it fails: put it back into traffic: in
        if it fails: put it back into traffic: in
    undrain, wave 2 of 2
      on web2
        put it back into traffic: in
    ");
    assert_snapshot!(by("drain = { command = \"out\", undo = \"in\", on = \"deployer\" }"), @"
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    announce
      on web1
        note that it is taken out of traffic
    drain, wave 1 of 2
      on this machine
        take web1 out of traffic, and wait 10 s
        if it fails: put web1 back into traffic
    undrain, wave 1 of 2
      on this machine
        put web1 back into traffic
      on web1
        note that it is back in traffic, and wait 10 s
      on web2
        note that it is taken out of traffic
    drain, wave 2 of 2
      on this machine
        take web2 out of traffic, and wait 10 s
        if it fails: put web2 back into traffic
    undrain, wave 2 of 2
      on this machine
        put web2 back into traffic
      on web2
        note that it is back in traffic
    ");
    assert_snapshot!(by("drain = \"load_balancer\"\ndrain_grace_seconds = 5"), @"
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    announce
      on web1
        note that it is taken out of traffic
    drain, wave 1 of 2
      on this machine
        take web1 out of traffic: target group five, and wait 5 s
        if it fails: put web1 back into traffic: target group five
    undrain, wave 1 of 2
      on this machine
        put web1 back into traffic: target group five
      on web1
        note that it is back in traffic
      on web2
        note that it is taken out of traffic
    drain, wave 2 of 2
      on this machine
        take web2 out of traffic: target group five, and wait 5 s
        if it fails: put web2 back into traffic: target group five
    undrain, wave 2 of 2
      on this machine
        put web2 back into traffic: target group five
      on web2
        note that it is back in traffic
    ");
}

#[test]
fn enough_hosts_stay() {
    let by = |text: &str, hosts: &[Seen]| about_traffic(&deploy(text, hosts, 3));
    let three = [second(), second(), second()];
    assert_snapshot!(by("drain = \"file\"\nmin_in_service = 1", &three), @"
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    drain, wave 1 of 2
      on web1, web2
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web1, web2
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web3
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web3
        put it back into traffic
    ");
    assert_snapshot!(by("drain = \"file\"\nmin_in_service = 3", &three), @"too few hosts would stay in traffic: 3 of 3 have to, as `min_in_service` says");
    // The first hosts would give up before the last are through.
    assert_snapshot!(by("drain = \"file\"\ndrain_grace_seconds = 700\nwaves = [1, 1]\nundrain_grace_seconds = 200", &three), @"hosts would wait 1800 s in all for their traffic, wave by wave, and go back by themselves after 1800 s without a confirmation");
    // The only one.
    assert_snapshot!(by("drain = \"file\"", &[second()]), @"  note: web1: it isn't taken out of traffic: there is no other host that visitors could be sent to");
    // What a person has taken out stays so, and is no host that visitors could be sent to.
    assert_snapshot!(by("drain = \"file\"", &[second(), out(true)]), @"
    too few hosts would stay in traffic: 1 of 2 have to, as `min_in_service` says, and web2 is out already
      hint: put one back first: undrain web2
    ");
    assert_snapshot!(by("drain = \"file\"", &[second(), second(), out(true)]), @"
      note: web3: out of traffic, says bob@desk: `undrain` puts it back
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    drain, wave 1 of 2
      on web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web1
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web2
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web2
        put it back into traffic
    ");
    // What a run has left out is put back by the next.
    assert_snapshot!(by("drain = \"file\"", &[second(), second(), out(false)]), @"
      note: web3: it may be out of traffic: the run r5 of bob@desk took it out, and ended before it put it back; `undrain` puts it back
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    drain, wave 1 of 2
      on web3, web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web3, web1
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web2
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web2
        put it back into traffic
    ");
    // A flag that a person has put there is theirs.
    let flagged = || second().change(|facts| facts.has_drain_flag = true);
    assert_snapshot!(by("drain = \"file\"\nwaves = [1]", &[second(), second(), flagged()]), @"
      note: web3: it may be out of traffic: shared/drained is there, and no run has made it; `undrain` takes it away
    drain, wave 1 of 2
      on web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web1
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web2
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web2
        put it back into traffic
    ");
    assert_snapshot!(by("drain = \"file\"", &[second(), flagged()]), @"
    too few hosts would stay in traffic: 1 of 2 have to, as `min_in_service` says, and web2 is out already
      hint: put one back first: undrain web2
    ");
    // But not in another way than it was left out.
    let otherwise = out_by(false, Some(DrainMethod::LoadBalancer));
    assert_snapshot!(by("drain = \"file\"", &[second(), second(), otherwise]), @"
    web3: it was taken out of traffic in another way than `drain` says now
      hint: put it back first, in the way it was taken out: undrain web3
    ");
    // The only one is put back, too; nobody is left in traffic by its being out.
    assert_snapshot!(by("drain = \"file\"", &[out(false)]), @"
      note: web1: it may be out of traffic: the run r5 of bob@desk took it out, and ended before it put it back; `undrain` puts it back
    drain
      on web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain
      on web1
        put it back into traffic
    ");
    // Nobody comes by a host that serves nothing yet, and workers have no visitors.
    assert_snapshot!(by("drain = \"file\"", &[second(), common::bare(), live()]), @"
      note: hosts change in 2 waves rather than 1, so that 1 stays in traffic: `min_in_service`
    drain, wave 1 of 2
      on web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web1
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web3
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web3
        put it back into traffic
    ");
    assert_snapshot!(by("drain = \"file\"\ndrain_roles = [\"api\"]", &three), @"");
    assert_snapshot!(about_traffic(&rollback("drain = \"file\"\nwaves = [1]", &three)), @"
    drain, wave 1 of 2
      on web1
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 1 of 2
      on web1
        put it back into traffic, and wait 10 s
    drain, wave 2 of 2
      on web2, web3
        take it out of traffic, and wait 30 s
        if it fails: put it back into traffic
        if it fails: put it back into traffic
    undrain, wave 2 of 2
      on web2, web3
        put it back into traffic
    ");
}

#[test]
fn by_hand() {
    let settings = |text: &str| fleet(text, 2);
    let drain = |text: &str, wanted: &[&str], hosts: &[Seen]| {
        let settings = settings(text);
        let wanted: Vec<HostName> = wanted.iter().map(|name| HostName::new(*name).expect("a name")).collect();
        check(plan_drain(&settings, &run(60), &wanted, &seen(&settings, hosts)))
    };
    let undrain = |text: &str, hosts: &[Seen]| {
        let settings = settings(text);
        check(plan_undrain(&settings, &run(60), &seen(&settings, hosts)))
    };
    assert_snapshot!(drain("drain = \"file\"", &["web1"], &[second(), second()]), @"
    take web1 out of traffic

    work
      on web1
        take the lock
        check that nothing changed since the look
        take it out of traffic, and wait 30 s
        note in the journal: taken out of traffic
    ");
    assert_snapshot!(drain("drain = \"load_balancer\"", &["web1"], &[balanced("web1"), balanced("web2")]), @"
    take web1 out of traffic

    work
      on web1
        take the lock
        check that nothing changed since the look
        note that it is taken out of traffic

    work
      on this machine
        take web1 out of traffic: target group five, and wait 10 s
        if it fails: put web1 back into traffic: target group five
      on web1
        note in the journal: taken out of traffic
    ");
    assert_snapshot!(drain("drain = \"file\"", &["web1", "web2"], &[second(), second()]), @"
    too few hosts would stay in traffic: 1 of 2 have to, as `min_in_service` says
      hint: add hosts; or leave some of these in traffic
    ");
    assert_snapshot!(drain("drain = \"file\"", &["web1", "web2"], &[second(), out(true)]), @"
    too few hosts would stay in traffic: 1 of 2 have to, as `min_in_service` says, and web2 is out already
      hint: put one back first: undrain web2
    ");
    // One that can't be reached serves nobody.
    assert_snapshot!(drain("drain = \"file\"", &["web1"], &[second()]), @"
    too few hosts would stay in traffic: 1 of 2 have to, as `min_in_service` says, and web2 is not known to be in it
      hint: `check` says what keeps them from it
    ");
    assert_snapshot!(drain("", &["web1"], &[second()]), @r#"
    nothing says how a host is taken out of traffic
      hint: set `drain` in buedafab.toml, say `drain = "file"`
    "#);
    assert_snapshot!(undrain("drain = \"load_balancer\"", &[second(), out(true)]), @"
    put web2 back into traffic
      note: web1: nobody has taken it out of traffic

    work
      on web2
        take the lock
        check that nothing changed since the look

    work
      on this machine
        put web2 back into traffic: target group five
      on web2
        note that it is back in traffic
        note in the journal: back in traffic
    ");
    // Each in the way in which it was taken out, whatever the settings say by now.
    let ways =
        [out_by(true, Some(DrainMethod::LoadBalancer)), out_by(false, Some(DrainMethod::File)), out(false)];
    let three = fleet("drain = { command = \"out\", undo = \"in\", on = \"deployer\" }", 3);
    assert_snapshot!(check(plan_undrain(&three, &run(60), &seen(&three, &ways))), @"
    put web1, web2, web3 back into traffic

    work
      on web1, web2, web3
        take the lock
        check that nothing changed since the look

    work
      on this machine
        put web1 back into traffic: target group five
        put web3 back into traffic
      on web1, web3
        note that it is back in traffic
        note in the journal: back in traffic
      on web2
        put it back into traffic
        note in the journal: back in traffic
    ");
    assert_snapshot!(undrain("", &[second(), out_by(true, Some(DrainMethod::File))]), @"
    put web2 back into traffic
      note: web1: nobody has taken it out of traffic

    work
      on web2
        take the lock
        check that nothing changed since the look
        put it back into traffic
        note in the journal: back in traffic
    ");
    assert_snapshot!(undrain("", &[second(), out(true)]), @r#"
    nothing says how a host is taken out of traffic
      hint: set `drain` in buedafab.toml, say `drain = "file"`
    "#);
    assert_snapshot!(undrain("drain = \"load_balancer\"", &[second(), unreadable()]), @"
    web2: what is written about how it was taken out of traffic can't be read
      hint: put it back at its load balancer yourself, and then: undrain web2 --forget
    ");
    assert_snapshot!(undrain("drain = \"file\"", &[second(), unreadable()]), @"
    web2: what is written about how it was taken out of traffic can't be read
      hint: put it back at its load balancer yourself, and then: undrain web2 --forget
    ");
    let flagged = second().change(|facts| facts.has_drain_flag = true);
    assert_snapshot!(undrain("", &[second(), flagged]), @"
    put web2 back into traffic
      note: web1: nobody has taken it out of traffic

    work
      on web2
        take the lock
        check that nothing changed since the look
        put it back into traffic
        note in the journal: back in traffic
    ");
    // What puts a host back may have been mended; or a person did it.
    let (wrong, right) =
        (by_command("out", "im"), "drain = { command = \"out\", undo = \"in\", on = \"deployer\" }");
    let plan = check(plan_undrain(
        &settings(right),
        &run(60),
        &seen(&settings(right), &[second(), out_by(true, Some(wrong))]),
    ));
    assert!(plan.contains("put web2 back into traffic"), "{plan}");
    let other = Some(by_command("else", "back"));
    assert_snapshot!(deploy(right, &[second(), out_by(false, other.clone())], 3), @"
    web2: it was taken out of traffic in another way than `drain` says now
      hint: put it back first, in the way it was taken out: undrain web2
    ");
    assert_snapshot!(deploy("", &[second(), out_by(false, other)], 3), @"
    web2: it was taken out of traffic in another way than `drain` says now
      hint: put it back first, in the way it was taken out: undrain web2
    ");
    let both = settings("");
    let forget = plan_forget_drain(&both, &run(60), &seen(&both, &[second(), unreadable()]));
    assert_snapshot!(check(Ok(forget)), @"
    forget that web2 is out of traffic
      note: web1: nobody has taken it out of traffic

    work
      on web2
        take the lock
        check that nothing changed since the look
        note that it is back in traffic
        note in the journal: back in traffic
    ");
    // A drain that was cut short is done again, in the same way.
    assert_snapshot!(drain("drain = \"file\"", &["web2"], &[second(), out_by(true, Some(DrainMethod::File))]), @"
    take web2 out of traffic
      note: web2: out of traffic already, says bob@desk since 1970-01-01T00:00:00Z: it is taken out again

    work
      on web2
        take the lock
        check that nothing changed since the look
        take it out of traffic, and wait 30 s
        note in the journal: taken out of traffic
    ");
    assert_snapshot!(drain("drain = \"load_balancer\"", &["web2"], &[second(), out_by(false, Some(DrainMethod::File))]), @"
    web2: it was taken out of traffic in another way than `drain` says now
      hint: put it back first, in the way it was taken out: undrain web2
    ");
    assert_snapshot!(undrain("drain = \"file\"", &[second(), second()]), @"
    put nobody back into traffic
      note: web1, web2: nobody has taken it out of traffic
    ");
}

#[test]
fn what_is_typed_wrong() {
    let wrong = |text: &str| {
        let production = EnvironmentName::new("production").expect("a word");
        let text = format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [\"web1\"]\n");
        match parse("buedafab.toml", &text).and_then(|file| file.settings(&production)) {
            Ok(_) => "all is well".to_owned(),
            Err(mistakes) => mistakes.to_string(),
        }
    };
    let all = [
        "drain = \"fil\"",
        "drain = { command = \"out\" }",
        "drain = { command = \"out\", undo = \" \" }",
        "drain = { command = \"out\", undo = \"in\", on = \"hosts\" }",
        "drain = true",
        "drain_grace_seconds = -1",
        "drain = \"file\"\ndrain_grace_seconds = 900",
        "min_in_service = 0",
        "drain_roles = []",
    ];
    assert_snapshot!(all.map(wrong).join("\n"), @r#"
    error: `fil` is no way to take a host out of traffic
     --> buedafab.toml:2:9
      |
    2 | drain = "fil"
      |         ^^^^^
      |
      = help: did you mean `file`?
    error: `drain` needs `undo`
     --> buedafab.toml:2:9
      |
    2 | drain = { command = "out" }
      |         ^^^^^^^^^^^^^^^^^^^
    error: one of the commands is empty
     --> buedafab.toml:2:9
      |
    2 | drain = { command = "out", undo = " " }
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write one that takes a host out of traffic, and one that puts it
              back
    error: `on` can't be `hosts`
     --> buedafab.toml:2:46
      |
    2 | drain = { command = "out", undo = "in", on = "hosts" }
      |                                              ^^^^^^^
      |
      = help: did you mean `host`?
    error: `drain` takes a string, or a table with `command` and `undo`, not a
           boolean
     --> buedafab.toml:2:9
      |
    2 | drain = true
      |         ^^^^
    error: -1 is too small
     --> buedafab.toml:2:23
      |
    2 | drain_grace_seconds = -1
      |                       ^^
      |
      = help: the smallest is 0
    error: a step that takes 900 s is ended
     --> buedafab.toml:3:23
      |
    3 | drain_grace_seconds = 900
      |                       ^^^
      |
      = help: make it smaller, or `step_timeout_seconds` larger
    error: 0 is too small
     --> buedafab.toml:2:18
      |
    2 | min_in_service = 0
      |                  ^
      |
      = help: the smallest is 1
    all is well
    "#);
}

/// In real shells: what it leaves on the host, and what a look makes of it.
#[test]
fn a_host_takes_itself_out_and_back() {
    let around = |place: &Place| Surroundings {
        directory: place.layout.path.clone(),
        variables: BTreeMap::from([("BUEDAFAB_HOST".to_owned(), ODD.to_owned())]),
        virtualenv: None,
        run_as: None,
    };
    let command = |place: &Place, command: &str| HostWay::Command {
        command: command.to_owned(),
        around: Box::new(around(place)),
    };
    let drain = |way: HostWay, is_by_hand: bool| TrafficAction::Drain {
        way,
        method: DrainMethod::File,
        by: "ada@laptop".to_owned(),
        is_by_hand,
        memberships: vec![target("web1", 80)],
        grace_seconds: 0,
    };
    let undrain = |way: HostWay| TrafficAction::Undrain { way, grace_seconds: 0 };
    let found = everywhere(|shell, place| {
        let mut found = String::new();
        let mut act = |what: &str, action: TrafficAction| {
            let done = place.act(shell, &action);
            // Each says it in its own words.
            let done = match &done {
                done if done.contains("directory") => "1: a directory",
                done if done.to_lowercase().contains("syntax") => "no shell",
                done => done,
            };
            let shared = place.layout.shared();
            let shared = std::path::Path::new(shared.as_str());
            let shared = if shared.exists() { list(shared) } else { "-".to_owned() };
            let facts = place.look(shell, Scope::Plan);
            let seen = facts.drained.map(|record| {
                let hand = if record.is_by_hand { ", by hand" } else { "" };
                format!("{} in {}{hand}, {} places", record.by, record.run, record.memberships.len())
            });
            found += &format!(
                "{what}: {done}; shared: {shared}; seen: {}\n",
                seen.as_deref().unwrap_or("in traffic")
            );
        };
        act("out", drain(HostWay::File, false));
        act("out again", drain(HostWay::File, true));
        act("back", undrain(HostWay::File));
        act("back again", undrain(HostWay::File));
        place.by_hand("ln -s /etc/hostname five/shared/drained");
        act("where somebody's link is", drain(HostWay::File, false));
        place.by_hand("rm five/shared/drained; mkdir -p five/shared/drained/kept");
        act("where somebody's folder is", drain(HostWay::File, false));
        act("and back", undrain(HostWay::File));
        place.by_hand("rm -r five/shared/drained");
        act("by a command", drain(command(place, "printf %s \"$BUEDAFAB_HOST\" >said; pwd"), false));
        assert_eq!(
            std::fs::read_to_string(place.layout.path.join("said").as_str()).ok().as_deref(),
            Some(ODD)
        );
        act("back by one that fails", undrain(command(place, "exit 3")));
        act("back by one", undrain(command(place, "echo back")));
        act("by one that fails", drain(command(place, "echo no >&2; exit 3"), false));
        act("by one that is no shell", drain(command(place, "echo ("), false));
        act("back by one that is none", undrain(command(place, "if then")));
        place.by_hand("touch five/shared/drained");
        assert!(place.look(shell, Scope::Plan).has_drain_flag);
        act("by the deployer", drain(HostWay::ByDeployer, true));
        act("back by it", undrain(HostWay::ByDeployer));
        found
    });
    assert_snapshot!(found, @"
    out: 0; shared: drained; seen: ada@laptop in r1, 1 places
    out again: 0; shared: drained; seen: ada@laptop in r1, by hand, 1 places
    back: 0; shared: ; seen: in traffic
    back again: 0; shared: ; seen: in traffic
    where somebody's link is: 0; shared: drained; seen: ada@laptop in r1, 1 places
    where somebody's folder is: 1: a directory; shared: drained/; seen: ada@laptop in r1, 1 places
    and back: 0; shared: drained/; seen: in traffic
    by a command: 0: ROOT/five; shared: ; seen: ada@laptop in r1, 1 places
    back by one that fails: 3; shared: ; seen: ada@laptop in r1, 1 places
    back by one: 0: back; shared: ; seen: in traffic
    by one that fails: 3: no; shared: ; seen: ada@laptop in r1, 1 places
    by one that is no shell: no shell; shared: ; seen: ada@laptop in r1, 1 places
    back by one that is none: no shell; shared: ; seen: ada@laptop in r1, 1 places
    by the deployer: 0; shared: drained; seen: ada@laptop in r1, by hand, 1 places
    back by it: 0; shared: drained; seen: in traffic
    ");
}
