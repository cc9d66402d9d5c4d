//! A release that comes as an archive: how it is packed on the deployer, and what the steps that take, unpack, prove and remove it do, in
//! every shell, where git is of no use.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use buedafab_model::app::archive::Artifact;
use buedafab_model::deployer::action::{DeployerAction, Packing};
use buedafab_model::host::proven::proven;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::{CommitId, RunId};
use buedafab_model::plan::action::{Action, ArchiveAction, GitAction, RecordAction};
use buedafab_model::release::Release;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::{render_deployer, render_step};
use insta::assert_snapshot;

use common::release;
use common::shells::{Place, Shell, everywhere, list, point, shells, slot, told, with_tools};

/// A project with two commits, and the archive of each.
struct Project {
    first: CommitId,
    second: CommitId,
}

impl Project {
    #[track_caller]
    fn of(place: &Place) -> Project {
        place.by_hand(
            r#"
            git init -q -b master work; cd work
            echo one >file; echo run >run; chmod +x run; mkdir -p package/deep; echo 1 >package/deep/module.py
            ln -s file link; echo secret >internal; echo 'internal export-ignore' >.gitattributes
            echo odd >'odd \name'; mkdir media; touch media/.gitkeep
            git add .; git commit -qm first; git rev-parse HEAD >../first
            echo two >file; git rm -rq package; git commit -qam second; git rev-parse HEAD >../second"#,
        );
        let read = |name: &str| {
            let text = std::fs::read_to_string(place.root().join(name)).expect("it is there");
            CommitId::new(text.trim()).expect("a commit")
        };
        let project = Project { first: read("first"), second: read("second") };
        for (name, commit) in [("one", &project.first), ("two", &project.second)] {
            assert_eq!(project.pack(place, name, commit, None), "0");
        }
        project
    }

    /// Packs a commit as the deployer does.
    fn pack(&self, place: &Place, name: &str, commit: &CommitId, artifact: Option<Artifact>) -> String {
        let packing = Packing {
            commit: commit.clone(),
            only: None,
            archive: place.root().join(format!("packed/{name}")).to_str().expect("UTF-8").to_owned(),
            clone: None,
            is_built: false,
            submodules: false,
            artifact,
        };
        on_deployer(place, &DeployerAction::Pack(packing))
    }

    fn name(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, commit) in [("FIRST", &self.first), ("SECOND", &self.second)] {
            text = text.replace(commit.as_str(), name).replace(commit.short(), name);
        }
        text
    }
}

/// What a step on the deployer does, in the project.
fn on_deployer(place: &Place, action: &DeployerAction) -> String {
    let shell = &shells()[0];
    told(&shell.run(&render_deployer(action), &place.root().join("work")), place)
}

fn take(commit: &CommitId) -> Action {
    ArchiveAction::TakeArchive { commit: commit.clone(), file: format!("five-{}.tar.gz", commit.short()) }
        .into()
}

fn unpack(name: &str, commit: &CommitId) -> Action {
    ArchiveAction::Unpack {
        slot: slot(name),
        commit: commit.clone(),
        file: format!("five-{}.tar.gz", commit.short()),
        shared: vec!["media/uploads".into(), ".env".into()],
        aside: Vec::new(),
    }
    .into()
}

fn prove(name: &str, commit: &CommitId) -> Action {
    GitAction::VerifyCommit { slot: slot(name), commit: commit.clone() }.into()
}

fn record(name: &str, commit: &CommitId, state: SlotState) -> Action {
    let release = Release { commit: commit.clone(), ..release(1) };
    RecordAction::Record { slot: slot(name), state, release, former: None, turn: 1, optional: false }.into()
}

/// Where git fails, whatever it is asked.
fn without_git(shell: &Shell, place: &Place, action: &Action, input: &[u8]) -> String {
    place.by_hand("mkdir -p 'no git'; printf '#!/bin/sh\\nexit 127\\n' >'no git/git'; chmod +x 'no git/git'");
    let step = render_step(action, &place.layout, &RunId::new("r1").expect("a word"));
    let mut command = shell.command(&format!("PATH=\"$PWD/no git:$PATH\"\numask 022\n{step}"), &place.root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Whoever refuses it may not have read all of it.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    told(&child.wait_with_output().expect("it ends"), place)
}

fn packed(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.root().join("packed").join(name)).expect("it was packed")
}

/// Brings a commit into a slot, up to its record.
#[track_caller]
fn deploy(shell: &Shell, place: &Place, project: &Project, name: &str, of: &str) -> String {
    let commit = if of == "one" { &project.first } else { &project.second };
    assert_eq!(without_git(shell, place, &record(name, commit, SlotState::Building), &[]), "0");
    assert_eq!(without_git(shell, place, &take(commit), &packed(place, of)), "0");
    let unpacked = without_git(shell, place, &unpack(name, commit), &[]);
    assert_eq!(without_git(shell, place, &record(name, commit, SlotState::Ready), &[]), "0");
    unpacked
}

