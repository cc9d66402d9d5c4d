//! A release that comes to serve in the place of another one: what of it can be done before, and what can't.

use super::context::HostPlanning;
use crate::app::hooks::HookPoint;
use crate::app::service_file::ServiceFile;
use crate::host::record::SlotState;
use crate::plan::Target;
use crate::plan::action::{Action, AppAction, GitAction, PythonAction, RecordAction, ServiceAction};
use crate::release::Release;

impl HostPlanning<'_> {
    /// The steps that fill a slot, parted: what touches nothing that serves, with a copy of what does; and what is done once the host
    /// is armed with the way back to that.
    pub(super) fn in_place(
        &self,
        fill: Vec<Action>,
        target: &Target,
        live: &Release,
    ) -> (Vec<Action>, Vec<Action>) {
        let (mut before, after): (Vec<Action>, Vec<Action>) = fill.into_iter().partition(is_beside);
        before.push(RecordAction::KeepCopy { slot: target.slot.clone(), commit: live.commit.clone() }.into());
        (before, after)
    }

    /// The steps that put a release back of which a copy was kept.
    pub(super) fn put_back(
        &self,
        services: Vec<ServiceFile>,
        target: &Target,
        live: &Release,
    ) -> (Vec<Action>, Vec<Action>) {
        let Target { slot, release } = target;
        let record = |state| {
            let (slot, release, turn) = (slot.clone(), release.clone(), self.facts.turn_of(slot));
            RecordAction::Record { slot, state, release, former: Some(live.clone()), turn, optional: false }
                .into()
        };
        let mut before: Vec<Action> = self.keep_services(services, target).into_iter().collect();
        before.push(RecordAction::KeepCopy { slot: slot.clone(), commit: live.commit.clone() }.into());
        let mut after = vec![record(SlotState::Building)];
        let (slot, commit) = (slot.clone(), release.commit.clone());
        let aside = self.written_in(&slot).collect();
        after.push(RecordAction::PutBack { slot, commit, record: false, aside }.into());
        after.extend(self.take_back_setting(&target.slot));
        after.push(record(SlotState::Ready));
        (before, after)
    }

    /// The way back to what serves, which needs nothing but the copy.
    pub(super) fn put_live_back(&self, live: &Release, target: &Target) -> Action {
        let (slot, commit) = (target.slot.clone(), live.commit.clone());
        RecordAction::PutBack { slot, commit, record: true, aside: Vec::new() }.into()
    }
}

/// Whether a step that fills a slot changes nothing that serves from it.
fn is_beside(action: &Action) -> bool {
    matches!(
        action,
        Action::Git(GitAction::Fetch { .. } | GitAction::Unbundle { .. })
            | Action::Python(PythonAction::Package { .. })
            | Action::Service(ServiceAction::ServiceFiles { .. })
            | Action::App(AppAction::Hook { point: HookPoint::BeforePrepare, .. })
    )
}
