//! What runs where, since when, by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::refusals::list_hosts;
use super::{Table, ago, on_one_line};
use crate::app::maintenance::MaintenanceRecord;
use crate::deployer::checkout::Behind;
use crate::host::app_version::AppAnswer;
use crate::host::diagnosis::{Diagnosis, DiagnosisKind};
use crate::host::facts::HostFacts;
use crate::host::level::{FleetLevel, MissedRun, Outdated, WhyOutdated, missed_last};
use crate::host::record::DrainRecord;
use crate::host::record::{Hold, JournalKind, JournalRecord, LockHolder, SlotState};
use crate::host::running::{HealthAnswer, Trouble, UnitFacts};
use crate::names::{AppName, CommitId, EnvironmentName, HostName, SlotName};
use crate::release::Release;
use crate::strategy::{Condition, RollbackTarget};

/// What a person wants to know about a host, as a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostStatus {
    /// The host.
    pub host: HostName,
    /// The one of several apps that it is a host of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_app: Option<AppName>,
    /// The environment that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// How far what it serves is behind the branch that releases come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// Why it couldn't be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// What it serves.
    pub live: Option<Release>,
    /// The slot that serves.
    pub slot: Option<SlotName>,
    /// Whether the run that switched to it was confirmed.
    pub confirmed: bool,
    /// Since when, by the host's clock.
    pub since: Option<Timestamp>,
    /// By whom.
    pub by: Option<String>,
    /// The release that a rollback would go to.
    pub rollback: Option<Release>,
    /// What is known of that besides its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_proof: Option<RollbackProof>,
    /// All that can be gone back to, beginning with that one.
    pub rollback_targets: Vec<RollbackTarget>,
    /// What every slot holds.
    pub slots: Vec<SlotStatus>,
    /// What runs of it, where that can be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<UnitFacts>,
    /// How the app answered when it was asked whether it is well, where it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthAnswer>,
    /// Whether what the link leads to is what serves, as far as it is known.
    pub serves: Serves,
    /// What the app says which release it runs, where it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who works on it right now.
    pub locked: Option<LockHolder>,
    /// A person's "do not deploy".
    pub hold: Option<Hold>,
    /// By whom the host was taken out of traffic, while it is or may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drained: Option<DrainRecord>,
    /// What visitors are told, while the app is in maintenance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<MaintenanceRecord>,
    /// That it lacks what is live on the others, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outdated: Option<Outdated>,
    /// The run that left it out last, and what that made live, while it can't be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// A release that became live without a host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missed {
    /// Which.
    pub release: Release,
    /// By which run.
    #[serde(flatten)]
    pub run: MissedRun,
}

/// Whether what the link leads to is what serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Serves {
    /// The app was asked, and is well.
    Well,
    /// Its services run, and nothing runs from elsewhere; whether it is well isn't asked.
    Runs,
    /// Processes run from another slot.
    Stale,
    /// A service doesn't run.
    Down,
    /// The app was asked, and isn't well.
    Unwell,
    /// Nothing can be asked but the link.
    NotAsked,
    /// Nothing is live, or the host couldn't be asked.
    Nothing,
}

impl Serves {
    fn of(facts: &HostFacts) -> Self {
        if facts.live_slot().is_none() {
            return Serves::Nothing;
        }
        match facts.trouble().first() {
            Some(Trouble::Down(_)) => Serves::Down,
            Some(Trouble::Stale(_)) => Serves::Stale,
            Some(Trouble::Unwell(_)) => Serves::Unwell,
            None if facts.running.health.is_some() => Serves::Well,
            None if facts.running.is_known() => Serves::Runs,
            None => Serves::NotAsked,
        }
    }
}

impl fmt::Display for Serves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Serves::Well => "well",
            Serves::Runs => "runs",
            Serves::Stale => "stale",
            Serves::Down => "down",
            Serves::Unwell => "not well",
            Serves::NotAsked => "not asked",
            Serves::Nothing => "–",
        })
    }
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotStatus {
    /// The slot.
    pub slot: SlotName,
    /// What it is good for, as it was written down.
    pub state: Option<SlotState>,
    /// What was put there.
    pub release: Option<Release>,
}

/// By what it is known that a rollback would come to something that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum RollbackProof {
    /// It still runs, beside what serves: a rollback is one rename.
    Runs,
    /// It was tried.
    Rehearsed {
        /// When, by the host's clock.
        at: Timestamp,
    },
}

