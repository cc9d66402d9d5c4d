//! A person's own session on a host.

use std::io::IsTerminal;
use std::process::Command;

use buedafab_model::config::Settings;
use buedafab_model::host::{Connect, Host};
use buedafab_model::shell::login_shell;

use crate::runner::one_command;
use crate::ssh;

/// The command that opens an interactive shell on a host, in the live release where there is one.
pub fn interactive_shell(settings: &Settings, host: &Host) -> Command {
    let current = settings.layout(host).current();
    match &host.connect {
        // It gives a shell by itself, and may not take a command.
        Connect::Command(words) => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            for folder in [current.as_str(), host.path.as_str()] {
                // Only where the host is this machine does the folder mean anything here.
                if words.len() == 1 && std::path::Path::new(folder).is_dir() {
                    command.current_dir(folder);
                    break;
                }
            }
            command
        }
        Connect::Ssh => interactive_command(settings, host, &login_shell(settings, host)),
    }
}

/// The command that runs a script on a host with the person's terminal. A connection that is open already is used.
pub fn interactive_command(settings: &Settings, host: &Host, script: &str) -> Command {
    match &host.connect {
        Connect::Command(words) => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).args(["-c", script]);
            command
        }
        Connect::Ssh => {
            let mut command = Command::new("ssh");
            // A pipe is no terminal: what comes through one stays as it is.
            command.arg(if std::io::stdin().is_terminal() { "-t" } else { "-T" });
            let options = ssh::SshOptions {
                keep_warm_seconds: settings.keep_warm_seconds,
                connect_timeout_seconds: settings.connect_timeout_seconds,
                forward_agent: settings.forward_agent,
                private_folder: ssh::private_folder(),
            };
            if let Some(path) = ssh::control_path(host, &options) {
                command.args(["-o", &format!("ControlPath={}", path.display())]);
            }
            command.args(ssh::target_words(host)).arg(one_command(script));
            command
        }
    }
}
