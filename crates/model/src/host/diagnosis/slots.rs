//! Where the link leads, and what lies in the slots.

use super::{Diagnoses, DiagnosisKind, Expected};
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::layout::Layout;
use crate::host::record::{SlotRecord, SlotState};
use crate::host::written::Written;
use crate::names::{HostPath, SlotName};

/// Where the link leads, and what is known of what it leads to.
pub(super) fn link(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let path = expected.layout.current();
    other_link(facts, expected.layout, found);
    let mut elsewhere = |target: &str, adopt: &str| {
        let words = format!("{path} points to {target:?}, which is none of the slots");
        let help = format!(
            "another tool may be at work there; {adopt}deploy --take-over replaces the link, and puts it back on failure"
        );
        found.blocks(DiagnosisKind::Elsewhere, words, help);
    };
    match &facts.current {
        CurrentLink::Missing => {
            found.informs(DiagnosisKind::NothingLive, "nothing is live here".to_owned());
        }
        CurrentLink::Slot(slot) if !expected.live_is_ours => {
            elsewhere(slot.as_str(), "`adopt` writes down which releases it has left; or ");
        }
        CurrentLink::Elsewhere(target) => elsewhere(target, ""),
        CurrentLink::Slot(_) => {}
        CurrentLink::Dangling(target) => {
            let words = format!("{path} points to {target:?}, which isn't there: nothing is live here");
            found.warns(DiagnosisKind::Dangling, words);
        }
        CurrentLink::NotALink => {
            let words = format!("{path} is a folder or a file, not a link");
            let help = format!("move it away on that host, then deploy again: mv {path} {path}.old");
            found.blocks(DiagnosisKind::NotALink, words, help);
        }
    }
    // Whoever is at work would say how it goes on.
    if let Some(pending) = facts.pending.as_ref().filter(|_| facts.lock.is_none()) {
        // Where a release was put in the place of another one, the link has never moved.
        let by_it = |record: &SlotRecord| record.run == pending.run;
        let is_half_done = facts.live_record().map_or(pending.is_in_place(), by_it);
        if facts.link_is_back_at(pending.from.as_deref()) && !is_half_done {
            // The link decides what is live, and it is back: what else the way back is to do may have failed for good.
            let words = format!("{}; the link is back already, and the rest may not be", pending.in_words());
            found.warns(DiagnosisKind::Pending, words).help =
                Some("`deploy` and `rollback` try the rest again, and go on in any case".to_owned());
        } else {
            let help =
                "the command `recover` puts it back; so do `deploy` and `rollback`, before anything else";
            found.blocks(DiagnosisKind::Pending, pending.in_words(), help);
            return;
        }
    }
    let Some(seen) =
        facts.live_slot().filter(|_| expected.live_is_ours).and_then(|slot| facts.slots.get(slot))
    else {
        return;
    };
    match &seen.record {
        None => {
            let words = "buedafab has no record of what is live: `adopt` writes one".to_owned();
            found.informs(DiagnosisKind::Unrecorded, words);
        }
        Some(record) if record.state == SlotState::Live => {}
        Some(_) if facts.lock.is_some() => {
            let words = "switched, and waiting for its confirmation".to_owned();
            found.informs(DiagnosisKind::AwaitsConfirmation, words);
        }
        // It served before. A run that is cut short may write nothing down, too.
        Some(record) if record.state == SlotState::Retired => {
            let words = "no run has written down that what is live serves again: the link may have been moved by hand".to_owned();
            found.warns(DiagnosisKind::Unconfirmed, words);
        }
        Some(_) => {
            let words = "the run that switched to what is live never confirmed it".to_owned();
            found.warns(DiagnosisKind::Unconfirmed, words);
        }
    }
}

