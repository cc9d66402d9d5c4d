//! Which release the app says it runs, and what an answer means.
//!
//! An answer may be the bare commit, whole or shortened, the name of a tag, `git describe`'s words, or a document that
//! holds one of them.

use crate::names::CommitId;
use crate::release::Release;

/// What came back from the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppAnswer {
    /// It said this.
    Says(String),
    /// It said nothing that could be used.
    Silent {
        /// Why.
        why: String,
    },
}

/// The shortest name of a commit that git makes by itself.
const SHORTEST: usize = 7;

impl AppAnswer {
    /// Whether it names this release.
    pub fn names(&self, release: &Release) -> bool {
        match self {
            AppAnswer::Says(answer) => names_commit(answer, &release.commit) || names_tag(answer, release),
            AppAnswer::Silent { .. } => false,
        }
    }

    /// For people: one short line.
    pub fn shown(&self) -> String {
        match self {
            AppAnswer::Says(answer) => crate::app::text::one_line(answer),
            AppAnswer::Silent { why } => format!("no answer: {}", crate::app::text::one_line(why)),
        }
    }
}

fn names_commit(answer: &str, commit: &CommitId) -> bool {
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    answer.split(|c| !is_digit(c)).any(|word| word.len() >= SHORTEST && commit.as_str().starts_with(word))
}

fn names_tag(answer: &str, release: &Release) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '/' | '-');
    release.tag.as_deref().is_some_and(|tag| answer.split(|c| !belongs(c)).any(|word| word == tag))
}
