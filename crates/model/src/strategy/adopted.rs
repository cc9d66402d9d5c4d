//! Which releases a tree holds that another tool made, or a person: which folder holds which commit, which one serves, which were
//! proven live, and what can't be known.

use super::SlotState;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::layout::Layout;
use crate::host::tree::TreeFolder;
use crate::names::SlotName;
use crate::release::Release;

/// What is to be written down about a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// What serves.
    pub serves: SlotName,
    /// Its releases, in the order in which they served; what serves is the last.
    pub releases: Vec<AdoptedRelease>,
    /// Folders of which nothing is written down, each with why.
    pub left: Vec<(SlotName, String)>,
    /// Folders of which an earlier adoption has written something that isn't so any more.
    pub outdated: Vec<SlotName>,
    /// Whether all of it is written down already.
    pub is_known: bool,
}

/// A release of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedRelease {
    /// Its folder.
    pub slot: SlotName,
    /// What is in it.
    pub release: Release,
    /// What it is good for.
    pub state: SlotState,
    /// Which in a row it was.
    pub turn: u64,
    /// Whether git keeps something in its folder: else nothing can be built there again without a new clone.
    pub is_clone: bool,
}

/// Why a tree can't be adopted, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdoptable {
    /// Why.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// What there is to be written down about a tree; `None` where buedafab has deployed since, and knows by itself.
pub fn adoption(facts: &HostFacts, layout: &Layout) -> Result<Option<Adoption>, NotAdoptable> {
    if has_deployed(facts) {
        return Ok(None);
    }
    let serves = what_serves(facts, layout)?;
    let live = facts.tree.folders.get(&serves);
    let Some(live_release) = live.and_then(|folder| folder.release.clone()) else {
        let revision = layout.slot(&serves).join("REVISION");
        return Err(NotAdoptable {
            why: format!("what serves is {serves}, and {}", why_unknown(live)),
            help: format!("if you know it, write its full id down: echo COMMIT >{revision}"),
        });
    };
    let order = Order::of(facts, &serves);
    let mut left = Vec::new();
    let mut served: Vec<(u128, &SlotName, &TreeFolder, Release)> = Vec::new();
    for (slot, folder) in facts.tree.folders.iter().filter(|(slot, _)| **slot != serves) {
        match order.why_not(facts, slot, folder) {
            Some(why) => left.push((slot.clone(), why)),
            None => {
                let release = folder.release.clone().expect("what isn't known was left");
                served.push((order.place(slot, folder).unwrap_or(0), slot, folder, release));
            }
        }
    }
    served.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let last = served.len() as u64 + 1;
    let before = served.into_iter().zip(1..).map(|((_, slot, folder, release), turn)| AdoptedRelease {
        slot: slot.clone(),
        release,
        state: SlotState::Retired,
        turn,
        is_clone: folder.revision.is_none(),
    });
    let is_clone = live.is_some_and(|folder| folder.revision.is_none());
    let live = AdoptedRelease {
        slot: serves.clone(),
        release: live_release,
        state: SlotState::Live,
        turn: last,
        is_clone,
    };
    let releases: Vec<AdoptedRelease> = before.chain([live]).collect();
    let recorded = facts.slots.iter().filter(|(_, seen)| seen.record.is_some()).map(|(slot, _)| slot);
    let outdated: Vec<SlotName> =
        recorded.filter(|slot| releases.iter().all(|adopted| adopted.slot != **slot)).cloned().collect();
    let is_written = |adopted: &AdoptedRelease| {
        let record = facts.slots.get(&adopted.slot).and_then(|seen| seen.record.as_ref());
        record.is_some_and(|record| {
            (record.state, &record.release, record.turn) == (adopted.state, &adopted.release, adopted.turn)
        })
    };
    let is_known = outdated.is_empty() && releases.iter().all(is_written);
    Ok(Some(Adoption { serves, releases, left, outdated, is_known }))
}

/// Whether a run of buedafab has put a release anywhere: its records say more than a tree can.
pub fn has_deployed(facts: &HostFacts) -> bool {
    let adopted_by = facts.tree.adoption.as_ref().map(|adoption| &adoption.runs[..]).unwrap_or_default();
    facts
        .slots
        .values()
        .filter_map(|seen| seen.record.as_ref())
        .any(|record| !adopted_by.contains(&record.run))
}

