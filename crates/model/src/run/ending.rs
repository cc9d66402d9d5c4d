//! The end of a run: once it is certain what hosts serve, those that the deployer has taken out of traffic are put back, what came of it is
//! written down, and hosts are let go.

use crate::app::mask::mask_urls;
use crate::deployer::action::DeployerAction;
use crate::host::record::{JournalKind, StoppedAt};
use crate::names::HostName;
use crate::plan::{End, Ended, Found, Intent};
use crate::run::message::Command;
use crate::run::outcome::{Failure, Outcome, Verdict};
use crate::run::state::{Mode, RunState};

impl RunState<'_> {
    /// What hosts serve is certain. Where the run came to nothing, the deployer first puts those back into traffic that it took out: they wait
    /// with their locks, and what is said of the run says how that went.
    pub(super) fn end(&mut self) -> Vec<Command> {
        if self.verdict() != Verdict::Done {
            let action = |id: &u32| match self.plan.step(*id) {
                Some(Found::OnDeployer { step, .. }) => Some(&step.action),
                Some(Found::OnHost { .. }) | None => None,
            };
            let way_back = std::mem::take(&mut self.deployer.way_back).into_iter();
            let (traffic, others): (Vec<u32>, _) =
                way_back.partition(|id| matches!(action(id), Some(DeployerAction::Undrain(_))));
            // Whoever is lost has no lock of ours any more: somebody else may be at work there, and it says that it may be out.
            let gone = self.gone();
            let is_wanted = |id: &u32| action(id).is_some_and(|action| self.traffic.wants(action, &gone));
            self.deployer.queue = traffic.into_iter().rev().filter(is_wanted).collect();
            self.deployer.way_back = others;
            self.mode = Mode::PuttingBack;
            if let Some(command) = self.next_on_deployer() {
                return vec![command];
            }
        }
        self.note()
    }

    /// The outcome is certain: what is left is to write it down, and the deployer's.
    pub(super) fn note(&mut self) -> Vec<Command> {
        let outcome = self.settle();
        let ended = self.ended(&outcome);
        self.outcome = Some(outcome);
        self.mode = Mode::Noting;
        let independent = matches!(self.plan.intent, Intent::Work | Intent::Restart);
        let plan = self.plan;
        let mut commands = Vec::new();
        for work in ended.iter().flat_map(|_| &plan.on_failure) {
            let was_out = plan.host(&work.host).is_some_and(|planned| planned.is_drained);
            let is_in_traffic = self.traffic.is_in(&work.host, was_out);
            let was_sent_all = self.was_sent_all(&work.host);
            let Some(state) = self.hosts.get_mut(&work.host) else { continue };
            // Where each host is on its own, those that did it have written so.
            let is_told = state.confirmed || (independent && state.ok && was_sent_all);
            if state.has_lock && !state.gone && !state.lock_taken && !is_told {
                state.working = true;
                let note = |ended| Command::Note {
                    host: work.host.clone(),
                    ended: Ended { is_in_traffic, ..ended },
                };
                commands.extend(ended.clone().map(note));
            }
        }
        if commands.is_empty() { self.let_go() } else { commands }
    }

    /// How the run came to nothing; `None` if it didn't, or there is nothing to tell: nobody did anything.
    fn ended(&self, outcome: &Outcome) -> Option<Ended> {
        let kind = match outcome.verdict {
            Verdict::Done | Verdict::Refused | Verdict::Locked | Verdict::Unreachable => return None,
            Verdict::FailedBefore | Verdict::Reverted | Verdict::Mixed => JournalKind::Failed,
            Verdict::Interrupted => JournalKind::Interrupted,
        };
        let first = outcome.failures.first();
        let found = first.and_then(|failure| self.plan.step(failure.step?));
        let (phase, title) = match found {
            Some(Found::OnHost { phase, step, .. }) => (Some(phase.kind), Some(step.action.to_string())),
            Some(Found::OnDeployer { phase, step, .. }) => {
                (phase.map(|phase| phase.kind), Some(step.action.to_string()))
            }
            None => (None, None),
        };
        let reason = match first {
            Some(Failure { host, what, .. }) => {
                let site = host.as_ref().map_or("here", HostName::as_str);
                let words = [Some(site.to_owned()), title, Some(what.to_string())];
                words.into_iter().flatten().collect::<Vec<String>>().join(": ")
            }
            None => "a person interrupted it".to_owned(),
        };
        let phase = phase.or(self.phase).map_or_else(|| "begin".to_owned(), |phase| phase.to_string());
        let stopped = StoppedAt { phase, milliseconds: 0 };
        Some(Ended { kind, reason: cut(&mask_urls(&reason)), stopped, is_in_traffic: true })
    }

    /// Hosts have nothing more to do: they are let go, and the deployer does what is done at the end.
    pub(super) fn let_go(&mut self) -> Vec<Command> {
        let Some(verdict) = self.outcome.as_ref().map(|outcome| outcome.verdict) else { return Vec::new() };
        self.mode = Mode::Closing;
        let way_back = std::mem::take(&mut self.deployer.way_back);
        if verdict != Verdict::Done {
            self.deployer.queue.extend(way_back.into_iter().rev());
        }
        let end = if verdict == Verdict::Done { End::Done } else { End::Failed };
        // Of a run that came to nothing, as somebody else was at work, nobody has to hear.
        let is_refusal = matches!(verdict, Verdict::Refused | Verdict::Locked);
        if self.hosts.values().any(|state| state.sent.is_some()) && !is_refusal {
            let closing = self.plan.closing.iter().filter(|closing| closing.when == end);
            self.deployer.queue.extend(closing.flat_map(|closing| &closing.steps).map(|step| step.id));
        }
        match self.next_on_deployer() {
            Some(command) => vec![Command::LetGo, command],
            None => self.close(),
        }
    }

    pub(super) fn close(&mut self) -> Vec<Command> {
        self.mode = Mode::Over;
        self.outcome.take().map(Command::End).into_iter().collect()
    }
}

/// The first line of it, and no more than somebody would read in a journal.
fn cut(reason: &str) -> String {
    const LONGEST: usize = 300;
    let line = reason.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    if short.len() < reason.trim_end().len() { format!("{short}…") } else { short }
}
