//! From what each host is to do to a plan of phases with gates between them.

use std::collections::{BTreeMap, BTreeSet};

use super::bake::{bake_seconds, confirms_waves};
use super::context::{HostChange, HostPlanning, RunContext};
use super::numbers::{Numbers, Part};
use super::reach::skipped_of;
use super::traffic::Draining;
use super::waits::too_long;
use super::waves::split_into_waves;
use crate::config::Settings;
use crate::deployer::action::DeployerAction;
use crate::host::record::{JournalKind, LockHolder};
use crate::names::{AppName, CommitId, HostName, RunId};
use crate::plan::action::{Action, PythonAction, ServiceAction, ToldVisitors};
use crate::plan::promise::Promise;
use crate::plan::refusal::Refusal;
use crate::plan::{Closing, DeployerStep, End, HostPlan, HostWork, Intent, Note, Phase, PhaseKind, Plan};
use crate::release::Release;

/// What a change of hosts is: the part of a plan that isn't about one host.
pub(super) struct Change {
    pub(super) intent: Intent,
    pub(super) kind: JournalKind,
    /// The project's tests, before anything else.
    pub(super) tests: Option<DeployerAction>,
    /// What the deployer does last before any host is touched, when all else that could stop the run there is over.
    pub(super) begin: Vec<DeployerAction>,
    /// What is made public once every host is ready.
    pub(super) publish: Vec<DeployerAction>,
    /// What is done on the primary only: last in the preparation, and before any switch.
    pub(super) primary: Primary,
    /// What hosts that don't change tell their visitors meanwhile.
    pub(super) others_tell: Option<ToldVisitors>,
    /// A ref that says what is live, when it is.
    pub(super) tells: Option<DeployedRef>,
    pub(super) notes: Vec<Note>,
}

/// A ref of the remote that says what is live, as it was before the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedRef {
    /// The remote.
    pub remote: String,
    /// The whole name of the ref.
    pub name: String,
    /// What it says there; `None`: there is no such ref.
    pub old: Option<CommitId>,
}

#[derive(Default)]
pub(super) struct Primary {
    pub(super) prepare: Vec<Action>,
    pub(super) once: Vec<Action>,
}

