//! Connections that are kept warm: whom they lead to, as whom, and how they end.

use std::path::PathBuf;

use buedafab_testkit::FleetOptions;

use super::stage::Stage;

/// The sockets of the connections that are kept.
fn sockets(stage: &Stage) -> Vec<PathBuf> {
    let found = std::fs::read_dir(stage.private_folder()).into_iter().flatten().flatten();
    found.map(|entry| entry.path()).collect()
}

/// The processes that keep them.
fn masters(stage: &Stage) -> String {
    let folder = stage.private_folder().display().to_string();
    let found = std::process::Command::new("pgrep").args(["-f", "-a", &folder]).output().expect("pgrep runs");
    String::from_utf8_lossy(&found.stdout).into_owned()
}

#[test]
fn an_alias_that_leads_elsewhere_is_followed_at_once() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..Default::default() });
    stage.configure("unit = \"five\"\n[environments.production]\nhosts = [\"app\"]\n");
    let config = stage.fleet.client().ssh_config().to_owned();
    let before = std::fs::read_to_string(&config).expect("it is there");
    for host in ["web1", "web2", "web1"] {
        let address = stage.fleet.host(host).address();
        let alias = format!(
            "Host app\n  HostName {}\n  Port {}\n  HostKeyAlias {host}\n",
            address.ip(),
            address.port()
        );
        std::fs::write(&config, alias + &before).expect("it is written");
        for _ in 0..2 {
            stage.production(&["run", "--", "hostname"], 0).says(&format!("app │ {host}\n"));
        }
    }
    assert_eq!(sockets(&stage).len(), 2, "one for each that the alias led to");
    // Those that were opened by what the alias meant before are this host's, too.
    let ran = stage.production(&["disconnect"], 0);
    assert_eq!(ran.stdout, "app: closed\napp: closed\n");
    assert_eq!((sockets(&stage), masters(&stage)), (Vec::new(), String::new()));
}

#[test]
fn connections_end_when_that_is_wanted() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..Default::default() });
    stage.production(&["status"], 0);
    assert_eq!(sockets(&stage).len(), 3);
    assert_eq!(stage.production(&["--hosts", "web2", "disconnect"], 0).stdout, "web2: closed\n");
    assert_eq!(sockets(&stage).len(), 2);
    // What is under way goes on.
    let mut run = stage.start(&[
        "--hosts",
        "web1",
        "run",
        "--",
        "touch /tmp/begun; until test -e /tmp/go; do sleep 0.05; done",
    ]);
    run.wait_for(|event| event["event"] == "step_started");
    let ran = stage.run(&["disconnect"]);
    assert_eq!(ran.stdout, "closed: 1\nin use, and closed when what is under way ends: 1\n");
    assert_eq!(sockets(&stage), Vec::<PathBuf>::new());
    stage.fleet.host("web1").run("touch /tmp/go");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (0, &"done".into()));
    super::stage::wait_for("the last one ends", || masters(&stage).is_empty());
    assert_eq!(stage.run(&["disconnect"]).stdout, "no connection is kept open\n");
    let ran = stage.production(&["disconnect"], 0);
    assert_eq!(ran.stdout, "no connection to a host of production is kept open\n");
    // Documents, one a connection.
    stage.production(&["--hosts", "web3", "status"], 0);
    let ran = stage.production(&["disconnect", "--json"], 0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a document");
    assert_eq!((&document["host"], &document["in_use"]), (&"web3".into(), &false.into()));
    assert_eq!(stage.run(&["--hosts", "web1", "disconnect"]).code, 2);
}

/// A login knows the groups that its user had then, and a connection that is kept warm is one.
#[test]
fn a_right_that_was_given_meanwhile_is_seen() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let host = stage.fleet.host("web1");
    host.run("chown root:root /var/webapps; chmod 775 /var/webapps");
    stage.production(&["check"], 4).says("deploy can't write /var/webapps/five");
    stage.production(&["deploy"], 4).says("deploy can't write /var/webapps/five");
    host.run("groupadd team; chgrp team /var/webapps; usermod -a -G team deploy");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["one"]);
    // Nobody logs in again for what is allowed.
    let mut run = stage.start(&["deploy"]);
    let connected = run.wait_for(|event| event["event"] == "connected");
    assert_eq!(connected["warm"], true);
    assert_eq!(run.finish().1, 0);
    stage.production(&["disconnect"], 0);
    assert_eq!((sockets(&stage), masters(&stage)), (Vec::new(), String::new()));
}
