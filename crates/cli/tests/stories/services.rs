//! Workers and schedulers beside the app, as real init scripts on the hosts.

use buedafab_testkit::FleetOptions;

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
    assert_eq!(told("web2"), "worker restart three, beat restart three, five restart three");
}
