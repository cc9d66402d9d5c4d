//! Releases that come to serve while visitors ask in a loop: real servers behind nginx, on hosts with systemd.

#![expect(clippy::print_stdout, reason = "what visitors saw is worth a line")]

use std::time::{Duration, SystemTime};

use buedafab_testkit::{Answered, FleetHost, FleetOptions, Load, LoadReport, Sudo};

use super::stage::{Stage, step_starts, wait_for};
use super::wheels::Wheels;

/// Answers with its version, to `/slow` after a while; POST as well.
const WSGI: &str = r#"import os, time
VERSION = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "version")).read().strip()
def app(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(VERSION)))])
    return [VERSION.encode()]
"#;
const ASGI: &str = r#"import asyncio, os
VERSION = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "version")).read().strip()
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("only http")
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    length = str(len(VERSION)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": VERSION.encode()})
"#;
const NODE: &str = r#"const http = require("http"), fs = require("fs"), path = require("path");
const version = fs.readFileSync(path.join(__dirname, "version"), "utf8").trim();
const server = http.createServer((request, response) => {
  request.on("data", () => {}).on("end", () => {
    setTimeout(() => response.end(version), request.url === "/slow" ? 300 : 0);
  });
});
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : process.env.SOCKET);
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
"#;

/// A web server in front of what the link leads to, as people are told to set it up. Where it is asked.
fn nginx(host: &FleetHost) -> String {
    let address = format!("{}:8080", host.address().ip());
    host.run(&format!(
        "mkdir -p /tmp/nginx && cat >/tmp/nginx/conf <<'END'\n\
         user www-data;\nworker_processes 2;\npid /tmp/nginx/pid;\nerror_log /tmp/nginx/error.log;\n\
         events {{ worker_connections 256; }}\nhttp {{\n  access_log /tmp/nginx/access.log;\n  client_body_temp_path /tmp/nginx/body;\n  proxy_temp_path /tmp/nginx/proxy;\n  \
         fastcgi_temp_path /tmp/nginx/fastcgi;\n  uwsgi_temp_path /tmp/nginx/uwsgi;\n  scgi_temp_path /tmp/nginx/scgi;\n  \
         server {{\n    listen {address};\n    location / {{ proxy_pass http://unix:/var/webapps/five/releases/current/run/app.sock; }}\n  }}\n}}\nEND\n\
         nginx -c /tmp/nginx/conf"
    ));
    address
}

/// A stage whose hosts have systemd and, each, a web server in front of a server of its own; and where those are asked.
fn servers(stage: &Stage, services: &[(&str, &str)], cutover: &str, wheels: &Wheels) -> Vec<String> {
    let tables: String = services
        .iter()
        .map(|(name, command)| {
            format!("[services.{name}]\ncommand = '''{command}'''\nroles = [\"{name}\"]\n{cutover}\n")
        })
        .collect();
    let hosts: Vec<String> = services
        .iter()
        .zip(1..)
        .map(|((name, _), number)| format!("{{ name = \"web{number}\", roles = [\"{name}\"] }}"))
        .collect();
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\nsettle_seconds = 0\npip_requirements = [\"requirements.txt\"]\n{}\n{tables}\
         [health]\nhttp = \"/healthz\"\n[environments.production]\nhosts = [{}]\n",
        wheels.options(),
        hosts.join(", ")
    ));
    release(stage, "v1", &[]);
    stage.production(&["deploy"], 0);
    stage.fleet.hosts().iter().map(nginx).collect()
}

fn release(stage: &Stage, name: &str, more: &[(&str, &str)]) {
    let requirements = "gunicorn==27.0.1\nuvicorn==0.38.0\ngranian==2.8.9\n";
    let files =
        [("wsgi.py", WSGI), ("asgi.py", ASGI), ("server.js", NODE), ("requirements.txt", requirements)];
    let mut files: Vec<(&str, &str)> = files.into_iter().collect();
    files.push(("version", name));
    files.retain(|(file, _)| !more.iter().any(|(other, _)| other == file));
    files.extend(more);
    stage.remote.commit(&files, name);
    stage.remote.tag(name);
    stage.remote.push();
}

/// When the link moved to where it leads, by the clock of the machine.
fn moved(host: &FleetHost) -> SystemTime {
    let at = host.run("stat -c %.9Z /var/webapps/five/releases/current");
    let seconds: f64 = at.trim().parse().expect("a time");
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

/// The answers that are those of another release than the link led to when they were asked for.
fn late<'r>(report: &'r LoadReport, switches: &[(SystemTime, String)]) -> Vec<&'r Answered> {
    // The kernel stamps files with the time of its last tick.
    let tick = Duration::from_millis(10);
    let is_late = |answered: &&Answered| {
        let after = switches.iter().rposition(|(at, _)| *at + tick < answered.asked);
        let next =
            |index: usize| switches.get(index + 1).filter(|(at, _)| *at < answered.asked + answered.took);
        after.is_some_and(|index| {
            answered.body != switches[index].1 && next(index).is_none_or(|(_, body)| *body != answered.body)
        })
    };
    report.answers.iter().filter(is_late).collect()
}

