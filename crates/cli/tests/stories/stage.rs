//! A stage for stories: a fleet, a git remote, a project, and the program as a person runs it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use buedafab_testkit::{Fleet, FleetOptions, Remote};
use serde_json::Value;

/// A fleet and a project that is deployed to it.
pub(crate) struct Stage {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) remote: Remote,
    path: OsString,
    runtime: tempfile::TempDir,
    /// The app's folder on the hosts.
    pub(crate) app: String,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The app notes which release it serves. A file on the host makes its check fail, another names the release whose
/// restart fails.
const HOOKS: &str = r#"
[hooks]
check = "test ! -e /tmp/fail-check || { echo the check says no; exit 1; }"
restart = "cat version >../../served; ! grep -qsx \"$(cat version)\" /tmp/fail-restart || { echo the restart says no >&2; exit 3; }"
"#;

impl Stage {
    /// Three hosts.
    pub(crate) fn new() -> Stage {
        Stage::with(FleetOptions { hosts: 3, ..FleetOptions::default() })
    }

    pub(crate) fn with(options: FleetOptions) -> Stage {
        Stage::of(Fleet::start(options), Remote::temp())
    }

    /// A stage with this fleet, and a remote that nothing was pushed to yet.
    pub(crate) fn of(fleet: Fleet, remote: Remote) -> Stage {
        let hosts = fleet.hosts().len();
        let stage = Stage::bare(Arc::new(fleet), remote);
        // Stories change it and deploy what was committed before: it is in no release but where one adds it by force.
        std::fs::write(stage.checkout().join(".git/info/exclude"), "/buedafab.toml\n")
            .expect("it is written");
        stage.configure(&format!("unit = \"five\"\n{HOOKS}{}", production(hosts)));
        stage.release("one");
        stage
    }

    /// A stage with nothing in its checkout. Several may share a fleet.
    pub(crate) fn bare(fleet: Arc<Fleet>, remote: Remote) -> Stage {
        remote.git(&["config", "user.name", "Ada"]);
        remote.git(&["config", "user.email", "ada@example.com"]);
        Stage {
            path: fleet.client().path_variable(),
            fleet,
            remote,
            runtime: tempfile::tempdir().expect("a folder"),
            app: "/var/webapps/five".to_owned(),
        }
    }

    /// Replaces the configuration. What `scm` isn't said is the stage's remote.
    pub(crate) fn configure(&self, text: &str) {
        let limits = "lost_after_seconds = 3\nconnect_timeout_seconds = 5\n";
        // Releases are called `one` and `two` in most stories.
        let versions = if text.contains("version_pattern") { "" } else { "version_pattern = '.'\n" };
        // Nobody sits in front of most of them.
        let confirm = if text.contains("confirm =") { "" } else { "confirm = 'nothing'\n" };
        let text = format!("{limits}{versions}{confirm}{text}");
        std::fs::write(self.remote.checkout_dir().join("buedafab.toml"), text).expect("it is written");
    }

    /// The usual configuration with something before it.
    pub(crate) fn configure_with(&self, top: &str) {
        self.configure(&format!(
            "{top}\n{}{HOOKS}{}",
            if top.contains("unit =") { "" } else { "unit = \"five\"" },
            production(self.fleet.hosts().len())
        ));
    }

    /// From here on the configuration is committed with the rest, as projects do.
    pub(crate) fn commit_configuration(&self) {
        std::fs::write(self.excluded(), "").expect("it is written");
    }

    fn excluded(&self) -> PathBuf {
        self.checkout().join(".git/info/exclude")
    }

    /// Hosts are reached through these lines from now on.
    pub(crate) fn use_path(&mut self, path: OsString) {
        self.path = path;
    }

    /// A new pushed commit whose `version` file says `name`, with a tag of that name.
    pub(crate) fn release(&self, name: &str) -> String {
        self.release_with(name, &[("app.txt", &format!("the app, {name}\n"))])
    }

    /// Such a commit of other files.
    pub(crate) fn release_with(&self, name: &str, files: &[(&str, &str)]) -> String {
        let commit = self.remote.commit(&[&[("version", name)], files].concat(), name);
        self.remote.tag(name);
        self.remote.push();
        commit
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_buedafab"));
        command
            .args(words)
            .current_dir(self.remote.checkout_dir())
            .env("PATH", &self.path)
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("XDG_CACHE_HOME", self.cache())
            .env("XDG_STATE_HOME", self.state())
            .env("USER", "ada")
            .env_remove("LOGNAME")
            .env_remove("SSH_AUTH_SOCK")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        // Whoever runs the tests may sit at a terminal, at which nothing is to be asked.
        let command = self.command(words);
        let mut apart = Command::new("setsid");
        apart.arg("--wait").arg(command.get_program()).args(command.get_args());
        copy_surroundings(&command, &mut apart);
        let output: Output = apart.stdin(Stdio::null()).output().expect("it runs");
        Ran::of(output)
    }

