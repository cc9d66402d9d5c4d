//! What the remote has: which branches and tags, whether a commit is on them, and what a push would do there.

use std::collections::BTreeMap;
use std::time::Duration;

use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::{PushFacts, Tag, UnpushedCommit};
use buedafab_model::names::CommitId;

use super::{GitError, Repository};

/// How long a remote may take to say what it has. A server can accept a connection, and then say nothing for ever.
const LIST_PATIENCE: Duration = Duration::from_secs(60);

/// How long a person waits for what is only a suggestion.
const SUGGESTION_PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to send what others have pushed.
const FETCH_PATIENCE: Duration = Duration::from_secs(900);

/// How many commits that a push would bring are looked at.
const MOST_UNPUSHED: &str = "--max-count=50";

/// What the remote says that it has: names of branches and tags, and what they stand on.
#[derive(Debug, Default)]
pub(super) struct Listing {
    branches: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, RemoteTag>,
}

#[derive(Debug)]
pub(super) struct RemoteTag {
    /// The tag itself, or the commit that it stands on.
    pub(super) object: String,
    /// The commit that an annotated tag leads to.
    peeled: Option<String>,
}

impl RemoteTag {
    /// The commit that it leads to.
    pub(super) fn commit(&self) -> &str {
        self.peeled.as_ref().unwrap_or(&self.object)
    }
}

impl Repository {
    /// Whether the remote had the commit when this checkout heard of it last.
    pub(super) async fn tracks(&self, commit: &CommitId, remote: &str) -> bool {
        let refs = format!("refs/remotes/{remote}/");
        let found = self.git(&["for-each-ref", "--count=1", "--contains", commit.as_str(), &refs]).await;
        found.is_ok_and(|found| !found.is_empty())
    }

