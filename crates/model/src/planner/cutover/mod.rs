//! What a switch consists of for the services of an app: how each comes to run another release, and how it goes back.

mod restart;
mod socket;

use super::context::{Direction, HostPlanning};
use super::services::{files_of, released_file};
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ReleasedServiceFile};
use crate::host::facts::CurrentLink;
use crate::plan::Target;
use crate::plan::action::{Action, Answerer, AppAction, ServiceAction, Surroundings, ToldVisitors};

impl HostPlanning<'_> {
    /// How the app and its services are made to run the release in `target`, to which the link has just been moved; nothing for an app
    /// that needs no restart.
    pub(super) fn follow_link(&self, target: &Target, direction: Direction) -> Vec<Action> {
        self.restart_in(self.surroundings_of(target), &files_of(target), Which::All, None, direction)
    }

    /// How they are made to run it again, to which the link has led before.
    pub(super) fn restart(&self, target: &Target, direction: Direction) -> Vec<Action> {
        let slot = Some(&target.slot);
        self.restart_in(self.surroundings_of(target), &files_of(target), Which::All, slot, direction)
    }

    /// How they are made to run again what the link led to when the host was looked at, whoever put it there; nothing if it led
    /// nowhere.
    pub(super) fn restart_as_it_was(&self, direction: Direction) -> Vec<Action> {
        match self.live_target() {
            Some(live) => self.restart(&live, direction),
            None => self.restart_unknown(direction),
        }
    }

    /// How they come back to it, once the link leads there again.
    pub(super) fn go_back(&self, direction: Direction) -> Vec<Action> {
        match self.live_target() {
            Some(live) => {
                let started = self.start_instances(&live).into_iter();
                started.chain(self.follow_link(&live, direction)).collect()
            }
            None => self.restart_unknown(direction),
        }
    }

    fn restart_unknown(&self, direction: Direction) -> Vec<Action> {
        let which = match &self.facts.current {
            CurrentLink::Slot(_) | CurrentLink::Elsewhere(_) => Which::All,
            // Where nothing served, nothing of what a first release has started may go on.
            CurrentLink::Missing | CurrentLink::Dangling(_) | CurrentLink::NotALink => Which::WithFilesOfOurs,
        };
        self.restart_in(self.live_surroundings(), &FilesOf::Before, which, None, direction)
    }

    /// That they stay up: an app that dies of its first import has been started well, as far as a service manager can say.
    pub(super) fn verify_running(&self, target: &Target) -> Option<Action> {
        let services = self.services_that_stay(target);
        let seconds = self.settings.services.settle_seconds;
        (seconds > 0 && !services.is_empty())
            .then(|| ServiceAction::VerifyRunning { services, seconds }.into())
    }

    /// What of a release can be asked whether it stays up.
    pub(super) fn services_that_stay(&self, target: &Target) -> Vec<(Service, Option<ReleasedServiceFile>)> {
        let of = files_of(target);
        let runs = |named: &&NamedService| self.settings.runs_on(named, self.host);
        let named = self.settings.services.named.iter().filter(runs);
        let named = named.map(|named| {
            let runs = named.instance(&target.slot).unwrap_or_else(|| named.service.clone());
            let file = released_file(named, &runs, &of);
            (runs, file)
        });
        let own = self.settings.own_service().map(|own| (own.clone(), None));
        // Whether an init script knows `status` is known of those that are ours.
        let can_be_asked = |(service, file): &(Service, Option<ReleasedServiceFile>)| {
            service.unit().is_some() || file.is_some()
        };
        named.chain(own).filter(can_be_asked).collect()
    }

    /// That what the release in a slot runs as is well, as far as it can be asked.
    pub(super) fn ask_health(
        &self,
        around: Surroundings,
        target: &Target,
        told: Option<&ToldVisitors>,
    ) -> Option<Action> {
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
                services: settings.units_on(host, &target.slot),
                in_maintenance: told.is_some(),
                around,
            }
            .into(),
        )
    }
}

/// Which services are restarted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those whose unit files or init scripts are ours to put back.
    WithFilesOfOurs,
}
