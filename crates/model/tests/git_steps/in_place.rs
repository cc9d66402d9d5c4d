//! A release that comes in the place of another one, and the way back from a copy of that.

use buedafab_model::plan::action::Copies;

use super::*;

/// All that a slot holds and that is noted about it, whatever it is.
const MANIFEST: &str = r#"cd five/releases/a
find . -path ./.git -prune -o -type f -exec stat -c '%n %a %Y' {} ';' -exec sha256sum {} ';' -o -type l -printf '%p -> %l\n' -o -printf '%p %m\n' | sort
git rev-parse HEAD; git status --short --untracked-files=all
cd ../../.buedafab/slots; for file in *; do echo "$file $(stat -c %Y "$file") $(cat "$file")"; done; cd ../../releases; ls -A | grep -v '^.copies$'"#;

/// Release one in slot a as it was built there, and confirmed.
fn first_release(place: &Place, shell: &Shell, remote: &Remote) {
    for action in [fetch(place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
        assert_eq!(place.act(shell, &action), "0");
    }
    place.by_hand(
        "cd five/releases/a; mkdir -p env/bin 'static files/x' .hidden; echo python >env/bin/python; echo css >'static files/x/a.css'
        echo h >.hidden/h; echo ..odd >..odd; ln -s ../../shared/.env .env; echo built >>file; touch -d '2 days ago' env/bin/python",
    );
    finish_build(place, shell, "a", &remote.first);
    let live = RecordAction::Record {
        slot: slot("a"),
        state: SlotState::Live,
        release: Release { commit: remote.first.clone(), ..release(1) },
        former: None,
        turn: 1,
        optional: true,
    };
    assert_eq!(place.act(shell, &live), "0");
    place.by_hand("ln -s a five/releases/current");
}

/// Release two in its place, as far as its build; what the run does is told.
fn second_release(place: &Place, shell: &Shell, remote: &Remote) -> String {
    let building = RecordAction::Record {
        slot: slot("a"),
        state: SlotState::Building,
        release: Release { commit: remote.second.clone(), ..release(2) },
        former: None,
        turn: 1,
        optional: false,
    };
    let mut said = place.act(shell, &fetch(place, "a", &remote.second, &[]));
    said += &place.act(shell, &keep(&remote.first));
    said += &place.act(shell, &building);
    said += &place.act(shell, &checkout("a", &remote.second));
    place.by_hand("cd five/releases/a; echo other >env/bin/python; mkdir env/new new; echo new >new/file; rm -f env/old");
    said
}

fn keep(commit: &CommitId) -> RecordAction {
    RecordAction::KeepCopy { slot: slot("a"), commit: commit.clone() }
}

fn put_back(commit: &CommitId, record: bool) -> RecordAction {
    RecordAction::PutBack { slot: slot("a"), commit: commit.clone(), record, aside: Vec::new() }
}

/// What was built, linked and noted is there again to the last file, without git, an index or room.
#[test]
fn what_served_is_put_back() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        first_release(place, shell, &remote);
        let before = place.by_hand(MANIFEST);
        let mut found = second_release(place, shell, &remote);
        assert_ne!(place.by_hand(MANIFEST), before);
        // From here on nothing can be asked for.
        place.by_hand("rm -rf remote.git");
        let _ = write!(found, "\nput back: {}", place.act(shell, &put_back(&remote.first, true)));
        assert_eq!(place.by_hand(MANIFEST), before, "{}", shell.name);
        let _ = write!(found, "\nonce more: {}", place.act(shell, &put_back(&remote.first, true)));
        assert_eq!(place.by_hand(MANIFEST), before, "{}", shell.name);
        let _ = write!(found, "\nwithout a copy: {}", place.act(shell, &put_back(&remote.second, true)));
        assert_eq!(place.by_hand(MANIFEST), before, "{}", shell.name);
        let facts = place.look(shell, Scope::Full);
        let seen = &facts.slots["a"];
        let _ = write!(found, "\n{:?} {:?} {:?}", seen.changes, seen.written, seen.copies);
        remote.name(&found)
    });
    assert_snapshot!(found, @"
    0000
    put back: 0
    once more: 0
    without a copy: 1: no copy of SECOND was kept that could be put back in a
    Some([]) [] []
    ");
}

