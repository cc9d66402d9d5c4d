//! How often, how fast and how well an app was deployed: a fold over the journals of its hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::history::HistoryEntry;
use super::{Table, csv_line};
use crate::host::record::JournalKind;
use crate::names::{CommitId, RunId};

/// The time in which something is counted is never taken for shorter: three deploys of one morning aren't twenty a week.
const SHORTEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A deploy that made a release live, and since when each commit had been there that it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When it was confirmed, by the clock of the first host that says so.
    pub at: Timestamp,
    /// What was live before.
    pub from: CommitId,
    /// What it made live.
    pub to: CommitId,
}

/// The numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeployStats {
    /// Since when is counted: since the time that was asked for, or the first line of the journals, if that is later.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Runs that made a release live on at least one host.
    pub deploys: usize,
    /// The same for each week of that time, which is taken for at least one.
    pub deploys_a_week: f64,
    /// How long commits took from being made to being live, in seconds.
    pub lead_time_seconds: Option<Spread>,
    /// Deploys whose commits this checkout knows, with what was live before: the others have no lead time.
    pub deploys_with_lead_time: usize,
    /// Runs that switched to a release: those that made one live, and those that were reverted.
    pub changes: usize,
    /// Those of them that were reverted by their own run.
    pub reverted: usize,
    /// Those of them whose release was rolled back from later.
    pub rolled_back: usize,
    /// How many of a hundred changes were reverted or rolled back.
    pub change_failure_percent: Option<f64>,
    /// How long releases were live that were rolled back from, in seconds, until the release before was live again.
    pub time_to_restore_seconds: Option<Spread>,
    /// Runs that failed before any host switched: nobody noticed them, and they are no failed changes.
    pub failed_before_switch: usize,
}

/// Several lengths of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// Half of them are no longer.
    pub median: u64,
    /// Nine of ten are no longer.
    pub p90: u64,
}

impl Spread {
    fn of(mut seconds: Vec<u64>) -> Option<Spread> {
        seconds.sort_unstable();
        // The smallest one that so many of a hundred don't exceed.
        let at =
            |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Spread { count: seconds.len(), median: at(50)?, p90: at(90)? })
    }
}

/// The deploys of which it is known what was live before: what they brought can be asked of git.
pub fn deliveries(entries: &[HistoryEntry]) -> Vec<Delivery> {
    let mut runs: BTreeSet<&RunId> = BTreeSet::new();
    let mut found = Vec::new();
    for HistoryEntry { record, .. } in entries {
        let is_deploy = record.kind == JournalKind::Deployed;
        // Of hosts that served different releases the first to say so counts.
        if let (true, Some(to), Some(from)) = (is_deploy, &record.release, &record.from)
            && to.commit != from.commit
            && runs.insert(&record.run)
        {
            found.push(Delivery { at: record.at, from: from.commit.clone(), to: to.commit.clone() });
        }
    }
    found
}

impl DeployStats {
    /// Counts what these journals tell, which stand in the order of time. `made`: the commits that deliveries brought, as far as they are known, and
    /// when each was made. One that came again, after a rollback or to a host that was away, was live before.
    pub fn of(
        entries: &[HistoryEntry],
        since: Option<Timestamp>,
        until: Timestamp,
        made: &BTreeMap<(CommitId, CommitId), Vec<(CommitId, Timestamp)>>,
    ) -> DeployStats {
        let first = entries.first().map_or(until, |entry| entry.record.at);
        let since = since.map_or(first, |since| since.max(first)).min(until);
        let counted: Vec<&HistoryEntry> = entries.iter().filter(|entry| entry.record.at >= since).collect();
        let runs = |kind: JournalKind| -> BTreeSet<&RunId> {
            let of_kind = counted.iter().filter(|entry| entry.record.kind == kind);
            of_kind.map(|entry| &entry.record.run).collect()
        };
        let (deployed, reverted) = (runs(JournalKind::Deployed), runs(JournalKind::Reverted));
        let failed = runs(JournalKind::Failed);
        let changed: BTreeSet<&RunId> = deployed.union(&reverted).copied().collect();
        let lost: BTreeSet<&RunId> = reverted.difference(&deployed).copied().collect();
        let (mut rolled_back, mut restored) = (BTreeSet::new(), Vec::new());
        let mut went_back = BTreeSet::new();
        for back in counted.iter().filter(|entry| entry.record.kind == JournalKind::RolledBack) {
            let Some(from) = &back.record.from else { continue };
            // The last deploy of it before that.
            let is_it = |entry: &&HistoryEntry| {
                let record = &entry.record;
                record.kind == JournalKind::Deployed
                    && record.at <= back.record.at
                    && record.release.as_ref().is_some_and(|release| release.commit == from.commit)
            };
            let Some(deploy) = entries.iter().rev().find(is_it) else { continue };
            if went_back.insert((&back.record.run, &deploy.record.run)) {
                restored.push(seconds_between(deploy.record.at, back.record.at));
            }
            if deployed.contains(&deploy.record.run) {
                rolled_back.insert(&deploy.record.run);
            }
        }
        let (mut live, mut lead_times, mut deploys_with_lead_time) = (BTreeSet::new(), Vec::new(), 0);
        for Delivery { at, from, to } in deliveries(entries) {
            let Some(made) = made.get(&(from, to)) else { continue };
            let is_counted = at >= since;
            deploys_with_lead_time += usize::from(is_counted && !made.is_empty());
            for (commit, made) in made {
                if live.insert(commit) && is_counted {
                    lead_times.push(seconds_between(*made, at));
                }
            }
        }
        let weeks = until.duration_since(since).max(SHORTEST).as_secs_f64() / SHORTEST.as_secs_f64();
        let bad = rolled_back.union(&lost).count();
        DeployStats {
            since,
            until,
            deploys: deployed.len(),
            deploys_a_week: round(deployed.len() as f64 / weeks),
            lead_time_seconds: Spread::of(lead_times),
            deploys_with_lead_time,
            changes: changed.len(),
            reverted: lost.len(),
            rolled_back: rolled_back.len(),
            change_failure_percent: (!changed.is_empty())
                .then(|| round(bad as f64 * 100.0 / changed.len() as f64)),
            time_to_restore_seconds: Spread::of(restored),
            failed_before_switch: failed.difference(&changed).count(),
        }
    }

