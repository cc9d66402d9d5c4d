//! Celery and gunicorn as units of a real systemd, with a real broker between them.

use std::fmt::Write;

use buedafab_testkit::{FleetOptions, Sudo};

use super::redis::Redis;
use super::stage::{Stage, wait_for};
use super::wheels::Wheels;

/// A worker that writes down which release it is, every second, and a task that takes its time.
const FIVE: &str = "import os, time
from pathlib import Path
from celery import Celery

VERSION = Path(__file__).with_name('version').read_text()
app = Celery('five', broker=os.environ['BROKER_URL'])
app.conf.beat_schedule = {'tick': {'task': 'five.tick', 'schedule': 1.0}}


@app.task(name='five.tick')
def tick():
    Path('/tmp/ticks').open('a').write(VERSION + '\\n')


@app.task(name='five.slow')
def slow():
    Path('/tmp/began').touch()
    time.sleep(4)
    Path('/tmp/ended').write_text(VERSION)
";

const WEB: &str = "from pathlib import Path
VERSION = Path(__file__).with_name('version').read_bytes()


def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [VERSION]
";

/// The project's own unit file.
const WEB_UNIT: &str = "[Unit]
Description={{ unit }} of {{ environment }} on {{ host }}
[Service]
Type=exec
User={{ user }}
WorkingDirectory={{ current }}
ExecStart=/bin/sh -c \"cd -P . && exec env/bin/python -m gunicorn --workers 1 --bind {{ address_of[host] }}:8125 web:app\"
[Install]
WantedBy=multi-user.target
";

