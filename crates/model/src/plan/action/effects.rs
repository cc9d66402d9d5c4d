//! What an action does to a host, as far as anybody but its shell has to know. The check of a plan, the renderer, the
//! simulator and the run read this, and nothing else of an action.

use super::record::Copies;
use crate::app::owner::Owner;
use crate::app::package::FetchedPackage;
use crate::app::service::Service;
use crate::host::record::{JournalKind, LockHolder, SlotState};
use crate::names::{CommitId, HostName, HostPath, RunId, SlotName};
use crate::plan::PhaseKind;
use crate::release::Release;

/// All that has to be known of an action besides its shell.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects<'a> {
    /// What it changes, or takes for granted.
    pub effect: Effect<'a>,
    /// Where in a run it may stand.
    pub phases: &'static [PhaseName],
    /// How long it takes, as far as that matters.
    pub pace: Pace,
    /// What its failure means.
    pub failure: FailureMeans,
    /// Whether it may be done by sudo, where the user isn't root.
    pub may_use_sudo: bool,
    /// Whether the deployer's SSH agent is lent to it.
    pub lends_agent: bool,
    /// Whether it prints to standard output just what a person should know: where something was kept, or what was repaired.
    pub tells: bool,
    /// Whether what it prints to standard output is the same on all hosts, or the run goes no further.
    pub is_compared: bool,
    /// What it reads that the deployer sends besides the plan.
    pub input: Option<StepInput<'a>>,
}

impl<'a> Effects<'a> {
    /// The effects of an action that takes its time, whose failure ends the run, and that needs neither sudo, nor an
    /// agent, nor an input.
    pub(super) fn new(effect: Effect<'a>, phases: &'static [PhaseName]) -> Self {
        Effects {
            effect,
            phases,
            pace: Pace::Slow,
            failure: FailureMeans::Stop,
            may_use_sudo: false,
            lends_agent: false,
            tells: false,
            is_compared: false,
            input: None,
        }
    }

    pub(super) fn quick(self) -> Self {
        Effects { pace: Pace::Quick, ..self }
    }

    pub(super) fn instant(self) -> Self {
        Effects { pace: Pace::Instant, ..self }
    }

    pub(super) fn optional(self, optional: bool) -> Self {
        if optional { Effects { failure: FailureMeans::Note, ..self } } else { self }
    }

    pub(super) fn by_sudo(self, may_use_sudo: bool) -> Self {
        Effects { may_use_sudo, ..self }
    }

    pub(super) fn with_agent(self, lends_agent: bool) -> Self {
        Effects { lends_agent, ..self }
    }

    pub(super) fn telling(self) -> Self {
        Effects { tells: true, ..self }
    }

    pub(super) fn compared(self) -> Self {
        Effects { is_compared: true, ..self }
    }

    /// Whether its failure is told and stops nothing.
    pub fn is_optional(&self) -> bool {
        self.failure == FailureMeans::Note
    }

    /// Whether it is about what runs: at the start of a host its services are started by the host itself.
    pub fn is_about_processes(&self) -> bool {
        matches!(
            self.effect,
            Effect::Nothing
                | Effect::Command { .. }
                | Effect::Start(_)
                | Effect::Stop(_)
                | Effect::StartIn { .. }
                | Effect::StopIn { .. }
        )
    }

    /// Whether it changes what is live.
    pub fn switches(&self) -> bool {
        matches!(self.effect, Effect::Link(_) | Effect::InPlace { .. } | Effect::PutBack { .. })
    }

    /// Whether it may stand in a phase; `in_place`: of a host whose release is changed where it serves.
    pub fn may_be_in(&self, kind: PhaseKind, in_place: bool) -> bool {
        let may_be = |name| self.phases.contains(&name);
        may_be(kind.name()) || (in_place && kind.name() == PhaseName::Switch && may_be(PhaseName::InPlace))
    }
}

