//! Writes down what a run is told, line by line as it happens: a crash keeps what came before it.
//!
//! The log is a comfort. What stands in its way is told once, and the run goes on.

use std::fs::File;
use std::io::Write;

use buedafab_model::names::RunId;
use buedafab_model::run::event::{Consumer, Event, StampedEvent};

use crate::runs::{RunFolder, RunsError};

/// A log that is this long keeps no more of what steps print.
const MOST_BYTES: u64 = 4 << 20;

/// The log of the run that is under way.
#[derive(Debug, Default)]
pub(crate) struct RunLog {
    state: State,
    /// What stands in its way, until it is told.
    trouble: Option<String>,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing is written: it wasn't asked for, or can't be done.
    #[default]
    Off,
    /// A run is to be written down, once anything is told of it: one that is refused for its arguments leaves no log.
    Waiting(Option<(RunId, Vec<u8>)>),
    Open {
        file: File,
        written: u64,
        is_cut: bool,
    },
}

impl RunLog {
    /// A log of what is told from now on.
    pub(crate) fn wanted() -> Self {
        Self { state: State::Waiting(None), trouble: None }
    }

    /// Why nothing is written, for a person; once.
    pub(crate) fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn write(&mut self, stamped: &StampedEvent) -> Result<(), String> {
        if let (Event::RunStarted { run, .. }, false) = (&stamped.event, matches!(self.state, State::Off)) {
            self.state = State::Waiting(Some((run.clone(), line(stamped))));
            return Ok(());
        }
        if let State::Waiting(Some((run, first))) = &self.state {
            let begin = || RunFolder::make()?.begin(run);
            let mut file = begin().map_err(|error: RunsError| error.to_string())?;
            file.write_all(first).map_err(|error| error.to_string())?;
            self.state = State::Open { file, written: first.len() as u64, is_cut: false };
        }
        let State::Open { file, written, is_cut } = &mut self.state else { return Ok(()) };
        let is_output = matches!(stamped.event, Event::Output { .. } | Event::DeployerOutput { .. });
        let line = match (is_output && *written >= MOST_BYTES, *is_cut) {
            (false, _) => line(stamped),
            (true, true) => return Ok(()),
            (true, false) => {
                *is_cut = true;
                let event = Event::OutputCut { most_bytes: MOST_BYTES };
                self::line(&StampedEvent { at: stamped.at, event })
            }
        };
        *written += line.len() as u64;
        // In one piece: a line is there, or it isn't.
        file.write_all(&line).map_err(|error| error.to_string())
    }
}

impl Consumer for RunLog {
    fn event(&mut self, event: &StampedEvent) {
        if let Err(why) = self.write(event) {
            self.state = State::Off;
            self.trouble = Some(format!("this run isn't written down for `history`: {why}"));
        }
    }
}

fn line(event: &StampedEvent) -> Vec<u8> {
    let mut line = serde_json::to_vec(event).expect("events are plain data");
    line.push(b'\n');
    line
}
