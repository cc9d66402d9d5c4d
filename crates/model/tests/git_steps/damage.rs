//! Clones that are damaged, and what is kept of them.

use super::*;

/// What power cuts, full disks, bad blocks and people leave of a clone, in the words of the shell: `git` is its folder.
pub(crate) const DAMAGE: [(&str, &str); 31] = [
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
pub(crate) fn damage(place: &Place, name: &str, how: &str) {
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
            turn: 0,
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

/// Where each release has a folder of its own, a new one shares what git keeps with the one before. Whatever is damaged there, the new one
/// is whole.
#[test]
fn a_folder_of_its_own_shares_what_is_whole() {
    let mut found = String::new();
    let (shells, mut place) = (shells(), Place::with_room("five"));
    place.layout.adds_up = true;
    let remote = Remote::of(&place);
    for (case, (what, how)) in std::iter::once(&("nothing is damaged", ":")).chain(&DAMAGE).enumerate() {
        let shell = &shells[case % shells.len()];
        place.by_hand("rm -rf five; mkdir -p five/releases five/.buedafab/slots");
        for action in [fetch(&place, "a", &remote.first, &[]), checkout("a", &remote.first)] {
            assert_eq!(place.act(shell, &action), "0");
        }
        damage(&place, "a", how);
        let said = place.act(shell, &fetch(&place, "b", &remote.second, &["a"]));
        assert_eq!(place.act(shell, &checkout("b", &remote.second)), "0", "{what}: {said}");
        assert_eq!(place.act(shell, &prove("b", &remote.second)), "0", "{what}: {said}");
        let shared = place.by_hand(
            "find five/releases/b/.git/objects -type f -links +1 | grep -q . && echo shared || echo its own",
        );
        let _ = writeln!(found, "{what}: {said}, {}", shared.trim());
    }
    assert_snapshot!(found, @"
    nothing is damaged: 0, shared
    HEAD is empty: 0, its own
    HEAD is gone: 0, its own
    HEAD is zeroes: 0, its own
    the configuration is empty: 0, its own
    the configuration is zeroes: 0, its own
    the configuration is garbage: 0, its own
    the index is empty: 0, shared
    the index is garbage: 0, shared
    the index is gone: 0, shared
    all objects are gone: 0, its own
    the commit is empty: 0, its own
    the commit is gone: 0, its own
    a tree is empty: 0, shared
    a tree is gone: 0, shared
    a file is empty: 0, its own
    a file is gone: 0, its own
    a file is zeroes: 0, its own
    a pack is cut: 0, its own
    the index of a pack is gone: 0, its own
    packed refs are garbage: 0, its own
    a branch is empty: 0, its own
    a branch of the remote is garbage: 0, shared
    all branches are gone: 0, its own
    it is shallow without saying where: 0, its own
    its objects lie nowhere: 0, shared
    locks were left over: 0, shared
    git's folder is gone: 0, its own
    git's folder is a file: 0, its own
    git's folder is another's: 0, its own
    git's folder leads nowhere: 0, its own
    git's folder is empty: 0, its own
    ");
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
