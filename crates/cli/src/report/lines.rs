//! A line for whatever matters: for log files, pipes and people who like to scroll.

use std::collections::BTreeMap;
use std::time::Instant;

use buedafab_model::names::HostName;
use buedafab_model::plan::PhaseKind;
use buedafab_model::run::event::{Event, Stream};
use console::{Alignment, measure_text_width, pad_str};

use super::{StepOutput, duration, print_data, print_talk};

/// A step that takes so many milliseconds is told even if nobody asked for details.
const SLOW: u64 = 3_000;

/// What has to be remembered between two lines.
#[derive(Debug)]
pub(super) struct Lines {
    verbose: bool,
    output: StepOutput,
    width: usize,
    phase: Option<(PhaseKind, Instant)>,
    titles: BTreeMap<(HostName, u32), String>,
}

impl Lines {
    pub(super) fn new(verbose: bool, output: StepOutput) -> Self {
        Self { verbose, output, width: 0, phase: None, titles: BTreeMap::new() }
    }

    /// Whether what steps print is what was asked for.
    pub(super) fn is_data(&self) -> bool {
        self.output == StepOutput::Data
    }

    pub(super) fn event(&mut self, event: &Event) {
        let width = self.width;
        let quiet = self.output == StepOutput::Data;
        let column = |host: &HostName| pad_str(host.as_str(), width, Alignment::Left, None).into_owned();
        match event {
            Event::RunStarted { hosts, .. } => {
                self.width = hosts.iter().map(|host| measure_text_width(host.as_str())).max().unwrap_or(0);
            }
            Event::Unreachable { host, why, hint } => {
                let why = why.lines().next_back().unwrap_or_default();
                print_talk(&format!("{}  unreachable: {why}", column(host)));
                if let Some(hint) = hint {
                    print_talk(&format!("{:width$}  help: {hint}", ""));
                }
            }
            Event::PhaseStarted { phase } if !quiet => {
                self.end_phase();
                self.phase = Some((*phase, Instant::now()));
                if self.verbose {
                    print_talk(&format!("{phase}:"));
                }
            }
            Event::StepStarted { host, step, title } => {
                self.titles.insert((host.clone(), *step), title.clone());
            }
            Event::Output { host, line, stream, .. } => match (self.output, stream) {
                (StepOutput::Data, Stream::Stdout) => print_data(&format!("{} │ {line}", column(host))),
                (StepOutput::Data, Stream::Stderr) => print_talk(&format!("{} │ {line}", column(host))),
                (StepOutput::Talk, _) if self.verbose || self.is_once() => {
                    print_talk(&format!("  {}  │ {line}", column(host)))
                }
                (StepOutput::Talk | StepOutput::Silent, _) => {}
            },
            Event::StepEnded { host, step, status, milliseconds } => {
                let title = self.titles.remove(&(host.clone(), *step)).unwrap_or_default();
                match status {
                    0 if quiet || !self.verbose && *milliseconds < SLOW => {}
                    0 => print_talk(&format!("  {}  {title}  {}", column(host), duration(*milliseconds))),
                    _ => print_talk(&format!("  {}  {title}: status {status}", column(host))),
                }
            }
            Event::StepFailed { host, title, what, .. } => {
                self.phase = None;
                print_talk(&format!("  {}  ✗ {}{what}", column(host), prefix(title)));
            }
            Event::Interrupted { then } => print_talk(&format!("interrupted: {then}")),
            Event::Reverting { hosts } => print_talk(&format!("reverting: {}", names(hosts))),
            Event::LookingAgain { host } => print_talk(&format!("asking {host} again what it serves")),
            Event::DeployerStarted { title, .. } => print_talk(&format!("here: {title}")),
            Event::DeployerOutput { line, .. } => print_talk(&format!("  {:width$}  │ {line}", "")),
            Event::RunEnded { .. } => self.end_phase(),
            Event::StepCancelled { .. }
            | Event::Connected { .. }
            | Event::WorkStarted { .. }
            | Event::Refused { .. }
            | Event::PhaseStarted { .. }
            | Event::DeployerEnded { .. } => {}
        }
    }

    /// What is done once for all, migrations above all, is worth reading.
    fn is_once(&self) -> bool {
        self.phase.as_ref().is_some_and(|(phase, _)| *phase == PhaseKind::Once)
    }

    fn end_phase(&mut self) {
        if let Some((phase, began)) = self.phase.take() {
            print_talk(&format!("  {phase:8}  {}", duration(began.elapsed().as_millis() as u64)));
        }
    }
}

fn prefix(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!("{title}: ") }
}

fn names(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ")
}
