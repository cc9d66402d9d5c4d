//! What others are told of a run: a fold over its events says when there is something to tell, and what; and for each service, which
//! requests tell it.
//!
//! What steps print is told to nobody: it may hold what isn't meant for a chat.

mod request;
mod services;
mod words;

use jiff::Timestamp;
use serde::Serialize;

pub use self::request::{Answer, Next, Request, Revealed, next, next_check};
pub use self::services::MOST_CHECK_REQUESTS;
pub use self::words::Message;
use crate::app::notify::Moment;
use crate::names::{CommitId, EnvironmentName, HostName, RunId, Unit};
use crate::plan::{Intent, SkippedHost, WorkKind};
use crate::release::Release;
use crate::run::event::{Event, PlannedChange, StampedEvent};
use crate::run::outcome::{Outcome, Verdict};
use crate::view::Summary;

/// The version of the document that webhooks and commands get. Fields are only ever added to one.
pub const VERSION: u32 = 1;

/// Something to tell. As JSON it is what webhooks and commands get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// Of this document's form.
    pub version: u32,
    /// One for each thing that is told, whoever is told it: who gets it twice knows.
    pub id: String,
    /// What happened.
    pub moment: Moment,
    /// When.
    pub at: Timestamp,
    /// The run's id.
    pub run: RunId,
    /// What was typed for it, without its arguments.
    pub command: String,
    /// Who runs it, and on which machine.
    pub by: String,
    /// The app.
    pub unit: Unit,
    /// Where.
    pub environment: EnvironmentName,
    /// What the run does, in a few words.
    pub headline: String,
    /// What kind of run it is, once its work has begun.
    #[serde(skip)]
    pub intent: Option<Intent>,
    /// The hosts that it is about.
    pub hosts: Vec<HostName>,
    /// Hosts that were left out, because they can't be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedHost>,
    /// What served before; where hosts differ, what most of those that switch served. The plan says so, and all that is told of the
    /// run says the same.
    pub from: Option<Release>,
    /// What is switched to, if it is one release.
    pub to: Option<Release>,
    /// The repository's page, if it has one.
    pub repository: Option<String>,
    /// The page that compares the two.
    pub compare: Option<String>,
    /// When the run began.
    pub started: Timestamp,
    /// How long it took, once it has ended.
    pub milliseconds: Option<u64>,
    /// How it ended, once it has.
    pub verdict: Option<Verdict>,
    /// Its exit code, once it has one.
    pub exit_code: Option<u8>,
    /// What went wrong, line by line.
    pub why: Vec<String>,
    /// What serves now, line by line; once the run has ended.
    pub serving: Vec<String>,
    /// Whether nothing has happened, and somebody only tries whether this arrives.
    pub is_test: bool,
}

/// A fold over events that says what to tell.
#[derive(Debug, Default)]
pub struct Notifications {
    /// The repository's page.
    repository: Option<String>,
    summary: Summary,
    run: Option<Begun>,
}

/// The run under way.
#[derive(Debug)]
struct Begun {
    notification: Notification,
    /// What kind of work it is, once that has begun.
    work: Option<Work>,
}

/// What kind of work is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Deploy,
    Rollback,
    Recover,
    Maintenance,
    Hold,
    /// Nobody is told of it.
    Other,
}

impl Notifications {
    /// Of an app with this page.
    pub fn of(repository: Option<String>) -> Self {
        Self { repository, ..Self::default() }
    }

    /// Takes note of an event, and says what there is to tell.
    pub fn note(&mut self, stamped: &StampedEvent) -> Option<Notification> {
        let StampedEvent { at, event } = stamped;
        self.summary.note(event);
        match event {
            Event::RunStarted { run, command, by, unit, environment, hosts } => {
                let notification = Notification {
                    command: command.clone(),
                    by: by.clone(),
                    headline: command.clone(),
                    hosts: hosts.clone(),
                    repository: self.repository.clone(),
                    ..Notification::blank(run.clone(), unit.clone(), environment.clone(), *at)
                };
                self.run = Some(Begun { notification, work: None });
                None
            }
            Event::HostsSkipped { skipped } => {
                let Begun { notification, .. } = self.run.as_mut()?;
                notification.hosts.retain(|host| skipped.iter().all(|left| left.host != *host));
                notification.skipped.clone_from(skipped);
                None
            }
            Event::WorkStarted { headline, intent, work: of_work, from, changes, .. } => {
                let Begun { notification, work } = self.run.as_mut()?;
                let kind = Work::of(*intent, *of_work, changes);
                *work = Some(kind);
                notification.headline.clone_from(headline);
                notification.intent = Some(*intent);
                notification.say_changes(from.as_ref(), changes);
                let is_told = matches!(kind, Work::Deploy | Work::Rollback);
                is_told.then(|| notification.at_moment(Moment::Started, *at))
            }
            Event::RunEnded { outcome: Outcome { verdict, .. }, exit_code, milliseconds } => {
                // What was refused has begun nothing: whoever asked for it knows.
                let Begun { notification, work: Some(work) } = self.run.take()? else { return None };
                let moment = work.moment(*verdict)?;
                Some(Notification {
                    milliseconds: Some(*milliseconds),
                    verdict: Some(*verdict),
                    exit_code: Some(*exit_code),
                    why: self.summary.why(),
                    serving: if work.is_about_releases() { self.summary.serving() } else { Vec::new() },
                    ..notification.at_moment(moment, *at)
                })
            }
            _ => None,
        }
    }
}

