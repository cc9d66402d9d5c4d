//! Lines that are long, cut, frozen or stale, and what travels over them.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use buedafab_testkit::FleetOptions;

use super::stage::{Ran, Stage, copy_surroundings, step_starts, wait_for};

#[test]
fn a_line_that_is_cut_in_the_switch_reverts_everywhere() {
    let mut stage = Stage::new();
    let lines = stage.fleet.with_latency(Duration::ZERO);
    stage.use_path(lines.client().path_variable());
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || sleep 60\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "verify"));
    lines.relay("web2").cut();
    let (end, code) = run.finish();
    // It was asked again, and said that it had gone back by itself.
    assert_eq!((code, &end["verdict"]), (8, &"reverted".into()), "{end}");
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// The first wave has switched and waits; its host goes back by itself, and must not be confirmed afterwards.
#[test]
fn a_line_that_is_cut_between_two_waves_reverts_everywhere() {
    let mut stage = Stage::new();
    let lines = stage.fleet.with_latency(Duration::ZERO);
    stage.use_path(lines.client().path_variable());
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\nwaves = [1]\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || test $(hostname) = web1 || sleep 8\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "verify"));
    lines.relay("web1").cut();
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (8, &"reverted".into()), "{end}");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

/// The host is through with its part, and waits for the others: it goes back by itself when it hears nothing, and so none may
/// be confirmed.
#[test]
fn a_line_that_freezes_while_its_host_waits_for_others_reverts_everywhere() {
    let mut stage = Stage::new();
    let lines = stage.fleet.with_latency(Duration::ZERO);
    stage.use_path(lines.client().path_variable());
    stage.production(&["deploy"], 0);
    // Longer than a host waits for a word; and shorter, so that nobody has noticed yet.
    for (name, seconds) in [("two", 8), ("three", 1)] {
        stage.release(name);
        stage.configure(&format!(
            "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
             verify = \"test $(cat version) = one || test $(hostname) != web2 || sleep {seconds}\"\n\
             [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
        ));
        let mut run = stage.start(&["deploy"]);
        run.wait_for(step_starts("web2", "verify"));
        lines.relay("web1").freeze();
        run.wait_for(|event| event["event"] == "looking_again");
        lines.relay("web1").thaw();
        let (end, code) = run.finish();
        assert_eq!((code, &end["verdict"]), (8, &"reverted".into()), "{end}");
        stage.wait_until_free();
        assert_eq!(stage.serving(), ["one", "one", "one"]);
    }
}

#[test]
fn a_line_that_freezes_in_the_switch_reverts_everywhere() {
    let mut stage = Stage::new();
    let lines = stage.fleet.with_latency(Duration::ZERO);
    stage.use_path(lines.client().path_variable());
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.configure(
        "unit = \"five\"\n[hooks]\nrestart = \"cat version >../../served\"\n\
         verify = \"test $(cat version) = one || sleep 60\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\", \"web3\"]\n",
    );
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web2", "verify"));
    lines.relay("web2").freeze();
    run.wait_for(|event| event["event"] == "looking_again");
    lines.relay("web2").thaw();
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (8, &"reverted".into()), "{end}");
    stage.wait_until_free();
    assert_eq!(stage.serving(), ["one", "one", "one"]);
}

#[test]
fn a_warm_connection_is_used_and_a_stale_one_is_replaced() {
    let mut stage = Stage::new();
    let lines = stage.fleet.with_latency(Duration::ZERO);
    stage.use_path(lines.client().path_variable());
    let connected = |stage: &Stage| {
        let ran = stage.production(&["deploy", "--json"], 0);
        let warm = ran
            .stdout
            .lines()
            .filter(|line| line.contains("\"connected\"") && line.contains("\"warm\":true"));
        warm.count()
    };
    assert_eq!(connected(&stage), 0);
    assert_eq!(connected(&stage), 3);
    // Frozen, with the master process still there: its socket accepts, and nothing comes back.
    lines.relay("web2").freeze();
    let mut run = stage.start(&["status"]);
    wait_for("it asks over the frozen line", || lines.relay("web2").kept_back() > 0);
    // New connections get through again, but the frozen one stays dead.
    lines.relay("web2").cut();
    lines.relay("web2").thaw();
    while run.next().is_some() {}
    assert_eq!(run.child.wait().expect("it ends").code(), Some(0));
    // The host was rebooted in between.
    stage.fleet.host("web3").power_off();
    stage.fleet.host("web3").start_sshd();
    stage.production(&["status"], 0);
}

#[test]
fn each_host_is_connected_to_once() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.production(&["status"], 0);
    for host in stage.fleet.hosts() {
        // One process a connection, besides its `[priv]`; since OpenSSH 9.8 the program has another name.
        let connections = host.run("pgrep -fxc 'sshd(-session)?: deploy(@notty)?' || :");
        assert_eq!(connections.trim(), "1", "on {}", host.name());
    }
}

