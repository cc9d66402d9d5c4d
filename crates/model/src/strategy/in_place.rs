//! One folder: which release is in it is decided with git, where it serves. What served before, the host's history knows.

use jiff::Timestamp;

use super::{
    Condition, Destination, Promise, RollbackTarget, Strategy, folders, former, linked_name, proven_targets,
};
use crate::config::Settings;
use crate::host::facts::HostFacts;
use crate::names::SlotName;
use crate::release::Release;

/// The folder that serves, whatever it is called.
#[derive(Debug)]
pub(super) struct InPlace;

impl Strategy for InPlace {
    /// The slot that serves, where that is a clone and was meant for releases. Where nothing serves yet, or something that git knows
    /// nothing of, a release is built beside it as anywhere, and the link moves once.
    fn destination(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        _at: Timestamp,
        _release: &Release,
    ) -> Destination {
        if let Some(slot) = serving_clone(self, settings, facts) {
            let former = facts.live().filter(|_| facts.live_is_confirmed());
            return Destination { slot, former };
        }
        let linked = linked_name(facts);
        let is_free = |slot: &SlotName| Some(slot.as_str()) != linked && self.expects(settings, slot);
        let known = facts.slots.iter().find(|(slot, seen)| seen.record.is_some() && is_free(slot));
        let slot = match (known, settings.layout.release_paths.first()) {
            (Some((slot, _)), _) => slot.clone(),
            (None, Some(slot)) if is_free(slot) => slot.clone(),
            (None, named) => folders::free(facts, named.map_or("a", SlotName::as_str)),
        };
        let former = former(facts, &slot);
        Destination { slot, former }
    }

    /// By the host's history: what lies whole in another folder is switched to, as before this strategy; all else is put in the place
    /// of what serves.
    fn rollback_targets(&self, settings: &Settings, facts: &HostFacts) -> Vec<RollbackTarget> {
        let mut beside = proven_targets(facts);
        let Some(live) = serving_clone(self, settings, facts) else { return beside };
        let seen = facts.slots.get(&live);
        let is_live = |release: &Release| {
            facts.live_is_confirmed() && facts.live().is_some_and(|live| live.commit == release.commit)
        };
        let recorded = seen.and_then(|seen| seen.record.as_ref()).and_then(|record| record.former.as_ref());
        let mut history: Vec<&Release> =
            facts.served.iter().rev().filter(|release| !is_live(release)).collect();
        // A journal that was lost, or can't be written, knows less than the record.
        if let Some(former) = recorded.filter(|former| !is_live(former))
            && history.iter().all(|release| release.commit != former.commit)
        {
            history.insert(0, former);
        }
        let mut targets = Vec::new();
        for release in history {
            let is_it = |target: &RollbackTarget| {
                target.release.commit == release.commit && target.condition == Condition::Whole
            };
            if let Some(at) = beside.iter().position(is_it) {
                targets.push(beside.remove(at));
                continue;
            }
            let is_kept = seen.is_some_and(|seen| seen.copies.contains(&release.commit));
            let condition = if is_kept { Condition::Whole } else { Condition::Replaced };
            targets.push(RollbackTarget { slot: live.clone(), release: release.clone(), condition });
        }
        beside.retain(|other| targets.iter().all(|target| target.release.commit != other.release.commit));
        targets.extend(beside);
        targets
    }

    /// None: there is one folder, and others are nobody's to remove.
    fn prunable(&self, _: &Settings, _: &HostFacts, _: Timestamp, _: &SlotName) -> Vec<SlotName> {
        Vec::new()
    }

    fn expects(&self, settings: &Settings, slot: &SlotName) -> bool {
        settings.layout.release_paths.contains(slot)
    }

    fn broken_promises(&self) -> &'static [Promise] {
        &[Promise::SwitchInOneMoment, Promise::ReadyBeforeSwitch]
    }
}

/// The slot that serves, where a release can be put in its place.
fn serving_clone(strategy: &InPlace, settings: &Settings, facts: &HostFacts) -> Option<SlotName> {
    let slot = facts.live_slot()?;
    let seen = facts.slots.get(slot)?;
    let is_clone = seen.is_clone() && !seen.is_link && !seen.folder_is_gone;
    (is_clone && super::is_ours(strategy, settings, facts, slot)).then(|| slot.clone())
}
