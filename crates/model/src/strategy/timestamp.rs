//! A new folder for every deploy, called by its time, as Capistrano has made them known.

use jiff::Timestamp;

use super::{Destination, Strategy, folders, former};
use crate::config::Settings;
use crate::host::facts::HostFacts;
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
}
