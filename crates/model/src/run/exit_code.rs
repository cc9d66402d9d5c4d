//! The exit codes: the only place that knows their numbers.

use std::fmt;

/// How the program ends, for scripts. Part of its interface: codes are only ever added.
///
/// It stands here, not with the command, because the end of a run is told with it and hooks find it in their
/// environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything was done, or there was nothing to do.
    Done,
    /// A bug in buedafab.
    Bug,
    /// The command line is wrong.
    Usage,
    /// The configuration is missing, wrong or incomplete.
    Configuration,
    /// Refused, and nothing was touched.
    Refused,
    /// Another run holds a lock, or a person holds deploys.
    Locked,
    /// A host couldn't be reached, and nothing was changed.
    Unreachable,
    /// Something failed before any host switched; the old release serves everywhere.
    FailedBefore,
    /// Something failed after a host switched, and every host was reverted.
    Reverted,
    /// The hosts serve different releases, or what some serve isn't known.
    Mixed,
    /// Everything was done, but standard output took only a part of what there was to say.
    OutputLost,
    /// A person interrupted; the old release serves everywhere.
    Interrupted,
}

impl ExitCode {
    /// What the shell sees.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Done => 0,
            ExitCode::Bug => 1,
            ExitCode::Usage => 2,
            ExitCode::Configuration => 3,
            ExitCode::Refused => 4,
            ExitCode::Locked => 5,
            ExitCode::Unreachable => 6,
            ExitCode::FailedBefore => 7,
            ExitCode::Reverted => 8,
            ExitCode::Mixed => 9,
            ExitCode::OutputLost => 10,
            ExitCode::Interrupted => 130,
        }
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.number(), f)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
