//! What happened on the hosts, run by run.

use jiff::Timestamp;
use serde::Serialize;

use super::{Table, ago};
use crate::host::record::{JournalKind, JournalRecord};
use crate::names::{HostName, RunId};

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
            for record in records {
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

/// A line for each run; the last column has what `history` takes for it, where `logged` knows that it can be shown again.
pub fn show_history(
    entries: &[HistoryEntry],
    hosts: usize,
    logged: impl Fn(&RunId) -> Option<String>,
    now: Timestamp,
) -> String {
    let mut table = Table::default();
    for HistoryEntry { record, hosts: told } in entries {
        let about = match (&record.release, &record.from, &record.reason) {
            (Some(release), Some(from), _) if record.kind == JournalKind::Reverted => {
                format!("{release}, back to {from}")
            }
            (Some(release), Some(from), _) => format!("{release}, after {from}"),
            (Some(release), None, _) => release.to_string(),
            (None, _, Some(reason)) => format!("{reason:?}"),
            (None, _, None) => String::new(),
        };
        let on = if told.len() == hosts {
            "all hosts".to_owned()
        } else {
            told.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ")
        };
        table.row([
            record.at.strftime("%Y-%m-%d %H:%M").to_string(),
            ago(record.at, now),
            record.kind.in_words().to_owned(),
            about,
            on,
            record.by.clone(),
            logged(&record.run).map(|run| format!("log: {run}")).unwrap_or_default(),
        ]);
    }
    table.render("")
}
