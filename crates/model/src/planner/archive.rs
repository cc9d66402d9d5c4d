//! Which hosts are sent the archive of a release, and how the deployer makes it.

use super::context::{HostChange, HostPlanning};
use crate::app::archive::archive_name;
use crate::config::{Settings, SourceName};
use crate::deployer::action::{DeployerAction, Packing};
use crate::host::diagnosis::ArchiveRoom;
use crate::host::facts::Room;
use crate::plan::Target;
use crate::plan::action::{Action, ArchiveAction};
use crate::release::Release;

/// Where the deployer keeps what it makes of releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workshop {
    /// The file that the archive of this run's release is made in.
    pub archive: String,
    /// The folder of a clone of the project that is kept for builds alone.
    pub clone: String,
}

/// Where the files of a slot come from, where that is no fetch.
pub(super) enum Archive {
    /// The deployer makes it, and sends it.
    Sent(String),
    /// The host has kept it.
    Kept(String),
}

impl HostPlanning<'_> {
    /// Where a new release comes from; `None`: it is fetched. What was built on the deployer may be another thing each time, and is
    /// sent each time; else a commit says all of it.
    pub(super) fn archive_of(&self, release: &Release) -> Option<Archive> {
        let Settings { source, hooks, app, .. } = self.settings;
        if source.method != SourceName::Archive {
            return None;
        }
        let says_all =
            source.artifact.is_none() && hooks.local.build.is_empty() && self.is_of_same_part(release);
        let kept = self.kept_archive(release).filter(|_| says_all);
        Some(kept.unwrap_or_else(|| Archive::Sent(archive_name(&app.unit, release))))
    }

    /// Takes note of the room that a new release takes here whose own files take this.
    pub(super) fn is_sent_archive(&mut self, unpacked: Option<Room>, release: &Release) {
        let is_sent = self.archive_of(release).map(|archive| matches!(archive, Archive::Sent(_)));
        self.sent.archive =
            is_sent.zip(unpacked).map(|(is_sent, unpacked)| ArchiveRoom { unpacked, is_sent });
    }

    /// Whether what is kept here of a release was made of the same folders.
    fn is_of_same_part(&self, release: &Release) -> bool {
        let mut kept = self.facts.resolved.iter().filter(|resolved| resolved.commit == release.commit);
        kept.all(|resolved| {
            (&resolved.subdir, &resolved.sparse_checkout)
                == (&self.settings.app.subdir, &self.settings.app.sparse_checkout)
                || resolved.sparse_checkout.is_none() && self.settings.app.sparse_checkout.is_none()
        })
    }

    /// The archive of a release that is built again, if the host has kept one: else it is fetched, as it may have been at first.
    pub(super) fn kept_archive(&self, release: &Release) -> Option<Archive> {
        if self.configured.source.method != SourceName::Archive {
            return None;
        }
        let kept = self.facts.archives.iter().find(|archive| archive.commit == release.commit)?;
        Some(Archive::Kept(kept.file.clone()))
    }

    /// What is done first where git fills a slot that held what came as an archive.
    pub(super) fn leave_unpacked(&self, Target { slot, release }: &Target) -> Option<Action> {
        let was_unpacked = self.facts.slots.get(slot).is_some_and(|seen| seen.unpacked);
        let (slot, commit) = (slot.clone(), release.commit.clone());
        was_unpacked.then(|| ArchiveAction::Leave { slot, commit }.into())
    }

    /// The steps that make a slot's files those of an archive.
    pub(super) fn unpack(&self, archive: Archive, aside: Vec<String>, target: &Target) -> Vec<Action> {
        let Target { slot, release } = target;
        let mut actions = Vec::new();
        let file = match archive {
            Archive::Sent(file) => {
                let take = ArchiveAction::TakeArchive { commit: release.commit.clone(), file: file.clone() };
                actions.push(take.into());
                file
            }
            Archive::Kept(file) => file,
        };
        let unpack = ArchiveAction::Unpack {
            slot: slot.clone(),
            commit: release.commit.clone(),
            file,
            shared: self.settings.shared_paths(),
            aside,
        };
        actions.push(unpack.into());
        actions
    }
}

/// What the deployer does for an archive that hosts are sent: it stands in the plan, since a build runs the project's own commands,
/// and takes its time. Its check sum is known only then, and goes along with it.
pub(super) fn pack(
    settings: &Settings,
    workshop: &Workshop,
    release: &Release,
    changes: &[HostChange<'_>],
) -> Vec<DeployerAction> {
    let is_sent = |action: &Action| matches!(action, Action::Archive(ArchiveAction::TakeArchive { .. }));
    if !changes.iter().any(|change| change.prepare.iter().any(is_sent)) {
        return Vec::new();
    }
    let Workshop { archive, clone } = workshop;
    let Release { commit, submodules, .. } = release;
    let build = &settings.hooks.local.build;
    let clone = (!build.is_empty() || *submodules).then(|| clone.clone());
    let mut actions = Vec::new();
    if let Some(clone) = &clone {
        actions.push(DeployerAction::LayOut {
            clone: clone.clone(),
            commit: commit.clone(),
            remote: settings.source.master_remote.clone(),
            submodules: *submodules,
        });
        let commands = build.iter();
        actions.extend(
            commands.map(|command| DeployerAction::Build { command: command.clone(), clone: clone.clone() }),
        );
    }
    actions.push(DeployerAction::Pack(Packing {
        commit: commit.clone(),
        archive: archive.clone(),
        is_built: !build.is_empty(),
        clone,
        submodules: *submodules,
        only: settings.app.part(),
        artifact: settings.source.artifact(),
    }));
    actions
}
