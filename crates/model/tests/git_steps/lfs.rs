//! What becomes of files that Git LFS keeps: no pointer is served, git takes their contents for unchanged, and what somebody has done to
//! one is seen and kept.

use super::*;
use buedafab_model::app::package::FetchedPackage;
use std::process::Stdio;

/// A project as somebody with git-lfs commits it, and its remote with what that keeps. `as_lfs` and `as_content` are what git-lfs is: the
/// first commits a file as a pointer, the second is what its server has.
const STUDIO: &str = r#"
    git init -q -b master work; git init -q --bare remote.git
    content() { mkdir -p "remote.git/lfs/objects/$(echo $1 | cut -c 1-2)/$(echo $1 | cut -c 3-4)"; cat >"remote.git/lfs/objects/$(echo $1 | cut -c 1-2)/$(echo $1 | cut -c 3-4)/$1"; }
    put() { printf "$2" >put; sum=$(sha256sum <put | cut -c 1-64); content $sum <put; printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' $sum $(wc -c <put) >"work/$1"; }
    printf '*.bin filter=lfs diff=lfs merge=lfs -text\n' >work/.gitattributes
    mkdir work/deep; echo code one >work/code
    put logo.bin 'logo one'; put "deep/a b*[c]\"d\\e'f.bin" 'hostile'; put -dash.bin 'dash'; put ü.bin 'umlaut'; put same.bin 'same\0binary'
    head -c 300000 /dev/zero | tr '\0' 'x' >big; put big.bin "$(cat big)"
    echo 'committed by somebody without git-lfs' >work/plain.bin
    git -C work add .; git -C work commit -qm first; git -C work rev-parse HEAD >first
    echo code two >work/code; put logo.bin 'logo two'; put plain.bin 'now kept elsewhere'; cp big work/big.bin; put deep/new.bin 'new'
    git -C work commit -qam second; git -C work add .; git -C work commit -qm second --amend; git -C work rev-parse HEAD >second
    git -C work rm -q --cached .gitattributes; git -C work commit -qm 'no more'; git -C work rev-parse HEAD >gone
    git -C work push -q ../remote.git master
"#;

const FILES: &str = r#"for file in code logo.bin deep/*.bin ./-dash.bin ü.bin same.bin big.bin plain.bin; do if [ -f "$file" ]; then printf '%s, ' "$(head -c 20 "$file" | head -n 1 | tr '\0' '0')"; fi; done; echo"#;

struct Studio<'a> {
    place: &'a Place,
    shell: &'a Shell,
    remote: Remote,
}

impl<'a> Studio<'a> {
    #[track_caller]
    fn of(place: &'a Place, shell: &'a Shell) -> Studio<'a> {
        place.by_hand(STUDIO);
        let read = |name: &str| {
            let text = std::fs::read_to_string(place.root().join(name)).expect("it is there");
            CommitId::new(text.trim()).expect("a commit")
        };
        let remote = Remote { first: read("first"), second: read("second"), gone: read("gone") };
        Studio { place, shell, remote }
    }

    fn act(&self, action: &GitAction) -> String {
        self.act_after("", action)
    }

    fn act_after(&self, before: &str, action: &GitAction) -> String {
        let run = RunId::new("r1").expect("a word");
        let script = render_step(&action.clone().into(), &self.place.layout, &run);
        let mut command = self.shell.command(&format!("{before}\n{script}"), &self.place.root());
        command.env("HOME", self.place.root());
        if let Ok(sent) = std::fs::File::open(self.place.root().join("sent")) {
            command.stdin(Stdio::from(sent));
        }
        self.remote.name(&told(&command.output().expect("it runs"), self.place))
    }

    /// Brings a release there as a host that fetches does.
    fn fetch(&self, name: &str, commit: &CommitId) -> String {
        let siblings: &[&str] = if name == "a" { &["b"] } else { &["a"] };
        let lfs = fetch_lfs(self.place, name, commit);
        [fetch(self.place, name, commit, siblings), checkout_lfs(name, commit), lfs, prove(name, commit)]
            .iter()
            .map(|action| self.act(action))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn holds(&self, name: &str) -> String {
        self.place.by_hand(&format!("cd five/releases/{name} && {FILES}; git status --porcelain"))
    }
}

