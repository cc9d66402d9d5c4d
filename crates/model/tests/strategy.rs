//! What strategies answer, and that a strategy of another kind fits: one that makes a new folder for every release.

mod common;

use buedafab_model::host::known::{NotKnown, known_release};
use buedafab_model::host::record::SlotState;
use buedafab_model::host::written::Written;
use buedafab_model::names::SlotName;
use buedafab_model::release::Release;
use buedafab_model::strategy;
use insta::assert_snapshot;

use common::{Seen, bare, fleet, live, release, run, second};

const THREE: &str = "release_paths = [\"a\", \"b\", \"c\"]";

/// Where a new release would go, and what could be gone back to meanwhile.
#[track_caller]
fn answers(text: &str, host: &Seen) -> (String, Vec<String>) {
    let settings = fleet(text, 1);
    let strategy = strategy::of(&settings);
    let destination = strategy.destination(&settings, &host.0, run(60).at, &release(9));
    let targets = strategy.rollback_targets(&settings, &host.0);
    (destination.slot.to_string(), targets.iter().map(ToString::to_string).collect())
}

/// The preparation of release 9 has failed in the slot that it went to.
fn after_a_failed_prepare(text: &str, host: Seen) -> (String, Vec<String>) {
    let (slot, _) = answers(text, &host);
    let former = strategy::former(&host.0, &SlotName::new(slot.clone()).expect("a slot"));
    let former = former.map(|former| former.commit.as_str()[..1].parse().expect("a digit"));
    answers(text, &host.slot_with_former(&slot, SlotState::Building, 9, former))
}

/// With three slots, a deploy that fails doesn't cost the release that a rollback goes to, and neither does the next one.
#[test]
fn a_failed_prepare_and_the_rollback_target() {
    let two = || bare().slot("a", SlotState::Retired, 1).slot("b", SlotState::Live, 2).link("b");
    let built_again = vec!["v1 (1111111111), built again".to_owned()];
    assert_eq!(after_a_failed_prepare("", two()), ("a".to_owned(), built_again));
    let whole = vec!["v1 (1111111111)".to_owned()];
    assert_eq!(after_a_failed_prepare(THREE, two()), ("c".to_owned(), whole));
    let full = two().slot("c", SlotState::Retired, 0);
    let both = vec!["v1 (1111111111)".to_owned(), "v0 (0000000000), built again".to_owned()];
    assert_eq!(after_a_failed_prepare(THREE, full), ("c".to_owned(), both));
}

/// What a try has left half-made is gone on with, and not begun again beside it: an env takes its time.
#[test]
fn a_retry_takes_the_slot_of_the_last_try() {
    for text in ["", THREE] {
        for (slot, state) in ["a", "b"].into_iter().flat_map(|slot| {
            [SlotState::Building, SlotState::Failed, SlotState::Ready].map(|state| (slot, state))
        }) {
            let host = bare().slot(slot, state, 9);
            assert_eq!(answers(text, &host), (slot.to_owned(), Vec::new()), "{state:?}");
        }
    }
    // With three, an empty one is left beside one that serves, too.
    let host = live().slot("c", SlotState::Building, 9);
    assert_eq!(answers(THREE, &host), ("c".to_owned(), Vec::new()));
    // What could be gone back to stays whole as long as there is another.
    let host = live().slot_with_former("b", SlotState::Building, 9, Some(4));
    assert_eq!(answers(THREE, &host).0, "c");
}

/// Where a new release goes that is called so, what could be gone back to, and what is removed once it is live.
#[track_caller]
fn all_answers(text: &str, host: &Seen, number: u8) -> String {
    let settings = fleet(text, 1);
    let (strategy, facts) = (strategy::of(&settings), &host.0);
    let slot = strategy.destination(&settings, facts, run(60).at, &release(number)).slot;
    let targets = strategy.rollback_targets(&settings, facts);
    let targets: Vec<String> =
        targets.iter().map(|target| format!("{} in {}", target, target.slot)).collect();
    let removed = strategy.prunable(&settings, facts, run(60).at, &slot);
    let removed: Vec<&str> = removed.iter().map(SlotName::as_str).collect();
    format!("to {slot}; back to {}; removed {}", targets.join(", "), removed.join(", "))
}

