//! Hosts that can't be reached and are left out, and how they are brought level with the others later.

use std::collections::BTreeMap;

use buedafab_model::config::{AppInEnvironment, SettingsByHost, parse};
use buedafab_model::host::level::{FleetLevel, MissedRun, Outdated, WhyOutdated, missed_last};
use buedafab_model::host::record::{JournalKind, JournalRecord};
use buedafab_model::names::{EnvironmentName, HostName, RunId};
use buedafab_model::plan::SkippedHost;
use buedafab_model::planner::{RunContext, UnreachableHost, plan_deploy_together, without_unreachable};
use buedafab_model::run::outcome::verdict_of;
use buedafab_model::view::{HostStatus, compare_hosts, show_status};

use super::*;

fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

/// A run whose name tells its minute, as the names of all runs do.
fn dated(minute: u8) -> RunId {
    RunId::new(format!("20261105-00{minute:02}00-abcd")).expect("a word")
}

/// A line of a journal: what run did what with which release, and whom it left out.
fn line(minute: u8, kind: JournalKind, number: u8, skipped: &[&str]) -> JournalRecord {
    JournalRecord {
        at: run(minute.into()).at,
        kind,
        run: dated(minute),
        by: "ada@laptop".to_owned(),
        release: Some(release(number)),
        from: None,
        skipped: skipped.iter().map(|host| name(host)).collect(),
        reason: None,
        stopped: None,
    }
}

/// A host that has been through this, and serves what the last line says.
fn after(lines: &[JournalRecord]) -> Seen {
    let Some(last) = lines.last() else { return bare() };
    let number = last.release.as_ref().and_then(|release| release.commit.as_str()[..1].parse().ok());
    bare().slot("a", SlotState::Live, number.expect("it is one of ours")).link("a").change(|facts| {
        facts.journal = lines.to_vec();
        let slot = facts.slots.values_mut().next().expect("there is one");
        slot.record.as_mut().expect("it has one").run = last.run.clone();
    })
}

fn deployed(minute: u8, number: u8, skipped: &[&str]) -> JournalRecord {
    line(minute, JournalKind::Deployed, number, skipped)
}

fn rolled_back(minute: u8, number: u8, skipped: &[&str]) -> JournalRecord {
    line(minute, JournalKind::RolledBack, number, skipped)
}

fn level_of(hosts: &[Seen]) -> FleetLevel {
    let names: Vec<HostName> = (1..=hosts.len()).map(|number| name(&format!("web{number}"))).collect();
    let seen: Vec<(&HostName, &HostFacts)> = names.iter().zip(hosts.iter().map(|seen| &seen.0)).collect();
    FleetLevel::of(&seen)
}

fn in_words(level: &FleetLevel) -> String {
    match level {
        FleetLevel::Nothing => "nothing is live".to_owned(),
        FleetLevel::Unclear { releases } => Refusal::unclear_level(releases).to_string(),
        FleetLevel::Clear { live, outdated } => {
            let told = |Outdated { host, why, .. }: &Outdated| match why {
                WhyOutdated::Missed(MissedRun { run, .. }) => format!("{host} missed {run}"),
                why => format!("{host} {why:?}"),
            };
            let outdated: Vec<String> = outdated.iter().map(told).collect();
            format!("{} is live; outdated: {}", live.describe, outdated.join(", "))
        }
    }
}

