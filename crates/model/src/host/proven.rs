//! What was proven live on a host, and whether it is still there.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::host::facts::{HostFacts, SlotFacts};
use crate::host::record::SlotState;
use crate::names::SlotName;
use crate::release::Release;

/// A release that can be gone back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackTarget {
    /// The slot that it is in, or was in.
    pub slot: SlotName,
    /// The release.
    pub release: Release,
    /// Whether it is still there.
    pub condition: Condition,
}

/// Whether a release that was proven live is still there. In this order they are worth going back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Its folder is gone: it has to be built again.
    Gone,
    /// What git keeps in its folder is damaged, so that nothing can be proven of its files: it has to be built again.
    Damaged,
    /// The list of the files that its archive had can't be read, so that nothing can be proven of them: it has to be built again.
    Unlisted,
    /// Somebody checked out another commit in its folder: it has to be built again.
    Changed,
    /// Another release was put in its place: it has to be checked out and built there again.
    Replaced,
    /// A later attempt overwrote it, and got nowhere: it has to be built again.
    Overwritten,
    /// The Python that its virtualenv was made with is gone from the host: it has to be built again.
    WithoutPython,
    /// Switching is enough.
    Whole,
}

impl Condition {
    /// Why it has to be built again; `None` if it hasn't.
    pub fn why_rebuilt(self) -> Option<&'static str> {
        match self {
            Condition::Gone => Some("its folder is gone"),
            Condition::Damaged => Some("what git keeps in its folder is damaged"),
            Condition::Unlisted => Some("the list of its files can't be read"),
            Condition::Changed => Some("somebody checked out another commit in its folder"),
            Condition::Replaced => Some("another release was checked out in its place"),
            Condition::Overwritten => Some("it was overwritten by a later attempt"),
            Condition::WithoutPython => Some("the Python of its virtualenv is gone"),
            Condition::Whole => None,
        }
    }
}

impl fmt::Display for RollbackTarget {
    /// `v0.2.0 (6b4943c012)`, and what it takes to go there, if it takes anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.condition.why_rebuilt() {
            None => write!(f, "{}", self.release),
            Some(_) => write!(f, "{}, built again", self.release),
        }
    }
}

/// The release that was proven live in a slot and wasn't rolled back from: still there, or lost since. A record that says
/// `live` in an idle slot was left by a run that ended before it could write `retired`.
pub fn proven(seen: &SlotFacts) -> Option<(Release, Condition)> {
    let record = seen.record.as_ref()?;
    match record.state {
        SlotState::Live | SlotState::Retired => {
            let condition = match &seen.commit {
                _ if seen.folder_is_gone => Condition::Gone,
                _ if seen.damaged.is_some() && seen.unpacked => Condition::Unlisted,
                _ if seen.damaged.is_some() => Condition::Damaged,
                Some(commit) if *commit != record.release.commit => Condition::Changed,
                _ if seen.python_is_gone => Condition::WithoutPython,
                Some(_) | None => Condition::Whole,
            };
            Some((record.release.clone(), condition))
        }
        SlotState::Building | SlotState::Failed | SlotState::Ready => {
            record.former.clone().map(|release| (release, Condition::Overwritten))
        }
        SlotState::Empty => None,
    }
}

/// The release that was proven live in the slot of this name, whatever has become of it.
pub fn former(facts: &HostFacts, slot: &SlotName) -> Option<Release> {
    facts.slots.get(slot).and_then(proven).map(|(release, _)| release)
}

/// What was proven live in any slot but the one that serves; what is whole before what isn't, and then the latest first.
pub fn proven_targets(facts: &HostFacts) -> Vec<RollbackTarget> {
    let idle = facts.slots.iter().filter(|(slot, _)| Some(*slot) != facts.live_slot());
    let mut found: Vec<(Turn, RollbackTarget)> = idle
        .filter_map(|(slot, seen)| {
            let (release, condition) = proven(seen)?;
            Some((turn(facts, seen)?, RollbackTarget { slot: slot.clone(), release, condition }))
        })
        .collect();
    found.sort_by_key(|(turn, target)| std::cmp::Reverse((target.condition == Condition::Whole, *turn)));
    found.into_iter().map(|(_, target)| target).collect()
}

/// When a slot had its turn, in the order of those of its host: by the number that its record has, or, where an older version wrote
/// it, by the host's clock; and what was live last after what was retired in the same second.
pub type Turn = (u64, Timestamp, bool);

/// When a slot had its turn; `None` if nothing was written about it.
pub fn turn(facts: &HostFacts, seen: &SlotFacts) -> Option<Turn> {
    let record = seen.record.as_ref()?;
    Some((record.turn, record.at, served_last(facts, seen)))
}

/// Whether what is live took over from this slot: the run that made the one live retired the other. A host's clock counts
/// seconds, and in one of them two runs may end.
fn served_last(facts: &HostFacts, seen: &SlotFacts) -> bool {
    let live = facts.live_slot().and_then(|slot| facts.slots.get(slot)?.record.as_ref());
    let retired = seen.record.as_ref().filter(|record| record.state == SlotState::Retired);
    live.zip(retired).is_some_and(|(live, retired)| live.run == retired.run)
}
