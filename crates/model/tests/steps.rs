//! The shell of every action, run by real shells in a real folder, with a real git.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use buedafab_model::action::{Action, HookPoint, Surroundings};
use buedafab_model::config::{RunAs, Service};
use buedafab_model::inspect::Scope;
use buedafab_model::names::{CommitId, HostPath, RunId, SlotName};
use buedafab_model::record::{Hold, JournalKind, JournalRecord, SlotRecord, SlotState};
use buedafab_model::service_file::{FilesOf, ReleasedServiceFile, ServiceFile, ServiceFileKind};
use buedafab_model::shell::render_step;
use insta::assert_snapshot;

use common::release;
use common::shells::{Place, Shell, plain_git, shells, told};

fn slot(name: &str) -> SlotName {
    SlotName::new(name).expect("a slot")
}

fn point(target: &str) -> Action {
    Action::Point { target: Some(target.to_owned()) }
}

/// Does the same with every shell, each in a place of its own; all have to come to the same.
#[track_caller]
fn everywhere(work: impl Fn(&Shell, &Place) -> String) -> String {
    everywhere_in("five", work)
}

#[track_caller]
fn everywhere_in(name: &str, work: impl Fn(&Shell, &Place) -> String) -> String {
    let found = shells().map(|shell| (work(&shell, &Place::with_room(name)), shell.name));
    for (other, name) in &found[1..] {
        assert_eq!(*other, found[0].0, "{name}");
    }
    let [(found, _), ..] = found;
    found
}

/// Names and contents of what lies in a folder, links with where they lead.
fn list(folder: &Path) -> String {
    let mut lines: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            match std::fs::read_link(entry.path()) {
                Ok(target) => format!("{name} -> {}", target.display()),
                Err(_) if entry.path().is_dir() => format!("{name}/"),
                Err(_) => name,
            }
        })
        .collect();
    lines.sort();
    lines.join(" ")
}

// ---- the link ----

#[test]
fn the_link_is_pointed() {
    let found = everywhere(|shell, place| {
        place.by_hand("mkdir five/releases/a five/releases/b");
        let mut found = String::new();
        let mut act = |what: &str, action: &Action| {
            let _ = writeln!(found, "{what}: {}, {}", place.act(shell, action), list(&place.releases()));
        };
        act("over nothing", &point("a"));
        act("over a link", &point("b"));
        act("again", &point("b"));
        place.by_hand("ln -s a five/releases/current.r1.new");
        act("with what a crash left", &point("a"));
        act("at nothing", &point("gone"));
        act("over a dangling link", &point("a"));
        act("at a path", &point("/srv/old"));
        act("away", &Action::Point { target: None });
        act("away again", &Action::Point { target: None });
        found
    });
    assert_snapshot!(found, @r#"
    over nothing: 0, a/ b/ current -> a
    over a link: 0, a/ b/ current -> b
    again: 0, a/ b/ current -> b
    with what a crash left: 0, a/ b/ current -> a
    at nothing: 0, a/ b/ current -> gone
    over a dangling link: 0, a/ b/ current -> a
    at a path: 0, a/ b/ current -> /srv/old
    away: 0, a/ b/
    away again: 0, a/ b/
    "#);
}

#[test]
fn a_folder_is_never_replaced_by_the_link() {
    let found = everywhere(|shell, place| {
        place.by_hand("mkdir five/releases/a five/releases/current; touch five/releases/current/file");
        let told = place.act(shell, &point("a"));
        format!("{told}\n{}\n{}", list(&place.releases()), list(&place.current()))
    });
    assert_snapshot!(found, @r#"
    1: ROOT/five/releases/current is no link
    a/ current/
    file
    "#);
}

#[test]
fn odd_places_and_targets() {
    let found = everywhere_in("it's \"five\"\n$HOME `id` *", |shell, place| {
        let mut found = String::new();
        for target in ["it's \"a\" $HOME `id` \\", "two\nlines", "ends in a newline\n", "-x", "*"] {
            let told = place.act(shell, &point(target));
            let led = std::fs::read_link(place.current()).ok();
            let _ = writeln!(found, "{told}: {led:?}");
        }
        found
    });
    assert_snapshot!(found, @r#"
    0: Some("it's \"a\" $HOME `id` \\")
    0: Some("two\nlines")
    0: Some("ends in a newline\n")
    0: Some("-x")
    0: Some("*")
    "#);
}

/// Whoever opens the link, at any moment, gets the old release or the new one.
#[test]
fn the_link_is_never_away() {
    everywhere(|shell, place| {
        place.by_hand(
            "mkdir five/releases/a five/releases/b; touch five/releases/a/file five/releases/b/file",
        );
        assert_eq!(place.act(shell, &point("a")), "0");
        let (over, file) = (AtomicBool::new(false), place.current().join("file"));
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut looks = 0u32;
                while !over.load(Ordering::Relaxed) {
                    assert!(file.exists(), "after {looks} looks");
                    looks += 1;
                }
                looks
            });
            for target in ["b", "a"].repeat(15) {
                assert_eq!(place.act(shell, &point(target)), "0");
            }
            over.store(true, Ordering::Relaxed);
            assert!(watcher.join().expect("it was always there") > 100);
        });
        String::new()
    });
}

