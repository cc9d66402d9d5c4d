//! Several apps as one release: from the plan of each to one plan, with one gate between its phases for all of them.
//!
//! An app on a machine is a host of its own ([`crate::host::Host::with`]), so that a run of several apps is a run over more hosts, and
//! nothing that carries it out, goes back, proves or simulates it has to know of apps.

use std::collections::BTreeMap;

use super::assemble::{deployer_variables, empty_plan};
use super::context::{RunContext, SeenHost};
use super::deploy::{DeployRequest, plan_deploy};
use super::numbers::renumber;
use super::waits::too_long;
use crate::config::{AppInEnvironment, Settings, SettingsByHost};
use crate::deployer::action::DeployerAction;
use crate::host::facts::HostFacts;
use crate::names::{AppName, RunId};
use crate::plan::refusal::Refusal;
use crate::plan::{Closing, DeployerStep, Intent, Note, Phase, PhaseKind, Plan};
use crate::strategy;

/// The plan for one of several apps.
struct AppPlan {
    name: AppName,
    /// When it switches, from 0.
    turn: u32,
    plan: Plan,
}

/// Plans for each of several apps by itself, or for the only one, and makes one plan of them; `None`, where nothing is to be done for
/// any. What speaks against one of them speaks against all.
pub fn plan_for_each_app<'a>(
    settings: SettingsByHost<'a>,
    run: &RunContext,
    hosts: &[SeenHost<'a>],
    plan: impl Fn(&'a Settings, &[SeenHost<'a>]) -> Result<Option<Plan>, Vec<Refusal>>,
) -> Result<Option<Plan>, Vec<Refusal>> {
    let SettingsByHost { whole, apps } = settings;
    if apps.is_empty() {
        return plan(whole, hosts);
    }
    let (mut plans, mut refusals) = (Vec::new(), Vec::new());
    for AppInEnvironment { name, turn, settings } in apps {
        let hosts = of_app(hosts, name);
        if hosts.is_empty() {
            continue;
        }
        match plan(settings, &hosts) {
            Ok(Some(plan)) => plans.push(AppPlan { name: name.clone(), turn: *turn, plan }),
            Ok(None) => {}
            Err(more) => {
                for refusal in more.into_iter().map(|refusal| named(name, refusal)) {
                    if !refusals.contains(&refusal) {
                        refusals.push(refusal);
                    }
                }
            }
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if plans.is_empty() {
        return Ok(None);
    }
    let plan = plan_together(whole, run, plans);
    // The first app waits for the last.
    too_long(&plan, &whole.limits).map_or(Ok(Some(plan)), |refusal| Err(vec![refusal]))
}

/// Plans a deploy of several apps as one release, or of the only one. `request_of` says what is asked for each.
pub fn plan_deploy_together<'a>(
    settings: SettingsByHost<'a>,
    run: &RunContext,
    hosts: &[SeenHost<'a>],
    request_of: impl Fn(&Settings) -> DeployRequest,
) -> Result<Plan, Vec<Refusal>> {
    let plan_all = |others_change: bool| {
        let plan = |settings: &'a Settings, hosts: &[SeenHost<'a>]| {
            let request = DeployRequest { others_change, ..request_of(settings) };
            plan_deploy(settings, run, &request, hosts).map(Some)
        };
        let planned = plan_for_each_app(settings, run, hosts, plan)?;
        Ok(planned.expect("a deploy always has a plan, be it one of nothing"))
    };
    let plan: Plan = plan_all(false)?;
    let changes = |app: &AppInEnvironment| {
        plan.hosts.iter().any(|planned| planned.host.app.as_ref() == Some(&app.name) && planned.to.is_some())
    };
    // A run switches, or it does work that switches nothing: what stays as it is, is told with what changes beside it.
    let is_mixed = settings.apps.iter().any(changes) && !settings.apps.iter().all(changes);
    if is_mixed { plan_all(true) } else { Ok(plan) }
}

/// What speaks against an app, with its name where that isn't clear from a host's.
fn named(app: &AppName, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NoHosts
        | Refusal::NotKnown(_)
        | Refusal::NeverProven { .. }
        | Refusal::TooFewInService { .. }
        | Refusal::TooManyWaits { .. }
        | Refusal::LastingMigrations { .. } => {
            Refusal::OfApp { app: app.clone(), refusal: Box::new(refusal) }
        }
        refusal => refusal,
    }
}

