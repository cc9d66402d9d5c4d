//! Which commits get live, and under what name: tags, branches, pushes, signatures, and the questions in between.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use buedafab_testkit::{Fleet, FleetOptions, Remote};

use super::stage::{Ran, Stage};
use super::terminal::{answer, finish, raw_terminal, shell_terminal, terminal};

/// One host, a first release v0.1.0, and buedafab's own rules for production.
fn stage() -> Stage {
    let stage = Stage::with(FleetOptions::default());
    rules(&stage, "");
    stage.remote.git(&["tag", "-d", "one"]);
    stage.remote.git(&["push", "-q", "origin", ":refs/tags/one"]);
    stage.release("v0.1.0");
    stage
}

/// What buedafab does by itself in production, but for signing, with something before it.
fn rules(stage: &Stage, top: &str) {
    let signing = if top.contains("sign") { "" } else { "sign_tags = false\n" };
    stage.configure_with(&format!("version_pattern = '^v\\d+(\\.\\d+)+?$'\n{signing}{top}"));
    stage.remote.git(&["add", "--all"]);
    stage.remote.git(&["commit", "-q", "--allow-empty", "-m", "Configure"]);
    stage.remote.push();
}

/// Everything that a refusal must not touch: refs, HEAD, configuration, index and files here, and the remote's refs.
fn repositories(stage: &Stage) -> String {
    let here: [&[&str]; 5] = [
        &["for-each-ref"],
        &["rev-parse", "--abbrev-ref", "HEAD"],
        &["config", "--local", "--list"],
        &["status", "--porcelain"],
        &["reflog"],
    ];
    let mut all: String = here.iter().map(|words| stage.remote.git(words) + "\n").collect();
    all.push_str(&stage.remote.git(&["ls-remote", &stage.remote.url()]));
    all
}

/// Runs something that is refused, and asserts that it left both repositories as they were.
#[track_caller]
fn refused(stage: &Stage, words: &[&str]) -> Ran {
    let before = repositories(stage);
    let ran = stage.production(words, 4);
    assert_eq!(repositories(stage), before, "{words:?} left something behind");
    ran.says("nothing was touched");
    ran
}

fn tags_on_remote(stage: &Stage) -> String {
    let listed = stage.remote.git(&["ls-remote", "--tags", "--refs", &stage.remote.url()]);
    let names = listed.lines().filter_map(|line| line.rsplit_once("refs/tags/").map(|(_, name)| name));
    names.collect::<Vec<_>>().join(" ")
}

fn hook_on_remote(stage: &Stage, name: &str, script: &str) {
    let path = stage.remote.path().join("hooks").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the remote is ours");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the remote is ours");
}

#[test]
fn only_releases_go_to_production() {
    let stage = stage();
    stage.production(&["deploy"], 0).says("deploy v0.1.0 (");
    stage.remote.commit(&[("version", "v0.2.0")], "Two");
    stage.remote.push();
    refused(&stage, &["deploy"]).says("v0.1.0-1-g").says("has no release tag").says("--tag v0.1.1");
    refused(&stage, &["deploy", "--yes"]).says("has no release tag");
    refused(&stage, &["deploy", "--dry-run"]).says("has no release tag");
    refused(&stage, &["deploy", "--tag", "next"]).says("\"next\" doesn't look like a release");
    refused(&stage, &["deploy", "--tag", "v0.1.0"]).says("the tag \"v0.1.0\" exists already");
    refused(&stage, &["deploy:release=v0.3.0"]).says("there is no tag \"v0.3.0\", neither here nor on");
    let plan = stage.production(&["deploy", "--tag", "v0.2.0", "--dry-run", "-v"], 0);
    plan.says("git tag -a --no-sign -m 'Release v0.2.0' v0.2.0 ").says("push v0.2.0 to origin");
    assert_eq!(tags_on_remote(&stage), "v0.1.0");
    // As it stands in a pipeline: tagged, pushed, deployed; and again, after it has worked or hasn't.
    stage.production(&["deploy", "--tag", "v0.2.0"], 0).says("serving now: v0.2.0 (");
    assert_eq!(tags_on_remote(&stage), "v0.1.0 v0.2.0");
    assert_eq!(stage.remote.git(&["cat-file", "-t", "v0.2.0"]), "tag");
    stage.production(&["deploy", "--tag", "v0.2.0"], 0).says("is live already");
    assert_eq!(stage.status()[0]["live"]["tag"], "v0.2.0");
}