// ---- what is written down ----

fn record(state: SlotState, former: Option<u8>) -> Action {
    Action::Record {
        slot: slot("a"),
        state,
        release: release(1),
        former: former.map(release),
        optional: false,
    }
}

#[test]
fn records_are_replaced_and_read_back() {
    let found = everywhere(|shell, place| {
        place.by_hand("mkdir five/releases/a");
        let mut found = String::new();
        for action in [record(SlotState::Building, Some(3)), record(SlotState::Ready, None)] {
            let told = place.act(shell, &action);
            let text = std::fs::read_to_string(place.memory().join("slots/a.json")).expect("it is there");
            let SlotRecord { at, state, release, former, run } = serde_json::from_str(&text).expect("JSON");
            assert!(at.as_second() > 1_700_000_000, "by the host's clock");
            let seen = place.look(shell, Scope::Plan).slots["a"].record.clone().expect("it is seen");
            assert_eq!((seen.state, &seen.release), (state, &release));
            let former = former.map(|former| former.to_string());
            let files = list(&place.memory().join("slots"));
            let _ = writeln!(found, "{told}: {state:?} {release} {former:?} by {run}; {files}");
        }
        found
    });
    assert_snapshot!(found, @r#"
    0: Building v1 (1111111111) Some("v3 (3333333333)") by r1; a.json
    0: Ready v1 (1111111111) None by r1; a.json
    "#);
}

#[test]
fn a_record_that_cannot_be_written_is_a_failure() {
    let found = everywhere(|shell, place| {
        place.by_hand("rmdir five/.buedafab/slots; touch five/.buedafab/slots");
        let told = place.act(shell, &record(SlotState::Ready, None));
        // Shells differ in how they put it.
        let last = told.lines().last().unwrap_or_default().to_owned();
        let status = told.split(':').next().unwrap_or_default().to_owned();
        assert_ne!(status, "0");
        last
    });
    assert_snapshot!(found, @r#"can't write ROOT/five/.buedafab/slots/a.json"#);
}

const ODD: &str = "it's 100% \"sure\"\\n\n$HOME `id` \u{1b}[1m é";

#[test]
fn the_journal_is_only_added_to() {
    let found = everywhere(|shell, place| {
        let line = |kind, reason: Option<&str>| Action::Journal {
            kind,
            by: "ada@laptop".to_owned(),
            release: Some(release(2)),
            from: Some(release(1)),
            reason: reason.map(str::to_owned),
        };
        let told = [line(JournalKind::Deployed, None), line(JournalKind::Held, Some(ODD))]
            .map(|action| place.act(shell, &action));
        let text = std::fs::read_to_string(place.memory().join("journal.jsonl")).expect("it is there");
        let records: Vec<JournalRecord> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(records[1].reason.as_deref(), Some(ODD));
        assert_eq!(place.look(shell, Scope::Full).journal, records);
        let tell = |r: &JournalRecord| {
            format!("{:?} {:?} by {}, {}", r.kind, r.release.as_ref().map(ToString::to_string), r.by, r.run)
        };
        format!("{told:?}\n{}", records.iter().map(tell).collect::<Vec<_>>().join("\n"))
    });
    assert_snapshot!(found, @r#"
    ["0", "0"]
    Deployed Some("v2 (2222222222)") by ada@laptop, r1
    Held Some("v2 (2222222222)") by ada@laptop, r1
    "#);
}

#[test]
fn a_hold_is_put_up_and_taken_away() {
    let found = everywhere(|shell, place| {
        // A person may hold an app that was never deployed.
        place.by_hand("rm -r five");
        let told = place.act(shell, &Action::Hold { by: "ada@laptop".to_owned(), reason: ODD.to_owned() });
        let Some(Hold { by, reason, .. }) = place.look(shell, Scope::Plan).hold else { return told };
        assert_eq!(reason, ODD);
        let unheld = place.act(shell, &Action::Unhold);
        format!(
            "{told} by {by}, {unheld}, {unheld_again} {hold:?}",
            unheld_again = place.act(shell, &Action::Unhold),
            hold = place.look(shell, Scope::Plan).hold
        )
    });
    assert_snapshot!(found, @r#"0 by ada@laptop, 0, 0 None"#);
}

#[test]
fn room_is_made() {
    let found = everywhere(|shell, place| {
        place.by_hand("rm -r five");
        let told = place.act(shell, &Action::MakeRoom { group: None });
        place.by_hand("ln -s a five/releases/current.r7.new; touch five/releases/a.new");
        let again = place.act(shell, &Action::MakeRoom { group: None });
        let has_room = place.look(shell, Scope::Plan).has_room;
        format!("{told}, {again}, {has_room}, {}", list(&place.releases()))
    });
    assert_snapshot!(found, @r#"0, 0, true, a.new"#);
}

#[test]
fn room_for_a_group() {
    let found = everywhere(|shell, place| {
        place.by_hand("rm -r five; id -gn >group");
        let group = std::fs::read_to_string(place.root().join("group")).expect("it is there");
        let told = place.act(shell, &Action::MakeRoom { group: Some(group.trim().to_owned()) });
        let modes = shell.run("find five -type d -exec stat -c '%A %n' {} + | sort -k 2", &place.root());
        format!("{told}\n{}", String::from_utf8_lossy(&modes.stdout))
    });
    assert_snapshot!(found, @"
    0
    drwxrwsr-x five
    drwxrwsr-x five/.buedafab
    drwxrwsr-x five/.buedafab/slots
    drwxrwsr-x five/releases
    drwxrwsr-x five/shared
    ");
}

// ---- git ----

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

fn fetch(place: &Place, name: &str, commit: &CommitId, siblings: &[&str]) -> Action {
    Action::Fetch {
        slot: slot(name),
        commit: commit.clone(),
        url: place.root().join("remote.git").to_str().expect("UTF-8").to_owned(),
        siblings: siblings.iter().map(|name| slot(name)).collect(),
        known_hosts: Vec::new(),
        lend_agent: false,
        group: None,
    }
}

fn checkout(name: &str, commit: &CommitId) -> Action {
    Action::Checkout { slot: slot(name), commit: commit.clone(), group: None }
}

fn prove(name: &str, commit: &CommitId) -> Action {
    Action::Prove { slot: slot(name), commit: commit.clone() }
}

/// What git says in a slot.
fn git(place: &Place, name: &str, arguments: &str) -> String {
    let shell = &shells()[0];
    let output = shell.run(&format!("git {arguments}"), &place.slot(name));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_release_is_fetched_checked_out_and_proven() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let told = [
            fetch(place, "a", &remote.first, &["b"]),
            checkout("a", &remote.first),
            prove("a", &remote.first),
            fetch(place, "a", &remote.second, &["b"]),
            checkout("a", &remote.second),
            prove("a", &remote.second),
            prove("a", &remote.first),
        ]
        .map(|action| format!("{action} → {}\n", place.act(shell, &action)));
        let commit = place.look(shell, Scope::Plan).slots["a"].commit.clone();
        assert_eq!(commit, Some(remote.second.clone()));
        remote.name(&format!("{}{}, {}", told.concat(), list(&place.slot("a")), list(&place.releases())))
    });
    assert_snapshot!(found, @r#"
    fetch FIRST into a → 0
    check out FIRST in a → 0
    prove that a holds FIRST, unchanged → 0
    fetch SECOND into a → 0
    check out SECOND in a → 0
    prove that a holds SECOND, unchanged → 0
    prove that a holds FIRST, unchanged → 1: a no longer holds just FIRST:
    ## HEAD (no branch)
    .git/ .gitignore binary file, a/
    "#);
}

/// The slot beside it has all the objects: the remote isn't asked.
#[test]
fn a_second_slot_needs_no_remote() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.second, &["b"]), checkout("a", &remote.second)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("mv remote.git away.git");
        let told = [
            fetch(place, "b", &remote.second, &["a"]),
            checkout("b", &remote.second),
            prove("b", &remote.second),
            fetch(place, "b", &remote.first, &["a"]),
        ]
        .map(|action| format!("{action} → {}\n", place.act(shell, &action)));
        let url =
            git(place, "b", "remote get-url origin").replace(place.root().to_str().expect("UTF-8"), "ROOT");
        // Later, the first slot gets a new commit, and the second one takes it from there.
        place.by_hand("mv away.git remote.git; cd work; git checkout -q --detach; git commit -q --allow-empty -m third; git push -q ../remote.git HEAD:refs/heads/master");
        let third = Command::new("git")
            .args(["-C"])
            .arg(place.root().join("work"))
            .args(["rev-parse", "HEAD"])
            .output()
            .expect("git runs");
        let third = CommitId::new(String::from_utf8_lossy(&third.stdout).trim()).expect("a commit");
        for action in [fetch(place, "a", &third, &["b"]), checkout("a", &third)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("mv remote.git away.git");
        let later = place.act(shell, &fetch(place, "b", &third, &["a"]));
        remote.name(&format!("{}{url}\n{later}", told.concat()))
    });
    assert_snapshot!(found, @r#"
    fetch SECOND into b → 0
    check out SECOND in b → 0
    prove that b holds SECOND, unchanged → 0
    fetch FIRST into b → 0
    ROOT/remote.git
    0
    "#);
}

/// Members of a team deploy as different users, into one set of folders.
#[test]
fn a_sibling_of_another_user_is_as_good() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.second, &["b"]), checkout("a", &remote.second)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        // Who isn't root has nobody to give it to, and sees the same.
        if is_root() {
            place.by_hand("chown -R 65534:65534 five/releases/a");
        }
        place.by_hand("mv remote.git away.git");
        let told = place.act(shell, &fetch(place, "b", &remote.second, &["a"]));
        remote.name(&format!("{told}, {}", place.act(shell, &prove("a", &remote.second))))
    });
    assert_snapshot!(found, @r#"0, 0"#);
}

