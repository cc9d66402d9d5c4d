//! What was seen to run of the app, and how it answered: what "serving" is made of, besides the link.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::app::text::line_of;
use crate::names::SlotName;

/// How much is told of an answer, in characters.
const LONGEST_ANSWER: usize = 200;

/// What was seen to run, and what it answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Running {
    /// The services that should run. Empty where none was asked about, or their manager can't be asked.
    pub units: Vec<UnitFacts>,
    /// What the app answered to the question whether it is well; `None` if it wasn't asked.
    pub health: Option<HealthAnswer>,
}

/// A unit of systemd, or a service of another manager, as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// Whether systemd knows it at all.
    #[serde(skip)]
    pub is_loaded: bool,
    /// Its state, in systemd's words: `active`, `failed`.
    pub state: String,
    /// More about it: `running`, `auto-restart`, `dead`.
    pub sub_state: String,
    /// How it ended last, in systemd's words: `success`, `exit-code`.
    pub result: String,
    /// Whether it runs to its end and is done then.
    #[serde(skip)]
    pub is_oneshot: bool,
    /// Its main process.
    pub main_pid: Option<u32>,
    /// How often systemd has started it again by itself.
    pub restarts: u32,
    /// Since when it is up.
    pub since: Option<Timestamp>,
    /// Its processes.
    pub processes: Vec<ProcessFacts>,
    /// The slot whose release it runs, where each has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<SlotName>,
    #[serde(skip)]
    pub(crate) control_group: String,
}

/// A process of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProcessFacts {
    /// Its number.
    pub pid: u32,
    /// The slots whose files it runs, as far as that can be seen: the one that it works in, or else those that it has files of in
    /// memory.
    pub slots: BTreeSet<SlotName>,
}

/// How the app answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthAnswer {
    /// Whether it is well.
    pub is_well: bool,
    /// What was asked and answered, on one line.
    pub words: String,
}

/// By what it is known that a release serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// By the link alone: nothing that runs is asked.
    #[default]
    Link,
    /// By what runs as well: services, the app itself, or commands of the project that look at it.
    App,
}

/// What is wrong with what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A unit doesn't run.
    Down(String),
    /// A process runs from a slot that the link doesn't lead to.
    Stale(String),
    /// The app doesn't answer well.
    Unwell(String),
}

impl Trouble {
    /// What is wrong, in words.
    pub fn words(&self) -> &str {
        match self {
            Trouble::Down(words) | Trouble::Stale(words) | Trouble::Unwell(words) => words,
        }
    }
}

impl Running {
    /// Whether a process of the app's services runs from a slot, as far as that can be seen.
    pub fn runs_from(&self, slot: &SlotName) -> bool {
        let mut processes = self.units.iter().flat_map(|unit| &unit.processes);
        processes.any(|process| process.slots.contains(slot))
    }

    /// Whether a process of a slot's own may run there.
    pub fn has_instance_in(&self, slot: &SlotName) -> bool {
        self.units.iter().any(|unit| unit.instance.as_ref() == Some(slot) && unit.may_run())
    }

    /// Whether a unit is up, with the end of its name or without.
    pub fn is_up(&self, name: &str) -> bool {
        let is_it = |unit: &&UnitFacts| unit.name.strip_suffix(".service").unwrap_or(&unit.name) == name;
        self.units.iter().find(is_it).is_some_and(UnitFacts::is_up)
    }

    /// Whether all that a slot has of its own is up: as much as the one that serves has.
    pub fn is_warm(&self, slot: &SlotName, live: &SlotName) -> bool {
        let of = |slot: &SlotName| {
            let own = self.units.iter().filter(|unit| unit.instance.as_ref() == Some(slot) && unit.is_up());
            own.filter_map(|unit| unit.name.split('@').next()).collect::<BTreeSet<_>>()
        };
        let (warm, serves) = (of(slot), of(live));
        !warm.is_empty() && warm.is_superset(&serves)
    }

    /// Reads of which services each slot has its own: the beginnings of their units' names.
    pub fn read_instances(&mut self, beginnings: &str) {
        for unit in &mut self.units {
            let of = |beginning: &str| unit.name.strip_prefix(beginning)?.strip_suffix(".service");
            let slot = beginnings.lines().find_map(of);
            unit.instance = slot.and_then(|slot| SlotName::new(slot).ok());
        }
    }
}

impl UnitFacts {
    /// Whether anything of it may run, or is about to.
    pub fn may_run(&self) -> bool {
        !matches!(self.state.as_str(), "inactive" | "failed" | "")
    }

    /// Whether it does what it is for: one that runs to its end may have done so.
    pub fn is_up(&self) -> bool {
        match self.state.as_str() {
            "active" | "reloading" => true,
            // It is just at work.
            "activating" if self.is_oneshot => true,
            "inactive" => self.is_oneshot && self.result == "success",
            _ => false,
        }
    }

    /// What is wrong with it, where the link leads to this slot.
    pub fn trouble(&self, live: &SlotName) -> Option<Trouble> {
        // What is kept to go back to, or just being stopped.
        if self.instance.as_ref().is_some_and(|slot| slot != live) {
            return None;
        }
        if !self.is_up() {
            return Some(Trouble::Down(format!("{} doesn't run: {}", self.name, self.state_in_words())));
        }
        let is_stale = |process: &&ProcessFacts| !process.slots.is_empty() && !process.slots.contains(live);
        let stale: Vec<&ProcessFacts> = self.processes.iter().filter(is_stale).collect();
        let slots: Vec<&str> = stale.first()?.slots.iter().map(SlotName::as_str).collect();
        let pids: Vec<String> = stale.iter().map(|process| process.pid.to_string()).collect();
        let processes = if pids.len() == 1 { "process" } else { "processes" };
        Some(Trouble::Stale(format!(
            "{} still runs slot {}, in {processes} {}: the link leads to {live}",
            self.name,
            slots.join(" and "),
            pids.join(", ")
        )))
    }

