//! Plans that switch nothing: a command, a hold, a restart.

use std::collections::BTreeMap;

use super::assemble::empty_plan;
use super::context::{Direction, HostPlanning, RunContext, SeenHost};
use super::diagnosis::{owner_by, stops_restarts};
use super::examine::examine;
use super::maintenance::told_before;
use super::numbers::{Numbers, Part};
use super::surroundings::surroundings;
use crate::app::package::FetchedPackage;
use crate::config::Settings;
use crate::host::Host;
use crate::host::diagnosis::{DiagnosisKind, describe_holder};
use crate::host::facts::HostFacts;
use crate::host::left_over::LeftOver;
use crate::host::record::{Hold, JournalKind};
use crate::names::HostPath;
use crate::plan::action::{Action, AppAction, EnvEdit, RecordAction, Surroundings};
use crate::plan::refusal::Refusal;
use crate::plan::{HostPlan, Intent, Note, Phase, PhaseKind, Plan, WorkKind};
use crate::shell::list_variables;

/// A command on every host, in the live release where there is one. Needs no look at the hosts first.
pub fn plan_run(settings: &Settings, run: &RunContext, command: &str, hosts: &[&Host]) -> Plan {
    plan_task(settings, run, &[command.to_owned()], &BTreeMap::new(), hosts)
}

/// A task of the project: its commands on every one of these hosts, in the live release where there is one, with these
/// variables besides the usual ones.
pub fn plan_task(
    settings: &Settings,
    run: &RunContext,
    commands: &[String],
    arguments: &BTreeMap<String, String>,
    hosts: &[&Host],
) -> Plan {
    let actions = |host: &Host| {
        let mut variables = settings.app.variables.clone();
        variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.app.deployment_type.clone());
        variables.extend(arguments.clone());
        let around = surroundings(settings, &settings.layout(host).current(), variables);
        let command =
            |command: &String| AppAction::Run { command: command.clone(), around: around.clone() }.into();
        commands.iter().map(command).collect()
    };
    work_on(settings, run, hosts, actions)
}

