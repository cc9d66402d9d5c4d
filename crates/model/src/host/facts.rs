//! What was seen on a host in one look, and what it means.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::archive::KeptArchive;
use crate::app::crontab::CrontabLocation;
use crate::app::maintenance::MaintenanceRecord;
use crate::app::migration::UnknownMigrations;
use crate::app::owner::Owner;
use crate::app::resolved::ResolvedRelease;
use crate::host::app_version::AppAnswer;
use crate::host::bad_record::BadRecord;
use crate::host::balancer::Membership;
use crate::host::check_sum::CheckSum;
use crate::host::fleet::Fleet;
use crate::host::layout::Layout;
use crate::host::left_over::Marked;
use crate::host::record::DrainRecord;
use crate::host::record::{
    Hold, JOURNAL_READ, JobsRecord, JournalRecord, LockHolder, PendingSwitch, SlotRecord, SlotState,
};
use crate::host::running::{Running, Trouble, UnitFacts};
use crate::host::served::served;
use crate::host::sudo::SudoRules;
use crate::host::tree::{OuterLink, Tree};
use crate::host::web_server::WebServer;
use crate::host::written::Written;
use crate::names::{CommitId, HostPath, SlotName};
use crate::release::Release;

/// What was seen on one host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostFacts {
    /// The user that commands run as.
    pub user: String,
    /// Whether that user is root.
    pub is_root: bool,
    /// The umask of that login; `None` if it wasn't asked.
    pub umask: Option<u32>,
    /// The host's clock when it was looked at.
    pub clock: Option<Timestamp>,
    /// The deployer's clock when the look came back.
    pub arrived: Option<Timestamp>,
    /// Which machine it is, by whatever name it was reached; `None` if that wasn't asked, or isn't known.
    pub identity: Option<String>,
    /// Which folder of which machine the app's is, by whatever names they were reached; `None` if that wasn't asked, or isn't known.
    pub own_folder: Option<String>,
    /// Whether the app's directory is there.
    pub exists: bool,
    /// A link on the way to it that leads nowhere.
    pub leads_nowhere: Option<String>,
    /// Whether all its folders are there, and no half-made link lies about.
    pub has_folders: bool,
    /// Whether room is kept for records.
    pub has_reserve: bool,
    /// Whether a bundle couldn't build on what the slots hold: the next one has all in it.
    pub wants_all: bool,
    /// The releases of which it has all contents that Git LFS keeps.
    pub lfs: BTreeSet<CommitId>,
    /// Whether git-lfs is there; it is asked where hosts fetch.
    pub has_git_lfs: bool,
    /// Whether the user may write it, or make it.
    pub writable: bool,
    /// Where the program's own files belong, and something else is: a link, a folder, a pipe. None of it is followed or
    /// written to.
    pub not_files: Vec<String>,
    /// A folder that is there and can't be written.
    pub read_only: Option<String>,
    /// What whoever deploys can't remove from a slot that doesn't serve.
    pub stuck: Option<StuckFile>,
    /// What stands where the link should be.
    pub current: CurrentLink,
    /// The text of the link, if there is one.
    pub link: Option<String>,
    /// The link that other tools keep beside the folder of releases, if there is one.
    pub outer: Option<OuterLink>,
    /// What another tool, or a person, has made of the releases, where that was asked.
    pub tree: Tree,
    /// The slots that are there: folders that may hold a release, and records of such.
    pub slots: BTreeMap<SlotName, SlotFacts>,
    /// How many more there are, which weren't looked at.
    pub more_slots: u32,
    /// A person's "do not deploy", where it can be read.
    pub hold: Option<Hold>,
    /// What is there and can't be read: records, folders of records.
    pub bad_records: Vec<BadRecord>,
    /// The journal, where nothing can be added to it.
    pub silent_journal: Option<BadRecord>,
    /// What was resolved for the releases that the slots hold, or held last.
    pub resolved: Vec<ResolvedRelease>,
    /// By whom the host was taken out of traffic, while it is or may be, where that can be read.
    pub drained: Option<DrainRecord>,
    /// Whether the flag is there that its health check looks for.
    pub has_drain_flag: bool,
    /// Where it is behind load balancers of Amazon's, where those were asked.
    pub memberships: Vec<Membership>,
    /// What visitors are told, while the app is in maintenance, where that can be read.
    pub maintenance: Option<MaintenanceRecord>,
    /// A switch that was never confirmed, where that can be read.
    pub pending: Option<PendingSwitch>,
    /// The packages that were resolved for what serves, each with its version.
    pub pins: Vec<String>,
    /// The archives of releases that are kept there.
    pub archives: Vec<KeptArchive>,
    /// Private packages that lie there: the folder that says what each is, and its file.
    pub packages: Vec<String>,
    /// Unit files and init scripts that buedafab has put in place for this app and that are there, by their paths.
    pub installed: Vec<String>,
    /// Unit files, init scripts and files of jobs that say whose they are, anybody's.
    pub marked: Vec<Marked>,
    /// Blocks of jobs in the user's crontab that say whose they are.
    pub job_blocks: Vec<Marked>,
    /// The hosts of the environment, as the last run knew it that changed this one.
    pub fleet: Option<Fleet>,
    /// Where the app's jobs stand.
    pub jobs: Option<JobsRecord>,
    /// Who holds the lock right now.
    pub lock: Option<Lock>,
    /// The last lines of the journal, oldest first.
    pub journal: Vec<JournalRecord>,
    /// How many of them can't be read, and are left out.
    pub garbled_lines: usize,
    /// The releases that were proven live, in their order, where the strategy asks the journal for them.
    pub served: Vec<Release>,
    /// Free and total space of the file system, in KiB.
    pub disk_kib: Option<Capacity>,
    /// Free and total inodes; `None` where the file system doesn't count them.
    pub inodes: Option<Capacity>,
    /// Tools that are needed and not there.
    pub missing_tools: Vec<String>,
    /// Whether sudo does anything at all without a password; `None` if that wasn't asked.
    pub sudo: Option<bool>,
    /// Commands that sudo doesn't allow without a password.
    pub refused_by_sudo: Vec<String>,
    /// The same, of those that are done only where a unit file or an init script changes.
    pub files_refused_by_sudo: Vec<String>,
    /// The same, of those that remove what isn't wanted any more.
    pub removals_refused_by_sudo: Vec<String>,
    /// Whether there is no git, where releases don't need it.
    pub no_git: bool,
    /// Git's version there; `None` if that wasn't asked.
    pub git_version: Option<String>,
    /// Files that have to be in `shared`, and aren't.
    pub missing_shared: Vec<String>,
    /// Why the file of variables isn't read by all in the same way; `None` if it is, or isn't there.
    pub bad_env_file: Option<String>,
    /// The file of variables, where it is there and the user can't read it.
    pub closed_env_file: Option<BadRecord>,
    /// Services that have neither a unit file nor an init script.
    pub missing_services: Vec<String>,
    /// The user that the app's own code should run as, where there is none.
    pub missing_user: Option<String>,
    /// Whether services of the user's own systemd, which the app needs, end with the user's last session.
    pub does_not_linger: bool,
    /// Whose the app's folder is; `None` where nobody has said so.
    pub owner: Option<Owner>,
    /// Unit files and init scripts of somebody's who has said so, by their paths.
    pub file_owners: Vec<(String, Owner)>,
    /// Who listens where the app is asked, if that is somebody's who has said so.
    pub listener: Option<Listener>,
    /// Units that work in the folder of another app.
    pub units_elsewhere: Vec<UnitElsewhere>,
    /// What runs of the app, and how it answers.
    pub running: Running,
    /// The web servers there, where the app is one that they find by the link.
    pub web_servers: Vec<WebServer>,
    /// Where the app gives out git's folder; `None` if it doesn't, or wasn't asked.
    pub exposed: Option<String>,
    /// What the app says which release it runs; `None` if it wasn't asked.
    pub app: Option<AppAnswer>,
    /// Which migrations of the database a release that is gone back to doesn't know; `None` if that wasn't asked.
    pub migrations: Option<UnknownMigrations>,
    /// The check sum, as the host's `cksum` prints it, of all that a plan depends on.
    pub state_sum: String,
}

