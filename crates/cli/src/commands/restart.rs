//! `restart_webserver`: restarts the app as it is, under the lock.

use buedafab_model::planner::plan_restart;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn restart(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "restart_webserver", StepOutput::Talk)?;
    let look = session.look_or_stop(Scope::Plan).await?;
    let planned = plan_restart(&session.settings, &session.context, &session.seen(&look));
    match planned {
        Ok(plan) => session.carry_out(&plan).await,
        Err(refusals) => Err(session.refuse(&refusals, &look)),
    }
}