/// The folder that serves: by the link that web servers read through, or by the one that decides what is live.
fn what_serves(facts: &HostFacts, layout: &Layout) -> Result<SlotName, NotAdoptable> {
    let (other, path) = (layout.outer_link(), layout.current());
    let by_other = facts.outer.as_ref().filter(|outer| !outer.follows(layout));
    match (by_other.and_then(|outer| outer.slot.as_ref()), facts.live_slot()) {
        (Some(slot), Some(live)) if slot != live => Err(NotAdoptable {
            why: format!(
                "{other} leads to {slot}, and {path} to {live}: which of them serves can't be known"
            ),
            help: format!("remove the one that nobody reads through: rm {other}, or rm {path}"),
        }),
        (Some(slot), _) => Ok(slot.clone()),
        (None, Some(live)) => Ok(live.clone()),
        (None, None) => {
            let why = match (by_other, &facts.current) {
                (Some(outer), _) => {
                    format!("{other} leads to {:?}, which is no folder in {}", outer.text, layout.releases)
                }
                (None, CurrentLink::Elsewhere(text) | CurrentLink::Dangling(text)) => {
                    format!("{path} leads to {text:?}, which is no folder in {}", layout.releases)
                }
                (None, _) => format!(
                    "neither {other} nor {path} leads to a folder in {}: nothing serves",
                    layout.releases
                ),
            };
            let help = "`path` and `releases_root` in buedafab.toml say where releases are looked for; where nothing serves, \
                        there is nothing to adopt, and `deploy` begins anew";
            Err(NotAdoptable { why, help: help.to_owned() })
        }
    }
}

fn why_unknown(folder: Option<&TreeFolder>) -> String {
    match folder.and_then(|folder| folder.revision.as_ref()) {
        Some(revision) => format!("its REVISION says only {revision}, which no clone there knows"),
        None => "nothing in it says which commit it holds: it is no clone, and has no REVISION".to_owned(),
    }
}

/// In which order the folders of a tree came.
enum Order {
    /// All are called by numbers, as tools do it: times, or how many there were.
    Numbers(u128),
    /// By when their commits were put there; and when the link was made that leads to what serves.
    Times(Option<i64>),
}

impl Order {
    fn of(facts: &HostFacts, serves: &SlotName) -> Order {
        let all_numbers = facts.tree.folders.keys().all(|slot| number(slot).is_some());
        match number(serves).filter(|_| all_numbers) {
            Some(live) => Order::Numbers(live),
            None => Order::Times(facts.tree.link_made),
        }
    }

    fn place(&self, slot: &SlotName, folder: &TreeFolder) -> Option<u128> {
        match self {
            Order::Numbers(_) => number(slot),
            Order::Times(_) => folder.made.and_then(|made| u128::try_from(made).ok()),
        }
    }

    /// Why a folder that doesn't serve is nothing to go back to; `None` where it served before.
    fn why_not(&self, facts: &HostFacts, slot: &SlotName, folder: &TreeFolder) -> Option<String> {
        if facts.slots.get(slot).is_some_and(|seen| seen.is_link) {
            return Some("it is a link".to_owned());
        }
        if folder.release.is_none() {
            return Some(why_unknown(Some(folder)));
        }
        if folder.is_bad {
            return Some("the tool that made it has marked it as bad".to_owned());
        }
        match self {
            Order::Numbers(live) if number(slot) > Some(*live) => {
                return Some(
                    "it is newer than what serves: it was gone back from, or never served".to_owned(),
                );
            }
            Order::Times(made) if made.is_some() && folder.made.is_some() && folder.made > *made => {
                return Some(
                    "its commit came after the link was moved last: nothing says that it ever served"
                        .to_owned(),
                );
            }
            Order::Numbers(_) | Order::Times(_) => {}
        }
        let log = facts.tree.log.as_ref()?;
        // What came before the log began may well have served.
        let begins = log.folders.iter().filter_map(|name| name.parse::<u128>().ok()).min()?;
        let is_missing = number(slot).is_some_and(|number| number >= begins)
            && !log.folders.iter().any(|name| name == slot.as_str());
        is_missing.then(|| format!("{} doesn't know it: its deploy never came to its end", log.file))
    }
}

fn number(slot: &SlotName) -> Option<u128> {
    let is_number = slot.as_str().bytes().all(|byte| byte.is_ascii_digit());
    slot.as_str().parse().ok().filter(|_| is_number)
}
