//! What restarts: from the link, once that has moved.

use super::{Direction, HostPlanning, Which, released_file};
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ReleasedServiceFile, service_file_place};
use crate::names::SlotName;
use crate::plan::action::{Action, ServiceAction, Surroundings};

impl HostPlanning<'_> {
    /// Restarts what runs a release with these files; what each slot has its own of, in this slot, and otherwise not at all.
    pub(super) fn restart_in(
        &self,
        around: Surroundings,
        of: &FilesOf,
        which: Which,
        slot: Option<&SlotName>,
        direction: Direction,
    ) -> Vec<Action> {
        let HostPlanning { settings, host, .. } = self;
        // Restarting is the business of the user who logs in, and of root.
        let around = Surroundings { run_as: None, ..around };
        let restart = |service: &Service, file, socket, reload, commands| ServiceAction::Restart {
            service: service.clone(),
            file,
            socket,
            reload,
            commands,
            around: around.clone(),
        };
        let mut actions: Vec<ServiceAction> = Vec::new();
        for named in settings.services.named.iter().filter(|service| service.is_on(&host.roles)) {
            let file = released_file(named, &named.service, of);
            if !settings.runs_on(named, host) {
                let parts = named.parts([]).into_iter();
                actions.extend(parts.map(|service| ServiceAction::Stop { service, optional: false }));
            } else if which == Which::All || file.is_some() {
                let (service, socket) = (named.service.clone(), self.socket_file(named, of));
                if named.is_side_by_side() {
                    actions.extend(slot.and_then(|slot| self.start_instance(named, slot, of, true)));
                    actions.push(ServiceAction::StartAtBoot { service, file, socket });
                } else {
                    actions.push(restart(&service, file, socket, named.reload, Vec::new()));
                }
            }
        }
        // A hook is meant instead of the app's own service, and that comes last, unless a table gives it another place.
        let by_hook = (!settings.hooks.on_hosts.restart.is_empty()).then_some(&settings.services.app);
        if let Some(service) = by_hook.or(settings.own_service()).filter(|_| which == Which::All) {
            actions.push(restart(service, None, None, false, settings.hooks.on_hosts.restart.clone()));
        }
        if direction == Direction::Back {
            actions.reverse();
        }
        actions.into_iter().map(Action::from).collect()
    }

    /// The file of what holds a service's socket: where systemd does, or where it did for another release and has to leave it.
    fn socket_file(&self, named: &NamedService, of: &FilesOf) -> Option<Box<ReleasedServiceFile>> {
        let Service::Systemd(name) = &named.service else { return None };
        named.definition.as_ref()?;
        let (path, kind) = service_file_place(&Service::Systemd(format!("{name}.socket")))?;
        let was_installed = self.facts.installed.iter().any(|installed| *installed == path.as_str());
        let file = ReleasedServiceFile { of: of.clone(), path, kind };
        (named.is_behind_socket() || was_installed).then(|| Box::new(file))
    }
}
