//! `status`: what runs where, since when, by whom. Asked of the hosts alone: there is no other state.

use buedafab_model::planner::{SeenHost, diagnose_host};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::strategy;
use buedafab_model::view::{HostStatus, show_status};
use jiff::Timestamp;

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::report::{StepOutput, columns, print_json, print_view};
use crate::session::Session;

pub(crate) async fn status(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut session = Session::start(cli, "status", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let url = session.code_url().await;
    let now = Timestamp::now();
    let status = |host: &buedafab_model::host::Host| match look.facts.get(&host.name) {
        Some(facts) => {
            let settings = &session.settings;
            let diagnoses = diagnose_host(settings, SeenHost { host, facts }, url.as_deref());
            let targets = strategy::of(settings).rollback_targets(settings, facts);
            HostStatus::of(host.name.clone(), facts, &diagnoses, targets, now)
        }
        None => {
            let why = look.unreachable.get(&host.name).map(|error| error.why.clone()).unwrap_or_default();
            HostStatus::unreachable(host.name.clone(), why)
        }
    };
    let statuses: Vec<HostStatus> = session.hosts.iter().map(status).collect();
    if session.global.json {
        statuses.iter().for_each(print_json);
    } else {
        print_view(&show_status(&statuses, now, columns()));
    }
    Ok(if look.unreachable.is_empty() { ExitCode::Done } else { ExitCode::Unreachable })
}
