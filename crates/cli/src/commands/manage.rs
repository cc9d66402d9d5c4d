//! `manage` and `django_shell`: Django's own commands on the primary, in the live release, at the person's terminal.

use buedafab_model::run::exit_code::ExitCode;
use std::os::unix::process::CommandExt;

use buedafab_engine::interactive_command;
use buedafab_model::app::recipe::Recipe;
use buedafab_model::shell::manage_shell;

use crate::arguments::Cli;
use crate::commands::shell::one_host;
use crate::exit::CliError;
use crate::report::leave_outputs;

pub(crate) fn manage(cli: &Cli, words: &[String]) -> Result<ExitCode, CliError> {
    let (settings, host) = one_host(cli, &cli.command_name)?;
    if settings.app.recipe != Recipe::Django {
        return Err(
            CliError::configuration("only a Django project has a manage.py").hint("set recipe = \"django\"")
        );
    }
    let mut command = interactive_command(&settings, &host, &manage_shell(&settings, &host, words));
    leave_outputs();
    let program = command.get_program().to_string_lossy().into_owned();
    // On success this program is gone, and the command has its place.
    Err(CliError::bug(format!("can't run {program}: {}", command.exec())))
}
