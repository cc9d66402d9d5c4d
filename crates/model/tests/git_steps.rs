//! What the steps that fetch, check out and prove a release do, in every shell, with real repositories.

mod common;

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
        known_hosts: Vec::new(),
        lend_agent: false,
    }
}

fn checkout(name: &str, commit: &CommitId) -> GitAction {
    GitAction::Checkout {
        slot: slot(name),
        commit: commit.clone(),
        closed: false,
        shared: Vec::new(),
        aside: Vec::new(),
        group: None,
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
    assert_snapshot!(found, @"
    fetch FIRST into a → 0
    check out FIRST in a → 0
    verify that a holds FIRST, unchanged → 0
    fetch SECOND into a → 0
    check out SECOND in a → 0
    verify that a holds SECOND, unchanged → 0
    verify that a holds FIRST, unchanged → 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
    .git/ .gitignore binary file, a/
    ");
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
    assert_snapshot!(found, @"
    fetch SECOND into b → 0
    check out SECOND in b → 0
    verify that b holds SECOND, unchanged → 0
    fetch FIRST into b → 0
    ROOT/remote.git
    0
    ");
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
        finish_build(place, shell, "a", &remote.first);
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

/// What can't be kept isn't thrown away.
#[test]
fn local_changes_that_cannot_be_kept_stay() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("cd five; echo changed >>releases/a/file; mkdir .buedafab/changes-a-r1.patch");
        let told = place.act(shell, &checkout("a", &remote.second));
        let last = told.lines().last().unwrap_or_default().to_owned();
        format!("{}: {last}\n{}", &told[..1], place.by_hand("cat five/releases/a/file"))
    });
    assert_snapshot!(found, @"
    1: local changes of a can't be kept in ROOT/five/.buedafab/changes-a-r1.patch, so they stay where they are
    one
    changed
    ");
}

/// What is shared is linked, and nothing that lies behind another link is taken away for it.
#[test]
fn what_is_shared_is_linked_and_never_removed() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("mkdir -p five/shared/media/thumbs/x five/shared/conf; echo 1 >five/shared/conf/local.py; echo 2 >five/shared/media/thumbs/x/kept");
        let link = |files: &[&str], folders: &[&str]| AppAction::Shared {
            slot: slot("a"),
            files: files.iter().map(ToString::to_string).collect(),
            dirs: folders.iter().map(ToString::to_string).collect(),
            group: None,
        };
        let told = [
            link(&["conf/local.py"], &["media", "var/new"]),
            link(&[], &["media", "media/thumbs"]),
            link(&["conf/local.py"], &["conf"]),
        ]
        .map(|action| place.act(shell, &action));
        let kept = place.by_hand(
            "cd five; cat shared/conf/local.py shared/media/thumbs/x/kept; readlink releases/a/media | sed s,.*/five/,,",
        );
        format!("{}\n{kept}", told.join("\n"))
    });
    assert_snapshot!(found, @"
    0
    1: media/thumbs lies in media, which is a link in this release: it can't be shared by itself
    1: conf of a stood where the shared one belongs: it is kept in ROOT/five/.buedafab/aside/r1-a/conf
    conf/local.py lies in conf, which is a link in this release: it can't be shared by itself
    1
    2
    shared/media
    ");
}

/// What somebody has written where a shared link belongs is kept, and the link comes all the same.
#[test]
fn what_stands_in_the_way_of_a_link_is_kept_aside() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand(
            "cd five/releases/a; mkdir -p 'media/old [x]' conf/d.pyc empty; echo upload >'media/old [x]/1.jpg'
            echo secret >conf/local.py; echo x >conf/d.pyc/x; ln -s /nowhere dangling; echo rubbish >rubbish
            cd ../..; mkdir shared; cd shared; mkdir conf; echo shared >conf/local.py",
        );
        let shared = ["media/old [x]", "empty", "dangling", "conf/local.py"].map(str::to_owned).to_vec();
        let GitAction::Checkout { slot: into, commit, group, .. } = checkout("a", &remote.second) else {
            unreachable!("it is one")
        };
        let told = [
            GitAction::Checkout {
                slot: into,
                commit,
                closed: true,
                shared: shared.clone(),
                aside: vec!["rubbish".to_owned(), "gone".to_owned()],
                group,
            }
            .into(),
            Action::from(AppAction::Shared {
                slot: slot("a"),
                files: shared[3..].to_vec(),
                dirs: shared[..3].to_vec(),
                group: None,
            }),
            prove("a", &remote.second).into(),
        ]
        .map(|action| place.act(shell, &action));
        let there = place.by_hand(
            "cd five; find releases/a -path '*/.git' -prune -o ! -type d -printf '%P -> %l\\n' | LC_ALL=C sort
            cd .buedafab/aside; grep -r . . | sort",
        );
        format!("{}\n{there}", told.join("\n")).replace(&place.root().display().to_string(), "ROOT")
    });
    assert_snapshot!(found, @"
    0: what the app wrote is kept in ROOT/five/.buedafab/aside/r1-a/rubbish
    0: media/old [x] of a stood where the shared one belongs: it is kept in ROOT/five/.buedafab/aside/r1-a/media/old [x]
    conf/local.py of a stood where the shared one belongs: it is kept in ROOT/five/.buedafab/aside/r1-a/conf/local.py
    0
    .gitignore -> 
    binary -> 
    conf/local.py -> ROOT/five/shared/conf/local.py
    dangling -> ROOT/five/shared/dangling
    empty -> ROOT/five/shared/empty
    file -> 
    media/old [x] -> ROOT/five/shared/media/old [x]
    ./r1-a/conf/local.py:secret
    ./r1-a/media/old [x]/1.jpg:upload
    ./r1-a/rubbish:rubbish
    ");
}

