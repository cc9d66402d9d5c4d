//! The user's own git, on the deployer: their configuration applies. Asking it changes no ref, no file and no setting.

mod overview;
mod remote;
mod resolve;
mod survey;
mod working_tree;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use buedafab_model::deployer::checkout::{
    Ancestry, Behind, CommitsBetween, LiveRelease, ReleaseFile, TrackedPath,
};
use buedafab_model::deployer::rules::BrokenRule;
use buedafab_model::names::CommitId;
use buedafab_model::release::Release;
use buedafab_model::view::NotedCommit;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt;

use crate::process::async_program;

pub use survey::Wanted;

/// The checkout that the user stands in.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
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
    /// The name could mean several commits.
    #[error("{reference:?} is ambiguous: it is {}", meanings.join(", and "))]
    Ambiguous {
        /// The name.
        reference: String,
        /// What it is, and the commit that it stands for.
        meanings: Vec<String>,
    },
    /// No tag has this name.
    #[error("there is no tag {tag:?}, neither here nor on the remote {remote:?}")]
    NoTag {
        /// The name.
        tag: String,
        /// The remote.
        remote: String,
    },
    /// The remote can't be asked.
    #[error("the remote {remote:?} can't be asked: {why}")]
    NoAnswer {
        /// The remote.
        remote: String,
        /// Git's words.
        why: String,
    },
    /// This checkout's remotes are called otherwise.
    #[error("this checkout has no remote {remote:?}, but {}", known.join(", "))]
    NoSuchRemote {
        /// The name.
        remote: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// What was asked for breaks a rule.
    #[error(transparent)]
    Rule(#[from] BrokenRule),
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
            GitError::Ambiguous { .. } => {
                "say which one: refs/heads/NAME, refs/tags/NAME, or more digits of the commit".to_owned()
            }
            GitError::NoTag { .. } => "see git tag; --commit takes branches and commits".to_owned(),
            GitError::NoAnswer { remote, .. } => {
                format!(
                    "see whether this works: git ls-remote {remote}; `master_remote` in buedafab.toml names it"
                )
            }
            GitError::NoSuchRemote { known, .. } => {
                format!(
                    "name the one that releases come from in buedafab.toml: master_remote = {:?}",
                    known[0]
                )
            }
            GitError::Rule(rule) => rule.hint(),
            GitError::Failed { .. } => return None,
        })
    }
}

