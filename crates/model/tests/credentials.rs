//! A password in the remote's URL: the plan doesn't know it, and git on a host is told it for as long as a step takes.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::names::{CommitId, RunId};
use buedafab_model::plan::action::{Action, GitAction, StepInput};
use buedafab_model::planner::{DeployRequest, plan_deploy};
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
            known_hosts: Vec::new(),
            lend_agent: false,
        };
        let checkout = GitAction::Checkout {
            slot: slot("a"),
            commit: commit.clone(),
            closed: false,
            shared: Vec::new(),
            aside: Vec::new(),
            group: None,
        };
        let submodules = GitAction::Submodules {
            slot: slot("a"),
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
