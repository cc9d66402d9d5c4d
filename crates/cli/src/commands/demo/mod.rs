//! `demo`: a git remote, a small web app and three hosts on this machine, and real deploys to them.

use buedafab_engine::{has_program, program};
use buedafab_model::run::exit_code::ExitCode;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use buedafab_model::shell::{quote, typed_words};

use crate::arguments::DemoArgs;
use crate::exit::CliError;
use crate::report::{leave_outputs, print_talk};

const APP: &str = include_str!("app.py");
const RESTART: &str = include_str!("restart.sh");
const HEALTHY: &str = include_str!("healthy.py");
const HOSTS: [&str; 3] = ["web1", "web2", "web3"];

struct Demo {
    folder: PathBuf,
    checkout: PathBuf,
}

pub(crate) fn demo(arguments: &DemoArgs) -> Result<ExitCode, CliError> {
    let folder =
        std::path::absolute(&arguments.folder).map_err(|error| CliError::usage(error.to_string()))?;
    for tool in ["git", "python3", "flock", "setsid"] {
        if !has_program(tool) {
            return Err(CliError::usage(format!("the demo needs {tool}"))
                .hint("Debian: apt-get install git python3 util-linux"));
        }
    }
    if folder.exists() {
        return Err(CliError::usage(format!("{} exists already", folder.display()))
            .hint("name another folder: buedafab demo FOLDER"));
    }
    let demo = Demo { checkout: folder.join("app"), folder };
    demo.set_up()?;
    demo.play()?;
    demo.say_goodbye();
    Ok(ExitCode::Done)
}

impl Demo {
    fn set_up(&self) -> Result<(), CliError> {
        let failed = |error: std::io::Error| CliError::usage(format!("can't set up the demo: {error}"));
        fs::create_dir_all(&self.folder).map_err(failed)?;
        self.git(&self.folder, &["init", "--quiet", "--bare", "--initial-branch=master", "remote.git"])?;
        self.git(&self.folder, &["clone", "--quiet", "remote.git", "app"])?;
        // Held open together, so that three different ports come out.
        let listeners: Result<Vec<TcpListener>, _> =
            HOSTS.iter().map(|_| TcpListener::bind("127.0.0.1:0")).collect();
        for (name, listener) in HOSTS.iter().zip(listeners.map_err(failed)?) {
            let host = self.folder.join("hosts").join(name);
            fs::create_dir_all(&host).map_err(failed)?;
            let port = listener.local_addr().map_err(failed)?.port();
            fs::write(host.join("port"), format!("{port}\n")).map_err(failed)?;
        }
        fs::write(self.checkout.join("buedafab.toml"), self.configuration()).map_err(failed)?;
        fs::write(self.checkout.join("restart.sh"), RESTART).map_err(failed)?;
        fs::write(self.checkout.join("healthy.py"), HEALTHY).map_err(failed)?;
        fs::write(self.checkout.join(".gitignore"), "app.pid\napp.log\n__pycache__/\n").map_err(failed)?;
        self.release("v0.1.0", "Say hello", &APP.replace("GREETING", "hello"))?;
        self.release("v0.2.0", "Say it in French", &APP.replace("GREETING", "bonjour"))?;
        self.release("v0.3.0", "Say it in a hurry", "print('an app that nobody can run'\n")
    }

    fn configuration(&self) -> String {
        let hosts = self.folder.join("hosts");
        let hosts: Vec<String> = HOSTS
            .iter()
            .map(|name| format!("  {{ name = \"{name}\", path = {} }},\n", toml_string(&hosts.join(name))))
            .collect();
        format!(
            "unit = \"hello\"\n\n\
             [hooks]\n\
             check = \"python3 -m py_compile app.py\"\n\
             restart = \"sh restart.sh\"\n\
             verify = \"python3 healthy.py \\\"$BUEDAFAB_DESCRIBE\\\"\"\n\n\
             [health]\n\
             command = \"python3 healthy.py\"\n\
             interval_seconds = 1\n\n\
             [environments.production]\n\
             connect = \"sh\"                # these hosts are folders on this machine\n\
             hosts = [\n{}]\n",
            hosts.concat()
        )
    }

