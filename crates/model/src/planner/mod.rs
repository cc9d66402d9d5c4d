//! From configuration and facts to a plan, or to the reasons why not. Pure: time, names and ids come in as arguments.

mod deploy;
mod maintenance;
mod prepare;
mod rollback;
mod services;
mod variables;
pub(crate) mod virtualenv;
mod work;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use deploy::{DeployRequest, plan_deploy};
pub use maintenance::plan_maintenance;
pub use rollback::plan_rollback;
pub use work::{plan_env, plan_env_list, plan_hold, plan_restart, plan_run, plan_task, plan_unhold};

use crate::app::hooks::HookPoint;
use crate::app::maintenance::MaintenanceMethod;
use crate::app::recipe::Side;
use crate::config::Settings;
use crate::deployer::action::DeployerAction;
use crate::host::Host;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::layout::Layout;
use crate::host::record::{JournalKind, LockHolder, SlotState};
use crate::names::{HostPath, RunId};
use crate::plan::action::{Action, Surroundings, ToldVisitors};
use crate::plan::refusal::{Refusal, host_refusals};
use crate::plan::{HostPlan, HostWork, Intent, Note, Phase, PhaseKind, Plan, Step, Target};
use crate::release::Release;
use crate::shell::recipe::commands_at;
use maintenance::maintenance_setting;
use services::{Direction, homeless_services, restart, restart_as_it_was, told_services, verify_running};
use variables::variables;

/// The run that is being planned.
#[derive(Debug, Clone)]
pub struct RunContext {
    /// What tells it from all others.
    pub run: RunId,
    /// When it began, by the deployer's clock.
    pub at: Timestamp,
    /// The person and machine at the helm.
    pub by: String,
}

/// A host that takes part, with what was seen on it.
#[derive(Debug, Clone, Copy)]
pub struct SeenHost<'a> {
    /// The host.
    pub host: &'a Host,
    /// What was seen.
    pub facts: &'a HostFacts,
}

/// What one host is to do: the part of a plan that deploy and rollback have in common.
struct HostChange<'a> {
    seen: SeenHost<'a>,
    layout: Layout,
    from: Option<Release>,
    to: Target,
    /// How its slot is made ready.
    prepare: Vec<Action>,
    /// What becomes of the slot that serves now.
    leaves_behind: SlotState,
    /// Which way it goes.
    direction: Direction,
    /// What visitors are told meanwhile. Where it is the release that tells them, the next one has to, too.
    told: Option<ToldVisitors>,
}

/// Builds phases, and numbers the steps.
#[derive(Default)]
struct Steps {
    last: u32,
}

impl Steps {
    fn number(&mut self, actions: Vec<Action>) -> Vec<Step> {
        let step = |action| {
            self.last += 1;
            Step { id: self.last, action }
        };
        actions.into_iter().map(step).collect()
    }

    fn work(&mut self, host: &Host, actions: Vec<Action>) -> HostWork {
        HostWork { host: host.name.clone(), steps: self.number(actions), revert: Vec::new() }
    }
}

/// What a change of hosts is: the part of a plan that isn't about one host.
struct Change {
    intent: Intent,
    kind: JournalKind,
    /// What comes first, on the deployer; nothing of it if no host changes.
    local: Vec<DeployerAction>,
    /// What is done on the primary only: last in the preparation, and before any switch.
    primary: Primary,
    notes: Vec<Note>,
}

#[derive(Default)]
struct Primary {
    prepare: Vec<Action>,
    once: Vec<Action>,
}