#[test]
fn celery_and_gunicorn_are_units_that_a_deploy_brings_along() {
    let stage = Stage::with(FleetOptions {
        hosts: 3,
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    });
    let (wheels, redis) = (Wheels::serve(), Redis::start());
    let [web1, web2, web3] = ["web1", "web2", "web3"].map(|name| stage.fleet.host(name));
    let address = web1.address().ip().to_string();
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]\ninstaller = \"pip\"\nenv_file = \".env\"\n{}\n\
         service = \"systemd:five\"\n[services.celery]\ndefault = \"celery\"\nroles = [\"worker\"]\n\
         [services.beat]\ndefault = \"celery-beat\"\nroles = [\"worker\"]\n\
         [services.web]\nservice = \"systemd:five\"\ntemplate = \"web.service\"\nroles = [\"web\"]\n\
         [environments.production]\nhosts = [\"web1\", {{ name = \"web2\", roles = [\"worker\"] }}, {{ name = \"web3\", roles = [\"worker\"] }}]\n",
        wheels.options()
    ));
    let release = |name: &str, unit: &str| {
        let unit = unit.replace("{{ address_of[host] }}", &address);
        let requirements = "celery==5.5.3\nredis==7.0.1\ngunicorn==27.0.1\n";
        let files = [
            ("requirements.txt", requirements),
            ("five.py", FIVE),
            ("web.py", WEB),
            ("web.service", &unit),
            ("version", name),
        ];
        stage.remote.commit(&files, name);
        stage.remote.tag(name);
        stage.remote.push();
    };
    let secrets = stage.checkout().join("live.env");
    std::fs::write(&secrets, format!("BROKER_URL={}\n", redis.url())).expect("it is ours");
    stage.production(&["env", "push", "live.env"], 0);
    std::fs::remove_file(secrets).expect("it was ours");
    let says = || {
        let said =
            std::process::Command::new("curl").args(["-fsS", &format!("http://{address}:8125/")]).output();
        String::from_utf8_lossy(&said.expect("curl is installed").stdout).into_owned()
    };
    let ticks = |name: &str| {
        wait_for(&format!("the workers run {name}"), || {
            [web2, web3]
                .iter()
                .any(|host| String::from_utf8_lossy(&host.exec("tail -n 1 /tmp/ticks").stdout).trim() == name)
        });
    };

    release("v1", WEB_UNIT);
    let ran = stage.production(&["-v", "deploy"], 0);
    ran.says("installed /etc/systemd/system/five-celery.service")
        .says("installed /etc/systemd/system/five.service");
    wait_for("the web answers", || says() == "v1");
    ticks("v1");
    // The scheduler is on one host, and nothing is where it doesn't belong.
    let units = |name: &str| {
        let mut told = String::new();
        for host in stage.fleet.hosts() {
            let said = host
                .exec(&format!("systemctl is-active {name}; systemctl is-enabled {name} 2>/dev/null"))
                .stdout;
            let _ = write!(told, "{} ", String::from_utf8_lossy(&said).trim().replace('\n', " "));
        }
        told.trim().to_owned()
    };
    assert_eq!(units("five-beat"), "inactive active enabled inactive");
    assert_eq!(units("five-celery"), "inactive active enabled active enabled");
    assert_eq!(units("five"), "active enabled inactive inactive");
    let read = |path: &str| web2.read(path);
    assert!(read("/etc/systemd/system/five-celery.service").contains("TimeoutStopSec=600"));

    // A task that is at work when the next release comes is finished, by the release that began it.
    release("v2", WEB_UNIT);
    web2.run("systemctl stop five-beat");
    web3.run("systemctl stop five-celery");
    wait_for("the queue is empty", || {
        web2.exec("cd /var/webapps/five/releases/current && set -a && . /var/webapps/five/shared/.env && env/bin/python -c 'from five import app; app.send_task(\"five.slow\")'").status.success()
    });
    wait_for("the slow task is at work", || web2.exec("test -e /tmp/began").status.success());
    let ran = stage.production(&["-v", "deploy"], 0);
    assert!(!ran.stderr.contains("installed /etc"), "the files are the same: {}", ran.stderr);
    assert_eq!(read("/tmp/ended"), "v1");
    ticks("v2");
    wait_for("the web answers", || says() == "v2");

    // A mistake gets nowhere: neither a template that can't be filled, nor a unit that systemd rejects.
    release("v3", &WEB_UNIT.replace("{{ unit }}", "{{ untt }}"));
    stage
        .production(&["deploy"], 7)
        .says("web1: [services.web] web.service: undefined value: `untt` is undefined in line 2");
    release("v4", &WEB_UNIT.replace("Type=exec", "Tpye=exec"));
    let ran = stage.production(&["deploy"], 7);
    ran.says("Unknown key").says("Tpye").says("five.service has a mistake").says("serving now: v2 (");
    // A changed unit is put in place, and the old one back.
    release("v5", &WEB_UNIT.replace("Description=", "Description=new "));
    stage.production(&["-v", "deploy"], 0).says("installed /etc/systemd/system/five.service");
    assert!(web1.read("/etc/systemd/system/five.service").contains("Description=new five"));
    ticks("v5");
    stage.production(&["-v", "rollback"], 0).says("installed /etc/systemd/system/five.service");
    assert!(!web1.read("/etc/systemd/system/five.service").contains("Description=new"));
    wait_for("the web answers", || says() == "v2");
    ticks("v2");
    // What dies of its first import has been started well, as far as systemd knows.
    stage.remote.commit(&[("web.py", "import nothing_of_that_name\n"), ("version", "v6")], "v6");
    stage.remote.tag("v6");
    stage.remote.push();
    stage.production(&["deploy"], 8).says("five didn't stay up").says("serving now: v2 (");
    wait_for("the web answers", || says() == "v2");
    // What is taken out of the configuration is told, and left alone.
    let path = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let without = text.replace("[services.beat]\ndefault = \"celery-beat\"\nroles = [\"worker\"]\n", "");
    std::fs::write(&path, without).expect("it is ours");
    let ran = stage.production(&["deploy", "--dry-run"], 0);
    ran.says("/etc/systemd/system/five-beat.service is no service of this host any more")
        .says("`deploy --prune` stops and removes it");
    assert_eq!(units("five-beat"), "inactive active enabled inactive");
}
