//! What is counted on a host from its switch to the end of each bake.

use super::context::HostPlanning;
use crate::app::watch::{Counted, Watch};
use crate::names::SlotName;
use crate::plan::action::{Action, AppAction};

impl HostPlanning<'_> {
    /// What has to be noted before the link moves.
    pub(super) fn begin_watch(&self) -> Option<Action> {
        let logs = self.watches().filter_map(|watch| match &watch.counted {
            Counted::ServerErrors { access_log, .. } => Some(access_log.clone()),
            Counted::Lines { .. } => None,
        });
        let mut logs: Vec<String> = logs.collect();
        logs.sort();
        logs.dedup();
        (!logs.is_empty()).then(|| AppAction::BeginWatch { logs }.into())
    }

    /// That nothing was counted too often since.
    pub(super) fn watch(&self, slot: &SlotName) -> Vec<Action> {
        let units = || {
            let units = self.settings.units_on(self.host, slot);
            units.iter().filter_map(|service| service.unit()).collect()
        };
        self.watches().map(|watch| AppAction::Watch { watch: watch.clone(), units: units() }.into()).collect()
    }

    fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.configured.watch.watches.iter().filter(|watch| watch.is_on(&self.host.roles))
    }
}
