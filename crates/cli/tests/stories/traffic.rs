//! Hosts behind a load balancer: a rolling release that no visitor notices, also where its deployer is killed in the middle of it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use buedafab_testkit::FleetOptions;

use super::stage::{Stage, production, step_starts, wait_for};

/// It says which release it is, and after a while; and how it is, as the flag wants it.
const APP: &str = r#"
import http.server, os, sys, time

SAYS = open("version").read().encode()
FLAG = "/var/webapps/five/shared/drained"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz" and os.path.exists(FLAG):
            return self.send_error(404)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/":
            time.sleep(0.05)
        self.send_response(200)
        self.send_header("Content-Length", str(len(SAYS)))
        self.end_headers()
        self.wfile.write(SAYS)

    do_POST = do_GET

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


address, port = sys.argv[1].split(":")
Server((address, int(port)), Handler).serve_forever()
"#;

/// What was under way is lost with the old process: only a host without visitors can be restarted like this.
const RESTART: &str = "[ ! -e /tmp/pid ] || kill -KILL $(cat /tmp/pid) 2>/dev/null; cd ../current; \
    setsid python3 app.py $(cat /tmp/address) >/tmp/log 2>&1 & echo $! >/tmp/pid; \
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
    [ \"$(curl -s $(cat /tmp/address)/ping)\" = \"$(cat version)\" ] && exit; sleep 0.2; done; exit 1";

/// HAProxy in front of hosts, each at a port of its address.
struct Balancer {
    process: Child,
    address: SocketAddr,
    stats: PathBuf,
    _folder: tempfile::TempDir,
}

impl Balancer {
    fn before(servers: &[(String, String)]) -> Balancer {
        let folder = tempfile::tempdir().expect("a folder");
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let stats = folder.path().join("stats");
        let servers: String = servers
            .iter()
            .map(|(name, address)| format!("  server {name} {address} check inter 200ms fall 1 rise 1\n"))
            .collect();
        let config = format!(
            "global\n  stats socket {} level admin\ndefaults\n  mode http\n  retries 0\n  timeout connect 5s\n  timeout client 10s\n  \
             timeout server 10s\nfrontend visitors\n  bind {address}\n  default_backend five\nbackend five\n  balance roundrobin\n  \
             option httpchk GET /healthz\n  http-check disable-on-404\n{servers}",
            stats.display()
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, config).expect("it is written");
        let process = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("haproxy is installed");
        Balancer { process, address, stats, _folder: folder }
    }

    /// What it thinks of each host: `UP`, `NOLB`, `DOWN`.
    fn states(&self) -> Vec<String> {
        let Ok(mut stats) = UnixStream::connect(&self.stats) else { return Vec::new() };
        let mut said = String::new();
        let asked = stats.write_all(b"show stat\n").and_then(|()| stats.read_to_string(&mut said));
        asked.expect("it answers");
        let servers = said.lines().filter(|line| line.starts_with("five,web"));
        servers.map(|line| line.split(',').nth(17).unwrap_or_default().to_owned()).collect()
    }

    fn is_up(&self) -> bool {
        let states = self.states();
        !states.is_empty() && states.iter().all(|state| state == "UP")
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What visitors have seen.
#[derive(Debug, Default)]
struct Visits {
    answers: u32,
    releases: BTreeSet<String>,
    failures: Vec<String>,
}

/// Visitors who come one after the other, until they are sent home.
struct Visitors {
    go_on: Arc<AtomicBool>,
    visits: Arc<Mutex<Visits>>,
    threads: Vec<JoinHandle<()>>,
}

impl Visitors {
    fn of(address: SocketAddr) -> Visitors {
        let (go_on, visits) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Visits::default())));
        let visitor = |number: usize| {
            let (go_on, visits) = (go_on.clone(), visits.clone());
            std::thread::spawn(move || {
                while go_on.load(Ordering::Relaxed) {
                    let answer = visit(address, if number.is_multiple_of(2) { "GET" } else { "POST" });
                    let mut visits = visits.lock().expect("nobody panics with it");
                    match answer {
                        Ok(release) => {
                            visits.answers += 1;
                            visits.releases.insert(release);
                        }
                        Err(why) => visits.failures.push(why),
                    }
                }
            })
        };
        let threads = (0..6).map(visitor).collect();
        Visitors { go_on, visits, threads }
    }

    fn go_home(self) -> Visits {
        self.go_on.store(false, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
        std::mem::take(&mut self.visits.lock().expect("nobody has it"))
    }
}

/// The release that answers; or what came instead.
fn visit(address: SocketAddr, method: &str) -> Result<String, String> {
    let mut answer = String::new();
    let ask = |answer: &mut String| {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "{method} / HTTP/1.1\r\nHost: five\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        )?;
        stream.read_to_string(answer)
    };
    ask(&mut answer).map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("cut short: {answer:?}"))?;
    if head.split(' ').nth(1) == Some("200") { Ok(body.to_owned()) } else { Err(answer) }
}