/// Who listens at a port or a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where: `port 8000`, or a socket's path.
    pub place: String,
    /// The unit whose process it is.
    pub unit: String,
    /// Whose that is.
    pub owner: Owner,
}

/// A unit that works in the folder of another app, or of the same app in another environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitElsewhere {
    /// The unit.
    pub unit: String,
    /// The app's folder.
    pub folder: String,
    /// Whose that is, where it says so.
    pub owner: Option<Owner>,
}

/// A file or folder in a slot that whoever deploys can't remove or write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckFile {
    /// The slot.
    pub slot: SlotName,
    /// From the folder of releases on.
    pub path: String,
    /// Whose it is.
    pub owner: String,
}

/// What stands where the link should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CurrentLink {
    /// Nothing: no release was ever switched to.
    #[default]
    Missing,
    /// A link to a slot that is there.
    Slot(SlotName),
    /// A link to nothing.
    Dangling(String),
    /// A link to a folder that is no slot.
    Elsewhere(String),
    /// A folder or a file.
    NotALink,
}

/// What was seen of one slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlotFacts {
    /// The commit that is checked out, if there is a git checkout; or that was unpacked.
    pub commit: Option<CommitId>,
    /// Whether that isn't git's to say, but the `REVISION` that another tool has put there beside an export of the commit.
    pub is_export: bool,
    /// Whether what is in it came as an archive: git knows nothing of it.
    pub unpacked: bool,
    /// Whether there is only a record of it: somebody has taken its folder away.
    pub folder_is_gone: bool,
    /// Whether its clone holds what the submodules of that commit take, too.
    pub has_modules: bool,
    /// Whether its virtualenv has no Python any more, or one that doesn't find what is installed there.
    pub python_is_gone: bool,
    /// Whether it is a link to somewhere.
    pub is_link: bool,
    /// Whether something is in it, although nobody wrote that it is a slot, and no checkout is there.
    pub is_of_others: bool,
    /// What buedafab wrote about it; `None` if it wrote nothing, or nothing that can be read.
    pub record: Option<SlotRecord>,
    /// What is wrong with what git keeps in it, where that is no whole clone.
    pub damaged: Option<String>,
    /// What else git can't read of it, though its files may well be whole; `None` if it can, or that wasn't asked.
    pub unreadable: Option<String>,
    /// Tracked files that somebody changed, as `git status --porcelain` names them; `None` if that wasn't asked.
    pub changes: Option<Vec<String>>,
    /// What the app has written into it, as far as nobody said that it may be lost.
    pub written: Vec<Written>,
    /// What it takes of the disk, if that was measured.
    pub takes: Option<Room>,
    /// The commits of which a copy is kept that can be put back in its place.
    pub copies: Vec<CommitId>,
}

