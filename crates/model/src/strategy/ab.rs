//! Alternating slots: each a full clone with its own virtualenv, and a link that flips between them.

use jiff::Timestamp;

use super::{Before, BeforeState, Destination};
use crate::host::facts::{CurrentLink, HostFacts, SlotFacts};
use crate::host::record::SlotState;
use crate::names::SlotName;
use crate::release::Release;

/// The slot that is least worth keeping: an empty one, else a failed one, else one that never served, else the one
/// that served longest ago.
pub(super) fn destination(slots: &[SlotName], facts: &HostFacts) -> Destination {
    // A slot that isn't there, and that the link names, would be live from the moment in which it is made.
    let linked = match &facts.current {
        CurrentLink::Dangling(text) => text.trim_end_matches('/').rsplit('/').next(),
        _ => facts.live_slot().map(SlotName::as_str),
    };
    let idle = slots.iter().filter(|slot| Some(slot.as_str()) != linked);
    let slot =
        idle.min_by_key(|slot| worth(facts.slots.get(*slot))).expect("there are two slots at least").clone();
    let former = former(facts, &slot);
    Destination { slot, former }
}

pub(super) fn former(facts: &HostFacts, slot: &SlotName) -> Option<Release> {
    facts.slots.get(slot).and_then(proven).map(|(release, _)| release)
}

/// The slot that served last before the live one; one that is complete wins over one that was overwritten since.
pub(super) fn before(slots: &[SlotName], facts: &HostFacts) -> Option<Before> {
    let idle = slots.iter().filter(|slot| Some(*slot) != facts.live_slot());
    let candidates = idle.filter_map(|slot| {
        let seen = facts.slots.get(slot)?;
        let record = seen.record.as_ref()?;
        let (release, state) = proven(seen)?;
        Some((state == BeforeState::Complete, record.at, Before { slot: slot.clone(), release, state }))
    });
    candidates.max_by_key(|(complete, at, _)| (*complete, *at)).map(|(_, _, before)| before)
}

/// The release that was proven live in an idle slot and wasn't rolled back from. A record that says `live` there was
/// left by a run that ended before it could write `retired`.
fn proven(seen: &SlotFacts) -> Option<(Release, BeforeState)> {
    let record = seen.record.as_ref()?;
    match record.state {
        SlotState::Live | SlotState::Retired => Some((record.release.clone(), BeforeState::Complete)),
        SlotState::Building | SlotState::Failed | SlotState::Ready => {
            record.former.clone().map(|release| (release, BeforeState::Overwritten))
        }
        SlotState::Empty => None,
    }
}

fn worth(seen: Option<&SlotFacts>) -> (u8, Timestamp) {
    let Some(seen) = seen else { return (0, Timestamp::MIN) };
    let Some(record) = &seen.record else { return (1, Timestamp::MIN) };
    let rank = match record.state {
        SlotState::Empty => 0,
        SlotState::Building | SlotState::Failed => 2,
        SlotState::Ready => 3,
        SlotState::Live | SlotState::Retired => 4,
    };
    (rank, record.at)
}
