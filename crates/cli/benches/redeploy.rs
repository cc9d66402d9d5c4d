//! Redeploy and rollback beside the hand-written floor: one `ssh` per host that fetches, resets, links and renames.
//!
//! Prints a table; fails on nothing. The floor and the program take turns on the same hosts, so the ratios hold on a
//! machine whose speed drifts. `script/bench` runs it; arguments choose the numbers of hosts, such as `1 10`.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use buedafab_testkit::{Fleet, FleetOptions, Remote};

const FILES: usize = 500;
const CHANGED: usize = 5;

/// Larger fleets are measured without virtualenvs: to make the first ones on one machine takes minutes.
const MOST_WITH_ENV: usize = 20;

/// A redeploy that is measured: an environment with settings of its own.
struct Row {
    what: &'static str,
    environment: &'static str,
    settings: &'static str,
    /// Whether it has a virtualenv.
    has_env: bool,
}

const ROWS: [Row; 6] = [
    Row { what: "redeploy", environment: "bench", settings: "", has_env: false },
    Row { what: "… bundle", environment: "bundle", settings: "source = \"bundle\"\n", has_env: false },
    Row { what: "… archive", environment: "archive", settings: "source = \"archive\"\n", has_env: false },
    Row { what: "… by time", environment: "time", settings: BY_TIME, has_env: false },
    Row { what: "… with env", environment: "python", settings: WITH_ENV, has_env: true },
    Row { what: "… both", environment: "both", settings: BOTH, has_env: true },
];

const BY_TIME: &str = "strategy = \"timestamp\"\nkeep = 3\n";
const WITH_ENV: &str = "recipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]\n";
const BOTH: &str =
    "strategy = \"timestamp\"\nkeep = 3\nrecipe = \"wsgi\"\npip_requirements = [\"requirements.txt\"]\n";

struct Stage {
    fleet: Fleet,
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
}

fn main() {
    let wanted: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let fleets = if wanted.is_empty() { vec![1, 10, 50] } else { wanted };
    println!(
        "A git project of {FILES} files, {CHANGED} of them changed; seconds, medians; ratios are to the cold floor.\n\
         CPU and memory are the deployer's own, with its ssh clients.\n"
    );
    println!(
        "{:>5} {:>6}  {:<10} {:>7} {:>14} {:>14} {:>8} {:>8}",
        "hosts", "RTT", "what", "floor", "cold", "warm", "CPU", "memory"
    );
    for hosts in fleets {
        for round_trip in [0, 50] {
            measure(hosts, Duration::from_millis(round_trip));
        }
    }
}

fn measure(hosts: usize, round_trip: Duration) {
    let fleet = Fleet::start(FleetOptions { hosts, ..FleetOptions::default() });
    let lines = (!round_trip.is_zero()).then(|| fleet.with_latency(round_trip));
    let path =
        lines.as_ref().map_or_else(|| fleet.client().path_variable(), |lines| lines.client().path_variable());
    let remote = Remote::temp();
    let with_env = hosts <= MOST_WITH_ENV;
    let mut stage =
        Stage { fleet, remote, runtime: tempfile::tempdir().expect("a folder"), path, commits: 0 };
    stage.prepare(with_env);
    let rounds = match hosts {
        1 => 7,
        2..=20 => 3,
        _ => 2,
    };
    let (mut floor, mut floor_back) = (Vec::new(), Vec::new());
    let (mut cold_back, mut warm_back) = (Vec::new(), Vec::new());
    let rows: Vec<&Row> = ROWS.iter().filter(|row| with_env || !row.has_env).collect();
    let mut costs: Vec<(Vec<Cost>, Vec<Cost>)> = rows.iter().map(|_| Default::default()).collect();
    for round in 0..=rounds {
        let commit = stage.commit();
        let slot = if round % 2 == 0 { "b" } else { "a" };
        let redeploy = format!(
            "cd /var/webapps/floor/releases/{slot} && git fetch -q origin && git reset -q --hard {commit} \
             && cd .. && ln -s {slot} current.new && mv -T current.new current"
        );
        let other = if round % 2 == 0 { "a" } else { "b" };
        let back = format!(
            "cd /var/webapps/floor/releases && ln -s {other} current.new && mv -T current.new current"
        );
        // The first round warms the machine up.
        let counts = round > 0;
        let floor_now = stage.floor(&redeploy);
        if counts {
            floor.push(floor_now);
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
        let floor_back_now = stage.floor(&back);
        stage.chill();
        let cold_back_now = stage.buedafab(&["rollback"]);
        stage.buedafab(&["deploy"]);
        let warm_back_now = stage.buedafab(&["rollback"]);
        if counts {
            floor_back.push(floor_back_now);
            cold_back.push(cold_back_now);
            warm_back.push(warm_back_now);
        }
    }
    for (row, (cold, warm)) in rows.iter().zip(&costs) {
        report(hosts, round_trip, row.what, &floor, cold, warm);
    }
    report(hosts, round_trip, "rollback", &floor_back, &cold_back, &warm_back);
}

fn report(hosts: usize, round_trip: Duration, what: &str, floor: &[f64], cold: &[Cost], warm: &[Cost]) {
    let walls = |costs: &[Cost]| costs.iter().map(|cost| cost.wall).collect::<Vec<_>>();
    // Each run is compared with the floor of its own round.
    let ratio = |costs: &[Cost]| {
        median(&costs.iter().zip(floor).map(|(cost, floor)| cost.wall / floor).collect::<Vec<_>>())
    };
    println!(
        "{:>5} {:>3} ms  {what:<10} {:>7.2} {:>7.2} ({:.2}) {:>7.2} ({:.2}) {:>6.2} s {:>4.0} MiB",
        hosts,
        round_trip.as_millis(),
        median(floor),
        median(&walls(cold)),
        ratio(cold),
        median(&walls(warm)),
        ratio(warm),
        median(&cold.iter().map(|cost| cost.cpu).collect::<Vec<_>>()),
        median(&cold.iter().map(|cost| cost.memory_mib).collect::<Vec<_>>()),
    );
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Stage {
    fn prepare(&mut self, with_env: bool) {
        let names: Vec<String> =
            self.fleet.hosts().iter().map(|host| format!("\"{}\"", host.name())).collect();
        let mut configuration = "unit = \"five\"\nservice = \"none\"\nconfirm = \"nothing\"\n".to_owned();
        for Row { environment, settings, .. } in ROWS {
            let hosts = names.join(", ");
            configuration.push_str(&format!(
                "[environments.{environment}]\npath = \"/var/webapps/{environment}\"\nhosts = [{hosts}]\n{settings}"
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
        let url = self.remote.url();
        self.floor(&format!(
            "mkdir -p /var/webapps/floor/releases && cd /var/webapps/floor/releases \
             && git clone -q {url} a && git clone -q {url} b && ln -s a current"
        ));
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
    fn floor(&self, script: &str) -> f64 {
        let began = Instant::now();
        let children: Vec<_> = self
            .fleet
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
        began.elapsed().as_secs_f64()
    }

    fn buedafab(&self, words: &[&str]) -> Cost {
        self.buedafab_in("bench", words)
    }

    fn buedafab_in(&self, environment: &str, words: &[&str]) -> Cost {
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
        Cost { wall, cpu: numbers[0] + numbers[1], memory_mib: numbers[2] / 1024.0 }
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
