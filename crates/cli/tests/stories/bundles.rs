//! Hosts to which the git server is closed.

use std::process::Command;

use buedafab_testkit::{Fleet, FleetOptions, Remote};

use super::stage::Stage;

/// A submodule of a project's, where git takes a folder for a server.
fn add_submodule(remote: &Remote, from: &Remote, path: &str) {
    for words in [
        &["submodule", "--quiet", "add", &from.url(), path][..],
        &["submodule", "--quiet", "update", "--init", "--recursive"],
    ] {
        let output = Command::new("git")
            .args([
                "-c",
                "protocol.file.allow=always",
                "-c",
                "user.name=Ada",
                "-c",
                "user.email=ada@example.com",
            ])
            .args(words)
            .current_dir(remote.checkout_dir())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git is installed");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn hosts_get_releases_from_a_remote_that_only_the_deployer_reaches() {
    // Hosts have a /tmp of their own.
    let folder = tempfile::tempdir().expect("a folder");
    let remote = |name: &str| Remote::new(&folder.path().join(name));
    let (inner, middle) = (remote("inner"), remote("middle"));
    inner.commit(&[("inner.txt", "inner one\n")], "Inner");
    inner.push();
    middle.commit(&[("lib.txt", "lib one\n")], "Library");
    add_submodule(&middle, &inner, "inner");
    middle.commit(&[], "With its inner");
    middle.push();
    let fleet = Fleet::start(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let stage = Stage::of(fleet, remote("five"));
    add_submodule(&stage.remote, &middle, "lib");
    stage.release("two");
    stage.production(&["deploy"], 7).says("does not appear to be a git repository");

    // All of it, with its submodules, and then only what is new: one for both hosts, of each release.
    stage.configure_with("source = \"bundle\"");
    stage.production(&["deploy"], 0);
    let live = |host: &str, files: &str| {
        stage
            .fleet
            .host(host)
            .run(&format!("cd /var/webapps/five/releases/current && cat {files} && git describe --tags"))
    };
    let files = "version lib/lib.txt lib/inner/inner.txt";
    assert_eq!(live("web2", files), "twolib one\ninner one\ntwo\n");
    stage.release("three");
    stage.production(&["deploy"], 0);
    assert_eq!(live("web1", files), "threelib one\ninner one\nthree\n");
    let sent = std::fs::read_dir(stage.cache().join("buedafab/bundles")).expect("a folder").count();
    assert_eq!(sent, 2);

    // The way back asks no remote, also where a release has to be built again.
    let closed = folder.path().with_extension("closed");
    std::fs::rename(folder.path().join("five/remote.git"), &closed).expect("it is ours");
    stage.fleet.host("web1").run("rm -rf /var/webapps/five/releases/b");
    stage.production(&["rollback"], 0).says("two (").says("has to be built again first");
    assert_eq!(live("web1", files), "twolib one\ninner one\ntwo\n");
    assert_eq!(stage.serving(), ["two", "two"]);
    std::fs::rename(&closed, folder.path().join("five/remote.git")).expect("it is ours");
    stage.fleet.host("web1").run("rm -rf /var/webapps/five/releases/a");
    stage.production(&["deploy"], 0);
    assert_eq!(live("web1", files), "threelib one\ninner one\nthree\n");

    // Somebody writes the history anew, on another machine: what hosts have is of no use.
    let bare = format!("--git-dir={}", stage.remote.path().display());
    for words in [
        &[&bare, "config", "receive.denyNonFastForwards", "false"][..],
        &["checkout", "-q", "--orphan", "anew"],
        &["commit", "-q", "-m", "Anew"],
        &["branch", "-q", "-M", "anew", "master"],
        &["tag", "-d", "one", "two", "three"],
        &["push", "-q", "--force", "origin", "master", ":one", ":two", ":three"],
        &[&bare, "gc", "-q", "--prune=now"],
        &["reflog", "expire", "--expire=now", "--all"],
        &["gc", "-q", "--prune=now"],
    ] {
        stage.remote.git(words);
    }
    std::fs::remove_dir_all(stage.cache()).expect("it is ours");
    stage.release("four");
    let deploy = ["deploy", "--allow-older"];
    stage.production(&[&deploy[..], &["--dry-run"]].concat(), 0).says("by a bundle of all of it");
    stage.production(&deploy, 0);
    assert_eq!(live("web2", files), "fourlib one\ninner one\nfour\n");
    // The mirror is damaged: it is made anew.
    stage.release("five");
    let damage = "find \"$0\" -type f \\( -name '*.pack' -o -path '*/objects/??/*' \\) -exec sh -c 'chmod u+w \"$1\"; : >\"$1\"' sh {} \\;";
    let mirrors = stage.cache().join("buedafab/mirrors");
    assert!(Command::new("sh").args(["-c", damage]).arg(mirrors).status().expect("it runs").success());
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["five", "five"]);
}

#[test]
fn hosts_fetch_in_turn_where_the_git_server_bears_no_more() {
    let stage = Stage::new();
    stage.configure_with("fetch_concurrency = 2");
    stage.production(&["deploy", "--dry-run"], 0).says("fetch, batch 2 of 2");
    stage.production(&["deploy"], 0);
    // One of the last can't: none has switched.
    stage.release("two");
    stage.fleet.host("web3").run("chmod 755 /var/webapps/five; mkdir /var/webapps/five/releases/b; chown root /var/webapps/five/releases/b");
    stage.production(&["deploy"], 7).says("serving now: one (");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    stage.fleet.host("web3").run("rm -r /var/webapps/five/releases/b");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two", "two", "two"]);
}

/// Where what is sent finds no room, or what is in it doesn't, nothing of it stays, and what is smaller is deployed next.
#[test]
fn a_bundle_that_does_not_fit_leaves_nothing() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    host.run(
        "mount -t tmpfs -o size=32m none /var/webapps && install -d -o deploy /var/webapps/five && \
         chown deploy: /var/webapps && ln -s /tmp/served /var/webapps/five/served",
    );
    stage.configure_with("source = \"bundle\"");
    stage.production(&["deploy"], 0);
    // The first isn't taken in, the second can't be unpacked.
    for mebibytes in [40, 20] {
        let huge = format!("head -c {mebibytes}M /dev/urandom >huge");
        let made = Command::new("sh").args(["-c", &huge]).current_dir(stage.checkout()).status();
        assert!(made.expect("it runs").success());
        stage.release(&format!("t{mebibytes}-huge"));
        stage.production(&["deploy"], 7).says("No space left").says("serving now: one (");
        assert_eq!(host.run("ls /var/webapps/five/.buedafab | grep -e bundle -e wants-all || :"), "");
        // Nobody needs it.
        stage.remote.git(&["reset", "-q", "--hard", "HEAD~1"]);
        stage.remote.git(&[
            "--git-dir",
            &stage.remote.path().display().to_string(),
            "config",
            "receive.denyNonFastForwards",
            "false",
        ]);
        stage.remote.git(&["push", "-q", "--force", "origin", "master"]);
    }
    stage.release("two");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["two"]);
}
