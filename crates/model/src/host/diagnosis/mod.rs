//! What is wrong with a host, in one place: the planner refuses and notes what stands here, `check` tells it point by point,
//! and `status` tells it beside what is live. So what `check` says would stop a deploy is what stops one.

mod fitness;
mod records;
mod room;
mod services;
mod slots;

use serde::Serialize;

use crate::app::owner::Owner;
use crate::host::Host;
use crate::host::facts::{HostFacts, Room};
use crate::host::layout::Layout;
use crate::host::left_over::WantedHere;
use crate::host::web_server::FollowedSocket;
use crate::names::SlotName;

pub use fitness::{describe_holder, no_sudo_for_removals};
pub use services::stray;

/// One thing that a person should know about a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// What it is.
    pub kind: DiagnosisKind,
    /// How bad it is.
    pub severity: Severity,
    /// The same for people: without the host's name, and without a full stop.
    pub words: String,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How bad a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It stops nothing, and is as it should be, or nearly.
    Informs,
    /// It stops nothing, and a person should know before they go on.
    Warns,
    /// It stops a deploy, before anything is touched.
    Blocks,
}

impl Diagnosis {
    /// All of it in one line.
    pub fn line(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.words),
            None => self.words.clone(),
        }
    }
}

/// What can be said of a host. In this order it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisKind {
    /// Tools are missing.
    MissingTools,
    /// The app's folder, or the one of its releases, can't be written.
    NotWritable,
    /// What a deploy makes can't be read by everybody, as the login's umask says.
    ClosedUmask,
    /// Where the program's own files belong there is something else.
    NotAFile,
    /// What a run has to know is written down, and can't be read.
    BadRecord,
    /// The history has gaps, or will have.
    BadJournal,
    /// Where a release would be built there is a link.
    SlotIsLink,
    /// Where a release would be built there are files of somebody's.
    SlotOfOthers,
    /// Where a release would be built there is something that whoever deploys can't remove.
    StuckFile,
    /// Next to nothing can be written any more: no release fits.
    NoRoom,
    /// Something is done by sudo, and sudo wants a password.
    NoSudo,
    /// A person said "do not deploy".
    Held,
    /// Another run is at work.
    Locked,
    /// Files that every release needs aren't there.
    MissingShared,
    /// The file of variables isn't read by all in the same way.
    BadEnvFile,
    /// The file of variables can't be read by who deploys.
    ClosedEnvFile,
    /// Services that would be restarted aren't there.
    MissingServices,
    /// The user that the app's own code should run as isn't there.
    MissingUser,
    /// The user's own services end when nobody of that name is logged in.
    NoLinger,
    /// Something that a deploy would write or restart is another app's, or this one's in another environment.
    Foreign,
    /// The app's jobs stand in another user's crontab, where they can't be replaced.
    JobsElsewhere,
    /// A unit that a deploy would restart works for another app.
    UnitElsewhere,
    /// Where the link should be there is a folder or file.
    NotALink,
    /// Another tool's link leads to what serves, and would go on doing so.
    OtherLink,
    /// The link leads to something that isn't ours.
    Elsewhere,
    /// The link leads to nothing.
    Dangling,
    /// Nothing was ever switched to.
    NothingLive,
    /// A run was cut short after it had begun to switch, and nothing has put the host back.
    Pending,
    /// What is live was switched to by a run that is still at work.
    AwaitsConfirmation,
    /// What is live was switched to by a run that ended too early.
    Unconfirmed,
    /// Nothing was written about what is live.
    Unrecorded,
    /// What git keeps in a slot is no whole clone any more.
    DamagedClone,
    /// Somebody checked out another commit in a slot.
    OtherCommit,
    /// The app has written files into a slot, which a deploy would lose.
    WrittenFiles,
    /// Somebody changed files in a slot.
    LocalChanges,
    /// More folders lie beside the slots than are looked at.
    MoreSlots,
    /// Services that should run don't.
    ServiceDown,
    /// Processes still run from a slot that isn't live any more.
    Stale,
    /// The app says that it isn't well, or says nothing.
    Unwell,
    /// A service that was put in place once isn't in the configuration any more.
    StrayService,
    /// Jobs that were installed once aren't wanted here any more.
    StrayJobs,
    /// A host was deployed to once, and isn't in the configuration any more.
    GoneHost,
    /// It is out of traffic, or may be.
    Drained,
    /// Visitors are told of maintenance.
    Maintenance,
    /// The app doesn't name the release that is live.
    AppDisagrees,
    /// The app's web server gives out git's folder.
    ExposesGit,
    /// A web server keeps connections to the release before.
    KeepsOldRelease,
    /// A web server doesn't find the app's socket.
    SocketNotFound,
    /// A web server leads to one release, whatever the link says.
    PassesByLink,
    /// No web server leads to the app's socket.
    LeadsElsewhere,
    /// The disk is nearly full.
    LowSpace,
    /// The disk can hold only few more files.
    LowInodes,
    /// A release like the one that is live doesn't fit beside it.
    MayNotFit,
    /// The host's clock is wrong, or the deployer's is.
    ClockSkew,
}

