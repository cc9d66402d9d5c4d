//! The app's services: their files, and the order in which they come to run another release.

use std::collections::BTreeMap;

use super::variables::{common_variables, variables};
use super::{RunContext, SeenHost, surroundings};
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile, service_file_place};
use crate::config::Settings;
use crate::host::Host;
use crate::host::facts::CurrentLink;
use crate::names::HostPath;
use crate::plan::Target;
use crate::plan::action::{Action, Surroundings};
use crate::plan::refusal::Refusal;
use crate::shell::service_file::{ServedBy, render_service_file};

/// The unit files and init scripts of a release on a host, or all that is wrong with their templates.
pub(super) fn service_files(
    settings: &Settings,
    seen: SeenHost<'_>,
    target: &Target,
    templates: &BTreeMap<String, String>,
) -> Result<Vec<ServiceFile>, Vec<Refusal>> {
    let SeenHost { host, facts } = seen;
    let served = ServedBy { settings, host, facts, target };
    let mut files = Vec::new();
    let mut refusals = Vec::new();
    // Also of what runs on another host now: a way back may bring it here.
    for service in settings.services.iter().filter(|service| service.is_on(&host.roles)) {
        match render_service_file(service, &served, |file| templates.get(file).cloned()) {
            Ok(file) => files.extend(file),
            Err(error) => refusals.push(Refusal::BadTemplate {
                hosts: vec![host.name.clone()],
                service: service.name.clone(),
                file: service.template().unwrap_or("the program's own template").to_owned(),
                why: error.why,
            }),
        }
    }
    if refusals.is_empty() { Ok(files) } else { Err(refusals) }
}

/// Services that no host has: a role that was mistyped, most likely.
pub(super) fn homeless_services(settings: &Settings) -> Vec<String> {
    let nowhere =
        settings.services.iter().filter(|named| !settings.hosts.iter().any(|host| named.is_on(&host.roles)));
    nowhere
        .map(|named| {
            let roles: Vec<&str> = named.roles.iter().map(|role| role.as_str()).collect();
            format!("[services.{}] is on no host: none has the role {}", named.name, roles.join(" or "))
        })
        .collect()
}

/// Services that were installed on a host once, and aren't in the configuration any more: they are a person's to remove.
pub(super) fn told_services(settings: &Settings, seen: &SeenHost<'_>) -> Vec<String> {
    let SeenHost { host, facts } = seen;
    let here = settings.services.iter().filter(|service| service.is_on(&host.roles));
    let known: Vec<HostPath> =
        here.filter_map(|service| Some(service_file_place(&service.service)?.0)).collect();
    let gone = facts.installed.iter().filter(|path| !known.iter().any(|known| known.as_str() == *path));
    gone.map(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let remove = match path.starts_with("/etc/init.d/") {
            true => format!("{path} stop; update-rc.d -f {name} remove; rm {path}"),
            false => format!("systemctl disable --now {name}; rm {path}"),
        };
        let list = settings.layout(host).installed_services();
        format!(
            "{path} is no service of this host any more, and is left as it is; as root: {remove}; and take its line out of {list}"
        )
    })
    .collect()
}

/// Which way a host goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To a new release: workers know it before the app hands them anything.
    Forward,
    /// To an older one: the app no longer hands workers what they wouldn't know.
    Back,
}

impl Direction {
    pub(super) fn opposite(self) -> Self {
        match self {
            Direction::Forward => Direction::Back,
            Direction::Back => Direction::Forward,
        }
    }
}

/// How the app and its services are made to run the release in `target`; nothing for an app that needs no restart.
pub(super) fn restart(
    settings: &Settings,
    context: &RunContext,
    seen: SeenHost<'_>,
    target: &Target,
    direction: Direction,
) -> Vec<Action> {
    let directory = settings.layout(seen.host).slot(&target.slot);
    let variables = variables(settings, context, seen, target);
    let of = FilesOf::Release { commit: target.release.commit.clone(), slot: target.slot.clone() };
    restart_in(settings, seen, &directory, variables, &of, direction)
}

