//! What happened on the hosts, run by run.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{Table, ago, csv_line, duration, on_one_line};
use crate::host::record::{JournalKind, JournalRecord, StoppedAt};
use crate::names::{HostName, RunId};
use crate::release::Release;

/// One run, as the journals of its hosts tell it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// What was written; where the hosts' words differ, the first host's.
    #[serde(flatten)]
    pub record: JournalRecord,
    /// The hosts that say so.
    pub hosts: Vec<HostName>,
}

impl HistoryEntry {
    /// Puts journals together, newest last: lines of one run that say the same are one entry.
    pub fn collect(journals: &[(HostName, Vec<JournalRecord>)]) -> Vec<HistoryEntry> {
        let mut entries: Vec<HistoryEntry> = Vec::new();
        for (host, records) in journals {
            let records = one_line_a_revert(records);
            for record in &records {
                let same = entries.iter_mut().find(|entry| {
                    let known = &entry.record;
                    (&known.run, known.kind, &known.release) == (&record.run, record.kind, &record.release)
                });
                match same {
                    Some(entry) => entry.hosts.push(host.clone()),
                    None => entries.push(HistoryEntry { record: record.clone(), hosts: vec![host.clone()] }),
                }
            }
        }
        entries.sort_by_key(|entry| entry.record.at);
        entries
    }
}

/// A host that went back says so, and then how the run came to that: one event, told in two lines.
fn one_line_a_revert(records: &[JournalRecord]) -> Vec<JournalRecord> {
    let mut told: Vec<JournalRecord> = Vec::new();
    for record in records {
        let is_revert = |known: &&mut JournalRecord| {
            known.run == record.run && known.kind == JournalKind::Reverted && known.stopped.is_none()
        };
        match told.iter_mut().find(is_revert) {
            Some(revert) if record.stopped.is_some() => {
                revert.reason.clone_from(&record.reason);
                revert.stopped.clone_from(&record.stopped);
            }
            _ => told.push(record.clone()),
        }
    }
    told
}

/// A line for each run, for other programs: times are UTC, and several hosts stand in one cell.
pub fn history_csv(entries: &[HistoryEntry]) -> String {
    let heads = [
        "at",
        "what",
        "release",
        "commit",
        "from",
        "from_commit",
        "hosts",
        "skipped",
        "by",
        "run",
        "phase",
        "milliseconds",
        "reason",
    ];
    let mut text = csv_line(heads);
    for HistoryEntry { record, hosts } in entries {
        let JournalRecord { at, kind, run, by, release, from, skipped, reason, stopped } = record;
        let name = |release: &Option<Release>| {
            release.as_ref().map(|release| release.describe.clone()).unwrap_or_default()
        };
        let commit = |release: &Option<Release>| {
            release.as_ref().map(|release| release.commit.to_string()).unwrap_or_default()
        };
        let names = |hosts: &[HostName]| hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ");
        let (phase, milliseconds) = stopped.as_ref().map_or_else(Default::default, |stopped| {
            (stopped.phase.clone(), stopped.milliseconds.to_string())
        });
        let cells = [
            at.to_string(),
            kind.in_words().to_owned(),
            name(release),
            commit(release),
            name(from),
            commit(from),
            names(hosts),
            names(skipped),
            by.clone(),
            run.to_string(),
            phase,
            milliseconds,
            reason.clone().unwrap_or_default(),
        ];
        text.push_str(&csv_line(cells.iter().map(String::as_str)));
    }
    text
}

/// A line for each run, at the time of a `zone`, and another one with what stopped it; the last column has what `history`
/// takes for it, where `logged` knows that it can be shown again. Where a line is wider than `columns`, each run has a line for what it
/// was, and others below it.
pub fn show_history(
    entries: &[HistoryEntry],
    hosts: usize,
    logged: impl Fn(&RunId) -> Option<String>,
    now: Timestamp,
    zone: &TimeZone,
    columns: usize,
) -> String {
    let mut rows: Vec<[String; 7]> = Vec::new();
    for HistoryEntry { record, hosts: told } in entries {
        let came_to_nothing = matches!(record.kind, JournalKind::Failed | JournalKind::Interrupted);
        let about = match (&record.release, &record.from, &record.reason) {
            (Some(release), Some(from), _) if record.kind == JournalKind::Reverted => {
                format!("{release}, back to {from}")
            }
            (Some(release), _, _) if came_to_nothing => release.to_string(),
            (Some(release), Some(from), _) => format!("{release}, after {from}"),
            (Some(release), None, _) => release.to_string(),
            (None, _, Some(reason)) if !came_to_nothing => format!("{reason:?}"),
            (None, _, _) => String::new(),
        };
        let on = if told.len() == hosts {
            "all hosts".to_owned()
        } else {
            told.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ")
        };
        rows.push([
            record.at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            ago(record.at, now),
            record.kind.in_words().to_owned(),
            about,
            on,
            record.by.clone(),
            logged(&record.run).map(|run| format!("log: {run}")).unwrap_or_default(),
        ]);
    }
    let mut table = Table::default();
    rows.iter().for_each(|row| table.row(row));
    let wide = table.render("");
    let fits = wide.lines().all(|line| line.width() <= columns);
    let mut text = String::new();
    for ((line, row), HistoryEntry { record, .. }) in wide.lines().zip(&rows).zip(entries) {
        if fits {
            text.push_str(line);
            text.push('\n');
        } else {
            text.push_str(&as_block(row));
        }
        if let Some(StoppedAt { phase, milliseconds }) = &record.stopped {
            let reason = record.reason.as_deref().unwrap_or("for a reason that nobody wrote down");
            let _ =
                writeln!(text, "  in {phase}, after {}: {}", duration(*milliseconds), on_one_line(reason));
        }
    }
    text
}

