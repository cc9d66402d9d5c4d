//! The app's jobs.

use serde::{Deserialize, Serialize};

/// Where the jobs of a crontab stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrontabLocation {
    /// In a marked block of the deploying user's crontab.
    User,
    /// In a file of `/etc/cron.d`.
    System,
}
