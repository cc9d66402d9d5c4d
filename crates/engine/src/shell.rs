//! A person's own session on a host.

use std::process::Command;

use buedafab_model::config::{Connect, Host, Settings};
use buedafab_model::layout::Layout;
use buedafab_model::shell::quote;

use crate::ssh;

/// The command that opens an interactive shell on a host, in the live release where there is one. A connection that
/// is open already is used.
pub fn interactive_shell(settings: &Settings, host: &Host) -> Command {
    let current = Layout::new(settings, host).current();
    let enter = format!(
        "cd {current} 2>/dev/null || cd {path} 2>/dev/null; exec \"${{SHELL:-/bin/sh}}\" -l",
        current = quote(current.as_str()),
        path = quote(host.path.as_str()),
    );
    match &host.connect {
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
        Connect::Ssh => {
            let mut command = Command::new("ssh");
            command.arg("-t");
            let options = ssh::SshOptions {
                keep_warm_seconds: settings.keep_warm_seconds,
                connect_timeout_seconds: settings.connect_timeout_seconds,
                forward_agent: settings.forward_agent,
                private_folder: ssh::private_folder(),
            };
            if let Some(path) = ssh::control_path(host, &options) {
                command.args(["-o", &format!("ControlPath={}", path.display())]);
            }
            // A login shell of any kind passes this on as it is: it is one word for sh.
            command.args(ssh::target_words(host)).arg(format!("exec sh -c {}", quote(&enter)));
            command
        }
    }
}
