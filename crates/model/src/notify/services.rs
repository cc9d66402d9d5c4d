//! The requests of each service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::Sha256;

use super::request::{Answer, Next, Request, Revealed};
use super::words::{Message, cut};
use super::{Notification, VERSION};
use crate::app::notify::{CampfireKey, Moment, Recipient, UrlSource};
use crate::names::CommitId;
use crate::plan::Intent;
use crate::run::outcome::Verdict;
use crate::view::on_one_line;

/// Longer messages are refused by Discord.
const DISCORD_MOST: usize = 2000;

/// Longer descriptions are refused by GitHub.
const GITHUB_MOST: usize = 140;

/// What may stand in a path or a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn request(
    recipient: &Recipient,
    secrets: &Revealed,
    told: &Notification,
    before: &[Answer],
    answers: &[Answer],
) -> Next {
    let once = |request: Request| if answers.is_empty() { Next::Send(request) } else { Next::Done };
    match recipient {
        Recipient::Slack { .. } => {
            once(post(secrets.get("url"), &json!({ "text": escaped_for_slack(&Message::of(told).text()) })))
        }
        Recipient::Discord { .. } => once(discord(secrets.get("url"), told)),
        Recipient::Campfire { url, room, by: CampfireKey::Token(_) } => {
            classic_campfire(url, room, secrets.get("token"), told, answers)
        }
        Recipient::Campfire { url, room, by: CampfireKey::BotKey(_) } => once(Request {
            method: "POST",
            url: format!("{url}/rooms/{room}/{}/messages", encoded(secrets.get("bot_key"))),
            headers: vec![("Content-Type", "text/plain; charset=utf-8".to_owned())],
            body: Message::of(told).text().into_bytes(),
        }),
        Recipient::Airbrake { url, project, .. } => {
            let to = told.to.as_ref();
            once(post(
                &format!("{url}/api/v4/projects/{project}/deploys?key={}", encoded(secrets.get("key"))),
                &json!({
                    "environment": told.environment,
                    "username": told.by,
                    "repository": told.repository,
                    "revision": to.map(|release| release.commit.as_str()),
                    "version": to.map(|release| release.describe.as_str()),
                }),
            ))
        }
        Recipient::Hoptoad { url, .. } => once(hoptoad(url, secrets.get("api_key"), told)),
        Recipient::Sentry { url, organization, projects, repository, .. } => {
            let of = Sentry {
                url,
                organization,
                projects,
                repository: repository.as_deref(),
                token: secrets.get("token"),
            };
            of.request(told, answers)
        }
        Recipient::Github { url, repository, .. } => {
            github(url, repository, secrets.get("token"), told, before, answers)
        }
        Recipient::Webhook { url, .. } => {
            let url = match url {
                UrlSource::Written(url) => url,
                UrlSource::Secret(_) => secrets.get("url"),
            };
            once(webhook(url, secrets.get("secret"), told))
        }
        // Neither is told by requests.
        Recipient::Command(_) | Recipient::Email { .. } => Next::Done,
    }
}