/// Two hosts that serve `first`, behind a load balancer that knows of both; `drain` says how they are taken out of traffic, where its word is
/// given at this socket.
fn balanced(drain: impl Fn(&Path) -> String) -> (Stage, Balancer) {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let hosts = stage.fleet.hosts();
    let servers: Vec<(String, String)> =
        hosts.iter().map(|host| (host.name().to_owned(), format!("{}:8126", host.address().ip()))).collect();
    for (host, (_, address)) in hosts.iter().zip(&servers) {
        host.run(&format!("echo {address} >/tmp/address"));
    }
    let balancer = Balancer::before(&servers);
    stage.configure(&format!(
        "unit = \"five\"\n{}\ndrain_grace_seconds = 1\nundrain_grace_seconds = 1\n[hooks]\nrestart = '''{RESTART}'''\ncheck = \"[ ! -e broken ]\"\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
        drain(&balancer.stats)
    ));
    stage.release_with("first", &[("app.py", APP)]);
    stage.production(&["deploy"], 0);
    wait_for("the load balancer knows of both", || balancer.is_up());
    (stage, balancer)
}

fn by_file(_: &Path) -> String {
    "drain = \"file\"".to_owned()
}

/// By HAProxy's runtime API, asked by the deployer.
fn by_command(stats: &Path) -> String {
    let say = |state: &str| {
        // As `docs/draining.md` shows it, without the ssh.
        format!(
            "said=$(echo \"set server five/$BUEDAFAB_HOST state {state}\" | socat stdio {}) || exit; \
             [ -z \"$said\" ] || {{ echo \"$said\"; exit 1; }}",
            stats.display()
        )
    };
    format!(
        "drain = {{ command = '''{}''', undo = '''{}''', on = \"deployer\" }}",
        say("drain"),
        say("ready")
    )
}

#[test]
fn no_visitor_notices_a_rolling_release() {
    let (stage, balancer) = balanced(by_file);
    let visitors = Visitors::of(balancer.address);
    stage.release_with("two", &[("app.py", APP)]);
    let ran = stage.production(&["deploy", "--yes"], 0);
    ran.says("hosts change in 2 waves rather than 1, so that 1 stays in traffic");
    stage.production(&["rollback", "--yes"], 0);
    let visits = visitors.go_home();
    assert_eq!(visits.failures, Vec::<String>::new(), "beside {} answers", visits.answers);
    assert_eq!(visits.releases.into_iter().collect::<Vec<_>>(), ["first", "two"]);
    assert!(visits.answers > 100, "{}", visits.answers);
}

/// The deployer dies in the moment when a host was taken out, when it was switched, and when it is put back: the host is back in traffic by
/// itself, and serves what it served.
#[test]
fn a_host_whose_deployer_is_killed_comes_back_into_traffic() {
    let (stage, balancer) = balanced(by_file);
    stage.release_with("two", &[("app.py", APP)]);
    for (host, visited) in [("web1", true), ("web2", false)] {
        // A host that was through is in traffic, and goes back there: nobody is left who could take one after the other out of it.
        let visitors = visited.then(|| Visitors::of(balancer.address));
        for step in ["take it out of traffic", "switch the link", "restart"] {
            let mut run = stage.start(&["deploy", "--yes"]);
            run.wait_for(step_starts(host, step));
            run.signal("KILL");
            let _ = run.child.wait();
            stage.wait_until_free();
            for host in stage.fleet.hosts() {
                host.run("! [ -e /var/webapps/five/shared/drained ] && ! [ -e /var/webapps/five/.buedafab/drained ]");
                assert_eq!(
                    host.read("/var/webapps/five/releases/current/version"),
                    "first",
                    "killed at {step:?}"
                );
            }
            wait_for("both are in traffic again", || balancer.is_up());
        }
        let visits = visitors.map(Visitors::go_home).unwrap_or_default();
        assert_eq!(visits.failures, Vec::<String>::new(), "beside {} answers", visits.answers);
        assert_eq!(visits.answers > 100, visited);
    }
    let documents = stage.status();
    assert!(documents.iter().all(|document| document["drained"] == serde_json::Value::Null), "{documents:?}");
}

