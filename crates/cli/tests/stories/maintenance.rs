//! What visitors are told while an app is being worked on.

use buedafab_testkit::FleetOptions;

use super::stage::{Stage, step_starts};

const PAGE: &str = "/var/webapps/five/shared/maintenance.html";

#[test]
fn a_page_is_there_for_as_long_as_it_is_wanted() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    let page = || {
        let hosts = stage.fleet.hosts().iter();
        let pages =
            hosts.map(|host| String::from_utf8_lossy(&host.exec(&format!("cat {PAGE}")).stdout).into_owned());
        pages.collect::<Vec<_>>()
    };
    stage.production(&["maintenance", "status"], 0).says("web2: open to visitors\n");
    let message = "it's \"Friday\" <b>\n$HOME";
    stage
        .production(&["maintenance", "on", "--message", message, "--until", "10 pm"], 0)
        .says(&format!("visitors see it where your web server shows {PAGE}\n"));
    for page in page() {
        assert!(
            page.contains("it&#x27;s &quot;Friday&quot; &lt;b&gt;\n$HOME") && page.contains("10 pm"),
            "{page}"
        );
    }
    stage
        .production(&["maintenance", "status"], 0)
        .says("in maintenance since")
        .says("until 10 pm, says ada@");
    stage.production(&["status"], 0).says("web3: in maintenance since");
    assert_eq!(stage.status()[0]["maintenance"]["until"], "10 pm");
    // A deploy that finds it so leaves it so.
    stage.release("two");
    stage.production(&["deploy", "--maintenance"], 0).says("note: web1, web2, web3: in maintenance");
    assert!(page().iter().all(|page| page.contains("10 pm")));
    stage.production(&["disable", "maintenancemode"], 0);
    assert_eq!(page(), ["", "", ""]);
    stage.production(&["enable", "maintenancemode"], 0);
    assert!(page().iter().all(|page| page.contains("We will be back soon")));
    stage.production(&["maintenance", "off"], 0);
    stage.production(&["history"], 0).says("maintenance on").says("maintenance off");
    stage.production(&["maintenance", "off", "--message", "x"], 2).says("belong to `maintenance on`");
}

#[test]
fn a_deploy_puts_it_back_as_it_was() {
    let stage = Stage::with(FleetOptions::default());
    let once = "[hooks]\nonce = \"cat /var/webapps/five/shared/maintenance.html\"";
    stage.configure_with("");
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, text.replace("[hooks]", once)).expect("it is ours");
    stage.production(&["deploy"], 7).says("maintenance.html: No such file");
    stage.production(&["deploy", "--maintenance"], 0);
    let host = stage.fleet.host("web1");
    assert!(!host.exec(&format!("test -e {PAGE}")).status.success());
    stage.release("two");
    host.run("touch /tmp/fail-check");
    stage.production(&["deploy", "--maintenance"], 7).says("the check says no");
    assert!(!host.exec(&format!("test -e {PAGE}")).status.success(), "also when it fails");
    stage.production(&["maintenance", "status"], 0).says("web1: open to visitors");
}

