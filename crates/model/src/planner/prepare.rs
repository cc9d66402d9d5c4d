//! Filling a slot: from the commit's files to a release that every check has passed.

use super::maintenance::forget_maintenance;
use super::services::files_there;
use super::variables::variables;
use super::virtualenv::virtualenv_of;
use super::{RunContext, SeenHost, hook_surroundings, is_primary, with_recipe};
use crate::app::hooks::HookPoint;
use crate::app::service_file::ServiceFile;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::host::facts::HostFacts;
use crate::host::record::SlotState;
use crate::names::{HostPath, SlotName};
use crate::plan::Target;
use crate::plan::action::Action;
use crate::release::Release;

/// How a slot is filled.
pub(super) struct Build<'a> {
    /// What was proven live in it before.
    pub(super) former: Option<Release>,
    /// Where the commit is fetched from.
    pub(super) url: &'a str,
    /// Whether its virtualenv is made anew.
    pub(super) reinstall: bool,
    /// The private packages of the release.
    pub(super) packages: Packages,
    /// The unit files and init scripts of the release. None, where they are kept on the host already.
    pub(super) services: Vec<ServiceFile>,
}

impl Build<'_> {
    /// The steps that fill a slot, mark it as being built before anything in it changes, and as ready only at the end.
    pub(super) fn steps(
        self,
        settings: &Settings,
        context: &RunContext,
        seen: SeenHost<'_>,
        target: &Target,
    ) -> Vec<Action> {
        let Build { former, url, reinstall, packages, services } = self;
        let layout = settings.layout(seen.host);
        let slot = target.slot.clone();
        let release = target.release.clone();
        let variables = variables(settings, context, seen, target);
        let hook = |point, directory: &HostPath, commands: &[String]| -> Vec<Action> {
            let around = hook_surroundings(settings, point, directory, variables.clone());
            let hook = |command: &String| Action::Hook {
                point,
                command: command.clone(),
                around: around.clone(),
                optional: false,
            };
            commands.iter().map(hook).collect()
        };
        let record = |state| Action::Record {
            slot: slot.clone(),
            state,
            release: release.clone(),
            former: former.clone(),
            optional: false,
        };
        let siblings = siblings_to_fetch_from(seen.facts, &slot, &release);

        let mut actions = hook(HookPoint::BeforePrepare, &layout.path, &settings.hooks.before_prepare);
        actions.push(record(SlotState::Building));
        actions.extend(forget_maintenance(settings, &slot));
        actions.push(Action::Fetch {
            slot: slot.clone(),
            commit: release.commit.clone(),
            url: url.to_owned(),
            siblings,
            known_hosts: settings.scm_known_hosts.clone(),
            lend_agent: settings.forward_agent,
            group: settings.deploy_group.clone(),
        });
        actions.push(Action::Checkout {
            slot: slot.clone(),
            commit: release.commit.clone(),
            group: settings.deploy_group.clone(),
        });
        if release.submodules {
            actions.push(Action::Submodules {
                slot: slot.clone(),
                url: url.to_owned(),
                known_hosts: settings.scm_known_hosts.clone(),
                lend_agent: settings.forward_agent,
                group: settings.deploy_group.clone(),
            });
        }
        if !(settings.shared_files.is_empty() && settings.shared_dirs.is_empty()) {
            actions.push(Action::Shared {
                slot: slot.clone(),
                files: settings.shared_files.clone(),
                dirs: settings.shared_dirs.clone(),
                group: settings.deploy_group.clone(),
            });
        }
        if let Packages::These(packages) = &packages {
            let missing = packages.iter().filter(|package| !seen.facts.packages.contains(&package.place()));
            actions.extend(missing.map(|package| Action::Package {
                package: package.clone(),
                group: settings.deploy_group.clone(),
            }));
        }
        actions.extend(virtualenv_of(settings, packages, reinstall).map(|spec| Action::Virtualenv {
            slot: slot.clone(),
            commit: release.commit.clone(),
            spec,
            variables: variables.clone(),
            lend_agent: settings.forward_agent,
            group: settings.deploy_group.clone(),
        }));
        let folder = layout.slot(&slot);
        for (point, own) in
            [(HookPoint::Build, &settings.hooks.build), (HookPoint::Check, &settings.hooks.check)]
        {
            actions.extend(hook(point, &folder, &with_recipe(settings, point, own)));
        }
        if let Some(file) = settings.crontab.as_ref().filter(|_| is_primary(settings, seen.host)) {
            actions.push(Action::RequireFile { slot: slot.clone(), file: file.clone() });
        }
        if !services.is_empty() {
            actions.push(Action::ServiceFiles {
                slot: slot.clone(),
                commit: release.commit.clone(),
                there: files_there(seen),
                files: services,
            });
        }
        actions.push(record(SlotState::Ready));
        actions
    }
}

/// The slots that spare the remote: those that stand on the commit; and for a slot that isn't a clone yet any clone,
/// the live one first, as it is the one most likely to be whole.
fn siblings_to_fetch_from(facts: &HostFacts, slot: &SlotName, release: &Release) -> Vec<SlotName> {
    let is_clone = facts.slots.get(slot).is_some_and(|seen| seen.commit.is_some());
    let others = facts.slots.iter().filter(|(other, seen)| *other != slot && seen.commit.is_some());
    let useful = others.filter(|(_, seen)| !is_clone || seen.commit.as_ref() == Some(&release.commit));
    let mut siblings: Vec<SlotName> = useful.map(|(other, _)| other.clone()).collect();
    siblings.sort_by_key(|sibling| Some(sibling) != facts.live_slot());
    siblings
}
