//! `list`: every command, and the project's own tasks.

use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::view::Table;
use clap::CommandFactory;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::project::tasks_nearby;
use crate::report::print_data;

pub(crate) fn list(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut commands = Table::default();
    for command in Cli::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        commands.row([command.get_name().to_owned(), about]);
    }
    let mut text = format!("Commands:\n{}", commands.render("  "));
    let tasks = tasks_nearby(&cli.words);
    if !tasks.is_empty() {
        let mut table = Table::default();
        tasks.iter().for_each(|(name, about)| table.row([name, about]));
        text.push_str(&format!("\nTasks of this project:\n{}", table.render("  ")));
    }
    print_data(&text);
    Ok(ExitCode::Done)
}
