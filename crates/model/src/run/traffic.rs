//! Which hosts the deployer has taken out of traffic, as far as a run knows.

use std::collections::BTreeSet;

use crate::deployer::action::{DeployerAction, HostTraffic};
use crate::names::HostName;

/// The hosts that only the deployer can put back.
#[derive(Debug, Default)]
pub(super) struct OutOfTraffic {
    /// Those that this run has taken out, or tried to.
    taken: BTreeSet<HostName>,
    /// Those of them that aren't back, as far as is known.
    out: BTreeSet<HostName>,
}

impl OutOfTraffic {
    /// A step begins: some of its hosts are out from here on, wherever it fails.
    pub(super) fn begins(&mut self, action: &DeployerAction) {
        if let DeployerAction::Drain(shift) = action {
            let hosts = || shift.hosts.iter().map(|host| host.host.clone());
            self.taken.extend(hosts());
            self.out.extend(hosts());
        }
    }

    /// A step has ended well, which left these hosts alone.
    pub(super) fn ended(&mut self, action: &DeployerAction, without: &BTreeSet<HostName>) {
        if let DeployerAction::Undrain(shift) = action {
            self.out.retain(|out| without.contains(out) || shift.hosts.iter().all(|host| host.host != *out));
        }
    }

    /// A step has taken none of its hosts out.
    pub(super) fn refused(&mut self, action: &DeployerAction) {
        if let DeployerAction::Drain(shift) = action {
            for HostTraffic { host, .. } in &shift.hosts {
                self.taken.remove(host);
                self.out.remove(host);
            }
        }
    }

    /// Whether a step puts back hosts that are out, and more than these.
    pub(super) fn wants(&self, action: &DeployerAction, without: &BTreeSet<HostName>) -> bool {
        let DeployerAction::Undrain(shift) = action else { return false };
        shift.hosts.iter().any(|host| self.out.contains(&host.host) && !without.contains(&host.host))
    }

    /// Those that aren't back.
    pub(super) fn out(&self) -> impl Iterator<Item = &HostName> {
        self.out.iter()
    }

    /// Whether all are back.
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Whether a host is in traffic, which was out of it before the run, or wasn't.
    pub(super) fn is_in(&self, host: &HostName, was_out: bool) -> bool {
        if self.taken.contains(host) { !self.out.contains(host) } else { !was_out }
    }
}