fn said(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

/// How `git ls-tree` begins to tell of a symbolic link.
const LINK: &str = "120000 ";

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
        let count = format!("--max-count={}", most + 1);
        let log = self
            .git(&["log", "--no-decorate", "--left-right", "--format=%m%h %s", &count, &range])
            .await
            .ok()?;
        let lines = || log.lines().take(most);
        let side =
            |mark: char| lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect();
        let has_more = log.lines().count() > most;
        let (brings, takes_away): (Vec<String>, Vec<String>) = (side('>'), side('<'));
        let (mut brings_more, mut takes_away_more) = (0, 0);
        if has_more {
            let counted = self.git(&["rev-list", "--count", "--left-right", &range]).await.ok()?;
            let (left, right) = counted.split_once('\t')?;
            takes_away_more = left.parse::<usize>().ok()?.saturating_sub(takes_away.len());
            brings_more = right.parse::<usize>().ok()?.saturating_sub(brings.len());
        }
        Some(CommitsBetween { brings, takes_away, has_more, brings_more, takes_away_more })
    }

    /// A file as it is in a commit; `None` if there is no such file in it.
    pub async fn file_in(&self, commit: &CommitId, path: &str) -> Option<String> {
        let text = self.git(&["cat-file", "blob", &format!("{commit}:{path}")]).await.ok()?;
        Some(text + "\n")
    }

    /// What a commit has at these paths, below them, and of symbolic links above them.
    pub async fn tracked_at(
        &self,
        commit: &CommitId,
        paths: &[String],
    ) -> Result<Vec<TrackedPath>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let list = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree"];
        let below = [&list[..], &["-r", commit.as_str(), "--"]].concat();
        let below = below.into_iter().chain(paths.iter().map(String::as_str)).collect::<Vec<_>>();
        let mut listed = self.git(&below).await?;
        let above = paths.iter().flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at]));
        let above: BTreeSet<&str> = above.collect();
        if !above.is_empty() {
            let here = [&list[..], &[commit.as_str(), "--"]].concat();
            let links = self.git(&here.into_iter().chain(above).collect::<Vec<_>>()).await?;
            let links = links.split('\0').filter(|entry| entry.starts_with(LINK));
            listed.extend(links.map(|entry| format!("\0{entry}")));
        }
        let entries = listed.split('\0').filter_map(|entry| entry.split_once('\t'));
        Ok(entries
            .map(|(kind, path)| TrackedPath { path: path.to_owned(), is_link: kind.starts_with(LINK) })
            .collect())
    }

    /// Where a file lies in this checkout, for git; `None` if it lies elsewhere.
    pub fn path_of(&self, file: &Path) -> Option<String> {
        let (root, file) = (self.root.canonicalize().ok()?, file.canonicalize().ok()?);
        Some(file.strip_prefix(root).ok()?.to_str()?.to_owned())
    }

    /// A file of a commit, where it matters whether there is none or git can't tell.
    async fn release_file(&self, commit: &CommitId, path: &str) -> Result<ReleaseFile, GitError> {
        let text = match self.git(&["cat-file", "blob", &format!("{commit}:{path}")]).await {
            Ok(text) => Some(text + "\n"),
            Err(GitError::Failed { why, .. })
                if why.contains("does not exist in") || why.contains("exists on disk, but not in") =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        Ok(ReleaseFile { path: path.to_owned(), text })
    }

    /// How far a commit is behind a branch of a remote, or behind the one that the remote has checked out, without asking the
    /// remote. `None` if this checkout knows too little.
    pub async fn behind(&self, commit: &CommitId, remote: &str, branch: Option<&str>) -> Option<Behind> {
        let branch = match branch {
            Some(branch) => format!("{remote}/{branch}"),
            None => {
                let head = format!("refs/remotes/{remote}/HEAD");
                self.git(&["symbolic-ref", "--quiet", "--short", &head]).await.ok()?
            }
        };
        let range = format!("{commit}..refs/remotes/{branch}");
        let commits = self.git(&["rev-list", "--count", &range, "--"]).await.ok()?.parse().ok()?;
        Some(Behind { branch, commits })
    }

    /// The commits that the second of these has and the first hasn't, merges aside, and when each was made; `None` if this checkout lacks either.
    pub async fn made_between(&self, from: &CommitId, to: &CommitId) -> Option<Vec<(CommitId, Timestamp)>> {
        let range = format!("{from}..{to}");
        let log = self.git(&["log", "--no-merges", "--format=%H %ct", &range, "--"]).await.ok()?;
        let commit = |line: &str| {
            let (commit, second) = line.split_once(' ')?;
            Some((CommitId::new(commit).ok()?, Timestamp::from_second(second.parse().ok()?).ok()?))
        };
        log.lines().map(commit).collect()
    }

    /// The commits of a range such as `v0.1.0..v0.2.0`, newest first, as release notes tell them.
    pub async fn noted_commits(&self, from: &str, to: &str) -> Result<Vec<NotedCommit>, GitError> {
        let (from, to) = (self.resolve(from).await?, self.resolve(to).await?);
        let range = format!("{from}..{to}");
        let format = "--format=%H%x00%an%x00%as%x00%P%x00%s%x00%b%x01";
        let log = self.git(&["log", "--topo-order", format, &range, "--"]).await?;
        let commit = |entry: &str| {
            let mut fields = entry.trim_start().split('\0');
            let mut next = || fields.next().map(str::to_owned);
            let (id, author, day) = (next()?, next()?, next()?);
            let parents = next()?.split_whitespace().map(str::to_owned).collect();
            let (subject, body) = (next()?, next()?);
            let more = body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
            Some(NotedCommit { id, author, day, parents, subject, more })
        };
        Ok(log.split('\u{1}').filter_map(commit).collect())
    }

    /// The branch that is checked out.
    pub async fn branch(&self) -> Option<String> {
        self.git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await.ok()
    }

    /// How a commit relates to releases that are live, with at most `most` of the commits between them.
    pub async fn ancestry(
        &self,
        commit: &CommitId,
        live: Vec<Release>,
        remote: &str,
        most: usize,
        made_of: &[String],
    ) -> Vec<LiveRelease> {
        let mut related = Vec::new();
        for release in live {
            let mut commits = self.commits_between(&release.commit, commit, most).await;
            if commits.is_none() {
                // A clone that nobody has updated doesn't know what was deployed since.
                for name in [
                    Some(release.commit.to_string()),
                    release.tag.as_ref().map(|tag| format!("refs/tags/{tag}")),
                ] {
                    let Some(name) = name.filter(|_| commits.is_none()) else { continue };
                    if self.fetch_objects(remote, [name]).await.is_ok() {
                        commits = self.commits_between(&release.commit, commit, most).await;
                    }
                }
            }
            let ancestry = match &commits {
                _ if release.commit == *commit => Ancestry::NotOlder,
                Some(commits) => commits.ancestry(),
                None => Ancestry::Unknown,
            };
            let is_same = !made_of.is_empty()
                && commits.is_some()
                && self.is_same_in(made_of, &release.commit, commit).await;
            related.push(LiveRelease { release, ancestry, commits, is_same });
        }
        related
    }

    /// Whether two commits have the same at these paths. What git can't say counts as a difference, and so does a path that the second
    /// one hasn't: it may be mistyped.
    async fn is_same_in(&self, paths: &[String], one: &CommitId, other: &CommitId) -> bool {
        for path in paths {
            if self.git(&["cat-file", "-e", &format!("{other}:{path}")]).await.is_err() {
                return false;
            }
        }
        let mut words =
            vec!["--literal-pathspecs", "diff-tree", "-r", "--quiet", one.as_str(), other.as_str(), "--"];
        words.extend(paths.iter().map(String::as_str));
        self.git(&words).await.is_ok()
    }

    /// Whether git is set up to sign tags: it is told a key, or finds one that belongs to the person.
    pub async fn can_sign(&self) -> bool {
        let setting =
            async |name: &str| self.git(&["config", "--get", name]).await.is_ok_and(|v| !v.is_empty());
        if setting("user.signingKey").await || setting("gpg.ssh.defaultKeyCommand").await {
            return true;
        }
        let format = self.git(&["config", "--get", "gpg.format"]).await.unwrap_or_default();
        if !matches!(format.as_str(), "" | "openpgp") {
            return false;
        }
        let program =
            self.git(&["config", "--get", "gpg.program"]).await.unwrap_or_else(|_| "gpg".to_owned());
        let Some(email) = self.own_email().await else { return false };
        let listed = async_program(program)
            .args(["--batch", "--list-secret-keys", &format!("<{email}>")])
            .stdin(Stdio::null())
            .output()
            .await;
        listed.is_ok_and(|output| output.status.success())
    }

    /// The address that this person's commits carry.
    async fn own_email(&self) -> Option<String> {
        let ident = self.git(&["var", "GIT_AUTHOR_IDENT"]).await.ok()?;
        let (_, rest) = ident.split_once('<')?;
        rest.split_once('>').map(|(email, _)| email.to_owned())
    }

    /// The first parts of the paths of all Python files that git knows in a folder, but for what others wrote: what to lint.
    pub async fn python_roots(&self, folder: Option<&str>) -> Result<Vec<String>, GitError> {
        let folder = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let (files, others) = (format!("{folder}*.py"), format!(":(exclude){folder}vendor"));
        let listed = self.git(&["ls-files", "-z", "--", &files, &others]).await?;
        let mut roots: Vec<String> = listed
            .split('\0')
            .filter_map(|path| path.strip_prefix(&folder).filter(|path| !path.is_empty()))
            .map(|path| path.split('/').next().unwrap_or(path).to_owned())
            .collect();
        roots.dedup();
        Ok(roots)
    }

    /// Whether a word stands in any file that git knows.
    pub async fn mentions(&self, word: &str) -> bool {
        self.git(&["grep", "--quiet", "--fixed-strings", "--word-regexp", "-e", word]).await.is_ok()
    }

    async fn git(&self, arguments: &[&str]) -> Result<String, GitError> {
        self.git_fed(arguments, String::new()).await
    }

    /// Runs git with lines on its standard input: there may be more of them than a command takes arguments.
    async fn git_fed(&self, arguments: &[&str], input: String) -> Result<String, GitError> {
        let mut child = async_program("git")
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C.UTF-8")
            .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(GitError::NoGit)?;
        let feed = child.stdin.take().map(|mut stdin| async move {
            // Whoever has read enough closes its end: its exit status says whether that was right.
            let _ = stdin.write_all(input.as_bytes()).await;
        });
        let (output, ()) = tokio::join!(child.wait_with_output(), async {
            if let Some(feed) = feed {
                feed.await;
            }
        });
        let output = output.map_err(GitError::NoGit)?;
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
