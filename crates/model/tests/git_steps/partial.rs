//! Clones that hold only what releases took of a repository.

use super::damage::{DAMAGE, damage};
use super::*;

/// A new clone holds only what releases take.
fn fetch_part(place: &Place, name: &str, commit: &CommitId, siblings: &[&str]) -> GitAction {
    match fetch(place, name, commit, siblings) {
        GitAction::Fetch {
            slot,
            commit,
            url,
            credentials,
            siblings,
            known_hosts,
            lend_agent,
            partial: _,
        } => GitAction::Fetch {
            slot,
            commit,
            url,
            credentials,
            siblings,
            known_hosts,
            lend_agent,
            partial: true,
        },
        other => other,
    }
}

/// Fills and proves a slot, and says what its clone lacks of all that there is.
fn filled(shell: &Shell, place: &Place, fetching: GitAction, name: &str, commit: &CommitId) -> String {
    let steps = [fetching, checkout(name, commit), prove(name, commit)];
    let said = steps.map(|step| place.act(shell, &step)).join("; ");
    let lacks = git(place, name, "rev-list --objects --all --missing=print")
        .lines()
        .filter(|line| line.starts_with('?'))
        .count();
    format!("{said}, lacks {lacks}")
}

const SERVED: &str = "git -C remote.git config uploadpack.allowFilter true";

#[test]
fn a_clone_holds_only_what_releases_took() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        place.by_hand(SERVED);
        let mut found = String::new();
        let mut tell = |what: &str, said: String| {
            let _ = writeln!(found, "{what}: {}", remote.name(&said));
        };
        tell(
            "the first",
            filled(shell, place, fetch_part(place, "a", &remote.first, &[]), "a", &remote.first),
        );
        tell(
            "another slot",
            filled(shell, place, fetch_part(place, "b", &remote.second, &["a"]), "b", &remote.second),
        );
        tell(
            "the second",
            filled(shell, place, fetch_part(place, "a", &remote.second, &["b"]), "a", &remote.second),
        );
        // Whether or not it is wanted for new ones, it stays what it is.
        tell(
            "again, and not wanted",
            filled(shell, place, fetch(place, "b", &remote.first, &["a"]), "b", &remote.first),
        );
        tell(
            "a whole one beside it",
            filled(shell, place, fetch(place, "c", &remote.second, &["a", "b"]), "c", &remote.second),
        );
        // What a release took is there without the remote.
        place.by_hand("mv remote.git away");
        tell(
            "back, without a remote",
            filled(shell, place, fetch_part(place, "a", &remote.first, &[]), "a", &remote.first),
        );
        place.by_hand("mv away remote.git");
        found
    });
    assert_snapshot!(found, @"
    the first: 0; 0; 0, lacks 1
    another slot: 0; 0; 0, lacks 2
    the second: 0; 0; 0, lacks 0
    again, and not wanted: 0; 0; 0, lacks 0
    a whole one beside it: 0; 0; 0, lacks 0
    back, without a remote: 0; 0; 0, lacks 0
    ");
}

/// Where each release has a folder of its own, a new one shares what the one before holds, and goes on to hold only that.
#[test]
fn a_folder_of_its_own_stays_partial() {
    let found = everywhere(|shell, _| {
        let mut place = Place::with_room("five");
        place.layout.adds_up = true;
        let place = &place;
        let remote = Remote::of(place);
        place.by_hand(SERVED);
        let mut found = String::new();
        for (name, siblings, commit) in [("a", &[][..], &remote.second), ("b", &["a"], &remote.first)] {
            let said = filled(shell, place, fetch_part(place, name, commit, siblings), name, commit);
            let shared = place.by_hand(&format!(
                "find five/releases/{name}/.git/objects -type f -links +1 | grep -c . || :"
            ));
            let _ = writeln!(
                found,
                "{name}: {}, shares {}",
                remote.name(&said),
                if shared.trim() == "0" { "nothing" } else { "with others" }
            );
        }
        found
    });
    assert_snapshot!(found, @"
    a: 0; 0; 0, lacks 2, shares nothing
    b: 0; 0; 0, lacks 0, shares with others
    ");
}

/// A server that leaves nothing out sends all; a remote that can't be reached is no damage; and what was lost is fetched again.
#[test]
fn what_is_not_there_is_told_from_what_is_damaged() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        let mut found = String::new();
        let mut tell = |what: &str, said: String| {
            let _ = writeln!(found, "{what}: {}", remote.name(&said));
        };
        let said = filled(shell, place, fetch_part(place, "a", &remote.first, &[]), "a", &remote.first);
        tell(
            "a server without filters",
            said.replace("warning: filtering not recognized by server, ignoring; ", ""),
        );
        place.by_hand(SERVED);
        place.by_hand("rm -rf five/releases/a");
        tell(
            "one with them",
            filled(shell, place, fetch_part(place, "a", &remote.first, &[]), "a", &remote.first),
        );
        place.by_hand("mv remote.git away");
        tell(
            "out of reach",
            place
                .act(shell, &fetch_part(place, "a", &remote.second, &[]))
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
        place.by_hand("mv away remote.git; cd five/releases/a; mv .git/objects/pack pack; for pack in pack/*.pack; do git unpack-objects -q <$pack; done; rm -rf pack; mkdir .git/objects/pack
            set -- $(git rev-parse HEAD:file); rm -f .git/objects/$(echo $1 | sed 's,^..,&/,')");
        tell(
            "a file was lost",
            filled(shell, place, fetch_part(place, "a", &remote.first, &[]), "a", &remote.first),
        );
        found
    });
    assert_snapshot!(found, @"
    a server without filters: 0: 0; 0, lacks 0
    one with them: 0; 0; 0, lacks 1
    out of reach: 128: fatal: 'ROOT/remote.git' does not appear to be a git repository
    a file was lost: 0; 0; 0, lacks 1
    ");
}

/// Whatever is damaged, the next deploy heals it, to a commit that was taken before as to another.
#[test]
fn a_damaged_one_is_made_whole_again() {
    let (shells, place) = (shells(), Place::with_room("five"));
    let remote = Remote::of(&place);
    place.by_hand(SERVED);
    for (case, ((what, how), shell)) in DAMAGE.iter().zip(shells.iter().cycle()).enumerate() {
        for commit in [[&remote.first, &remote.second][case % 2]] {
            place.by_hand("rm -rf five moved; mkdir -p five/releases five/.buedafab/slots");
            for action in [fetch_part(&place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
                assert_eq!(place.act(shell, &action), "0");
            }
            damage(&place, "a", how);
            let said = place.act(shell, &fetch_part(&place, "a", commit, &[]));
            let then = [checkout("a", commit), prove("a", commit)].map(|step| place.act(shell, &step));
            assert_eq!(then, ["0", "0"], "{what}: {said}");
        }
    }
}
