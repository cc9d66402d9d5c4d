//! What is buedafab's own on a host: folders, the lock, the link, records and the journal.

use std::fmt;

use serde::Serialize;

use super::Action;
use super::effects::{Effect, Effects, PhaseName};
use crate::app::owner::Owner;
use crate::app::resolved::ResolvedRelease;
use crate::app::text::one_line;
use crate::host::fleet::{FleetHost, GoneHost};
use crate::host::record::{JournalKind, LockHolder, SlotState};
use crate::names::{CommitId, HostName, RunId, SlotName};
use crate::release::Release;

/// What is done about what a later run has to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum RecordAction {
    /// Makes the app's folders.
    CreateFolders {
        /// The group that shall own them.
        group: Option<String>,
        /// Whose they are.
        owner: Owner,
    },
    /// Gives what a run has made in a slot to the group of those who deploy: commands may set permissions of their own.
    GiveToGroup {
        /// The slot.
        slot: SlotName,
        /// The group.
        group: String,
    },
    /// Says that the app's folders are this owner's now.
    TakeOver {
        /// Whose they are.
        owner: Owner,
    },
    /// Keeps some room of the disk for records, where that isn't kept yet.
    KeepReserve,
    /// Gives back the room that a release takes which this run couldn't make ready, where hardly any is left.
    GiveRoomBack {
        /// The slot.
        slot: SlotName,
        /// What didn't fit.
        release: Release,
        /// What was proven live in it before.
        former: Option<Release>,
        /// Which release in a row that is.
        turn: u64,
        /// Private packages that came for this release alone, by their folders and names.
        packages: Vec<String>,
    },
    /// Takes the host's lock.
    Lock {
        /// What others are told meanwhile.
        holder: LockHolder,
    },
    /// Fails unless the host is still as it was when the plan was made.
    Guard {
        /// The check sum of what was seen.
        state_sum: String,
    },
    /// Puts back a switch that was never confirmed, by the way that its run has left on the host's disk.
    Recover,
    /// Writes down what a slot is good for.
    Record {
        /// The slot.
        slot: SlotName,
        /// What it is good for.
        state: SlotState,
        /// What it holds.
        release: Release,
        /// What was proven live in it before.
        former: Option<Release>,
        /// Which release in a row it is that was proven live in it; 0 if none was.
        turn: u64,
        /// Whether its failure is only told: what serves is decided, and this is a note about it.
        optional: bool,
    },
    /// Notes that what the app has written into a slot may be lost with it.
    DropWritten {
        /// The slot.
        slot: SlotName,
    },
    /// Keeps a copy of all that the slot that serves holds, and of what is noted about it: the way back to it, which needs neither git
    /// nor an index.
    KeepCopy {
        /// The slot.
        slot: SlotName,
        /// What it holds.
        commit: CommitId,
    },
    /// Puts what was kept of the slot that serves back in its place. It can be done again wherever it was cut short.
    PutBack {
        /// The slot.
        slot: SlotName,
        /// What was kept.
        commit: CommitId,
        /// Whether what was written down about the slot is put back, too, as if nothing had been changed there.
        record: bool,
        /// Files and folders that nobody said may be lost: they are set aside.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        aside: Vec<String>,
    },
    /// Takes such copies away, unless a way back may need them.
    DropCopies {
        /// The slot.
        slot: SlotName,
        /// Which.
        copies: Copies,
    },
    /// Keeps what was resolved for a release beside it, for every way back to it.
    KeepResolved {
        /// What.
        resolved: Box<ResolvedRelease>,
    },
    /// Makes the link lead to `target`: the step that decides what is live.
    SwitchLink {
        /// The text of the link, as a slot's name or as it was found; `None` takes the link away.
        target: Option<String>,
    },
    /// Adds a line to the journal.
    Journal {
        /// What happened.
        kind: JournalKind,
        /// The person and machine that run it.
        by: String,
        /// What it was about.
        release: Option<Release>,
        /// What was live before.
        from: Option<Release>,
        /// The person's words.
        reason: Option<String>,
        /// The hosts that were left out.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        skipped: Vec<HostName>,
    },
    /// Writes down which hosts the environment has, and which left it.
    Fleet {
        /// Those of the configuration.
        hosts: Vec<FleetHost>,
        /// Those that left it.
        gone: Vec<GoneHost>,
    },
    /// Puts up a person's "do not deploy".
    Hold {
        /// Who says it.
        by: String,
        /// Why.
        reason: String,
    },
    /// Takes it away.
    Unhold,
    /// Makes a second link lead to the release that served before, for people; `None` takes it away.
    LinkPrevious {
        /// The link, beside the one that decides what is live.
        link: &'static str,
        /// The slot.
        slot: Option<SlotName>,
    },
    /// Removes a release that nobody needs any more, with all that was noted about it. What a person did in it, or a process uses, stays.
    RemoveSlot {
        /// The slot.
        slot: SlotName,
        /// What it holds.
        release: Release,
    },
    /// Takes away what was kept of releases that no slot holds any more. A failure is only told.
    Prune,
    /// Writes down what a folder holds that another tool made, or a person; from now on it is a slot like any other.
    Adopt {
        /// The folder.
        slot: SlotName,
        /// What it is good for.
        state: SlotState,
        /// What it holds.
        release: Release,
        /// Which release in a row it was.
        turn: u64,
    },
    /// Writes down which runs adopted the tree, and how the tool's link was before it followed ours.
    NoteAdoption {
        /// The runs.
        runs: Vec<RunId>,
        /// The text of that link; `None` as long as it is as it was.
        link: Option<String>,
    },
    /// Takes away what an adoption has written down; of the folders themselves nothing.
    Disown {
        /// The folders.
        slots: Vec<SlotName>,
        /// Whether that is all of it, and whose the tree is and which hosts there are is forgotten, too.
        all: bool,
    },
    /// Makes the link of another tool follow the one that decides what is live, which leads to what serves from then on: by one rename
    /// each, so that in no moment the path leads anywhere else.
    FollowLink {
        /// What serves.
        slot: SlotName,
        /// The text of that link until then.
        before: String,
    },
    /// Makes it lead to what serves by itself again, and takes the link that decides what is live away.
    PutLinkBack {
        /// What serves.
        slot: SlotName,
        /// The text of that link as it was.
        before: String,
    },
}