/// A folder of somebody's that is mounted in a slot is theirs.
#[test]
fn nothing_is_removed_through_a_mount() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for action in [fetch(place, "a", &remote.first, &["b"]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        place.by_hand("mkdir -p 'up loads' 'five/releases/a/up loads' five/releases/b/media; echo kept >'up loads/1.jpg'");
        let run = RunId::new("r1").expect("a word");
        let told = [
            ("a/up loads", checkout("a", &remote.second)),
            ("b/media", fetch(place, "b", &remote.second, &["a"])),
        ]
        .map(|(on, action)| {
            let step = render_step(&action.into(), &place.layout, &run);
            let script = format!("mount -o bind 'up loads' 'five/releases/{on}' && {{\n{step}\n}}");
            told(&shell.run(&format!("exec unshare -rm sh -c {}", quote(&script)), &place.root()), place)
        });
        let kept = place.by_hand("cat 'up loads/1.jpg'; git -C five/releases/a log -1 --format=%s");
        format!("{}\n{kept}", told.join("\n"))
    });
    assert_snapshot!(found, @"
    1: something is mounted on ROOT/five/releases/a/up loads, and nothing is removed through a mount: unmount it there, and share it by shared_dirs
    1: something is mounted on ROOT/five/releases/b/media, and nothing is removed through a mount: unmount it there, and share it by shared_dirs
    kept
    first
    ");
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
    echo changed >file → 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     M file
    ?? untracked
    git checkout -q file; git checkout -q --detach origin/master → 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
    ?? untracked
    rm -rf .git → 1: fatal: not a git repository (or any of the parent directories): .git
    a no longer holds exactly FIRST:
    fatal: not a git repository (or any of the parent directories): .git
    "#);
}

