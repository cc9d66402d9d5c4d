//! One folder, in which git checks out what is deployed, where it serves.

mod common;

use buedafab_model::app::migration::UnknownMigrations;
use buedafab_model::config::parse;
use buedafab_model::host::record::{JournalKind, JournalRecord, SlotState};
use buedafab_model::host::served::served;
use buedafab_model::names::{EnvironmentName, SlotName};
use buedafab_model::plan::action::{Action, RecordAction, Schema};
use buedafab_model::plan::check::PlanRule;
use buedafab_model::plan::frame::Instruction;
use buedafab_model::plan::{HostWork, Plan};
use buedafab_model::planner::{RollbackRequest, plan_deploy, plan_rollback};
use buedafab_model::shell::{check_plan, render_step};
use buedafab_model::strategy;
use insta::assert_snapshot;

use common::{
    Seen, URL, bare, check, deploy, difference, fleet, release, request, rollback, run, second, seen,
};

const IN_PLACE: &str = "strategy = \"in-place\"\n";

/// Release 2 serves from slot a, where releases 0 and 1 were before.
fn in_place() -> Seen {
    bare().slot_with_former("a", SlotState::Live, 2, Some(1)).link("a").change(|facts| {
        facts.served = vec![release(0), release(1), release(2)];
    })
}

/// The same, where a copy of release 1 is kept.
fn with_copy() -> Seen {
    in_place().change(|facts| {
        let seen = facts.slots.values_mut().next().expect("slot a");
        seen.copies = vec![release(1).commit];
    })
}

const DJANGO: &str = "recipe = \"django\"\n[hooks]\nonce = \"tell\"\nbefore_switch = \"warm\"\n";

