//! Redeploy and rollback beside the hand-written floor: one `ssh` per host that fetches, resets, links and renames. Where hosts
//! reach their git server over ssh, as most do, so does their floor; the server is a host of its own, as far away as they are.
//!
//! Prints a table; fails on nothing. The floor and the program take turns on the same hosts, so the ratios hold on a
//! machine whose speed drifts. `script/bench` runs it; arguments choose the numbers of hosts, such as `1 10`.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use buedafab_testkit::{Fleet, FleetHost, FleetOptions, Lines, Relay, Remote};

const FILES: usize = 500;
const CHANGED: usize = 5;

/// Larger fleets are measured without virtualenvs: to make the first ones on one machine takes minutes.
const MOST_WITH_ENV: usize = 20;

/// Where git fetches from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Git {
    /// A folder that all hosts see.
    File,
    /// A server, over ssh.
    Ssh,
}

/// A redeploy that is measured: an environment with settings of its own.
struct Row {
    what: &'static str,
    environment: &'static str,
    settings: &'static str,
    git: Git,
    /// Whether it has a virtualenv.
    has_env: bool,
}

impl Row {
    const fn new(what: &'static str, environment: &'static str, settings: &'static str, git: Git) -> Row {
        Row { what, environment, settings, git, has_env: false }
    }

    const fn with_env(self) -> Row {
        Row { has_env: true, ..self }
    }
}

const ROWS: [Row; 7] = [
    Row::new("redeploy", "bench", "", Git::File),
    Row::new("… by time", "time", BY_TIME, Git::File),
    Row::new("… with env", "python", WITH_ENV, Git::File).with_env(),
    Row::new("… both", "both", BOTH, Git::File).with_env(),
    Row::new("over ssh", "ssh", "", Git::Ssh),
    Row::new("… bundle", "bundle", "source = \"bundle\"\n", Git::Ssh),
    Row::new("… archive", "archive", "source = \"archive\"\n", Git::Ssh),
];

const BY_TIME: &str = "strategy = \"timestamp\"\nkeep = 3\n";
const WITH_ENV: &str = "recipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]\n";
const BOTH: &str =
    "strategy = \"timestamp\"\nkeep = 3\nrecipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]\n";

struct Stage {
    fleet: Fleet,
    hosts: usize,
    lines: Lines,
    /// From the hosts to the git server.
    to_git: Relay,
    remote: Remote,
    runtime: tempfile::TempDir,
    path: OsString,
    commits: usize,
}

/// What one run of the program cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    memory_mib: f64,
    sent_kib: f64,
}

/// What the floor cost.
#[derive(Clone, Copy)]
struct Floor {
    wall: f64,
    sent_kib: f64,
}

fn main() {
    let wanted: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let fleets = if wanted.is_empty() { vec![1, 10, 50] } else { wanted };
    println!(
        "A git project of {FILES} files, {CHANGED} of them changed; seconds, medians; ratios are to the cold floor, which fetches as\n\
         the rows below it do: from a folder, or, from \"over ssh\" on, from a git server as far away as the hosts.\n\
         CPU and memory are the deployer's own, with its ssh clients. KiB are what each host received on the line,\n\
         handshakes included, from the deployer and the git server: by the floor, and by the cold run.\n"
    );
    println!(
        "{:>5} {:>6}  {:<10} {:>6} {:>13} {:>13} {:>7} {:>7} {:>14}",
        "hosts", "RTT", "what", "floor", "cold", "warm", "CPU", "memory", "KiB"
    );
    for hosts in fleets {
        for round_trip in [0, 50] {
            measure(hosts, Duration::from_millis(round_trip));
        }
    }
}

