//! `run`: any command on the hosts, its output prefixed by host.

use buedafab_model::host::Host;
use buedafab_model::planner::plan_run;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::quote_words;

use crate::arguments::{Cli, RunArgs};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn run(cli: &Cli, arguments: &RunArgs) -> Result<ExitCode, CliError> {
    let command = match arguments.command.as_slice() {
        [line] => line.clone(),
        words => quote_words(words),
    };
    if command.trim().is_empty() {
        return Err(CliError::usage("an empty command: nothing to run"));
    }
    let session = Session::start(cli, "run -- COMMAND", StepOutput::Data)?;
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let plan = plan_run(&session.settings, &session.context, &command, &hosts);
    session.carry_out(&plan).await
}
