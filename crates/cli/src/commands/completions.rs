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
    // Right behind a colon, which is a word of its own for bash, it hands on no word at all.
    let taken = "words[COMP_CWORD]=\"$2\"";
    let kept = format!("[[ \"${{COMP_WORDS[COMP_CWORD]}}\" == [:=] ]] || {taken}");
    crate::report::print_data(&String::from_utf8_lossy(&script).replace(taken, &kept));
    Ok(ExitCode::Done)
}