    fn release(&self, tag: &str, message: &str, app: &str) -> Result<(), CliError> {
        fs::write(self.checkout.join("app.py"), app)
            .map_err(|error| CliError::usage(format!("can't write the app: {error}")))?;
        self.git(&self.checkout, &["add", "--all"])?;
        self.git(&self.checkout, &["commit", "--quiet", "--message", message])?;
        self.git(&self.checkout, &["tag", tag])?;
        self.git(&self.checkout, &["push", "--quiet", "--tags", "origin", "HEAD:master"])
    }

    fn play(&self) -> Result<(), CliError> {
        print_talk(&format!("A git remote, an app and three hosts are in {}.\n", self.folder.display()));
        self.show(
            "The first release, on three hosts at once.",
            &["production", "deploy:release=v0.1.0"],
            ExitCode::Done,
        )?;
        self.show("The next one.", &["production", "deploy:release=v0.2.0"], ExitCode::Done)?;
        self.show(
            "A release whose check fails: nothing changes anywhere.",
            &["production", "deploy:release=v0.3.0"],
            ExitCode::FailedBefore,
        )?;
        self.show("What runs where?", &["production", "status"], ExitCode::Done)?;
        self.show("Back to the release before.", &["production", "rollback"], ExitCode::Done)?;
        self.show("What happened?", &["production", "history"], ExitCode::Done)?;
        self.show("And what do the apps say?", &["production", "run", "--", ASK], ExitCode::Done)
    }

    /// Runs this very program, as a person would.
    fn show(&self, what: &str, words: &[&str], expected: ExitCode) -> Result<(), CliError> {
        let typed = ["buedafab"].iter().chain(words);
        print_talk(&format!("# {what}\n$ {}", typed_words(typed)));
        leave_outputs();
        let program = std::env::current_exe().map_err(|error| CliError::bug(error.to_string()))?;
        let status = Command::new(program).arg("--yes").args(words).current_dir(&self.checkout).status();
        let status =
            status.map_err(|error| CliError::bug(format!("can't run this program again: {error}")))?;
        if status.code() != Some(expected.number().into()) {
            return Err(CliError::bug(format!("the demo expected exit code {expected}, and saw {status}")));
        }
        print_talk("");
        Ok(())
    }

    fn say_goodbye(&self) {
        let folder = quote(&self.checkout.display().to_string());
        print_talk(&format!(
            "Try it by hand:\n  \
               cd {folder}\n  \
               buedafab production deploy:release=v0.2.0 --dry-run -v   # the plan, down to the shell\n  \
               buedafab production deploy:release=v0.2.0\n  \
               buedafab production status\n  \
               buedafab production hold --reason 'I am looking at it'\n  \
               buedafab production run -- 'tail -n 2 app.log'\n\
             Stop the apps, and take everything away:\n  \
               buedafab production run -- 'sh restart.sh stop'; rm -r {}",
            quote(&self.folder.display().to_string())
        ));
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Result<(), CliError> {
        let output = program("git")
            .current_dir(folder)
            .args(["-c", "user.name=demo", "-c", "user.email=demo@example.com"])
            .args(["-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"])
            .args(arguments)
            .output()
            .map_err(|error| CliError::usage(format!("can't run git: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(CliError::usage(format!("git {} failed: {why}", arguments.first().unwrap_or(&""))))
    }
}

/// Asks the app of a host, by the port that the host's folder names.
const ASK: &str = "python3 -c 'import urllib.request as u; \
                   print(u.urlopen(\"http://127.0.0.1:\" + open(\"../../port\").read().strip()).read().decode(), end=\"\")'";

fn toml_string(path: &Path) -> String {
    serde_json::to_string(&path.display().to_string()).expect("a string is plain data")
}
