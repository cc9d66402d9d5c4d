//! The program at a terminal, answered as a person answers.

use std::process::Command;

use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

use super::stage::Stage;

/// The program at a real terminal.
pub(crate) fn terminal(stage: &Stage, words: &[&str]) -> PtySession {
    let mut command = stage.command(words);
    command.env("TERM", "xterm").env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    // The terminal is its standard input, too.
    let mut there = Command::new(command.get_program());
    there.args(command.get_args()).current_dir(command.get_current_dir().expect("it is set"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => there.env(name, value),
            None => there.env_remove(name),
        };
    }
    let options = Options::new().timeout_ms(Some(30_000)).strip_ansi_escape_codes(true);
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