#[test]
fn what_is_not_on_the_remote_is_told() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let told = place.act(shell, &fetch(place, "a", &remote.gone, &["b"]));
        // Git's own lines come in any order.
        let told = format!(
            "{}: … {}",
            &told[..1],
            told.lines().find(|line| line.starts_with("the commit")).unwrap_or_default()
        )
        .replace(place.root().to_str().expect("UTF-8"), "ROOT");
        let second = place.act(shell, &fetch(place, "a", &remote.second, &["b"]));
        place.by_hand("mv remote.git away.git");
        let unreachable = place.act(shell, &fetch(place, "a", &remote.gone, &["b"]));
        let nothing = place.act(shell, &fetch(place, "b", &remote.gone, &[]));
        remote.name(&format!("{told}\n\n{second}\n\n{unreachable}\n\n{nothing}\n{}", list(&place.releases())))
    });
    assert_snapshot!(found, @r#"
    1: … the commit GONE isn't on ROOT/remote.git

    0

    128: fatal: 'ROOT/remote.git' does not appear to be a git repository
    fatal: Could not read from remote repository.

    Please make sure you have the correct access rights
    and the repository exists.

    128: fatal: repository 'ROOT/remote.git' does not exist
    a/
    "#);
}

/// What a crash, or another tool, may have left.
#[test]
fn whatever_is_in_a_slot_is_made_right() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let mut found = String::new();
        let cases = [
            "mkdir a; touch a/file",
            "mkdir -p a.new/.git; touch a.new/.git/HEAD",
            "git clone -q ../../remote.git a; touch a/.git/index.lock a/.git/HEAD.lock; rm a/file; mkdir a/file",
            "git clone -q ../../remote.git a; echo changed >a/file; git -C a add file; git -C a checkout -q -b own; git -C a commit -qm own",
            "git clone -q ../../remote.git a; rm a/.git/index",
            "git clone -q --depth 1 file://\"$PWD/../../remote.git\" a",
            "git init -q a",
            "git init -q a; git -C a remote add origin ../nowhere",
            "touch a",
            "ln -s nowhere a",
        ];
        for case in cases {
            place.by_hand(&format!("cd five/releases; rm -rf a a.new; {case}"));
            let told = [
                fetch(place, "a", &remote.first, &["b"]),
                checkout("a", &remote.first),
                prove("a", &remote.first),
            ]
            .map(|action| place.act(shell, &action));
            let _ = writeln!(found, "{case} → {}; {}", told.join(", "), list(&place.slot("a")));
        }
        remote.name(&found)
    });
    assert_snapshot!(found, @r#"
    mkdir a; touch a/file → 0, 0, 0; .git/ .gitignore binary file package/
    mkdir -p a.new/.git; touch a.new/.git/HEAD → 0, 0, 0; .git/ .gitignore binary file package/
    git clone -q ../../remote.git a; touch a/.git/index.lock a/.git/HEAD.lock; rm a/file; mkdir a/file → 0, 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch, 0; .git/ .gitignore binary file package/
    git clone -q ../../remote.git a; echo changed >a/file; git -C a add file; git -C a checkout -q -b own; git -C a commit -qm own → 0, 0, 0; .git/ .gitignore binary file package/
    git clone -q ../../remote.git a; rm a/.git/index → 0, 0, 0; .git/ .gitignore binary file package/
    git clone -q --depth 1 file://"$PWD/../../remote.git" a → 0, 0, 0; .git/ .gitignore binary file package/
    git init -q a → 0, 0, 0; .git/ .gitignore binary file package/
    git init -q a; git -C a remote add origin ../nowhere → 0, 0, 0; .git/ .gitignore binary file package/
    touch a → 0, 0, 0; .git/ .gitignore binary file package/
    ln -s nowhere a → 0, 0, 0; .git/ .gitignore binary file package/
    "#);
}

