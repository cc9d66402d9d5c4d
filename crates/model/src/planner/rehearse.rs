//! A rollback that is tried and not made: what it would go to is started beside what serves, and asked whether it is well.

use super::context::{HostChange, RunContext};
use super::numbers::{Numbers, Part, renumber};
use super::work::work;
use crate::config::Settings;
use crate::host::record::JournalKind;
use crate::plan::action::{Action, GitAction, RecordAction};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan};

/// Starts what each of these hosts would go back to, asks it, and stops it again, but for what runs already.
pub(super) fn rehearse(
    settings: &Settings,
    run: &RunContext,
    changes: &[HostChange<'_>],
    notes: Vec<Note>,
) -> Result<Plan, Vec<Refusal>> {
    let refusals: Vec<Refusal> = changes.iter().filter_map(cannot_be_rehearsed).collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let title = changes.first().map_or_else(
        || "rehearse the rollback".to_owned(),
        |change| format!("rehearse the rollback to {}", change.to.release),
    );
    let holder = run.holder(&title);
    let works = changes.iter().map(|change| {
        let HostChange { planning, to, .. } = change;
        let mut actions = planning.lock_as_seen(&holder);
        actions.push(
            GitAction::VerifyCommit { slot: to.slot.clone(), commit: to.release.commit.clone() }.into(),
        );
        actions.extend(planning.start_beside(to, change.told.visitors()));
        actions.extend(planning.stop_rehearsed(to));
        actions.push(note(change, JournalKind::Rehearsed));
        (planning.host, actions)
    });
    let mut plan = work(settings, run, Intent::Work, works.collect());
    for (planned, change) in plan.hosts.iter_mut().zip(changes) {
        planned.from = change.from.clone();
    }
    let mut numbers = Numbers::default();
    let failed = changes.iter().map(|change| {
        let stop = change.planning.stop_rehearsed(&change.to);
        let actions = stop.into_iter().chain([note(change, JournalKind::Failed)]);
        numbers.work(change.planning.host, actions.map(Part::Do).collect())
    });
    plan.on_failure = failed.collect();
    renumber(&mut plan);
    Ok(Plan { title: Some(title), notes, ..plan })
}

fn note(change: &HostChange<'_>, kind: JournalKind) -> Action {
    let HostChange { planning, to, from, .. } = change;
    RecordAction::Journal {
        kind,
        by: planning.run.by.clone(),
        release: Some(to.release.clone()),
        from: from.clone(),
        reason: None,
        skipped: Vec::new(),
    }
    .into()
}

fn cannot_be_rehearsed(change: &HostChange<'_>) -> Option<Refusal> {
    let HostChange { planning, to, .. } = change;
    let why = if change.fills_slot() {
        format!("{} would have to be built again", to.release)
    } else if planning.start_beside(to, None).is_empty() {
        format!("no service of {} can run beside another release", to.release)
    } else {
        return None;
    };
    Some(Refusal::CannotRehearse { host: planning.host.name.clone(), why })
}