/// Copies of what a slot has held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Copies {
    /// That of this commit.
    Of(CommitId),
    /// All but that of this commit.
    AllBut(Option<CommitId>),
}

impl RecordAction {
    pub(super) fn effects(&self) -> Effects<'_> {
        use PhaseName::{Announce, Finish, InPlace, Lock, Prepare, Reopen, Switch, Work};
        match self {
            // What is kept may have to be kept before the first deploy.
            RecordAction::CreateFolders { owner, group: _ } => {
                Effects::new(Effect::Folders(owner), &[Lock, Work]).quick()
            }
            RecordAction::GiveToGroup { slot, .. } => {
                Effects::new(Effect::Part { slot }, &[Prepare, InPlace])
            }
            RecordAction::TakeOver { owner } => {
                Effects::new(Effect::Folders(owner), &[Finish]).instant().optional(true)
            }
            RecordAction::KeepReserve => Effects::new(Effect::Beside, &[Finish]).quick().optional(true),
            RecordAction::GiveRoomBack { slot, .. } => {
                Effects::new(Effect::RoomGivenBack { slot }, &[Prepare]).optional(true).telling()
            }
            RecordAction::Lock { holder } => Effects::new(Effect::Lock(holder), &[Lock, Work]),
            RecordAction::Guard { state_sum } => {
                Effects::new(Effect::Unchanged(state_sum), &[Lock, Work]).quick()
            }
            RecordAction::Recover => Effects::new(Effect::Recovered, &[Work]).by_sudo(true),
            RecordAction::Record { slot, state, release, former, turn, optional } => {
                let phases: &[PhaseName] = match state {
                    // What is rolled back from is marked as ready, which makes it no target of a rollback.
                    SlotState::Building | SlotState::Ready => &[Prepare, InPlace, Finish],
                    SlotState::Live | SlotState::Retired | SlotState::Failed | SlotState::Empty => &[Finish],
                };
                let mark =
                    Effect::Mark { slot, state: *state, release, former: former.as_ref(), turn: *turn };
                let effects = Effects::new(mark, phases).optional(*optional);
                // What the build has changed is asked of git.
                if *state == SlotState::Ready && !optional { effects.quick() } else { effects.instant() }
            }
            RecordAction::DropWritten { .. } => {
                Effects::new(Effect::Beside, &[Finish]).instant().optional(true)
            }
            // Without it a slot isn't whole: a rebuild, or a way back, would run the commands of another release.
            RecordAction::KeepResolved { resolved } => {
                Effects::new(Effect::Part { slot: &resolved.slot }, &[Prepare, InPlace]).quick()
            }
            RecordAction::KeepCopy { slot, commit } => {
                Effects::new(Effect::Copied { slot, commit }, &[Prepare])
            }
            RecordAction::PutBack { slot, commit, record, aside: _ } => {
                Effects::new(Effect::PutBack { slot, commit, record: *record }, &[InPlace]).telling()
            }
            RecordAction::DropCopies { slot, copies } => {
                Effects::new(Effect::CopiesDropped { slot, copies }, &[Finish]).optional(true)
            }
            RecordAction::SwitchLink { target } => {
                Effects::new(Effect::Link(target.as_deref()), &[Switch]).instant()
            }
            RecordAction::Journal { kind, by, release, from, reason, skipped } => {
                let line = Effect::Journal {
                    kind: *kind,
                    by,
                    release: release.as_ref(),
                    from: from.as_ref(),
                    reason: reason.as_deref(),
                    skipped,
                };
                Effects::new(line, &[Announce, Prepare, Reopen, Finish, Work])
                    .instant()
                    .optional(true)
                    .telling()
            }
            RecordAction::Hold { by, reason } => Effects::new(Effect::Hold { by, reason }, &[Work]).quick(),
            RecordAction::Fleet { .. } => {
                Effects::new(Effect::Beside, &[Finish, Work]).instant().optional(true)
            }
            RecordAction::Unhold => Effects::new(Effect::NoHold, &[Work]).quick(),
            RecordAction::LinkPrevious { .. } => {
                Effects::new(Effect::Beside, &[Finish, Work]).instant().optional(true)
            }
            RecordAction::RemoveSlot { slot, .. } => {
                Effects::new(Effect::Removed { slot }, &[Finish]).optional(true).telling()
            }
            RecordAction::Prune => Effects::new(Effect::Beside, &[Finish]).quick().optional(true),
            RecordAction::Adopt { slot, state, release, turn } => {
                let mark = Effect::Mark { slot, state: *state, release, former: None, turn: *turn };
                Effects::new(mark, &[Work]).quick()
            }
            RecordAction::NoteAdoption { runs, link } => {
                Effects::new(Effect::Adopted { runs, link: link.as_deref() }, &[Work]).quick()
            }
            RecordAction::Disown { slots, all } => {
                Effects::new(Effect::Disowned { slots, all: *all }, &[Work]).quick()
            }
            RecordAction::FollowLink { slot, before: _ } => {
                Effects::new(Effect::Followed(slot), &[Work]).quick()
            }
            RecordAction::PutLinkBack { slot: _, before } => {
                Effects::new(Effect::PassedBy(before), &[Work]).quick()
            }
        }
    }
}