/// What is live is decided by the records of the hosts: never by one that was away and serves what it served then.
#[test]
fn what_is_live_where_hosts_differ() {
    let (first, second) = (deployed(1, 1, &[]), deployed(2, 2, &[]));
    let skipping = deployed(2, 2, &["web3"]);
    let with_it = after(&[first.clone(), skipping.clone()]);
    let old = after(std::slice::from_ref(&first));
    let within_a_second = |line: JournalRecord| {
        let run = RunId::new(line.run.as_str().replace("abcd", "aaaa")).expect("a word");
        JournalRecord { run, ..line }
    };
    let fleets: [(&str, Vec<Seen>); 16] = [
        ("nobody has anything", vec![bare(), bare()]),
        ("all serve the same", vec![old.clone(), old.clone()]),
        ("one was away", vec![with_it.clone(), with_it.clone(), old.clone()]),
        (
            "one of two was away, and comes first",
            vec![old.clone(), after(&[first.clone(), deployed(2, 2, &["web1"])])],
        ),
        (
            "two of three were away",
            vec![after(&[first.clone(), deployed(2, 2, &["web2", "web3"])]), old.clone(), old.clone()],
        ),
        (
            "one was away when others were rolled back",
            vec![
                after(&[first.clone(), second.clone(), rolled_back(3, 1, &["web2"])]),
                after(&[first.clone(), second.clone()]),
            ],
        ),
        // The names of two runs of one second don't tell which came first.
        (
            "the same within a second",
            vec![
                after(&[first.clone(), second.clone(), within_a_second(rolled_back(2, 1, &["web2"]))]),
                after(&[first.clone(), second.clone()]),
            ],
        ),
        ("one joined", vec![with_it.clone(), with_it.clone(), bare()]),
        (
            "some were changed by --hosts",
            vec![
                after(&[first.clone(), second.clone()]),
                after(&[first.clone(), second.clone()]),
                old.clone(),
            ],
        ),
        (
            "a canary is ahead of the rest",
            vec![
                after(&[first.clone(), second.clone(), deployed(3, 3, &[])]),
                after(&[first.clone(), second.clone()]),
                after(&[first.clone(), second.clone()]),
            ],
        ),
        (
            "one was away, and then became a canary",
            vec![with_it.clone(), with_it.clone(), after(&[first.clone(), deployed(3, 3, &[])])],
        ),
        (
            "each was away once",
            vec![
                after(&[first.clone(), deployed(2, 2, &["web2"])]),
                after(&[first.clone(), deployed(3, 3, &["web1"])]),
            ],
        ),
        (
            "one was set up from an old image",
            vec![
                after(&[first.clone(), second.clone()]),
                after(&[first.clone(), second.clone()]),
                after(&[deployed(1, 9, &[])]),
            ],
        ),
        ("one of two was", vec![after(&[first.clone(), second.clone()]), after(&[deployed(1, 9, &[])])]),
        (
            "rolled back on one of two by --hosts",
            vec![
                after(&[first.clone(), second.clone(), rolled_back(3, 1, &[])]),
                after(&[first.clone(), second.clone()]),
            ],
        ),
        (
            "what one serves was never confirmed",
            vec![with_it.clone(), with_it.clone(), bare().slot("b", SlotState::Ready, 3).link("b")],
        ),
    ];
    let told = fleets.iter().map(|(what, hosts)| format!("{what}: {}", in_words(&level_of(hosts))));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
    nobody has anything: nothing is live
    all serve the same: v1 is live; outdated: 
    one was away: v2 is live; outdated: web3 missed 20261105-000200-abcd
    one of two was away, and comes first: v2 is live; outdated: web1 missed 20261105-000200-abcd
    two of three were away: v2 is live; outdated: web2 missed 20261105-000200-abcd, web3 missed 20261105-000200-abcd
    one was away when others were rolled back: v1 is live; outdated: web2 missed 20261105-000300-abcd
    the same within a second: v1 is live; outdated: web2 missed 20261105-000200-aaaa
    one joined: v2 is live; outdated: web3 Joined
    some were changed by --hosts: v2 is live; outdated: web3 ServedBefore
    a canary is ahead of the rest: the hosts serve different releases, and their records don't say which of them is meant to be live: v3 (3333333333) on web1; v2 (2222222222) on web2, web3
    one was away, and then became a canary: the hosts serve different releases, and their records don't say which of them is meant to be live: v2 (2222222222) on web1, web2; v3 (3333333333) on web3
    each was away once: v3 is live; outdated: web1 missed 20261105-000300-abcd
    one was set up from an old image: v2 is live; outdated: web3 Fewer
    one of two was: the hosts serve different releases, and their records don't say which of them is meant to be live: v2 (2222222222) on web1; v9 (9999999999) on web2
    rolled back on one of two by --hosts: the hosts serve different releases, and their records don't say which of them is meant to be live: v1 (1111111111) on web1; v2 (2222222222) on web2
    what one serves was never confirmed: v2 is live; outdated: web3 Unconfirmed
    ");
}

fn away(hosts: &[&str]) -> Vec<UnreachableHost> {
    let away =
        |host: &&str| UnreachableHost { host: name(host), why: "no route to host".to_owned(), hint: None };
    hosts.iter().map(away).collect()
}

