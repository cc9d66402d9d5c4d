//! Remotes are made of the same commits everywhere.

use std::fs;

use buedafab_testkit::Remote;

#[test]
fn commits_branches_and_tags_reach_the_remote_by_a_push() {
    let remote = Remote::temp();
    let first = remote.commit(&[("app.py", "print(1)\n"), ("templates/index.html", "<p>\n")], "Begin");
    remote.tag("v1.0");
    remote.branch("feature");
    let second = remote.commit(&[("app.py", "print(2)\n")], "Go on");
    assert_eq!(remote.git(&["ls-remote"]), "");
    remote.push();
    let references = format!(
        "{first}\tHEAD\n{second}\trefs/heads/feature\n{first}\trefs/heads/master\n{first}\trefs/tags/v1.0"
    );
    assert_eq!(remote.git(&["ls-remote", "-q", &remote.url()]), references);
    remote.branch("master");
    assert_eq!(fs::read_to_string(remote.checkout_dir().join("app.py")).unwrap(), "print(1)\n");
}

#[test]
fn the_same_calls_make_the_same_commits() {
    let make = || {
        let remote = Remote::temp();
        [remote.commit(&[("run", "#!/bin/sh\n")], "Begin"), remote.commit(&[], "Nothing")]
    };
    let commits = make();
    assert_eq!(commits, make());
    assert_eq!(commits[0].len(), 40);
    assert_ne!(commits[0], commits[1]);
}

#[test]
fn a_temporary_remote_goes_away() {
    let remote = Remote::temp();
    let path = remote.path().to_owned();
    assert!(path.exists());
    drop(remote);
    assert!(!path.exists());
}