#[test]
fn a_folder_for_every_deploy() {
    let five = || {
        bare()
            .slot("20261101T120000Z", SlotState::Retired, 1)
            .slot("20261102T120000Z", SlotState::Retired, 2)
            .slot("20261103T120000Z", SlotState::Retired, 3)
            .slot("20261104T120000Z", SlotState::Failed, 4)
            .slot("20261105T010000Z", SlotState::Live, 5)
            .link("20261105T010000Z")
    };
    let by_time = |more: &str| format!("strategy = \"timestamp\"\n{more}");
    assert_snapshot!(all_answers(&by_time("keep = 3"), &five(), 9), @"to 20261105T010000Z-2; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261101T120000Z, 20261102T120000Z, 20261104T120000Z");
    assert_snapshot!(all_answers(&by_time("keep = 2"), &five(), 9), @"to 20261105T010000Z-2; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261101T120000Z, 20261102T120000Z, 20261103T120000Z, 20261104T120000Z");
    // As long as they are young, all of them stay.
    assert_snapshot!(all_answers(&by_time("keep = 2\nkeep_days = 1"), &five(), 9), @"to 20261105T010000Z-2; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed");
    assert_snapshot!(all_answers(&by_time(""), &bare(), 9), @"to 20261105T010000Z; back to ; removed");
    // The next try of the same release goes on with what the last one left.
    assert_snapshot!(all_answers(&by_time(""), &five().slot("20261106T120000Z", SlotState::Building, 9), 9), @"to 20261106T120000Z; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261104T120000Z");
    assert_snapshot!(all_answers(&by_time(""), &five().slot("20261106T120000Z", SlotState::Building, 8), 9), @"to 20261105T010000Z-2; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261104T120000Z, 20261106T120000Z");
    // What something else was put into, a process runs from, or that is no folder, stays.
    let used = five().change(|facts| {
        let mut slots = facts.slots.values_mut();
        let written = vec![Written { path: "db.sqlite3".to_owned(), files: 1 }];
        slots.next().expect("the first").written = written;
        slots.next().expect("the second").is_link = true;
    });
    assert_snapshot!(all_answers(&by_time("keep = 2"), &used, 9), @"to 20261105T010000Z-2; back to v3 (3333333333) in 20261103T120000Z, v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261103T120000Z, 20261104T120000Z");
}

/// What serves without ever having been confirmed is no release to go back to, so the one before it stays.
#[test]
fn the_one_before_stays_where_what_serves_was_never_confirmed() {
    let host = bare()
        .slot("20261101T120000Z", SlotState::Retired, 1)
        .slot("20261102T120000Z", SlotState::Retired, 2)
        .slot("20261103T120000Z", SlotState::Ready, 3)
        .link("20261103T120000Z");
    assert_snapshot!(all_answers("strategy = \"timestamp\"\nkeep = 2", &host, 9), @"to 20261105T010000Z; back to v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261101T120000Z; removed 20261101T120000Z");
}

/// Which release came after which doesn't rest on a clock.
#[test]
fn a_clock_that_was_put_back() {
    let host = bare()
        .slot("20261103T120000Z", SlotState::Retired, 1)
        .slot("20261102T120000Z", SlotState::Retired, 2)
        .slot("20261101T120000Z", SlotState::Live, 3)
        .link("20261101T120000Z")
        .change(|facts| {
            for (seen, turn) in facts.slots.values_mut().zip([3, 2, 1]) {
                let record = seen.record.as_mut().expect("a record");
                record.turn = turn;
                record.at = run(60 - u32::try_from(turn).expect("a few")).at;
            }
        });
    assert_snapshot!(all_answers("strategy = \"timestamp\"\nkeep = 2", &host, 9), @"to 20261105T010000Z; back to v2 (2222222222) in 20261102T120000Z, v1 (1111111111) in 20261103T120000Z; removed 20261103T120000Z, 20261102T120000Z");
}

