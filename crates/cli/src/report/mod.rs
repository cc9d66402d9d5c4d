//! Reporters: the only code that prints. Data goes to standard output, talk to standard error.

mod bars;
mod lines;
pub(crate) mod output;
mod paint;
mod screen;

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::Duration;

use buedafab_model::app::mask::mask_urls;
use buedafab_model::plan::Plan;
use buedafab_model::run::event::{Consumer, Event, StampedEvent};
pub(crate) use buedafab_model::view::StepOutput;
use buedafab_model::view::{Detail, RunLines, Seen, Summary, show_plan, visible, visible_json};
use console::Term;
use serde::Serialize;

use crate::arguments::GlobalArgs;
use crate::log;
use crate::report::output::{Broken, Put, To, Weight};

/// Prints data to standard output. Files get what it is; people at a terminal see it, and their terminal obeys none of it.
pub(crate) fn print_data(text: &str) {
    put_data(text, Weight::Kept);
}

fn put_data(text: &str, weight: Weight) -> Put {
    static IS_SEEN: LazyLock<bool> = LazyLock::new(|| std::io::stdout().is_terminal());
    let text = if *IS_SEEN { visible(text) } else { Cow::Borrowed(text) };
    output::put(To::Data, weight, line(&text))
}

/// How many columns standard output has: without end, where it is no terminal.
pub(crate) fn columns() -> usize {
    columns_of(&Term::stdout())
}

fn columns_of(terminal: &Term) -> usize {
    match terminal.size_checked() {
        Some((_, columns)) if terminal.is_term() && columns > 0 => columns.into(),
        _ => usize::MAX,
    }
}

/// Prints what was made for people to read: in colour, and in the columns that there are.
pub(crate) fn print_view(text: &str) {
    let text = visible(text);
    let text = paint::fitted(&text, columns());
    let text = if console::colors_enabled() { paint::painted(&text, false).into() } else { text };
    output::put(To::Data, Weight::Kept, line(&text));
}

/// Wipes the terminal, if standard output is one.
pub(crate) fn clear_screen() {
    if std::io::stdout().is_terminal() {
        output::put(To::Data, Weight::Kept, b"\x1b[H\x1b[2J".to_vec());
    }
}

/// Prints one document as a line of JSON.
pub(crate) fn print_json<T: Serialize>(document: &T) {
    put_json(document, Weight::Kept);
}

fn put_json<T: Serialize>(document: &T, weight: Weight) -> Put {
    let document = serde_json::to_string(document).expect("documents are plain data");
    output::put(To::Data, weight, line(&visible_json(&document)))
}

/// Prints talk to standard error.
pub(crate) fn print_talk(text: &str) {
    put_talk(text, Weight::Kept);
}

fn put_talk(text: &str, weight: Weight) -> Put {
    let text = visible(text);
    let text = paint::fitted(&text, columns_of(&Term::stderr()));
    let text = if console::colors_enabled_stderr() { paint::painted(&text, true).into() } else { text };
    output::put(To::Talk, weight, line(&text))
}

/// Prints talk that is in colour already, and wholly this program's own or the user's.
pub(crate) fn print_painted(text: &str) {
    output::put(To::Talk, Weight::Kept, line(text));
}

fn line(text: &str) -> Vec<u8> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    [text, end].concat().into_bytes()
}

/// What is said where a reader misses something.
const LEFT_OUT: &str = "… whoever reads this is too slow: some of what steps print is left out here";

/// Waits until all is written, for as long as its readers take, and says what became of it.
pub(crate) fn write_all() {
    while !output::flush(Duration::MAX) {}
    if let Some(Broken { why, is_left: false }) = output::take_broken() {
        print_talk(&format!("error: not all was said: standard output takes no more: {why}"));
        while !output::flush(Duration::MAX) {}
    }
}

/// Leaves both outputs to another program, or to a question: all that was said before is written, if its reader takes it.
pub(crate) fn leave_outputs() {
    const PATIENCE: Duration = Duration::from_secs(2);
    output::flush(PATIENCE);
}

