//! What speaks against changing hosts, and what a person should know about them.

use super::context::{HostPlanning, SeenHost};
use super::diagnosis::diagnose_by;
use super::services::homeless_services;
use crate::config::Settings;
use crate::host::diagnosis::Severity;
use crate::plan::Note;
use crate::plan::refusal::Refusal;

/// Hosts that are reached by two names: where one is locked, the other is, too.
pub fn same_folders(settings: &Settings, hosts: &[SeenHost<'_>]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (at, one) in hosts.iter().enumerate() {
        let is_it = |other: &&SeenHost<'_>| {
            other.facts.own_folder.is_some() && other.facts.own_folder == one.facts.own_folder
        };
        if let Some(first) = hosts[..at].iter().find(is_it) {
            refusals.push(Refusal::SameFolder {
                host: first.host.name.clone(),
                other: one.host.name.clone(),
                path: settings.layout(first.host).path,
            });
        }
    }
    refusals
}

/// What speaks against changing these hosts, and what should be known about them.
pub(super) fn examine(settings: &Settings, hosts: &[HostPlanning<'_>]) -> (Vec<Refusal>, Vec<Note>) {
    let mut refusals = Vec::new();
    let mut notes = Vec::new();
    if hosts.is_empty() {
        return (vec![Refusal::NoHosts], notes);
    }
    notes.extend(homeless_services(settings).into_iter().map(|text| Note { host: None, text }));
    let seen: Vec<SeenHost<'_>> =
        hosts.iter().map(|planning| SeenHost { host: planning.host, facts: planning.facts }).collect();
    refusals.extend(same_folders(settings, &seen));
    for HostPlanning { host, facts, strategy, owner, sent, .. } in hosts {
        for diagnosis in diagnose_by(*strategy, settings, SeenHost { host, facts }, owner, *sent) {
            let host = host.name.clone();
            match diagnosis.severity {
                Severity::Blocks => refusals.push(Refusal::Unfit { host, diagnosis }),
                Severity::Warns => notes.push(Note { host: Some(host), text: diagnosis.line() }),
                Severity::Informs => {}
            }
        }
    }
    (refusals, notes)
}
