//! The question whether the app is well, asked of a real server with every tool that a host may have.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use buedafab_model::app::health::{Health, HealthQuestion, HttpPlace, HttpQuestion};
use buedafab_model::host::facts::HostFacts;
use buedafab_model::plan::action::{Action, Answerer, AppAction, Surroundings};
use buedafab_model::shell::inspect::{AlsoLookAt, Scope, inspect_script};
use buedafab_model::shell::render_step;

use buedafab_model::names::RunId;
use common::shells::{Place, slot};
use jiff::Timestamp;

/// Answers one request: by its path, and with the name that it was asked for by.
fn answer(stream: impl Read + std::io::Write) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut host, mut line) = (String::new(), String::new(), String::new());
    stream.read_line(&mut first).expect("a request");
    while stream.read_line(&mut line).is_ok_and(|length| length > 2) {
        if let Some(name) = line.strip_prefix("Host: ") {
            name.trim().clone_into(&mut host);
        }
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path {
        "/ok" => ("200 OK", "all is fine\nreally".to_owned()),
        "/teapot?a=1&b='2'" => ("418 I'm a teapot", "short and stout".to_owned()),
        "/bad" => ("502 Bad Gateway", "no upstream".to_owned()),
        "/moved" => ("302 Found", String::new()),
        "/maintenance" => ("503 Service Unavailable", "back soon".to_owned()),
        "/host" => ("200 OK", format!("asked for {host}")),
        // Half an answer, and then nothing: whoever asks has to give up.
        "/slow" => {
            let _ = stream.get_mut().write_all(b"HTTP/1.0 200 OK\r\n");
            thread::park();
            return;
        }
        _ => ("404 Not Found", path.to_owned()),
    };
    let length = body.len();
    let _ = write!(
        stream.get_mut(),
        "HTTP/1.0 {status}\r\nContent-Length: {length}\r\nLocation: /ok\r\n\r\n{body}"
    );
}

/// Serves at a port, and at a socket.
fn serve(socket: &Path) -> u16 {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("it is bound").port();
    let unix = UnixListener::bind(socket).expect("a socket");
    thread::spawn(move || tcp.incoming().for_each(|stream| drop(thread::spawn(|| stream.map(answer)))));
    thread::spawn(move || unix.incoming().for_each(|stream| drop(thread::spawn(|| stream.map(answer)))));
    port
}

/// BusyBox without anything that could ask, and one tool that can.
fn tools(place: &Place, asker: &str) -> String {
    place.by_hand(&format!(
        "mkdir -p {asker}; busybox --install -s {asker}; cd {asker}; rm nc wget; ln -s \"$(command -v cksum)\" .; \
         case {asker} in nc) ln -s \"$(command -v busybox)\" nc ;; python3) ln -s \"$(python3 -c 'import sys; print(sys.executable)')\" python3 ;; *) ln -s \"$(command -v {asker})\" {asker} ;; esac"
    ));
    format!("PATH='{}'\nexport PATH\n", place.root().join(asker).display())
}

fn asks(question: HealthQuestion) -> Health {
    Health { question, timeout_seconds: 1, interval_seconds: 1, grace_seconds: 0, roles: BTreeSet::new() }
}

fn http(host: &str, path: &str, place: &HttpPlace) -> HttpQuestion {
    HttpQuestion {
        tls: false,
        host: host.to_owned(),
        path: path.to_owned(),
        place: place.clone(),
        statuses: Vec::new(),
        contains: None,
    }
}

