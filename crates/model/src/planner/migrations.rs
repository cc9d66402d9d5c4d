//! Migrations of the database that a release doesn't know which is gone back to: whatever goes back is stopped by them, and a
//! rollback undoes them where a person wants that.

use super::assemble::Primary;
use super::context::{HostChange, HostPlanning};
use super::look::look_script;
use crate::app::migration::{Migration, UnknownMigrations};
use crate::app::recipe::Recipe;
use crate::app::run_as::RunAs;
use crate::names::HostName;
use crate::plan::action::{Action, AppIn, PythonAction, Schema, Surroundings};
use crate::plan::refusal::Refusal;
use crate::plan::{Note, Target};
use crate::shell::inspect::Scope;
use crate::shell::look_for_migrations;

/// Looks for migrations that the release doesn't know, where the app has any: the step with which whatever goes back, by
/// whichever command, is stopped.
pub(super) fn look_for_unknown(change: &HostChange<'_>, schema: Schema) -> Option<Action> {
    migrations_step(change, schema, Vec::new())
}

fn migrations_step(change: &HostChange<'_>, schema: Schema, undoes: Vec<Migration>) -> Option<Action> {
    let Parties { older, newer, around } = parties(&change.planning, &change.to)?;
    if schema == Schema::Keep {
        return None;
    }
    Some(PythonAction::Migrations { older, newer, schema, undoes, around }.into())
}

/// What the primary does about migrations that the older release doesn't know, where the app has any; and what is lost by
/// it.
pub(super) fn mind_migrations(
    change: &HostChange<'_>,
    schema: Schema,
) -> Result<(Primary, Vec<Note>), Refusal> {
    if look_for_unknown(change, schema).is_none() {
        return Ok((Primary::default(), Vec::new()));
    }
    let undoes = match schema {
        Schema::Reverse => migrations_to_undo(change)?,
        Schema::Refuse | Schema::Keep => Vec::new(),
    };
    // Where there is nothing to undo, there may be something by the time that it would be done.
    let schema = if undoes.is_empty() { Schema::Refuse } else { schema };
    let notes = undoes.iter().map(|migration| Note { host: None, text: migration.undone() });
    let mut notes: Vec<Note> = notes.collect();
    if let Some(live) = change.from.as_ref().filter(|_| !undoes.is_empty()) {
        let text = format!(
            "{live} serves without these until the link has moved; if the rollback comes to nothing after they are \
             undone, `manage -- migrate` makes their tables and columns again, empty"
        );
        notes.push(Note { host: None, text });
    }
    let action = migrations_step(change, schema, undoes).into_iter().collect();
    let primary = match schema {
        Schema::Reverse => Primary { once: action, ..Primary::default() },
        Schema::Refuse | Schema::Keep => Primary { prepare: action, ..Primary::default() },
    };
    Ok((primary, notes))
}

/// Just what would be undone: nothing is, that can't be shown before.
fn migrations_to_undo(change: &HostChange<'_>) -> Result<Vec<Migration>, Refusal> {
    let HostChange { planning, to, .. } = change;
    let host = planning.host.name.clone();
    let cant_say = |why| Refusal::UnknownLoss { host: host.clone(), why };
    if change.fills_slot() {
        return Err(cant_say(format!("{} has to be built first", to.release)));
    }
    match &planning.facts.migrations {
        Some(UnknownMigrations::These(these)) => Ok(these.clone()),
        Some(UnknownMigrations::Lasting(why)) => {
            Err(Refusal::LastingMigrations { release: to.release.clone(), why: why.clone() })
        }
        Some(UnknownMigrations::Silent(why)) => Err(cant_say(why.clone())),
        None => Err(cant_say("it wasn't asked".to_owned())),
    }
}

/// Who is asked, or told, and what they find around them.
struct Parties {
    older: AppIn,
    newer: AppIn,
    around: Surroundings,
}

/// The release that is gone back to and what serves, where the app has migrations.
fn parties(planning: &HostPlanning<'_>, to: &Target) -> Option<Parties> {
    let settings = planning.settings;
    let slot = planning.facts.live_slot().filter(|_| settings.app.recipe == Recipe::Django)?.clone();
    let own = planning.settings_of_live();
    let in_place = planning.is_in_place(to);
    let copies = planning.facts.slots.get(&to.slot).map(|seen| &seen.copies[..]).unwrap_or_default();
    let is_kept = in_place && copies.contains(&to.release.commit);
    Some(Parties {
        older: AppIn {
            kept: is_kept.then(|| to.release.commit.clone()),
            slot: to.slot.clone(),
            subdir: settings.app.subdir.clone(),
        },
        newer: AppIn {
            // In its place the older one stands by the time that it is asked, unless that can be asked in its copy.
            kept: planning.facts.live().filter(|_| in_place && !is_kept).map(|live| live.commit),
            slot,
            subdir: own.as_ref().unwrap_or(planning.configured).app.subdir.clone(),
        },
        around: Surroundings {
            directory: planning.layout.releases.clone(),
            virtualenv: None,
            // It looks, and leaves nothing in a release.
            run_as: settings.users.run_as().map(|app| RunAs { group: None, ..app }),
            ..planning.surroundings(&planning.layout.releases, planning.variables_of(to))
        },
    })
}

/// The host that has to say what a rollback undoes, and the shell of the look in which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoQuestion {
    /// The host.
    pub host: HostName,
    /// The look.
    pub script: String,
}

/// Asks a host, with a look, which migrations the release doesn't know.
pub(super) fn ask_for_unknown(planning: &HostPlanning<'_>, to: &Target) -> Option<UndoQuestion> {
    let Parties { older, newer, around } = parties(planning, to)?;
    let look = look_script(planning.configured, planning.host, Scope::Back);
    let asks = look_for_migrations(&planning.layout, &older, &newer, &around);
    Some(UndoQuestion { host: planning.host.name.clone(), script: look + &asks })
}