#[test]
fn a_deploy() {
    assert_snapshot!(deploy(&format!("{IN_PLACE}{DJANGO}"), &[with_copy()], 3), @"
    deploy v3 (3333333333)
      web1  v2 (2222222222)  → v3 (3333333333) in slot a
      note: web1: there is a moment in which neither release is complete
      note: web1: the new release is built and checked where the one before serves, once the switch has begun
      if it fails: web1 can be rolled back to v1 (1111111111), which stays whole

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        fetch 3333333333 into a
        keep a copy of a, which holds 2222222222

    switch
      on web1
        mark a as being built for v3 (3333333333)
        check out 3333333333 in a, which serves
        bring the virtualenv of a up to date
        build: python manage.py collectstatic --noinput --verbosity 0
        check: python manage.py shell -v 0 -c '# see that databases and upl …
        check: python manage.py check --deploy
        keep what 3333333333 is built and run with
        mark a as ready
        once: python manage.py migrate --check >/dev/null 2>&1 || { { pyth …
        once: tell
        before_switch: warm
        restart init:five
        if it fails: put 2222222222 back in a from its copy
        if it fails: restart init:five
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        remove older copies of a
        note in the journal: deployed
    ");
}

/// What is done once is done before any other host serves the release, as it can't be done before the first one does.
#[test]
fn the_first_host_goes_first() {
    let plan =
        deploy(&format!("{IN_PLACE}[hooks]\nonce = \"tell\"\n"), &[in_place(), in_place(), in_place()], 3);
    let phases: Vec<&str> = plan
        .lines()
        .filter(|line| {
            line.starts_with("switch")
                || line.starts_with("once")
                || line.contains("once:")
                || line.contains("on web")
        })
        .collect();
    assert_snapshot!(phases.join("\n"), @"
      on web1, web2, web3
      on web1, web2, web3
    switch, wave 1 of 2
      on web1
        once: tell
    switch, wave 2 of 2
      on web2, web3
      on web1, web2, web3
    ");
}

/// Where nothing serves in its place, another folder is filled and switched to, and every promise is kept.
#[test]
fn the_first_deploy_is_as_any_other() {
    // Nothing, and what git knows nothing of.
    for host in [bare(), live_export()] {
        let ab = deploy("", std::slice::from_ref(&host), 3);
        assert_eq!(difference(&ab, &deploy(IN_PLACE, &[host], 3)), "");
    }
}

fn live_export() -> Seen {
    second().change(|facts| facts.slots.values_mut().for_each(|seen| seen.unpacked = true))
}

#[test]
fn a_rollback() {
    assert_snapshot!(rollback(IN_PLACE, &[with_copy()]), @"
    roll back to v1 (1111111111)
      web1  v2 (2222222222)  → v1 (1111111111) in slot a
      note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
      note: web1: there is a moment in which neither release is complete

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        keep a copy of a, which holds 2222222222

    switch
      on web1
        mark a as being built for v1 (1111111111)
        put 1111111111 back in a from its copy
        mark a as ready
        restart init:five
        if it fails: put 2222222222 back in a from its copy
        if it fails: restart init:five
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        remove older copies of a
        note in the journal: rolled back
    ");
    // Nothing was kept of it but its commit.
    assert_snapshot!(difference(&rollback(IN_PLACE, &[with_copy()]), &rollback(IN_PLACE, &[in_place()])), @"
    roll back to v1 (1111111111)
    +   note: web1: v1 (1111111111) has to be built again first: another release was checked out in its place
    +   note: web1: the new release is built and checked where the one before serves, once the switch has begun
    prepare
    +     fetch 1111111111 into a
    switch
    -     put 1111111111 back in a from its copy
    +     check out 1111111111 in a, which serves
    +     keep what 1111111111 is built and run with
    ");
}

/// Migrations are asked of the older release in its copy, before anything changes; or, where there is none, once it is in its place, and of
/// the newer one in the copy that was kept of that.
#[test]
fn a_rollback_past_migrations() {
    let django = format!("{IN_PLACE}recipe = \"django\"\n");
    assert_snapshot!(difference(&rollback(IN_PLACE, &[with_copy()]), &rollback(&django, &[with_copy()])), @"
    prepare
    +     look for migrations that a doesn't know
    ");
    assert_snapshot!(difference(&rollback(IN_PLACE, &[in_place()]), &rollback(&django, &[in_place()])), @"
    switch
    +     bring the virtualenv of a up to date
    +     build: python manage.py collectstatic --noinput --verbosity 0
    +     check: python manage.py shell -v 0 -c '# see that databases and upl …
    +     check: python manage.py check --deploy
    +     look for migrations that a doesn't know
    ");
    let settings = fleet(&django, 1);
    let plan = |host: Seen, schema| {
        plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, schema), &seen(&settings, &[host]))
    };
    let folders = [in_place(), with_copy()].map(|host| {
        let asks = plan(host, Schema::Refuse).expect("a plan");
        let steps = asks.phases.iter().flat_map(|phase| &phase.work).flat_map(HostWork::steps);
        let mut asked = steps.filter(|step| step.action.to_string().starts_with("look for migrations"));
        let shell = render_step(
            &asked.next().expect("there is one").action,
            &settings.layout(&settings.hosts[0]),
            &run(60).run,
        );
        let folders: Vec<&str> =
            shell.lines().filter(|line| line.starts_with("older=") || line.starts_with("newer=")).collect();
        folders.join("\n")
    });
    assert_snapshot!(folders.join("\n"), @"
    older=/var/webapps/five/releases/a
    newer=/var/webapps/five/releases/.copies/a/2222222222222222222222222222222222222222/tree
    older=/var/webapps/five/releases/.copies/a/1111111111111111111111111111111111111111/tree
    newer=/var/webapps/five/releases/a
    ");
    // What can't be asked before anything has changed can't be shown before it is lost; what can is undone before the switch.
    assert_snapshot!(check(plan(in_place(), Schema::Reverse)), @"
    web1 can't say which migrations would be undone, and what would be lost: v1 (1111111111) has to be built first
      hint: undo them by hand first (manage -- migrate APP NAME); or leave them, where the older release can live with them: --keep-schema
    ");
    let undone = with_copy().change(|facts| {
        let these = vec![
            serde_json::from_str(r#"{"app":"five","name":"0002_more","database":"default","does":[]}"#)
                .expect("a migration"),
        ];
        facts.migrations = Some(UnknownMigrations::These(these));
    });
    assert_snapshot!(check(plan(undone, Schema::Reverse)), @"
    roll back to v1 (1111111111)
      web1  v2 (2222222222)  → v1 (1111111111) in slot a
      note: web1: what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
      note: undoing five.0002_more loses nothing
      note: v2 (2222222222) serves without these until the link has moved; if the rollback comes to nothing after they are undone, `manage -- migrate` makes their tables and columns again, empty
      note: web1: there is a moment in which neither release is complete

    lock
      on web1
        take the lock
        check that nothing changed since the look

    prepare
      on web1
        keep a copy of a, which holds 2222222222

    once
      on web1
        undo migrations that a doesn't know: five.0002_more

    switch
      on web1
        mark a as being built for v1 (1111111111)
        put 1111111111 back in a from its copy
        mark a as ready
        restart init:five
        if it fails: put 2222222222 back in a from its copy
        if it fails: restart init:five
        if it fails: note in the journal: reverted

    finish
      on web1
        mark a as live
        remove older copies of a
        note in the journal: rolled back
    ");
}

/// Where a release goes, and what can be gone back to.
#[test]
fn what_the_history_says() {
    let answers = |host: &Seen| {
        let settings = fleet(IN_PLACE, 1);
        let strategy = strategy::of(&settings);
        let to = strategy.destination(&settings, &host.0, run(60).at, &release(9));
        let targets = strategy.rollback_targets(&settings, &host.0);
        let targets: Vec<String> =
            targets.iter().map(|target| format!("{target} in {}", target.slot)).collect();
        format!("to {}; back to {}", to.slot, targets.join(", "))
    };
    let since_ab = second().change(|facts| facts.served = vec![release(0), release(1), release(2)]);
    let unconfirmed = in_place().slot_with_former("a", SlotState::Ready, 3, Some(2)).link("a");
    let lost = in_place().change(|facts| facts.served.clear());
    let others = bare().slot("x", SlotState::Live, 2).link("x").change(|facts| {
        facts.slots.values_mut().for_each(|seen| seen.record = None);
    });
    let dangling = bare().slot("b", SlotState::Retired, 1);
    let all = [
        ("nothing yet", bare()),
        ("a few", with_copy()),
        ("since slots took turns", since_ab),
        ("never confirmed", unconfirmed),
        ("the journal is lost", lost),
        ("what serves isn't ours", others),
        ("nothing serves any more", dangling),
    ];
    let all: Vec<String> = all.iter().map(|(what, host)| format!("{what}: {}", answers(host))).collect();
    assert_snapshot!(all.join("\n"), @"
    nothing yet: to a; back to 
    a few: to a; back to v1 (1111111111) in a, v0 (0000000000), built again in a
    since slots took turns: to b; back to v1 (1111111111) in a, v0 (0000000000), built again in b
    never confirmed: to a; back to v2 (2222222222), built again in a, v1 (1111111111), built again in a, v0 (0000000000), built again in a
    the journal is lost: to a; back to v1 (1111111111), built again in a
    what serves isn't ours: to a; back to 
    nothing serves any more: to a; back to v1 (1111111111) in b
    ");
}

/// The journal as it is folded: what was rolled back from never comes back by itself.
#[test]
fn what_has_served() {
    let line = |(kind, number): &(JournalKind, u8)| JournalRecord {
        at: run(1).at,
        kind: *kind,
        run: run(1).run,
        by: "ada@laptop".to_owned(),
        release: Some(release(*number)),
        from: None,
        skipped: Vec::new(),
        reason: None,
        stopped: None,
    };
    let tell = |lines: &[(JournalKind, u8)]| {
        let lines: Vec<JournalRecord> = lines.iter().map(line).collect();
        served(&lines).iter().map(|release| release.describe.clone()).collect::<Vec<String>>().join(" ")
    };
    use JournalKind::{Adopted, Deployed, Failed, Reverted, RolledBack};
    assert_eq!(tell(&[(Adopted, 0), (Deployed, 1), (Deployed, 2)]), "v0 v1 v2");
    assert_eq!(tell(&[(Deployed, 1), (Deployed, 2), (RolledBack, 1), (Deployed, 3)]), "v1 v3");
    assert_eq!(tell(&[(Deployed, 1), (Deployed, 2), (Deployed, 1)]), "v2 v1");
    assert_eq!(tell(&[(Deployed, 1), (Reverted, 2), (Failed, 2)]), "v1");
    // Its line is no longer there.
    assert_eq!(tell(&[(Deployed, 2), (RolledBack, 1)]), "v2 v1");
}

/// What a change to a plan in place breaks.
#[track_caller]
fn broken(change: impl FnOnce(&mut Vec<Instruction>, &mut Vec<Instruction>)) -> Vec<PlanRule> {
    let settings = fleet(&format!("{IN_PLACE}[hooks]\nbuild = \"make\"\n"), 1);
    let mut plan =
        plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &[with_copy()])).expect("a plan");
    let at = |plan: &Plan, name: &str| {
        plan.phases.iter().position(|phase| phase.kind.to_string() == name).expect("there is one")
    };
    let (prepare, switch) = (at(&plan, "prepare"), at(&plan, "switch"));
    let (before, after) = plan.phases.split_at_mut(switch);
    change(&mut before[prepare].work[0].frame, &mut after[0].work[0].frame);
    let mut rules: Vec<PlanRule> = check_plan(&plan).into_iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// No rule is given up: what serves is only touched once there is a way back to a copy of it, and no app is restarted that isn't ready.
#[test]
fn what_no_plan_in_place_may_hold() {
    use PlanRule::{LiveSlotTouched, Misplaced, NoWayBack, Unmarked, Unproven};
    let position = |frame: &[Instruction], text: &str| {
        let is_it = |found: &Instruction| matches!(found, Instruction::Do(step) if step.action.to_string().starts_with(text));
        frame.iter().position(is_it).unwrap_or_else(|| panic!("{text} is there"))
    };
    assert_eq!(broken(|_, _| {}), []);
    // Before the switch, or before the host is armed.
    let early = broken(|prepare, switch| {
        let at = position(switch, "check out");
        prepare.push(switch.remove(at));
    });
    assert!([LiveSlotTouched, Misplaced].iter().all(|rule| early.contains(rule)), "{early:?}");
    let unarmed = broken(|_, switch| {
        let at = position(switch, "mark a as being built");
        switch.swap(at, at - 1);
    });
    assert_eq!(unarmed, [LiveSlotTouched]);
    // Without a copy, or with that of another release.
    let forget = |frame: &mut Vec<Instruction>| drop(frame.remove(position(frame, "keep a copy")));
    assert_eq!(broken(|prepare, _| forget(prepare)), [NoWayBack]);
    let other = broken(|prepare, _| {
        let at = position(prepare, "keep a copy");
        if let Instruction::Do(step) = &mut prepare[at] {
            let slot = SlotName::new("a").expect("a slot");
            step.action = RecordAction::KeepCopy { slot, commit: release(7).commit }.into();
        }
    });
    assert_eq!(other, [NoWayBack]);
    let no_record = broken(|_, switch| {
        let arm = switch.iter_mut().find_map(|instruction| match instruction {
            Instruction::Arm(arm) => Some(arm),
            _ => None,
        });
        let first = &mut arm.expect("it is armed").way_back[0];
        if let Action::Record(RecordAction::PutBack { record, .. }) = &mut first.action {
            *record = false;
        }
    });
    assert_eq!(no_record, [NoWayBack]);
    // Restarted half-made.
    let unready = broken(|_, switch| {
        let at = position(switch, "restart");
        let restart = switch.remove(at);
        let at = position(switch, "build");
        switch.insert(at, restart);
    });
    assert_eq!(unready, [Unmarked]);
    assert!(broken(|_, switch| drop(switch.remove(position(switch, "check out")))).contains(&Unproven));
}

/// What an archive holds git can't check out; and there is one folder.
#[test]
fn what_goes_together() {
    let mistakes = |text: &str| {
        let production = EnvironmentName::new("production").expect("a word");
        let text = format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [\"web1\"]\n");
        match parse("buedafab.toml", &text).and_then(|file| file.settings(&production)) {
            Ok(settings) => {
                let slots: Vec<&str> = settings.layout.release_paths.iter().map(SlotName::as_str).collect();
                format!("ok: {}", slots.join(" "))
            }
            Err(mistakes) => mistakes.to_string(),
        }
    };
    let all = [
        "",
        "source = \"bundle\"",
        "source = \"archive\"",
        "release_paths = [\"app\"]",
        "release_paths = [\"a\", \"b\"]",
        "keep = 3",
    ];
    let all = all.map(|more| mistakes(&format!("{IN_PLACE}{more}")));
    assert_snapshot!(all.join("\n"), @r#"
    ok: a
    ok: a
    error: with the strategy "in-place" git checks out what is deployed, and an
           archive has none of it
     --> buedafab.toml:3:10
      |
    3 | source = "archive"
      |          ^^^^^^^^^
      |
      = help: choose the source "bundle", which needs no git server either, or the
              strategy "ab"
    ok: app
    error: with the strategy "in-place" there is one folder
     --> buedafab.toml:3:17
      |
    3 | release_paths = ["a", "b"]
      |                 ^^^^^^^^^^
      |
      = help: name it alone, `["a"]`, or take `release_paths` out
    error: with the strategy "in-place" there is one folder
     --> buedafab.toml:3:8
      |
    3 | keep = 3
      |        ^
      |
      = help: take it out, or choose the strategy "timestamp" or "revision"
    "#);
}
