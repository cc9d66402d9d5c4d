//! The program at a terminal, answered as a person answers.

use std::ffi::OsStr;
use std::process::Command;

use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

use super::stage::{Stage, copy_surroundings};

/// The program at a real terminal.
pub(crate) fn terminal(stage: &Stage, words: &[&str]) -> PtySession {
    start(stage, words, &[], true)
}

/// The same, as the terminal is told it.
pub(crate) fn raw_terminal(stage: &Stage, words: &[&str]) -> PtySession {
    start(stage, words, &[], false)
}

/// The same behind a shell's line, to which the program's words are `"$@"`.
pub(crate) fn shell_terminal(stage: &Stage, line: &str, words: &[&str]) -> PtySession {
    start(stage, words, &["sh", "-c", line, "sh"], true)
}

fn start(stage: &Stage, words: &[&str], before: &[&str], strip: bool) -> PtySession {
    let mut command = stage.command(words);
    command.env("TERM", "xterm").env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    // The terminal is its standard input, too.
    let mut all = before.iter().map(OsStr::new).chain([command.get_program()]).chain(command.get_args());
    let mut there = Command::new(all.next().expect("there is a program"));
    there.args(all);
    copy_surroundings(&command, &mut there);
    let options = Options::new().timeout_ms(Some(30_000)).strip_ansi_escape_codes(strip);
    spawn_with_options(there, options).expect("it starts")
}

/// Waits for a prompt, and answers it.
#[track_caller]
pub(crate) fn answer(session: &mut PtySession, prompt: &str, typed: &str) -> String {
    let before = session.exp_string(prompt).unwrap_or_else(|error| panic!("{prompt:?}: {error}"));
    session.send(typed).and_then(|_| session.flush()).expect("it listens");
    before
}

#[track_caller]
pub(crate) fn finish(mut session: PtySession, code: i32) -> String {
    let rest = session.exp_eof().expect("it ends");
    let status = format!("{:?}", session.process().wait().expect("it ends"));
    assert!(status.ends_with(&format!(", {code})")), "{status}: {rest}");
    rest
}

/// What is left on a screen of this many columns, of all that a terminal was told.
pub(crate) fn screen_of(told: &str, columns: usize) -> String {
    // A session takes every byte for a letter.
    let told: Vec<u8> = told.chars().map(|letter| letter as u8).collect();
    let told = String::from_utf8_lossy(&told);
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut letters = told.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x1b' if letters.next_if_eq(&'[').is_some() => {
                let mut number = String::new();
                while let Some(digit) = letters.next_if(|letter| letter.is_ascii_digit() || *letter == ';') {
                    number.push(digit);
                }
                let by = number.parse().unwrap_or(1);
                match letters.next() {
                    Some('A') => row = row.saturating_sub(by),
                    Some('B') => row += by,
                    Some('C') => column += by,
                    Some('D') => column = column.saturating_sub(by),
                    Some('K') => lines[row].clear(),
                    _ => {}
                }
            }
            '\x1b' => {}
            letter => {
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
                lines.resize(lines.len().max(row + 1), Vec::new());
                let length = lines[row].len().max(column + 1);
                lines[row].resize(length, ' ');
                lines[row][column] = letter;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}
