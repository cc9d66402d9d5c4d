//! Filling a slot: from the commit's files to a release that every check has passed.

use super::archive::Archive;
use super::context::HostPlanning;
use super::resolved::resolve_release;
use super::virtualenv::{Renewal, virtualenv_of};
use crate::app::hooks::HookPoint;
use crate::app::recipe::{Recipe, Side};
use crate::app::resolved::ResolvedRelease;
use crate::app::service_file::ServiceFile;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::host::record::SlotState;
use crate::names::SlotName;
use crate::plan::Target;
use crate::plan::action::{Action, AppAction, GitAction, PythonAction, RecordAction, ServiceAction};
use crate::release::Release;
use crate::shell::recipe::commands_at;

/// How a slot is filled.
pub(super) struct Build<'a> {
    /// What was proven live in it before.
    pub(super) former: Option<Release>,
    /// Where the commit is fetched from. Credentials in it stand in no step.
    pub(super) url: &'a str,
    /// Whether what the app has written into it is set aside: nobody was asked whether it may be lost.
    pub(super) keep_written: bool,
    /// What is done again about its virtualenv.
    pub(super) renewal: Renewal,
    /// The private packages of the release.
    pub(super) packages: Packages,
    /// The unit files and init scripts of the release. None, where they are kept on the host already.
    pub(super) services: Vec<ServiceFile>,
    /// What the slot is filled from, where that is no fetch.
    pub(super) archive: Option<Archive>,
    /// What was resolved for the release when it was prepared before. `None`: it is resolved now.
    pub(super) resolved: Option<ResolvedRelease>,
}

