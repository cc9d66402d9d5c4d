//! Apps in the shape of well-known ones, as they lie in their repositories: `init` writes the configuration, two releases are
//! deployed to a real host and answer there, and the first one is gone back to.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use buedafab_testkit::{Fleet, FleetOptions, Remote, Sudo};
use rexpect::reader::Options;
use rexpect::session::spawn_with_options;

use super::python::install_uv_on;
use super::stage::Stage;
use super::terminal::{answer, finish};
use super::wheels::{Wheels, target};

/// An app, in the folder of its name beside this file. There `VERSION` stands for what a release says of itself.
struct Shape {
    name: &'static str,
    /// What `init` offers for its start, with the address that it shall have.
    start: &'static str,
    /// The page that tells the version, and the one that says that it is well.
    pages: (&'static str, &'static str),
    /// Its database, which `init` keeps in `shared` and a person puts there.
    database: Option<&'static str>,
    /// Whether its host has uv.
    uses_uv: bool,
}

const SHAPES: [Shape; 5] = [
    // Django at the root.
    Shape {
        name: "healthchecks",
        start: "python -m gunicorn --bind 127.0.0.1:8000 hc.wsgi",
        pages: ("/", "/api/v3/status/"),
        database: Some("hc.sqlite"),
        uses_uv: true,
    },
    // Django in src/, installed by the pyproject.toml above it.
    Shape {
        name: "pretalx",
        start: "python -m gunicorn --bind 127.0.0.1:8000 pretalx.wsgi",
        pages: ("/", "/healthcheck"),
        database: Some("db.sqlite3"),
        uses_uv: true,
    },
    // A factory of Flask's, with a manage.py that isn't Django's.
    Shape {
        name: "ctfd",
        start: "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app",
        pages: ("/", "/healthcheck"),
        database: None,
        uses_uv: false,
    },
    // A program that setup.py installs.
    Shape { name: "flower", start: "flower", pages: ("/", "/healthcheck"), database: None, uses_uv: false },
    // A member of a workspace of uv's, with a front end beside it.
    Shape {
        name: "fastapi",
        start: "python -m uvicorn --port 8000 app.main:app",
        pages: ("/api/v1/version", "/api/v1/utils/health-check/"),
        database: None,
        uses_uv: true,
    },
];

#[test]
fn well_known_shapes_are_deployed_as_they_come() {
    let fleet = Arc::new(Fleet::start(FleetOptions {
        hosts: SHAPES.len(),
        systemd: true,
        sudo: Sudo::WithoutPassword,
        ..FleetOptions::default()
    }));
    let wheels = Wheels::serve();
    thread::scope(|scope| {
        for (shape, host) in SHAPES.iter().zip(fleet.hosts()) {
            let stage = Stage::bare(Arc::clone(&fleet), Remote::temp());
            let (wheels, host) = (&wheels, host.name());
            let named = thread::Builder::new().name(shape.name.to_owned());
            named.spawn_scoped(scope, move || shape.is_deployed(&stage, host, wheels)).expect("a thread");
        }
    });
}

impl Shape {
    fn is_deployed(&self, stage: &Stage, host: &str, wheels: &Wheels) {
        let url = wheels.url();
        stage
            .fleet
            .host(host)
            .run(&format!("printf '[global]\\nno-index = true\\nfind-links = {url}\\n' >/etc/pip.conf"));
        if self.uses_uv {
            install_uv_on(&stage.remote, stage.fleet.host(host));
        }
        self.write(stage.checkout(), "1.0.0");
        let project = std::fs::read_to_string(stage.checkout().join("pyproject.toml"));
        if project.is_ok_and(|text| text.contains("[tool.uv.workspace]")) {
            let mut lock = Command::new(target("tools/bin/uv"));
            lock.args(["lock", "--quiet", "--no-index", "--find-links", &url]).current_dir(stage.checkout());
            assert!(lock.env("UV_PYTHON", "/usr/bin/python3").status().expect("it runs").success());
        }
        commit(stage, "as it comes");
        let port = free_port();
        self.init(stage, host, port);
        commit(stage, "how it is deployed");
        if let Some(database) = self.database {
            stage.production(&["--yes", "deploy", "--skip-tests", "--tag", "v1.0.0"], 7).says(database);
            let shared = "/var/webapps/remote/shared";
            let make = format!("mkdir -p {shared} && : >{shared}/{database}");
            stage.fleet.host(host).run(&format!("runuser -u deploy -- sh -c '{make}'"));
        }
        let deploy = |version: &str| {
            stage.production(&["--yes", "deploy", "--skip-tests", "--tag", &format!("v{version}")], 0);
            assert_eq!(self.says(port), version, "{}", self.name);
        };
        deploy("1.0.0");
        self.write(stage.checkout(), "1.1.0");
        commit(stage, "more of it");
        deploy("1.1.0");
        stage.production(&["--yes", "rollback"], 0);
        assert_eq!(self.says(port), "1.0.0", "{}", self.name);
    }

    /// Writes its files, as a release of this version has them.
    fn write(&self, checkout: &Path, version: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/shapes").join(self.name);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("it is there") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let there = checkout.join(path.strip_prefix(&root).expect("it lies below"));
                std::fs::create_dir_all(there.parent().expect("it has one")).expect("it is ours");
                let text = std::fs::read_to_string(&path).expect("it is text");
                std::fs::write(there, text.replace("VERSION", version)).expect("it is ours");
            }
        }
    }

    /// Answers what `init` asks, and nothing else.
    fn init(&self, stage: &Stage, host: &str, port: u16) {
        let mut command = stage.command(&["init"]);
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
        let mut session = spawn_with_options(command, options).expect("it starts");
        let start = match self.start.contains("8000") {
            true => self.start.replace("8000", &port.to_string()),
            false => format!("{} --port={port}", self.start),
        };
        answer(&mut session, "[later] ", &format!("{host}\n"));
        answer(&mut session, &format!("[{}] ", self.start), &format!("{start}\n"));
        answer(&mut session, "/] ", &format!(":{port}{}\n", self.pages.1));
        finish(session, 0);
    }

    /// The version that the app tells, if it is well.
    fn says(&self, port: u16) -> String {
        let get = |page: &str| {
            let asked =
                Command::new("curl").args(["-fsS", &format!("http://127.0.0.1:{port}{page}")]).output();
            String::from_utf8_lossy(&asked.expect("curl is installed").stdout).trim_matches('"').to_owned()
        };
        assert_ne!(get(self.pages.1), "", "{} is well", self.name);
        get(self.pages.0)
    }
}

fn commit(stage: &Stage, title: &str) {
    stage.remote.git(&["add", "--all"]);
    stage.remote.git(&["commit", "--quiet", "--message", title]);
    stage.remote.push();
}

/// The hosts share the machine's network.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is one").port()
}