/// Deploys and rolls back in turn under load, and tells what visitors saw of each server.
#[track_caller]
fn check_under_load(stage: &Stage, addresses: &[String], names: &[&str], may_be_late: bool) {
    let rounds: usize = std::env::var("BUEDAFAB_SWITCHES").map_or(2, |text| text.parse().expect("a number"));
    let visitors = if rounds > 10 { 32 } else { 8 };
    let loads: Vec<Load> = addresses.iter().map(|address| Load::start(address, visitors)).collect();
    let mut switches: Vec<Vec<(SystemTime, String)>> = vec![Vec::new(); addresses.len()];
    for round in 0..rounds {
        let version = format!("v{}", round + 2);
        release(stage, &version, &[]);
        for (command, serves) in [("deploy", version), ("rollback", "v1".to_owned())] {
            stage.production(&[command], 0);
            for (host, switches) in stage.fleet.hosts().iter().zip(&mut switches) {
                switches.push((moved(host), serves.clone()));
            }
        }
    }
    for (((load, switches), name), host) in
        loads.into_iter().zip(&switches).zip(names).zip(stage.fleet.hosts())
    {
        let report = load.stop();
        let late = late(&report, switches);
        println!(
            "{name}: {} requests, {} switches, {} failed, {} late, slowest {:.2} s",
            report.answers.len(),
            switches.len(),
            report.failed.len(),
            late.len(),
            report.slowest().as_secs_f64()
        );
        assert!(report.answers.len() > 100 * rounds, "{name}: {} answers", report.answers.len());
        let log = host.run("cat /tmp/nginx/error.log");
        assert!(
            report.failed.is_empty(),
            "{name}: {:?}\n{log}",
            &report.failed[..report.failed.len().min(5)]
        );
        // Until the restart the old release goes on.
        assert!(may_be_late || late.is_empty(), "{name}: {:?} of {switches:?}", &late[..late.len().min(5)]);
    }
}

fn options(hosts: usize) -> FleetOptions {
    FleetOptions { hosts, systemd: true, sudo: Sudo::WithoutPassword, ..FleetOptions::default() }
}

#[test]
fn no_visitor_notices_a_cut_over_by_socket() {
    let stage = Stage::with(options(4));
    let wheels = Wheels::serve();
    let services = [
        (
            "gunicorn",
            r#"python -m gunicorn --workers 2 --threads 8 -k gthread --bind unix:"$SOCKET" wsgi:app"#,
        ),
        ("uvicorn", r#"python -m uvicorn --log-level warning --uds "$SOCKET" asgi:app"#),
        ("granian", r#"granian --interface asgi --uds "$SOCKET" asgi:app"#),
        ("node", "node server.js"),
    ];
    let addresses = servers(&stage, &services, "cutover = \"socket\"", &wheels);
    check_under_load(&stage, &addresses, &["gunicorn", "uvicorn", "granian", "node"], false);
}

#[test]
fn no_visitor_notices_a_restart_behind_a_socket() {
    let stage = Stage::with(options(2));
    let wheels = Wheels::serve();
    let services = [
        ("gunicorn", "python -m gunicorn --workers 2 --threads 8 -k gthread wsgi:app"),
        ("node", "node server.js"),
    ];
    let addresses = servers(&stage, &services, "cutover = \"restart\"", &wheels);
    check_under_load(&stage, &addresses, &["gunicorn", "node"], true);
    // The socket is there although the app never was.
    wait_for("the socket", || {
        stage.fleet.host("web1").exec("systemctl is-active five-gunicorn.socket").status.success()
    });
}
const GUNICORN: &str = r#"python -m gunicorn --workers 2 --threads 8 -k gthread --graceful-timeout 3 --bind unix:"$SOCKET" wsgi:app"#;
const ASK: &str = "curl -s --unix-socket /var/webapps/five/releases/current/run/app.sock http://localhost/";
const LINK: &str = "readlink /var/webapps/five/releases/current";

/// One host with gunicorn side by side, which serves v1.
fn gunicorn(stage: &Stage, wheels: &Wheels, more: &str) {
    gunicorn_with(stage, wheels, more);
    release(stage, "v1", &[]);
    stage.production(&["deploy"], 0);
}

fn gunicorn_with(stage: &Stage, wheels: &Wheels, more: &str) {
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\npip_requirements = [\"requirements.txt\"]\n{}\n{more}\n\
         [services.web]\ncommand = '''{GUNICORN}'''\ncutover = \"socket\"\n[health]\nhttp = \"/healthz\"\ngrace_seconds = 3\n\
         [environments.production]\nhosts = [\"web1\"]\n",
        wheels.options(),
    ));
}

/// Whether a host runs the app from its first slot, and nothing of it from the second.
fn runs_the_first_alone(host: &FleetHost) -> bool {
    let said = host.run("for slot in a b; do systemctl is-active five-web@$slot || :; done");
    said == "active\ninactive\n" || said == "active\nfailed\n"
}

#[test]
fn a_release_that_is_not_well_gets_no_request() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn(&stage, &wheels, "settle_seconds = 0");
    let load = Load::start(&nginx(host), 8);
    let unwell = WSGI.replace("200 OK", "500 Nothing");
    let late = WSGI.replace("VERSION = ", "time.sleep(60)\nVERSION = ");
    for (name, file, says) in [
        ("answers-500", unwell.as_str(), "/healthz is answered with 500"),
        ("never-answers", late.as_str(), "the app isn't well"),
        ("exits-at-import-and-its-master-stays", "import sys\nsys.exit(3)\n", "the app isn't well"),
        ("cannot-be-imported", "import no_such_module\n", "started again"),
    ] {
        release(&stage, name, &[("wsgi.py", file)]);
        // The link never moved.
        let ran = stage.production(&["deploy"], 7);
        ran.says(says).says("serving now: v1 (");
        wait_for("the end of what was started", || runs_the_first_alone(host));
    }
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert!(report.answers.iter().all(|answered| answered.body == "v1"));
    // What is well then is all that is asked.
    release(&stage, "v6", &[]);
    stage.production(&["deploy"], 0);
    assert_eq!(host.run(ASK), "v6");
}

