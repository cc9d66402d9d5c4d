//! `completions`: what makes a shell complete buedafab's commands, and the project's environments.

use buedafab_model::run::exit_code::ExitCode;

use clap::CommandFactory;
use clap_complete::env::Shells;

use crate::arguments::{Cli, CompletionsArgs};
use crate::exit::CliError;

pub(crate) fn completions(arguments: &CompletionsArgs) -> Result<ExitCode, CliError> {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&arguments.shell) else {
        let known: Vec<&str> = shells.names().collect();
        return Err(CliError::usage(format!("there are no completions for {:?}", arguments.shell))
            .hint(format!("choose one of {}", known.join(", "))));
    };
    let name = Cli::command().get_name().to_owned();
    let mut script = Vec::new();
    shell
        .write_registration("COMPLETE", &name, &name, &name, &mut script)
        .map_err(|error| CliError::bug(format!("can't write completions: {error}")))?;
    crate::report::print_data(&String::from_utf8_lossy(&script));
    Ok(ExitCode::Done)
}