/// Tells a run as it happens.
#[derive(Debug)]
pub(crate) struct Reporter {
    format: Format,
}

#[derive(Debug)]
enum Format {
    Silent,
    Json,
    Lines(RunLines),
    Bars(bars::Bars),
}

impl Reporter {
    /// A reporter that fits what was asked for and where it prints to.
    pub(crate) fn new(global: &GlobalArgs, output: StepOutput) -> Self {
        let format = if output == StepOutput::Silent {
            Format::Silent
        } else if global.json {
            Format::Json
        } else if std::io::stderr().is_terminal() && output == StepOutput::Talk && !log::is_on() {
            // Bars are drawn over and over: no other lines may come between.
            Format::Bars(bars::Bars::new(global.verbose > 0))
        } else {
            Format::Lines(RunLines::new(global.verbose > 0, output))
        };
        Self { format }
    }

    /// Shows a plan: as a document, or to read. What a dry run asked for is data.
    pub(crate) fn plan(&mut self, plan: &Plan, detail: Detail, dry_run: bool) {
        self.pause();
        match (&self.format, dry_run) {
            (Format::Json, true) => {
                print_data(&mask_urls(&serde_json::to_string(plan).expect("a plan is plain data")));
            }
            (Format::Json, false) => {}
            (_, true) => print_view(&mask_urls(&show_plan(plan, detail))),
            (_, false) => print_talk(&mask_urls(&show_plan(plan, detail))),
        }
    }

    /// Something to read that is no data.
    pub(crate) fn say(&mut self, text: &str) {
        self.pause();
        if !matches!(self.format, Format::Json) && !text.is_empty() {
            print_talk(text);
        }
    }

    /// A word of warning, which is said in the middle of a run, and beside documents too.
    pub(crate) fn warn(&mut self, text: &str) {
        match &self.format {
            Format::Bars(bars) => bars.line(&visible(text)),
            Format::Silent | Format::Json | Format::Lines(_) => print_talk(text),
        }
    }

    /// Leaves the screen to a prompt.
    pub(crate) fn pause(&mut self) {
        if let Format::Bars(bars) = &mut self.format {
            bars.pause();
        }
    }

    /// Tells how the run ended. `retry` is the command that would do it again.
    pub(crate) fn tell_end(&mut self, summary: &Summary, retry: &str, environment_command: &str) {
        if let Format::Bars(bars) = &mut self.format {
            bars.clear();
        }
        // Whoever asked for what steps print wants that, and no word about it, unless something went wrong.
        let wanted = match &self.format {
            Format::Json | Format::Silent => false,
            Format::Lines(lines) => !lines.is_data() || summary.went_wrong(),
            Format::Bars(_) => true,
        };
        if wanted {
            let tells_all = match &self.format {
                Format::Lines(lines) => lines.tells_all(),
                Format::Bars(bars) => bars.tells_all(),
                Format::Json | Format::Silent => false,
            };
            let seen = if tells_all { Seen::All } else { Seen::Little };
            for line in summary.tell(retry, environment_command, seen).lines() {
                print_talk(line);
            }
        }
    }
}

impl Consumer for Reporter {
    fn event(&mut self, event: &StampedEvent) {
        if !matches!(self.format, Format::Silent)
            && let Some(Broken { why, .. }) = output::take_broken()
        {
            self.warn(&format!("standard output takes no more ({why}): what was begun goes on"));
        }
        match &mut self.format {
            Format::Silent => {}
            Format::Json => tell_json(event),
            Format::Lines(lines) => lines::event(lines, event),
            Format::Bars(bars) => bars.event(&event.event),
        }
    }
}

/// Of what steps print there may be any amount.
fn weight_of(event: &Event) -> Weight {
    match event {
        Event::Output { .. } | Event::DeployerOutput { .. } => Weight::Passing,
        _ => Weight::Kept,
    }
}

fn tell_json(event: &StampedEvent) {
    if put_json(event, weight_of(&event.event)) == Put::LeftOut {
        print_json(&StampedEvent {
            at: event.at,
            event: Event::OutputCut { most_bytes: output::MOST_BYTES },
        });
    }
}
