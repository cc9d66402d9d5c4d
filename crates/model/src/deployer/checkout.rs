//! What was seen in the deployer's checkout and on its remote, without changing either.

use serde::Serialize;

use crate::names::CommitId;
use crate::release::Release;

/// What was asked for, and all that the rules of an environment want to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutFacts {
    /// The commit that was asked for.
    pub release: Release,
    /// By what name.
    pub asked: Asked,
    /// The branch that is checked out; `None`: HEAD is detached.
    pub branch: Option<String>,
    /// Whether the commit is the one that is checked out.
    pub is_head: bool,
    /// Files that are changed and not committed, as `git status --porcelain` tells them.
    pub changes: Vec<String>,
    /// Tags here.
    pub tags: Vec<Tag>,
    /// The remote.
    pub remote: RemoteFacts,
    /// Submodules of the commit that stand on commits which their own remotes don't have, as far as it is known here.
    pub unpushed_submodules: Vec<String>,
    /// What of it an installer would read; `None` where it has no virtualenv.
    pub python: Option<PythonFiles>,
    /// Whether git is set up to sign.
    pub can_sign: bool,
    /// What git tracks of the commit where something shared belongs.
    pub shared_in_git: Vec<TrackedPath>,
    /// What speaks against the tag's signature; `None` if it is good, or nobody asked.
    pub bad_signature: Option<String>,
    /// The project's configuration, as the commit has it. `None`: it lies outside the checkout, and belongs to no release.
    pub release_file: Option<ReleaseFile>,
}

/// The project's configuration in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Where it lies in the project.
    pub path: String,
    /// What it says; `None`: the commit has no such file.
    pub text: Option<String>,
}

/// What a release has that may say what its virtualenv holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonFiles {
    /// The paths of all files in the project, in their order; of a submodule that of its folder.
    pub paths: Vec<String>,
    /// The `pyproject.toml` of its app's folder and of those above, an empty text where there is none.
    pub pyprojects: Vec<String>,
}

impl PythonFiles {
    /// Whether it has a file.
    pub fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|known| known == path)
    }
}

/// A path that git tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedPath {
    /// The path, in the project.
    pub path: String,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

/// By what name a release was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// As a commit, or not at all.
    Commit(String),
    /// As a tag.
    Tag(String),
}

/// A tag and the commit that it stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// The commit; for an annotated tag the one that it leads to.
    pub commit: CommitId,
}

/// What was seen of the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFacts {
    /// What the checkout calls it.
    pub name: String,
    /// Where hosts would fetch from, if they can be asked to use the same.
    pub url: Option<String>,
    /// Whether the commit is on one of its branches, or under one of its tags.
    pub has_release: bool,
    /// Whether the commit is on one of the branches that the environment takes releases from.
    pub branch_has_release: bool,
    /// Whether there is such a branch at all.
    pub has_branch: bool,
    /// Its tags. Empty where no rule asks for them.
    pub tags: Vec<Tag>,
    /// What a push of the branch that is checked out would do. `None` where none would bring the commit there.
    pub push: Option<PushFacts>,
}

/// What a push of the branch that is checked out, up to the commit, would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushFacts {
    /// The branch's name on the remote.
    pub branch: String,
    /// Whether the remote has no such branch yet.
    pub is_new: bool,
    /// Whether the remote's branch has nothing that the commit lacks.
    pub is_fast_forward: bool,
    /// Commits that the remote doesn't have, newest first.
    pub commits: Vec<UnpushedCommit>,
}

/// A commit that the remote doesn't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpushedCommit {
    /// Its short id and subject.
    pub line: String,
    /// Whether the operator wrote it.
    pub is_own: bool,
}

/// How two commits differ: a line for each commit, its short id and subject, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CommitsBetween {
    /// Commits that only the second has.
    pub brings: Vec<String>,
    /// Commits that only the first has.
    pub takes_away: Vec<String>,
    /// Whether there are more than are listed.
    pub has_more: bool,
    /// How many more only the second has.
    #[serde(skip_serializing_if = "is_zero")]
    pub brings_more: usize,
    /// How many more only the first has.
    #[serde(skip_serializing_if = "is_zero")]
    pub takes_away_more: usize,
}

impl CommitsBetween {
    /// How the second relates to the first.
    pub fn ancestry(&self) -> Ancestry {
        let brings = !self.brings.is_empty() || self.brings_more > 0;
        let takes_away = !self.takes_away.is_empty() || self.takes_away_more > 0;
        match (brings, takes_away) {
            (true, true) => Ancestry::Diverged,
            (false, true) => Ancestry::Older,
            (_, false) => Ancestry::NotOlder,
        }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How far a commit is behind a branch of the remote, as this checkout knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Behind {
    /// The branch, as git calls it here: `origin/main`.
    pub branch: String,
    /// How many of its commits the other lacks.
    pub commits: usize,
}

/// How a commit relates to the one that is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ancestry {
    /// It comes before it.
    Older,
    /// It is the same, or comes after it.
    NotOlder,
    /// Each has commits that the other lacks.
    Diverged,
    /// Nobody here knows the live one: neither this checkout nor the remote.
    Unknown,
}

/// A release that is live somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRelease {
    /// The release.
    pub release: Release,
    /// How the one that was asked for relates to it.
    pub ancestry: Ancestry,
    /// What lies between it and the one that was asked for; `None` if this checkout doesn't know it.
    pub commits: Option<CommitsBetween>,
    /// Whether the two are known to differ in nothing that the app is made of, by the paths that the settings name.
    pub is_same: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_commits_relate_by_what_each_has_alone() {
        let lines = |count: usize| vec![String::new(); count];
        let between = |brings, takes_away, brings_more, takes_away_more| {
            let (brings, takes_away) = (lines(brings), lines(takes_away));
            CommitsBetween { brings, takes_away, has_more: true, brings_more, takes_away_more }.ancestry()
        };
        assert_eq!(between(0, 0, 0, 0), Ancestry::NotOlder);
        assert_eq!(between(1, 0, 0, 0), Ancestry::NotOlder);
        assert_eq!(between(0, 1, 0, 0), Ancestry::Older);
        assert_eq!(between(1, 1, 0, 0), Ancestry::Diverged);
        // Not all of them are listed.
        assert_eq!(between(9, 0, 0, 1), Ancestry::Diverged);
        assert_eq!(between(0, 9, 1, 0), Ancestry::Diverged);
    }
}
