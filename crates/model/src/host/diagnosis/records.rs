//! What is written down on a host and can't be read.

use std::collections::BTreeMap;

use super::{Diagnoses, DiagnosisKind, Expected};
use crate::host::bad_record::{BadRecord, BadRecordReason};
use crate::host::facts::HostFacts;
use crate::names::HostPath;

/// What is written down and can't be read. What it would say isn't known, and so nothing is changed that depends on it.
pub(super) fn records(facts: &HostFacts, expected: &Expected<'_>, found: &mut Diagnoses) {
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