/// Killed at whichever of its renames, it is done again to the same end; and until then nobody takes the slot for a release.
#[test]
fn what_is_cut_short_is_done_again() {
    for (shell, step) in shells().iter().zip([1, 3, 3]) {
        let place = Place::with_room("five");
        let remote = Remote::of(&place);
        first_release(&place, shell, &remote);
        let before = place.by_hand(MANIFEST);
        second_release(&place, shell, &remote);
        place.by_hand("cp -a five template");
        let mut killed = 0;
        for nth in (1..40).step_by(step) {
            place.by_hand(&format!("rm -rf five; cp -a template five; echo {nth} >left"));
            let mv = "read -r left <left; echo $((left - 1)) >left; [ $left != 1 ] || { kill -9 $PPID; exit 1; }\nexec /bin/mv \"$@\"";
            let said = with_tools(shell, &place, &[("mv", mv)], &put_back(&remote.first, true));
            if said == "0" {
                break;
            }
            killed += 1;
            assert_eq!(said, "killed", "{}", shell.name);
            let state = place.look(shell, Scope::Plan).slots["a"].record.as_ref().map(|record| record.state);
            assert!(matches!(state, Some(SlotState::Building)), "{state:?} after {nth} renames");
            assert_eq!(place.act(shell, &put_back(&remote.first, true)), "0");
            assert_eq!(place.by_hand(MANIFEST), before, "{nth} renames, {}", shell.name);
        }
        assert!(killed * step > 12, "{killed}");
    }
}

/// On the way forward a release is put in its place from a copy, and what is noted of another one stays so; the copy that was begun
/// with is none any more.
#[test]
fn a_rollback_from_a_copy() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        first_release(place, shell, &remote);
        second_release(place, shell, &remote);
        let copies = |place: &Place| place.look(shell, Scope::Plan).slots["a"].copies.clone();
        assert_eq!(copies(place), std::slice::from_ref(&remote.first));
        let second = place.by_hand(MANIFEST);
        let mut found = place.act(shell, &keep(&remote.second));
        found += &place.act(shell, &put_back(&remote.first, false));
        assert_eq!(place.commit_of("a"), remote.first.as_str());
        assert_eq!(copies(place), std::slice::from_ref(&remote.second));
        found += &place.act(shell, &put_back(&remote.second, true));
        assert_eq!(place.by_hand(MANIFEST), second, "{}", shell.name);
        // What may be needed for a way back stays.
        let drop = RecordAction::DropCopies { slot: slot("a"), copies: Copies::AllBut(None) };
        found += &place.act(shell, &keep(&remote.second));
        place.by_hand("echo {} >five/.buedafab/pending.json");
        found += &place.act(shell, &drop);
        assert_eq!(copies(place), std::slice::from_ref(&remote.second));
        place.by_hand("rm five/.buedafab/pending.json");
        found += &place.act(shell, &drop);
        assert!(!place.releases().join(".copies").exists());
        found
    });
    assert_eq!(found, "000000");
}

/// Nothing that serves is touched where no copy of it can be kept.
#[test]
fn what_can_t_be_copied_stays() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        first_release(place, shell, &remote);
        let before = place.by_hand(MANIFEST);
        let full = [("cp", "echo 'no space left' >&2; exit 1")];
        let said = with_tools(shell, place, &full, &keep(&remote.first));
        place.by_hand("rmdir five/releases/.copies/a five/releases/.copies");
        assert_eq!(place.by_hand(MANIFEST), before);
        said
    });
    assert_snapshot!(found, @"
    1: no space left
    no copy of a can be kept, so what serves there stays
    ");
}

/// The journal says what has served, whatever else stands in it.
#[test]
fn the_history_is_read() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            r#"cd five/.buedafab
            line() { echo '{"at":"2026-11-05T00:00:00Z","by":"ada@laptop","kind":"'$1'","release":{"commit":"'$(printf "$2%.0s" {1..40})'","describe":"v'$2'"},"run":"r1"}'; }
            { line deployed 1; printf 'half\0 a {"kind":"deployed"\n'; line deployed 2; line failed 3; line restarted 3; line deployed 4; line rolled_back 2; } >journal.jsonl"#,
        );
        let also = AlsoLookAt { has_history: true, ..AlsoLookAt::default() };
        let look = |also: &AlsoLookAt<'_>| {
            let output = shell.run(&inspect_script(&place.layout, Scope::Plan, also), &place.root());
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", shell.name);
            let facts = HostFacts::parse(&output.stdout, &place.layout, jiff::Timestamp::UNIX_EPOCH);
            let served = facts.expect("it can be understood").served;
            served.iter().map(|release| release.describe.clone()).collect::<Vec<String>>().join(" ")
        };
        format!("{} | {}", look(&also), look(&AlsoLookAt::default()))
    });
    assert_eq!(found, "v1 v2 | ");
}