impl SlotFacts {
    /// Whether git keeps a commit in it, as far as anybody knows whole.
    pub fn is_clone(&self) -> bool {
        self.commit.is_some() && !self.is_export && !self.unpacked && self.damaged.is_none()
    }
}

/// A part of a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Room {
    /// Its blocks, in KiB.
    pub kib: u64,
    /// Its files, folders and links.
    pub inodes: u64,
}

/// Where less is left, no release is begun: git alone takes some of it.
pub(super) const LEAST_ROOM: Room = Room { kib: 512, inodes: 64 };

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// By whom; `None` if they haven't written it down yet.
    pub holder: Option<LockHolder>,
}

/// How much there is, and how much of it is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// What is left.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Capacity {
    /// How many of every hundred parts are left.
    pub fn percent_free(&self) -> u64 {
        self.free * 100 / self.total.max(1)
    }

    /// Whether a deploy may fill it up.
    pub fn is_low(&self) -> bool {
        self.free * 20 < self.total
    }
}

/// Why a look can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the look at the host can't be understood: {0}")]
pub struct FactsError(String);

impl HostFacts {
    /// Reads what [`inspect_script`](crate::shell::inspect::inspect_script) printed, and what came back at `arrived`.
    pub fn parse(output: &[u8], layout: &Layout, arrived: Timestamp) -> Result<Self, FactsError> {
        let mut fields = output.split(|byte| *byte == 0);
        let mut facts = HostFacts { arrived: Some(arrived), ..HostFacts::default() };
        let mut dangling = false;
        let mut releases = layout.releases.to_string();
        let mut slot: Option<SlotName> = None;
        let (mut live, mut live_by_a_link) = (None, None);
        let mut sudo_rules = SudoRules::default();
        let mut listens: Option<(String, String)> = None;
        // Of all that a plan depends on, as far as it was told.
        let mut state: Option<CheckSum> = None;
        while let (Some(key), Some(bytes)) = (fields.next(), fields.next()) {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(bytes));
            let (key, value) = (key.trim_start_matches('\n'), value.as_ref());
            if let Some(state) = state.as_mut().filter(|_| key != "state") {
                [key.as_bytes(), b"=", bytes, b";"].into_iter().for_each(|part| state.add(part));
            }
            match key {
                "state" if value == "begins" => state = Some(CheckSum::default()),
                "state" => {
                    facts.state_sum = state.take().map(|sum| sum.to_string()).unwrap_or_default();
                }
                "id" => (facts.user, facts.is_root) = read_id(value),
                "clock" => facts.clock = value.parse().ok().and_then(|s| Timestamp::from_second(s).ok()),
                "identity" => facts.identity = Some(value.to_owned()),
                "own_folder" => facts.own_folder = Some(value.to_owned()),
                "exists" => facts.exists = true,
                "leads_nowhere" => facts.leads_nowhere = Some(value.to_owned()),
                "has_folders" => facts.has_folders = true,
                "litter" | "ungrouped" => facts.has_folders = false,
                "has_reserve" => facts.has_reserve = true,
                "wants_all" => facts.wants_all = true,
                "lfs" => facts.lfs.extend(CommitId::new(value).ok()),
                "has_git_lfs" => facts.has_git_lfs = true,
                "has_modules" => {
                    if let Some(seen) = slot.as_ref().and_then(|slot| facts.slots.get_mut(slot)) {
                        seen.has_modules = true;
                    }
                }
                "writable" => facts.writable = true,
                "read_only" => (facts.writable, facts.read_only) = (false, Some(value.to_owned())),
                "link" => facts.link = Some(value.strip_suffix("\n.").unwrap_or(value).to_owned()),
                "not_a_file" => facts.not_files.push(value.to_owned()),
                "slot_is_link" | "slot_has_files" => {
                    if let Some(seen) = slot.as_ref().and_then(|slot| facts.slots.get_mut(slot)) {
                        seen.is_link |= key.ends_with("slot_is_link");
                        seen.is_of_others |= key.ends_with("slot_has_files");
                    }
                }
                "dangling" => dangling = true,
                "not_a_link" => facts.current = CurrentLink::NotALink,
                "slot" => {
                    // What has a name that is no text can't be asked for by it.
                    let name = SlotName::new(value).ok().filter(|_| !value.contains('\u{fffd}'));
                    slot = name.inspect(|name| drop(facts.slots.insert(name.clone(), SlotFacts::default())));
                }
                "python_is_gone" => {
                    let seen = SlotName::new(value).ok().and_then(|slot| facts.slots.get_mut(&slot));
                    if let Some(seen) = seen {
                        seen.python_is_gone = true;
                    }
                }
                "folder_is_gone" => {
                    if let Some(seen) = slot.as_ref().and_then(|slot| facts.slots.get_mut(slot)) {
                        seen.folder_is_gone = true;
                    }
                }
                "outer" => facts.outer = Some(OuterLink { text: value.to_owned(), slot: None }),
                "outer_live" => {
                    if let Some(outer) = facts.outer.as_mut().filter(|outer| outer.slot.is_none()) {
                        outer.slot.clone_from(&slot);
                    }
                }
                "adoption" => facts.tree.adoption = read(value, &layout.adopted(), &mut facts.bad_records),
                _ if key.starts_with("tree_") || key.ends_with("_log") => facts.tree.read(key, value),
                "more_slots" => facts.more_slots = value.parse().unwrap_or(u32::MAX),
                "live" if value == "itself" => live = live.or_else(|| slot.clone()),
                "live" => live_by_a_link = live_by_a_link.or_else(|| slot.clone()),
                "head" | "export" => {
                    if let Some(seen) = slot.as_ref().and_then(|slot| facts.slots.get_mut(slot)) {
                        seen.commit = CommitId::new(value).ok();
                        seen.is_export = key == "export";
                    }
                }
                "unpacked" => {
                    if let Some(seen) = slot.as_ref().and_then(|slot| facts.slots.get_mut(slot)) {
                        seen.unpacked = true;
                    }
                }
                "record" => {
                    if let Some(slot) = &slot
                        && let Some(seen) = facts.slots.get_mut(slot)
                    {
                        seen.record = read(value, &layout.record(slot), &mut facts.bad_records);
                    }
                }
                "changes" => {
                    if let Some((slot, lines)) = value.split_once('/')
                        && let Some(seen) = facts.slots.get_mut(slot)
                    {
                        seen.changes = Some(lines.lines().map(str::to_owned).collect());
                    }
                }
                "damaged" | "unreadable" => {
                    if let Some((slot, what)) = value.split_once('/')
                        && let Some(seen) = facts.slots.get_mut(slot)
                    {
                        let is =
                            if key.ends_with("damaged") { &mut seen.damaged } else { &mut seen.unreadable };
                        *is = Some(what.to_owned());
                    }
                }
                "written" => {
                    if let Some((slot, text)) = value.split_once('/')
                        && let Some(seen) = facts.slots.get_mut(slot)
                    {
                        seen.written = Written::parse(text);
                    }
                }
                "copy" => {
                    if let Some((slot, commit)) = value.split_once('/')
                        && let (Some(seen), Ok(commit)) = (facts.slots.get_mut(slot), CommitId::new(commit))
                    {
                        seen.copies.push(commit);
                    }
                }
                "served" => facts.served = served(&read_journal(value).0),
                "takes" => {
                    if let Some((slot, numbers)) = value.split_once('/')
                        && let Some(seen) = facts.slots.get_mut(slot)
                    {
                        seen.takes = read_room(numbers);
                    }
                }
                // What another version of the program wrote, and can't be read, is as good as not there.
                "resolved" => facts.resolved.extend(serde_json::from_str::<ResolvedRelease>(value).ok()),
                "hold" => facts.hold = read(value, &layout.hold(), &mut facts.bad_records),
                "drain_flag" => facts.has_drain_flag = true,
                "drained" => facts.drained = read(value, &layout.drained(), &mut facts.bad_records),
                "maintenance" => {
                    facts.maintenance = read(value, &layout.maintenance(), &mut facts.bad_records);
                }
                "pending" => facts.pending = read(value, &layout.pending(), &mut facts.bad_records),
                "closed" => facts.bad_records.push(BadRecord::read_closed(value)),
                "silent_journal" => facts.silent_journal = Some(BadRecord::read_closed(value)),
                "pins" => facts.pins = value.lines().map(str::to_owned).collect(),
                "archive" => {
                    if let Some((commit, file)) = value.split_once(' ')
                        && let Ok(commit) = CommitId::new(commit)
                    {
                        facts.archives.push(KeptArchive { commit, file: file.to_owned() });
                    }
                }
                "package" => facts.packages.push(value.to_owned()),
                "installed" => facts.installed = value.lines().map(str::to_owned).collect(),
                "marked" => {
                    let marked = value.lines().filter_map(|line| {
                        let (path, _) = line.split_once(":# ")?;
                        Marked::read(path, &line[path.len() + 1..])
                    });
                    facts.marked = marked.collect();
                }
                "job_blocks" => {
                    let lines: Vec<&str> = value.lines().collect();
                    let blocks = lines.chunks_exact(2).filter_map(|pair| Marked::read(pair[0], pair[1]));
                    facts.job_blocks = blocks.collect();
                }
                "fleet" => facts.fleet = read(value, &layout.fleet(), &mut facts.bad_records),
                "jobs" => facts.jobs = read(value, &layout.jobs(), &mut facts.bad_records),
                "lock" => facts.lock = Some(Lock { holder: serde_json::from_str(value).ok() }),
                "journal" => (facts.journal, facts.garbled_lines) = read_journal(value),
                "capacity" => (facts.disk_kib, facts.inodes) = read_capacity(value),
                "missing_tool" => facts.missing_tools.push(value.to_owned()),
                "no_git" => facts.no_git = true,
                "git" => facts.git_version = Some(value.to_owned()),
                "sudo" => facts.sudo = Some(value == "yes"),
                "sudo_rules" => sudo_rules = SudoRules::read(value),
                "sudo_may" => {
                    let mut words = value.splitn(3, ' ');
                    let (needed, allowed) = (words.next(), words.next());
                    let command = words.next().unwrap_or_default().to_owned();
                    if allowed == Some("no") || sudo_rules.want_a_password(&command) {
                        let refused = match needed {
                            Some("now") => &mut facts.refused_by_sudo,
                            Some("removal") => &mut facts.removals_refused_by_sudo,
                            Some(_) | None => &mut facts.files_refused_by_sudo,
                        };
                        if !refused.contains(&command) {
                            refused.push(command);
                        }
                    }
                }
                "missing_service" => facts.missing_services.push(value.to_owned()),
                "missing_user" => facts.missing_user = Some(value.to_owned()),
                "lingers" => facts.does_not_linger = value == "no",
                "stuck" => {
                    if let Some((owner, path)) = value.split_once(' ') {
                        let slot = path.split_once('/').map_or(path, |(slot, _)| slot);
                        let (path, owner) = (path.to_owned(), owner.to_owned());
                        facts.stuck = SlotName::new(slot).ok().map(|slot| StuckFile { slot, path, owner });
                    }
                }
                "owner" => facts.owner = read(value, &layout.owner(), &mut facts.bad_records),
                "file_owner" => {
                    let (path, line) = value.split_once('\n').unwrap_or((value, ""));
                    facts.file_owners.extend(Owner::read(line).map(|owner| (path.to_owned(), owner)));
                }
                "listener" => {
                    if let Some((place, unit)) = value.split_once('\n') {
                        listens = Some((place.to_owned(), unit.to_owned()));
                    }
                }
                "listener_owner" => {
                    let owner = serde_json::from_str(value).ok();
                    facts.listener = listens.take().zip(owner).map(|((place, unit), owner)| Listener {
                        place,
                        unit,
                        owner,
                    });
                }
                "elsewhere" => {
                    if let Some((unit, folder)) = value.split_once('\n') {
                        let (unit, folder) = (unit.to_owned(), folder.to_owned());
                        facts.units_elsewhere.push(UnitElsewhere { unit, folder, owner: None });
                    }
                }
                "owner_elsewhere" => {
                    if let Some(unit) = facts.units_elsewhere.last_mut() {
                        unit.owner = serde_json::from_str(value).ok();
                    }
                }
                "units" => facts.running.read_units(value),
                "instances" => facts.running.read_instances(value),
                "service" => facts.running.read_service(value),
                "process" => facts.running.read_process(value),
                "mapped" => facts.running.read_mapped(value),
                "releases" => releases = value.to_owned(),
                "folders" => facts.running.read_folders(value, &releases),
                "health" => facts.running.read_health(value),
                "missing_shared" => facts.missing_shared.push(value.to_owned()),
                "web_server" => facts.web_servers.extend(WebServer::read(value)),
                "exposed" => facts.exposed = Some(value.to_owned()),
                "umask" => facts.umask = u32::from_str_radix(value, 8).ok(),
                "closed_env_file" => facts.closed_env_file = Some(BadRecord::read_closed(value)),
                "bad_env_file" => facts.bad_env_file = Some(value.to_owned()),
                "app" => facts.app = Some(AppAnswer::Says(value.to_owned())),
                "app_silent" => facts.app = Some(AppAnswer::Silent { why: value.to_owned() }),
                "migrations" => facts.migrations = Some(UnknownMigrations::read(value)),
                _ => {}
            }
        }
        if facts.user.is_empty() || facts.state_sum.is_empty() {
            return Err(FactsError("it ended early".to_owned()));
        }
        if let Some(target) = facts.link.clone() {
            let slot = slot_of_target(&target, layout, &facts.slots).or(live).or(live_by_a_link);
            facts.current = match slot {
                _ if dangling => CurrentLink::Dangling(target),
                Some(slot) => CurrentLink::Slot(slot),
                None => CurrentLink::Elsewhere(target),
            };
        }
        Ok(facts)
    }

    /// How far the host's clock and the deployer's are apart.
    pub fn clock_skew_seconds(&self) -> Option<i64> {
        Some(self.arrived?.duration_since(self.clock?).as_secs().abs())
    }

    /// What is wrong with what runs, where anything is live.
    pub fn trouble(&self) -> Vec<Trouble> {
        let Some(live) = self.live_slot() else { return Vec::new() };
        let resolved = self.live().and_then(|release| self.resolved_for(live, &release.commit));
        // The configuration may have come to run it otherwise since.
        let is_known = |unit: &UnitFacts| match (&unit.instance, resolved) {
            (Some(_), Some(resolved)) => {
                let instances = resolved.services.iter().filter_map(|named| named.instance(live)?.unit());
                instances.into_iter().any(|name| unit.name.strip_suffix(".service") == Some(&name))
            }
            _ => true,
        };
        self.running.trouble(live, is_known)
    }

    /// The same in words.
    pub fn trouble_in_words(&self) -> Vec<String> {
        self.trouble().iter().map(|trouble| trouble.words().to_owned()).collect()
    }

    /// Whether the link leads where a run has found it before it switched; `None`: there was none.
    pub fn link_is_back_at(&self, before: Option<&str>) -> bool {
        match &self.current {
            CurrentLink::Slot(slot) => {
                before.is_some_and(|before| before == slot.as_str() || self.link.as_deref() == Some(before))
            }
            CurrentLink::Dangling(text) | CurrentLink::Elsewhere(text) => before == Some(text),
            CurrentLink::Missing => before.is_none(),
            CurrentLink::NotALink => false,
        }
    }

    /// Whether something was refused that whoever logs in now may be allowed: a process keeps the groups and the paths that it had
    /// when it logged in, and a connection that is kept warm is such a process.
    pub fn may_be_of_an_old_login(&self) -> bool {
        !self.writable || !self.refused_by_sudo.is_empty() || !self.missing_tools.is_empty()
    }

    /// What is left of the disk; of what isn't known or counted, as much as one likes.
    pub fn free(&self) -> Option<Room> {
        let inodes = self.inodes.map_or(u64::MAX, |inodes| inodes.free);
        self.disk_kib.map(|disk| Room { kib: disk.free, inodes })
    }

    /// Whether hardly anything can be written any more.
    pub fn is_full(&self) -> bool {
        self.free().is_some_and(|free| free.kib < LEAST_ROOM.kib || free.inodes < LEAST_ROOM.inodes)
    }

    /// Whether it gets requests, as far as it knows.
    pub fn is_in_traffic(&self) -> bool {
        self.live_slot().is_some() && self.drained.is_none() && !self.has_drain_flag
    }

    /// Whether somebody has put the flag there that takes it out of traffic, who is no run.
    pub fn is_flagged_by_hand(&self) -> bool {
        self.has_drain_flag && self.drained.is_none()
    }

    /// Why a record can't be read; `None` where it can, or isn't there.
    pub fn bad_record(&self, path: &HostPath) -> Option<&BadRecord> {
        self.bad_records.iter().find(|bad| bad.path == path.as_str())
    }

    /// Jobs that stand in the crontab of another user than the one who looks.
    pub fn jobs_of_another(&self) -> Option<&JobsRecord> {
        self.jobs.as_ref().filter(|jobs| jobs.place == CrontabLocation::User && jobs.user != self.user)
    }

    /// How much of its journal can't be read.
    pub fn gaps_in_words(&self, journal: &HostPath) -> String {
        let lines = if self.garbled_lines == 1 { "line" } else { "lines" };
        format!("{} {lines} of {journal} can't be read", self.garbled_lines)
    }

    /// The slot that serves.
    pub fn live_slot(&self) -> Option<&SlotName> {
        match &self.current {
            CurrentLink::Slot(slot) => Some(slot),
            _ => None,
        }
    }

    /// The release that serves, as far as it is known: a slot that buedafab didn't fill has a commit at most.
    pub fn live(&self) -> Option<Release> {
        let seen = self.slots.get(self.live_slot()?)?;
        let recorded = seen.record.as_ref().map(|record| &record.release);
        match (recorded, &seen.commit) {
            (Some(release), Some(commit)) if release.commit == *commit => Some(release.clone()),
            (Some(release), None) => Some(release.clone()),
            (_, Some(commit)) => Some(Release::unnamed(commit.clone())),
            (None, None) => None,
        }
    }

    /// What was resolved for a release: best of all as it was prepared in this slot.
    pub fn resolved_for(&self, slot: &SlotName, commit: &CommitId) -> Option<&ResolvedRelease> {
        let of_commit = || self.resolved.iter().filter(|resolved| resolved.commit == *commit);
        of_commit().find(|resolved| resolved.slot == *slot).or_else(|| of_commit().next())
    }

    /// Which release in a row it was that was proven live in a slot, as far as that was counted.
    pub fn turn_of(&self, slot: &SlotName) -> u64 {
        self.slots.get(slot).and_then(|seen| seen.record.as_ref()).map_or(0, |record| record.turn)
    }

    /// Which release in a row served last.
    pub fn last_turn(&self) -> u64 {
        self.slots.keys().map(|slot| self.turn_of(slot)).max().unwrap_or(0)
    }

    /// What was written about the slot that serves.
    pub fn live_record(&self) -> Option<&SlotRecord> {
        self.slots.get(self.live_slot()?)?.record.as_ref()
    }

    /// Whether the run that switched to what serves was confirmed.
    pub fn live_is_confirmed(&self) -> bool {
        self.live_record().is_some_and(|record| record.state == SlotState::Live)
    }
}