/// What a person takes out stays out, whoever deploys; and what would leave nobody is refused.
#[test]
fn a_host_that_a_person_took_out_stays_out() {
    let (stage, balancer) = balanced(by_command);
    stage.production(&["drain", "web1"], 0);
    assert_eq!(balancer.states(), ["DRAIN", "UP"]);
    stage.production(&["drain", "web2"], 4).says("too few hosts would stay in traffic").says("undrain web1");
    stage.production(&["status"], 0).says("web1: taken out of traffic").says("ada@");
    stage.release_with("two", &[("app.py", APP)]);
    // The other one can't be taken out, too.
    stage.production(&["deploy", "--yes"], 4).says("web1 is out already");
    stage.production(&["--hosts", "web1", "deploy", "--yes"], 0);
    assert_eq!(balancer.states()[0], "DRAIN");
    stage.production(&["undrain", "web1"], 0);
    wait_for("it is back", || balancer.is_up());
    stage.production(&["undrain", "web1"], 0).says("nobody has taken it out of traffic");
    stage.production(&["history"], 0).says("back in traffic");
    stage.production(&["deploy", "--yes"], 0);
    for host in stage.fleet.hosts() {
        assert_eq!(host.read("/var/webapps/five/releases/current/version"), "two");
    }
    wait_for("both are in traffic again", || balancer.is_up());
    stage.production(&["drain"], 2).says("drain which host?");
}

/// What only the deployer could put back, each host says of itself, until somebody has: the next run does.
#[test]
fn a_host_that_its_deployer_left_out_is_put_back_by_the_next() {
    let (stage, balancer) = balanced(by_command);
    stage.release_with("two", &[("app.py", APP)]);
    let mut run = stage.start(&["deploy", "--yes"]);
    run.wait_for(|event| {
        event["event"] == "deployer_started"
            && event["title"].as_str().is_some_and(|title| title.starts_with("take web1 out"))
    });
    wait_for("it is out", || balancer.states() == ["DRAIN", "UP"]);
    run.signal("KILL");
    let _ = run.child.wait();
    stage.wait_until_free();
    assert_eq!(balancer.states(), ["DRAIN", "UP"]);
    stage.production(&["status"], 0).says("it may be out of traffic: the run");
    stage.production(&["check"], 0).says("`undrain` puts it back");
    let visitors = Visitors::of(balancer.address);
    stage.production(&["deploy", "--yes"], 0);
    wait_for("both are in traffic again", || balancer.is_up());
    assert_eq!(visitors.go_home().failures, Vec::<String>::new());
    assert!(stage.status().iter().all(|document| document["drained"] == serde_json::Value::Null));
    // A release that isn't well goes back, and its host into traffic again.
    stage.release_with("three", &[("app.py", "raise SystemExit(1)\n")]);
    stage.production(&["deploy", "--yes"], 8).says("serving now: two (");
    wait_for("both are in traffic again", || balancer.is_up());
    assert!(stage.status().iter().all(|document| document["drained"] == serde_json::Value::Null));
}

/// By a file on the deployer, which no load balancer reads; neither command works while it lacks its folder.
fn by_flag(stats: &Path) -> String {
    let flags = stats.with_file_name("flags");
    format!(
        "drain = {{ command = 'touch {0}/$BUEDAFAB_HOST', undo = 'cd {0} && rm -f $BUEDAFAB_HOST', on = \"deployer\" }}",
        flags.display()
    )
}