    /// A line for each number, with its unit.
    pub fn csv(&self) -> String {
        let mut text = csv_line(["number", "value", "unit"]);
        let mut line = |number: &str, value: Option<String>, unit: &str| {
            text.push_str(&csv_line([number, value.as_deref().unwrap_or_default(), unit]));
        };
        let spread = |spread: &Option<Spread>| {
            let (count, median, p90) = spread.as_ref().map_or((0, None, None), |spread| {
                (spread.count, Some(spread.median.to_string()), Some(spread.p90.to_string()))
            });
            (Some(count.to_string()), median, p90)
        };
        line("since", Some(self.since.to_string()), "time");
        line("until", Some(self.until.to_string()), "time");
        line("deploys", Some(self.deploys.to_string()), "runs");
        line("deploys_a_week", Some(self.deploys_a_week.to_string()), "runs a week");
        let (count, median, p90) = spread(&self.lead_time_seconds);
        line("lead_time_commits", count, "commits");
        line("lead_time_median", median, "seconds");
        line("lead_time_p90", p90, "seconds");
        line("changes", Some(self.changes.to_string()), "runs");
        line("reverted", Some(self.reverted.to_string()), "runs");
        line("rolled_back", Some(self.rolled_back.to_string()), "runs");
        line("change_failure", self.change_failure_percent.map(|percent| percent.to_string()), "percent");
        let (count, median, p90) = spread(&self.time_to_restore_seconds);
        line("restores", count, "rollbacks");
        line("time_to_restore_median", median, "seconds");
        line("time_to_restore_p90", p90, "seconds");
        line("failed_before_switch", Some(self.failed_before_switch.to_string()), "runs");
        text
    }
}

/// The numbers, for people.
pub fn show_stats(stats: &DeployStats) -> String {
    let DeployStats {
        since,
        until,
        deploys,
        deploys_a_week,
        lead_time_seconds,
        deploys_with_lead_time,
        changes,
        reverted,
        rolled_back,
        change_failure_percent,
        time_to_restore_seconds,
        failed_before_switch,
    } = stats;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "from {} to {}",
        since.strftime("%Y-%m-%d %H:%M"),
        until.strftime("%Y-%m-%d %H:%M UTC")
    );
    let mut table = Table::default();
    let mut row = |what: &str, value: String, more: String| table.row([what, &value, &more]);
    let none = || "–".to_owned();
    row("deploys", deploys.to_string(), format!("{deploys_a_week} a week"));
    match lead_time_seconds {
        Some(Spread { count, median, p90 }) => row(
            "lead time",
            long(*median),
            format!(
                "from commit to live: the median of {}; nine of ten: {}",
                counted(*count, "commit"),
                long(*p90)
            ),
        ),
        None => row("lead time", none(), "this checkout doesn't know what the deploys brought".to_owned()),
    }
    match change_failure_percent {
        Some(percent) => row(
            "change failure",
            format!("{percent} %"),
            format!("of {}: {reverted} reverted, {rolled_back} rolled back", counted(*changes, "change")),
        ),
        None => row("change failure", none(), "nothing was changed".to_owned()),
    }
    match time_to_restore_seconds {
        Some(Spread { count, median, p90 }) => row(
            "time to restore",
            long(*median),
            format!(
                "from live to rolled back: the median of {}; nine of ten: {}",
                counted(*count, "rollback"),
                long(*p90)
            ),
        ),
        None => row("time to restore", none(), "nothing was rolled back".to_owned()),
    }
    text.push_str(&table.render(""));
    if *failed_before_switch > 0 {
        let runs = counted(*failed_before_switch, "run");
        let _ = writeln!(
            text,
            "{runs} failed before any host switched, which nobody noticed: no change, and no failed one"
        );
    }
    if deploys_with_lead_time < deploys && lead_time_seconds.is_some() {
        let unknown = deploys - deploys_with_lead_time;
        let _ = writeln!(
            text,
            "{} without a lead time: what it brought isn't known here",
            counted(unknown, "deploy")
        );
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The length of a time, in the unit that it is talked about in.
fn long(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", seconds / 60),
        5_400..172_800 => format!("{:.1} h", seconds as f64 / 3_600.0),
        _ => format!("{:.1} d", seconds as f64 / 86_400.0),
    }
}

/// Clocks differ: what seems to have come before its cause took no time.
fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

/// One digit after the point says enough.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
