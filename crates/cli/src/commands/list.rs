//! `list`: every command, and the project's own tasks.

use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::view::Table;

use crate::arguments::{Cli, command_line};
use crate::exit::CliError;
use crate::project::tasks_nearby;
use crate::report::print_data;
use crate::usage::groups;

pub(crate) fn list(cli: &Cli) -> Result<ExitCode, CliError> {
    let tasks = tasks_nearby(&cli.words);
    let root = command_line(&tasks);
    let mut text = String::new();
    for (title, commands) in groups(&root, |name| tasks.contains_key(name)) {
        let mut table = Table::default();
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            table.row([command.get_name().to_owned(), about]);
        }
        let begin = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{begin}{title}:\n{}", table.render("  ")));
    }
    print_data(&text);
    Ok(ExitCode::Done)
}
