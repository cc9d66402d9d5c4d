//! How release directories are arranged. A strategy answers two questions about a host, and contributes nothing else:
//! where would a new release go, and where is the one before?

mod ab;

use crate::config::{Settings, StrategyName};
use crate::host::facts::HostFacts;
use crate::names::SlotName;
use crate::release::Release;

/// Where a new release goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The slot that will be overwritten. Never the one that serves.
    pub slot: SlotName,
    /// The release that was proven live in it, and that overwriting it destroys.
    pub former: Option<Release>,
}

/// Where the release before the live one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The slot that it is in, or was in.
    pub slot: SlotName,
    /// The release.
    pub release: Release,
    /// Whether it is still there, complete, or has to be built again.
    pub state: BeforeState,
}

/// Whether the release before is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeforeState {
    /// Switching is enough.
    Complete,
    /// A later attempt overwrote it, and got nowhere.
    Overwritten,
}

/// Where a new release goes on a host.
pub fn destination(settings: &Settings, facts: &HostFacts) -> Destination {
    match settings.layout.strategy {
        StrategyName::Ab => ab::destination(&settings.layout.release_paths, facts),
    }
}

/// Where the release before the live one is; `None` if none was ever proven live on this host, or none is left.
pub fn before(settings: &Settings, facts: &HostFacts) -> Option<Before> {
    match settings.layout.strategy {
        StrategyName::Ab => ab::before(&settings.layout.release_paths, facts),
    }
}

/// The release that was proven live in an idle slot: still there, or overwritten since.
pub fn former(settings: &Settings, facts: &HostFacts, slot: &SlotName) -> Option<Release> {
    match settings.layout.strategy {
        StrategyName::Ab => ab::former(facts, slot),
    }
}