/// Two branches that can't be there at once: one was a folder of the other's name.
#[test]
fn branches_that_were_renamed_stop_nothing() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        place.by_hand("git -C remote.git branch topic v1");
        assert_eq!(place.act(shell, &fetch(place, "a", &remote.second, &["b"])), "0");
        place.by_hand(
            "git -C remote.git branch -D topic; cd work; git checkout -q -b topic/new; git commit -q --allow-empty -m third
             git rev-parse HEAD >../second; git push -q ../remote.git topic/new",
        );
        let text = std::fs::read_to_string(place.root().join("second")).expect("it is there");
        let third = CommitId::new(text.trim()).expect("a commit");
        remote.name(&place.act(shell, &fetch(place, "a", &third, &["b"]))).replace(third.as_str(), "THIRD")
    });
    assert_snapshot!(found, @r#"0"#);
}

#[test]
fn a_tag_that_was_moved_stops_nothing() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        assert_eq!(place.act(shell, &fetch(place, "a", &remote.first, &["b"])), "0");
        place.by_hand(
            "cd work; git tag -f v1 HEAD >/dev/null; git commit -q --allow-empty -m third; git rev-parse HEAD >../third
             git push -qf ../remote.git master v1",
        );
        let text = std::fs::read_to_string(place.root().join("third")).expect("it is there");
        let third = CommitId::new(text.trim()).expect("a commit");
        let told = place.act(shell, &fetch(place, "a", &third, &["b"]));
        remote.name(&format!("{told}, {}", git(place, "a", "rev-parse v1")))
    });
    assert_snapshot!(found, @r#"0, SECOND"#);
}