/// Whoever can't put a host back says so, and whatever comes after it doesn't forget it.
#[test]
fn a_host_that_cant_be_put_back_says_so() {
    let (stage, balancer) = balanced(by_flag);
    let flags = balancer.stats.with_file_name("flags");
    let notes = || {
        let hosts = stage.fleet.hosts().iter();
        let note = "[ ! -e /var/webapps/five/.buedafab/drained ] || echo out";
        hosts.map(|host| host.run(note).contains("out")).collect::<Vec<bool>>()
    };
    let flagged = || ["web1", "web2"].map(|host| flags.join(host).exists());
    // By hand, where the command fails: it is taken back, as far as that can be done.
    stage.production(&["drain", "web1"], 9).says("put web1 back into traffic: exit status");
    assert_eq!(notes(), [true, false]);
    std::fs::create_dir(&flags).expect("a folder");
    stage.production(&["undrain", "web1"], 0);
    assert_eq!(notes(), [false, false]);
    // A release that isn't well, in a moment in which nothing can be put back.
    stage.release_with("two", &[("app.py", "raise SystemExit(1)\n")]);
    let mut run = stage.start(&["deploy", "--yes"]);
    run.wait_for(step_starts("web1", "switch the link"));
    std::fs::rename(&flags, flags.with_extension("away")).expect("it is there");
    let (end, code) = run.finish();
    assert_eq!((code, &end["out_of_traffic"]), (9, &serde_json::json!(["web1"])));
    std::fs::rename(flags.with_extension("away"), &flags).expect("it is there");
    assert_eq!(flagged(), [true, false]);
    assert_eq!(notes(), [true, false]);
    stage.production(&["status"], 0).says("it may be out of traffic: the run");
    for host in stage.fleet.hosts() {
        assert_eq!(host.read("/var/webapps/five/releases/current/version"), "first");
    }
    // One that comes to nothing before it changes any host leaves that as it is.
    stage.release_with("three", &[("broken", "")]);
    stage.production(&["deploy", "--yes"], 7);
    assert_eq!((flagged(), notes()), ([true, false], vec![true, false]));
    // What puts it back may be wrong: it is mended, or a person does it.
    let wrong = by_flag(&balancer.stats).replace("rm -f", "/nosuch/rm -f");
    stage.configure(&format!("unit = \"five\"\nservice = \"none\"\n{wrong}\n{}", production(2)));
    stage.production(&["undrain", "web1"], 7).says("web1: exit status 127");
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\n{}\n{}",
        "drain = \"file\"",
        production(2)
    ));
    stage.production(&["deploy", "--yes", "--force"], 4).says("in another way than `drain` says now");
    // The others alone may not leave it to nobody.
    stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\n{}\n{}",
        by_flag(&balancer.stats),
        production(2)
    ));
    stage.production(&["--hosts", "web2", "deploy", "--yes"], 4).says("web1 is not known to be in it");
    stage.production(&["undrain", "web1"], 0);
    assert_eq!((flagged(), notes()), ([false, false], vec![false, false]));
    stage
        .production(&["--hosts", "web2", "deploy", "--yes", "--dry-run"], 0)
        .says("take web2 out of traffic");
}

/// A command that takes long ends with its deployer, or when its time is over: nobody would know what it still does.
#[test]
fn a_command_that_takes_a_host_out_ends_with_its_deployer() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let pid = stage.state().join("pid");
    std::fs::create_dir_all(stage.state()).expect("a folder");
    let slow = format!("echo $$ >{0}.new; mv {0}.new {0}; sleep 1000; exit", pid.display());
    let drain = |seconds: u32| {
        format!(
            "unit = \"five\"\nservice = \"none\"\ndrain_timeout_seconds = {seconds}\n\
             drain = {{ command = '{slow}', undo = 'true', on = \"deployer\" }}\n{}",
            production(2)
        )
    };
    stage.configure(&format!("unit = \"five\"\nservice = \"none\"\n{}", production(2)));
    stage.production(&["deploy"], 0);
    stage.configure(&drain(600));
    let id = || std::fs::read_to_string(&pid).unwrap_or_default().trim().to_owned();
    let runs = |id: &str| std::path::Path::new("/proc").join(id).join("cwd").exists();
    let mut run = stage.start(&["drain", "web1"]);
    wait_for("it runs", || !id().is_empty());
    run.signal("KILL");
    let _ = run.child.wait();
    let killed = id();
    wait_for("it has ended", || !runs(&killed));
    stage.wait_until_free();
    stage.production(&["undrain", "web1"], 0);
    stage.configure(&drain(1));
    stage.production(&["drain", "web1"], 7).says("ran for longer than");
    let ended = id();
    wait_for("it has ended", || !runs(&ended));
    // What was taken back is in traffic.
    assert!(stage.status().iter().all(|document| document["drained"] == serde_json::Value::Null));
}