/// When and what, and below it the rest.
fn as_block([at, ago, kind, about, on, by, log]: &[String; 7]) -> String {
    let mut text = format!("{at}  {ago}  {kind}\n");
    for line in [about.clone(), format!("on {on}, by {by}"), log.clone()] {
        if !line.is_empty() {
            let _ = writeln!(text, "  {}", on_one_line(&line));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: JournalKind, run: &str, at: i64) -> JournalRecord {
        let commit = |digit: &str| crate::names::CommitId::new(digit.repeat(40)).expect("40 digits");
        JournalRecord {
            at: Timestamp::from_second(1_795_700_000 + at).expect("a time"),
            kind,
            run: RunId::new(run).expect("a word"),
            by: "ada@laptop".to_owned(),
            release: Some(Release::unnamed(commit("2"))),
            from: Some(Release::unnamed(commit("1"))),
            skipped: Vec::new(),
            reason: None,
            stopped: None,
        }
    }

    fn stopped(kind: JournalKind, run: &str, at: i64, phase: &str, reason: &str) -> JournalRecord {
        let stopped = Some(StoppedAt { phase: phase.to_owned(), milliseconds: 3_400 });
        JournalRecord { reason: Some(reason.to_owned()), stopped, ..record(kind, run, at) }
    }

    #[test]
    fn what_came_to_nothing_is_told_with_its_reason() {
        let check = "web2: check: make check: exit status 2";
        let restart = "web1: restart: exit status 3";
        let web1 = vec![
            stopped(JournalKind::Failed, "r1", 0, "prepare", check),
            record(JournalKind::Reverted, "r2", 60),
            stopped(JournalKind::Failed, "r2", 61, "switch", restart),
            stopped(JournalKind::Interrupted, "r3", 120, "prepare", "a person interrupted it"),
            record(JournalKind::Deployed, "r4", 180),
        ];
        let web2 = vec![web1[0].clone(), web1[2].clone(), web1[3].clone(), web1[4].clone()];
        let names = ["web1", "web2"].map(|name| HostName::new(name).expect("a name"));
        let [one, two] = names;
        let entries = HistoryEntry::collect(&[(one, web1), (two, web2)]);
        let zone = TimeZone::fixed(jiff::tz::offset(5));
        let now = Timestamp::from_second(1_795_700_600).expect("a time");
        insta::assert_snapshot!(show_history(&entries, 2, |_| None, now, &zone, usize::MAX), @"
        2026-11-26 18:33  10 min ago  failed       2222222222                      all hosts  ada@laptop
          in prepare, after 3.4 s: web2: check: make check: exit status 2
        2026-11-26 18:34  9 min ago   reverted     2222222222, back to 1111111111  web1       ada@laptop
          in switch, after 3.4 s: web1: restart: exit status 3
        2026-11-26 18:34  8 min ago   failed       2222222222                      web2       ada@laptop
          in switch, after 3.4 s: web1: restart: exit status 3
        2026-11-26 18:35  8 min ago   interrupted  2222222222                      all hosts  ada@laptop
          in prepare, after 3.4 s: a person interrupted it
        2026-11-26 18:36  7 min ago   deployed     2222222222, after 1111111111    all hosts  ada@laptop
        ");
        // A host that wasn't asked isn't one that said so.
        assert!(!show_history(&entries, 3, |_| None, now, &zone, usize::MAX).contains("all hosts"));
        let run = |run: &RunId| Some(run.to_string());
        let narrow = show_history(&entries, 2, run, now, &zone, 80);
        assert_eq!(narrow, show_history(&entries, 2, run, now, &zone, 60));
        // A sentence is broken where it is printed.
        assert!(narrow.lines().filter(|line| !line.starts_with("  in ")).all(|line| line.width() <= 60));
        insta::assert_snapshot!(narrow, @"
        2026-11-26 18:33  10 min ago  failed
          2222222222
          on all hosts, by ada@laptop
          log: r1
          in prepare, after 3.4 s: web2: check: make check: exit status 2
        2026-11-26 18:34  9 min ago  reverted
          2222222222, back to 1111111111
          on web1, by ada@laptop
          log: r2
          in switch, after 3.4 s: web1: restart: exit status 3
        2026-11-26 18:34  8 min ago  failed
          2222222222
          on web2, by ada@laptop
          log: r2
          in switch, after 3.4 s: web1: restart: exit status 3
        2026-11-26 18:35  8 min ago  interrupted
          2222222222
          on all hosts, by ada@laptop
          log: r3
          in prepare, after 3.4 s: a person interrupted it
        2026-11-26 18:36  7 min ago  deployed
          2222222222, after 1111111111
          on all hosts, by ada@laptop
          log: r4
        ");
    }
}
