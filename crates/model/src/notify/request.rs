//! Requests, one after the other, until a service has heard it all.

use std::collections::BTreeMap;
use std::fmt;

use super::{Notification, services};
use crate::app::mask::mask;
use crate::app::notify::Recipient;
use crate::names::CommitId;

/// One request. Its address and its headers may hold a secret: neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Its headers, besides what every request has.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, origin(&self.url), self.body.len())
    }
}

/// What a service said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The beginning of what it sent, as text.
    pub body: String,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this.
    Send(Request),
    /// Nothing: it has heard it all.
    Done,
    /// It doesn't take it. Why, without a secret.
    Failed(String),
}

/// The secrets of a recipient, by their keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Revealed(pub BTreeMap<&'static str, String>);

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Revealed {
    pub(super) fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// A text without any of them. Of an address that is a secret, whatever stands behind its server is one, too.
    pub fn mask(&self, text: &str) -> String {
        let paths = self.0.values().filter_map(|value| {
            let (_, rest) = value.split_once("://")?;
            let path = rest.find('/').map(|at| &rest[at..])?;
            Some(path.trim_matches('/'))
        });
        let words: Vec<&str> = self.0.values().map(String::as_str).chain(paths).collect();
        mask(text, &words)
    }
}

/// Where an address leads to, and nothing more of it.
pub(super) fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    format!("{scheme}://{server}")
}

/// What to do next for a recipient that takes requests. `before` are the answers to what it was told earlier in this run, `answers`
/// those to what it was told of this.
pub fn next(
    recipient: &Recipient,
    secrets: &Revealed,
    notification: &Notification,
    before: &[Answer],
    answers: &[Answer],
) -> Next {
    if let Some(answer) = answers.last().filter(|answer| !(200..300).contains(&answer.status)) {
        return Next::Failed(secrets.mask(&refusal(recipient, answer)));
    }
    match services::request(recipient, secrets, notification, before, answers) {
        Next::Failed(why) => Next::Failed(secrets.mask(&why)),
        next => next,
    }
}

/// The same before a release is deployed, for a recipient that has a say in that: where it is done, it has nothing against it.
pub fn next_check(recipient: &Recipient, secrets: &Revealed, commit: &CommitId, answers: &[Answer]) -> Next {
    if let Some(answer) = answers.last().filter(|answer| !(200..300).contains(&answer.status)) {
        let why = match answer.status {
            // So it says it of a commit that nobody has pushed.
            422 => "it doesn't know this commit: push it, and wait for its checks".to_owned(),
            _ => refusal(recipient, answer),
        };
        return Next::Failed(secrets.mask(&why));
    }
    match services::check_request(recipient, secrets, commit, answers) {
        Next::Failed(why) => Next::Failed(secrets.mask(&why)),
        next => next,
    }
}

/// Why a service doesn't take it.
fn refusal(recipient: &Recipient, answer: &Answer) -> String {
    let Answer { status, body } = answer;
    let hint = match (recipient, status) {
        (Recipient::Hoptoad { .. }, 404) => "; the server doesn't know deploys any more",
        (Recipient::Campfire { .. }, 300..=399) => "; that is how Campfire answers a wrong key or room",
        (_, 300..=399) => "; it sends us elsewhere, where no secret is taken",
        (Recipient::Github { .. }, 404) => {
            "; there is no such repository, or the token may not write its deployments"
        }
        (_, 401 | 403) => "; the key or token may be wrong, or not allowed to do this",
        _ => "",
    };
    let said = said(body);
    let said = if said.is_empty() { said } else { format!(" ({said})") };
    format!("it answers {status}{said}{hint}")
}

/// What an answer says in words: a message of JSON, or its first line where that is text.
fn said(body: &str) -> String {
    let of_json = |value: serde_json::Value| {
        ["message", "detail", "error", "errors"].iter().find_map(|key| match value.get(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        })
    };
    let text = match serde_json::from_str(body) {
        Ok(value) => of_json(value).unwrap_or_default(),
        Err(_) if body.trim_start().starts_with('<') => String::new(),
        Err(_) => body.lines().next().unwrap_or_default().to_owned(),
    };
    let plain: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    super::words::cut(&plain, 200)
}
