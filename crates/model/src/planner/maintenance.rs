//! Telling visitors that the app is being worked on, or no longer.

use super::services::{Direction, restart_as_it_was};
use super::variables::common_variables;
use super::work::{lock_as_seen, note, work};
use super::{RunContext, SeenHost, examine, surroundings};
use crate::app::maintenance::{MaintenanceMethod, MaintenanceRecord};
use crate::config::Settings;
use crate::host::Host;
use crate::host::record::{JournalKind, LockHolder};
use crate::names::SlotName;
use crate::plan::action::{Action, ToldVisitors};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Plan};

/// Tells visitors of maintenance on these hosts, or no longer; or says all that speaks against it.
pub fn plan_maintenance(
    settings: &Settings,
    context: &RunContext,
    told: Option<&ToldVisitors>,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let mut refusals = Vec::new();
    if settings.maintenance != MaintenanceMethod::File {
        // Without a release nobody is there to tell them.
        let nothing_live = hosts.iter().filter(|seen| seen.facts.live_slot().is_none());
        refusals.extend(nothing_live.map(|seen| Refusal::NothingLive { host: seen.host.name.clone() }));
    }
    if settings.maintenance == MaintenanceMethod::Setting {
        let (more, _) = examine(settings, hosts);
        refusals.extend(more.into_iter().filter(|refusal| !matches!(refusal, Refusal::Held { .. })));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let doing = if told.is_some() { "maintenance on" } else { "maintenance off" };
    let names: Vec<&Host> = hosts.iter().map(|seen| seen.host).collect();
    let mut plan = work(settings, context, Intent::Work, &names, |host| {
        let seen = hosts.iter().find(|seen| seen.host.name == host.name).expect("the same hosts");
        let mut actions = Vec::new();
        if let (MaintenanceMethod::Setting, Some(slot)) = (settings.maintenance, seen.facts.live_slot()) {
            actions.extend(lock_as_seen(settings, *seen, &holder(context, doing)));
            actions.push(maintenance_setting(settings, slot, told.is_some()));
            actions.extend(restart_as_it_was(settings, context, *seen, Direction::Forward));
        }
        let current = settings.layout(host).current();
        let (slot, live) = (seen.facts.live_slot(), seen.facts.live());
        let variables = common_variables(settings, context, *seen, slot, live.as_ref(), &current);
        actions.push(Action::Maintenance {
            method: settings.maintenance,
            told: told.cloned(),
            around: surroundings(settings, &current, variables),
        });
        let kind = match told {
            Some(_) => JournalKind::MaintenanceOn,
            None => JournalKind::MaintenanceOff,
        };
        actions.push(note(&context.by, kind, told.and_then(|told| told.message.clone())));
        actions
    });
    plan.title = Some(doing.to_owned());
    Ok(plan)
}

fn holder(context: &RunContext, doing: &str) -> LockHolder {
    LockHolder { at: context.at, by: context.by.clone(), doing: doing.to_owned(), run: context.run.clone() }
}

/// Says in a slot's settings whether it is in maintenance.
pub(super) fn maintenance_setting(settings: &Settings, slot: &SlotName, on: bool) -> Action {
    Action::MaintenanceSetting { slot: slot.clone(), file: settings.settings_file.clone(), on }
}

/// A slot whose release was left while visitors were told still says so in a file of git's: that is taken back before
/// anything else is made of it.
pub(super) fn forget_maintenance(settings: &Settings, slot: &SlotName) -> Option<Action> {
    (settings.maintenance == MaintenanceMethod::Setting).then(|| maintenance_setting(settings, slot, false))
}

/// What visitors were told before this run.
pub(super) fn told_before(record: &MaintenanceRecord) -> ToldVisitors {
    let MaintenanceRecord { at: _, by, message, until } = record;
    ToldVisitors { by: by.clone(), message: message.clone(), until: until.clone(), page: String::new() }
}