#[test]
fn a_phase_costs_one_round_trip_whatever_its_steps() {
    let stage = Stage::new();
    stage.production(&["deploy"], 0);
    stage.release("two");
    let ran = stage.command(&["production", "deploy"]).env("BUEDAFAB_LOG", "debug").output();
    let ran = Ran::of(ran.expect("it runs"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for host in ["web1", "web2", "web3"] {
        let about = format!("host{{name={host}}}");
        let sent: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(&about)).collect();
        let times = |words: &str| sent.iter().filter(|line| line.contains(words)).count();
        // The look travels with the connection; then lock, prepare, switch and finish, each at one go.
        assert_eq!((times(": connect "), times(": send a phase ")), (1, 4), "{host}: {}", ran.stderr);
    }
}

#[test]
fn the_agent_is_lent_to_the_fetch_alone_and_only_if_asked() {
    let stage = Stage::new();
    let agent = stage.fleet.agent();
    let url = stage.fleet.git_url(&stage.remote);
    let configure = |forward: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nscm = \"{url}\"\n{forward}\n[hooks]\nbuild = \"test -z \\\"$SSH_AUTH_SOCK\\\"\"\n\
             restart = \"cat version >../../served; test -z \\\"$SSH_AUTH_SOCK\\\"\"\n\
             [environments.production]\nhosts = [\"web2\"]\n"
        ));
    };
    let deploy = || {
        let mut command = stage.command(&["production", "deploy"]);
        Ran::of(command.env("SSH_AUTH_SOCK", agent.socket()).output().expect("it runs"))
    };
    configure("");
    let refused = deploy();
    assert_eq!(refused.code, 7, "{}", refused.stderr);
    refused.says("Permission denied");
    configure("forward_agent = true");
    let done = deploy();
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn the_git_servers_keys_can_be_pinned() {
    let stage = Stage::new();
    let agent = stage.fleet.agent();
    let url = stage.fleet.git_url(&stage.remote);
    let known = std::process::Command::new("ssh-keyscan")
        .args(["-t", "ed25519", "-p", &stage.fleet.host("web1").port().to_string()])
        .arg(stage.fleet.host("web1").address().ip().to_string())
        .output()
        .expect("it runs");
    let right = String::from_utf8(known.stdout).expect("UTF-8").trim().to_owned();
    let wrong = right.rsplit_once(' ').expect("a key").0.to_owned()
        + " AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let configure = |line: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nscm = \"{url}\"\nforward_agent = true\nscm_known_hosts = [\"{line}\"]\nservice = \"none\"\n\
             [environments.production]\nhosts = [\"web2\"]\n"
        ));
    };
    let deploy = || {
        let mut command = stage.command(&["production", "deploy"]);
        Ran::of(command.env("SSH_AUTH_SOCK", agent.socket()).output().expect("it runs"))
    };
    configure(&wrong);
    let refused = deploy();
    assert_eq!(refused.code, 7, "{}", refused.stderr);
    refused.says("Host key verification failed");
    configure(&right);
    assert_eq!(deploy().code, 0);
}

/// By default a process may have 1024 files open, which are connections to some 200 hosts.
#[test]
fn many_hosts_need_many_open_files_and_commands_that_connect_take_turns() {
    const HOSTS: usize = 120;
    let stage = Stage::with(FleetOptions::default());
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path().display().to_string();
    // Notes how many of its kind there are that have yet to give a shell.
    let script = format!(
        "#!/bin/sh\nmkdir {root}/now/$$; ls {root}/now | wc -l >>{root}/counts; seq 30000 >/dev/null; rmdir {root}/now/$$; exec sh\n"
    );
    let program = place.path().join("way");
    std::fs::create_dir(place.path().join("now")).expect("it is ours");
    std::fs::write(&program, script).expect("it is ours");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    stage.configure(&format!(
        "unit = \"five\"\npath = \"{root}/app\"\n[environments.production]\nhosts = [\"web[1:{HOSTS}]\"]\n\
         connect = \"{}\"\n",
        program.display()
    ));
    let with_limit = |limit: &str, code: i32| {
        let status = stage.command(&["production", "status"]);
        let mut limited = Command::new("bash");
        limited.args(["-c", &format!("{limit}; exec \"$@\""), "bash"]);
        limited.arg(status.get_program()).args(status.get_args());
        copy_surroundings(&status, &mut limited);
        let ran = Ran::of(limited.stdin(Stdio::null()).output().expect("it runs"));
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        ran
    };
    let ran = with_limit("ulimit -Sn 256", 0);
    assert!(!ran.stdout.contains("unreachable"), "{}", ran.stdout);
    let counts = std::fs::read_to_string(place.path().join("counts")).expect("they counted");
    let counts: Vec<usize> = counts.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(counts.len(), HOSTS);
    assert!(counts.iter().all(|count| *count <= 16), "{counts:?}");
    // What is short is said, and the rest is done.
    with_limit("ulimit -n 256", 6)
        .says("120 hosts at once need 820 open files, and this machine allows 256: about 26 can be reached");
}

/// What is on its way to a host with its connection is stopped as soon as the host is there.
#[test]
fn ctrl_c_is_obeyed_by_a_host_that_is_just_being_connected_to() {
    let mut stage = Stage::with(FleetOptions::default());
    let lines = stage.fleet.with_latency(Duration::from_millis(200));
    stage.use_path(lines.client().path_variable());
    let mut run = stage.start(&["run", "--", "sleep 600"]);
    run.wait_for(|event| event["event"] == "work_started");
    run.signal("INT");
    let (end, code) = run.finish();
    assert_eq!((code, &end["verdict"]), (130, &"interrupted".into()));
    assert!(!stage.fleet.host("web1").exec("pgrep -fx 'sleep 600'").status.success(), "nothing goes on");
}
