//! A look at a host, taken by real shells in a real folder, and what is made of it.

mod common;

use buedafab_model::plan::action::RecordAction;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use buedafab_model::app::resolved::ResolvedRelease;
use buedafab_model::app::service::Service;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::host::layout::Layout;
use buedafab_model::names::HostPath;
use buedafab_model::plan::action::Action;
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use insta::assert_snapshot;
use jiff::Timestamp;

use buedafab_model::host::record::SlotState;
use common::release;
use common::shells::{Place, Shell, everywhere, shells, slot};

/// What a look found, but for what differs from machine to machine.
fn describe(facts: &HostFacts, place: &Place) -> String {
    let mut text = format!(
        "{:?}; exists {}, has room {}, writable {}",
        facts.current, facts.exists, facts.has_folders, facts.writable
    );
    for (name, slot) in &facts.slots {
        let commit = slot.commit.as_ref().map_or("no commit", |commit| commit.short());
        let record = slot.record.as_ref();
        let record = record.map_or("no record".to_owned(), |r| format!("{:?} {}", r.state, r.release));
        let _ = write!(text, "\n{:?}: {commit}, {record}", name.as_str());
        if slot.folder_is_gone {
            text.push_str(", no folder");
        }
        if let Some(what) = &slot.damaged {
            let _ = write!(text, ", damaged: {what}");
        }
        if let Some(changes) = &slot.changes {
            let _ = write!(text, ", changes {changes:?}");
        }
    }
    if facts.more_slots > 0 {
        let _ = write!(text, "\nand {} more", facts.more_slots);
    }
    if let Some(hold) = &facts.hold {
        let _ = write!(text, "\nheld by {}: {:?}", hold.by, hold.reason);
    }
    for bad in &facts.bad_records {
        let _ = write!(text, "\n{}", bad.in_words("deploy"));
    }
    if facts.garbled_lines > 0 {
        let _ = write!(text, "\n{} garbled", facts.garbled_lines);
    }
    if let Some(lock) = &facts.lock {
        let _ = write!(text, "\nlocked by {:?}", lock.holder.as_ref().map(|holder| &holder.doing));
    }
    for record in &facts.journal {
        let _ = write!(text, "\n{:?} by {}: {:?}", record.kind, record.by, record.reason);
    }
    if !facts.missing_tools.is_empty() {
        let _ = write!(text, "\nmissing {:?}", facts.missing_tools);
    }
    text.replace(place.root().to_str().expect("UTF-8"), "ROOT")
}

/// What every shell sees in this place; they have to agree.
#[track_caller]
fn see(place: &Place, scope: Scope) -> String {
    let seen: Vec<(String, String)> = shells()
        .iter()
        .map(|shell| {
            let facts = place.look(shell, scope);
            assert!(!facts.user.is_empty() && facts.clock.is_some() && facts.disk_kib.is_some(), "{facts:?}");
            (describe(&facts, place), facts.state_sum)
        })
        .collect();
    for other in &seen[1..] {
        assert_eq!(*other, seen[0]);
    }
    seen[0].0.clone()
}

/// What is seen where this was done by hand, in the app's folder.
#[track_caller]
fn check(by_hand: &str) -> String {
    let place = Place::with_room("five");
    place.by_hand(&format!("cd five; {by_hand}"));
    see(&place, Scope::Plan)
}

const RELEASE_1: &str = r#"{"commit":"1111111111111111111111111111111111111111","describe":"v1","tag":"v1"}"#;