#[test]
fn a_release_is_named_or_is_the_latest() {
    let stage = stage();
    for version in ["v0.9.0", "v0.13.0", "zebra"] {
        stage.release(version);
    }
    stage.production(&["deploy:release=latest_tag"], 0).says("serving now: v0.13.0 (");
    stage.production(&["deploy", "--release", "v0.13.0"], 0).says("is live already");
    refused(&stage, &["deploy:release=v0.9.0"]).says("is older than v0.13.0").says("--allow-older");
    refused(&stage, &["deploy:release=v0.9.0", "--yes"]).says("is older than v0.13.0");
    stage.production(&["deploy:release=v0.9.0,allow_older"], 0).says("serving now: v0.9.0 (");
    refused(&stage, &["deploy:release=zebra"]).says("\"zebra\" doesn't look like a release");
    // A commit is tagged as a new release, and then deployed.
    let commit = stage.remote.commit(&[("version", "v1.0.0")], "One");
    stage.remote.commit(&[("version", "v9")], "Later");
    stage.remote.push();
    stage.production(&[&format!("deploy:commit={},tag=v1.0.0", &commit[..8])], 0).says("v1.0.0 (");
    assert_eq!(stage.serving(), ["v1.0.0"]);
}

#[test]
fn what_a_release_is_called_is_agreed_with_the_remote() {
    let stage = stage();
    // Somebody else has tagged another commit, and this checkout has a tag of the same name.
    let elsewhere = Remote::temp();
    let other = elsewhere.checkout_dir().to_str().expect("UTF-8").to_owned();
    stage.remote.git(&["clone", "-q", &stage.remote.url(), &format!("{other}/clone")]);
    let theirs = |words: &[&str]| {
        let folder = format!("{other}/clone");
        stage.remote.git(&[&["-C", &folder][..], words].concat())
    };
    theirs(&["commit", "-q", "--allow-empty", "-m", "Theirs"]);
    theirs(&["tag", "v0.2.0"]);
    theirs(&["push", "-q", "origin", "master", "v0.2.0"]);
    stage.remote.git(&["tag", "v0.2.0"]);
    refused(&stage, &["deploy:release=v0.2.0"])
        .says("\"v0.2.0\" is")
        .says("find out which of the two is right");
    stage.remote.git(&["tag", "-d", "v0.2.0"]);
    // A name that is taken over there is no name for a new one, though this checkout never heard of it.
    stage.remote.git(&["reset", "-q", "--hard", "HEAD"]);
    refused(&stage, &["deploy", "--tag", "v0.2.0", "--commit", "HEAD~1"])
        .says("the tag \"v0.2.0\" exists already");
    // What only the remote has can be deployed, and leaves no trace here.
    let before = stage.remote.git(&["for-each-ref"]);
    stage.production(&["deploy:release=v0.2.0"], 0).says("serving now: v0.2.0 (");
    assert_eq!(stage.remote.git(&["for-each-ref"]), before);
    // A tag that nobody has pushed yet is pushed.
    stage.remote.git(&["pull", "-q", "--no-rebase", "origin", "master"]);
    stage.remote.commit(&[("version", "v0.3.0")], "Three");
    stage.remote.git(&["push", "-q", "origin", "master"]);
    stage.remote.git(&["tag", "v0.3.0"]);
    let configure = |top: &str| stage.configure_with(&format!("version_pattern = '^v'\nbranch = '*'\n{top}"));
    configure("push_before_deploy = false");
    refused(&stage, &["deploy:release=v0.3.0"]).says("isn't on the remote \"origin\"");
    configure("");
    stage.production(&["deploy:release=v0.3.0"], 0).says("when all hosts are ready: push v0.3.0 to origin");
    assert!(tags_on_remote(&stage).ends_with("v0.3.0"));
}

#[test]
fn a_remote_that_turns_a_push_down_leaves_nothing_behind() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    stage.remote.commit(&[("version", "v0.2.0")], "Not pushed");
    hook_on_remote(&stage, "pre-receive", "echo closed for the night >&2; exit 1");
    let before = repositories(&stage);
    let ran = stage.production(&["deploy", "--tag", "v0.2.0"], 4);
    ran.says("closed for the night").says("serving now: v0.1.0 (");
    assert_eq!(repositories(&stage), before, "neither the branch nor the tag got anywhere");
    hook_on_remote(&stage, "pre-receive", "exit 0");
    // The branch is what hosts fetch from; the tag comes when they are ready, and then it is turned down.
    hook_on_remote(&stage, "update", "case $1 in refs/tags/*) echo no tags on Fridays >&2; exit 1 ;; esac");
    let ran = stage.production(&["deploy", "--tag", "v0.2.0"], 7);
    ran.says("no tags on Fridays").says("push v0.2.0 to origin").says("serving now: v0.1.0 (");
    assert_eq!(tags_on_remote(&stage), "v0.1.0");
    assert_eq!(stage.remote.git(&["tag", "--list", "v0.2.0"]), "", "it is removed here, too");
    assert_eq!(
        stage.remote.git(&["ls-remote", &stage.remote.url(), "master"])[..40],
        stage.remote.git(&["rev-parse", "HEAD"])
    );
    assert_eq!(stage.serving(), ["v0.1.0"]);
    hook_on_remote(&stage, "update", "exit 0");
    stage
        .production(&["deploy", "--tag", "v0.2.0"], 0)
        .says("when all hosts are ready: push v0.2.0 to origin");
    assert_eq!(tags_on_remote(&stage), "v0.1.0 v0.2.0");
    assert_eq!(stage.serving(), ["v0.2.0"]);
}