impl HostPlanning<'_> {
    /// The steps that fill a slot, mark it as being built before anything in it changes, and as ready only at the end. What has to wait
    /// for the switch, as it is the slot that serves, comes second.
    pub(super) fn build(&self, build: Build<'_>, target: &Target) -> (Vec<Action>, Vec<Action>) {
        let actions = self.fill(build, target);
        match self.facts.live() {
            Some(live) if self.is_in_place(target) => self.in_place(actions, target, &live),
            _ => (actions, Vec::new()),
        }
    }

    fn fill(&self, build: Build<'_>, target: &Target) -> Vec<Action> {
        let Build { former, url, keep_written, renewal, packages, services, archive, resolved } = build;
        let HostPlanning { settings, facts, layout, .. } = self;
        let Target { slot, release } = target;
        let group = || settings.users.deploy_group.clone();
        let record = |state| {
            RecordAction::Record {
                slot: slot.clone(),
                state,
                release: release.clone(),
                former: former.clone(),
                turn: facts.turn_of(slot),
                optional: false,
            }
            .into()
        };

        let mut actions = self.hooks_in(
            &layout.path,
            target,
            HookPoint::BeforePrepare,
            &settings.hooks.on_hosts.before_prepare,
        );
        actions.extend(self.stop_before_filling(slot));
        actions.push(record(SlotState::Building));
        let in_place = self.is_in_place(target);
        if self.left_half_made(slot) && facts.is_full() && !in_place {
            actions.push(
                RecordAction::GiveRoomBack {
                    slot: slot.clone(),
                    release: release.clone(),
                    former: former.clone(),
                    turn: facts.turn_of(slot),
                    packages: Vec::new(),
                }
                .into(),
            );
        }
        actions.extend(self.take_back_setting(slot));
        let aside = self.written_in(slot).filter(|_| keep_written).collect();
        match archive {
            Some(archive) => actions.extend(self.unpack(archive, aside, target)),
            None => {
                actions.extend(self.leave_unpacked(target));
                actions.push(self.bring_objects(url, target));
                let checkout = GitAction::Checkout {
                    slot: slot.clone(),
                    commit: release.commit.clone(),
                    lfs: release.lfs,
                    only: settings.app.part(),
                    closed: settings.app.recipe == Recipe::Static,
                    aside,
                    shared: settings.shared_paths(),
                    group: group(),
                    in_place,
                };
                actions.push(checkout.into());
                actions.extend(self.bring_submodules(url, target));
                actions.extend(self.bring_lfs(url, target));
            }
        }
        if !(settings.shared.files.is_empty() && settings.shared.folders.is_empty()) {
            let shared = AppAction::Shared {
                slot: slot.clone(),
                subdir: settings.app.subdir.clone(),
                files: settings.shared.files.clone(),
                dirs: settings.shared.folders.clone(),
                group: group(),
            };
            actions.push(shared.into());
        }
        actions.extend(self.link_sockets(target));
        if let Packages::These(packages) = &packages {
            let missing = packages.iter().filter(|package| !facts.packages.contains(&package.place()));
            actions.extend(missing.map(|package| PythonAction::Package { package: package.clone() }.into()));
        }
        actions.extend(virtualenv_of(settings, packages, self.pins.clone(), renewal).map(|spec| {
            PythonAction::Virtualenv {
                slot: slot.clone(),
                commit: release.commit.clone(),
                spec,
                variables: self.variables_of(target),
                lend_agent: settings.source.forward_agent,
            }
            .into()
        }));
        for (point, own) in [
            (HookPoint::Build, &settings.hooks.on_hosts.build),
            (HookPoint::Check, &settings.hooks.on_hosts.check),
        ] {
            actions.extend(self.hooks(target, point, &with_recipe(settings, point, own)));
        }
        if let Some(file) = settings.crontab.file.as_ref().filter(|_| self.is_primary()) {
            actions.push(GitAction::RequireFile { slot: slot.clone(), file: settings.app.file(file) }.into());
        }
        actions.extend(self.keep_services(services, target));
        actions.extend(self.install_recovery(target));
        let resolved = match resolved {
            Some(resolved) => {
                ResolvedRelease { slot: slot.clone(), env_file: settings.shared.env_file.clone(), ..resolved }
            }
            None => resolve_release(settings, target),
        };
        if !facts.resolved.contains(&resolved) {
            actions.push(RecordAction::KeepResolved { resolved: Box::new(resolved) }.into());
        }
        actions.extend(self.give_to_group(slot));
        actions.push(record(SlotState::Ready));
        actions
    }

    /// The steps for a release that is in its slot already, as it was proven: that it still is, and its unit files and init scripts, where
    /// they aren't kept on the host.
    pub(super) fn take_as_it_is(&self, services: Vec<ServiceFile>, target: &Target) -> Vec<Action> {
        let Target { slot, release } = target;
        let mut actions: Vec<Action> = self.take_back_setting(slot).into_iter().collect();
        actions.push(GitAction::VerifyCommit { slot: slot.clone(), commit: release.commit.clone() }.into());
        actions.extend(self.link_sockets(target));
        actions.extend(self.keep_services(services, target));
        actions.extend(self.install_recovery(target));
        actions
    }

    /// Keeps the unit files and init scripts of a release, if it has any.
    pub(super) fn keep_services(
        &self,
        files: Vec<ServiceFile>,
        Target { slot, release }: &Target,
    ) -> Option<Action> {
        if files.is_empty() {
            return None;
        }
        let (slot, commit, there) = (slot.clone(), release.commit.clone(), self.files_there());
        Some(ServiceAction::ServiceFiles { slot, commit, there, files }.into())
    }

    /// Whether a run that was cut short left a slot half-made.
    fn left_half_made(&self, slot: &SlotName) -> bool {
        let record = self.facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
        record.is_some_and(|record| record.state == SlotState::Building)
    }

    /// Lets the next of the group who deploys take a slot over, whatever commands made of it; nothing, where there is no
    /// group.
    pub(super) fn give_to_group(&self, slot: &SlotName) -> Option<Action> {
        let group = self.settings.users.deploy_group.clone()?;
        Some(RecordAction::GiveToGroup { slot: slot.clone(), group }.into())
    }

    /// What the app has written into a slot.
    pub(super) fn written_in(&self, slot: &SlotName) -> impl Iterator<Item = String> {
        let written = self.facts.slots.get(slot).map(|seen| &seen.written[..]).unwrap_or_default();
        written.iter().map(|written| written.folder().unwrap_or(&written.path).to_owned())
    }
}

/// What the recipe does at a point, around the project's own hooks there.
pub(super) fn with_recipe(settings: &Settings, point: HookPoint, own: &[String]) -> Vec<String> {
    let mut commands = commands_at(settings, point, Side::Before);
    commands.extend(own.iter().cloned());
    commands.extend(commands_at(settings, point, Side::After));
    commands
}
