//! Which releases a tree holds that another tool made, or a person: as real shells see it, what is decided about it, and what is
//! written down.

mod common;

use buedafab_model::config::{Settings, StrategyName};
use buedafab_model::host::facts::HostFacts;
use buedafab_model::plan::action::{Action, GitAction, RecordAction};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Note, Plan};
use buedafab_model::planner::{
    RunContext, SeenHost, plan_adopt, plan_migrate_layout, plan_put_layout_back, plan_unadopt,
};
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::render_step;
use insta::assert_snapshot;

use common::shells::{Place, Shell, list, shells, slot, told};
use common::{URL, assert_sound, run, settings};

/// A tree of Capistrano's: a mirror, exports of commits, and a link to one of them. The deploy of the second never came to its end, and
/// nobody knows what the first is.
const CAPISTRANO: &str = r#"
git init -q --bare five/repo; git init -q work; cd work
commit() { echo "$1" >version; git add .; git commit -qm "$1"; }
export_to() { mkdir -p ../five/releases/$1; git archive HEAD | tar -x -C ../five/releases/$1; git rev-parse HEAD >../five/releases/$1/REVISION
  touch -d "$2 hours ago" ../five/releases/$1/REVISION; }
commit 1; git tag v0.1.0; export_to 20261125100000 5
commit 2; export_to 20261126100000 4
commit 3; git tag v0.2.0; export_to 20261127100000 3
commit 4; export_to 20261127110000 2
git push -q ../five/repo HEAD:refs/heads/main --tags; cd ../five
mkdir releases/20261124100000 shared; echo x >releases/20261124100000/x
ln -s "$PWD/releases/20261127100000" current
echo "Branch main (at 1) deployed as release 20261125100000 by ada
Branch main (at 3) deployed as release 20261127100000 by ada" >revisions.log
"#;

/// One of Deployer's: releases have numbers, of which the last was gone back from.
const DEPLOYER: &str = r#"
git init -q --bare five/.dep/repo; git init -q work; cd work
for number in 8 9 10 11; do
  echo $number >version; git add .; git commit -qm $number; mkdir -p ../five/releases/$number
  git archive HEAD | tar -x -C ../five/releases/$number; git rev-parse HEAD >../five/releases/$number/REVISION
  echo "{\"created_at\":\"2026\",\"release_name\":\"$number\",\"user\":\"ada\",\"target\":\"main\"}" >>../five/.dep/releases_log
done
git push -q ../five/.dep/repo HEAD:refs/heads/main; cd ../five; mkdir shared
touch releases/9/BAD_RELEASE; ln -s releases/10 current
"#;

/// One of buedafab's on Fabric: two clones that take turns, and the link among them.
const FABRIC: &str = r#"
git init -q work; cd work; echo 1 >version; git add .; git commit -qm 1; git tag v0.1.0; mkdir -p ../five/releases
git clone -q . ../five/releases/b; echo 2 >version; git commit -qam 2; git tag v0.2.0; git clone -q . ../five/releases/a
cd ../five/releases; git -C a checkout -q --detach; git -C b checkout -q --detach
touch -d '3 hours ago' b/.git/HEAD; touch -d '2 hours ago' a/.git/HEAD; ln -s "$PWD/a" current
"#;

fn settings_of(place: &Place, top: &str) -> Settings {
    let path = &place.layout.path;
    settings(&format!(
        "unit = \"five\"\npath = \"{path}\"\n{top}\n[environments.production]\nhosts = [\"web1\"]\n"
    ))
}

