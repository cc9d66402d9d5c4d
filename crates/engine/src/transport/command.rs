//! Any command that gives a shell as a way to a host: `sh` for this machine, `docker exec -i …` for a container.

use std::path::Path;
use std::process::Command;

use super::{Effort, Launch, Session, Transport};
use crate::process::program;

/// Those of which it is known that they take a script.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "ksh"];

/// A command that reads shell text from its standard input.
#[derive(Debug)]
pub(crate) struct CommandTransport {
    words: Vec<String>,
}

impl CommandTransport {
    pub(crate) fn new(words: &[String]) -> Self {
        Self { words: words.to_vec() }
    }

    fn start(&self) -> Command {
        let mut command = program(&self.words[0]);
        command.args(&self.words[1..]);
        command
    }
}

impl Transport for CommandTransport {
    fn launch(&self, command: &str, _attempt: &str) -> Launch {
        Launch {
            words: self.words.clone(),
            first_input: Some(format!("{command}\n")),
            log: None,
            may_be_killed: false,
            // It may be a handshake as well as ours is.
            effort: Effort::Handshake,
        }
    }

    fn interactive(&self, session: &Session) -> Command {
        let mut command = self.start();
        match session {
            Session::Script(script) => {
                command.args(["-c", script]);
            }
            // A shell of this machine.
            Session::Shell { script, .. } if SHELLS.contains(&self.words.join(" ").as_str()) => {
                command.args(["-c", script]);
            }
            // It gives a shell by itself, and may not take a script. Only where the host is this machine do its folders
            // mean anything here.
            Session::Shell { folders, .. } if self.words.len() == 1 => {
                if let Some(folder) = folders.iter().find(|folder| Path::new(folder).is_dir()) {
                    command.current_dir(folder);
                }
            }
            Session::Shell { .. } => {}
        }
        command
    }

    fn hint(&self, _why: &str) -> Option<String> {
        Some(format!("see whether `connect` gives a shell: {}", self.words.join(" ")))
    }
}
