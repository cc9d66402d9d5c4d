//! The ids of a run's trace: made of the run itself, so that whatever a step starts can be told its span while nothing is sent yet.

use sha2::{Digest, Sha256};

use super::otlp::Parent;
use crate::names::RunId;

/// Where a run stands among traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    run: RunId,
    by: String,
    parent: Option<Parent>,
}

impl TraceContext {
    /// Of a run that somebody makes, within a span of another program's if there is one.
    pub fn of(run: &RunId, by: &str, parent: Option<&Parent>) -> Self {
        TraceContext { run: run.clone(), by: by.to_owned(), parent: parent.cloned() }
    }

    /// The trace: that of the span around the run, or one of its own.
    pub fn trace(&self) -> [u8; 16] {
        self.parent.as_ref().map_or_else(|| self.id("trace"), |parent| parent.trace)
    }

    /// The run's span.
    pub fn run_span(&self) -> [u8; 8] {
        self.id("run")
    }

    /// The span of a step, by its number in the plan.
    pub fn step_span(&self, step: u32) -> [u8; 8] {
        self.id(&format!("step {step}"))
    }

    /// What a step's own processes find as `TRACEPARENT`, in W3C's form: the span that theirs belong into.
    pub fn traceparent(&self, step: u32) -> String {
        format!("00-{}-{}-01", hex::encode(self.trace()), hex::encode(self.step_span(step)))
    }

    fn id<const N: usize>(&self, of: &str) -> [u8; N] {
        let mut sum = Sha256::new();
        // None of them holds a NUL byte.
        for part in ["buedafab", self.run.as_str(), &self.by, of] {
            sum.update(part.as_bytes());
            sum.update([0]);
        }
        let mut id = [0; N];
        id.copy_from_slice(&sum.finalize()[..N]);
        // One that is all zeroes would count as none.
        id[0] |= 1;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_run() {
        let run = |id: &str| RunId::new(id).expect("a word");
        let of = |id: &str, by: &str| TraceContext::of(&run(id), by, None);
        let one = of("20261123-203221-ie2d", "ada@laptop");
        assert_eq!(one.traceparent(3), of("20261123-203221-ie2d", "ada@laptop").traceparent(3));
        for other in [of("20261123-203221-ie2e", "ada@laptop"), of("20261123-203221-ie2d", "ada@desk")] {
            assert_ne!((one.trace(), one.run_span()), (other.trace(), other.run_span()));
        }
        assert_ne!(one.step_span(3), one.step_span(4));
        assert_ne!(one.step_span(3), one.run_span());
        let parent = Parent { trace: [7; 16], span: [8; 8], state: String::new() };
        let within = TraceContext::of(&run("20261123-203221-ie2d"), "ada@laptop", Some(&parent));
        let span = hex::encode(one.step_span(3));
        assert_eq!(within.traceparent(3), format!("00-{}-{span}-01", "07".repeat(16)));
    }
}
