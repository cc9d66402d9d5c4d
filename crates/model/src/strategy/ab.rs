//! Alternating slots: each a full clone with its own virtualenv, and a link that flips between them.

use jiff::Timestamp;

use super::{
    Condition, Destination, RollbackTarget, Strategy, former, is_in_the_way, linked_name, proven,
    proven_targets,
};
use crate::config::Settings;
use crate::host::facts::{HostFacts, SlotFacts};
use crate::host::proven::{Turn, turn};
use crate::host::record::SlotState;
use crate::names::SlotName;
use crate::release::Release;

/// The slots of `release_paths`.
#[derive(Debug)]
pub(super) struct Ab;

impl Strategy for Ab {
    /// The slot that is least worth keeping: what an earlier try has left of it, else an empty one, else a failed one, else one
    /// that never served, else the one that served longest ago.
    fn destination(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        _at: Timestamp,
        release: &Release,
    ) -> Destination {
        let linked = linked_name(facts);
        let idle = settings.layout.release_paths.iter().filter(|slot| Some(slot.as_str()) != linked);
        let slot = idle
            .min_by_key(|slot| {
                let seen = facts.slots.get(*slot);
                (!is_in_the_way(facts, seen), !is_gone_on_with(facts, seen, release), worth(facts, seen))
            })
            .expect("there are two slots at least")
            .clone();
        let former = former(facts, &slot);
        Destination { slot, former }
    }

    /// A slot of another name, which an earlier configuration had or another tool made, serves as it is or not at all:
    /// nothing is built there any more.
    fn rollback_targets(&self, settings: &Settings, facts: &HostFacts) -> Vec<RollbackTarget> {
        let mut targets = proven_targets(facts);
        targets.retain(|target| {
            target.condition == Condition::Whole || settings.layout.release_paths.contains(&target.slot)
        });
        targets
    }

    /// None: a slot is overwritten when its turn comes.
    fn prunable(&self, _: &Settings, _: &HostFacts, _: Timestamp, _: &SlotName) -> Vec<SlotName> {
        Vec::new()
    }

    fn expects(&self, settings: &Settings, slot: &SlotName) -> bool {
        settings.layout.release_paths.contains(slot)
    }
}

/// Whether a try that came to nothing has left something in a slot that the next one goes on with, such as its virtualenv, and
/// nothing that could be gone back to.
fn is_gone_on_with(facts: &HostFacts, seen: Option<&SlotFacts>, release: &Release) -> bool {
    let Some(seen) = seen.filter(|seen| !seen.folder_is_gone && proven(seen).is_none()) else { return false };
    let Some(record) = &seen.record else { return false };
    match record.state {
        SlotState::Building => true,
        SlotState::Ready => record.release.commit == release.commit,
        // Where something serves, people may want to see why this one didn't.
        SlotState::Failed => facts.live_slot().is_none(),
        SlotState::Empty | SlotState::Live | SlotState::Retired => false,
    }
}

fn worth(facts: &HostFacts, seen: Option<&SlotFacts>) -> (u8, Option<Turn>) {
    let Some(seen) = seen else { return (0, None) };
    let Some(record) = &seen.record else { return (1, None) };
    let rank = match record.state {
        SlotState::Empty => 0,
        // What it held has to be built again in any case, here or elsewhere.
        _ if seen.folder_is_gone => {
            if proven(seen).is_some() {
                2
            } else {
                0
            }
        }
        SlotState::Building | SlotState::Failed => 2,
        SlotState::Ready => 3,
        SlotState::Live | SlotState::Retired => 4,
    };
    (rank, turn(facts, seen))
}
