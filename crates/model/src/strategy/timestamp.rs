//! A new folder for every deploy, called by its time, as Capistrano has made them known.

use jiff::Timestamp;

use super::{Destination, Promise, RollbackTarget, Strategy, folders, former, proven_targets};
use crate::config::Settings;
use crate::host::facts::HostFacts;
use crate::names::SlotName;
use crate::release::Release;

/// `20261127T101500Z`.
#[derive(Debug)]
pub(super) struct ByTime;

impl Strategy for ByTime {
    /// A folder that wasn't there, unless a try of the same release left one half-made.
    fn destination(
        &self,
        _settings: &Settings,
        facts: &HostFacts,
        at: Timestamp,
        release: &Release,
    ) -> Destination {
        let slot = folders::half_made(facts, release)
            // Two deploys of one second, or a clock that was put back.
            .unwrap_or_else(|| folders::free(facts, &at.strftime("%Y%m%dT%H%M%SZ").to_string()));
        let former = former(facts, &slot);
        Destination { slot, former }
    }

    fn rollback_targets(&self, _settings: &Settings, facts: &HostFacts) -> Vec<RollbackTarget> {
        proven_targets(facts)
    }

    fn prunable(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        at: Timestamp,
        to: &SlotName,
    ) -> Vec<SlotName> {
        folders::prunable(settings, facts, at, to)
    }

    /// What is called as we would call it may be another tool's.
    fn expects(&self, _settings: &Settings, _slot: &SlotName) -> bool {
        false
    }

    fn broken_promises(&self) -> &'static [Promise] {
        &[]
    }
}
