//! A release: one commit, resolved once, and what people call it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::CommitId;

/// A commit resolved once, on the deployer, with the names that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The full id: the only thing that decides what is deployed.
    pub commit: CommitId,
    /// `git describe`'s name for it, such as `v0.2.0-3-g6b4943c`; the short id where there is no tag.
    pub describe: String,
    /// The tag that stands on exactly this commit, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether it has submodules, which have to be fetched besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub submodules: bool,
    /// Whether Git LFS keeps the content of files of it, which has to be had besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lfs: bool,
}

impl Release {
    /// A release of which nothing but the commit is known.
    pub fn unnamed(commit: CommitId) -> Self {
        Release { describe: commit.short().to_owned(), commit, tag: None, submodules: false, lfs: false }
    }

    /// A commit with what `git describe --tags --always --long` says of it: the long form tells a tag that stands on the commit from one
    /// that stands before it.
    pub fn described(commit: CommitId, long: &str) -> Self {
        let release = Release::unnamed(commit);
        match long.rsplit_once("-g").and_then(|(name, _)| name.rsplit_once('-')) {
            Some((tag, "0")) => release.tagged(tag),
            Some(_) => Release { describe: long.to_owned(), ..release },
            None => release,
        }
    }

    /// The same commit under the name of a tag that stands on it.
    pub fn tagged(self, tag: &str) -> Self {
        Release { describe: tag.to_owned(), tag: Some(tag.to_owned()), ..self }
    }
}

impl fmt::Display for Release {
    /// `v0.2.0 (6b4943c012)`, or the name alone where that says the commit: `v0.2.0-3-g6b4943c`, or the short id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.commit.short();
        if self.commit.as_str().starts_with(&self.describe) {
            f.pad(short)
        } else if self.describe.rsplit_once("-g").is_some_and(|(_, id)| names_commit(id, &self.commit)) {
            f.pad(&self.describe)
        } else {
            f.pad(&format!("{} ({short})", self.describe))
        }
    }
}

fn names_commit(id: &str, commit: &CommitId) -> bool {
    id.len() >= 4 && commit.as_str().starts_with(id)
}