impl fmt::Display for RecordAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordAction::CreateFolders { .. } => f.write_str("create the app's folders"),
            RecordAction::GiveToGroup { slot, group } => {
                write!(f, "give all of {slot} to the group {}", one_line(group))
            }
            RecordAction::TakeOver { owner } => write!(f, "write down that the app's folders are of {owner}"),
            RecordAction::KeepReserve => f.write_str("keep some room for records"),
            RecordAction::GiveRoomBack { slot, .. } => {
                write!(f, "give back the room of {slot}, if the disk is full")
            }
            RecordAction::Lock { .. } => f.write_str("take the lock"),
            RecordAction::Guard { .. } => f.write_str("check that nothing changed since the look"),
            RecordAction::Recover => f.write_str("put back the switch that was never confirmed"),
            RecordAction::Record { slot, state, release, .. } => match state {
                SlotState::Building => write!(f, "mark {slot} as being built for {release}"),
                SlotState::Ready => write!(f, "mark {slot} as ready"),
                SlotState::Live => write!(f, "mark {slot} as live"),
                SlotState::Retired => write!(f, "keep {slot} for a rollback to {release}"),
                SlotState::Failed => write!(f, "mark {slot} as failed"),
                SlotState::Empty => write!(f, "mark {slot} as empty"),
            },
            RecordAction::DropWritten { slot } => {
                write!(f, "note that what was written into {slot} may be lost")
            }
            RecordAction::KeepCopy { slot, commit } => {
                write!(f, "keep a copy of {slot}, which holds {}", commit.short())
            }
            RecordAction::PutBack { slot, commit, .. } => {
                write!(f, "put {} back in {slot} from its copy", commit.short())
            }
            RecordAction::DropCopies { slot, copies: Copies::Of(commit) } => {
                write!(f, "remove the copy of {} that was kept of {slot}", commit.short())
            }
            RecordAction::DropCopies { slot, copies: Copies::AllBut(_) } => {
                write!(f, "remove older copies of {slot}")
            }
            RecordAction::KeepResolved { resolved } => {
                write!(f, "keep what {} is built and run with", resolved.commit.short())
            }
            RecordAction::SwitchLink { target: Some(target) } => {
                write!(f, "switch the link to {}", one_line(target))
            }
            RecordAction::SwitchLink { target: None } => f.write_str("remove the link"),
            RecordAction::Journal { kind, .. } => write!(f, "note in the journal: {}", kind.in_words()),
            RecordAction::Hold { reason, .. } => write!(f, "hold deploys: {}", one_line(reason)),
            RecordAction::Fleet { .. } => f.write_str("note which hosts there are"),
            RecordAction::Unhold => f.write_str("allow deploys again"),
            RecordAction::LinkPrevious { link, slot: Some(slot) } => {
                write!(f, "make the link {link} lead to {slot}")
            }
            RecordAction::LinkPrevious { link, slot: None } => write!(f, "take away the link {link}"),
            RecordAction::RemoveSlot { slot, release } => write!(f, "remove {slot}, which holds {release}"),
            RecordAction::Adopt { slot, state: SlotState::Live, release, .. } => {
                write!(f, "write down that {slot} holds {release}, which serves")
            }
            RecordAction::Adopt { slot, release, .. } => {
                write!(f, "write down that {slot} holds {release}, for a rollback")
            }
            RecordAction::NoteAdoption { link: None, .. } => {
                f.write_str("write down that the tree is adopted")
            }
            RecordAction::NoteAdoption { link: Some(text), .. } => {
                write!(f, "write down that the other link leads to {}", one_line(text))
            }
            RecordAction::Disown { all: true, .. } => f.write_str("forget what was adopted"),
            RecordAction::Disown { slots, all: false } => {
                let names: Vec<&str> = slots.iter().map(SlotName::as_str).collect();
                write!(f, "forget what is known of {}", names.join(", "))
            }
            RecordAction::FollowLink { slot, .. } => {
                write!(f, "make the link lead to {slot}, and the other link follow it")
            }
            RecordAction::PutLinkBack { before, .. } => {
                write!(f, "make the other link lead to {} again, and remove the link", one_line(before))
            }
            RecordAction::Prune => f.write_str("remove what was kept of releases that no slot holds"),
        }
    }
}

impl From<RecordAction> for Action {
    fn from(action: RecordAction) -> Action {
        Action::Record(action)
    }
}
