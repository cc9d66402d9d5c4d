//! Going back to a release by its name, and by the commands that it was deployed with.

use crate::stage::Stage;

const THREE_SLOTS: &str = "release_paths = [\"a\", \"b\", \"c\"]";

#[test]
fn a_rollback_goes_to_any_release_that_was_proven() {
    let stage = Stage::new();
    stage.configure_with(THREE_SLOTS);
    // The third host joins when the third release is deployed.
    stage.production(&["--hosts", "web1,web2", "deploy"], 0);
    let one = stage.remote.git(&["rev-parse", "HEAD"]);
    stage.release("two");
    stage.production(&["--hosts", "web1,web2", "deploy"], 0);
    stage.release("three");
    stage.production(&["deploy"], 0);
    stage.production(&["status"], 0).says("web1: can go back to two (").says("; one (");
    let targets = &stage.status()[0]["rollback_targets"];
    assert_eq!((&targets[0]["release"]["tag"], &targets[1]["condition"]), (&"two".into(), &"whole".into()));

    let unknown = stage.production(&["rollback", "--to", "four"], 4);
    unknown.says("no host knows a release \"four\": one (").says("nothing was touched");
    let plan = stage.production(&["rollback", "--to", "one", "--dry-run"], 0);
    plan.says("web3: one (").says("was never live here: it is prepared first, from the remote");
    stage.production(&[&format!("rollback:to={}", &one.trim()[..9])], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
    assert!(stage.status().iter().all(|document| document["confirmed"] == true));

    // What lies between would be a way forward.
    stage.production(&["rollback"], 4).says("nothing to roll back to");
    stage.production(&["rollback", "--to", "two"], 4).says("two (").says("deploy:release=TAG");
    stage.production(&["rollback", "--to", "one"], 0).says("is live already");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["three", "three", "three"]);
    stage.production(&["rollback"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// Somebody adds a host, and the release that is live turns out bad before that host was deployed to.
#[test]
fn a_host_that_was_added_leaves_the_others_their_way_back() {
    let stage = Stage::new();
    let fleet = |hosts: &str| {
        let usual = "[hooks]\nrestart = \"cat version >../../served\"\n[environments.production]\nhosts = ";
        stage.configure(&format!("unit = \"five\"\n{THREE_SLOTS}\n{usual}{hosts}\n"));
    };
    fleet("[\"web1\", \"web2\"]");
    for release in ["two", "three"] {
        stage.production(&["deploy"], 0);
        stage.release(release);
    }
    stage.production(&["deploy"], 0);
    // It isn't set up yet, and comes first.
    let added = stage.fleet.host("web3");
    added.run("chown root:root /var/webapps; chmod 755 /var/webapps");
    fleet("[\"web3\", \"web1\", \"web2\"]");
    stage.production(&["deploy"], 4).says("web3: deploy can't write");
    stage.production(&["rollback"], 0).says("web3: nothing was ever live here: it stays as it is");
    assert_eq!(stage.serving(), ["two", "two", "-"]);
    // With a name, it comes along.
    added.run("chmod 777 /var/webapps");
    let ran = stage.production(&["rollback", "--to", "one"], 0);
    ran.says("was never live here: it is prepared first, from the remote");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// A configuration whose hooks say whose they are.
fn hooks_of(name: &str, verify: &str) -> String {
    format!(
        "unit = \"five\"\n{THREE_SLOTS}\n[hooks]\nbuild = \"echo build by {name} >>/tmp/ran\"\n\
         restart = \"cat version >../../served; echo restart by {name} >>/tmp/ran\"\nverify = \"{verify}\"\n\
         [environments.production]\nhosts = [\"web1\"]\n"
    )
}

#[test]
fn a_release_is_gone_back_to_by_its_own_commands() {
    let stage = Stage::new();
    let host = stage.fleet.host("web1");
    let ran = || host.run("cat /tmp/ran; : >/tmp/ran");
    stage.configure(&hooks_of("one", "true"));
    stage.production(&["--hosts", "web1", "deploy"], 0);
    assert_eq!(ran(), "build by one\nrestart by one\n");
    stage.release("two");
    stage.configure(&hooks_of("two", "true"));
    stage.production(&["deploy"], 0);
    assert_eq!(ran(), "build by two\nrestart by two\n");

    // A release that fails is left for the one that served, by the commands of that one.
    stage.release("three");
    stage.configure(&hooks_of("three", "false"));
    stage.production(&["deploy"], 8);
    assert_eq!(ran(), "build by three\nrestart by three\nrestart by two\n");
    stage.production(&["rollback"], 0);
    assert_eq!(ran(), "restart by one\n");
    assert_eq!(stage.serving()[0], "one");

    // What was lost is built again as it was built then.
    stage.configure(&hooks_of("four", "true"));
    stage.production(&["deploy"], 0);
    assert_eq!(ran(), "build by four\nrestart by four\n");
    host.run("rm -rf /var/webapps/five/releases/a");
    stage.production(&["status"], 0).says("one (").says("built again");
    stage.production(&["rollback"], 0).says("has to be built again first: its folder is gone");
    assert_eq!(ran(), "build by one\nrestart by one\n");
    assert_eq!(stage.serving()[0], "one");
}

/// A release from before anything was kept, or whose keeping was lost, is what its own file says.
#[test]
fn a_release_that_kept_nothing_is_gone_back_to_by_its_own_file() {
    let stage = Stage::new();
    let host = stage.fleet.host("web1");
    let release = |name: &str| {
        stage.configure(&hooks_of(name, "true"));
        stage.remote.git(&["add", "--force", "buedafab.toml"]);
        stage.release(name);
        stage.production(&["deploy"], 0);
    };
    release("two");
    release("three");
    host.run("rm -rf /var/webapps/five/.buedafab/releases /tmp/ran");
    let ran = stage.production(&["rollback"], 0);
    ran.says("wasn't kept: what the configuration says that was committed with it is used");
    assert_eq!(host.run("cat /tmp/ran"), "restart by two\n");
    assert_eq!(stage.serving()[0], "two");
}
