//! A web server whose root is a release would give out git's folder: it is closed to it where that can be, and looked for.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use buedafab_model::host::facts::HostFacts;
use buedafab_model::names::CommitId;
use buedafab_model::plan::action::{Action, GitAction};
use buedafab_model::planner::{look_script, plan_deploy};
use buedafab_model::shell::inspect::Scope;
use insta::assert_snapshot;
use jiff::Timestamp;

use common::shells::{Place, Shell, everywhere, point, slot};
use common::{bare, fleet, request, run, seen, settings};

/// A web server that is somebody else, with the live release for its root. It ends on drop.
struct WebServer {
    process: Child,
    port: u16,
}

impl WebServer {
    fn serve(place: &Place) -> WebServer {
        let mut process = Command::new("setpriv")
            .args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "/usr/bin/python3",
                "-um",
                "http.server",
                "0",
            ])
            .args(["--bind", "127.0.0.1", "--directory"])
            .arg(place.current())
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(place.root().join("web.log")).expect("a file"))
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says");
        let port = line.split_whitespace().nth(5).and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{line:?}: {}", place.by_hand("cat web.log")));
        WebServer { process, port }
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a look sees that git's folder is given out, with these settings.
fn exposed(shell: &Shell, place: &Place, server: &WebServer, top: &str, scope: Scope) -> String {
    let text = format!(
        "unit = \"five\"\npath = \"{}\"\n{top}\n[environments.production]\nhosts = [\"web1\"]\n",
        place.layout.path
    );
    let settings = settings(&text.replace("PORT", &server.port.to_string()));
    let output = shell.run(&look_script(&settings, &settings.hosts[0], scope), &place.root());
    let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH).expect("it is a look");
    facts.exposed.map_or("nothing".to_owned(), |address| address.replace(&server.port.to_string(), "PORT"))
}

#[test]
fn gits_folder_is_closed_and_looked_for() {
    let found = everywhere(|shell, place| {
        place.by_hand(
            "chmod 755 .; git init -q -b master work; cd work; echo one >index.html; git add .; git commit -qm first
            git clone -q --bare . ../remote.git",
        );
        let commit = CommitId::new(place.by_hand("git -C work rev-parse HEAD").trim()).expect("a commit");
        let fetch = GitAction::Fetch {
            slot: slot("a"),
            commit: commit.clone(),
            url: place.root().join("remote.git").display().to_string(),
            credentials: false,
            siblings: Vec::new(),
            partial: false,
            known_hosts: Vec::new(),
            lend_agent: false,
        };
        assert_eq!(place.act(shell, &fetch), "0");
        assert_eq!(place.act(shell, &point("a")), "0");
        let server = WebServer::serve(place);
        let mut found = String::new();
        for closed in [false, true] {
            let checkout = GitAction::Checkout {
                slot: slot("a"),
                only: None,
                lfs: false,
                commit: commit.clone(),
                closed,
                shared: Vec::new(),
                aside: Vec::new(),
                group: None,
                in_place: false,
            };
            assert_eq!(place.act(shell, &checkout), "0");
            for (top, scope) in [
                ("health = { http = \"/index.html\", port = PORT }", Scope::Full),
                ("version_url = \"http://127.0.0.1:PORT/index.html?x\"", Scope::Full),
                ("health = { http = \"/index.html\", port = PORT }", Scope::Plan),
                ("", Scope::Full),
            ] {
                let seen = exposed(shell, place, &server, top, scope);
                found += &format!("{}, {scope:?}, {top}: {seen}\n", if closed { "closed" } else { "open" });
            }
        }
        found
    });
    assert_snapshot!(found, @r#"
    open, Full, health = { http = "/index.html", port = PORT }: /.git/config at 127.0.0.1:PORT
    open, Full, version_url = "http://127.0.0.1:PORT/index.html?x": http://127.0.0.1:PORT/.git/config
    open, Plan, health = { http = "/index.html", port = PORT }: nothing
    open, Full, : nothing
    closed, Full, health = { http = "/index.html", port = PORT }: nothing
    closed, Full, version_url = "http://127.0.0.1:PORT/index.html?x": nothing
    closed, Plan, health = { http = "/index.html", port = PORT }: nothing
    closed, Full, : nothing
    "#);
}

/// Files alone need nothing of git; an app may ask it which commit it is.
#[test]
fn it_is_closed_for_static_files() {
    let closes = |recipe: &str| {
        let settings = fleet(&format!("recipe = \"{recipe}\"\nservice = \"none\""), 1);
        let hosts = [bare()];
        let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts)).expect("a plan");
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        let closed = steps.filter_map(|step| match &step.action {
            Action::Git(GitAction::Checkout { closed, .. }) => Some(*closed),
            _ => None,
        });
        closed.collect::<Vec<_>>()
    };
    assert_eq!((closes("static"), closes("generic")), (vec![true], vec![false]));
}
