//! Lines, printed: data to standard output, talk to standard error.

use buedafab_model::run::event::StampedEvent;
use buedafab_model::view::{Line, RunLines};

use super::{print_data, print_talk};

/// Prints the lines that an event makes.
pub(super) fn event(lines: &mut RunLines, event: &StampedEvent) {
    for line in lines.tell(event) {
        match line {
            Line::Data(text) => print_data(&text),
            Line::Talk(text) => print_talk(&text),
        }
    }
}
