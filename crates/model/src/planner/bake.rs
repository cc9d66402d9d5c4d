//! How long hosts that have switched are watched before the next of them do, or before all are confirmed; and which are confirmed by
//! themselves then.

use super::context::HostChange;
use crate::config::{OnWaveFailure, Settings};
use crate::plan::Intent;
use crate::plan::action::{Action, ServiceAction};
use crate::plan::refusal::{ConfirmedTogether, Refusal};

/// For how many seconds each wave bakes. What a rollback goes to was proven live.
pub(super) fn bake_seconds(settings: &Settings, intent: Intent) -> u32 {
    if intent == Intent::Deploy { settings.rollout.bake_seconds } else { 0 }
}

impl HostChange<'_> {
    /// Waits for so long, and asks the release that was switched to once more.
    pub(super) fn bake(&self, seconds: u32) -> Vec<Action> {
        let HostChange { planning, to, told, .. } = self;
        let services = planning.services_that_stay(to);
        let waits = ServiceAction::VerifyRunning { services, seconds };
        let asked = planning.ask_health(planning.surroundings_of(to), to, told.visitors());
        std::iter::once(waits.into()).chain(asked).chain(planning.watch(&to.slot)).collect()
    }
}

/// Whether each wave is confirmed by itself, or what speaks against that where it is wanted.
pub(super) fn confirms_waves(settings: &Settings, changes: &[HostChange<'_>]) -> Result<bool, Refusal> {
    if settings.rollout.on_wave_failure == OnWaveFailure::Revert {
        return Ok(false);
    }
    if changes.iter().any(|change| change.planning.host.app.is_some()) {
        return Err(Refusal::CannotStop { because: ConfirmedTogether::Apps });
    }
    if changes.iter().any(|change| change.told.by_this_run().is_some()) {
        return Err(Refusal::CannotStop { because: ConfirmedTogether::Maintenance });
    }
    Ok(true)
}