/// A person's "do not deploy", on every host that isn't on hold already, as far as it was seen. What somebody else said
/// first stands, with their reason.
pub fn plan_hold(
    settings: &Settings,
    run: &RunContext,
    reason: &str,
    hosts: &[&Host],
    seen: &[SeenHost<'_>],
) -> Plan {
    let actions = |host: &Host| {
        let seen = seen.iter().find(|seen| seen.host.name == host.name);
        let hold = [
            RecordAction::Hold { by: run.by.clone(), reason: reason.to_owned() }.into(),
            run.note(JournalKind::Held, Some(reason.to_owned())),
        ];
        share_first(settings, seen.map(|seen| seen.facts)).into_iter().chain(hold).collect()
    };
    let is_held = |host: &Host, facts: &HostFacts| {
        if let Some(bad) = facts.bad_record(&settings.layout(host).hold()) {
            return Some(format!("on hold already, and why isn't known: {}", bad.in_words(&facts.user)));
        }
        let Hold { at, by, reason } = facts.hold.as_ref()?;
        Some(format!("on hold already, says {by} since {at}: {reason:?}"))
    };
    let mut plan =
        Plan { work: Some(WorkKind::Hold), ..work_unless(settings, run, hosts, seen, is_held, actions) };
    // What was begun isn't stopped by it, and whoever puts it up should know.
    for SeenHost { host, facts } in seen {
        let Some(lock) = &facts.lock else { continue };
        let text = format!("a run that has begun goes on: {}", describe_holder(lock.holder.as_ref()));
        plan.notes.push(Note { host: Some(host.name.clone()), text });
    }
    plan
}

/// Makes the folders that a group shares, where nobody has made them yet: who comes second has to write there, too.
pub(super) fn share_first(settings: &Settings, facts: Option<&HostFacts>) -> Option<Action> {
    let group =
        settings.users.deploy_group.clone().filter(|_| facts.is_none_or(|facts| !facts.has_folders))?;
    Some(RecordAction::CreateFolders { group: Some(group), owner: owner_by(settings, None) }.into())
}

/// A file of the deployer's on every host, in the app's directory where `place` doesn't say otherwise; `permissions` are those that it
/// has here. Needs no look at the hosts first.
pub fn plan_put(
    settings: &Settings,
    run: &RunContext,
    file: &FetchedPackage,
    place: &PutPlace,
    permissions: u32,
    hosts: &[&Host],
) -> Plan {
    // Nobody else writes it there, and who deploys can replace it.
    let mode = permissions & 0o755 | 0o600;
    let actions = |host: &Host| {
        let place = match place {
            PutPlace::Absolute(place) => place.clone(),
            PutPlace::Below(place) => settings.layout(host).path.join(place),
        };
        vec![AppAction::Put { file: file.clone(), place, mode }.into()]
    };
    Plan { title: Some(format!("put {}", file.file)), ..work_on(settings, run, hosts, actions) }
}

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutPlace {
    /// There.
    Absolute(HostPath),
    /// There in the app's directory.
    Below(String),
}

impl PutPlace {
    /// What a person typed for a file of this name. What ends with a slash is a folder.
    pub fn new(typed: &str, file: &str) -> Result<PutPlace, String> {
        let typed = if typed.ends_with('/') { format!("{typed}{file}") } else { typed.to_owned() };
        let place = if typed.starts_with('/') {
            HostPath::new(&typed).map(PutPlace::Absolute)
        } else {
            HostPath::new(format!("/{typed}")).map(|_| PutPlace::Below(typed))
        };
        place.map_err(|error| error.to_string())
    }
}

/// The end of a hold, on every host that is on hold, as far as it was seen.
pub fn plan_unhold(settings: &Settings, run: &RunContext, hosts: &[&Host], seen: &[SeenHost<'_>]) -> Plan {
    let actions = |_: &Host| vec![RecordAction::Unhold.into(), run.note(JournalKind::Unheld, None)];
    let is_free = |host: &Host, facts: &HostFacts| {
        let is_bad = facts.bad_record(&settings.layout(host).hold()).is_some();
        (facts.hold.is_none() && !is_bad).then(|| "not on hold".to_owned())
    };
    Plan { work: Some(WorkKind::Hold), ..work_unless(settings, run, hosts, seen, is_free, actions) }
}

/// Some work on every host but those of which is said that it is done there already.
fn work_unless(
    settings: &Settings,
    run: &RunContext,
    hosts: &[&Host],
    seen: &[SeenHost<'_>],
    is_done: impl Fn(&Host, &HostFacts) -> Option<String>,
    actions: impl Fn(&Host) -> Vec<Action>,
) -> Plan {
    let mut notes = Vec::new();
    for SeenHost { host, facts } in seen {
        let note = |text| Note { host: Some(host.name.clone()), text };
        notes.extend(is_done(host, facts).map(note));
    }
    let is_open = |host: &&&Host| notes.iter().all(|note| note.host.as_ref() != Some(&host.name));
    let open: Vec<&Host> = hosts.iter().filter(is_open).copied().collect();
    let mut plan = work_on(settings, run, &open, actions);
    if open.is_empty() {
        plan.phases.clear();
    }
    plan.notes = notes;
    plan
}

/// A change of the file of variables, on every host: none where it would be another app's.
pub fn plan_env(
    settings: &Settings,
    run: &RunContext,
    edit: &EnvEdit,
    file: &str,
    seen: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let (mut refusals, _) = examine(settings, &HostPlanning::of_all(settings, run, seen));
    refusals.retain(
        |refusal| matches!(refusal, Refusal::Unfit { diagnosis, .. } if diagnosis.kind == DiagnosisKind::Foreign),
    );
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let hosts: Vec<&Host> = seen.iter().map(|seen| seen.host).collect();
    let mut plan = work_on(settings, run, &hosts, |host| {
        let file = settings.layout(host).shared().join(file);
        vec![
            RecordAction::CreateFolders {
                group: settings.users.deploy_group.clone(),
                owner: owner_by(settings, None),
            }
            .into(),
            AppAction::EnvFile { edit: edit.clone(), file, group: settings.users.deploy_group.clone() }
                .into(),
            run.note(JournalKind::EnvChanged, Some(edit.to_string())),
        ]
    });
    plan.title = Some(edit.to_string());
    Ok(plan)
}

/// The names in the file of variables, on every host; never what they are.
pub fn plan_env_list(settings: &Settings, run: &RunContext, file: &str, hosts: &[&Host]) -> Plan {
    work_on(settings, run, hosts, |host| {
        let layout = settings.layout(host);
        let names = AppAction::Run {
            command: list_variables(&layout.shared().join(file)),
            around: Surroundings {
                directory: layout.path,
                variables: BTreeMap::new(),
                virtualenv: None,
                run_as: None,
            },
        };
        vec![names.into()]
    })
}

/// A restart of what is live, under the lock.
pub fn plan_restart(
    settings: &Settings,
    run: &RunContext,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let hosts = HostPlanning::of_all(settings, run, hosts);
    let (mut refusals, notes) = examine(settings, &hosts);
    refusals.retain(
        |refusal| !matches!(refusal, Refusal::Unfit { diagnosis, .. } if !stops_restarts(settings, diagnosis.kind)),
    );
    for planning in hosts.iter().filter(|planning| planning.facts.live_slot().is_none()) {
        refusals.push(Refusal::NothingLive { host: planning.host.name.clone() });
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(Plan { notes, ..restart_on(settings, run, &hosts) })
}

/// The removal of what isn't wanted any more on hosts that serve what they should.
pub(super) fn prune_on(settings: &Settings, run: &RunContext, hosts: &[HostPlanning<'_>]) -> Plan {
    let title = "remove what isn't wanted any more";
    let holder = run.holder(title);
    let works = hosts.iter().filter(|planning| !planning.removes.is_empty()).map(|planning| {
        let names: Vec<String> = planning.removes.iter().map(LeftOver::name).collect();
        let mut actions = planning.lock_as_seen(&holder);
        // The run is for nothing else, and has done what it says only where all of it is gone.
        actions.extend(planning.removal(false));
        actions.push(run.note(JournalKind::Pruned, Some(names.join(", "))));
        (planning.host, actions)
    });
    let mut plan = work(settings, run, Intent::Work, works.collect());
    plan.title = Some(title.to_owned());
    for planned in &mut plan.hosts {
        planned.from =
            hosts.iter().find(|seen| seen.host.name == planned.host.name).and_then(|seen| seen.facts.live());
    }
    plan
}

/// A restart of what is live on hosts that may be changed.
pub(super) fn restart_on(settings: &Settings, run: &RunContext, hosts: &[HostPlanning<'_>]) -> Plan {
    let holder = run.holder("restart");
    // What a reload has left stale it won't mend.
    let mut whole = settings.clone();
    whole.services.named.iter_mut().for_each(|named| named.reload = false);
    let works = hosts.iter().map(|planning| {
        let settings = if planning.facts.trouble().is_empty() { planning.settings } else { &whole };
        let planning = HostPlanning { settings, ..planning.clone() };
        let mut actions = planning.lock_as_seen(&holder);
        actions.extend(planning.restart_as_it_was(Direction::Forward));
        let told = planning.facts.maintenance.as_ref().map(told_before);
        actions.extend(planning.live_is_well(told.as_ref()));
        actions.push(run.note(JournalKind::Restarted, None));
        (planning.host, actions)
    });
    let mut plan = work(settings, run, Intent::Restart, works.collect());
    for (planned, planning) in plan.hosts.iter_mut().zip(hosts) {
        planned.from = planning.facts.live();
        planned.trouble = planning.facts.trouble_in_words();
    }
    plan
}

/// Some work on every one of these hosts, which needs no look at them.
pub(super) fn work_on(
    settings: &Settings,
    run: &RunContext,
    hosts: &[&Host],
    actions: impl Fn(&Host) -> Vec<Action>,
) -> Plan {
    work(settings, run, Intent::Work, hosts.iter().map(|host| (*host, actions(host))).collect())
}

/// What each of these hosts does, all at once.
pub(super) fn work(
    settings: &Settings,
    run: &RunContext,
    intent: Intent,
    works: Vec<(&Host, Vec<Action>)>,
) -> Plan {
    let planned = |host: &Host| HostPlan {
        host: host.clone(),
        layout: settings.layout(host),
        from: None,
        to: None,
        known_by: settings.serving_known_by(host),
        is_drained: false,
        trouble: Vec::new(),
        rollback_targets: Vec::new(),
        broken_promises: Vec::new(),
    };
    let hosts: Vec<HostPlan> = works.iter().map(|(host, _)| planned(host)).collect();
    let mut numbers = Numbers::default();
    let work = works.into_iter().map(|(host, actions)| {
        let steps = actions.into_iter().map(Part::Do);
        numbers.work(host, steps.chain([Part::Leave]).collect())
    });
    let phase = Phase { kind: PhaseKind::Work, deployer: Vec::new(), work: work.collect() };
    // What switches nothing and takes no lock is noted where it was done, if at all.
    let notes =
        |planned: &HostPlan| numbers.work(&planned.host, vec![Part::Do(run.note(JournalKind::Failed, None))]);
    let on_failure = if intent == Intent::Restart { hosts.iter().map(notes).collect() } else { Vec::new() };
    Plan { hosts, phases: vec![phase], on_failure, ..empty_plan(settings, run, intent) }
}