    /// Asks the remote what it has.
    pub(super) async fn list(&self, remote: &str) -> Result<Listing, GitError> {
        let arguments = ["ls-remote", "--heads", "--tags", "--", remote];
        let listed = self.ask_remote(&arguments, remote, LIST_PATIENCE).await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(GitError::Failed { why, .. }) => {
                let known = self.git(&["remote"]).await.unwrap_or_default();
                let known: Vec<String> = known.lines().map(str::to_owned).collect();
                let remote = remote.to_owned();
                return Err(if known.is_empty() || known.contains(&remote) || remote.contains([':', '/']) {
                    GitError::NoAnswer { remote, why: last_words(&why) }
                } else {
                    GitError::NoSuchRemote { remote, known }
                });
            }
            Err(error) => return Err(error),
        };
        let mut listing = Listing::default();
        for (id, name) in listed.lines().filter_map(|line| line.split_once('\t')) {
            if let Some(branch) = name.strip_prefix("refs/heads/") {
                listing.branches.insert(branch.to_owned(), id.to_owned());
            } else if let Some(tag) = name.strip_prefix("refs/tags/") {
                match tag.strip_suffix("^{}") {
                    // It comes right after the tag itself.
                    Some(tag) => {
                        if let Some(known) = listing.tags.get_mut(tag) {
                            known.peeled = Some(id.to_owned());
                        }
                    }
                    None => {
                        let object = id.to_owned();
                        listing.tags.insert(tag.to_owned(), RemoteTag { object, peeled: None });
                    }
                }
            }
        }
        Ok(listing)
    }

    /// What a ref says on the remote; `None`: there is none of this name.
    pub async fn ref_on(&self, remote: &str, name: &str) -> Result<Option<CommitId>, GitError> {
        let listed = self.ask_remote(&["ls-remote", "--", remote, name], remote, LIST_PATIENCE).await?;
        // Names that only end with this one are listed, too.
        let mut refs = listed.lines().filter_map(|line| line.split_once('\t'));
        let found = refs.find(|(_, found)| *found == name);
        Ok(found.and_then(|(id, _)| CommitId::new(id).ok()))
    }

    /// The branch that the remote's HEAD stands on, if it says so soon.
    pub(super) async fn remote_head(&self, remote: &str) -> Option<String> {
        let arguments = ["ls-remote", "--symref", "--", remote, "HEAD"];
        let said = self.ask_remote(&arguments, remote, SUGGESTION_PATIENCE).await.ok()?;
        let head = said.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"))?;
        head.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// Looks for one commit on the remote.
    pub(super) async fn look_at_remote(
        &self,
        settings: &Settings,
        commit: &CommitId,
        branch: Option<&str>,
        listing: &Listing,
    ) -> Result<SeenOnRemote, GitError> {
        let remote = settings.source.master_remote.as_str();
        let fitting: BTreeMap<&str, &str> = listing
            .branches
            .iter()
            .filter(|(name, _)| settings.rules.branch.matches(name))
            .map(|(name, id)| (name.as_str(), id.as_str()))
            .collect();
        let look = async || {
            let on_branch = self.is_reachable(commit, fitting.values().copied()).await;
            (on_branch || self.is_reachable(commit, listing.ids()).await, on_branch)
        };
        let mut found = look().await;
        if !found.1 {
            // Others may have pushed since.
            let unknown = self.unknown_branches(&fitting).await?;
            if !unknown.is_empty() {
                self.fetch_objects(remote, unknown).await?;
                found = look().await;
            }
        }
        let (has_release, branch_has_release) = found;
        let push = match branch {
            Some(branch) if !branch_has_release => self.look_at_push(remote, commit, branch, listing).await,
            _ => None,
        };
        Ok(SeenOnRemote { has_release, branch_has_release, has_branch: !fitting.is_empty(), push })
    }

    /// The refs of branches whose commits this checkout doesn't have.
    async fn unknown_branches(&self, branches: &BTreeMap<&str, &str>) -> Result<Vec<String>, GitError> {
        let ids: String = branches.values().map(|id| format!("{id}\n")).collect();
        let known = self.git_fed(&["cat-file", "--batch-check=%(objectname)"], ids).await?;
        let lines = branches.keys().zip(known.lines());
        Ok(lines
            .filter(|(_, line)| line.ends_with(" missing"))
            .map(|(branch, _)| format!("refs/heads/{branch}"))
            .collect())
    }

    /// Gets the objects of refs, and moves no ref of this checkout.
    pub(super) async fn fetch_objects(
        &self,
        remote: &str,
        refs: impl IntoIterator<Item = String>,
    ) -> Result<(), GitError> {
        let refs: Vec<String> = refs.into_iter().collect();
        let mut arguments =
            vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--", remote];
        arguments.extend(refs.iter().map(String::as_str));
        self.ask_remote(&arguments, remote, FETCH_PATIENCE).await.map(drop)
    }

    /// Runs git where it talks to the remote, and ends it if that takes too long.
    async fn ask_remote(
        &self,
        arguments: &[&str],
        remote: &str,
        patience: Duration,
    ) -> Result<String, GitError> {
        tokio::time::timeout(patience, self.git(arguments)).await.unwrap_or_else(|_| {
            let why = format!("it gave no answer within {} s", patience.as_secs());
            Err(GitError::NoAnswer { remote: remote.to_owned(), why })
        })
    }

    /// Whether a commit is one of these, or comes before one of them. Ids that this checkout doesn't know lead nowhere.
    async fn is_reachable(&self, commit: &CommitId, from: impl Iterator<Item = &str>) -> bool {
        let revisions = only_from(commit, from);
        let found =
            self.git_fed(&["rev-list", "--max-count=1", "--ignore-missing", "--stdin"], revisions).await;
        found.is_ok_and(|found| found.is_empty())
    }

    /// What a push of the branch that is checked out, up to this commit, would do.
    async fn look_at_push(
        &self,
        remote: &str,
        commit: &CommitId,
        branch: &str,
        listing: &Listing,
    ) -> Option<PushFacts> {
        self.git(&["merge-base", "--is-ancestor", commit.as_str(), "HEAD"]).await.ok()?;
        let there = self.upstream(remote, branch).await.unwrap_or_else(|| branch.to_owned());
        let tip = listing.branches.get(&there);
        let is_fast_forward = match tip {
            Some(tip) => self.git(&["merge-base", "--is-ancestor", tip, commit.as_str()]).await.is_ok(),
            None => true,
        };
        let own = self.own_email().await;
        let log = ["log", MOST_UNPUSHED, "--ignore-missing", "--format=%ae%x00%h %s", "--stdin"];
        let log = self.git_fed(&log, only_from(commit, listing.ids())).await.unwrap_or_default();
        let unpushed = |line: &str| {
            let (email, line) = line.split_once('\0')?;
            Some(UnpushedCommit { line: line.to_owned(), is_own: own.as_deref() == Some(email) })
        };
        Some(PushFacts {
            branch: there,
            is_new: tip.is_none(),
            is_fast_forward,
            commits: log.lines().filter_map(unpushed).collect(),
        })
    }

    /// The branch of the remote that a branch here follows.
    async fn upstream(&self, remote: &str, branch: &str) -> Option<String> {
        let (of, merge) = (format!("branch.{branch}.remote"), format!("branch.{branch}.merge"));
        let follows = self.git(&["config", "--get", &of]).await.ok()?;
        let merge = self.git(&["config", "--get", &merge]).await.ok()?;
        merge.strip_prefix("refs/heads/").filter(|_| follows == remote).map(str::to_owned)
    }
}

/// Revisions, for git's standard input: the commit and all before it, but for what can be reached from the others.
fn only_from<'i>(commit: &CommitId, others: impl Iterator<Item = &'i str>) -> String {
    others.fold(format!("{commit}\n"), |text, id| text + "^" + id + "\n")
}

/// What was seen of one commit.
pub(super) struct SeenOnRemote {
    pub(super) has_release: bool,
    pub(super) branch_has_release: bool,
    pub(super) has_branch: bool,
    pub(super) push: Option<PushFacts>,
}

impl Listing {
    /// Its tags, as far as they lead to commits.
    pub(super) fn tags(&self) -> Vec<Tag> {
        let tag = |(name, tag): (&String, &RemoteTag)| {
            Some(Tag { name: name.clone(), commit: CommitId::new(tag.commit()).ok()? })
        };
        self.tags.iter().filter_map(tag).collect()
    }

    /// Everything that a commit could be reached from.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.values().map(RemoteTag::commit);
        self.branches.values().map(String::as_str).chain(tags)
    }
}

/// What went wrong, of all that git and ssh say: the first "fatal", and what came right before it.
fn last_words(why: &str) -> String {
    let lines: Vec<&str> = why.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let fatal =
        lines.iter().position(|line| line.starts_with("fatal: ")).unwrap_or(lines.len().saturating_sub(1));
    let told = lines.iter().take(fatal + 1).skip(fatal.saturating_sub(1));
    let told = told.filter(|line| !line.to_lowercase().starts_with("warning"));
    told.map(|line| line.trim_start_matches("fatal: ")).collect::<Vec<_>>().join(" ")
}
