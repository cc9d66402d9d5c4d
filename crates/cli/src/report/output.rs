//! Standard output and standard error, written beside the loop that talks to hosts.
//!
//! Who reads them may pause for as long as they like (a pager, Ctrl-S) or be gone: no run waits for them, and none ends
//! for them. What is to be written waits in one queue, so that both outputs stay in order. The queue is bounded for all
//! that there may be any amount of; what there is little of is never left out. Of what was asked for, as with `run`, what
//! the queue has no room for waits in a file that has no name.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So much may wait in a file.
const MOST_SPILLED: u64 = 1 << 30;

/// So much of that is read at once.
const PIECE: usize = 64 << 10;

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
    /// It waits in a file, if there is room for that.
    Spilled,
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
    /// What of standard output waits in a file, behind all else that waits for it.
    spill: Option<Spill>,
    /// Whether something that was asked for was left out.
    has_lost: bool,
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
    let queue = OUTPUT.lock();
    queue.broken.is_some() || queue.has_lost
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
        // What comes after something in the file has to wait there, too.
        let is_full = queue.bytes + bytes.len() > self.most_bytes;
        let has_spilled = queue.spill.as_ref().is_some_and(Spill::is_waiting);
        if to == To::Data && (has_spilled || is_full && weight == Weight::Spilled) {
            let spilled = queue.spill(&bytes);
            queue.has_lost |= spilled.is_err() && weight != Weight::Passing;
            let was_leaving_out = std::mem::replace(&mut queue.is_leaving_out, spilled.is_err());
            self.changed.notify_all();
            return match (spilled, was_leaving_out) {
                (Ok(()), _) => Put::Taken,
                (Err(_), false) => Put::LeftOut,
                (Err(_), true) => Put::LeftOutAgain,
            };
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
            match queue.next() {
                Some(next) => break next,
                None => {
                    // What can't be read back isn't waited for any more.
                    self.changed.notify_all();
                    queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
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
        let wait = self.changed.wait_timeout_while(self.lock(), patience, |queue| queue.is_waiting());
        !wait.unwrap_or_else(PoisonError::into_inner).0.is_waiting()
    }
}

impl Queue {
    fn is_waiting(&self) -> bool {
        self.bytes > 0 || self.spill.as_ref().is_some_and(Spill::is_waiting)
    }

    /// What is written next. It is counted until it is.
    fn next(&mut self) -> Option<(To, Vec<u8>)> {
        if let Some(next) = self.waiting.pop_front() {
            return Some(next);
        }
        let spill = self.spill.as_mut().filter(|spill| spill.is_waiting())?;
        let piece = match spill.take() {
            Ok(piece) => piece,
            Err(error) => {
                // What can't be read back is lost.
                self.spill = None;
                self.broken = Some(error);
                return None;
            }
        };
        self.bytes += piece.len();
        Some((To::Data, piece))
    }

    fn spill(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.spill {
            Some(spill) => spill.put(bytes),
            None => self.spill.insert(Spill::new()?).put(bytes),
        }
    }

    fn is_broken(&self, to: To) -> bool {
        match to {
            To::Data => self.broken.is_some(),
            To::Talk => self.is_talk_broken,
        }
    }
}

/// What waits in a file, which nobody else can open and nothing has to remove.
#[derive(Debug)]
struct Spill {
    file: File,
    written: u64,
    read: u64,
}

impl Spill {
    fn new() -> std::io::Result<Spill> {
        Ok(Spill { file: tempfile::tempfile()?, written: 0, read: 0 })
    }

    fn is_waiting(&self) -> bool {
        self.read < self.written
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.written + bytes.len() as u64 > MOST_SPILLED {
            return Err(ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn take(&mut self) -> std::io::Result<Vec<u8>> {
        let left = usize::try_from(self.written - self.read).unwrap_or(PIECE);
        let mut piece = vec![0; left.min(PIECE)];
        self.file.read_exact_at(&mut piece, self.read)?;
        self.read += piece.len() as u64;
        if !self.is_waiting() {
            // From the beginning again: the file is no longer than the reader has ever been behind.
            (self.written, self.read) = (0, 0);
            self.file.set_len(0)?;
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes all that waits, and gives it back.
    fn written(output: &Output) -> String {
        let mut all = String::new();
        while output.lock().is_waiting() {
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
    fn what_was_asked_for_waits_in_a_file_and_in_order() {
        let output = Output::new(8);
        let mut expected = String::new();
        for number in 0..1000 {
            let text = format!("{number}\n");
            let weight = if number % 10 == 0 { Weight::Kept } else { Weight::Spilled };
            assert_eq!(output.put(To::Data, weight, text.clone().into()), Put::Taken);
            expected.push_str(&text);
        }
        // Talk has no part in it.
        output.put(To::Talk, Weight::Kept, "a word\n".into());
        let talked = expected.replacen("3\n4\n", "3\na word\n4\n", 1);
        assert_eq!(written(&output), talked);
        assert_eq!(output.put(To::Data, Weight::Spilled, "again".into()), Put::Taken);
        assert_eq!(written(&output), "again");
        assert!(output.flush(Duration::ZERO) && !output.lock().has_lost);
    }

    #[test]
    fn what_cannot_be_read_back_is_waited_for_by_nobody() {
        let output: &'static Output = Box::leak(Box::new(Output::new(8)));
        for _ in 0..3 {
            output.put(To::Data, Weight::Spilled, "12345678".into());
        }
        output.lock().spill.as_mut().expect("it waits in a file").file.set_len(0).expect("it is ours");
        std::thread::spawn(|| while output.write_next(|_, _| Ok(())) {});
        assert!(output.flush(Duration::from_secs(20)));
        assert!(output.lock().broken.is_some());
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
