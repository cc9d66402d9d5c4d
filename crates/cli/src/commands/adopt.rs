//! `adopt`: writes the records of a tree of releases that another tool made, or a person.

use buedafab_model::planner::{plan_adopt, plan_unadopt};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use buedafab_model::view::count_hosts;

use crate::arguments::{AdoptArgs, Cli};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn adopt(cli: &Cli, arguments: &AdoptArgs) -> Result<ExitCode, CliError> {
    let AdoptArgs { undo, dry_run } = arguments;
    let mut session = Session::start(cli, "adopt", StepOutput::Talk)?;
    let url = session.code_url().await;
    let look = session.look_and_recover(Scope::Tree, *dry_run).await?;
    let seen = session.seen(&look);
    let planned = if *undo {
        plan_unadopt(&session.settings, &session.context, &seen)
    } else {
        plan_adopt(&session.settings, &session.context, url.as_deref(), &seen)
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    if plan.is_empty() {
        return Ok(session.nothing_to_do(&plan, &look));
    }
    session.show(&plan, *dry_run);
    if *dry_run {
        return Ok(ExitCode::Done);
    }
    let hosts = count_hosts(plan.hosts.iter().map(|planned| &planned.host));
    let question = if *undo {
        format!("Forget what was adopted on {hosts}?")
    } else {
        format!("Write that down on {hosts}?")
    };
    session.confirm(&question).await?;
    session.carry_out(&plan).await
}
