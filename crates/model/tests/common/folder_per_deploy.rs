//! A strategy of another kind than those of the program.

use buedafab_model::config::Settings;
use buedafab_model::host::facts::HostFacts;
use buedafab_model::names::SlotName;
use buedafab_model::release::Release;
use buedafab_model::strategy::{Destination, Promise, RollbackTarget, Strategy, proven_targets};
use jiff::Timestamp;

/// A new folder for every release, named by the time of its deploy; three are kept.
#[derive(Debug)]
pub(crate) struct FolderPerDeploy;

impl Strategy for FolderPerDeploy {
    fn destination(&self, _: &Settings, facts: &HostFacts, at: Timestamp, _: &Release) -> Destination {
        let name = at.strftime("%Y%m%d-%H%M%S").to_string();
        let taken = |name: &str| facts.slots.keys().any(|slot| slot.as_str() == name);
        // Two deploys of one second, or a clock that was put back.
        let mut slot = name.clone();
        for number in 2.. {
            if !taken(&slot) {
                break;
            }
            slot = format!("{name}-{number}");
        }
        Destination { slot: SlotName::new(slot).expect("digits"), former: None }
    }

    fn rollback_targets(&self, _: &Settings, facts: &HostFacts) -> Vec<RollbackTarget> {
        proven_targets(facts)
    }

    fn prunable(&self, settings: &Settings, facts: &HostFacts) -> Vec<SlotName> {
        let kept: Vec<SlotName> =
            self.rollback_targets(settings, facts).into_iter().take(2).map(|target| target.slot).collect();
        let ours = facts.slots.iter().filter(|(_, seen)| seen.record.is_some()).map(|(slot, _)| slot);
        ours.filter(|slot| Some(*slot) != facts.live_slot() && !kept.contains(slot)).cloned().collect()
    }

    fn expects(&self, _: &Settings, _: &SlotName) -> bool {
        false
    }

    fn broken_promises(&self) -> &'static [Promise] {
        &[]
    }
}
