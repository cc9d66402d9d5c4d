//! The end of a run, told to a person: what failed, its last words, what serves now, what to do next.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use crate::event::Event;
use crate::names::HostName;
use crate::outcome::{Failure, Outcome, Verdict};

/// How many of a failed step's lines are printed again.
const LAST_LINES: usize = 20;

/// A fold over events that can tell the end of the run.
#[derive(Debug, Default)]
pub struct Ending {
    headline: String,
    tails: BTreeMap<(HostName, u32), VecDeque<String>>,
    titles: BTreeMap<u32, String>,
    failures: usize,
    ended: Option<(Outcome, u64)>,
}

impl Ending {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::WorkStarted { headline, .. } => self.headline.clone_from(headline),
            Event::StepStarted { host, step, title } => {
                self.titles.insert(*step, title.clone());
                // A host runs one step at a time: what the one before printed is needed no longer, unless it failed.
                if self.failures == 0 {
                    self.tails.retain(|(other, _), _| other != host);
                }
            }
            Event::Output { host, step, line, .. } => {
                let tail = self.tails.entry((host.clone(), *step)).or_default();
                if tail.len() == LAST_LINES {
                    tail.pop_front();
                }
                tail.push_back(line.clone());
            }
            Event::StepFailed { .. } => self.failures += 1,
            Event::RunEnded { outcome, milliseconds, .. } => {
                self.ended = Some((outcome.clone(), *milliseconds))
            }
            _ => {}
        }
    }

    /// Whether the run has ended, and not well.
    pub fn went_wrong(&self) -> bool {
        self.ended.as_ref().is_some_and(|(outcome, _)| outcome.verdict != Verdict::Done)
    }

    /// The end, in words; `retry` is the command that would do the same again, `status` the one that shows what is.
    pub fn tell(&self, retry: &str, environment_command: &str) -> String {
        let Some((outcome, milliseconds)) = &self.ended else { return String::new() };
        let mut text = String::new();
        for failure in &outcome.failures {
            self.tell_failure(&mut text, failure);
        }
        let seconds = *milliseconds as f64 / 1000.0;
        let what = if self.headline.is_empty() { "run" } else { &self.headline };
        let _ = match outcome.verdict {
            Verdict::Done => writeln!(text, "✓ {what}: done in {seconds:.1} s"),
            verdict => writeln!(text, "✗ {what}: {verdict} (exit {})", verdict.exit_code()),
        };
        for (serving, hosts) in group_serving(outcome) {
            let _ = writeln!(text, "  serving now: {serving} on {}", hosts.join(", "));
        }
        if let Some(next) = next_command(outcome, retry, environment_command) {
            let _ = writeln!(text, "  next: {next}");
        }
        text
    }

    fn tell_failure(&self, text: &mut String, Failure { host, step, what }: &Failure) {
        let title = step.and_then(|step| self.titles.get(&step));
        let _ = match title {
            Some(title) => writeln!(text, "{host}: {title}: {what}"),
            None => writeln!(text, "{host}: {what}"),
        };
        let tail = step.and_then(|step| self.tails.get(&(host.clone(), step)));
        for line in tail.into_iter().flatten() {
            let _ = writeln!(text, "  │ {line}");
        }
    }
}

fn group_serving(outcome: &Outcome) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for host in &outcome.hosts {
        let serving = host.serving.to_string();
        match groups.iter_mut().find(|(known, _)| *known == serving) {
            Some((_, hosts)) => hosts.push(host.host.to_string()),
            None => groups.push((serving, vec![host.host.to_string()])),
        }
    }
    groups
}

fn next_command(outcome: &Outcome, retry: &str, environment_command: &str) -> Option<String> {
    let failed = outcome.failures.first().map(|failure| failure.host.to_string());
    Some(match outcome.verdict {
        Verdict::Done => return None,
        Verdict::Refused => format!("{environment_command} check"),
        Verdict::Locked => format!("{environment_command} status   (then again: {retry})"),
        Verdict::Unreachable => format!("{environment_command} check   (then again: {retry})"),
        Verdict::FailedBefore | Verdict::Reverted => match failed {
            Some(host) => {
                format!("mend it, then: {retry}   (to look: {environment_command} --hosts {host} shell)")
            }
            None => format!("mend it, then: {retry}"),
        },
        Verdict::Mixed => format!("{environment_command} status   (then again: {retry})"),
        Verdict::Interrupted => format!("{environment_command} status"),
    })
}