/// Whose unit files stand on a host now, as far as they aren't of any release.
pub(super) fn files_there(seen: SeenHost<'_>) -> FilesOf {
    match (seen.facts.live_slot(), seen.facts.live()) {
        (Some(slot), Some(live)) => FilesOf::Release { commit: live.commit, slot: slot.clone() },
        _ => FilesOf::Before,
    }
}

/// How they are made to run what the link led to when the host was looked at, whoever put it there; nothing if it led
/// nowhere.
pub(super) fn restart_as_it_was(
    settings: &Settings,
    context: &RunContext,
    seen: SeenHost<'_>,
    direction: Direction,
) -> Vec<Action> {
    let facts = seen.facts;
    if let (Some(slot), Some(release)) = (facts.live_slot(), facts.live()) {
        return restart(settings, context, seen, &Target { slot: slot.clone(), release }, direction);
    }
    match &facts.current {
        CurrentLink::Slot(_) | CurrentLink::Elsewhere(_) => {
            let current = settings.layout(seen.host).current();
            let variables = common_variables(settings, context, seen, facts.live_slot(), None, &current);
            restart_in(settings, seen, &current, variables, &FilesOf::Before, direction)
        }
        // Where nothing served, nothing of what a first release has started may go on.
        CurrentLink::Missing | CurrentLink::Dangling(_) | CurrentLink::NotALink => {
            let current = settings.layout(seen.host).current();
            let variables = common_variables(settings, context, seen, None, None, &current);
            let mut actions = restart_in(settings, seen, &current, variables, &FilesOf::Before, direction);
            actions.retain(|action| !matches!(action, Action::Restart { file: None, .. }));
            actions
        }
    }
}

/// The services that run on a host by files of ours.
fn described_on<'s>(settings: &'s Settings, host: &'s Host) -> impl Iterator<Item = &'s NamedService> + 's {
    let runs = move |named: &&NamedService| named.definition.is_some() && settings.runs_on(named, host);
    settings.services.iter().filter(runs)
}

/// That they stay up: an app that dies of its first import has been started well, as far as a service manager can say.
pub(super) fn verify_running(settings: &Settings, host: &Host, target: &Target) -> Option<Action> {
    let of = FilesOf::Release { commit: target.release.commit.clone(), slot: target.slot.clone() };
    let with_file = |named: &NamedService| Some((named.service.clone(), released_file(named, &of)?));
    let services: Vec<(Service, ReleasedServiceFile)> =
        described_on(settings, host).filter_map(with_file).collect();
    let seconds = settings.settle_seconds;
    (seconds > 0 && !services.is_empty()).then_some(Action::VerifyRunning { services, seconds })
}

fn restart_in(
    settings: &Settings,
    seen: SeenHost<'_>,
    directory: &HostPath,
    variables: BTreeMap<String, String>,
    of: &FilesOf,
    direction: Direction,
) -> Vec<Action> {
    // Restarting is the business of the user who logs in, and of root.
    let around = Surroundings { run_as: None, ..surroundings(settings, directory, variables) };
    let named = |named: &NamedService| match settings.runs_on(named, seen.host) {
        false => Action::Stop { service: named.service.clone() },
        true => Action::Restart {
            service: named.service.clone(),
            file: released_file(named, of),
            reload: named.reload,
            commands: Vec::new(),
            around: around.clone(),
        },
    };
    let mut actions: Vec<Action> =
        settings.services.iter().filter(|service| service.is_on(&seen.host.roles)).map(named).collect();
    // A hook is meant instead of the app's own service, and that comes last, unless a table gives it another place.
    let by_hook = (!settings.hooks.restart.is_empty()).then_some(&settings.service);
    if let Some(service) = by_hook.or(settings.own_service()) {
        actions.push(Action::Restart {
            service: service.clone(),
            file: None,
            reload: false,
            commands: settings.hooks.restart.clone(),
            around,
        });
    }
    if direction == Direction::Back {
        actions.reverse();
    }
    actions
}

fn released_file(service: &NamedService, of: &FilesOf) -> Option<ReleasedServiceFile> {
    service.definition.as_ref()?;
    let (path, kind) = service_file_place(&service.service)?;
    Some(ReleasedServiceFile { of: of.clone(), path, kind })
}
