//! The user's own OpenSSH as a way to a host: their configuration, agent, jump hosts, keys and certificates apply.
//!
//! Connections are shared and kept warm. The sockets lie in a folder that only the user can enter.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use buedafab_model::config::Settings;
use buedafab_model::host::Host;

use super::warm::{disconnect, private_folder, socket_of};
use super::{Effort, Launch, Session, Transport};
use crate::runner::one_command;

/// What decides how OpenSSH is called.
#[derive(Debug, Clone)]
pub(crate) struct SshOptions {
    /// For how long an idle connection is kept, in seconds; 0 keeps none.
    keep_warm_seconds: u32,
    /// How long a connection may take to stand, in seconds.
    connect_timeout_seconds: u32,
    /// Whether the agent is lent. Decided by the shared connection, so it is part of that connection's name.
    forward_agent: bool,
    /// The user's private folder; `None` if there is none, and nothing is shared.
    private_folder: Option<PathBuf>,
}

impl SshOptions {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            keep_warm_seconds: settings.connection.keep_warm_seconds,
            connect_timeout_seconds: settings.connection.connect_timeout_seconds,
            forward_agent: settings.source.forward_agent,
            private_folder: private_folder(),
        }
    }
}

/// `ssh HOST`.
#[derive(Debug)]
pub(crate) struct SshTransport {
    host: Host,
    options: SshOptions,
    /// The socket of the connection that is shared, if one is to be.
    control: Option<PathBuf>,
}

impl SshTransport {
    /// Asks ssh what it makes of the host, which takes a process.
    pub(crate) fn new(host: &Host, options: &SshOptions) -> Self {
        let folder = options.private_folder.as_ref().filter(|_| options.keep_warm_seconds > 0);
        let control = folder.and_then(|folder| socket_of(folder, host, options.forward_agent));
        Self { host: host.clone(), options: options.clone(), control }
    }
}

impl Transport for SshTransport {
    fn launch(&self, command: &str, attempt: &str) -> Launch {
        let options = &self.options;
        let log = options.private_folder.as_ref().map(|folder| folder.join(format!("log-{attempt}")));
        let mut words: Vec<String> = vec!["ssh".into(), "-T".into()];
        let mut option = |text: String| words.extend(["-o".to_owned(), text]);
        option("BatchMode=yes".into());
        option("ClearAllForwardings=yes".into());
        option("ForwardX11=no".into());
        option("RemoteCommand=none".into());
        option("PermitLocalCommand=no".into());
        option(format!("ForwardAgent={}", if options.forward_agent { "yes" } else { "no" }));
        option(format!("ConnectTimeout={}", options.connect_timeout_seconds));
        option("ServerAliveInterval=5".into());
        option("ServerAliveCountMax=3".into());
        match &self.control {
            Some(path) => {
                option("ControlMaster=auto".into());
                option(format!("ControlPersist={}", options.keep_warm_seconds));
                option(format!("ControlPath={}", path.display()));
            }
            None => {
                option("ControlMaster=no".into());
                option("ControlPath=none".into());
            }
        }
        if let Some(log) = &log {
            words.extend(["-E".to_owned(), log.display().to_string()]);
        }
        words.extend(target_words(&self.host));
        words.push(command.to_owned());
        let is_shared = self.control.as_ref().is_some_and(|path| path.exists());
        let effort = if is_shared { Effort::Shared } else { Effort::Handshake };
        Launch { words, first_input: None, log, may_be_killed: true, effort }
    }

    fn interactive(&self, session: &Session) -> Command {
        let (Session::Script(script) | Session::Shell { script, .. }) = session;
        let mut command = Command::new("ssh");
        // A pipe is no terminal: what comes through one stays as it is.
        command.arg(if std::io::stdin().is_terminal() { "-t" } else { "-T" });
        if let Some(path) = &self.control {
            command.args(["-o", &format!("ControlPath={}", path.display())]);
        }
        command.args(target_words(&self.host)).arg(one_command(script));
        command
    }

    fn hint(&self, why: &str) -> Option<String> {
        let host = &self.host;
        let command = || format!("ssh -o BatchMode=yes {}", target_words(host).join(" ").replace("-- ", ""));
        Some(if why.contains("Permission denied") {
            format!("load your key with ssh-add, then see whether this works: {}", command())
        } else if why.contains("Host key verification failed") || why.contains("host key is known") {
            format!(
                "compare the host's key with the one it should have, and accept it by hand: {}",
                command()
            )
        } else if why.contains("Could not resolve hostname") {
            format!("check {:?} in buedafab.toml and in ~/.ssh/config", host.address)
        } else {
            format!("see whether this works: {}", command())
        })
    }

    /// Too many connections at once, mostly.
    fn is_passing(&self, why: &str) -> bool {
        ["kex_exchange_identification", "Connection reset by", "banner exchange", "Connection closed by"]
            .iter()
            .any(|sign| why.contains(sign))
    }

    fn forget_shared(&self) {
        let _ = self.control.as_deref().map(disconnect);
    }
}

/// The words that name the host: port, user, address.
pub(super) fn target_words(host: &Host) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(port) = host.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &host.user {
        words.extend(["-l".to_owned(), user.clone()]);
    }
    words.extend(["--".to_owned(), host.address.clone()]);
    words
}
