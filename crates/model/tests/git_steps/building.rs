//! What a build leaves behind, submodules, and what stands in the way of the next.

use super::*;

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
            lfs: false,
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
