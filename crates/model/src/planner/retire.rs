//! Taking a host out of service that left the configuration, and having the others forget it.

use super::context::{HostPlanning, RunContext, SeenHost};
use super::diagnosis::diagnose_host;
use super::work::work;
use crate::app::service::Service;
use crate::config::Settings;
use crate::host::Host;
use crate::host::diagnosis::stray;
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

/// Stops and removes on a host what is this app's there, but for its releases and what they share, and has the others forget
/// it. Without the host, they only forget it.
pub fn plan_retire(
    settings: &Settings,
    run: &RunContext,
    name: &HostName,
    retired: Option<SeenHost<'_>>,
    others: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let bare = settings_without_services(settings);
    let seen: Vec<SeenHost<'_>> = retired.into_iter().chain(others.iter().copied()).collect();
    let mut refusals = Vec::new();
    for SeenHost { host, facts } in &seen {
        let stops = diagnose_host(&bare, SeenHost { host, facts }, None).into_iter();
        refusals.extend(
            stops
                .filter(|diagnosis| diagnosis.kind.stops_any_change())
                .map(|diagnosis| Refusal::Unfit { host: host.name.clone(), diagnosis }),
        );
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let title = format!("retire {name}");
    let holder = run.holder(title.as_str());
    let mut notes = Vec::new();
    let mut works: Vec<(&Host, Vec<Action>)> = Vec::new();
    for planning in &HostPlanning::of_all(&bare, run, &seen) {
        let HostPlanning { host, facts, layout, owner, .. } = planning;
        let mut actions = planning.lock_as_seen(&holder);
        if host.name == *name {
            let nothing = WantedHere { service_files: &[], jobs: None };
            for left in left_over(facts, &nothing, owner) {
                if left.can_go() {
                    actions.push(ServiceAction::Remove(left).into());
                } else {
                    let (_, words, help) = stray(&left, layout);
                    notes.push(Note { host: Some(name.clone()), text: format!("{words}; {help}") });
                }
            }
            let text = format!(
                "releases and what they share stay in {}; a service that somebody else installed isn't stopped",
                layout.path
            );
            notes.push(Note { host: Some(name.clone()), text });
        } else {
            let mut gone = gone_hosts(facts, &settings.hosts);
            let knows = gone.iter().any(|gone| gone.host.name == *name);
            gone.retain(|gone| gone.host.name != *name);
            if !knows {
                continue;
            }
            let hosts = settings.hosts.iter().map(FleetHost::of).collect();
            actions.push(RecordAction::Fleet { hosts, gone }.into());
        }
        actions.push(run.note(JournalKind::HostRetired, Some(name.to_string())));
        works.push((*host, actions));
    }
    let is_empty = works.is_empty();
    let mut plan = work(&bare, run, Intent::Work, works);
    if is_empty {
        plan.phases.clear();
    }
    plan.title = Some(title);
    plan.notes = notes;
    Ok(plan)
}