fn post(url: &str, document: &Value) -> Request {
    Request {
        method: "POST",
        url: url.to_owned(),
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: document.to_string().into_bytes(),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The only three characters that mean something to Slack.
fn escaped_for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn discord(url: &str, told: &Notification) -> Request {
    let Message { title, lines, link } = Message::of(told);
    let lines = std::iter::once(title).chain(lines).map(|line| escaped_for_discord(&line));
    // A preview of the page would be larger than the message.
    let lines = lines.chain(link.map(|link| format!("<{link}>")));
    let content = cut(&lines.collect::<Vec<_>>().join("\n"), DISCORD_MOST);
    // It answers once the message is there.
    let url = format!("{url}{}wait=true", if url.contains('?') { '&' } else { '?' });
    post(&url, &json!({ "content": content, "allowed_mentions": { "parse": [] } }))
}

/// What would make a line bold, code, a link or a quote.
fn escaped_for_discord(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for letter in line.chars() {
        if matches!(letter, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | '#') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn classic_campfire(url: &str, room: &str, token: &str, told: &Notification, answers: &[Answer]) -> Next {
    let authorization = format!("Basic {}", STANDARD.encode(format!("{token}:X")));
    let with_key = |request: Request| {
        let mut headers = request.headers;
        headers.push(("Authorization", authorization.clone()));
        Next::Send(Request { headers, ..request })
    };
    let Some(rooms) = answers.first() else {
        let url = format!("{url}/rooms.json");
        return with_key(Request { method: "GET", url, headers: Vec::new(), body: Vec::new() });
    };
    let Some(id) = room_in(&rooms.body, room) else {
        return Next::Failed(format!("it has no room {room:?} that this token's owner may enter"));
    };
    match answers.len() {
        1 => with_key(Request {
            body: Vec::new(),
            ..post(&format!("{url}/room/{id}/join.json"), &Value::Null)
        }),
        2 => {
            let message = json!({ "message": { "type": "TextMessage", "body": Message::of(told).text() } });
            with_key(post(&format!("{url}/room/{id}/speak.json"), &message))
        }
        _ => Next::Done,
    }
}

/// The id of a room by its name, or by its id itself.
fn room_in(rooms: &str, wanted: &str) -> Option<u64> {
    let rooms: Value = serde_json::from_str(rooms).ok()?;
    rooms.get("rooms")?.as_array()?.iter().find_map(|room| {
        let id = room.get("id")?.as_u64()?;
        let is_named = room.get("name").and_then(Value::as_str) == Some(wanted);
        (is_named || id.to_string() == wanted).then_some(id)
    })
}

fn hoptoad(url: &str, api_key: &str, told: &Notification) -> Request {
    let revision = told.to.as_ref().map_or("", |release| release.commit.as_str());
    let fields = [
        ("api_key", api_key.to_owned()),
        ("deploy[rails_env]", told.environment.to_string()),
        ("deploy[scm_revision]", revision.to_owned()),
        ("deploy[scm_repository]", told.repository.clone().unwrap_or_default()),
        ("deploy[local_username]", told.by.clone()),
        ("deploy[message]", Message::of(told).title),
    ];
    let fields: Vec<String> =
        fields.into_iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(&value))).collect();
    Request {
        method: "POST",
        url: format!("{url}/deploys.txt"),
        headers: vec![("Content-Type", "application/x-www-form-urlencoded".to_owned())],
        body: fields.join("&").into_bytes(),
    }
}

struct Sentry<'a> {
    url: &'a str,
    organization: &'a str,
    projects: &'a [String],
    repository: Option<&'a str>,
    token: &'a str,
}

impl Sentry<'_> {
    /// The release is made, or is there already; it is out; and it is deployed.
    fn request(&self, told: &Notification, answers: &[Answer]) -> Next {
        let Sentry { url, organization, projects, repository, token } = *self;
        let base = format!("{url}/api/0/organizations/{organization}/");
        let send = |method, url: String, document: Value| {
            let mut request = Request { method, ..post(&url, &document) };
            if document.is_null() {
                request.body.clear();
            }
            request.headers.push(("Authorization", format!("Bearer {token}")));
            Next::Send(request)
        };
        if told.is_test {
            // Nothing was released: that the token may read releases is all that can be tried.
            return match answers.len() {
                0 => send("GET", format!("{base}releases/?per_page=1"), Value::Null),
                _ => Next::Done,
            };
        }
        let Some(to) = &told.to else { return Next::Done };
        let version = to.commit.as_str();
        let of_release = format!("{base}releases/{}/", encoded(version));
        match answers.len() {
            0 => {
                let mut release = json!({ "version": version, "projects": projects });
                if let Some(repository) = repository {
                    let mut commits = json!({ "repository": repository, "commit": version });
                    if let Some(from) = told.from.as_ref().filter(|from| from.commit != to.commit) {
                        commits["previousCommit"] = json!(from.commit.as_str());
                    }
                    release["refs"] = json!([commits]);
                }
                send("POST", format!("{base}releases/"), release)
            }
            1 => send("PUT", of_release, json!({ "dateReleased": told.at })),
            2 => {
                let deploy = json!({
                    "environment": told.environment,
                    "name": to.describe,
                    "url": told.compare,
                    "dateStarted": told.started,
                    "dateFinished": told.at,
                });
                send("POST", format!("{of_release}deploys/"), deploy)
            }
            _ => Next::Done,
        }
    }
}

