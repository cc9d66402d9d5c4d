//! What the app's services and files say, on all hosts at once.

use buedafab_testkit::{FleetOptions, Sudo};

use super::stage::{Stage, wait_for};

#[test]
fn logs_are_told_of_all_hosts_and_followed_until_ctrl_c() {
    let stage = Stage::with(FleetOptions {
        hosts: 2,
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    });
    for host in stage.fleet.hosts() {
        host.run("mkdir -p /var/log/journal; systemctl start systemd-journald; journalctl --flush");
    }
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\nlog_files = [\"log/*.log\"]\n[services.web]\ncommand = \"sh ./work.sh\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
    );
    let work = "mkdir -p log; echo in a file >>log/five.log\nwhile :; do echo \"tick $((n += 1))\"; sleep 0.2; done\n";
    stage.release_with("v1", &[("work.sh", work)]);
    stage.production(&["deploy"], 0);
    let ran = stage.production(&["logs", "--since", "10m", "--grep", "tick 1$|file"], 0);
    for line in ["web1 │ five.log: in a file", "web2 │ five.log: in a file"] {
        assert!(ran.stdout.lines().any(|said| said == line), "{}", ran.stdout);
    }
    let ticks = |host: &str| {
        let line = |line: &&str| line.starts_with(host) && line.ends_with("tick 1");
        ran.stdout.lines().filter(line).count()
    };
    assert_eq!((ticks("web1 │ "), ticks("web2 │ ")), (1, 1), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    stage.production(&["logs", "wbe"], 2).says("five has no service \"wbe\"").says("there are: web");

    let mut follows = stage.start(&["logs", "-f", "web"]);
    let says = |host: &'static str, words: &'static str| {
        move |event: &serde_json::Value| {
            event["event"] == "output"
                && event["host"] == host
                && event["line"].as_str().is_some_and(|line| line.contains(words))
        }
    };
    follows.wait_for(says("web1", "tick"));
    follows.wait_for(says("web2", "tick"));
    follows.signal("INT");
    let (end, code) = follows.finish();
    assert_eq!((end["event"].as_str(), code), (Some("run_ended"), 130));
    // It was root's, and ends with the pipe.
    wait_for("nothing reads the journal any more", || {
        stage.fleet.hosts().iter().all(|host| !host.exec("pgrep -x journalctl").status.success())
    });
}
