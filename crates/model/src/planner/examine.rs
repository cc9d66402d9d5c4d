//! What speaks against changing hosts, and what a person should know about them.

use super::context::HostPlanning;
use super::services::homeless_services;
use crate::config::Settings;
use crate::host::facts::CurrentLink;
use crate::plan::Note;
use crate::plan::refusal::{Refusal, host_refusals};

/// What speaks against changing these hosts, and what should be known about them.
pub(super) fn examine(settings: &Settings, hosts: &[HostPlanning<'_>]) -> (Vec<Refusal>, Vec<Note>) {
    let mut refusals = Vec::new();
    let mut notes = Vec::new();
    if hosts.is_empty() {
        refusals.push(Refusal::NoHosts);
    }
    notes.extend(homeless_services(settings).into_iter().map(|text| Note { host: None, text }));
    for planning in hosts {
        let HostPlanning { host, facts, .. } = planning;
        refusals.extend(host_refusals(&host.name, host.path.as_str(), facts));
        let mut note = |text: String| notes.push(Note { host: Some(host.name.clone()), text });
        if let CurrentLink::Dangling(target) = &facts.current {
            note(format!(
                "{} points to {target:?}, which isn't there: nothing serves now",
                settings.layout.current_release_symlink
            ));
        }
        planning.forgotten_services().into_iter().for_each(&mut note);
        if let Some(record) = &facts.maintenance {
            note(format!("in maintenance, says {}: visitors are told so until `maintenance off`", record.by));
        }
        if let (Some(app), Some(live)) = (&facts.app, facts.live())
            && !app.names(&live)
        {
            note(format!("asked what it runs, the app doesn't name {live}: {}", app.shown()));
        }
        for (what, room) in [("space", facts.disk_kib), ("inodes", facts.inodes)] {
            if let Some(room) = room
                && room.free * 20 < room.total
            {
                note(format!("only {} % of the disk's {what} is left", room.free * 100 / room.total.max(1)));
            }
        }
        if facts.live_slot().is_some() && facts.live().is_some() && !facts.live_is_confirmed() {
            let slot = facts.live_slot().and_then(|slot| facts.slots.get(slot));
            if slot.is_some_and(|slot| slot.record.is_some()) {
                note("what serves now was switched to by a run that never confirmed it".to_owned());
            }
        }
    }
    (refusals, notes)
}
