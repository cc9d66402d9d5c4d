//! A run line by line: for log files, pipes and people who like to scroll, as it happens or when it is shown again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::names::HostName;
use crate::plan::PhaseKind;
use crate::run::event::{Event, StampedEvent, Stream};
use crate::run::outcome::FailureKind;

/// A step that takes so many milliseconds is told even if nobody asked for details.
const SLOW: u64 = 3_000;

/// What is told while something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutput {
    /// Nothing: the answer comes at the end.
    Silent,
    /// What steps print is what was asked for: every line, prefixed by its host, to standard output.
    Data,
    /// What steps print is shown when that was asked for, and when a step failed.
    Talk,
}

/// A line, and what it is to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// What was asked for.
    Data(String),
    /// A word about it.
    Talk(String),
}

/// A fold over events that makes lines of them.
#[derive(Debug)]
pub struct RunLines {
    verbose: bool,
    output: StepOutput,
    width: usize,
    /// The phase under way, and when it began.
    phase: Option<(PhaseKind, Timestamp)>,
    titles: BTreeMap<(Option<HostName>, u32), String>,
    /// The hosts of which the ending tells what failed there.
    failed: BTreeSet<HostName>,
    has_ended: bool,
}

impl RunLines {
    /// No line yet. `verbose`: every step is told, and what it prints.
    pub fn new(verbose: bool, output: StepOutput) -> Self {
        let (titles, failed) = (BTreeMap::new(), BTreeSet::new());
        Self { verbose, output, width: 0, phase: None, titles, failed, has_ended: false }
    }

    /// Whether what steps print is what was asked for.
    pub fn is_data(&self) -> bool {
        self.output == StepOutput::Data
    }

    /// Whether all that steps print is told as they do.
    pub fn tells_all(&self) -> bool {
        self.verbose || self.is_data()
    }

    /// The lines that an event makes.
    pub fn tell(&mut self, StampedEvent { at, event }: &StampedEvent) -> Vec<Line> {
        let width = self.width;
        let quiet = self.output == StepOutput::Data;
        let talk = |text: String| vec![Line::Talk(text)];
        match event {
            Event::RunStarted { hosts, .. } => {
                (self.failed, self.has_ended) = (BTreeSet::new(), false);
                self.width = hosts.iter().map(|host| host.as_str().width()).max().unwrap_or(0);
                Vec::new()
            }
            // Why, and what to do about it, is told at the end.
            Event::Unreachable { host, .. } => talk(format!("{}  unreachable", pad(host.as_str(), width))),
            Event::HostsSkipped { skipped } => {
                let hosts: Vec<&str> = skipped.iter().map(|skipped| skipped.host.as_str()).collect();
                talk(format!("left out: {}", hosts.join(", ")))
            }
            Event::PhaseStarted { phase } if !quiet => {
                let mut lines = self.end_phase(*at);
                self.phase = Some((*phase, *at));
                if self.verbose {
                    lines.push(Line::Talk(format!("{phase}:")));
                }
                lines
            }
            Event::StepStarted { host, step, title } => {
                self.titles.insert((Some(host.clone()), *step), title.clone());
                Vec::new()
            }
            Event::Output { host, line, stream, is_told, step: _ } => {
                let host = pad(host.as_str(), width);
                match (self.output, stream) {
                    (StepOutput::Data, Stream::Stdout) => vec![Line::Data(format!("{host} │ {line}"))],
                    (StepOutput::Data, Stream::Stderr) => talk(format!("{host} │ {line}")),
                    (StepOutput::Talk, _) if self.verbose || *is_told => talk(format!("  {host}  │ {line}")),
                    (StepOutput::Talk | StepOutput::Silent, _) => Vec::new(),
                }
            }
            Event::StepEnded { host, step, status, milliseconds } => {
                let title = self.titles.remove(&(Some(host.clone()), *step)).unwrap_or_default();
                let host = pad(host.as_str(), width);
                match status {
                    0 if quiet || !self.verbose && *milliseconds < SLOW => Vec::new(),
                    0 => talk(format!("  {host}  {title}  {}", duration(*milliseconds))),
                    _ if quiet => Vec::new(),
                    _ => talk(format!("  {host}  ✗ {title}")),
                }
            }
            Event::StepFailed { host, title, what, .. } => {
                self.phase = None;
                let is_first = self.failed.insert(host.clone());
                let told = match (is_first, title.as_str()) {
                    // The ending tells the error, and only there it is told.
                    (true, "") => return Vec::new(),
                    (true, _) if quiet => return Vec::new(),
                    (true, title) => title.to_owned(),
                    (false, "") => what.to_string(),
                    (false, title) => format!("{title}: {what}"),
                };
                talk(format!("  {}  ✗ {told}", pad(host.as_str(), width)))
            }
            Event::Interrupted { then } => talk(format!("interrupted: {then}")),
            Event::Reverting { hosts } => {
                let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
                talk(format!("reverting: {}", hosts.join(", ")))
            }
            Event::LookingAgain { host } => talk(format!("asking {host} again what it serves")),
            Event::DeployerStarted { step, title, .. } => {
                self.titles.insert((None, *step), title.clone());
                talk(format!("here: {title}"))
            }
            Event::DeployerOutput { line, .. } => talk(format!("  {:width$}  │ {line}", "")),
            Event::DeployerEnded { step, status, milliseconds } => {
                let title = self.titles.remove(&(None, *step)).unwrap_or_default();
                match status {
                    0 if self.verbose && !quiet => {
                        talk(format!("  {}  {title}  {}", pad("here", width), duration(*milliseconds)))
                    }
                    0 => Vec::new(),
                    _ if !self.has_ended => Vec::new(),
                    _ => {
                        let what = FailureKind::Exited { status: *status };
                        talk(format!("  {}  ✗ {title}: {what}", pad("here", width)))
                    }
                }
            }
            Event::RunEnded { .. } => {
                self.has_ended = true;
                self.end_phase(*at)
            }
            Event::StepCancelled { .. }
            | Event::Connected { .. }
            | Event::WorkStarted { .. }
            | Event::Refused { .. }
            | Event::PhaseStarted { .. }
            | Event::OutputCut { .. } => Vec::new(),
        }
    }

    /// What is done once for all, migrations above all, is worth reading.
    fn end_phase(&mut self, at: Timestamp) -> Vec<Line> {
        let Some((phase, began)) = self.phase.take() else { return Vec::new() };
        // A clock that was set back in between tells nothing.
        let milliseconds = u64::try_from(at.duration_since(began).as_millis()).unwrap_or(0);
        vec![Line::Talk(format!("  {phase:8}  {}", duration(milliseconds)))]
    }
}

fn pad(text: &str, width: usize) -> String {
    // `format!` counts letters, and some take two columns, others none.
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}

/// `0.12 s`, `3.4 s`, `2 min 5 s`.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{:.2} s", milliseconds as f64 / 1000.0),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}
