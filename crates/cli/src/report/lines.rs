//! Lines, printed: data to standard output, talk to standard error.

use buedafab_model::run::event::StampedEvent;
use buedafab_model::view::{Line, RunLines};

use super::output::{Put, Weight};
use super::{LEFT_OUT, print_talk, put_data, put_talk, weight_of};

/// Prints the lines that an event makes.
pub(super) fn event(lines: &mut RunLines, event: &StampedEvent) {
    let weight = weight_of(&event.event);
    for line in lines.tell(event) {
        let put = match line {
            // It is what was asked for.
            Line::Data(text) if weight == Weight::Passing => put_data(&text, Weight::Spilled),
            Line::Data(text) => put_data(&text, weight),
            Line::Talk(text) => put_talk(&text, weight),
        };
        if put == Put::LeftOut {
            print_talk(LEFT_OUT);
        }
    }
}
