//! Plans that switch nothing.

use super::*;

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

/// Others are told of what a plan says it is, however it is titled.
#[test]
fn what_others_are_told_of_stands_in_the_plan() {
    let settings = fleet("", 2);
    let hosts: Vec<_> = settings.hosts.iter().collect();
    let pending = PendingSwitch { at: run(7).at, run: run(7).run, from: None, to: None };
    let Seen(second_facts) = second();
    let cut_short = Seen(HostFacts { pending: Some(pending), ..second_facts });
    let facts = [second(), cut_short];
    let seen = seen(&settings, &facts);
    let plans = [
        ("hold", plan_hold(&settings, &run(60), "lunch", &hosts, &[])),
        ("unhold", plan_unhold(&settings, &run(60), &hosts, &[])),
        ("maintenance", plan_maintenance(&settings, &run(60), None, &seen).expect("a plan")),
        ("recover", plan_recover(&settings, &run(60), &seen).expect("a plan").expect("something is pending")),
        ("run", plan_run(&settings, &run(60), "recover", &hosts)),
    ];
    let told = plans.map(|(name, plan)| format!("{name}: {:?}", plan.work));
    assert_snapshot!(told.join("\n"), @"
    hold: Some(Hold)
    unhold: Some(Hold)
    maintenance: Some(Maintenance)
    recover: Some(Recover)
    run: None
    ");
}
