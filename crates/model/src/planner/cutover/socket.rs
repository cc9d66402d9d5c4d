//! What runs side by side, in each slot its own: the new one runs and is well before the link moves, which hands over to it; the old one
//! is stopped when nothing can go back any more.

use super::{Direction, HostPlanning, files_of, released_file};
use crate::app::health::{Health, HealthQuestion, HttpPlace, HttpQuestion};
use crate::app::service::{Cutover, NamedService, Service};
use crate::app::service_file::FilesOf;
use crate::config::Settings;
use crate::names::SlotName;
use crate::plan::action::{Action, Answerer, AppAction, ServiceAction, ToldVisitors};
use crate::plan::{Note, Target};

/// How long a process may take until it listens, where no health question says it, in seconds.
const USUAL_GRACE: u32 = 30;

impl HostPlanning<'_> {
    /// The links by which web servers find where a release listens.
    pub(in crate::planner) fn link_sockets(&self, target: &Target) -> Vec<Action> {
        let here = self.settings.services.named.iter().filter(|named| named.is_on(&self.host.roles));
        let link = |named: &NamedService| {
            let path = self.settings.app.file(&named.listening.as_ref()?.socket);
            let socket = named.socket_of(&target.slot)?;
            Some(ServiceAction::LinkSocket { slot: target.slot.clone(), path, socket }.into())
        };
        here.filter_map(link).collect()
    }

    /// Starts what runs a release beside what serves, and asks whether it is well, at its own socket.
    pub(in crate::planner) fn start_beside(
        &self,
        target: &Target,
        told: Option<&ToldVisitors>,
    ) -> Vec<Action> {
        let mut actions = self.start_instances(target);
        actions.extend(self.ask_instance(target, told));
        actions
    }

    /// Starts what runs a release, where it doesn't run.
    pub(super) fn start_instances(&self, target: &Target) -> Vec<Action> {
        let of = files_of(target);
        let start = |named| self.start_instance(named, &target.slot, &of, false);
        self.side_by_side(self.settings).filter_map(start).map(Action::from).collect()
    }

    /// Starts what a slot has of its own of a service, with the file of a release.
    pub(super) fn start_instance(
        &self,
        named: &NamedService,
        slot: &SlotName,
        of: &FilesOf,
        anew: bool,
    ) -> Option<ServiceAction> {
        let service = named.instance(slot)?;
        let grace = self.settings.health.health.as_ref().map_or(USUAL_GRACE, |health| health.grace_seconds);
        let (file, slot, seconds) = (released_file(named, &service, of), slot.clone(), grace.max(1));
        Some(ServiceAction::StartInstance { service, slot, file, seconds, anew })
    }

    /// The question whether the app is well, put to the one process that the release has, and that gets no other requests yet.
    fn ask_instance(&self, target: &Target, told: Option<&ToldVisitors>) -> Option<Action> {
        let HostPlanning { settings, host, .. } = self;
        let health = settings.health.health.as_ref().filter(|health| health.is_on(&host.roles))?;
        let HealthQuestion::Http(question) = &health.question else { return None };
        let is_asked = |named: &&NamedService| match &question.place {
            HttpPlace::Socket { path } => {
                named.listening.as_ref().is_some_and(|listening| listening.socket == *path)
            }
            HttpPlace::Tcp { .. } => true,
        };
        let mut asked = self.side_by_side(settings).filter(is_asked);
        // Which of several a port belongs to isn't known.
        let (named, None) = (asked.next()?, asked.next()) else { return None };
        let place = HttpPlace::Socket { path: named.socket_of(&target.slot)?.to_string() };
        let question = HealthQuestion::Http(HttpQuestion { place, tls: false, ..question.clone() });
        Some(
            AppAction::AskHealth {
                by: Answerer::Anybody,
                health: Box::new(Health { question, ..health.clone() }),
                services: named.instance(&target.slot).into_iter().collect(),
                in_maintenance: told.is_some(),
                around: self.surroundings_of(target),
            }
            .into(),
        )
    }

    /// What a person should know where a service takes its connections otherwise than the release before.
    pub(in crate::planner) fn about_cutover(&self) -> Vec<Note> {
        let Some(live) = self.settings_of_live() else { return Vec::new() };
        let note = |named: &NamedService| {
            let listening = named.listening.as_ref()?;
            let before = live.services.named.iter().find(|before| before.service == named.service)?;
            let text = match before.listening.as_ref().map(|before| before.cutover) {
                Some(Cutover::Socket) if listening.cutover == Cutover::Restart => {
                    format!(
                        "[services.{}] comes behind a socket that systemd holds: for about a second its requests fail",
                        named.name
                    )
                }
                None => format!(
                    "[services.{}] comes to listen at {}: it is restarted this once, and web servers have to be told",
                    named.name, listening.socket
                ),
                Some(_) => return None,
            };
            Some(Note { host: Some(self.host.name.clone()), text })
        };
        let here =
            self.settings.services.named.iter().filter(|named| self.settings.runs_on(named, self.host));
        here.filter_map(note).collect()
    }

    /// Stops what runs in a slot that is about to be filled, where anything does.
    pub(in crate::planner) fn stop_before_filling(&self, slot: &SlotName) -> Option<Action> {
        let services = self.instances_in(slot);
        let stop =
            ServiceAction::StopInstances { services, slot: slot.clone(), waits: true, optional: false };
        self.facts.running.has_instance_in(slot).then(|| stop.into())
    }

    /// Stops what a switch has started that came to nothing.
    pub(in crate::planner) fn stop_failed(&self, target: &Target) -> Option<Action> {
        self.stop_started(target, |_| false)
    }

    /// Stops what a rehearsal has started: not what is kept warm.
    pub(in crate::planner) fn stop_rehearsed(&self, target: &Target) -> Option<Action> {
        self.stop_started(target, |service| {
            let was_up = self.facts.running.is_up(&service.unit().unwrap_or_default());
            was_up && self.keeps_warm(service, &target.slot)
        })
    }

    fn stop_started(&self, target: &Target, stays: impl Fn(&Service) -> bool) -> Option<Action> {
        let slot = target.slot.clone();
        let services = self.side_by_side(self.settings).filter_map(|named| named.instance(&slot));
        let services = services.filter(|service| !stays(service)).collect();
        let stop = ServiceAction::StopInstances { services, slot, waits: false, optional: false };
        (!is_empty(&stop)).then(|| stop.into())
    }

    /// Stops what doesn't serve any more, once a release is live for good, but for what is kept warm to go back to.
    pub(in crate::planner) fn stop_former(&self, target: &Target, direction: Direction) -> Vec<Action> {
        let live = self.facts.live_slot();
        let others = self.facts.slots.keys().filter(|slot| **slot != target.slot);
        let runs_there =
            others.filter(|slot| live == Some(*slot) || self.facts.running.has_instance_in(slot));
        let stop = |slot: &SlotName| {
            let mut services = self.instances_in(slot);
            // Nobody goes back to what was gone back from.
            if live == Some(slot) && direction == Direction::Forward {
                services.retain(|service| !self.keeps_warm(service, slot));
            }
            ServiceAction::StopInstances { services, slot: slot.clone(), waits: false, optional: true }
        };
        let instances = runs_there.map(stop).filter(|stop| !is_empty(stop));
        instances.chain(self.stop_unknown()).map(Action::from).collect()
    }

    /// Stops what starts services with the host of which the release has none.
    fn stop_unknown(&self) -> Vec<ServiceAction> {
        let live = self.settings_of_live();
        let before = live.as_ref().unwrap_or(self.configured);
        let is_known = |named: &NamedService| {
            self.settings.services.named.iter().any(|known| known.service == named.service)
        };
        let unknown = self.side_by_side(before).filter(|named| !is_known(named));
        unknown.map(|named| ServiceAction::Stop { service: named.service.clone(), optional: true }).collect()
    }

    /// Whether what a slot has of its own is to go on beside what serves.
    pub(in crate::planner) fn keeps_warm(&self, instance: &Service, slot: &SlotName) -> bool {
        self.side_by_side(self.settings).any(|named| {
            named.instance(slot).as_ref() == Some(instance)
                && named.listening.as_ref().is_some_and(|listening| listening.keep_warm)
        })
    }

    /// What may run in a slot by itself: by the settings of the release that changes, of the one that serves, and of today.
    pub(in crate::planner) fn instances_in(&self, slot: &SlotName) -> Vec<Service> {
        let live = self.settings_of_live();
        let all = [Some(self.settings), live.as_ref(), Some(self.configured)].into_iter().flatten();
        let mut services: Vec<Service> = all
            .flat_map(|settings| {
                self.side_by_side(settings).filter_map(|named| named.instance(slot)).collect::<Vec<_>>()
            })
            .collect();
        services.sort_by_key(|service| String::from(service.clone()));
        services.dedup();
        services
    }

    /// The services that run in each slot by themselves here.
    fn side_by_side<'s>(
        &self,
        settings: &'s Settings,
    ) -> impl Iterator<Item = &'s NamedService> + use<'s, '_> {
        let named = settings.services.named.iter();
        named.filter(|named| named.is_side_by_side() && settings.runs_on(named, self.host))
    }
}

fn is_empty(stop: &ServiceAction) -> bool {
    matches!(stop, ServiceAction::StopInstances { services, .. } if services.is_empty())
}
