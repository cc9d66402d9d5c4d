//! What goes to a runner: frames in their order, and words that overtake them.
//!
//! What is kept in memory is one chunk of one file, whatever the size of what is sent and however slow the line: files
//! are read as the line takes them. Nobody who sends waits for the line, since there are other hosts to listen to. A word
//! never falls inside a frame.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use buedafab_model::app::env_file::Secret;
use buedafab_model::host::check_sum::CheckSum;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tracing::{Instrument, debug, error, trace};

use super::Reply;

/// The standard input of a step that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The step.
    pub step: u32,
    /// What it is to read.
    pub source: Source,
}

/// Where an upload comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// These bytes. They are never shown.
    Bytes(Secret),
    /// A file, which is read when its turn comes, a chunk at a time.
    File(PathBuf),
    /// Nowhere: the run was given no such thing. It is told as a file that can't be read.
    Missing(String),
}

/// The sending side of a connection. Dropped, it closes the line.
#[derive(Debug)]
pub(super) struct Outbox {
    orders: mpsc::Sender<Order>,
    words: watch::Sender<Words>,
}

/// What is sent in its order.
#[derive(Debug)]
enum Order {
    /// Bytes that are a frame already, and that no cancel takes back.
    Frame(Vec<u8>),
    /// A phase, after all that its steps read.
    Phase {
        name: String,
        text: String,
        uploads: VecDeque<Upload>,
        /// How many cancels came before it: a later one is meant for it.
        cancels: u32,
    },
}

/// What overtakes all that waits. A state rather than a queue: it can't grow, and saying a thing twice is saying it once.
#[derive(Debug, Clone, Copy, Default)]
struct Words {
    /// How often the work was cancelled.
    cancels: u32,
    /// How often it was asked what serves.
    questions: u32,
    bye: bool,
    /// The line is to be closed: an order found no place.
    overflow: bool,
    #[cfg(test)]
    silent: bool,
}

/// How many orders wait at most. A host is sent a phase when it has ended the one before it, and the password of sudo
/// once: more than these are a bug, and end the line rather than be lost from it.
const MOST_ORDERS: usize = 8;

/// What an upload is cut into, so that words and beats pass between the chunks.
const UPLOAD_CHUNK: usize = 256 * 1024;

impl Outbox {
    /// Begins to write to `line`, with a beat where nothing else is said for so long. What never reached it is told on
    /// `replies`.
    pub(super) fn open<T: Clone + Send + 'static>(
        line: impl AsyncWrite + Unpin + Send + 'static,
        beat: Duration,
        tag: T,
        replies: mpsc::Sender<(T, Reply)>,
    ) -> Outbox {
        let (orders, to_write) = mpsc::channel(MOST_ORDERS);
        let (words, said) = watch::channel(Words::default());
        let writer =
            Writer { line, orders: to_write, words: said, heard: Words::default(), tag, replies, beat };
        tokio::spawn(writer.run().in_current_span());
        Outbox { orders, words }
    }

    /// Sends a phase after its uploads. If it never reaches the host, because it is cancelled or because an upload can't
    /// be read, a reply says so.
    pub(super) fn send_phase(&self, name: &str, text: &str, uploads: Vec<Upload>) {
        let (name, text) = (name.to_owned(), text.to_owned());
        let cancels = self.words.borrow().cancels;
        self.order(Order::Phase { name, text, uploads: uploads.into(), cancels });
    }

    /// Adds to a file in the runner's own folder, all at once.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let mut sum = CheckSum::default();
        sum.add(bytes);
        self.order(Order::Frame([frame("put", name, bytes), check(name, sum)].concat()));
    }

    /// Says that the running step is to end and what waits is not to begin.
    pub(super) fn cancel(&self) {
        self.words.send_modify(|words| words.cancels += 1);
    }

    /// Asks what serves.
    pub(super) fn ask(&self) {
        self.words.send_modify(|words| words.questions += 1);
    }

    /// Says that the runner is to end. What waits is no longer sent.
    pub(super) fn say_bye(&self) {
        self.words.send_modify(|words| words.bye = true);
    }

    fn order(&self, order: Order) {
        // A connection that is gone says so on its other side.
        if let Err(mpsc::error::TrySendError::Full(_)) = self.orders.try_send(order) {
            error!("{MOST_ORDERS} orders wait already: the line is closed");
            self.words.send_modify(|words| words.overflow = true);
        }
    }

    #[cfg(test)]
    pub(super) fn send_raw(&self, bytes: Vec<u8>) {
        self.order(Order::Frame(bytes));
    }

    /// Leaves the line open and says nothing more, as a line does whose packets are dropped.
    #[cfg(test)]
    pub(super) fn fall_silent(&self) {
        self.words.send_modify(|words| words.silent = true);
    }

    /// Closes the line once what waits has been sent.
    #[cfg(test)]
    pub(super) fn hang_up(&mut self) {
        self.orders = mpsc::channel(1).0;
    }
}

