//! How release directories are arranged. A strategy answers a few questions about a host, purely, and contributes nothing
//! else: where does a new release go, what can be gone back to, what may be pruned, and which promises can't it keep?

mod ab;
mod adopted;
mod folders;
mod in_place;
mod revision;
mod timestamp;

use std::fmt;

use jiff::Timestamp;

pub use adopted::{AdoptedRelease, Adoption, NotAdoptable, adoption, has_deployed};

use crate::config::{Settings, StrategyName};
use crate::host::facts::{CurrentLink, HostFacts, SlotFacts};
pub use crate::host::proven::{Condition, RollbackTarget, former, proven, proven_targets};
use crate::host::record::SlotState;
use crate::names::SlotName;
pub use crate::plan::promise::Promise;
use crate::release::Release;

/// A way of arranging release directories. What isn't said is as where every release has a folder of its own.
///
/// Slots are what was found on the host, and not all of them are the strategy's: another tool may have left folders there,
/// or another configuration.
pub trait Strategy: fmt::Debug + Sync {
    /// Where a new release goes. Never to the slot that serves, unless the strategy can't promise that.
    fn destination(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        at: Timestamp,
        release: &Release,
    ) -> Destination;

    /// What can be gone back to, and was proven live on this host. The first is where a rollback goes that names no
    /// release.
    fn rollback_targets(&self, _settings: &Settings, facts: &HostFacts) -> Vec<RollbackTarget> {
        proven_targets(facts)
    }

    /// Slots that nobody would miss once `to` is live, beginning with the least worthy. Never the one that serves until then.
    fn prunable(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        at: Timestamp,
        to: &SlotName,
    ) -> Vec<SlotName> {
        folders::prunable(settings, facts, at, to)
    }

    /// The name of a second link beside the releases, to the one that served before; `None` if there is none.
    fn previous(&self) -> Option<&'static str> {
        None
    }

    /// Whether a deploy of a release that is there as it was proven only switches to it.
    fn goes_to_what_is_there(&self) -> bool {
        false
    }

    /// Whether a folder of this name is meant for releases, though nothing was written about it: what is called as we would call it may
    /// be another tool's.
    fn expects(&self, _settings: &Settings, _slot: &SlotName) -> bool {
        false
    }

    /// The promises that it can't keep where it goes to the slot that serves.
    fn broken_promises(&self) -> &'static [Promise] {
        &[]
    }
}

/// The strategy that these settings ask for.
pub fn of(settings: &Settings) -> &'static dyn Strategy {
    named(settings.layout.strategy)
}

/// The strategy of this name.
pub fn named(name: StrategyName) -> &'static dyn Strategy {
    match name {
        StrategyName::Ab => &ab::Ab,
        StrategyName::Timestamp => &timestamp::ByTime,
        StrategyName::Revision => &revision::ByRevision,
        StrategyName::InPlace => &in_place::InPlace,
    }
}

/// Where a new release goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The slot that will be filled, or overwritten.
    pub slot: SlotName,
    /// The release that was proven live in it, and that overwriting it destroys.
    pub former: Option<Release>,
}

/// Whether a slot is meant for releases: by its name, or because a release was put there before.
pub fn is_ours(strategy: &dyn Strategy, settings: &Settings, facts: &HostFacts, slot: &SlotName) -> bool {
    let recorded = facts.slots.get(slot).is_some_and(|seen| seen.record.is_some());
    recorded || strategy.expects(settings, slot)
}

/// The name that the link has, whether its slot is there or not: a slot that isn't there, and that the link names, would be
/// live from the moment in which it is made.
pub fn linked_name(facts: &HostFacts) -> Option<&str> {
    match &facts.current {
        CurrentLink::Dangling(text) => text.trim_end_matches('/').rsplit('/').next(),
        _ => facts.live_slot().map(SlotName::as_str),
    }
}

/// Whether a release that was left half-made fills the disk: it gives its room back first, and nothing fits beside it.
fn is_in_the_way(facts: &HostFacts, seen: Option<&SlotFacts>) -> bool {
    let record = seen.and_then(|seen| seen.record.as_ref());
    facts.is_full() && record.is_some_and(|record| record.state == SlotState::Building)
}
