//! What the deployer sends of a release, and what becomes of it on a host that no remote is open to.

use super::*;
use buedafab_model::app::bundle::Bundle;
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::plan::action::Sent;
use std::process::Stdio;

/// A project with two commits, whose submodule `lib` has one of its own; and a mirror of all three, as the deployer keeps one.
const FAMILY: &str = r#"
    cat >gitconfig <<END
[protocol "file"]
	allow = always
[init]
	defaultBranch = master
END
    export GIT_CONFIG_GLOBAL=$PWD/gitconfig
    for name in deep lib work; do
        git init -q $name; echo "$name one" >$name/code
    done
    git -C deep add .; git -C deep commit -qm one
    git -C lib submodule --quiet add --name deep "$PWD/deep" deep; git -C lib add .; git -C lib commit -qm one
    git -C work submodule --quiet add "$PWD/lib" lib; git -C work submodule --quiet update --init --recursive
    git -C work add .; git -C work commit -qm one; git -C work tag -a -m one v1; git -C work rev-parse HEAD >first
    echo "work two" >work/code; git -C work commit -qam two; git -C work tag v2; git -C work rev-parse HEAD >second
    echo "lib two" >lib/code; git -C lib commit -qam two; git -C work/lib pull -q origin master
    git -C work commit -qam three; git -C work rev-parse HEAD >third
    git -C work checkout -q --orphan apart; git -C work commit -qm apart; git -C work rev-parse HEAD >apart
    git init -q --bare mirror
    for name in deep lib work; do git -C mirror fetch -q "$PWD/$name" "+refs/*:refs/$name/*"; done
    git -C mirror fetch -q "$PWD/work" '+refs/tags/*:refs/tags/*'
"#;

struct Family<'a> {
    place: &'a Place,
    shell: &'a Shell,
}

impl Family<'_> {
    fn commit(&self, name: &str) -> CommitId {
        let text = std::fs::read_to_string(self.place.root().join(name)).expect("it is there");
        CommitId::new(text.trim()).expect("a commit")
    }

    /// The commits of the submodules of a commit, that of `deep` first.
    fn modules(&self, name: &str) -> Vec<CommitId> {
        let ids = self.place.by_hand(&format!(
            "lib=$(git -C work rev-parse $(cat {name}):lib); git -C lib rev-parse $lib:deep; echo $lib"
        ));
        ids.lines().map(|id| CommitId::new(id).expect("a commit")).collect()
    }

    /// A bundle as the deployer makes it.
    fn bundle(&self, name: &str, on: &[&str], modules: &[CommitId]) -> Bundle {
        let commit = self.commit(name);
        let on: Vec<CommitId> = on.iter().map(|name| self.commit(name)).collect();
        let ids = |ids: &[CommitId]| ids.iter().map(|id| format!("{id} ")).collect::<String>();
        let sum = self.place.by_hand(&format!(
            "git -C mirror update-ref refs/buedafab/release {commit}
             refs=refs/buedafab/release
             for module in {}; do git -C mirror update-ref refs/buedafab/modules/$module $module; refs=\"$refs refs/buedafab/modules/$module\"; done
             git -C mirror bundle create -q ../sent $refs $(git -C mirror for-each-ref --format='%(refname)' --merged {commit} refs/tags) --not {} 2>/dev/null
             sha256sum <sent; stat -c %s sent",
            ids(modules),
            ids(&on),
        ));
        let file = FetchedPackage {
            name: "bundle".to_owned(),
            key: sum[..64].to_owned(),
            file: "sent".to_owned(),
            sha256: sum[..64].to_owned(),
            size_bytes: 0,
        };
        Bundle { file: Some(file), on, modules: modules.to_vec(), lfs: None }
    }

    fn step(&self, action: &GitAction, before: &str) -> String {
        let run = RunId::new("r1").expect("a word");
        let script = render_step(&action.clone().into(), &self.place.layout, &run);
        let mut command = self.shell.command(&format!("{before}\n{script}"), &self.place.root());
        if let Ok(sent) = std::fs::File::open(self.place.root().join("sent")) {
            command.stdin(Stdio::from(sent));
        }
        told(&command.output().expect("it runs"), self.place)
    }

    /// Brings a release into a slot by what was sent last.
    fn bring(&self, slot_name: &str, name: &str, sent: Sent, siblings: &[&str], submodules: bool) -> String {
        let action = unbundle(slot_name, &self.commit(name), sent, siblings, submodules);
        let told = self.step(&action, "");
        if !told.starts_with('0') {
            return told;
        }
        let commit = self.commit(name);
        let steps = [
            Some(checkout(slot_name, &commit)),
            submodules.then(|| GitAction::OwnSubmodules {
                slot: slot(slot_name),
                url: URL.to_owned(),
                lfs: false,
            }),
            Some(prove(slot_name, &commit)),
        ];
        let told =
            steps.into_iter().flatten().fold(told, |told, step| format!("{told}; {}", self.step(&step, "")));
        let files = "cat code lib/code lib/deep/code 2>/dev/null | tr '\\n' ' '";
        let described = "git describe --tags 2>/dev/null | sed 's/-g.*//'";
        let holds = self.place.by_hand(&format!("cd five/releases/{slot_name}; {files}; {described}"));
        format!("{told}: {holds}")
    }

    /// What the next look says that a bundle could build on.
    fn look(&self) -> String {
        let facts = self.place.look(self.shell, Scope::Plan);
        let slots = facts
            .slots
            .iter()
            .map(|(slot, seen)| format!(" {slot}:{}", if seen.has_modules { "all" } else { "its own" }));
        format!(
            "{}{}",
            if facts.wants_all { "all of it," } else { "what it lacks," },
            slots.collect::<String>()
        )
    }
}

