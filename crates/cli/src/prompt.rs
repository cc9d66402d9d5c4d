//! Questions to a person, on the terminal that this program was started from, wherever its outputs go.
//!
//! The terminal stays as it is: it edits the line, nothing hides its cursor, and Ctrl-C remains a signal. An answer is a
//! line, and what was typed before a question was there to be read answers nothing.

use std::fs::File;
use std::io::{Read, Write};

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

/// No answer is longer; what comes beyond it is as good as no answer.
const LONGEST: usize = 4096;

/// Whether what is typed is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// As usual.
    Shown,
    /// A secret.
    Hidden,
}

/// The terminal at which a person sits.
#[derive(Debug)]
pub(crate) struct Terminal {
    file: File,
}

impl Terminal {
    /// The terminal, if there is one.
    pub(crate) fn find() -> Option<Terminal> {
        let file = File::options().read(true).write(true).open("/dev/tty").ok()?;
        Some(Terminal { file })
    }

    /// Asks; the answer comes without the end of its line. `None` if there is none: end of file, or the terminal is gone.
    /// Dropped, it leaves the terminal as it was before.
    pub(crate) async fn ask(&self, question: &str, echo: Echo) -> Option<String> {
        let _hidden = (echo == Echo::Hidden).then(|| self.hide()).transpose().ok()?;
        tcflush(&self.file, QueueSelector::IFlush).ok()?;
        self.put(&format!("{question} "));
        let file = self.file.try_clone().ok()?;
        let answer = tokio::task::spawn_blocking(move || read_line(file)).await.ok()?;
        if echo == Echo::Hidden {
            self.put("\n");
        }
        answer
    }

    /// Shows something beside a question.
    pub(crate) fn put(&self, text: &str) {
        // Whoever can't be shown it won't answer either.
        let _ = (&self.file).write_all(text.as_bytes());
    }

    fn hide(&self) -> std::io::Result<Hidden<'_>> {
        let before = tcgetattr(&self.file)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK);
        tcsetattr(&self.file, OptionalActions::Now, &hidden)?;
        Ok(Hidden { file: &self.file, before })
    }
}

/// A terminal that doesn't show what is typed, for as long as this lives.
struct Hidden<'t> {
    file: &'t File,
    before: Termios,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // If the terminal is gone, so is what it hid.
        let _ = tcsetattr(self.file, OptionalActions::Now, &self.before);
    }
}

fn read_line(mut file: File) -> Option<String> {
    let mut line = Vec::new();
    let mut buffer = [0; 256];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return None,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        line.extend_from_slice(&buffer[..read]);
        if line.len() > LONGEST {
            return None;
        }
        // A terminal gives out one line at a time.
        if line.last() == Some(&b'\n') {
            line.pop();
            return String::from_utf8(line).ok();
        }
    }
}

/// Whether an answer is a yes, in full or by its first letter; `None` if it is neither yes nor no. An empty one is a no.
pub(crate) fn understand_yes(answer: &str) -> Option<bool> {
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        let understood = ["y", "Yes", " y ", "", "n", "NO", "yy", "ye", "production"].map(understand_yes);
        let (yes, no, neither) = (Some(true), Some(false), None);
        assert_eq!(understood, [yes, yes, yes, no, no, no, neither, neither, neither]);
    }
}
