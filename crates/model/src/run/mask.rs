//! Events without what must not be seen in them.

use crate::app::mask::mask;
use crate::plan::SkippedHost;
use crate::run::event::{Event, Reason};
use crate::run::outcome::{Failure, FailureKind, Outcome};

impl Event {
    /// The same without secrets: these, and the credentials of URLs. Names are what they are.
    pub fn masked(self, secrets: &[&str]) -> Event {
        let mask = |text: String| mask(&text, secrets);
        let mask_kind = |kind: FailureKind| match kind {
            FailureKind::Unreadable { why } => FailureKind::Unreadable { why: mask(why) },
            FailureKind::Differs { why } => FailureKind::Differs { why: mask(why) },
            FailureKind::Unreachable { why } => FailureKind::Unreachable { why: mask(why) },
            FailureKind::Lost { why } => FailureKind::Lost { why: mask(why) },
            FailureKind::Exited { .. } | FailureKind::TimedOut { .. } | FailureKind::NotServing => kind,
        };
        // Every field is named, so that a new one can't be forgotten.
        match self {
            Event::Unreachable { host, why, hint } => {
                Event::Unreachable { host, why: mask(why), hint: hint.map(mask) }
            }
            Event::HostsSkipped { skipped } => {
                let masked = |SkippedHost { host, why }| SkippedHost { host, why: mask(why) };
                Event::HostsSkipped { skipped: skipped.into_iter().map(masked).collect() }
            }
            Event::Refused { reasons } => {
                let masked =
                    |Reason { message, hint }| Reason { message: mask(message), hint: hint.map(mask) };
                Event::Refused { reasons: reasons.into_iter().map(masked).collect() }
            }
            Event::WorkStarted { headline, by, intent, work, from, changes, phases, steps } => {
                Event::WorkStarted {
                    headline: mask(headline),
                    by,
                    intent,
                    work,
                    from,
                    changes,
                    phases,
                    steps,
                }
            }
            Event::StepStarted { host, step, title } => Event::StepStarted { host, step, title: mask(title) },
            Event::Output { host, step, stream, line, is_told } => {
                Event::Output { host, step, stream, line: mask(line), is_told }
            }
            Event::StepFailed { host, step, title, what } => {
                Event::StepFailed { host, step, title: mask(title), what: mask_kind(what) }
            }
            Event::Interrupted { then } => Event::Interrupted { then: mask(then) },
            Event::DeployerStarted { step, title, may_ask } => {
                Event::DeployerStarted { step, title: mask(title), may_ask }
            }
            Event::DeployerOutput { step, line } => Event::DeployerOutput { step, line: mask(line) },
            Event::RunEnded {
                outcome: Outcome { verdict, hosts, failures, out_of_traffic },
                exit_code,
                milliseconds,
            } => {
                let masked = |Failure { host, step, what }| Failure { host, step, what: mask_kind(what) };
                let failures = failures.into_iter().map(masked).collect();
                Event::RunEnded {
                    outcome: Outcome { verdict, hosts, failures, out_of_traffic },
                    exit_code,
                    milliseconds,
                }
            }
            Event::RunStarted { run: _, command: _, by: _, unit: _, environment: _, hosts: _ }
            | Event::Connected { host: _, warm: _, milliseconds: _ }
            | Event::PhaseStarted { phase: _ }
            | Event::StepEnded { host: _, step: _, status: _, milliseconds: _ }
            | Event::StepCancelled { host: _, step: _ }
            | Event::Reverting { hosts: _ }
            | Event::LookingAgain { host: _ }
            | Event::DeployerEnded { step: _, status: _, milliseconds: _ }
            | Event::OutputCut { most_bytes: _ } => self,
        }
    }
}