#[test]
fn a_folder_for_every_revision() {
    let text = "strategy = \"revision\"\nkeep = 3";
    let three = || {
        bare()
            .slot("v1", SlotState::Retired, 1)
            .slot("v2", SlotState::Retired, 2)
            .slot("v3", SlotState::Live, 3)
            .link("v3")
    };
    assert_snapshot!(all_answers(text, &three(), 4), @"to v4; back to v2 (2222222222) in v2, v1 (1111111111) in v1; removed v1");
    // What is there is gone to.
    assert_snapshot!(all_answers(text, &three(), 1), @"to v1; back to v2 (2222222222) in v2, v1 (1111111111) in v1; removed");
    // Once more, beside what serves.
    assert_snapshot!(all_answers(text, &three(), 3), @"to v3-2; back to v2 (2222222222) in v2, v1 (1111111111) in v1; removed v1");
    // A tag was moved: its name is another commit's.
    assert_snapshot!(all_answers(text, &three().slot("v4", SlotState::Retired, 5), 4), @"to v4-2; back to v5 (5555555555) in v4, v2 (2222222222) in v2, v1 (1111111111) in v1; removed v1, v2");
    let settings = fleet(text, 1);
    let names = ["release/1.0", "current", "previous", "v1.new", "-x", "ü$(rm)", "v1.0+build.5"].map(|tag| {
        let tagged = release(7).tagged(tag);
        strategy::of(&settings).destination(&settings, &bare().0, run(60).at, &tagged).slot.to_string()
    });
    assert_snapshot!(names.join(" · "), @"release-1.0 · 7777777777 · 7777777777 · 7777777777 · 7777777777 · 7777777777 · v1.0+build.5");
}

/// The host's clock counts seconds: what the live release took over from goes before what was retired in the same second.
#[test]
fn two_runs_in_one_second() {
    let full = bare()
        .slot("a", SlotState::Retired, 1)
        .slot("b", SlotState::Retired, 2)
        .slot("c", SlotState::Live, 3)
        .link("c")
        .change(|facts| {
            let records = facts.slots.values_mut().filter_map(|seen| seen.record.as_mut());
            records
                .zip([2, 3, 3])
                .for_each(|(record, by)| (record.at, record.run) = (run(3).at, run(by).run));
        });
    let targets = vec!["v2 (2222222222)".to_owned(), "v1 (1111111111)".to_owned()];
    assert_eq!(answers(THREE, &full), ("a".to_owned(), targets));
}

/// What a word names among the releases that hosts know.
#[test]
fn words_for_releases() {
    let other = bare().slot("a", SlotState::Live, 1).link("a").change(|facts| {
        // The same digits as release 1 to begin with, and no tag.
        let record = facts.slots.values_mut().next().and_then(|seen| seen.record.as_mut()).expect("a record");
        let commit = format!("{}{}", "1".repeat(20), "2".repeat(20));
        record.release = Release {
            describe: "v1-3-g1111111".to_owned(),
            ..Release::unnamed(buedafab_model::names::CommitId::new(commit).expect("40 digits"))
        };
    });
    let former = live().slot_with_former("b", SlotState::Failed, 8, Some(4));
    let hosts = [second(), other, former];
    let named = |word: &str| match known_release(word, hosts.iter().map(|host| &host.0)) {
        Ok(release) => release.to_string(),
        Err(why @ (NotKnown::Unknown { .. } | NotKnown::Ambiguous { .. })) => format!("✗ {why}"),
    };
    let words = [
        "v1",
        "v4",
        "v1-3-g1111111",
        "2222",
        "222",
        "11111111111111111111",
        "111111111111111111111",
        "v9",
        "",
    ];
    let all: Vec<String> = words.iter().map(|word| format!("{word:?} → {}", named(word))).collect();
    assert_snapshot!(all.join("\n"), @r#"
    "v1" → v1 (1111111111)
    "v4" → v4 (4444444444)
    "v1-3-g1111111" → v1-3-g1111111
    "2222" → v2 (2222222222)
    "222" → ✗ no host knows a release "222": v1 (1111111111), v1-3-g1111111, v2 (2222222222), v4 (4444444444), v8 (8888888888)
    "11111111111111111111" → ✗ "11111111111111111111" may be any of these: v1 (1111111111), v1-3-g1111111
    "111111111111111111111" → v1 (1111111111)
    "v9" → ✗ no host knows a release "v9": v1 (1111111111), v1-3-g1111111, v2 (2222222222), v4 (4444444444), v8 (8888888888)
    "" → ✗ no host knows a release "": v1 (1111111111), v1-3-g1111111, v2 (2222222222), v4 (4444444444), v8 (8888888888)
    "#);
    assert_snapshot!(known_release("v1", []).expect_err("nothing is known"), @r#"no host knows a release "v1": there is none to go back to"#);
}
