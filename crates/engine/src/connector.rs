//! Ways to hosts: opens connections, shares them, retries what passes, and says why one can't be had.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use buedafab_model::config::Settings;
use buedafab_model::host::Host;
use tokio::sync::{RwLock, Semaphore, mpsc};
use tracing::{Instrument, debug, debug_span};

use crate::connection::{Connection, OpenError, Reply};
use crate::random::random_word;
use crate::runner::{RunnerOptions, bootstrap};
use crate::transport::{Effort, Transport, Transports};

/// Opens connections for one environment.
#[derive(Debug, Clone)]
pub struct Connector {
    transports: Transports,
    lost_after: Duration,
    connect_timeout: Duration,
    confirm_timeout_seconds: u32,
    step_timeout_seconds: u32,
    /// Each handshake costs both sides CPU, and a jump host refuses too many at once.
    handshakes: Arc<Semaphore>,
    /// Each takes a process on this machine.
    resolutions: Arc<Semaphore>,
    /// Whoever is the first to make a connection that others share, by its socket.
    firsts: Arc<Mutex<BTreeMap<PathBuf, Arc<RwLock<()>>>>>,
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

/// Where ssh itself writes what goes wrong; it is gone with this, also where nobody waits for the connection any more.
struct LogFile(Option<PathBuf>);

impl Drop for LogFile {
    fn drop(&mut self) {
        // If there is none, nothing went wrong.
        let _ = self.0.as_ref().map(std::fs::remove_file);
    }
}

const MOST_HANDSHAKES: usize = 16;
const MOST_RESOLUTIONS: usize = 8;
const ATTEMPTS: u32 = 4;
/// A shared connection that works answers within a few round trips.
const WARM_ANSWER: Duration = Duration::from_secs(4);

impl Connector {
    /// A connector for these settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            transports: Transports::new(settings),
            lost_after: Duration::from_secs(settings.connection.lost_after_seconds.into()),
            connect_timeout: Duration::from_secs(settings.connection.connect_timeout_seconds.into()),
            confirm_timeout_seconds: settings.limits.confirm_timeout_seconds,
            step_timeout_seconds: settings.limits.step_timeout_seconds,
            handshakes: Arc::new(Semaphore::new(MOST_HANDSHAKES)),
            resolutions: Arc::new(Semaphore::new(MOST_RESOLUTIONS)),
            firsts: Arc::default(),
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
        let span = debug_span!("host", name = %host.name);
        self.open_in_span(host, sharing, first_phase, tag, replies).instrument(span).await
    }

    /// Held by whoever makes the connection of this socket.
    fn lock_of(&self, socket: &Path) -> Arc<RwLock<()>> {
        let mut firsts = self.firsts.lock().expect("nobody panics with it");
        firsts.entry(socket.to_owned()).or_default().clone()
    }

    /// What ssh makes of a host is asked of it, and may take as long as its configuration likes.
    async fn way_to(&self, host: &Host, sharing: Sharing) -> Result<Arc<dyn Transport>, ConnectError> {
        let permit = self.resolutions.acquire().await.expect("it is never closed");
        let (transports, host) = (self.transports.clone(), host.clone());
        let asked = tokio::task::spawn_blocking(move || transports.to(&host));
        let answer = tokio::time::timeout(self.connect_timeout, asked).await;
        drop(permit);
        let transport = answer.map_err(|_| ConnectError {
            why: format!("`ssh -G` said nothing for {} s", self.connect_timeout.as_secs()),
            hint: Some(
                "see what ~/.ssh/config runs for this host: `Match exec` waits for its command".to_owned(),
            ),
        })?;
        let transport = transport.expect("it doesn't panic");
        if sharing == Sharing::Fresh {
            forget_shared(&transport).await;
        }
        Ok(transport)
    }

    async fn open_in_span<T: Clone + Send + 'static>(
        &self,
        host: &Host,
        sharing: Sharing,
        first_phase: &str,
        tag: T,
        replies: mpsc::Sender<(T, Reply)>,
    ) -> Result<Opened, ConnectError> {
        let began = Instant::now();
        let greeting = random_word(16);
        let options = RunnerOptions {
            greeting: greeting.clone(),
            lost_after_seconds: self.lost_after.as_secs() as u32,
            confirm_timeout_seconds: self.confirm_timeout_seconds,
            step_timeout_seconds: self.step_timeout_seconds,
        };
        let command = bootstrap(&options, first_phase);
        let transport = self.way_to(host, sharing).await?;
        let mut attempt = 0;
        loop {
            let mut launch = transport.launch(&command, &format!("{greeting}-{attempt}"));
            // Several apps on one machine share its connection: the first one makes it, and the others wait for how that ends.
            let socket = transport.shared().filter(|_| launch.effort == Effort::Handshake);
            let mut first = None;
            if let Some(lock) = socket.map(|socket| self.lock_of(socket)) {
                match lock.clone().try_write_owned() {
                    Ok(ours) => first = Some(ours),
                    Err(_) => {
                        drop(lock.read().await);
                        launch = transport.launch(&command, &format!("{greeting}-{attempt}"));
                    }
                }
            }
            let log = LogFile(launch.log.clone());
            let warm = launch.effort == Effort::Shared;
            let limit = if warm { WARM_ANSWER.min(self.connect_timeout) } else { self.connect_timeout };
            let permit = match launch.effort {
                Effort::Handshake => Some(self.handshakes.acquire().await.expect("it is never closed")),
                Effort::Shared => None,
            };
            let bytes = command.len();
            debug!(attempt, program = launch.words[0], effort = ?launch.effort, bytes, "connect");
            let opened =
                Connection::open(&launch, &greeting, self.lost_after, limit, tag.clone(), replies.clone())
                    .await;
            drop(permit);
            drop(first);
            drop(log);
            let error = match opened {
                Ok(connection) => {
                    let took = began.elapsed();
                    debug!(attempt, warm, ?took, "connected");
                    return Ok(Opened { connection, warm, took });
                }
                Err(error) => error,
            };
            let stale = warm && matches!(error, OpenError::TimedOut(_) | OpenError::Ended(_));
            let passing = matches!(&error, OpenError::Ended(why) if transport.is_passing(why));
            debug!(attempt, stale, passing, %error, "no connection");
            attempt += 1;
            if attempt >= ATTEMPTS || !(stale || passing) {
                let why = error.to_string();
                let mut hint = transport.hint(&why);
                if let (OpenError::TimedOut(_), Some(hint)) = (&error, &mut hint) {
                    hint.push_str("; where a login takes longer than that, set `connect_timeout_seconds`");
                }
                return Err(ConnectError { hint, why: transport.words(why) });
            }
            if stale {
                forget_shared(&transport).await;
            } else {
                tokio::time::sleep(Duration::from_millis(150) * 2u32.pow(attempt)).await;
            }
        }
    }
}

/// Asks the shared connection to end when nobody uses it any more, beside the loop: that takes a process, and may take seconds.
async fn forget_shared(transport: &Arc<dyn Transport>) {
    let transport = transport.clone();
    let forgotten = tokio::task::spawn_blocking(move || transport.forget_shared());
    forgotten.await.expect("it doesn't panic");
}