/// Lock, prepare, once, switch in waves, finish.
fn assemble(
    settings: &Settings,
    context: &RunContext,
    change: Change,
    changes: &[HostChange<'_>],
    others: &[SeenHost<'_>],
) -> Plan {
    let Change { intent, kind, local, primary: Primary { prepare, once }, notes } = change;
    let mut plan = Plan {
        run: context.run.clone(),
        at: context.at,
        by: context.by.clone(),
        intent,
        title: None,
        unit: settings.unit.clone(),
        environment: settings.environment.clone(),
        hosts: Vec::new(),
        local: Vec::new(),
        phases: Vec::new(),
        notes,
    };
    for change in changes {
        plan.hosts.push(HostPlan {
            host: change.seen.host.clone(),
            layout: change.layout.clone(),
            from: change.from.clone(),
            to: Some(change.to.clone()),
        });
    }
    for seen in others {
        let layout = settings.layout(seen.host);
        plan.hosts.push(HostPlan { host: seen.host.clone(), layout, from: seen.facts.live(), to: None });
    }
    plan.hosts.sort_by_key(|planned| settings.hosts.iter().position(|host| host.name == planned.host.name));
    if changes.is_empty() {
        return plan;
    }
    plan.local = local;
    let holder = LockHolder {
        at: context.at,
        by: context.by.clone(),
        doing: plan.headline(),
        run: context.run.clone(),
    };

    let mut steps = Steps::default();
    let mut phase = |kind, work: Vec<HostWork>| plan.phases.push(Phase { kind, work });
    phase(
        PhaseKind::Lock,
        changes.iter().map(|change| steps.work(change.seen.host, lock(settings, change, &holder))).collect(),
    );
    let mut prepare = Some(prepare);
    let work = changes.iter().map(|change| {
        // The first host is the primary.
        let actions = change.prepare.iter().cloned().chain(prepare.take().into_iter().flatten());
        steps.work(change.seen.host, actions.collect())
    });
    phase(PhaseKind::Prepare, work.collect());
    if !once.is_empty() {
        phase(PhaseKind::Once, vec![steps.work(changes[0].seen.host, once)]);
    }
    let waves = split_into_waves(settings, changes.len());
    let mut rest = changes;
    for (index, size) in waves.iter().enumerate() {
        let (wave, later) = rest.split_at(*size);
        rest = later;
        let work = wave.iter().map(|change| {
            let is_last = index + 1 == waves.len();
            let mut work = steps.work(change.seen.host, switch(settings, context, change, is_last));
            work.revert = steps.number(revert(settings, context, change));
            work
        });
        let (wave, of) = (index as u32 + 1, waves.len() as u32);
        phase(PhaseKind::Switch { wave, of }, work.collect());
    }
    phase(
        PhaseKind::Finish,
        changes
            .iter()
            .map(|change| steps.work(change.seen.host, finish(settings, context, kind, change)))
            .collect(),
    );
    plan
}

fn lock(settings: &Settings, change: &HostChange<'_>, holder: &LockHolder) -> Vec<Action> {
    let mut actions = Vec::new();
    if !change.seen.facts.has_folders {
        actions.push(Action::CreateFolders { group: settings.deploy_group.clone() });
    }
    actions.push(Action::Lock { holder: holder.clone() });
    actions.push(Action::Guard {
        slots: settings.release_paths.clone(),
        state_sum: change.seen.facts.state_sum.clone(),
    });
    if settings.ask_sudo_password && settings.may_use_sudo() {
        actions.push(Action::ProveSudo);
    }
    actions
}

fn hooks(
    settings: &Settings,
    context: &RunContext,
    change: &HostChange<'_>,
    point: HookPoint,
    commands: &[String],
) -> Vec<Action> {
    let variables = variables(settings, context, change.seen, &change.to);
    let around = hook_surroundings(settings, point, &change.layout.slot(&change.to.slot), variables);
    let hook = |command: &String| Action::Hook {
        point,
        command: command.clone(),
        around: around.clone(),
        optional: point == HookPoint::AfterFinish,
    };
    commands.iter().map(hook).collect()
}

fn switch(
    settings: &Settings,
    context: &RunContext,
    change: &HostChange<'_>,
    is_last_wave: bool,
) -> Vec<Action> {
    let Settings { hooks: named, .. } = settings;
    let mut actions = hooks(settings, context, change, HookPoint::BeforeSwitch, &named.before_switch);
    if let (MaintenanceMethod::Setting, Some(_)) = (settings.maintenance, &change.told) {
        actions.push(maintenance_setting(settings, &change.to.slot, true));
    }
    actions.push(Action::SwitchLink { target: Some(change.to.slot.to_string()) });
    if let (MaintenanceMethod::Command, Some(told)) = (settings.maintenance, &change.told) {
        actions.push(Action::Maintenance {
            method: settings.maintenance,
            told: Some(told.clone()),
            around: surroundings(
                settings,
                &change.layout.slot(&change.to.slot),
                variables(settings, context, change.seen, &change.to),
            ),
        });
    }
    actions.extend(restart(settings, context, change.seen, &change.to, change.direction));
    actions.extend(verify_running(settings, change.seen.host, &change.to));
    actions.extend(hooks(settings, context, change, HookPoint::AfterSwitch, &named.after_switch));
    // Where any host may answer, the old release does until the last wave.
    if is_last_wave || !settings.version_url_is_shared() {
        let ask = |url| Action::AskApp {
            url,
            release: change.to.release.clone(),
            patience_seconds: settings.version_timeout_seconds,
        };
        actions.extend(settings.version_url_of(change.seen.host).map(ask));
    }
    actions.extend(hooks(settings, context, change, HookPoint::Verify, &named.verify));
    actions
}

/// Commands of the configuration that run on the deployer before any host is touched.
fn local_hooks(settings: &Settings) -> impl Iterator<Item = DeployerAction> + '_ {
    settings.local_hooks.before.iter().map(|command| DeployerAction::Hook { command: command.clone() })
}

/// The way back from `switch`: the link first, for it decides; then the app; then the notes.
fn revert(settings: &Settings, context: &RunContext, change: &HostChange<'_>) -> Vec<Action> {
    let facts = change.seen.facts;
    let target = match &facts.current {
        CurrentLink::Slot(slot) => Some(slot.to_string()),
        CurrentLink::Dangling(text) | CurrentLink::Elsewhere(text) => Some(text.clone()),
        CurrentLink::Missing | CurrentLink::NotALink => None,
    };
    let mut actions = vec![Action::SwitchLink { target }];
    actions.extend(restart_as_it_was(settings, context, change.seen, change.direction.opposite()));
    actions.push(Action::Record {
        slot: change.to.slot.clone(),
        state: SlotState::Failed,
        release: change.to.release.clone(),
        former: crate::strategy::former(settings, facts, &change.to.slot),
        optional: true,
    });
    actions.push(journal(context, JournalKind::Reverted, change));
    actions
}

fn finish(
    settings: &Settings,
    context: &RunContext,
    kind: JournalKind,
    change: &HostChange<'_>,
) -> Vec<Action> {
    let facts = change.seen.facts;
    let mut actions = vec![Action::Record {
        slot: change.to.slot.clone(),
        state: SlotState::Live,
        release: change.to.release.clone(),
        former: None,
        optional: true,
    }];
    if let (Some(slot), Some(release)) = (facts.live_slot(), &change.from) {
        let record = facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
        // A release that served without ever being confirmed is nothing to roll back to.
        if record.is_none_or(|record| record.state == SlotState::Live) {
            actions.push(Action::Record {
                slot: slot.clone(),
                state: change.leaves_behind,
                release: release.clone(),
                former: None,
                optional: true,
            });
        }
    }
    if let Some(file) = settings.crontab.as_ref().filter(|_| is_primary(settings, change.seen.host)) {
        actions.push(Action::Crontab {
            slot: change.to.slot.clone(),
            file: file.clone(),
            unit: settings.unit.clone(),
            place: settings.crontab_place,
        });
    }
    if keeps_anything(settings, facts) {
        actions.push(Action::Prune);
    }
    actions.push(journal(context, kind, change));
    actions.extend(hooks(settings, context, change, HookPoint::AfterFinish, &settings.hooks.after_finish));
    actions
}

/// Whether anything is kept of releases but their commits.
fn keeps_anything(settings: &Settings, facts: &HostFacts) -> bool {
    let has_packages = !(settings.private_packages.is_empty() && settings.private_requirements.is_empty());
    let has_files = settings.services.iter().any(|service| service.definition.is_some());
    has_packages || has_files || !facts.packages.is_empty() || !facts.installed.is_empty()
}

/// Whether a host is the one that does what must be done once, also when it isn't the one that happens to change now.
fn is_primary(settings: &Settings, host: &Host) -> bool {
    settings.hosts.first().is_some_and(|first| first.name == host.name)
}

fn journal(context: &RunContext, kind: JournalKind, change: &HostChange<'_>) -> Action {
    Action::Journal {
        kind,
        by: context.by.clone(),
        release: Some(change.to.release.clone()),
        from: change.from.clone(),
        reason: None,
    }
}

/// What the app's own commands find around them, in the release in a folder.
fn surroundings(
    settings: &Settings,
    directory: &HostPath,
    variables: BTreeMap<String, String>,
) -> Surroundings {
    Surroundings {
        directory: directory.clone(),
        variables,
        virtualenv: settings.recipe.is_python().then(|| directory.join(&settings.virtualenv)),
        run_as: settings.run_as(),
    }
}

/// What a hook finds around it. Only those that run the app's own code are the app's user's: the others are about the
/// host.
fn hook_surroundings(
    settings: &Settings,
    point: HookPoint,
    directory: &HostPath,
    variables: BTreeMap<String, String>,
) -> Surroundings {
    let around = surroundings(settings, directory, variables);
    match point {
        HookPoint::Build | HookPoint::Check | HookPoint::Once => around,
        HookPoint::BeforePrepare
        | HookPoint::BeforeSwitch
        | HookPoint::AfterSwitch
        | HookPoint::Verify
        | HookPoint::AfterFinish => Surroundings { run_as: None, ..around },
    }
}

/// What the recipe does at a point, around the project's own hooks there.
fn with_recipe(settings: &Settings, point: HookPoint, own: &[String]) -> Vec<String> {
    let mut commands = commands_at(settings, point, Side::Before);
    commands.extend(own.iter().cloned());
    commands.extend(commands_at(settings, point, Side::After));
    commands
}

/// How many hosts each wave has. The last takes all that are left.
fn split_into_waves(settings: &Settings, hosts: usize) -> Vec<usize> {
    use crate::config::WaveSize;
    let mut left = hosts;
    let mut sizes = Vec::new();
    for wave in &settings.waves {
        let wanted = match wave {
            WaveSize::Hosts(count) => *count as usize,
            WaveSize::Percent(percent) => (hosts * *percent as usize).div_ceil(100),
        };
        let size = wanted.clamp(1, left.max(1)).min(left);
        if size > 0 {
            sizes.push(size);
            left -= size;
        }
    }
    if left > 0 {
        sizes.push(left);
    }
    sizes
}

/// What speaks against changing these hosts, and what should be known about them.
fn examine(settings: &Settings, hosts: &[SeenHost<'_>]) -> (Vec<Refusal>, Vec<Note>) {
    let mut refusals = Vec::new();
    let mut notes = Vec::new();
    if hosts.is_empty() {
        refusals.push(Refusal::NoHosts);
    }
    notes.extend(homeless_services(settings).into_iter().map(|text| Note { host: None, text }));
    for seen in hosts {
        let SeenHost { host, facts } = seen;
        refusals.extend(host_refusals(&host.name, host.path.as_str(), facts));
        let mut note = |text: String| notes.push(Note { host: Some(host.name.clone()), text });
        if let CurrentLink::Dangling(target) = &facts.current {
            note(format!(
                "{} points to {target:?}, which isn't there: nothing serves now",
                settings.current_release_symlink
            ));
        }
        told_services(settings, seen).into_iter().for_each(&mut note);
        if let Some(record) = &facts.maintenance {
            note(format!("in maintenance, says {}: visitors are told so until `maintenance off`", record.by));
        }
        if let (Some(app), Some(live)) = (&facts.app, facts.live())
            && !app.names(&live)
        {
            note(format!("asked what it runs, the app doesn't name {live}: {}", app.shown()));
        }
        for (what, room) in [("space", facts.disk_kib), ("inodes", facts.inodes)] {
            if let Some(room) = room
                && room.free * 20 < room.total
            {
                note(format!("only {} % of the disk's {what} is left", room.free * 100 / room.total.max(1)));
            }
        }
        if facts.live_slot().is_some() && facts.live().is_some() && !facts.live_is_confirmed() {
            let slot = facts.live_slot().and_then(|slot| facts.slots.get(slot));
            if slot.is_some_and(|slot| slot.record.is_some()) {
                note("what serves now was switched to by a run that never confirmed it".to_owned());
            }
        }
    }
    (refusals, notes)
}
