//! The user's own git, on the deployer: their configuration applies.

use std::path::{Path, PathBuf};

use buedafab_model::names::CommitId;
use buedafab_model::release::Release;
use tokio::process::Command;

/// The checkout that the user stands in.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

/// How two commits differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitsBetween {
    /// Commits that only the second has.
    pub brought: Vec<String>,
    /// Commits that only the first has.
    pub taken_away: Vec<String>,
}

/// Why git can't answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("can't run git: {0}")]
    NoGit(std::io::Error),
    /// The folder isn't part of a checkout.
    #[error("{} isn't in a git checkout", .0.display())]
    NotACheckout(PathBuf),
    /// No commit has this name.
    #[error("{reference:?} names no commit in this checkout{}", said(why))]
    UnknownCommit {
        /// The name.
        reference: String,
        /// Git's words.
        why: String,
    },
    /// The commit isn't on the remote, where hosts would look for it.
    #[error("{commit} isn't on the remote {remote:?}: hosts couldn't fetch it")]
    NotOnRemote {
        /// What was asked for.
        commit: String,
        /// The remote.
        remote: String,
    },
    /// Anything else.
    #[error("git {command} failed: {why}")]
    Failed {
        /// The command.
        command: String,
        /// Git's words.
        why: String,
    },
}

impl GitError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            GitError::NoGit(_) => "install git".to_owned(),
            GitError::NotACheckout(_) => "run buedafab inside the project that is deployed".to_owned(),
            GitError::UnknownCommit { .. } => {
                "see git log and git tag; git fetch --tags brings what others pushed".to_owned()
            }
            GitError::NotOnRemote { remote, .. } => format!("push it first: git push {remote} HEAD"),
            GitError::Failed { .. } => return None,
        })
    }
}

fn said(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

impl Repository {
    /// The checkout around `folder`.
    pub fn find(folder: &Path) -> Result<Self, GitError> {
        // A linked worktree and a submodule have a file there.
        let root = folder.ancestors().find(|folder| folder.join(".git").exists());
        let root = root.ok_or_else(|| GitError::NotACheckout(folder.to_owned()))?;
        Ok(Repository { root: root.to_owned() })
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Resolves a name to a commit, once, with the names that people know it by.
    pub async fn resolve(&self, reference: &str) -> Result<Release, GitError> {
        let unknown = |why: String| GitError::UnknownCommit { reference: reference.to_owned(), why };
        if reference.is_empty() || reference.starts_with('-') {
            return Err(unknown("it would be taken for an option".to_owned()));
        }
        let commit = self
            .git(&["rev-parse", "--verify", "--end-of-options", &format!("{reference}^{{commit}}")])
            .await;
        let commit = commit.map_err(|error| match error {
            GitError::Failed { why, .. } => unknown(first_line(&why)),
            other => other,
        })?;
        let commit = CommitId::new(commit).map_err(|error| unknown(error.to_string()))?;
        // The long form tells a tag that stands on the commit from one that stands before it.
        let long = self.git(&["describe", "--tags", "--always", "--long", commit.as_str()]).await;
        let long = long.unwrap_or_else(|_| commit.short().to_owned());
        let (describe, tag) = match long.rsplit_once("-g").and_then(|(name, _)| name.rsplit_once('-')) {
            Some((tag, "0")) => (tag.to_owned(), Some(tag.to_owned())),
            Some(_) => (long, None),
            None => (commit.short().to_owned(), None),
        };
        Ok(Release { commit, describe, tag })
    }

    /// Fails unless the remote has the commit, as far as this checkout knows; asks the remote before it says no.
    pub async fn require_on_remote(&self, release: &Release, remote: &str) -> Result<(), GitError> {
        let contains = async || {
            let refs = format!("refs/remotes/{remote}/");
            let found =
                self.git(&["for-each-ref", "--count=1", "--contains", release.commit.as_str(), &refs]).await;
            found.is_ok_and(|found| !found.is_empty())
        };
        if contains().await {
            return Ok(());
        }
        self.git(&["fetch", "--quiet", remote]).await?;
        if contains().await || self.remote_has_tag_on(release, remote).await? {
            return Ok(());
        }
        Err(GitError::NotOnRemote { commit: release.to_string(), remote: remote.to_owned() })
    }

    async fn remote_has_tag_on(&self, release: &Release, remote: &str) -> Result<bool, GitError> {
        let listed = self.git(&["ls-remote", "--tags", remote]).await?;
        Ok(listed.lines().any(|line| line.starts_with(release.commit.as_str())))
    }

    /// The URL that hosts would fetch from, if they can be asked to use the same.
    pub async fn remote_url(&self, remote: &str) -> Option<String> {
        self.git(&["remote", "get-url", remote]).await.ok().filter(|url| !url.is_empty())
    }

    /// The commits that a change from one commit to another brings, and those that it takes away: newest first, a line
    /// each, at most `most` in all. `None` if this checkout doesn't know them.
    pub async fn commits_between(
        &self,
        from: &CommitId,
        to: &CommitId,
        most: usize,
    ) -> Option<CommitsBetween> {
        let range = format!("{from}...{to}");
        let count = format!("--max-count={most}");
        let log = self
            .git(&["log", "--no-decorate", "--left-right", "--format=%m%h %s", &count, &range])
            .await
            .ok()?;
        let side =
            |mark: char| log.lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect();
        Some(CommitsBetween { brought: side('>'), taken_away: side('<') })
    }

    /// The branch that is checked out.
    pub async fn branch(&self) -> Option<String> {
        self.git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await.ok()
    }

    async fn git(&self, arguments: &[&str]) -> Result<String, GitError> {
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(GitError::NoGit)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned());
        }
        Err(GitError::Failed {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            why: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned()
}