#[test]
fn a_host_whose_deployer_is_lost_takes_back_what_it_has_begun() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn(&stage, &wheels, "settle_seconds = 1");
    let load = Load::start(&nginx(host), 8);
    let steps =
        ["install and start", "ask whether", "switch the link", "have systemd:five-web", "verify that"];
    for (number, step) in steps.iter().enumerate() {
        release(&stage, &format!("v{}", number + 2), &[]);
        let mut run = stage.start(&["deploy"]);
        run.wait_for(step_starts("web1", step));
        run.signal("KILL");
        let _ = run.child.wait();
        stage.wait_until_free();
        assert_eq!(host.run(LINK), "a\n", "killed at {step}");
        wait_for("the end of what was started", || runs_the_first_alone(host));
    }
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}

#[test]
fn a_host_that_loses_its_power_is_put_back_before_it_serves() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn(&stage, &wheels, "settle_seconds = 8");
    release(&stage, "v2", &[]);
    let mut run = stage.start(&["deploy"]);
    run.wait_for(step_starts("web1", "verify that"));
    run.signal("STOP");
    assert_eq!(host.run(LINK), "b\n");
    // All that runs there ends at once, the runner and its guards first; and systemd starts what a start of the host starts.
    host.run(
        "for process in /proc/[0-9]*; do [ \"$(stat -c %U $process 2>/dev/null)\" != deploy ] || kill -STOP ${process#/proc/}; done; \
         for process in /proc/[0-9]*; do [ \"$(stat -c %U $process 2>/dev/null)\" != deploy ] || kill -KILL ${process#/proc/}; done; \
         systemctl isolate rescue.target; rm -rf /run/five-web; systemctl isolate multi-user.target",
    );
    run.signal("KILL");
    let _ = run.child.wait();
    wait_for("what served", || runs_the_first_alone(host));
    assert_eq!(host.run(LINK), "a\n");
    wait_for("an answer", || host.exec(ASK).stdout == b"v1");
    stage.production(&["check"], 0);
    stage.production(&["history"], 0).says("reverted");
    stage.production(&["deploy"], 0);
    assert_eq!(host.run(ASK), "v2");
}

#[test]
fn what_is_kept_warm_or_was_rehearsed_is_what_status_says() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn(&stage, &wheels, "settle_seconds = 0");
    release(&stage, "v2", &[]);
    stage.production(&["deploy"], 0);
    wait_for("the end of the former", || host.run("systemctl is-active five-web@a || :") != "active\n");
    assert!(stage.status()[0]["rollback_proof"].is_null());
    let load = Load::start(&nginx(host), 4);
    stage.production(&["rollback", "--rehearse"], 0).says("rehearse the rollback to v1 (");
    assert_eq!(stage.status()[0]["rollback_proof"]["by"], "rehearsed");
    stage.production(&["status"], 0).says(", proven ");
    // One that isn't well is told, and left as it was.
    host.run("cd /var/webapps/five/releases/a && sed -i 's/200 OK/500 Nothing/' wsgi.py && touch -d '2020-01-01' wsgi.py");
    stage.production(&["rollback", "--rehearse"], 7);
    assert_eq!(host.run(LINK), "b\n");
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert!(report.answers.iter().all(|answered| answered.body == "v2"));
    // What still runs is only switched to, and is the same process.
    let file = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, text.replace("cutover =", "keep_warm_instance = true\ncutover ="))
        .expect("it is written");
    release(&stage, "v3", &[]);
    stage.production(&["deploy"], 0);
    let pid = || host.run("systemctl show --property MainPID five-web@b");
    let before = pid();
    assert_eq!(stage.status()[0]["rollback_proof"]["by"], "runs");
    stage.production(&["status"], 0).says("five-web@b.service runs beside it");
    stage.production(&["rollback"], 0);
    assert_eq!((pid(), host.run(ASK)), (before, "v2".to_owned()));
}

