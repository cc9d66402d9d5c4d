//! A host as far as a plan can change it: a link, slots, records, and the app's process.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::fault::Progress;
use crate::app::maintenance::MaintenanceRecord;
use crate::app::owner::Owner;
use crate::config::{Settings, StrategyName};
use crate::host::Host;
use crate::host::facts::{Capacity, CurrentLink, HostFacts, Lock, SlotFacts};
use crate::host::layout::Layout;
use crate::host::record::DrainRecord;
use crate::host::record::{Hold, JournalRecord, LockHolder, PendingSwitch, SlotRecord, SlotState};
use crate::host::running::{ProcessFacts, Running, UnitFacts};
use crate::host::served::served;
use crate::host::tree::{AdoptionRecord, OuterLink, Tree, TreeFolder};
use crate::names::{CommitId, RunId, SlotName};
use crate::plan::action::{Action, Copies, Effect, FailureMeans};
use crate::release::Release;
use crate::run::state::LOCK_IS_TAKEN;
use crate::shell::inspect::GUARD_FAILED;

/// One host, with all that a plan can change on it.
#[derive(Debug, Clone)]
pub struct SimHost {
    /// The host of the settings.
    pub host: Host,
    /// Whether the app's folders are there.
    pub has_folders: bool,
    /// Whose they are.
    pub owner: Option<Owner>,
    /// The text of the link that decides what is live; `None` if there is none.
    pub link: Option<String>,
    /// The link of another tool's, which web servers read through, as it reads; it stands beside the folder of releases.
    pub outer: Option<String>,
    /// Releases that git knows by more than their commits.
    pub tagged: Vec<Release>,
    /// What was written down when the tree was adopted.
    pub adoption: Option<AdoptionRecord>,
    /// Every slot that there is, or was.
    pub slots: BTreeMap<SlotName, SimSlot>,
    /// A person's "do not deploy".
    pub hold: Option<Hold>,
    /// The history, oldest first.
    pub journal: Vec<JournalRecord>,
    /// Who holds the lock.
    pub lock: Option<LockHolder>,
    /// What each service of the app runs, by its name.
    pub processes: BTreeMap<String, Process>,
    /// Whether visitors are told of maintenance.
    pub maintenance: bool,
    /// By which run it was taken out of traffic, and whether a person wanted that.
    pub drained: Option<(RunId, bool)>,
    /// A switch that isn't confirmed, as it lies on the host's disk.
    pub pending: Option<SimPending>,
    /// Whether it puts back, as it starts, what was cut short.
    pub puts_back_at_boot: bool,
    /// Whether it can be reached at all.
    pub is_up: bool,
    /// Whether nothing but records can be written.
    pub disk_is_full: bool,
    /// Copies of what slots have held, each as it was.
    pub copies: BTreeMap<(SlotName, CommitId), SimSlot>,
    /// Whether a look asks the journal for what has served.
    has_history: bool,
    layout: Layout,
}

/// A switch that isn't confirmed, and its way back.
#[derive(Debug, Clone, PartialEq)]
pub struct SimPending {
    /// What was written down.
    pub record: PendingSwitch,
    /// What the script beside it does.
    pub way_back: Vec<Action>,
}

/// One slot of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSlot {
    /// What was written about it.
    pub record: Option<SlotRecord>,
    /// What is in it.
    pub content: Content,
    /// The commit that git would name, whatever the files are.
    pub head: Option<CommitId>,
}

impl SimSlot {
    /// Whether there is a folder, or at least a record of one.
    fn is_there(&self) -> bool {
        self.content != Content::Missing || self.record.is_some()
    }
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// There is no such folder.
    Missing,
    /// Something that nobody should run.
    Partial,
    /// All of a commit, built.
    Complete(CommitId),
}

/// What the app's process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Process {
    /// It was never started, or there was nothing to start.
    Nothing,
    /// It was stopped, and didn't come back.
    Dead,
    /// This commit.
    Runs(CommitId),
    /// Something in a folder that is no slot.
    Foreign,
}

impl SimHost {
    /// A host on which nothing was ever deployed.
    pub fn bare(settings: &Settings, host: &Host) -> Self {
        Self {
            host: host.clone(),
            has_folders: false,
            owner: None,
            link: None,
            outer: None,
            tagged: Vec::new(),
            adoption: None,
            slots: BTreeMap::new(),
            hold: None,
            journal: Vec::new(),
            lock: None,
            processes: BTreeMap::new(),
            maintenance: false,
            drained: None,
            pending: None,
            puts_back_at_boot: false,
            is_up: true,
            disk_is_full: false,
            copies: BTreeMap::new(),
            has_history: settings.layout.strategy == StrategyName::InPlace,
            layout: settings.layout(host),
        }
    }