/// Begin, lock, announce, prepare, publish, once, switch and bake in waves, reopen, finish.
pub(super) fn assemble(
    settings: &Settings,
    run: &RunContext,
    change: Change,
    changes: &[HostChange<'_>],
    others: &[HostPlanning<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let Change { intent, kind, tests, begin, publish, primary, others_tell, tells, notes } = change;
    let of_inventory = settings.inventory.notes.iter().map(|text| Note { host: None, text: text.clone() });
    let notes = notes.into_iter().chain(many_fetch(settings, changes)).chain(told_promises(changes));
    let cutovers = changes.iter().flat_map(|change| change.planning.about_cutover());
    let notes = notes.chain(cutovers).chain(of_inventory).collect();
    let mut plan = Plan { notes, ..empty_plan(settings, run, intent) };
    let (draining, undrained) = Draining::of(settings, run, changes, others)?;
    let draining = draining.as_ref();
    plan.notes.extend(undrained);
    plan.hosts = host_plans(settings, changes, others);
    plan.from = was_live(changes);
    if changes.is_empty() {
        return Ok(plan);
    }
    plan.variables = deployer_variables(settings, run, &plan);
    let holder = run.holder(plan.headline());
    let Primary { prepare, once } = primary;
    // In its place the release isn't there before the switch.
    let waits = |action: &Action| changes[0].is_in_place() && needs_it_there(action);
    let (mut then, prepare): (Vec<Action>, Vec<Action>) = prepare.into_iter().partition(waits);
    let (in_switch, once): (Vec<Action>, Vec<Action>) = once.into_iter().partition(waits);
    let mut waves = split_into_waves(&settings.rollout, changes.len());
    // No other host serves the release before that is done.
    if !in_switch.is_empty() && waves[0] > 1 {
        waves.splice(0..1, [1, waves[0] - 1]);
    }
    let mut ordered: Vec<&HostChange<'_>> = changes.iter().collect();
    if let Some(draining) = draining {
        let wanted = waves.len();
        // What only the release itself can do, the first of all has to be there for.
        if in_switch.is_empty() {
            ordered = draining.in_order(ordered);
        }
        waves = draining.leave_in_service(&waves, &ordered).map_err(|refusal| vec![refusal])?;
        if waves.len() > wanted {
            let least = settings.drain.min_in_service;
            let text = format!(
                "hosts change in {} waves rather than {wanted}, so that {least} {} in traffic: `min_in_service`",
                waves.len(),
                if least == 1 { "stays" } else { "stay" }
            );
            plan.notes.push(Note { host: None, text });
        }
    }
    let bake_seconds = bake_seconds(settings, intent);
    let each_by_itself = confirms_waves(settings, changes).map_err(|refusal| vec![refusal])?;
    if each_by_itself && waves.len() > 1 {
        let text =
            "each wave is confirmed by itself: when a later one fails, those before it keep the new release";
        plan.notes.push(Note { host: None, text: text.to_owned() });
    }
    let beside = packages_beside(&changes[0].to.release, others);
    // Those of them that take part at all.
    let others = if others_tell.is_some() { others } else { &[] };

    let first = tests.into_iter().chain(hooks(&settings.hooks.local.before)).chain(begin);
    let mut numbers = Numbers::default();
    let mut phases = Phases::default();
    phases.deployer(PhaseKind::Begin, numbers.deployer(first));
    let all = || changes.iter().map(|change| &change.planning).chain(others);
    let lock = all().map(|planning| {
        numbers.work(planning.host, lock(planning, &holder).into_iter().map(Part::Do).collect())
    });
    phases.hosts(PhaseKind::Lock, lock.collect());

    let mut announce = Vec::new();
    for change in changes {
        if let Some(told) = change.told.by_this_run() {
            announce.push(numbers.work(change.planning.host, change.planning.announce_for_this_run(told)));
        }
    }
    if let Some(draining) = draining {
        announce.extend(draining.announce(&ordered[..waves[0]], 0, &mut numbers));
    }
    for planning in others {
        if let Some(told) = &others_tell {
            announce.push(numbers.work(planning.host, planning.announce_for_this_run(told)));
        }
    }
    phases.hosts(PhaseKind::Announce, announce);

    let batches = fetching_in_batches(settings, changes);
    let of = batches.len() as u32;
    for (batch, changes) in (1..).zip(&batches) {
        let work = changes.iter().map(|change| {
            let actions = change.prepare[..change.fetching()].iter().cloned();
            numbers.work(change.planning.host, actions.map(Part::Do).collect())
        });
        phases.hosts(PhaseKind::Fetch { batch, of }, work.collect());
    }
    let mut prepare = Some(prepare);
    let work = changes.iter().map(|change| {
        let is_alone = changes.len() == 1 && beside.is_empty();
        let compared = if is_alone { None } else { compared(&change.prepare, &beside) };
        let done = if batches.is_empty() { 0 } else { change.fetching() };
        // The first host is the primary.
        let actions = change.prepare[done..]
            .iter()
            .cloned()
            .chain(compared)
            .chain(prepare.take().into_iter().flatten());
        numbers.work(change.planning.host, actions.map(Part::Do).collect())
    });
    phases.hosts(PhaseKind::Prepare, work.collect());
    phases.deployer(PhaseKind::Publish, numbers.deployer(publish));
    then.extend(in_switch);
    if !once.is_empty() {
        let work = numbers.work(changes[0].planning.host, once.into_iter().map(Part::Do).collect());
        phases.hosts(PhaseKind::Once { turn: 1, of: 1 }, vec![work]);
    }

    let mut rest = ordered.as_slice();
    // How many are confirmed before the end.
    let mut done = 0;
    for (index, size) in waves.iter().enumerate() {
        let (wave, later) = rest.split_at(*size);
        rest = later;
        let is_last = index + 1 == waves.len();
        let is_alone = changes.len() == 1 && beside.is_empty();
        let (number, of) = (index as u32 + 1, waves.len() as u32);
        if let Some(draining) = draining {
            let (steps, work) = draining.take_out(wave, &mut numbers);
            phases.both(PhaseKind::Drain { wave: number, of }, steps, work);
        }
        let work = wave.iter().map(|change| {
            let compared = if is_alone { None } else { compared(&change.in_place, &beside) };
            let then = compared.into_iter().chain(std::mem::take(&mut then)).collect();
            numbers.work(change.planning.host, change.switch(is_last, then, draining))
        });
        phases.hosts(PhaseKind::Switch { wave: number, of }, work.collect());
        let next = waves.get(index + 1).map_or(&[][..], |size| &later[..*size]);
        if let Some(draining) = draining {
            let (steps, mut work) = draining.put_back(wave, is_last, &mut numbers);
            if bake_seconds == 0 {
                work.extend(draining.announce(next, 0, &mut numbers));
            }
            phases.both(PhaseKind::Undrain { wave: number, of }, steps, work);
        }
        if bake_seconds > 0 {
            // What was well a wave ago needn't be any more.
            let switched = if each_by_itself { wave } else { &ordered[..ordered.len() - rest.len()] };
            let bake = |change: &&HostChange<'_>| {
                let parts = change.bake(bake_seconds).into_iter().map(Part::Do);
                numbers.work(change.planning.host, parts.collect())
            };
            let mut work: Vec<HostWork> = switched.iter().map(bake).collect();
            if let Some(draining) = draining {
                work.extend(draining.announce(next, bake_seconds, &mut numbers));
            }
            phases.hosts(PhaseKind::Bake { wave: number, of }, work);
        }
        // The last is confirmed where all else ends.
        if each_by_itself && !is_last {
            let confirm = |change: &&HostChange<'_>| {
                numbers.work(change.planning.host, confirmed(change.finish(kind)).collect())
            };
            phases.hosts(PhaseKind::Confirm { wave: number, of }, wave.iter().map(confirm).collect());
            done += wave.len();
        }
    }

    let mut reopen = Vec::new();
    for change in changes.iter().filter(|change| change.told.by_this_run().is_some()) {
        let actions = change.planning.reopen(&change.to);
        reopen.push(numbers.work(change.planning.host, actions.into_iter().map(Part::Do).collect()));
    }
    for planning in others {
        let actions = planning.reopen_as_it_was();
        reopen.push(numbers.work(planning.host, actions.into_iter().map(Part::Do).collect()));
    }
    phases.hosts(PhaseKind::Reopen, reopen);

    let finish = |actions| confirmed(actions).chain([Part::Leave]).collect::<Vec<Part>>();
    let is_done = |change: &HostChange<'_>| {
        ordered[..done].iter().any(|done| done.planning.host.name == change.planning.host.name)
    };
    let mut work: Vec<HostWork> = Vec::new();
    for change in changes {
        let parts = if is_done(change) { vec![Part::Leave] } else { finish(change.finish(kind)) };
        work.push(numbers.work(change.planning.host, parts));
    }
    for planning in others {
        work.push(numbers.work(planning.host, finish(Vec::new())));
    }
    phases.hosts(PhaseKind::Finish, work);
    plan.phases = phases.0;
    if let Some(refusal) = too_long(&plan, &settings.limits) {
        return Err(vec![refusal]);
    }
    // What a command made before it failed is in the way of the next deploy, whoever's that is. What is written down takes
    // less room than is kept for it.
    let note = |change: &HostChange<'_>| {
        let given = change.planning.give_to_group(&change.to.slot).filter(|_| change.fills_slot());
        let back = draining.and_then(|draining| draining.on_failure(change));
        let actions =
            back.into_iter().chain([change.journal(JournalKind::Failed)]).chain(change.give_room_back());
        let actions = actions.chain(change.drop_copy());
        actions.chain(given).map(Part::Do).collect()
    };
    plan.on_failure = changes.iter().map(|change| numbers.work(change.planning.host, note(change))).collect();
    // A canary, or a host that goes on by itself, isn't what is live.
    let is_whole = |commit: &CommitId| {
        plan.hosts.iter().all(|planned| match &planned.to {
            Some(to) => to.release.commit == *commit,
            None => planned.from.as_ref().is_some_and(|from| from.commit == *commit),
        })
    };
    if let Some(DeployedRef { remote, name, old }) = tells {
        let commit = changes[0].to.release.commit.clone();
        let all = plan.hosts.len() + plan.skipped.len() >= settings.hosts.len();
        if all && is_whole(&commit) {
            let action = DeployerAction::MoveRef { remote, name, old, commit };
            plan.closing.push(Closing { when: End::Done, steps: numbers.deployer([action]) });
        } else {
            let text = format!("{name} stays as it is: it says what is live on all hosts");
            plan.notes.push(Note { host: None, text });
        }
    }
    for (when, commands) in
        [(End::Done, &settings.hooks.local.after), (End::Failed, &settings.hooks.local.on_failure)]
    {
        if !commands.is_empty() {
            plan.closing.push(Closing { when, steps: numbers.deployer(hooks(commands)) });
        }
    }
    Ok(plan)
}