#[test]
fn a_release_that_answers_badly_is_taken_back_by_its_numbers() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    let watch = "settle_seconds = 0\nbake_seconds = 4\n[watch.errors]\naccess_log = \"/tmp/nginx/access.log\"\nmax = 0.02\n";
    gunicorn(&stage, &wheels, "settle_seconds = 0");
    let load = Load::start(&nginx(host), 8);
    gunicorn_with(&stage, &wheels, watch);
    let odd = WSGI.replace("start_response(\"200", "status = \"500 No\" if environ[\"PATH_INFO\"] != \"/healthz\" and os.urandom(1)[0] < 26 else \"200 OK\"\n    start_response(status if status != \"200 OK\" else \"200");
    release(&stage, "v2", &[("wsgi.py", &odd)]);
    stage
        .production(&["deploy"], 8)
        .says("answers since the switch were errors of the server")
        .says("serving now: v1 (");
    assert_eq!(host.run(LINK), "a\n");
    wait_for("the end of what was started", || runs_the_first_alone(host));
    release(&stage, "v3", &[]);
    stage.production(&["-v", "deploy"], 0).says("0 of ").says("errors of the server (0.0 %)");
    let report = load.stop();
    assert!(report.failed.iter().all(|failed| failed.starts_with("500 ")), "{:?}", report.failed);
}

#[test]
fn a_service_that_has_another_name_goes_back_to_the_one_before() {
    let stage = Stage::with(options(1));
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn(&stage, &wheels, "settle_seconds = 0");
    let load = Load::start(&nginx(host), 8);
    let file = stage.checkout().join("buedafab.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, text.replace("[services.web]", "[services.site]")).expect("it is written");
    release(&stage, "v2", &[]);
    stage.production(&["deploy"], 0);
    assert_eq!(host.run(ASK), "v2");
    stage.production(&["rollback"], 0);
    assert_eq!(host.run(ASK), "v1");
    wait_for("the end of the other", || {
        let said = host.run("systemctl is-active five-site five-site@b; systemctl is-enabled five-site || :");
        said == "inactive\ninactive\ndisabled\n"
    });
    // As the configuration has it no more.
    let status = stage.production(&["status"], 0);
    assert!(!status.stdout.contains("down"), "{}", status.stdout);
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}

#[test]
fn the_rule_that_is_shown_is_enough_to_cut_over() {
    let stage = Stage::with(FleetOptions { sudo: Sudo::None, ..options(1) });
    let wheels = Wheels::serve();
    let host = stage.fleet.host("web1");
    gunicorn_with(&stage, &wheels, "settle_seconds = 0");
    release(&stage, "v1", &[]);
    let systemctl = host.run("command -v systemctl").trim().to_owned();
    let allow = |rule: &str| {
        // These hosts have no D-Bus, without which only root may ask systemd.
        let rule = format!("{rule}, {systemctl} show *");
        host.run(&format!("echo '{rule}' >/etc/sudoers.d/five; chmod 440 /etc/sudoers.d/five; visudo -c"));
    };
    allow(&format!("deploy ALL=(root) NOPASSWD: {systemctl} restart other"));
    let ran = stage.production(&["deploy"], 4);
    let shown = ran.stderr.split("/etc/sudoers.d: ").nth(1).and_then(|rest| rest.split("; or set").next());
    allow(shown.expect("a line to paste"));
    stage.production(&["check"], 0).says("ready to deploy");
    for name in ["v1", "v2", "v3"] {
        if name != "v1" {
            release(&stage, name, &[]);
        }
        stage.production(&["deploy"], 0);
    }
    stage.production(&["rollback", "--rehearse"], 0);
    stage.production(&["restart"], 0);
    stage.production(&["rollback"], 0);
    assert_eq!(host.run(ASK), "v2");
    stage.production(&["check"], 0).says("ready to deploy");
    assert_eq!(host.run("systemctl is-enabled five-web buedafab-five"), "enabled\nenabled\n");
}
