//! `rollback`: makes the release before the live one live again.

use buedafab_model::plan::action::Schema;
use buedafab_model::planner::plan_rollback;
use buedafab_model::run::exit_code::ExitCode;

use crate::arguments::{Cli, RollbackArgs};
use crate::exit::CliError;
use crate::session::Session;

pub(crate) async fn rollback(cli: &Cli, arguments: &RollbackArgs) -> Result<ExitCode, CliError> {
    let RollbackArgs { keep_schema, reverse_migrations, dry_run } = arguments;
    let schema = match (keep_schema, reverse_migrations) {
        (true, _) => Schema::Keep,
        (false, true) => Schema::Reverse,
        (false, false) => Schema::Refuse,
    };
    let mut session = Session::start(cli, "rollback", crate::report::StepOutput::Talk)?;
    let look = session.look_and_recover(*dry_run).await?;
    // Only a release that was overwritten needs the remote, and then nearly never: a missing checkout is no reason
    // to refuse a rollback.
    let url = match (&session.settings.source.scm, session.repository()) {
        (Some(url), _) => url.clone(),
        (None, Ok(repository)) => {
            repository.remote_url(&session.settings.source.master_remote).await.unwrap_or_default()
        }
        (None, Err(_)) => String::new(),
    };
    let planned = plan_rollback(&session.settings, &session.context, &url, schema, &session.seen(&look));
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    session.show(&plan, *dry_run);
    if *dry_run {
        return Ok(ExitCode::Done);
    }
    session.confirm(format!("Roll {} back on {} hosts?", plan.environment, plan.hosts.len())).await?;
    session.carry_out(&plan).await
}
