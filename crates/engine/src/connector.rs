//! Ways to hosts: opens connections, shares them, retries what passes, and says why one can't be had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use buedafab_model::config::Settings;
use buedafab_model::host::{Connect, Host};
use tokio::sync::{Semaphore, mpsc};

use crate::connection::{Connection, Launch, OpenError, Reply};
use crate::random::random_word;
use crate::runner::{RunnerOptions, bootstrap};
use crate::ssh::{self, SshOptions};

/// Opens connections for one environment.
#[derive(Debug, Clone)]
pub struct Connector {
    ssh: SshOptions,
    lost_after: Duration,
    connect_timeout: Duration,
    confirm_timeout_seconds: u32,
    step_timeout_seconds: u32,
    /// Each handshake costs both sides CPU, and a jump host refuses too many at once.
    handshakes: Arc<Semaphore>,
}

/// An open connection, and how it came to be.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// Whether a shared connection stood already.
    pub warm: bool,
    /// How long it took.
    pub took: Duration,
}

/// Why a host can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ConnectError {
    /// In the words of whoever knows.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whether a shared connection that stands may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// If it is there and answers.
    Allowed,
    /// A new one replaces it: it has let us down.
    Fresh,
}

const MOST_HANDSHAKES: usize = 16;
const ATTEMPTS: u32 = 4;
/// A shared connection that works answers within a few round trips.
const WARM_ANSWER: Duration = Duration::from_secs(4);

impl Connector {
    /// A connector for these settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            ssh: SshOptions {
                keep_warm_seconds: settings.keep_warm_seconds,
                connect_timeout_seconds: settings.connect_timeout_seconds,
                forward_agent: settings.forward_agent,
                private_folder: ssh::private_folder(),
            },
            lost_after: Duration::from_secs(settings.lost_after_seconds.into()),
            connect_timeout: Duration::from_secs(settings.connect_timeout_seconds.into()),
            confirm_timeout_seconds: settings.confirm_timeout_seconds,
            step_timeout_seconds: settings.step_timeout_seconds,
            handshakes: Arc::new(Semaphore::new(MOST_HANDSHAKES)),
        }
    }

    /// After how long a silence the other side counts as dead.
    pub fn lost_after(&self) -> Duration {
        self.lost_after
    }

    /// Opens a connection that starts with this phase. Replies come on `replies`, each with `tag`.
    pub async fn open<T: Clone + Send + 'static>(
        &self,
        host: &Host,
        sharing: Sharing,
        first_phase: &str,
        tag: T,
        replies: mpsc::Sender<(T, Reply)>,
    ) -> Result<Opened, ConnectError> {
        let began = Instant::now();
        let nonce = random_word(16);
        let options = RunnerOptions {
            nonce: nonce.clone(),
            lost_after_seconds: self.lost_after.as_secs() as u32,
            confirm_timeout_seconds: self.confirm_timeout_seconds,
            step_timeout_seconds: self.step_timeout_seconds,
        };
        let command = bootstrap(&options, first_phase);
        let words = match &host.connect {
            Connect::Ssh => return self.open_ssh(host, sharing, &command, &nonce, tag, replies).await,
            Connect::Command(words) => words.clone(),
        };
        let launch =
            Launch { words, first_input: Some(format!("{command}\n")), log: None, may_be_killed: false };
        match Connection::open(&launch, &nonce, self.lost_after, self.connect_timeout, tag, replies).await {
            Ok(connection) => Ok(Opened { connection, warm: false, took: began.elapsed() }),
            Err(error) => Err(ConnectError {
                why: error.to_string(),
                hint: Some(format!("see whether `connect` gives a shell: {}", launch.words.join(" "))),
            }),
        }
    }

    async fn open_ssh<T: Clone + Send + 'static>(
        &self,
        host: &Host,
        sharing: Sharing,
        command: &str,
        nonce: &str,
        tag: T,
        replies: mpsc::Sender<(T, Reply)>,
    ) -> Result<Opened, ConnectError> {
        let began = Instant::now();
        let control = ssh::control_path(host, &self.ssh);
        let forget = || control.as_ref().map(std::fs::remove_file);
        if sharing == Sharing::Fresh {
            // The old one ends by itself when nobody uses it; without its socket nobody can.
            forget();
        }
        let mut attempt = 0;
        loop {
            let warm = control.as_ref().is_some_and(|path| path.exists());
            let log =
                self.ssh.private_folder.as_ref().map(|folder| folder.join(format!("log-{nonce}-{attempt}")));
            let launch = ssh::launch(host, &self.ssh, control.as_deref(), log.clone(), command);
            let (permit, limit) = if warm {
                (None, WARM_ANSWER.min(self.connect_timeout))
            } else {
                (Some(self.handshakes.acquire().await.expect("it is never closed")), self.connect_timeout)
            };
            let opened =
                Connection::open(&launch, nonce, self.lost_after, limit, tag.clone(), replies.clone()).await;
            drop(permit);
            if let Some(log) = &log {
                let _ = std::fs::remove_file(log);
            }
            let error = match opened {
                Ok(connection) => return Ok(Opened { connection, warm, took: began.elapsed() }),
                Err(error) => error,
            };
            attempt += 1;
            let stale = warm && matches!(error, OpenError::TimedOut(_) | OpenError::Ended(_));
            let passing = matches!(&error, OpenError::Ended(why) if ssh::is_passing(why));
            if attempt >= ATTEMPTS || !(stale || passing) {
                let why = error.to_string();
                return Err(ConnectError { hint: ssh::hint(host, &why), why });
            }
            if stale {
                forget();
            } else {
                tokio::time::sleep(Duration::from_millis(150) * 2u32.pow(attempt)).await;
            }
        }
    }
}