/// All that lies in a slot, with permissions.
fn files(place: &Place, name: &str) -> String {
    let found = place.by_hand(&format!(
        "cd five/releases/{name}; find . ! -name . \\( -type l -printf '%P -> %l\\n' -o -type d -printf '%P/\\n' -o -printf '%P %m\\n' \\) | LC_ALL=C sort"
    ));
    found.trim_end().replace('\n', ", ")
}

#[test]
fn a_release_comes_without_git_and_leaves_nothing_of_the_one_before() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        let mut found = String::new();
        let mut tell = |what: &str, said: String| {
            let _ = writeln!(found, "{what}: {said}");
        };
        tell("first", deploy(shell, place, &project, "a", "one"));
        tell("files", files(place, "a"));
        tell("proven", without_git(shell, place, &prove("a", &project.first), &[]));
        tell("packages", list(&place.root().join("five/packages")));
        // What an app and its virtualenv leave there, and what a person has linked in.
        place.by_hand(
            "cd five/releases/a; mkdir -p env/bin __pycache__; touch env/bin/python __pycache__/x.pyc; mkdir ../../uploads; touch ../../uploads/cat; \
             ln -s ../../../uploads media/uploads; ln -s ../../shared/.env .env",
        );
        tell("second", deploy(shell, place, &project, "a", "two"));
        tell("files", files(place, "a"));
        tell("shared", list(&place.root().join("five/uploads")));
        tell("proven", without_git(shell, place, &prove("a", &project.second), &[]));
        tell("not the first", without_git(shell, place, &prove("a", &project.first), &[]));
        let facts = place.look(shell, Scope::Full);
        let seen = &facts.slots["a"];
        let kept: Vec<&str> = facts.archives.iter().map(|kept| kept.file.as_str()).collect();
        tell(
            "seen",
            format!("{:?} {} {:?} {:?} {kept:?}", seen.commit, seen.unpacked, seen.damaged, seen.changes),
        );
        project.name(&found)
    });
    assert_snapshot!(found, @r#"
    first: 0
    files: .gitattributes 644, file 644, link -> file, media/, media/.gitkeep 644, odd \name 644, package/, package/deep/, package/deep/module.py 644, run 755
    proven: 0
    packages: five-FIRST.tar.gz
    second: 0
    files: .env -> ../../shared/.env, .gitattributes 644, env/, env/bin/, env/bin/python 644, file 644, link -> file, media/, media/.gitkeep 644, media/uploads -> ../../../uploads, odd \name 644, run 755
    shared: cat
    proven: 0
    not the first: 1: a no longer holds exactly FIRST:
    it holds SECOND
    seen: Some("SECOND") true None Some([]) ["five-SECOND.tar.gz", "five-FIRST.tar.gz"]
    "#);
}

/// Not every tar understands the headers that git writes for what doesn't fit in plain ones, and none of them says so.
#[test]
fn names_arrive_as_they_are() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        place.by_hand(
            r#"
            cd work; part=$(printf '%090d' 0); deep=$part/$part/$part; mkdir -p "$deep"; echo 1 >"$deep/file"; ln -s "$deep/file" long
            echo 2 >'é ü'; git add .; git commit -qm names; git rev-parse HEAD >../second"#,
        );
        let names = CommitId::new(place.by_hand("cat second").trim()).expect("a commit");
        assert_eq!(project.pack(place, "names", &names, None), "0");
        assert_eq!(without_git(shell, place, &take(&names), &packed(place, "names")), "0");
        let unpacked = without_git(shell, place, &unpack("a", &names), &[]);
        let differ = place.by_hand("diff -r --no-dereference work five/releases/a || :");
        format!("{unpacked}\n{differ}")
    });
    assert_snapshot!(found, @r"
    0
    Only in work: .git
    Only in work: internal
    ");
}

/// A failure elsewhere stops a host at any moment, and the next release may have another folder.
#[test]
fn who_is_stopped_leaves_nothing_beside_the_slot() {
    let stops = "PATH=${PATH#*:}; tar \"$@\" || exit; case $* in *xmf*) kill -TERM $PPID ;; esac";
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        assert_eq!(without_git(shell, place, &take(&project.first), &packed(place, "one")), "0");
        let stopped = with_tools(shell, place, &[("tar", stops)], &unpack("a", &project.first));
        let left = list(&place.releases());
        format!("{stopped}, with [{left}] left; and then {}", deploy(shell, place, &project, "a", "one"))
    });
    assert_eq!(found, "143, with [] left; and then 0");
}

