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

/// What a person's own configuration of ssh does to their sessions does nothing to ours.
#[test]
fn odd_settings_of_ssh_leave_a_session() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let config = stage.fleet.client().ssh_config().to_owned();
    let before = std::fs::read_to_string(&config).expect("it is there");
    for odd in ["StdinNull yes", "SessionType none", "ForkAfterAuthentication yes", "LogLevel INFO"] {
        std::fs::write(&config, format!("Host *\n  {odd}\n{before}")).expect("it is written");
        stage.production(&["run", "--", "hostname"], 0).says("web1 │ web1\n");
    }
    let all = "Host *\n  StdinNull yes\n  SessionType none\n  ForkAfterAuthentication yes\n";
    std::fs::write(&config, format!("{all}{before}")).expect("it is written");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["one"]);
    stage.production(&["disconnect"], 0);
    assert_eq!((sockets(&stage), masters(&stage)), (Vec::new(), String::new()));
}

/// Why a host lets nobody in, in words that can be acted on.
#[test]
fn a_host_that_lets_nobody_in_says_why() {
    let stage = Stage::with(FleetOptions { hosts: 1, ..Default::default() });
    let host = stage.fleet.host("web1");
    let config = stage.fleet.client().ssh_config().to_owned();
    let before = std::fs::read_to_string(&config).expect("it is there");
    // As most people have it: banners are shown.
    std::fs::write(&config, format!("Host *\n  LogLevel INFO\n{before}")).expect("it is written");

    let law = "AUTHORIZED USE ONLY";
    host.run(&format!("for n in 1 2 3 4 5 6 7 8 9; do echo '{law}'; done >/etc/issue.net"));
    host.run("usermod -s /usr/sbin/nologin deploy");
    let ran = stage.production(&["check"], 6);
    ran.says("This account is currently not available.").says("chsh -s /bin/sh");
    assert!(!ran.stdout.contains(law), "{}", ran.stdout);
    host.run("usermod -s /bin/sh deploy");
    let ran = stage.production(&["check"], 0);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(law), "{}{}", ran.stdout, ran.stderr);
    stage.production(&["disconnect"], 0);

    // A login that waits for something.
    let file = stage.checkout().join("buedafab.toml");
    let usual = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, usual.replace("connect_timeout_seconds = 5", "connect_timeout_seconds = 1"))
        .expect("it is written");
    host.run("install -d -o deploy -g deploy /home/deploy/.ssh; echo 'until test -e /tmp/go; do sleep 0.1; done' >/home/deploy/.ssh/rc");
    stage.production(&["check"], 6).says("no answer within 1 s").says("set `connect_timeout_seconds`");
    host.run("touch /tmp/go");
    std::fs::write(&file, usual).expect("it is written");
    stage.production(&["check"], 0);
    stage.production(&["disconnect"], 0);

    // A host that was set up anew has another key.
    let known = before
        .lines()
        .find_map(|line| line.trim().strip_prefix("UserKnownHostsFile "))
        .expect("there is one");
    let keys = std::fs::read_to_string(known).expect("it is there");
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("it runs").success());
    let other = std::fs::read_to_string(key.with_extension("pub")).expect("it is there");
    let other: Vec<&str> = other.split_whitespace().take(2).collect();
    let changed: Vec<String> = keys
        .lines()
        .map(|line| format!("{} {}\n", line.split(' ').next().unwrap_or_default(), other.join(" ")))
        .collect();
    std::fs::write(known, changed.concat()).expect("it is written");
    let ran = stage.production(&["deploy"], 6);
    ran.says("its host key has changed").says(&format!("another one in {known}:1"));
    // What it says to type is typed.
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let typed = all.split("ssh-keygen ").nth(1).and_then(|rest| rest.split(';').next()).expect("it says so");
    let forgotten = std::process::Command::new("sh")
        .args(["-c", &format!("ssh-keygen {typed}")])
        .output()
        .expect("it runs");
    assert!(forgotten.status.success(), "{typed}");
    stage.production(&["deploy"], 6).says("host key is known");
    std::fs::write(known, keys).expect("it is written");
    stage.production(&["deploy"], 0);
    assert_eq!(stage.serving(), ["one"]);
}

/// A host that is named twice would wait for its own lock.
#[test]
fn two_names_of_one_machine_are_told_before_anything() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..Default::default() });
    let config = stage.fleet.client().ssh_config().to_owned();
    let before = std::fs::read_to_string(&config).expect("it is there");
    let address = stage.fleet.host("web1").address();
    let alias =
        format!("Host app\n  HostName {}\n  Port {}\n  HostKeyAlias web1\n", address.ip(), address.port());
    std::fs::write(&config, alias + &before).expect("it is written");
    stage.configure("unit = \"five\"\nservice = \"none\"\n[environments.production]\nhosts = [\"web1\", \"web2\", \"app\"]\n");
    let words = "app is web1, by another name: both are /var/webapps/five on one machine";
    stage.production(&["deploy"], 4).says(words).says("nothing was touched");
    stage.production(&["check"], 4).says(words).says("keep one of the two names");
    stage.production(&["--hosts", "web1,web2", "deploy"], 0);

    // A folder that isn't there, because nothing is mounted where the link to it leads.
    stage.fleet.host("web2").run("rm -rf /var/webapps/five; ln -s /data/five /var/webapps/five");
    let words = "/var/webapps/five is a link that leads nowhere";
    stage.production(&["--hosts", "web1,web2", "deploy"], 4).says(words).says("nothing was touched");
    stage.production(&["--hosts", "web2", "check"], 4).says(words);
}
