//! Reporters: the only code that prints. Data goes to standard output, talk to standard error.

mod bars;
mod lines;

use std::io::{IsTerminal, Write};

use buedafab_model::plan::Plan;
use buedafab_model::run::event::{Consumer, StampedEvent};
pub(crate) use buedafab_model::view::StepOutput;
use buedafab_model::view::{Detail, RunLines, Summary, show_plan};
use console::style;
use serde::Serialize;

use crate::arguments::GlobalArgs;
use crate::log;

/// Prints one line of data to standard output. A reader that is gone ends the program, as it does others.
pub(crate) fn print_data(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { stdout.write_all(b"\n") });
    if written.and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints one document as a line of JSON.
pub(crate) fn print_json<T: Serialize>(document: &T) {
    print_data(&serde_json::to_string(document).expect("documents are plain data"));
}

/// Prints a line of talk to standard error.
pub(crate) fn print_talk(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to be told that this failed.
    let _ = stderr.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stderr.write_all(b"\n");
    }
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
            (Format::Json, true) => print_json(plan),
            (Format::Json, false) => {}
            (_, true) => print_data(&show_plan(plan, detail)),
            (_, false) => print_talk(&show_plan(plan, detail)),
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
            Format::Bars(bars) => bars.line(text),
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
            for line in summary.tell(retry, environment_command).lines() {
                print_talk(&paint(line));
            }
        }
    }
}

impl Consumer for Reporter {
    fn event(&mut self, event: &StampedEvent) {
        match &mut self.format {
            Format::Silent => {}
            Format::Json => print_json(event),
            Format::Lines(lines) => lines::event(lines, event),
            Format::Bars(bars) => bars.event(&event.event),
        }
    }
}

fn paint(line: &str) -> String {
    if line.starts_with('✓') {
        style(line).green().bold().for_stderr().to_string()
    } else if line.starts_with('✗') {
        style(line).red().bold().for_stderr().to_string()
    } else {
        line.to_owned()
    }
}
