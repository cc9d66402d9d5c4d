//! `retire`: takes a host out of service that isn't in the configuration any more, and has the others forget it.

use buedafab_model::host::fleet::FleetHost;
use buedafab_model::names::HostName;
use buedafab_model::plan::Note;
use buedafab_model::planner::{SeenHost, gone_host, plan_forget, plan_retire, settings_without_services};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::{Cli, RetireArgs};
use crate::exit::CliError;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn retire(cli: &Cli, arguments: &RetireArgs) -> Result<ExitCode, CliError> {
    let RetireArgs { host: typed, forget, dry_run } = arguments;
    let mut session = Session::start(cli, "retire", StepOutput::Talk)?;
    // A machine has a host of each app.
    let typed = match session.only_app() {
        Some(app) if !typed.ends_with(&format!("/{app}")) => format!("{typed}/{app}"),
        _ => typed.clone(),
    };
    let name = HostName::new(typed).map_err(|error| session.give_up(CliError::usage(error.to_string())))?;
    let environment = session.settings.environment.clone();
    if session.settings.hosts.iter().any(|host| host.name == name) {
        let error = CliError::usage(format!("{name} is one of the hosts of {environment}"))
            .hint("take it out of buedafab.toml first: then nothing is deployed to it any more");
        return Err(session.give_up(error));
    }
    // A host that can't be reached may know of it, and must not keep it from being retired.
    let mut look = session.look(Scope::Removal).await?;
    if look.facts.is_empty() {
        look = session.stop_unless_reached(look)?;
    }
    let unasked: Vec<HostName> = session.unreachable(&look).map(|(host, _)| host.clone()).collect();
    session.hosts.retain(|host| look.facts.contains_key(&host.name));
    let settings = session.settings.clone();
    let known = gone_host(&settings, &name, &session.seen(&look));
    let remaining = session.hosts.clone();
    // A host that nobody knows is reached by its name.
    let host = known.or_else(|| {
        let path = settings.hosts.first()?.path.clone();
        let unknown = FleetHost {
            name: name.clone(),
            address: None,
            user: settings.users.deploy_user.clone(),
            port: None,
            path,
        };
        Some(unknown.like(settings.hosts.first()))
    });
    if let Some(host) = host.filter(|_| !forget) {
        // Nothing is wanted there: it is asked only what is this app's.
        session.hosts = vec![host];
        session.settings = settings_without_services(&settings);
        let of_it = match session.look_or_stop(Scope::Removal).await {
            Ok(of_it) => of_it,
            Err(error) => {
                return Err(error.hint(format!(
                    "where there is no such host any more: {} retire {name} --forget",
                    session.environment_command()
                )));
            }
        };
        look.facts.extend(of_it.facts);
        session.hosts = remaining.iter().chain(&session.hosts).cloned().collect();
    }
    let url = session.code_url().await;
    let seen = session.seen(&look);
    let (of_it, rest): (Vec<SeenHost<'_>>, Vec<SeenHost<'_>>) =
        seen.into_iter().partition(|seen| seen.host.name == name);
    let retire = |seen: &SeenHost<'_>| plan_retire(&settings, &session.context, *seen, &rest, url.as_deref());
    let plan = of_it.first().map(retire).transpose();
    let others = plan_forget(&settings, &session.context, &name, &rest);
    let (mut plan, mut others) = match (plan, others) {
        (Ok(plan), Ok(others)) => (plan, others),
        (Err(refusals), _) | (_, Err(refusals)) => return Err(session.refuse(&refusals, &look)),
    };
    // Where nothing of it is left, that is said, and the others forget it.
    let nothing_there = plan.take_if(|plan| plan.is_empty()).map(|plan| plan.notes).unwrap_or_default();
    if plan.is_none() && others.is_empty() {
        look = session.stop_unless_reached(look)?;
        for Note { text, .. } in &nothing_there {
            session.say(&format!("{name}: {text}"));
        }
        session.say(&format!("nothing to do: no host of {environment} knows {name}"));
        session.end_early(Verdict::Done, ExitCode::Done, &look);
        return Ok(ExitCode::Done);
    }
    let unsure = if plan.is_some() { format!(", or be the same machine as {name}") } else { String::new() };
    let shown = plan.as_mut().unwrap_or(&mut others);
    shown.notes.splice(0..0, nothing_there);
    shown.notes.extend(unasked.into_iter().map(|host| {
        let text =
            format!("can't be reached: it may go on telling of {name}, until it is retired again{unsure}");
        Note { host: Some(host), text }
    }));
    for plan in plan.iter().chain([&others]) {
        if !dry_run {
            session.require_answers(plan)?;
        }
        if !plan.is_empty() {
            session.show(plan, *dry_run);
        }
    }
    if *dry_run {
        return Ok(ExitCode::Done);
    }
    if let Some(plan) = &plan {
        session.confirm_removals(plan).await?;
    }
    session.confirm(&format!("Retire {name}, in {environment}?")).await?;
    let Some(plan) = plan else { return session.carry_out(&others).await };
    if others.is_empty() {
        return session.carry_out(&plan).await;
    }
    // What goes on there must not be forgotten.
    let verdict = session.carry_out_first(&plan).await?;
    if verdict != Verdict::Done {
        return Ok(verdict.exit_code());
    }
    session.begin_again();
    let rest: Vec<SeenHost<'_>> =
        session.seen(&look).into_iter().filter(|seen| seen.host.name != name).collect();
    match plan_forget(&settings, &session.context, &name, &rest) {
        Ok(others) => session.carry_out(&others).await,
        Err(refusals) => Err(session.refuse(&refusals, &look)),
    }
}