/// A person's changes on a host are kept as a patch that can be applied again, binary files and all.
#[test]
fn local_changes_are_kept_as_a_patch() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("cd five/releases/a; echo changed >>file; printf 'c\\0d' >binary; rm package/module.py; echo staged >new; git add new");
        let told = place.act(shell, &checkout("a", &remote.second));
        let proven = place.act(shell, &prove("a", &remote.second));
        place.by_hand(
            "cd work; git checkout -q v1; git apply ../five/.buedafab/changes-a-r1.patch; cat file; cmp binary <(printf 'c\\0d'); [ ! -e package/module.py ]; [ \"$(cat new)\" = staged ]",
        );
        remote.name(&format!("{told}\n{proven}\n{}", list(&place.memory())))
    });
    assert_snapshot!(found, @r#"
    0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
    0
    changes-a-r1.patch slots/
    "#);
}

#[test]
fn a_checkout_leaves_the_release_and_its_virtualenv() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand(
            "cd five/releases/a; mkdir -p env/bin package/__pycache__ package/env run; touch env/bin/python package/__pycache__/module.pyc
             touch package/env/file run/app.sock untracked.txt ignored.pyc; git init -q nested; touch nested/file",
        );
        let told = place.act(shell, &checkout("a", &remote.second));
        format!("{told}: {}; {}", list(&place.slot("a")), list(&place.slot("a").join("env/bin")))
    });
    assert_snapshot!(found, @r#"0: .git/ .gitignore binary env/ file; python"#);
}

#[test]
fn a_checkout_of_what_was_never_fetched_fails() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        let told = place.act(shell, &checkout("a", &remote.gone));
        remote.name(&format!("{told}\n{}", place.act(shell, &prove("a", &remote.first))))
    });
    assert_snapshot!(found, @r#"
    128: fatal: unable to read tree (GONE)
    0
    "#);
}

#[test]
fn a_slot_that_somebody_changed_is_not_proven() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        let mut found = String::new();
        let cases = [
            "touch untracked",
            "touch file",
            "echo changed >file",
            "git checkout -q file; git checkout -q --detach origin/master",
            "rm -rf .git",
        ];
        for case in cases {
            place.by_hand(&format!("cd five/releases/a; {case}"));
            let _ = writeln!(found, "{case} → {}", place.act(shell, &prove("a", &remote.first)));
        }
        remote.name(&found)
    });
    assert_snapshot!(found, @r#"
    touch untracked → 0
    touch file → 0
    echo changed >file → 1: a no longer holds just FIRST:
    ## HEAD (no branch)
     M file
    ?? untracked
    git checkout -q file; git checkout -q --detach origin/master → 1: a no longer holds just FIRST:
    ## HEAD (no branch)
    ?? untracked
    rm -rf .git → 1: fatal: not a git repository (or any of the parent directories): .git
    a no longer holds just FIRST:
    fatal: not a git repository (or any of the parent directories): .git
    "#);
}

// ---- the app's own commands ----

/// Runs an action where these tools come before all others, each a shell script.
fn with_tools(shell: &Shell, place: &Place, tools: &[(&str, &str)], action: &Action) -> String {
    let folder = place.root().join("fake tools");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, script) in tools {
        place.by_hand(&format!(
            "cat >'fake tools/{name}' <<'END'\n#!/bin/sh\n{script}\nEND\nchmod +x 'fake tools/{name}'"
        ));
    }
    let script = render_step(action, &place.layout, &RunId::new("r1").expect("a word"));
    told(
        &shell
            .command(&format!("PATH=\"$PWD/fake tools:$PATH\"\n{script}"), &place.root())
            .output()
            .expect("it runs"),
        place,
    )
}

