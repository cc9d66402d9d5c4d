//! Events as JSON, one a line.

use buedafab_model::run::event::{Event, StampedEvent};
use jiff::Timestamp;

/// Prints an event with the time.
pub(super) fn event(event: &Event) {
    super::print_json(&StampedEvent { at: Timestamp::now(), event: event.clone() });
}
