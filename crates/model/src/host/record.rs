//! What is kept on a host: the state of each slot, the journal, the lock's holder and a person's hold.
//!
//! There is no other state anywhere: whatever a later run has to know stands in one of these. All are JSON, one
//! document a line, and every one begins with the host's own time, so that a host can write it without a JSON tool.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::balancer::Membership;
use crate::app::crontab::CrontabLocation;
use crate::app::traffic::DrainMethod;
use crate::names::{HostName, RunId, SlotName};
use crate::release::Release;

/// What a slot is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// Nothing was ever put there.
    Empty,
    /// Something in it is being changed, or the run that changed it never ended.
    Building,
    /// Complete, and every check passed; not a release to roll back to.
    Ready,
    /// It serves, and its run was confirmed.
    Live,
    /// It served, its run was confirmed, and a later release took over: what a rollback looks for.
    Retired,
    /// A check, a restart or a verification failed: it never serves again as it is.
    Failed,
}

/// `.buedafab/slots/NAME.json`: what a slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRecord {
    /// When this was written, by the host's clock.
    pub at: Timestamp,
    /// What the slot is good for.
    pub state: SlotState,
    /// What is, or is being, put there.
    pub release: Release,
    /// The release that was proven live here before `release` overwrote it: a rollback can rebuild it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Release>,
    /// Which release in a row the one that was proven live here was to serve: their order rests on no clock. 0, where none was, or an
    /// older version wrote this.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turn: u64,
    /// The run that wrote this.
    pub run: RunId,
}

fn is_zero(turn: &u64) -> bool {
    *turn == 0
}

/// What happened to a host, for those who read its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalKind {
    /// A deploy was confirmed: `release` is live.
    Deployed,
    /// A rollback was confirmed: `release` is live again.
    RolledBack,
    /// `release` was switched to, failed or was given up, and `from` serves again.
    Reverted,
    /// A run failed; where it had switched, a line before this one says that it was reverted.
    Failed,
    /// A person interrupted a run.
    Interrupted,
    /// A person stopped deploys.
    Held,
    /// A person allowed them again.
    Unheld,
    /// The app was restarted by hand.
    Restarted,
    /// A rollback to `release` was tried and not made: it runs, and is well.
    Rehearsed,
    /// The file of variables was changed.
    EnvChanged,
    /// What was installed and isn't wanted any more was removed.
    Pruned,
    /// A host that left the configuration was taken out of service.
    HostRetired,
    /// Visitors are told of maintenance.
    MaintenanceOn,
    /// They no longer are.
    MaintenanceOff,
    /// A person took the host out of traffic.
    Drained,
    /// A person put it back.
    Undrained,
    /// The records of a tree were written that another tool had made, or a person.
    Adopted,
    /// They were taken away again.
    AdoptionUndone,
    /// The link that web servers read through was made to follow the one that decides what is live.
    LayoutMigrated,
    /// It was put back.
    LayoutPutBack,
}

impl JournalKind {
    /// The verb of a journal line, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            JournalKind::Deployed => "deployed",
            JournalKind::RolledBack => "rolled back",
            JournalKind::Reverted => "reverted",
            JournalKind::Failed => "failed",
            JournalKind::Interrupted => "interrupted",
            JournalKind::Held => "held",
            JournalKind::Unheld => "unheld",
            JournalKind::Restarted => "restarted",
            JournalKind::Rehearsed => "rollback rehearsed",
            JournalKind::EnvChanged => "env changed",
            JournalKind::Pruned => "pruned",
            JournalKind::HostRetired => "retired",
            JournalKind::MaintenanceOn => "maintenance on",
            JournalKind::MaintenanceOff => "maintenance off",
            JournalKind::Drained => "taken out of traffic",
            JournalKind::Undrained => "back in traffic",
            JournalKind::Adopted => "adopted",
            JournalKind::AdoptionUndone => "adoption undone",
            JournalKind::LayoutMigrated => "layout migrated",
            JournalKind::LayoutPutBack => "layout put back",
        }
    }
}

/// `.buedafab/drained`: there while a host is out of traffic, or may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainRecord {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// Who said it.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// The run that took it out.
    pub run: RunId,
    /// Whether a person did, by `drain`: then only `undrain` puts it back. Else the run does so at its end.
    #[serde(default)]
    pub is_by_hand: bool,
    /// In which way; `None`: that wasn't written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<DrainMethod>,
    /// Where it was behind load balancers of Amazon's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<Membership>,
}

/// So many bytes of the journal are read, from its end. A line that is cut there is none.
pub const JOURNAL_READ: usize = 256 << 10;

/// One line of `.buedafab/journal.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRecord {
    /// When, by the host's clock.
    pub at: Timestamp,
    /// What happened.
    pub kind: JournalKind,
    /// The run that did it.
    pub run: RunId,
    /// The operator, a person and their machine: `ada@laptop`.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// What was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Release>,
    /// The hosts that a deploy or a rollback left out, because they couldn't be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<HostName>,
    /// The person's words, or what went wrong first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far a run got that failed or was interrupted, and how long it took.
    #[serde(flatten)]
    pub stopped: Option<StoppedAt>,
}

/// How far a run got that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedAt {
    /// The phase in which it stopped, as it is called in the plan.
    #[serde(deserialize_with = "crate::names::words")]
    pub phase: String,
    /// How long it took until then.
    pub milliseconds: u64,
}

/// Who holds the lock: the content of `.buedafab/lock`, true only while the lock is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Since when, by the deployer's clock.
    pub at: Timestamp,
    /// The operator: a person and their machine.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// What they do: `deploy v0.2.0`.
    #[serde(deserialize_with = "crate::names::words")]
    pub doing: String,
    /// Their run.
    pub run: RunId,
}

/// `.buedafab/hold`: a person's "do not deploy".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// Who said it.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// Why.
    pub reason: String,
}

/// `.buedafab/jobs.json`: where the app's jobs stand. A crontab can be read by its user alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsRecord {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// The user who has installed them.
    #[serde(deserialize_with = "crate::names::words")]
    pub user: String,
    /// In that user's crontab, or in `/etc/cron.d`.
    pub place: CrontabLocation,
    /// What they are marked with.
    #[serde(deserialize_with = "crate::names::words")]
    pub label: String,
}

/// `.buedafab/pending.json`: a switch that isn't confirmed yet. The way back lies beside it, as `back.sh`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSwitch {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// The run that switches.
    pub run: RunId,
    /// The text of the link before; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The slot that the link is to lead to; `None` as long as visitors are only told of maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<SlotName>,
}

impl PendingSwitch {
    /// Whether a release comes in the place of another one, so that neither the link nor a process's folder tells them apart.
    pub fn is_in_place(&self) -> bool {
        self.to.is_some() && self.from.as_deref() == self.to.as_ref().map(SlotName::as_str)
    }

    /// What was left half done, for people.
    pub fn in_words(&self) -> String {
        let PendingSwitch { at, run, from: _, to } = self;
        match to {
            Some(slot) => {
                format!("a switch to slot {slot} was never confirmed: run {run} was cut short at {at}")
            }
            None => format!(
                "run {run} changed what visitors get, by maintenance or out of traffic, and was cut short at {at}"
            ),
        }
    }
}

/// The part of a record that the deployer knows: all but `at`, which the host puts in front.
pub(crate) fn tail_of<T: Serialize>(record: &T) -> String {
    let serde_json::Value::Object(mut fields) = serde_json::to_value(record).expect("records are plain data")
    else {
        unreachable!("every record is a struct")
    };
    fields.remove("at");
    let text = serde_json::to_string(&fields).expect("plain data");
    text[1..].to_owned()
}