fn github(
    url: &str,
    repository: &str,
    token: &str,
    told: &Notification,
    before: &[Answer],
    answers: &[Answer],
) -> Next {
    let base = format!("{url}/repos/{repository}/deployments");
    let send = |method, request: Request| to_github(token, Request { method, ..request });
    if told.is_test {
        return match answers.len() {
            0 => {
                let url = format!("{base}?per_page=1");
                send("GET", Request { body: Vec::new(), ..post(&url, &Value::Null) })
            }
            _ => Next::Done,
        };
    }
    let Some(to) = &told.to else { return Next::Done };
    let title = Message::of(told).title;
    let known = before.iter().find_map(deployment_in);
    let Some(id) = known.or_else(|| answers.iter().find_map(deployment_in)) else {
        if !answers.is_empty() {
            return Next::Failed("it doesn't say which deployment it has made".to_owned());
        }
        let task = if told.intent == Some(Intent::Rollback) { "rollback" } else { "deploy" };
        let deployment = json!({
            "ref": to.commit.as_str(),
            "task": task,
            "auto_merge": false,
            // It only takes note: whether a commit may be deployed was asked before, if anybody wants that.
            "required_contexts": [],
            "environment": told.environment,
            "description": cut(&title, GITHUB_MOST),
            "payload": { "run": told.run },
        });
        return send("POST", post(&base, &deployment));
    };
    let statuses = answers.len() - usize::from(known.is_none());
    if statuses > 0 {
        return Next::Done;
    }
    let state = match (told.moment, told.verdict) {
        (Moment::Started, _) => "in_progress",
        (Moment::Succeeded | Moment::RolledBack, _) => "success",
        (_, Some(Verdict::Mixed)) => "error",
        _ => "failure",
    };
    let status = json!({ "state": state, "description": cut(&title, GITHUB_MOST) });
    send("POST", post(&format!("{base}/{id}/statuses"), &status))
}

fn to_github(token: &str, request: Request) -> Next {
    let mut request = request;
    request.headers.extend([
        ("Accept", "application/vnd.github+json".to_owned()),
        ("Authorization", format!("Bearer {token}")),
        ("X-GitHub-Api-Version", "2022-11-28".to_owned()),
    ]);
    Next::Send(request)
}

/// So many names of checks are told.
const MOST_CHECKS: usize = 5;

/// So many checks stand on a page: as many as GitHub gives.
const PER_PAGE: usize = 100;

/// So many pages of each kind of check are read.
const MOST_PAGES: usize = 10;

/// No more requests than these ask for the checks of a commit.
pub const MOST_CHECK_REQUESTS: usize = 2 * MOST_PAGES;

