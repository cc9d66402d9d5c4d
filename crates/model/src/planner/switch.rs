//! A host's switch to another release: the way forward, the way back, and what follows once it is live for good.

use super::context::{CorrectedRecord, Direction, HostChange, HostPlanning, RunContext};
use super::numbers::Part;
use super::traffic::Draining;
use crate::app::hooks::HookPoint;
use crate::app::maintenance::MaintenanceMethod;
use crate::host::fleet::fleet_after;
use crate::host::record::{JournalKind, SlotState};
use crate::names::{CommitId, SlotName};
use crate::plan::action::{Action, Copies, PythonAction, RecordAction, ServiceAction};
use crate::release::Release;
use crate::shell::lasting_surroundings;
use crate::strategy;

impl HostChange<'_> {
    /// Before the link moves the host is armed: from then on it knows the way back.
    /// What changes the release where it serves comes after that, `then` what waits for it: nothing, where another slot is switched to.
    pub(super) fn switch(
        &self,
        is_last_wave: bool,
        then: Vec<Action>,
        draining: Option<&Draining<'_>>,
    ) -> Vec<Part> {
        let HostChange { planning, to, .. } = self;
        let settings = planning.settings;
        let named = &settings.hooks.on_hosts;
        let mut before = planning.hooks(to, HookPoint::BeforeSwitch, &named.before_switch);
        let told = self.told.visitors();
        if let (MaintenanceMethod::Setting, Some(_)) = (settings.maintenance.method, told) {
            before.push(planning.maintenance_setting(&to.slot, true));
        }
        let mut after: Vec<Action> = if self.is_in_place() {
            let build = self.in_place.iter().cloned();
            build.chain(then).chain(std::mem::take(&mut before)).collect()
        } else {
            let mut after = planning.start_beside(to, told);
            if self.direction == Direction::Forward {
                after.extend(planning.begin_watch());
            }
            after.push(RecordAction::SwitchLink { target: Some(to.slot.to_string()) }.into());
            after
        };
        if let (MaintenanceMethod::Command, Some(told)) = (settings.maintenance.method, told) {
            after.push(planning.tell(Some(told), planning.surroundings_of(to)));
        }
        after.extend(planning.follow_link(to, self.direction));
        after.extend(planning.verify_running(to));
        after.extend(planning.ask_health(planning.surroundings_of(to), to, told));
        after.extend(planning.hooks(to, HookPoint::AfterSwitch, &named.after_switch));
        // Where any host may answer, the old release does until the last wave.
        if is_last_wave || !settings.version.url_is_shared() {
            after.extend(planning.ask_release(to, told.is_some()));
        }
        after.extend(planning.hooks(to, HookPoint::Verify, &named.verify));

        let mut parts: Vec<Part> = before.into_iter().map(Part::Do).collect();
        parts
            .push(Part::Arm { pending: planning.pending(Some(&to.slot)), way_back: self.way_back(draining) });
        parts.extend(after.into_iter().map(Part::Do));
        parts
    }

    /// What serves first, by the link that decides or in its place; then the app; then the notes.
    fn way_back(&self, draining: Option<&Draining<'_>>) -> Vec<Action> {
        let HostChange { planning, to, .. } = self;
        let in_place = self.from.as_ref().filter(|_| self.is_in_place());
        let mut actions: Vec<Action> = vec![match in_place {
            Some(live) => planning.put_live_back(live, to),
            None => RecordAction::SwitchLink { target: planning.link_before() }.into(),
        }];
        let reopens = self.told.by_this_run().is_some();
        if reopens && let Some(live) = planning.facts.live_slot() {
            actions.extend(planning.take_back_setting(live));
        }
        // What served is put back by its own commands.
        let own = planning.settings_of_live();
        let settings = own.as_ref().unwrap_or(planning.configured);
        let before = HostPlanning { settings, ..planning.clone() };
        actions.extend(before.go_back(self.direction.opposite()));
        // What wasn't well before the run can't be asked to be so now.
        if planning.facts.trouble().is_empty() {
            actions.extend(before.live_is_well(self.told.visitors()));
        }
        actions.extend(planning.stop_failed(to));
        actions.extend(draining.and_then(|draining| draining.way_back(self)));
        if reopens {
            actions.push(planning.tell(None, planning.live_surroundings()));
        }
        // Where it is another slot that failed: what was kept of this one has its record.
        let failed = in_place.is_none().then(|| {
            RecordAction::Record {
                slot: to.slot.clone(),
                state: SlotState::Failed,
                release: to.release.clone(),
                former: strategy::former(planning.facts, &to.slot),
                turn: planning.facts.turn_of(&to.slot),
                optional: true,
            }
            .into()
        });
        actions.extend(failed);
        actions.push(self.journal(JournalKind::Reverted));
        if reopens {
            actions.push(planning.run.note(JournalKind::MaintenanceOff, None));
        }
        actions
    }

    /// What follows once the release is live for good. Nothing of it can fail the run.
    pub(super) fn finish(&self, kind: JournalKind) -> Vec<Action> {
        let HostChange { planning, to, from, leaves_behind, .. } = self;
        let (settings, facts) = (planning.settings, planning.facts);
        let noted = |slot, state, release, former, turn| {
            Action::from(RecordAction::Record { slot, state, release, former, turn, optional: true })
        };
        let record = |slot, state, release, turn| noted(slot, state, release, None, turn);
        let former = self.former_in_place();
        let before = former.as_ref().map(|former| former.commit.clone());
        let mut actions =
            vec![noted(to.slot.clone(), SlotState::Live, to.release.clone(), former, facts.last_turn() + 1)];
        if self.is_in_place() {
            let (slot, copies) = (to.slot.clone(), Copies::AllBut(before));
            actions.push(RecordAction::DropCopies { slot, copies }.into());
        } else {
            // Since the strategy is another one, nobody needs them.
            let kept = facts.slots.iter().filter(|(_, seen)| !seen.copies.is_empty());
            let drop = |slot: &SlotName| RecordAction::DropCopies {
                slot: slot.clone(),
                copies: Copies::AllBut(None),
            };
            actions.extend(kept.map(|(slot, _)| drop(slot).into()));
        }
        if let (Some(slot), Some(release), false) = (facts.live_slot(), from, self.is_in_place()) {
            let seen = facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
            // A release that served without ever being confirmed is nothing to roll back to.
            if seen.is_none_or(|seen| seen.state == SlotState::Live) {
                actions.push(record(slot.clone(), *leaves_behind, release.clone(), facts.turn_of(slot)));
            }
        }
        // A person said that it may be lost, or there were no plan to deploy. A rollback leaves it where it is.
        if self.direction == Direction::Forward {
            let written =
                facts.slots.iter().filter(|(slot, seen)| **slot != to.slot && !seen.written.is_empty());
            actions.extend(written.map(|(slot, _)| RecordAction::DropWritten { slot: slot.clone() }.into()));
        }
        for CorrectedRecord { slot, state, release } in &self.corrected {
            actions.push(record(slot.clone(), *state, release.clone(), facts.turn_of(slot)));
        }
        // In another's crontab they can't be replaced, and beside them they would be done twice: what a rollback says, and a
        // deploy refuses.
        let can_have_jobs = planning.is_primary() && facts.jobs_of_another().is_none();
        if let Some(file) = settings.crontab.file.as_ref().filter(|_| can_have_jobs) {
            let crontab = ServiceAction::Crontab {
                slot: to.slot.clone(),
                file: settings.app.file(file),
                label: settings.crontab_label(),
                former_label: settings.app.unit.clone(),
                owner: planning.owner.clone(),
                place: settings.crontab.location,
                around: lasting_surroundings(settings, &planning.layout),
            };
            actions.push(crontab.into());
        }
        actions.extend(planning.removal(true));
        // Also where the release goes back: which hosts there are is the configuration's to say.
        actions.extend(planning.stop_former(to, self.direction));
        if let Some((hosts, gone)) = fleet_after(facts, &planning.configured.hosts, &planning.layout) {
            actions.push(RecordAction::Fleet { hosts, gone }.into());
        }
        if planning.facts.owner.is_some() && !planning.is_known_as_ours() {
            actions.push(RecordAction::TakeOver { owner: planning.owner.clone() }.into());
        }
        if let Some(link) = planning.strategy.previous() {
            actions.push(RecordAction::LinkPrevious { link, slot: self.one_before() }.into());
        }
        let removed = self.removed_releases();
        actions.extend(removed.iter().flat_map(|slot| {
            let record = facts.slots[slot].record.as_ref();
            let remove = record.map(|record| {
                RecordAction::RemoveSlot { slot: slot.clone(), release: record.release.clone() }.into()
            });
            planning.remove_instance_files(slot).into_iter().chain(remove)
        }));
        if self.keeps_anything() || !removed.is_empty() {
            actions.push(RecordAction::Prune.into());
        }
        actions.push(self.journal(kind));
        // Where it was kept, what was written until now may have needed it.
        if planning.facts.has_folders && (!planning.facts.has_reserve || planning.facts.is_full()) {
            actions.push(RecordAction::KeepReserve.into());
        }
        actions.extend(planning.hooks(to, HookPoint::AfterFinish, &settings.hooks.on_hosts.after_finish));
        actions
    }

    /// The release that will have served before this one in its place.
    fn former_in_place(&self) -> Option<Release> {
        let HostChange { planning, to, from, .. } = self;
        if !self.is_in_place() {
            return None;
        }
        if self.direction == Direction::Forward {
            let record = planning.facts.live_record();
            let is_proven = record.is_none_or(|record| record.state == SlotState::Live);
            let served = from.clone().filter(|from| is_proven && from.commit != to.release.commit);
            return served.or_else(|| record?.former.clone());
        }
        let mut older = planning.rollback_targets().into_iter();
        older.find(|target| target.slot == to.slot && target.release.commit == to.release.commit)?;
        older.find(|target| target.slot == to.slot).map(|target| target.release)
    }

    /// The release that will have served before this one.
    fn one_before(&self) -> Option<SlotName> {
        let HostChange { planning, to, .. } = self;
        let facts = planning.facts;
        if self.direction == Direction::Forward {
            return facts.live_slot().cloned();
        }
        let gone_past = |slot: &SlotName| self.corrected.iter().any(|corrected| corrected.slot == *slot);
        let mut targets = planning.rollback_targets().into_iter().map(|target| target.slot);
        targets.find(|slot| *slot != to.slot && !gone_past(slot))
    }

    /// What a deploy removes, as it is one release more. A rollback is in a hurry.
    fn removed_releases(&self) -> Vec<SlotName> {
        let HostChange { planning, to, .. } = self;
        match self.direction {
            Direction::Forward => {
                planning.strategy.prunable(planning.configured, planning.facts, planning.run.at, &to.slot)
            }
            Direction::Back => Vec::new(),
        }
    }

    /// Whether anything is kept of releases but their commits.
    fn keeps_anything(&self) -> bool {
        let (settings, facts) = (self.planning.settings, self.planning.facts);
        let forgets = facts.resolved.iter().any(|kept| !self.remembers(&kept.commit));
        let has_packages = !(settings.python.base.private_packages.is_empty()
            && settings.python.private_requirements.is_empty());
        let has_files = settings.services.named.iter().any(|service| service.definition.is_some());
        forgets || has_packages || has_files || !facts.packages.is_empty() || !facts.installed.is_empty()
    }

    /// Whether a slot holds a release, or could be rolled back to it, when this run has ended.
    fn remembers(&self, commit: &CommitId) -> bool {
        let HostChange { planning, to, .. } = self;
        let others = planning.facts.slots.iter().filter(|(slot, _)| **slot != to.slot);
        let records = others.filter_map(|(_, seen)| seen.record.as_ref());
        let mut releases =
            records.flat_map(|record| [Some(&record.release), record.former.as_ref()]).flatten();
        let former = self.former_in_place();
        let stays =
            [Some(&to.release), former.as_ref()].into_iter().flatten().any(|stays| stays.commit == *commit);
        stays || releases.any(|release| release.commit == *commit)
    }

    /// Takes away the copy that was kept of what serves, where that goes on to serve.
    pub(super) fn drop_copy(&self) -> Option<Action> {
        let (slot, live) = (self.to.slot.clone(), self.from.as_ref().filter(|_| self.is_in_place())?);
        Some(RecordAction::DropCopies { slot, copies: Copies::Of(live.commit.clone()) }.into())
    }

    /// Gives back the room of what couldn't be made ready, where there is anything to make ready.
    pub(super) fn give_room_back(&self) -> Option<Action> {
        let packages = self.prepare.iter().filter_map(|action| match action {
            Action::Python(PythonAction::Package { package, .. }) => Some(package.place()),
            _ => None,
        });
        self.prepare.iter().find_map(|action| match action {
            Action::Record(RecordAction::Record {
                slot,
                state: SlotState::Building,
                release,
                former,
                turn,
                optional: _,
            }) => {
                let (slot, release, former) = (slot.clone(), release.clone(), former.clone());
                let packages = packages.clone().collect();
                Some(RecordAction::GiveRoomBack { slot, release, former, turn: *turn, packages }.into())
            }
            _ => None,
        })
    }

    pub(super) fn journal(&self, kind: JournalKind) -> Action {
        let RunContext { by, .. } = self.planning.run;
        RecordAction::Journal {
            kind,
            by: by.clone(),
            release: Some(self.to.release.clone()),
            from: self.from.clone(),
            reason: None,
            // What came to nothing left nobody behind.
            skipped: match kind {
                JournalKind::Deployed | JournalKind::RolledBack => self.planning.skipped(),
                _ => Vec::new(),
            },
        }
        .into()
    }
}
