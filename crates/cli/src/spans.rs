//! Runs as spans of time: sent as traces, where the environment says whereto, and written down as a report, where that was asked for.

use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use buedafab_engine::{junit, otlp_settings, send_traces};
use buedafab_model::run::event::{Consumer, StampedEvent};
use buedafab_model::spans::{RunSpans, Spans};

/// Of all runs of this program.
static KEPT: LazyLock<Mutex<Spans>> = LazyLock::new(Mutex::default);

/// Keeps what happens as spans, or nothing.
#[derive(Debug)]
pub(crate) struct SpanLog {
    is_on: bool,
}

impl SpanLog {
    /// Keeps it, if somebody wants it.
    pub(crate) fn wanted(is_on: bool) -> Self {
        SpanLog { is_on }
    }
}

impl Consumer for SpanLog {
    fn event(&mut self, event: &StampedEvent) {
        if self.is_on {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).note(event);
        }
    }
}

/// All runs of this program that were kept.
pub(crate) fn take() -> Vec<RunSpans> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Writes the report of some runs; what stands in its way, in words.
pub(crate) fn write_report(path: &Path, runs: &[RunSpans]) -> Result<(), String> {
    if runs.is_empty() {
        return Err(format!("{} isn't written: there was no run", path.display()));
    }
    let wrong = |why: String| format!("{} can't be written: {why}", path.display());
    let report = junit(runs).map_err(wrong)?;
    std::fs::write(path, report).map_err(|error| wrong(error.to_string()))
}

/// Sends the traces of some runs, if they are wanted anywhere; what stands in its way, in words.
pub(crate) async fn send(runs: &[RunSpans]) -> Result<(), String> {
    let wrong = |why: String| format!("no trace was sent: {why}");
    match otlp_settings().map_err(|error| wrong(error.to_string()))? {
        Some(settings) if !runs.is_empty() => send_traces(&settings, runs).await.map_err(wrong),
        _ => Ok(()),
    }
}