#[test]
fn a_release_that_comes_to_nothing_burns_no_version() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    stage.remote.commit(&[("version", "v0.2.0")], "Two");
    let host = stage.fleet.host("web1");
    let tags = || (stage.remote.git(&["tag", "--list", "v0.*"]), tags_on_remote(&stage));
    let before = tags();
    host.run("touch /tmp/fail-check");
    stage
        .production(&["deploy", "--tag", "v0.2.0"], 7)
        .says("the check says no")
        .says("here: remove the tag v0.2.0");
    assert_eq!(tags(), before);
    host.run("rm /tmp/fail-check");
    // Somebody else takes the name after it was found free, and before it is pushed.
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let theirs = "[hooks]\nlocal.before = \"git push -q origin HEAD~1:refs/tags/v0.2.0\"";
    std::fs::write(&path, text.replace("[hooks]", theirs)).expect("it is ours");
    let ran = stage.production(&["deploy", "--tag", "v0.2.0"], 7);
    ran.says("somebody else has pushed v0.2.0 to origin")
        .says("choose another name")
        .says("serving now: v0.1.0 (");
    assert_eq!(stage.remote.git(&["tag", "--list", "v0.*"]), before.0, "ours is removed");
    let theirs = stage.remote.git(&["ls-remote", &stage.remote.url(), "refs/tags/v0.2.0"]);
    assert_eq!(theirs[..40], stage.remote.git(&["rev-parse", "HEAD~1"]), "theirs isn't touched");
    rules(&stage, "");
    stage.production(&["deploy", "--tag", "v0.2.1"], 0).says("serving now: v0.2.1 (");
    assert_eq!(tags_on_remote(&stage), "v0.1.0 v0.2.0 v0.2.1");
}

#[test]
fn commits_are_pushed_first_and_never_by_force() {
    let stage = stage();
    rules(&stage, "require_tag = false\nbranch = '*'");
    stage.remote.commit(&[("version", "two")], "Two");
    stage.production(&["deploy", "--dry-run"], 0).says("push ").says(" to master on origin");
    stage.production(&["deploy"], 0).says("push ");
    assert_eq!(stage.serving(), ["two"]);
    // Others have pushed meanwhile; then somebody rewrites what this checkout has.
    let clone = tempfile::tempdir().expect("a folder");
    let folder = clone.path().join("clone").display().to_string();
    stage.remote.git(&["clone", "-q", &stage.remote.url(), &folder]);
    stage.remote.git(&["-C", &folder, "commit", "-q", "--allow-empty", "-m", "Theirs"]);
    stage.remote.git(&["-C", &folder, "push", "-q"]);
    stage.remote.commit(&[("version", "three")], "Three");
    refused(&stage, &["deploy"]).says("has commits that yours lacks").says("git pull --rebase origin master");
    refused(&stage, &["deploy", "--yes"]).says("has commits that yours lacks");
    // Taken in and pushed; and then somebody takes it all away again.
    stage.remote.git(&["pull", "-q", "--rebase", "origin", "master"]);
    stage.remote.push();
    let gone = stage.remote.git(&["rev-parse", "HEAD"]);
    let bare = stage.remote.path().display().to_string();
    stage.remote.git(&["-C", &bare, "config", "receive.denyNonFastForwards", "false"]);
    stage.remote.git(&["-C", &folder, "push", "-q", "--force", "origin", "HEAD~1:master"]);
    stage.remote.git(&["reset", "-q", "--hard", "HEAD~2"]);
    stage.configure_with("require_tag = false\nbranch = 'master'");
    refused(&stage, &[&format!("deploy:commit={gone}")])
        .says("isn't on the remote \"origin\"")
        .says("somebody has rewritten the branch there");
    // Where any branch will do, the remote isn't asked about what it had; hosts are told the truth by it.
    stage.configure_with("require_tag = false\nbranch = '*'");
    stage.remote.git(&["-C", &bare, "reflog", "expire", "--expire=now", "--all"]);
    stage.remote.git(&["-C", &bare, "gc", "-q", "--prune=now"]);
    stage.production(&[&format!("deploy:commit={gone}")], 7).says("isn't on file://");
    assert_eq!(stage.serving(), ["two"]);
}

