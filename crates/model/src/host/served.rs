//! Which releases served on a host, as its journal tells.

use crate::host::record::{JournalKind, JournalRecord};
use crate::release::Release;

/// The releases that were proven live, in the order in which they came to serve; the last serves, as far as runs tell. What was rolled
/// back from isn't among them. Of a release that came twice, the last time counts.
pub fn served<'a>(journal: impl IntoIterator<Item = &'a JournalRecord>) -> Vec<Release> {
    let mut served: Vec<Release> = Vec::new();
    for line in journal {
        let Some(release) = &line.release else { continue };
        let before = served.iter().position(|known| known.commit == release.commit);
        match (line.kind, before) {
            (JournalKind::RolledBack, Some(at)) => served.truncate(at + 1),
            (JournalKind::RolledBack | JournalKind::Deployed | JournalKind::Adopted, _) => {
                served.retain(|known| known.commit != release.commit);
                served.push(release.clone());
            }
            _ => {}
        }
    }
    served
}