/// What a command does with a tree.
type Command = fn(&Settings, &RunContext, &[SeenHost<'_>]) -> Result<Plan, Vec<Refusal>>;

const ADOPT: Command = |settings, run, hosts| plan_adopt(settings, run, Some(URL), hosts);
const MIGRATE: Command =
    |settings, run, hosts| plan_migrate_layout(settings, run, Some(URL), StrategyName::Revision, hosts);

const UNADOPT: Command = plan_unadopt;
const PUT_BACK: Command = plan_put_layout_back;

fn planned(
    place: &Place,
    shell: &Shell,
    top: &str,
    command: Command,
    number: u32,
) -> Result<Plan, Vec<Refusal>> {
    let settings = settings_of(place, top);
    let facts: HostFacts = place.look(shell, Scope::Tree);
    command(&settings, &run(number), &[SeenHost { host: &settings.hosts[0], facts: &facts }])
}

/// What a plan says, and does.
fn describe(place: &Place, planned: &Result<Plan, Vec<Refusal>>) -> String {
    let mut lines = Vec::new();
    match planned {
        Err(refusals) => {
            for refusal in refusals {
                lines.push(format!("refused: {refusal}\n  help: {}", refusal.hint().unwrap_or_default()));
            }
        }
        Ok(plan) => {
            assert_sound(plan);
            lines.extend(plan.notes.iter().map(|Note { text, .. }| format!("- {text}")));
            let work = plan.phases.iter().flat_map(|phase| &phase.work);
            lines.extend(work.flat_map(|work| work.steps()).map(|step| format!("{}", step.action)));
        }
    }
    lines.join("\n").replace(place.root().to_str().expect("UTF-8"), "ROOT")
}

/// Does what a plan says, but for the lock.
#[track_caller]
fn carry_out(place: &Place, shell: &Shell, planned: &Result<Plan, Vec<Refusal>>) {
    let plan = planned.as_ref().expect("nothing speaks against it");
    for step in plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps()) {
        if matches!(step.action, Action::Record(RecordAction::Lock { .. })) {
            continue;
        }
        let done = shell.run(&render_step(&step.action, &place.layout, &plan.run), &place.root());
        assert_eq!(told(&done, place), "0", "{}: {}", shell.name, step.action);
    }
}

/// Does the same in a tree with every shell; all have to come to the same.
#[track_caller]
fn everywhere(tree: &str, work: impl Fn(&Shell, &Place) -> String) -> String {
    let found = shells().map(|shell| {
        let place = Place::new("five");
        place.by_hand(tree);
        (work(&shell, &place), shell.name)
    });
    for (other, name) in &found[1..] {
        assert_eq!(*other, found[0].0, "{name}");
    }
    let [(found, _), ..] = found;
    found
}

/// What is adopted there; what is written down then is all that there is to know.
#[track_caller]
fn adopted(tree: &str) -> String {
    everywhere(tree, |shell, place| {
        let found = planned(place, shell, "", ADOPT, 7);
        let told = describe(place, &found);
        carry_out(place, shell, &found);
        let again = planned(place, shell, "", ADOPT, 8).expect("nothing speaks against it");
        assert!(again.is_empty(), "{:?}", again.notes);
        told
    })
}

#[test]
fn a_tree_of_capistrano() {
    assert_snapshot!(adopted(CAPISTRANO), @"
    - 20261127100000: v0.2.0 (5a281f10d1) serves; without git, it can only be used as it is
    - 20261125100000: v0.1.0 (97d5bea0a7) can be gone back to; without git, it can only be used as it is
    - 20261124100000 is left alone: nothing in it says which commit it holds: it is no clone, and has no REVISION
    - 20261126100000 is left alone: revisions.log doesn't know it: its deploy never came to its end
    - 20261127110000 is left alone: it is newer than what serves: it was gone back from, or never served
    create the app's folders
    take the lock
    check that nothing changed since the look
    write down that the tree is adopted
    write down that 20261125100000 holds v0.1.0 (97d5bea0a7), for a rollback
    write down that 20261127100000 holds v0.2.0 (5a281f10d1), which serves
    note which hosts there are
    note in the journal: adopted
    ");
}

#[test]
fn a_tree_of_deployer() {
    assert_snapshot!(adopted(DEPLOYER), @"
    - 10: d00f123bae serves; without git, it can only be used as it is
    - 8: 8460c0edfd can be gone back to; without git, it can only be used as it is
    - 11 is left alone: it is newer than what serves: it was gone back from, or never served
    - 9 is left alone: the tool that made it has marked it as bad
    create the app's folders
    take the lock
    check that nothing changed since the look
    write down that the tree is adopted
    write down that 8 holds 8460c0edfd, for a rollback
    write down that 10 holds d00f123bae, which serves
    note which hosts there are
    note in the journal: adopted
    ");
}

#[test]
fn a_tree_of_buedafab_on_fabric() {
    assert_snapshot!(adopted(FABRIC), @"
    - a: v0.2.0 (09f028ba3b) serves
    - b: v0.1.0 (97d5bea0a7) can be gone back to
    create the app's folders
    take the lock
    check that nothing changed since the look
    write down that the tree is adopted
    write down that b holds v0.1.0 (97d5bea0a7), for a rollback
    write down that a holds v0.2.0 (09f028ba3b), which serves
    note which hosts there are
    note in the journal: adopted
    ");
}

/// What a tool has linked by its own settings, these have to name.
#[test]
fn what_releases_share_is_told_unless_it_is_named() {
    let linked = format!(
        "{CAPISTRANO}
        mkdir -p shared/log shared/config; touch shared/config/database.yml shared/log/x; cd releases/20261127100000; mkdir config
        ln -s \"$OLDPWD/shared/config/database.yml\" config/database.yml; ln -s ../../shared/log log; ln -s version same"
    );
    let notes = |top: &str, command: Command| {
        everywhere(&linked, |shell, place| {
            let told = describe(place, &planned(place, shell, top, command, 7));
            let of_shared = told.lines().filter(|line| line.contains("shared"));
            of_shared.collect::<Vec<_>>().join("\n")
        })
    };
    assert_snapshot!(notes("", ADOPT), @"- what serves has config/database.yml, log from ROOT/five/shared, and the next release won't: name them in `shared_files` and `shared_dirs`");
    assert_eq!(notes("", MIGRATE), notes("", ADOPT));
    assert_snapshot!(notes("shared_files = ['config/database.yml']", MIGRATE), @"- what serves has log from ROOT/five/shared, and the next release won't: name them in `shared_files` and `shared_dirs`");
    assert_eq!(notes("shared_dirs = ['config', 'log']", MIGRATE), "");
    // Where the link leads out of the tree, nobody looks.
    let elsewhere = everywhere(
        &format!(
            "{CAPISTRANO} touch shared/x; ln -s \"$PWD/shared/x\" \"$OLDPWD\"; ln -sfn \"$OLDPWD\" current"
        ),
        |shell, place| place.look(shell, Scope::Tree).tree.shared.join(" "),
    );
    assert_eq!(elsewhere, "");
}

#[test]
fn trees_that_cant_be_adopted() {
    let refused = |by_hand: &str| {
        let tree = format!("{CAPISTRANO}\n{by_hand}");
        everywhere(&tree, |shell, place| describe(place, &planned(place, shell, "", ADOPT, 7)))
    };
    let cases = [
        "rm releases/20261127100000/REVISION",
        "rm -r repo; echo 97d5bea >releases/20261127100000/REVISION",
        "rm current",
        "ln -sfn /tmp current",
        "ln -s 20261125100000 releases/current",
        "rm current; ln -s gone releases/current",
    ];
    let told = cases.map(|case| format!("{case}\n{}", refused(case)));
    assert_snapshot!(told.join("\n"), @r#"
    rm releases/20261127100000/REVISION
    refused: web1: what serves is 20261127100000, and nothing in it says which commit it holds: it is no clone, and has no REVISION
      help: if you know it, write its full id down: echo COMMIT >ROOT/five/releases/20261127100000/REVISION
    rm -r repo; echo 97d5bea >releases/20261127100000/REVISION
    refused: web1: what serves is 20261127100000, and its REVISION says only 97d5bea, which no clone there knows
      help: if you know it, write its full id down: echo COMMIT >ROOT/five/releases/20261127100000/REVISION
    rm current
    refused: web1: neither ROOT/five/current nor ROOT/five/releases/current leads to a folder in ROOT/five/releases: nothing serves
      help: `path` and `releases_root` in buedafab.toml say where releases are looked for; where nothing serves, there is nothing to adopt, and `deploy` begins anew
    ln -sfn /tmp current
    refused: web1: ROOT/five/current leads to "/tmp", which is no folder in ROOT/five/releases
      help: `path` and `releases_root` in buedafab.toml say where releases are looked for; where nothing serves, there is nothing to adopt, and `deploy` begins anew
    ln -s 20261125100000 releases/current
    refused: web1: ROOT/five/current leads to 20261127100000, and ROOT/five/releases/current to 20261125100000: which of them serves can't be known
      help: remove the one that nobody reads through: rm ROOT/five/current, or rm ROOT/five/releases/current
    rm current; ln -s gone releases/current
    refused: web1: ROOT/five/releases/current leads to "gone", which is no folder in ROOT/five/releases
      help: `path` and `releases_root` in buedafab.toml say where releases are looked for; where nothing serves, there is nothing to adopt, and `deploy` begins anew
    "#);
}

/// A tool that is used on after its tree was adopted is caught up with; and what it went back from is no more offered.
#[test]
fn a_tree_that_its_tool_goes_on_with() {
    let told = everywhere(CAPISTRANO, |shell, place| {
        carry_out(place, shell, &planned(place, shell, "", ADOPT, 7));
        place.by_hand(
            "cd five; ln -sfn \"$PWD/releases/20261127110000\" current
            echo 'Branch main (at 4) deployed as release 20261127110000 by ada' >>revisions.log",
        );
        let forward = planned(place, shell, "", ADOPT, 8);
        carry_out(place, shell, &forward);
        place.by_hand(
            "cd five; ln -sfn \"$PWD/releases/20261125100000\" current
            echo 'ada rolled back to release 20261125100000' >>revisions.log",
        );
        let back = planned(place, shell, "", ADOPT, 9);
        carry_out(place, shell, &back);
        let undone = planned(place, shell, "", UNADOPT, 10);
        carry_out(place, shell, &undone);
        let left = list(&place.memory().join("slots"));
        format!(
            "{}\n\n{}\n\n{}\nleft: {left}",
            describe(place, &forward),
            describe(place, &back),
            describe(place, &undone)
        )
    });
    assert_snapshot!(told, @"
    - 20261127110000: v0.2.0-1-gb2712fe serves; without git, it can only be used as it is
    - 20261127100000: v0.2.0 (5a281f10d1) can be gone back to; without git, it can only be used as it is
    - 20261125100000: v0.1.0 (97d5bea0a7) can be gone back to; without git, it can only be used as it is
    - 20261124100000 is left alone: nothing in it says which commit it holds: it is no clone, and has no REVISION
    - 20261126100000 is left alone: revisions.log doesn't know it: its deploy never came to its end
    take the lock
    check that nothing changed since the look
    write down that the tree is adopted
    write down that 20261125100000 holds v0.1.0 (97d5bea0a7), for a rollback
    write down that 20261127100000 holds v0.2.0 (5a281f10d1), for a rollback
    write down that 20261127110000 holds v0.2.0-1-gb2712fe, which serves
    note which hosts there are
    note in the journal: adopted

    - 20261125100000: v0.1.0 (97d5bea0a7) serves; without git, it can only be used as it is
    - 20261124100000 is left alone: nothing in it says which commit it holds: it is no clone, and has no REVISION
    - 20261126100000 is left alone: it is newer than what serves: it was gone back from, or never served
    - 20261127100000 is left alone: it is newer than what serves: it was gone back from, or never served
    - 20261127110000 is left alone: it is newer than what serves: it was gone back from, or never served
    take the lock
    check that nothing changed since the look
    forget what is known of 20261127100000, 20261127110000
    write down that the tree is adopted
    write down that 20261125100000 holds v0.1.0 (97d5bea0a7), which serves
    note which hosts there are
    note in the journal: adopted

    take the lock
    check that nothing changed since the look
    forget what was adopted
    note in the journal: adoption undone
    left:
    ");
}

/// Web servers read through the tool's link all the time.
#[test]
fn the_other_link_follows_ours_and_is_put_back() {
    let told = everywhere(CAPISTRANO, |shell, place| {
        let links = || {
            let read =
                place.by_hand("cd five; cat current/version; readlink current releases/current || true");
            read.replace(place.root().to_str().expect("UTF-8"), "ROOT").replace('\n', " ")
        };
        let migrated = planned(place, shell, "strategy = \"timestamp\"\nkeep = 2", MIGRATE, 7);
        carry_out(place, shell, &migrated);
        let mut told = vec![describe(place, &migrated), links()];
        let again = planned(place, shell, "", MIGRATE, 8);
        told.extend([describe(place, &again), describe(place, &planned(place, shell, "", UNADOPT, 8))]);
        let back = planned(place, shell, "", PUT_BACK, 9);
        carry_out(place, shell, &back);
        told.extend([describe(place, &back), links()]);
        carry_out(place, shell, &planned(place, shell, "", MIGRATE, 10));
        carry_out(place, shell, &planned(place, shell, "", PUT_BACK, 11));
        carry_out(place, shell, &planned(place, shell, "", UNADOPT, 12));
        told.extend([links(), list(&place.releases())]);
        told.join("\n\n")
    });
    assert_snapshot!(told, @r#"
    - 20261127100000: v0.2.0 (5a281f10d1) serves; without git, it can only be used as it is
    - 20261125100000: v0.1.0 (97d5bea0a7) can be gone back to; without git, it can only be used as it is
    - 20261124100000 is left alone: nothing in it says which commit it holds: it is no clone, and has no REVISION
    - 20261126100000 is left alone: revisions.log doesn't know it: its deploy never came to its end
    - 20261127110000 is left alone: it is newer than what serves: it was gone back from, or never served
    - ROOT/five/current will lead to ROOT/five/releases/current, and that to 20261127100000: who reads through it sees the same, and what is deployed from now on
    - the next deploy goes to a folder that is called by its time, such as 20261105T000700Z
    - the next deploy removes, as more than `keep`: 20261125100000
    create the app's folders
    take the lock
    check that nothing changed since the look
    write down that the tree is adopted
    write down that 20261125100000 holds v0.1.0 (97d5bea0a7), for a rollback
    write down that 20261127100000 holds v0.2.0 (5a281f10d1), which serves
    note which hosts there are
    note in the journal: adopted
    write down that the other link leads to ROOT/five/releases/20261127100000
    make the link lead to 20261127100000, and the other link follow it
    note in the journal: layout migrated
    take away the link previous

    3 releases/current 20261127100000 

    - the next deploy goes to slot a
    - stays, and can be gone back to: v0.1.0 (97d5bea0a7) (20261125100000)
    - no deploy removes: ROOT/five/releases/20261125100000, ROOT/five/releases/20261127100000; do it by hand when you need none of them any more
    take the lock
    check that nothing changed since the look
    take away the link previous

    refused: web1: ROOT/five/current follows ROOT/five/releases/current already
      help: put it back first: migrate-layout --undo

    - ROOT/five/current will lead to "ROOT/five/releases/20261127100000" again
    take the lock
    check that nothing changed since the look
    make the other link lead to ROOT/five/releases/20261127100000 again, and remove the link
    write down that the tree is adopted
    note in the journal: layout put back

    3 ROOT/five/releases/20261127100000 

    3 ROOT/five/releases/20261127100000 

    20261124100000/ 20261125100000/ 20261126100000/ 20261127100000/ 20261127110000/
    "#);
}

/// Of what another tool exported git knows nothing: it is as it was as long as nobody changed a file of its commit.
#[test]
fn an_export_is_proven_by_what_was_written_down() {
    let told = everywhere(CAPISTRANO, |shell, place| {
        carry_out(place, shell, &planned(place, shell, "", ADOPT, 7));
        let facts = place.look(shell, Scope::Back);
        let seen = &facts.slots["20261125100000"];
        assert!(seen.damaged.is_none() && !seen.is_of_others && !seen.is_clone(), "{seen:?}");
        let commit = seen.commit.clone().expect("it says so");
        let verify: Action = GitAction::VerifyCommit { slot: slot("20261125100000"), commit }.into();
        let after = |by_hand: &str| {
            place.by_hand(&format!("cd five/releases/20261125100000; {by_hand}"));
            format!("{by_hand}: {}", place.act(shell, &verify))
        };
        [
            after("touch -d '1 minute ago' ../../.buedafab/slots/*.filled"),
            after("mkdir tmp; echo 1 >tmp/cache"),
            after("echo changed >version"),
            after("touch -d '1 hour ago' version; echo 1111111 >REVISION"),
            after("rm REVISION"),
        ]
        .join("\n")
    });
    assert_snapshot!(told, @"
    touch -d '1 minute ago' ../../.buedafab/slots/*.filled: 0
    mkdir tmp; echo 1 >tmp/cache: 0
    echo changed >version: 1: 20261125100000 is no longer as it was when it was adopted; files of 97d5bea0a7 that were changed since:
    version
    touch -d '1 hour ago' version; echo 1111111 >REVISION: 1: 20261125100000 says that it holds 1111111, and not 97d5bea0a7
    rm REVISION: 1: fatal: not a git repository (or any of the parent directories): .git
    20261125100000 no longer holds exactly 97d5bea0a7:
    fatal: not a git repository (or any of the parent directories): .git
    ");
}
