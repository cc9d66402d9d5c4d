//! `hold` and `unhold`: a person's "do not deploy".

use buedafab_model::host::Host;
use buedafab_model::planner::{plan_hold, plan_unhold};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn hold(cli: &Cli, reason: &str) -> Result<ExitCode, CliError> {
    if reason.trim().is_empty() {
        return Err(CliError::usage("a hold needs a reason: others will want to know"));
    }
    let mut session = Session::start(cli, "hold --reason …", StepOutput::Talk)?;
    // A host that can't be reached now is told to be so at the end: the others are on hold by then.
    let look = session.look(Scope::Plan).await?;
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let plan = plan_hold(&session.settings, &session.context, reason, &hosts, &session.seen(&look));
    session.say_notes(&plan);
    session.carry_out(&plan).await
}

pub(crate) async fn unhold(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "unhold", StepOutput::Talk)?;
    let look = session.look(Scope::Plan).await?;
    let hosts: Vec<&Host> = session.hosts.iter().collect();
    let plan = plan_unhold(&session.settings, &session.context, &hosts, &session.seen(&look));
    session.say_notes(&plan);
    session.carry_out(&plan).await
}
