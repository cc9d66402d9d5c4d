//! The end of a run, told to a person: what failed, its last words, what serves now, what to do next.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use crate::names::{CommitId, HostName};
use crate::plan::{Intent, SkippedHost};
use crate::run::event::{Consumer, Event, PlannedChange, StampedEvent};
use crate::run::exit_code::ExitCode;
use crate::run::outcome::{Failure, FailureKind, HostOutcome, Outcome, Serving, Verdict};

/// How many of a failed step's lines are printed again.
const LAST_LINES: usize = 20;

/// The deployer, in the place of a host.
const HERE: &str = "here";

/// What failed, and its last words.
type Told = (String, Vec<String>);

/// What the reader of the ending has seen before of what steps printed. One ending tells an error once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing but what steps tell people.
    Little,
    /// All of it, line by line.
    All,
}

/// A fold over events that can tell the end of the run.
#[derive(Debug, Default)]
pub struct Summary {
    headline: String,
    /// In the order of the configuration.
    hosts: Vec<HostName>,
    /// What steps printed last; of the deployer's own under no host.
    tails: BTreeMap<(Option<HostName>, u32), VecDeque<String>>,
    titles: BTreeMap<u32, String>,
    failures: usize,
    /// What can be done about hosts that couldn't be reached.
    hints: BTreeMap<HostName, String>,
    /// Hosts that were left out.
    skipped: Vec<SkippedHost>,
    /// What a deploy has hosts serve.
    deployed: BTreeMap<HostName, CommitId>,
    /// What failed and stopped nothing.
    undone: Vec<Failure>,
    /// What failed of what the deployer does.
    here: Vec<Failure>,
    ended: Option<(Outcome, u64)>,
}

impl Consumer for Summary {
    fn event(&mut self, event: &StampedEvent) {
        self.note(&event.event);
    }
}

