//! `recipe`: what the recipe does, step by step, and what of it the project has replaced.

use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::view::show_recipe;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::project::Project;
use crate::report::{print_data, print_json};

pub(crate) fn recipe(cli: &Cli) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let settings = project.settings(cli.environment.as_deref().unwrap_or("production"), color)?;
    if cli.global.json {
        buedafab_model::shell::recipe::steps(&settings).iter().for_each(print_json);
    } else {
        print_data(&show_recipe(&settings));
    }
    Ok(ExitCode::Done)
}
