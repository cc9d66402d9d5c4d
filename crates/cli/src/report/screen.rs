//! The terminal that bars are drawn on, as far as bars need one.

use std::io;
use std::sync::{Mutex, PoisonError};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

use super::output::{self, To, Weight};

/// How often a picture is drawn, in a second.
const RATE: u8 = 20;

/// Standard error, written beside the loop; a picture goes out whole.
#[derive(Debug)]
struct Screen {
    terminal: Term,
    picture: Mutex<String>,
}

/// Draws on standard error.
pub(super) fn target() -> ProgressDrawTarget {
    let screen = Screen { terminal: Term::stderr(), picture: Mutex::default() };
    ProgressDrawTarget::term_like_with_hz(Box::new(screen), RATE)
}

impl Screen {
    fn draw(&self, text: &str) -> io::Result<()> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        Ok(())
    }

    fn go(&self, by: usize, letter: char) -> io::Result<()> {
        if by == 0 { Ok(()) } else { self.draw(&format!("\x1b[{by}{letter}")) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.terminal.size().1
    }

    fn height(&self) -> u16 {
        self.terminal.size().0
    }

    fn move_cursor_up(&self, by: usize) -> io::Result<()> {
        self.go(by, 'A')
    }

    fn move_cursor_down(&self, by: usize) -> io::Result<()> {
        self.go(by, 'B')
    }

    fn move_cursor_right(&self, by: usize) -> io::Result<()> {
        self.go(by, 'C')
    }

    fn move_cursor_left(&self, by: usize) -> io::Result<()> {
        self.go(by, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.draw(text)?;
        self.draw("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let picture = std::mem::take(&mut *self.picture.lock().unwrap_or_else(PoisonError::into_inner));
        // One that a reader misses is followed by others.
        output::put(To::Talk, Weight::Passing, picture.into_bytes());
        Ok(())
    }
}
