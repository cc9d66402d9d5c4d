//! Several apps of one repository: one release of all of them, or of none.

use buedafab_testkit::FleetOptions;
use serde_json::Value;

use crate::stage::{Stage, step_starts, wait_for};

/// The API before the site, each on all hosts, and jobs on none: laid out and sent in ways of their own. Each notes what it serves; a file on a host names an
/// app and its version whose restart fails.
const APPS: &str = r#"
unit = "five"
[hooks]
restart = "cat version >../../../served; ! grep -qsx \"$BUEDAFAB_UNIT $(cat version)\" /tmp/fail-restart"

[apps.site]
subdir = "site"
after = ["api"]
skip_unless_changed = ["site/", "libs/"]
source = "bundle"

[apps.api]
subdir = "api"
skip_unless_changed = ["api/", "libs/"]
source = "archive"
strategy = "timestamp"

[apps.jobs]
roles = ["jobs"]

[environments.production]
require_tag = false
hosts = ["web1", "web2", "web3"]
"#;

fn stage() -> Stage {
    let stage = Stage::with(FleetOptions { hosts: 3, ..FleetOptions::default() });
    stage.configure(APPS);
    change(&stage, "one", &["site", "api", "libs"]);
    stage
}

/// A pushed commit that changes these folders.
fn change(stage: &Stage, version: &str, folders: &[&str]) {
    let paths: Vec<String> = folders.iter().map(|folder| format!("{folder}/version")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), version)).collect();
    stage.remote.commit(&files, version);
    stage.remote.push();
}

/// What each app serves on each host, as it noted, if its link leads there: `site one, one, one; api one, one, one`.
fn serving(stage: &Stage) -> String {
    let ask = |app: &str| {
        let ask =
            format!("cd /var/webapps/five-{app} && cmp served releases/current/{app}/version && cat served");
        let hosts = stage.fleet.hosts().iter();
        let said = hosts.map(|host| String::from_utf8_lossy(&host.exec(&ask).stdout).into_owned());
        format!("{app} {}", said.collect::<Vec<_>>().join(", "))
    };
    ["site", "api"].map(ask).join("; ")
}

fn wait_until_free(stage: &Stage) {
    wait_for("the locks are free", || {
        let free = "for lock in /var/webapps/five-*/.buedafab/lock; do flock -n $lock true || exit 1; done";
        stage.fleet.hosts().iter().all(|host| host.exec(free).status.success())
    });
}

#[test]
fn several_apps_change_together_or_not_at_all() {
    let stage = stage();
    let serves = |expected: &str| assert_eq!(serving(&stage), expected);
    stage.production(&["deploy"], 0);
    serves("site one, one, one; api one, one, one");
    change(&stage, "two", &["site", "api"]);
    stage.production(&["deploy"], 0);
    serves("site two, two, two; api two, two, two");

    // The second app fails on one host, when the first has switched on all.
    change(&stage, "three", &["site", "api"]);
    stage.fleet.host("web2").run("echo five-site three >/tmp/fail-restart");
    let ran = stage.production(&["deploy"], 8);
    ran.says("switch, wave 1 of 2")
        .says("web2/site")
        .says("reverting: web1/api")
        .says("reverting: web3/site");
    serves("site two, two, two; api two, two, two");
    // So it is where the deployer is lost between the two.
    stage.fleet.host("web2").run("rm /tmp/fail-restart");
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web3/site", "switch the link"));
    run.signal("KILL");
    let _ = run.child.wait();
    wait_until_free(&stage);
    serves("site two, two, two; api two, two, two");
    stage.production(&["deploy"], 0);
    serves("site three, three, three; api three, three, three");

    // What hasn't changed stays, and a rollback takes back what the last run changed.
    change(&stage, "four", &["site"]);
    let unchanged = "nothing in api, libs has changed";
    stage.production(&["changes"], 0).says(unchanged).says("brings:");
    stage.production(&["deploy"], 0).says(unchanged);
    assert!(!stage.production(&["status"], 0).stdout.contains("drift"));
    serves("site four, four, four; api three, three, three");
    stage.production(&["rollback"], 0).says("api stays as it is");
    serves("site three, three, three; api three, three, three");
    stage.production(&["--app", "api", "rollback"], 0);
    serves("site three, three, three; api two, two, two");
}

