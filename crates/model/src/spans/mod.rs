//! A run as spans of time: the run, its phases, the hosts in each, and their steps. A fold over events, from which traces and reports
//! are made.

mod context;
mod otlp;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::context::TraceContext;
pub use self::otlp::{OtlpError, OtlpSettings, Parent};
use crate::names::{EnvironmentName, HostName, RunId, Unit};
use crate::plan::PhaseKind;
use crate::release::Release;
use crate::run::event::{Event, StampedEvent};
use crate::run::outcome::{FailureKind, Outcome, Verdict};

/// The deployer, in the place of a host.
pub const HERE: &str = "here";

/// A run that is over, or was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSpans {
    /// Its id.
    pub run: RunId,
    /// What was typed for it, without its arguments.
    pub command: String,
    /// Who runs it, and on which machine.
    pub by: String,
    /// The app.
    pub unit: Unit,
    /// Where.
    pub environment: EnvironmentName,
    /// In a few words, what it does.
    pub headline: String,
    /// What is switched to.
    pub to: Option<Release>,
    /// How it ended; `None`: nobody has said so.
    pub verdict: Option<Verdict>,
    /// The run itself is the first; each other stands after its parent.
    pub spans: Vec<Span>,
}

/// A piece of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What took it.
    pub kind: SpanKind,
    /// In words.
    pub name: String,
    /// In which other it stands, by its index.
    pub parent: Option<usize>,
    /// From when.
    pub start: Timestamp,
    /// To when.
    pub end: Timestamp,
    /// What came of it.
    pub result: SpanResult,
}

