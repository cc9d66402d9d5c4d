//! One connection: a process at whose far end a runner works.

mod outbox;

use std::collections::{HashMap, VecDeque};
use std::process::Stdio;
use std::time::{Duration, Instant};

use buedafab_model::run::event::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::mpsc;
use tracing::{Instrument, debug, trace};

use self::outbox::Outbox;
pub use self::outbox::{Source, Upload};
use crate::process::async_program;
use crate::runner::{Chunk, Decoder, Message};
use crate::transport::Launch;

/// What comes back over a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A step began.
    Started(u32),
    /// A step printed something. What a daemon prints between two steps counts as the step's before it.
    Output(u32, Stream, Vec<u8>),
    /// A step ended, and all that it printed has come.
    Ended(u32, i32),
    /// A frame has been worked through, well or not. One that was cancelled before it reached the runner was not.
    Done(String, bool),
    /// A frame never reached the runner, since what one of its steps reads can't be read here.
    Unreadable {
        /// The frame.
        frame: String,
        /// The step.
        step: u32,
        /// Which file, and what is wrong with it.
        why: String,
    },
    /// Whether the link there leads where it was switched to.
    Answered(bool),
    /// The release is live for good there: the host doesn't go back any more.
    Confirmed,
    /// The runner is alive.
    Beat,
    /// The connection is over.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The runner said so: nothing is missing.
    Bye,
    /// It broke; the last words on standard error.
    Broken(String),
}

/// An open connection. Dropped, it closes the line; the runner notices, and puts its host right.
#[derive(Debug)]
pub struct Connection {
    /// Held for what dropping it does.
    _child: Child,
    outbox: Outbox,
}

/// Why no connection came to stand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The process can't be started.
    #[error("can't run {program:?}: {error}")]
    Spawn { program: String, error: std::io::Error },
    /// It ended before its runner said hello.
    #[error("{0}")]
    Ended(String),
    /// Nothing came in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// How often a runner is told that its deployer lives: several times in the span after which it would doubt it.
const BEATS_PER_SPAN: u32 = 4;