#[test]
fn each_command_knows_which_apps_are_meant() {
    let stage = stage();
    let ran = stage.production(&["deploy", "--json"], 0);
    // A machine is connected to once, whatever the number of its apps.
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event a line"));
    let connected: Vec<Value> = events.filter(|event| event["event"] == "connected").collect();
    for machine in ["web1", "web2", "web3"] {
        let of = connected
            .iter()
            .filter(|event| event["host"].as_str().is_some_and(|host| host.starts_with(machine)));
        let mut warm: Vec<bool> = of.map(|event| event["warm"] == true).collect();
        warm.sort_unstable();
        assert_eq!(warm, [false, true], "{machine}");
    }
    let hosts: Vec<String> =
        stage.status().iter().map(|document| document["host"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(hosts, ["web1/api", "web2/api", "web3/api", "web1/site", "web2/site", "web3/site"]);
    for (words, code, said) in [
        (&["check"][..], 0, "web3/site"),
        (&["changes"], 0, "web1/api, web2/api, web3/api, web1/site"),
        (
            &["--app", "site", "--hosts", "web2", "run", "--", "pwd"],
            0,
            "/var/webapps/five-site/releases/current/site",
        ),
        (&["--hosts", "web2/api", "run", "--", "echo", "$BUEDAFAB_HOST"], 0, "web2"),
        (&["run", "--", "pwd"], 2, "run is about one app, and there are site, api, jobs"),
        (&["--app", "sight", "status"], 2, "there are: site, api, jobs"),
        (&["--app", "api", "hold", "--reason", "audit"], 0, ""),
        (&["deploy", "--force"], 5, "web1/api, web2/api, web3/api: deploys are on hold"),
        (&["--app", "site", "deploy", "--force"], 0, ""),
        (&["unhold"], 0, "web1/site: not on hold"),
        (&["--hosts", "web1", "hold", "--reason", "audit"], 0, "api:"),
        (&["--hosts", "web1", "unhold"], 0, "api:"),
        (&["--hosts", "web4", "hold", "--reason", "audit"], 2, "there are: web1, web2, web3"),
        (&["restart_webserver"], 0, "api:"),
        // A machine that has left was a host of each.
        (&["retire", "web9", "--forget"], 0, "no host of production knows web9/api"),
        (&["retire", "web9/site", "--forget"], 0, "no host of production knows web9/site"),
        (&["rollback", "--to", "nowhere"], 4, "site: no host knows a release \"nowhere\""),
        (&["history"], 0, "deployed"),
    ] {
        let ran = stage.production(words, code);
        assert!(
            format!("{}{}", ran.stdout, ran.stderr).contains(said),
            "{words:?}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

#[test]
fn an_app_comes_level_on_a_host_that_was_away() {
    let stage = stage();
    stage.configure(&format!("unreachable = \"skip\"\n{APPS}"));
    stage.production(&["deploy"], 0);
    change(&stage, "two", &["site"]);
    stage.fleet.host("web3").stop_sshd();
    stage.production(&["deploy"], 0).says("leaves out web3/site: ").says("leaves out web3/api: ");
    stage.fleet.host("web3").start_sshd();
    assert_eq!(serving(&stage), "site two, two, one; api one, one, one");
    stage
        .production(&["status"], 0)
        .says("drift: the hosts of site serve different releases; `deploy --only-outdated`");
    change(&stage, "three", &["site", "api"]);
    let ran = stage.production(&["deploy", "--only-outdated"], 0);
    ran.says("no host of api lacks ").says("web1/site").says("stays as it is");
    assert_eq!(serving(&stage), "site two, two, two; api one, one, one");
}
