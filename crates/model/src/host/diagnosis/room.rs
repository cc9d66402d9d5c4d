//! Whether there is room for another release, and a right clock.

use super::slots::typed;
use super::{ArchiveRoom, Diagnoses, DiagnosisKind, Expected};
use crate::host::facts::{Capacity, HostFacts, LEAST_ROOM, Room};
use crate::host::record::SlotState;
use crate::names::SlotName;

/// How far a clock may be off before anybody is told, in seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 60;

/// Whether anything of a release could be written at all.
pub(super) fn no_room(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    // What a run has left half-made gives its room back first.
    let half_made = |slot: &SlotName| {
        let record = facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
        record.is_some_and(|record| record.state == SlotState::Building) && facts.live_slot() != Some(slot)
    };
    if !facts.is_full() || expected.slots.iter().any(half_made) {
        return;
    }
    // Where every release has a folder of its own, another one may be.
    let others = facts.slots.keys().filter(|slot| half_made(slot));
    let others: Vec<String> = others.map(|slot| typed(&expected.layout.slot(slot))).collect();
    let Room { kib, inodes } = facts.free().unwrap_or_default();
    let free = if kib < LEAST_ROOM.kib { format!("{kib} KiB are") } else { format!("{inodes} inodes are") };
    let words = format!("the disk is full: {free} free, and no release fits");
    let mut help =
        "make room on that host; `rollback` needs none, while room is kept for its records".to_owned();
    if !others.is_empty() {
        help += &format!("; what was left half-made there serves nobody: rm -r {}", others.join(" "));
    }
    found.blocks(DiagnosisKind::NoRoom, words, help);
}

/// Whether another release is likely to fit, where what the last ones took was measured: what it overwrites gives its room back.
/// What is sent besides is known.
pub(super) fn may_not_fit(facts: &HostFacts, expected: &Expected<'_>) -> Option<String> {
    let takes = |slot: &SlotName| match facts.slots.get(slot) {
        Some(seen) if !seen.folder_is_gone => seen.takes,
        Some(_) | None => Some(Room::default()),
    };
    let live = facts.live_slot().and_then(takes);
    let idle = expected.slots.iter().filter(|slot| facts.live_slot() != Some(*slot));
    let idle: Option<Vec<Room>> = idle.map(takes).collect();
    let (live, idle) = live.zip(idle).unzip();
    let more = |of: fn(&Room) -> u64| {
        let least = idle.iter().flatten().map(of).min().unwrap_or(0);
        live.as_ref().map_or(0, of).saturating_sub(least)
    };
    let fits = |more: u64, capacity: Option<Capacity>| capacity.is_none_or(|capacity| more <= capacity.free);
    let (kib, inodes) = (more(|room| room.kib), more(|room| room.inodes));
    let sent = expected.sent_kib;
    if let Some(words) = expected.archive.and_then(|archive| archive_may_not_fit(facts, archive, sent)) {
        return Some(words);
    }
    if !fits(kib + sent, facts.disk_kib) {
        let mib = |kib: u64| kib.div_ceil(1024);
        let free = facts.disk_kib?.free / 1024;
        let live = live.map(|live| format!("what is live takes {} MiB", mib(live.kib)));
        let sent = (sent > 0).then(|| format!("what is sent takes {} MiB", mib(sent)));
        let takes: Vec<String> = live.into_iter().chain(sent).collect();
        return Some(format!("another release may not fit: {}, and {free} MiB are free", takes.join(", ")));
    }
    if !fits(inodes, facts.inodes) {
        let free = facts.inodes?.free;
        return Some(format!(
            "another release may not fit: what is live takes {} inodes, and {free} are free",
            live?.inodes
        ));
    }
    None
}

/// The same of what comes as an archive: as little as what the release's own files take.
fn archive_may_not_fit(facts: &HostFacts, archive: ArchiveRoom, sent_kib: u64) -> Option<String> {
    let ArchiveRoom { unpacked, is_sent } = archive;
    let mib = |kib: u64| kib.div_ceil(1024);
    let (what, kib) = match is_sent {
        true => ("its archive, and what is unpacked of it, take up to", 2 * unpacked.kib),
        false => ("what is unpacked of its archive takes", unpacked.kib),
    };
    if let Some(free) = facts.disk_kib.map(|disk| disk.free).filter(|free| kib + sent_kib > *free) {
        let (takes, free) = (mib(kib + sent_kib), free / 1024);
        return Some(format!("another release may not fit: {what} {takes} MiB, and {free} MiB are free"));
    }
    let free = facts.inodes.map(|inodes| inodes.free).filter(|free| unpacked.inodes > *free)?;
    Some(format!(
        "another release may not fit: what is unpacked of its archive takes {} inodes, and {free} are free",
        unpacked.inodes
    ))
}

/// Disk and clock.
pub(super) fn machine(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let capacities = [
        (DiagnosisKind::LowSpace, "space", facts.disk_kib),
        (DiagnosisKind::LowInodes, "inodes", facts.inodes),
    ];
    for (kind, what, capacity) in capacities {
        let is_said = found.list.iter().any(|diagnosis| diagnosis.kind == DiagnosisKind::NoRoom);
        let Some(capacity) = capacity.filter(|capacity| capacity.is_low() && !is_said) else { continue };
        let verb = if what == "inodes" { "are" } else { "is" };
        found.warns(kind, format!("only {} % of the disk's {what} {verb} left", capacity.percent_free()));
    }
    if let Some(words) = may_not_fit(facts, expected).filter(|_| !facts.is_full()) {
        found.warns(DiagnosisKind::MayNotFit, words);
    }
    if let Some(apart) = facts.clock_skew_seconds().filter(|apart| *apart > CLOCK_TOLERANCE_SECONDS) {
        found.warns(DiagnosisKind::ClockSkew, format!("its clock is {apart} s apart from this machine's"));
    }
}
