//! Which release a fleet is at, where its hosts serve different ones: decided from what they have written down themselves. A host that
//! was away, and comes back with what it served then, decides nothing.

use jiff::Timestamp;
use serde::Serialize;

use crate::host::facts::HostFacts;
use crate::host::record::{JournalKind, JournalRecord};
use crate::names::{HostName, RunId};
use crate::release::Release;

/// What the hosts of an environment say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetLevel {
    /// Nothing is live on any of them.
    Nothing,
    /// This release is live, and these hosts lack it.
    Clear {
        /// Which.
        live: Release,
        /// In the order of the hosts.
        outdated: Vec<Outdated>,
    },
    /// They serve different releases, and nothing says which of them is meant to be live.
    Unclear {
        /// Which, and where.
        releases: Vec<(Release, Vec<HostName>)>,
    },
}

/// A host that lacks what is live on the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outdated {
    /// Which.
    pub host: HostName,
    /// What it serves.
    pub serves: Option<Release>,
    /// What is live on the others.
    pub live: Release,
    /// How it came to that, as far as it is known.
    #[serde(flatten)]
    pub why: WhyOutdated,
}

/// How a host came to lack what is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WhyOutdated {
    /// It couldn't be reached when the release was made live, and was left out.
    Missed(MissedRun),
    /// The others served its release before the one that they serve now.
    ServedBefore,
    /// Nothing is live there yet.
    Joined,
    /// What it serves was never confirmed.
    Unconfirmed,
    /// Most others serve another release, which it never had.
    Fewer,
}

/// A run that left a host out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissedRun {
    /// When it was confirmed elsewhere, by the clock of a host that was there.
    pub at: Timestamp,
    /// The person and machine that ran it.
    pub by: String,
    /// Which.
    pub run: RunId,
}

impl FleetLevel {
    /// What these hosts say; all are hosts of one app. Their journals have to be among their facts.
    pub fn of(hosts: &[(&HostName, &HostFacts)]) -> FleetLevel {
        let voices: Vec<Voice<'_>> = hosts.iter().map(|(host, facts)| Voice::of(host, facts)).collect();
        let mut releases: Vec<(Release, Vec<HostName>)> = Vec::new();
        for voice in &voices {
            let Some(live) = voice.proven() else { continue };
            match releases.iter_mut().find(|(known, _)| known.commit == live.commit) {
                Some((_, hosts)) => hosts.push(voice.host.clone()),
                None => releases.push((live.clone(), vec![voice.host.clone()])),
            }
        }
        let mut clear = releases.iter().filter_map(|(live, _)| {
            let outdated = outdated_by(live, &voices)?;
            Some(FleetLevel::Clear { live: live.clone(), outdated })
        });
        match (clear.next(), clear.next()) {
            (Some(level), None) => level,
            (None, _) if releases.is_empty() => FleetLevel::Nothing,
            _ => FleetLevel::Unclear { releases },
        }
    }
}

/// The run that left a host out last, as the others tell, and what it made live; `None` where all of them tell of a later one that didn't.
pub fn missed_last(host: &HostName, others: &[(&HostName, &HostFacts)]) -> Option<(Release, MissedRun)> {
    let lines = others.iter().filter(|(other, _)| *other != host).flat_map(|(_, facts)| &facts.journal);
    let missed = lines.filter(|line| line.skipped.contains(host));
    let last = missed.max_by_key(|line| (line.run.second(), line.at))?;
    let is_later = |line: &&JournalRecord| {
        let switches = matches!(line.kind, JournalKind::Deployed | JournalKind::RolledBack);
        switches && line.run.second() > last.run.second() && !line.skipped.contains(host)
    };
    let mut others = others.iter().filter(|(other, _)| *other != host);
    let (_, first) = others.next()?;
    let mut later = first.journal.iter().filter(is_later);
    let others: Vec<_> = others.collect();
    let tells_of = |run: &RunId, facts: &HostFacts| facts.journal.iter().any(|line| line.run == *run);
    if later.any(|line| others.iter().all(|(_, facts)| tells_of(&line.run, facts))) {
        return None;
    }
    Some((last.release.clone()?, MissedRun::of(last)))
}