    /// Runs `buedafab production …`, and expects this exit code.
    #[track_caller]
    pub(crate) fn production(&self, words: &[&str], code: i32) -> Ran {
        let mut all = vec!["production"];
        all.extend(words);
        let ran = self.run(&all);
        assert_eq!(ran.code, code, "{words:?}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Starts the program and reads its events.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        let mut all = vec!["--json", "production"];
        all.extend(words);
        let mut child =
            self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        Running { child, events: BufReader::new(stdout).lines(), stderr }
    }

    /// What every host serves, as the app noted it, and which release its link leads to; both must agree.
    #[track_caller]
    pub(crate) fn serving(&self) -> Vec<String> {
        let app = &self.app;
        let ask =
            format!("cd '{app}' 2>/dev/null || exit; cat served; echo; cat releases/current/version; echo");
        let hosts = self.fleet.hosts().iter();
        hosts
            .map(|host| {
                let said = String::from_utf8(host.exec(&ask).stdout).expect("UTF-8");
                let mut lines = said.lines();
                let (served, linked) = (lines.next().unwrap_or("-"), lines.next().unwrap_or("-"));
                assert_eq!(
                    served,
                    linked,
                    "on {}: the app runs another release than the link's",
                    host.name()
                );
                served.to_owned()
            })
            .collect()
    }

    /// Waits until no runner holds a lock on any host.
    pub(crate) fn wait_until_free(&self) {
        let lock = format!("{}/.buedafab/lock", self.app);
        wait_for("the locks are free", || {
            self.fleet.hosts().iter().all(|host| {
                host.exec(&format!("[ ! -e '{lock}' ] || flock -n '{lock}' true")).status.success()
            })
        });
    }

    /// The status documents, one a host.
    pub(crate) fn status(&self) -> Vec<Value> {
        let ran = self.run(&["production", "status", "--json"]);
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
    }

    /// Where the program keeps what it has fetched.
    pub(crate) fn cache(&self) -> PathBuf {
        self.runtime.path().join("cache")
    }

    /// Where the program keeps the sockets of its connections.
    pub(crate) fn private_folder(&self) -> PathBuf {
        self.runtime.path().join("buedafab")
    }

    /// Where the program keeps what it was told of runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.runtime.path().join("state")
    }

    pub(crate) fn checkout(&self) -> &Path {
        self.remote.checkout_dir()
    }
}

/// The folder and the variables of a command, for another.
pub(crate) fn copy_surroundings(from: &Command, to: &mut Command) {
    to.current_dir(from.get_current_dir().expect("it is set"));
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
}

pub(crate) fn production(hosts: usize) -> String {
    let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
    format!("\n[environments.production]\nhosts = [{}]\n", names.join(", "))
}

impl Ran {
    pub(crate) fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert!(all.contains(words), "it should say {words:?}:\n{all}");
        self
    }
}

/// A run whose events are read as they come.
pub(crate) struct Running {
    pub(crate) child: Child,
    events: Lines<BufReader<ChildStdout>>,
    stderr: ChildStderr,
}

impl Running {
    /// The next event; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let line = self.events.next()?.expect("it is read");
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Reads events up to one that fits.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        while let Some(event) = self.next() {
            if fits(&event) {
                return event;
            }
            seen.push(event.to_string());
        }
        let mut words = String::new();
        let _ = std::io::Read::read_to_string(&mut self.stderr, &mut words);
        panic!("it ended first:\n{}\n{words}", seen.join("\n"));
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Reads to the end: the last event, and the exit code.
    pub(crate) fn finish(mut self) -> (Value, i32) {
        let mut last = Value::Null;
        while let Some(event) = self.next() {
            last = event;
        }
        (last, self.child.wait().expect("it ends").code().unwrap_or(-1))
    }
}

/// Whether an event is the start of a step whose title begins so, on a host (`""`: any).
pub(crate) fn step_starts<'a>(host: &'a str, title: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |event| {
        event["event"] == "step_started"
            && (host.is_empty() || event["host"] == host)
            && event["title"].as_str().is_some_and(|words| words.starts_with(title))
    }
}

/// Waits for a condition, with a limit.
#[track_caller]
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        std::thread::sleep(Duration::from_millis(30));
    }
}
