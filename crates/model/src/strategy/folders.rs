//! A folder for every release: what has to be known of all of them, and which may go.

use jiff::{SignedDuration, Timestamp};

use super::{is_in_the_way, proven, proven_targets};
use crate::config::Settings;
use crate::host::facts::{HostFacts, SlotFacts};
use crate::host::proven::turn;
use crate::host::record::SlotState;
use crate::names::SlotName;
use crate::release::Release;

/// What a try that came to nothing has left half-made, and the next one of the same release goes on with.
pub(super) fn half_made(facts: &HostFacts, release: &Release) -> Option<SlotName> {
    let goes_on = |seen: &SlotFacts| {
        let record = seen.record.as_ref().filter(|_| proven(seen).is_none());
        record.is_some_and(|record| match record.state {
            SlotState::Building => record.release.commit == release.commit || facts.is_full(),
            SlotState::Ready => record.release.commit == release.commit,
            // Where something serves, people may want to see why this one didn't.
            SlotState::Failed => record.release.commit == release.commit && facts.live_slot().is_none(),
            SlotState::Empty | SlotState::Live | SlotState::Retired => false,
        })
    };
    let idle = facts
        .slots
        .iter()
        .filter(|(slot, seen)| Some(*slot) != facts.live_slot() && !seen.folder_is_gone && goes_on(seen));
    // What fills the disk goes first.
    let found = idle.max_by_key(|(_, seen)| (is_in_the_way(facts, Some(seen)), turn(facts, seen)));
    found.map(|(slot, _)| slot.clone())
}

/// A name that no folder has yet: this one, or the first that is free with a number behind it.
pub(super) fn free(facts: &HostFacts, name: &str) -> SlotName {
    let names = std::iter::once(name.to_owned()).chain((2..).map(|number| format!("{name}-{number}")));
    let mut free = names.filter_map(|name| SlotName::new(name).ok());
    free.find(|slot| !facts.slots.contains_key(slot)).expect("there are endless numbers")
}

/// Releases that nobody needs any more once `to` is live, beginning with the oldest: not what serves now, as it is the one before
/// then; nor one that a process runs from, or that something was written into.
pub(super) fn prunable(
    settings: &Settings,
    facts: &HostFacts,
    at: Timestamp,
    to: &SlotName,
) -> Vec<SlotName> {
    let layout = &settings.layout;
    let now = facts.clock.unwrap_or(at);
    let is_young = |seen: &SlotFacts| {
        let days = layout.keep_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        let age = seen.record.as_ref().map(|record| now.duration_since(record.at));
        days.zip(age).is_some_and(|(days, age)| age < days)
    };
    // This one, and what serves now, are two of those that are kept; but what was never confirmed is nothing to go back to.
    let keep = layout.keep.map_or(2, |keep| keep as usize).max(2);
    let others = keep - 1 - usize::from(facts.live_is_confirmed());
    let targets = proven_targets(facts).into_iter().map(|target| target.slot).filter(|slot| slot != to);
    let kept: Vec<SlotName> = targets.take(others).collect();
    let is_needed = |slot: &SlotName, seen: &SlotFacts| {
        slot == to
            || Some(slot) == facts.live_slot()
            || kept.contains(slot)
            || facts.running.runs_from(slot)
            || !seen.written.is_empty()
            || seen.is_link
            || is_young(seen)
    };
    let ours = facts.slots.iter().filter(|(slot, seen)| seen.record.is_some() && !is_needed(slot, seen));
    let mut old: Vec<_> = ours.map(|(slot, seen)| (turn(facts, seen), slot.clone())).collect();
    old.sort();
    old.into_iter().map(|(_, slot)| slot).collect()
}
