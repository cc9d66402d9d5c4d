//! The plan that reads what an app's services and files say. It takes no lock and changes nothing.

use std::collections::BTreeSet;

use super::context::RunContext;
use super::work::work_on;
use crate::app::logs::{LogQuery, LogSources};
use crate::app::service::Service;
use crate::config::Settings;
use crate::host::Host;
use crate::plan::Plan;
use crate::plan::action::{Action, AppAction};

/// Why there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLogs {
    /// Nothing says where they are.
    #[error("nothing that runs of {unit} is a service of systemd, and `log_files` isn't set")]
    NoSource {
        /// The app.
        unit: String,
    },
    /// There is no such service.
    #[error("{unit} has no service {service:?} on these hosts")]
    NoService {
        /// The app.
        unit: String,
        /// What was typed.
        service: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Its words are nowhere that we could know.
    #[error("{service} is no service of systemd, and has no journal")]
    NoJournal {
        /// The service.
        service: String,
    },
}

impl NoLogs {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        let files = "say where the app writes: log_files = [\"log/*.log\"]";
        match self {
            NoLogs::NoSource { .. } => files.to_owned(),
            NoLogs::NoJournal { .. } => format!("{files}; and leave the service out"),
            NoLogs::NoService { known, .. } if known.is_empty() => "leave it out".to_owned(),
            NoLogs::NoService { known, .. } => format!("there are: {}", known.join(", ")),
        }
    }
}

/// Reads the services of these hosts, and `log_files`; or one service alone, by its name.
pub fn plan_logs(
    settings: &Settings,
    run: &RunContext,
    query: &LogQuery,
    service: Option<&str>,
    hosts: &[&Host],
) -> Result<Plan, NoLogs> {
    let all: Vec<(&Host, LogSources)> = hosts
        .iter()
        .map(|host| sources(settings, host, service).map(|sources| (*host, sources)))
        .collect::<Result<_, NoLogs>>()?;
    let all: Vec<(&Host, LogSources)> =
        all.into_iter().filter(|(_, sources)| *sources != LogSources::default()).collect();
    if all.is_empty() {
        let unit = settings.app.unit.to_string();
        return Err(match service {
            None => NoLogs::NoSource { unit },
            Some(service) => {
                let known: BTreeSet<String> =
                    hosts.iter().flat_map(|host| names_on(settings, host)).collect();
                NoLogs::NoService { unit, service: service.to_owned(), known: known.into_iter().collect() }
            }
        });
    }
    let hosts: Vec<&Host> = all.iter().map(|(host, _)| *host).collect();
    let actions = |host: &Host| {
        let sources =
            all.iter().find(|(known, _)| known.name == host.name).map(|(_, sources)| sources.clone());
        let sources = sources.expect("only these hosts take part");
        vec![Action::from(AppAction::Logs { sources, query: query.clone() })]
    };
    let mut plan = work_on(settings, run, &hosts, actions);
    plan.title = Some("logs".to_owned());
    Ok(plan)
}

fn sources(settings: &Settings, host: &Host, service: Option<&str>) -> Result<LogSources, NoLogs> {
    let Some(name) = service else {
        let units = settings.units_told_on(host);
        return Ok(LogSources { units, files: settings.services.log_files.clone() });
    };
    let named = settings.services.named.iter().filter(|named| settings.runs_on(named, host));
    let found = named
        .filter(|named| named.name == name || own_name(&named.service) == Some(name))
        .map(|named| (&named.service, named.journal()))
        .chain(
            settings
                .own_service()
                .filter(|service| own_name(service) == Some(name))
                .map(|service| (service, service.unit())),
        )
        .next();
    let Some((service, unit)) = found else { return Ok(LogSources::default()) };
    let unit = unit.ok_or_else(|| NoLogs::NoJournal { service: String::from(service.clone()) })?;
    Ok(LogSources { units: vec![unit], files: Vec::new() })
}

/// What can be typed for the services of a host.
pub fn names_on(settings: &Settings, host: &Host) -> Vec<String> {
    let named = settings.services.named.iter().filter(|named| settings.runs_on(named, host));
    let own = settings.own_service().and_then(own_name).map(str::to_owned);
    named.map(|named| named.name.clone()).chain(own).collect()
}

/// What its manager calls it.
fn own_name(service: &Service) -> Option<&str> {
    match service {
        Service::Init(name)
        | Service::Systemd(name)
        | Service::SystemdUser(name)
        | Service::Supervisor(name)
        | Service::Runit(name) => Some(name),
        Service::None => None,
    }
}
