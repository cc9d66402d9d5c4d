//! Releases that nobody needs any more, and what stays all the same.

use super::*;

/// What is done by hand in the app's folder before `old` is to be removed.
const CASES: [(&str, &str); 17] = [
    ("nothing", "true"),
    ("it serves", "ln -s old releases/current"),
    ("it serves by another way", "ln -s \"$PWD/releases/old\" other; ln -s ../other releases/current"),
    ("it is a link", "mv releases/old elsewhere; ln -s ../elsewhere releases/old"),
    ("its folder is gone", "rm -rf releases/old"),
    ("a removal was cut short", "mv releases/old releases/old.new; rm -rf releases/old.new/.git"),
    ("a file was changed", "echo mine >releases/old/file"),
    ("a file was deleted", "rm releases/old/file"),
    (
        "the build has changed it",
        "echo built >releases/old/file; sum=$(cd releases/old && difference); echo \"$sum\" >.buedafab/slots/old.filled",
    ),
    ("something was built", "mkdir releases/old/env; touch releases/old/env/module.pyc"),
    (
        "a folder can't be written",
        "mkdir -p releases/old/env/lib; touch releases/old/env/lib/x; chmod 500 releases/old/env/lib",
    ),
    ("something was committed", "cd releases/old; echo mine >file; git commit -qam mine"),
    ("something was stashed", "cd releases/old; echo mine >file; git stash -q"),
    ("its clone is damaged", "echo garbage >releases/old/.git/index"),
    (
        "its clone is a person's",
        "mv releases/old/.git elsewhere; echo 'gitdir: ../../elsewhere' >releases/old/.git",
    ),
    (
        "a process works there",
        "cd releases/old; setsid sleep 100 </dev/null >/dev/null 2>&1 & echo $! >process",
    ),
    (
        "a process runs a program of it",
        "cp /bin/sleep releases/old/env-sleep; setsid releases/old/env-sleep 100 </dev/null >/dev/null 2>&1 & echo $! >process
         until [ \"/proc/$!/exe\" -ef releases/old/env-sleep ]; do :; done",
    ),
];

/// What a build has changed, as it is noted.
const DIFFERENCE: &str = "difference() { git diff --no-ext-diff --no-textconv --no-color --no-renames --binary --full-index \
    --diff-algorithm=myers --unified=0 --inter-hunk-context=0 --src-prefix=a/ --dst-prefix=b/ \
    --ignore-submodules=untracked --submodule=diff HEAD -- | cksum; }";

#[test]
fn what_nobody_needs_is_removed() {
    let found = everywhere(|shell, place| {
        let remote = Remote::of(place);
        assert_eq!(place.act(shell, &fetch(place, "old", &remote.first, &[])), "0");
        assert_eq!(place.act(shell, &checkout("old", &remote.first)), "0");
        let release = Release { commit: remote.first.clone(), ..release(1) };
        let retired = RecordAction::Record {
            slot: slot("old"),
            state: SlotState::Retired,
            release: release.clone(),
            former: None,
            turn: 1,
            optional: true,
        };
        assert_eq!(place.act(shell, &retired), "0");
        place.by_hand("touch five/.buedafab/slots/old.filled; cp -a five template");
        let mut found = String::new();
        for (what, how) in CASES {
            place.by_hand(&format!(
                "chmod -R u+w five; rm -rf five; cp -a template five; cd five; {DIFFERENCE}; {how}"
            ));
            let remove = RecordAction::RemoveSlot { slot: slot("old"), release: release.clone() };
            let said = place.act(shell, &remove);
            let left = format!("{} {}", list(&place.releases()), list(&place.memory().join("slots")));
            let _ = writeln!(found, "{what}: {said} | {left}");
            place.by_hand("cd five; [ ! -f process ] && [ ! -f releases/old/process ] || kill $(cat process releases/old/process 2>/dev/null)");
        }
        found
    });
    assert_snapshot!(found, @"
    nothing: 0 |  
    it serves: 0: old stays: it serves | current -> old old/ old.filled old.json old.overwritten
    it serves by another way: 0: old stays: it serves | current -> ../other old/ old.filled old.json old.overwritten
    it is a link: 0: old stays: it is a link | old -> ../elsewhere old.filled old.json old.overwritten
    its folder is gone: 0 |  
    a removal was cut short: 0 |  
    a file was changed: 0: old stays: files in it were changed by hand | old/ old.filled old.json old.overwritten
    a file was deleted: 0: old stays: files in it were changed by hand | old/ old.filled old.json old.overwritten
    the build has changed it: 0 |  
    something was built: 0 |  
    a folder can't be written: 0 |  
    something was committed: 0: old stays: somebody worked in its clone | old/ old.filled old.json old.overwritten
    something was stashed: 0: old stays: somebody worked in its clone | old/ old.filled old.json old.overwritten
    its clone is damaged: 0: old stays: git can't say whether somebody changed it | old/ old.filled old.json old.overwritten
    its clone is a person's: 0: old stays: somebody worked in its clone | old/ old.filled old.json old.overwritten
    a process works there: 0: old stays: a process runs from it | old/ old.filled old.json old.overwritten
    a process runs a program of it: 0: old stays: a process runs from it | old/ old.filled old.json old.overwritten
    ");
}

/// The second link is there for people: nothing else takes note of it, and what isn't ours in its place stays.
#[test]
fn a_second_link_leads_to_the_release_before() {
    let found = everywhere(|shell, place| {
        place.by_hand("cd five/releases; mkdir v1 v2; ln -s v2 current");
        let mut found = String::new();
        let mut point = |to: Option<&str>| {
            let link = RecordAction::LinkPrevious { link: "previous", slot: to.map(slot) };
            let said = place.act(shell, &link);
            let seen: Vec<String> =
                place.look(shell, Scope::Plan).slots.keys().map(ToString::to_string).collect();
            let leads = place.by_hand("readlink five/releases/previous || echo nowhere");
            let _ = writeln!(found, "{said}: {} {seen:?}", leads.trim());
        };
        let sum = place.look(shell, Scope::Plan).state_sum;
        point(Some("v1"));
        assert_eq!(place.look(shell, Scope::Plan).state_sum, sum);
        point(Some("v2"));
        point(None);
        place.by_hand("mkdir five/releases/previous");
        point(Some("v1"));
        found
    });
    assert_snapshot!(found, @r#"
    0: v1 ["v1", "v2"]
    0: v2 ["v1", "v2"]
    0: nowhere ["v1", "v2"]
    1: ROOT/five/releases/previous is no link: nowhere ["previous", "v1", "v2"]
    "#);
}