struct Writer<T, W> {
    line: W,
    orders: mpsc::Receiver<Order>,
    words: watch::Receiver<Words>,
    /// The words that have been acted on.
    heard: Words,
    tag: T,
    replies: mpsc::Sender<(T, Reply)>,
    beat: Duration,
}

/// The phase that is being sent.
struct Work {
    name: String,
    text: String,
    uploads: VecDeque<Upload>,
    reading: Option<Reading>,
}

/// The upload that is being sent.
struct Reading {
    step: u32,
    from: Box<dyn AsyncRead + Send + Unpin>,
    /// What it is called where it can't be read to its end.
    called: String,
    chunk: Vec<u8>,
    frames: u64,
    sent: u64,
    sum: CheckSum,
    /// Whether the host was asked to prove that it has all of it.
    checked: bool,
}

/// The next thing to write of a phase.
enum Next {
    /// A chunk of an upload.
    Frame(Vec<u8>),
    /// Nothing is left but the phase itself.
    Phase,
}

/// An upload that can't be read.
struct Unreadable {
    step: u32,
    why: String,
}

/// The line has ended; the other side of the connection says how.
struct LineEnded;

impl<T: Clone, W: AsyncWrite + Unpin> Writer<T, W> {
    async fn run(mut self) {
        let mut beats = tokio::time::interval(self.beat);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beats.tick().await;
        let mut work: Option<Work> = None;
        loop {
            let went_on = tokio::select! {
                // Words before beats, so that none waits; beats before chunks, or a large file would starve them.
                biased;
                changed = self.words.changed() => match changed {
                    Ok(()) => self.heed(&mut work).await,
                    Err(_) => Err(LineEnded),
                },
                _ = beats.tick() => {
                    trace!("beat");
                    self.write(b"beat\n").await
                }
                order = self.orders.recv(), if work.is_none() && !self.heard.bye => match order {
                    Some(order) => self.begin(order, &mut work).await,
                    None => Err(LineEnded),
                },
                next = next_of(&mut work), if work.is_some() => self.go_on(next, &mut work).await,
            };
            if went_on.is_err() {
                return;
            }
        }
    }

    /// Acts on what was said since the last time.
    async fn heed(&mut self, work: &mut Option<Work>) -> Result<(), LineEnded> {
        let said = *self.words.borrow_and_update();
        let heard = std::mem::replace(&mut self.heard, said);
        if said.overflow {
            return Err(LineEnded);
        }
        #[cfg(test)]
        if said.silent {
            return std::future::pending().await;
        }
        if said.cancels > heard.cancels {
            if let Some(work) = work.take() {
                self.tell_unsent(work.name).await;
            }
            debug!("send cancel");
            self.write(b"cancel\n").await?;
        }
        if said.questions > heard.questions {
            debug!("ask what serves");
            self.write(b"ask\n").await?;
        }
        if said.bye && !heard.bye {
            debug!("send bye");
            *work = None;
            self.write(b"bye\n").await?;
        }
        Ok(())
    }

    async fn begin(&mut self, order: Order, work: &mut Option<Work>) -> Result<(), LineEnded> {
        match order {
            Order::Frame(bytes) => {
                debug!(bytes = bytes.len(), "send a frame");
                self.write(&bytes).await
            }
            Order::Phase { name, cancels, .. } if cancels < self.heard.cancels => {
                self.tell_unsent(name).await;
                Ok(())
            }
            Order::Phase { name, text, uploads, .. } => {
                *work = Some(Work { name, text, uploads, reading: None });
                Ok(())
            }
        }
    }

    async fn go_on(
        &mut self,
        next: Result<Next, Unreadable>,
        work: &mut Option<Work>,
    ) -> Result<(), LineEnded> {
        match next {
            Ok(Next::Frame(bytes)) => self.write(&bytes).await,
            Ok(Next::Phase) => {
                let Some(Work { name, text, .. }) = work.take() else { return Ok(()) };
                debug!(name, bytes = text.len(), "send a phase");
                self.write(&phase(&name, &text)).await
            }
            Err(Unreadable { step, why }) => {
                debug!(step, why, "can't read an upload");
                if let Some(work) = work.take() {
                    let reply = Reply::Unreadable { frame: work.name, step, why };
                    let _ = self.replies.send((self.tag.clone(), reply)).await;
                }
                Ok(())
            }
        }
    }

