//! What is wrong with a host, in one place: the planner refuses and notes what stands here, `check` tells it point by point,
//! and `status` tells it beside what is live. So what `check` says would stop a deploy is what stops one.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::crontab::CrontabLocation;
use crate::app::owner::Owner;
use crate::host::Host;
use crate::host::bad_record::{BadRecord, BadRecordReason};
use crate::host::facts::{
    Capacity, CurrentLink, HostFacts, LEAST_ROOM, Listener, Room, StuckFile, UnitElsewhere,
};
use crate::host::fleet::{GoneHost, gone_hosts};
use crate::host::layout::Layout;
use crate::host::left_over::{LeftOver, LeftOverKind, WantedHere, left_over};
use crate::host::record::{JobsRecord, LockHolder, SlotState};
use crate::host::running::Trouble;
use crate::host::written::Written;
use crate::names::{HostPath, SlotName};

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
    /// Visitors are told of maintenance.
    Maintenance,
    /// The app doesn't name the release that is live.
    AppDisagrees,
    /// The app's web server gives out git's folder.
    ExposesGit,
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
}

/// All that there is to say about a host, in the order of [`DiagnosisKind`].
pub fn diagnose(facts: &HostFacts, expected: &Expected<'_>) -> Vec<Diagnosis> {
    let mut found = Diagnoses::default();
    fitness(facts, expected, &mut found);
    records(facts, expected, &mut found);
    ownership(facts, expected, &mut found);
    link(facts, expected, &mut found);
    slots(facts, expected, &mut found);
    services(facts, expected, &mut found);
    machine(facts, expected, &mut found);
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

/// What speaks against a deploy, whatever is live.
fn fitness(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let HostFacts { user, missing_tools, missing_shared, missing_services, .. } = facts;
    let Layout { path, .. } = expected.layout;
    if !missing_tools.is_empty() {
        let words = format!("{} not found", missing_tools.join(", "));
        let help = "install them there; Debian: apt-get install git util-linux";
        found.blocks(DiagnosisKind::MissingTools, words, help);
    }
    if !facts.writable {
        // Where the app's folder isn't there yet, it is the one around it that can't be written.
        let folder = facts.read_only.as_deref().filter(|_| facts.exists).unwrap_or(path.as_str());
        let words = format!("{user} can't write {folder}");
        let help = match expected.group {
            Some(group) if facts.exists => {
                format!("on that host, as root: chgrp -R {group} {folder} && chmod -R g+rwX {folder}")
            }
            None if facts.exists => format!(
                "on that host, as root: chown -R {user} {path}; or set `deploy_group`, where several deploy"
            ),
            _ => format!("on that host, as root: install -d -o {user} {path}"),
        };
        found.blocks(DiagnosisKind::NotWritable, words, help);
    }
    // With a group it isn't the login's to say.
    if let Some(umask) = facts.umask.filter(|umask| umask & 0o005 != 0 && expected.group.is_none()) {
        let and_group = if umask & 0o050 == 0 { " and its group" } else { "" };
        let words = format!(
            "what a deploy makes can be read by {user}{and_group} alone, since the umask of that login is {umask:03o}: a web \
             server of another user can't"
        );
        found.warns(DiagnosisKind::ClosedUmask, words).help =
            Some("set it to 022 there, or set `deploy_group`, where others should".to_owned());
    }
    if !facts.not_files.is_empty() {
        let words = format!("no plain file, and so not written to: {}", facts.not_files.join(", "));
        let help = "see what it is and whose, on that host, and move it away";
        found.blocks(DiagnosisKind::NotAFile, words, help);
    }
    // Nothing is built in the one that serves.
    for slot in expected.slots.iter().filter(|slot| facts.live_slot() != Some(*slot)) {
        let folder = expected.layout.releases.join(slot.as_str());
        match facts.slots.get(slot) {
            Some(seen) if seen.is_link => found.blocks(
                DiagnosisKind::SlotIsLink,
                format!("{folder} is a link: no release is built behind one"),
                "see where it leads, on that host, and take the link away",
            ),
            Some(seen) if seen.is_of_others => found.blocks(
                DiagnosisKind::SlotOfOthers,
                format!("{folder} holds files that buedafab didn't put there, and would remove"),
                "move them away, on that host; or deploy with --take-over, which removes them",
            ),
            Some(_) | None => {}
        }
    }
    if let Some(StuckFile { slot, path, owner }) = &facts.stuck {
        let (path, folder) = (expected.layout.releases.join(path), typed(&expected.layout.slot(slot)));
        // Nobody else could stop root, or the owner.
        let (why, help) = if facts.is_root || owner == user {
            (
                "not even its owner can write: it is immutable, or its file system read-only".to_owned(),
                format!("on that host: sudo chattr -R -i {folder}"),
            )
        } else {
            let why = format!("belongs to {owner}, and which {user} can't write");
            (why, format!("on that host: sudo chown -R {user} {folder}"))
        };
        let words = format!("a deploy may be stopped by {path}, which {why}");
        // A deploy may take another slot, or leave this as it is.
        found.warns(DiagnosisKind::StuckFile, words).help = Some(help);
    }
    no_room(facts, expected, found);
    if expected.needs_sudo && !facts.refused_by_sudo.is_empty() {
        let commands = facts.refused_by_sudo.join(", ");
        let words = format!("{user} may not do this by sudo without a password: {commands}");
        let help = format!(
            "allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}; or set `ask_sudo_password`, or a \
             `restart` hook without sudo"
        );
        found.blocks(DiagnosisKind::NoSudo, words, help);
    } else if expected.needs_sudo && expected.sudo_is_unknown && facts.sudo == Some(false) {
        let words = format!("{user} can't use sudo without a password, and a deploy needs it");
        let help = "allow those commands in a file of /etc/sudoers.d; or set `ask_sudo_password`, or a `restart` hook without sudo";
        found.blocks(DiagnosisKind::NoSudo, words, help);
    }
    if expected.needs_sudo && !facts.files_refused_by_sudo.is_empty() {
        let commands = facts.files_refused_by_sudo.join(", ");
        let words = format!(
            "{user} may not do this by sudo without a password, which a deploy needs where a unit file changes: {commands}"
        );
        let help = format!("allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}");
        found.warns(DiagnosisKind::NoSudo, words).help = Some(help);
    }
    if let Some(hold) = &facts.hold {
        let words = format!("deploys are on hold: {:?}, says {} since {}", hold.reason, hold.by, hold.at);
        found.blocks(
            DiagnosisKind::Held,
            words,
            "lift it with the command `unhold`, once its reason is gone",
        );
    }
    if let Some(lock) = &facts.lock {
        let words = describe_holder(lock.holder.as_ref());
        found.blocks(DiagnosisKind::Locked, words, "wait until it ends; a lock never outlives its run");
    }
    if !missing_shared.is_empty() {
        let words = format!("not in {}: {}", expected.layout.shared(), missing_shared.join(", "));
        let help = "put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`";
        found.blocks(DiagnosisKind::MissingShared, words, help);
    }
    if let Some(why) = &facts.bad_env_file {
        let (words, help) = why.split_once(": ").unwrap_or((why, "write the file anew by `env push`"));
        found.blocks(DiagnosisKind::BadEnvFile, words.to_owned(), help);
    }
    if !missing_services.is_empty() {
        let words = format!("there is no {}", missing_services.join(" and no "));
        let help = "install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is \"init\" by default";
        found.blocks(DiagnosisKind::MissingServices, words, help);
    }
    if let Some(user) = &facts.missing_user {
        let words = format!("there is no user {user}, which `run_as` names");
        found.blocks(
            DiagnosisKind::MissingUser,
            words,
            "make that user there, in `deploy_group`, or set another",
        );
    }
    if facts.does_not_linger {
        let words = format!("the services of {user} end when {user} isn't logged in any more");
        found.blocks(
            DiagnosisKind::NoLinger,
            words,
            format!("on that host, once, as root: loginctl enable-linger {user}"),
        );
    }
}

/// What sudo doesn't allow that removes these. It stops nothing but that.
pub fn no_sudo_for_removals(facts: &HostFacts, removes: &[LeftOver]) -> Option<Diagnosis> {
    let HostFacts { user, removals_refused_by_sudo: refused, .. } = facts;
    let files: Vec<&str> = removes.iter().filter_map(LeftOver::file).map(HostPath::as_str).collect();
    let is_about = |word: &str| {
        word == "daemon-reload"
            || files.iter().any(|file| *file == word || file.rsplit('/').next() == Some(word))
    };
    let refused: Vec<&str> =
        refused.iter().map(String::as_str).filter(|command| command.split(' ').any(is_about)).collect();
    let commands = refused.join(", ");
    let words = format!(
        "{user} may not do this by sudo without a password, which removes what isn't wanted any more: {commands}"
    );
    let help = format!(
        "allow it in a file of /etc/sudoers.d: {user} ALL=(root) NOPASSWD: {commands}; or set `ask_sudo_password`"
    );
    (!refused.is_empty()).then_some(Diagnosis {
        kind: DiagnosisKind::NoSudo,
        severity: Severity::Warns,
        words,
        help: Some(help),
    })
}

/// Whether anything of a release could be written at all.
fn no_room(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    // What a run has left half-made gives its room back first.
    let half_made = |slot: &SlotName| {
        let record = facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
        record.is_some_and(|record| record.state == SlotState::Building) && facts.live_slot() != Some(slot)
    };
    if !facts.is_full() || expected.slots.iter().any(half_made) {
        return;
    }
    let Room { kib, inodes } = facts.free().unwrap_or_default();
    let free = if kib < LEAST_ROOM.kib { format!("{kib} KiB are") } else { format!("{inodes} inodes are") };
    let words = format!("the disk is full: {free} free, and no release fits");
    let help = "make room on that host; `rollback` needs none, while room is kept for its records";
    found.blocks(DiagnosisKind::NoRoom, words, help);
}

/// Whether another release is likely to fit, where what the last ones took was measured: what it overwrites gives its room back.
fn may_not_fit(facts: &HostFacts, expected: &Expected<'_>) -> Option<String> {
    let takes = |slot: &SlotName| match facts.slots.get(slot) {
        Some(seen) if !seen.folder_is_gone => seen.takes,
        Some(_) | None => Some(Room::default()),
    };
    let live = facts.live_slot().and_then(takes)?;
    let idle = expected.slots.iter().filter(|slot| facts.live_slot() != Some(*slot));
    let idle: Vec<Room> = idle.map(takes).collect::<Option<_>>()?;
    let more = |of: fn(&Room) -> u64| of(&live).saturating_sub(idle.iter().map(of).min().unwrap_or(0));
    let fits = |more: u64, capacity: Option<Capacity>| capacity.is_none_or(|capacity| more <= capacity.free);
    let (kib, inodes) = (more(|room| room.kib), more(|room| room.inodes));
    if !fits(kib, facts.disk_kib) {
        let free = facts.disk_kib?.free;
        return Some(format!(
            "another release may not fit: what is live takes {} MiB, and {} MiB are free",
            live.kib.div_ceil(1024),
            free / 1024
        ));
    }
    if !fits(inodes, facts.inodes) {
        let free = facts.inodes?.free;
        return Some(format!(
            "another release may not fit: what is live takes {} inodes, and {free} are free",
            live.inodes
        ));
    }
    None
}

/// What is written down and can't be read. What it would say isn't known, and so nothing is changed that depends on it.
fn records(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let layout = expected.layout;
    let mend = |owner: &str, paths: &str| match expected.group {
        Some(group) => {
            let who = if matches!(owner, "root" | "UNKNOWN") {
                "root".to_owned()
            } else {
                format!("{owner} or root")
            };
            format!("on that host, as {who}: chgrp {group} {paths} && chmod g+rwX {paths}")
        }
        None => {
            format!(
                "on that host, as root: chown {} {paths}; or set `deploy_group`, where several deploy",
                facts.user
            )
        }
    };
    let mut closed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for bad in &facts.bad_records {
        let (words, path) = (bad.in_words(&facts.user), bad.path.as_str());
        let is = |record: HostPath| record.as_str() == path;
        match &bad.why {
            // That there is one is all that a deploy asks.
            why if is(layout.hold()) => {
                let help = match why {
                    BadRecordReason::Closed { owner, .. } => format!("{}; ", mend(owner, path)),
                    BadRecordReason::Garbled { .. } => String::new(),
                };
                let help = format!("{help}the command `unhold` lifts it, once its reason is gone");
                found.blocks(
                    DiagnosisKind::Held,
                    format!("deploys are on hold, and why isn't known: {words}"),
                    help,
                );
            }
            BadRecordReason::Closed { owner, .. } => closed.entry(owner).or_default().push(path),
            // It decides nothing.
            BadRecordReason::Garbled { .. } if is(layout.fleet()) => {
                let help = "the next deploy writes it anew; which hosts have left is for the others to say";
                found.warns(DiagnosisKind::BadRecord, words).help = Some(help.to_owned());
            }
            BadRecordReason::Garbled { .. } => {
                let help = if is(layout.maintenance()) {
                    "the command `maintenance off` takes it away".to_owned()
                } else if is(layout.pending()) {
                    format!(
                        "the command `recover` goes the way back that lies beside it; where there is none, see where \
                         {} leads, and then on that host: rm {path}",
                        layout.current()
                    )
                } else if is(layout.owner()) {
                    format!("on that host: rm {path}; the next deploy writes it anew")
                } else if is(layout.jobs()) {
                    format!(
                        "on that host, as root: grep -r 'kept by buedafab' /var/spool/cron says in whose crontab the app's jobs \
                         stand; take them out of any but that of {}, and then: rm {path}; the next deploy writes it anew",
                        facts.user
                    )
                } else {
                    format!("on that host: rm {path}; the slot then counts as one that buedafab didn't make")
                };
                found.blocks(DiagnosisKind::BadRecord, words, help);
            }
        }
    }
    for (owner, paths) in closed {
        let words = format!("{} can't read {}: it belongs to {owner}", facts.user, paths.join(", "));
        found.blocks(DiagnosisKind::BadRecord, words, mend(owner, &paths.join(" ")));
    }
    // systemd reads it as root: only what this user runs can't do without.
    if let Some(BadRecord { path, why: BadRecordReason::Closed { owner, .. } }) = &facts.closed_env_file {
        let words = format!("{} can't read {path}: it belongs to {owner}", facts.user);
        let help = mend(owner, path);
        if expected.reads_env_file {
            found.blocks(DiagnosisKind::ClosedEnvFile, words, help);
        } else {
            found.warns(DiagnosisKind::ClosedEnvFile, words).help = Some(help);
        }
    }
    if let Some(BadRecord { path, why: BadRecordReason::Closed { owner, .. } }) = &facts.silent_journal {
        let words =
            format!("{} can't write {path}, of {owner}: what happens won't stand in `history`", facts.user);
        found.warns(DiagnosisKind::BadJournal, words).help = Some(mend(owner, path));
    }
    if facts.garbled_lines > 0 {
        let words = format!("what is missing in `history`: {}", facts.gaps_in_words(&layout.journal()));
        found.warns(DiagnosisKind::BadJournal, words);
    }
}

/// What is somebody else's.
fn ownership(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let theirs = |owner: &&Owner| !owner.may_be(expected.owner);
    let mut foreign = |words: String, help: &str| {
        let help = format!("{help}; `deploy --take-over` makes it this one's");
        found.blocks(DiagnosisKind::Foreign, words, help);
    };
    if let Some(owner) = facts.owner.as_ref().filter(theirs) {
        let words = format!("{} belongs to {owner}", expected.layout.path);
        foreign(words, "give each its own: `path = \"/var/webapps/{unit}-{environment}\"`");
    }
    for (path, owner) in facts.file_owners.iter().filter(|(_, owner)| theirs(&owner)) {
        foreign(format!("{path} belongs to {owner}"), "name this service otherwise, or leave its name out");
    }
    if let Some(Listener { place, unit, owner }) =
        facts.listener.as_ref().filter(|found| theirs(&&found.owner))
    {
        foreign(
            format!("{place} belongs to {owner}: {unit} listens there"),
            "give each app a port or a socket of its own",
        );
    }
    if let Some((label, CrontabLocation::User)) = expected.wanted.jobs {
        for block in
            facts.job_blocks.iter().filter(|block| block.what == label && !block.owner.may_be(expected.owner))
        {
            let words =
                format!("the block of {label} in the crontab of {} belongs to {}", facts.user, block.owner);
            foreign(words, "take it out by crontab -e, on that host");
        }
    }
    // The same app may have moved.
    let elsewhere = |unit: &&UnitElsewhere| unit.owner.as_ref().is_none_or(|owner| theirs(&owner));
    for UnitElsewhere { unit, folder, owner } in facts.units_elsewhere.iter().filter(elsewhere) {
        let owner = owner.as_ref().map_or_else(|| "another app".to_owned(), ToString::to_string);
        let words = format!("{unit} runs {folder}, of {owner}");
        let help = "name a service of this environment's own; `deploy --take-over` restarts it nevertheless";
        found.blocks(DiagnosisKind::UnitElsewhere, words, help);
    }
    if let Some(JobsRecord { user, label, .. }) =
        facts.jobs_of_another().filter(|_| expected.wanted.jobs.is_some())
    {
        let words = format!(
            "the app's jobs stand in the crontab of {user}: installed by {} as well, they would be done twice",
            facts.user
        );
        let help = format!(
            "deploy as {user} (`deploy_user`); or, on that host, as {user} or root, take the block of {label} out by \
             crontab -u {user} -e, and then rm {}",
            expected.layout.jobs()
        );
        found.blocks(DiagnosisKind::JobsElsewhere, words, help);
    }
}

/// Who is at work, in words.
pub fn describe_holder(holder: Option<&LockHolder>) -> String {
    match holder {
        Some(holder) => {
            format!("locked by {} since {} ({}, run {})", holder.by, holder.at, holder.doing, holder.run)
        }
        None => "locked by a run that hasn't said who it is".to_owned(),
    }
}

/// Where the link leads, and what is known of what it leads to.
fn link(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    let path = expected.layout.current();
    let mut elsewhere = |target: &str| {
        let words = format!("{path} points to {target:?}, which is none of the slots");
        let help = "another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure";
        found.blocks(DiagnosisKind::Elsewhere, words, help);
    };
    match &facts.current {
        CurrentLink::Missing => {
            found.informs(DiagnosisKind::NothingLive, "nothing is live here".to_owned());
        }
        CurrentLink::Slot(slot) if !expected.live_is_ours => elsewhere(slot.as_str()),
        CurrentLink::Elsewhere(target) => elsewhere(target),
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
        if facts.link_is_back_at(pending.from.as_deref()) {
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
            let words = "buedafab has no record of what is live".to_owned();
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

/// What somebody did to the slots by hand.
fn slots(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    for (slot, seen) in &facts.slots {
        let Some(record) = &seen.record else { continue };
        let complete = matches!(record.state, SlotState::Live | SlotState::Retired | SlotState::Ready);
        if !complete {
            continue;
        }
        if let Some(what) = seen.damaged.as_ref().or(seen.unreadable.as_ref()) {
            let words = format!("what git keeps in slot {slot} is damaged: {what}");
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
fn typed(path: &HostPath) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    match path.as_str() {
        path if path.chars().all(plain) => path.to_owned(),
        path => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// What the app has written into a slot, and what would keep it.
fn written_files(slot: &SlotName, written: &[Written], layout: &Layout) -> (String, String) {
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

/// What runs.
fn services(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
    // Whoever is at work may be restarting it just now.
    for trouble in facts.trouble().into_iter().filter(|_| facts.lock.is_none()) {
        let kind = match trouble {
            Trouble::Down(_) => DiagnosisKind::ServiceDown,
            Trouble::Stale(_) => DiagnosisKind::Stale,
            Trouble::Unwell(_) => DiagnosisKind::Unwell,
        };
        found.warns(kind, trouble.words().to_owned()).help =
            Some("`deploy` starts it again, and so does `restart`".to_owned());
    }
    let all = left_over(facts, &expected.wanted, expected.owner);
    for left in &all {
        let (kind, words, help) = stray(left, expected.layout);
        found.warns(kind, words).help = Some(help);
    }
    found.list.extend(no_sudo_for_removals(facts, &all));
    for GoneHost { host, until } in gone_hosts(facts, expected.hosts) {
        let (name, day) = (host.name, until.strftime("%Y-%m-%d"));
        let words = format!(
            "{name} was deployed to until {day}, and isn't in buedafab.toml any more: what runs there still runs"
        );
        found.warns(DiagnosisKind::GoneHost, words).help = Some(format!(
            "`retire {name}` stops and removes it there; where there is no such host any more, or it has another name, `retire {name} --forget`"
        ));
    }
    if let Some(record) = &facts.maintenance {
        let words = format!("in maintenance, says {}: `maintenance off` ends it", record.by);
        found.warns(DiagnosisKind::Maintenance, words);
    }
    if let Some(address) = &facts.exposed {
        let words =
            format!("the web server gives git's folder, and so the whole project, to everybody: {address}");
        found.warns(DiagnosisKind::ExposesGit, words).help =
            Some(r"deny it there; for nginx: location ~ /\.git { return 404; }".to_owned());
    }
    if let (Some(app), Some(live)) = (&facts.app, facts.live())
        && !app.names(&live)
    {
        let words = format!("asked what it runs, the app doesn't name {live}: {}", app.shown());
        found.warns(DiagnosisKind::AppDisagrees, words);
    }
}

/// What is said of something that isn't wanted any more, and what takes it away.
pub fn stray(left: &LeftOver, layout: &Layout) -> (DiagnosisKind, String, String) {
    let name = left.name();
    let base = |path: &HostPath| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (list, record) = (layout.installed_services(), layout.jobs());
    let (kind, words, by_hand) = match &left.kind {
        LeftOverKind::Unit { path } => {
            let words = format!("{name} is no service of this host any more, and is left as it is");
            let help = format!(
                "as root: systemctl disable --now {}; rm {path}; and take its line out of {list}",
                base(path)
            );
            (DiagnosisKind::StrayService, words, help)
        }
        LeftOverKind::InitScript { path } => {
            let words = format!("{name} is no service of this host any more, and is left as it is");
            let script = base(path);
            let help = format!(
                "as root: {path} stop; update-rc.d -f {script} remove; rm {path}; and take its line out of {list}"
            );
            (DiagnosisKind::StrayService, words, help)
        }
        LeftOverKind::JobsFile { path } => {
            let words = format!("{name} has jobs that this host shouldn't do any more, and is left as it is");
            (DiagnosisKind::StrayJobs, words, format!("as root: rm {path}"))
        }
        LeftOverKind::Jobs { .. } => {
            let words = format!("{name} aren't this host's to do any more, and are left as they are");
            (DiagnosisKind::StrayJobs, words, "take them out by crontab -e".to_owned())
        }
        LeftOverKind::JobsTwice { user, .. } => {
            let words = format!("{name} are done twice: they stand in the crontab of {user}, too");
            (DiagnosisKind::StrayJobs, words, "take them out by crontab -e".to_owned())
        }
        LeftOverKind::JobsOf { user, label } => {
            let words = format!("{name} aren't this host's to do any more, and are left as they are");
            let help = format!(
                "as {user} or root: take the block of {label} out by crontab -u {user} -e, and then rm {record}"
            );
            (DiagnosisKind::StrayJobs, words, help)
        }
    };
    let help = if left.can_go() { "`deploy --prune` stops and removes it".to_owned() } else { by_hand };
    (kind, words, help)
}

/// How far a clock may be off before anybody is told, in seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 60;

/// Disk and clock.
fn machine(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
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
