//! One look at the checkout and its remote: what the rules of an environment want to know about a release.

use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::{Asked, CheckoutFacts, PythonFiles, RemoteFacts, Tag};
use buedafab_model::deployer::rules::{latest_tag, release_tag};
use buedafab_model::names::CommitId;
use buedafab_model::release::Release;
use buedafab_model::shell::{list_lfs_files, verify_tag};

use super::remote::{Listing, SeenOnRemote};
use super::working_tree::WorkingTree;
use super::{GitError, Repository};
use crate::process::async_program;

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

impl Repository {
    /// Resolves what was asked for, once, and looks at all that the environment's rules depend on. `new_tag`: the tag
    /// that the release is to get, which may stand there already. `configuration`: where the project's configuration lies
    /// in the checkout, if it does. The remote is only asked where a rule needs it, or where this checkout doesn't know that it has
    /// the commit.
    pub async fn survey(
        &self,
        settings: &Settings,
        wanted: &Wanted,
        new_tag: Option<&str>,
        configuration: Option<&str>,
    ) -> Result<CheckoutFacts, GitError> {
        let remote = settings.source.master_remote.as_str();
        let needs_tags = settings.rules.require_tag
            || settings.rules.verify_signatures
            || new_tag.is_some()
            || !matches!(wanted, Wanted::Commit(_));
        let (local_tags, listing) = tokio::join!(self.tags(), async {
            if needs_tags || !settings.rules.branch.is_any() {
                self.list(remote).await.map(Some)
            } else {
                Ok(None)
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
        let release_file = async {
            match configuration {
                Some(path) => self.release_file(&commit, path).await.map(Some),
                None => Ok(None),
            }
        };
        let (release, tree, url, release_file, lfs) = tokio::join!(
            self.describe(&commit),
            self.working_tree(),
            self.remote_url(remote),
            release_file,
            self.has_lfs(&commit),
        );
        let release = Release { lfs: lfs?, ..release };
        let WorkingTree { head, branch, changes } = tree?;
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
        let bad_signature = if settings.rules.verify_signatures {
            let mut all = local_tags.iter().chain(&tags_there);
            let tag = match (&asked, new_tag) {
                (Asked::Tag(tag), _) => Some(tag.as_str()),
                (Asked::Commit(_), Some(name)) => {
                    all.any(|tag| tag.name == name && tag.commit == commit).then_some(name)
                }
                (Asked::Commit(_), None) => release_tag(settings, all, &commit),
            };
            self.check_signature(tag, listing.as_ref(), &settings.rules.allowed_signers).await
        } else {
            None
        };
        let unpushed_submodules =
            if release.submodules { self.unpushed_submodules(&commit).await } else { Vec::new() };
        let python = if settings.app.recipe.is_python() {
            Some(self.python_files(&commit, &settings.app.folders()).await?)
        } else {
            None
        };
        let own_env = format!("{}/", settings.layout.virtualenv);
        let may_tag = needs_tags && (settings.rules.sign_tags || settings.rules.verify_signatures);
        Ok(CheckoutFacts {
            is_head: head.as_ref() == Some(&commit),
            release: match &asked {
                Asked::Tag(tag) => release.tagged(tag),
                Asked::Commit(_) => release,
            },
            asked,
            branch,
            // A developer's virtualenv is no work that somebody forgot to commit.
            changes: changes.into_iter().filter(|line| line.strip_prefix("?? ") != Some(&own_env)).collect(),
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
            python,
            can_sign: may_tag && self.can_sign().await,
            bad_signature,
            shared_in_git: Vec::new(),
            release_file: release_file?,
        })
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
        let checked = async_program("sh")
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

    /// What a commit has that an installer would read.
    async fn python_files(&self, commit: &CommitId, folders: &[String]) -> Result<PythonFiles, GitError> {
        let listed =
            self.git(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit.as_str()]).await?;
        let paths: Vec<String> =
            listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        let mut pyprojects = Vec::new();
        for path in folders.iter().map(|folder| format!("{folder}pyproject.toml")) {
            let text = if paths.contains(&path) { self.file_in(commit, &path).await } else { None };
            pyprojects.push(text.unwrap_or_default());
        }
        Ok(PythonFiles { paths, pyprojects })
    }

    /// Whether Git LFS keeps the content of files of a commit, or of its submodules, as far as they are checked out here.
    async fn has_lfs(&self, commit: &CommitId) -> Result<bool, GitError> {
        let listed = async_program("sh")
            .args(["-c", &list_lfs_files(commit)])
            .current_dir(&self.root)
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(GitError::NoGit)?;
        if !listed.status.success() {
            let why = String::from_utf8_lossy(&listed.stderr).trim().to_owned();
            return Err(GitError::Failed { command: "lfs".to_owned(), why });
        }
        if !listed.stdout.is_empty() {
            return Ok(true);
        }
        for (submodule, _, id) in self.submodules_here(commit).await {
            if submodule.git(&["cat-file", "-e", id.as_str()]).await.is_ok()
                && Box::pin(submodule.has_lfs(&id)).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The submodules of a commit that are checked out here, with their paths and commits.
    async fn submodules_here(&self, commit: &CommitId) -> Vec<(Repository, String, CommitId)> {
        let listed = self.git(&["ls-tree", "-r", "-z", commit.as_str()]).await.unwrap_or_default();
        let submodules = listed.split('\0').filter_map(|entry| {
            let (meta, path) = entry.split_once('\t')?;
            let id = CommitId::new(meta.strip_prefix("160000 commit ")?).ok()?;
            let root = self.root.join(path);
            root.join(".git").exists().then(|| (Repository { root }, path.to_owned(), id))
        });
        submodules.collect()
    }

    /// Submodules that are checked out here and whose commit none of their remotes' branches has.
    async fn unpushed_submodules(&self, commit: &CommitId) -> Vec<String> {
        let mut unpushed = Vec::new();
        for (submodule, path, id) in self.submodules_here(commit).await {
            let known = ["for-each-ref", "--count=1", "--contains", id.as_str(), "refs/remotes"];
            if submodule.git(&known).await.is_ok_and(|found| found.is_empty()) {
                unpushed.push(path);
            }
        }
        unpushed
    }
}
