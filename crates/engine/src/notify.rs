//! Telling others of a run: by requests, by a program's standard input, by mail. What is told, and how, is decided by
//! [`buedafab_model::notify`].
//!
//! No word that comes back from here holds a secret.

mod mail;
mod secret;

use std::path::{Path, PathBuf};
use std::time::Duration;

use buedafab_model::app::notify::{Notify, Recipient};
use buedafab_model::notify::{
    Answer, MOST_CHECK_REQUESTS, Message, Next, Notification, Request, Revealed, next, next_check,
};
use buedafab_model::release::Release;
use bytes::Bytes;

use crate::http::{Bounds, send};
use crate::process::{RunError, async_program, run_to_end};

pub use self::secret::secret_trouble;

/// How long a service may take: until its answer begins, and with all of it.
const BOUNDS: Bounds =
    Bounds { answer: Duration::from_secs(10), all: Duration::from_secs(20), largest: 4 << 20 };

/// How long a program may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// No service takes more requests for one thing that is told.
const MOST_REQUESTS: usize = 8;

/// Somebody who is told, in the order in which it happens.
#[derive(Debug)]
pub struct Notifier {
    notify: Notify,
    /// The project's root, where programs run.
    root: PathBuf,
    secrets: Option<Revealed>,
    /// What its service said before in this run.
    answers: Vec<Answer>,
    bounds: Bounds,
}

impl Notifier {
    /// One who hasn't been told anything.
    pub fn new(notify: Notify, root: &Path) -> Self {
        Notifier { notify, root: root.to_owned(), secrets: None, answers: Vec::new(), bounds: BOUNDS }
    }

    /// Tells this, whether or not it is one of the things that this one wants to be told. Gives back what came of it, in words.
    ///
    /// # Errors
    ///
    /// Why it may not have arrived, in words.
    pub async fn tell(&mut self, notification: &Notification) -> Result<String, String> {
        let secrets = self.secrets().await?;
        let told = match &self.notify.to {
            Recipient::Command(words) => {
                let told = run(words, &self.root, notification.document()).await;
                told.map(|()| format!("{} ended well", words[0]))
            }
            Recipient::Email { from, to, by } => {
                mail::send(from, to, by, &secrets, &Message::of(notification), &self.root).await
            }
            _ => self.request(&secrets, notification).await,
        };
        told.map_err(|why| secrets.mask(&why))
    }

    /// Asks whether a release may be deployed, as far as this one has a say in it. Nothing changes anywhere.
    ///
    /// # Errors
    ///
    /// It says no; or it can't be asked.
    pub async fn check(&mut self, release: &Release) -> Result<(), String> {
        if !self.notify.to.has_a_say() {
            return Ok(());
        }
        let secrets = self.secrets().await?;
        let next = |to: &Recipient, answers: &[Answer]| next_check(to, &secrets, &release.commit, answers);
        let (_, outcome) = converse(&self.notify.to, self.bounds, MOST_CHECK_REQUESTS, next).await;
        outcome.map_err(|why| secrets.mask(&why))
    }

    async fn secrets(&mut self) -> Result<Revealed, String> {
        Ok(match &self.secrets {
            Some(secrets) => secrets.clone(),
            None => self.secrets.insert(secret::reveal(&self.notify.to, &self.root).await?).clone(),
        })
    }

    async fn request(&mut self, secrets: &Revealed, notification: &Notification) -> Result<String, String> {
        let next =
            |to: &Recipient, answers: &[Answer]| next(to, secrets, notification, &self.answers, answers);
        let (mut answers, outcome) = converse(&self.notify.to, self.bounds, MOST_REQUESTS, next).await;
        let status = answers.last().map_or(String::new(), |answer| answer.status.to_string());
        self.answers.append(&mut answers);
        outcome.map(|()| format!("it answers {status}"))
    }
}

/// Sends requests until all is said. Gives back what was answered, and how it ended.
async fn converse(
    to: &Recipient,
    bounds: Bounds,
    most_requests: usize,
    next: impl Fn(&Recipient, &[Answer]) -> Next,
) -> (Vec<Answer>, Result<(), String>) {
    let mut answers = Vec::new();
    // Once more than it is sent something, it may say that this was all.
    for _ in 0..=most_requests {
        match next(to, &answers) {
            Next::Send(request) => match answer_to(request, bounds).await {
                Ok(answer) => answers.push(answer),
                Err(why) => return (answers, Err(why)),
            },
            Next::Done => return (answers, Ok(())),
            Next::Failed(why) => return (answers, Err(why)),
        }
    }
    (answers, Err("it asks for more and more".to_owned()))
}

async fn answer_to(request: Request, bounds: Bounds) -> Result<Answer, String> {
    tracing::debug!(?request, "notify");
    let Request { method, url, headers, body } = request;
    let mut builder = ::http::Request::builder().method(method).uri(url).header("User-Agent", USER_AGENT);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    // Its words would say what can't be said in an address or a header, which is a secret.
    let request = builder
        .body(Bytes::from(body))
        .map_err(|_| "its address or a key isn't one that can be sent".to_owned())?;
    let response = send(request, bounds).await?;
    tracing::debug!(status = response.status().as_u16(), "notified");
    let body = String::from_utf8_lossy(response.body()).into_owned();
    Ok(Answer { status: response.status().as_u16(), body })
}

const USER_AGENT: &str = concat!("buedafab/", env!("CARGO_PKG_VERSION"));

/// Runs a program with something on its standard input, which it may leave unread.
async fn run(words: &[String], root: &Path, input: Vec<u8>) -> Result<(), String> {
    let (program, arguments) = words.split_first().expect("the configuration has no empty command");
    let mut command = async_program(program);
    command.args(arguments).current_dir(root);
    let output = run_to_end(command, input, COMMAND_LIMIT).await.map_err(|error| match error {
        RunError::Start(error) => format!("can't run {program}: {error}"),
        RunError::TooLong(limit) => {
            format!("{program} ran for longer than {} s, and was ended", limit.as_secs())
        }
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} ended with {}{}", output.status, last_words(&output.stderr)))
}

/// The first line that something said as it failed.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    match text.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!(": {}", line.chars().take(200).collect::<String>()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