fn measure(hosts: usize, round_trip: Duration) {
    let with_env = hosts <= MOST_WITH_ENV;
    let mut stage = Stage::new(hosts, round_trip);
    stage.prepare(with_env);
    let rounds = match hosts {
        1 => 7,
        2..=20 => 3,
        _ => 2,
    };
    let mut floors: [Vec<Floor>; 2] = Default::default();
    let mut floor_back = Vec::new();
    let (mut cold_back, mut warm_back) = (Vec::new(), Vec::new());
    let rows: Vec<&Row> = ROWS.iter().filter(|row| with_env || !row.has_env).collect();
    let mut costs: Vec<(Vec<Cost>, Vec<Cost>)> = rows.iter().map(|_| Default::default()).collect();
    for round in 0..=rounds {
        let commit = stage.commit();
        let (slot, other) = if round % 2 == 0 { ("b", "a") } else { ("a", "b") };
        // The first round warms the machine up.
        let counts = round > 0;
        for (git, floor) in [Git::File, Git::Ssh].into_iter().zip(&mut floors) {
            let floor_now = stage.floor(&format!(
                "cd {}/{slot} && git fetch -q origin && git reset -q --hard {commit} \
                 && cd .. && ln -s {slot} current.new && mv -T current.new current",
                floor_releases(git)
            ));
            if counts {
                floor.push(floor_now);
            }
        }
        for (row, (cold, warm)) in rows.iter().zip(&mut costs) {
            stage.chill();
            let cold_now = stage.buedafab_in(row.environment, &["deploy"]);
            stage.commit();
            let warm_now = stage.buedafab_in(row.environment, &["deploy"]);
            stage.commit();
            if counts {
                cold.push(cold_now);
                warm.push(warm_now);
            }
        }
        let floor_back_now = stage.floor(&format!(
            "cd {} && ln -s {other} current.new && mv -T current.new current",
            floor_releases(Git::File)
        ));
        stage.chill();
        let cold_back_now = stage.buedafab_in("bench", &["rollback"]);
        stage.buedafab_in("bench", &["deploy"]);
        let warm_back_now = stage.buedafab_in("bench", &["rollback"]);
        if counts {
            floor_back.push(floor_back_now);
            cold_back.push(cold_back_now);
            warm_back.push(warm_back_now);
        }
    }
    for (row, (cold, warm)) in rows.iter().zip(&costs) {
        let floor = &floors[row.git as usize];
        report(hosts, round_trip, row.what, row.git, floor, cold, warm);
    }
    report(hosts, round_trip, "rollback", Git::Ssh, &floor_back, &cold_back, &warm_back);
}

fn floor_releases(git: Git) -> &'static str {
    match git {
        Git::File => "/var/webapps/floor/releases",
        Git::Ssh => "/var/webapps/floor-ssh/releases",
    }
}

