//! How long things may take.

use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::Mistake;
use crate::config::rule::{Always, DefaultValue, Rule, Written};
use crate::config::values::{Bounded, Seconds};

area! {
    /// How long things may take.
    limits: LimitsSettings, LimitsLayer, "Limits on time";

    /// How long one step may run, in seconds.
    step_timeout_seconds: Seconds<1> => u32 = Always(900_u32);

    /// How long a switched host waits to be confirmed before it reverts by itself, in seconds: all waves that are confirmed
    /// together have to fit in.
    confirm_timeout_seconds: Seconds<1> => u32 = Always(1800_u32);
}

/// A time that is waited for in one step, which may take no longer than any.
pub(super) struct InOneStep<Inner>(pub(super) Inner);

impl<R, Inner: Rule<At<Seconds<0>>, R>> Rule<At<Seconds<0>>, R> for InOneStep<Inner> {
    fn resolve(&self, typed: Option<&At<Seconds<0>>>, written: &Written<'_>) -> R {
        if let Some(At { value: Bounded(seconds), span }) = typed {
            let most = LimitsLayer::step_timeout_seconds(written);
            if *seconds >= most {
                let mistake = Mistake::new(format!("a step that takes {most} s is ended"))
                    .help("make it smaller, or `step_timeout_seconds` larger");
                written.note_at(span, mistake);
            }
        }
        self.0.resolve(typed, written)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        self.0.default_value()
    }
}
