//! What the app has written into a release is found before a deploy would lose it.

mod common;

use buedafab_model::config::Settings;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::record::SlotState;
use buedafab_model::host::written::Written;
use buedafab_model::plan::action::{Action, GitAction, RecordAction, Schema};
use buedafab_model::planner::{DeployRequest, RollbackRequest, look_script, plan_deploy, plan_rollback};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;
use jiff::Timestamp;

use common::shells::{Place, Shell, everywhere, slot};
use common::{URL, assert_sound, check, fleet, release, request, run, second, seen, settings};

fn record(state: SlotState, optional: bool) -> RecordAction {
    RecordAction::Record { slot: slot("a"), state, release: release(1), former: None, turn: 0, optional }
}

/// What a look finds, with the settings of an app in this place.
fn look(shell: &Shell, place: &Place, top: &str) -> String {
    let settings: Settings = settings(&format!(
        "unit = \"five\"\npath = \"{}\"\n{top}\n[environments.production]\nhosts = [\"web1\"]\n",
        place.layout.path
    ));
    let script = look_script(&settings, &settings.hosts[0], Scope::Plan);
    let output = shell.run(&script, &place.root());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", shell.name);
    let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("it is a look");
    let written = &facts.slots["a"].written;
    written.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_is_newer_than_a_release_was_written_by_the_app() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            "mkdir five/releases/a; cd five/releases/a; git init -q; mkdir code; echo 1 >code/x.py; echo '*.sqlite3' >.gitignore
            git add .; git commit -qm first; mkdir dist env; echo built >dist/x; ln -s a ../current",
        );
        assert_eq!(place.act(shell, &record(SlotState::Ready, false)), "0");
        // What comes in the same instant is no newer.
        place.by_hand("touch -d '1 minute ago' five/.buedafab/slots/a.filled five/releases/a/dist/x five/releases/a/code/x.py");
        let mut found = vec![look(shell, place, "")];
        place.by_hand(
            "cd five/releases/a; mkdir -p media/2026 code/__pycache__ env/lib run; echo 1 >media/2026/a.jpg; echo 2 >'media/b c.jpg'
            echo 3 >db.sqlite3; echo 4 >>code/x.py; echo 5 >code/note; echo 6 >code/__pycache__/x.pyc; echo 7 >env/lib/y; echo 8 >web.pid
            echo 9 >web.log; touch empty; mkfifo run/socket; ln -s /etc/hostname link; echo >dist/x",
        );
        found.push(look(shell, place, ""));
        found.push(look(shell, place, "scratch_files = [\"*.log\", \"media/2026/*\", \"*.pid\"]"));
        // A release that is live, or gone back from, has lost nothing of it yet.
        assert_eq!(place.act(shell, &record(SlotState::Live, true)), "0");
        assert_eq!(place.act(shell, &record(SlotState::Ready, true)), "0");
        found.push(look(shell, place, ""));
        assert_eq!(place.act(shell, &RecordAction::DropWritten { slot: slot("a") }), "0");
        place.by_hand("touch -d '1 minute' five/.buedafab/slots/a.filled");
        found.push(look(shell, place, ""));
        // A host of a version that didn't note the time.
        place.by_hand("cd five; rm .buedafab/slots/a.filled; touch -d '1 minute ago' .buedafab/slots/a.json");
        found.push(look(shell, place, ""));
        found.join("\n")
    });
    assert_snapshot!(found, @"
    code/note, db.sqlite3 (a database), dist/ (1 file), media/ (2 files), web.log
    code/note, db.sqlite3 (a database), dist/ (1 file), media/ (1 file)
    code/note, db.sqlite3 (a database), dist/ (1 file), media/ (2 files), web.log

    code/note, db.sqlite3 (a database), dist/ (1 file), media/ (2 files), web.log
    ");
}

/// A deploy is refused with what to share; who says that it may be lost is asked no second time.
#[test]
fn a_deploy_would_lose_it() {
    let written = || {
        second().change(|facts| {
            let live = facts.live_slot().expect("one serves").clone();
            let written = |path: &str, files| Written { path: path.to_owned(), files };
            let seen = facts.slots.get_mut(&live).expect("it is there");
            seen.written = vec![written("code/db.sqlite3", 1), written("media/", 50)];
        })
    };
    let settings = fleet("service = \"none\"", 1);
    let hosts = [written()];
    let seen = seen(&settings, &hosts);
    assert_snapshot!(check(plan_deploy(&settings, &run(60), &request(3), &seen)), @r#"
    web1: the app wrote into slot b what deploys would lose: code/db.sqlite3 (a database), media/ (50 files or more)
      hint: share it: shared_files = ["code/db.sqlite3"], shared_dirs = ["media"], and on that host: mkdir -p /var/webapps/five/shared/code && mv /var/webapps/five/releases/b/code/db.sqlite3 /var/webapps/five/shared/code/db.sqlite3 && ln -s /var/webapps/five/shared/code/db.sqlite3 /var/webapps/five/releases/b/code/db.sqlite3; mv /var/webapps/five/releases/b/media /var/webapps/five/shared/media && ln -s /var/webapps/five/shared/media /var/webapps/five/releases/b/media; or name it in `scratch_files`; or `deploy --drop-written`
    "#);
    let dropped = DeployRequest { drop_written: true, ..request(3) };
    let plan = plan_deploy(&settings, &run(60), &dropped, &seen).expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Steps);
    let shown: Vec<&str> = shown.lines().skip_while(|line| *line != "finish").collect();
    assert_snapshot!(shown.join("\n"), @"
    finish
      on web1
        mark a as live
        keep b for a rollback to v2 (2222222222)
        note that what was written into b may be lost
        note in the journal: deployed
    ");
    let back = plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen);
    let back = back.expect("nothing stops a rollback");
    assert_sound(&back);
    let notes: Vec<&str> = back.notes.iter().map(|note| note.text.as_str()).collect();
    assert_snapshot!(notes.join("\n"), @"
    the app wrote into slot b what deploys would lose: code/db.sqlite3 (a database), media/ (50 files or more)
    what v1 (1111111111) was prepared with wasn't kept: the commands of today's configuration are used
    ");
}

/// A rollback asks nobody, and a release that failed isn't asked about: where a slot is filled again, what was written there is
/// set aside.
#[test]
fn a_slot_that_is_filled_again_loses_nothing() {
    let settings = fleet("service = \"none\"", 1);
    let hosts = [second().slot_with_former("a", SlotState::Failed, 3, Some(1)).change(|facts| {
        let seen = facts.slots.get_mut("a").expect("it is there");
        seen.written = vec![Written { path: "media/".to_owned(), files: 2 }];
    })];
    let seen = seen(&settings, &hosts);
    let back = plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen);
    for plan in [back, plan_deploy(&settings, &run(60), &request(4), &seen)] {
        let plan = plan.expect("nothing stops it");
        assert_sound(&plan);
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        let aside = steps.filter_map(|step| match &step.action {
            Action::Git(GitAction::Checkout { aside, .. }) => Some(aside.clone()),
            _ => None,
        });
        assert_eq!(aside.collect::<Vec<_>>(), [["media".to_owned()]]);
    }
}