/// The link of another tool, which leads past ours to a release: what is deployed would be seen by nobody who reads through it.
fn other_link(facts: &HostFacts, layout: &Layout, found: &mut Diagnoses) {
    let Some(slot) = facts.outer.as_ref().and_then(|outer| outer.passes_by(layout)) else { return };
    let (other, path) = (layout.outer_link(), layout.current());
    let words =
        format!("{other} leads to {slot}, past {path}: who reads through it wouldn't see what is deployed");
    let is_recorded = facts.slots.get(slot).is_some_and(|seen| seen.record.is_some());
    let adopt = if is_recorded { "" } else { "`adopt` writes down which releases are there, and " };
    let help =
        format!("{adopt}`migrate-layout` makes it follow {path}; or deploy --take-over leaves it as it is");
    found.blocks(DiagnosisKind::OtherLink, words, help);
}

/// What somebody did to the slots by hand.
pub(super) fn slots(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    for (slot, seen) in &facts.slots {
        let Some(record) = &seen.record else { continue };
        let complete = matches!(record.state, SlotState::Live | SlotState::Retired | SlotState::Ready);
        if !complete {
            continue;
        }
        if let Some(what) = seen.damaged.as_ref().or(seen.unreadable.as_ref()) {
            let of_what = if seen.unpacked { "what is known of" } else { "what git keeps in" };
            let words = format!("{of_what} slot {slot} is damaged: {what}");
            let help = if facts.live_slot() == Some(slot) {
                "nothing in it is touched while it serves, and the app needs none of it; it is made anew when a release is built \
                 there again"
            } else {
                "`deploy` makes it anew, and so does `rollback`"
            };
            found.warns(DiagnosisKind::DamagedClone, words).help = Some(help.to_owned());
        } else if seen.commit.as_ref().is_some_and(|commit| *commit != record.release.commit) {
            let words = format!("somebody checked out another commit in slot {slot}");
            found.warns(DiagnosisKind::OtherCommit, words);
        }
        if !seen.written.is_empty() {
            let (words, help) = written_files(slot, &seen.written, expected.layout);
            found.blocks(DiagnosisKind::WrittenFiles, words, help);
        }
        if let Some(changes) = seen.changes.as_ref().filter(|changes| !changes.is_empty()) {
            let words = format!("local changes in slot {slot}: {}", changes.join(", "));
            found.warns(DiagnosisKind::LocalChanges, words);
        }
    }
    if facts.more_slots > 0 {
        let words =
            format!("{} more folders in {} weren't looked at", facts.more_slots, expected.layout.releases);
        found.informs(DiagnosisKind::MoreSlots, words);
    }
}

/// A path as a person types it.
pub(super) fn typed(path: &HostPath) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    match path.as_str() {
        path if path.chars().all(plain) => path.to_owned(),
        path => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// What the app has written into a slot, and what would keep it.
pub(super) fn written_files(slot: &SlotName, written: &[Written], layout: &Layout) -> (String, String) {
    let names: Vec<String> = written.iter().map(ToString::to_string).collect();
    let words = format!("the app wrote into slot {slot} what deploys would lose: {}", names.join(", "));
    let list = |setting: &str, paths: Vec<&str>| match paths[..] {
        [] => None,
        _ => Some(format!("{setting} = {paths:?}")),
    };
    let files =
        list("shared_files", written.iter().filter(|w| w.folder().is_none()).map(|w| &*w.path).collect());
    let folders = list("shared_dirs", written.iter().filter_map(Written::folder).collect());
    let settings: Vec<String> = files.into_iter().chain(folders).collect();
    let moves = written.iter().map(|written| {
        let path = written.folder().unwrap_or(&written.path);
        let (from, to) = (layout.slot(slot).join(path), layout.shared().join(path));
        let folder = path.rsplit_once('/').map(|(folder, _)| layout.shared().join(folder));
        let make = folder.map_or(String::new(), |folder| format!("mkdir -p {} && ", typed(&folder)));
        let (from, to) = (typed(&from), typed(&to));
        format!("{make}mv {from} {to} && ln -s {to} {from}")
    });
    let moves: Vec<String> = moves.collect();
    let help = format!(
        "share it: {}, and on that host: {}; or name it in `scratch_files`; or `deploy --drop-written`",
        settings.join(", "),
        moves.join("; ")
    );
    (words, help)
}