fn of_app<'a>(hosts: &[SeenHost<'a>], name: &AppName) -> Vec<SeenHost<'a>> {
    hosts.iter().copied().filter(|seen| seen.host.app.as_ref() == Some(name)).collect()
}

/// One plan for all of these apps, which stand in the order in which they switch. `settings` are what they have in common.
fn plan_together(settings: &Settings, run: &RunContext, plans: Vec<AppPlan>) -> Plan {
    let changing = |app: &&AppPlan| !app.plan.is_empty();
    let first = plans.iter().find(changing).or(plans.first());
    let intent = first.map_or(Intent::Work, |first| first.plan.intent);
    let title = first.and_then(|first| first.plan.title.clone());
    let kind = first.and_then(|first| first.plan.work);
    let mut joined = Plan { title, work: kind, ..empty_plan(settings, run, intent) };
    joined.notes = notes_of_all(&plans);
    joined.left_out = plans.iter().flat_map(|app| app.plan.left_out.iter().cloned()).collect();
    joined.left_out.sort();
    joined.left_out.dedup();
    let mut phases: BTreeMap<Place, Phase> = BTreeMap::new();
    let last = plans.iter().map(|app| app.turn).max().unwrap_or_default();
    for (app, AppPlan { turn, plan, .. }) in (0..).zip(plans) {
        // On the way back, what rests on another app goes first.
        let turn = if plan.intent == Intent::Rollback { last - turn } else { turn };
        joined.hosts.extend(plan.hosts);
        joined.from = joined.from.or(plan.from);
        joined.skipped.extend(plan.skipped);
        joined.on_failure.extend(plan.on_failure);
        for phase in plan.phases {
            let Phase { kind, deployer, work } = phase;
            let into = phases.entry(Place::of(kind, app, turn)).or_insert_with(|| Phase {
                kind,
                deployer: Vec::new(),
                work: Vec::new(),
            });
            add_new(&mut into.deployer, deployer);
            into.work.extend(work);
        }
        for Closing { when, steps } in plan.closing {
            match joined.closing.iter_mut().find(|closing| closing.when == when) {
                Some(closing) => add_new(&mut closing.steps, steps),
                None => joined.closing.push(Closing { when, steps }),
            }
        }
    }
    // Whatever may stop the run on the deployer comes before anything of it gets to others.
    for phase in phases.values_mut() {
        phase.deployer.sort_by_key(|step| !matches!(step.action, DeployerAction::Test { .. }));
    }
    joined.phases = counted(phases.into_values().collect());
    if !joined.is_empty() && matches!(intent, Intent::Deploy | Intent::Rollback) {
        joined.variables = deployer_variables(settings, run, &joined);
    }
    renumber(&mut joined);
    joined
}

/// Where a phase of an app's stands among those of all: first by its kind; and then, where apps do so one after the other, by their
/// turns, or by the apps themselves, so that no more hosts ask the git server at once than of one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Before(PhaseKind),
    Fetch { app: u32, batch: u32 },
    Ready(PhaseKind),
    Once { turn: u32 },
    Switch { turn: u32, wave: u32, stage: u32 },
    After(PhaseKind),
}

impl Place {
    fn of(kind: PhaseKind, app: u32, turn: u32) -> Place {
        match kind {
            PhaseKind::Begin | PhaseKind::Lock | PhaseKind::Announce => Place::Before(kind),
            PhaseKind::Fetch { batch, of: _ } => Place::Fetch { app, batch },
            PhaseKind::Prepare | PhaseKind::Publish => Place::Ready(kind),
            PhaseKind::Once { .. } => Place::Once { turn },
            PhaseKind::Drain { wave, of: _ } => Place::Switch { turn, wave, stage: 0 },
            PhaseKind::Switch { wave, of: _ } => Place::Switch { turn, wave, stage: 1 },
            PhaseKind::Undrain { wave, of: _ } => Place::Switch { turn, wave, stage: 2 },
            PhaseKind::Bake { wave, of: _ } => Place::Switch { turn, wave, stage: 3 },
            PhaseKind::Confirm { wave, of: _ } => Place::Switch { turn, wave, stage: 4 },
            PhaseKind::Reopen | PhaseKind::Finish | PhaseKind::Work => Place::After(kind),
        }
    }
}