#[test]
fn others_work_and_new_branches_are_pushed_only_after_a_yes() {
    let stage = stage();
    rules(&stage, "require_tag = false\nbranch = '*'");
    stage.remote.git(&["commit", "-q", "--allow-empty", "--author", "Eve <eve@example.com>", "-m", "Eve's"]);
    refused(&stage, &["deploy"]).says("commits of others would be pushed").says("Eve's").says("--yes");
    stage.production(&["deploy", "--yes"], 0);
    stage.remote.branch("topic");
    stage.remote.commit(&[("version", "topical")], "On a new branch");
    refused(&stage, &["deploy"]).says("topic would be pushed to \"origin\" as a new branch");
    stage.production(&["deploy", "--yes"], 0);
    assert_eq!(stage.serving(), ["topical"]);
    assert!(!stage.remote.git(&["ls-remote", &stage.remote.url(), "topic"]).is_empty());
}

#[test]
fn releases_come_from_their_branch() {
    let stage = stage();
    stage.remote.branch("topic");
    stage.remote.commit(&[("version", "v0.2.0")], "Not merged");
    stage.remote.tag("v0.2.0");
    stage.remote.push();
    refused(&stage, &["deploy"]).says("isn't on master of \"origin\"").says("merge it into master first");
    refused(&stage, &["deploy:release=v0.2.0"]).says("isn't on master of \"origin\"");
    stage.remote.branch("master");
    stage.remote.git(&["merge", "-q", "--ff-only", "topic"]);
    // Merged here; a deploy pushes it, and the commit is then on master for everybody.
    stage.production(&["deploy"], 0).says("push ").says(" to master on origin");
    assert_eq!(stage.serving(), ["v0.2.0"]);
    stage.configure_with("version_pattern = '^v'\nbranch = 'main'");
    refused(&stage, &["deploy"]).says("\"origin\" has no branch main").says("branch = \"main\"");
    stage.configure_with("version_pattern = '^v'\nbranch = 'mas*r'\nrequire_clean = true");
    stage.remote.git(&["add", "--force", "buedafab.toml"]);
    refused(&stage, &["deploy"]).says("aren't committed: buedafab.toml");
}

#[test]
fn names_that_could_mean_several_commits_are_refused() {
    let stage = stage();
    rules(&stage, "require_tag = false\nbranch = '*'");
    stage.remote.git(&["branch", "v0.1.0"]);
    refused(&stage, &["deploy:commit=v0.1.0"])
        .says("\"v0.1.0\" is ambiguous: it is a tag (")
        .says("and a branch (");
    stage.production(&["deploy:commit=refs/heads/v0.1.0"], 0);
    stage.production(&["deploy:release=v0.1.0,allow_older"], 0).says("serving now: v0.1.0 (");
    let short = stage.remote.git(&["rev-parse", "--short=8", "HEAD~1"]);
    stage.remote.git(&["branch", &short, "HEAD"]);
    refused(&stage, &[&format!("deploy:commit={short}")]).says("it is a branch (").says("the commit");
    stage.remote.git(&["branch", "-D", &short]);
    stage.production(&[&format!("deploy:commit={short}")], 0);
    refused(&stage, &["deploy:commit=0000000"]).says("names no commit");
    refused(&stage, &["deploy", "--commit=-x"]).says("it would be taken for an option");
    refused(&stage, &["deploy:commit=HEAD:version"]).says("names no commit");
}

