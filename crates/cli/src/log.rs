//! What happens underneath: handshakes, frames and retries, for those who look for what went wrong. It is talk, and goes to
//! standard error. Frames are told by their names and sizes: no secret is in it, nor anything that a step prints.

use buedafab_model::view::visible;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::time::uptime;

use crate::exit::CliError;
use crate::report::output::{self, To, Weight};

/// The variable that says what is written, in place of `-vvv`.
pub(crate) const LOG: &str = "BUEDAFAB_LOG";

/// From this many `-v` on.
const VERBOSE: u8 = 3;

/// What `-vvv` writes: all but the beats and chunks, of all crates of this program.
const USUAL: &str = "buedafab=debug";

/// Begins to write, if that was asked for.
pub(crate) fn begin(verbose: u8) -> Result<(), CliError> {
    let asked = std::env::var_os(LOG).map(|text| text.to_string_lossy().into_owned());
    let directives = match asked.filter(|text| !text.trim().is_empty()) {
        Some(text) => text,
        None if verbose >= VERBOSE => USUAL.to_owned(),
        None => return Ok(()),
    };
    let filter = EnvFilter::builder().parse(&directives).map_err(|error| {
        CliError::usage(format!("{LOG} is {directives:?}, which isn't a list of what to log: {error}"))
            .hint(format!("for example {LOG}={USUAL}, or {LOG}=trace for everything"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(uptime())
        .with_ansi(false)
        .with_writer(|| LogWriter)
        // Nobody is left to be told that it can't be written.
        .log_internal_errors(false)
        .init();
    Ok(())
}

/// Writes beside what else is said, and in the same order.
struct LogWriter;

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        output::put(To::Talk, Weight::Passing, visible(&text).as_bytes().to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether anything may be written.
pub(crate) fn is_on() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}
