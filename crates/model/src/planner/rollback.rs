//! The plan that makes the release before the live one live again.

use std::collections::BTreeSet;

use super::assemble::{Change, Primary, assemble};
use super::context::{Direction, HostChange, HostPlanning, RunContext, SeenHost, Told};
use super::examine::examine;
use super::maintenance::told_before;
use super::prepare::Build;
use crate::app::recipe::Recipe;
use crate::app::run_as::RunAs;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::record::{JournalKind, SlotState};
use crate::plan::action::{Action, GitAction, PythonAction, Schema, Surroundings};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan, Target};
use crate::strategy::{self, BeforeState};

/// Plans a rollback of these hosts, all to one release, or says all that speaks against it. `url` is where a release
/// that was overwritten would be fetched from again; its objects are nearly always still on the host.
pub fn plan_rollback(
    settings: &Settings,
    run: &RunContext,
    url: &str,
    schema: Schema,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let hosts = HostPlanning::of_all(settings, run, hosts);
    let (mut refusals, mut notes) = examine(settings, &hosts);
    // A person who rolls back at night must not be stopped by a colleague's "do not deploy".
    refusals.retain(|refusal| !matches!(refusal, Refusal::Held { .. }));
    let mut changes = Vec::new();
    for planning in hosts {
        let HostPlanning { host, facts, layout, .. } = &planning;
        let host = || host.name.clone();
        let Some(before) = strategy::before(settings, facts) else {
            refusals.push(Refusal::NothingBefore { host: host(), why: why_nothing(facts) });
            continue;
        };
        if facts.live().is_some_and(|live| live.commit == before.release.commit) {
            let text = format!(
                "the release before is {}, too: both slots hold it since it was deployed again with --force",
                before.release
            );
            notes.push(Note { host: Some(host()), text });
        }
        let path = layout.current().to_string();
        match &facts.current {
            CurrentLink::NotALink => refusals.push(Refusal::NotALink { host: host(), path }),
            CurrentLink::Elsewhere(target) => {
                refusals.push(Refusal::Elsewhere { host: host(), path, target: target.clone() });
            }
            CurrentLink::Missing | CurrentLink::Slot(_) | CurrentLink::Dangling(_) => {}
        }
        let to = Target { slot: before.slot, release: before.release };
        let prepare = match before.state {
            BeforeState::Complete => {
                let verify =
                    GitAction::VerifyCommit { slot: to.slot.clone(), commit: to.release.commit.clone() };
                planning.take_back_setting(&to.slot).into_iter().chain([Action::from(verify)]).collect()
            }
            BeforeState::Overwritten => {
                let text =
                    format!("{} was overwritten by a later attempt: it is built again first", to.release);
                notes.push(Note { host: Some(host()), text });
                let build = Build {
                    former: Some(to.release.clone()),
                    url,
                    reinstall: false,
                    packages: Packages::WrittenDown,
                    services: Vec::new(),
                };
                planning.build(build, &to)
            }
        };
        changes.push(HostChange {
            from: facts.live(),
            to,
            prepare,
            leaves_behind: SlotState::Ready,
            direction: Direction::Back,
            told: facts
                .maintenance
                .as_ref()
                .map_or(Told::Nothing, |record| Told::Before(told_before(record))),
            planning,
        });
    }
    let releases: BTreeSet<_> = changes.iter().map(|change| &change.to.release.commit).collect();
    if releases.len() > 1 {
        let target =
            |change: &HostChange<'_>| format!("{} to {}", change.planning.host.name, change.to.release);
        refusals.push(Refusal::DifferentTargets { targets: changes.iter().map(target).collect() });
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let change = Change {
        intent: Intent::Rollback,
        kind: JournalKind::RolledBack,
        tests: None,
        begin: Vec::new(),
        publish: Vec::new(),
        primary: changes.first().map(|change| migrations(change, schema)).unwrap_or_default(),
        others_tell: None,
        notes,
    };
    Ok(assemble(settings, run, change, &changes, &[]))
}

/// What the primary does about migrations that the older release doesn't know, where the app has any.
fn migrations(change: &HostChange<'_>, schema: Schema) -> Primary {
    let HostChange { planning, to, .. } = change;
    let settings = planning.settings;
    let Some(newer) = planning.facts.live_slot().cloned() else { return Primary::default() };
    if settings.app.recipe != Recipe::Django || schema == Schema::Keep {
        return Primary::default();
    }
    let look = PythonAction::Migrations {
        older: to.slot.clone(),
        newer,
        schema,
        around: Surroundings {
            virtualenv: None,
            // It looks, and leaves nothing in a release.
            run_as: settings.users.run_as().map(|app| RunAs { group: None, ..app }),
            ..planning.surroundings(&planning.layout.releases, planning.variables_of(to))
        },
    };
    let look = vec![Action::from(look)];
    match schema {
        Schema::Reverse => Primary { once: look, ..Primary::default() },
        Schema::Refuse | Schema::Keep => Primary { prepare: look, ..Primary::default() },
    }
}

fn why_nothing(facts: &HostFacts) -> String {
    let idle = facts.slots.iter().filter(|(slot, _)| Some(*slot) != facts.live_slot());
    let described: Vec<String> = idle
        .filter_map(|(slot, seen)| {
            let record = seen.record.as_ref()?;
            let what = match record.state {
                SlotState::Ready => "isn't older than what is live: it was rolled back from, or never served",
                SlotState::Building | SlotState::Failed => "never served",
                SlotState::Live | SlotState::Retired | SlotState::Empty => return None,
            };
            Some(format!("{} in slot {slot} {what}", record.release))
        })
        .collect();
    match (described.is_empty(), facts.live_slot()) {
        (false, _) => described.join(", "),
        (true, Some(_)) => "what serves is the first release on this host".to_owned(),
        (true, None) => "nothing was ever live on this host".to_owned(),
    }
}
