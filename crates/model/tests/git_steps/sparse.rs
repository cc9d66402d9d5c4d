//! A slot that holds only a part of the project: some of its folders, and the files above them.

use super::*;

/// A project of several apps, with a submodule in one folder and one beside.
const SHOP: &str = r#"
    printf '[protocol "file"]\n\tallow = always\n[init]\n\tdefaultBranch = master\n' >gitconfig
    export GIT_CONFIG_GLOBAL=$PWD/gitconfig
    for name in lib tool; do git init -q $name; echo $name >$name/code; git -C $name add .; git -C $name commit -qm one; done
    git init -q work; cd work
    mkdir -p backend/deep frontend libs/x libs/y 'odd [*] name'
    for file in README backend/app backend/deep/er frontend/page libs/info libs/x/code libs/y/code 'odd [*] name/file'; do echo one >"$file"; done
    printf '*.log\n' >.gitignore
    git submodule --quiet add "$PWD/../lib" libs/x/lib; git submodule --quiet add "$PWD/../tool" frontend/tool
    git add .; git commit -qm first; git rev-parse HEAD >../first
    for file in README backend/app frontend/page libs/x/code; do echo two >"$file"; done; git rm -rq libs/y
    git commit -qam second; git rev-parse HEAD >../second
    git clone -q --bare "file://$PWD" ../remote.git; cp ../first ../gone
"#;

fn checkout_only(name: &str, commit: &CommitId, only: Option<&[&str]>) -> GitAction {
    let part = only.map(|only| only.iter().map(|folder| (*folder).to_owned()).collect());
    match checkout(name, commit) {
        GitAction::Checkout { slot, commit, lfs, closed, shared, aside, group, in_place, only: _ } => {
            GitAction::Checkout { slot, commit, lfs, closed, shared, aside, group, in_place, only: part }
        }
        other => other,
    }
}

fn remote_of(place: &Place) -> Remote {
    place.by_hand(SHOP);
    let read = |name: &str| {
        let text = std::fs::read_to_string(place.root().join(name)).expect("it is there");
        CommitId::new(text.trim()).expect("a commit")
    };
    Remote { first: read("first"), second: read("second"), gone: read("gone") }
}

/// Fills a slot as a host does that fetches, and proves it; with what is there then, and what git says of it.
fn fill(place: &Place, shell: &Shell, remote: &Remote, commit: &CommitId, only: Option<&[&str]>) -> String {
    let submodules = GitAction::Submodules {
        slot: slot("a"),
        url: place.root().join("remote.git").to_str().expect("UTF-8").to_owned(),
        credentials: false,
        known_hosts: Vec::new(),
        lend_agent: false,
        lfs: false,
    };
    let steps =
        [fetch(place, "a", commit, &[]), checkout_only("a", commit, only), submodules, prove("a", commit)];
    let allow = "export GIT_CONFIG_GLOBAL=$PWD/gitconfig\n";
    let told = steps.map(|step| {
        let script = render_step(&step.into(), &place.layout, &RunId::new("r1").expect("a word"));
        told(&shell.run(&format!("{allow}{script}"), &place.root()), place)
    });
    let holds = place.by_hand(
        "cd five/releases/a; find . -name .git -prune -o -type f -printf '%P %l' -exec head -n 1 {} \\; | sort | tr '\\n' ',' | sed 's/,/, /g'; git status --porcelain",
    );
    format!("{}\n    {}", remote.name(&told.join("; ")), holds.trim_end())
}

#[test]
fn a_slot_holds_a_part_of_the_project() {
    assert_snapshot!(everywhere(|shell, place| {
        let remote = &remote_of(place);
        let Remote { first, second, .. } = remote;
        let mut found = String::new();
        for (what, commit, only, before) in [
            ("only the app", first, Some(&["backend"][..]), ""),
            ("and a folder of libs", first, Some(&["backend", "libs/x"]), ""),
            ("of the second", second, Some(&["backend", "libs/x"]), "touch five/releases/a/frontend five/releases/a/backend/x.log"),
            ("a file lies where nothing belongs", second, Some(&["backend", "libs/x"]), "cd five/releases/a; rm -rf frontend; mkdir frontend; echo mine >frontend/page"),
            ("all of it", first, None, ""),
            ("somebody changed what goes away", second, Some(&["libs"]), "echo mine >>five/releases/a/backend/app"),
            ("nothing but the root", second, Some(&[]), ""),
            ("a name that would be a pattern", first, Some(&["odd [*] name"]), ""),
            ("the index is damaged", first, Some(&["odd [*] name"]), ": >five/releases/a/.git/index"),
            ("what git keeps is damaged", first, Some(&["odd [*] name", "backend"]), ": >five/releases/a/.git/HEAD"),
            ("nothing of git is there, and files are", first, Some(&["backend"]), "cd five/releases/a; rm -rf .git; mkdir -p frontend/more; echo old >frontend/page; touch frontend/more/x"),
            ("a folder that there isn't", second, Some(&["backend", "libs/y"]), ""),
            ("all of the second", second, None, ""),
        ] {
            place.by_hand(before);
            let _ = writeln!(found, "{what}: {}", fill(place, shell, remote, commit, only));
        }
        found
    }), @r#"
    only the app: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, backend/app one, backend/deep/er one,
    and a folder of libs: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, backend/app one, backend/deep/er one, libs/info one, libs/x/code one, libs/x/lib/code lib,
    of the second: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two, backend/app two, backend/deep/er one, libs/info one, libs/x/code two, libs/x/lib/code lib,
    a file lies where nothing belongs: 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two, backend/app two, backend/deep/er one, libs/info one, libs/x/code two, libs/x/lib/code lib,
    all of it: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, backend/app one, backend/deep/er one, frontend/page one, frontend/tool/code tool, libs/info one, libs/x/code one, libs/x/lib/code lib, libs/y/code one, odd [*] name/file one,
    somebody changed what goes away: 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two, libs/info one, libs/x/code two, libs/x/lib/code lib,
    nothing but the root: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two,
    a name that would be a pattern: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, odd [*] name/file one,
    the index is damaged: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, odd [*] name/file one,
    what git keeps is damaged: 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, backend/app one, backend/deep/er one, odd [*] name/file one,
    nothing of git is there, and files are: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README one, backend/app one, backend/deep/er one,
    a folder that there isn't: 0; 1: there is no folder libs/y in this release: `subdir` or `sparse_checkout` names it; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two, backend/app two, backend/deep/er one, libs/info one,
    all of the second: 0; 0; 0; 0
        .gitignore *.log, .gitmodules [submodule "libs/x/lib"], README two, backend/app two, backend/deep/er one, frontend/page two, frontend/tool/code tool, libs/info one, libs/x/code two, libs/x/lib/code lib, odd [*] name/file one,
    "#);
}
