//! Workers and schedulers beside the app, as real init scripts on the hosts.

use buedafab_testkit::{FleetOptions, Sudo};

use super::stage::Stage;

/// A service that does nothing but run, and writes down what it was told and which release it found.
const SCRIPT: &str = r#"#!/bin/sh
pid=/run/NAME.pid
running() { [ -e "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
stop() { ! running || kill "$(cat "$pid")"; rm -f "$pid"; }
echo "NAME $1 $(cat /var/webapps/five/releases/current/version)" >>/tmp/told
case $1 in
  restart) stop; setsid sleep 1000 >/dev/null 2>&1 & echo $! >"$pid" ;;
  stop) stop ;;
esac
[ ! -e /tmp/fail-NAME ]
"#;

#[test]
fn workers_come_before_the_app_and_a_scheduler_is_alone() {
    let stage = Stage::with(FleetOptions { hosts: 3, ..FleetOptions::default() });
    stage.configure(
        "unit = \"five\"\n[services.worker]\nservice = \"init:worker\"\nroles = [\"worker\"]\n[services.beat]\nservice = \"init:beat\"\n\
         roles = [\"worker\"]\nsingle = true\n[environments.production]\nhosts = [\"root@web1\", \
         { name = \"web2\", user = \"root\", roles = [\"worker\"] }, { name = \"web3\", user = \"root\", roles = [\"worker\", \"web\"] }]\n",
    );
    for host in stage.fleet.hosts() {
        for name in ["five", "worker", "beat"] {
            let script = SCRIPT.replace("NAME", name);
            host.run(&format!("cat >/etc/init.d/{name} <<'END'\n{script}END\nchmod 755 /etc/init.d/{name}"));
        }
    }
    let told = |host: &str| {
        let said = stage.fleet.host(host).run("cat /tmp/told; rm /tmp/told");
        said.lines().map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    let runs = |host: &str, name: &str| {
        stage.fleet.host(host).exec(&format!("kill -0 $(cat /run/{name}.pid)")).status.success()
    };
    // Somebody has started the scheduler where it has no business.
    stage.fleet.host("web3").run("setsid sleep 1000 >/dev/null 2>&1 & echo $! >/run/beat.pid");
    stage.production(&["deploy"], 0);
    assert_eq!(told("web1"), "five restart one");
    assert_eq!(told("web2"), "worker restart one, beat restart one, five restart one");
    assert_eq!(told("web3"), "worker restart one, beat stop one, five restart one");
    assert!(runs("web2", "beat") && !runs("web3", "beat"), "it runs on one host");
    stage.release("two");
    stage.production(&["deploy"], 0);
    stage.fleet.hosts().iter().for_each(|host| drop(host.run("rm /tmp/told")));
    stage.production(&["rollback"], 0);
    assert_eq!(told("web2"), "five restart one, beat restart one, worker restart one");
    // One that doesn't start takes all back.
    stage.release("three");
    stage.fleet.host("web2").run("touch /tmp/fail-beat");
    stage.production(&["deploy"], 9).says("restart init:beat");
    stage.fleet.host("web2").run("rm /tmp/fail-beat; rm /tmp/told");
    stage.production(&["deploy"], 0);
    // What couldn't be put back is so first, and in its own order.
    let back = "five restart one, beat restart one, worker restart one";
    assert_eq!(told("web2"), format!("{back}, worker restart three, beat restart three, five restart three"));
}

#[test]
fn an_init_script_is_made_of_a_command() {
    let stage = Stage::with(FleetOptions { sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    stage.configure(
        "unit = \"five\"\nservice = \"none\"\nvariables = { GREETING = \"it's 50 % of $HOME\" }\n[services.worker]\n\
         service = \"init:celeryd-{unit}_{deployment_type}\"\ncommand = \"sh ./work.sh 'a b'\"\nstop_seconds = 20\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    let release = |name: &str, work: &str| {
        stage.remote.commit(&[("work.sh", work), ("version", name)], name);
        stage.remote.tag(name);
        stage.remote.push();
    };
    // It finishes what it does before it stops.
    let work = "trap 'sleep 1; cat version >>/tmp/stopped; exit' TERM\n\
                echo \"$(cat version) $1 $GREETING $(id -un) $PWD\" >>/tmp/started\nwhile :; do sleep 0.1; done\n";
    let host = stage.fleet.host("web1");
    let started = || host.run("tail -n 1 /tmp/started").trim_end().to_owned();
    release("v1", work);
    let ran = stage.production(&["-v", "deploy"], 0);
    ran.says("write and check celeryd-five_PRODUCTION").says("installed /etc/init.d/celeryd-five_PRODUCTION");
    assert_eq!(started(), "v1 a b it's 50 % of $HOME deploy /var/webapps/five/releases/a");
    assert_eq!(host.run("stat -c '%a %U' /etc/init.d/celeryd-five_PRODUCTION; /etc/init.d/celeryd-five_PRODUCTION status && echo runs"), "755 root\nruns\n");
    release("v2", work);
    let ran = stage.production(&["-v", "deploy"], 0);
    assert!(!ran.stderr.contains("installed /etc"), "{}", ran.stderr);
    assert_eq!(started(), "v2 a b it's 50 % of $HOME deploy /var/webapps/five/releases/b");
    assert_eq!(host.read("/tmp/stopped"), "v1");
    // What dies at once takes the deploy back, and says why.
    release("v3", "echo no such luck; exit 3\n");
    let ran = stage.production(&["deploy"], 8);
    ran.says("no such luck").says("serving now: v2 (");
    assert!(started().starts_with("v2 "));
    host.run("/etc/init.d/celeryd-five_PRODUCTION stop; ! /etc/init.d/celeryd-five_PRODUCTION status");
}

/// A service that runs, and writes down which release it is.
const WORK: &str = "cat version >>/tmp/ran; while :; do sleep 0.1; done\n";

#[test]
fn every_way_back_finds_the_units_that_were_there() {
    let stage =
        Stage::with(FleetOptions { systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() });
    let host = stage.fleet.host("web1");
    let configure = |service: &str| {
        stage.configure(&format!(
            "unit = \"five\"\nservice = \"none\"\n{service}\n[environments.production]\nhosts = [\"web1\"]\n"
        ));
    };
    let jobs = |command: &str| format!("[services.jobs]\ncommand = \"{command}\"\n");
    let release = |name: &str, work: &str| {
        stage.remote.commit(&[("work.sh", work), ("version", name)], name);
        stage.remote.tag(name);
        stage.remote.push();
    };
    let unit = || {
        let said = host.exec("systemctl is-active five-jobs; systemctl is-enabled five-jobs").stdout;
        String::from_utf8_lossy(&said).trim().replace('\n', " ")
    };
    let ran = || host.run("tail -c 2 /tmp/ran");
    // Somebody else's unit is where ours will be. A first release that dies at once gives it back.
    host.run(
        "printf '[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/five-jobs.service; \
         systemctl daemon-reload; systemctl start five-jobs",
    );
    configure(&jobs("sh ./work.sh"));
    release("v1", "sleep 0.5; exit 1\n");
    stage.production(&["deploy"], 8).says("five-jobs didn't stay up").says("serving now: nothing on web1");
    assert!(host.read("/etc/systemd/system/five-jobs.service").contains("sleep 1000"));
    assert_eq!(unit(), "active enabled");
    host.run("systemctl disable --now five-jobs; rm /etc/systemd/system/five-jobs.service /var/webapps/five/.buedafab/installed; rm -r /var/webapps/five/.buedafab/releases");
    // The release before had no such service: the way back to it leaves none.
    configure("");
    release("v2", WORK);
    stage.production(&["deploy"], 0);
    configure(&jobs("sh ./work.sh"));
    release("v3", WORK);
    stage.production(&["deploy"], 0);
    assert_eq!((unit(), ran()), ("active enabled".to_owned(), "v3".to_owned()));
    stage.production(&["-v", "rollback"], 0).says("five-jobs isn't part of this release: it is stopped");
    assert_eq!(unit(), "inactive disabled");
    stage.production(&["deploy"], 0);
    assert_eq!(unit(), "active enabled", "also after a reboot");
    // The same commit under another configuration: what failed was the configuration, and the unit of before is back.
    configure(&jobs("sh ./no-such-work.sh"));
    stage.production(&["deploy", "--force"], 8).says("serving now: v3 (");
    assert!(host.read("/etc/systemd/system/five-jobs.service").contains("./work.sh"));
    assert_eq!(unit(), "active enabled");
    // One that dies again and again uses up its starts, and they aren't held against the release that follows.
    configure(&jobs("sh ./work.sh"));
    for name in ["v4", "v5"] {
        release(name, "exit 1\n");
        stage.production(&["deploy"], 8).says("serving now: v3 (");
    }
    release("v6", WORK);
    stage.production(&["deploy"], 0);
    assert_eq!((unit(), ran()), ("active enabled".to_owned(), "v6".to_owned()));
    stage.production(&["restart"], 0);
    assert_eq!(
        host.run("ls /var/webapps/five/.buedafab/releases | wc -l"),
        "2\n",
        "what no slot holds is forgotten"
    );
    // New services beside it, one of which can't start: the others are put back all the same, and nothing goes on of them.
    let more = "[services.bad]\ncommand = \"cd .; sleep 0.2; exit 1\"\n[services.later]\ncommand = \"WHAT=later sh ./work.sh\"\n";
    configure(&format!("[services.new]\ncommand = \"sh ./work.sh\"\n{}{more}", jobs("sh ./work.sh")));
    release("v7", WORK);
    stage.production(&["deploy"], 8).says("five-bad didn't stay up").says("serving now: v6 (");
    assert_eq!((unit(), ran()), ("active enabled".to_owned(), "v6".to_owned()));
    let others =
        "systemctl is-active five-new five-bad five-later; systemctl is-enabled five-new five-bad five-later";
    let said = String::from_utf8_lossy(&host.exec(others).stdout).into_owned();
    assert!(
        !said.contains("\nactive") && !said.contains("activating") && !said.contains("enabled"),
        "{said}"
    );
    configure(&jobs("sh ./work.sh"));
    // What has died since is told to those who ask, and a restart that is in vain says so.
    host.run("systemctl stop five-jobs; mv /var/webapps/five/releases/current/work.sh /tmp");
    stage.production(&["status"], 0).says("five-jobs.service doesn't run: it is inactive");
    stage.production(&["check"], 0).says("five-jobs.service doesn't run: it is inactive");
    stage.production(&["restart"], 7).says("five-jobs");
    host.run("mv /tmp/work.sh /var/webapps/five/releases/current/");
    stage.production(&["restart"], 0);
    stage.production(&["history"], 0).says("reverted");
    configure(
        "[services.worker]\nservice = \"systemd:no-such\"\nroles = [\"wroker\"]\n[services.other]\nservice = \"init:no-such\"",
    );
    let ran = stage.production(&["deploy", "--force"], 7);
    ran.says("web1: there is no init:no-such").says("nothing was touched");
    stage.production(&["check"], 4).says("there is no init:no-such");
    let homeless = "[services.worker]\nservice = \"systemd:no-such\"\nroles = [\"wroker\"]\n";
    configure(&format!("{}{homeless}", jobs("sh ./work.sh")));
    let ran = stage.production(&["deploy", "--dry-run"], 0);
    ran.says("[services.worker] runs on no host: no host has the role wroker");
}
