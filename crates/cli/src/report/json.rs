//! Events as JSON, one a line.

use buedafab_model::run::event::Event;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Envelope<'a> {
    /// When, by the deployer's clock.
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

/// Prints an event with the time.
pub(super) fn event(event: &Event) {
    super::print_json(&Envelope { at: Timestamp::now(), event });
}
