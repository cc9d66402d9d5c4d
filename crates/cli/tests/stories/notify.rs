//! Others are told of runs: real requests, a real mail server, and no secret anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use buedafab_testkit::{Certificates, FleetOptions, HttpAnswer, HttpRequest, HttpServer, SmtpServer};
use serde_json::Value;

use super::stage::{Ran, Stage, wait_for};

/// It stands in each of them.
const SECRET: &str = "hunter2";

/// Finds it, and isn't it: whoever looks through the words of processes finds those who look for it.
const PATTERN: &str = "hunter[2]";

fn service(request: &HttpRequest) -> HttpAnswer {
    let says = |status, body: &str| HttpAnswer::Says(status, String::new(), body.to_owned());
    match request.target.as_str() {
        "/rooms.json" => says(200, r#"{"rooms":[{"id":42,"name":"Deploys"}]}"#),
        "/repos/bueda/five/deployments" => says(201, r#"{"id":7}"#),
        "/repos/bueda/five/deployments/7/statuses" => says(201, r#"{"id":8,"state":"it"}"#),
        "/gone/hunter2" => says(404, "no such hook as /gone/hunter2"),
        _ => says(200, "{}"),
    }
}

/// Adds these to the configuration of a stage.
fn notify(stage: &Stage, text: &str) {
    let path = stage.checkout().join("buedafab.toml");
    let before = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, format!("scm_http_url = 'https://github.com/bueda/five'\n{before}\n{text}"))
        .expect("it is ours");
}

/// Runs a command with these variables, and looks for a secret in the words of every process meanwhile.
fn run(stage: &Stage, variables: &BTreeMap<&str, String>, words: &[&str], code: i32) -> Ran {
    let (ended, found) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let watcher = std::thread::spawn({
        let (ended, found) = (Arc::clone(&ended), Arc::clone(&found));
        move || {
            while !ended.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir("/proc").expect("it is there").flatten() {
                    let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let words = String::from_utf8_lossy(&words).replace('\0', " ");
                    if words.contains(SECRET) {
                        found.lock().expect("nobody panics").insert(words);
                    }
                }
            }
        }
    });
    let mut all = vec!["production"];
    all.extend(words);
    let mut command = stage.command(&all);
    let output = command.envs(variables).stdin(Stdio::null()).output().expect("it runs");
    ended.store(true, Ordering::Relaxed);
    watcher.join().expect("it doesn't panic");
    assert_eq!(*found.lock().expect("nobody panics"), BTreeSet::<String>::new());
    let ran = Ran::of(output);
    assert_eq!(ran.code, code, "{words:?}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
    for said in [&ran.stdout, &ran.stderr] {
        assert!(!said.contains(SECRET), "{words:?} says a secret:\n{said}");
    }
    ran
}

/// What a run of requests comes to: where each went, and what it said of the run. Each service by itself, in its order.
fn told(requests: Vec<HttpRequest>) -> String {
    let mut lines: Vec<(String, String)> = requests.iter().map(line).collect();
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.into_iter().map(|(place, said)| format!("{place} {said}").trim_end().to_owned() + "\n").collect()
}

fn line(request: &HttpRequest) -> (String, String) {
    let HttpRequest { method, target, .. } = request;
    // What is different in each run: ids and times.
    let plain = |text: &str| {
        let text = regex::Regex::new(r"\([^)]*\)").expect("it is one").replace_all(text, "(…)").into_owned();
        text.split(" in ").next().unwrap_or_default().to_owned()
    };
    let document: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = ["text", "content", "description"].iter().find_map(|key| document[key].as_str());
    let text = text.or_else(|| document["message"]["body"].as_str()).unwrap_or_default();
    let title = text.lines().next().unwrap_or_default();
    let state = document["state"].as_str().unwrap_or_default();
    let target = target.split("releases/").next().map_or(String::new(), |start| {
        let rest = &target[start.len()..];
        let rest: Vec<&str> =
            rest.split('/').map(|part| if part.len() == 40 { "COMMIT" } else { part }).collect();
        format!("{start}{}", rest.join("/"))
    });
    (format!("{method} {target}"), format!("{state} {}", plain(title)).trim().to_owned())
}

#[test]
fn everybody_is_told_and_no_secret_is_seen() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let server = HttpServer::start(service);
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path());
    let mut mail = SmtpServer::start("starttls", &certificates, Some(("deploy", SECRET)));
    let kept = folder.path().join("told");
    let url = server.url();
    let secret_file = folder.path().join("token");
    std::fs::write(&secret_file, format!("{SECRET}-token\n")).expect("it is ours");
    let tell = folder.path().join("tell");
    std::fs::write(&tell, format!("#!/bin/sh\ncat >>'{}'\n", kept.display())).expect("it is ours");
    std::fs::set_permissions(&tell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    notify(
        &stage,
        &format!(
            r#"
[[notify]]
slack = {{ url = {{ env = "SLACK_URL" }} }}
on = ["started", "succeeded", "failed", "rolled_back", "reverted", "maintenance", "held"]
[[notify]]
discord = {{ url = {{ env = "DISCORD_URL" }} }}
[[notify]]
campfire = {{ url = "{url}", room = "Deploys", token = {{ env = "TOKEN" }} }}
on = ["succeeded"]
[[notify]]
campfire = {{ url = "{url}", room = "3", bot_key = {{ env = "TOKEN" }} }}
on = ["failed", "reverted"]
[[notify]]
airbrake = {{ url = "{url}", project = "12", key = {{ env = "TOKEN" }} }}
[[notify]]
hoptoad = {{ url = "{url}", api_key = {{ env = "TOKEN" }} }}
[[notify]]
sentry = {{ url = "{url}", organization = "bueda", projects = ["five"], token = {{ command = ["cat", "{}"] }} }}
[[notify]]
github = {{ url = "{url}", repository = "bueda/five", token = {{ env = "TOKEN" }} }}
[[notify]]
webhook = {{ url = "{url}/hook", secret = {{ env = "TOKEN" }} }}
[[notify]]
command = ["{}"]
[notify.email]
[[notify]]
slack = {{ url = {{ env = "GONE_URL" }} }}
on = ["held"]
"#,
            secret_file.display(),
            tell.display(),
        )
        .replace("[notify.email]", &format!(
            "[[notify]]\nemail = {{ from = \"deploy@example.com\", to = [\"ops@example.com\"], smtp = \"localhost\", port = {}, user = \"deploy\", password = {{ env = \"MAIL_PASSWORD\" }} }}\non = [\"reverted\"]",
            mail.port
        )),
    );
    let variables = BTreeMap::from([
        ("SLACK_URL", format!("{url}/slack/{SECRET}")),
        ("DISCORD_URL", format!("{url}/discord/{SECRET}")),
        ("GONE_URL", format!("{url}/gone/{SECRET}")),
        ("TOKEN", format!("{SECRET}-token")),
        ("MAIL_PASSWORD", SECRET.to_owned()),
        ("SSL_CERT_FILE", certificates.authority().display().to_string()),
    ]);
    let run = |words: &[&str], code| run(&stage, &variables, words, code);
    run(&["check"], 0).says("slack, discord, campfire, campfire, airbrake, hoptoad, sentry, github, webhook, command, email, slack can be told");
    run(&["deploy", "--dry-run"], 0);
    assert_eq!(told(server.take()), "", "a dry run tells nobody");
    run(&["-vvv", "deploy"], 0);
    insta::assert_snapshot!(told(server.take()), @"
    GET /rooms.json
    POST /api/0/organizations/bueda/releases/
    POST /api/0/organizations/bueda/releases/COMMIT/deploys/
    POST /api/v4/projects/12/deploys?key=hunter2-token
    POST /deploys.txt
    POST /discord/hunter2?wait=true ✓ five · production: deploy one (…): done
    POST /hook ✓ five · production: deploy one (…): done
    POST /repos/bueda/five/deployments ▶ five · production: deploy one (…)
    POST /repos/bueda/five/deployments/7/statuses in_progress ▶ five · production: deploy one (…)
    POST /repos/bueda/five/deployments/7/statuses success ✓ five · production: deploy one (…): done
    POST /room/42/join.json
    POST /room/42/speak.json ✓ five · production: deploy one (…): done
    POST /slack/hunter2 ▶ five · production: deploy one (…)
    POST /slack/hunter2 ✓ five · production: deploy one (…): done
    PUT /api/0/organizations/bueda/releases/COMMIT/
    ");
    let two = stage.release("two");
    stage.fleet.host("web2").run("echo two >/tmp/fail-restart");
    run(&["--json", "deploy"], 8);
    insta::assert_snapshot!(told(server.take()), @"
    POST /discord/hunter2?wait=true ✗ five · production: deploy two (…): failed after the switch, and reverted (…)
    POST /hook ✗ five · production: deploy two (…): failed after the switch, and reverted (…)
    POST /repos/bueda/five/deployments ▶ five · production: deploy two (…)
    POST /repos/bueda/five/deployments/7/statuses in_progress ▶ five · production: deploy two (…)
    POST /repos/bueda/five/deployments/7/statuses failure ✗ five · production: deploy two (…): failed after the switch, and reverted (…)
    POST /rooms/3/hunter2-token/messages
    POST /slack/hunter2 ▶ five · production: deploy two (…)
    POST /slack/hunter2 ✗ five · production: deploy two (…): failed after the switch, and reverted (…)
    ");
    let kept_mail: Value = serde_json::from_str(&mail.next_mail()).expect("it is JSON");
    assert_eq!((&kept_mail["login"], &kept_mail["private"]), (&"deploy".into(), &true.into()), "{kept_mail}");
    let text = kept_mail["mail"].as_str().expect("it is text").replace("=\r\n", "");
    assert!(text.contains("web2: restart: ") && text.contains("serving now: one"), "{text}");
    stage.fleet.host("web2").run("rm /tmp/fail-restart");
    run(&["deploy"], 0);
    server.take();
    run(&["rollback"], 0);
    insta::assert_snapshot!(told(server.take()), @"
    POST /api/0/organizations/bueda/releases/
    POST /api/0/organizations/bueda/releases/COMMIT/deploys/
    POST /api/v4/projects/12/deploys?key=hunter2-token
    POST /deploys.txt
    POST /discord/hunter2?wait=true ✓ five · production: roll back to one (…): done
    POST /hook ✓ five · production: roll back to one (…): done
    POST /repos/bueda/five/deployments ▶ five · production: roll back to one (…)
    POST /repos/bueda/five/deployments/7/statuses in_progress ▶ five · production: roll back to one (…)
    POST /repos/bueda/five/deployments/7/statuses success ✓ five · production: roll back to one (…): done
    POST /slack/hunter2 ▶ five · production: roll back to one (…)
    POST /slack/hunter2 ✓ five · production: roll back to one (…): done
    PUT /api/0/organizations/bueda/releases/COMMIT/
    ");
    run(&["maintenance", "on"], 0);
    run(&["hold", "--reason", "the market is open"], 0)
        .says("warning: slack wasn't told `held`: it answers 404 (no such hook as /********)");
    insta::assert_snapshot!(told(server.take()), @"
    POST /discord/hunter2?wait=true ✓ five · production: maintenance on: done
    POST /discord/hunter2?wait=true ✓ five · production: hold deploys: the market is open: done
    POST /gone/hunter2 ✓ five · production: hold deploys: the market is open: done
    POST /hook ✓ five · production: maintenance on: done
    POST /hook ✓ five · production: hold deploys: the market is open: done
    POST /slack/hunter2 ✓ five · production: maintenance on: done
    POST /slack/hunter2 ✓ five · production: hold deploys: the market is open: done
    ");
    // What was refused has begun nothing.
    run(&["deploy"], 5);
    assert_eq!(told(server.take()), "");
    let documents = std::fs::read_to_string(&kept).expect("it is there");
    let documents = serde_json::Deserializer::from_str(&documents).into_iter::<Value>();
    let documents: Vec<Value> = documents.map(|document| document.expect("it is JSON")).collect();
    let moments: Vec<&str> = documents.iter().filter_map(|document| document["moment"].as_str()).collect();
    assert_eq!(moments, ["succeeded", "reverted", "succeeded", "rolled_back", "maintenance", "held"]);
    assert_eq!(documents[1]["to"]["commit"], two);
    for words in [
        ["config"].as_slice(),
        &["config", "--json"],
        &["history"],
        &["history", "last"],
        &["status", "--json"],
    ] {
        run(words, 0);
    }
    for folder in [stage.state(), stage.cache()] {
        let found =
            std::process::Command::new("grep").args(["-rl", PATTERN]).arg(folder).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
    for host in stage.fleet.hosts() {
        let found = host.exec(&format!("grep -rl '{PATTERN}' /var/webapps /var/log /tmp /run 2>/dev/null"));
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}

#[test]
fn a_service_that_says_nothing_keeps_nobody_for_long() {
    let stage = Stage::with(FleetOptions::default());
    let server = HttpServer::start(|_| HttpAnswer::Silence);
    notify(
        &stage,
        "[[notify]]\nslack = { url = { env = \"SLACK_URL\" } }\n[[notify]]\ndiscord = { url = { env = \"NOT_SET\" } }\n",
    );
    let variables = BTreeMap::from([("SLACK_URL", format!("{}/slack/{SECRET}", server.url()))]);
    let began = Instant::now();
    let ran = run(&stage, &variables, &["unhold"], 0);
    ran.says("warning: slack may not have been told: it took longer than 5 s")
        .says("warning: discord wasn't told `held`: the variable NOT_SET isn't set");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    run(&stage, &variables, &["check"], 0)
        .says("discord won't be told of runs: the variable NOT_SET isn't set");
    let ran = run(&stage, &variables, &["notify", "--test"], 6);
    ran.says("✗ slack").says("timeout").says("✗ discord").says("NOT_SET isn't set");
}

/// Red until it is told otherwise.
#[test]
fn a_commit_whose_checks_are_red_is_refused_before_anything_is_touched() {
    let stage = Stage::with(FleetOptions::default());
    let is_green = Arc::new(AtomicBool::new(false));
    let server = HttpServer::start({
        let is_green = Arc::clone(&is_green);
        move |request| {
            let conclusion = if is_green.load(Ordering::Relaxed) { "success" } else { "failure" };
            let body = match request.target.rsplit('/').next() {
                Some("status?per_page=100") => r#"{"total_count":0,"statuses":[]}"#.to_owned(),
                Some("check-runs?per_page=100") => format!(
                    r#"{{"total_count":1,"check_runs":[{{"name":"test","status":"completed","conclusion":"{conclusion}"}}]}}"#
                ),
                Some("statuses") => r#"{"id":8,"state":"it"}"#.to_owned(),
                _ => r#"{"id":7}"#.to_owned(),
            };
            HttpAnswer::Says(200, String::new(), body)
        }
    });
    let github = format!(
        "[[notify]]\ngithub = {{ url = \"{}\", repository = \"bueda/five\", token = {{ env = \"TOKEN\" }}, require_checks = true }}\n",
        server.url()
    );
    notify(&stage, &github);
    let variables = BTreeMap::from([("TOKEN", format!("{SECRET}-token"))]);
    for words in [["deploy"].as_slice(), &["deploy", "--dry-run"]] {
        run(&stage, &variables, words, 4)
            .says("github is against one")
            .says("a check of this commit hasn't passed: test (failure)")
            .says("nothing was touched");
    }
    assert!(server.take().iter().all(|request| request.method == "GET"), "nothing is made there");
    run(&stage, &variables, &["check"], 4).says("a check of this commit hasn't passed: test (failure)");
    // Who can't be asked hasn't said yes.
    run(&stage, &BTreeMap::new(), &["deploy"], 4).says("the variable TOKEN isn't set");
    is_green.store(true, Ordering::Relaxed);
    run(&stage, &variables, &["check"], 0).says("all checks of one");
    run(&stage, &variables, &["deploy"], 0);
    assert_eq!(server.take().iter().filter(|request| request.method == "POST").count(), 3);
}

#[test]
fn whoever_doesnt_want_to_wait_for_others_says_so() {
    let stage = Stage::with(FleetOptions::default());
    let server = HttpServer::start(|_| HttpAnswer::Silence);
    notify(&stage, "[[notify]]\nslack = { url = { env = \"SLACK_URL\" } }\n");
    let mut command = stage.command(&["--json", "production", "unhold"]);
    command.env("SLACK_URL", format!("{}/slack/{SECRET}", server.url()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut events = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let is_end = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("run_ended"));
    events.find(is_end).expect("the run ends").expect("it is read");
    wait_for("somebody is being told", || !server.take().is_empty());
    let began = Instant::now();
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("not everybody may have been told"), "{said}");
}

#[test]
fn a_run_is_a_trace_and_a_report() {
    let stage = Stage::with(FleetOptions::default());
    let server = HttpServer::start(service);
    let report = stage.state().with_file_name("report.xml");
    let file = report.display().to_string();
    let endpoint = |url: String| {
        BTreeMap::from([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
            ("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{SECRET}")),
        ])
    };
    let variables = endpoint(server.url());
    run(&stage, &variables, &["--junit", &file, "deploy"], 0);
    let request = server.take().remove(0);
    assert_eq!(request.target, "/v1/traces");
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {SECRET}")));
    for words in ["RUN deploy", "cicd.pipeline.run.id", "deployment.environment.name", "switch", "web1"] {
        assert!(request.text().contains(words), "{words}: {}", request.text());
    }
    let written = || std::fs::read_to_string(&report).expect("it is written");
    for words in ["<testsuite name=\"switch\"", "classname=\"web1\"", "failures=\"0\""] {
        assert!(written().contains(words), "{words}: {}", written());
    }
    // What only looks is no run that anybody wants to see there.
    run(&stage, &variables, &["status"], 0);
    run(&stage, &variables, &["deploy", "--dry-run"], 0);
    assert!(server.take().is_empty());
    stage.release("two");
    stage.fleet.host("web1").run("touch /tmp/fail-check");
    let nobody = endpoint("http://127.0.0.1:1".to_owned());
    run(&stage, &nobody, &["--junit", &file, "deploy"], 7).says("warning: no trace was sent: ");
    assert!(written().contains("<failure message=\"exit status 1\"/>"), "{}", written());
}

/// What a hook starts can stand in the trace of its run: it is told the span that is sent as the hook's.
#[test]
fn hooks_here_find_the_span_that_they_are() {
    let stage = Stage::with(FleetOptions::default());
    let server = HttpServer::start(service);
    stage.configure(
        "unit = 'five'\n[hooks]\nrestart = 'cat version >../../served'\n\
         [hooks.local]\nbefore = 'echo before=$TRACEPARENT'\nafter = 'echo after=$TRACEPARENT'\n\
         [environments.production]\nhosts = ['web1']\n",
    );
    let outer = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for parent in ["", outer] {
        let variables = BTreeMap::from([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", server.url()),
            ("TRACEPARENT", parent.to_owned()),
        ]);
        stage.release(if parent.is_empty() { "two" } else { "three" });
        let ran = run(&stage, &variables, &["--json", "deploy"], 0);
        let sent = server.take().remove(0).body;
        let mut spans = BTreeSet::new();
        for hook in ["before", "after"] {
            let found = ran.stdout.split(&format!("{hook}=00-")).nth(1).expect("it prints what it finds");
            let (trace, rest) = found.split_once('-').expect("a trace");
            let (span, _) = rest.split_once("-01\"").expect("a span, and that it is kept");
            if !parent.is_empty() {
                assert!(parent.contains(trace), "{trace}");
            }
            // As protobuf has a span: its trace, itself, the span around it, and its name.
            let byte = |at: usize, hex: &str| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
            let bytes = |hex: &str| (0..hex.len()).step_by(2).map(|at| byte(at, hex)).collect::<Vec<u8>>();
            let head = [&[0x0a, 16][..], &bytes(trace), &[0x12, 8], &bytes(span)].concat();
            let at = sent.windows(head.len()).position(|window| window == head).expect("it is sent");
            let name = format!("echo {hook}=$TRACEPARENT");
            let rest = &sent[at + head.len() + 10..];
            assert_eq!(&rest[..2], [0x2a, name.len() as u8], "{hook}");
            assert!(rest[2..].starts_with(name.as_bytes()), "{hook}");
            spans.insert(span.to_owned());
        }
        assert_eq!(spans.len(), 2);
    }
    // Where nothing is sent, nothing stands around them but what stood around the program.
    stage.release("four");
    let variables = BTreeMap::from([("TRACEPARENT", outer.to_owned())]);
    let ran = run(&stage, &variables, &["--json", "deploy"], 0);
    assert!(ran.stdout.contains(&format!("before={outer}")), "{}", ran.stdout);
}

/// What is started for a run finds no password that is meant for hosts, and what it leaves running keeps nobody.
#[test]
fn no_command_of_the_users_finds_the_password_of_sudo_or_outlives_its_run() {
    let stage = Stage::with(FleetOptions::default());
    let server = HttpServer::start(service);
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display();
    // Each says what it finds, and leaves something running that holds its outputs.
    let program = |name: &str, then: &str| {
        let path = folder.path().join(name);
        let script =
            format!("#!/bin/sh\nenv >'{at}/{name}.env'\n{then}\nsleep 1000 &\necho $! >'{at}/{name}.left'\n");
        std::fs::write(&path, script).expect("it is ours");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("it is ours");
        path.display().to_string()
    };
    let inventory = program("inventory", "echo '[\"web1\"]'");
    let say = program("say", &format!("echo '{}/slack'", server.url()));
    let (tell, sendmail) = (program("tell", "cat >/dev/null"), program("sendmail", "cat >/dev/null"));
    stage.configure(&format!(
        "unit = 'five'\n[hooks]\nrestart = 'cat version >../../served'\n[hooks.local]\nbefore = \"env >'{at}/hook.env'\"\n\
         [environments.production]\ninventory = {{ command = '{inventory}' }}\n\
         [[notify]]\nslack = {{ url = {{ command = ['{say}'] }} }}\n\
         [[notify]]\ncommand = ['{tell}']\n\
         [[notify]]\nemail = {{ from = 'a@example.com', to = ['b@example.com'], sendmail = '{sendmail}' }}\n"
    ));
    let began = Instant::now();
    let variables = BTreeMap::from([("BUEDAFAB_SUDO_PASSWORD", SECRET.to_owned())]);
    let ran = run(&stage, &variables, &["deploy"], 0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    for name in ["inventory", "say", "tell", "sendmail", "hook"] {
        let found = std::fs::read_to_string(folder.path().join(format!("{name}.env"))).expect("it ran");
        assert!(found.contains("PATH=") && !found.contains(SECRET), "{name}: {found}");
    }
    for name in ["inventory", "say", "tell", "sendmail"] {
        let left = std::fs::read_to_string(folder.path().join(format!("{name}.left"))).expect("it ran");
        wait_for("what was left behind has ended", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", left.trim())).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }
}
