//! Taking a host out of service that left the configuration, and having the others forget it.

use super::context::{HostPlanning, RunContext, SeenHost};
use super::diagnosis::diagnose_host;
use super::work::work;
use crate::app::service::Service;
use crate::config::Settings;
use crate::host::Host;
use crate::host::diagnosis::{DiagnosisKind, Severity, stray};
use crate::host::fleet::{FleetHost, GoneHost, gone_hosts};
use crate::host::left_over::{WantedHere, left_over};
use crate::host::record::JournalKind;
use crate::names::HostName;
use crate::plan::action::{Action, RecordAction, ServiceAction};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan};

/// The settings of an environment as they concern a host that isn't of it any more: nothing is wanted there.
pub fn settings_without_services(settings: &Settings) -> Settings {
    let mut bare = settings.clone();
    bare.services.named.clear();
    bare.services.app = Service::None;
    bare.hooks.on_hosts.restart.clear();
    bare.crontab.file = None;
    bare.health.health = None;
    bare.version.url = None;
    bare.shared.files.clear();
    bare.users.run_as = None;
    bare
}

/// Where a host was that left the configuration, as any of the others knows it.
pub fn gone_host(settings: &Settings, name: &HostName, others: &[SeenHost<'_>]) -> Option<Host> {
    let known = others.iter().flat_map(|seen| gone_hosts(seen.facts, &settings.hosts));
    let mut named = known.filter(|gone| gone.host.name == *name);
    named.next().map(|GoneHost { host, .. }| host.like(settings.hosts.first()))
}

/// Stops and removes on a host what is this app's there, but for its releases and what they share: never on one of those that
/// stay, by whatever name it is reached. Where its folder is gone there is nothing to lock: what else says that it is ours is removed,
/// and where there is nothing at all the plan is empty. Whose that may be is said by `url`, where the code comes from, if neither the
/// settings nor the folder say it.
pub fn plan_retire(
    settings: &Settings,
    run: &RunContext,
    retired: SeenHost<'_>,
    others: &[SeenHost<'_>],
    url: Option<&str>,
) -> Result<Plan, Vec<Refusal>> {
    let is_retired = |other: &&SeenHost<'_>| {
        other.facts.identity.is_some() && other.facts.identity == retired.facts.identity
    };
    if let Some(same) = others.iter().find(is_retired) {
        let (host, other) = (retired.host.name.clone(), same.host.name.clone());
        return Err(vec![Refusal::SameMachine { host, other }]);
    }
    let mut bare = settings_without_services(settings);
    if !retired.facts.exists && bare.source.scm.is_none() {
        bare.source.scm = url.map(str::to_owned);
    }
    let hosts = examined(&bare, run, &[retired])?;
    let planning = &hosts[0];
    let HostPlanning { host, facts, layout, owner, .. } = planning;
    let title = format!("retire {}", host.name);
    let mut actions =
        if facts.exists { planning.lock_as_seen(&run.holder(title.as_str())) } else { Vec::new() };
    let mut notes = Vec::new();
    let mut note = |text| notes.push(Note { host: Some(host.name.clone()), text });
    let nothing = WantedHere { service_files: &[], jobs: None };
    let all = left_over(facts, &nothing, owner);
    if let Some(refusal) = HostPlanning::cannot_remove(&all, retired) {
        return Err(vec![refusal]);
    }
    for left in all {
        if left.can_go() {
            // The others go on telling of a host on which something can't be stopped.
            actions.push(ServiceAction::Remove { left, optional: false }.into());
        } else {
            let (_, words, help) = stray(&left, layout);
            note(format!("{words}; {help}"));
        }
    }
    if facts.exists {
        note(format!(
            "releases and what they share stay in {}; a service that somebody else installed isn't stopped",
            layout.path
        ));
        actions.push(run.note(JournalKind::HostRetired, Some(host.name.to_string())));
    } else {
        let else_ = if actions.is_empty() { ", and nothing else here is this app's" } else { "" };
        note(format!("there is no {}{else_}", layout.path));
    }
    let is_empty = actions.is_empty();
    let mut plan =
        Plan { title: Some(title), notes, ..work(&bare, run, Intent::Work, vec![(host, actions)]) };
    if is_empty {
        plan.phases.clear();
    }
    Ok(plan)
}

/// Has the hosts of the configuration forget one that left it; an empty plan, where none of them knows it.
pub fn plan_forget(
    settings: &Settings,
    run: &RunContext,
    name: &HostName,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let bare = settings_without_services(settings);
    let title = format!("forget {name}");
    let holder = run.holder(title.as_str());
    let knows = |seen: &&SeenHost<'_>| {
        gone_hosts(seen.facts, &settings.hosts).iter().any(|gone| gone.host.name == *name)
    };
    let knowing: Vec<SeenHost<'_>> = hosts.iter().filter(knows).copied().collect();
    let all = examined(&bare, run, &knowing)?;
    let works: Vec<(&Host, Vec<Action>)> = all
        .iter()
        .map(|planning| {
            let gone = gone_hosts(planning.facts, &settings.hosts);
            let gone = gone.into_iter().filter(|gone| gone.host.name != *name).collect();
            let hosts = settings.hosts.iter().map(FleetHost::of).collect();
            let mut actions = planning.lock_as_seen(&holder);
            actions.push(RecordAction::Fleet { hosts, gone }.into());
            actions.push(run.note(JournalKind::HostRetired, Some(name.to_string())));
            (planning.host, actions)
        })
        .collect();
    let is_empty = works.is_empty();
    let mut plan = Plan { title: Some(title), ..work(&bare, run, Intent::Work, works) };
    if is_empty {
        plan.phases.clear();
    }
    Ok(plan)
}

/// The hosts, if nothing speaks against changing them at all.
fn examined<'a>(
    bare: &'a Settings,
    run: &'a RunContext,
    hosts: &[SeenHost<'a>],
) -> Result<Vec<HostPlanning<'a>>, Vec<Refusal>> {
    let refusals = hosts.iter().flat_map(|seen| {
        let stops = diagnose_host(bare, *seen, None).into_iter();
        // Nothing is written into a folder that isn't there.
        let is_in_the_way =
            move |kind: DiagnosisKind| seen.facts.exists || kind != DiagnosisKind::NotWritable;
        let stops = stops.filter(move |diagnosis| {
            diagnosis.severity == Severity::Blocks
                && diagnosis.kind.stops_any_change()
                && is_in_the_way(diagnosis.kind)
        });
        stops.map(|diagnosis| Refusal::Unfit { host: seen.host.name.clone(), diagnosis })
    });
    let refusals: Vec<Refusal> = refusals.collect();
    if refusals.is_empty() { Ok(HostPlanning::of_all(bare, run, hosts)) } else { Err(refusals) }
}
