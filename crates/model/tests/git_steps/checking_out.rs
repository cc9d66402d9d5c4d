//! A release is brought, checked out, and proven.

use super::*;

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

/// Git would ask itself after each fetch whether it is time to pack; the step asks only where there is much.
#[test]
fn a_clone_is_packed_when_it_holds_much() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        assert_eq!(place.act(shell, &fetch(place, "a", &remote.first, &[])), "0");
        let loose = || git(place, "a", "count-objects").split(' ').next().map(str::to_owned);
        let more = |name: &str| {
            place.by_hand(&format!(
                "cd work; git commit -q --allow-empty -m {name}; git rev-parse HEAD >../third; git push -q ../remote.git master"
            ));
            let text = std::fs::read_to_string(place.root().join("third")).expect("it is there");
            fetch(place, "a", &CommitId::new(text.trim()).expect("a commit"), &[])
        };
        git(place, "a", "config gc.auto 1");
        git(place, "a", "config gc.autoDetach false");
        git(place, "a", "config gc.pruneExpire never");
        // These stand for much, and git can't take them away.
        let few = (place.act(shell, &more("third")), loose());
        place.by_hand(
            "cd five/releases/a/.git/objects; mkdir -p 17; some=$(ls ??/* | head -n 1)
             for n in $(seq 28); do cp $some 17/$(printf %038x $n); done",
        );
        let many = (place.act(shell, &more("fourth"))[..1].to_owned(), loose());
        let packed = place.slot("a").join(".git/packed-refs").exists();
        format!("{few:?}; {many:?}, packed: {packed}")
    });
    assert_snapshot!(found, @r#"("0", Some("1")); ("0", Some("28")), packed: true"#);
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
        place.by_hand("mkdir -p five/shared/media/thumbs/x five/shared/conf; echo 1 >five/shared/conf/local.py; echo 2 >five/shared/media/thumbs/x/kept
            cd five/releases/a; mkdir -p höhe/ä höhe/ß; : >höhe/ä/.gitkeep; : >höhe/ß/é; git add -f höhe");
        let link = |files: &[&str], folders: &[&str]| AppAction::Shared {
            subdir: None,
            slot: slot("a"),
            files: files.iter().map(ToString::to_string).collect(),
            dirs: folders.iter().map(ToString::to_string).collect(),
            group: None,
        };
        let told = [
            link(&["conf/local.py"], &["media", "var/new"]),
            link(&[], &["media", "media/thumbs"]),
            link(&["conf/local.py"], &["conf"]),
            // What git tracks is told in whatever letters it is written.
            link(&[], &["höhe/ä"]),
            link(&[], &["höhe/ß"]),
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
    0
    1: höhe/ß is in this release (höhe/ß/é), so it can't be a link: take it out of git, or out of shared_files and shared_dirs
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
                only: None,
                lfs: false,
                commit,
                closed: true,
                shared: shared.clone(),
                aside: vec!["rubbish".to_owned(), "gone".to_owned()],
                group,
                in_place: false,
            }
            .into(),
            Action::from(AppAction::Shared {
                subdir: None,
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

/// Whatever the user of a host calls the remote of a clone.
#[test]
fn a_clone_s_remote_has_the_name_that_we_know() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        place.by_hand("printf '[clone]\\n\\tdefaultRemoteName = upstream\\n' >config");
        let run = RunId::new("r1").expect("a word");
        // From the remote, from the slot beside it, and once more.
        for (slot, sibling, commit) in
            [("a", "b", &remote.first), ("b", "a", &remote.first), ("a", "b", &remote.second)]
        {
            let script =
                render_step(&Action::from(fetch(place, slot, commit, &[sibling])), &place.layout, &run);
            let mut command = shell.command(&script, &place.root());
            let output =
                command.env("GIT_CONFIG_GLOBAL", place.root().join("config")).output().expect("it runs");
            assert_eq!(told(&output, place), "0");
        }
        place.by_hand("for slot in a b; do git -C five/releases/$slot remote; done")
    });
    assert_snapshot!(found, @"
    origin
    origin
    ");
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
            partial: false,
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

/// A failure elsewhere stops a host at any moment, and the next release may have another folder.
#[test]
fn who_is_stopped_leaves_nothing_beside_the_slot() {
    let stops = "PATH=${PATH#*:}; git \"$@\" || exit; case $1 in clone) kill -TERM $PPID ;; esac";
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let fetch = fetch(place, "a", &remote.first, &[]);
        let stopped = with_tools(shell, place, &[("git", stops)], &fetch);
        let left = list(&place.releases());
        format!("{stopped}, with [{left}] left; and then {}", place.act(shell, &fetch))
    });
    assert_eq!(found, "143, with [] left; and then 0");
}
