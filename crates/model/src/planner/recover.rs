//! The plan that puts back switches which were never confirmed: their runner was killed, or their host lost its power.

use super::context::{HostPlanning, RunContext, SeenHost};
use super::diagnosis::diagnose_host;
use super::work::work;
use crate::config::Settings;
use crate::host::bad_record::BadRecordReason;
use crate::host::diagnosis::DiagnosisKind;
use crate::host::record::PendingSwitch;
use crate::plan::action::RecordAction;
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan, WorkKind};

/// Puts back what is pending on these hosts, by the way that its run has left there; `None` where nothing is. Whoever is
/// at work on a host has it pending for a good reason: what speaks against this is their lock.
pub fn plan_recover(
    settings: &Settings,
    run: &RunContext,
    hosts: &[SeenHost<'_>],
) -> Result<Option<Plan>, Vec<Refusal>> {
    let hosts = HostPlanning::of_all(settings, run, hosts);
    let pending: Vec<_> =
        hosts.iter().filter_map(|planning| Some((planning, pending_in_words(planning)?))).collect();
    if pending.is_empty() {
        return Ok(None);
    }
    let locked = pending.iter().filter_map(|(planning, _)| {
        let HostPlanning { facts, layout, .. } = planning;
        // What may not be read can't be gone by, either.
        let closed = [layout.pending(), layout.way_back()].iter().any(|path| {
            facts.bad_record(path).is_some_and(|bad| matches!(bad.why, BadRecordReason::Closed { .. }))
        });
        let stops = match (&facts.lock, closed) {
            (Some(_), _) => DiagnosisKind::Locked,
            (None, true) => DiagnosisKind::BadRecord,
            (None, false) => return None,
        };
        let all = diagnose_host(settings, SeenHost { host: planning.host, facts }, None);
        let diagnosis = all.into_iter().find(|diagnosis| diagnosis.kind == stops)?;
        Some(Refusal::Unfit { host: planning.host.name.clone(), diagnosis })
    });
    let refusals: Vec<Refusal> = locked.collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let holder = run.holder("recover");
    let works = pending.iter().map(|(planning, _)| {
        let mut actions = planning.lock_as_seen(&holder);
        actions.push(RecordAction::Recover.into());
        (planning.host, actions)
    });
    let mut plan = work(settings, run, Intent::Work, works.collect());
    plan.title = Some("recover".to_owned());
    plan.work = Some(WorkKind::Recover);
    plan.notes = pending
        .iter()
        .map(|(planning, text)| Note { host: Some(planning.host.name.clone()), text: text.clone() })
        .collect();
    Ok(Some(plan))
}

/// What was left half done; `None`: nothing.
fn pending_in_words(planning: &HostPlanning<'_>) -> Option<String> {
    let HostPlanning { facts, layout, .. } = planning;
    let bad = || {
        let words = facts.bad_record(&layout.pending())?.in_words(&facts.user);
        Some(format!("something is pending, and what isn't known: {words}"))
    };
    facts.pending.as_ref().map(PendingSwitch::in_words).or_else(bad)
}