/// A record of release 1.
fn record(state: &str) -> String {
    format!(r#"{{"at":"2026-11-05T00:00:00Z","release":{RELEASE_1},"run":"r1","state":"{state}"}}"#)
}

#[test]
fn nothing_is_there() {
    assert_snapshot!(see(&Place::new("five"), Scope::Plan), @r#"Missing; exists false, has room false, writable true"#);
}

#[test]
fn only_the_folder_is_there() {
    let place = Place::new("five");
    place.by_hand("mkdir five");
    assert_snapshot!(see(&place, Scope::Full), @r#"Missing; exists true, has room false, writable true"#);
}

#[test]
fn a_file_where_the_folder_should_be() {
    let place = Place::new("five");
    place.by_hand("touch five");
    assert_snapshot!(see(&place, Scope::Plan), @r#"Missing; exists true, has room false, writable false"#);
}

/// Nothing of the program's own is a link, a folder or a pipe; and a slot is a folder that we made, or a checkout.
#[test]
fn what_is_not_ours() {
    let cases = [
        "mkdir -p .buedafab/slots; touch x; ln -s ../x .buedafab/lock; mkdir .buedafab/hold; mkfifo .buedafab/journal.jsonl",
        "mkdir -p .buedafab/slots; ln -s nowhere .buedafab/pending.json; touch .buedafab/hold",
        "mkdir ../old; touch ../old/precious; ln -s ../../old releases/a; mkdir releases/b; touch releases/b/precious",
        "mkdir -p releases/a releases/b/.git; touch releases/b/app.py; mkdir releases/c; touch releases/c/.hidden",
        "mkdir -p .buedafab/slots releases/a; touch releases/a/half-made .buedafab/slots/a.json",
    ];
    let seen = cases.map(|by_hand| {
        let place = Place::with_room("five");
        place.by_hand(&format!("cd five; {by_hand}"));
        let seen = shells().into_iter().map(|shell| {
            let facts = place.look(&shell, Scope::Plan);
            let slots = facts.slots.iter().filter(|(_, slot)| slot.is_link || slot.is_of_others);
            let slots: Vec<String> = slots
                .map(|(name, slot)| format!("{name}: link {}, of others {}", slot.is_link, slot.is_of_others))
                .collect();
            format!("{:?} {slots:?}", facts.not_files).replace(place.root().to_str().expect("UTF-8"), "ROOT")
        });
        let seen: Vec<String> = seen.collect();
        assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
        seen[0].clone()
    });
    assert_snapshot!(seen.join("\n"), @r#"
    ["ROOT/five/.buedafab/lock", "ROOT/five/.buedafab/hold", "ROOT/five/.buedafab/journal.jsonl"] []
    ["ROOT/five/.buedafab/pending.json"] []
    [] ["a: link true, of others false", "b: link false, of others true"]
    [] ["c: link false, of others true"]
    [] []
    "#);
}

/// Whatever it is called, and whether it is there yet.
#[test]
fn a_folder_says_which_it_is() {
    everywhere(|shell, place| {
        place.by_hand("mkdir -p srv/five other; ln -s srv alias; ln -s nowhere gone");
        let look = |path: &str| {
            let path = HostPath::new(format!("{}/{path}", place.root().display())).expect("a path");
            let layout = Layout { path, ..place.layout.clone() };
            let also = AlsoLookAt { has_others: true, ..AlsoLookAt::default() };
            let output = shell.run(&inspect_script(&layout, Scope::Plan, &also), &place.root());
            HostFacts::parse(&output.stdout, &layout, Timestamp::UNIX_EPOCH).expect("a look")
        };
        let own = |path: &str| look(path).own_folder.expect("it says it");
        assert_eq!(own("srv/five"), own("alias/five"));
        assert_eq!(own("srv/new/five"), own("alias/new/five"));
        let all = ["srv/five", "srv/six", "srv/new/five", "other"].map(own);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
        assert_eq!(look("srv/six").leads_nowhere, None);
        for path in ["gone", "gone/five"] {
            let link = look(path).leads_nowhere.expect("it leads nowhere");
            assert!(link.ends_with("/gone"), "{link}");
        }
        // One host has nobody to be taken for.
        assert_eq!(place.look(shell, Scope::Plan).own_folder, None);
        String::new()
    });
}

#[test]
fn links() {
    let cases = [
        "mkdir releases/a; ln -s a releases/current",
        "mkdir releases/a; ln -s ./a releases/current",
        "mkdir releases/a; ln -s a/ releases/current",
        "mkdir releases/a; ln -s \"$PWD/releases/a\" releases/current",
        "mkdir releases/a; ln -s ../releases/a releases/current",
        "mkdir releases/a; ln -s . ../alias; ln -s \"$PWD/../alias/five/releases/a\" releases/current",
        "mkdir releases/b; ln -s a releases/current",
        "mkdir releases/a; touch releases/b; ln -s b releases/current",
        "mkdir releases/c; ln -s c releases/current",
        "mkdir /tmp -p; ln -s /tmp releases/current",
        "ln -s 'it'\"'\"'s \"$HOME\"\n' releases/current; mkdir \"releases/$(readlink releases/current; echo .)\" || true",
        "mkdir releases/current",
        "touch releases/current",
        "mkdir releases/a; ln -s a releases/current; ln -s b releases/current.r1.new",
        "mkdir releases/c; ln -s c releases/a; ln -s a releases/current",
        "mkdir releases/c; ln -s c releases/a; ln -s \"$PWD/../five/releases/c\" releases/current",
    ];
    let found: Vec<String> = cases.iter().map(|case| format!("{case}\n→ {}\n", check(case))).collect();
    assert_snapshot!(found.join("\n"), @r#"
    mkdir releases/a; ln -s a releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/a; ln -s ./a releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/a; ln -s a/ releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/a; ln -s "$PWD/releases/a" releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/a; ln -s ../releases/a releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/a; ln -s . ../alias; ln -s "$PWD/../alias/five/releases/a" releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/b; ln -s a releases/current
    → Dangling("a"); exists true, has room true, writable true
    "b": no commit, no record

    mkdir releases/a; touch releases/b; ln -s b releases/current
    → Dangling("b"); exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/c; ln -s c releases/current
    → Slot("c"); exists true, has room true, writable true
    "c": no commit, no record

    mkdir /tmp -p; ln -s /tmp releases/current
    → Elsewhere("/tmp"); exists true, has room true, writable true

    ln -s 'it'"'"'s "$HOME"
    ' releases/current; mkdir "releases/$(readlink releases/current; echo .)" || true
    → Dangling("it's \"$HOME\"\n"); exists true, has room true, writable true
    "it's \"$HOME\"\n\n.": no commit, no record

    mkdir releases/current
    → NotALink; exists true, has room true, writable true

    touch releases/current
    → NotALink; exists true, has room true, writable true

    mkdir releases/a; ln -s a releases/current; ln -s b releases/current.r1.new
    → Slot("a"); exists true, has room false, writable true
    "a": no commit, no record

    mkdir releases/c; ln -s c releases/a; ln -s a releases/current
    → Slot("a"); exists true, has room true, writable true
    "a": no commit, no record
    "c": no commit, no record

    mkdir releases/c; ln -s c releases/a; ln -s "$PWD/../five/releases/c" releases/current
    → Slot("c"); exists true, has room true, writable true
    "a": no commit, no record
    "c": no commit, no record
    "#);
}

/// Whatever may hold a release, and nothing else.
#[test]
fn slots_are_found() {
    let cases = [
        "mkdir releases/2 releases/10 releases/'it'\\''s a \"slot\"' releases/\"$(printf 'two\\nlines')\"",
        "mkdir releases/.hidden releases/a.new releases/-rf; touch releases/file; ln -s nothing releases/b",
        "mkdir releases/current; mkdir elsewhere; ln -s ../elsewhere releases/a",
        "mkdir releases/b; echo scribble >.buedafab/slots/c.json; echo scribble >.buedafab/slots/b.json.r1.new",
        "rmdir releases; echo scribble >.buedafab/slots/a.json",
        "mkdir releases/\"$(printf 'a\\377')\"",
    ];
    let found: Vec<String> = cases.iter().map(|case| format!("{case}\n→ {}\n", check(case))).collect();
    assert_snapshot!(found.join("\n"), @r#"
    mkdir releases/2 releases/10 releases/'it'\''s a "slot"' releases/"$(printf 'two\nlines')"
    → Missing; exists true, has room true, writable true
    "10": no commit, no record
    "2": no commit, no record
    "it's a \"slot\"": no commit, no record
    "two\nlines": no commit, no record

    mkdir releases/.hidden releases/a.new releases/-rf; touch releases/file; ln -s nothing releases/b
    → Missing; exists true, has room true, writable true

    mkdir releases/current; mkdir elsewhere; ln -s ../elsewhere releases/a
    → NotALink; exists true, has room true, writable true
    "a": no commit, no record

    mkdir releases/b; echo scribble >.buedafab/slots/c.json; echo scribble >.buedafab/slots/b.json.r1.new
    → Missing; exists true, has room true, writable true
    "b": no commit, no record
    "c": no commit, no record, no folder
    ROOT/five/.buedafab/slots/c.json isn't what buedafab writes there: "scribble"

    rmdir releases; echo scribble >.buedafab/slots/a.json
    → Missing; exists true, has room false, writable true
    "a": no commit, no record, no folder
    ROOT/five/.buedafab/slots/a.json isn't what buedafab writes there: "scribble"

    mkdir releases/"$(printf 'a\377')"
    → Missing; exists true, has room true, writable true
    "#);
}

/// A folder a deploy, as other tools make them: the last by name are looked at, what has a record, and what serves.
#[test]
fn not_all_of_many_slots_are_looked_at() {
    let place = Place::with_room("five");
    place.by_hand("cd five/releases; mkdir $(seq -w 1 300); ln -s 007 current");
    std::fs::write(place.memory().join("slots/008.json"), record("retired")).expect("it is written");
    let seen = see(&place, Scope::Full);
    let names: Vec<&str> =
        seen.lines().filter_map(|line| line.strip_prefix('"')?.split('"').next()).collect();
    // The last hundred names are those of 99 folders and of the link.
    assert_eq!((names.len(), &names[..3], names[100]), (101, &["007", "008", "202"][..], "300"), "{seen}");
    assert!(seen.starts_with("Slot(\"007\")") && seen.ends_with("and 199 more"), "{seen}");
}

/// What was resolved for releases comes back as it was kept, whoever kept it; what can't be read is as good as not there.
#[test]
fn what_was_resolved_for_releases() {
    let place = Place::with_room("it's \"five\"\n$HOME");
    let settings =
        common::fleet("variables = { KEY = \"secret\" }\n[hooks]\nbuild = \"it's \\\"$HOME\\\" \\n é\"", 1);
    let hosts = [common::bare()];
    let plan = buedafab_model::planner::plan_deploy(
        &settings,
        &common::run(1),
        &common::request(1),
        &common::seen(&settings, &hosts),
    );
    let plan = plan.expect("nothing speaks against it");
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let keep = steps.map(|step| &step.action).find_map(|action| match action {
        Action::Record(RecordAction::KeepResolved { resolved }) => Some(resolved.clone()),
        _ => None,
    });
    let kept = keep.expect("it is kept");
    let in_b = Box::new(ResolvedRelease { slot: common::shells::slot("b"), ..(*kept).clone() });
    for shell in shells() {
        for resolved in [&kept, &in_b] {
            let keep = RecordAction::KeepResolved { resolved: resolved.clone() };
            assert_eq!(place.act(&shell, &keep), "0");
        }
        let facts = place.look(&shell, Scope::Plan);
        assert_eq!(facts.resolved, [(*kept).clone(), (*in_b).clone()], "{}", shell.name);
        let found = |slot: &str| facts.resolved_for(&common::shells::slot(slot), &kept.commit).cloned();
        assert_eq!(
            [found("a"), found("b"), found("c")],
            [Some((*kept).clone()), Some((*in_b).clone()), Some((*kept).clone())]
        );
    }
    let file = PathBuf::from(place.layout.resolved(&kept.commit, &kept.slot).as_str());
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "scribble\n").expect("it is written");
    assert_eq!(place.look(&shells()[0], Scope::Plan).resolved, [*in_b]);
}

#[test]
fn records() {
    let cases = [
        ("a good one", record("live")),
        ("with a line after it", format!("{}\nmore", record("live"))),
        ("without a newline at its end", record("live")),
        ("cut short", record("live")[..40].to_owned()),
        ("an unknown state", record("wobbly")),
        (
            "a field that a later version added",
            record("live").replace("\"run\"", "\"mood\":\"good\",\"run\""),
        ),
        ("scribble", "it's \"$HOME\" \\0 \u{1b}[1m".to_owned()),
        ("nothing", String::new()),
    ];
    let mut found = String::new();
    for (name, text) in cases {
        let place = Place::with_room("five");
        place.by_hand("mkdir five/releases/a; ln -s a five/releases/current");
        std::fs::write(place.memory().join("slots/a.json"), text).expect("it is written");
        let seen = see(&place, Scope::Plan);
        let slot = seen.lines().find(|line| line.starts_with('"')).unwrap_or_default();
        let _ = writeln!(found, "{name} → {slot}");
    }
    assert_snapshot!(found, @r#"
    a good one → "a": no commit, Live v1 (1111111111), damaged: it is gone
    with a line after it → "a": no commit, Live v1 (1111111111), damaged: it is gone
    without a newline at its end → "a": no commit, Live v1 (1111111111), damaged: it is gone
    cut short → "a": no commit, no record, damaged: it is gone
    an unknown state → "a": no commit, no record, damaged: it is gone
    a field that a later version added → "a": no commit, Live v1 (1111111111), damaged: it is gone
    scribble → "a": no commit, no record, damaged: it is gone
    nothing → "a": no commit, no record, damaged: it is gone
    "#);
}

#[test]
fn bytes_that_are_no_text_stay_one_value() {
    let place = Place::with_room("five");
    place.by_hand("cd five; mkdir releases/a; ln -s a releases/current; printf 'a\\0b\\377\\n' >.buedafab/slots/a.json; printf '\\377\\n' >.buedafab/hold");
    let seen = see(&place, Scope::Plan);
    assert_snapshot!(seen, @r#"
    Slot("a"); exists true, has room true, writable true
    "a": no commit, no record, damaged: it is gone
    ROOT/five/.buedafab/slots/a.json isn't what buedafab writes there: "ab�"
    ROOT/five/.buedafab/hold isn't what buedafab writes there: "�"
    "#);
}

#[test]
fn holds() {
    let cases = [
        r#"{"at":"2026-11-05T00:00:00Z","by":"bob@desk","reason":"the audit"}"#,
        "by hand, because of the audit",
        "",
    ];
    let found = cases.map(|text| check(&format!("cat >.buedafab/hold <<'END'\n{text}\nEND")));
    assert_snapshot!(found.join("\n\n"), @r#"
    Missing; exists true, has room true, writable true
    held by bob@desk: "the audit"

    Missing; exists true, has room true, writable true
    ROOT/five/.buedafab/hold isn't what buedafab writes there: "by hand, because of the audit"

    Missing; exists true, has room true, writable true
    ROOT/five/.buedafab/hold is empty, and should say something
    "#);
}

#[test]
fn a_path_of_odd_characters() {
    let place = Place::with_room("it's \"five\"\n$HOME `id` \\ *");
    std::fs::create_dir(place.slot("b")).expect("a folder");
    std::os::unix::fs::symlink(place.slot("b"), place.current()).expect("a link");
    std::fs::write(place.memory().join("slots/b.json"), record("live")).expect("it is written");
    assert_snapshot!(see(&place, Scope::Full), @r#"
    Slot("b"); exists true, has room true, writable true
    "b": no commit, Live v1 (1111111111), damaged: it is gone
    "#);
}

#[test]
fn the_journal_and_local_changes_are_part_of_a_full_look() {
    let place = Place::with_room("five");
    place.by_hand(
        r#"cd five/releases; git init -q a; cd a; echo one >one; echo two >two; git add .; git commit -qm first
           git checkout -q --detach; rm one; echo more >>two; touch untracked; ln -s a ../current"#,
    );
    let line = |kind: &str, reason: &str| {
        format!(
            "{{\"at\":\"2026-11-05T00:00:00Z\",\"kind\":\"{kind}\",\"run\":\"r1\",\"by\":\"ada\",\"reason\":{reason:?}}}\n"
        )
    };
    let journal = format!("{}scribble\n{}", line("held", "an \"audit\"\\"), line("unheld", "done"));
    std::fs::write(place.memory().join("journal.jsonl"), journal).expect("it is written");
    let commit = place.commit_of("a");
    assert_snapshot!(see(&place, Scope::Plan).replace(&commit[..10], "COMMIT"), @r#"
    Slot("a"); exists true, has room true, writable true
    "a": COMMIT, no record
    "#);
    assert_snapshot!(see(&place, Scope::Full).replace(&commit[..10], "COMMIT"), @r#"
    Slot("a"); exists true, has room true, writable true
    "a": COMMIT, no record, changes [" D one", " M two"]
    1 garbled
    Held by ada: Some("an \"audit\"\\")
    Unheld by ada: Some("done")
    "#);
}

/// As another tool leaves it: on a branch.
#[test]
fn a_clone_that_stands_on_a_branch() {
    let place = Place::with_room("five");
    place.by_hand(
        "cd five/releases; git init -q a; cd a; git commit -q --allow-empty -m first; ln -s a ../current; git init -q ../b",
    );
    let commit = place.commit_of("a");
    assert_snapshot!(see(&place, Scope::Plan).replace(&commit[..10], "COMMIT"), @r#"
    Slot("a"); exists true, has room true, writable true
    "a": COMMIT, no record
    "b": no commit, no record
    "#);
}

/// A process that holds a lock for as long as it is looked at.
struct Holder(Child);

impl Holder {
    fn of(place: &Place, words: &str) -> Holder {
        let file = place.memory().join("lock");
        std::fs::write(&file, words).expect("it is written");
        let child = Command::new("flock")
            .arg("--no-fork")
            .arg(&file)
            .args(["sleep", "600"])
            .spawn()
            .expect("flock runs");
        let deadline = Instant::now() + Duration::from_secs(20);
        let is_free =
            || Command::new("flock").arg("-n").arg(&file).arg("true").status().expect("it runs").success();
        while is_free() {
            assert!(Instant::now() < deadline, "the lock isn't taken");
        }
        Holder(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const HOLDER: &str = r#"{"at":"2026-11-05T00:00:00Z","by":"bob@desk","doing":"deploy v2","run":"r7"}"#;

#[test]
fn locks() {
    let place = Place::with_room("five");
    // What a run has left that was killed is no lock.
    std::fs::write(place.memory().join("lock"), HOLDER).expect("it is written");
    assert_snapshot!(see(&place, Scope::Plan), @r#"Missing; exists true, has room true, writable true"#);
    let holder = Holder::of(&place, HOLDER);
    assert_snapshot!(see(&place, Scope::Plan), @r#"
    Missing; exists true, has room true, writable true
    locked by Some("deploy v2")
    "#);
    drop(holder);
    let holder = Holder::of(&place, "half a holder");
    assert_snapshot!(see(&place, Scope::Plan), @r#"
    Missing; exists true, has room true, writable true
    locked by None
    "#);
    drop(holder);
    // No run of ours, which would say so at once.
    let holder = Holder::of(&place, "");
    assert_snapshot!(see(&place, Scope::Full), @r#"
    Missing; exists true, has room true, writable true
    locked by None
    "#);
    drop(holder);
}

#[test]
fn tools_that_are_missing() {
    let place = Place::with_room("five");
    // All that the look itself needs, but for what it can tell of.
    place.by_hand("mkdir tools; for tool in sh id date readlink cksum stat tail true; do ln -s \"$(command -v $tool)\" tools; done");
    let script = buedafab_model::shell::inspect::inspect_script(
        &place.layout,
        Scope::Plan,
        &buedafab_model::shell::inspect::AlsoLookAt::default(),
    );
    let output = Command::new(place.root().join("tools/sh"))
        .args(["-c", &script])
        .env("PATH", place.root().join("tools"))
        .output()
        .expect("it runs");
    let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("a look");
    assert_snapshot!(describe(&facts, &place), @r#"
    Missing; exists true, has room true, writable true
    missing ["git", "flock", "setsid", "mktemp", "mkfifo"]
    "#);
}

/// Another user, who can look and not write. Where the tests don't run as root, their own user is the other one.
#[test]
fn a_folder_that_cannot_be_written() {
    let place = Place::with_room("five");
    place.by_hand("chmod a+rx . five five/releases; chmod a-w five/releases");
    let is_root = Command::new("id").arg("-u").output().expect("it runs").stdout == b"0\n";
    let script = buedafab_model::shell::inspect::inspect_script(
        &place.layout,
        Scope::Plan,
        &buedafab_model::shell::inspect::AlsoLookAt::default(),
    );
    let mut command = Command::new("sh");
    if is_root {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
    }
    let output = command.args(["-c", &script]).current_dir("/").output().expect("it runs");
    let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("a look");
    assert_snapshot!(describe(&facts, &place), @r#"Missing; exists true, has room true, writable false"#);
    place.by_hand("chmod u+w five/releases");
}

/// Everything that could make a plan wrong fails its guard, and nothing else does.
#[test]
fn a_guard() {
    let place = Place::with_room("five");
    place.by_hand("cd five; mkdir releases/a releases/b; ln -s a releases/current");
    std::fs::write(place.memory().join("slots/a.json"), record("live")).expect("it is written");
    let shells = shells();
    let guarded = |by_hand: &str| -> Vec<String> {
        let guard = |shell: &Shell| {
            let state_sum = place.look(shell, Scope::Plan).state_sum;
            RecordAction::Guard { state_sum }.into()
        };
        let guards: Vec<Action> = shells.iter().map(guard).collect();
        place.by_hand(&format!("cd five; {by_hand}"));
        shells.iter().zip(&guards).map(|(shell, guard)| place.act(shell, guard)).collect()
    };
    let cases = [
        "true",
        "touch .buedafab/journal.jsonl releases/a/file .buedafab/lock",
        "touch releases/file; mkdir releases/.cache releases/c.new; ln -s a releases/current.r9.new",
        "mkdir releases/c",
        "rmdir releases/c",
        "ln -sfn b releases/current",
        "rm releases/current",
        "mkdir releases/current",
        "sed -i s/live/ready/ .buedafab/slots/a.json",
        "rm -r releases/b",
        "echo stop >.buedafab/hold",
        "rm .buedafab/hold",
    ];
    let mut found = String::new();
    for case in cases {
        let told = guarded(case);
        assert!(told.iter().all(|other| *other == told[0]), "{told:?}");
        let _ = writeln!(found, "{case} → {}", told[0]);
    }
    assert_snapshot!(found, @r#"
    true → 0
    touch .buedafab/journal.jsonl releases/a/file .buedafab/lock → 0
    touch releases/file; mkdir releases/.cache releases/c.new; ln -s a releases/current.r9.new → 0
    mkdir releases/c → 75: somebody changed this host since it was looked at
    rmdir releases/c → 75: somebody changed this host since it was looked at
    ln -sfn b releases/current → 75: somebody changed this host since it was looked at
    rm releases/current → 75: somebody changed this host since it was looked at
    mkdir releases/current → 75: somebody changed this host since it was looked at
    sed -i s/live/ready/ .buedafab/slots/a.json → 75: somebody changed this host since it was looked at
    rm -r releases/b → 75: somebody changed this host since it was looked at
    echo stop >.buedafab/hold → 75: somebody changed this host since it was looked at
    rm .buedafab/hold → 75: somebody changed this host since it was looked at
    "#);
}

/// Ends a process that a test has started, with all that it has started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.0.wait();
    }
}

/// What runs is seen whoever manages it: real supervisord and runsv, and an init script's file of a process's number.
#[test]
fn services_of_other_managers() {
    let place = Place::with_room("five");
    place.by_hand(
        "cd five; mkdir -p releases/a releases/b; ln -s b releases/current
        cd ..; mkdir bin sv sv/five
        printf '#!/bin/sh\\ncd ../../five/releases/a && exec sleep 300\\n' >sv/five/run
        chmod +x sv/five/run",
    );
    let root = place.root().display().to_string();
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let program = |name: &str, command: &str| {
        format!(
            "[program:{name}]\ncommand=sh -c \"{command}\"\ndirectory={root}/five/releases/b\nstartsecs=0\nstopasgroup=true\nautorestart=false\n"
        )
    };
    std::fs::write(
        place.root().join("supervisord.conf"),
        format!(
            "[unix_http_server]\nfile={root}/supervisor.sock\n[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={root}/pid\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{root}/supervisor.sock\n{}{}",
            program("five", "sleep 300; true"),
            program("five-jobs", "exit 3")
        ),
    )
    .expect("it is written");
    place.by_hand(&format!(
        "printf '#!/bin/sh\\nexec {} -c {root}/supervisord.conf \"$@\"\\n' >bin/supervisorctl; chmod +x bin/supervisorctl",
        tools.join("supervisorctl").display()
    ));
    let start = |command: &mut Command| {
        Running(
            command.current_dir(place.root()).stdout(std::process::Stdio::null()).spawn().expect("it starts"),
        )
    };
    let _supervisor =
        start(Command::new(tools.join("supervisord")).args(["-c", &format!("{root}/supervisord.conf")]));
    let _runsv = start(Command::new("runsv").arg("sv/five"));
    let services =
        ["supervisor:five", "supervisor:five-jobs", "supervisor:six", "runit:five", "runit:six", "init:six"];
    let watched: Vec<String> = services
        .iter()
        .filter_map(|service| Service::try_from((*service).to_owned()).expect("a service").watched())
        .collect();
    let also = AlsoLookAt { units: &watched, ..AlsoLookAt::default() };
    let script = format!(
        "PATH='{root}/bin':$PATH SVDIR='{root}/sv'\nexport PATH SVDIR\n{}",
        inspect_script(&place.layout, Scope::Plan, &also)
    );
    for shell in shells() {
        let deadline = Instant::now() + Duration::from_secs(30);
        let seen = loop {
            let output = shell.run(&script, &place.root());
            let facts =
                HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("facts");
            let mut seen = String::new();
            for unit in &facts.running.units {
                let slots: Vec<String> =
                    unit.processes.iter().map(|process| format!("{:?}", process.slots)).collect();
                let _ = writeln!(seen, "{}: {}, processes in {slots:?}", unit.name, unit.state);
            }
            let live = facts.live_slot().expect("it leads there").clone();
            for trouble in facts.running.trouble(&live, |_| true) {
                let words: Vec<&str> = trouble.words().split(", in process").collect();
                let _ = writeln!(seen, "{}", words[0]);
            }
            if seen.contains("supervisor:five: active")
                && seen.contains("EXITED")
                && seen.contains("runit:five: active")
            {
                // Before, one may have ended between the two questions.
                for unit in &facts.running.units {
                    assert_eq!(unit.since.is_some(), unit.main_pid.is_some(), "{unit:?}");
                }
                break seen;
            }
            assert!(Instant::now() < deadline, "{seen}{}", String::from_utf8_lossy(&output.stderr));
        };
        insta::allow_duplicates! {
            assert_snapshot!(seen, @r#"
            supervisor:five: active, processes in ["{\"b\"}", "{\"b\"}"]
            supervisor:five-jobs: EXITED, processes in []
            runit:five: active, processes in ["{\"a\"}"]
            supervisor:five-jobs doesn't run: it is EXITED
            runit:five still runs slot a
            "#);
        }
    }
}

/// What an upgrade of the system leaves of a virtualenv is seen before anybody goes back to it.
#[test]
fn a_virtualenv_whose_python_is_gone_is_seen() {
    let found = everywhere(|shell, place| {
        place.by_hand("cd five/releases; mkdir a b; cd a; /usr/bin/python3 -m venv --without-pip env");
        let a = RecordAction::Record {
            slot: slot("a"),
            state: SlotState::Retired,
            release: release(1),
            former: None,
            turn: 0,
            optional: false,
        };
        place.act(shell, &a);
        let gone = || {
            let facts = place.look(shell, Scope::Back);
            facts.slots[&slot("a")].python_is_gone.to_string()
        };
        let whole = gone();
        place.by_hand("cd five/releases/a/env; mv lib/python3.* .; mkdir lib/python3.1");
        let upgraded = gone();
        place.by_hand(
            "cd five/releases/a/env; mv python3.* lib; rm bin/python; ln -s /usr/bin/python2.9 bin/python",
        );
        let removed = gone();
        place.by_hand("rm -r five/releases/a/env");
        // One that has none needs none.
        format!("whole {whole}, upgraded {upgraded}, removed {removed}, without {}", gone())
    });
    assert_snapshot!(found, @"whole false, upgraded true, removed true, without false");
}

/// What was resolved for the live release is seen, so that hosts which never had it can be given the same.
#[test]
fn the_packages_of_the_live_release_are_seen() {
    let found = everywhere(|shell, place| {
        let commit = "1".repeat(40);
        place.by_hand(&format!(
            "cd five; mkdir -p releases/a/.git .buedafab/releases/{commit}; ln -s a releases/current; echo {commit} >releases/a/.git/HEAD
             printf '%s\\n' '# 1 2' '--index-url https://pypi.example.com/simple' 'six==1.0 --hash=sha256:12' 'uvicorn[standard]==2.0 \\' '    --hash=sha256:34' 'x @ git+https://x@12' ./libs/x >.buedafab/releases/{commit}/requirements"
        ));
        place.look(shell, Scope::Plan).pins.join(" ")
    });
    assert_eq!(found, "six==1.0 uvicorn==2.0");
}
