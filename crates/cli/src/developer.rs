//! Commands on a developer's own checkout: they have the terminal to themselves, colours, questions and all.

use buedafab_model::run::exit_code::ExitCode;
use std::path::Path;

use buedafab_engine::run_in_terminal;
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::run::outcome::Verdict;
use buedafab_model::shell::render_deployer;

use crate::exit::CliError;
use crate::report::{leave_outputs, print_talk};

/// Carries out the actions, one after the other, up to the first that fails.
pub(crate) fn carry_out(
    actions: &[DeployerAction],
    folder: &Path,
    variables: &[(String, String)],
) -> Result<ExitCode, CliError> {
    for action in actions {
        print_talk(&format!("→ {action}"));
        run(&action.to_string(), &render_deployer(action), folder, variables)?;
    }
    Ok(ExitCode::Done)
}

/// Runs one command; its failure is the program's.
pub(crate) fn run(
    title: &str,
    script: &str,
    folder: &Path,
    variables: &[(String, String)],
) -> Result<(), CliError> {
    let failed = |why: String| CliError::verdict(Verdict::FailedBefore, format!("{title}: {why}"));
    leave_outputs();
    let status = run_in_terminal(script, folder, variables).map_err(|error| failed(error.to_string()))?;
    match status {
        0 => Ok(()),
        130 => Err(CliError::verdict(Verdict::Interrupted, format!("{title}: interrupted"))),
        127 => Err(failed("exit status 127: a program wasn't found".to_owned())
            .hint("install it, say by `pip_requirements_dev` and buedafab setup")),
        status => Err(failed(format!("exit status {status}"))),
    }
}