impl Connection {
    /// Starts the process, and waits until its runner says hello. Replies come on `replies`, each with `tag`.
    pub(crate) async fn open<T: Clone + Send + 'static>(
        launch: &Launch,
        greeting: &str,
        lost_after: Duration,
        time_limit: Duration,
        tag: T,
        replies: mpsc::Sender<(T, Reply)>,
    ) -> Result<Connection, OpenError> {
        let began = Instant::now();
        let mut child = async_program(&launch.words[0])
            .args(&launch.words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for this program alone: it stops hosts in order.
            .process_group(0)
            .kill_on_drop(launch.may_be_killed)
            .spawn()
            .map_err(|error| OpenError::Spawn { program: launch.words[0].clone(), error })?;
        let mut stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        if let Some(text) = &launch.first_input {
            // If the process has ended, its last words say more than a broken pipe does.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.flush().await;
        }
        let (chunks, mut heard) = mpsc::channel(16);
        tokio::spawn(pump(stdout, Stream::Stdout, Decoder::new(greeting), chunks.clone()));
        tokio::spawn(pump(stderr, Stream::Stderr, Decoder::new(greeting), chunks));

        let mut last_words = Vec::new();
        let mut printed = Vec::new();
        let hello = async {
            while let Some((stream, chunk)) = heard.recv().await {
                match (stream, chunk) {
                    (Stream::Stdout, Chunk::Message(Message::Hello)) => return true,
                    (Stream::Stderr, Chunk::Bytes(bytes)) => keep_tail(&mut last_words, &bytes),
                    (Stream::Stdout, Chunk::Bytes(bytes)) => keep_tail(&mut printed, &bytes),
                    _ => {}
                }
            }
            false
        };
        let left = time_limit.saturating_sub(began.elapsed());
        match tokio::time::timeout(left, hello).await {
            Ok(true) => {}
            Ok(false) => {
                let status = child.wait().await.ok().and_then(|status| status.code());
                let mut why =
                    launch.log.as_ref().and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
                why.push_str(&String::from_utf8_lossy(&last_words));
                // A login shell that lets nobody in says so where a command would print.
                if why.trim().is_empty() {
                    why.push_str(&last_lines(&printed));
                }
                return Err(OpenError::Ended(match (why.trim(), status) {
                    ("", Some(status)) => format!("{:?} ended with status {status}", launch.words[0]),
                    ("", None) => format!("{:?} was killed", launch.words[0]),
                    (why, _) => why.to_owned(),
                }));
            }
            Err(_) => return Err(OpenError::TimedOut(time_limit)),
        }
        let outbox = Outbox::open(stdin, lost_after / BEATS_PER_SPAN, tag.clone(), replies.clone());
        // Open, it can be read at the end, although its name will be gone.
        let log = launch.log.as_ref().and_then(|log| std::fs::File::open(log).ok());
        tokio::spawn(translate(heard, log, tag, replies).in_current_span());
        Ok(Connection { _child: child, outbox })
    }

    /// Sends what its steps read, and then the text of a phase under a name, which comes back in [`Reply::Done`] or, if
    /// a file can't be read, in [`Reply::Unreadable`]. Returns at once: files are read as the line takes them.
    pub fn send_phase(&self, name: &str, text: &str, uploads: Vec<Upload>) {
        self.outbox.send_phase(name, text, uploads);
    }

    /// Sends the password that sudo asks for, ahead of the phases that are sent after it.
    pub fn upload_sudo_password(&self, password: &[u8]) {
        self.outbox.put("sudo", &[password, b"\n"].concat());
    }

    /// Has the running step ended, and the rest of its phase skipped. A phase whose uploads are still under way isn't
    /// sent at all.
    pub fn cancel(&self) {
        self.outbox.cancel();
    }

    /// Asks the runner whether it is there, and whether what it switched to serves. [`Reply::Answered`] comes at once, or
    /// the host is lost.
    pub fn ask(&self) {
        self.outbox.ask();
    }

    /// Has the runner end, and with it the lock. Nothing that waits is sent any more.
    pub fn say_bye(&self) {
        self.outbox.say_bye();
    }
}