/// Whether all checks of a commit have passed: both the statuses that others report, and the runs of apps such as GitHub's Actions. What
/// isn't seen to its end isn't known, and counts as a no.
pub(super) fn check_request(
    recipient: &Recipient,
    secrets: &Revealed,
    commit: &CommitId,
    answers: &[Answer],
) -> Next {
    let Recipient::Github { url, repository, require_checks: true, .. } = recipient else {
        return Next::Done;
    };
    let of_commit = format!("{url}/repos/{repository}/commits/{commit}");
    let mut answers = answers.iter();
    let mut lists: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    for (list, (path, key)) in lists.iter_mut().zip([("status", "statuses"), ("check-runs", "check_runs")]) {
        for page in 1.. {
            let Some(answer) = answers.next() else {
                let page = if page > 1 { format!("&page={page}") } else { String::new() };
                let url = format!("{of_commit}/{path}?per_page={PER_PAGE}{page}");
                let request = Request { method: "GET", url, headers: Vec::new(), body: Vec::new() };
                return to_github(secrets.get("token"), request);
            };
            let Some((checks, total)) = page_of(&answer.body, key) else {
                return Next::Failed("it doesn't say how the checks of this commit went".to_owned());
            };
            let known = list.len();
            for check in checks {
                // One that is new moves others to the next page.
                if check["id"].is_null() || list.iter().all(|known| known["id"] != check["id"]) {
                    list.push(check);
                }
            }
            if list.len() as u64 >= total {
                break;
            }
            let unknown = "so it isn't known whether all have passed";
            if list.len() == known {
                return Next::Failed(format!(
                    "it says that this commit has {total} checks, and shows {known}: {unknown}"
                ));
            }
            if page == MOST_PAGES {
                let most = MOST_PAGES * PER_PAGE;
                return Next::Failed(format!(
                    "this commit has {total} checks, and no more than {most} are read: {unknown}"
                ));
            }
        }
    }
    let [statuses, runs] = lists;
    judge_checks(&statuses, &runs)
}

/// The checks on a page, and how many there are on all pages.
fn page_of(body: &str, key: &str) -> Option<(Vec<Value>, u64)> {
    let mut document: Value = serde_json::from_str(body).ok()?;
    let total = document.get("total_count")?.as_u64()?;
    match document.get_mut(key)?.take() {
        Value::Array(checks) => Some((checks, total)),
        _ => None,
    }
}

fn judge_checks(statuses: &[Value], runs: &[Value]) -> Next {
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let of_statuses = statuses.iter().map(|status| (word(status, "context"), word(status, "state")));
    let of_runs = runs.iter().map(|run| {
        let is_over = run["status"] == "completed";
        (word(run, "name"), if is_over { word(run, "conclusion") } else { "pending".to_owned() })
    });
    let all: Vec<(String, String)> = of_statuses.chain(of_runs).collect();
    if all.is_empty() {
        return Next::Failed("this commit has no checks yet".to_owned());
    }
    let is_good = |state: &str| matches!(state, "success" | "neutral" | "skipped");
    let bad: Vec<String> = all
        .iter()
        .filter(|(_, state)| !is_good(state))
        .map(|(name, state)| cut(&on_one_line(&format!("{name} ({state})")), 100))
        .collect();
    match bad.len() {
        0 => Next::Done,
        count if count > MOST_CHECKS => Next::Failed(format!(
            "{count} checks of this commit haven't passed: {}, …",
            bad[..MOST_CHECKS].join(", ")
        )),
        1 => Next::Failed(format!("a check of this commit hasn't passed: {}", bad[0])),
        count => Next::Failed(format!("{count} checks of this commit haven't passed: {}", bad.join(", "))),
    }
}

/// The id of a deployment that was made.
fn deployment_in(answer: &Answer) -> Option<u64> {
    let answer: Value = serde_json::from_str(&answer.body).ok()?;
    // A status has an id, too, and a state.
    if answer.get("state").is_some() {
        return None;
    }
    answer.get("id")?.as_u64()
}

fn webhook(url: &str, secret: &str, told: &Notification) -> Request {
    let body = document(told);
    let mut signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    signature.update(&body);
    let signature = hex::encode(signature.finalize().into_bytes());
    Request {
        method: "POST",
        url: url.to_owned(),
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Buedafab-Event", told.moment.name().to_owned()),
            ("X-Buedafab-Id", told.id.clone()),
            ("X-Buedafab-Version", VERSION.to_string()),
            ("X-Buedafab-Signature", format!("sha256={signature}")),
        ],
        body,
    }
}

/// What programs get: the notification, with its words.
pub(super) fn document(told: &Notification) -> Vec<u8> {
    let mut document = serde_json::to_value(told).expect("it is plain data");
    let Message { title, .. } = Message::of(told);
    document["title"] = json!(title);
    document["text"] = json!(Message::of(told).text());
    document.to_string().into_bytes()
}
