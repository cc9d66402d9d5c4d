//! From facts to plans, and to the reasons why not.

mod common;

use buedafab_model::app::maintenance::MaintenanceRecord;
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::host::facts::{Capacity, CurrentLink, HostFacts, Lock, SlotFacts};
use buedafab_model::host::record::{Hold, LockHolder, SlotState};
use buedafab_model::host::running::UnitFacts;
use buedafab_model::names::SlotName;
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Found, Plan};
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, SeenHost, plan_deploy, plan_hold, plan_maintenance, plan_restart,
    plan_rollback, plan_run, plan_unhold,
};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;
use proptest::prelude::*;

use common::{
    Seen, URL, assert_sound, bare, check, deploy, deploy_as, difference, fleet, live, plain_deploy,
    plain_rollback, release, request, rollback, run, second, seen,
};

#[test]
fn a_deploy() {
    assert_snapshot!(plain_deploy(), @"
    deploy v3 (3333333333)
      web1  v2 (2222222222)  → v3 (3333333333) in slot a
      if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        mark a as being built for v3 (3333333333)
        fetch 3333333333 into a
        check out 3333333333 in a
        keep what 3333333333 is built and run with
        mark a as ready

    switch
      on web1
        switch the link to a
        restart init:five
        if it fails: switch the link to b
        if it fails: restart init:five
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        keep b for a rollback to v2 (2222222222)
        note in the journal: deployed
    ");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[second(), second()], 3)), @"
    deploy v3 (3333333333)
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web2  v2 (2222222222)  → v3 (3333333333) in slot a
    +   if it fails: web1, web2 can be rolled back to v1 (1111111111), which has to be built again then
    lock
    -   on web1
    +   on web1, web2
    prepare
    -   on web1
    +   on web1, web2
    switch
    -   on web1
    +   on web1, web2
    finish
    -   on web1
    +   on web1, web2
    +     note which hosts there are
    ");
}

#[test]
fn a_first_deploy() {
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[bare()], 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    lock
    +     create the app's folders
    switch
    -     if it fails: switch the link to b
    -     if it fails: restart init:five
    +     if it fails: remove the link
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
}

#[test]
fn a_deploy_with_hooks_at_every_point() {
    let text = "service = \"none\"\n[hooks]\nbefore_prepare = \"df\"\nbuild = [\"uv sync\", \"make\"]\ncheck = \"make test\"\n\
        once = \"env/bin/python manage.py migrate\"\nbefore_switch = \"warm up\"\nrestart = \"sudo systemctl restart five\"\n\
        after_switch = \"touch it\"\nverify = \"curl -f localhost\"\nafter_finish = \"tell them\"\n";
    assert_snapshot!(difference(&plain_deploy(), &deploy(text, &[second()], 3)), @"
    prepare
    +     before_prepare: df
    +     build: uv sync
    +     build: make
    +     check: make test
    + once
    +   on web1
    +     once: env/bin/python manage.py migrate
    + 
    switch
    +     before_switch: warm up
    -     restart init:five
    +     restart: sudo systemctl restart five
    +     after_switch: touch it
    +     verify: curl -f localhost
    -     if it fails: restart init:five
    +     if it fails: restart: sudo systemctl restart five
    finish
    +     after_finish: tell them
    ");
}

#[test]
fn without_a_service_nothing_is_restarted() {
    assert_snapshot!(difference(&plain_deploy(), &deploy("service = \"none\"", &[second()], 3)), @"
    switch
    -     restart init:five
    -     if it fails: restart init:five
    ");
}

#[test]
fn what_is_live_already_stays() {
    assert_snapshot!(deploy("", &[second(), second()], 2), @r#"
    nothing to do
      web1  v2 (2222222222)  stays as it is
      web2  v2 (2222222222)  stays as it is
      note: web1, web2: v2 (2222222222) is live already
    "#);
}

#[test]
fn one_host_is_behind() {
    let ahead = bare().slot("a", SlotState::Live, 3).slot("b", SlotState::Retired, 2).link("a");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", &[ahead, second()], 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  v3 (3333333333)  stays as it is
    +   web2  v2 (2222222222)  → v3 (3333333333) in slot a
    +   note: web1: v3 (3333333333) is live already
    +   if it fails: web2 can be rolled back to v1 (1111111111), which has to be built again then
    lock
    -   on web1
    +   on web2
    prepare
    -   on web1
    +   on web2
    switch
    -   on web1
    +   on web2
    finish
    -   on web1
    +   on web2
    +     note which hosts there are
    ");
}

#[test]
fn a_forced_deploy_of_what_is_live() {
    let there = bare().slot("a", SlotState::Retired, 2).slot("b", SlotState::Live, 3).link("b");
    assert_snapshot!(difference(&plain_deploy(), &deploy_as("", &[there], &DeployRequest { force: true, ..request(3) })), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  v3 (3333333333)  → v3 (3333333333) in slot a
    +   if it fails: web1 can be rolled back to v2 (2222222222), which has to be built again then
    finish
    -     keep b for a rollback to v2 (2222222222)
    +     keep b for a rollback to v3 (3333333333)
    ");
}

#[test]
fn what_is_live_but_was_never_confirmed_is_deployed_again() {
    let unconfirmed =
        bare().slot("a", SlotState::Live, 1).slot_with_former("b", SlotState::Ready, 3, None).link("b");
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&unconfirmed), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    +   web1  v3 (3333333333)  → v3 (3333333333) in slot a
    +   note: web1: the run that switched to what is live never confirmed it
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[unconfirmed])), @"
    roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    +   web1  v3 (3333333333)  → v1 (1111111111) in slot a
    +   note: web1: the run that switched to what is live never confirmed it
    finish
    -     mark b as ready
    ");
}

#[test]
fn a_rollback_flips_back() {
    assert_snapshot!(plain_rollback(), @"
    roll back to v1 (1111111111)
      web1  v2 (2222222222)  → v1 (1111111111) in slot a
      note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        verify that a holds 1111111111, unchanged

    switch
      on web1
        switch the link to a
        restart init:five
        if it fails: switch the link to b
        if it fails: restart init:five
        if it fails: mark a as failed
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        mark b as ready
        note in the journal: rolled back
    ");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[second(), second()])), @"
    roll back to v1 (1111111111)
    -   note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    +   web2  v2 (2222222222)  → v1 (1111111111) in slot a
    +   note: web1, web2: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    lock
    -   on web1
    +   on web1, web2
    prepare
    -   on web1
    +   on web1, web2
    switch
    -   on web1
    +   on web1, web2
    finish
    -   on web1
    +   on web1, web2
    +     note which hosts there are
    ");
}

#[test]
fn a_second_rollback_has_nowhere_to_go() {
    let rolled_back = bare().slot("a", SlotState::Live, 1).slot("b", SlotState::Ready, 2).link("a");
    assert_snapshot!(rollback("", &[rolled_back]), @r#"
    web1: nothing to roll back to: v2 (2222222222) in slot b isn't older than what is live: it was rolled back from, or never served
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn there_is_nothing_before_a_first_release() {
    assert_snapshot!(rollback("", &[live(), bare()]), @r#"
    web1: nothing to roll back to: what serves is the first release on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    web2: nothing to roll back to: nothing was ever live on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn a_release_that_was_overwritten_is_built_again() {
    let failed =
        bare().slot_with_former("a", SlotState::Building, 3, Some(1)).slot("b", SlotState::Live, 2).link("b");
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[failed])), @"
    roll back to v1 (1111111111)
    +   note: web1: v1 (1111111111) has to be built again first: it was overwritten by a later attempt
    prepare
    -     verify that a holds 1111111111, unchanged
    +     mark a as being built for v1 (1111111111)
    +     fetch 1111111111 into a
    +     check out 1111111111 in a
    +     keep what 1111111111 is built and run with
    +     mark a as ready
    ");
}

#[test]
fn a_failed_first_attempt_leaves_nothing_to_roll_back_to() {
    let failed = live().slot("b", SlotState::Failed, 2);
    assert_snapshot!(rollback("", &[failed]), @r#"
    web1: nothing to roll back to: v2 (2222222222) in slot b never served
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn hosts_that_would_roll_back_to_different_releases() {
    let ahead = bare().slot("a", SlotState::Live, 3).slot("b", SlotState::Retired, 2).link("a");
    assert_snapshot!(rollback("", &[second(), ahead]), @r#"
    the hosts would roll back to different releases: web1 to v1 (1111111111), web2 to v2 (2222222222)
      hint: deploy one release everywhere (deploy:commit=SHA), or narrow the rollback with --hosts
    "#);
}

#[test]
fn a_folder_where_the_link_should_be() {
    let folder = second().change(|facts| facts.current = CurrentLink::NotALink);
    assert_snapshot!(deploy("", std::slice::from_ref(&folder), 3), @r#"
    web1: /var/webapps/five/releases/current is a folder or a file, not a link
      hint: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
    "#);
    assert_snapshot!(rollback("", &[folder]), @r#"
    web1: /var/webapps/five/releases/current is a folder or a file, not a link
      hint: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
    "#);
}

/// Slot b was removed by hand, and the link still names it: it is not where the new release goes.
#[test]
fn a_link_that_leads_to_nothing() {
    let dangling = bare()
        .slot("a", SlotState::Retired, 1)
        .change(|facts| facts.current = CurrentLink::Dangling("b".to_owned()));
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&dangling), 3)), @r#"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "b", which isn't there: nothing is live here
    switch
    -     if it fails: restart init:five
    finish
    -     keep b for a rollback to v2 (2222222222)
    "#);
    assert_snapshot!(difference(&plain_rollback(), &rollback("", &[dangling])), @r#"
    roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    +   web1  nothing live  → v1 (1111111111) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "b", which isn't there: nothing is live here
    switch
    -     if it fails: restart init:five
    finish
    -     mark b as ready
    "#);
}

#[test]
fn a_link_that_leads_elsewhere() {
    let elsewhere = bare().link("/srv/old");
    assert_snapshot!(deploy("", std::slice::from_ref(&elsewhere), 1), @r#"
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
    assert_snapshot!(difference(&plain_deploy(), &deploy_as("", &[elsewhere], &DeployRequest { take_over: true, ..request(3) })), @r#"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: /var/webapps/five/releases/current points to "/srv/old": it will be replaced, and a rollback can't go back to it
    lock
    +     create the app's folders
    switch
    -     if it fails: switch the link to b
    +     if it fails: switch the link to /srv/old
    finish
    -     keep b for a rollback to v2 (2222222222)
    "#);
}

/// A slot that served once is no licence to replace what serves now.
#[test]
fn a_rollback_over_a_link_that_leads_elsewhere() {
    let taken = live().slot("b", SlotState::Retired, 2).link("/srv/old");
    assert_snapshot!(rollback("", &[taken]), @r#"
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
}

/// What another tool put into a slot has no record, and perhaps no commit; it is restarted all the same if the switch
/// fails.
#[test]
fn slots_that_another_tool_filled() {
    let foreign = second().change(|facts| {
        for seen in facts.slots.values_mut() {
            seen.record = None;
        }
    });
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&foreign), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  2222222222  → v3 (3333333333) in slot a
    +   note: web1: buedafab didn't make slot a: files in it that git doesn't know will be removed
    finish
    -     keep b for a rollback to v2 (2222222222)
    +     keep b for a rollback to 2222222222
    ");
    let nameless = foreign.change(|facts| facts.slots.values_mut().for_each(|seen| seen.commit = None));
    assert_snapshot!(difference(&plain_deploy(), &deploy("", std::slice::from_ref(&nameless), 3)), @"
    deploy v3 (3333333333)
    -   web1  v2 (2222222222)  → v3 (3333333333) in slot a
    -   if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then
    +   web1  nothing live  → v3 (3333333333) in slot a
    +   note: web1: buedafab didn't make slot a: files in it that git doesn't know will be removed
    finish
    -     keep b for a rollback to v2 (2222222222)
    ");
    assert_snapshot!(rollback("", &[nameless]), @r#"
    web1: nothing to roll back to: what serves is the first release on this host
      hint: deploy the release that you want by its name: deploy:release=TAG or deploy:commit=SHA
    "#);
}

#[test]
fn a_hold_stops_deploys_and_no_rollback() {
    let hold = Hold { at: run(5).at, by: "bob@desk".to_owned(), reason: "the audit".to_owned() };
    let held = second().change(|facts| facts.hold = Some(hold));
    assert_snapshot!(deploy("", std::slice::from_ref(&held), 3), @r#"
    web1: deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:05:00Z
      hint: lift it with the command `unhold`, once its reason is gone
    "#);
    assert_eq!(rollback("", &[held]), plain_rollback());
}

#[test]
fn a_lock_stops_both() {
    let holder = LockHolder {
        at: run(5).at,
        by: "bob@desk".to_owned(),
        doing: "deploy v2 (2222222222)".to_owned(),
        run: run(5).run,
    };
    let locked = second().change(|facts| facts.lock = Some(Lock { holder: Some(holder) }));
    let nameless = second().change(|facts| facts.lock = Some(Lock { holder: None }));
    assert_snapshot!(deploy("", &[locked.clone(), nameless], 3), @r#"
    web1: locked by bob@desk since 2026-11-05T00:05:00Z (deploy v2 (2222222222), run r5)
      hint: wait until it ends; a lock never outlives its run
    web2: locked by a run that hasn't said who it is
      hint: wait until it ends; a lock never outlives its run
    "#);
    assert_snapshot!(rollback("", &[locked]), @r#"
    web1: locked by bob@desk since 2026-11-05T00:05:00Z (deploy v2 (2222222222), run r5)
      hint: wait until it ends; a lock never outlives its run
    "#);
}

#[test]
fn all_that_is_wrong_with_a_host_is_told_at_once() {
    let unfit = bare().link("/srv/old").change(|facts| {
        facts.missing_tools = vec!["git".to_owned(), "flock".to_owned()];
        facts.writable = false;
    });
    assert_snapshot!(deploy("", &[unfit], 3), @r#"
    web1: git, flock not found
      hint: install them there; Debian: apt-get install git util-linux
    web1: deploy can't write /var/webapps/five
      hint: on that host, as root: install -d -o deploy /var/webapps/five
    web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      hint: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
    "#);
}

#[test]
fn no_hosts() {
    assert_snapshot!(deploy("", &[], 3), @r#"
    no host to work on
      hint: give the environment `hosts` in buedafab.toml, or widen --hosts and --roles
    "#);
    assert_snapshot!(rollback("", &[]), @r#"
    no host to work on
      hint: give the environment `hosts` in buedafab.toml, or widen --hosts and --roles
    "#);
}

#[test]
fn a_disk_that_is_nearly_full_is_told() {
    let full = second().change(|facts| {
        facts.disk_kib = Some(Capacity { free: 30_000, total: 1_000_000 });
        facts.inodes = Some(Capacity { free: 400, total: 10_000 });
    });
    assert_snapshot!(deploy("", &[full], 2), @r#"
    nothing to do
      web1  v2 (2222222222)  stays as it is
      note: web1: only 3 % of the disk's space is left
      note: web1: only 4 % of the disk's inodes are left
      note: web1: v2 (2222222222) is live already
    "#);
}

/// Three slots keep the release before until the new one is live: the oldest goes first.
#[test]
fn the_least_worthy_of_three_slots_is_overwritten() {
    let text = "release_paths = [\"a\", \"b\", \"c\"]";
    let order = |host: Seen| {
        let settings = fleet(text, 1);
        let hosts = [host];
        let plan = plan_deploy(&settings, &run(60), &request(9), &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        plan.hosts[0].to.as_ref().expect("a target").slot.to_string()
    };
    let full = bare().slot("a", SlotState::Retired, 1).slot("b", SlotState::Retired, 2).slot(
        "c",
        SlotState::Live,
        3,
    );
    let found = [
        ("an empty one", order(live().slot("b", SlotState::Retired, 2))),
        ("the oldest of those that served", order(full.clone().link("c"))),
        (
            "one that failed, rather than one that served",
            order(live().slot("b", SlotState::Retired, 2).slot("c", SlotState::Failed, 3)),
        ),
        (
            "one that is being built",
            order(live().slot("b", SlotState::Building, 5).slot("c", SlotState::Ready, 3)),
        ),
        (
            "one that was never live",
            order(live().slot("b", SlotState::Retired, 2).slot("c", SlotState::Ready, 3)),
        ),
        ("the oldest, if nothing is live", order(full)),
    ];
    let found: Vec<String> = found.iter().map(|(why, slot)| format!("{slot}: {why}")).collect();
    assert_snapshot!(found.join("\n"), @r#"
    c: an empty one
    a: the oldest of those that served
    c: one that failed, rather than one that served
    b: one that is being built
    c: one that was never live
    a: the oldest, if nothing is live
    "#);
}

#[test]
fn a_rollback_on_three_slots_goes_one_back() {
    let full = bare()
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Retired, 2)
        .slot("c", SlotState::Live, 3)
        .link("c");
    assert_snapshot!(difference(&plain_rollback(), &rollback("release_paths = [\"a\", \"b\", \"c\"]", &[full])), @"
    - roll back to v1 (1111111111)
    -   web1  v2 (2222222222)  → v1 (1111111111) in slot a
    -   note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    + roll back to v2 (2222222222)
    +   web1  v3 (3333333333)  → v2 (2222222222) in slot b
    +   note: web1: what v2 (2222222222) was prepared with wasn't kept: the commands of today's configuration are used
    prepare
    -     verify that a holds 1111111111, unchanged
    +     verify that b holds 2222222222, unchanged
    switch
    -     switch the link to a
    +     switch the link to b
    -     if it fails: switch the link to b
    +     if it fails: switch the link to c
    -     if it fails: mark a as failed
    +     if it fails: mark b as failed
    finish
    -     mark a as live
    -     mark b as ready
    +     mark b as live
    +     mark c as ready
    ");
}

#[test]
fn five_hosts_in_waves() {
    let waves = |text: &str| {
        let settings = fleet(text, 5);
        let hosts = vec![live(); 5];
        let plan = plan_deploy(&settings, &run(60), &request(2), &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        let switches = plan.phases.iter().filter(|phase| phase.kind.to_string().starts_with("switch"));
        let line = |phase: &buedafab_model::plan::Phase| {
            let hosts: Vec<&str> = phase.work.iter().map(|work| work.host.as_str()).collect();
            format!("  {}: {}", phase.kind, hosts.join(" "))
        };
        format!("{text}\n{}", switches.map(line).collect::<Vec<_>>().join("\n"))
    };
    let texts = [
        "",
        "waves = [1]",
        "waves = [1, \"50%\"]",
        "waves = [2, 2, 2, 2]",
        "waves = [9]",
        "waves = [\"1%\", \"100%\"]",
    ];
    assert_snapshot!(texts.map(waves).join("\n"), @r#"
      switch: web1 web2 web3 web4 web5
    waves = [1]
      switch, wave 1 of 2: web1
      switch, wave 2 of 2: web2 web3 web4 web5
    waves = [1, "50%"]
      switch, wave 1 of 3: web1
      switch, wave 2 of 3: web2 web3 web4
      switch, wave 3 of 3: web5
    waves = [2, 2, 2, 2]
      switch, wave 1 of 3: web1 web2
      switch, wave 2 of 3: web3 web4
      switch, wave 3 of 3: web5
    waves = [9]
      switch: web1 web2 web3 web4 web5
    waves = ["1%", "100%"]
      switch, wave 1 of 2: web1
      switch, wave 2 of 2: web2 web3 web4 web5
    "#);
}

#[test]
fn a_group_of_deployers() {
    let settings = fleet("deploy_group = \"www\"", 1);
    let hosts = [bare()];
    let plan = plan_deploy(&settings, &run(60), &request(1), &seen(&settings, &hosts)).expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Shell);
    let of_the_group = |line: &&str| ["www", "g+", "umask"].iter().any(|word| line.contains(word));
    assert_snapshot!(shown.lines().filter(of_the_group).collect::<Vec<_>>().join("\n"), @r#"
    on hosts, all of it with umask 002
          $ find /var/webapps/five /var/webapps/five/releases /var/webapps/five/shared /var/webapps/five/.buedafab /var/webapps/five/.buedafab/slots -prune -user "$(id -u)" -exec chgrp www {} + || exit
          $ find /var/webapps/five /var/webapps/five/releases /var/webapps/five/shared /var/webapps/five/.buedafab /var/webapps/five/.buedafab/slots -prune -user "$(id -u)" -exec chmod g+rwxs {} + || exit
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/.buedafab -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} + || return
          $ twice find /var/webapps/five/.buedafab \( -name aside -o -name uv-cache \) -prune -o -user "$(id -u)" -type f ! -perm -060 -exec chmod g+rw {} +
          $ if [ -g /var/webapps/five/.buedafab/releases/1111111111111111111111111111111111111111 ]; then umask 007; else umask 077; fi
        give all of a to the group www
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} +
        give all of a to the group www
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" ! -type l ! -group www -exec chgrp www {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type d ! -perm -2070 -exec chmod g+rwxs {} + &&
          $ twice find /var/webapps/five/releases/a -xdev -user "$(id -u)" -type f -perm -040 ! -perm -020 -exec chmod g+w {} +
    "#);
}

#[test]
fn a_restart() {
    let settings = fleet("", 2);
    let hosts = [second(), live()];
    assert_snapshot!(check(plan_restart(&settings, &run(60), &seen(&settings, &hosts))), @"
    restart

    work
      on web1, web2
        take the lock
        check that nothing changed since the look
        restart init:five
        note in the journal: restarted
    ");
    let hosts = [second(), bare()];
    assert_snapshot!(check(plan_restart(&settings, &run(60), &seen(&settings, &hosts))), @r#"
    web2: no release is live
      hint: deploy first
    "#);
}

/// Nothing is written where it is so already, neither a hold nor a line of the journal.
#[test]
fn a_hold_on_a_hold_and_the_end_of_none_are_only_said() {
    let settings = fleet("", 2);
    let hosts: Vec<_> = settings.hosts.iter().collect();
    let hold = Hold { at: run(0).at, by: "grace@desk".to_owned(), reason: "the audit".to_owned() };
    let (held, free) = (HostFacts { hold: Some(hold), ..HostFacts::default() }, HostFacts::default());
    let facts = [&held, &free];
    let seen: Vec<_> = hosts.iter().zip(facts).map(|(host, facts)| SeenHost { host, facts }).collect();
    let plans = [
        plan_hold(&settings, &run(60), "lunch", &hosts, &seen),
        plan_unhold(&settings, &run(60), &hosts, &seen),
        plan_unhold(&settings, &run(60), &hosts[1..], &seen[1..]),
    ];
    assert_snapshot!(plans.map(|plan| check(Ok(plan))).join("\n"), @r#"
    hold deploys: lunch
      note: web1: on hold already, says grace@desk since 2026-11-05T00:00:00Z: "the audit"

    work
      on web2
        hold deploys: lunch
        note in the journal: held

    allow deploys again
      note: web2: not on hold

    work
      on web1
        allow deploys again
        note in the journal: unheld

    do nothing
      note: web2: not on hold
    "#);
}

#[test]
fn work_that_switches_nothing() {
    let settings = fleet("", 2);
    let hosts: Vec<_> = settings.hosts.iter().collect();
    let plans = [
        plan_run(&settings, &run(60), "uptime", &hosts),
        plan_hold(&settings, &run(60), "the audit", &hosts, &[]),
        plan_unhold(&settings, &run(60), &hosts, &[]),
    ];
    assert_snapshot!(plans.map(|plan| check(Ok(plan))).join("\n"), @r#"
    uptime

    work
      on web1, web2
        uptime

    hold deploys: the audit

    work
      on web1, web2
        hold deploys: the audit
        note in the journal: held

    allow deploys again

    work
      on web1, web2
        allow deploys again
        note in the journal: unheld
    "#);
}

fn any_state() -> impl Strategy<Value = SlotState> {
    prop_oneof![
        Just(SlotState::Empty),
        Just(SlotState::Building),
        Just(SlotState::Ready),
        Just(SlotState::Live),
        Just(SlotState::Retired),
        Just(SlotState::Failed),
    ]
}

fn any_slot() -> impl Strategy<Value = Option<SlotFacts>> {
    let record = proptest::option::of((any_state(), 1u8..6, proptest::option::of(1u8..6)));
    let slot = (record, proptest::option::of(1u8..6)).prop_map(|(record, commit)| {
        let mut seen = SlotFacts::default();
        if let Some((state, number, former)) = record {
            let built = bare().slot_with_former("a", state, number, former);
            seen = built.0.slots.into_values().next().expect("it was just put there");
        }
        if let Some(number) = commit {
            seen.commit = Some(release(number).commit);
        }
        seen
    });
    proptest::option::weighted(0.8, slot)
}

/// Facts of a host on which anything may have happened.
fn any_facts() -> impl Strategy<Value = HostFacts> {
    let link = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 4 => Just("c"), 1 => Just(""), 1 => Just("/srv/old"), 1 => Just("folder"),
        1 => Just("./b"), 1 => Just("/var/webapps/five/releases/a"),
    ];
    (proptest::collection::vec(any_slot(), 3), link, any::<bool>()).prop_map(|(slots, link, has_folders)| {
        let mut facts = bare().0;
        facts.exists = has_folders;
        facts.has_folders = has_folders;
        for (name, slot) in ["a", "b", "c"].into_iter().zip(slots) {
            facts.slots.extend(slot.map(|slot| (SlotName::new(name).expect("a slot"), slot)));
        }
        let name = link.rsplit('/').next().unwrap_or_default();
        facts.current = match facts.slots.keys().find(|slot| slot.as_str() == name) {
            _ if link.is_empty() => CurrentLink::Missing,
            _ if link == "folder" => CurrentLink::NotALink,
            _ if name == "old" => CurrentLink::Elsewhere(link.to_owned()),
            Some(slot) => CurrentLink::Slot(slot.clone()),
            None => CurrentLink::Dangling(link.to_owned()),
        };
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever was seen: no plan has a finding, and none overwrites what is live.
    #[test]
    fn no_plan_can_do_harm(
        facts in proptest::collection::vec(any_facts(), 1..4),
        slots in 2usize..4,
        number in 1u8..7,
        force: bool,
        take_over: bool,
        waves in 0u32..3,
    ) {
        let names = ["\"a\"", "\"b\"", "\"c\""][..slots].join(", ");
        let waves = if waves == 0 { String::new() } else { format!("waves = [{waves}]") };
        let text = format!("release_paths = [{names}]\n{waves}\n[hooks]\nbuild = \"make\"\nonce = \"migrate\"\nverify = \"curl\"");
        let settings = fleet(&text, facts.len());
        let hosts: Vec<Seen> = facts.into_iter().map(|mut facts| {
            facts.slots.retain(|slot, _| settings.layout.release_paths.contains(slot));
            if let CurrentLink::Slot(slot) = &facts.current
                && !facts.slots.contains_key(slot)
            {
                facts.current = CurrentLink::Elsewhere(slot.to_string());
            }
            Seen(facts)
        }).collect();
        let request = DeployRequest { force, take_over, ..request(number) };
        let plans = [
            plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)),
            plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen(&settings, &hosts)),
            plan_restart(&settings, &run(60), &seen(&settings, &hosts)),
        ];
        for plan in plans.iter().flatten() {
            assert_sound(plan);
            for (planned, seen) in plan.hosts.iter().zip(&hosts) {
                if let Some(target) = &planned.to {
                    prop_assert_ne!(Some(&target.slot), seen.0.live_slot());
                }
            }
        }
    }
}

#[test]
fn what_comes_first_on_the_deployer_stands_in_the_plan() {
    let text = "test_runner = \"django\"\n[hooks]\nlocal.before = \"make docs\"\nlocal.after = \"tell them\"\nlocal.on_failure = \"warn them\"\n";
    let (remote, tag) = ("origin".to_owned(), "v3".to_owned());
    let tagging = DeployerAction::Tag {
        tag: tag.clone(),
        commit: release(3).commit,
        signed: false,
        signers: Vec::new(),
        remote: remote.clone(),
    };
    let push = DeployerAction::PushTag { remote, tag };
    let request = DeployRequest { before: vec![tagging], publish: vec![push], ..request(3) };
    let settings = fleet(text, 1);
    let hosts = [second()];
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    let shown = show_plan(&plan, Detail::Shell);
    assert_snapshot!(shown[..shown.find("\nlock").expect("there is one")], @r#"
      web1  v2 (2222222222)  → v3 (3333333333) in slot a
      if it fails: web1 can be rolled back to v1 (1111111111), which has to be built again then

    begin
      on this machine
        run the tests: python manage.py test --noinput
          $ [ -n "$VIRTUAL_ENV" ] || [ ! -d env/bin ] || export PATH="$PWD"/env/bin:"$PATH"
          $ command -v python >/dev/null || python() { python3 "$@"; }
          $ python manage.py test --noinput
        make docs
          $ make docs
        tag 3333333333 as v3
          $ git tag -a --no-sign -m 'Release v3' v3 3333333333333333333333333333333333333333
        if it fails: remove the tag v3
          $ tag=v3 remote=origin
          $ ours=$(git rev-parse --verify --quiet "refs/tags/$tag") || exit 0
          $ there=$(git ls-remote "$remote" "refs/tags/$tag") || {
          $   echo "$tag isn't removed: $remote doesn't answer whether it has that tag" >&2
          $   exit 1
          $ }
          $ case $there in "$ours"*) exit 0 ;; esac
          $ git tag --delete "$tag" >/dev/null
    "#);
    assert_snapshot!(show_plan(&plan, Detail::Changes), @"
    web1  v2 (2222222222)  → v3 (3333333333) in slot a
    first: run the tests: python manage.py test --noinput
    first: make docs
    first: tag 3333333333 as v3
    when all hosts are ready: push v3 to origin
    ");
    // Tests can be left out; and where nothing changes, nothing comes first.
    let request = DeployRequest { tests: false, ..request };
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    let first = |plan: &Plan| plan.phases.first().map(|phase| phase.deployer[0].action.clone());
    assert_eq!(first(&plan), Some(DeployerAction::Hook { command: "make docs".to_owned() }));
    let there = [bare().slot("a", SlotState::Live, 3).link("a")];
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &there)).expect("a plan");
    assert!(plan.is_empty() && plan.closing.is_empty());
}

/// By `DEPLOYMENT_TYPE` an app finds its databases and caches: tests that found those of the hosts emptied them.
#[test]
fn nothing_on_the_deployer_but_hooks_finds_out_where_a_release_goes() {
    let text = |more: &str| {
        format!(
            "{more}test_runner = \"make test\"\ndeployment_type = \"LIVE\"\nenv_file = \".env\"\n\
             variables = {{ CACHE = \"live\" }}\n[hooks]\nlocal.before = \"before\"\n"
        )
    };
    let push =
        DeployerAction::PushBranch { remote: "o".into(), branch: "master".into(), commit: release(3).commit };
    let request = DeployRequest { before: vec![push], ..request(3) };
    let found = |more: &str| {
        let settings = fleet(&text(more), 1);
        let hosts = [second()];
        let plan =
            plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("nothing is wrong");
        let steps = plan.deployer_steps().filter_map(|found| match found {
            Found::OnDeployer { step, .. } => Some(&step.action),
            Found::OnHost { .. } => None,
        });
        let lines = steps.map(|action| {
            let all = plan.variables_of(action);
            let told = all.keys().filter(|name| name.starts_with("BUEDAFAB_")).count();
            format!("{action}: {} and {told} of the run\n", all["DEPLOYMENT_TYPE"])
        });
        assert_eq!(plan.variables["BUEDAFAB_DEPLOYMENT_TYPE"], "LIVE");
        assert!(!plan.variables.contains_key("CACHE"));
        lines.collect::<String>()
    };
    assert_snapshot!(found(""), @"
    run the tests: make test: SOLO and 0 of the run
    before: SOLO and 12 of the run
    push 3333333333 to master on o: SOLO and 0 of the run
    ");
    assert_snapshot!(found("local_deployment_type = \"TEST\"\n"), @"
    run the tests: make test: TEST and 0 of the run
    before: TEST and 12 of the run
    push 3333333333 to master on o: TEST and 0 of the run
    ");
    let (settings, hosts) = (fleet("", 1), [second()]);
    let request = RollbackRequest::new(URL, Schema::Refuse);
    let back = plan_rollback(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    assert_eq!(back.variables["BUEDAFAB_COMMAND"], "rollback");
}

#[test]
fn submodules_are_fetched_where_a_release_has_them() {
    let text = "forward_agent = true\nscm_known_hosts = [\"git.example.com ssh-ed25519 AAAA\"]";
    let mut request = request(3);
    request.release.submodules = true;
    let shown = deploy_as(text, &[second()], &request);
    let prepare =
        &shown[shown.find("\nprepare").expect("there is one")..shown.find("\nswitch").expect("there is one")];
    assert_snapshot!(prepare, @r#"
    prepare
      on web1
        mark a as being built for v3 (3333333333)
        fetch 3333333333 into a
        check out 3333333333 in a
        fetch the submodules of a
        keep what 3333333333 is built and run with
        mark a as ready
    "#);
}

#[test]
fn a_release_that_tells_visitors_itself_is_told_before_it_serves() {
    let settings = fleet("maintenance = \"setting\"\nservice = \"systemd:five\"", 1);
    let told = |plan: Result<Plan, Vec<Refusal>>| {
        let shown = check(plan);
        let steps =
            ["set MAINT", "switch the link", "restart", "verify", "check out", "take the lock", "note"];
        let lines = shown.lines().map(str::trim_start);
        lines.filter(|line| steps.iter().any(|step| line.starts_with(step))).collect::<Vec<_>>().join("\n")
    };
    let record = MaintenanceRecord {
        at: run(1).at,
        by: "ada@laptop".to_owned(),
        message: Some("moving".to_owned()),
        until: None,
    };
    let hosts = [second().change(|facts| facts.maintenance = Some(record))];
    assert_snapshot!(told(plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts))), @"
    note: web1: in maintenance, says ada@laptop: `maintenance off` ends it
    take the lock
    set MAINTENANCE_MODE = False in settings.py of a
    check out 3333333333 in a
    set MAINTENANCE_MODE = True in settings.py of a
    switch the link to a
    restart systemd:five
    verify that systemd:five stays up for 2 s
    note in the journal: deployed
    ");
    assert_snapshot!(told(plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen(&settings, &hosts))), @"
    note: web1: in maintenance, says ada@laptop: `maintenance off` ends it
    note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    take the lock
    set MAINTENANCE_MODE = False in settings.py of a
    verify that a holds 1111111111, unchanged
    set MAINTENANCE_MODE = True in settings.py of a
    switch the link to a
    restart systemd:five
    verify that systemd:five stays up for 2 s
    note in the journal: rolled back
    ");
    assert_snapshot!(told(plan_maintenance(&settings, &run(60), None, &seen(&settings, &hosts))), @"
    take the lock
    set MAINTENANCE_MODE = False in settings.py of b
    restart systemd:five
    note in the journal: maintenance off
    ");
    let bare = [bare()];
    assert_snapshot!(check(plan_maintenance(&settings, &run(60), None, &seen(&settings, &bare))), @"
    web1: no release is live
      hint: deploy first
    ");
}

/// A host that has nothing yet gets the packages that the others have.
#[test]
fn a_host_that_joins_takes_the_packages_of_the_others() {
    let settings = fleet("recipe = \"wsgi\"", 3);
    let with = |pin: &str| live().change(|facts| facts.pins = vec![pin.to_owned()]);
    let hosts = [bare(), with("six==1.0"), with("six==2.0")];
    let plan = plan_deploy(&settings, &run(2), &request(2), &seen(&settings, &hosts)).expect("a plan");
    let json = serde_json::to_value(&plan).expect("plain data");
    let works = json["phases"].as_array().into_iter().flatten().flat_map(|phase| phase["work"].as_array());
    let pinned = works.flatten().filter(|work| work.to_string().contains("six=="));
    let pinned: Vec<(&str, bool)> = pinned
        .map(|work| (work["host"].as_str().expect("a name"), work.to_string().contains("six==1.0")))
        .collect();
    assert_eq!(pinned, [("web1", true)]);
}

/// What of a plan is about hosts that differ in nothing but their names is told once, and what is done to each of very many.
#[test]
fn hosts_that_are_alike_are_told_together() {
    let settings = fleet("[hooks]\ncheck = \"check\"\n[health]\nhttp = \"http://localhost/\"", 6);
    let hosts = [(); 6].map(|()| bare());
    let plan = plan_deploy(&settings, &run(60), &request(1), &seen(&settings, &hosts)).expect("a plan");
    let one = fleet("[hooks]\ncheck = \"check\"\n[health]\nhttp = \"http://localhost/\"", 1);
    let alone = plan_deploy(&one, &run(60), &request(1), &seen(&one, &hosts[..1])).expect("a plan");
    let lines = |plan: &Plan| show_plan(plan, Detail::Shell).lines().count();
    // Once is on the primary alone, so the first host may be told apart there.
    assert!(lines(&plan) < lines(&alone) + 20, "{} lines beside {}", lines(&plan), lines(&alone));
    let shown = show_plan(&plan, Detail::Shell);
    assert!(shown.contains("$ export BUEDAFAB_HOST=web1   # each its own\n"), "{shown}");
    insta::assert_snapshot!(show_plan(&plan, Detail::Changes), @"  6 hosts: web1 … web6  nothing live  → v1 (1111111111) in slot a");
}

/// Where nothing of the app has changed, a host stays as it is; what isn't well there is started again.
#[test]
fn what_has_not_changed_stays() {
    let text = "skip_unless_changed = [\"backend\", \"libs\"]\nservice = \"systemd:five\"";
    let same = DeployRequest { same: vec![release(1).commit], ..request(2) };
    let first = || bare().slot("a", SlotState::Live, 1).link("a");
    let down = || {
        first().change(|facts| {
            let mut unit = UnitFacts::default();
            (unit.name, unit.is_loaded, unit.state) = ("five".to_owned(), true, "failed".to_owned());
            facts.running.units = vec![unit];
        })
    };
    let told = |hosts: &[Seen], request: &DeployRequest| {
        let settings = fleet(text, hosts.len());
        let plan = plan_deploy(&settings, &run(60), request, &seen(&settings, hosts)).expect("a plan");
        show_plan(&plan, Detail::Changes)
    };
    assert_snapshot!(told(&[first(), bare().slot("a", SlotState::Live, 3).link("a")], &same), @"
    web1  v1 (1111111111)  stays as it is
    web2  v3 (3333333333)  → v2 (2222222222) in slot b
    note: web1: nothing in backend, libs has changed since v1 (1111111111), which stays live
    ");
    assert_snapshot!(told(&[first(), first()], &same), @"
    web1  v1 (1111111111)  stays as it is
    web2  v1 (1111111111)  stays as it is
    note: web1, web2: nothing in backend, libs has changed since v1 (1111111111), which stays live
    ");
    assert_snapshot!(told(&[down(), first()], &same), @"
    note: web1: five doesn't run: it is failed; `deploy` starts it again, and so does `restart`
    note: web2: nothing in backend, libs has changed since v1 (1111111111), which stays live
    note: web1: nothing in backend, libs has changed since v1 (1111111111), which stays live, and its app is started again
    ");
    assert_snapshot!(told(&[first()], &DeployRequest { force: true, ..same.clone() }), @"  web1  v1 (1111111111)  → v2 (2222222222) in slot b");
}

/// The git server's own bound on connections needn't be met by all hosts at once.
#[test]
fn so_many_hosts_fetch_at_once_as_may() {
    let hosts = [second(), second(), second()];
    let three = deploy("", &hosts, 3);
    assert_snapshot!(difference(&three, &deploy("fetch_concurrency = 2", &hosts, 3)), @"
    lock
    + fetch, batch 1 of 2
    +   on web1, web2
    +     mark a as being built for v3 (3333333333)
    +     fetch 3333333333 into a
    + 
    + fetch, batch 2 of 2
    +   on web3
    +     mark a as being built for v3 (3333333333)
    +     fetch 3333333333 into a
    + 
    prepare
    -     mark a as being built for v3 (3333333333)
    -     fetch 3333333333 into a
    ");
    assert_eq!(three, deploy("fetch_concurrency = 3", &hosts, 3));
    // Where nothing is fetched, nobody waits.
    let bundle = deploy("source = \"bundle\"", &hosts, 3);
    assert!(!bundle.contains("batch"), "{bundle}");
    let many = deploy("", &vec![second(); 10], 3);
    let bounded = deploy("fetch_concurrency = 4", &vec![second(); 10], 3);
    let note = |plan: &str| plan.lines().find(|line| line.contains("git remote")).map(str::to_owned);
    assert_snapshot!(note(&many).expect("it is said"), @r#"  note: 10 hosts fetch from the git remote at the same time: with `source = "bundle"` only this machine does, and sends each of them what it lacks; `fetch_concurrency` lets fewer fetch at once"#);
    assert_eq!(note(&bounded), None);
    assert!(bounded.contains("fetch, batch 3 of 3"), "{bounded}");
}
