//! `drain` and `undrain`: takes hosts out of traffic by hand, and puts them back.

use buedafab_model::plan::Plan;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{plan_drain, plan_forget_drain, plan_undrain};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::{Cli, HostsArgs, UndrainArgs};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn drain(cli: &Cli, arguments: &HostsArgs) -> Result<ExitCode, CliError> {
    let wanted = named(cli, arguments, "drain")?;
    // How many others stay in traffic decides.
    let mut everywhere = cli.clone();
    everywhere.global.hosts.clear();
    everywhere.global.roles.clear();
    let mut session = Session::start(&everywhere, "drain HOST", StepOutput::Talk)?;
    let wanted = session.names_of(&wanted)?;
    let others = session.hosts.iter().map(|host| host.name.clone()).filter(|name| !wanted.contains(name));
    session.only_asked = others.collect();
    let look = session.look(Scope::Plan).await?;
    let mut look = session.stop_unless_reached(look)?;
    session.ask_load_balancers(&mut look).await?;
    let plan = plan_drain(&session.settings, &session.context, &wanted, &session.seen(&look));
    carry_out(session, plan, look).await
}

pub(crate) async fn undrain(cli: &Cli, arguments: &UndrainArgs) -> Result<ExitCode, CliError> {
    let UndrainArgs { hosts, forget } = arguments;
    let wanted = named(cli, hosts, "undrain")?;
    let mut session = Session::start(&wanted, "undrain HOST", StepOutput::Talk)?;
    let mut look = session.look_or_stop(Scope::Plan).await?;
    if *forget {
        let plan = plan_forget_drain(&session.settings, &session.context, &session.seen(&look));
        return carry_out(session, Ok(plan), look).await;
    }
    session.ask_load_balancers(&mut look).await?;
    let plan = plan_undrain(&session.settings, &session.context, &session.seen(&look));
    carry_out(session, plan, look).await
}

/// The same command line with the hosts that were named as those that it is about.
fn named(cli: &Cli, arguments: &HostsArgs, command: &str) -> Result<Cli, CliError> {
    let mut cli = cli.clone();
    cli.global.hosts.extend(arguments.host.iter().cloned());
    if cli.global.hosts.is_empty() && cli.global.roles.is_empty() {
        let environment = cli.environment.as_deref().unwrap_or("production");
        return Err(CliError::usage(format!("{command} which host?"))
            .hint(format!("name it: buedafab {environment} {command} web1; `status` shows them")));
    }
    Ok(cli)
}

async fn carry_out(
    mut session: Session,
    plan: Result<Plan, Vec<Refusal>>,
    look: buedafab_engine::Look,
) -> Result<ExitCode, CliError> {
    match plan {
        Ok(plan) if plan.is_empty() => {
            session.say_notes(&plan);
            session.end_early(Verdict::Done, ExitCode::Done, &look);
            Ok(ExitCode::Done)
        }
        Ok(plan) => {
            session.say_notes(&plan);
            session.carry_out(&plan).await
        }
        Err(refusals) => Err(session.refuse(&refusals, &look)),
    }
}