#[test]
fn commands_run_in_their_folder_with_their_variables() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand("cd it*; mkdir releases/a; ln -s a releases/current");
        let variables =
            BTreeMap::from([("ODD".to_owned(), ODD.to_owned()), ("EMPTY".to_owned(), String::new())]);
        let around = |directory| Surroundings {
            directory,
            variables: variables.clone(),
            virtualenv: None,
            run_as: None,
        };
        let hook = |command: &str, directory| Action::Hook {
            point: HookPoint::Build,
            command: command.to_owned(),
            around: around(directory),
            optional: false,
        };
        let run = |directory| Action::Run { command: "pwd -P".to_owned(), around: around(directory) };
        let restart = Action::Restart {
            service: Service::None,
            file: None,
            reload: false,
            commands: vec!["echo one; false".to_owned(), "pwd; echo two".to_owned()],
            around: around(place.layout.slot(&slot("a"))),
        };
        let actions = [
            hook("printf '%s|' \"$ODD\" \"${EMPTY-unset}\"; pwd", place.layout.slot(&slot("a"))),
            hook("exit 7", place.layout.slot(&slot("a"))),
            hook("kill -9 $$", place.layout.slot(&slot("a"))),
            run(place.layout.current()),
            run(place.layout.path.join("nowhere")),
            restart,
        ];
        actions.map(|action| place.act(shell, &action)).join("\n").replace('\u{1b}', "ESC")
    });
    assert_snapshot!(found, @r#"
    0: it's 100% "sure"\n
    $HOME `id` ESC[1m é||ROOT/it's "five" */releases/a
    7
    killed
    0: ROOT/it's "five" */releases/a
    0: ROOT
    1: one
    "#);
}

#[test]
fn services_are_restarted_and_then_asked() {
    let sudo = ("sudo", "shift; exec \"$@\"");
    let good = [
        sudo,
        ("systemctl", "echo \"$@\""),
        ("supervisorctl", "echo \"$@\"; [ \"$1\" = restart ] || echo five RUNNING"),
        ("sv", "echo \"$@\""),
    ];
    let bad = [
        sudo,
        ("systemctl", "echo \"$@\"; [ \"$1\" != is-active ]"),
        ("supervisorctl", "echo \"$@\"; [ \"$1\" = restart ] || echo five FATAL"),
        ("sv", "echo \"$@\"; [ \"$1\" != check ]"),
    ];
    let name = || "it's five".to_owned();
    let found = everywhere(|shell, place| {
        let mut found = String::new();
        for service in [Service::Systemd(name()), Service::Supervisor(name()), Service::Runit(name())] {
            let action = Action::Restart {
                service,
                file: None,
                reload: false,
                commands: Vec::new(),
                around: Surroundings {
                    directory: place.layout.slot(&slot("a")),
                    variables: BTreeMap::new(),
                    virtualenv: None,
                    run_as: None,
                },
            };
            let _ = writeln!(found, "{}", with_tools(shell, place, &good, &action));
            let _ = writeln!(found, "{}", with_tools(shell, place, &bad, &action));
        }
        found
    });
    assert_snapshot!(found, @"
    0: restart it's five
    is-active --quiet it's five
    1: restart it's five
    is-active --quiet it's five
    is-active --quiet it's five
    status --no-pager --lines 15 it's five
    0: restart it's five
    1: restart it's five
    status it's five
    five FATAL
    0: restart it's five
    check it's five
    1: restart it's five
    check it's five
    ");
}

/// A unit file is checked before the switch, put in place by it, and taken out of use where a release hasn't got it.
#[test]
fn the_file_of_a_service_is_checked_kept_and_put_in_place() {
    let good = [
        ("sudo", "shift; exec \"$@\""),
        ("systemctl", "echo \"systemctl $*\"; [ \"$1\" != is-enabled ]"),
        ("systemd-analyze", "case $* in *verify*) for f; do :; done; ! grep -n Typ \"$f\" ;; esac"),
    ];
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        let etc = HostPath::new(format!("{}/etc", place.root().display())).expect("a path");
        place.by_hand("mkdir etc");
        let (path, kind) = (etc.join("five-jobs.service"), ServiceFileKind::Unit);
        let of = |number: Option<u8>| match number {
            Some(number) => FilesOf::Release { commit: release(number).commit, slot: slot("a") },
            None => FilesOf::Before,
        };
        let keep = |number: u8, live: Option<u8>, text: &str| Action::ServiceFiles {
            slot: slot("a"),
            commit: release(number).commit,
            there: of(live),
            files: vec![ServiceFile { path: path.clone(), text: text.to_owned(), kind }],
        };
        let restart = |number: Option<u8>| Action::Restart {
            service: Service::Systemd("five-jobs".to_owned()),
            file: Some(ReleasedServiceFile { of: of(number), path: path.clone(), kind }),
            reload: true,
            commands: Vec::new(),
            around: Surroundings {
                directory: place.layout.slot(&slot("a")),
                variables: BTreeMap::new(),
                virtualenv: None,
                run_as: None,
            },
        };
        let current = place.layout.current();
        let mut found = String::new();
        let mut act = |what: &str, action: &Action| {
            let _ = writeln!(found, "{what}: {}", with_tools(shell, place, &good, action));
        };
        act("a bad one", &keep(1, None, "Typ=exec\n"));
        act("a good one", &keep(1, None, &format!("it's {current} \"$HOME\" %h\n\n")));
        act("first", &restart(Some(1)));
        act("the same again", &restart(Some(1)));
        act("another", &keep(2, Some(1), "other\n"));
        act("installed", &restart(Some(2)));
        act("back", &restart(Some(1)));
        act("a release without one", &restart(Some(3)));
        act("none before either", &restart(None));
        // What was there before us is put back by a way back.
        place.by_hand("echo theirs >etc/five-jobs.service; rm it*/.buedafab/installed");
        act("over another's", &keep(5, Some(4), "ours\n"));
        act("ours", &restart(Some(5)));
        act("theirs again", &restart(Some(4)));
        place.by_hand("rm it*/.buedafab/installed");
        act("over what no release is known of", &keep(5, None, "ours\n"));
        act("ours", &restart(Some(5)));
        act("theirs again", &restart(None));
        place.by_hand("cd it*/.buedafab/slots; echo 4444444444444444444444444444444444444444 >b.json");
        act("forget", &Action::Forget);
        let left = "cat etc/*; ls it*/.buedafab/releases; cat it*/.buedafab/releases/before/*; sed 's|.*/||' it*/.buedafab/installed";
        let _ = write!(found, "{}", place.by_hand(left));
        found
    });
    assert_snapshot!(found, @"
    a bad one: 1: 1:Typ=exec
    five-jobs.service can't be right: see the template, or the command, of its service
    a good one: 0
    first: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    the same again: 0: systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl reload-or-restart five-jobs
    systemctl is-active --quiet five-jobs
    another: 0
    installed: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    back: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    a release without one: 0: five-jobs isn't part of this release: it is stopped
    systemctl disable --quiet five-jobs
    systemctl stop five-jobs
    none before either: 0: five-jobs isn't part of this release: it is stopped
    systemctl disable --quiet five-jobs
    systemctl stop five-jobs
    over another's: 0
    ours: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    theirs again: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    over what no release is known of: 0
    ours: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    theirs again: 0: installed ROOT/etc/five-jobs.service
    systemctl daemon-reload
    systemctl is-enabled --quiet five-jobs
    systemctl enable --quiet five-jobs
    systemctl reset-failed five-jobs
    systemctl restart five-jobs
    systemctl is-active --quiet five-jobs
    forget: 0
    theirs
    4444444444444444444444444444444444444444
    before
    theirs
    five-jobs.service
    ");
}

#[test]
fn a_setting_is_set_and_nothing_around_it() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand("cd it*; mkdir releases/a; cd releases/a; printf 'A = True\\nMAINTENANCE_MODE=False  # why\\nMAINTENANCE_MODES = False\\n' >settings.py; echo 'MAINTENANCE_MODE = env()' >other.py; chmod 640 settings.py");
        let mut found = String::new();
        for (file, on) in [
            ("settings.py", true),
            ("settings.py", true),
            ("settings.py", false),
            ("other.py", true),
            ("other.py", false),
            ("gone.py", false),
        ] {
            let action = Action::MaintenanceSetting { slot: slot("a"), file: file.to_owned(), on };
            let after = place.by_hand("cd it*/releases/a; ls; stat -c %a settings.py; cat settings.py");
            let _ = writeln!(found, "{file} {on}: {}", place.act(shell, &action));
            let now = place.by_hand("cd it*/releases/a; ls; stat -c %a settings.py; cat settings.py");
            if now != after {
                found.push_str(&now);
            }
        }
        found
    });
    assert_snapshot!(found, @r#"
    settings.py true: 0
    other.py
    settings.py
    640
    A = True
    MAINTENANCE_MODE=True  # why
    MAINTENANCE_MODES = False
    settings.py true: 0
    settings.py false: 0
    other.py
    settings.py
    640
    A = True
    MAINTENANCE_MODE=False  # why
    MAINTENANCE_MODES = False
    other.py true: 1: there is no line MAINTENANCE_MODE = False in ROOT/it's "five" */releases/a/other.py, which this could be told by; `settings_file` in buedafab.toml names another
    other.py false: 0
    gone.py false: 0
    "#);
}

