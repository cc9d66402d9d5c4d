//! What was installed on a host for the app, and isn't wanted there any more: its role moved, its first host is another, or
//! nothing in the configuration asks for it.
//!
//! What is ours says so itself, by the line of its [`Owner`], or stands in a record of ours. Only what says so is ever taken
//! away, and never what is another owner's.

use serde::Serialize;

use crate::app::crontab::{CrontabLocation, system_crontab};
use crate::app::owner::Owner;
use crate::host::facts::HostFacts;
use crate::host::record::JobsRecord;
use crate::names::HostPath;

/// A thing on a host that says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// A file's path, or the label of jobs in a crontab.
    pub what: String,
    /// The line that says it, as it stands there.
    pub mark: String,
    /// Whose it is.
    pub owner: Owner,
}

impl Marked {
    /// A thing with the line that says whose it is; `None`, where that says nothing.
    pub fn read(what: &str, mark: &str) -> Option<Self> {
        Some(Marked { what: what.to_owned(), mark: mark.to_owned(), owner: Owner::read(mark)? })
    }
}

/// What the configuration wants of a host.
#[derive(Debug, Clone, Copy)]
pub struct WantedHere<'a> {
    /// The unit files and init scripts that may stand there.
    pub service_files: &'a [HostPath],
    /// What the app's jobs are marked with and where they stand, on the one host that has them.
    pub jobs: Option<(&'a str, CrontabLocation)>,
}

/// Something that isn't wanted any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    /// What it is.
    #[serde(flatten)]
    pub kind: LeftOverKind,
    /// The line that says that it is ours; `None`: it doesn't say so, and isn't taken away.
    pub mark: Option<String>,
}

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "left", rename_all = "snake_case")]
pub enum LeftOverKind {
    /// A unit of systemd.
    Unit {
        /// Its file.
        path: HostPath,
    },
    /// An init script.
    InitScript {
        /// It.
        path: HostPath,
    },
    /// Jobs in a file of `/etc/cron.d`.
    JobsFile {
        /// It.
        path: HostPath,
    },
    /// Jobs in the crontab of the user who logs in.
    Jobs {
        /// What they are marked with.
        label: String,
    },
    /// Jobs in the crontab of the user who logs in, which are done twice.
    JobsTwice {
        /// In whose crontab they are installed.
        user: String,
        /// What they are marked with.
        label: String,
    },
    /// Jobs in the crontab of somebody else.
    JobsOf {
        /// Whose crontab.
        user: String,
        /// What they are marked with.
        label: String,
    },
}

impl LeftOver {
    /// Whether a run may take it away.
    pub fn can_go(&self) -> bool {
        self.mark.is_some() && !matches!(self.kind, LeftOverKind::JobsOf { .. })
    }

    /// Its file, which sudo takes away.
    pub fn file(&self) -> Option<&HostPath> {
        match &self.kind {
            LeftOverKind::Unit { path }
            | LeftOverKind::InitScript { path }
            | LeftOverKind::JobsFile { path } => Some(path),
            LeftOverKind::Jobs { .. } | LeftOverKind::JobsTwice { .. } | LeftOverKind::JobsOf { .. } => None,
        }
    }

    /// What it is, for people.
    pub fn name(&self) -> String {
        match &self.kind {
            LeftOverKind::Unit { path }
            | LeftOverKind::InitScript { path }
            | LeftOverKind::JobsFile { path } => path.to_string(),
            LeftOverKind::Jobs { label } | LeftOverKind::JobsTwice { label, .. } => {
                format!("the jobs of {label} in the user's crontab")
            }
            LeftOverKind::JobsOf { user, label } => format!("the jobs of {label} in the crontab of {user}"),
        }
    }
}

/// What is the owner's on a host, without what is wanted there.
pub fn left_over(facts: &HostFacts, wanted: &WantedHere<'_>, owner: &Owner) -> Vec<LeftOver> {
    let jobs_file = match wanted.jobs {
        Some((label, CrontabLocation::System)) => system_crontab(label),
        Some((_, CrontabLocation::User)) | None => None,
    };
    let is_wanted =
        |path: &str| wanted.service_files.iter().chain(&jobs_file).any(|known| known.as_str() == path);
    // A file that was installed and says nothing was so before files said whose they are, or was replaced since.
    let mark_of = |path: &str| facts.marked.iter().find(|marked| marked.what == path);
    let unmarked =
        facts.installed.iter().filter(|path| mark_of(path).is_none()).map(|path| (path.as_str(), None));
    let ours = facts.marked.iter().filter(|marked| marked.owner.may_be(owner));
    let files = unmarked.chain(ours.map(|marked| (marked.what.as_str(), Some(marked.mark.clone()))));
    let mut left: Vec<LeftOver> = files
        .filter(|(path, _)| !is_wanted(path))
        .filter_map(|(path, mark)| {
            let path = HostPath::new(path).ok()?;
            let kind = match path.as_str() {
                text if text.starts_with("/etc/cron.d/") => LeftOverKind::JobsFile { path },
                text if text.starts_with("/etc/init.d/") => LeftOverKind::InitScript { path },
                _ => LeftOverKind::Unit { path },
            };
            Some(LeftOver { kind, mark })
        })
        .collect();
    let is_wanted = |label: &str| {
        wanted.jobs.is_some_and(|(wanted, place)| wanted == label && place == CrontabLocation::User)
    };
    let elsewhere = facts.jobs_of_another();
    left.extend(facts.job_blocks.iter().filter(|block| block.owner.may_be(owner)).filter_map(|block| {
        let label = block.what.clone();
        let kind = match elsewhere.filter(|jobs| jobs.label == label) {
            // Two have installed them before it was written down who has.
            Some(JobsRecord { user, .. }) if is_wanted(&label) => {
                LeftOverKind::JobsTwice { user: user.clone(), label }
            }
            None if is_wanted(&label) => return None,
            Some(_) | None => LeftOverKind::Jobs { label },
        };
        Some(LeftOver { kind, mark: Some(block.mark.clone()) })
    }));
    // Where they are wanted, too, it is another question whose they shall be.
    if let Some(JobsRecord { user, label, .. }) = elsewhere.filter(|_| wanted.jobs.is_none()) {
        let kind = LeftOverKind::JobsOf { user: user.clone(), label: label.clone() };
        left.push(LeftOver { kind, mark: None });
    }
    left
}