/// What an action changes on a host, or fails without.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect<'a> {
    /// It looks, asks or waits, and leaves all as it is.
    Nothing,
    /// The app's folders are there, and say whose they are.
    Folders(&'a Owner),
    /// The lock is held, and says by whom.
    Lock(&'a LockHolder),
    /// It fails unless what a plan depends on has this check sum.
    Unchanged(&'a str),
    /// A switch that was never confirmed is put back.
    Recovered,
    /// A slot's record says this.
    Mark {
        /// The slot.
        slot: &'a SlotName,
        /// What it is good for.
        state: SlotState,
        /// What it holds.
        release: &'a Release,
        /// What was proven live in it before.
        former: Option<&'a Release>,
        /// Which release in a row it is that was proven live in it.
        turn: u64,
    },
    /// It is written down which runs have adopted the tree of another tool, and how that tool's link was before it followed ours.
    Adopted {
        /// The runs.
        runs: &'a [RunId],
        /// The text of that link; `None` as long as it is as it was.
        link: Option<&'a str>,
    },
    /// What was written down of folders is forgotten.
    Disowned {
        /// The folders.
        slots: &'a [SlotName],
        /// Whether the adoption is forgotten, too.
        all: bool,
    },
    /// The link leads to a slot, and that of another tool follows it.
    Followed(&'a SlotName),
    /// The link of another tool reads so, and ours is gone.
    PassedBy(&'a str),
    /// A slot's clone has the objects of a commit. What its files are is nobody's to say meanwhile.
    Objects {
        /// The slot.
        slot: &'a SlotName,
        /// The commit.
        commit: &'a CommitId,
    },
    /// A slot is gone, and all that was noted about it.
    Removed {
        /// The slot.
        slot: &'a SlotName,
    },
    /// A slot's files are those of a commit.
    Files {
        /// The slot.
        slot: &'a SlotName,
        /// The commit.
        commit: &'a CommitId,
    },
    /// The same where it is the slot that serves: not in one moment.
    InPlace {
        /// The slot.
        slot: &'a SlotName,
        /// The commit.
        commit: &'a CommitId,
    },
    /// A copy is kept of all that a slot holds, and of what is noted about it.
    Copied {
        /// The slot.
        slot: &'a SlotName,
        /// What it holds.
        commit: &'a CommitId,
    },
    /// The slot that serves holds again what was kept of it, by renames.
    PutBack {
        /// The slot.
        slot: &'a SlotName,
        /// What it holds then.
        commit: &'a CommitId,
        /// Whether its record is put back, too.
        record: bool,
    },
    /// Copies of what a slot held are gone.
    CopiesDropped {
        /// The slot.
        slot: &'a SlotName,
        /// Which.
        copies: &'a Copies,
    },
    /// Something is added to a slot that is filled: half of it is a slot that nobody should run.
    Part {
        /// The slot.
        slot: &'a SlotName,
    },
    /// What a run has left half-made in a slot is gone, if the disk is full.
    RoomGivenBack {
        /// The slot.
        slot: &'a SlotName,
    },
    /// A file in a slot says another thing, by a rename.
    Edit {
        /// The slot.
        slot: &'a SlotName,
    },
    /// It fails unless a slot holds just this commit.
    Holds {
        /// The slot.
        slot: &'a SlotName,
        /// The commit.
        commit: &'a CommitId,
    },
    /// A command of the project's ran in this folder, and did there what it liked.
    Command {
        /// The folder.
        directory: &'a HostPath,
        /// Whether it is a part of filling a slot: half of it is a slot that nobody should run.
        fills: bool,
    },
    /// The link leads there, by one rename; `None`: there is none any more.
    Link(Option<&'a str>),
    /// As the host starts, it puts back what was cut short before its services start.
    PutsBackAtBoot,
    /// A service runs what the link leads to.
    Start(&'a Service),
    /// A service doesn't run.
    Stop(&'a Service),
    /// A service of a slot's own runs what lies there.
    StartIn {
        /// The service.
        service: &'a Service,
        /// The slot.
        slot: &'a SlotName,
    },
    /// Services of a slot's own don't run.
    StopIn {
        /// The services.
        services: &'a [Service],
        /// The slot.
        slot: &'a SlotName,
    },
    /// The journal has a line more.
    Journal {
        /// What happened.
        kind: JournalKind,
        /// The person and machine that run it.
        by: &'a str,
        /// What it was about.
        release: Option<&'a Release>,
        /// What was live before.
        from: Option<&'a Release>,
        /// The person's words.
        reason: Option<&'a str>,
        /// The hosts that were left out.
        skipped: &'a [HostName],
    },
    /// A person's "do not deploy" stands.
    Hold {
        /// Who says it.
        by: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// None does.
    NoHold,
    /// Visitors are told of maintenance, or no longer.
    Maintenance(bool),
    /// The host is out of traffic, or may be.
    Drained {
        /// Whether a person wants it so, and not a run.
        is_by_hand: bool,
    },
    /// It is in traffic again.
    InTraffic,
    /// Something that no slot holds is there or gone: variables, jobs, packages, what is kept of releases.
    Beside,
}

/// What the deployer sends besides the plan, for one step to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepInput<'a> {
    /// One variable, or a whole file of them.
    Variables,
    /// A name and a password for the git remote.
    Credentials,
    /// The file of a private package.
    Package(&'a FetchedPackage),
    /// The archive of this name, after a line with its check sum.
    Archive(&'a str),
}

/// How long an action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It is quick, and its shell sets no variable and never exits: no process is needed for it alone.
    Instant,
    /// It is over in a moment, so that nobody would ever want to end it.
    Quick,
    /// It may have to be ended.
    Slow,
}

/// What it means that an action failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMeans {
    /// What follows isn't done.
    Stop,
    /// The same; but on the way back what follows is done although it failed: one service that can't be put back is no
    /// reason to leave the others as they are.
    StopUnlessGoingBack,
    /// It is told, and stops nothing.
    Note,
}

/// A phase without its numbers: where in a run an action may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseName {
    /// [`PhaseKind::Begin`]
    Begin,
    /// [`PhaseKind::Lock`]
    Lock,
    /// [`PhaseKind::Announce`]
    Announce,
    /// [`PhaseKind::Prepare`]
    Prepare,
    /// [`PhaseKind::Publish`]
    Publish,
    /// [`PhaseKind::Once`]
    Once,
    /// [`PhaseKind::Drain`]
    Drain,
    /// [`PhaseKind::Switch`]
    Switch,
    /// The same, on a host whose release is changed where it serves.
    InPlace,
    /// [`PhaseKind::Undrain`]
    Undrain,
    /// [`PhaseKind::Bake`]
    Bake,
    /// [`PhaseKind::Reopen`]
    Reopen,
    /// [`PhaseKind::Confirm`], [`PhaseKind::Finish`]
    Finish,
    /// [`PhaseKind::Work`]
    Work,
}
