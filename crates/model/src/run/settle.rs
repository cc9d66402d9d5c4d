//! How a run ended, as far as its state tells: the verdict, and what every host serves.

use super::outcome::{Failure, FailureKind, HostOutcome, Outcome, Serving, Verdict};
use super::state::{HostState, RunState};
use crate::host::running::KnownBy;
use crate::plan::action::Effect;
use crate::plan::{HostPlan, Intent};
use crate::shell::inspect::GUARD_FAILED;

/// What a host serves, as far as the run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    Old,
    New,
    Unknown,
}

impl<'p> RunState<'p> {
    /// What is to be told of the run.
    pub(super) fn settle(&mut self) -> Outcome {
        // What wasn't looked at isn't told.
        let looked_at = self.plan.intent != Intent::Work;
        let planned = self.plan.hosts.iter().filter(|_| looked_at);
        let hosts: Vec<HostOutcome> = planned.map(|planned| self.host_outcome(planned)).collect();
        let verdict = self.verdict();
        let failures = std::mem::take(&mut self.failures);
        Outcome { verdict, hosts, failures, out_of_traffic: self.traffic.out().cloned().collect() }
    }

    fn host_outcome(&self, planned: &HostPlan) -> HostOutcome {
        let state = &self.hosts[&planned.host.name];
        let seen = state.seen.as_ref().and_then(Option::as_ref);
        let known_by =
            if seen.is_some_and(|seen| seen.is_link_alone) { KnownBy::Link } else { planned.known_by };
        let trouble = seen.map(|seen| seen.trouble.clone());
        let serving = match (&planned.to, self.served(planned)) {
            (Some(target), Served::New) => {
                Serving::of(Some(target.release.clone()), known_by, trouble.unwrap_or_default())
            }
            (_, Served::Unknown) => Serving::Unknown,
            _ => {
                // The way back, and a restart that went well, have looked at what runs.
                let restarted = self.plan.intent == Intent::Restart && state.sent.is_some() && state.ok;
                let known = (state.reverted || restarted).then(Vec::new);
                let trouble = trouble.or(known).unwrap_or_else(|| planned.trouble.clone());
                Serving::of(planned.from.clone(), known_by, trouble)
            }
        };
        HostOutcome { host: planned.host.name.clone(), serving }
    }

    fn served(&self, planned: &HostPlan) -> Served {
        let state = &self.hosts[&planned.host.name];
        match (&planned.to, &state.seen) {
            (None, _) => Served::Old,
            (Some(_), _) if state.confirmed => Served::New,
            (Some(_), _) if !state.may_have_switched || state.reverted => Served::Old,
            // The slot decides: the same commit may be in both.
            (Some(target), Some(Some(seen))) => {
                // Where there is one slot, it is what is written about it that decides.
                let in_place = planned.is_in_place();
                if in_place && seen.is_half_made {
                    return Served::Unknown;
                }
                let is_new = seen.slot.as_ref() == Some(&target.slot)
                    && (!in_place || seen.run.as_ref() == Some(&self.plan.run));
                let from = planned.from.as_ref().map(|from| &from.commit);
                let expected = if is_new { Some(&target.release.commit) } else { from };
                if seen.commit.as_ref() != expected {
                    Served::Unknown
                } else if is_new {
                    Served::New
                } else {
                    Served::Old
                }
            }
            (Some(_), _) => Served::Unknown,
        }
    }

    fn effect_of(&self, failure: &Failure) -> Option<Effect<'p>> {
        self.plan.action(failure.step?).map(|action| action.effects().effect)
    }

    fn has_failed_to_recover(&self) -> bool {
        self.failures.iter().any(|failure| self.effect_of(failure) == Some(Effect::Recovered))
    }

    pub(super) fn verdict(&self) -> Verdict {
        // Where hosts wait for each other, nothing is changed until all are ready to be. Others may be through with theirs.
        let has_one_part = matches!(self.plan.intent, Intent::Work | Intent::Restart);
        let some_worked = has_one_part && self.hosts.values().any(|state| state.sent.is_some() && state.ok);
        if self.hosts.values().any(|state| state.lock_taken) && self.failures.is_empty() {
            return if some_worked { Verdict::FailedBefore } else { Verdict::Locked };
        }
        let changing = || self.plan.hosts.iter().filter(|planned| planned.to.is_some());
        let is_confirmed = |planned: &HostPlan| {
            let state = &self.hosts[&planned.host.name];
            state.confirmed || matches!(&state.seen, Some(Some(seen)) if seen.confirmed)
        };
        let all_new = changing().all(|planned| self.served(planned) == Served::New && is_confirmed(planned));
        let is_untroubled = self.failures.is_empty() && !self.interrupted;
        if all_new && (is_untroubled || changing().next().is_some()) {
            return Verdict::Done;
        }
        if self.abandoned {
            // Hosts that wait for their `confirm` go back by themselves. Where some may have got it, and where the way
            // back is in doubt, nobody knows how it ends.
            let in_doubt = HostState::needs_look;
            let some_stay = self.hosts.values().any(|state| state.confirmed);
            let is_open = self.may_be_confirming() || some_stay || self.hosts.values().any(in_doubt);
            let is_open = is_open || !self.traffic.is_empty();
            return if is_open { Verdict::Mixed } else { Verdict::Interrupted };
        }
        // A host that couldn't take back what it was armed with, or that gets no requests, isn't as it was, whatever its link says.
        let is_stuck = self.hosts.values().any(|state| state.stuck) || !self.traffic.is_empty();
        if is_stuck || self.has_failed_to_recover() {
            return Verdict::Mixed;
        }
        let all_old = changing().all(|planned| self.served(planned) == Served::Old);
        if !all_old {
            return Verdict::Mixed;
        }
        if self.interrupted {
            return Verdict::Interrupted;
        }
        if self.hosts.values().any(|state| state.switched || (state.may_have_switched && state.lost)) {
            return Verdict::Reverted;
        }
        if some_worked {
            return Verdict::FailedBefore;
        }
        let unreachable = |failure: &Failure| matches!(failure.what, FailureKind::Unreachable { .. });
        if self.failures.iter().all(unreachable) {
            return Verdict::Unreachable;
        }
        let guard = |failure: &Failure| {
            matches!(self.effect_of(failure), Some(Effect::Unchanged(_)))
                && failure.what == FailureKind::Exited { status: GUARD_FAILED }
        };
        // On the deployer, before any host was touched.
        let begun = self.hosts.values().any(|state| state.sent.is_some());
        if !begun {
            return Verdict::Refused;
        }
        if self.failures.iter().all(guard) { Verdict::Refused } else { Verdict::FailedBefore }
    }
}