/// What took a piece of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanKind {
    /// A run.
    Run,
    /// A phase of it.
    Phase,
    /// A host in a phase, or [`HERE`].
    Host(String),
    /// A step there.
    Step {
        /// The host, or [`HERE`].
        host: String,
        /// Its number in the plan.
        step: u32,
    },
    /// The connection to a host.
    Connection {
        /// The host.
        host: String,
        /// Whether one was open already.
        warm: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanResult {
    /// It hasn't ended.
    Open,
    /// It went well.
    Good,
    /// It didn't, and why.
    Bad(String),
    /// It was ended before it was done.
    Cancelled,
}

/// A fold over events that makes spans of them.
#[derive(Debug, Default)]
pub struct Spans {
    ended: Vec<RunSpans>,
    run: Option<Begun>,
}

/// The run under way.
#[derive(Debug)]
struct Begun {
    run: RunSpans,
    phase: Option<(PhaseKind, usize)>,
    /// The hosts of the phase.
    hosts: BTreeMap<String, usize>,
    steps: BTreeMap<(String, u32), usize>,
}

impl Spans {
    /// All runs, in their order. One that is under way ends where its last event was.
    pub fn take(&mut self) -> Vec<RunSpans> {
        self.cut_short();
        std::mem::take(&mut self.ended)
    }

    fn cut_short(&mut self) {
        if let Some(mut begun) = self.run.take() {
            let last = begun.run.spans.iter().map(|span| span.start.max(span.end)).max();
            begun.close(last.unwrap_or_default());
            self.ended.push(begun.run);
        }
    }

    /// Takes note of an event.
    pub fn note(&mut self, stamped: &StampedEvent) {
        let StampedEvent { at, event } = stamped;
        let at = *at;
        if let Event::RunStarted { run, command, by, unit, environment, hosts: _ } = event {
            self.cut_short();
            self.run = Some(Begun {
                run: RunSpans {
                    run: run.clone(),
                    command: command.clone(),
                    by: by.clone(),
                    unit: unit.clone(),
                    environment: environment.clone(),
                    headline: command.clone(),
                    to: None,
                    verdict: None,
                    spans: vec![Span {
                        kind: SpanKind::Run,
                        name: command.clone(),
                        parent: None,
                        start: at,
                        end: at,
                        result: SpanResult::Open,
                    }],
                },
                phase: None,
                hosts: BTreeMap::new(),
                steps: BTreeMap::new(),
            });
            return;
        }
        let Some(begun) = &mut self.run else { return };
        match event {
            Event::Connected { host, warm, milliseconds } => {
                let milliseconds = i64::try_from(*milliseconds).unwrap_or(i64::MAX);
                let start = at.checked_sub(jiff::SignedDuration::from_millis(milliseconds)).unwrap_or(at);
                let kind = SpanKind::Connection { host: host.to_string(), warm: *warm };
                let span = begun.open(kind, format!("connect to {host}"), 0, start);
                begun.end(span, at, SpanResult::Good);
            }
            Event::Unreachable { host, why, .. } => {
                let kind = SpanKind::Connection { host: host.to_string(), warm: false };
                let span = begun.open(kind, format!("connect to {host}"), 0, at);
                begun.end(span, at, SpanResult::Bad(why.clone()));
            }
            // A run that goes on without a host hasn't failed there.
            Event::HostsSkipped { skipped } => {
                for span in &mut begun.run.spans {
                    let SpanKind::Connection { host, .. } = &span.kind else { continue };
                    if skipped.iter().any(|skipped| skipped.host.as_str() == host) {
                        span.result = SpanResult::Cancelled;
                    }
                }
            }
            Event::Refused { reasons } => {
                let why: Vec<&str> = reasons.iter().map(|reason| reason.message.as_str()).collect();
                begun.run.spans[0].result = SpanResult::Bad(why.join("; "));
            }
            Event::WorkStarted { headline, changes, .. } => {
                begun.run.headline.clone_from(headline);
                begun.run.to = changes.iter().find_map(|change| change.to.clone());
            }
            Event::PhaseStarted { phase } => {
                begun.end_phase(at);
                let span = begun.open(SpanKind::Phase, phase.to_string(), 0, at);
                begun.phase = Some((*phase, span));
            }
            Event::StepStarted { host, step, title } => begun.begin_step(host.as_str(), *step, title, at),
            Event::DeployerStarted { step, title, .. } => begun.begin_step(HERE, *step, title, at),
            Event::StepEnded { host, step, status, .. } => begun.end_step(host.as_str(), *step, *status, at),
            Event::DeployerEnded { step, status, .. } => begun.end_step(HERE, *step, *status, at),
            Event::StepCancelled { host, step } => {
                if let Some(span) = begun.steps.remove(&(host.to_string(), *step)) {
                    begun.end(span, at, SpanResult::Cancelled);
                }
            }
            Event::StepFailed { host, step, title, what } => {
                begun.fail_step(host, *step, title, what, at);
            }
            Event::RunEnded { outcome: Outcome { verdict, .. }, .. } => {
                begun.run.verdict = Some(*verdict);
                let is_refused = matches!(begun.run.spans[0].result, SpanResult::Bad(_));
                begun.close(at);
                if !is_refused {
                    begun.run.spans[0].result = match verdict {
                        Verdict::Done => SpanResult::Good,
                        Verdict::Interrupted => SpanResult::Cancelled,
                        verdict => SpanResult::Bad(verdict.to_string()),
                    };
                }
                self.ended.extend(self.run.take().map(|begun| begun.run));
            }
            _ => {}
        }
    }
}

impl Begun {
    fn open(&mut self, kind: SpanKind, name: String, parent: usize, start: Timestamp) -> usize {
        let parent = Some(parent);
        self.run.spans.push(Span { kind, name, parent, start, end: start, result: SpanResult::Open });
        self.run.spans.len() - 1
    }

    fn end(&mut self, span: usize, at: Timestamp, result: SpanResult) {
        let span = &mut self.run.spans[span];
        (span.end, span.result) = (at, result);
    }

    fn begin_step(&mut self, host: &str, step: u32, title: &str, at: Timestamp) {
        let parent = match self.hosts.get(host) {
            Some(span) => *span,
            None => {
                let phase = self.phase.map_or(0, |(_, span)| span);
                let span = self.open(SpanKind::Host(host.to_owned()), host.to_owned(), phase, at);
                self.hosts.insert(host.to_owned(), span);
                span
            }
        };
        let kind = SpanKind::Step { host: host.to_owned(), step };
        let span = self.open(kind, title.to_owned(), parent, at);
        self.steps.insert((host.to_owned(), step), span);
    }

    fn end_step(&mut self, host: &str, step: u32, status: i32, at: Timestamp) {
        let Some(span) = self.steps.remove(&(host.to_owned(), step)) else { return };
        let result = match status {
            0 => SpanResult::Good,
            status => SpanResult::Bad(FailureKind::Exited { status }.to_string()),
        };
        self.end(span, at, result);
    }

    fn fail_step(
        &mut self,
        host: &HostName,
        step: Option<u32>,
        title: &str,
        what: &FailureKind,
        at: Timestamp,
    ) {
        // One that was lost between two steps has none.
        let number = step.unwrap_or(0);
        let known = self.steps.remove(&(host.to_string(), number));
        let span = match known {
            Some(span) => span,
            None => {
                self.begin_step(host.as_str(), number, title, at);
                self.steps.remove(&(host.to_string(), number)).expect("it has just begun")
            }
        };
        self.end(span, at, SpanResult::Bad(what.to_string()));
    }

    /// Hosts end with their last step, and a phase with the next one's begin.
    fn end_phase(&mut self, at: Timestamp) {
        let hosts: Vec<usize> = std::mem::take(&mut self.hosts).into_values().collect();
        for host in hosts {
            self.settle(host, None);
        }
        if let Some((_, phase)) = self.phase.take() {
            self.settle(phase, Some(at));
        }
    }

    /// Ends a span by what stands in it.
    fn settle(&mut self, span: usize, at: Option<Timestamp>) {
        let inner = || self.run.spans.iter().filter(|inner| inner.parent == Some(span));
        let last = inner().map(|inner| inner.end).max();
        let failed = inner().find_map(|inner| match &inner.result {
            SpanResult::Bad(why) => Some(format!("{}: {why}", inner.name)),
            _ => None,
        });
        let cancelled = inner().any(|inner| inner.result == SpanResult::Cancelled);
        let result = match failed {
            Some(why) => SpanResult::Bad(why),
            None if cancelled => SpanResult::Cancelled,
            None => SpanResult::Good,
        };
        let end = at.or(last).unwrap_or(self.run.spans[span].start);
        self.end(span, end, result);
    }

    fn close(&mut self, at: Timestamp) {
        // Nobody has heard the end of these.
        for span in std::mem::take(&mut self.steps).into_values() {
            self.end(span, at, SpanResult::Cancelled);
        }
        self.end_phase(at);
        let run = &mut self.run.spans[0];
        run.end = at;
        if run.result == SpanResult::Open {
            run.result = SpanResult::Cancelled;
        }
    }
}

#[cfg(test)]
mod tests;