impl Work {
    fn of(intent: Intent, work: Option<WorkKind>, changes: &[PlannedChange]) -> Work {
        let switches = changes.iter().any(|change| change.to.is_some());
        match (intent, work) {
            (Intent::Deploy, _) if switches => Work::Deploy,
            (Intent::Rollback, _) if switches => Work::Rollback,
            (Intent::Work, Some(WorkKind::Recover)) => Work::Recover,
            (Intent::Work, Some(WorkKind::Maintenance)) => Work::Maintenance,
            (Intent::Work, Some(WorkKind::Hold)) => Work::Hold,
            (Intent::Deploy | Intent::Rollback | Intent::Restart, _) | (Intent::Work, None) => Work::Other,
        }
    }

    fn moment(self, verdict: Verdict) -> Option<Moment> {
        Some(match (self, verdict) {
            (Work::Other, _) => return None,
            (Work::Deploy, Verdict::Done) => Moment::Succeeded,
            (Work::Rollback, Verdict::Done) => Moment::RolledBack,
            (Work::Recover, Verdict::Done) => Moment::Reverted,
            (Work::Maintenance, Verdict::Done) => Moment::Maintenance,
            (Work::Hold, Verdict::Done) => Moment::Held,
            (_, Verdict::Reverted) => Moment::Reverted,
            _ => Moment::Failed,
        })
    }

    fn is_about_releases(self) -> bool {
        matches!(self, Work::Deploy | Work::Rollback | Work::Recover)
    }
}

impl Notification {
    fn blank(run: RunId, unit: Unit, environment: EnvironmentName, at: Timestamp) -> Self {
        Notification {
            version: VERSION,
            id: String::new(),
            moment: Moment::Started,
            at,
            run,
            command: String::new(),
            by: String::new(),
            unit,
            environment,
            headline: String::new(),
            intent: None,
            hosts: Vec::new(),
            skipped: Vec::new(),
            from: None,
            to: None,
            repository: None,
            compare: None,
            started: at,
            milliseconds: None,
            verdict: None,
            exit_code: None,
            why: Vec::new(),
            serving: Vec::new(),
            is_test: false,
        }
    }

    /// One that says only that it arrives: of a release that there is.
    pub fn test(
        run: RunId,
        by: String,
        unit: Unit,
        environment: EnvironmentName,
        repository: Option<String>,
        at: Timestamp,
    ) -> Self {
        let moment = Moment::Succeeded;
        Notification {
            id: format!("{run}-test"),
            moment,
            command: "notify".to_owned(),
            by,
            headline: "a test of this notification".to_owned(),
            repository,
            is_test: true,
            ..Notification::blank(run, unit, environment, at)
        }
    }

    /// The document that programs get.
    pub fn document(&self) -> Vec<u8> {
        services::document(self)
    }

    fn at_moment(&self, moment: Moment, at: Timestamp) -> Self {
        Notification { id: format!("{}-{}", self.run, moment.name()), moment, at, ..self.clone() }
    }

    fn say_changes(&mut self, from: Option<&Release>, changes: &[PlannedChange]) {
        let switched: Vec<&PlannedChange> = changes.iter().filter(|change| change.to.is_some()).collect();
        if switched.is_empty() {
            return;
        }
        self.hosts = switched.iter().map(|change| change.host.clone()).collect();
        self.from = from.cloned();
        self.to = one(switched.iter().map(|change| change.to.as_ref())).flatten().cloned();
        self.compare = match (&self.repository, &self.from, &self.to) {
            (Some(page), Some(from), Some(to)) => compare_page(page, &from.commit, &to.commit),
            _ => None,
        };
    }
}

/// The page that compares two commits; `None`, if they are the same.
pub fn compare_page(repository: &str, from: &CommitId, to: &CommitId) -> Option<String> {
    let page = repository.trim_end_matches('/');
    (from != to).then(|| format!("{page}/compare/{}...{}", from.short(), to.short()))
}

/// What all are, if they are the same.
fn one<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests;
