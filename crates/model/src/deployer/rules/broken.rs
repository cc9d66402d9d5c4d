//! Why a release may not be deployed, and what a person can do about it.

use super::Question;
use crate::names::CommitId;
use crate::release::Release;

/// A rule that the release breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenRule {
    /// Files in the checkout aren't committed.
    #[error("files in your checkout aren't committed: {}", listed(changes))]
    NotClean {
        /// Which.
        changes: Vec<String>,
    },
    /// The remote doesn't have the commit, and it can't be brought there.
    #[error("{release} isn't on the remote {remote:?}: hosts couldn't fetch it")]
    NotOnRemote {
        /// The release.
        release: Release,
        /// The remote.
        remote: String,
        /// What would help.
        way: WayToRemote,
    },
    /// The remote's branch has commits that the one here lacks.
    #[error(
        "{branch} of {remote:?} has commits that yours lacks: {release} can't be pushed without losing them"
    )]
    NotFastForward {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
        /// The release.
        release: Release,
    },
    /// The commit isn't on the branch that releases come from.
    #[error("{release} isn't on {pattern} of {remote:?}, the branch that releases come from")]
    WrongBranch {
        /// The release.
        release: Release,
        /// The branch, as it is set.
        pattern: String,
        /// The remote.
        remote: String,
    },
    /// There is no such branch.
    #[error("{remote:?} has no branch {pattern}, the branch that releases come from")]
    NoBranch {
        /// The branch, as it is set.
        pattern: String,
        /// The remote.
        remote: String,
    },
    /// Only tagged commits may be deployed.
    #[error("{release} has no release tag, and only releases are deployed here")]
    NeedsTag {
        /// The release.
        release: Release,
        /// A name for it.
        proposed: Option<String>,
    },
    /// No release has a tag yet.
    #[error("no tag here looks like a release ({pattern})")]
    NoLatestTag {
        /// What one looks like.
        pattern: String,
    },
    /// A tag's name isn't that of a release.
    #[error("{tag:?} doesn't look like a release ({pattern})")]
    NotAVersion {
        /// The tag.
        tag: String,
        /// What one looks like.
        pattern: String,
    },
    /// A name that git doesn't take.
    #[error("{tag:?} can't be the name of a tag in git")]
    NotAName {
        /// The name.
        tag: String,
    },
    /// A new tag's name is taken.
    #[error("the tag {tag:?} exists already, on {}", commit.short())]
    TagTaken {
        /// The tag.
        tag: String,
        /// What it stands on.
        commit: CommitId,
    },
    /// A tag is something else to others than here.
    #[error("the tag {tag:?} is {} here, and {} on {remote:?}", here.short(), there.short())]
    TagMoved {
        /// The tag.
        tag: String,
        /// The remote.
        remote: String,
        /// What it is here.
        here: CommitId,
        /// What it is there.
        there: CommitId,
    },
    /// The remote doesn't have a tag, and it isn't to be brought there.
    #[error("the tag {tag:?} isn't on the remote {remote:?}")]
    TagNotOnRemote {
        /// The tag.
        tag: String,
        /// The remote.
        remote: String,
    },
    /// A tag has to be signed, and nothing is set up to sign it.
    #[error("{tag:?} has to be signed, and git has no key to sign with")]
    CannotSign {
        /// The tag.
        tag: String,
    },
    /// A tag doesn't carry the signature that it has to.
    #[error("{why}")]
    BadSignature {
        /// What is wrong with it.
        why: String,
    },
    /// It has no requirement file of this name.
    #[error("the release has no file {file}, which `pip_requirements` names")]
    NoRequirementFile {
        /// The file.
        file: String,
        /// Those that it has.
        found: Vec<String>,
    },
    /// What it needs is locked by a tool whose locks no installer of ours reads.
    #[error("what is to be installed stands in {lock}, which neither uv nor pip reads")]
    LockOfAnother {
        /// The lock.
        lock: &'static str,
        /// What writes it as a requirement file.
        export: &'static str,
    },
    /// Nothing says what it needs.
    #[error("nothing says what is to be installed: the virtualenv would be empty")]
    NothingToInstall {
        /// Files that could.
        found: Vec<String>,
    },
    /// What git tracks would be lost from sight behind a link to what is shared.
    #[error("{shared} is in {release} ({tracked}), so it can't be a link to what is shared")]
    SharedIsTracked {
        /// Where the link belongs.
        shared: String,
        /// What git has there.
        tracked: String,
        /// The release.
        release: Release,
    },
    /// Through a link, what is shared would be taken away instead of what the release has.
    #[error("{shared} lies in {link}, which is a link in {release}: it can't be shared by itself")]
    SharedBehindLink {
        /// Where the link belongs.
        shared: String,
        /// What git has above it.
        link: String,
        /// The release.
        release: Release,
    },
    /// Nobody was there to say yes.
    #[error("{0}")]
    Unanswered(Question),
}

