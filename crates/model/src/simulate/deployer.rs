//! The deployer's own machine, as far as a plan can change it.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Progress;
use crate::deployer::action::DeployerAction;
use crate::names::HostName;

/// The deployer's own machine, as far as a plan can change it.
#[derive(Debug, Clone, Default)]
pub struct SimDeployer {
    /// The tags of the checkout.
    pub tags: BTreeSet<String>,
    /// The tags of the remote, and whether each is the one that the checkout has.
    pub remote_tags: BTreeMap<String, bool>,
    /// The hosts that it has taken out of traffic.
    pub out: BTreeSet<HostName>,
}

impl SimDeployer {
    /// Does a step as far as it gets, and says whether it went well.
    pub(super) fn apply(&mut self, action: &DeployerAction, progress: Progress) -> bool {
        // Some may be out of it, wherever it failed.
        if let DeployerAction::Drain(traffic) = action {
            self.out.extend(traffic.hosts.iter().map(|host| host.host.clone()));
        }
        if progress != Progress::All {
            return false;
        }
        match action {
            DeployerAction::Tag { tag, .. } => self.tags.insert(tag.clone()),
            DeployerAction::RemoveTag { tag, .. } => {
                if self.remote_tags.get(tag) != Some(&true) {
                    self.tags.remove(tag);
                }
                true
            }
            DeployerAction::PushTag { tag, .. } => *self.remote_tags.entry(tag.clone()).or_insert(true),
            DeployerAction::Undrain(traffic) => {
                self.out.retain(|out| traffic.hosts.iter().all(|host| host.host != *out));
                true
            }
            DeployerAction::Drain(_)
            | DeployerAction::Test { .. }
            | DeployerAction::Hook { .. }
            | DeployerAction::PushBranch { .. }
            | DeployerAction::MoveRef { .. }
            | DeployerAction::MakeVirtualenv { .. }
            | DeployerAction::InstallRequirements { .. }
            | DeployerAction::InstallByScript { .. }
            | DeployerAction::LayOut { .. }
            | DeployerAction::Build { .. }
            | DeployerAction::Pack(_)
            | DeployerAction::UpdateSubmodules
            | DeployerAction::Lint { .. }
            | DeployerAction::SetUp { .. } => true,
        }
    }
}