/// The slot that a link leads to: `a`, `./a`, or the absolute path that older tools wrote.
fn slot_of_target(target: &str, layout: &Layout, slots: &BTreeMap<SlotName, SlotFacts>) -> Option<SlotName> {
    let target = target.trim_end_matches('/');
    let inside = target.strip_prefix(layout.releases.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let name = inside.unwrap_or(target.strip_prefix("./").unwrap_or(target));
    slots.keys().find(|slot| slot.as_str() == name).cloned()
}

/// What a record says. One that says nothing that can be understood is told, and isn't the same as none.
fn read<T: DeserializeOwned>(line: &str, path: &HostPath, bad: &mut Vec<BadRecord>) -> Option<T> {
    serde_json::from_str(line).map_err(|_| bad.push(BadRecord::garbled(path.as_str(), line))).ok()
}

/// The lines of a journal, and how many of them can't be read.
fn read_journal(lines: &str) -> (Vec<JournalRecord>, usize) {
    // Where so much was read as is read at most, the first line may have been cut.
    let cut = usize::from(lines.len() + 1 >= JOURNAL_READ);
    let read: Vec<Option<JournalRecord>> =
        lines.lines().map(|line| serde_json::from_str(line).ok()).collect();
    let garbled = read.iter().skip(cut).filter(|record| record.is_none()).count();
    (read.into_iter().flatten().collect(), garbled)
}

/// What `id` prints: `uid=1000(deploy) gid=…`.
fn read_id(text: &str) -> (String, bool) {
    let user = text.strip_prefix("uid=").and_then(|text| text.split_whitespace().next()).unwrap_or_default();
    let (number, rest) = user.split_once('(').unwrap_or((user, user));
    (rest.trim_end_matches(')').to_owned(), number == "0")
}

/// KiB and inodes.
fn read_room(text: &str) -> Option<Room> {
    let (kib, inodes) = text.trim().split_once(' ')?;
    Some(Room { kib: kib.parse().ok()?, inodes: inodes.trim().parse().ok()? })
}

/// What `stat -f` says of a file system: free and all blocks, their size in bytes, free and all inodes. Where it doesn't
/// count inodes, there are none.
fn read_capacity(text: &str) -> (Option<Capacity>, Option<Capacity>) {
    let numbers: Vec<u64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [free, total, block_size, free_inodes, inodes] = numbers[..] else { return (None, None) };
    let kib = |blocks: u64| blocks.saturating_mul(block_size) / 1024;
    let disk = Capacity { free: kib(free), total: kib(total) };
    (Some(disk), (inodes > 0).then_some(Capacity { free: free_inodes, total: inodes }))
}