#[test]
fn any_kind_of_checkout_will_do() {
    let stage = stage();
    // No tag at all, and no history either.
    stage.remote.git(&["tag", "-d", "v0.1.0"]);
    stage.remote.git(&["push", "-q", "origin", ":refs/tags/v0.1.0"]);
    refused(&stage, &["deploy"]).says("--tag v0.1.0");
    refused(&stage, &["deploy:release=latest_tag"]).says("no tag here looks like a release");
    // A detached HEAD: what is on the remote can be tagged and deployed, and nothing else is pushed.
    stage.remote.git(&["checkout", "-q", "--detach"]);
    stage.production(&["deploy", "--tag", "v0.1.0"], 0);
    stage.remote.commit(&[("version", "adrift")], "On no branch");
    refused(&stage, &["deploy", "--tag", "v0.2.0"])
        .says("isn't on the remote")
        .says("check out the branch that has this commit");
    stage.remote.branch("master");
    // A shallow clone of one commit, as pipelines make them.
    stage.commit_configuration();
    stage.release("v0.3.0");
    let shallow = tempfile::tempdir().expect("a folder");
    let folder = shallow.path().join("clone");
    stage.remote.git(&["clone", "-q", "--depth", "1", &stage.remote.url(), &folder.display().to_string()]);
    let mut command = stage.command(&["production", "deploy"]);
    let ran = Ran::of(command.current_dir(&folder).output().expect("it runs"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.says("serving now: v0.3.0 (");
}

#[test]
fn a_remote_over_ssh_is_tagged_and_pushed_to() {
    let fleet = Fleet::start(FleetOptions::default());
    let remote = Remote::temp();
    let stage = Stage::of(fleet, remote);
    let agent = stage.fleet.agent();
    let url = stage.fleet.git_url(&stage.remote);
    stage.configure_with("version_pattern = '^v'\nsign_tags = false\nforward_agent = true");
    stage.release("v0.1.0");
    stage.remote.git(&["remote", "set-url", "origin", &url]);
    // From now on sshd's `deploy` pushes into it.
    let opened = Command::new("chmod").args(["-R", "a+rwX"]).arg(stage.remote.path()).status();
    assert!(opened.expect("it runs").success());
    let ssh = format!("ssh -F {}", stage.fleet.ssh_config().display());
    let deploy = |words: &[&str]| {
        let mut command = stage.command(&[&["production"], words].concat());
        command.env("GIT_SSH_COMMAND", &ssh).env("SSH_AUTH_SOCK", agent.socket());
        Ran::of(command.output().expect("it runs"))
    };
    let ran = deploy(&["deploy"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    stage.remote.commit(&[("version", "v0.2.0")], "Two");
    let ran = deploy(&["deploy", "--tag", "v0.2.0"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(stage.serving(), ["v0.2.0"]);
    assert_eq!(tags_on_remote(&stage), "one v0.1.0 v0.2.0");
    let nowhere = url.replace(".git", ".gone");
    stage.remote.git(&["remote", "set-url", "origin", &nowhere]);
    let ran = deploy(&["deploy"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    ran.says("the remote \"origin\" can't be asked").says("nothing was touched");
}

/// Sets git up to sign with a new ssh key, and gives back its line of `allowed_signers`.
fn sign_with_ssh(stage: &Stage, folder: &std::path::Path) -> String {
    let key = folder.join("key");
    let mut make = Command::new("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"]).arg(&key);
    assert!(make.status().expect("ssh-keygen is installed").success());
    let public = std::fs::read_to_string(folder.join("key.pub")).expect("it was made");
    stage.remote.git(&["config", "gpg.format", "ssh"]);
    stage.remote.git(&["config", "user.signingKey", &key.display().to_string()]);
    format!("ada@example.com {}", public.trim())
}

#[test]
fn tags_are_signed_and_signatures_are_checked() {
    let stage = stage();
    let folder = tempfile::tempdir().expect("a folder");
    let signer = sign_with_ssh(&stage, folder.path());
    let verify =
        |signers: &str| rules(&stage, &format!("verify_signatures = true\nallowed_signers = [{signers}]"));
    verify(&format!("{signer:?}"));
    // The first release was a plain tag, which nobody has signed.
    refused(&stage, &["deploy:release=v0.1.0"]).says("v0.1.0 carries no signature");
    stage.production(&["deploy", "--tag", "v0.2.0"], 0).says("as v0.2.0, signed");
    stage.production(&["deploy:release=v0.2.0"], 0).says("is live already");
    // The tag that is asked for counts, not another one that stands on the same commit.
    stage.remote.git(&["tag", "v0.1.9", "v0.2.0^{commit}"]);
    refused(&stage, &["deploy", "--tag", "v0.1.9", "--force"]).says("v0.1.9 carries no signature");
    stage.remote.git(&["tag", "-d", "v0.1.9"]);
    // A signature for one name is none for another, wherever the tag is moved.
    let signed = stage.remote.git(&["rev-parse", "refs/tags/v0.2.0"]);
    stage.remote.git(&["update-ref", "refs/tags/v0.9.0", &signed]);
    refused(&stage, &["deploy:release=v0.9.0"]).says("isn't a tag that was made under this name");
    stage.remote.git(&["tag", "-d", "v0.9.0"]);
    // Somebody whose key isn't listed signs; and this person's key is taken off the list.
    let other = tempfile::tempdir().expect("a folder");
    let theirs = sign_with_ssh(&stage, other.path());
    stage.remote.commit(&[("version", "v0.3.0")], "Three");
    stage.remote.push();
    refused_but_for_objects(&stage, &["deploy", "--tag", "v0.3.0"])
        .says("v0.3.0 carries no signature of an allowed signer");
    verify(&format!("{theirs:?}"));
    refused(&stage, &["deploy:release=v0.2.0"]).says("carries no signature of an allowed signer");
    stage.production(&["deploy", "--tag", "v0.3.0"], 0);
    // Without a key nothing can be signed: that is told before anything else happens.
    stage.remote.git(&["config", "--unset", "user.signingKey"]);
    stage.remote.commit(&[("version", "v0.4.0")], "Four");
    refused(&stage, &["deploy", "--tag", "v0.4.0"]).says("has to be signed, and git has no key");
    rules(&stage, "sign_tags = true");
    refused(&stage, &["deploy", "--tag", "v0.4.0"])
        .says("would be made without a signature")
        .says("sign_tags = false");
}

/// As [`refused`], where a step on the deployer failed: what it said is told, and what it made was taken back.
#[track_caller]
fn refused_but_for_objects(stage: &Stage, words: &[&str]) -> Ran {
    let before = repositories(stage);
    let ran = stage.production(words, 4);
    assert_eq!(repositories(stage), before, "{words:?} left something behind");
    ran
}

/// As gpg prints fingerprints.
fn in_groups(fingerprint: &str) -> String {
    let groups: Vec<&str> =
        fingerprint.as_bytes().chunks(4).filter_map(|four| std::str::from_utf8(four).ok()).collect();
    groups.join(" ")
}

#[test]
fn openpgp_signatures_count_by_their_fingerprints() {
    let stage = stage();
    let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").expect("a folder");
    let gpg = |words: &[&str]| {
        let output =
            Command::new("gpg").env("GNUPGHOME", home.path()).args(words).output().expect("gpg is installed");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    gpg(&[
        "--batch",
        "--passphrase",
        "",
        "--quick-gen-key",
        "Ada <ada@example.com>",
        "ed25519",
        "sign",
        "never",
    ]);
    let listed = gpg(&["--with-colons", "--fingerprint"]);
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).expect("it has one");
    let fingerprint = fingerprint.trim_end_matches(':').to_owned();
    let deploy = |words: &[&str], code: i32| {
        let mut command = stage.command(&[&["production"], words].concat());
        let ran = Ran::of(command.env("GNUPGHOME", home.path()).output().expect("it runs"));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        ran
    };
    rules(&stage, &format!("verify_signatures = true\nallowed_signers = ['{}']", in_groups(&fingerprint)));
    // No key is named: git finds the one that belongs to the person.
    deploy(&["deploy", "--tag", "v0.2.0"], 0).says("as v0.2.0, signed");
    rules(&stage, &format!("verify_signatures = true\nallowed_signers = ['{}']", "0".repeat(40)));
    deploy(&["deploy:release=v0.2.0"], 4).says("carries no signature of an allowed signer");
    let _ = Command::new("gpgconf").env("GNUPGHOME", home.path()).args(["--kill", "all"]).status();
}

#[test]
fn a_person_is_asked_for_a_tag() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    rules(&stage, "confirm = 'yes'");
    stage.release("v0.9.0");
    stage.release("v0.13.0");
    stage.remote.commit(&[("version", "v0.14.0")], "Untagged");
    // An empty line is a no: the latest release is taken.
    let mut session = terminal(&stage, &["production", "deploy"]);
    let said = answer(&mut session, "v0.13.0 is deployed. [y/N]", "\r");
    assert!(said.contains("the last tags: v0.1.0, v0.9.0, v0.13.0"), "{said}");
    answer(&mut session, "Deploy v0.13.0 (", "y\r");
    assert!(finish(session, 0).contains("serving now: v0.13.0 ("));
    // A yes, a name that won't do, and then the proposed one.
    let mut session = terminal(&stage, &["production", "deploy"]);
    answer(&mut session, "v0.13.0 is deployed. [y/N]", "y\r");
    answer(&mut session, "Its name [v0.13.1]", "v0.9.0\r");
    session.exp_string("the tag \"v0.9.0\" exists already").expect("it is told");
    answer(&mut session, "Its name", "v0.14.0\r");
    let said = answer(&mut session, "to production (1 host)?", "y\r");
    assert!(said.contains("first: tag") && said.contains("first: push"), "{said}");
    assert!(finish(session, 0).contains("serving now: v0.14.0 ("));
    assert_eq!(tags_on_remote(&stage), "v0.1.0 v0.13.0 v0.14.0 v0.9.0");
    // A no at the end leaves all as it was.
    stage.remote.commit(&[("version", "v0.15.0")], "Untagged again");
    let before = repositories(&stage);
    let mut session = terminal(&stage, &["production", "deploy"]);
    answer(&mut session, "[y/N]", "y\r");
    answer(&mut session, "Its name [v0.14.1]", "\r");
    answer(&mut session, "to production (1 host)?", "n\r");
    assert!(finish(session, 4).contains("not confirmed: nothing was touched"));
    assert_eq!(repositories(&stage), before);
    // Ctrl-C at a prompt, too.
    let mut session = terminal(&stage, &["production", "deploy"]);
    session.exp_string("[y/N]").expect("it asks");
    session.send_control('c').expect("it listens");
    assert!(finish(session, 130).contains("interrupted: nothing was touched"));
    assert_eq!(repositories(&stage), before);
}

#[test]
fn a_person_types_the_name_of_the_environment() {
    let stage = stage();
    rules(&stage, "confirm = 'name'");
    refused(&stage, &["deploy:release=v0.1.0"])
        .says("there is no terminal at which to type the name of production");
    let mut session = terminal(&stage, &["production", "deploy:release=v0.1.0"]);
    answer(&mut session, "Type its name, production", "yes\r");
    assert!(finish(session, 4).contains("not confirmed"));
    let mut session = terminal(&stage, &["production", "deploy:release=v0.1.0"]);
    answer(&mut session, "Type its name, production", "production\r");
    assert!(finish(session, 0).contains("serving now: v0.1.0"));
    stage.release("v0.2.0");
    stage.production(&["deploy", "--yes"], 0);
    let mut session = terminal(&stage, &["production", "deploy:release=v0.1.0"]);
    answer(&mut session, "which is live. Deploy it? [y/N]", "y\r");
    answer(&mut session, "Type its name, production", "production\r");
    finish(session, 0);
}

/// A key is no answer, and neither is what was typed before the question.
#[test]
fn every_question_gets_an_answer_of_its_own() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    stage.release("v0.2.0");
    stage.production(&["deploy"], 0);
    rules(&stage, "confirm = 'yes'");
    let older = ["production", "deploy:release=v0.1.0"];
    let before = repositories(&stage);
    // One yes answers one question.
    let mut session = terminal(&stage, &older);
    answer(&mut session, "which is live. Deploy it? [y/N]", "y\r");
    answer(&mut session, "to production (1 host)? [y/N]", "n\r");
    assert!(finish(session, 4).contains("not confirmed: nothing was touched"));
    let mut session = terminal(&stage, &older);
    session.send("y\ry\ry\r").and_then(|_| session.flush()).expect("it listens");
    answer(&mut session, "which is live. Deploy it? [y/N]", "maybe\r");
    answer(&mut session, "a yes or a no, please\r\n", "");
    answer(&mut session, "which is live. Deploy it? [y/N]", "\r");
    assert!(finish(session, 4).contains("not confirmed: nothing was touched"));
    // The terminal is asked, wherever the outputs go.
    for line in [
        "{ \"$@\" 2>&1; echo \"code $?\"; } | tee /dev/null",
        "echo n | { \"$@\" >/dev/null 2>&1; echo \"code $?\"; }",
    ] {
        let mut session = shell_terminal(&stage, line, &older);
        answer(&mut session, "which is live. Deploy it? [y/N]", "y\r");
        answer(&mut session, "to production (1 host)? [y/N]", "no\r");
        session.exp_string("code 4").expect("it is refused");
        finish(session, 0);
    }
    // Nothing hides the cursor from whoever leaves.
    let mut session = raw_terminal(&stage, &older);
    let said = session.exp_string("Deploy it? [y/N]").expect("it asks");
    session.send_control('c').expect("it listens");
    let rest = finish(session, 130);
    let all = said + &rest;
    assert_eq!(all.matches("\u{1b}[?25l").count(), all.matches("\u{1b}[?25h").count(), "{all:?}");
    assert!(rest.contains("interrupted: nothing was touched"), "{rest}");
    assert_eq!(repositories(&stage), before);
    // Nobody is there.
    refused(&stage, &["rollback"])
        .says("there is no terminal at which to confirm this for production")
        .says("--yes");
    let twice = refused(&stage, &["deploy:release=v0.1.0"]);
    twice.says("v0.1.0").says("is older than v0.2.0");
    refused(&stage, &["deploy:release=v0.1.0", "--allow-older"])
        .says("there is no terminal at which to confirm");
    assert_eq!(stage.serving(), ["v0.2.0"]);
}

/// Whoever is asked something can count on it that no refusal follows which was known before.
#[test]
fn what_is_refused_is_refused_before_the_first_question() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    rules(&stage, "confirm = 'yes'");
    stage.release("v0.2.0");
    stage.production(&["deploy", "--yes"], 0);
    stage.production(&["hold", "--reason", "we move the database"], 0);
    stage.remote.commit(&[("version", "v0.3.0")], "Untagged");
    let all = [
        &["production", "deploy:release=v0.1.0"][..],
        // It would have to be tagged.
        &["production", "deploy"],
    ];
    for words in all {
        let said = finish(terminal(&stage, words), 5);
        assert!(said.contains("we move the database") && !said.contains("[y/N]"), "{words:?}: {said}");
    }
}

#[test]
fn an_interrupted_step_on_the_deployer_is_taken_back() {
    let stage = stage();
    stage.production(&["deploy"], 0);
    stage.remote.commit(&[("version", "v0.2.0")], "Two");
    let marker = stage.remote.path().join("waits");
    hook_on_remote(&stage, "pre-receive", &format!("touch '{}'; sleep 30; exit 1", marker.display()));
    let before = repositories(&stage);
    let mut session = terminal(&stage, &["production", "--yes", "deploy", "--tag", "v0.2.0"]);
    session.exp_string("push ").expect("it begins");
    super::stage::wait_for("the push is under way", || marker.exists());
    session.send_control('c').expect("it listens");
    let said = finish(session, 130);
    assert!(said.contains("serving now: v0.1.0 ("), "{said}");
    assert_eq!(repositories(&stage), before);
}

#[test]
fn the_releases_own_file_decides_what_belongs_to_it_and_the_working_trees_where_it_goes() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let served =
        |host: usize| String::from_utf8(stage.fleet.hosts()[host].exec("cat /var/webapps/five/said").stdout);
    let configure = |word: &str, hosts: &str| {
        let restart = format!("restart = \"echo {word} >../../said\"");
        let rules = "require_tag = false\nsign_tags = false\nbranch = '*'";
        stage.configure(&format!(
            "unit = \"five\"\n{rules}\n[hooks]\n{restart}\n[environments.production]\nhosts = [{hosts}]\n"
        ));
    };
    configure("old", "\"web1\"");
    stage.remote.git(&["add", "--force", "buedafab.toml"]);
    stage.release("two");
    configure("new", "\"web1\", \"web2\"");
    let plan = stage.production(&["deploy", "--dry-run"], 0);
    plan.says("taken from the release's own buedafab.toml, not from your working tree's: `hooks`");
    plan.says("taken from your working tree's buedafab.toml, not from the release's own: `hosts`");
    assert!(!plan.stdout.contains("not committed"), "{}", plan.stdout);
    stage.production(&["check"], 0).says("taken from the release's own buedafab.toml");
    stage.production(&["deploy"], 0);
    assert_eq!([served(0), served(1)], [Ok("old\n".to_owned()), Ok("old\n".to_owned())]);
    // A tag from before there was a file.
    let plan = stage.production(&["deploy", "--release", "one", "--allow-older"], 0);
    plan.says("has no buedafab.toml: your working tree's is used for all of it");
    assert_eq!(served(0), Ok("new\n".to_owned()));
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is read");
    std::fs::write(&path, text.replace("require_tag", "requires_tag")).expect("it is written");
    stage.release("three");
    std::fs::write(&path, text).expect("it is written");
    let ran = stage.production(&["deploy"], 3);
    ran.says("unknown setting `requires_tag`")
        .says("buedafab.toml of three (")
        .says("did you mean `require_tag`?");
    stage.production(&["check"], 4).says("unknown setting `requires_tag`");
}

/// A clone that nobody has updated, or the job of an old pipeline, knows nothing of what was deployed since.
#[test]
fn a_stale_clone_does_not_go_back_unasked() {
    let stage = stage();
    rules(&stage, "require_tag = false\n");
    stage.production(&["deploy", "--yes"], 0);
    let old = stage.remote.git(&["rev-parse", "HEAD"]);
    let new = stage.remote.commit(&[("version", "new")], "A fix");
    stage.remote.push();
    stage.production(&["deploy", "--yes"], 0);
    for words in [
        &["reset", "-q", "--hard", &old][..],
        &["update-ref", "-d", "refs/remotes/origin/master"],
        &["update-ref", "-d", "ORIG_HEAD"],
        &["reflog", "expire", "--expire=now", "--all"],
        &["gc", "-q", "--prune=now"],
    ] {
        stage.remote.git(words);
    }
    let lost = || stage.remote.git(&["rev-list", "--all"]).contains(&new);
    assert!(!lost());
    refused(&stage, &["deploy", "--yes"])
        .says("is older than")
        .says(&format!("-g{}, which is live", &new[..7]))
        .says("--allow-older confirms it");
    assert!(!lost(), "no ref was moved");
    stage.production(&["deploy", "--yes", "--allow-older"], 0).says(&format!("-g{}", &old[..7]));
}

/// In a repository of several apps, one is deployed only where something of it has changed.
#[test]
fn a_host_whose_app_has_not_changed_stays_as_it_is() {
    let stage = Stage::new();
    let rule = "require_tag = false\n";
    let made_of = |paths: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nskip_unless_changed = [{paths}]\n[hooks]\nrestart = \"cat version >../../served\"\n[environments.production]\n{rule}hosts = [\"web1\", \"web2\"]\n"
        ));
    };
    made_of("\"backend\", \"libs/\"");
    let commit = |path: &str, text: &str| {
        stage.remote.commit(&[(path, text), ("version", text)], text);
        stage.remote.push();
    };
    commit("libs/x.py", "none");
    commit("backend/app.py", "one");
    stage.production(&["deploy", "--yes"], 0);
    commit("frontend/app.js", "two");
    let ran = stage.production(&["deploy", "--yes"], 0);
    ran.says("web1, web2: nothing in backend, libs has changed since ").says("which stays live");
    assert_eq!(stage.serving()[..2], ["one", "one"]);
    // One of the hosts is behind, the app of which has changed since.
    commit("libs/x.py", "three");
    stage.production(&["--hosts", "web1", "deploy", "--yes"], 0);
    commit("docs/x.md", "four");
    let ran = stage.production(&["deploy", "--yes"], 0);
    ran.says("web1: nothing in backend, libs has changed since ");
    assert_eq!(stage.serving()[..2], ["three", "four"]);
    stage.production(&["deploy", "--yes", "--force"], 0);
    assert_eq!(stage.serving()[..2], ["four", "four"]);
    // A path that isn't there may be mistyped.
    made_of("\"bakcend\"");
    commit("docs/x.md", "five");
    stage.production(&["deploy", "--yes"], 0);
    assert_eq!(stage.serving()[..2], ["five", "five"]);
}
