//! `shell`: a person's own session on one host, in the live release.

use buedafab_model::run::exit_code::ExitCode;
use std::os::unix::process::CommandExt;

use buedafab_model::config::Settings;
use buedafab_model::host::Host;
use buedafab_model::shell::SessionIn;

use crate::arguments::{Cli, ShellArgs};
use crate::exit::CliError;
use crate::project::{Project, choose_hosts, require_environment, require_one_app};
use crate::report::leave_outputs;

pub(crate) fn shell(cli: &Cli, arguments: &ShellArgs) -> Result<ExitCode, CliError> {
    let place = if arguments.failed { SessionIn::Failed } else { SessionIn::Live };
    let (settings, host) = one_host(cli, "shell")?;
    crate::report::print_talk(&format!("{}:", host.name));
    let mut command = buedafab_engine::interactive_shell(&settings, &host, place);
    leave_outputs();
    let program = command.get_program().to_string_lossy().into_owned();
    // On success this program is gone, and the shell has its place.
    Err(CliError::bug(format!("can't run {program}: {}", command.exec())))
}

/// The host that a session at the terminal is on: the one that was named, or the primary.
pub(crate) fn one_host(cli: &Cli, command: &str) -> Result<(Settings, Host), CliError> {
    let color = console::colors_enabled_stderr();
    let environment = require_environment(cli.environment.as_ref(), command)?;
    let project = Project::find(&cli.global, color)?;
    require_one_app(&project, command)?;
    let settings = project.settings(&environment, color)?;
    let hosts = choose_hosts(&settings, &cli.global)?;
    let host = match hosts.as_slice() {
        [host] => (*host).clone(),
        [first, ..] if cli.global.hosts.is_empty() && cli.global.roles.is_empty() => (*first).clone(),
        several => {
            let names: Vec<&str> = several.iter().map(|host| host.name.as_str()).collect();
            return Err(CliError::usage(format!(
                "this works on one host only, and several match: {}",
                names.join(", ")
            )));
        }
    };
    Ok((settings, host))
}