/// How a commit could get to the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayToRemote {
    /// A person pushes the branch that is checked out: this program isn't to.
    ByHand,
    /// It isn't on the branch that is checked out, which is the only one that this program pushes.
    OtherBranch,
}

impl BrokenRule {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            BrokenRule::NotClean { .. } => "commit or stash them: `require_clean` is set".into(),
            BrokenRule::NotOnRemote { remote, way, .. } => match way {
                WayToRemote::ByHand => format!("push it first: git push {remote} HEAD"),
                WayToRemote::OtherBranch => format!(
                    "a deploy pushes only the branch that is checked out: check out the branch that has this commit. If \
                     {remote:?} had it once, somebody has rewritten the branch there: git fetch {remote}"
                ),
            },
            BrokenRule::NotFastForward { remote, branch, .. } => {
                format!("take them in first: git pull --rebase {remote} {branch}")
            }
            BrokenRule::WrongBranch { pattern, .. } => {
                format!("merge it into {pattern} first; `branch` in buedafab.toml names the branch that releases come from")
            }
            BrokenRule::NoBranch { .. } => {
                "set `branch` in buedafab.toml to the branch that releases come from: branch = \"main\"".into()
            }
            BrokenRule::NeedsTag { proposed, .. } => format!(
                "tag it: --tag {}; or deploy an existing release: --release TAG, --release latest_tag",
                proposed.as_deref().unwrap_or("NAME")
            ),
            BrokenRule::NoLatestTag { .. } => "make the first one: deploy --tag NAME".into(),
            BrokenRule::NotAVersion { .. } => "`version_pattern` in buedafab.toml says what the tag of a release looks like".into(),
            BrokenRule::NotAName { .. } => "`git help check-ref-format` says which names git takes".into(),
            BrokenRule::TagTaken { .. } => "a release's tag is never moved: choose another name".into(),
            BrokenRule::TagMoved { tag, remote, .. } => format!(
                "find out which of the two is right; to take theirs: git tag -d {tag} && git fetch {remote} tag {tag}"
            ),
            BrokenRule::TagNotOnRemote { tag, remote } => format!("push it first: git push {remote} {tag}"),
            BrokenRule::CannotSign { .. } => {
                "set up a key, for example: git config --global gpg.format ssh; git config --global user.signingKey ~/.ssh/id_ed25519.pub".into()
            }
            BrokenRule::BadSignature { .. } => {
                "`allowed_signers` in buedafab.toml says whose signature counts; have one of them make the tag".into()
            }
            BrokenRule::NoRequirementFile { found, .. } if found.is_empty() => {
                "commit it, or name another in `pip_requirements`".into()
            }
            BrokenRule::LockOfAnother { export, .. } => format!(
                "have its tool write a requirement file: {export}; commit that, and name it: pip_requirements = [\"requirements.txt\"]"
            ),
            BrokenRule::NothingToInstall { found } if found.is_empty() => {
                "commit a requirement file and name it in `pip_requirements`; or a uv.lock, or a pyproject.toml or setup.py that says what it needs".into()
            }
            BrokenRule::NoRequirementFile { found, .. } | BrokenRule::NothingToInstall { found } => {
                let named: Vec<String> = found.iter().map(|file| format!("{file:?}")).collect();
                format!("the release has these: pip_requirements = [{}]", named.join(", "))
            }
            BrokenRule::SharedIsTracked { .. } => {
                "take it out of git (git rm --cached), or out of `shared_files` and `shared_dirs`; only files that keep a folder \
                 there, such as .gitkeep, are in no way"
                    .into()
            }
            BrokenRule::SharedBehindLink { link, .. } => format!("share {link} as a whole, or take the link out of git"),
            BrokenRule::Unanswered(Question::Push { .. }) => "--yes confirms it; or push it by hand first".into(),
            BrokenRule::Unanswered(Question::Older { .. }) => {
                "--allow-older confirms it; `rollback` goes back to the release before".into()
            }
            BrokenRule::Unanswered(Question::Unsigned { .. }) => {
                "set up a key (git config user.signingKey), or set `sign_tags = false`".into()
            }
        }
    }
}

/// The first few files of `git status --porcelain`.
pub(super) fn listed(changes: &[String]) -> String {
    const MOST: usize = 5;
    let names: Vec<&str> = changes.iter().take(MOST).map(|line| line.get(3..).unwrap_or(line)).collect();
    match changes.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