    /// What a look at the host would show.
    pub fn facts(&self) -> HostFacts {
        let slots = self.slots.iter().filter(|(_, slot)| slot.is_there());
        let copies = |name: &SlotName| {
            self.copies.keys().filter(|(slot, _)| slot == name).map(|(_, commit)| commit.clone()).collect()
        };
        let seen = |name: &SlotName, slot: &SimSlot| SlotFacts {
            commit: slot.head.clone(),
            copies: copies(name),
            folder_is_gone: slot.content == Content::Missing,
            record: slot.record.clone(),
            ..SlotFacts::default()
        };
        HostFacts {
            user: "deploy".to_owned(),
            exists: self.has_folders,
            has_folders: self.has_folders,
            owner: self.owner.clone(),
            has_reserve: true,
            disk_kib: self.disk_is_full.then_some(Capacity { free: 0, total: 1 << 20 }),
            writable: true,
            current: self.current(),
            link: self.link.clone(),
            outer: self.outer(),
            tree: self.tree(),
            slots: slots.map(|(name, slot)| (name.clone(), seen(name, slot))).collect(),
            hold: self.hold.clone(),
            drained: self.drained.clone().map(|(run, is_by_hand)| DrainRecord {
                method: None,
                at: Timestamp::UNIX_EPOCH,
                by: "ada@laptop".to_owned(),
                run,
                is_by_hand,
                memberships: Vec::new(),
            }),
            maintenance: self.maintenance.then(|| MaintenanceRecord {
                at: Timestamp::UNIX_EPOCH,
                by: "ada@laptop".to_owned(),
                message: None,
                until: None,
            }),
            pending: self.pending.as_ref().map(|pending| pending.record.clone()),
            lock: self.lock.clone().map(|holder| Lock { holder: Some(holder) }),
            journal: self.journal.clone(),
            served: if self.has_history { served(&self.journal) } else { Vec::new() },
            state_sum: self.state_sum(),
            running: self.running(),
            ..HostFacts::default()
        }
    }

    /// The link of another tool's, and the slot that it leads to.
    fn outer(&self) -> Option<OuterLink> {
        let link = OuterLink { text: self.outer.clone()?, slot: None };
        let name = match link.follows(&self.layout) {
            true => self.link.as_deref(),
            false => link.text.rsplit('/').next(),
        };
        let slot = name.and_then(|name| self.slots.get_key_value(name)).map(|(name, _)| name.clone());
        Some(OuterLink { slot, ..link })
    }

    /// What a look sees of a tree: all of its folders are clones, and were filled in the order of their names.
    fn tree(&self) -> Tree {
        let is_there = |(_, slot): &(&SlotName, &SimSlot)| slot.content != Content::Missing;
        let folder = |(name, slot): (&SlotName, &SimSlot)| {
            let release = slot.head.as_ref().map(|head| {
                let tagged = self.tagged.iter().find(|release| release.commit == *head);
                tagged.cloned().unwrap_or_else(|| Release::unnamed(head.clone()))
            });
            (name.clone(), TreeFolder { release, ..TreeFolder::default() })
        };
        Tree {
            folders: self.slots.iter().filter(is_there).map(folder).collect(),
            adoption: self.adoption.clone(),
            ..Tree::default()
        }
    }

    /// The commit that a web server finds, if all of it is there: through the link of another tool's, where there is one.
    pub fn visited_commit(&self) -> Option<&CommitId> {
        let Some(outer) = self.outer() else { return self.live_commit() };
        match &self.slots.get(&outer.slot?)?.content {
            Content::Complete(commit) => Some(commit),
            Content::Missing | Content::Partial => None,
        }
    }