/// What follows once a host is confirmed.
fn confirmed(actions: Vec<Action>) -> impl Iterator<Item = Part> {
    std::iter::once(Part::Confirm).chain(actions.into_iter().map(Part::Do))
}

/// Whether what is done on the primary can only be done by the release itself: what is asked of its copy isn't.
fn needs_it_there(action: &Action) -> bool {
    !matches!(action, Action::Python(PythonAction::Migrations { older, .. }) if older.kept.is_some())
}

/// The promises that a strategy can't keep where it changes what serves; where it fills another slot, it keeps them all. What is put
/// back from its copy was built and checked before.
fn broken_promises(change: &HostChange<'_>) -> Vec<Promise> {
    let broken = if change.is_in_place() { change.planning.strategy.broken_promises() } else { &[] };
    let is_broken = |promise: &Promise| *promise != Promise::ReadyBeforeSwitch || change.fills_slot();
    broken.iter().copied().filter(is_broken).collect()
}

/// The same for people.
fn told_promises(changes: &[HostChange<'_>]) -> impl Iterator<Item = Note> {
    changes.iter().flat_map(|change| {
        let note = |promise: Promise| Note {
            host: Some(change.planning.host.name.clone()),
            text: promise.to_string(),
        };
        broken_promises(change).into_iter().map(note)
    })
}

/// Where so many hosts fetch at once, git servers begin to refuse.
const MANY: usize = 10;

/// What could be done about many hosts that ask the git server at the same time.
fn many_fetch(settings: &Settings, changes: &[HostChange<'_>]) -> Option<Note> {
    let fetching = changes.iter().filter(|change| change.fetching() > 0).count();
    let text = format!(
        "{fetching} hosts fetch from the git remote at the same time: with `source = \"bundle\"` only this machine does, and sends each \
         of them what it lacks; `fetch_concurrency` lets fewer fetch at once"
    );
    (fetching >= MANY && settings.source.fetch_concurrency.is_none()).then_some(Note { host: None, text })
}

/// The hosts that fetch, so many at a time as may; none, where all may at once.
fn fetching_in_batches<'c, 'a>(
    settings: &Settings,
    changes: &'c [HostChange<'a>],
) -> Vec<Vec<&'c HostChange<'a>>> {
    let fetching: Vec<&HostChange<'_>> = changes.iter().filter(|change| change.fetching() > 0).collect();
    let most = settings.source.fetch_concurrency.map_or(usize::MAX, |most| most as usize);
    // Those of other apps may ask at the same time: there all go by batches, one after the other.
    let is_one_of_several = changes.iter().any(|change| change.planning.host.app.is_some());
    if fetching.is_empty() || fetching.len() <= most && !(is_one_of_several && most < usize::MAX) {
        return Vec::new();
    }
    fetching.chunks(most).map(<[_]>::to_vec).collect()
}

/// A plan that does nothing yet.
pub(super) fn empty_plan(settings: &Settings, run: &RunContext, intent: Intent) -> Plan {
    Plan {
        run: run.run.clone(),
        at: run.at,
        by: run.by.clone(),
        intent,
        work: None,
        title: None,
        unit: settings.app.unit.clone(),
        environment: settings.environment.clone(),
        hosts: Vec::new(),
        from: None,
        skipped: skipped_of(settings, run).cloned().collect(),
        phases: Vec::new(),
        on_failure: Vec::new(),
        closing: Vec::new(),
        deploy_group: settings.users.deploy_group.clone(),
        variables: BTreeMap::new(),
        left_out: settings.inventory.left_out.clone(),
        notes: Vec::new(),
    }
}

fn host_plans(settings: &Settings, changes: &[HostChange<'_>], others: &[HostPlanning<'_>]) -> Vec<HostPlan> {
    let changed = changes.iter().map(|change| HostPlan {
        host: change.planning.host.clone(),
        layout: change.planning.layout.clone(),
        from: change.from.clone(),
        to: Some(change.to.clone()),
        known_by: change.planning.settings.serving_known_by(change.planning.host),
        is_drained: change.planning.facts.drained.is_some(),
        trouble: change.planning.facts.trouble_in_words(),
        rollback_targets: change.planning.rollback_targets(),
        broken_promises: broken_promises(change),
    });
    let unchanged = others.iter().map(|planning| HostPlan {
        host: planning.host.clone(),
        layout: planning.layout.clone(),
        from: planning.facts.live(),
        to: None,
        known_by: settings.serving_known_by(planning.host),
        is_drained: planning.facts.drained.is_some(),
        trouble: planning.facts.trouble_in_words(),
        rollback_targets: planning.rollback_targets(),
        broken_promises: Vec::new(),
    });
    let mut hosts: Vec<HostPlan> = changed.chain(unchanged).collect();
    hosts.sort_by_key(|planned| settings.hosts.iter().position(|host| host.name == planned.host.name));
    hosts
}

/// What was live before a change: of several releases that which most hosts serve, or of as many the one that came last. A host that was
/// away for a while, and is far behind, doesn't say what the change is compared with.
fn was_live(changes: &[HostChange<'_>]) -> Option<Release> {
    let mut served: BTreeMap<&CommitId, (usize, &RunId, &Release)> = BTreeMap::new();
    for change in changes {
        let run = change.planning.facts.live_record().map_or(&change.planning.run.run, |record| &record.run);
        let Some(from) = &change.from else { continue };
        let known = served.entry(&from.commit).or_insert((0, run, from));
        *known = (known.0 + 1, known.1.max(run), known.2);
    }
    let most = served.into_values().max_by_key(|(count, run, _)| (*count, *run));
    most.map(|(_, _, release)| release.clone())
}

/// Phases in which somebody has something to do.
#[derive(Default)]
struct Phases(Vec<Phase>);

impl Phases {
    fn deployer(&mut self, kind: PhaseKind, steps: Vec<DeployerStep>) {
        self.both(kind, steps, Vec::new());
    }

    fn hosts(&mut self, kind: PhaseKind, work: Vec<HostWork>) {
        self.both(kind, Vec::new(), work);
    }

    fn both(&mut self, kind: PhaseKind, deployer: Vec<DeployerStep>, work: Vec<HostWork>) {
        if !(deployer.is_empty() && work.is_empty()) {
            self.0.push(Phase { kind, deployer, work });
        }
    }
}

fn lock(planning: &HostPlanning<'_>, holder: &LockHolder) -> Vec<Action> {
    let settings = planning.settings;
    let mut actions = Vec::new();
    if !planning.facts.has_folders || planning.facts.owner.is_none() {
        actions.push(planning.create_folders());
    }
    actions.extend(planning.lock_as_seen(holder));
    if settings.users.ask_sudo_password && settings.may_use_sudo() {
        actions.push(ServiceAction::VerifySudo.into());
    }
    actions
}

/// That a release's virtualenv holds the same packages on all hosts, where it has one.
fn compared(prepare: &[Action], beside: &BTreeMap<HostName, Vec<String>>) -> Option<Action> {
    let mut slots = prepare.iter().filter_map(|action| match action {
        Action::Python(PythonAction::Virtualenv { slot, .. }) => Some(slot.clone()),
        _ => None,
    });
    slots.next().map(|slot| PythonAction::Versions { slot, beside: beside.clone() }.into())
}

/// What was resolved for a release on hosts that serve it and don't change.
fn packages_beside(release: &Release, others: &[HostPlanning<'_>]) -> BTreeMap<HostName, Vec<String>> {
    let serve_it = others.iter().filter(|planning| {
        !planning.facts.pins.is_empty()
            && planning.facts.live().is_some_and(|live| live.commit == release.commit)
    });
    serve_it.map(|planning| (planning.host.name.clone(), planning.facts.pins.clone())).collect()
}

fn hooks(commands: &[String]) -> Vec<DeployerAction> {
    commands.iter().map(|command| DeployerAction::Hook { command: command.clone() }).collect()
}

/// What commands on the deployer find in their environment.
pub(super) fn deployer_variables(
    settings: &Settings,
    run: &RunContext,
    plan: &Plan,
) -> BTreeMap<String, String> {
    let release = plan.release();
    let from = plan.from.as_ref();
    let mut machines = BTreeSet::new();
    let hosts = plan.hosts.iter().map(|planned| planned.host.machine());
    let hosts: Vec<&str> = hosts.filter(|machine| machines.insert(*machine)).collect();
    let mut apps: Vec<&str> =
        plan.hosts.iter().filter_map(|planned| planned.host.app.as_ref()).map(AppName::as_str).collect();
    apps.dedup();
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &str| drop(variables.insert(name.to_owned(), value.to_owned()));
    set("DEPLOYMENT_TYPE", &settings.developer.local_deployment_type);
    set("BUEDAFAB_APPS", &apps.join(","));
    set("BUEDAFAB_BY", &run.by);
    set("BUEDAFAB_COMMAND", if plan.intent == Intent::Rollback { "rollback" } else { "deploy" });
    set("BUEDAFAB_COMMIT", release.map_or("", |release| release.commit.as_str()));
    set("BUEDAFAB_DEPLOYMENT_TYPE", &settings.app.deployment_type);
    set("BUEDAFAB_DESCRIBE", release.map_or("", |release| release.describe.as_str()));
    set("BUEDAFAB_ENVIRONMENT", plan.environment.as_str());
    set("BUEDAFAB_HOSTS", &hosts.join(","));
    set("BUEDAFAB_PREVIOUS_COMMIT", from.map_or("", |release| release.commit.as_str()));
    set("BUEDAFAB_RUN", run.run.as_str());
    set("BUEDAFAB_TAG", release.and_then(|release| release.tag.as_deref()).unwrap_or_default());
    set("BUEDAFAB_UNIT", plan.unit.as_str());
    variables
}