fn checkout_lfs(name: &str, commit: &CommitId) -> GitAction {
    match checkout(name, commit) {
        GitAction::Checkout { slot, commit, only, closed, shared, aside, group, in_place, lfs: _ } => {
            GitAction::Checkout { slot, commit, only, closed, shared, aside, group, in_place, lfs: true }
        }
        other => other,
    }
}

fn fetch_lfs(place: &Place, name: &str, commit: &CommitId) -> GitAction {
    GitAction::FetchLfs {
        slot: slot(name),
        commit: commit.clone(),
        url: place.root().join("remote.git").to_str().expect("UTF-8").to_owned(),
        credentials: false,
        known_hosts: Vec::new(),
        lend_agent: false,
    }
}

#[test]
fn contents_are_served_and_pointers_are_not() {
    assert_snapshot!(everywhere(|shell, place| {
        let studio = Studio::of(place, shell);
        let Remote { first, second, gone } = &studio.remote;
        let mut found = String::new();
        let mut note = |what: &str, name: &str, told: String| {
            let _ = writeln!(found, "{what}: {told}\n    {}", studio.holds(name).trim_end());
        };
        note("the first", "a", studio.fetch("a", first));
        place.by_hand("find five/releases/a -name '*.bin' -exec touch -d '2001-01-01' {} +");
        note("once more, and every file looks new", "a", studio.fetch("a", first));
        note("the second, in another slot", "b", studio.fetch("b", second));
        note("the second over the first", "a", studio.fetch("a", second));
        note("without the attributes they are what they look like", "a", {
            [checkout("a", gone), prove("a", gone)].map(|action| studio.act(&action)).join("; ")
        });
        note("as an LFS release again", "a", studio.fetch("a", second));
        place.by_hand("mv remote.git away.git");
        note("back, and no server answers", "a", studio.fetch("a", first));
        found
    }), @"
    the first: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
    once more, and every file looks new: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
    the second, in another slot: 0; 0; 0; 0
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere,
    the second over the first: 0; 0; 0; 0
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere,
    without the attributes they are what they look like: 0; 0
        code two, version https://git-, version https://git-, version https://git-, version https://git-, version https://git-, version https://git-, xxxxxxxxxxxxxxxxxxxx, version https://git-,
    as an LFS release again: 0; 0; 0; 0
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere,
    back, and no server answers: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
    ");
}

/// (A store and a remote that lies on the same disk share files.) What a person or a disk does to it, what the next deploy of the first release into the same slot says of that, after whether the slot
/// was proven, and what is there then.
#[test]
fn no_change_is_lost_and_no_damage_is_served() {
    const CASES: &[(&str, &str, &str)] = &[
        ("nothing", "", ""),
        ("somebody edits one", "echo edited >five/releases/a/logo.bin", ""),
        (
            "somebody edits one deeper down, and git-lfs is the host's",
            "echo edited >>five/releases/a/deep/a*",
            GIT_LFS,
        ),
        ("somebody removes one", "rm five/releases/a/logo.bin", ""),
        (
            "a pointer is put in its place",
            "cd five/releases/a; rm logo.bin; git cat-file blob HEAD:logo.bin >logo.bin",
            "",
        ),
        ("a folder stands in its place", "cd five/releases/a; rm logo.bin; mkdir logo.bin", ""),
        ("a link stands in its place", "cd five/releases/a; rm logo.bin; ln -s /etc/passwd logo.bin", ""),
        ("the store is gone", "rm -r five/.buedafab/lfs; mv remote.git away.git", ""),
        (
            "the store is damaged",
            "for file in five/.buedafab/lfs/objects/*/*/*; do { printf x; tail -c +2 $file; } >new; mv new $file; done",
            "",
        ),
        (
            "the store is damaged where it is read",
            "for file in five/.buedafab/lfs/objects/*/*/*; do { printf x; tail -c +2 $file; } >new; mv new $file; done; rm five/releases/a/*.bin",
            "",
        ),
        ("what git keeps is damaged", ": >five/releases/a/.git/HEAD", ""),
        (
            "the server has it no more",
            "rm -r five/.buedafab/lfs remote.git/lfs; rm five/releases/a/logo.bin",
            "",
        ),
        ("the host has no git-lfs", "rm -r five/.buedafab/lfs; rm five/releases/a/logo.bin", NO_GIT_LFS),
        ("nobody asks git-lfs for what is there", "rm five/releases/a/logo.bin", NO_GIT_LFS),
    ];
    assert_snapshot!(everywhere(|shell, place| {
        let mut found = String::new();
        let studio = Studio::of(place, shell);
        let first = &studio.remote.first;
        assert_eq!(studio.fetch("a", first), "0; 0; 0; 0");
        place.by_hand("mkdir kept; cp -a five remote.git kept/");
        for (what, damage, host) in CASES {
            place.by_hand("rm -rf five remote.git away.git; cp -a kept/* .");
            place.by_hand(damage);
            let steps = [prove("a", first), fetch(place, "a", first, &[]), checkout_lfs("a", first), fetch_lfs(place, "a", first)];
            let told = steps.map(|step| studio.act_after(host, &step)).join("; ");
            let aside = place.by_hand("cd five/.buedafab/aside 2>/dev/null && find . -type f -exec tail -n 1 {} + || :");
            let _ = writeln!(found, "{what}: {told}\n    {}\n    aside: {}", studio.holds("a").trim_end(), aside.trim());
        }
        found
    }), @r#"
    nothing: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    somebody edits one: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     M logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch
    logo.bin as somebody changed it is kept in ROOT/five/.buedafab/aside/r1-a; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: edited
    somebody edits one deeper down, and git-lfs is the host's: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     M "deep/a b*[c]\"d\\e'f.bin"; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch
    deep/a b*[c]"d\e'f.bin as somebody changed it is kept in ROOT/five/.buedafab/aside/r1-a/deep; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: hostileedited
    somebody removes one: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    a pointer is put in its place: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     M logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch
    logo.bin as somebody changed it is kept in ROOT/five/.buedafab/aside/r1-a; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: size 8
    a folder stands in its place: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    a link stands in its place: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     T logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch
    logo.bin as somebody changed it is kept in ROOT/five/.buedafab/aside/r1-a; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    the store is gone: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    the store is damaged: 0; 0; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    the store is damaged where it is read: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D -dash.bin
     D big.bin
     D logo.bin
     D plain.bin
     D same.bin
     D "\303\274.bin"; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    what git keeps is damaged: 1: fatal: not a git repository (or any of the parent directories): .git
    a no longer holds exactly FIRST:
    fatal: not a git repository (or any of the parent directories): .git; 0: what git keeps in a was damaged (no HEAD in it), so it was made anew; 0; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside: 
    the server has it no more: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 1: error transferring "1a900cf1523b390097b964a4afffb4e5bf43bc4914e7c29b08efb886579add50": [0] remote missing object 1a900cf1523b390097b964a4afffb4e5bf43bc4914e7c29b08efb886579add50
    error: failed to fetch some objects from 'file://ROOT/remote.git'
    the content of logo.bin can't be had: Git LFS calls it 1a900cf1523b390097b964a4afffb4e5bf43bc4914e7c29b08efb886579add50
    this host must reach the LFS server of its remote, and whoever committed the file must have pushed it there: git lfs push --all origin
        code one, version https://git-, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod, 
     M logo.bin
        aside: 
    the host has no git-lfs: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 1: git-lfs isn't on this host
    the content of logo.bin can't be had: Git LFS calls it 1a900cf1523b390097b964a4afffb4e5bf43bc4914e7c29b08efb886579add50
    this host must reach the LFS server of its remote, and whoever committed the file must have pushed it there: git lfs push --all origin
        code one, version https://git-, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod, 
     M logo.bin
        aside: 
    nobody asks git-lfs for what is there: 1: a no longer holds exactly FIRST:
    ## HEAD (no branch)
     D logo.bin; 0; 0: what a build that came to nothing, or somebody, changed in a is kept in ROOT/five/.buedafab/changes-a-r1.patch; 0
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod,
        aside:
    "#);
}

/// A host on which git-lfs is set up for everybody.
const GIT_LFS: &str =
    r#"export GIT_CONFIG_GLOBAL="$PWD/gitconfig"; HOME=$PWD git lfs install --skip-repo >/dev/null"#;
/// One without it.
const NO_GIT_LFS: &str = r#"command() { [ "$2" != git-lfs ]; }"#;

/// What the deployer sends of a release: contents that are called by their check sums.
fn sent(place: &Place, contents: &str) -> Option<Box<FetchedPackage>> {
    let sum = place.by_hand(&format!(
        "rm -rf contents; mkdir contents
         for sum in {contents}; do cp remote.git/lfs/objects/*/*/$sum contents/; done
         tar --mtime=@0 -cf sent -C contents {contents}; sha256sum <sent | cut -c 1-64"
    ));
    let sum = sum.trim().to_owned();
    let name = "LFS files".to_owned();
    Some(Box::new(FetchedPackage {
        name,
        key: sum.clone(),
        file: "sent".to_owned(),
        sha256: sum,
        size_bytes: 0,
    }))
}

/// A host that no server is open to, and that has no git-lfs, takes them from the deployer, and from what it holds.
#[test]
fn contents_come_from_the_deployer() {
    assert_snapshot!(everywhere(|shell, place| {
        let studio = Studio::of(place, shell);
        let Remote { first, second, gone: _ } = &studio.remote;
        let all = place.by_hand("for content in remote.git/lfs/objects/*/*/*; do printf '%s ' ${content##*/}; done");
        let few = place.by_hand("sha256sum <put | cut -c 1-64").trim().to_owned();
        let mut found = String::new();
        let mut bring = |what: &str, name: &str, commit: &CommitId, sent: Option<Box<FetchedPackage>>, harm: &str| {
            let before = [fetch(place, name, commit, &[]), checkout_lfs(name, commit)];
            assert_eq!(before.map(|step| studio.act(&step)[..1].to_owned()), ["0", "0"]);
            place.by_hand(harm);
            let place_lfs = GitAction::PlaceLfs { slot: slot(name), commit: commit.clone(), sent };
            let told = studio.act_after(NO_GIT_LFS, &place_lfs);
            let proven = studio.act(&prove(name, commit));
            let known = place.look(shell, Scope::Plan);
            let known = (known.lfs.contains(commit), known.wants_all);
            let _ = writeln!(found, "{what}: {told}; {}; {known:?}\n    {}", &proven[..1], studio.holds(name).lines().next().unwrap_or_default());
            place.by_hand("rm -f sent five/.buedafab/wants-all; ls -A five/.buedafab/lfs | tr '\\n' ' '")
        };
        let left = bring("all of it", "a", first, sent(place, &all), "");
        bring("nothing, as it's all here", "b", second, None, "rm -f sent");
        bring("again, where nobody has written it down", "a", second, None, "rm -r five/.buedafab/releases");
        place.by_hand("rm -r five/.buedafab/lfs five/releases/b");
        bring("too little of it", "b", second, sent(place, &few), "");
        bring("what arrives is cut", "b", second, sent(place, &all), "truncate -s -2000 sent");
        let bad = sent(place, &all);
        bring("one isn't what it is called", "b", second, bad.map(|bad| Box::new(FetchedPackage { sha256: place.by_hand(
            "for file in contents/*; do echo bad >$file; done; tar --mtime=@0 -cf sent -C contents .; sha256sum <sent | cut -c 1-64").trim().to_owned(), ..*bad })), "");
        bring("all of it, after that", "b", second, sent(place, &all), "");
        found + &left
    }), @r#"
    all of it: 0; 0; (true, false)
        code one, logo one, hostile, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, committed by somebod, 
    nothing, as it's all here: 0; 0; (true, false)
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere, 
    again, where nobody has written it down: 0; 0; (true, false)
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere, 
    too little of it: 1: the content of -dash.bin can't be had: Git LFS calls it af9d2c92ddc38ca77b3cd29e944c9b61928032808d3a3cb6c3a3c8965067291e
    the content of deep/a b*[c]"d\e'f.bin can't be had: Git LFS calls it 8f383ccddc6f17eb57a96c711523e4a8072d8e791b4a773ea0153e0d993d03e1
    the content of logo.bin can't be had: Git LFS calls it 33ae658b722ea69e67d045e1d6a5720a286e5ef14212c54f7793f39b273125dc
    the content of plain.bin can't be had: Git LFS calls it fbea480b92db03f4083cdfbd108f89ae1c29c719e88bd29f1095a72068db7bb8
    the content of same.bin can't be had: Git LFS calls it 1238448e5fb86f08cd731ba82de6dc87765d76008394a6b9e2e7c9375766d673
    nor those of 1 more
    it isn't among what was sent, nor on this host: do it again, and all of the release is sent; 1; (true, true)
        code two, version https://git-, version https://git-, version https://git-, version https://git-, version https://git-, version https://git-, xxxxxxxxxxxxxxxxxxxx, version https://git-, 
    what arrives is cut: 1: the LFS files of SECOND arrived damaged, or there was no room for all of it: its check sum is 0f390f7e6c56a76f61a05c90e769a29978c696e189f3918d3343a7ce7eadbe31 instead of 08213aff222483403bf557100d1004dfb67da87499573dc651c920cfb1f3c0c9; 1; (true, false)
        code two, version https://git-, version https://git-, new, version https://git-, version https://git-, version https://git-, xxxxxxxxxxxxxxxxxxxx, version https://git-, 
    one isn't what it is called: 1: the content of -dash.bin can't be had: Git LFS calls it af9d2c92ddc38ca77b3cd29e944c9b61928032808d3a3cb6c3a3c8965067291e
    the content of deep/a b*[c]"d\e'f.bin can't be had: Git LFS calls it 8f383ccddc6f17eb57a96c711523e4a8072d8e791b4a773ea0153e0d993d03e1
    the content of logo.bin can't be had: Git LFS calls it 33ae658b722ea69e67d045e1d6a5720a286e5ef14212c54f7793f39b273125dc
    the content of plain.bin can't be had: Git LFS calls it fbea480b92db03f4083cdfbd108f89ae1c29c719e88bd29f1095a72068db7bb8
    the content of same.bin can't be had: Git LFS calls it 1238448e5fb86f08cd731ba82de6dc87765d76008394a6b9e2e7c9375766d673
    nor those of 1 more
    it isn't among what was sent, nor on this host: do it again, and all of the release is sent; 1; (true, true)
        code two, version https://git-, version https://git-, new, version https://git-, version https://git-, version https://git-, xxxxxxxxxxxxxxxxxxxx, version https://git-, 
    all of it, after that: 0; 0; (true, false)
        code two, logo two, hostile, new, dash, umlaut, same0binary, xxxxxxxxxxxxxxxxxxxx, now kept elsewhere, 
    objects
    "#);
}

#[test]
fn what_no_release_needs_is_removed() {
    assert_snapshot!(everywhere(|shell, place| {
        let studio = Studio::of(place, shell);
        let Remote { first, second, .. } = &studio.remote;
        let kept = || place.by_hand("for file in five/.buedafab/lfs/objects/*/*/*; do head -c 8 $file | tr '\\0' 0; echo; done | sort | tr '\\n' ','; ls five/.buedafab/lfs | grep -v objects || :");
        assert_eq!(studio.fetch("a", first), "0; 0; 0; 0");
        finish_build(place, shell, "a", first);
        assert_eq!(studio.fetch("b", second), "0; 0; 0; 0");
        finish_build(place, shell, "b", second);
        let mut found = format!("{}; both: {}\n", place.act(shell, &RecordAction::Prune), kept());
        place.by_hand("rm five/.buedafab/slots/a.json");
        let _ = writeln!(found, "{}; the second: {}", place.act(shell, &RecordAction::Prune), kept());
        found
    }), @"
    0; both: dash,hostile,logo one,logo two,new,now kept,same0bin,umlaut,xxxxxxxx,tmp

    0; the second: dash,hostile,logo two,new,now kept,same0bin,umlaut,tmp
    ");
}

/// A submodule has contents of its own. Whoever deploys may not see that.
#[test]
fn submodules_have_theirs_too() {
    assert_snapshot!(everywhere(|shell, place| {
        place.by_hand(STUDIO);
        place.by_hand(
            r#"export GIT_CONFIG_GLOBAL=$PWD/gitconfig; git config --global protocol.file.allow always
            git clone -q "file://$PWD/remote.git" lib 2>/dev/null; git -C lib checkout -q --detach $(cat first); git init -q -b master outer; cd outer
            git submodule --quiet add "file://$PWD/../remote.git" lib; git -C lib checkout -q $(cat ../first)
            git add .; git commit -qm outer; git rev-parse HEAD >../first; git clone -q --bare "file://$PWD" ../outer.git"#,
        );
        let text = std::fs::read_to_string(place.root().join("first")).expect("it is there");
        let commit = CommitId::new(text.trim()).expect("a commit");
        let url = place.root().join("outer.git").to_str().expect("UTF-8").to_owned();
        let submodules = |lfs| GitAction::Submodules {
            slot: slot("a"),
            url: url.clone(),
            credentials: false,
            known_hosts: Vec::new(),
            lend_agent: false,
            lfs,
        };
        let act = |mut action: GitAction| {
            if let GitAction::Fetch { url: at, .. } | GitAction::FetchLfs { url: at, .. } = &mut action {
                at.clone_from(&url);
            }
            let script = render_step(&action.into(), &place.layout, &RunId::new("r1").expect("a word"));
            let allow = "export GIT_CONFIG_GLOBAL=$PWD/gitconfig\n";
            told(&shell.run(&format!("{allow}{script}"), &place.root()), place)
        };
        let files = || place.by_hand("cd five/releases/a/lib && head -c 8 logo.bin; echo; git status --porcelain");
        let told = [fetch(place, "a", &commit, &[]), checkout("a", &commit), submodules(false)].map(act);
        let mut found = format!("{}\n  {}\n", told.join("; "), files());
        let told = [submodules(true), fetch_lfs(place, "a", &commit), prove("a", &commit)].map(act);
        let _ = writeln!(found, "{}\n  {}", told.join("; "), files());
        place.by_hand("echo mine >>five/releases/a/lib/logo.bin");
        let _ = writeln!(found, "somebody changes one: {}", &act(prove("a", &commit))[..1]);
        found
    }), @"
    0; 0; 1: Git LFS keeps files of the submodule lib, which nobody could see that deploys: in your checkout, git submodule update --init --recursive
      version 

    0; 0; 0
      logo one

    somebody changes one: 1
    ");
}
