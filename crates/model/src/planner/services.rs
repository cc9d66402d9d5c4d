//! The app's services: their files, and the order in which they come to run another release.

use std::collections::BTreeMap;

use super::context::{Direction, HostPlanning};
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile, service_file_place};
use crate::config::Settings;
use crate::host::facts::CurrentLink;
use crate::plan::Target;
use crate::plan::action::{Action, Answerer, AppAction, ServiceAction, Surroundings, ToldVisitors};
use crate::plan::refusal::Refusal;
use crate::shell::service_file::{ServedBy, render_service_file};

/// Services that no host has: a role that was mistyped, most likely.
pub(super) fn homeless_services(settings: &Settings) -> Vec<String> {
    let nowhere = settings
        .services
        .named
        .iter()
        .filter(|named| !settings.hosts.iter().any(|host| named.is_on(&host.roles)));
    nowhere
        .map(|named| {
            let roles: Vec<&str> = named.roles.iter().map(|role| role.as_str()).collect();
            format!("[services.{}] runs on no host: no host has the role {}", named.name, roles.join(" or "))
        })
        .collect()
}

impl HostPlanning<'_> {
    /// The unit files and init scripts of a release, or all that is wrong with their templates.
    pub(super) fn service_files(
        &self,
        target: &Target,
        templates: &BTreeMap<String, String>,
    ) -> Result<Vec<ServiceFile>, Vec<Refusal>> {
        let HostPlanning { settings, host, facts, .. } = self;
        let served = ServedBy { settings, host, facts, target };
        let mut files = Vec::new();
        let mut refusals = Vec::new();
        // Also of what runs on another host now: a way back may bring it here.
        for service in settings.services.named.iter().filter(|service| service.is_on(&host.roles)) {
            match render_service_file(service, &served, |file| {
                templates.get(&settings.app.file(file)).cloned()
            }) {
                Ok(file) => files.extend(file.map(|file| file.owned_by(&self.owner))),
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

    /// Whose unit files stand here now, if they aren't of any release.
    pub(super) fn files_there(&self) -> FilesOf {
        self.live_target().map_or(FilesOf::Before, |live| files_of(&live))
    }

    /// How the app and its services are made to run the release in `target`; nothing for an app that needs no restart.
    pub(super) fn restart(&self, target: &Target, direction: Direction) -> Vec<Action> {
        self.restart_in(self.surroundings_of(target), &files_of(target), Which::All, direction)
    }

    /// How they are made to run what the link led to when the host was looked at, whoever put it there; nothing if it led
    /// nowhere.
    pub(super) fn restart_as_it_was(&self, direction: Direction) -> Vec<Action> {
        if let Some(live) = self.live_target() {
            return self.restart(&live, direction);
        }
        let which = match &self.facts.current {
            CurrentLink::Slot(_) | CurrentLink::Elsewhere(_) => Which::All,
            // Where nothing served, nothing of what a first release has started may go on.
            CurrentLink::Missing | CurrentLink::Dangling(_) | CurrentLink::NotALink => Which::WithFilesOfOurs,
        };
        self.restart_in(self.live_surroundings(), &FilesOf::Before, which, direction)
    }

    /// That they stay up: an app that dies of its first import has been started well, as far as a service manager can say.
    pub(super) fn verify_running(&self, target: &Target) -> Option<Action> {
        let of = files_of(target);
        let runs = |named: &&NamedService| self.settings.runs_on(named, self.host);
        let named = self.settings.services.named.iter().filter(runs);
        let named = named.map(|named| (named.service.clone(), released_file(named, &of)));
        let own = self.settings.own_service().map(|own| (own.clone(), None));
        // Whether an init script knows `status` is known of those that are ours.
        let can_be_asked = |(service, file): &(Service, Option<ReleasedServiceFile>)| {
            service.unit().is_some() || file.is_some()
        };
        let services: Vec<_> = named.chain(own).filter(can_be_asked).collect();
        let seconds = self.settings.services.settle_seconds;
        (seconds > 0 && !services.is_empty())
            .then(|| ServiceAction::VerifyRunning { services, seconds }.into())
    }

    /// That what a release runs as is well, as far as it can be asked.
    pub(super) fn ask_health(&self, around: Surroundings, told: Option<&ToldVisitors>) -> Option<Action> {
        let HostPlanning { settings, host, .. } = self;
        let health = settings.health.health.as_ref().filter(|health| health.is_on(&host.roles))?;
        // A reload keeps processes, and a hook may do anything.
        let services = settings.services_on(host);
        let is_restarted = |service: &&Service| {
            !settings.services.named.iter().any(|named| named.service == **service && named.reload)
        };
        let all_anew = !services.is_empty()
            && settings.hooks.on_hosts.restart.is_empty()
            && services.iter().all(is_restarted);
        Some(
            AppAction::AskHealth {
                by: if all_anew { Answerer::ThisRelease } else { Answerer::Anybody },
                health: Box::new(health.of_app(|path| settings.app.file(path))),
                services: services.into_iter().cloned().collect(),
                in_maintenance: told.is_some(),
                around,
            }
            .into(),
        )
    }

    fn restart_in(
        &self,
        around: Surroundings,
        of: &FilesOf,
        which: Which,
        direction: Direction,
    ) -> Vec<Action> {
        let HostPlanning { settings, host, .. } = self;
        // Restarting is the business of the user who logs in, and of root.
        let around = Surroundings { run_as: None, ..around };
        let restart = |service: &Service, file, reload, commands| ServiceAction::Restart {
            service: service.clone(),
            file,
            reload,
            commands,
            around: around.clone(),
        };
        let mut actions: Vec<ServiceAction> = Vec::new();
        for named in settings.services.named.iter().filter(|service| service.is_on(&host.roles)) {
            let file = released_file(named, of);
            if !settings.runs_on(named, host) {
                actions.push(ServiceAction::Stop { service: named.service.clone() });
            } else if which == Which::All || file.is_some() {
                actions.push(restart(&named.service, file, named.reload, Vec::new()));
            }
        }
        // A hook is meant instead of the app's own service, and that comes last, unless a table gives it another place.
        let by_hook = (!settings.hooks.on_hosts.restart.is_empty()).then_some(&settings.services.app);
        if let Some(service) = by_hook.or(settings.own_service()).filter(|_| which == Which::All) {
            actions.push(restart(service, None, false, settings.hooks.on_hosts.restart.clone()));
        }
        if direction == Direction::Back {
            actions.reverse();
        }
        actions.into_iter().map(Action::from).collect()
    }
}

/// Which services are restarted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those whose unit files or init scripts are ours to put back.
    WithFilesOfOurs,
}

fn files_of(target: &Target) -> FilesOf {
    FilesOf::Release { commit: target.release.commit.clone(), slot: target.slot.clone() }
}

fn released_file(service: &NamedService, of: &FilesOf) -> Option<ReleasedServiceFile> {
    service.definition.as_ref()?;
    let (path, kind) = service_file_place(&service.service)?;
    Some(ReleasedServiceFile { of: of.clone(), path, kind })
}