    fn state_in_words(&self) -> String {
        match (self.state.as_str(), self.result.as_str()) {
            _ if !self.is_loaded => "there is no such unit".to_owned(),
            ("activating", _) => format!("it is being started, {} times so far", self.restarts),
            (state, "" | "success") => format!("it is {state}"),
            (state, result) => format!("it is {state} ({result})"),
        }
    }
}

impl Running {
    /// Whether anything at all is known besides the link.
    pub fn is_known(&self) -> bool {
        self.health.is_some() || !self.units.is_empty()
    }

    /// What is wrong with what runs, where the link leads to this slot.
    pub fn trouble(&self, live: &SlotName, is_asked: impl Fn(&UnitFacts) -> bool) -> Vec<Trouble> {
        let units = self.units.iter().filter(|unit| is_asked(unit));
        let mut found: Vec<Trouble> = units.filter_map(|unit| unit.trouble(live)).collect();
        let unwell = self.health.as_ref().filter(|answer| !answer.is_well);
        found.extend(unwell.map(|answer| Trouble::Unwell(format!("the app isn't well: {}", answer.words))));
        found
    }

    /// Reads what `systemctl show` said of several units.
    pub fn read_units(&mut self, shown: &str) {
        for block in shown.split("\n\n") {
            let value: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once('=')).collect();
            let value = |key: &str| value.get(key).copied().unwrap_or_default().to_owned();
            // Who asks for one by its name and for all of its kind is told of it twice.
            if value("Id").is_empty() || self.units.iter().any(|unit| unit.name == value("Id")) {
                continue;
            }
            self.units.push(UnitFacts {
                name: value("Id"),
                is_loaded: value("LoadState") != "not-found",
                state: value("ActiveState"),
                sub_state: value("SubState"),
                result: value("Result"),
                is_oneshot: value("Type") == "oneshot",
                main_pid: value("MainPID").parse().ok().filter(|pid| *pid != 0),
                restarts: value("NRestarts").parse().unwrap_or_default(),
                since: read_time(&value("ActiveEnterTimestamp")),
                processes: Vec::new(),
                instance: None,
                control_group: value("ControlGroup"),
            });
        }
    }

    /// Reads what another manager than systemd says of a service: `supervisor/five`, its state, its process and since when, a
    /// line each.
    pub fn read_service(&mut self, value: &str) {
        let lines: Vec<&str> = value.split('\n').collect();
        let [service, state, pid, since] = lines.as_slice() else { return };
        let since = since.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        self.units.push(UnitFacts {
            name: service.replacen('/', ":", 1),
            is_loaded: true,
            state: if *state == "RUNNING" { "active".to_owned() } else { (*state).to_owned() },
            main_pid: pid.parse().ok(),
            since,
            control_group: (*service).to_owned(),
            ..UnitFacts::default()
        });
    }

    /// Reads a process and its control group: `123 /system.slice/five.service`.
    pub fn read_process(&mut self, line: &str) {
        let Some((pid, group)) = line.split_once(' ') else { return };
        let unit = self.units.iter_mut().find(|unit| unit.control_group == group);
        // A unit that is told of twice has its processes told twice.
        if let (Some(unit), Ok(pid)) = (unit, pid.parse())
            && !unit.processes.iter().any(|process| process.pid == pid)
        {
            unit.processes.push(ProcessFacts { pid, slots: BTreeSet::new() });
        }
    }

    /// Reads which slots' files processes have in memory: `/proc/123/maps a`, a line each.
    pub fn read_mapped(&mut self, lines: &str) {
        for (process, slot) in lines.lines().filter_map(|line| line.split_once(' ')) {
            if let (Some(process), Ok(slot)) = (self.process(process), SlotName::new(slot)) {
                process.slots.insert(slot);
            }
        }
    }

    /// Reads the folders that processes work in: `/proc/123/cwd /var/webapps/five/releases/a`, a line each. One that works in
    /// a slot runs that. `releases` is the folder of all slots as the kernel has it.
    pub fn read_folders(&mut self, lines: &str, releases: &str) {
        for (process, folder) in lines.lines().filter_map(|line| line.split_once(' ')) {
            let inside = folder.strip_prefix(releases).and_then(|rest| rest.strip_prefix('/'));
            let slot = inside.and_then(|rest| rest.trim_end_matches(" (deleted)").split('/').next());
            if let (Some(process), Some(Ok(slot))) = (self.process(process), slot.map(SlotName::new)) {
                process.slots = BTreeSet::from([slot]);
            }
        }
    }

    /// Reads the answer of the app: `yes` or `no`, and words.
    pub fn read_health(&mut self, answer: &str) {
        if let Some((well, words)) = answer.split_once(' ') {
            self.health =
                Some(HealthAnswer { is_well: well == "yes", words: line_of(words, LONGEST_ANSWER) });
        }
    }

    /// The process of a file such as `/proc/123/maps`.
    fn process(&mut self, file: &str) -> Option<&mut ProcessFacts> {
        let pid: u32 = file.strip_prefix("/proc/")?.split('/').next()?.parse().ok()?;
        self.units.iter_mut().flat_map(|unit| &mut unit.processes).find(|process| process.pid == pid)
    }
}

/// What systemd says in UTC: `Fri 2026-11-27 06:20:01 UTC`.
fn read_time(text: &str) -> Option<Timestamp> {
    let rest = text.split_once(' ')?.1.strip_suffix(" UTC")?;
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", rest).ok()?;
    jiff::tz::Offset::UTC.to_timestamp(time).ok()
}
