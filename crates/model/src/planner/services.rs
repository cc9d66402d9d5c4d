//! The files of the app's services: what their manager is told of them.

use std::collections::BTreeMap;

use super::context::HostPlanning;
use crate::app::service::{NamedService, Service};
use crate::app::service_file::{FilesOf, ReleasedServiceFile, ServiceFile, service_file_place};
use crate::config::Settings;
use crate::host::left_over::{LeftOver, LeftOverKind};
use crate::names::{HostPath, SlotName};
use crate::plan::Target;
use crate::plan::action::{Action, ServiceAction};
use crate::plan::refusal::Refusal;
use crate::shell::service_file::{ServedBy, recovery_unit, render_recovery, render_service_files};

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
            match render_service_files(service, &served, |file| {
                templates.get(&settings.app.file(file)).cloned()
            }) {
                Ok(more) => files.extend(more),
                Err(error) => refusals.push(Refusal::BadTemplate {
                    hosts: vec![host.name.clone()],
                    service: service.name.clone(),
                    file: service.template().unwrap_or("the program's own template").to_owned(),
                    why: error.why,
                }),
            }
        }
        if settings.has_recovery(host) {
            files.extend(render_recovery(settings, host, &facts.user));
        }
        let owned = files.into_iter().map(|file| file.owned_by(&self.owner)).collect();
        if refusals.is_empty() { Ok(owned) } else { Err(refusals) }
    }

    /// Whose unit files stand here now, if they aren't of any release.
    pub(super) fn files_there(&self) -> FilesOf {
        self.live_target().map_or(FilesOf::Before, |live| files_of(&live))
    }

    /// Takes away what ran a release in a folder that is removed with it.
    pub(super) fn remove_instance_files(&self, slot: &SlotName) -> Vec<Action> {
        let files = self.instances_in(slot).into_iter().filter_map(|unit| service_file_place(&unit));
        let installed = |path: &HostPath| self.facts.installed.iter().any(|known| known == path.as_str());
        let files = files.map(|(path, _)| path).filter(installed);
        let left =
            files.map(|path| LeftOver { kind: LeftOverKind::Unit { path }, mark: Some(self.owner.line()) });
        left.map(|left| ServiceAction::Remove { left, optional: true }.into()).collect()
    }

    /// Puts in place what puts a switch back that the power cut short, where services start from the link.
    pub(super) fn install_recovery(&self, target: &Target) -> Option<Action> {
        let (path, kind) = service_file_place(&recovery_unit(self.settings))?;
        let file = ReleasedServiceFile { of: files_of(target), path, kind };
        self.settings.has_recovery(self.host).then(|| ServiceAction::InstallRecovery { file }.into())
    }
}

/// Whose its files are.
pub(super) fn files_of(target: &Target) -> FilesOf {
    FilesOf::Release { commit: target.release.commit.clone(), slot: target.slot.clone() }
}

/// The file of a service, or of a part of it, where its files are ours.
pub(super) fn released_file(
    named: &NamedService,
    part: &Service,
    of: &FilesOf,
) -> Option<ReleasedServiceFile> {
    named.definition.as_ref()?;
    let (path, kind) = service_file_place(part)?;
    Some(ReleasedServiceFile { of: of.clone(), path, kind })
}
