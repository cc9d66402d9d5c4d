//! The shell of the link, the records and the room for them, run by real shells in a real folder.

mod common;

use buedafab_model::plan::action::RecordAction;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use buedafab_model::host::record::{Hold, JournalKind, JournalRecord, SlotRecord, SlotState};
use buedafab_model::names::RunId;
use buedafab_model::plan::action::Action;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::shell::{quote, render_step};
use insta::assert_snapshot;

use common::shells::{ODD, everywhere, everywhere_in, list, point, slot, told};
use common::{owner, release};

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
        act("away", &RecordAction::SwitchLink { target: None }.into());
        act("away again", &RecordAction::SwitchLink { target: None }.into());
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
fn where_the_link_cannot_be_replaced_one_that_leads_there_is_as_good() {
    let found = everywhere(|shell, place| {
        // What nothing can be renamed from.
        place.by_hand("mkdir five/releases/a five/releases/b five/releases/current.r1.new; ln -s a five/releases/current");
        let status = |told: String| told.split(':').next().unwrap_or_default().to_owned();
        let (same, other) = (place.act(shell, &point("a")), place.act(shell, &point("b")));
        format!("there: {}, elsewhere: {}", status(same), status(other))
    });
    assert_snapshot!(found, @"there: 0, elsewhere: 1");
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

fn record(state: SlotState, former: Option<u8>) -> Action {
    RecordAction::Record {
        slot: slot("a"),
        state,
        release: release(1),
        former: former.map(release),
        turn: 7,
        optional: false,
    }
    .into()
}

#[test]
fn records_are_replaced_and_read_back() {
    let found = everywhere(|shell, place| {
        place.by_hand("mkdir five/releases/a");
        let mut found = String::new();
        for action in [record(SlotState::Building, Some(3)), record(SlotState::Ready, None)] {
            let told = place.act(shell, &action);
            let text = std::fs::read_to_string(place.memory().join("slots/a.json")).expect("it is there");
            let SlotRecord { at, state, release, former, turn, run } =
                serde_json::from_str(&text).expect("JSON");
            assert!(at.as_second() > 1_700_000_000, "by the host's clock");
            assert_eq!(turn, 7);
            let seen = place.look(shell, Scope::Plan).slots["a"].record.clone().expect("it is seen");
            assert_eq!((seen.state, &seen.release), (state, &release));
            let former = former.map(|former| former.to_string());
            let takes = place.look(shell, Scope::Plan).slots["a"].takes.is_some_and(|room| room.inodes > 0);
            assert_eq!(
                takes,
                state == SlotState::Ready,
                "what a release takes is measured when all of it is there"
            );
            let files = list(&place.memory().join("slots"));
            let _ = writeln!(found, "{told}: {state:?} {release} {former:?} by {run}; {files}");
        }
        found
    });
    assert_snapshot!(found, @r#"
    0: Building v1 (1111111111) Some("v3 (3333333333)") by r1; a.json
    0: Ready v1 (1111111111) None by r1; a.filled a.json a.takes
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

#[test]
fn the_journal_is_only_added_to() {
    let found = everywhere(|shell, place| {
        let line = |kind, reason: Option<&str>| RecordAction::Journal {
            kind,
            by: "ada@laptop".to_owned(),
            release: Some(release(2)),
            from: Some(release(1)),
            reason: reason.map(str::to_owned),
            skipped: Vec::new(),
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
        let told =
            place.act(shell, &RecordAction::Hold { by: "ada@laptop".to_owned(), reason: ODD.to_owned() });
        let Some(Hold { by, reason, .. }) = place.look(shell, Scope::Plan).hold else { return told };
        assert_eq!(reason, ODD);
        let unheld = place.act(shell, &RecordAction::Unhold);
        format!(
            "{told} by {by}, {unheld}, {unheld_again} {hold:?}",
            unheld_again = place.act(shell, &RecordAction::Unhold),
            hold = place.look(shell, Scope::Plan).hold
        )
    });
    assert_snapshot!(found, @r#"0 by ada@laptop, 0, 0 None"#);
}

#[test]
fn room_is_made() {
    let found = everywhere(|shell, place| {
        place.by_hand("rm -r five");
        let told = place.act(shell, &RecordAction::CreateFolders { group: None, owner: owner() });
        place.by_hand("ln -s a five/releases/current.r7.new; touch five/releases/a.new");
        let again = place.act(shell, &RecordAction::CreateFolders { group: None, owner: owner() });
        let facts = place.look(shell, Scope::Plan);
        assert_eq!(facts.owner, Some(owner()));
        format!("{told}, {again}, {}, {}", facts.has_folders, list(&place.releases()))
    });
    assert_snapshot!(found, @r#"0, 0, true, a.new"#);
}

#[test]
fn room_for_a_group() {
    let found = everywhere(|shell, place| {
        place.by_hand("rm -r five; id -gn >group");
        let group = std::fs::read_to_string(place.root().join("group")).expect("it is there");
        let told = place.act(
            shell,
            &RecordAction::CreateFolders { group: Some(group.trim().to_owned()), owner: owner() },
        );
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

/// Who holds a host, or changes its variables, does so without the lock.
#[test]
fn folders_are_made_beside_a_run_and_nothing_of_it_is_touched() {
    let found = everywhere(|shell, place| {
        let group = Some(place.by_hand("id -gn").trim().to_owned());
        let create = RecordAction::CreateFolders { group, owner: owner() };
        let run = RunId::new("r1").expect("a word");
        let script = render_step(&create.clone().into(), &place.layout, &run);
        place.by_hand(
            "rm -r five/.buedafab/slots; echo ada >five/.buedafab/lock; ln -s a five/releases/current.r7.new",
        );
        let beside = format!("exec 7<>five/.buedafab/lock\nflock 7 7<&7\n(\n{script})");
        let beside = told(&shell.run(&beside, &place.root()), place);
        let left = list(&place.releases());
        let slots = place.by_hand("cd five/.buedafab; ls -d slots/").trim().to_owned();
        format!("{beside}, {left}, {slots}\n{}, {}", place.act(shell, &create), list(&place.releases()))
    });
    assert_snapshot!(found, @"
    0, current.r7.new -> a, slots/
    0, 
    ");
}

/// What others change meanwhile stops nobody, what is mounted there is another's, and a closed folder keeps what is in it.
#[test]
fn a_slot_is_given_to_the_group() {
    let found = everywhere(|shell, place| {
        let group = place.by_hand("id -gn").trim().to_owned();
        let give = RecordAction::GiveToGroup { slot: slot("a"), group };
        place.by_hand(
            "mkdir -p five/releases/a/closed/deep five/releases/a/open five/releases/a/mounted five/releases/a/.git tools
             touch five/releases/a/file five/releases/a/.git/HEAD five/releases/a/open/file five/releases/a/closed/file five/releases/a/closed/deep/file
             find five/releases/a -type d -exec chmod 755 {} +
             find five/releases/a -type f -exec chmod 644 {} +
             chmod 700 five/releases/a/closed five/releases/a/.git
             printf '#!/bin/sh\\n[ ! -e \"$0.tried\" ] || exec /bin/chmod \"$@\"\\ntouch \"$0.tried\"\\nexit 1\\n' >tools/chmod; chmod 755 tools/chmod",
        );
        let step = render_step(&give.into(), &place.layout, &RunId::new("r1").expect("a word"));
        let script = format!(
            "export PATH=\"$PWD/tools:$PATH\"; cd five/releases/a && mount -t tmpfs -o mode=755 tmpfs mounted || exit
             touch mounted/file; /bin/chmod 644 mounted/file\n(\n{step}\n) || echo failed\n/usr/bin/find . -printf '%m %p\\n' | sort -k 2"
        );
        told(&shell.run(&format!("exec unshare -rm sh -c {}", quote(&script)), &place.root()), place)
    });
    assert_snapshot!(found, @"
    0: 2775 .
    2770 ./.git
    664 ./.git/HEAD
    2770 ./closed
    2775 ./closed/deep
    600 ./closed/deep/file
    600 ./closed/file
    664 ./file
    2775 ./mounted
    644 ./mounted/file
    2775 ./open
    664 ./open/file
    ");
}

/// What couldn't be written is on a disk that is full.
#[test]
fn only_what_a_run_has_made_gives_its_room_back() {
    let give_back = Action::from(RecordAction::GiveRoomBack {
        slot: slot("a"),
        release: release(1),
        former: Some(release(3)),
        turn: 0,
        packages: vec!["0123/new.whl".to_owned()],
    });
    let half_made = "mkdir -p five/releases/a/.git/objects/pack five/releases/a.new five/packages/0123 five/packages/4567 \
                     five/shared/files five/.buedafab/uv-cache && echo app >five/releases/a/app && \
                     ln -s ../../shared/files five/releases/a/files && echo a >five/shared/files/upload && \
                     echo pack >five/releases/a/.git/objects/pack/tmp_pack_x && touch five/packages/0123/new.whl five/packages/4567/old.whl";
    let overwritten =
        "touch -d '1 minute ago' five/.buedafab/slots/a.filled && touch five/.buedafab/slots/a.overwritten";
    let found = everywhere(|shell, place| {
        let mut found = String::new();
        for (name, state, by_hand) in [
            ("made by this run", SlotState::Building, overwritten),
            ("not touched yet", SlotState::Building, "touch five/.buedafab/slots/a.filled"),
            ("ready", SlotState::Ready, "true"),
            ("of another run", SlotState::Building, "sed -i s/r1/r2/ five/.buedafab/slots/a.json"),
            ("live", SlotState::Building, "ln -sfn a five/releases/current"),
        ] {
            place.by_hand("rm -rf five/releases/* five/packages five/shared five/.buedafab/slots/* five/.buedafab/reserve.*");
            place.by_hand(half_made);
            assert_eq!(place.act(shell, &record(state, Some(3))), "0");
            place.by_hand(by_hand);
            let run = RunId::new("r1").expect("a word");
            let text = render_step(&give_back, &place.layout, &run);
            let full = format!("dd() {{ return 1; }}\n{text}");
            let said = told(&shell.run(&full, &place.root()), place);
            // How much is free is another matter.
            let said = said.split(", and ").next().unwrap_or_default().to_owned();
            let seen = place.look(shell, Scope::Plan);
            let slots = seen.slots.values().map(|seen| {
                let record = seen.record.as_ref().map(|record| record.state);
                format!("{record:?}, {}", if seen.folder_is_gone { "gone" } else { "there" })
            });
            let slots: Vec<String> = slots.collect();
            let left = place.by_hand(
                "ls -d five/releases/a.new five/releases/a/app five/releases/a/.git/objects/pack/* five/packages/* \
                 five/shared/files/upload five/.buedafab/probe 2>/dev/null | sed 's|five/||' || true",
            );
            let left: Vec<&str> = left.lines().collect();
            let _ = writeln!(
                found,
                "{name}: {said}\n  {}; reserve: {}; {}",
                slots.join(" "),
                seen.has_reserve,
                left.join(" ")
            );
        }
        found
    });
    assert_snapshot!(found, @r#"
    made by this run: 0: there was no room for the release: what slot a held of it was removed
      Some(Failed), gone; reserve: true; packages/4567 shared/files/upload
    not touched yet: 0: there was no room for the release: what slot a held of it was removed
      Some(Failed), there; reserve: true; packages/4567 releases/a/app shared/files/upload
    ready: 0
      Some(Ready), there; reserve: false; packages/0123 packages/4567 releases/a.new releases/a/.git/objects/pack/tmp_pack_x releases/a/app shared/files/upload
    of another run: 0
      Some(Building), there; reserve: false; packages/0123 packages/4567 releases/a.new releases/a/.git/objects/pack/tmp_pack_x releases/a/app shared/files/upload
    live: 0
      Some(Building), there; reserve: false; packages/0123 packages/4567 releases/a.new releases/a/.git/objects/pack/tmp_pack_x releases/a/app shared/files/upload
    "#);
}
