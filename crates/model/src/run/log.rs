//! The log of a run, read again: its events, as far as they can be understood.

use serde::Deserialize;

use crate::names::{EnvironmentName, RunId, Unit};
use crate::run::event::{Event, StampedEvent};
use crate::run::outcome::Verdict;

/// What a log holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLog {
    /// What can be understood, in order.
    pub events: Vec<StampedEvent>,
    /// How many events this version doesn't know.
    pub unknown: usize,
    /// How many lines are no events at all: a program that is killed, or a full disk, cuts the last one short.
    pub broken: usize,
}

/// A line of a log.
enum Line {
    Known(Box<StampedEvent>),
    Unknown,
    Broken,
}

impl RunLog {
    /// Reads a log: an event a line. What can't be understood is counted, and hides nothing else.
    pub fn parse(text: &str) -> RunLog {
        let mut log = RunLog::default();
        for line in text.lines() {
            match Line::of(line) {
                Line::Known(event) => log.events.push(*event),
                Line::Unknown => log.unknown += 1,
                Line::Broken => log.broken += 1,
            }
        }
        log
    }

    /// The lines that are events, also of a later version, as they stand.
    pub fn documents(text: &str) -> impl Iterator<Item = &str> {
        text.lines().filter(|line| !matches!(Line::of(line), Line::Broken))
    }

    /// Which app was worked on, and where.
    pub fn place(&self) -> Option<(&Unit, &EnvironmentName)> {
        self.events.iter().find_map(|stamped| match &stamped.event {
            Event::RunStarted { unit, environment, .. } => Some((unit, environment)),
            _ => None,
        })
    }

    /// What the run did, in a few words: the plan's headline, or the command where it came to no plan.
    pub fn headline(&self) -> &str {
        let headline = self.events.iter().find_map(|stamped| match &stamped.event {
            Event::WorkStarted { headline, .. } => Some(headline),
            _ => None,
        });
        let command = || {
            self.events.iter().find_map(|stamped| match &stamped.event {
                Event::RunStarted { command, .. } => Some(command),
                _ => None,
            })
        };
        headline.or_else(command).map_or("", String::as_str)
    }

    /// How it ended; `None` if nobody was left to write that down.
    pub fn verdict(&self) -> Option<Verdict> {
        self.events.iter().rev().find_map(|stamped| match &stamped.event {
            Event::RunEnded { outcome, .. } => Some(outcome.verdict),
            _ => None,
        })
    }
}

impl Line {
    fn of(line: &str) -> Line {
        /// What an event of any version has.
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(rename = "event")]
            _event: String,
        }
        if let Ok(event) = serde_json::from_str(line) {
            Line::Known(Box::new(event))
        } else if serde_json::from_str::<Envelope>(line).is_ok() {
            Line::Unknown
        } else {
            Line::Broken
        }
    }
}

/// The runs that a person may mean: by the whole id, or by its beginning or end. None is meant by nothing.
pub fn runs_meant<'r>(typed: &str, runs: &'r [RunId]) -> Vec<&'r RunId> {
    if let Some(run) = runs.iter().find(|run| run.as_str() == typed) {
        return vec![run];
    }
    let fits = |run: &&RunId| run.as_str().starts_with(typed) || run.as_str().ends_with(typed);
    if typed.is_empty() { Vec::new() } else { runs.iter().filter(fits).collect() }
}

/// The end of an id that tells it from all others: its last word, or all of it.
pub fn short_id<'r>(run: &'r RunId, runs: &[RunId]) -> &'r str {
    let whole = run.as_str();
    let word = whole.rsplit('-').next().unwrap_or(whole);
    let others = runs.iter().filter(|other| *other != run);
    let mut others =
        others.filter(|other| other.as_str().starts_with(word) || other.as_str().ends_with(word));
    if others.next().is_some() { whole } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str]) -> Vec<RunId> {
        texts.iter().map(|text| RunId::new(*text).expect("a word")).collect()
    }

    #[test]
    fn a_log_is_read_as_far_as_it_goes() {
        let known = r#"{"at":"2026-11-23T20:32:21Z","event":"looking_again","host":"web1"}"#;
        let newer = r#"{"at":"2026-11-23T20:32:22Z","event":"drained","host":"web1"}"#;
        let text = format!("{known}\n{newer}\n{known}\n{{\"at\":\"2026-11-23T20:3");
        let log = RunLog::parse(&text);
        assert_eq!((log.events.len(), log.unknown, log.broken), (2, 1, 1));
        assert_eq!(RunLog::documents(&text).collect::<Vec<_>>(), [known, newer, known]);
        assert_eq!(log.verdict(), None);
    }

    #[test]
    fn a_run_is_meant_by_its_id_or_by_an_end_of_it() {
        let runs = ids(&["20261123-203221-ie2d", "20261123-210000-x7qa", "20261124-080000-ie2e"]);
        let meant = |typed: &str| runs_meant(typed, &runs).iter().map(|run| run.as_str()).collect::<Vec<_>>();
        assert_eq!(meant("ie2d"), ["20261123-203221-ie2d"]);
        assert_eq!(meant("20261124"), ["20261124-080000-ie2e"]);
        assert_eq!(meant("20261123"), ["20261123-203221-ie2d", "20261123-210000-x7qa"]);
        assert_eq!(meant("20261123-210000-x7qa"), ["20261123-210000-x7qa"]);
        assert_eq!(meant("zzzz"), [""; 0]);
        assert_eq!(meant(""), [""; 0]);
        assert_eq!(short_id(&runs[1], &runs), "x7qa");
        let twins = ids(&["20261123-203221-ie2d", "20261124-203221-ie2d"]);
        assert_eq!(short_id(&twins[0], &twins), "20261123-203221-ie2d");
    }
}
