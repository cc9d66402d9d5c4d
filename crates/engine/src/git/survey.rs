//! One look at the checkout and its remote: what the rules of an environment want to know about a release.

use std::collections::BTreeMap;

use buedafab_model::checkout::{Asked, CheckoutFacts, PushFacts, RemoteFacts, Tag, UnpushedCommit};
use buedafab_model::config::Settings;
use buedafab_model::names::CommitId;
use buedafab_model::release::Release;
use buedafab_model::rules::{latest_tag, release_tag};
use buedafab_model::shell::verify_tag;
use tokio::process::Command;

use super::{GitError, Repository, first_line};

/// What a person asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A commit, by any name that git knows.
    Commit(String),
    /// A tag.
    Tag(String),
    /// The tag of the latest release.
    LatestTag,
}

/// How many commits that a push would bring are looked at.
const MOST_UNPUSHED: &str = "--max-count=50";

/// What the remote says that it has: names of branches and tags, and what they stand on.
#[derive(Debug, Default)]
struct Listing {
    branches: BTreeMap<String, String>,
    tags: BTreeMap<String, RemoteTag>,
}

#[derive(Debug)]
struct RemoteTag {
    object: String,
    /// The commit that an annotated tag leads to.
    peeled: Option<String>,
}

impl RemoteTag {
    fn commit(&self) -> &str {
        self.peeled.as_ref().unwrap_or(&self.object)
    }
}

impl Repository {
    /// Resolves what was asked for, once, and looks at all that the environment's rules depend on. `makes_tag`: whether a
    /// tag is to be made. The remote is only asked where a rule needs it, or where this checkout doesn't know that it has
    /// the commit.
    pub async fn survey(
        &self,
        settings: &Settings,
        wanted: &Wanted,
        makes_tag: bool,
    ) -> Result<CheckoutFacts, GitError> {
        let remote = settings.master_remote.as_str();
        let needs_tags = settings.require_tag
            || settings.verify_signatures
            || makes_tag
            || !matches!(wanted, Wanted::Commit(_));
        let (local_tags, listing) = tokio::join!(self.tags(), async {
            match needs_tags || !settings.branch.is_any() {
                true => self.list(remote).await.map(Some),
                false => Ok(None),
            }
        });
        let (local_tags, listing) = (local_tags?, listing?);
        let (asked, commit) = match wanted {
            Wanted::Commit(name) => (Asked::Commit(name.clone()), self.resolve(name).await?),
            Wanted::Tag(name) => self.find_tag(name, &local_tags, listing.as_ref(), remote).await?,
            Wanted::LatestTag => {
                let there = listing.as_ref().map(Listing::tags).unwrap_or_default();
                let all: Vec<Tag> = local_tags.iter().cloned().chain(there).collect();
                let name = latest_tag(settings, &all)?;
                self.find_tag(&name, &local_tags, listing.as_ref(), remote).await?
            }
        };
        let (release, branch, head, changes, url) = tokio::join!(
            self.describe(&commit),
            self.branch(),
            self.git(&["rev-parse", "--verify", "--quiet", "HEAD"]),
            self.git(&["status", "--porcelain"]),
            self.remote_url(remote)
        );
        let listing = match listing {
            Some(listing) => Some(listing),
            None if self.tracks(&commit, remote).await => None,
            None => Some(self.list(remote).await?),
        };
        let seen = match &listing {
            Some(listing) => self.look_at_remote(settings, &commit, branch.as_deref(), listing).await?,
            None => {
                SeenOnRemote { has_release: true, branch_has_release: true, has_branch: true, push: None }
            }
        };
        let tags_there = listing.as_ref().map(Listing::tags).unwrap_or_default();
        let bad_signature = match settings.verify_signatures {
            true => {
                let all = local_tags.iter().chain(&tags_there);
                let tag = match &asked {
                    Asked::Tag(tag) => Some(tag.as_str()),
                    Asked::Commit(_) => release_tag(settings, all, &commit),
                };
                self.check_signature(tag, listing.as_ref(), &settings.allowed_signers).await
            }
            false => None,
        };
        let unpushed_submodules = match release.submodules {
            true => self.unpushed_submodules(&commit).await,
            false => Vec::new(),
        };
        let may_tag = needs_tags && (settings.sign_tags || settings.verify_signatures);
        Ok(CheckoutFacts {
            is_head: head.is_ok_and(|head| head == commit.as_str()),
            release: match &asked {
                Asked::Tag(tag) => release.tagged(tag),
                Asked::Commit(_) => release,
            },
            asked,
            branch,
            changes: changes?.lines().map(str::to_owned).collect(),
            tags: local_tags,
            remote: RemoteFacts {
                name: remote.to_owned(),
                url,
                has_release: seen.has_release,
                branch_has_release: seen.branch_has_release,
                has_branch: seen.has_branch,
                tags: tags_there,
                push: seen.push,
            },
            unpushed_submodules,
            can_sign: may_tag && self.can_sign().await,
            bad_signature,
        })
    }

