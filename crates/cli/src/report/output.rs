//! Standard output and standard error, written beside the loop that talks to hosts.
//!
//! Who reads them may pause for as long as they like (a pager, Ctrl-S) or be gone: no run waits for them, and none ends
//! for them. What is to be written waits in one queue, so that both outputs stay in order. The queue is bounded for all
//! that there may be any amount of; what there is little of is never left out.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So much may wait.
pub(crate) const MOST_BYTES: u64 = 8 << 20;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Standard output: data.
    Data,
    /// Standard error: talk.
    Talk,
}

/// What becomes of something for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It waits all the same.
    Kept,
    /// It is left out.
    Passing,
}

/// Whether something is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is; or nobody is there any more who could want it.
    Taken,
    /// It was left out: the first since there was room.
    LeftOut,
    /// So was this.
    LeftOutAgain,
}

/// How standard output broke.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) why: String,
    /// Whether its reader went away, which it may well have meant to.
    pub(crate) is_left: bool,
}

/// What waits.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<(To, Vec<u8>)>,
    /// How much that is, with what is being written.
    bytes: usize,
    is_leaving_out: bool,
    /// Why standard output takes no more.
    broken: Option<std::io::Error>,
    /// Whether that was told.
    is_told: bool,
    is_talk_broken: bool,
}

/// A queue, and those who wait for it to change.
#[derive(Debug)]
struct Output {
    queue: Mutex<Queue>,
    changed: Condvar,
    most_bytes: usize,
}

static OUTPUT: LazyLock<Output> = LazyLock::new(|| Output::new(MOST_BYTES as usize));

/// Whether somebody writes what waits.
static WRITER: LazyLock<bool> = LazyLock::new(|| {
    let writer = std::thread::Builder::new().name("output".to_owned());
    writer.spawn(|| while OUTPUT.write_next(write) {}).is_ok()
});

/// Puts something on its way.
pub(crate) fn put(to: To, weight: Weight, bytes: Vec<u8>) -> Put {
    let put = OUTPUT.put(to, weight, bytes);
    // Where no thread can be had, everybody waits for the reader.
    if !*WRITER {
        OUTPUT.write_next(write);
    }
    put
}

/// Whether so much waits that whoever can should bring no more.
pub(crate) fn is_behind() -> bool {
    OUTPUT.lock().bytes > MOST_BYTES as usize / 2
}

/// Waits until all is written, at most so long; whether it is.
pub(crate) fn flush(patience: Duration) -> bool {
    OUTPUT.flush(patience)
}

/// Why standard output takes no more, once.
pub(crate) fn take_broken() -> Option<Broken> {
    let mut queue = OUTPUT.lock();
    let error = queue.broken.as_ref().filter(|_| !queue.is_told)?;
    let broken = Broken { why: error.to_string(), is_left: error.kind() == ErrorKind::BrokenPipe };
    queue.is_told = true;
    Some(broken)
}

/// Whether something that was asked for couldn't be written.
pub(crate) fn is_broken() -> bool {
    OUTPUT.lock().broken.is_some()
}

fn write(to: To, bytes: &[u8]) -> std::io::Result<()> {
    match to {
        To::Data => {
            let mut output = std::io::stdout();
            output.write_all(bytes).and_then(|()| output.flush())
        }
        To::Talk => std::io::stderr().write_all(bytes),
    }
}

impl Output {
    fn new(most_bytes: usize) -> Self {
        Self { queue: Mutex::default(), changed: Condvar::new(), most_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // What is counted in it holds at every moment.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, to: To, weight: Weight, bytes: Vec<u8>) -> Put {
        let mut queue = self.lock();
        if queue.is_broken(to) {
            return Put::Taken;
        }
        if weight == Weight::Passing {
            // Once something was left out, the reader first gets on by a good deal: gaps are few.
            let room = if queue.is_leaving_out { self.most_bytes / 2 } else { self.most_bytes };
            if queue.bytes + bytes.len() > room {
                let again = std::mem::replace(&mut queue.is_leaving_out, true);
                return if again { Put::LeftOutAgain } else { Put::LeftOut };
            }
            queue.is_leaving_out = false;
        }
        queue.bytes += bytes.len();
        queue.waiting.push_back((to, bytes));
        self.changed.notify_all();
        Put::Taken
    }

    /// Waits for something to write, and writes it; whether there can be more.
    fn write_next(&self, mut write: impl FnMut(To, &[u8]) -> std::io::Result<()>) -> bool {
        let mut queue = self.lock();
        let (to, bytes) = loop {
            match queue.waiting.pop_front() {
                Some(next) => break next,
                None => queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let is_broken = queue.is_broken(to);
        drop(queue);
        let written = if is_broken { Ok(()) } else { write(to, &bytes) };
        let mut queue = self.lock();
        queue.bytes -= bytes.len();
        match (to, written) {
            (_, Ok(())) => {}
            (To::Data, Err(error)) => queue.broken = Some(error),
            // Nobody is left to be told.
            (To::Talk, Err(_)) => queue.is_talk_broken = true,
        }
        self.changed.notify_all();
        true
    }

    fn flush(&self, patience: Duration) -> bool {
        let wait = self.changed.wait_timeout_while(self.lock(), patience, |queue| queue.bytes > 0);
        wait.unwrap_or_else(PoisonError::into_inner).0.bytes == 0
    }
}

impl Queue {
    fn is_broken(&self, to: To) -> bool {
        match to {
            To::Data => self.broken.is_some(),
            To::Talk => self.is_talk_broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes all that waits, and gives it back.
    fn written(output: &Output) -> String {
        let mut all = String::new();
        while !output.lock().waiting.is_empty() {
            output.write_next(|_, bytes| {
                all.push_str(&String::from_utf8_lossy(bytes));
                Ok(())
            });
        }
        all
    }

    #[test]
    fn a_reader_that_pauses_misses_only_what_there_may_be_any_amount_of() {
        let output = Output::new(8);
        let passing = |text: &str| output.put(To::Data, Weight::Passing, text.into());
        let kept = |text: &str| output.put(To::Talk, Weight::Kept, text.into());
        assert_eq!(passing("12345678"), Put::Taken);
        assert_eq!((passing("9"), passing("9")), (Put::LeftOut, Put::LeftOutAgain));
        assert_eq!(kept("all of this"), Put::Taken);
        assert!(!output.flush(Duration::ZERO));
        assert_eq!(written(&output), "12345678all of this");
        assert!(output.flush(Duration::ZERO));
        assert_eq!((passing("1"), kept("2"), passing("3")), (Put::Taken, Put::Taken, Put::Taken));
        assert_eq!(written(&output), "123");
    }

    #[test]
    fn an_output_that_breaks_stops_nobody_and_is_told() {
        let output = Output::new(8);
        for text in ["one", "two"] {
            output.put(To::Data, Weight::Kept, text.into());
            output.put(To::Talk, Weight::Kept, text.into());
        }
        let mut talk = String::new();
        for _ in 0..4 {
            output.write_next(|to, bytes| match to {
                To::Data => Err(std::io::Error::other("no space left")),
                To::Talk => {
                    talk.push_str(&String::from_utf8_lossy(bytes));
                    Ok(())
                }
            });
        }
        assert_eq!(talk, "onetwo");
        assert_eq!(output.lock().broken.as_ref().expect("it broke").to_string(), "no space left");
        // Nothing waits for it any more.
        assert_eq!(output.put(To::Data, Weight::Kept, vec![0; 100]), Put::Taken);
        assert!(output.flush(Duration::ZERO));
    }
}
