//! `recover`: puts back switches that were never confirmed, and nothing else.

use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn recover(cli: &Cli, dry_run: bool) -> Result<ExitCode, CliError> {
    let mut session = Session::start_together(cli, "recover", StepOutput::Talk)?;
    let look = session.look_or_stop(Scope::Plan).await?;
    let planned = session.plan_recover(&look);
    match planned {
        Ok(Some(plan)) => {
            session.show(&plan, dry_run);
            if dry_run { Ok(ExitCode::Done) } else { session.carry_out(&plan).await }
        }
        Ok(None) => {
            session.say("nothing to recover: no switch is pending on any host");
            session.end_early(Verdict::Done, ExitCode::Done, &look);
            Ok(ExitCode::Done)
        }
        Err(refusals) => Err(session.refuse(&refusals, &look)),
    }
}
