//! `test`: runs the project's tests, as a deploy does first.

use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::deployer::developer::tests_of;
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::{Cli, TestArgs};
use crate::developer::carry_out;
use crate::exit::CliError;
use crate::project::Project;

pub(crate) async fn test(cli: &Cli, arguments: &TestArgs) -> Result<ExitCode, CliError> {
    let TestArgs { deployment_type, dir } = arguments;
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let settings = project.developer_settings(cli, color)?;
    let Some(mut tests) = tests_of(&settings) else {
        let error = CliError::configuration("this project has no command for its tests");
        return Err(match project.several_apps().first() {
            Some(app) => error.hint(format!("those of an app run with its name: --app {app}")),
            None => error.hint("set `test_runner` in buedafab.toml, for example: test_runner = \"pytest\""),
        });
    };
    // Wherever they run, the project's virtualenv stays where it is.
    if let DeployerAction::Test { virtualenv, .. } = &mut tests {
        let root = std::path::absolute(&project.root).unwrap_or_else(|_| project.root.clone());
        *virtualenv = root.join(&virtualenv).display().to_string();
    }
    // A folder that was typed is one's own.
    if let (Some(_), DeployerAction::Test { subdir, .. }) = (dir, &mut tests) {
        *subdir = None;
    }
    let folder = dir.clone().unwrap_or(project.root);
    if !folder.is_dir() {
        return Err(CliError::usage(format!("{} isn't a folder", folder.display())));
    }
    let kind = deployment_type.clone().unwrap_or(settings.developer.local_deployment_type);
    carry_out(&[tests], &folder, &[("DEPLOYMENT_TYPE".to_owned(), kind)])
}