    /// What a look sees of the services.
    fn running(&self) -> Running {
        let unit = |(name, process): (&String, &Process)| {
            let (state, slots) = match process {
                Process::Dead => ("failed", BTreeSet::new()),
                Process::Runs(commit) => {
                    let holds = |(name, slot): (&SlotName, &SimSlot)| {
                        (slot.head.as_ref() == Some(commit)).then(|| name.clone())
                    };
                    ("active", self.slots.iter().filter_map(holds).collect())
                }
                Process::Nothing | Process::Foreign => return None,
            };
            let instance = instance_of(name).and_then(|slot| SlotName::new(slot).ok());
            let slots = instance.clone().map_or(slots, |slot| BTreeSet::from([slot]));
            let processes = vec![ProcessFacts { pid: 1, slots }];
            let (name, state) = (name.clone(), state.to_owned());
            Some(UnitFacts { name, is_loaded: true, state, processes, instance, ..UnitFacts::default() })
        };
        Running { units: self.processes.iter().filter_map(unit).collect(), health: None }
    }

    /// What stands where the link should be.
    pub fn current(&self) -> CurrentLink {
        let Some(text) = &self.link else { return CurrentLink::Missing };
        match self.slots.get_key_value(text.as_str()) {
            Some((_, slot)) if slot.content == Content::Missing => CurrentLink::Dangling(text.clone()),
            Some((name, _)) => CurrentLink::Slot(name.clone()),
            None => CurrentLink::Elsewhere(text.clone()),
        }
    }

    /// The slot that the link leads to.
    pub fn live_slot(&self) -> Option<&SimSlot> {
        self.slots.get(self.link.as_deref()?).filter(|slot| slot.content != Content::Missing)
    }

    /// The commit that serves, if all of it is there.
    pub fn live_commit(&self) -> Option<&CommitId> {
        match &self.live_slot()?.content {
            Content::Complete(commit) => Some(commit),
            Content::Missing | Content::Partial => None,
        }
    }

    /// Power comes back: the init system puts back what was cut short, where it can, and starts what the link leads to.
    pub fn boot(&mut self) {
        self.is_up = true;
        if let Some(SimPending { way_back, record }) = self.pending.clone().filter(|_| self.puts_back_at_boot)
        {
            let not_of_processes = way_back.iter().filter(|action| !action.effects().is_about_processes());
            let done =
                not_of_processes.map(|action| self.apply(action, Progress::All, &record.run, record.at));
            if done.sum::<i32>() == 0 {
                self.pending = None;
            }
        }
        let services: Vec<String> = self.processes.keys().cloned().collect();
        for service in services {
            match instance_of(&service) {
                Some(slot) if self.link.as_deref() != Some(slot) => {
                    self.processes.insert(service, Process::Nothing);
                }
                _ => drop(self.start(service)),
            }
        }
    }

    /// The state that a plan depends on, as the host's check sum would tell it apart.
    fn state_sum(&self) -> String {
        let mut sum = format!("{:?}{:?}{:?}", self.link, self.outer, self.hold);
        for (name, slot) in &self.slots {
            if !slot.is_there() {
                continue;
            }
            sum.push_str(name.as_str());
            sum.push_str(if slot.content == Content::Missing { "gone" } else { "" });
            sum.push_str(slot.head.as_ref().map_or("-", CommitId::as_str));
            if let Some(record) = &slot.record {
                sum.push_str(&format!("{:?}", (record.at, record.state, &record.release, &record.former)));
            }
        }
        sum
    }

    fn start(&mut self, service: String) -> i32 {
        let process = match self.live_commit() {
            Some(commit) => Process::Runs(commit.clone()),
            None if matches!(self.current(), CurrentLink::Elsewhere(_)) => Process::Foreign,
            None if self.link.is_none() => Process::Nothing,
            None => Process::Dead,
        };
        let status = i32::from(process == Process::Dead);
        self.processes.insert(service, process);
        status
    }