    /// Answers for a runner that never heard of this phase.
    async fn tell_unsent(&mut self, name: String) {
        debug!(name, "a phase was cancelled before it was sent");
        // Whoever doesn't listen any more has no need to know.
        let _ = self.replies.send((self.tag.clone(), Reply::Done(name, false))).await;
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), LineEnded> {
        let written = async {
            self.line.write_all(bytes).await?;
            self.line.flush().await
        };
        written.await.map_err(|error: std::io::Error| {
            debug!(%error, "the line takes nothing more");
            LineEnded
        })
    }
}

/// What comes next of the work. It may be dropped at any time and asked again: nothing is skipped.
async fn next_of(work: &mut Option<Work>) -> Result<Next, Unreadable> {
    let Some(work) = work else { return std::future::pending().await };
    loop {
        if let Some(reading) = &mut work.reading {
            if let Some(frame) = reading.next_frame().await? {
                return Ok(Next::Frame(frame));
            }
            work.reading = None;
        }
        let Some(upload) = work.uploads.front() else { return Ok(Next::Phase) };
        work.reading = Some(Reading::open(upload).await?);
        work.uploads.pop_front();
    }
}

impl Reading {
    async fn open(upload: &Upload) -> Result<Reading, Unreadable> {
        let step = upload.step;
        let unreadable = |why: String| Unreadable { step, why };
        let (from, called): (Box<dyn AsyncRead + Send + Unpin>, String) = match &upload.source {
            Source::Bytes(secret) => {
                (Box::new(std::io::Cursor::new(secret.reveal().to_vec())), String::new())
            }
            Source::File(path) => {
                let called = path.display().to_string();
                let mut file = tokio::fs::File::open(path)
                    .await
                    .map_err(|error| unreadable(format!("can't read {called}: {error}")))?;
                file.set_max_buf_size(UPLOAD_CHUNK);
                (Box::new(file), called)
            }
            Source::Missing(what) => return Err(unreadable(format!("this run was given no {what}"))),
        };
        Ok(Reading {
            step,
            from,
            called,
            chunk: vec![0; UPLOAD_CHUNK],
            frames: 0,
            sent: 0,
            sum: CheckSum::default(),
            checked: false,
        })
    }

    /// The next frame; `None` at the end. What is empty is one empty frame, so that there is a file to read.
    async fn next_frame(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        if self.checked {
            return Ok(None);
        }
        let name = format!("in.{}", self.step);
        let read = self.from.read(&mut self.chunk).await.map_err(|error| {
            let (called, sent) = (&self.called, self.sent);
            Unreadable { step: self.step, why: format!("can't read {called} after {sent} bytes: {error}") }
        })?;
        if read == 0 && self.frames > 0 {
            debug!(name, bytes = self.sent, "sent an upload");
            self.checked = true;
            return Ok(Some(check(&name, self.sum)));
        }
        trace!(name, bytes = read, "send a chunk");
        self.frames += 1;
        self.sent += read as u64;
        self.sum.add(&self.chunk[..read]);
        Ok(Some(frame("put", &name, &self.chunk[..read])))
    }
}

/// A phase as it is sent. To go back, and to be confirmed, a host needs no room for a file.
fn phase(name: &str, text: &str) -> Vec<u8> {
    if text.trim_end() == "revert" {
        return format!("revert {name}\n").into_bytes();
    }
    let (confirm, text) = match text.strip_prefix("confirm\n").filter(|rest| !rest.is_empty()) {
        Some(rest) => (format!("confirm {name}\n"), rest),
        None => (String::new(), text),
    };
    let mut sum = CheckSum::default();
    sum.add(text.as_bytes());
    [confirm.into_bytes(), frame("phase", &format!("{name} {}", sum.end()), text.as_bytes())].concat()
}

fn frame(verb: &str, name: &str, body: &[u8]) -> Vec<u8> {
    let mut frame = format!("{verb} {} {name}\n", body.len()).into_bytes();
    frame.extend_from_slice(body);
    frame.extend_from_slice(b"sealed\n");
    frame
}

/// The word by which a host proves that it has kept all that was put into a file.
fn check(name: &str, sum: CheckSum) -> Vec<u8> {
    format!("check {} {name} {}\n", sum.length, sum.end()).into_bytes()
}

#[cfg(test)]
mod tests;