impl Summary {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            // A run before it, which put something right first, is over.
            Event::RunStarted { command, hosts, .. } => {
                *self = Summary { headline: command.clone(), hosts: hosts.clone(), ..Summary::default() }
            }
            Event::WorkStarted { headline, intent, changes, .. } => {
                self.headline.clone_from(headline);
                let changes = changes.iter().filter(|_| *intent == Intent::Deploy);
                let to = |change: &PlannedChange| Some((change.host.clone(), change.to.clone()?.commit));
                self.deployed = changes.filter_map(to).collect();
            }
            Event::StepStarted { host, step, title } => self.begin_step(Some(host), *step, title),
            Event::DeployerStarted { step, title, .. } => self.begin_step(None, *step, title),
            // What was told is read already.
            Event::Output { host, step, line, is_told: false, .. } => self.keep(Some(host), *step, line),
            Event::Unreachable { host, hint: Some(hint), .. } => {
                self.hints.insert(host.clone(), hint.clone());
            }
            Event::HostsSkipped { skipped } => self.skipped.clone_from(skipped),
            Event::StepFailed { .. } => self.failures += 1,
            Event::StepEnded { host, step, status, .. } if *status != 0 => {
                let what = FailureKind::Exited { status: *status };
                self.undone.push(Failure { host: Some(host.clone()), step: Some(*step), what });
            }
            // What comes after the end is told by itself.
            Event::DeployerEnded { step, status, .. } if *status != 0 && self.ended.is_none() => {
                let what = FailureKind::Exited { status: *status };
                self.here.push(Failure { host: None, step: Some(*step), what });
            }
            Event::RunEnded { outcome, milliseconds, .. } => {
                self.ended = Some((outcome.clone(), *milliseconds))
            }
            _ => {}
        }
    }

    fn begin_step(&mut self, host: Option<&HostName>, step: u32, title: &str) {
        self.titles.insert(step, title.to_owned());
        // A host runs one step at a time: what the one before printed is needed no longer, unless it failed.
        if self.failures == 0 {
            let undone = &self.undone;
            self.tails.retain(|(other, step), _| {
                other.as_ref() != host
                    || undone.iter().any(|left| left.host == *other && left.step == Some(*step))
            });
        }
    }

    fn keep(&mut self, host: Option<&HostName>, step: u32, line: &str) {
        let tail = self.tails.entry((host.cloned(), step)).or_default();
        if tail.len() == LAST_LINES {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    }

    /// Whether the run has ended, and something in it didn't go well.
    pub fn went_wrong(&self) -> bool {
        self.ended.as_ref().is_some_and(|(outcome, _)| {
            outcome.verdict != Verdict::Done || !self.undone.is_empty() || !self.here.is_empty()
        })
    }

    /// The end, in words; `retry` is the command that would do the same again, `status` the one that shows what is.
    pub fn tell(&self, retry: &str, environment_command: &str, seen: Seen) -> String {
        let Some((outcome, milliseconds)) = &self.ended else { return String::new() };
        let mut text = self.tell_end(outcome, *milliseconds, true, seen);
        if outcome.verdict == Verdict::Done && !self.skipped.is_empty() {
            let _ = writeln!(text, "  when it is back: {environment_command} deploy --only-outdated");
        }
        for (what, command) in
            self.next_commands(outcome, &self.in_order(&outcome.failures), retry, environment_command)
        {
            let _ = writeln!(text, "  {what}: {command}");
        }
        text
    }

    /// What a person can do now: a word for what it is for, and the command.
    fn next_commands(
        &self,
        outcome: &Outcome,
        failures: &[Failure],
        retry: &str,
        environment_command: &str,
    ) -> Vec<(&'static str, String)> {
        let status = || ("see", format!("{environment_command} status"));
        let check = || ("see", format!("{environment_command} check"));
        let again = || ("again", retry.to_owned());
        // Not before that is done, nor by doing the same again.
        if !outcome.out_of_traffic.is_empty() {
            let hosts: Vec<&str> = outcome.out_of_traffic.iter().map(HostName::as_str).collect();
            return vec![
                ("put back", format!("{environment_command} undrain {}", hosts.join(" "))),
                status(),
            ];
        }
        match outcome.verdict {
            Verdict::Done => Vec::new(),
            Verdict::Refused => vec![again()],
            Verdict::Mixed if !self.ahead(outcome).is_empty() => vec![
                // Where it is live already it stays as it is.
                ("bring the others level", retry.to_owned()),
                (
                    "or go back",
                    format!("{environment_command} --hosts {} rollback", self.ahead(outcome).join(",")),
                ),
                status(),
            ],
            Verdict::Locked | Verdict::Mixed => vec![status(), again()],
            Verdict::Unreachable => vec![check(), again()],
            Verdict::FailedBefore | Verdict::Reverted => {
                let failed =
                    failures.iter().find_map(|failure| Some((failure.host.as_ref()?, &failure.what)));
                // What switches nothing has made no release that could be looked at.
                let place = if outcome.hosts.is_empty() { "shell" } else { "shell --failed" };
                let look = failed.map(|(host, what)| match what {
                    FailureKind::Unreachable { .. } => check(),
                    _ => ("look", format!("{environment_command} --hosts {host} {place}")),
                });
                look.into_iter().chain([again()]).collect()
            }
            Verdict::Interrupted => vec![status(), again()],
        }
    }

    /// The hosts that serve what was deployed, where it is known of all what they serve, and others don't serve it. None, where one of them
    /// couldn't go back: what was never confirmed has to be put back first.
    fn ahead<'o>(&self, outcome: &'o Outcome) -> Vec<&'o str> {
        // An app's part of a host isn't named by `--hosts`.
        let is_plain = |told: &HostOutcome| {
            matches!(told.serving, Serving::Release { .. }) && !told.host.as_str().contains('/')
        };
        let plain = outcome.hosts.iter().all(is_plain);
        let is_ahead = |told: &&HostOutcome| {
            let commit = told.serving.linked().map(|release| &release.commit);
            commit.is_some() && commit == self.deployed.get(&told.host)
        };
        let ahead = outcome.hosts.iter().filter(is_ahead).map(|told| told.host.as_str());
        let ahead: Vec<&str> = ahead.filter(|_| plain).collect();
        let has_failed = |host: &&str| {
            outcome
                .failures
                .iter()
                .any(|failure| failure.host.as_ref().is_some_and(|other| other.as_str() == *host))
        };
        let is_whole = ahead.len() < self.deployed.len() && !ahead.iter().any(has_failed);
        if is_whole { ahead } else { Vec::new() }
    }

    /// The end of a run that is long over: what is to be done now isn't known from it.
    pub fn tell_again(&self) -> String {
        let Some((outcome, milliseconds)) = &self.ended else { return String::new() };
        self.tell_end(outcome, *milliseconds, false, Seen::All)
    }

    /// What went wrong, a line for each; hosts that failed alike are told once.
    pub fn why(&self) -> Vec<String> {
        let Some((outcome, _)) = &self.ended else { return Vec::new() };
        let failures = self.in_order(&outcome.failures);
        let groups = self.group_failures(&failures, Seen::All).into_iter();
        groups.map(|(hosts, (what, _))| format!("{}: {what}", hosts.join(", "))).collect()
    }

    /// What the hosts served when the run ended, a line for each.
    pub fn serving(&self) -> Vec<String> {
        let ended = self.ended.iter().flat_map(|(outcome, _)| group_serving(outcome));
        ended.map(|(serving, hosts)| serving.told(&hosts, true)).collect()
    }

    fn tell_end(&self, outcome: &Outcome, milliseconds: u64, is_now: bool, seen: Seen) -> String {
        let mut text = String::new();
        for (hosts, (what, tail)) in self.group_failures(&self.in_order(&outcome.failures), seen) {
            let _ = writeln!(text, "{}: {what}", hosts.join(", "));
            for line in tail {
                let _ = writeln!(text, "  │ {line}");
            }
            let hint = self.hints.iter().find(|(host, _)| hosts.contains(&host.as_str()));
            if let Some((_, hint)) = hint {
                let _ = writeln!(text, "  help: {hint}");
            }
        }
        let mut undone = self.in_order(&self.undone);
        let stopped = |left: &&Failure| outcome.failures.iter().any(|failure| failure.step == left.step);
        undone.extend(self.here.iter().filter(|left| !stopped(left)).cloned());
        for (hosts, (what, tail)) in self.group_failures(&undone, seen) {
            let on = if hosts == [HERE] { HERE.to_owned() } else { format!("on {}", hosts.join(", ")) };
            let _ = writeln!(text, "left undone {on}: {what}");
            for line in tail {
                let _ = writeln!(text, "  │ {line}");
            }
        }
        let seconds = milliseconds as f64 / 1000.0;
        let what = if self.headline.is_empty() { "run" } else { &self.headline };
        let _ = match outcome.verdict {
            Verdict::Done => writeln!(text, "✓ {what}: done in {seconds:.1} s"),
            // Where nothing was to be switched, there is no before and after.
            Verdict::FailedBefore if outcome.hosts.is_empty() => {
                writeln!(text, "✗ {what}: failed (exit {})", ExitCode::FailedBefore)
            }
            verdict => writeln!(text, "✗ {what}: {verdict} (exit {})", verdict.exit_code()),
        };
        for (serving, hosts) in group_serving(outcome) {
            let _ = writeln!(text, "  {}", serving.told(&hosts, is_now));
        }
        let out: Vec<&str> = outcome.out_of_traffic.iter().map(HostName::as_str).collect();
        if !out.is_empty() {
            let _ = writeln!(text, "  out of traffic: {}", out.join(", "));
        }
        for skipped in &self.skipped {
            let _ = writeln!(text, "  left out: {}", skipped.in_words());
        }
        text
    }

    /// By the order of the hosts in the configuration: as they came to be known is nobody's order.
    fn in_order(&self, failures: &[Failure]) -> Vec<Failure> {
        let mut failures = failures.to_vec();
        failures
            .sort_by_key(|failure| self.hosts.iter().position(|host| failure.host.as_ref() == Some(host)));
        failures
    }

    /// What failed, with its last words; hosts that failed alike are told once.
    fn group_failures<'o>(&self, failures: &'o [Failure], seen: Seen) -> Vec<(Vec<&'o str>, Told)> {
        let mut groups: Vec<(Vec<&str>, Told)> = Vec::new();
        for Failure { host, step, what } in failures {
            let told = match step.and_then(|step| self.titles.get(&step)) {
                Some(title) => format!("{title}: {what}"),
                None => what.to_string(),
            };
            let tail = step.and_then(|step| self.tails.get(&(host.clone(), step)));
            let tail = tail.filter(|_| seen == Seen::Little);
            let told = (told, tail.into_iter().flatten().cloned().collect());
            let host = host.as_ref().map_or(HERE, HostName::as_str);
            match groups.iter_mut().find(|(_, known)| *known == told) {
                // Forwards and back alike.
                Some((hosts, _)) if hosts.contains(&host) => {}
                Some((hosts, _)) => hosts.push(host),
                None => groups.push((vec![host], told)),
            }
        }
        groups
    }
}

fn group_serving(outcome: &Outcome) -> Vec<(&Serving, Vec<&str>)> {
    let mut groups: Vec<(&Serving, Vec<&str>)> = Vec::new();
    for HostOutcome { host, serving } in &outcome.hosts {
        match groups.iter_mut().find(|(known, _)| *known == serving) {
            Some((_, hosts)) => hosts.push(host.as_str()),
            None => groups.push((serving, vec![host.as_str()])),
        }
    }
    groups
}
