//! Ways to hosts: how a process is started at whose far end a shell runs, and what to do when it isn't. Each kind is a
//! file here; what is the same for all of them, such as attempts and the number of handshakes, is the connector's.

mod command;
mod ssh;
mod warm;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use buedafab_model::config::Settings;
use buedafab_model::host::{Connect, Host};
use buedafab_model::shell::{SessionIn, login_shell};

use command::CommandTransport;
use ssh::{SshOptions, SshTransport};
pub(crate) use warm::host_name;
pub use warm::{Disconnected, disconnect, warm_connections};

/// A way to one host.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// How to start the process that runs `command`, one line for any login shell. `attempt` is a word that no other
    /// attempt has, for files of its own. Asked again for each attempt: what stood before may be gone.
    fn launch(&self, command: &str, attempt: &str) -> Launch;

    /// The command that gives a person's terminal to the host.
    fn interactive(&self, session: &Session) -> Command;

    /// A failure that was told in these words, in fewer.
    fn words(&self, why: String) -> String {
        why
    }

    /// What a person can do about a failure that was told in these words.
    fn hint(&self, why: &str) -> Option<String>;

    /// Whether a failure told in these words passes by itself, so that another attempt is worth its time.
    fn is_passing(&self, _why: &str) -> bool {
        false
    }

    /// The socket of the connection that others share, if one is to be.
    fn shared(&self) -> Option<&Path> {
        None
    }

    /// Gives up the connection that others share, if there is one: the next attempt opens its own. What is under way over it goes
    /// on. This may take a second.
    fn forget_shared(&self) {}
}

/// How to start a process that leads to a host.
#[derive(Debug)]
pub(crate) struct Launch {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// What is written to its standard input before anything else.
    pub first_input: Option<String>,
    /// Where the program itself writes what goes wrong, if not to standard error.
    pub log: Option<PathBuf>,
    /// Whether the process is only a way to the runner, and may be killed: where it *is* the runner, killing it would
    /// keep it from putting its host right.
    pub may_be_killed: bool,
    /// What it takes until the far end answers.
    pub effort: Effort,
}

/// What it takes until the far end answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A handshake, which costs both sides CPU, or whatever a command of the user's does: only so many at once.
    Handshake,
    /// A few round trips, since a shared connection stands. One that doesn't answer within them is stale.
    Shared,
}

/// What a person wants to do on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session<'a> {
    /// To run this script.
    Script(&'a str),
    /// To have a shell.
    Shell {
        /// The script that starts one in the live release, or wherever there is something of the app.
        script: &'a str,
        /// The same places, the best one first, for a way that gives a shell by itself and takes no script.
        folders: [&'a str; 2],
    },
}

/// What the ways of one environment need to know of its settings.
#[derive(Debug, Clone)]
pub(crate) struct Transports {
    ssh: SshOptions,
}

impl Transports {
    /// The ways that these settings allow.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { ssh: SshOptions::new(settings) }
    }

    /// The way to a host. This may take a process.
    pub(crate) fn to(&self, host: &Host) -> Arc<dyn Transport> {
        match &host.connect {
            Connect::Ssh => Arc::new(SshTransport::new(host, &self.ssh)),
            Connect::Command(words) => Arc::new(CommandTransport::new(words)),
        }
    }
}

/// The command that opens an interactive shell on a host, in the live release or in the one that failed.
pub fn interactive_shell(settings: &Settings, host: &Host, place: SessionIn) -> Command {
    let current = settings.app.folder_in(&settings.layout(host).current());
    let session = Session::Shell {
        script: &login_shell(settings, host, place),
        folders: [current.as_str(), host.path.as_str()],
    };
    Transports::new(settings).to(host).interactive(&session)
}

/// The command that runs a script on a host with the person's terminal. A connection that is open already is used.
pub fn interactive_command(settings: &Settings, host: &Host, script: &str) -> Command {
    Transports::new(settings).to(host).interactive(&Session::Script(script))
}