impl MissedRun {
    fn of(line: &JournalRecord) -> Self {
        MissedRun { at: line.at, by: line.by.clone(), run: line.run.clone() }
    }
}

/// What one host knows.
struct Voice<'a> {
    host: &'a HostName,
    live: Option<Release>,
    is_confirmed: bool,
    journal: &'a [JournalRecord],
    /// The run that made live what is.
    run: Option<&'a RunId>,
}

impl<'a> Voice<'a> {
    fn of(host: &'a HostName, facts: &'a HostFacts) -> Self {
        Voice {
            host,
            live: facts.live(),
            is_confirmed: facts.live_is_confirmed(),
            journal: &facts.journal,
            run: facts.live_record().map(|record| &record.run),
        }
    }

    /// What was confirmed here, and serves.
    fn proven(&self) -> Option<&Release> {
        self.live.as_ref().filter(|_| self.is_confirmed)
    }

    fn serves(&self, release: &Release) -> bool {
        self.proven().is_some_and(|live| live.commit == release.commit)
    }

    /// Whether it ever did, also what was gone back from.
    fn has_served(&self, release: &Release) -> bool {
        let is_proven = |line: &&JournalRecord| {
            matches!(line.kind, JournalKind::Deployed | JournalKind::RolledBack | JournalKind::Adopted)
        };
        let mut proven = self.journal.iter().filter(is_proven).filter_map(|line| line.release.as_ref());
        proven.any(|known| known.commit == release.commit)
    }

    /// The line of the run that left `host` out, among those that made live what serves here.
    fn left_out(&self, host: &HostName) -> Option<&'a JournalRecord> {
        let live = self.proven()?;
        let is_of_live = |line: &&&JournalRecord| {
            line.release.as_ref().is_none_or(|release| release.commit == live.commit)
                || !matches!(line.kind, JournalKind::Deployed | JournalKind::RolledBack)
        };
        let lines = self.journal.iter().rev();
        lines.take_while(|line| is_of_live(&line)).find(|line| line.skipped.contains(host))
    }

    /// Whether it got what it serves after another run, as far as their names tell. That rests on clocks of deployers, and is only ever a
    /// reason to leave the answer to a person.
    fn is_later_than(&self, run: &RunId) -> bool {
        let own = self.run.and_then(RunId::second);
        own.zip(run.second()).is_some_and(|(own, other)| own > other)
    }
}

/// The hosts that lack a release, where it is the one that is live for each of them; `None`: some host may be ahead of it.
fn outdated_by(live: &Release, voices: &[Voice<'_>]) -> Option<Vec<Outdated>> {
    let others: Vec<&Voice<'_>> = voices.iter().filter(|voice| voice.serves(live)).collect();
    let all = voices.iter().filter(|voice| voice.proven().is_some()).count();
    let why = |voice: &Voice<'_>| {
        let Some(serves) = &voice.live else { return Some(WhyOutdated::Joined) };
        if !voice.is_confirmed {
            return Some(WhyOutdated::Unconfirmed);
        }
        let missed = others.iter().filter_map(|other| other.left_out(voice.host));
        let missed = missed.filter(|line| !voice.is_later_than(&line.run)).max_by_key(|line| line.at);
        if let Some(line) = missed {
            return Some(WhyOutdated::Missed(MissedRun::of(line)));
        }
        // Who had it once and has another one now, or got its own after it, may be ahead of it: one host is tried first, or was gone back
        // with alone. And what few serve isn't what all others lack.
        let is_later = others.iter().all(|other| other.run.is_some_and(|run| voice.is_later_than(run)));
        if voice.has_served(live) || is_later || others.len() * 2 <= all {
            return None;
        }
        let served_before = others.iter().any(|other| other.has_served(serves));
        Some(if served_before { WhyOutdated::ServedBefore } else { WhyOutdated::Fewer })
    };
    let lacking = voices.iter().filter(|voice| !voice.serves(live));
    let outdated = lacking.map(|voice| {
        Some(Outdated {
            host: voice.host.clone(),
            serves: voice.live.clone(),
            live: live.clone(),
            why: why(voice)?,
        })
    });
    outdated.collect()
}