/// The end of what was printed, without what a profile says before it.
fn last_lines(printed: &[u8]) -> String {
    const LINES: usize = 3;
    let printed = String::from_utf8_lossy(printed);
    let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

pub(crate) fn keep_tail(kept: &mut Vec<u8>, bytes: &[u8]) {
    const TAIL: usize = 2000;
    kept.extend_from_slice(bytes);
    if kept.len() > TAIL {
        kept.drain(..kept.len() - TAIL);
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    stream: Stream,
    mut decoder: Decoder,
    to: mpsc::Sender<(Stream, Chunk)>,
) {
    // There are two of these for each of a thousand hosts.
    let mut buffer = vec![0; 8 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let chunks = match read {
            0 => {
                Some(decoder.finish()).filter(|rest| !rest.is_empty()).map(Chunk::Bytes).into_iter().collect()
            }
            read => decoder.feed(&buffer[..read]),
        };
        for chunk in chunks {
            if to.send((stream, chunk)).await.is_err() {
                return;
            }
        }
        if read == 0 {
            return;
        }
    }
}

/// Puts the two streams together: a step has ended when both have said so, and what one of them says after its end
/// has to wait for the other's.
async fn translate<T: Clone>(
    mut heard: mpsc::Receiver<(Stream, Chunk)>,
    log: Option<std::fs::File>,
    tag: T,
    replies: mpsc::Sender<(T, Reply)>,
) {
    let mut pair = StreamPair::default();
    while let Some((stream, chunk)) = heard.recv().await {
        for reply in pair.hear(stream, chunk) {
            trace_reply(&reply);
            if replies.send((tag.clone(), reply)).await.is_err() {
                return;
            }
        }
        if pair.bye || pair.short.is_some() {
            break;
        }
    }
    let log_text = log.and_then(|log| std::io::read_to_string(log).ok()).unwrap_or_default();
    let closed = if let Some(place) = &pair.short {
        Closed::Broken(format!("it can't keep what it is sent: {place} is full"))
    } else if pair.bye {
        Closed::Bye
    } else {
        Closed::Broken(format!("{log_text}{}", String::from_utf8_lossy(&pair.last_words)).trim().to_owned())
    };
    debug!(?closed, "the connection is over");
    let _ = replies.send((tag, Reply::Closed(closed))).await;
}

/// Tells what came, but not what it says: steps may print secrets.
fn trace_reply(reply: &Reply) {
    match reply {
        Reply::Beat => trace!("heard a beat"),
        Reply::Answered(serves) => debug!(serves, "heard an answer"),
        Reply::Confirmed => debug!("heard that it is confirmed"),
        Reply::Output(step, stream, bytes) => trace!(step, ?stream, bytes = bytes.len(), "heard output"),
        Reply::Started(step) => debug!(step, "heard that a step began"),
        Reply::Ended(step, status) => debug!(step, status, "heard that a step ended"),
        Reply::Done(frame, ok) => debug!(frame, ok, "heard that a frame is done"),
        Reply::Unreadable { .. } | Reply::Closed(_) => {}
    }
}

/// So many chunks of one stream wait for the other's end of a step.
const MOST_AHEAD: usize = 512;

#[derive(Debug, Default)]
struct StreamPair {
    /// The step whose output each stream brings. What comes after its end is still put down to it.
    current: HashMap<Stream, u32>,
    /// The step that has begun and not ended. The same one may begin again, as a lock does that was taken.
    running: Option<u32>,
    /// The stream that has said the end of its step, and what it said since.
    ahead: Option<(Stream, VecDeque<Chunk>)>,
    last_words: Vec<u8>,
    bye: bool,
    /// Where the runner found no place for what it was sent. It puts its host right by itself, and says nothing more.
    short: Option<String>,
}

impl StreamPair {
    fn hear(&mut self, stream: Stream, chunk: Chunk) -> Vec<Reply> {
        if let Some((ahead, waiting)) = &mut self.ahead
            && *ahead == stream
        {
            // What steps print by themselves can be left out; what the runner says can't, and is little.
            let is_long = waiting.len() >= MOST_AHEAD;
            if !(is_long && matches!(chunk, Chunk::Bytes(_))) {
                waiting.push_back(chunk);
            }
            return Vec::new();
        }
        let mut replies = Vec::new();
        let mut chunks = VecDeque::from([(stream, chunk)]);
        while let Some((stream, chunk)) = chunks.pop_front() {
            match chunk {
                Chunk::Bytes(bytes) => match self.current.get(&stream) {
                    Some(step) => replies.push(Reply::Output(*step, stream, bytes)),
                    None => keep_tail(&mut self.last_words, &bytes),
                },
                Chunk::Message(Message::Start(step)) => {
                    if self.running.replace(step) != Some(step) {
                        replies.push(Reply::Started(step));
                    }
                    self.current.insert(stream, step);
                }
                Chunk::Message(Message::End(step, status)) => match self.ahead.take() {
                    Some((other, waiting)) => {
                        self.running = None;
                        replies.push(Reply::Ended(step, status));
                        chunks.extend(waiting.into_iter().map(|chunk| (other, chunk)));
                    }
                    None => {
                        let waiting = chunks.drain(..).map(|(_, chunk)| chunk).collect();
                        self.ahead = Some((stream, waiting));
                    }
                },
                Chunk::Message(Message::Done(frame, ok)) => replies.push(Reply::Done(frame, ok)),
                Chunk::Message(Message::Answer(serves)) => replies.push(Reply::Answered(serves)),
                Chunk::Message(Message::Confirmed) => replies.push(Reply::Confirmed),
                Chunk::Message(Message::Beat) => replies.push(Reply::Beat),
                Chunk::Message(Message::Hello) => {}
                Chunk::Message(Message::Short(place)) => self.short = Some(place),
                Chunk::Message(Message::Bye) => self.bye = true,
            }
        }
        replies
    }
}

#[cfg(test)]
mod tests;