/// The keys of the git server are pinned by a file, whose name two shells and ssh have to understand.
#[test]
fn the_git_servers_keys_are_pinned() {
    let found = everywhere_in("it's $HOME `id`", |shell, place| {
        let remote = Remote::of(place);
        let GitAction::Fetch { slot, commit, siblings, lend_agent, .. } =
            fetch(place, "a", &remote.first, &[])
        else {
            unreachable!()
        };
        let keys = ["git.example.com ssh-ed25519 AAAA", "# it's \"one\" $HOME"];
        let action = GitAction::Fetch {
            slot,
            commit,
            url: format!("git@git.example.com:{}/remote.git", place.root().display()),
            credentials: false,
            siblings,
            known_hosts: keys.map(str::to_owned).to_vec(),
            lend_agent,
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
        let fetch = fetch(&place, name, commit, &["a", "b"]);
        let actions: [Action; 8] = [
            RecordAction::CreateFolders { group: Some(group.clone()), owner: common::owner() }.into(),
            fetch.into(),
            checkout(name, commit).into(),
            prove(name, commit).into(),
            RecordAction::GiveToGroup { slot: slot(name), group: group.clone() }.into(),
            RecordAction::Record {
                slot: slot(name),
                state: SlotState::Ready,
                release: release(1),
                former: None,
                optional: false,
            }
            .into(),
            point(name),
            RecordAction::Journal {
                kind: JournalKind::Deployed,
                by: "ada@laptop".to_owned(),
                release: None,
                from: None,
                reason: None,
            }
            .into(),
        ];
        for action in &actions {
            // A command of the project's sets what it likes.
            if matches!(action, Action::Record(RecordAction::GiveToGroup { .. })) {
                let own = format!(
                    "cd five/releases/{name} && mkdir -m 755 made && mkdir -m 700 made/closed && umask 022 &&
                     echo open >made/closed/open && umask 077 && echo secret >made/secret"
                );
                assert_eq!(run_as(user, &place, &own), "0");
            }
            told.push(format!("{user}, {action} → {}", act_in_group(user, &place, action)));
        }
        told.push(place.by_hand(&format!(
            "cd five/releases/{name}/made; stat -c '%a %n' . * closed/open | paste -sd, | tr -d '\\n'"
        )));
        // As the runner's `lock` does.
        let lock =
            run_as(user, &place, "echo somebody >five/.buedafab/lock && flock five/.buedafab/lock true");
        told.push(format!("{user}, lock → {lock}"));
        // An app leaves files of its own, which nobody else may write.
        place.by_hand(&format!(
            "cd five/releases/{name}; mkdir -p env; echo private >env/file; chmod -R go-w env"
        ));
    }
    assert_snapshot!(remote.name(&told.join("\n")), @"
    10001, create the app's folders → 0
    10001, fetch FIRST into a → 0
    10001, check out FIRST in a → 0
    10001, verify that a holds FIRST, unchanged → 0
    10001, give all of a to the group 20000 → 0
    10001, mark a as ready → 0
    10001, switch the link to a → 0
    10001, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10001, lock → 0
    10002, create the app's folders → 0
    10002, fetch SECOND into b → 0
    10002, check out SECOND in b → 0
    10002, verify that b holds SECOND, unchanged → 0
    10002, give all of b to the group 20000 → 0
    10002, mark b as ready → 0
    10002, switch the link to b → 0
    10002, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10002, lock → 0
    10002, create the app's folders → 0
    10002, fetch SECOND into a → 0
    10002, check out SECOND in a → 0
    10002, verify that a holds SECOND, unchanged → 0
    10002, give all of a to the group 20000 → 0
    10002, mark a as ready → 0
    10002, switch the link to a → 0
    10002, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10002, lock → 0
    10001, create the app's folders → 0
    10001, fetch FIRST into b → 0
    10001, check out FIRST in b → 0
    10001, verify that b holds FIRST, unchanged → 0
    10001, give all of b to the group 20000 → 0
    10001, mark b as ready → 0
    10001, switch the link to b → 0
    10001, note in the journal: deployed → 0
    2775 .,2770 closed,600 secret,600 closed/open
    10001, lock → 0
    ");
}

/// A live app reads its variables through a link, as the user to whom a person gave the file.
#[test]
fn a_file_of_variables_stays_as_a_person_gave_it() {
    let (user, group) =
        if is_root() { ("10001".to_owned(), "20000".to_owned()) } else { (id("-u"), id("-g")) };
    let others = if is_root() { "33" } else { group.as_str() };
    for (given, kept) in [
        (format!("{group} 600"), format!("{group} 640")),
        (format!("{others} 640"), format!("{others} 640")),
        (format!("{group} 644"), format!("{group} 644")),
        (format!("{group} 400"), format!("{group} 400")),
    ] {
        let mut place = Place::with_room("five");
        place.layout.env_file = Some(place.layout.shared().join(".env"));
        let (whose, mode) = given.split_once(' ').expect("both");
        place.by_hand(&format!(
            "chmod a+rx .; mkdir five/shared; : >five/shared/.env; chown -R {user}:{group} five
             chgrp {whose} five/shared/.env; chmod {mode} five/shared/.env"
        ));
        let create = RecordAction::CreateFolders { group: Some(group.clone()), owner: common::owner() };
        assert_eq!(act_in_group(10_001, &place, &create.into()), "0");
        assert_eq!(place.by_hand("stat -c '%g %a' five/shared/.env").trim_end(), kept, "{given}");
    }
}

fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What power cuts, full disks, bad blocks and people leave of a clone, in the words of the shell: `git` is its folder.
const DAMAGE: [(&str, &str); 31] = [
    ("HEAD is empty", ": >$git/HEAD"),
    ("HEAD is gone", "rm $git/HEAD"),
    ("HEAD is zeroes", "head -c 41 /dev/zero >$git/HEAD"),
    ("the configuration is empty", ": >$git/config"),
    ("the configuration is zeroes", "head -c 90 /dev/zero >$git/config"),
    ("the configuration is garbage", "echo '[garbage' >$git/config"),
    ("the index is empty", ": >$git/index"),
    ("the index is garbage", "head -c 500 /dev/zero >$git/index"),
    ("the index is gone", "rm $git/index"),
    ("all objects are gone", "rm -rf $git/objects"),
    ("the commit is empty", "object HEAD; : >$object"),
    ("the commit is gone", "object HEAD; rm $object"),
    ("a tree is empty", "object HEAD:package; : >$object"),
    ("a tree is gone", "object HEAD:package; rm $object"),
    ("a file is empty", "object HEAD:.gitignore; : >$object"),
    ("a file is gone", "object HEAD:.gitignore; rm $object"),
    ("a file is zeroes", "object HEAD:.gitignore; size=$(stat -c %s $object); head -c $size /dev/zero >$object"),
    ("a pack is cut", "git -C $git gc -q; chmod u+w $git/objects/pack/*; truncate -s -30 $git/objects/pack/*.pack"),
    ("the index of a pack is gone", "git -C $git gc -q; rm -f $git/objects/pack/*.idx"),
    ("packed refs are garbage", "echo nonsense >$git/packed-refs"),
    ("a branch is empty", ": >$git/refs/heads/master"),
    ("a branch of the remote is garbage", "mkdir -p $git/refs/remotes/origin; head -c 41 /dev/zero >$git/refs/remotes/origin/master"),
    ("all branches are gone", "rm -rf $git/refs"),
    ("it is shallow without saying where", ": >$git/shallow"),
    ("its objects lie nowhere", "mkdir -p $git/objects/info; echo /nowhere >$git/objects/info/alternates; object HEAD:file; rm $object"),
    (
        "locks were left over",
        "mkdir -p $git/modules/lib/refs/heads; touch $git/index.lock $git/HEAD.lock $git/config.lock $git/shallow.lock $git/packed-refs.lock
         touch $git/refs/heads/master.lock $git/refs/remotes/origin/master.lock $git/objects/maintenance.lock $git/modules/lib/index.lock
         echo '999999999 host' >$git/gc.pid",
    ),
    ("git's folder is gone", "rm -rf $git"),
    ("git's folder is a file", "rm -rf $git; echo garbage >$git"),
    ("git's folder is another's", "mv $git ../../moved; echo 'gitdir: ../../moved' >$git"),
    ("git's folder leads nowhere", "rm -rf $git; ln -s nowhere $git"),
    ("git's folder is empty", "rm -rf $git; mkdir $git"),
];

/// Damages the clone in a slot that stands on the first commit, all of whose objects are files of their own.
fn damage(place: &Place, name: &str, how: &str) {
    place.by_hand(&format!(
        "cd five/releases/{name}; git=.git
         object() {{ set -- $(git rev-parse $1); object=$git/objects/$(echo $1 | sed 's,^..,&/,'); chmod u+w $object; }}
         mv .git/objects/pack pack; for pack in pack/*.pack; do git unpack-objects -q <$pack; done; rm -rf pack; mkdir .git/objects/pack
         mkdir -p env; echo kept >env/file; {how}"
    ));
}

/// A damaged clone is made whole by the deploy that meets it, for a commit that it had as for one that it hasn't, and the
/// virtualenv stays. Each case is met by one of the shells.
#[test]
fn a_damaged_clone_is_made_whole_again() {
    let mut found = String::new();
    let (shells, place) = (shells(), Place::with_room("five"));
    let remote = Remote::of(&place);
    for ((what, how), shell) in DAMAGE.iter().zip(shells.iter().cycle()) {
        let told = [&remote.first, &remote.second].map(|commit| {
            place.by_hand("rm -rf five moved; mkdir -p five/releases five/.buedafab/slots");
            for action in [fetch(&place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
                assert_eq!(place.act(shell, &action), "0");
            }
            place.by_hand("touch five/.buedafab/slots/a.filled");
            damage(&place, "a", how);
            let actions = [fetch(&place, "a", commit, &[]), checkout("a", commit), prove("a", commit)];
            let told = actions.map(|action| place.act(shell, &action)).join("; ");
            let left = place.by_hand(
                "cd five/releases; cat a/env/file; find . ../.buedafab -name '*.lock' -o -name gc.pid -o -name 'a.*' ! -name a.overwritten -o -name '*.patch'",
            );
            assert_eq!(left, "kept\n../.buedafab/slots/a.filled\n", "{what}");
            told
        });
        let [first, second] = &told;
        let told = if first == second { first.to_owned() } else { told.join("\n    ") };
        let _ = writeln!(found, "{what}: {told}");
    }
    assert_snapshot!(remote.name(&found), @"
    HEAD is empty: 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0
    HEAD is gone: 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0
    HEAD is zeroes: 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0
    the configuration is empty: 0: what git keeps in a was damaged (no config in it), so it was made anew; 0; 0
    the configuration is zeroes: 0: what git keeps in a was damaged (no config in it), so it was made anew; 0; 0
    the configuration is garbage: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
    the index is empty: 0; 0; 0
    the index is garbage: 0; 0; 0
    the index is gone: 0; 0; 0
    all objects are gone: 0: what git keeps in a was damaged (no objects in it), so it was made anew; 0; 0
    the commit is empty: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
        0; 0; 0
    the commit is gone: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
        0; 0; 0
    a tree is empty: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
        0; 0; 0
    a tree is gone: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
        0; 0; 0
    a file is empty: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
    a file is gone: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
    a file is zeroes: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
    a pack is cut: 0: what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
    the index of a pack is gone: 0: what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
    packed refs are garbage: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0
    a branch is empty: 0; 0; 0
    a branch of the remote is garbage: 0; 0; 0
    all branches are gone: 0: what git keeps in a was damaged (no refs in it), so it was made anew; 0; 0
    it is shallow without saying where: 0; 0; 0
    its objects lie nowhere: 0: what git keeps in a was damaged (objects can't be read), so it was made anew; 0; 0
        0; 0; 0
    locks were left over: 0; 0; 0
    git's folder is gone: 0: what somebody may have changed in a can't be told from the release any more
    what git keeps in a was damaged (it is gone), so it was made anew; 0; 0
    git's folder is a file: 0: what somebody may have changed in a can't be told from the release any more
    what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (it is no folder), so it was made anew; 0; 0
    git's folder is another's: 0: what somebody may have changed in a can't be told from the release any more
    what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (it is no folder), so it was made anew; 0; 0
    git's folder leads nowhere: 0: what somebody may have changed in a can't be told from the release any more
    what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (it is no folder), so it was made anew; 0; 0
    git's folder is empty: 0: what somebody may have changed in a can't be told from the release any more
    what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0
    ");
}

/// A damaged sibling is passed by, whatever it has and however it looks.
#[test]
fn a_damaged_sibling_is_passed_by() {
    let (shells, place) = (shells(), Place::with_room("five"));
    let remote = Remote::of(&place);
    for ((what, how), shell) in DAMAGE.iter().zip(shells.iter().cycle()) {
        place.by_hand("rm -rf five moved; mkdir -p five/releases five/.buedafab/slots");
        for action in [fetch(&place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        damage(&place, "a", how);
        // A slot that isn't there yet, and one that has to learn of a commit.
        let told = [&remote.first, &remote.second].map(|commit| {
            let actions = [fetch(&place, "b", commit, &["a"]), checkout("b", commit), prove("b", commit)];
            actions.map(|action| place.act(shell, &action)).join("; ")
        });
        assert_eq!(told, ["0; 0; 0"; 2], "{what}");
    }
}

/// A look says what is damaged: before a deploy what the shell itself can see, before a rollback what stands in its way, too, and
/// all of it where a person asks, who is told of the same way back.
#[test]
fn a_look_tells_of_damage() {
    let mut found = String::new();
    let (shells, place) = (shells(), Place::with_room("five"));
    let remote = Remote::of(&place);
    for ((what, how), shell) in DAMAGE.iter().zip(shells.iter().cycle()) {
        place.by_hand("rm -rf five moved; mkdir -p five/releases five/.buedafab/slots");
        let release = Release { commit: remote.first.clone(), ..release(1) };
        let retired = RecordAction::Record {
            slot: slot("a"),
            state: SlotState::Retired,
            release,
            former: None,
            optional: false,
        };
        let actions: [Action; 3] = [
            fetch(&place, "a", &remote.first, &[]).into(),
            checkout("a", &remote.first).into(),
            retired.into(),
        ];
        for action in actions {
            assert_eq!(place.act(shell, &action), "0");
        }
        damage(&place, "a", how);
        let told = [Scope::Plan, Scope::Back, Scope::Full].map(|scope| {
            let facts = place.look(shell, scope);
            let seen = &facts.slots["a"];
            let (_, condition) = proven(seen).expect("it was live");
            assert!(seen.written.is_empty() && !seen.is_of_others, "{what}: {seen:?}");
            let damage = seen.damaged.as_ref().or(seen.unreadable.as_ref());
            format!("{}, {condition:?}", damage.map_or("no damage", |what| what))
        });
        let all_same = told.iter().all(|other| *other == told[0]);
        let told = if all_same { told[0].clone() } else { told.join(" / ") };
        let _ = writeln!(found, "{what}: {told}");
    }
    assert_snapshot!(found, @"
    HEAD is empty: no HEAD in it, Damaged
    HEAD is gone: no HEAD in it, Damaged
    HEAD is zeroes: no HEAD in it, Damaged
    the configuration is empty: no config in it, Damaged
    the configuration is zeroes: no config in it, Damaged
    the configuration is garbage: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    the index is empty: no index in it, Damaged
    the index is garbage: no damage, Whole / no damage, Whole / its index can't be read, Whole
    the index is gone: no index in it, Damaged
    all objects are gone: no objects in it, Damaged
    the commit is empty: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    the commit is gone: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    a tree is empty: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    a tree is gone: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    a file is empty: no damage, Whole / no damage, Whole / objects can't be read, Whole
    a file is gone: no damage, Whole / no damage, Whole / objects can't be read, Whole
    a file is zeroes: no damage, Whole / no damage, Whole / objects can't be read, Whole
    a pack is cut: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    the index of a pack is gone: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    packed refs are garbage: no damage, Whole / objects can't be read, Damaged / objects can't be read, Damaged
    a branch is empty: no damage, Whole
    a branch of the remote is garbage: no damage, Whole
    all branches are gone: no refs in it, Damaged
    it is shallow without saying where: no damage, Whole
    its objects lie nowhere: no damage, Whole / no damage, Whole / objects can't be read, Whole
    locks were left over: no damage, Whole
    git's folder is gone: it is gone, Damaged
    git's folder is a file: it is no folder, Damaged
    git's folder is another's: it is no folder, Damaged
    git's folder leads nowhere: it is no folder, Damaged
    git's folder is empty: no HEAD in it, Damaged
    ");
}

/// One damage may not take two slots.
#[test]
fn slots_share_no_file_of_git() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        for (name, sibling) in [("a", "b"), ("b", "a")] {
            for action in [fetch(place, name, &remote.second, &[sibling]), checkout(name, &remote.second)] {
                assert_eq!(place.act(shell, &action), "0");
            }
        }
        place.by_hand(
            "cd five/releases; find a/.git b/.git -type f -links +1 | sort; find b/.git/objects -type f | wc -l",
        )
    });
    assert_snapshot!(found, @"3");
}

/// What only this host has is kept when a clone is made anew: commits that a person has made there, and files that differ.
#[test]
fn what_a_person_did_in_a_damaged_clone_is_kept() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let mut found = String::new();
        for case in [
            "echo own >file; git commit -qam own; : >.git/HEAD",
            "echo changed >file; : >.git/HEAD",
            "echo changed >file; : >.git/index",
            "echo changed >file; rm -r .git/objects",
            "echo changed >file; rm .git/objects/$(git rev-parse HEAD | sed 's,^..,&/,')",
            "echo changed >file; git stash -q; : >.git/config",
        ] {
            place.by_hand("rm -rf five; mkdir -p five/releases five/.buedafab/slots");
            for action in [fetch(place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
                assert_eq!(place.act(shell, &action), "0");
            }
            finish_build(place, shell, "a", &remote.first);
            place.by_hand("cd five/releases/a; mv .git/objects/pack .; git unpack-objects -q <$(echo pack/*.pack); rm -rf pack; mkdir .git/objects/pack");
            place.by_hand(&format!("cd five/releases/a; {case}"));
            let told = [fetch(place, "a", &remote.second, &[]), checkout("a", &remote.second)]
                .map(|action| place.act(shell, &action));
            let kept = place.by_hand(
                "cd five/.buedafab; grep -h '^[+-][^+-]' *.patch || true; ls -d aside/*/.git 2>&- || true",
            );
            let _ = writeln!(found, "{case} → {}\n{kept}", told.join("; "));
        }
        remote.name(&found)
    });
    assert_snapshot!(found, @"
    echo own >file; git commit -qam own; : >.git/HEAD → 0: what somebody may have changed in a can't be told from the release any more
    what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (no HEAD in it), so it was made anew; 0
    aside/r1-a/.git

    echo changed >file; : >.git/HEAD → 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
    -one
    +changed

    echo changed >file; : >.git/index → 0; 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
    -one
    +changed

    echo changed >file; rm -r .git/objects → 0: what git keeps in a was damaged (no objects in it), so it was made anew; 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
    -one
    +changed

    echo changed >file; rm .git/objects/$(git rev-parse HEAD | sed 's,^..,&/,') → 0; 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
    -one
    +changed

    echo changed >file; git stash -q; : >.git/config → 0: what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    what git keeps in a was damaged (no config in it), so it was made anew; 0
    aside/r1-a/.git
    ");
}

/// What is damaged inside is noticed when it is read: nothing is lost by it, and the next deploy makes the clone anew.
#[test]
fn an_object_that_is_cut_is_noticed_at_the_latest_when_it_is_read() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let mut found = String::new();
        for (case, commit) in [
            ("cut v1:file", &remote.first),
            ("cut v1:binary; rm binary", &remote.second),
            ("cut HEAD:file; rm .git/index", &remote.second),
        ] {
            place.by_hand("rm -rf five; mkdir -p five/releases five/.buedafab/slots");
            for action in [fetch(place, "a", &remote.second, &[]), checkout("a", &remote.second)] {
                assert_eq!(place.act(shell, &action), "0");
            }
            // The head of a file is whole, so that its size is known, and its rest isn't.
            let cut = r#"cut() { object $1; python3 -c "import sys, zlib; sys.stdout.buffer.write(zlib.compress(b'blob 3\0a')[:-6])" >$object; }"#;
            damage(place, "a", &format!("{cut}; {case}"));
            let _ = writeln!(found, "{case}");
            for _ in 0..2 {
                let actions = [fetch(place, "a", commit, &[]), checkout("a", commit), prove("a", commit)];
                let told: Vec<String> = actions.iter().map(|action| place.act(shell, action)).collect();
                let _ = writeln!(found, "    {}", told.join("\n    "));
            }
        }
        remote.name(&found)
    });
    assert_snapshot!(found, @"
    cut v1:file
        0
        128: error: corrupt loose object '5626abf0f72e58d7a153368ba57db4c673c0e171'
    fatal: loose object 5626abf0f72e58d7a153368ba57db4c673c0e171 (stored in .git/objects/56/26abf0f72e58d7a153368ba57db4c673c0e171) is corrupt
    what git keeps in a is damaged: the next deploy makes it anew
        1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D file
        0: what git keeps in a was damaged (objects can't be read), so it was made anew
        0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
        0
    cut v1:binary; rm binary
        0
        1: error: corrupt loose object '20b5be91886d0b6f26dc98a225c0dac05fe2c86e'
    fatal: unable to read 20b5be91886d0b6f26dc98a225c0dac05fe2c86e
    local changes of a can't be kept in ROOT/five/.buedafab/changes-a-r1.patch, so they stay where they are
        1: what git keeps in a is damaged, so SECOND can't be proven there: do it again, and it is built again first
        0: what git keeps in a was damaged (objects can't be read), so it was made anew
        0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
        0
    cut HEAD:file; rm .git/index
        0
        128: error: corrupt loose object 'f719efd430d52bcfc8566a43b2eb655688d38871'
    fatal: loose object f719efd430d52bcfc8566a43b2eb655688d38871 (stored in .git/objects/f7/19efd430d52bcfc8566a43b2eb655688d38871) is corrupt
    what git keeps in a is damaged: the next deploy makes it anew
        1: a no longer holds exactly SECOND:
    ## HEAD (no branch)
    D  .gitignore
    D  binary
    D  file
    ?? .gitignore
    ?? binary
        0: what git keeps in a was damaged (objects can't be read), so it was made anew
        0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch
        0
    ");
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
            optional,
        };
        assert_eq!(place.act(shell, &record), "0");
    }
}

/// What a release's own build has changed belongs to it; what somebody changes on top of that doesn't, and is kept.
#[test]
fn what_the_build_changed_is_not_changed_by_hand() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let mut found = String::new();
        let builds = [
            "true",
            "touch file",
            "echo 'rewritten by npm' >file",
            "printf 'x\\0y' >binary",
            "rm binary",
            "chmod +x file",
            "rm file; ln -s ../../shared/file file",
            "echo x >file; git add file; echo new >new; git add new",
            "git rm -q --cached file",
        ];
        for build in builds {
            place.by_hand("rm -rf five; mkdir -p five/releases five/.buedafab/slots");
            for action in [fetch(place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
                assert_eq!(place.act(shell, &action), "0");
            }
            place.by_hand(&format!("cd five/releases/a; {build}"));
            finish_build(place, shell, "a", &remote.first);
            let is_empty =
                std::fs::read(place.memory().join("slots/a.filled")).expect("it is there").is_empty();
            let seen =
                |place: &Place| place.look(shell, Scope::Full).slots["a"].changes.clone().expect("asked");
            let _ =
                writeln!(found, "{build}: {}, {:?}", if is_empty { "no sum" } else { "a sum" }, seen(place));
            let proven = place.act(shell, &prove("a", &remote.first));
            // Whoever says that what the app wrote may be lost says nothing about this.
            assert_eq!(place.act(shell, &RecordAction::DropWritten { slot: slot("a") }), "0");
            let again = place.act(shell, &prove("a", &remote.first));
            place.by_hand("cp -a five by-hand; cd five/releases/a; [ ! -f package/module.py ] || echo by hand >package/module.py");
            let changed = place.act(shell, &prove("a", &remote.first));
            let _ = writeln!(
                found,
                "  {proven}, {again}, {}, {:?}",
                changed.lines().next().expect("a line"),
                seen(place)
            );
            let kept = place.act(shell, &checkout("a", &remote.second));
            place.by_hand("rm -r five; mv by-hand five");
            let _ = writeln!(found, "  {kept}; {}", place.act(shell, &checkout("a", &remote.second)));
            // The build of an attempt that came to nothing can't be told from a person.
            place.by_hand("cd five/releases/a; echo built >file");
            let unfinished = place.act(shell, &checkout("a", &remote.second));
            assert!(
                unfinished.starts_with("0: what a build that came to nothing, or somebody, changed in a"),
                "{unfinished}"
            );
        }
        remote.name(&found)
    });
    assert_snapshot!(found, @r#"
    true: no sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    touch file: no sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    echo 'rewritten by npm' >file: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" M file", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    printf 'x\0y' >binary: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" M binary", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    rm binary: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" D binary", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    chmod +x file: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" M file", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    rm file; ln -s ../../shared/file file: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, [" T file", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    echo x >file; git add file; echo new >new; git add new: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, ["M  file", "A  new", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    git rm -q --cached file: a sum, []
      0, 0, 1: a no longer holds exactly FIRST:, ["D  file", " M package/module.py"]
      0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
    "#);
}

/// The same in a submodule, whose own files it may be.
#[test]
fn what_the_build_changed_in_a_submodule_is_not_changed_by_hand() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            r#"export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always
            git init -q -b master library; cd library; echo one >code; echo two >other; git add .; git commit -qm library; cd ..
            git init -q -b master work; cd work; git submodule --quiet add "$PWD/../library" lib; git commit -qm first; git rev-parse HEAD >../first
            git clone -q --bare . ../remote.git
            git clone -q --recurse-submodules ../remote.git ../five/releases/a; git -C ../five/releases/a checkout -q --detach"#,
        );
        let text = std::fs::read_to_string(place.root().join("first")).expect("it is there");
        let commit = CommitId::new(text.trim()).expect("a commit");
        place.by_hand("cd five/releases/a/lib; echo built >code; touch untracked");
        finish_build(place, shell, "a", &commit);
        let mut told = vec![place.act(shell, &prove("a", &commit))];
        for change in ["touch another", "echo by hand >other", "git checkout -q other", "echo by hand >code"]
        {
            place.by_hand(&format!("cd five/releases/a/lib; {change}"));
            let proven = place.act(shell, &prove("a", &commit));
            let changes = place.look(shell, Scope::Full).slots["a"].changes.clone().expect("asked");
            told.push(format!("{change}: {}, {changes:?}", proven.lines().next().expect("a line")));
        }
        told.join("\n").replace(commit.short(), "FIRST")
    });
    assert_snapshot!(found, @r#"
    0
    touch another: 0, []
    echo by hand >other: 1: a no longer holds exactly FIRST:, [" M lib"]
    git checkout -q other: 0, []
    echo by hand >code: 1: a no longer holds exactly FIRST:, [" M lib"]
    "#);
}

