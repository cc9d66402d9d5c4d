//! What the steps that fetch, check out and prove a release do, in every shell, with real repositories.

mod building;
mod bundles;
mod checking_out;
#[path = "../common/mod.rs"]
mod common;
mod damage;
mod group;
mod in_place;
mod lfs;
mod partial;
mod removing;
mod sparse;

use buedafab_model::plan::action::{AppAction, GitAction, RecordAction};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::proven::proven;
use buedafab_model::host::record::{JournalKind, SlotState};
use buedafab_model::names::{CommitId, RunId};
use buedafab_model::plan::action::Action;
use buedafab_model::release::Release;
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use buedafab_model::shell::{quote, render_step, umask};
use insta::assert_snapshot;

use common::release;
use common::shells::{
    Place, Shell, everywhere, everywhere_in, list, plain_git, point, shells, slot, told, with_tools,
};

/// A remote with two commits on `master` and a tag, and one that is on no branch any more.
struct Remote {
    first: CommitId,
    second: CommitId,
    gone: CommitId,
}

impl Remote {
    #[track_caller]
    fn of(place: &Place) -> Remote {
        place.by_hand(
            r#"
            git init -q -b master work; cd work
            echo one >file; printf 'a\0b' >binary; mkdir package; touch package/module.py
            printf 'env/\n*.pyc\n__pycache__/\n' >.gitignore
            git add .; git commit -qm first; git tag v1; git rev-parse HEAD >../first
            git checkout -q --detach; git commit -q --allow-empty -m gone; git rev-parse HEAD >../gone
            git checkout -q master
            echo two >file; git rm -rq package; git commit -qam second; git rev-parse HEAD >../second
            git clone -q --bare "file://$PWD" ../remote.git"#,
        );
        let read = |name: &str| {
            let text = std::fs::read_to_string(place.root().join(name)).expect("it is there");
            CommitId::new(text.trim()).expect("a commit")
        };
        Remote { first: read("first"), second: read("second"), gone: read("gone") }
    }

    /// Ids as people know them here.
    fn name(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, commit) in [("FIRST", &self.first), ("SECOND", &self.second), ("GONE", &self.gone)] {
            text = text
                .replace(commit.as_str(), name)
                .replace(commit.short(), name)
                .replace(&commit.short()[..7], name);
        }
        text
    }
}

fn fetch(place: &Place, name: &str, commit: &CommitId, siblings: &[&str]) -> GitAction {
    GitAction::Fetch {
        slot: slot(name),
        commit: commit.clone(),
        url: place.root().join("remote.git").to_str().expect("UTF-8").to_owned(),
        credentials: false,
        siblings: siblings.iter().map(|name| slot(name)).collect(),
        partial: false,
        known_hosts: Vec::new(),
        lend_agent: false,
    }
}

fn checkout(name: &str, commit: &CommitId) -> GitAction {
    GitAction::Checkout {
        slot: slot(name),
        only: None,
        lfs: false,
        commit: commit.clone(),
        closed: false,
        shared: Vec::new(),
        aside: Vec::new(),
        group: None,
        in_place: false,
    }
}

fn prove(name: &str, commit: &CommitId) -> GitAction {
    GitAction::VerifyCommit { slot: slot(name), commit: commit.clone() }
}

/// What git says in a slot.
fn git(place: &Place, name: &str, arguments: &str) -> String {
    let shell = &shells()[0];
    let output = shell.run(&format!("git {arguments}"), &place.slot(name));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs an action as the user of this number in the group 20000; as who runs the tests, if that isn't root.
fn act_as(user: u32, place: &Place, action: &Action) -> String {
    run_as(user, place, &render_step(action, &place.layout, &RunId::new("r1").expect("a word")))
}

/// The same as a run of that group does it. Their logins differ.
fn act_in_group(user: u32, place: &Place, action: &Action) -> String {
    let login = if user == 10_001 { "umask 077" } else { "umask 022" };
    let step = render_step(action, &place.layout, &RunId::new("r1").expect("a word"));
    run_as(user, place, &format!("{login}\n{}{step}", umask(Some("the group"))))
}

fn run_as(user: u32, place: &Place, script: &str) -> String {
    let mut command = Command::new("sh");
    if is_root() {
        command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).args(["--regid=20000", "--clear-groups", "sh"]);
    }
    plain_git(&mut command);
    command.env("GIT_CONFIG_GLOBAL", place.root().join("gitconfig")).env("HOME", place.root());
    told(&command.args(["-c", script]).current_dir(place.root()).output().expect("it runs"), place)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().expect("it runs").stdout == b"0\n"
}

/// Marks a slot as ready, as at the end of its build, and then as one that served.
fn finish_build(place: &Place, shell: &Shell, name: &str, commit: &CommitId) {
    let release = Release { commit: commit.clone(), ..release(1) };
    for (state, optional) in [(SlotState::Ready, false), (SlotState::Live, true), (SlotState::Retired, true)]
    {
        let record = RecordAction::Record {
            slot: slot(name),
            state,
            release: release.clone(),
            former: None,
            turn: 0,
            optional,
        };
        assert_eq!(place.act(shell, &record), "0");
    }
}
