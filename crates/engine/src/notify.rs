//! Telling others of a run: by requests, by a program's standard input, by mail. What is told, and how, is decided by
//! [`buedafab_model::notify`].
//!
//! No word that comes back from here holds a secret.

mod mail;
mod secret;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use buedafab_model::app::notify::{Notify, Recipient};
use buedafab_model::notify::{
    Answer, MOST_CHECK_REQUESTS, Message, Next, Notification, Request, Revealed, next, next_check,
};
use buedafab_model::release::Release;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::deployer::SUDO_PASSWORD;
use crate::http::{Bounds, send};

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
            Recipient::Command(words) => run(words, &self.root, &notification.document()).await,
            Recipient::Email { from, to, by } => {
                mail::send(from, to, by, &secrets, &Message::of(notification)).await
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

/// Runs a program with a document on its standard input. It may leave the document unread.
async fn run(words: &[String], root: &Path, document: &[u8]) -> Result<String, String> {
    let (program, arguments) = words.split_first().expect("the configuration has no empty command");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .env_remove(SUDO_PASSWORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C is for the run, which is told of it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("can't run {program}: {error}"))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let document = document.to_owned();
    let feed = async move {
        let _ = stdin.write_all(&document).await;
    };
    let ended = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(COMMAND_LIMIT, ended)
        .await
        .map_err(|_| format!("{program} ran for longer than {} s, and was ended", COMMAND_LIMIT.as_secs()))?
        .map_err(|error| format!("can't run {program}: {error}"))?;
    if output.status.success() {
        return Ok(format!("{program} ended well"));
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
