//! `lint`: looks the project's code over.

use buedafab_engine::Repository;
use buedafab_model::deployer::developer::lint_of;
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::Cli;
use crate::developer::carry_out;
use crate::exit::CliError;
use crate::project::Project;
use crate::report::print_talk;

pub(crate) async fn lint(cli: &Cli) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let settings = project.developer_settings(cli, color)?;
    let roots = Repository::find(&project.root)?.python_roots(settings.app.subdir.as_deref()).await?;
    let Some(lint) = lint_of(&settings, &roots) else {
        print_talk("git tracks no Python file here: there is nothing to check");
        return Ok(ExitCode::Done);
    };
    carry_out(
        &[lint],
        &project.root,
        &[("DEPLOYMENT_TYPE".to_owned(), settings.developer.local_deployment_type)],
    )
}
