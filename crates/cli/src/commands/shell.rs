//! `shell`: a person's own session on one host, in the live release.

use std::os::unix::process::CommandExt;

use crate::arguments::Cli;
use crate::exit::Stop;
use crate::project::{Project, choose_hosts, require_environment};

pub(crate) fn shell(cli: &Cli) -> Result<u8, Stop> {
    let color = console::colors_enabled_stderr();
    let environment = require_environment(cli.environment.as_ref(), "shell")?;
    let settings = Project::find(&cli.global, color)?.settings(&environment, color)?;
    let hosts = choose_hosts(&settings, &cli.global)?;
    let host = match hosts.as_slice() {
        [host] => host,
        [first, ..] if cli.global.hosts.is_empty() && cli.global.roles.is_empty() => first,
        several => {
            let names: Vec<&str> = several.iter().map(|host| host.name.as_str()).collect();
            return Err(Stop::usage(format!("a shell is on one host, and these fit: {}", names.join(", "))));
        }
    };
    crate::report::print_talk(&format!("{}:", host.name));
    let mut command = buedafab_engine::interactive_shell(&settings, host);
    let program = command.get_program().to_string_lossy().into_owned();
    // On success this program is gone, and the shell has its place.
    Err(Stop::bug(format!("can't run {program}: {}", command.exec())))
}