    /// Does an action as far as it gets, and gives back its exit status. An action that was cut short has one too, if
    /// anybody is there to ask for it.
    pub(super) fn apply(&mut self, action: &Action, progress: Progress, run: &RunId, at: Timestamp) -> i32 {
        if progress == Progress::Nothing {
            return 1;
        }
        let effect = action.effects().effect;
        let takes_room = matches!(
            effect,
            Effect::Objects { .. }
                | Effect::Files { .. }
                | Effect::InPlace { .. }
                | Effect::Copied { .. }
                | Effect::Part { .. }
                | Effect::Command { fills: true, .. }
        );
        let all = progress == Progress::All && !(self.disk_is_full && takes_room);
        match effect {
            Effect::Nothing | Effect::Beside => {}
            Effect::Folders(owner) if all => {
                self.has_folders = true;
                self.owner = Some(owner.clone());
            }
            Effect::Folders(_) => {}
            Effect::Lock(holder) => match &self.lock {
                Some(_) => return LOCK_IS_TAKEN,
                None if !self.has_folders => return 73,
                None if all => self.lock = Some(holder.clone()),
                None => {}
            },
            Effect::Unchanged(sum) => {
                if sum != self.state_sum() {
                    return GUARD_FAILED;
                }
            }
            Effect::Recovered => return self.recover(progress, run, at),
            // A record is replaced by a rename: half of that is nothing.
            Effect::Mark { slot, state, release, former, turn } => {
                if !self.has_folders {
                    return 1;
                }
                if all {
                    self.slot(slot).record = Some(SlotRecord {
                        at,
                        state,
                        release: release.clone(),
                        former: former.cloned(),
                        turn,
                        run: run.clone(),
                    });
                }
            }
            Effect::Adopted { runs, link } => {
                if all {
                    let (runs, link) = (runs.to_vec(), link.map(str::to_owned));
                    self.adoption = Some(AdoptionRecord { at, runs, link });
                }
            }
            // File by file, and what says whose they are goes last.
            Effect::Disowned { slots, all: adoption } => {
                let gone = if all { slots.len() } else { slots.len() / 2 };
                slots[..gone].iter().for_each(|slot| self.slot(slot).record = None);
                if all && adoption {
                    (self.adoption, self.owner) = (None, None);
                }
            }
            // By a rename each.
            Effect::Followed(slot) => {
                self.link = Some(slot.to_string());
                if all {
                    self.outer = Some(self.layout.current().to_string());
                }
            }
            Effect::PassedBy(before) => {
                self.outer = Some(before.to_owned());
                if all {
                    self.link = None;
                }
            }
            // New objects alone change no file, but nobody should rely on that.
            Effect::Objects { slot, .. } if self.link.as_deref() == Some(slot.as_str()) => {}
            Effect::Objects { slot, .. } => self.slot(slot).content = Content::Partial,
            Effect::Copied { slot, commit } => {
                if all {
                    let copy = self.slot(slot).clone();
                    self.copies.insert((slot.clone(), commit.clone()), copy);
                }
            }
            Effect::PutBack { slot, commit, record } => return self.put_back(slot, commit, record, all),
            // What couldn't be put back may still be needed.
            Effect::CopiesDropped { slot, copies } => {
                if all && self.pending.is_none() {
                    self.copies.retain(|(name, commit), _| {
                        name != slot
                            || match copies {
                                Copies::Of(dropped) => dropped != commit,
                                Copies::AllBut(kept) => kept.as_ref() == Some(commit),
                            }
                    });
                    self.disk_is_full = false;
                }
            }
            Effect::Files { slot, commit } | Effect::InPlace { slot, commit } => {
                let slot = self.slot(slot);
                slot.content = if all { Content::Complete(commit.clone()) } else { Content::Partial };
                if all {
                    slot.head = Some(commit.clone());
                }
            }
            // A slot that is being built has nothing to lose.
            Effect::RoomGivenBack { slot } => {
                let is_full = self.disk_is_full;
                let slot = self.slot(slot);
                if let Some(record) = slot
                    .record
                    .as_mut()
                    .filter(|record| is_full && record.state == SlotState::Building && record.run == *run)
                {
                    slot.content = if all { Content::Missing } else { Content::Partial };
                    if all {
                        record.state = SlotState::Failed;
                        slot.head = None;
                        self.disk_is_full = false;
                    }
                }
            }
            // What was noted goes last.
            Effect::Removed { slot } => {
                let slot = self.slot(slot);
                slot.content = if all { Content::Missing } else { Content::Partial };
                if all {
                    (slot.record, slot.head) = (None, None);
                }
            }
            Effect::Part { slot } => {
                if !all {
                    self.slot(slot).content = Content::Partial;
                }
            }
            // By a rename; and what it says is nothing that decides whether a release is whole.
            Effect::Edit { .. } => {}
            Effect::Holds { slot, commit } => {
                return i32::from(self.slot(slot).content != Content::Complete(commit.clone()));
            }
            Effect::Command { directory, fills } => {
                let lies_in = |slot: crate::names::HostPath| {
                    let rest = directory.as_str().strip_prefix(slot.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let slot = self.slots.iter_mut().find(|(name, _)| lies_in(self.layout.slot(name)));
                if let Some((_, slot)) = slot.filter(|_| fills && !all) {
                    slot.content = Content::Partial;
                }
            }
            // One rename(2): done, or not.
            Effect::Link(target) => {
                if all {
                    self.link = target.map(str::to_owned);
                }
            }
            Effect::Start(service) => {
                let service = String::from(service.clone());
                if all {
                    return self.start(service);
                }
                self.processes.insert(service, Process::Dead);
            }
            Effect::PutsBackAtBoot => self.puts_back_at_boot |= all,
            Effect::StartIn { service, slot } => {
                let process = match &self.slot(slot).content {
                    Content::Complete(commit) if all => Process::Runs(commit.clone()),
                    _ => Process::Dead,
                };
                let status = i32::from(process == Process::Dead);
                self.processes.insert(String::from(service.clone()), process);
                return status;
            }
            Effect::StopIn { services, slot: _ } => {
                let stopped = if all { services.len() } else { services.len() / 2 };
                for service in &services[..stopped] {
                    self.processes.insert(String::from(service.clone()), Process::Nothing);
                }
            }
            Effect::Stop(service) => {
                let stopped = if all { Process::Nothing } else { Process::Dead };
                self.processes.insert(String::from(service.clone()), stopped);
            }
            Effect::Journal { kind, by, release, from, reason, skipped } => {
                if !self.has_folders {
                    return 1;
                }
                if all {
                    self.journal.push(JournalRecord {
                        at,
                        kind,
                        run: run.clone(),
                        by: by.to_owned(),
                        release: release.cloned(),
                        from: from.cloned(),
                        skipped: skipped.to_vec(),
                        reason: reason.map(str::to_owned),
                        stopped: None,
                    });
                }
            }
            Effect::Hold { by, reason } => {
                if all {
                    self.hold = Some(Hold { at, by: by.to_owned(), reason: reason.to_owned() });
                }
            }
            Effect::NoHold => {
                if all {
                    self.hold = None;
                }
            }
            Effect::Maintenance(on) => {
                if all {
                    self.maintenance = on;
                }
            }
            // It is noted before it is done.
            Effect::Drained { is_by_hand } => self.drained = Some((run.clone(), is_by_hand)),
            Effect::InTraffic => {
                if all {
                    self.drained = None;
                }
            }
        }
        i32::from(!all)
    }

    /// By renames, which take no room; and wherever it was cut short, it can be done again.
    fn put_back(&mut self, slot: &SlotName, commit: &CommitId, record: bool, all: bool) -> i32 {
        let key = (slot.clone(), commit.clone());
        let Some(copy) = self.copies.get(&key).cloned() else {
            let found = self.slot(slot);
            let is_building = found.record.as_ref().is_some_and(|record| record.state == SlotState::Building);
            let is_there = found.content == Content::Complete(commit.clone()) && !(record && is_building);
            return i32::from(!is_there);
        };
        // On the way forward there is another copy to go back to, and this one is no copy any more once it was begun with.
        if all || !record {
            self.copies.remove(&key);
        }
        let found = self.slot(slot);
        if !all {
            found.content = Content::Partial;
            if let Some(written) = found.record.as_mut().filter(|_| record) {
                written.state = SlotState::Building;
            }
            return 1;
        }
        (found.content, found.head) = (copy.content, copy.head);
        if record {
            found.record = copy.record;
            // What has filled it is gone with the other release.
            self.disk_is_full = false;
        }
        0
    }

    /// The script beside the record of what is pending. It can be run again as often as it takes.
    fn recover(&mut self, progress: Progress, run: &RunId, at: Timestamp) -> i32 {
        let Some(SimPending { way_back, .. }) = self.pending.clone() else { return GUARD_FAILED };
        let all = progress == Progress::All;
        let done = if all { way_back.len() } else { way_back.len() / 2 };
        let mut failed = false;
        for action in &way_back[..done] {
            let effects = action.effects();
            let status = self.apply(action, Progress::All, run, at);
            failed |= status != 0 && !effects.is_optional();
            if failed && effects.failure != FailureMeans::StopUnlessGoingBack {
                break;
            }
        }
        if all && !failed {
            self.pending = None;
        }
        i32::from(failed || !all)
    }

    fn slot(&mut self, name: &SlotName) -> &mut SimSlot {
        let empty = || SimSlot { record: None, content: Content::Missing, head: None };
        self.slots.entry(name.clone()).or_insert_with(empty)
    }
}

/// The slot that a service is of, where each has its own.
pub(super) fn instance_of(service: &str) -> Option<&str> {
    service.split_once('@').map(|(_, slot)| slot)
}
