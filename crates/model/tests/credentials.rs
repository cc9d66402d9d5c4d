//! A password in the remote's URL: the plan doesn't know it, and git on a host is told it for as long as a step takes.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::names::{CommitId, RunId};
use buedafab_model::plan::action::{Action, GitAction, StepInput};
use buedafab_model::planner::{DeployRequest, plan_deploy};
use buedafab_model::run::event::{Event, Stream};
use buedafab_model::shell::render_step;
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::shells::{Place, Shell, everywhere, slot, told};
use common::{assert_sound, bare, release, run, seen, settings};

const PASSWORD: &str = "s3cret-%@'\"$x";
const ESCAPED: &str = "s3cret-%25%40'%22$x";

/// A git server that wants a password.
struct GitServer {
    process: Child,
    port: u16,
}

impl GitServer {
    fn serve(root: &Path) -> GitServer {
        let mut process = Command::new("/usr/bin/python3")
            .args(["-c", include_str!("common/git_server.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let words = format!("{}\nada\n{PASSWORD}\n", root.display());
        process.stdin.take().expect("it is piped").write_all(words.as_bytes()).expect("it reads");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut port).expect("it says");
        GitServer { process, port: port.trim().parse().expect("a port") }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Does a step that reads an input.
fn feed(shell: &Shell, place: &Place, action: GitAction, input: &[u8]) -> String {
    let action = Action::from(action);
    assert_eq!(action.effects().input, Some(StepInput::Credentials));
    let step = render_step(&action, &place.layout, &RunId::new("r1").expect("a word"));
    let mut command = shell.command(&step, &place.root());
    command.env("HOME", place.root()).env_remove("GIT_CONFIG_GLOBAL");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(input).expect("it reads");
    told(&child.wait_with_output().expect("it ends"), place)
}

#[test]
fn git_is_told_a_password_and_keeps_it_nowhere() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            r#"
            git init -q -b master part; git -C part commit -q --allow-empty -m part
            git clone -q --bare part part.git
            git init -q -b master work; cd work; echo one >file; git add .; git commit -qm first
            git -c protocol.file.allow=always submodule --quiet add ../part part; git config -f .gitmodules submodule.part.url ../part.git
            git add .; git commit -qm second; git clone -q --bare . ../five.git
            printf '[credential]\nhelper = store\n' >../.gitconfig"#,
        );
        let server = GitServer::serve(&place.root());
        let remote = RemoteUrl::of(&format!("http://ada:{ESCAPED}@127.0.0.1:{}/five.git", server.port));
        let commit = CommitId::new(place.by_hand("git -C work rev-parse HEAD").trim()).expect("a commit");
        let input = remote.credentials.as_ref().expect("it has some").input();
        let fetch = |name: &str| GitAction::Fetch {
            slot: slot(name),
            commit: commit.clone(),
            url: remote.url.clone(),
            credentials: true,
            siblings: Vec::new(),
            partial: false,
            known_hosts: Vec::new(),
            lend_agent: false,
        };
        let checkout = GitAction::Checkout {
            slot: slot("a"),
            only: None,
            lfs: false,
            commit: commit.clone(),
            closed: false,
            shared: Vec::new(),
            aside: Vec::new(),
            group: None,
            in_place: false,
        };
        let submodules = GitAction::Submodules {
            slot: slot("a"),
            lfs: false,
            url: remote.url.clone(),
            credentials: true,
            known_hosts: Vec::new(),
            lend_agent: false,
        };
        let mut found = vec![
            feed(shell, place, fetch("a"), b"ada\nwrong\n"),
            feed(shell, place, fetch("a"), input.reveal()),
            place.act(shell, &checkout),
            feed(shell, place, submodules, input.reveal()),
        ];
        // What was left by a version that knew no better.
        place.by_hand(&format!(
            "git -C five/releases/a remote set-url origin 'http://ada:s3cret-@127.0.0.1:{}/five.git'",
            server.port
        ));
        found.push(feed(shell, place, fetch("a"), input.reveal()));
        found.push(place.by_hand(
            "ls five/releases/a; cat seen 2>/dev/null || :; grep -rl s3cret five .git* || echo nowhere",
        ));
        found.join("\n").replace(&server.port.to_string(), "PORT")
    });
    assert_snapshot!(found, @"
    128: fatal: Authentication failed for 'http://127.0.0.1:PORT/five.git/'
    0
    0
    0
    0
    file
    part
    nowhere
    ");
}

/// Whatever is made of a plan, the password isn't in it.
#[test]
fn no_plan_knows_a_password() {
    let settings = settings("unit = \"five\"\n[environments.production]\nhosts = [\"web1\"]\n");
    let url = "https://ada:s3cret-word@git.example.com/five.git";
    let deploy =
        plan_deploy(&settings, &run(60), &DeployRequest::new(release(3), url), &seen(&settings, &[bare()]));
    let deploy = deploy.expect("a plan");
    assert_sound(&deploy);
    assert!(deploy.has_inputs());
    for text in [
        show_plan(&deploy, Detail::Shell),
        serde_json::to_string(&deploy).expect("a plan is plain data"),
        format!("{deploy:?}"),
    ] {
        assert!(text.contains("https://git.example.com/five.git") && !text.contains("s3cret"), "{text}");
    }
}

/// A line of a step's output, as it is shown and written down.
fn shown(line: &str) -> String {
    let host = buedafab_model::names::HostName::new("web1").expect("a name");
    let output =
        Event::Output { host, step: 1, stream: Stream::Stderr, line: line.to_owned(), is_told: false };
    match output.masked(&[]) {
        Event::Output { line, .. } => line,
        other => panic!("{other:?}"),
    }
}

/// pip hides what it takes for a password in its indexes, and not in a requirement that it can't read.
#[test]
fn what_pip_prints_is_shown_without_tokens() {
    const TOKEN: &str = "pypi-AgEIcHlwaS5vcmc";
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("python3").args(["-m", "venv", "env"]).current_dir(folder.path()).status();
    assert!(made.expect("it runs").success());
    let mut said = String::new();
    for (index, wanted) in [
        (format!("http://{TOKEN}@127.0.0.1:9/simple"), "five".to_owned()),
        (format!("http://__token__:{TOKEN}@127.0.0.1:9/simple"), "five".to_owned()),
        (
            format!("http://ada:{TOKEN}%40x@127.0.0.1:9/simple"),
            format!("git+http://{TOKEN}@127.0.0.1:9/five.git"),
        ),
        (
            "http://127.0.0.1:9/simple".to_owned(),
            format!("five == 1 ; http://{TOKEN}@127.0.0.1:9/five-1.0.tar.gz"),
        ),
        (
            "http://127.0.0.1:9/simple".to_owned(),
            format!("five @ git+http://ada:{TOKEN}@127.0.0.1:9/five.git x"),
        ),
    ] {
        let mut pip = Command::new(folder.path().join("env/bin/python"));
        pip.args(["-m", "pip", "download", "-v", "--no-deps", "--retries", "0", "--timeout", "2"]);
        pip.args(["--disable-pip-version-check", "--index-url", &index, &wanted]);
        pip.env("PIP_CONFIG_FILE", "/dev/null").env("GIT_TERMINAL_PROMPT", "0").current_dir(folder.path());
        let ran = pip.output().expect("it runs");
        assert!(!ran.status.success());
        said += &String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat());
    }
    assert!(said.contains(TOKEN) && said.contains("Looking in indexes"), "{said}");
    let shown: String = said.lines().map(|line| shown(line) + "\n").collect();
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(shown.contains("http://********@127.0.0.1:9/five-1.0.tar.gz"), "{shown}");
}