    /// The one commit that a name means.
    async fn resolve(&self, name: &str) -> Result<CommitId, GitError> {
        let unknown = |why: String| GitError::UnknownCommit { reference: name.to_owned(), why };
        if name.is_empty() || name.starts_with('-') {
            return Err(unknown("it would be taken for an option".to_owned()));
        }
        let meanings = self.meanings(name).await;
        let distinct: std::collections::BTreeSet<&str> = meanings.iter().map(|(_, id)| id.as_str()).collect();
        if distinct.len() > 1 {
            let told = |(what, id): &(String, String)| format!("{what} ({})", &id[..10.min(id.len())]);
            let meanings = meanings.iter().map(told).collect();
            return Err(GitError::Ambiguous { reference: name.to_owned(), meanings });
        }
        self.commit_of(name).await.map_err(|error| match error {
            GitError::Failed { why, .. } => unknown(first_line(&why)),
            other => other,
        })
    }

    async fn commit_of(&self, name: &str) -> Result<CommitId, GitError> {
        let id =
            self.git(&["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")]).await?;
        CommitId::new(id)
            .map_err(|error| GitError::UnknownCommit { reference: name.to_owned(), why: error.to_string() })
    }

    /// All that a plain name could mean: git takes the first of these, and warns at most.
    async fn meanings(&self, name: &str) -> Vec<(String, String)> {
        let mut meanings = Vec::new();
        for (kind, prefix) in [("a tag", "refs/tags/"), ("a branch", "refs/heads/")] {
            if let Ok(commit) = self.commit_of(&format!("{prefix}{name}")).await {
                meanings.push((kind.to_owned(), commit.to_string()));
            }
        }
        let may_be_id = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit());
        if may_be_id {
            let found = self.git(&["rev-parse", &format!("--disambiguate={name}")]).await.unwrap_or_default();
            for id in found.lines() {
                // Ids of files and folders are none of our business.
                if self.git(&["cat-file", "-t", id]).await.is_ok_and(|kind| kind == "commit") {
                    meanings.push((format!("the commit {}", &id[..12.min(id.len())]), id.to_owned()));
                }
            }
        }
        meanings
    }

    /// The commit of a tag, which may only be on the remote.
    async fn find_tag(
        &self,
        name: &str,
        local: &[Tag],
        listing: Option<&Listing>,
        remote: &str,
    ) -> Result<(Asked, CommitId), GitError> {
        let asked = Asked::Tag(name.to_owned());
        if let Some(tag) = local.iter().find(|tag| tag.name == name) {
            return Ok((asked, tag.commit.clone()));
        }
        let missing = || GitError::NoTag { tag: name.to_owned(), remote: remote.to_owned() };
        let there = listing.and_then(|listing| listing.tags.get(name)).ok_or_else(missing)?;
        self.fetch_objects(remote, [format!("refs/tags/{name}")]).await?;
        Ok((asked, self.commit_of(there.commit()).await?))
    }

    /// A commit with the names that people know it by.
    async fn describe(&self, commit: &CommitId) -> Release {
        let modules = format!("{commit}:.gitmodules");
        // The long form tells a tag that stands on the commit from one that stands before it.
        let describe = ["describe", "--tags", "--always", "--long", commit.as_str()];
        let has_modules = ["cat-file", "-e", &modules];
        let (long, modules) = tokio::join!(self.git(&describe), self.git(&has_modules));
        let long = long.unwrap_or_else(|_| commit.short().to_owned());
        let release = Release { submodules: modules.is_ok(), ..Release::unnamed(commit.clone()) };
        match long.rsplit_once("-g").and_then(|(name, _)| name.rsplit_once('-')) {
            Some((tag, "0")) => release.tagged(tag),
            Some(_) => Release { describe: long, ..release },
            None => release,
        }
    }

    /// Tags of commits in this checkout.
    async fn tags(&self) -> Result<Vec<Tag>, GitError> {
        let format = "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)";
        let listed = self.git(&["for-each-ref", format, "refs/tags"]).await?;
        let tag = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let commit = match words[1..] {
                ["commit", id, ..] | ["tag", _, "commit", id] => id,
                _ => return None,
            };
            let name = words[0].strip_prefix("refs/tags/")?.to_owned();
            Some(Tag { name, commit: CommitId::new(commit).ok()? })
        };
        Ok(listed.lines().filter_map(tag).collect())
    }

    /// Whether the remote had the commit when this checkout heard of it last.
    async fn tracks(&self, commit: &CommitId, remote: &str) -> bool {
        let refs = format!("refs/remotes/{remote}/");
        let found = self.git(&["for-each-ref", "--count=1", "--contains", commit.as_str(), &refs]).await;
        found.is_ok_and(|found| !found.is_empty())
    }

    /// Asks the remote what it has.
    async fn list(&self, remote: &str) -> Result<Listing, GitError> {
        let listed =
            self.git(&["ls-remote", "--heads", "--tags", "--", remote]).await.map_err(
                |error| match error {
                    GitError::Failed { why, .. } => {
                        GitError::NoAnswer { remote: remote.to_owned(), why: last_words(&why) }
                    }
                    other => other,
                },
            )?;
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

    async fn look_at_remote(
        &self,
        settings: &Settings,
        commit: &CommitId,
        branch: Option<&str>,
        listing: &Listing,
    ) -> Result<SeenOnRemote, GitError> {
        let remote = settings.master_remote.as_str();
        let fitting: BTreeMap<&str, &str> = listing
            .branches
            .iter()
            .filter(|(name, _)| settings.branch.matches(name))
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

    async fn fetch_objects(
        &self,
        remote: &str,
        refs: impl IntoIterator<Item = String>,
    ) -> Result<(), GitError> {
        let refs: Vec<String> = refs.into_iter().collect();
        let mut arguments =
            vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--", remote];
        arguments.extend(refs.iter().map(String::as_str));
        self.git(&arguments).await.map(drop)
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

    /// What speaks against the signature of a tag; nothing, if there is no tag yet.
    async fn check_signature(
        &self,
        tag: Option<&str>,
        listing: Option<&Listing>,
        signers: &[String],
    ) -> Option<String> {
        let tag = tag?;
        let here = format!("refs/tags/{tag}");
        let object = match self.git(&["rev-parse", "--verify", "--quiet", &here]).await {
            Ok(object) => object,
            Err(_) => listing.and_then(|listing| listing.tags.get(tag))?.object.clone(),
        };
        let checked = Command::new("sh")
            .args(["-c", &verify_tag(tag, &object, signers)])
            .current_dir(&self.root)
            .stdin(std::process::Stdio::null())
            .output()
            .await;
        match checked {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Submodules that are checked out here and whose commit none of their remotes' branches has.
    async fn unpushed_submodules(&self, commit: &CommitId) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "-z", commit.as_str()]).await.unwrap_or_default();
        let mut unpushed = Vec::new();
        for entry in listed.split('\0') {
            let Some((meta, path)) = entry.split_once('\t') else { continue };
            let Some(id) = meta.strip_prefix("160000 commit ") else { continue };
            let folder = self.root.join(path);
            if !folder.join(".git").exists() {
                continue;
            }
            let submodule = Repository { root: folder };
            let known = ["for-each-ref", "--count=1", "--contains", id, "refs/remotes"];
            if submodule.git(&known).await.is_ok_and(|found| found.is_empty()) {
                unpushed.push(path.to_owned());
            }
        }
        unpushed
    }
}

/// Revisions, for git's standard input: the commit and all before it, but for what can be reached from the others.
fn only_from<'i>(commit: &CommitId, others: impl Iterator<Item = &'i str>) -> String {
    others.fold(format!("{commit}\n"), |text, id| text + "^" + id + "\n")
}

struct SeenOnRemote {
    has_release: bool,
    branch_has_release: bool,
    has_branch: bool,
    push: Option<PushFacts>,
}

impl Listing {
    fn tags(&self) -> Vec<Tag> {
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

/// What git says last is what went wrong; before that come its greetings.
fn last_words(why: &str) -> String {
    let mut lines = why.lines().rev().filter(|line| !line.trim().is_empty());
    lines.next().unwrap_or_default().trim_start_matches("fatal: ").to_owned()
}
