//! Telling visitors that the app is being worked on, or no longer.

use super::context::{Direction, HostPlanning, RunContext, SeenHost};
use super::examine::examine;
use super::numbers::Part;
use super::work::{share_first, work};
use crate::app::maintenance::{MaintenanceMethod, MaintenanceRecord};
use crate::config::Settings;
use crate::host::facts::HostFacts;
use crate::host::record::JournalKind;
use crate::names::SlotName;
use crate::plan::action::{Action, AppAction, Surroundings, ToldVisitors};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Plan, Target, WorkKind};

/// Tells visitors of maintenance on these hosts, or no longer; or says all that speaks against it.
pub fn plan_maintenance(
    settings: &Settings,
    run: &RunContext,
    told: Option<&ToldVisitors>,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let hosts = HostPlanning::of_all(settings, run, hosts);
    let mut refusals = Vec::new();
    if settings.maintenance.method != MaintenanceMethod::File {
        // Without a release nobody is there to tell them.
        let nothing_live = hosts.iter().filter(|planning| planning.facts.live_slot().is_none());
        refusals
            .extend(nothing_live.map(|planning| Refusal::NothingLive { host: planning.host.name.clone() }));
    }
    if settings.maintenance.method == MaintenanceMethod::Setting {
        let (more, _) = examine(settings, &hosts);
        refusals.extend(more.into_iter().filter(|refusal| {
            !matches!(refusal, Refusal::Unfit { diagnosis, .. } if !diagnosis.kind.stops_any_change())
        }));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let doing = if told.is_some() { "maintenance on" } else { "maintenance off" };
    let works = hosts.iter().map(|planning| {
        let mut actions: Vec<Action> = share_first(settings, Some(planning.facts)).into_iter().collect();
        if settings.maintenance.method == MaintenanceMethod::Setting {
            actions.extend(planning.lock_as_seen(&run.holder(doing)));
        }
        actions.extend(planning.announce(told));
        (planning.host, actions)
    });
    let mut plan = work(settings, run, Intent::Work, works.collect());
    plan.title = Some(doing.to_owned());
    plan.work = Some(WorkKind::Maintenance);
    Ok(plan)
}

/// Whether a host can be made to tell visitors, and doesn't yet.
pub(super) fn can_announce(settings: &Settings, facts: &HostFacts) -> bool {
    let by_file = settings.maintenance.method == MaintenanceMethod::File;
    facts.maintenance.is_none() && (by_file || facts.live_slot().is_some())
}

/// What visitors were told before this run.
pub(super) fn told_before(record: &MaintenanceRecord) -> ToldVisitors {
    let MaintenanceRecord { at: _, by, message, until } = record;
    ToldVisitors { by: by.clone(), message: message.clone(), until: until.clone(), page: String::new() }
}

impl HostPlanning<'_> {
    /// Has the release that is live tell visitors, or no longer.
    fn announce(&self, told: Option<&ToldVisitors>) -> Vec<Action> {
        let mut actions = Vec::new();
        if let (MaintenanceMethod::Setting, Some(slot)) =
            (self.settings.maintenance.method, self.facts.live_slot())
        {
            actions.push(self.maintenance_setting(slot, told.is_some()));
            actions.extend(self.restart_as_it_was(Direction::Forward));
        }
        actions.push(self.tell(told, self.live_surroundings()));
        actions.push(match told {
            Some(told) => self.run.note(JournalKind::MaintenanceOn, told.message.clone()),
            None => self.run.note(JournalKind::MaintenanceOff, None),
        });
        actions
    }

    /// The same for the time of a run: the host takes it back by itself unless the run says how it goes on.
    pub(super) fn announce_for_this_run(&self, told: &ToldVisitors) -> Vec<Part> {
        let arm = Part::Arm { pending: self.pending(None), way_back: self.announce(None) };
        std::iter::once(arm).chain(self.announce(Some(told)).into_iter().map(Part::Do)).collect()
    }

    /// Has the release in `target`, which serves by now, tell visitors nothing any more.
    pub(super) fn reopen(&self, target: &Target) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.settings.maintenance.method == MaintenanceMethod::Setting {
            actions.push(self.maintenance_setting(&target.slot, false));
            actions.extend(self.restart(target, Direction::Forward));
            actions.extend(self.verify_running(target));
        }
        actions.push(self.tell(None, self.surroundings_of(target)));
        // What could answer with maintenance until now has to answer for itself.
        actions.extend(self.ask_health(self.surroundings_of(target), target, None));
        actions.extend(self.ask_release(target, false));
        actions.push(self.run.note(JournalKind::MaintenanceOff, None));
        actions
    }

    /// Asks the app which release it runs, where it says so.
    pub(super) fn ask_release(&self, target: &Target, in_maintenance: bool) -> Option<Action> {
        let version = &self.settings.version;
        version.url_of(self.host).map(|url| {
            let (release, patience_seconds) = (target.release.clone(), version.timeout_seconds);
            AppAction::AskApp { url, release, patience_seconds, in_maintenance }.into()
        })
    }

    /// Has a host that doesn't switch in this run tell visitors nothing any more.
    pub(super) fn reopen_as_it_was(&self) -> Vec<Action> {
        self.announce(None)
    }

    /// Tells visitors this, or nothing any more.
    pub(super) fn tell(&self, told: Option<&ToldVisitors>, around: Surroundings) -> Action {
        AppAction::Maintenance { method: self.settings.maintenance.method, told: told.cloned(), around }
            .into()
    }

    /// Says in a slot's settings whether it is in maintenance.
    pub(super) fn maintenance_setting(&self, slot: &SlotName, on: bool) -> Action {
        AppAction::MaintenanceSetting {
            slot: slot.clone(),
            file: self.settings.app.file(&self.settings.maintenance.settings_file),
            on,
        }
        .into()
    }

    /// A slot whose release was left while visitors were told still says so in a file of git's: that is taken back before
    /// anything else is made of it.
    pub(super) fn take_back_setting(&self, slot: &SlotName) -> Option<Action> {
        (self.settings.maintenance.method == MaintenanceMethod::Setting)
            .then(|| self.maintenance_setting(slot, false))
    }
}