/// These phases, with the right numbers of those of which there may be several.
fn counted(mut phases: Vec<Phase>) -> Vec<Phase> {
    let count = |is: fn(PhaseKind) -> bool| phases.iter().filter(|phase| is(phase.kind)).count() as u32;
    let fetches = count(|kind| matches!(kind, PhaseKind::Fetch { .. }));
    let onces = count(|kind| matches!(kind, PhaseKind::Once { .. }));
    let waves = count(|kind| matches!(kind, PhaseKind::Switch { .. }));
    let (mut fetch, mut once, mut switched) = (1.., 1.., 0);
    let next = |numbers: &mut std::ops::RangeFrom<u32>| numbers.next().unwrap_or_default();
    for phase in &mut phases {
        match &mut phase.kind {
            PhaseKind::Fetch { batch, of } => (*batch, *of) = (next(&mut fetch), fetches),
            PhaseKind::Once { turn, of } => (*turn, *of) = (next(&mut once), onces),
            // Each wave switches; whether hosts of it are taken out of traffic before is its own affair.
            PhaseKind::Drain { wave, of } => (*wave, *of) = (switched + 1, waves),
            PhaseKind::Switch { wave, of } => {
                switched += 1;
                (*wave, *of) = (switched, waves);
            }
            PhaseKind::Undrain { wave, of }
            | PhaseKind::Bake { wave, of }
            | PhaseKind::Confirm { wave, of } => {
                (*wave, *of) = (switched, waves);
            }
            _ => {}
        }
    }
    phases
}

/// What the deployer does for several apps it does once.
fn add_new(steps: &mut Vec<DeployerStep>, more: Vec<DeployerStep>) {
    for step in more {
        if !steps.iter().any(|known| known.action == step.action) {
            steps.push(step);
        }
    }
}

/// What a person should know; what isn't about all apps says about which it is.
fn notes_of_all(plans: &[AppPlan]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for AppPlan { name, plan, .. } in plans {
        for note in &plan.notes {
            let is_of_all = plans.iter().all(|app| app.plan.notes.contains(note));
            let note = match &note.host {
                None if !is_of_all => Note { host: None, text: format!("{name}: {}", note.text) },
                _ => note.clone(),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// The apps that a rollback leaves as they are where no release is named, and why: what the last run didn't change which changed any, and what
/// was new then. What those serve is what they served before that run.
pub fn what_stays(apps: &[AppInEnvironment], hosts: &[SeenHost<'_>]) -> Vec<(AppName, String)> {
    let made_by = |facts: &HostFacts| {
        let record = facts.slots.get(facts.live_slot()?)?.record.as_ref()?;
        Some(record.run.clone())
    };
    let last_of = |app: &AppInEnvironment| -> Option<RunId> {
        of_app(hosts, &app.name).iter().filter_map(|seen| made_by(seen.facts)).max()
    };
    let last = apps.iter().filter_map(last_of).max();
    let has_one_before = |AppInEnvironment { name, settings, .. }: &AppInEnvironment| {
        let targets = |seen: &SeenHost<'_>| strategy::of(settings).rollback_targets(settings, seen.facts);
        of_app(hosts, name).iter().any(|seen| !targets(seen).is_empty())
    };
    let (changed, others): (Vec<_>, Vec<_>) = apps.iter().partition(|app| last_of(app) == last);
    let (back, new): (Vec<_>, Vec<_>) = changed.into_iter().partition(|app| has_one_before(app));
    let unchanged = others.into_iter().map(|AppInEnvironment { name, .. }| {
        (name.clone(), format!("the last run didn't change it (`--app {name}` rolls it back)"))
    });
    // Where none could go back, that is told of all.
    let new = new.into_iter().filter(|_| !back.is_empty());
    let new = new.map(|app| (app.name.clone(), "it has no release before the one that serves".to_owned()));
    unchanged.chain(new).collect()
}
