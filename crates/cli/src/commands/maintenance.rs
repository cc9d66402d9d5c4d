//! `maintenance`: tells visitors that the app is being worked on, or no longer.

use std::collections::BTreeSet;

use buedafab_model::app::maintenance::{Announcement, MaintenanceMethod, render_page};
use buedafab_model::config::Settings;
use buedafab_model::host::Host;
use buedafab_model::plan::action::ToldVisitors;
use buedafab_model::planner::plan_maintenance;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::describe_maintenance;
use jiff::Timestamp;
use serde::Serialize;

use crate::arguments::{Cli, MaintenanceArgs, MaintenanceState};
use crate::exit::CliError;
use crate::report::{StepOutput, print_data, print_json, print_talk};
use crate::session::Session;

pub(crate) async fn maintenance(cli: &Cli, arguments: &MaintenanceArgs) -> Result<ExitCode, CliError> {
    let MaintenanceArgs { state, message, until } = arguments;
    match state {
        MaintenanceState::On => {
            let announcement = Announcement { message: message.clone(), until: until.clone() };
            switch(cli, Some(announcement)).await
        }
        _ if message.is_some() || until.is_some() => {
            Err(CliError::usage("--message and --until belong to `maintenance on`"))
        }
        MaintenanceState::Off => switch(cli, None).await,
        MaintenanceState::Status => status(cli).await,
    }
}

/// Tells visitors this, or nothing any more.
pub(crate) async fn switch(cli: &Cli, announcement: Option<Announcement>) -> Result<ExitCode, CliError> {
    let command = if announcement.is_some() { "maintenance on" } else { "maintenance off" };
    let mut session = Session::start(cli, command, StepOutput::Talk)?;
    let told = announcement.map(|announcement| tell(&session, &session.settings, announcement)).transpose();
    let told = told.map_err(|error| session.give_up(error))?;
    let look = session.look_or_stop(Scope::Plan).await?;
    let planned = plan_maintenance(&session.settings, &session.context, told.as_ref(), &session.seen(&look));
    match planned {
        Ok(plan) => {
            // That the page is there is all that is done: who shows it isn't asked.
            let is_page = session.settings.maintenance.method == MaintenanceMethod::File;
            let tells = told.is_some() && is_page && !session.global.json;
            let of_host = |host: &Host| session.settings.layout(host).maintenance_page().to_string();
            let pages: BTreeSet<String> = session.hosts.iter().map(of_host).collect();
            let code = session.carry_out(&plan).await?;
            if code == ExitCode::Done && tells {
                let pages = pages.into_iter().collect::<Vec<_>>().join(" and ");
                print_talk(&format!("visitors see it where your web server shows {pages}"));
            }
            Ok(code)
        }
        Err(refusals) => Err(session.refuse(&refusals, &look)),
    }
}

/// What visitors are told, in the page of the project or the program's own.
pub(crate) fn tell(
    session: &Session,
    settings: &Settings,
    announcement: Announcement,
) -> Result<ToldVisitors, CliError> {
    let own = settings.maintenance.page.as_ref().map(|name| session.root().join(name));
    let template = own.as_ref().map(std::fs::read_to_string).transpose().map_err(|error| {
        let path = own.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        CliError::configuration(format!("can't read {path}: {error}"))
    })?;
    let page = render_page(&settings.app.unit, &settings.environment, template.as_deref(), &announcement)
        .map_err(|error| {
            let name = settings.maintenance.page.as_deref().unwrap_or("the page");
            CliError::configuration(format!("{name}: {error}"))
                .hint("the page may use `message`, `until`, `unit` and `environment`")
        })?;
    let Announcement { message, until } = announcement;
    Ok(ToldVisitors { by: session.context.by.clone(), message, until, page })
}

#[derive(Serialize)]
struct HostMaintenance<'a> {
    host: &'a str,
    on: bool,
    /// Why what is written about it can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(flatten)]
    record: Option<&'a buedafab_model::app::maintenance::MaintenanceRecord>,
}

async fn status(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "maintenance status", StepOutput::Silent)?;
    let look = session.look(Scope::Plan).await?;
    let now = Timestamp::now();
    for host in &session.hosts {
        let Some(facts) = look.facts.get(&host.name) else {
            let why = look.unreachable.get(&host.name).map(|error| error.why.as_str()).unwrap_or_default();
            print_talk(&format!("{}: unreachable: {why}", host.name));
            continue;
        };
        let record = facts.maintenance.as_ref();
        let bad = facts.bad_record(&session.settings.layout(host).maintenance());
        let problem = bad.map(|bad| bad.in_words(&facts.user));
        if session.global.json {
            let on = record.is_some() || problem.is_some();
            print_json(&HostMaintenance { host: host.name.as_str(), on, problem, record });
            continue;
        }
        let told = match (record, problem) {
            (Some(record), _) => describe_maintenance(record, now),
            (None, Some(problem)) => format!("in maintenance, and since when isn't known: {problem}"),
            (None, None) => "open to visitors".to_owned(),
        };
        print_data(&format!("{}: {told}", host.name));
    }
    Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable })
}
