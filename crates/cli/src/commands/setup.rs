//! `setup`: makes a developer's checkout ready to work in. Safe to run again.

use buedafab_engine::has_program;
use buedafab_model::deployer::developer::{SetupFacts, plan_setup};
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::Cli;
use crate::developer::carry_out;
use crate::exit::CliError;
use crate::packages::packages_of_checkout;
use crate::project::Project;
use crate::report::print_talk;

pub(crate) async fn setup(cli: &Cli) -> Result<ExitCode, CliError> {
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let settings = project.developer_settings(cli, color)?;
    let facts = SetupFacts {
        active_virtualenv: std::env::var("VIRTUAL_ENV").ok().filter(|folder| !folder.is_empty()),
        has_virtualenv: project.root.join(&settings.layout.virtualenv).join("bin/python").exists(),
        has_uv: has_program("uv"),
        has_submodules: project.root.join(".gitmodules").exists(),
        packages: packages_of_checkout(&settings, &project.root).await?,
    };
    let actions = plan_setup(&settings, &facts);
    if actions.is_empty() {
        print_talk(
            "nothing to set up: there are no submodules, and neither `pip_requirements` nor `extra_setup_tasks` are set",
        );
        return Ok(ExitCode::Done);
    }
    let kind = ("DEPLOYMENT_TYPE".to_owned(), settings.developer.local_deployment_type.clone());
    let code = carry_out(&actions, &project.root, &[kind])?;
    print_talk("✓ this checkout is ready");
    Ok(code)
}