/// Nothing new serves while a release is prepared: nobody waits to hear that it may.
#[test]
fn visitors_are_told_for_as_long_as_the_release_takes_to_be_prepared() {
    let stage = Stage::new();
    stage.configure(
        "unit = \"five\"\nconfirm_timeout_seconds = 2\n[hooks]\nbuild = \"sleep 4\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    stage.production(&["deploy", "--maintenance"], 0);
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// Visitors aren't left standing before a page that nobody takes away.
#[test]
fn a_deployer_that_is_killed_leaves_no_page_behind() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\n[hooks]\nbuild = \"test $(hostname) != web2 || sleep 60\"\nrestart = \"cat version >../../served\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    stage
        .production(&["deploy", "--maintenance", "--dry-run"], 0)
        .says("announce")
        .says("tell visitors")
        .says("reopen");
    let mut run = stage.start(&["deploy", "--maintenance"]);
    run.wait_for(step_starts("web2", "build"));
    let is_told = || {
        let hosts = stage.fleet.hosts().iter();
        hosts.map(|host| host.exec(&format!("test -e {PAGE}")).status.success()).collect::<Vec<_>>()
    };
    assert_eq!(is_told(), [true, true, true]);
    run.signal("KILL");
    let _ = run.child.wait();
    stage.wait_until_free();
    assert_eq!(is_told(), [false, false, false]);
    stage.production(&["maintenance", "status"], 0).says("web1: open to visitors");
    stage.production(&["history"], 0).says("maintenance on").says("maintenance off");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_project_has_a_page_of_its_own() {
    let stage = Stage::with(FleetOptions::default());
    stage.configure_with("maintenance_page = \"down.html\"");
    stage.production(&["deploy"], 0);
    stage.production(&["maintenance", "on"], 3).says("can't read").says("down.html");
    let write = |text: &str| std::fs::write(stage.checkout().join("down.html"), text).expect("it is ours");
    write("one line\n{{ reason }}\n");
    stage
        .production(&["maintenance", "on"], 3)
        .says("down.html: undefined value: `reason` is undefined in line 2")
        .says("the page may use");
    write("{{ unit }} is down{% if until %} until {{ until }}{% endif %}\n");
    stage.production(&["maintenance", "on", "--until", "ten"], 0);
    assert_eq!(stage.fleet.host("web1").read(PAGE).trim_end(), "five is down until ten");
}

#[test]
fn a_setting_of_the_live_release_tells_and_goes_along() {
    let stage = Stage::with(FleetOptions::default());
    stage.configure(
        "unit = \"five\"\nmaintenance = \"setting\"\nsettings_file = \"conf/settings.py\"\n[hooks]\ncheck = \"test ! -e /tmp/fail-check\"\n\
         restart = \"cat conf/settings.py version >/tmp/running\"\n[environments.production]\nhosts = [\"web1\"]\n",
    );
    let release = |name: &str, settings: &str| {
        stage.remote.commit(&[("conf/settings.py", settings), ("version", name)], name);
        stage.remote.tag(name);
        stage.remote.push();
    };
    let settings = "DEBUG = False\nMAINTENANCE_MODE = False  # us\n";
    let host = stage.fleet.host("web1");
    let running = || {
        host.read("/tmp/running")
            .replace(settings, "open ")
            .replace(&settings.replace("MODE = False", "MODE = True"), "closed ")
    };
    let is_clean = || {
        host.exec("cd /var/webapps/five/releases/current && git -c safe.directory=* diff --quiet")
            .status
            .success()
    };
    stage.production(&["maintenance", "on"], 4).says("no release is live");
    release("v1", settings);
    stage.production(&["deploy", "--maintenance"], 0);
    assert_eq!(running(), "open v1");
    stage.production(&["maintenance", "on", "--message", "moving"], 0);
    assert_eq!(running(), "closed v1");
    release("v2", settings);
    stage.production(&["deploy"], 0).says("in maintenance, says ada@");
    assert_eq!(running(), "closed v2", "it isn't lost at the switch");
    stage.production(&["maintenance", "status"], 0).says(": moving");
    stage.production(&["rollback"], 0);
    assert_eq!(running(), "closed v1", "nor on the way back, to a slot that was left in maintenance");
    stage.production(&["disable", "maintenancemode"], 0);
    assert_eq!(running(), "open v1");
    assert!(is_clean());
    // A deploy's own maintenance is over with it, however it ends.
    release("v3", settings);
    stage
        .production(&["-v", "deploy", "--maintenance"], 0)
        .says("set MAINTENANCE_MODE = True in conf/settings.py of a");
    assert_eq!(running(), "open v3");
    assert!(is_clean());
    host.run("touch /tmp/fail-check");
    release("v4", settings);
    stage.production(&["deploy", "--maintenance"], 7);
    assert_eq!(running(), "open v3");
    host.run("rm /tmp/fail-check");
    // A release that can't say it is told before anything has changed; one that can't say it any more doesn't get live.
    stage.production(&["enable", "maintenancemode"], 0);
    release("v5", "DEBUG = False\n");
    stage
        .production(&["deploy"], 7)
        .says("there is no line MAINTENANCE_MODE = False in")
        .says("serving now: v3 (");
    assert_eq!(running(), "closed v3");
    stage.production(&["disable", "maintenancemode"], 0);
    stage.production(&["deploy"], 0);
    stage.production(&["enable", "maintenancemode"], 7).says("there is no line MAINTENANCE_MODE = False in");
    stage.production(&["maintenance", "status"], 0).says("web1: open to visitors");
}
