//! Whole runs in, whole requests out.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::app::notify::{CampfireKey, Recipient, SecretSource, UrlSource};
use crate::run::log::RunLog;

const OLD: &str =
    r#"{"commit":"7e9a189beef02d744cdb183638e5194c5dd25304","describe":"v0.1.0","tag":"v0.1.0"}"#;
const NEW: &str =
    r#"{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"}"#;

fn started(command: &str) -> String {
    format!(
        r#"{{"at":"2026-11-23T20:32:21Z","event":"run_started","run":"20261123-203221-ie2d","command":"{command}","by":"ada@laptop","unit":"five","environment":"production","hosts":["web1","web2"]}}"#
    )
}

/// `more`: what was live before, or what work it is.
fn work(intent: &str, more: &str, headline: &str, changes: &str) -> String {
    format!(
        r#"{{"at":"2026-11-23T20:32:22Z","event":"work_started","headline":"{headline}","by":"ada@laptop","intent":"{intent}",{more}"changes":[{changes}],"phases":[],"steps":[]}}"#
    )
}

fn was(release: &str) -> String {
    format!(r#""from":{release},"#)
}

fn is(work: &str) -> String {
    format!(r#""work":"{work}","#)
}

fn switches() -> String {
    format!(r#"{{"host":"web1","from":{OLD},"to":{NEW}}},{{"host":"web2","from":{OLD},"to":{NEW}}}"#)
}

fn ended(verdict: &str, serves: &str, more: &str, failures: &str) -> String {
    let hosts = ["web1", "web2"].map(|host| {
        format!(r#"{{"host":"{host}","serving":"release","release":{serves},"known_by":"app"{more}}}"#)
    });
    format!(
        r#"{{"at":"2026-11-23T20:32:27.5Z","event":"run_ended","verdict":"{verdict}","hosts":[{}],"failures":[{failures}],"exit_code":0,"milliseconds":6100}}"#,
        hosts.join(",")
    )
}

const CHECK: &str = r#"{"at":"2026-11-23T20:32:26Z","event":"step_started","host":"web1","step":3,"title":"check: ./selftest --token=<&>"}
{"at":"2026-11-23T20:32:26Z","event":"output","host":"web1","step":3,"stream":"stdout","line":"password=hunter2"}"#;
const FAILURE: &str = r#"{"host":"web1","step":3,"what":{"kind":"exited","status":1}}"#;

/// What is told of a run.
fn told(events: &[String]) -> Vec<Notification> {
    let mut notifications = Notifications::of(Some("https://github.com/bueda/five/".to_owned()));
    let log = RunLog::parse(&events.join("\n"));
    assert_eq!((log.unknown, log.broken), (0, 0), "{events:?}");
    log.events.iter().filter_map(|event| notifications.note(event)).collect()
}

fn words(events: &[String]) -> String {
    let told = told(events);
    let one = |told: &Notification| format!("{}:\n{}\n", told.moment.name(), Message::of(told).text());
    told.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn deploy() -> Vec<String> {
    vec![
        started("deploy"),
        work("deploy", &was(OLD), "deploy v0.2.0 (5ed17b1b2b)", &switches()),
        ended("done", NEW, "", ""),
    ]
}

fn failing_deploy() -> Vec<String> {
    vec![
        started("deploy"),
        work("deploy", &was(OLD), "deploy v0.2.0 (5ed17b1b2b)", &switches()),
        CHECK.to_owned(),
        ended("reverted", OLD, "", FAILURE),
    ]
}

#[test]
fn a_deploy() {
    assert_snapshot!(words(&deploy()), @"
    started:
    ▶ five · production: deploy v0.2.0 (5ed17b1b2b)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    succeeded:
    ✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.2.0 (5ed17b1b2b) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    ");
}

#[test]
fn who_is_left_out_is_told() {
    let skipped = r#"{"at":"2026-11-23T20:32:22Z","event":"hosts_skipped","skipped":[{"host":"web2","why":"ssh:\nno route"}]}"#;
    let mut events = deploy();
    events.insert(1, skipped.to_owned());
    assert_snapshot!(Message::of(&last(&events)).text(), @"
    ✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.2.0 (5ed17b1b2b) on web1, web2
    left out: web2: can't be reached: no route
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    ");
    assert_snapshot!(serde_json::to_value(last(&events)).expect("plain data")["skipped"].to_string(), @r#"[{"host":"web2","why":"ssh:\nno route"}]"#);
}

#[test]
fn a_deploy_that_was_reverted_tells_why_and_nothing_that_a_step_prints() {
    assert_snapshot!(words(&failing_deploy()), @"
    started:
    ▶ five · production: deploy v0.2.0 (5ed17b1b2b)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    reverted:
    ✗ five · production: deploy v0.2.0 (5ed17b1b2b): failed after the switch, and reverted (6.1 s)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    web1: check: ./selftest --token=<&>: exit status 1
    serving now: v0.1.0 (7e9a189bee) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    ");
}

#[test]
fn what_else_is_told() {
    let one = |command: &str, intent: &str, more: &str, headline: &str, changes: &str, verdict: &str| {
        words(&[started(command), work(intent, more, headline, changes), ended(verdict, OLD, "", "")])
    };
    let back = format!(r#"{{"host":"web1","from":{NEW},"to":{OLD}}}"#);
    assert_snapshot!(
        [
            one("rollback", "rollback", &was(NEW), "roll back to v0.1.0 (7e9a189bee)", &back, "done"),
            one("recover", "work", &is("recover"), "recover", "", "done"),
            one("maintenance", "work", &is("maintenance"), "maintenance on", "", "done"),
            one("disable", "work", &is("maintenance"), "maintenance off", "", "done"),
            one("hold", "work", &is("hold"), "hold deploys: the\\tmarket\\u001b[31m is open", "", "done"),
            one("unhold", "work", &is("hold"), "allow deploys again", "", "done"),
            one("hold", "work", &is("hold"), "hold deploys: x", "", "unreachable"),
            one("deploy", "deploy", &was(OLD), "deploy v0.2.0 (5ed17b1b2b)", &switches(), "mixed"),
            one("deploy", "deploy", &was(OLD), "deploy v0.2.0 (5ed17b1b2b)", &switches(), "interrupted"),
        ]
        .join("--\n"),
        @"
    started:
    ▶ five · production: roll back to v0.1.0 (7e9a189bee)
    by ada@laptop, on web1
    v0.2.0 (5ed17b1b2b) → v0.1.0 (7e9a189bee)
    https://github.com/bueda/five/compare/5ed17b1b2b...7e9a189bee

    rolled_back:
    ✓ five · production: roll back to v0.1.0 (7e9a189bee): done in 6.1 s
    by ada@laptop, on web1
    v0.2.0 (5ed17b1b2b) → v0.1.0 (7e9a189bee)
    serving now: v0.1.0 (7e9a189bee) on web1, web2
    https://github.com/bueda/five/compare/5ed17b1b2b...7e9a189bee
    --
    reverted:
    ↩ five · production: a switch that was never confirmed was put back in 6.1 s
    by ada@laptop, on web1, web2
    serving now: v0.1.0 (7e9a189bee) on web1, web2
    --
    maintenance:
    ✓ five · production: maintenance on: done in 6.1 s
    by ada@laptop, on web1, web2
    --
    maintenance:
    ✓ five · production: maintenance off: done in 6.1 s
    by ada@laptop, on web1, web2
    --
    held:
    ✓ five · production: hold deploys: the market is open: done in 6.1 s
    by ada@laptop, on web1, web2
    --
    held:
    ✓ five · production: allow deploys again: done in 6.1 s
    by ada@laptop, on web1, web2
    --
    failed:
    ✗ five · production: hold deploys: x: unreachable: nothing was changed (6.1 s)
    by ada@laptop, on web1, web2
    --
    started:
    ▶ five · production: deploy v0.2.0 (5ed17b1b2b)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    failed:
    ✗ five · production: deploy v0.2.0 (5ed17b1b2b): the hosts need a person (6.1 s)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.1.0 (7e9a189bee) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    --
    started:
    ▶ five · production: deploy v0.2.0 (5ed17b1b2b)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    failed:
    ✗ five · production: deploy v0.2.0 (5ed17b1b2b): interrupted (6.1 s)
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.1.0 (7e9a189bee) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    "
    );
}

/// Whoever is told hears of the same release as hooks and the plan, though one host was far behind.
#[test]
fn where_hosts_differ_the_plan_says_what_was_live() {
    let behind =
        r#"{"commit":"1111111111111111111111111111111111111111","describe":"v0.0.1","tag":"v0.0.1"}"#;
    let changes = format!(r#"{},{{"host":"web3","from":{behind},"to":{NEW}}}"#, switches());
    let events = [
        started("deploy"),
        work("deploy", &was(OLD), "deploy v0.2.0 (5ed17b1b2b)", &changes),
        ended("done", NEW, "", ""),
    ];
    assert_snapshot!(Message::of(&last(&events)).text(), @"
    ✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
    by ada@laptop, on web1, web2, web3
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.2.0 (5ed17b1b2b) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b
    ");
}

#[test]
fn what_nobody_is_told() {
    let refused =
        r#"{"at":"2026-11-23T20:32:22Z","event":"refused","reasons":[{"message":"held","hint":null}]}"#;
    let runs: [&[String]; 6] = [
        &[started("deploy"), refused.to_owned(), ended("locked", OLD, "", "")],
        &[started("deploy"), ended("done", OLD, "", "")],
        &[
            started("restart_webserver"),
            work("restart", "", "restart", ""),
            ended("failed_before", OLD, "", ""),
        ],
        &[started("run"), work("work", "", "uptime", ""), ended("done", OLD, "", "")],
        // Words that somebody has typed decide nothing.
        &[started("run"), work("work", "", "recover", ""), ended("done", OLD, "", "")],
        &[started("hold"), work("work", "", "maintenance on", ""), ended("done", OLD, "", "")],
    ];
    for run in runs {
        assert_eq!(told(run), []);
    }
}

#[test]
fn a_run_before_the_one_that_was_asked_for_is_told_by_itself() {
    let recovers =
        [started("deploy"), work("work", &is("recover"), "recover", ""), ended("done", OLD, "", "")];
    let moments: Vec<&str> =
        told(&[recovers.to_vec(), deploy()].concat()).iter().map(|told| told.moment.name()).collect();
    assert_eq!(moments, ["reverted", "started", "succeeded"]);
}

fn secret() -> SecretSource {
    SecretSource::Env("IT".to_owned())
}

fn revealed() -> Revealed {
    let secrets = [
        ("url", "https://hooks.example.com/T0/sEcReT"),
        ("token", "s/token"),
        ("bot_key", "3-s/key"),
        ("key", "s key"),
        ("api_key", "s&key"),
        ("secret", "Jefe"),
    ];
    Revealed(secrets.map(|(key, value)| (key, value.to_owned())).into_iter().collect::<BTreeMap<_, _>>())
}

/// All requests that tell this, given these answers.
fn requests(
    recipient: &Recipient,
    told: &Notification,
    before: &[Answer],
    answers: &[(u16, &str)],
) -> String {
    let all: Vec<Answer> =
        answers.iter().map(|(status, body)| Answer { status: *status, body: (*body).to_owned() }).collect();
    let mut text = String::new();
    for count in 0..=all.len() {
        match next(recipient, &revealed(), told, before, &all[..count]) {
            Next::Send(Request { method, url, headers, body }) => {
                text.push_str(&format!("{method} {url}\n"));
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\n"));
                }
                if !body.is_empty() {
                    text.push_str(&format!("\n{}\n", String::from_utf8(body).expect("it is text")));
                }
            }
            Next::Done => text.push_str("done\n"),
            Next::Failed(why) => text.push_str(&format!("failed: {why}\n")),
        }
        text.push('\n');
    }
    text
}

fn last(events: &[String]) -> Notification {
    told(events).pop().expect("something is told")
}

#[test]
fn slack() {
    let slack = Recipient::Slack { url: secret() };
    assert_snapshot!(requests(&slack, &last(&failing_deploy()), &[], &[(200, "ok")]), @r#"
    POST https://hooks.example.com/T0/sEcReT
    Content-Type: application/json

    {"text":"✗ five · production: deploy v0.2.0 (5ed17b1b2b): failed after the switch, and reverted (6.1 s)\nby ada@laptop, on web1, web2\nv0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)\nweb1: check: ./selftest --token=&lt;&amp;&gt;: exit status 1\nserving now: v0.1.0 (7e9a189bee) on web1, web2\nhttps://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b"}

    done
    "#);
    assert_snapshot!(requests(&slack, &last(&deploy()), &[], &[(404, "no_team at /T0/sEcReT")]), @r#"
    POST https://hooks.example.com/T0/sEcReT
    Content-Type: application/json

    {"text":"✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s\nby ada@laptop, on web1, web2\nv0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)\nserving now: v0.2.0 (5ed17b1b2b) on web1, web2\nhttps://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b"}

    failed: it answers 404 (no_team at /********)
    "#);
}

#[test]
fn discord() {
    let discord = Recipient::Discord { url: secret() };
    let mut told = last(&deploy());
    told.headline = "deploy @everyone *v1* [x](y) `a`".to_owned();
    assert_snapshot!(requests(&discord, &told, &[], &[(200, "{}")]), @r#"
    POST https://hooks.example.com/T0/sEcReT?wait=true
    Content-Type: application/json

    {"allowed_mentions":{"parse":[]},"content":"✓ five · production: deploy @everyone \\*v1\\* \\[x](y) \\`a\\`: done in 6.1 s\nby ada@laptop, on web1, web2\nv0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)\nserving now: v0.2.0 (5ed17b1b2b) on web1, web2\n<https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b>"}

    done
    "#);
    told.why = vec!["é".repeat(3000)];
    let Next::Send(request) = next(&discord, &revealed(), &told, &[], &[]) else { panic!("it is sent") };
    let document: serde_json::Value = serde_json::from_slice(&request.body).expect("it is JSON");
    assert_eq!(document["content"].as_str().map(|content| content.chars().count()), Some(2000));
}

#[test]
fn campfire() {
    let url = "https://bueda.campfirenow.com".to_owned();
    let classic = Recipient::Campfire { url, room: "Deploys".to_owned(), by: CampfireKey::Token(secret()) };
    let rooms = r#"{"rooms":[{"id":1,"name":"Lunch"},{"id":42,"name":"Deploys"}]}"#;
    let told = last(&deploy());
    assert_snapshot!(requests(&classic, &told, &[], &[(200, rooms), (200, ""), (201, "{}")]), @r#"
    GET https://bueda.campfirenow.com/rooms.json
    Authorization: Basic cy90b2tlbjpY

    POST https://bueda.campfirenow.com/room/42/join.json
    Content-Type: application/json
    Authorization: Basic cy90b2tlbjpY

    POST https://bueda.campfirenow.com/room/42/speak.json
    Content-Type: application/json
    Authorization: Basic cy90b2tlbjpY

    {"message":{"body":"✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s\nby ada@laptop, on web1, web2\nv0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)\nserving now: v0.2.0 (5ed17b1b2b) on web1, web2\nhttps://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b","type":"TextMessage"}}

    done
    "#);
    assert_snapshot!(requests(&classic, &told, &[], &[(200, r#"{"rooms":[]}"#)]), @r#"
    GET https://bueda.campfirenow.com/rooms.json
    Authorization: Basic cy90b2tlbjpY

    failed: it has no room "Deploys" that this token's owner may enter
    "#);
    let url = "https://chat.example.com".to_owned();
    let once = Recipient::Campfire { url, room: "3".to_owned(), by: CampfireKey::BotKey(secret()) };
    assert_snapshot!(requests(&once, &told, &[], &[(201, "")]), @"
    POST https://chat.example.com/rooms/3/3-s%2Fkey/messages
    Content-Type: text/plain; charset=utf-8

    ✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.2.0 (5ed17b1b2b) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    done
    ");
    assert_snapshot!(requests(&once, &told, &[], &[(302, "<html>")]), @"
    POST https://chat.example.com/rooms/3/3-s%2Fkey/messages
    Content-Type: text/plain; charset=utf-8

    ✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s
    by ada@laptop, on web1, web2
    v0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)
    serving now: v0.2.0 (5ed17b1b2b) on web1, web2
    https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b

    failed: it answers 302; that is how Campfire answers a wrong key or room
    ");
}

#[test]
fn airbrake_and_hoptoad() {
    let url = "https://api.airbrake.io".to_owned();
    let airbrake = Recipient::Airbrake { url, project: "12".to_owned(), key: secret() };
    assert_snapshot!(requests(&airbrake, &last(&deploy()), &[], &[(201, "{}")]), @r#"
    POST https://api.airbrake.io/api/v4/projects/12/deploys?key=s%20key
    Content-Type: application/json

    {"environment":"production","repository":"https://github.com/bueda/five/","revision":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","username":"ada@laptop","version":"v0.2.0"}

    done
    "#);
    let hoptoad = Recipient::Hoptoad { url: "https://errbit.example.com".to_owned(), api_key: secret() };
    assert_snapshot!(requests(&hoptoad, &last(&deploy()), &[], &[(404, "<html>")]), @"
    POST https://errbit.example.com/deploys.txt
    Content-Type: application/x-www-form-urlencoded

    api_key=s%26key&deploy%5Brails_env%5D=production&deploy%5Bscm_revision%5D=5ed17b1b2bb7bae1ea611c84ada59cb77d77b850&deploy%5Bscm_repository%5D=https%3A%2F%2Fgithub.com%2Fbueda%2Ffive%2F&deploy%5Blocal_username%5D=ada%40laptop&deploy%5Bmessage%5D=%E2%9C%93%20five%20%C2%B7%20production%3A%20deploy%20v0.2.0%20%285ed17b1b2b%29%3A%20done%20in%206.1%20s

    failed: it answers 404; the server doesn't know deploys any more
    ");
}

#[test]
fn sentry() {
    let sentry = Recipient::Sentry {
        url: "https://sentry.io".to_owned(),
        organization: "bueda".to_owned(),
        projects: vec!["five".to_owned()],
        repository: Some("bueda/five".to_owned()),
        token: secret(),
    };
    assert_snapshot!(requests(&sentry, &last(&deploy()), &[], &[(201, "{}"), (200, "{}"), (201, "{}")]), @r#"
    POST https://sentry.io/api/0/organizations/bueda/releases/
    Content-Type: application/json
    Authorization: Bearer s/token

    {"projects":["five"],"refs":[{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","previousCommit":"7e9a189beef02d744cdb183638e5194c5dd25304","repository":"bueda/five"}],"version":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850"}

    PUT https://sentry.io/api/0/organizations/bueda/releases/5ed17b1b2bb7bae1ea611c84ada59cb77d77b850/
    Content-Type: application/json
    Authorization: Bearer s/token

    {"dateReleased":"2026-11-23T20:32:27.5Z"}

    POST https://sentry.io/api/0/organizations/bueda/releases/5ed17b1b2bb7bae1ea611c84ada59cb77d77b850/deploys/
    Content-Type: application/json
    Authorization: Bearer s/token

    {"dateFinished":"2026-11-23T20:32:27.5Z","dateStarted":"2026-11-23T20:32:21Z","environment":"production","name":"v0.2.0","url":"https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b"}

    done
    "#);
    assert_snapshot!(requests(&sentry, &last(&deploy()), &[], &[(403, r#"{"detail":"no s/token"}"#)]), @r#"
    POST https://sentry.io/api/0/organizations/bueda/releases/
    Content-Type: application/json
    Authorization: Bearer s/token

    {"projects":["five"],"refs":[{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","previousCommit":"7e9a189beef02d744cdb183638e5194c5dd25304","repository":"bueda/five"}],"version":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850"}

    failed: it answers 403 (no ********); the key or token may be wrong, or not allowed to do this
    "#);
}

#[test]
fn github() {
    let url = "https://api.github.com".to_owned();
    let github =
        Recipient::Github { url, repository: "bueda/five".to_owned(), token: secret(), require_checks: true };
    let made = r#"{"id":7,"ref":"5ed"}"#;
    let first = told(&deploy()).remove(0);
    assert_snapshot!(requests(&github, &first, &[], &[(201, made), (201, r#"{"id":8,"state":"in_progress"}"#)]), @r#"
    POST https://api.github.com/repos/bueda/five/deployments
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"auto_merge":false,"description":"▶ five · production: deploy v0.2.0 (5ed17b1b2b)","environment":"production","payload":{"run":"20261123-203221-ie2d"},"ref":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","required_contexts":[],"task":"deploy"}

    POST https://api.github.com/repos/bueda/five/deployments/7/statuses
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"description":"▶ five · production: deploy v0.2.0 (5ed17b1b2b)","state":"in_progress"}

    done
    "#);
    let before = [(201, made), (201, r#"{"id":8,"state":"in_progress"}"#)]
        .map(|(status, body)| Answer { status, body: body.to_owned() });
    assert_snapshot!(requests(&github, &last(&failing_deploy()), &before, &[(201, r#"{"id":9,"state":"failure"}"#)]), @r#"
    POST https://api.github.com/repos/bueda/five/deployments/7/statuses
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"description":"✗ five · production: deploy v0.2.0 (5ed17b1b2b): failed after the switch, and reverted (6.1 s)","state":"failure"}

    done
    "#);
    // The start wasn't heard: the end says it all.
    assert_snapshot!(requests(&github, &last(&deploy()), &[], &[(201, made), (201, r#"{"id":9,"state":"success"}"#)]), @r#"
    POST https://api.github.com/repos/bueda/five/deployments
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"auto_merge":false,"description":"✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s","environment":"production","payload":{"run":"20261123-203221-ie2d"},"ref":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","required_contexts":[],"task":"deploy"}

    POST https://api.github.com/repos/bueda/five/deployments/7/statuses
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"description":"✓ five · production: deploy v0.2.0 (5ed17b1b2b): done in 6.1 s","state":"success"}

    done
    "#);
    assert_snapshot!(requests(&github, &first, &[], &[(409, r#"{"message":"Conflict"}"#)]), @r#"
    POST https://api.github.com/repos/bueda/five/deployments
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    {"auto_merge":false,"description":"▶ five · production: deploy v0.2.0 (5ed17b1b2b)","environment":"production","payload":{"run":"20261123-203221-ie2d"},"ref":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","required_contexts":[],"task":"deploy"}

    failed: it answers 409 (Conflict)
    "#);
}

#[test]
fn github_says_whether_the_checks_of_a_commit_have_passed() {
    let url = "https://api.github.com".to_owned();
    let of = |require_checks| {
        let repository = "bueda/five".to_owned();
        Recipient::Github { url: url.clone(), repository, token: secret(), require_checks }
    };
    let commit = last(&deploy()).to.expect("it is one release").commit;
    let checked = |answers: &[(u16, &str)]| {
        let answers: Vec<Answer> = answers
            .iter()
            .map(|(status, body)| Answer { status: *status, body: (*body).to_owned() })
            .collect();
        match next_check(&of(true), &revealed(), &commit, &answers) {
            Next::Send(Request { method, url, .. }) => format!("{method} {url}"),
            Next::Done => "passed".to_owned(),
            Next::Failed(why) => why,
        }
    };
    assert_eq!(next_check(&of(false), &revealed(), &commit, &[]), Next::Done);
    let none = r#"{"total_count":0,"statuses":[]}"#;
    let statuses =
        |state: &str| format!(r#"{{"total_count":1,"statuses":[{{"context":"ci/x","state":"{state}"}}]}}"#);
    let runs = |state: &str| {
        format!(
            r#"{{"total_count":2,"check_runs":[{{"name":"lint","status":"completed","conclusion":"skipped"}},{state}]}}"#
        )
    };
    let green = runs(r#"{"name":"test","status":"completed","conclusion":"success"}"#);
    let red = runs(r#"{"name":"te\nst","status":"completed","conclusion":"failure"}"#);
    let under_way = runs(r#"{"name":"test","status":"in_progress","conclusion":null}"#);
    let many = r#"{"total_count":300,"check_runs":[]}"#;
    let base = "GET https://api.github.com/repos/bueda/five/commits/5ed17b1b2bb7bae1ea611c84ada59cb77d77b850";
    let cases: [(&[(u16, &str)], String); 11] = [
        (&[], format!("{base}/status?per_page=100")),
        (&[(200, none)], format!("{base}/check-runs?per_page=100")),
        (&[(200, none), (200, &green)], "passed".to_owned()),
        (&[(200, &statuses("success")), (200, &green)], "passed".to_owned()),
        (
            &[(200, &statuses("pending")), (200, &green)],
            "a check of this commit hasn't passed: ci/x (pending)".to_owned(),
        ),
        (&[(200, none), (200, &red)], "a check of this commit hasn't passed: te␊st (failure)".to_owned()),
        (
            &[(200, &statuses("error")), (200, &under_way)],
            "2 checks of this commit haven't passed: ci/x (error), test (pending)".to_owned(),
        ),
        (
            &[(200, none), (200, r#"{"total_count":0,"check_runs":[]}"#)],
            "this commit has no checks yet".to_owned(),
        ),
        (
            &[(200, none), (200, many)],
            "it says that this commit has 300 checks, and shows 0: so it isn't known whether all have passed"
                .to_owned(),
        ),
        (&[(200, none), (200, "<html>")], "it doesn't say how the checks of this commit went".to_owned()),
        (
            &[(422, r#"{"message":"No commit found"}"#)],
            "it doesn't know this commit: push it, and wait for its checks".to_owned(),
        ),
    ];
    for (answers, expected) in cases {
        assert_eq!(checked(answers), expected, "{answers:?}");
    }
}

/// What stands on further pages has a say, too.
#[test]
fn github_shows_checks_page_by_page() {
    let github = Recipient::Github {
        url: "https://api.github.com".to_owned(),
        repository: "bueda/five".to_owned(),
        token: secret(),
        require_checks: true,
    };
    let commit = last(&deploy()).to.expect("it is one release").commit;
    let status = |id: usize| json!({ "id": id, "context": format!("ci/{id}"), "state": "success" });
    let run = |id: usize, conclusion: &str| json!({ "id": id, "name": format!("run {id}"), "status": "completed", "conclusion": conclusion });
    // What is asked, in order, until it is decided; `statuses` and `runs` are pages.
    let asked = |total: usize, statuses: &[Vec<Value>], runs: &[Vec<Value>]| {
        let (mut answers, mut told) = (Vec::new(), Vec::new());
        loop {
            let url = match next_check(&github, &revealed(), &commit, &answers) {
                Next::Send(Request { url, .. }) => url,
                Next::Done => break told.push("passed".to_owned()),
                Next::Failed(why) => break told.push(why),
            };
            let (_, path) = url.rsplit_once('/').expect("a path");
            let page = path.rsplit_once("&page=").map_or(1, |(_, page)| page.parse().expect("a number"));
            let body = match path.starts_with("status") {
                true => {
                    json!({ "total_count": statuses.concat().len(), "statuses": statuses.get(page - 1).cloned().unwrap_or_default() })
                }
                false => {
                    json!({ "total_count": total, "check_runs": runs.get(page - 1).cloned().unwrap_or_default() })
                }
            };
            answers.push(Answer { status: 200, body: body.to_string() });
            told.push(path.to_owned());
        }
        assert!(answers.len() <= MOST_CHECK_REQUESTS);
        // Of many, the first and the last.
        if told.len() > 6 {
            told.splice(2..told.len() - 2, ["…".to_owned()]);
        }
        told.join("\n")
    };
    let pages = |from: usize, to: usize| -> Vec<Vec<Value>> {
        (from..to).map(|id| run(id, "success")).collect::<Vec<_>>().chunks(100).map(<[_]>::to_vec).collect()
    };
    let statuses = vec![(0..100).map(status).collect(), (100..102).map(status).collect()];
    let mut bad_at_the_end = pages(0, 101);
    bad_at_the_end[1] = vec![run(100, "failure")];
    // While it was asked, one was added, which moved the last of the first page to the second.
    let mut moved = pages(0, 101);
    moved[1].insert(0, run(99, "success"));
    let told = [
        asked(1, &statuses, &pages(0, 1)),
        asked(101, &[Vec::new()], &bad_at_the_end),
        asked(102, &[Vec::new()], &moved),
        asked(1000, &[Vec::new()], &pages(0, 1000)),
        asked(1001, &[Vec::new()], &pages(0, 1001)),
    ];
    assert_snapshot!(told.join("\n--\n"), @"
    status?per_page=100
    status?per_page=100&page=2
    check-runs?per_page=100
    passed
    --
    status?per_page=100
    check-runs?per_page=100
    check-runs?per_page=100&page=2
    a check of this commit hasn't passed: run 100 (failure)
    --
    status?per_page=100
    check-runs?per_page=100
    check-runs?per_page=100&page=2
    check-runs?per_page=100&page=3
    it says that this commit has 102 checks, and shows 101: so it isn't known whether all have passed
    --
    status?per_page=100
    check-runs?per_page=100
    …
    check-runs?per_page=100&page=10
    passed
    --
    status?per_page=100
    check-runs?per_page=100
    …
    check-runs?per_page=100&page=10
    this commit has 1001 checks, and no more than 1000 are read: so it isn't known whether all have passed
    ");
}

/// The signature is what Python says: `hmac.new(b"Jefe", body, hashlib.sha256).hexdigest()`.
#[test]
fn webhooks_are_signed() {
    let webhook = Recipient::Webhook {
        url: UrlSource::Written("https://example.com/hook".to_owned()),
        secret: secret(),
    };
    assert_snapshot!(requests(&webhook, &last(&failing_deploy()), &[], &[(204, "")]), @r#"
    POST https://example.com/hook
    Content-Type: application/json
    X-Buedafab-Event: reverted
    X-Buedafab-Id: 20261123-203221-ie2d-reverted
    X-Buedafab-Version: 1
    X-Buedafab-Signature: sha256=e2a79e921750f66d0b19d6d4ad2b526c8c32537ec5573189f85038763be7ec6e

    {"at":"2026-11-23T20:32:27.5Z","by":"ada@laptop","command":"deploy","compare":"https://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b","environment":"production","exit_code":0,"from":{"commit":"7e9a189beef02d744cdb183638e5194c5dd25304","describe":"v0.1.0","tag":"v0.1.0"},"headline":"deploy v0.2.0 (5ed17b1b2b)","hosts":["web1","web2"],"id":"20261123-203221-ie2d-reverted","is_test":false,"milliseconds":6100,"moment":"reverted","repository":"https://github.com/bueda/five/","run":"20261123-203221-ie2d","serving":["serving now: v0.1.0 (7e9a189bee) on web1, web2"],"started":"2026-11-23T20:32:21Z","text":"✗ five · production: deploy v0.2.0 (5ed17b1b2b): failed after the switch, and reverted (6.1 s)\nby ada@laptop, on web1, web2\nv0.1.0 (7e9a189bee) → v0.2.0 (5ed17b1b2b)\nweb1: check: ./selftest --token=<&>: exit status 1\nserving now: v0.1.0 (7e9a189bee) on web1, web2\nhttps://github.com/bueda/five/compare/7e9a189bee...5ed17b1b2b","title":"✗ five · production: deploy v0.2.0 (5ed17b1b2b): failed after the switch, and reverted (6.1 s)","to":{"commit":"5ed17b1b2bb7bae1ea611c84ada59cb77d77b850","describe":"v0.2.0","tag":"v0.2.0"},"unit":"five","verdict":"reverted","version":1,"why":["web1: check: ./selftest --token=<&>: exit status 1"]}

    done
    "#);
}

#[test]
fn a_test_makes_no_release_and_no_deployment() {
    let event = last(&deploy());
    let told =
        Notification::test(event.run, event.by, event.unit, event.environment, event.repository, event.at);
    let url = "https://x".to_owned();
    let all = [
        Recipient::Slack { url: secret() },
        Recipient::Sentry {
            url: url.clone(),
            organization: "bueda".to_owned(),
            projects: vec!["five".to_owned()],
            repository: None,
            token: secret(),
        },
        Recipient::Github { url, repository: "bueda/five".to_owned(), token: secret(), require_checks: true },
    ];
    let all = all.map(|recipient| requests(&recipient, &told, &[], &[(200, "[]")]));
    assert_snapshot!(all.join("--\n"), @r#"
    POST https://hooks.example.com/T0/sEcReT
    Content-Type: application/json

    {"text":"five · production: a test of this notification\nby ada@laptop"}

    done

    --
    GET https://x/api/0/organizations/bueda/releases/?per_page=1
    Content-Type: application/json
    Authorization: Bearer s/token

    done

    --
    GET https://x/repos/bueda/five/deployments?per_page=1
    Content-Type: application/json
    Accept: application/vnd.github+json
    Authorization: Bearer s/token
    X-GitHub-Api-Version: 2022-11-28

    done
    "#);
}

/// Whoever prints one for a log prints no secret.
#[test]
fn secrets_are_not_printed() {
    let request = Request {
        method: "POST",
        url: "https://ada:pw@hooks.example.com/T0/sEcReT?x".to_owned(),
        headers: vec![("Authorization", "Bearer s".to_owned())],
        body: b"{}".to_vec(),
    };
    assert_eq!(format!("{request:?}"), "POST https://hooks.example.com (2 bytes)");
    assert_eq!(format!("{:?}", revealed()), r#"{"api_key", "bot_key", "key", "secret", "token", "url"}"#);
    assert_eq!(revealed().mask("POST /T0/sEcReT: s/token"), "POST /********: ********");
}