impl RollbackProof {
    /// What is known of a release that can be gone back to.
    fn of(facts: &HostFacts, target: &RollbackTarget) -> Option<Self> {
        // What has to be built again is another thing than what was there.
        if target.condition != Condition::Whole {
            return None;
        }
        if facts.live_slot().is_some_and(|live| facts.running.is_warm(&target.slot, live)) {
            return Some(RollbackProof::Runs);
        }
        // What was filled again since is another thing.
        let since_it_served = facts
            .journal
            .iter()
            .rev()
            .take_while(|record| !matches!(record.kind, JournalKind::Deployed | JournalKind::RolledBack));
        let of_it = |record: &&JournalRecord| {
            record.kind == JournalKind::Rehearsed
                && record.release.as_ref().is_some_and(|release| release.commit == target.release.commit)
        };
        since_it_served.filter(of_it).map(|record| RollbackProof::Rehearsed { at: record.at }).next()
    }

    fn in_words(&self, now: Timestamp) -> String {
        match self {
            RollbackProof::Runs => "still runs".to_owned(),
            RollbackProof::Rehearsed { at } => format!("proven {}", ago(*at, now)),
        }
    }
}

impl HostStatus {
    /// The status of a host that couldn't be asked.
    pub fn unreachable(host: HostName, why: String) -> Self {
        HostStatus {
            of_app: None,
            host,
            environment: None,
            behind: None,
            unreachable: Some(why),
            live: None,
            slot: None,
            confirmed: false,
            since: None,
            by: None,
            rollback: None,
            rollback_proof: None,
            rollback_targets: Vec::new(),
            slots: Vec::new(),
            services: Vec::new(),
            health: None,
            serves: Serves::Nothing,
            app: None,
            locked: None,
            hold: None,
            drained: None,
            maintenance: None,
            outdated: None,
            missed: None,
            problems: Vec::new(),
        }
    }

    /// The status of a host that was looked at; `rollback_targets` is the strategy's answer.
    pub fn of(
        host: HostName,
        facts: &HostFacts,
        diagnoses: &[Diagnosis],
        rollback_targets: Vec<RollbackTarget>,
        now: Timestamp,
    ) -> Self {
        let live = facts.live();
        let got_live = facts.journal.iter().rev().find(|record| {
            let kind = matches!(record.kind, JournalKind::Deployed | JournalKind::RolledBack);
            kind && record.release.as_ref().map(|release| &release.commit) == live.as_ref().map(|r| &r.commit)
        });
        // Who holds it, and who is told what, stand in fields of their own. Who may read releases may be meant so: `check` tells it.
        let stands_elsewhere = |kind| match kind {
            DiagnosisKind::Held => facts.hold.is_some(),
            DiagnosisKind::Drained => facts.drained.as_ref().is_some_and(|record| record.is_by_hand),
            DiagnosisKind::Maintenance | DiagnosisKind::ClosedUmask => true,
            _ => false,
        };
        let problems = diagnoses.iter().filter(|diagnosis| !stands_elsewhere(diagnosis.kind));
        // What can't be read makes a gap in all the rest.
        let problems = problems.map(|diagnosis| match diagnosis.kind {
            DiagnosisKind::BadRecord | DiagnosisKind::ClosedEnvFile | DiagnosisKind::Held => diagnosis.line(),
            _ => diagnosis.words.clone(),
        });
        let problems = problems.collect();
        HostStatus {
            of_app: None,
            host,
            environment: None,
            behind: None,
            unreachable: None,
            slot: facts.live_slot().cloned(),
            confirmed: facts.live_is_confirmed(),
            since: got_live.map(|record| record.at),
            by: got_live.map(|record| record.by.clone()),
            live,
            rollback: rollback_targets.first().map(|target| target.release.clone()),
            rollback_proof: rollback_targets.first().and_then(|target| RollbackProof::of(facts, target)),
            rollback_targets,
            slots: facts
                .slots
                .iter()
                .map(|(slot, seen)| SlotStatus {
                    slot: slot.clone(),
                    state: seen.record.as_ref().map(|record| record.state),
                    release: seen.record.as_ref().map(|record| record.release.clone()),
                })
                .collect(),
            services: facts.running.units.clone(),
            health: facts.running.health.clone(),
            serves: Serves::of(facts),
            app: facts.app.as_ref().map(AppAnswer::shown),
            locked: facts.lock.as_ref().map(|lock| {
                lock.holder.clone().unwrap_or_else(|| LockHolder {
                    at: now,
                    by: "somebody".to_owned(),
                    doing: "something".to_owned(),
                    run: crate::names::RunId::new("unknown").expect("a word"),
                })
            }),
            hold: facts.hold.clone(),
            drained: facts.drained.clone(),
            maintenance: facts.maintenance.clone(),
            outdated: None,
            missed: None,
            problems,
        }
    }
}