/// Commands of another user find what the app's commands find, and leave nothing that we can't clean up.
#[test]
fn commands_of_another_user_read_secrets_that_they_may_not_open() {
    let found = everywhere_in("it's \"five\" *", |shell, place| {
        place.by_hand(
            "chmod 755 . it*; cd it*; mkdir shared releases/a; chmod 775 releases/a; chgrp nogroup releases/a; \
             printf 'SECRET=\"it is \\\\\"x\\\\\" \\$HOME\"\\n' >shared/.env; chmod 600 shared/.env",
        );
        let mut layout = place.layout.clone();
        layout.env_file = Some(layout.shared().join(".env"));
        let hook = |command: &str| Action::Hook {
            point: HookPoint::Build,
            command: command.to_owned(),
            around: Surroundings {
                directory: layout.slot(&slot("a")),
                variables: BTreeMap::from([("ODD".to_owned(), ODD.to_owned())]),
                virtualenv: None,
                run_as: Some(RunAs { user: "nobody".to_owned(), group: Some("nogroup".to_owned()) }),
            },
            optional: false,
        };
        let act = |command: &str| {
            let script = render_step(&hook(command), &layout, &RunId::new("r1").expect("a word"));
            told(&shell.command(&script, &place.root()).output().expect("it runs"), place)
        };
        let found = [
            act("id -un; pwd; echo \"$SECRET|$ODD\"; cat ../../shared/.env 2>/dev/null || echo closed"),
            act("mkdir made; touch made/file; read x || echo nothing to read"),
            act("exit 7"),
        ];
        let stat = place.by_hand("cd it*/releases/a; stat -c '%U %G %A %n' made made/file");
        format!("{}\n{stat}", found.join("\n")).replace('\u{1b}', "ESC")
    });
    assert_snapshot!(found, @r#"
    0: nobody
    ROOT/it's "five" */releases/a
    it is "x" $HOME|it's 100% "sure"

    $HOME `id` ESC[1m é
    closed
    0: nothing to read
    7
    nobody nogroup drwxrwxr-x made
    nobody nogroup -rw-rw-r-- made/file
    "#);
}

/// The keys of the git server are pinned by a file, whose name two shells and ssh have to understand.
#[test]
fn the_git_servers_keys_are_pinned() {
    let found = everywhere_in("it's $HOME `id`", |shell, place| {
        let remote = Remote::of(place);
        let Action::Fetch { slot, commit, siblings, lend_agent, group, .. } =
            fetch(place, "a", &remote.first, &[])
        else {
            unreachable!()
        };
        let keys = ["git.example.com ssh-ed25519 AAAA", "# it's \"one\" $HOME"];
        let action = Action::Fetch {
            slot,
            commit,
            url: format!("git@git.example.com:{}/remote.git", place.root().display()),
            siblings,
            known_hosts: keys.map(str::to_owned).to_vec(),
            lend_agent,
            group,
        };
        // Says what the real one makes of its options, and then serves as git's server.
        let real = Command::new("sh").args(["-c", "command -v ssh"]).output().expect("sh runs");
        let script = format!(
            "{} -G \"$@\" 2>&1 | grep -i 'knownhostsfile\\|^batchmode\\|^stricthost' >options\n\
             for last; do :; done\nexec sh -c \"$last\"",
            String::from_utf8_lossy(&real.stdout).trim()
        );
        let ssh = ("ssh", script.as_str());
        let told = with_tools(shell, place, &[ssh], &action);
        let read = |path: PathBuf| std::fs::read_to_string(path).expect("it is there");
        let options =
            read(place.root().join("options")).replace(place.root().to_str().expect("UTF-8"), "ROOT");
        format!("{told}\n{options}{}", read(place.memory().join("known_hosts")))
    });
    assert_snapshot!(found, @r#"
    0
    batchmode yes
    stricthostkeychecking true
    globalknownhostsfile /dev/null
    userknownhostsfile ROOT/it's $HOME `id`/.buedafab/known_hosts
    git.example.com ssh-ed25519 AAAA
    # it's "one" $HOME
    "#);
}

/// Runs an action as the user of this number in the group 20000; as who runs the tests, if that isn't root.
fn act_as(user: u32, place: &Place, action: &Action) -> String {
    run_as(user, place, &render_step(action, &place.layout, &RunId::new("r1").expect("a word")))
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

/// What one member of a team has deployed, the next one deploys over.
#[test]
fn members_of_a_team_deploy_one_after_the_other() {
    let place = Place::with_room("five");
    let remote = Remote::of(&place);
    let group = if is_root() { "20000".to_owned() } else { id("-gn") };
    place.by_hand(&format!(
        "chmod a+rx .; rm -r five; mkdir five; chgrp {group} five; chmod g+ws five
         printf '[safe]\\n directory = %s\\n' \"$PWD/remote.git\" >gitconfig"
    ));
    let mut told = Vec::new();
    for (user, name, commit) in [
        (10_001, "a", &remote.first),
        (10_002, "b", &remote.second),
        (10_002, "a", &remote.second),
        (10_001, "b", &remote.first),
    ] {
        let mut actions = [
            Action::MakeRoom { group: None },
            fetch(&place, name, commit, &["a", "b"]),
            checkout(name, commit),
            prove(name, commit),
            Action::Record {
                slot: slot(name),
                state: SlotState::Ready,
                release: release(1),
                former: None,
                optional: false,
            },
            point(name),
            Action::Journal {
                kind: JournalKind::Deployed,
                by: "ada@laptop".to_owned(),
                release: None,
                from: None,
                reason: None,
            },
        ];
        for action in &mut actions {
            if let Action::MakeRoom { group: of }
            | Action::Fetch { group: of, .. }
            | Action::Checkout { group: of, .. } = action
            {
                *of = Some(group.clone());
            }
        }
        told.extend(
            actions.iter().map(|action| format!("{user}, {action} → {}", act_as(user, &place, action))),
        );
        // As the runner's `lock` does.
        let lock =
            run_as(user, &place, "echo somebody >five/.buedafab/lock && flock five/.buedafab/lock true");
        told.push(format!("{user}, lock → {lock}"));
        // An app leaves files of its own, which nobody else may write.
        place.by_hand(&format!(
            "cd five/releases/{name}; mkdir -p env; echo private >env/file; chmod -R go-w env"
        ));
    }
    assert_snapshot!(remote.name(&told.join("\n")), @r#"
    10001, make the app's folders → 0
    10001, fetch FIRST into a → 0
    10001, check out FIRST in a → 0
    10001, prove that a holds FIRST, unchanged → 0
    10001, mark a as ready → 0
    10001, point current to a → 0
    10001, note in the journal: deployed → 0
    10001, lock → 0
    10002, make the app's folders → 0
    10002, fetch SECOND into b → 0
    10002, check out SECOND in b → 0
    10002, prove that b holds SECOND, unchanged → 0
    10002, mark b as ready → 0
    10002, point current to b → 0
    10002, note in the journal: deployed → 0
    10002, lock → 0
    10002, make the app's folders → 0
    10002, fetch SECOND into a → 0
    10002, check out SECOND in a → 0
    10002, prove that a holds SECOND, unchanged → 0
    10002, mark a as ready → 0
    10002, point current to a → 0
    10002, note in the journal: deployed → 0
    10002, lock → 0
    10001, make the app's folders → 0
    10001, fetch FIRST into b → 0
    10001, check out FIRST in b → 0
    10001, prove that b holds FIRST, unchanged → 0
    10001, mark b as ready → 0
    10001, point current to b → 0
    10001, note in the journal: deployed → 0
    10001, lock → 0
    "#);
}

fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