impl DiagnosisKind {
    /// Whether it stops a rollback, too: it speaks against moving the link at all, and not only against a new release.
    pub fn stops_rollbacks(self) -> bool {
        self.stops_any_change() || matches!(self, DiagnosisKind::NotALink | DiagnosisKind::Elsewhere)
    }

    /// Whether nothing is wrong, and a person or another run only wants deploys to wait.
    pub fn says_wait(self) -> bool {
        matches!(self, DiagnosisKind::Held | DiagnosisKind::Locked)
    }

    /// Whether what is missing is something that releases of this app need, rather than the program.
    pub fn is_the_apps_need(self) -> bool {
        matches!(
            self,
            DiagnosisKind::MissingShared
                | DiagnosisKind::BadEnvFile
                | DiagnosisKind::MissingServices
                | DiagnosisKind::MissingUser
                | DiagnosisKind::NoLinger
        )
    }

    /// Whether it stops whatever is done under the lock, a restart for one.
    pub fn stops_any_change(self) -> bool {
        matches!(
            self,
            DiagnosisKind::MissingTools
                | DiagnosisKind::NotWritable
                | DiagnosisKind::NotAFile
                | DiagnosisKind::BadRecord
                | DiagnosisKind::Locked
                | DiagnosisKind::Foreign
                | DiagnosisKind::Pending
        )
    }
}

/// What the settings want of a host.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Where everything lies.
    pub layout: &'a Layout,
    /// Whether the slot that serves, if one does, is meant for releases of this app.
    pub live_is_ours: bool,
    /// The slots in which releases are built.
    pub slots: &'a [SlotName],
    /// Whether something is done by sudo here, without a person who types a password.
    pub needs_sudo: bool,
    /// Whether it isn't known beforehand what.
    pub sudo_is_unknown: bool,
    /// The hosts of the environment.
    pub hosts: &'a [Host],
    /// What may be installed here.
    pub wanted: WantedHere<'a>,
    /// Whose all of it is.
    pub owner: &'a Owner,
    /// The group of those who deploy, if they are several.
    pub group: Option<&'a str>,
    /// Whether a deploy runs anything that finds the file of variables in its environment.
    pub reads_env_file: bool,
    /// The sockets that web servers find by the link.
    pub sockets: &'a [FollowedSocket],
    /// What is sent besides the release, in KiB.
    pub sent_kib: u64,
    /// What a release takes that comes as an archive.
    pub archive: Option<ArchiveRoom>,
}

/// What a release takes that comes as an archive. All of it is unpacked beside what its slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveRoom {
    /// What is unpacked.
    pub unpacked: Room,
    /// Whether the archive comes, too: it isn't packed yet, and takes no more than what is in it.
    pub is_sent: bool,
}

/// All that there is to say about a host, in the order of [`DiagnosisKind`].
pub fn diagnose(facts: &HostFacts, expected: &Expected<'_>) -> Vec<Diagnosis> {
    let mut found = Diagnoses::default();
    fitness::fitness(facts, expected, &mut found);
    records::records(facts, expected, &mut found);
    services::ownership(facts, expected, &mut found);
    slots::link(facts, expected, &mut found);
    slots::slots(facts, expected, &mut found);
    services::services(facts, expected, &mut found);
    room::machine(facts, expected, &mut found);
    found.list.sort_by_key(|diagnosis| diagnosis.kind);
    found.list
}

#[derive(Default)]
struct Diagnoses {
    list: Vec<Diagnosis>,
}

impl Diagnoses {
    fn blocks(&mut self, kind: DiagnosisKind, words: String, help: impl Into<String>) {
        self.list.push(Diagnosis { kind, severity: Severity::Blocks, words, help: Some(help.into()) });
    }

    fn warns(&mut self, kind: DiagnosisKind, words: String) -> &mut Diagnosis {
        self.list.push(Diagnosis { kind, severity: Severity::Warns, words, help: None });
        self.list.last_mut().expect("it was just put there")
    }

    fn informs(&mut self, kind: DiagnosisKind, words: String) {
        self.list.push(Diagnosis { kind, severity: Severity::Informs, words, help: None });
    }
}