/// What is left out, or why nothing is.
#[test]
fn who_is_left_out() {
    let decide = |text: &str, hosts: usize, unreachable: &[&str], can_skip: bool| {
        let settings = fleet(text, hosts);
        let decided = without_unreachable(&settings, &settings.hosts, &[], &away(unreachable), can_skip);
        let told = match decided {
            Ok(skipped) => skipped.iter().map(SkippedHost::in_words).collect::<Vec<_>>().join("; "),
            Err(refusals) => {
                let told: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                format!("exit {}: {}", verdict_of(&refusals).exit_code(), told.join("; "))
            }
        };
        format!("{text}, {} of {hosts}: {told}", unreachable.len())
    };
    let skip = "unreachable = \"skip\"";
    let most = |most: &str| format!("{skip}\nmax_unreachable = {most}");
    let told = [
        decide(skip, 3, &[], true),
        decide("", 3, &["web3"], true),
        decide(skip, 3, &["web3"], false),
        decide(skip, 3, &["web3"], true),
        decide(skip, 2, &["web1"], true),
        decide(skip, 3, &["web2", "web3"], true),
        decide(skip, 1, &["web1"], true),
        decide(&most("1"), 9, &["web2", "web3"], true),
        decide(&most("2"), 9, &["web2", "web3"], true),
        decide(&most("\"25%\""), 8, &["web2", "web3"], true),
        decide(&most("\"25%\""), 7, &["web2", "web3"], true),
        decide(&most("\"100%\""), 2, &["web1", "web2"], true),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    unreachable = "skip", 0 of 3: 
    , 1 of 3: exit 6: web3: can't be reached: no route to host
    unreachable = "skip", 1 of 3: exit 6: web3: can't be reached: no route to host
    unreachable = "skip", 1 of 3: web3: can't be reached: no route to host
    unreachable = "skip", 1 of 2: web1: can't be reached: no route to host
    unreachable = "skip", 2 of 3: exit 6: web2: can't be reached: no route to host; web3: can't be reached: no route to host; 2 of 3 hosts can't be reached (web2, web3), and no more than 50% may be left out
    unreachable = "skip", 1 of 1: exit 6: web1: can't be reached: no route to host; 1 of 1 hosts can't be reached (web1), and no more than 50% may be left out
    unreachable = "skip"
    max_unreachable = 1, 2 of 9: exit 6: web2: can't be reached: no route to host; web3: can't be reached: no route to host; 2 of 9 hosts can't be reached (web2, web3), and no more than 1 may be left out
    unreachable = "skip"
    max_unreachable = 2, 2 of 9: web2: can't be reached: no route to host; web3: can't be reached: no route to host
    unreachable = "skip"
    max_unreachable = "25%", 2 of 8: web2: can't be reached: no route to host; web3: can't be reached: no route to host
    unreachable = "skip"
    max_unreachable = "25%", 2 of 7: exit 6: web2: can't be reached: no route to host; web3: can't be reached: no route to host; 2 of 7 hosts can't be reached (web2, web3), and no more than 25% may be left out
    unreachable = "skip"
    max_unreachable = "100%", 2 of 2: exit 6: web1: can't be reached: no route to host; web2: can't be reached: no route to host; no host can be reached
    "#);
}

/// However often a run looks, it leaves out no more than it may.
#[test]
fn the_bound_holds_for_the_whole_run() {
    let decide = |most: &str, hosts: usize, looks: &[&[&str]]| {
        let text = format!("unreachable = \"skip\"\nmax_unreachable = {most}");
        let settings = fleet(&text, hosts);
        let mut skipped: Vec<SkippedHost> = Vec::new();
        let mut told = format!("{most} of {hosts}:");
        for unreachable in looks {
            match without_unreachable(&settings, &settings.hosts, &skipped, &away(unreachable), true) {
                Ok(more) => {
                    told += &format!(" without {};", names(&more));
                    skipped.extend(more);
                }
                Err(refusals) => {
                    let told_last = refusals.last().expect("a reason");
                    told += &format!(" {}: {told_last}", refusals.len());
                    break;
                }
            }
        }
        told
    };
    let told = [
        decide("1", 4, &[&["web2"], &["web3"]]),
        decide("2", 4, &[&["web2"], &["web3"], &["web4"]]),
        decide("\"50%\"", 4, &[&["web2"], &["web3"], &["web1"]]),
        // What was left out is seen again, and counts once.
        decide("1", 4, &[&["web2"], &["web2"], &["web2", "web3"]]),
        decide("\"100%\"", 2, &[&["web1"], &["web2"]]),
    ];
    assert_snapshot!(told.join("\n"), @r#"
    1 of 4: without web2; 2: 2 of 4 hosts can't be reached (web2, web3), and no more than 1 may be left out
    2 of 4: without web2; without web3; 2: 3 of 4 hosts can't be reached (web2, web3, web4), and no more than 2 may be left out
    "50%" of 4: without web2; without web3; 2: 3 of 4 hosts can't be reached (web1, web2, web3), and no more than 50% may be left out
    1 of 4: without web2; without ; 2: 2 of 4 hosts can't be reached (web2, web3), and no more than 1 may be left out
    "100%" of 2: without web1; 2: no host can be reached
    "#);
}

fn names(skipped: &[SkippedHost]) -> String {
    skipped.iter().map(|skipped| skipped.host.to_string()).collect::<Vec<_>>().join(", ")
}

/// A host of which several apps have one each is away once; and no app is left without a host.
#[test]
fn of_several_apps_each_needs_a_host() {
    let text = "unit = \"five\"\nunreachable = \"skip\"\n[apps.web]\n[apps.api]\n[environments.production]\n\
                hosts = [\"web1\", { name = \"web2\" }, \"web3\"]\n";
    let (settings, apps) = (common::settings(text), common::apps(text));
    let hosts: Vec<_> = apps.iter().flat_map(|app| app.settings.hosts.clone()).collect();
    let decide = |unreachable: &[&str]| {
        let decided = without_unreachable(&settings, &hosts, &[], &away(unreachable), true);
        decided.map(|skipped| skipped.len()).map_err(|refusals| {
            refusals
                .iter()
                .filter(|refusal| refusal.of_host().is_none())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        })
    };
    assert_eq!(decide(&["web3/web", "web3/api"]), Ok(2));
    assert_eq!(
        decide(&["web1/web", "web1/api", "web3/web", "web3/api"]),
        Err("2 of 3 hosts can't be reached (web1, web3), and no more than 50% may be left out".to_owned())
    );
}

/// A plan of these hosts, of which the first so many are away.
fn plan_without(text: &str, away: usize, hosts: &[Seen]) -> Plan {
    let settings = fleet(text, hosts.len());
    let all = seen(&settings, hosts);
    let skipped = all[..away].iter().map(|seen| SkippedHost {
        host: seen.host.name.clone(),
        why: "ssh: connect to host:\nno route to host".to_owned(),
    });
    let context = RunContext { skipped: skipped.collect(), ..run(60) };
    let plan = plan_deploy(&settings, &context, &request(2), &all[away..]).expect("a plan");
    assert_sound(&plan);
    plan
}

/// What one host does for all is done by the next; what a host may still run isn't begun on another.
#[test]
fn a_plan_says_who_is_left_out() {
    let text = "unreachable = \"skip\"\ncrontab = \"crontab\"\n[hooks]\nonce = \"migrate\"\nrestart = \"restart\"\n\
                [services.beat]\ncommand = \"beat\"\nsingle = true\n";
    let plan = plan_without(text, 1, &[live(), live(), live()]);
    assert_snapshot!(show_plan(&plan, Detail::Steps), @"
      web2  v1 (1111111111)  → v2 (2222222222) in slot b
      web3  v1 (1111111111)  → v2 (2222222222) in slot b
      leaves out web1: can't be reached: no route to host
      note: web2: does what is done once, in the place of web1, which can't be reached
      note: web1: its jobs stay as they are, and aren't installed on another host: this one may still run them
      note: web1: [services.beat] stays as it is, and isn't started on another host: this one may still run it

    lock
      on web2, web3
        take the lock
        check that nothing changed since the look

    prepare
      on web2, web3
        mark b as being built for v2 (2222222222)
        fetch 2222222222 into b
        check out 2222222222 in b
        write and check five-beat.service
        keep what 2222222222 is built and run with
        mark b as ready

    once
      on web2
        once: migrate

    switch
      on web2, web3
        switch the link to b
        stop systemd:five-beat
        restart: restart
        if it fails: switch the link to a
        if it fails: restart: restart
        if it fails: stop systemd:five-beat
        if it fails: mark b as failed
        if it fails: note in the journal: reverted

    finish
      on web2, web3
        mark b as live
        keep a for a rollback to v1 (1111111111)
        note which hosts there are
        remove what was kept of releases that no slot holds
        note in the journal: deployed
    ");
    // It stands in the journals of the others, where `status` finds it.
    let json = serde_json::to_value(&plan).expect("plain data");
    assert_snapshot!(json["skipped"].to_string(), @r#"[{"host":"web1","why":"ssh: connect to host:\nno route to host"}]"#);
    let journals: Vec<String> = plan
        .phases
        .iter()
        .flat_map(|phase| &phase.work)
        .flat_map(|work| work.all_steps())
        .filter(|step| step.action.to_string().contains("journal"))
        .map(|step| {
            format!("{}: {}", step.action, serde_json::to_value(step).expect("plain data")["skipped"])
        })
        .collect();
    assert_snapshot!(journals.join("\n"), @r#"
    note in the journal: reverted: null
    note in the journal: reverted: null
    note in the journal: deployed: ["web1"]
    note in the journal: deployed: ["web1"]
    "#);
}

/// A host that was away doesn't say what the change is compared with.
#[test]
fn what_was_live_is_what_most_served() {
    let from = |hosts: &[Seen]| {
        let settings = fleet("", hosts.len());
        let plan = plan_deploy(&settings, &run(60), &request(5), &seen(&settings, hosts)).expect("a plan");
        let variable = plan.variables["BUEDAFAB_PREVIOUS_COMMIT"].clone();
        let from = plan.from.expect("something was live");
        assert_eq!(variable, from.commit.as_str());
        from.describe
    };
    let serving = |number: u8| after(&[deployed(number, number, &[])]);
    assert_eq!(from(&[serving(1), serving(2), serving(2)]), "v2");
    assert_eq!(from(&[serving(1), serving(2)]), "v2");
    assert_eq!(from(&[serving(3), serving(2), serving(2)]), "v2");
}

fn only(hosts: &[&str]) -> DeployRequest {
    DeployRequest { only: Some(hosts.iter().map(|host| name(host)).collect()), ..request(2) }
}

/// Who is level has no part in the run, however well it is.
#[test]
fn outdated_hosts_are_brought_level() {
    let text = "[hooks]\nonce = \"migrate\"\n";
    let settings = fleet(text, 4);
    let level = || after(&[deployed(1, 1, &[]), deployed(2, 2, &["web3"])]);
    let down = level().change(|facts| facts.running.units = vec![UnitFacts::default()]);
    let hosts = [level(), down, live(), bare()];
    let plan =
        plan_deploy(&settings, &run(60), &only(&["web3", "web4"]), &seen(&settings, &hosts)).expect("a plan");
    assert_sound(&plan);
    assert_snapshot!(show_plan(&plan, Detail::Steps), @"
      web1  v2 (2222222222)  stays as it is
      web2  v2 (2222222222)  stays as it is
      web3  v1 (1111111111)  → v2 (2222222222) in slot b
      web4  nothing live     → v2 (2222222222) in slot a
      note: web1: v2 (2222222222) is live already
      note: web2: v2 (2222222222) is live already, and isn't touched, though its app doesn't serve it: `deploy` does
      note: what is done once isn't done again: it was when v2 (2222222222) became live

    lock
      on web3
        take the lock
        check that nothing changed since the look
      on web4
        create the app's folders
        take the lock
        check that nothing changed since the look

    prepare
      on web3
        mark b as being built for v2 (2222222222)
        fetch 2222222222 into b
        check out 2222222222 in b
        keep what 2222222222 is built and run with
        mark b as ready
      on web4
        mark a as being built for v2 (2222222222)
        fetch 2222222222 into a
        check out 2222222222 in a
        keep what 2222222222 is built and run with
        mark a as ready

    switch
      on web3
        switch the link to b
        restart init:five
        if it fails: switch the link to a
        if it fails: restart init:five
        if it fails: mark b as failed
        if it fails: note in the journal: reverted
      on web4
        switch the link to a
        restart init:five
        if it fails: remove the link
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web3
        mark b as live
        keep a for a rollback to v1 (1111111111)
        note which hosts there are
        note in the journal: deployed
      on web4
        mark a as live
        note which hosts there are
        note in the journal: deployed
    ");
    // A person's word counts wherever it stands, and so does work that is under way.
    let held = Hold { at: run(3).at, by: "bo@desk".to_owned(), reason: "the audit".to_owned() };
    let full = level().change(|facts| facts.hold = Some(held));
    let hosts = [full, live()];
    let two = fleet(text, 2);
    let refused =
        plan_deploy(&two, &run(60), &only(&["web2"]), &seen(&two, &hosts)).expect_err("it is on hold");
    assert_eq!(refused.len(), 1, "{refused:?}");
    // Nobody lacks it: nothing is done.
    let plan = plan_deploy(&two, &run(60), &only(&[]), &seen(&two, &[level(), level()])).expect("a plan");
    assert!(plan.is_empty());
}

/// Of several apps each is brought level by itself.
#[test]
fn an_outdated_app_is_brought_level() {
    let text =
        "unit = \"five\"\n[apps.web]\n[apps.api]\n[environments.production]\nhosts = [\"web1\", \"web2\"]\n";
    let (settings, apps) = (common::settings(text), common::apps(text));
    let hosts: Vec<_> = apps.iter().flat_map(|app| app.settings.hosts.clone()).collect();
    let level = after(&[deployed(2, 2, &[])]);
    let facts = [level.clone(), live(), level.clone(), level];
    let seen: Vec<SeenHost<'_>> =
        hosts.iter().zip(&facts).map(|(host, seen)| SeenHost { host, facts: &seen.0 }).collect();
    let by_host = SettingsByHost { whole: &settings, apps: &apps };
    let foreign = |app: &AppInEnvironment| app.settings.app.unit.clone();
    assert_eq!(apps.iter().map(foreign).collect::<Vec<_>>().len(), 2);
    let plan = plan_deploy_together(by_host, &run(60), &seen, |_| DeployRequest {
        take_over: true,
        ..only(&["web2/web"])
    });
    let plan = plan.unwrap_or_else(|refusals| panic!("{refusals:?}"));
    assert_sound(&plan);
    let works: Vec<&str> =
        plan.phases.iter().flat_map(|phase| &phase.work).map(|work| work.host.as_str()).collect();
    assert!(works.iter().all(|host| *host == "web2/web") && !works.is_empty(), "{works:?}");
}

/// `status` tells which hosts lack what is live, since when, and why.
#[test]
fn status_tells_who_lags_behind() {
    let show = |hosts: &[(&str, Option<Seen>)]| {
        let facts: BTreeMap<HostName, HostFacts> =
            hosts.iter().filter_map(|(host, seen)| Some((name(host), seen.as_ref()?.0.clone()))).collect();
        let now = run(200).at;
        let status = |(host, seen): &(&str, Option<Seen>)| match seen {
            Some(seen) => HostStatus::of(name(host), &seen.0, &[], Vec::new(), now),
            None => HostStatus::unreachable(name(host), "no route to host".to_owned()),
        };
        let mut statuses: Vec<HostStatus> = hosts.iter().map(status).collect();
        compare_hosts(&mut statuses, &facts);
        let json: Vec<String> = statuses
            .iter()
            .map(|status| serde_json::to_value(status).expect("plain data"))
            .map(|json| format!("{} {} {}", json["host"], json["outdated"], json["missed"]))
            .collect();
        format!("{}{}\n", show_status(&statuses, now, 200), json.join("\n"))
    };
    let level = || after(&[deployed(1, 1, &[]), deployed(20, 2, &["web3"])]);
    let shown = [
        show(&[
            ("web1", Some(level())),
            ("web2", Some(level())),
            ("web3", Some(live())),
            ("web4", Some(bare())),
        ]),
        show(&[("web1", Some(level())), ("web2", Some(level())), ("web3", None)]),
        show(&[("web1", Some(live())), ("web2", Some(after(&[deployed(1, 9, &[])])))]),
    ];
    assert_snapshot!(shown.join("\n"), @r#"
    host  live             slot  app        since    by          rollback to
    web1  v2 (2222222222)  a     not asked  3 h ago  ada@laptop  –
    web2  v2 (2222222222)  a     not asked  3 h ago  ada@laptop  –
    web3  v1 (1111111111)  a     not asked  –        –           –
    web4  –                –     –          –        –           –
    web3: serves v1 (1111111111), the others v2 (2222222222); it couldn't be reached when ada@laptop made that live, 3 h ago
    web4: serves nothing, the others v2 (2222222222)
    drift: the hosts serve different releases; `deploy --only-outdated` brings them level
    "web1" null null
    "web2" null null
    "web3" {"at":"2026-11-05T00:20:00Z","by":"ada@laptop","host":"web3","live":{"commit":"2222222222222222222222222222222222222222","describe":"v2","tag":"v2"},"run":"20261105-002000-abcd","serves":{"commit":"1111111111111111111111111111111111111111","describe":"v1","tag":"v1"},"why":"missed"} null
    "web4" {"host":"web4","live":{"commit":"2222222222222222222222222222222222222222","describe":"v2","tag":"v2"},"serves":null,"why":"joined"} null

    host  live             slot  app        since    by          rollback to
    web1  v2 (2222222222)  a     not asked  3 h ago  ada@laptop  –
    web2  v2 (2222222222)  a     not asked  3 h ago  ada@laptop  –
    web3  unreachable
    web3: no route to host
    web3: v2 (2222222222) became live without it, 3 h ago, by ada@laptop
    "web1" null null
    "web2" null null
    "web3" null {"at":"2026-11-05T00:20:00Z","by":"ada@laptop","release":{"commit":"2222222222222222222222222222222222222222","describe":"v2","tag":"v2"},"run":"20261105-002000-abcd"}

    host  live             slot  app        since    by          rollback to
    web1  v1 (1111111111)  a     not asked  –        –           –
    web2  v9 (9999999999)  a     not asked  3 h ago  ada@laptop  –
    drift: the hosts serve different releases
    "web1" null null
    "web2" null null
    "#);
}

/// A host that was away once, and there since, isn't told to have missed anything.
#[test]
fn what_was_made_up_for_is_not_told() {
    let away = line(20, JournalKind::Deployed, 2, &["web3"]);
    let there = line(30, JournalKind::Deployed, 3, &[]);
    let noted = line(40, JournalKind::Held, 2, &[]);
    let missed = |journals: [Vec<&JournalRecord>; 2]| {
        let facts = journals.map(|journal| HostFacts {
            journal: journal.into_iter().cloned().collect(),
            ..HostFacts::default()
        });
        let [web1, web2, web3] = ["web1", "web2", "web3"].map(name);
        missed_last(&web3, &[(&web1, &facts[0]), (&web2, &facts[1])]).is_some()
    };
    assert!(missed([vec![&away], vec![&away]]));
    assert!(missed([vec![&away, &noted], vec![&away]]));
    // One host was changed alone.
    assert!(missed([vec![&away, &there], vec![&away]]));
    assert!(!missed([vec![&away, &there], vec![&away, &there]]));
}

/// What `max_unreachable` may say.
#[test]
fn how_many_may_be_left_out() {
    let read = |value: &str| {
        let text = format!(
            "unit = \"five\"\nmax_unreachable = {value}\n[environments.production]\nhosts = [\"web1\"]\n"
        );
        let production = EnvironmentName::new("production").expect("a word");
        match parse("buedafab.toml", &text).and_then(|file| file.settings(&production)) {
            Ok(settings) => format!("{value}: {}", settings.rollout.max_unreachable),
            Err(mistakes) => mistakes.to_string(),
        }
    };
    assert_snapshot!(["3", "\"25%\"", "0", "\"0%\"", "\"three\"", "true"].map(read).join("\n"), @r#"
    3: 3
    "25%": 25%
    error: `0` isn't a number of hosts to leave out
     --> buedafab.toml:2:19
      |
    2 | max_unreachable = 0
      |                   ^
      |
      = help: write a number of hosts such as `2`, or a percentage from `"1%"` to
              `"100%"`
    error: `0%` isn't a number of hosts to leave out
     --> buedafab.toml:2:19
      |
    2 | max_unreachable = "0%"
      |                   ^^^^
      |
      = help: write a number of hosts such as `2`, or a percentage from `"1%"` to
              `"100%"`
    error: `three` isn't a number of hosts to leave out
     --> buedafab.toml:2:19
      |
    2 | max_unreachable = "three"
      |                   ^^^^^^^
      |
      = help: write a number of hosts such as `2`, or a percentage from `"1%"` to
              `"100%"`
    error: `max_unreachable` takes a number of hosts or a percentage, not a boolean
     --> buedafab.toml:2:19
      |
    2 | max_unreachable = true
      |                   ^^^^
    "#);
}