/// Notes which hosts lack what is live on the others, app by app, and which runs left out those that can't be asked.
pub fn compare_hosts(statuses: &mut [HostStatus], facts: &BTreeMap<HostName, HostFacts>) {
    let apps: BTreeSet<Option<AppName>> = statuses.iter().map(|status| status.of_app.clone()).collect();
    for app in apps {
        let of_app = statuses.iter().filter(|status| status.of_app == app);
        let names: Vec<HostName> = of_app.map(|status| status.host.clone()).collect();
        let seen: Vec<(&HostName, &HostFacts)> =
            names.iter().filter_map(|name| facts.get_key_value(name)).collect();
        let level = FleetLevel::of(&seen);
        for status in statuses.iter_mut().filter(|status| status.of_app == app) {
            if status.unreachable.is_some() {
                let missed = missed_last(&status.host, &seen);
                status.missed = missed.map(|(release, run)| Missed { release, run });
            } else if let FleetLevel::Clear { outdated, .. } = &level {
                // What is pending is told already, and has to be put back first.
                let is_pending = facts.get(&status.host).is_some_and(|facts| facts.pending.is_some());
                let mut outdated = outdated.iter().filter(|_| !is_pending);
                status.outdated = outdated.find(|outdated| outdated.host == status.host).cloned();
            }
        }
    }
}

/// That a host lacks what is live on the others, in words.
fn describe_outdated(outdated: &Outdated, now: Timestamp) -> String {
    let Outdated { host: _, serves, live, why } = outdated;
    let serves = serves.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let why = match why {
        WhyOutdated::Missed(MissedRun { at, by, .. }) => {
            format!("; it couldn't be reached when {by} made that live, {}", ago(*at, now))
        }
        WhyOutdated::ServedBefore => "; they served its release before".to_owned(),
        WhyOutdated::Unconfirmed => "; what it serves was never confirmed".to_owned(),
        WhyOutdated::Joined | WhyOutdated::Fewer => String::new(),
    };
    format!("serves {serves}, the others {live}{why}")
}

/// Since when visitors are told what, by whom.
pub fn describe_maintenance(record: &MaintenanceRecord, now: Timestamp) -> String {
    let MaintenanceRecord { at, by, message, until } = record;
    let message = message.as_ref().map_or(String::new(), |message| format!(": {message}"));
    let until = until.as_ref().map_or(String::new(), |until| format!(", until {until}"));
    format!("in maintenance since {}{until}, says {by}{message}", ago(*at, now))
}

/// What runs on each host, unit by unit. What is wrong with one says how it is, and isn't said twice.
fn group_services(statuses: &[HostStatus]) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for status in statuses.iter().filter(|status| status.live.is_some()) {
        let is_told = |unit: &&UnitFacts| {
            let trouble = status.slot.as_ref().and_then(|live| unit.trouble(live));
            trouble.is_some_and(|trouble| status.problems.iter().any(|problem| problem == trouble.words()))
        };
        let is_other =
            |unit: &UnitFacts| unit.instance.as_ref().is_some_and(|slot| Some(slot) != status.slot.as_ref());
        let unit = |unit: &UnitFacts| match (unit.is_up(), unit.sub_state.as_str()) {
            _ if is_other(unit) && unit.state == "deactivating" => {
                format!("{} finishes what it began", unit.name)
            }
            (true, _) if is_other(unit) => format!("{} runs beside it", unit.name),
            (true, _) => format!("{} runs", unit.name),
            (false, _) if !unit.is_loaded => format!("there is no {}", unit.name),
            (false, "" | "dead") => format!("{} is {}", unit.name, unit.state),
            (false, more) => format!("{} is {} ({more})", unit.name, unit.state),
        };
        // What runs in no other slot any more goes without saying.
        let untold =
            status.services.iter().filter(|unit| !is_told(unit) && (!is_other(unit) || unit.may_run()));
        let what = untold.map(unit).collect::<Vec<_>>().join(", ");
        if what.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, hosts)) => hosts.push(status.host.as_str()),
            None => groups.push((what, vec![status.host.as_str()])),
        }
    }
    groups
}

fn group_behind(statuses: &[HostStatus]) -> BTreeMap<Behind, Vec<&str>> {
    let mut groups: BTreeMap<Behind, Vec<&str>> = BTreeMap::new();
    for status in statuses {
        if let Some(behind) = status.behind.as_ref().filter(|behind| behind.commits > 0) {
            groups.entry(behind.clone()).or_default().push(status.host.as_str());
        }
    }
    groups
}

