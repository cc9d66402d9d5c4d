//! How the program stops before there is a run: what is said, and with which exit code.

use std::fmt;

use buedafab_engine::{AwsError, GitError, SourceError};
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

/// Amazon says no before anything has changed.
impl From<AwsError> for CliError {
    fn from(error: AwsError) -> Self {
        unanswered(&error, error.hint(), error.is_of_configuration())
    }
}

/// Nobody knows the hosts.
impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        unanswered(&error, error.hint(), error.is_of_configuration())
    }
}

fn unanswered(error: &dyn std::error::Error, hint: Option<String>, is_of_configuration: bool) -> CliError {
    let message = format!("{error}\n  nothing was touched");
    let stop = match is_of_configuration {
        true => CliError::configuration(message),
        false => CliError::verdict(Verdict::Unreachable, message),
    };
    CliError { hint, ..stop }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: AwsError, code: ExitCode, told: &str) {
        let stop = CliError::from(error);
        assert_eq!((stop.code(), stop.to_string().as_str()), (code, told));
    }

    #[test]
    fn what_amazon_refuses_is_told_in_one_way() {
        check(
            AwsError::NotFound {
                code: "LoadBalancerNotFound".to_owned(),
                said: "There is no web".to_owned(),
            },
            ExitCode::Configuration,
            "error: There is no web (LoadBalancerNotFound)\n  nothing was touched\n  help: are its name and the region right? `aws_region` says which",
        );
        check(
            AwsError::NoRegion,
            ExitCode::Configuration,
            "error: no region is known for AWS\n  nothing was touched\n  help: write `aws_region` in buedafab.toml, or set AWS_REGION, or `region` of the profile in ~/.aws/config",
        );
        check(
            AwsError::Denied { permission: "ec2:DescribeInstances".to_owned(), who: None },
            ExitCode::Unreachable,
            "error: whoever the AWS credentials are of may not ec2:DescribeInstances\n  nothing was touched\n  help: allow ec2:DescribeInstances in a policy of the user or role",
        );
        check(
            AwsError::Refused {
                action: "DescribeInstances".to_owned(),
                code: "ValidationError".to_owned(),
                said: "bad".to_owned(),
            },
            ExitCode::Unreachable,
            "error: DescribeInstances is refused: ValidationError: bad\n  nothing was touched",
        );
    }
}
