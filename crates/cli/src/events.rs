//! Events on their way from where they happen to those who read them: stamped once, and without secrets.

use buedafab_model::app::mask::mask_urls;
use buedafab_model::run::event::{Consumer, Event, StampedEvent};
use buedafab_model::view::Summary;
use jiff::Timestamp;

use crate::notifier::Telling;
use crate::report::Reporter;
use crate::run_log::RunLog;
use crate::spans::SpanLog;
use crate::sudo;

/// What happens in a run, and who reads it.
#[derive(Debug)]
pub(crate) struct Events {
    /// Who tells it, as it happens.
    pub reporter: Reporter,
    summary: Summary,
    log: RunLog,
    telling: Telling,
    spans: SpanLog,
}

impl Events {
    /// Events that are told by `reporter`, written to `log`, told to others by `telling`, and kept by `spans`.
    pub(crate) fn new(reporter: Reporter, log: RunLog, telling: Telling, spans: SpanLog) -> Self {
        Self { reporter, summary: Summary::default(), log, telling, spans }
    }

    fn consumers(&mut self) -> [&mut dyn Consumer; 5] {
        [&mut self.reporter, &mut self.summary, &mut self.log, &mut self.telling, &mut self.spans]
    }

    /// Passes on what has happened just now.
    pub(crate) fn tell(&mut self, event: Event) {
        let at = Timestamp::now();
        let password = sudo::known_password();
        let password = password.as_ref().and_then(|secret| std::str::from_utf8(secret.reveal()).ok());
        let event = StampedEvent { at, event: event.masked(password.as_slice()) };
        for consumer in self.consumers() {
            consumer.event(&event);
        }
        if let Some(trouble) = self.log.take_trouble() {
            self.reporter.warn(&mask_urls(&trouble));
        }
    }

    /// Tells how the run ended. `retry` is the command that would do it again.
    pub(crate) fn tell_end(&mut self, retry: &str, environment_command: &str) {
        self.reporter.tell_end(&self.summary, retry, environment_command);
    }
}