/// What is needed to make a family of repositories.
const FAMILY: &str = r#"
    export GIT_CONFIG_GLOBAL="$PWD/gitconfig"; printf '[protocol "file"]\n allow = always\n' >gitconfig
    new() { git init -q -b master $1; echo "$1 one" >$1/code; git -C $1 add .; git -C $1 commit -qm one; }
    commit() { git -C $1 add -A; git -C $1 commit -qm more; }
    publish() { rm -rf $1.git; git clone -q --bare $1 $1.git; }
"#;

/// A project with a submodule `lib`, which has one of its own, `deep`.
const FAMILY_AT_FIRST: &str = r#"
    new deep; publish deep; new lib; git -C lib submodule --quiet add "file://$PWD/deep.git" deep; commit lib; publish lib
    new work; git -C work submodule --quiet add "file://$PWD/lib.git" lib; git -C work submodule --quiet update --init --recursive; commit work
    git clone -q --bare work remote.git
"#;

/// Submodules may move, change their kind and be damaged between two releases, and hosts follow.
#[test]
fn submodules_follow_whatever_becomes_of_them() {
    let moved = "mv lib.git new.git; echo two >lib/code; commit lib; git -C lib push -q ../new.git master
        git config -f work/.gitmodules submodule.lib.url file://$PWD/new.git; git -C work submodule --quiet sync; git -C work/lib pull -q origin master";
    let moved_inside = "mv deep.git other.git; echo two >deep/code; commit deep; git -C deep push -q ../other.git master
        git config -f lib/.gitmodules submodule.deep.url file://$PWD/other.git; git -C lib submodule --quiet sync; git -C lib/deep pull -q origin master
        commit lib; git -C lib push -q ../lib.git master; git -C work/lib pull -q --no-recurse-submodules origin master";
    let cases = [
        ("nothing changed", "true", ""),
        ("its address changed", moved, ""),
        ("the address of the one inside changed", moved_inside, ""),
        ("it moved to another folder", "git -C work mv lib vendor", ""),
        ("it became a folder", "git -C work rm -qf lib; mkdir work/lib; echo plain >work/lib/code", ""),
        ("it became a file", "git -C work rm -qf lib; echo plain >work/lib", ""),
        ("it became a link", "git -C work rm -qf lib; ln -s /nowhere work/lib", ""),
        (
            "it was replaced by another",
            "new other; publish other; git -C work rm -qf lib; rm -rf work/.git/modules/lib; git -C work submodule --quiet add --name other file://$PWD/other.git lib",
            "",
        ),
        ("its clone has no HEAD", "true", ": >.git/modules/lib/HEAD"),
        ("its clone has no index", "true", ": >.git/modules/lib/index"),
        ("its clone has no objects", "true", "rm -rf .git/modules/lib/objects; rm lib/code"),
        (
            "a file in its clone is empty",
            "true",
            "find .git/modules/lib/objects -type f -exec truncate -s 0 {} +; rm lib/code",
        ),
        (
            "a file in the clone inside is empty",
            "true",
            "find .git/modules/lib/modules/deep/objects -type f -exec truncate -s 0 {} +; rm lib/deep/code",
        ),
        ("their clones are gone", "true", "rm -rf .git/modules"),
        ("the clone inside is gone", "true", "rm -rf .git/modules/lib/modules"),
        ("its folder is gone", "true", "rm -rf lib"),
        (
            "its address and its clone are gone",
            moved,
            "find .git/modules/lib/objects -type f -exec truncate -s 0 {} +; rm -rf lib",
        ),
        (
            "locks were left over",
            "true",
            "touch .git/modules/lib/index.lock .git/modules/lib/config.lock .git/modules/lib/modules/deep/index.lock",
        ),
    ];
    let mut found = String::new();
    let (shells, place) = (shells(), Place::with_room("five"));
    let commit = |script: &str| {
        let text = place.by_hand(&format!("{FAMILY}{script}\ngit -C work rev-parse HEAD"));
        CommitId::new(text.lines().next_back().expect("a line")).expect("a commit")
    };
    let deploy = |shell: &Shell, commit: &CommitId| {
        let submodules = GitAction::Submodules {
            slot: slot("a"),
            url: place.root().join("remote.git").to_str().expect("UTF-8").to_owned(),
            credentials: false,
            known_hosts: Vec::new(),
            lend_agent: false,
        };
        let actions =
            [fetch(&place, "a", commit, &[]), checkout("a", commit), submodules, prove("a", commit)];
        let run = RunId::new("r1").expect("a word");
        actions.map(|action| {
            let step = render_step(&action.into(), &place.layout, &run);
            let script = format!("export GIT_CONFIG_GLOBAL=\"$PWD/gitconfig\"\n{step}");
            told(&shell.run(&script, &place.root()), &place)
        })
    };
    assert_eq!(deploy(&shells[0], &commit(FAMILY_AT_FIRST)), ["0"; 4]);
    let at_first = tempfile::tempdir().expect("a folder");
    place.by_hand(&format!("cp -a . {}", at_first.path().display()));
    for ((what, then, damage), shell) in cases.iter().zip(shells.iter().cycle()) {
        place.by_hand(&format!(
            "rm -rf *; cp -a {}/. .; cd five/releases/a; {damage}",
            at_first.path().display()
        ));
        let told = deploy(
            shell,
            &commit(&format!("{then}; commit work || true; git -C work push -q ../remote.git master")),
        );
        let left = place.by_hand(
            "cd five/releases/a; git status --porcelain --ignored; head -v -n 1 $(git ls-files --recurse-submodules) 2>&1 | grep -v '^$' | tr '\\n' ' '; find .git -name '*.lock' -o -name '*.old' -o -name '*.said'",
        );
        let _ = writeln!(found, "{what}: {}\n    {left}", told.join("; "));
    }
    assert_snapshot!(found, @r#"
    nothing changed: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    its address changed: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== two ==> lib/deep/code <== deep one 
    the address of the one inside changed: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== two 
    it moved to another folder: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> vendor/.gitmodules <== [submodule "deep"] ==> vendor/code <== lib one ==> vendor/deep/code <== deep one 
    it became a folder: 0; 0; 0; 0
        ==> .gitmodules <== ==> code <== work one ==> lib/code <== plain 
    it became a file: 0; 0; 0; 0
        ==> .gitmodules <== ==> code <== work one ==> lib <== plain 
    it became a link: 0; 0; 0; 0
        ==> .gitmodules <== ==> code <== work one head: cannot open 'lib' for reading: No such file or directory 
    it was replaced by another: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "other"] ==> code <== work one ==> lib/code <== other one 
    its clone has no HEAD: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    its clone has no index: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    its clone has no objects: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    a file in its clone is empty: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    a file in the clone inside is empty: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    their clones are gone: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    the clone inside is gone: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    its folder is gone: 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one 
    its address and its clone are gone: 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== two ==> lib/deep/code <== deep one 
    locks were left over: 0; 0; 0; 0
        ==> .gitmodules <== [submodule "lib"] ==> code <== work one ==> lib/.gitmodules <== [submodule "deep"] ==> lib/code <== lib one ==> lib/deep/code <== deep one
    "#);
}

