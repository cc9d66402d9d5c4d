//! What a person has to say yes to.

use std::fmt;

use crate::deployer::checkout::PushFacts;
use crate::release::Release;

/// Something that a person has to say yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A push would bring more to the remote than this person's own work.
    Push {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
        /// Why it may come as a surprise.
        surprise: PushSurprise,
    },
    /// The release is older than what is live.
    Older {
        /// The release.
        release: Release,
        /// What is live.
        live: Release,
    },
    /// No signature can be made.
    Unsigned {
        /// The tag.
        tag: String,
    },
}

/// What may come as a surprise in a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushSurprise {
    /// The remote has no such branch yet.
    NewBranch,
    /// Others' commits would go along: a line each.
    OthersCommits(Vec<String>),
}

impl Question {
    /// Whether `--yes` answers it. What would make a tag worth less, or take back what users have, takes more than the
    /// habit of typing that.
    pub fn yes_is_enough(&self) -> bool {
        matches!(self, Question::Push { .. })
    }

    /// What a person is asked.
    pub fn prompt(&self) -> String {
        match self {
            Question::Push { branch, remote, surprise: PushSurprise::NewBranch } => {
                format!("Push {branch} to {remote} as a new branch?")
            }
            Question::Push { branch, remote, surprise: PushSurprise::OthersCommits(lines) } => {
                let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
                format!("Commits of others would be pushed to {branch} of {remote}:\n{lines}Push them?")
            }
            Question::Older { release, live } => {
                format!("{release} is older than {live}, which is live. Deploy it?")
            }
            Question::Unsigned { tag } => {
                format!("Git has no key to sign {tag} with. Make it without a signature?")
            }
        }
    }
}

impl fmt::Display for Question {
    /// What would be done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Push { branch, remote, surprise: PushSurprise::NewBranch } => {
                write!(f, "{branch} would be pushed to {remote:?} as a new branch")
            }
            Question::Push { branch, remote, surprise: PushSurprise::OthersCommits(lines) } => {
                write!(f, "commits of others would be pushed to {branch} of {remote:?}: {}", lines.join(", "))
            }
            Question::Older { release, live } => {
                write!(f, "{release} is older than {live}, which is live")
            }
            Question::Unsigned { tag } => {
                write!(f, "{tag:?} would be made without a signature: git has no key to sign with")
            }
        }
    }
}

/// What a push would bring that may come as a surprise, if anything.
pub(super) fn surprise(push: &PushFacts, remote: &str) -> Option<Question> {
    let others: Vec<String> =
        push.commits.iter().filter(|commit| !commit.is_own).map(|commit| commit.line.clone()).collect();
    let surprise = match (push.is_new, others.is_empty()) {
        (true, _) => PushSurprise::NewBranch,
        (false, false) => PushSurprise::OthersCommits(others),
        (false, true) => return None,
    };
    Some(Question::Push { branch: push.branch.clone(), remote: remote.to_owned(), surprise })
}
