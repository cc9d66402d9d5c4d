//! The app's jobs.

use serde::{Deserialize, Serialize};

use crate::names::HostPath;

/// Where the jobs of a crontab stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrontabLocation {
    /// In a marked block of the deploying user's crontab.
    User,
    /// In a file of `/etc/cron.d`.
    System,
}

/// The file in `/etc/cron.d` of jobs with this mark: cron passes over files with a dot in their name.
pub fn system_crontab(label: &str) -> Option<HostPath> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    HostPath::new(format!("/etc/cron.d/{}", label.chars().map(plain).collect::<String>())).ok()
}
