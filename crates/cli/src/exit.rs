//! How the program stops before there is a run: what is said, and with which exit code.

use std::fmt;

use buedafab_engine::{AwsError, GitError};
use buedafab_model::config::Diagnostics;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;

/// A reason to stop before there is a run, with what to do about it.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    hint: Option<String>,
    code: ExitCode,
    rendered: bool,
}

impl CliError {
    /// Something that should never happen.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(message.into(), ExitCode::Bug)
    }

    /// The command line can't be meant as it stands.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(message.into(), ExitCode::Usage)
    }

    /// The configuration is missing, wrong or incomplete.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(message.into(), ExitCode::Configuration)
    }

    /// The configuration is wrong, and the message shows where.
    pub(crate) fn rendered(message: String) -> Self {
        Self { rendered: true, ..Self::configuration(message) }
    }

    /// A run ended, or was refused, in this way.
    pub(crate) fn verdict(verdict: Verdict, message: impl Into<String>) -> Self {
        Self::new(message.into(), verdict.exit_code())
    }

    fn new(message: String, code: ExitCode) -> Self {
        Self { message, hint: None, code, rendered: false }
    }

    /// What a person can do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Whether the message shows where, in colour.
    pub(crate) fn is_rendered(&self) -> bool {
        self.rendered
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What a person was told that they can do about it.
    pub(crate) fn hinted(&self) -> Option<&String> {
        self.hint.as_ref()
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        self.code
    }
}

/// Before anything is changed.
impl From<AwsError> for CliError {
    fn from(error: AwsError) -> Self {
        let stop = CliError::verdict(Verdict::Unreachable, format!("{error}\n  nothing was touched"));
        match error.hint() {
            Some(hint) => stop.hint(hint),
            None => stop,
        }
    }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let stop = CliError::verdict(Verdict::Refused, format!("{error}\n  nothing was touched"));
        match error.hint() {
            Some(hint) => stop.hint(hint),
            None => stop,
        }
    }
}

impl From<Diagnostics> for CliError {
    fn from(mistakes: Diagnostics) -> Self {
        CliError::rendered(mistakes.render(console::colors_enabled_stderr()))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rendered {
            return f.write_str(self.message.trim_end());
        }
        write!(f, "error: {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}