/// Nobody answers there.
const URL: &str = "https://127.0.0.1:9/five.git";

fn unbundle(name: &str, commit: &CommitId, sent: Sent, siblings: &[&str], submodules: bool) -> GitAction {
    GitAction::Unbundle {
        slot: slot(name),
        commit: commit.clone(),
        url: URL.to_owned(),
        sent,
        siblings: siblings.iter().map(|name| slot(name)).collect(),
        submodules,
    }
}

#[test]
fn releases_come_by_bundles() {
    assert_snapshot!(everywhere(|shell, place| {
        place.by_hand(FAMILY);
        let family = Family { place, shell };
        let mut found = String::new();
        let mut note = |what: &str, told: String| {
            let _ = writeln!(found, "{what}: {}    next: {}", told.trim_end_matches('\n').to_owned() + "\n", family.look());
        };
        let modules = family.modules("first");
        let whole = family.bundle("first", &[], &modules);
        note("the first, all of it", family.bring("a", "first", Sent::Bundle(whole.clone()), &[], true));
        note("once more", family.bring("a", "first", Sent::Bundle(whole), &[], true));
        note("beside it, from it", family.bring("b", "first", Sent::Nothing, &["a"], true));
        let thin = family.bundle("second", &["first"], &modules);
        note("the second builds on what is there", family.bring("a", "second", Sent::Bundle(thin.clone()), &["b"], true));
        let modules = family.modules("third");
        let thin = family.bundle("third", &["first", "second"], &modules);
        note("the third on both", family.bring("b", "third", Sent::Bundle(thin), &["a"], true));
        let back = Bundle { file: None, on: vec![family.commit("third")], modules: family.modules("first"), lfs: None };
        place.by_hand("rm -rf five/releases/a");
        note("the first is an older one of the third", family.bring("a", "first", Sent::Bundle(back), &["b"], true));
        let apart = family.bundle("apart", &["third", "first"], &family.modules("apart"));
        note("one of another history", family.bring("a", "apart", Sent::Bundle(apart), &["b"], true));
        found
    }), @"
    the first, all of it: 0; 0; 0; 0: work one lib one deep one v1
        next: what it lacks, a:all
    once more: 0; 0; 0; 0: work one lib one deep one v1
        next: what it lacks, a:all
    beside it, from it: 0; 0; 0; 0: work one lib one deep one v1
        next: what it lacks, a:all b:all
    the second builds on what is there: 0; 0; 0; 0: work two lib one deep one v2
        next: what it lacks, a:all b:all
    the third on both: 0; 0; 0; 0: work two lib two deep one v2-1
        next: what it lacks, a:all b:all
    the first is an older one of the third: 0; 0; 0; 0: work one lib one deep one v1
        next: what it lacks, a:all b:all
    one of another history: 0; 0; 0; 0: work two lib two deep one 
        next: what it lacks, a:all b:all
    ");
}

/// What a host may have become since the look, or was all along without a look's seeing it. Each is told, and what the next run
/// sends, which goes by the next look, mends it; nothing that is left over stays.
#[test]
fn no_state_of_a_slot_needs_a_person() {
    const CASES: &[(&str, &str, &str)] = &[
        ("nothing happened", "", ""),
        ("what arrives is cut", "truncate -s -40 sent", ""),
        ("there is no room", "", "trap '' XFSZ 2>/dev/null; ulimit -f 0"),
        ("the slots are gone", "rm -rf five/releases/*", ""),
        ("the slot beside it is gone", "rm -rf five/releases/b", ""),
        (
            "what it builds on is damaged beside it",
            "find five/releases/b/.git -path '*/objects/*' -type f -exec truncate -s 3 {} +",
            "",
        ),
        (
            "what it builds on is shallow beside it",
            "git -C five/releases/b rev-parse HEAD >five/releases/b/.git/shallow",
            "",
        ),
        (
            "the slot's clone is damaged",
            "find five/releases/a/.git -path '*/objects/*' -type f -exec truncate -s 3 {} +",
            "",
        ),
        (
            "both are damaged",
            "find five/releases/?/.git -path '*/objects/*' -type f -exec truncate -s 3 {} +",
            "",
        ),
        ("the slot's clone has no HEAD", ": >five/releases/a/.git/HEAD", ""),
        (
            "the clone of a submodule is damaged",
            "find five/releases/a/.git/modules -type f -path '*/objects/*' -exec truncate -s 3 {} +; rm -rf five/releases/a/lib",
            "",
        ),
        ("the clones of submodules are gone", "rm -rf five/releases/a/.git/modules", ""),
        (
            "what submodules take isn't there",
            "git -C five/releases/b for-each-ref --format='delete %(refname)' refs/buedafab/modules refs/buedafab/release | git -C five/releases/b update-ref --stdin",
            "",
        ),
    ];
    let (shells, place) = (shells(), Place::with_room("five"));
    place.by_hand(FAMILY);
    let mut found = String::new();
    let family = Family { place: &place, shell: &shells[0] };
    let at_first = family.modules("first");
    let whole = family.bundle("first", &[], &at_first);
    family.bring("a", "first", Sent::Bundle(whole), &[], true);
    let whole = family.bundle("second", &[], &at_first);
    family.bring("b", "second", Sent::Bundle(whole), &[], true);
    let modules = family.modules("third");
    let before = tempfile::tempdir().expect("a folder");
    place.by_hand(&format!("rm sent; cp -a five {}", before.path().display()));
    for ((what, damage, around), shell) in CASES.iter().zip(shells.iter().cycle()) {
        let family = Family { place: &place, shell };
        place.by_hand(&format!("rm -rf five sent; cp -a {}/five .", before.path().display()));
        let thin = Sent::Bundle(family.bundle("third", &["first", "second"], &modules));
        place.by_hand(damage);
        let action = unbundle("a", &family.commit("third"), thin, &["b"], true);
        let first = family.step(&action, around);
        let next = family.look();
        let (sent, siblings): (_, &[&str]) = match next.starts_with("all of it") {
            true => (family.bundle("third", &[], &modules), &[]),
            false => (family.bundle("third", &["first", "second"], &modules), &["b"]),
        };
        let then = family.bring("a", "third", Sent::Bundle(sent), siblings, true);
        let left = place.by_hand("cd five; ls -A .buedafab releases | grep -v '^slots$' | tr '\\n' ' '");
        let _ = writeln!(found, "{what}: {first}\n    then {next}: {then}    {left}");
    }
    // Where the project lies stands in it, and so in what is sent.
    let is_sum = |word: &&str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let sums: Vec<String> = found.split_whitespace().filter(is_sum).map(str::to_owned).collect();
    sums.iter().for_each(|sum| found = found.replace(sum, "SUM"));
    let ids = [("FIRST", "first"), ("SECOND", "second"), ("THIRD", "third")];
    for (name, commit) in ids {
        found =
            found.replace(family.commit(commit).as_str(), name).replace(family.commit(commit).short(), name);
    }
    assert_snapshot!(found, @"
    nothing happened: 0
        then what it lacks, a:its own b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    what arrives is cut: 1: the bundle of THIRD arrived damaged, or there was no room for all of it: its check sum is SUM instead of SUM
        then what it lacks, a:all b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    there is no room: 1: cat: write error: File too large
        then what it lacks, a:all b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    the slots are gone: 1: error: Repository lacks these prerequisite commits:
    error: SECOND 
    what the slots of this host hold isn't what the bundle builds on: do it again, and all of THIRD is sent
        then all of it,: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a 
    the slot beside it is gone: 1: error: Repository lacks these prerequisite commits:
    error: SECOND 
    what the slots of this host hold isn't what the bundle builds on: do it again, and all of THIRD is sent
        then all of it, a:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a 
    what it builds on is damaged beside it: 1: error: Repository lacks these prerequisite commits:
    error: SECOND 
    what the slots of this host hold isn't what the bundle builds on: do it again, and all of THIRD is sent
        then all of it, a:all b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    what it builds on is shallow beside it: 0
        then what it lacks, a:its own b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    the slot's clone is damaged: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew
        then what it lacks, a:its own b:all: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    both are damaged: 1: error: Repository lacks these prerequisite commits:
    error: SECOND 
    what the slots of this host hold isn't what the bundle builds on: do it again, and all of THIRD is sent
    what git keeps in a is damaged (git finds errors in it), and couldn't be made anew
        then all of it, a:all b:all: 0: what git keeps in a was damaged (git finds errors in it), so it was made anew; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    the slot's clone has no HEAD: 0: what git keeps in a was damaged (no HEAD in it), so it was made anew
        then what it lacks, a:its own b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    the clone of a submodule is damaged: 0
        then what it lacks, a:its own b:all: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    the clones of submodules are gone: 0
        then what it lacks, a:its own b:all: 0; 0; 0: what git keeps of the submodules of a was of no use, so it was made anew; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b 
    what submodules take isn't there: 0
        then what it lacks, a:its own b:all: 0; 0; 0; 0: work two lib two deep one v2-1
        .buedafab:  releases: a b
    ");
}

/// Slots that were filled from the remote hold nothing of their submodules; what is sent builds on the rest.
#[test]
fn a_host_changes_over_to_bundles_and_back() {
    assert_snapshot!(everywhere(|shell, place| {
        place.by_hand(FAMILY);
        place.by_hand("git clone -q --bare work remote.git; git -C remote.git update-ref refs/heads/other $(cat third)");
        let family = Family { place, shell };
        let fetched = [fetch(place, "a", &family.commit("first"), &[]), checkout("a", &family.commit("first"))];
        let mut found: Vec<String> = fetched.iter().map(|step| family.step(step, "")).collect();
        found.push(family.look());
        let modules = family.modules("first");
        let only = family.bundle("first", &["first"], &modules);
        found.push(family.bring("b", "first", Sent::Bundle(only), &["a"], true));
        found.push(family.look());
        let commit = family.commit("third");
        found.push(family.step(&fetch(place, "b", &commit, &[]), ""));
        found.push(family.step(&checkout("b", &commit), ""));
        let url = place.root().join("remote.git").to_str().expect("UTF-8").to_owned();
        let submodules = GitAction::Submodules { slot: slot("b"), url, credentials: false, known_hosts: Vec::new(), lend_agent: false, lfs: false };
        found.push(family.step(&submodules, "export GIT_CONFIG_GLOBAL=$PWD/gitconfig"));
        found.push(family.look());
        found.join("\n")
    }), @"
    0
    0
    what it lacks, a:its own
    0; 0; 0; 0: work one lib one deep one v1

    what it lacks, a:its own b:all
    0
    0
    0
    what it lacks, a:its own b:its own
    ");
}