#[test]
fn the_app_is_asked_with_whatever_a_host_has() {
    let place = Place::with_room("it's five");
    place.by_hand("cd it*; mkdir -p releases/a/run; ln -s a releases/current");
    let port = serve(&place.slot("a").join("run/app.sock"));
    let here = HttpPlace::Tcp { address: "127.0.0.1".to_owned(), port };
    let socket = HttpPlace::Socket { path: "run/app.sock".to_owned() };
    // A port that nobody listens at: it was bound a moment ago.
    let nobody =
        TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port").port();
    let closed = HttpPlace::Tcp { address: "127.0.0.1".to_owned(), port: nobody };
    let gone = HttpPlace::Socket { path: "run/gone.sock".to_owned() };
    let page = |path: &str| http("localhost", path, &here);
    let holds = |text: &str, path| HttpQuestion {
        contains: Some(text.to_owned()),
        ..http("www.example.com:81", path, &here)
    };
    let of = |statuses: &[u16], path| HttpQuestion { statuses: statuses.to_vec(), ..page(path) };
    let teapot = "/teapot?a=1&b='2'";
    let cases: Vec<(HttpQuestion, bool, &str)> = vec![
        (page("/ok"), true, "/ok is answered with 200"),
        (page("/moved"), true, "/moved is answered with 302"),
        (page("/bad"), false, "/bad is answered with 502: no upstream"),
        (page("/maintenance"), false, "/maintenance is answered with 503: back soon"),
        (page("/slow"), false, "/slow isn't answered: "),
        (page(teapot), false, "/teapot?a=1&b='2' is answered with 418: short and stout"),
        (of(&[418, 200], teapot), true, "/teapot?a=1&b='2' is answered with 418"),
        (of(&[204], "/ok"), false, "/ok is answered with 200 instead of 204: all is fine"),
        (holds("fine\nreally", "/ok"), true, "/ok is answered with 200"),
        (holds("asked for www.example.com:81", "/host"), true, "/host is answered with 200"),
        (
            holds("it's * $fine", "/ok"),
            false,
            "/ok is answered with 200, without \"it's * $fine\": all is fine",
        ),
        (http("localhost", "/ok", &socket), true, "/ok is answered with 200"),
        (http("localhost", "/ok", &closed), false, "/ok isn't answered: "),
        (http("localhost", "/ok", &gone), false, "/ok isn't answered: "),
    ];
    let around = Surroundings {
        directory: place.layout.current(),
        variables: BTreeMap::new(),
        virtualenv: None,
        run_as: None,
    };
    for asker in ["curl", "python3", "perl", "nc"] {
        let path = tools(&place, asker);
        for (question, is_well, words) in &cases {
            // There is no socket for it.
            let can_ask = asker != "nc" || matches!(question.place, HttpPlace::Tcp { .. });
            let health = asks(HealthQuestion::Http(question.clone()));
            let also = AlsoLookAt { health: Some((&health, &around)), ..AlsoLookAt::default() };
            let look = inspect_script(&place.layout, Scope::Plan, &also);
            let ask = || {
                let script = format!("{path}{look}");
                let output = Command::new("dash").args(["-c", &script]).output().expect("dash runs");
                let facts = HostFacts::parse(&output.stdout, &place.layout, Timestamp::UNIX_EPOCH);
                facts.expect("it can be understood").running.health.expect("it was asked")
            };
            // While visitors are told of maintenance, the app may say so.
            if question.path == "/maintenance" {
                std::fs::create_dir_all(place.memory()).expect("a folder");
                std::fs::write(place.memory().join("maintenance"), "{}").expect("it is written");
                assert!(ask().is_well, "{asker} in maintenance");
                std::fs::remove_file(place.memory().join("maintenance")).expect("it is there");
            }
            let found = ask();
            let is_well = *is_well && can_ask;
            assert_eq!(found.is_well, is_well, "{asker}: {question:?}: {}", found.words);
            if can_ask {
                assert!(found.words.starts_with(words), "{asker}: {words:?} in {:?}", found.words);
            }
        }
    }
}

/// In a step it is asked until its time is over, and in maintenance the app may say so.
#[test]
fn a_step_asks_until_the_app_is_well() {
    let place = Place::with_room("five");
    place.by_hand("cd five; mkdir -p releases/a/run; ln -s a releases/current");
    let port = serve(&place.slot("a").join("run/app.sock"));
    let around = Surroundings {
        directory: place.layout.slot(&slot("a")),
        variables: BTreeMap::from([("NAME".to_owned(), "it's five".to_owned())]),
        virtualenv: None,
        run_as: None,
    };
    let ask = |question: HealthQuestion, grace_seconds: u32, in_maintenance: bool| {
        let health = Health { grace_seconds, ..asks(question) };
        let action = AppAction::AskHealth {
            health: Box::new(health),
            services: Vec::new(),
            in_maintenance,
            by: Answerer::Anybody,
            around: around.clone(),
        };
        let script = render_step(&Action::from(action), &place.layout, &RunId::new("r1").expect("a word"));
        let shells = ["dash", "bash"].map(|shell| {
            let output = Command::new(shell)
                .args(["-c", &script])
                .current_dir(place.root())
                .output()
                .expect("it runs");
            common::shells::told(&output, &place)
        });
        assert_eq!(shells[0], shells[1]);
        shells[0].clone()
    };
    let here = HttpPlace::Tcp { address: "127.0.0.1".to_owned(), port };
    let page = |path: &str| HealthQuestion::Http(http("localhost", path, &here));
    let command = |text: &str| HealthQuestion::Command { commands: vec!["true".to_owned(), text.to_owned()] };
    assert_eq!(ask(page("/ok"), 0, false), "0: /ok is answered with 200");
    assert_eq!(ask(page("/bad"), 1, false), "1: the app isn't well: /bad is answered with 502: no upstream");
    assert_eq!(ask(page("/maintenance"), 0, true), "0: /maintenance is answered with 503");
    assert_eq!(
        ask(page("/maintenance"), 0, false),
        "1: the app isn't well: /maintenance is answered with 503: back soon"
    );
    let tcp = |port| HealthQuestion::Tcp { address: "127.0.0.1".to_owned(), port };
    assert_eq!(ask(tcp(port), 0, false), format!("0: 127.0.0.1:{port} takes connections"));
    assert_eq!(
        ask(command("[ \"$NAME\" = \"it's five\" ]"), 0, false),
        "0: true && [ \"$NAME\" = \"it's five\" ] succeeds"
    );
    assert_eq!(
        ask(command("echo no; exit 3"), 0, false),
        "1: the app isn't well: true && echo no; exit 3 fails with 3: no"
    );
    // What comes up in the meantime is well.
    place.by_hand("rm -f up; (sleep 1; touch up) >/dev/null 2>&1 &");
    assert!(ask(command("[ -e ../../../up ]"), 20, false).starts_with("0: "));
}