/// A table of hosts, in so many columns, and below it what is wrong.
pub fn show_status(statuses: &[HostStatus], now: Timestamp, columns: usize) -> String {
    let mut table = Table::default();
    let asks = statuses.iter().any(|status| status.app.is_some());
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let heads = ["host", "live", "slot", "app", "since", "by", "rollback to"];
    table.row(heads.into_iter().chain(asks.then_some("the app says")));
    for status in statuses {
        if status.unreachable.is_some() {
            table.row([status.host.to_string(), "unreachable".to_owned()]);
            continue;
        }
        let cells = [
            status.host.to_string(),
            or_dash(status.live.as_ref().map(ToString::to_string)),
            or_dash(status.slot.as_ref().map(ToString::to_string)),
            status.serves.to_string(),
            or_dash(status.since.map(|since| ago(since, now))),
            or_dash(status.by.clone()),
            or_dash(status.rollback_targets.first().map(|target| match &status.rollback_proof {
                Some(proof) => format!("{target}, {}", proof.in_words(now)),
                None => target.to_string(),
            })),
        ];
        table.row(cells.into_iter().chain(asks.then(|| or_dash(status.app.clone()))));
    }
    let mut text = table.render_within(columns);
    for (what, hosts) in group_services(statuses) {
        let _ = writeln!(text, "{}: {what}", list_hosts(&hosts));
    }
    for (Behind { branch, commits }, hosts) in group_behind(statuses) {
        let commits = if commits == 1 { "1 commit".to_owned() } else { format!("{commits} commits") };
        let _ = writeln!(
            text,
            "{}: {commits} behind {branch}, as far as this checkout knows",
            list_hosts(&hosts)
        );
    }
    let mut line = |host: &HostName, what: &str| {
        let _ = writeln!(text, "{host}: {what}");
    };
    for status in statuses {
        if let Some(why) = &status.unreachable {
            line(&status.host, why.lines().next_back().unwrap_or_default());
        }
        if let Some(Missed { release, run: MissedRun { at, by, .. } }) = &status.missed {
            line(&status.host, &format!("{release} became live without it, {}, by {by}", ago(*at, now)));
        }
        if let Some(outdated) = &status.outdated {
            line(&status.host, &describe_outdated(outdated, now));
        }
        if let Some(hold) = &status.hold {
            line(
                &status.host,
                &format!(
                    "on hold since {}, says {}: {}",
                    ago(hold.at, now),
                    hold.by,
                    on_one_line(&hold.reason)
                ),
            );
        }
        if let Some(record) = status.drained.as_ref().filter(|record| record.is_by_hand) {
            let words = format!("taken out of traffic {}, by {}", ago(record.at, now), record.by);
            line(&status.host, &on_one_line(&words));
        }
        // What a run has left is told as trouble.
        let is_at_work = |record: &&DrainRecord| {
            !record.is_by_hand && status.locked.as_ref().is_some_and(|holder| holder.run == record.run)
        };
        if let Some(record) = status.drained.as_ref().filter(is_at_work) {
            line(&status.host, &on_one_line(&format!("out of traffic while {} works on it", record.by)));
        }
        if let Some(record) = &status.maintenance {
            line(&status.host, &on_one_line(&describe_maintenance(record, now)));
        }
        if status.rollback_targets.len() > 1 {
            let targets: Vec<String> = status.rollback_targets.iter().map(ToString::to_string).collect();
            line(&status.host, &format!("can go back to {}", targets.join("; ")));
        }
        for problem in &status.problems {
            line(&status.host, problem);
        }
    }
    let asked = statuses.iter().filter(|status| status.unreachable.is_none());
    let mut commits: BTreeMap<Option<&AppName>, BTreeSet<Option<&CommitId>>> = BTreeMap::new();
    for status in asked {
        let commit = status.live.as_ref().map(|live| &live.commit);
        commits.entry(status.of_app.as_ref()).or_default().insert(commit);
    }
    // Of several apps each may serve a release of its own: that in which it changed last.
    for (app, _) in commits.iter().filter(|(_, commits)| commits.len() > 1) {
        let of = app.map_or_else(String::new, |app| format!(" of {app}"));
        let is_its = |status: &&HostStatus| status.of_app.as_ref() == *app;
        let is_clear = statuses.iter().filter(is_its).any(|status| status.outdated.is_some());
        let then = if is_clear { "; `deploy --only-outdated` brings them level" } else { "" };
        let _ = writeln!(text, "drift: the hosts{of} serve different releases{then}");
    }
    text
}
