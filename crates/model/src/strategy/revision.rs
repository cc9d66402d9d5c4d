//! A folder for every release, called by its tag or by what git describes it as.

use jiff::Timestamp;

use super::{Destination, Strategy, folders, former};
use crate::config::Settings;
use crate::host::facts::HostFacts;
use crate::names::SlotName;
use crate::release::Release;

/// `v0.2.0`, or `v0.2.0-3-g6b4943c012`.
#[derive(Debug)]
pub(super) struct ByRevision;

impl Strategy for ByRevision {
    /// The folder of this release, if it isn't live; another commit may have had its name.
    fn destination(
        &self,
        settings: &Settings,
        facts: &HostFacts,
        _at: Timestamp,
        release: &Release,
    ) -> Destination {
        let is_its_own = |slot: &SlotName| {
            let record = facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
            record.is_some_and(|record| record.release.commit == release.commit)
        };
        let mut own = facts.slots.keys().filter(|slot| Some(*slot) != facts.live_slot() && is_its_own(slot));
        let slot =
            own.next().cloned().unwrap_or_else(|| folders::free(facts, &folder_name(settings, release)));
        let former = former(facts, &slot);
        Destination { slot, former }
    }

    fn previous(&self) -> Option<&'static str> {
        Some(PREVIOUS)
    }

    fn goes_to_what_is_there(&self) -> bool {
        true
    }
}

/// What a release's folder is called: its tag, or what git describes it as, as far as every tool can live with that.
fn folder_name(settings: &Settings, release: &Release) -> String {
    let called = release.tag.as_ref().unwrap_or(&release.describe);
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+') { c } else { '-' };
    let name: String = called.chars().map(fit).take(LONGEST_NAME).collect();
    // Of such a name nobody takes notice, or something else has it.
    let is_strange = name.starts_with(['.', '-']) || name.ends_with(".new");
    let is_taken = name == settings.layout.current_release_symlink || name == PREVIOUS;
    if is_strange || is_taken { release.commit.short().to_owned() } else { name }
}

/// Paths in a release have to find room behind it.
const LONGEST_NAME: usize = 100;

/// The link to the release that served before.
const PREVIOUS: &str = "previous";