/// A process of another release that keeps the port answers well, and not for this one.
#[test]
fn what_answers_for_another_release_is_not_well() {
    let place = Place::with_room("it's five");
    place.by_hand("cd it*; mkdir -p releases/a releases/b elsewhere; ln -s b releases/current");
    let app = "import http.server\nserver = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n\
        print(server.server_port, flush=True)\nserver.serve_forever()";
    let mut found = String::new();
    for (name, folder) in
        [("the release before", "releases/a"), ("this one", "releases/b"), ("another program", "elsewhere")]
    {
        let mut process = Command::new("python3")
            .args(["-c", app])
            .current_dir(place.root().join("it's five").join(folder))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut port).expect("it says");
        let port: u16 = port.trim().parse().expect("a port");
        let here = HttpPlace::Tcp { address: "127.0.0.1".to_owned(), port };
        for question in [
            HealthQuestion::Http(http("localhost", "/", &here)),
            HealthQuestion::Tcp { address: "127.0.0.1".to_owned(), port },
        ] {
            for by in [Answerer::ThisRelease, Answerer::Anybody] {
                let action = AppAction::AskHealth {
                    health: Box::new(asks(question.clone())),
                    services: Vec::new(),
                    in_maintenance: false,
                    by,
                    around: Surroundings {
                        directory: place.layout.current(),
                        variables: BTreeMap::new(),
                        virtualenv: None,
                        run_as: None,
                    },
                };
                let told = place.act(&common::shells::shells()[0], &action);
                let told = told.replace(&port.to_string(), "PORT").replace(&process.id().to_string(), "PID");
                found += &format!("{name}, {by:?}: {told}\n");
            }
        }
        process.kill().and_then(|()| process.wait()).expect("it is ours");
    }
    insta::assert_snapshot!(found, @"
    the release before, ThisRelease: 1: the app isn't well: / is answered with 200, but by process PID, which works in ROOT/it's five/releases/a: it isn't what was started, and has to be stopped
    the release before, Anybody: 0: / is answered with 200
    the release before, ThisRelease: 1: the app isn't well: 127.0.0.1:PORT takes connections, but by process PID, which works in ROOT/it's five/releases/a: it isn't what was started, and has to be stopped
    the release before, Anybody: 0: 127.0.0.1:PORT takes connections
    this one, ThisRelease: 0: / is answered with 200
    this one, Anybody: 0: / is answered with 200
    this one, ThisRelease: 0: 127.0.0.1:PORT takes connections
    this one, Anybody: 0: 127.0.0.1:PORT takes connections
    another program, ThisRelease: 0: / is answered with 200
    another program, Anybody: 0: / is answered with 200
    another program, ThisRelease: 0: 127.0.0.1:PORT takes connections
    another program, Anybody: 0: 127.0.0.1:PORT takes connections
    ");
}

/// Who is asked which release it runs may tell of maintenance instead, as long as visitors are told of it, and no longer.
#[test]
fn what_tells_of_maintenance_need_not_name_its_release() {
    let place = Place::with_room("five");
    place.by_hand("cd five; mkdir -p releases/a/run; ln -s a releases/current");
    let port = serve(&place.slot("a").join("run/app.sock"));
    for asker in ["curl", "wget", "python3"] {
        let path = tools(&place, asker);
        let ask = |page: &str, in_maintenance| {
            let url = format!("http://127.0.0.1:{port}{page}");
            let release = common::release(3);
            let action = AppAction::AskApp { url, release, patience_seconds: 0, in_maintenance };
            let script =
                render_step(&Action::from(action), &place.layout, &RunId::new("r1").expect("a word"));
            let mut command = Command::new("busybox");
            command.args(["sh", "-c", &format!("{path}{script}")]).current_dir(place.root());
            let told = common::shells::told(&command.output().expect("it runs"), &place);
            told.lines().next().unwrap_or_default().to_owned()
        };
        let excused = "0: the app tells its visitors of maintenance, and not which release it runs";
        assert_eq!(ask("/maintenance", true), excused, "{asker}");
        for (page, in_maintenance) in [("/maintenance", false), ("/bad", true), ("/ok", true)] {
            let told = ask(page, in_maintenance);
            assert!(told.starts_with("1: the app doesn't say that it runs v3"), "{asker}: {page}: {told}");
        }
    }
}