/// What whoever deploys can't remove is told by the look, and by the step that meets it, with the command that mends it; what only
/// looks so is no obstacle. This one is done as root, as a fleet is.
#[test]
fn what_stands_in_the_way_of_a_build_is_told() {
    let place = Place::with_room("five");
    let remote = Remote::of(&place);
    place.by_hand("chmod a+rx .; chown -R 10001:20000 five; printf '[safe]\\n directory = *\\n' >gitconfig");
    let cases = [
        "true",
        "mkdir old; touch old/x; chown -R 10001 old",
        "mkdir old; touch old/x",
        "mkdir -p package/__pycache__; touch package/__pycache__/x; chown 10001 package/__pycache__/x",
        "touch old; chown root file",
        "mkdir old; touch old/x; chown -R 10002:20000 old; chmod -R g+w old",
        "mkdir old; touch old/x; chown -R 10002:20000 old; chmod 755 old",
        "mkdir old; touch old/x; chown -R 10001 old; chmod 555 old",
        "mkdir -p env/lib; touch env/lib/x; chown 10001 env",
        "touch .git/FETCH_HEAD; chmod 644 .git/FETCH_HEAD; chown root .git/FETCH_HEAD",
        "chown root .git/objects",
        "touch old; chown 10001 old; chattr +i old",
        "mkdir old; touch old/x; chown -R 10001 old; chattr +i old",
        "chattr +i file",
    ];
    let mut found = String::new();
    for case in cases {
        place.by_hand("rm -rf five/releases/a");
        for action in [fetch(&place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
            assert_eq!(act_as(10_001, &place, &action.into()), "0", "{case}");
        }
        place.by_hand(&format!("cd five/releases/a; {case}"));
        let slots = [slot("a")];
        let also = AlsoLookAt { slots: &slots, ..AlsoLookAt::default() };
        let look = inspect_script(&place.layout, Scope::Full, &also);
        // BusyBox can't ask the kernel, and sees owners and modes.
        let stuck = ["", "find() { busybox find \"$@\"; }\n"].map(|tools| {
            let seen = run_as(10_001, &place, &format!("{tools}{look}\n:"));
            let facts = HostFacts::parse(&seen.as_bytes()[3..], &place.layout, jiff::Timestamp::UNIX_EPOCH);
            let stuck = facts.expect("it is a look").stuck;
            stuck.map_or("nothing".to_owned(), |stuck| format!("{} of {}", stuck.path, stuck.owner))
        });
        let stuck = if stuck[0] == stuck[1] { stuck[0].clone() } else { stuck.join(" / ") };
        let commit = place.by_hand(
            "cd work; git rm -q --ignore-unmatch file; git commit -q --allow-empty -m more; git push -q ../remote.git master; git rev-parse HEAD",
        );
        let commit = CommitId::new(commit.trim()).expect("a commit");
        let told = [fetch(&place, "a", &commit, &[]), checkout("a", &commit)]
            .map(|action| act_as(10_001, &place, &action.into()));
        let last =
            told.map(|told| told.lines().next_back().expect("a line").replace(commit.as_str(), "MORE"));
        place.by_hand("chattr -R -i five");
        let _ = writeln!(found, "{case}\n  {stuck}; {}", last.join("; "));
    }
    assert_snapshot!(remote.name(&found), @"
    true
      nothing; 0; 0
    mkdir old; touch old/x; chown -R 10001 old
      nothing; 0; 0
    mkdir old; touch old/x
      a/old of root; 0; ROOT/five/releases/a/old belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a
    mkdir -p package/__pycache__; touch package/__pycache__/x; chown 10001 package/__pycache__/x
      a/package/__pycache__ of root; 0; ROOT/five/releases/a/package/__pycache__ belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a
    touch old; chown root file
      nothing; 0; 0
    mkdir old; touch old/x; chown -R 10002:20000 old; chmod -R g+w old
      nothing; 0; 0
    mkdir old; touch old/x; chown -R 10002:20000 old; chmod 755 old
      a/old of 10002; 0; ROOT/five/releases/a/old belongs to 10002: on this host, sudo chown -R 10001 ROOT/five/releases/a
    mkdir old; touch old/x; chown -R 10001 old; chmod 555 old
      nothing; 0; 0
    mkdir -p env/lib; touch env/lib/x; chown 10001 env
      a/env/lib of root; 0; 0
    touch .git/FETCH_HEAD; chmod 644 .git/FETCH_HEAD; chown root .git/FETCH_HEAD
      a/.git/FETCH_HEAD of root / nothing; ROOT/five/releases/a/.git/FETCH_HEAD belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a/.git; ROOT/five/releases/a/.git/FETCH_HEAD belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a
    chown root .git/objects
      a/.git/objects of root; ROOT/five/releases/a/.git/objects belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a/.git; ROOT/five/releases/a/.git/objects belongs to root: on this host, sudo chown -R 10001 ROOT/five/releases/a
    touch old; chown 10001 old; chattr +i old
      a/old of 10001 / nothing; 0; ROOT/five/releases/a/old is immutable: on this host, sudo chattr -R -i ROOT/five/releases/a
    mkdir old; touch old/x; chown -R 10001 old; chattr +i old
      a/old of 10001 / nothing; 0; ROOT/five/releases/a/old is immutable: on this host, sudo chattr -R -i ROOT/five/releases/a
    chattr +i file
      a/file of 10001 / nothing; 0; ROOT/five/releases/a/file is immutable: on this host, sudo chattr -R -i ROOT/five/releases/a
    ");
}
