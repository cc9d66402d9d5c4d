//! `config`: the resolved configuration of an environment, or the schema of the file.

use buedafab_model::app::mask::mask_urls;
use buedafab_model::config::{schema, show};
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::{Cli, ConfigArgs};
use crate::exit::CliError;
use crate::project::Project;
use crate::report::print_data;

pub(crate) fn config(cli: &Cli, arguments: &ConfigArgs) -> Result<ExitCode, CliError> {
    if arguments.schema {
        let text = serde_json::to_string_pretty(&schema()).expect("a schema is plain data");
        print_data(&text);
        return Ok(ExitCode::Done);
    }
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let names = match &cli.environment {
        Some(environment) => vec![environment.clone()],
        None => project.config.environment_names().iter().map(ToString::to_string).collect(),
    };
    for (index, name) in names.iter().enumerate() {
        let settings = project.settings(name, color)?;
        if cli.global.json {
            print_data(&mask_urls(&serde_json::to_string(&settings).expect("settings are plain data")));
        } else {
            let gap = if index > 0 { "\n" } else { "" };
            print_data(&mask_urls(&format!("{gap}{}", show(&settings))));
        }
    }
    Ok(ExitCode::Done)
}