fn report(
    hosts: usize,
    round_trip: Duration,
    what: &str,
    git: Git,
    floor: &[Floor],
    cold: &[Cost],
    warm: &[Cost],
) {
    let of = |costs: &[Cost], part: fn(&Cost) -> f64| median(costs.iter().map(part));
    // Each run is compared with the floor of its own round.
    let ratio = |costs: &[Cost]| median(costs.iter().zip(floor).map(|(cost, floor)| cost.wall / floor.wall));
    let sent = match git {
        // What git reads of a folder goes over no line.
        Git::File => "-".to_owned(),
        Git::Ssh => {
            let floor = median(floor.iter().map(|floor| floor.sent_kib));
            format!("{floor:.0} → {:.0}", of(cold, |cost| cost.sent_kib))
        }
    };
    println!(
        "{hosts:>5} {:>3} ms  {what:<10} {:>6.2} {:>6.2} ({:.2}) {:>6.2} ({:.2}) {:>5.2} s {:>3.0} MiB {sent:>14}",
        round_trip.as_millis(),
        median(floor.iter().map(|floor| floor.wall)),
        of(cold, |cost| cost.wall),
        ratio(cold),
        of(warm, |cost| cost.wall),
        ratio(warm),
        of(cold, |cost| cost.cpu),
        of(cold, |cost| cost.memory_mib),
    );
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Stage {
    fn new(hosts: usize, round_trip: Duration) -> Stage {
        // The last one is the git server.
        let fleet = Fleet::start(FleetOptions { hosts: hosts + 1, ..FleetOptions::default() });
        let lines = fleet.with_latency(round_trip);
        let server = &fleet.hosts()[hosts];
        let to_git = Relay::start(server.address(), round_trip / 2);
        let path = lines.client().path_variable();
        let stage = Stage {
            hosts,
            lines,
            to_git,
            remote: Remote::temp(),
            runtime: tempfile::tempdir().expect("a folder"),
            path,
            commits: 0,
            fleet,
        };
        for host in stage.hosts() {
            stage.let_in(host);
        }
        stage
    }

    fn hosts(&self) -> &[FleetHost] {
        &self.fleet.hosts()[..self.hosts]
    }

    /// A host has a key for the git server, and knows it by the name by which the deployer does.
    fn let_in(&self, host: &FleetHost) {
        let (name, address, identity) =
            (self.server().name(), self.to_git.address(), self.fleet.identity().display().to_string());
        let config = format!(
            "Host {name}\n  HostName {}\n  Port {}\n  HostKeyAlias {name}\n  LogLevel ERROR\n",
            address.ip(),
            address.port()
        );
        host.run(&format!(
            "cd /home/deploy/.ssh && printf '{config}' >config && install -m 600 {identity} id_ed25519 && chown deploy: *"
        ));
    }

    fn server(&self) -> &FleetHost {
        &self.fleet.hosts()[self.hosts]
    }

    fn url(&self, git: Git) -> String {
        match git {
            Git::File => self.remote.url(),
            Git::Ssh => format!("ssh://deploy@{}{}", self.server().name(), self.remote.path().display()),
        }
    }

    /// What each host has received so far.
    fn received_kib(&self) -> f64 {
        let sent: u64 = self.hosts().iter().map(|host| self.lines.relay(host.name()).carried_there()).sum();
        (sent + self.to_git.carried_back()) as f64 / 1024.0 / self.hosts as f64
    }

    fn prepare(&mut self, with_env: bool) {
        let names: Vec<String> = self.hosts().iter().map(|host| format!("\"{}\"", host.name())).collect();
        let hosts = names.join(", ");
        let mut configuration = "unit = \"five\"\nservice = \"none\"\nconfirm = \"nothing\"\n".to_owned();
        for Row { environment, settings, git, .. } in ROWS {
            let url = self.url(git);
            configuration.push_str(&format!(
                "[environments.{environment}]\npath = \"/var/webapps/{environment}\"\nhosts = [{hosts}]\n\
                 scm = \"{url}\"\n{settings}"
            ));
        }
        std::fs::write(self.remote.checkout_dir().join("buedafab.toml"), configuration)
            .expect("it is written");
        let texts: Vec<(String, String)> = (0..FILES)
            .map(|number| (format!("app/module_{number}.py"), format!("# {number}\n").repeat(50)))
            .collect();
        let files: Vec<(&str, &str)> =
            texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        // What an env is made from matters here, not how long it takes to make.
        let files: Vec<(&str, &str)> = [("requirements.txt", "# none\n")].into_iter().chain(files).collect();
        self.remote.commit(&files, "the app");
        self.remote.push();
        for row in ROWS.iter().filter(|row| with_env || !row.has_env) {
            self.buedafab_in(row.environment, &["deploy"]);
            self.commit();
            self.buedafab_in(row.environment, &["deploy"]);
        }
        for git in [Git::File, Git::Ssh] {
            let (url, releases) = (self.url(git), floor_releases(git));
            self.floor(&format!(
                "mkdir -p {releases} && cd {releases} && git clone -q {url} a && git clone -q {url} b && ln -s a current"
            ));
        }
    }

    fn commit(&mut self) -> String {
        self.commits += 1;
        let texts: Vec<(String, String)> = (0..CHANGED)
            .map(|number| {
                let file = (self.commits * CHANGED + number) % FILES;
                (format!("app/module_{file}.py"), format!("# changed {}\n", self.commits).repeat(50))
            })
            .collect();
        let files: Vec<(&str, &str)> =
            texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let commit = self.remote.commit(&files, "a change");
        self.remote.push();
        commit
    }

    /// One `ssh` per host, all at once, each with a handshake of its own.
    fn floor(&self, script: &str) -> Floor {
        let (before, began) = (self.received_kib(), Instant::now());
        let children: Vec<_> = self
            .hosts()
            .iter()
            .map(|host| {
                Command::new("ssh")
                    .args(["-o", "ControlPath=none", "-o", "BatchMode=yes", host.name(), script])
                    .env("PATH", &self.path)
                    .stdin(Stdio::null())
                    .spawn()
                    .expect("ssh starts")
            })
            .collect();
        for mut child in children {
            assert!(child.wait().expect("it ends").success(), "the floor failed");
        }
        Floor { wall: began.elapsed().as_secs_f64(), sent_kib: self.received_kib() - before }
    }

    fn buedafab_in(&self, environment: &str, words: &[&str]) -> Cost {
        let before = self.received_kib();
        let figures = self.runtime.path().join("figures");
        let began = Instant::now();
        let status = Command::new("time")
            .args(["-q", "-f", "%U %S %M", "-o"])
            .arg(&figures)
            .arg(env!("CARGO_BIN_EXE_buedafab"))
            .arg(environment)
            .args(words)
            .current_dir(self.remote.checkout_dir())
            .env("PATH", &self.path)
            // As every login has it.
            .env("LOGNAME", "bench")
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("XDG_STATE_HOME", self.runtime.path().join("state"))
            .env("XDG_CACHE_HOME", self.runtime.path().join("cache"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("time starts: it is Debian's package `time`");
        let wall = began.elapsed().as_secs_f64();
        assert!(status.success(), "{words:?} failed: {status}");
        let figures = std::fs::read_to_string(figures).expect("time wrote them");
        let numbers: Vec<f64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        Cost {
            wall,
            cpu: numbers[0] + numbers[1],
            memory_mib: numbers[2] / 1024.0,
            sent_kib: self.received_kib() - before,
        }
    }

    /// Ends all connections that are kept warm.
    fn chill(&self) {
        let Ok(sockets) = std::fs::read_dir(self.runtime.path().join("buedafab")) else { return };
        for socket in sockets.flatten() {
            end_master(&socket.path());
        }
    }
}

fn end_master(socket: &Path) {
    let _ = Command::new("ssh")
        .args(["-O", "exit", "-o"])
        .arg(format!("ControlPath={}", socket.display()))
        .arg("nowhere")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let _ = std::fs::remove_file(socket);
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.chill();
    }
}