#[test]
fn what_somebody_changed_is_told_and_kept() {
    const CASES: [(&str, &str); 9] = [
        ("nothing", "true"),
        ("a file", "echo mine >package/deep/module.py"),
        ("a file that is gone", "rm file"),
        ("a link", "ln -sfn elsewhere link"),
        ("a link that became a file", "rm link; echo mine >link"),
        ("a program that is none any more", "chmod -x run"),
        ("an odd name", "echo mine >'odd \\name'"),
        ("something beside", "echo mine >beside"),
        ("its list", ": >../../.buedafab/slots/a.unpacked"),
    ];
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        assert_eq!(deploy(shell, place, &project, "a", "one"), "0");
        let retired = record("a", &project.first, SlotState::Retired);
        assert_eq!(without_git(shell, place, &retired, &[]), "0");
        place.by_hand("cp -a five template");
        let mut found = String::new();
        for (what, how) in CASES {
            let begin = format!("rm -rf five; cp -a template five; cd five/releases/a; {how}");
            place.by_hand(&begin);
            let facts = place.look(shell, Scope::Full);
            let seen = &facts.slots["a"];
            let condition = proven(seen).map(|(_, condition)| condition);
            let _ = writeln!(found, "{what}: {:?} {:?} {condition:?}", seen.changes, seen.damaged);
            let proven = without_git(shell, place, &prove("a", &project.first), &[]);
            let removed = RecordAction::RemoveSlot {
                slot: slot("a"),
                release: Release { commit: project.first.clone(), ..release(1) },
            };
            let removed = without_git(shell, place, &removed.into(), &[]);
            place.by_hand(&begin);
            let again = deploy(shell, place, &project, "a", "two");
            let aside =
                place.by_hand("cd five; [ ! -d .buedafab/aside ] || find .buedafab/aside -type f -o -type l");
            let _ =
                writeln!(found, "  prove {proven}\n  remove {removed}\n  again {again} [{}]", aside.trim());
        }
        project.name(&found)
    });
    assert_snapshot!(found, @r#"
    nothing: Some([]) None Some(Whole)
      prove 0
      remove 0
      again 0 []
    a file: Some([" M package/deep/module.py"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     M package/deep/module.py
      remove 0: a stays: files in it were changed by hand
      again 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a [.buedafab/aside/r1-a/package/deep/module.py]
    a file that is gone: Some([" D file"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     D file
      remove 0: a stays: files in it were changed by hand
      again 0 []
    a link: Some([" M link"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     M link
      remove 0: a stays: files in it were changed by hand
      again 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a [.buedafab/aside/r1-a/link]
    a link that became a file: Some([" M link"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     M link
      remove 0: a stays: files in it were changed by hand
      again 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a [.buedafab/aside/r1-a/link]
    a program that is none any more: Some([" M run"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     M run
      remove 0: a stays: files in it were changed by hand
      again 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a [.buedafab/aside/r1-a/run]
    an odd name: Some([" M odd \\name"]) None Some(Whole)
      prove 1: a no longer holds exactly FIRST:
     M odd \name
      remove 0: a stays: files in it were changed by hand
      again 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a [.buedafab/aside/r1-a/odd \name]
    something beside: Some([]) None Some(Whole)
      prove 0
      remove 0
      again 0 []
    its list: None Some("the list of its files can't be read") Some(Unlisted)
      prove 1: a no longer holds exactly FIRST:
    it holds
      remove 0: a stays: the list of its files can't be read, so nobody can say whether somebody changed it
      again 0: what somebody may have changed in a can't be told from the release any more []
    "#);
}

#[test]
fn what_the_build_changed_belongs_to_the_release() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        let commit = &project.first;
        deploy(shell, place, &project, "a", "one");
        place.by_hand("echo built >five/releases/a/file");
        let ready = without_git(shell, place, &record("a", commit, SlotState::Ready), &[]);
        let proven = without_git(shell, place, &prove("a", commit), &[]);
        let seen = place.look(shell, Scope::Full).slots["a"].changes.clone();
        let again = deploy(shell, place, &project, "a", "two");
        place.by_hand("echo built >five/releases/a/file; touch -d '-1 minute' five/.buedafab/slots/a.filled");
        let unfinished = deploy(shell, place, &project, "a", "one");
        project.name(&format!("{ready} {proven} {seen:?} {again}\n{unfinished}"))
    });
    assert_snapshot!(found, @"
    0 0 Some([]) 0
    0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/aside/r1-a
    ");
}

/// Whatever happens on the way, what lies in the slot stays as it is.
#[test]
fn what_cannot_be_unpacked_touches_nothing() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        assert_eq!(deploy(shell, place, &project, "a", "one"), "0");
        let before = files(place, "a");
        let whole = packed(place, "two");
        let mut found = String::new();
        let mut told = |what: &str, said: String| {
            let _ = writeln!(found, "{what}: {said}");
            assert_eq!(files(place, "a"), before, "{what}");
            assert_eq!(without_git(shell, place, &prove("a", &project.first), &[]), "0", "{what}");
        };
        let take = |input: &[u8]| without_git(shell, place, &take(&project.second), input);
        told("cut", take(&whole[..whole.len() - 20]));
        told("nothing", take(b""));
        let mut wrong = whole.clone();
        wrong[3] = if wrong[3] == b'0' { b'1' } else { b'0' };
        told(
            "a wrong sum",
            take(&wrong).replace(&String::from_utf8_lossy(&wrong[..64]).into_owned(), "WRONG"),
        );
        told("never sent", without_git(shell, place, &unpack("a", &project.second), &[]));
        assert_eq!(take(&whole), "0");
        place.by_hand("cd five/packages; f=$(ls | grep SECOND || ls -t | head -n 1); printf x | dd of=$f bs=1 seek=40 conv=notrunc 2>/dev/null");
        told("damaged there", without_git(shell, place, &unpack("a", &project.second), &[]));
        told("left", list(&place.root().join("five/packages")));
        told("slots", list(&place.releases()));
        let sum = |text: String| {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            for word in &mut words {
                if word.len() == 64 && hex::decode(&*word).is_ok() {
                    *word = "SUM".to_owned();
                }
            }
            words.join(" ")
        };
        project.name(&found).lines().map(|line| sum(line.to_owned()) + "\n").collect()
    });
    assert_snapshot!(found, @"
    cut: 1: five-SECOND.tar.gz arrived damaged, or there was no room for all of it: its check sum is SUM instead of SUM
    nothing: 1: five-SECOND.tar.gz didn't arrive
    a wrong sum: 1: five-SECOND.tar.gz arrived damaged, or there was no room for all of it: its check sum is SUM instead of WRONG
    never sent: 1: ROOT/five/packages/five-SECOND.tar.gz isn't there any more: the next deploy sends it again
    damaged there: 1: ROOT/five/packages/five-SECOND.tar.gz is damaged, so it was removed: the next deploy sends it again
    left: five-FIRST.tar.gz
    slots: a/
    ");
}

/// Archives that Python made: no tool of ours writes such.
const HOSTILE: &str = r#"
import hashlib, gzip, io, sys, tarfile
def make(name, *members):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, kind, extra in (("file", b"0", b"ours"),) + members:
            info = tarfile.TarInfo(path)
            info.type, info.mode = kind, 0o666
            if kind == b"0":
                info.size = len(extra)
                tar.addfile(info, io.BytesIO(extra))
            else:
                info.linkname = extra
                tar.addfile(info)
    raw = raw.getvalue()
    with open("packed/" + name, "wb") as out:
        out.write(hashlib.sha256(raw).hexdigest().encode() + b"\n" + gzip.compress(raw))
make("absolute", (sys.argv[1] + "/victim", b"0", b"theirs"))
make("above", ("../victim", b"0", b"theirs"))
make("deep", ("a/../../victim", b"0", b"theirs"))
make("through", ("x", b"2", ".."), ("x/victim", b"0", b"theirs"))
make("hard", ("x", b"1", "../../victim"))
make("pipe", ("x", b"6", ""))
make("newline", ("x\ny", b"0", b"theirs"))
make("out", ("x", b"2", "/etc/passwd"))
"#;

#[test]
fn nothing_is_written_outside_of_the_release() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        place.by_hand(&format!("echo safe >victim; cp victim five/victim; cat >hostile.py <<'END'\n{HOSTILE}\nEND\npython3 hostile.py \"$PWD\""));
        let mut found = String::new();
        for name in ["absolute", "above", "deep", "through", "hard", "pipe", "out"] {
            assert_eq!(
                without_git(shell, place, &take(&project.second), &packed(place, name)),
                "0",
                "{name}"
            );
            let said = without_git(shell, place, &unpack("b", &project.second), &[]);
            let _ = writeln!(found, "{name}: {said} | {}", list(&place.releases()));
            assert_eq!(
                place.by_hand("cat victim five/victim; ls five"),
                "safe\nsafe\npackages\nreleases\nvictim\n",
                "{name}"
            );
        }
        // Some list it as two lines.
        assert_eq!(without_git(shell, place, &take(&project.second), &packed(place, "newline")), "0");
        assert!(without_git(shell, place, &unpack("c", &project.second), &[]).starts_with("1: "));
        project.name(&found)
    });
    assert_snapshot!(found, @"
    absolute: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: something in it would lie outside of the release | 
    above: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: something in it would lie outside of the release | 
    deep: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: something in it would lie outside of the release | 
    through: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: x/victim lies behind a link | 
    hard: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: something in it would lie outside of the release | 
    pipe: 1: ROOT/five/packages/five-SECOND.tar.gz isn't unpacked: x is neither a file, a folder nor a link | 
    out: 0 | b/
    ");
}

#[test]
fn a_full_disk_leaves_the_slot_as_it_is() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        place.by_hand("cd work; head -c 3000000 /dev/zero >large; git add large; git commit -qm large; git rev-parse HEAD >../large");
        let large =
            CommitId::new(std::fs::read_to_string(place.root().join("large")).expect("it is there").trim())
                .expect("a commit");
        assert_eq!(project.pack(place, "large", &large, None), "0");
        assert_eq!(deploy(shell, place, &project, "a", "one"), "0");
        let before = files(place, "a");
        place.by_hand("mv five full; mkdir five; mount -t tmpfs -o size=2m tmpfs five; cp -a full/. five");
        let taken = without_git(shell, place, &take(&large), &packed(place, "large"));
        let said = without_git(shell, place, &unpack("a", &large), &[]);
        let after = (files(place, "a"), list(&place.releases()));
        let proven = without_git(shell, place, &prove("a", &project.first), &[]);
        place.by_hand("umount five");
        assert_eq!(after, (before, "a/".to_owned()));
        let failed = said.starts_with("1: ") || said.starts_with("2: ");
        format!("{taken} {failed} {proven}")
    });
    assert_snapshot!(found, @"0 true 0");
}

/// From git to an archive and back, and nothing is lost on the way.
#[test]
fn a_slot_moves_between_git_and_archives() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        let fetch = |was_unpacked| {
            let fetch = GitAction::Fetch {
                slot: slot("a"),
                commit: project.first.clone(),
                url: place.root().join("work").to_str().expect("UTF-8").to_owned(),
                credentials: false,
                siblings: Vec::new(),
                partial: false,
                known_hosts: Vec::new(),
                lend_agent: false,
            };
            let leave = ArchiveAction::Leave { slot: slot("a"), commit: project.first.clone() };
            let checkout = GitAction::Checkout {
                slot: slot("a"),
                only: None,
                lfs: false,
                commit: project.first.clone(),
                closed: false,
                shared: Vec::new(),
                aside: Vec::new(),
                group: None,
                in_place: false,
            };
            let said = [
                place.act(shell, &record("a", &project.first, SlotState::Building)),
                if was_unpacked { place.act(shell, &leave) } else { "0".to_owned() },
                place.act(shell, &Action::from(fetch)),
                place.act(shell, &Action::from(checkout)),
                place.act(shell, &record("a", &project.first, SlotState::Ready)),
            ];
            said.join(" ")
        };
        let unpack = |git: bool| {
            let run = |action: Action, input: &[u8]| {
                if git || !input.is_empty() {
                    feed(shell, place, &action, input)
                } else {
                    without_git(shell, place, &action, input)
                }
            };
            let commit = &project.second;
            let said = [
                run(record("a", commit, SlotState::Building), &[]),
                run(take(commit), &packed(place, "two")),
                run(unpack("a", commit), &[]),
                run(record("a", commit, SlotState::Ready), &[]),
            ];
            said.join(" ")
        };
        let kept = || {
            place.by_hand("cd five/.buedafab; ls slots; find aside -type f ! -path '*/.git/*' 2>/dev/null | LC_ALL=C sort; [ ! -d aside/r1-a/.git ] || echo 'a clone'; ls -d changes-* 2>/dev/null || :; rm -rf aside changes-*").trim().replace('\n', " ")
        };
        let mut found = String::new();
        let mut tell = |what: &str, said: String| {
            let _ = writeln!(found, "{what}: {said} [{}]", kept());
        };
        tell("by git", fetch(false));
        tell("unpacked", unpack(true));
        tell("by git again", fetch(true));
        place.by_hand("echo mine >five/releases/a/file");
        tell("unpacked over changes", unpack(true));
        place.by_hand("echo mine >five/releases/a/file");
        tell("by git over changes", fetch(true));
        place.by_hand("cd five/releases/a; echo mine >file; git commit -qam mine");
        tell("unpacked over a commit", unpack(true));
        tell("by git", fetch(true));
        place.by_hand("echo mine >five/releases/a/file; mkdir five/releases/a/env");
        tell("unpacked without git", unpack(false));
        tell("files", files(place, "a"));
        assert_eq!(without_git(shell, place, &prove("a", &project.second), &[]), "0");
        project.name(&found)
    });
    assert_snapshot!(found, @r"
    by git: 0 0 0 0 0 [a.filled a.json a.overwritten a.takes]
    unpacked: 0 0 0 0 [a.filled a.json a.overwritten a.takes a.unpacked]
    by git again: 0 0 0 0 0 [a.filled a.json a.overwritten a.takes]
    unpacked over changes: 0 0 0: local changes of a were kept in ROOT/five/.buedafab/changes-a-r1.patch 0 [a.filled a.json a.overwritten a.takes a.unpacked changes-a-r1.patch]
    by git over changes: 0 0: local changes of a were kept in ROOT/five/.buedafab/aside/r1-a 0 0 0 [a.filled a.json a.overwritten a.takes aside/r1-a/file]
    unpacked over a commit: 0 0 0: what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git 0 [a.filled a.json a.overwritten a.takes a.unpacked a clone]
    by git: 0 0 0 0 0 [a.filled a.json a.overwritten a.takes]
    unpacked without git: 0 0 0: what git kept in a before is kept in ROOT/five/.buedafab/aside/r1-a/.git
    git can't say what somebody changed in a, so all of it is kept in ROOT/five/.buedafab/aside/r1-a 0 [a.filled a.json a.overwritten a.takes a.unpacked aside/r1-a/.gitattributes aside/r1-a/file aside/r1-a/internal aside/r1-a/media/.gitkeep aside/r1-a/odd \name aside/r1-a/package/deep/module.py aside/r1-a/run a clone]
    files: .gitattributes 644, env/, file 644, link -> file, media/, media/.gitkeep 644, odd \name 644, run 755 [a.filled a.json a.overwritten a.takes a.unpacked]
    ");
}

fn feed(shell: &Shell, place: &Place, action: &Action, input: &[u8]) -> String {
    let step = render_step(action, &place.layout, &RunId::new("r1").expect("a word"));
    let mut command = shell.command(&step, &place.root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    told(&child.wait_with_output().expect("it ends"), place)
}

#[test]
fn archives_go_with_their_releases() {
    let found = everywhere(|shell, place| {
        let project = Project::of(place);
        deploy(shell, place, &project, "a", "one");
        deploy(shell, place, &project, "b", "two");
        deploy(shell, place, &project, "a", "two");
        let mut found = list(&place.root().join("five/packages"));
        assert_eq!(place.act(shell, &RecordAction::Prune), "0");
        let _ = write!(found, " | {}", list(&place.root().join("five/packages")));
        assert_eq!(place.act(shell, &point("b")), "0");
        let seen = place.look(shell, Scope::Plan);
        let _ = write!(found, " | {:?} {}", seen.live().map(|live| live.commit), seen.archives.len());
        project.name(&found)
    });
    assert_snapshot!(found, @r#"five-SECOND.tar.gz five-FIRST.tar.gz | five-SECOND.tar.gz | Some("SECOND") 1"#);
}

#[test]
fn what_the_deployer_makes_goes_along() {
    let place = Place::with_room("five");
    let project = Project::of(&place);
    place.by_hand(
        r#"
        git init -q sub; (cd sub; echo lib >lib; echo no >no; echo 'no export-ignore' >.gitattributes; git add .; git commit -qm sub)
        cd work; git -c protocol.file.allow=always submodule --quiet add ../sub vendor/sub; git commit -qm submodule; git rev-parse HEAD >../third
        git tag -a -m v3 v3; mkdir -p target; echo mine >target/five"#,
    );
    let third =
        CommitId::new(std::fs::read_to_string(place.root().join("third")).expect("it is there").trim())
            .expect("a commit");
    let clone = place.root().join("packed/clone").to_str().expect("UTF-8").to_owned();
    let contents = |name: &str| {
        let found = place.by_hand(&format!("sed 1d packed/{name} | gzip -dc | tar -tvf - | awk '{{print $1, $6}}' | sed 's, \\./, ,' | grep -v '/$' | sort -k 2; [ \"$(head -n 1 packed/{name})\" = \"$(sed 1d packed/{name} | gzip -dc | sha256sum | cut -c 1-64)\" ]"));
        found.trim_end().replace('\n', ", ")
    };
    let mut found = String::new();
    let mut tell = |what: &str, said: String| {
        let _ = writeln!(found, "{what}: {said}");
    };
    tell("plain", contents("two"));
    let path = |path: &str| Some(Artifact::Path { path: path.to_owned() });
    tell("from the checkout", project.pack(&place, "x", &project.second, path("target/five")));
    tell("", contents("x"));
    tell("a folder", project.pack(&place, "x", &project.second, path("target")));
    tell("nothing", project.pack(&place, "x", &project.second, path("target/six")));
    let lay_out = DeployerAction::LayOut {
        clone: clone.clone(),
        commit: third.clone(),
        remote: "origin".to_owned(),
        submodules: true,
    };
    place.by_hand("git -C work config --global --get x || :; cd work; git remote add origin \"$PWD\"");
    let allow = "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always\n";
    for again in ["laid out", "again"] {
        let output =
            shells()[0].run(&format!("{allow}{}", render_deployer(&lay_out)), &place.root().join("work"));
        tell(again, told(&output, &place));
        // What a build leaves, ignored or not.
        place.by_hand("cd packed/clone; echo cache/ >>.git/info/exclude; mkdir -p cache; touch cache/x litter; echo mine >file");
    }
    let output =
        shells()[0].run(&format!("{allow}{}", render_deployer(&lay_out)), &place.root().join("work"));
    assert_eq!(told(&output, &place), "0");
    tell("clone", place.by_hand("cd packed/clone; ls; cat file; git describe").trim_end().replace('\n', " "));
    let build = DeployerAction::Build {
        command: "mkdir -p target; echo built >target/five; chmod +x target/five".into(),
        clone: clone.clone(),
    };
    tell("built", on_deployer(&place, &build));
    let packing = Packing {
        commit: third.clone(),
        only: None,
        archive: place.root().join("packed/y").to_str().expect("UTF-8").to_owned(),
        clone: Some(clone),
        is_built: true,
        submodules: true,
        artifact: path("target/five"),
    };
    tell("packed", on_deployer(&place, &DeployerAction::Pack(packing)));
    tell("", contents("y"));
    tell("it says", place.by_hand("sed 1d packed/y | tar -xzOf - ./target/five").trim_end().to_owned());
    tell("left", list(&place.root().join("packed")));
    assert_snapshot!(found, @r"
    plain: -rw-rw-rw- .gitattributes, -rw-rw-rw- file, lrwxrwxrwx link, -rw-rw-rw- media/.gitkeep, -rw-rw-rw- odd, -rwxrwxrwx run
    from the checkout: 0
    : drwxrwxrwx , -rw-rw-rw- .gitattributes, -rw-rw-rw- file, lrwxrwxrwx link, -rw-rw-rw- media/.gitkeep, -rw-rw-rw- odd, -rwxrwxrwx run, -rw-rw-rw- target/five
    a folder: 0
    nothing: 1: there is no ROOT/work/target/six: `[hooks.local] build` has to make it, or `artifact` names another file
    laid out: 0
    again: 0
    clone: cache file internal link media odd \name run vendor two v3
    built: 0
    packed: 0
    : drwxrwxrwx , -rw-rw-rw- .gitattributes, -rw-rw-rw- .gitmodules, -rw-rw-rw- file, lrwxrwxrwx link, -rw-rw-rw- media/.gitkeep, -rw-rw-rw- odd, -rwxrwxrwx run, -rwxrwxrwx target/five, -rw-rw-rw- vendor/sub/.gitattributes, -rw-rw-rw- vendor/sub/lib
    it says: built
    left: clone/ one two x y
    ");
}

/// An archive holds what Git LFS keeps, whatever is set up for git-lfs, or isn't made.
#[test]
fn an_archive_holds_contents_and_no_pointers() {
    const CASES: &[(&str, &str)] = &[
        ("plain", ""),
        ("the user passes them by", "export GIT_LFS_SKIP_SMUDGE=1; git config lfs.fetchexclude '*'"),
        ("the user has them", "rm -rf ../remote.git/lfs; mkdir -p .git/lfs; cp -r ../kept .git/lfs/objects"),
        ("nobody has one", "rm -rf .git/lfs ../remote.git/lfs"),
        ("there is no git-lfs", "command() { [ \"$2\" != git-lfs ]; }"),
        (
            "a pointer of an older version",
            "printf 'version https://hawser.github.com/spec/v1\\noid sha256:x\\nsize 3\\n' >logo.bin; git commit -qam old",
        ),
    ];
    let place = Place::with_room("five");
    place.by_hand(
        r#"git init -q work; git init -q --bare remote.git; cd work; git remote add origin "file://$PWD/../remote.git"
        printf '*.bin filter=lfs\n' >.gitattributes; echo code >code; printf 'the content' >../content
        sum=$(sha256sum <../content | cut -c 1-64); kept=$(echo $sum | sed 's,^\(..\)\(..\).*,\1/\2/&,')
        mkdir -p ../kept/${kept%/*}; cp ../content ../kept/$kept; mkdir ../remote.git/lfs; cp -r ../kept ../remote.git/lfs/objects
        printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 11\n' $sum >logo.bin; git add .; git commit -qm one"#,
    );
    let mut found = String::new();
    for (what, before) in CASES {
        place.by_hand("rm -rf packed; mkdir packed");
        place.by_hand(&format!("cd work\n{before}\ngit rev-parse HEAD >../head"));
        let head = std::fs::read_to_string(place.root().join("head")).expect("it is there");
        let commit = CommitId::new(head.trim()).expect("a commit");
        let clone = place.root().join("packed/clone").to_str().expect("UTF-8").to_owned();
        let built = [
            DeployerAction::LayOut {
                clone: clone.clone(),
                commit: commit.clone(),
                remote: "origin".to_owned(),
                submodules: false,
            },
            DeployerAction::Build { command: "cp logo.bin built".into(), clone: clone.clone() },
        ];
        let packing = |name: &str, clone: Option<String>| {
            DeployerAction::Pack(Packing {
                commit: commit.clone(),
                only: None,
                archive: place.root().join("packed").join(name).to_str().expect("UTF-8").to_owned(),
                is_built: clone.is_some(),
                artifact: clone.is_some().then(|| Artifact::Path { path: "built".to_owned() }),
                clone,
                submodules: false,
            })
        };
        let mut act = |action: &DeployerAction| {
            let script = format!("{before}\n{}", render_deployer(action));
            let output =
                shells()[0].command(&script, &place.root().join("work")).env("HOME", place.root()).output();
            let said = told(&output.expect("it runs"), &place);
            // It is called by the time.
            let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("Errors logged")).collect();
            let said = said.join("\n");
            let _ = writeln!(found, "{what}: {said}");
            said == "0"
        };
        if act(&packing("plain", None))
            && built.iter().all(&mut act)
            && act(&packing("built", Some(clone.clone())))
        {
            let holds = place.by_hand("for name in plain built; do sed 1d packed/$name | tar -xzf - -C packed; done; cd packed; cat logo.bin built");
            let _ = writeln!(found, "  {holds}");
        }
    }
    assert_eq!(
        place.by_hand("ls work/.git/hooks | grep -v sample || :"),
        "",
        "git-lfs leaves no hooks of its own"
    );
    assert_snapshot!(found, @r#"
    plain: 0: Downloading logo.bin (11 B)
    the user passes them by: 0
    the user passes them by: 0
    the user passes them by: 0
    the user passes them by: 0
      the contentthe content
    the user has them: 0
    the user has them: 0
    the user has them: 0
    the user has them: 0
      the contentthe content
    nobody has one: 128: Downloading logo.bin (11 B)
    Error downloading object: logo.bin (6e569e0): Smudge error: Error downloading logo.bin (6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b): error transferring "6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b": [0] remote missing object 6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b

    Use `git lfs logs last` to view the log.
    error: external filter 'git-lfs filter-process' failed
    fatal: logo.bin: smudge filter lfs failed
    there is no git-lfs: 1: git-lfs isn't on this machine, and Git LFS keeps files of this release, such as logo.bin
    a pointer of an older version: 1: On branch master
    nothing to commit, working tree clean
    logo.bin: git-lfs writes such pointers no more, or an extension of it did; git add --renormalize makes it anew
    "#);
}

/// An archive holds the folders that a release is made of, the files above them, and nothing else.
#[test]
fn an_archive_of_a_part_of_the_project() {
    let place = Place::with_room("five");
    place.by_hand(
        r#"git init -q work; cd work; mkdir -p backend/deep frontend libs/x libs/y 'odd [*] name'
        for file in README ./-dash 'a b' backend/app backend/deep/er frontend/page libs/info libs/x/code libs/y/code 'odd [*] name/file' secret; do echo one >"$file"; done
        printf 'secret export-ignore\nbackend/deep export-ignore\n' >.gitattributes; git add .; git commit -qm one; git rev-parse HEAD >../head"#,
    );
    let head = std::fs::read_to_string(place.root().join("head")).expect("it is there");
    let commit = CommitId::new(head.trim()).expect("a commit");
    let mut found = String::new();
    for only in [&["backend"][..], &["backend", "libs/x", "libs/x/more"], &[], &["odd [*] name"], &["libs/z"]]
    {
        place.by_hand("rm -rf packed; mkdir packed");
        let packing = Packing {
            commit: commit.clone(),
            archive: place.root().join("packed/x").to_str().expect("UTF-8").to_owned(),
            clone: None,
            is_built: false,
            submodules: false,
            only: Some(only.iter().map(|folder| (*folder).to_owned()).collect()),
            artifact: None,
        };
        let said = on_deployer(&place, &DeployerAction::Pack(packing));
        let held = place.by_hand(
            "[ ! -f packed/x ] || sed 1d packed/x | tar -tzf - | grep -v '/$' | sort | tr '\\n' ','",
        );
        let _ = writeln!(found, "{only:?}: {said}\n  {held}");
    }
    assert_snapshot!(found, @r#"
    ["backend"]: 0
      -dash,.gitattributes,README,a b,backend/app,
    ["backend", "libs/x", "libs/x/more"]: 0
      -dash,.gitattributes,README,a b,backend/app,libs/info,libs/x/code,
    []: 0
      -dash,.gitattributes,README,a b,
    ["odd [*] name"]: 0
      -dash,.gitattributes,README,a b,odd [*] name/file,
    ["libs/z"]: 1: there is no folder libs/z in this release: `subdir` or `sparse_checkout` names it
    "#);
}

/// What comes from elsewhere is what its check sum says, and nothing in it leads out.
#[test]
fn what_comes_from_an_address_is_checked() {
    let place = Place::with_room("five");
    let project = Project::of(&place);
    place.by_hand(&format!("cat >hostile.py <<'END'\n{HOSTILE}\nEND\npython3 hostile.py \"$PWD\"; mkdir served; for x in out through; do sed 1d packed/$x >served/$x.tar.gz; done; echo binary >served/five; mkdir -p x/bin; echo built >x/bin/five; chmod +x x/bin/five; tar -czf served/good.tar.gz -C x ."));
    let mut found = String::new();
    for (name, sum) in [
        ("five", None),
        ("good.tar.gz", None),
        ("out.tar.gz", None),
        ("through.tar.gz", None),
        ("five", Some("0".repeat(64))),
        ("gone", Some("1".repeat(64))),
    ] {
        let sha256 =
            sum.unwrap_or_else(|| place.by_hand(&format!("sha256sum served/{name}"))[..64].to_owned());
        // Curl reads files, too.
        let url = format!("file://{}/served/{name}", place.root().display());
        let said = project.pack(
            &place,
            "z",
            &project.second,
            Some(Artifact::Address { url, sha256: sha256.clone() }),
        );
        let _ = writeln!(found, "{name}: {}", said.replace(&sha256, "WANTED"));
        if said == "0" {
            let listed =
                place.by_hand("sed 1d packed/z | gzip -dc | tar -tvf - | awk '{print $1, $6}' | grep five");
            let _ = writeln!(found, "  {}", listed.trim_end());
        }
    }
    let sum = place.by_hand("sha256sum served/five")[..64].to_owned();
    assert_snapshot!(found.replace(&sum, "FOUND"), @"
    five: 0
      -rwxrwxrwx ./five
    good.tar.gz: 0
      -rwxrwxrwx ./bin/five
    out.tar.gz: 1: file://ROOT/served/out.tar.gz isn't unpacked: x leads out of the release
    through.tar.gz: 1: file://ROOT/served/through.tar.gz isn't unpacked: x leads out of the release
    five: 1: the check sum of file://ROOT/served/five is FOUND instead of WANTED
    gone: 37: curl: (37) Couldn't open file ROOT/served/gone
    ");
}
