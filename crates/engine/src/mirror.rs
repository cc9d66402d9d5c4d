//! The deployer's own mirror of a git remote, from which it sends hosts what they lack of a release: one folder a remote, in the
//! user's cache. It takes nothing from a checkout but a commit that its remote doesn't have yet, and keeps nothing that can't be had
//! again.

mod lfs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use buedafab_model::app::bundle::{Base, Bases, Bundle, Bundles};
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::names::CommitId;
use buedafab_model::planner::WantedBundles;
use sha2::{Digest, Sha256};

use crate::packages::{PackageProblem, cache_folder, check_sum, git, git_of};
use crate::random::random_word;

/// Why a release can't be sent.
#[derive(Debug, thiserror::Error)]
#[error("what hosts lack of {commit} can't be put together: {why}")]
pub struct MirrorError {
    commit: String,
    why: MirrorProblem,
}

#[derive(Debug, thiserror::Error)]
enum MirrorProblem {
    #[error(transparent)]
    Git(#[from] PackageProblem),
    #[error("neither {url} nor this checkout has it{}", said(.why))]
    NoCommit { url: String, why: Option<String> },
    #[error("{url} doesn't have the commit {commit} of the submodule {path}{}", said(.why))]
    NoSubmodule { path: String, commit: CommitId, url: String, why: Option<String> },
    #[error(
        "the content of {path}, which Git LFS calls {sum}, is neither here nor on the LFS server of {url}{}{}",
        nor_more(*more),
        said(.why)
    )]
    NoContent { path: String, sum: String, more: usize, url: String, why: Option<String> },
    #[error("another run has worked on {} for {} s", .0.display(), LOCK_LIMIT.as_secs())]
    Busy(PathBuf),
    #[error("the cache can't be written: {0}")]
    Cache(#[from] std::io::Error),
}

fn nor_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(", nor are those of {more} more") }
}

fn said(why: &Option<String>) -> String {
    why.as_ref().map_or_else(String::new, |why| format!(" ({why})"))
}

/// How long another run may take that works on the same mirror: as long as git may take to fetch one.
const LOCK_LIMIT: Duration = Duration::from_secs(600);

/// What was sent is of no use to anybody after a day: no run takes as long.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What was made for a release.
#[derive(Debug, Default)]
pub struct MadeBundles {
    /// The bundles.
    pub bundles: Bundles,
    /// Their files, by what they are.
    pub files: BTreeMap<String, PathBuf>,
}

/// The mirror of one remote.
#[derive(Debug, Clone)]
pub struct Mirror {
    remote: RemoteUrl,
    /// The checkout, which an address may be relative to.
    checkout: PathBuf,
    cache: PathBuf,
    clone: PathBuf,
}

impl Mirror {
    /// The mirror of the remote at `url`, as the checkout in this folder names it. `None`: the user has no folder for caches.
    pub fn of(url: &str, checkout: &Path) -> Option<Mirror> {
        let cache = cache_folder()?;
        let remote = RemoteUrl::of(url);
        let name = hex::encode(Sha256::digest(remote.url.as_bytes()));
        let clone = cache.join("mirrors").join(format!("{}.git", &name[..32]));
        Some(Mirror { remote, checkout: checkout.to_owned(), cache, clone })
    }

    /// Fetches what a release takes, if the mirror lacks it, so that it is there when bundles are made. Whether that went well shows
    /// then.
    pub async fn prepare(&self, commit: &CommitId) {
        if let Ok(_lock) = self.lock().await {
            let _ = self.fetch(&[commit]).await;
        }
    }

    /// Makes the bundles that a plan lacks. A mirror that git finds errors in is made anew, and locks of a run that was killed go.
    pub async fn make(&self, wanted: &WantedBundles) -> Result<MadeBundles, MirrorError> {
        let made = async {
            let _lock = self.lock().await?;
            match self.try_to_make(wanted).await {
                Err(_) if self.is_damaged().await => {
                    std::fs::remove_dir_all(&self.clone)?;
                    self.try_to_make(wanted).await
                }
                Err(_) if remove_locks(&self.clone) => self.try_to_make(wanted).await,
                made => {
                    self.pack().await;
                    made
                }
            }
        };
        made.await.map_err(|why| MirrorError { commit: wanted.commit.short().to_owned(), why })
    }

    /// Waits for whoever works on the mirror. The lock goes with the process that holds it.
    async fn lock(&self) -> Result<std::fs::File, MirrorProblem> {
        let folder = self.cache.join("mirrors");
        std::fs::create_dir_all(&folder)?;
        let path = self.clone.with_extension("lock");
        let file = std::fs::File::options().create(true).append(true).open(&path)?;
        let until = tokio::time::Instant::now() + LOCK_LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
                Err(std::fs::TryLockError::WouldBlock) if tokio::time::Instant::now() > until => {
                    return Err(MirrorProblem::Busy(self.clone.clone()));
                }
                Err(std::fs::TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn try_to_make(&self, wanted: &WantedBundles) -> Result<MadeBundles, MirrorProblem> {
        let WantedBundles { commit, submodules, lfs, bases } = wanted;
        let known_by_hosts = bases.iter().flatten().map(|base| &base.commit);
        let all: BTreeSet<&CommitId> = known_by_hosts.chain([commit]).collect();
        let all = Vec::from_iter(all);
        let Fetched { known, failed } = self.fetch(&all).await?;
        if !known.contains(commit) {
            return Err(MirrorProblem::NoCommit { url: self.remote.url.clone(), why: failed });
        }
        let modules =
            if *submodules { self.modules(commit, Lacking::IsFetched).await? } else { BTreeSet::new() };
        let contents = if *lfs { self.lfs_files(commit, *submodules).await? } else { Vec::new() };
        self.bring_lfs(&contents).await?;
        let mut names = vec![name(RELEASE, None)];
        let kept = format!("{KEPT_FOR_HOSTS}/{commit}");
        let (release, kept) =
            (["update-ref", RELEASE, commit.as_str()], ["update-ref", &kept, commit.as_str()]);
        tokio::try_join!(self.git(&release), self.git(&kept))?;
        for module in &modules {
            let name = name(MODULES, Some(module));
            self.git(&["update-ref", &name, module.as_str()]).await?;
            names.push(name);
        }
        self.remove_old();
        let mut made = MadeBundles::default();
        for bases in bases {
            let bundle = self.bundle(commit, &modules, &names, bases, &known, &mut made.files).await?;
            let lfs = self.lfs_for(&contents, bases, &known, &mut made.files).await?;
            let bundle = Bundle { lfs: lfs.map(Box::new), ..bundle };
            made.bundles.insert(bases.clone(), bundle);
        }
        Ok(made)
    }

    /// One bundle, on as much of its bases as is known here: what a host has of its own is of no use.
    async fn bundle(
        &self,
        commit: &CommitId,
        modules: &BTreeSet<CommitId>,
        names: &[String],
        bases: &Bases,
        known: &BTreeSet<CommitId>,
        files: &mut BTreeMap<String, PathBuf>,
    ) -> Result<Bundle, MirrorProblem> {
        let mut on: Vec<CommitId> = Vec::new();
        let mut pinned = BTreeSet::new();
        for Base { commit: base, submodules, lfs: _ } in bases {
            if !known.contains(base) {
                continue;
            }
            on.push(base.clone());
            if *submodules && !modules.is_empty() {
                pinned.extend(self.modules(base, Lacking::IsLeftOut).await?);
            }
        }
        let on = self.without_ancestors(on).await?;
        let not: Vec<CommitId> = on.iter().cloned().chain(pinned).collect();
        let modules: Vec<CommitId> = modules.iter().cloned().collect();
        let not: Vec<&str> = not.iter().map(CommitId::as_str).collect();
        let wanted = [commit].into_iter().chain(&modules).map(CommitId::as_str);
        let mut count = vec!["rev-list", "--max-count=1"];
        count.extend(wanted.chain(["--not"]).chain(not.iter().copied()));
        let (counted, tags) = tokio::try_join!(self.git(&count), self.tags(commit, &on))?;
        if counted.trim().is_empty() {
            return Ok(Bundle { file: None, on, modules, lfs: None });
        }
        let folder = self.cache.join("bundles");
        std::fs::create_dir_all(&folder)?;
        let new = folder.join(format!(".new-{}", random_word(8)));
        let new_text = new.display().to_string();
        let mut create = vec!["bundle", "create", "--quiet", &new_text];
        create.extend(names.iter().chain(&tags).map(String::as_str));
        create.push("--not");
        create.extend(not);
        let created = async {
            self.git(&create).await?;
            let sha256 = check_sum(&new).await?;
            let path = folder.join(format!("{sha256}.bundle"));
            let size_bytes = std::fs::metadata(&new)?.len();
            std::fs::rename(&new, &path)?;
            Ok::<_, MirrorProblem>((path, sha256, size_bytes))
        };
        let created = created.await;
        if created.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        let (path, sha256, size_bytes) = created?;
        files.insert(sha256.clone(), path);
        let file = FetchedPackage {
            name: "bundle".to_owned(),
            key: sha256.clone(),
            file: format!("{}.bundle", commit.short()),
            sha256,
            size_bytes,
        };
        Ok(Bundle { file: Some(file), on, modules, lfs: None })
    }

    /// Those of some commits that none of the others has.
    async fn without_ancestors(&self, commits: Vec<CommitId>) -> Result<Vec<CommitId>, MirrorProblem> {
        if commits.len() < 2 {
            return Ok(commits);
        }
        let words = ["merge-base", "--independent"].into_iter().chain(commits.iter().map(CommitId::as_str));
        let independent = self.git(&words.collect::<Vec<_>>()).await?;
        Ok(commits.into_iter().filter(|commit| independent.lines().any(|id| id == commit.as_str())).collect())
    }

    /// The tags by which a release is described, but for those that what it builds on has.
    async fn tags(&self, commit: &CommitId, on: &[CommitId]) -> Result<Vec<String>, MirrorProblem> {
        let without: Vec<String> = on.iter().map(|base| format!("--no-merged={base}")).collect();
        let merged = format!("--merged={commit}");
        let mut words = vec!["for-each-ref", "--format=%(refname)", &merged];
        words.extend(without.iter().map(String::as_str));
        words.push("refs/tags");
        Ok(self.git(&words).await?.lines().map(str::to_owned).collect())
    }

    /// Fetches from the remote, if any of these commits lacks here; and from the checkout, what the remote doesn't have: it may be about
    /// to be pushed.
    async fn fetch(&self, commits: &[&CommitId]) -> Result<Fetched, MirrorProblem> {
        self.begin().await?;
        let known = self.known(commits).await.unwrap_or_default();
        if commits.iter().all(|commit| known.contains(*commit)) {
            return Ok(Fetched { known, failed: None });
        }
        let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let words = ["fetch", "--quiet", "--prune", "--no-tags", "--", &self.remote.url, all[0], all[1]];
        let fetched = self.git_of(&self.remote, &words).await;
        let known = self.known(commits).await?;
        let lacks = commits.iter().filter(|commit| !known.contains(**commit));
        let mut asks_again = false;
        for commit in lacks {
            asks_again = true;
            // No branch has it any more, or none yet.
            let kept = format!("+{commit}:{KEPT_FOR_HOSTS}/{commit}");
            let words = ["fetch", "--quiet", "--no-tags", "--", &self.remote.url, &kept];
            if fetched.is_ok() && self.git_of(&self.remote, &words).await.is_ok() {
                continue;
            }
            if self.checkout_has_all_of(commit).await {
                let checkout = self.checkout.display().to_string();
                let words =
                    ["fetch", "--quiet", "--no-tags", "--upload-pack", UPLOAD_PACK, "--", &checkout, &kept];
                let _ = self.git(&words).await;
            }
        }
        let known = if asks_again { self.known(commits).await? } else { known };
        Ok(Fetched { known, failed: fetched.err().map(|error| error.to_string()) })
    }

    /// Those that are here, asked by one process.
    async fn known(&self, commits: &[&CommitId]) -> Result<BTreeSet<CommitId>, MirrorProblem> {
        let words = ["rev-list", "--no-walk", "--ignore-missing"].into_iter();
        let listed =
            self.git(&words.chain(commits.iter().map(|commit| commit.as_str())).collect::<Vec<_>>()).await?;
        Ok(listed.lines().filter_map(|id| CommitId::new(id).ok()).collect())
    }

    /// The history of a shallow checkout ends somewhere, and that of a partial one is elsewhere.
    async fn checkout_has_all_of(&self, commit: &CommitId) -> bool {
        let checkout = self.checkout.display().to_string();
        let ask = async |words: &[&str]| git(&[&["-C", checkout.as_str()], words].concat()).await;
        let is_there = ask(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).await.is_ok();
        let is_shallow = ask(&["rev-parse", "--is-shallow-repository"]).await;
        let is_partial =
            ask(&["config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$"]).await;
        is_there && is_shallow.is_ok_and(|said| said.trim() == "false") && is_partial.is_err()
    }

    /// Makes the mirror, if there is none. Nobody sees half of one.
    async fn begin(&self) -> Result<(), MirrorProblem> {
        if self.clone.exists() {
            return Ok(());
        }
        let new = self.clone.with_extension(format!("new-{}", random_word(8)));
        let made = git(&["init", "--quiet", "--bare", &new.display().to_string()]).await;
        let moved = made.map_err(MirrorProblem::from).and_then(|_| Ok(std::fs::rename(&new, &self.clone)?));
        if moved.is_err() {
            let _ = std::fs::remove_dir_all(&new);
        }
        moved
    }

    async fn is_damaged(&self) -> bool {
        let checked = ["fsck", "--connectivity-only", "--no-dangling", "--no-progress"];
        self.clone.exists() && self.git(&checked).await.is_err()
    }

    async fn has(&self, commit: &CommitId) -> bool {
        self.git(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).await.is_ok()
    }

    /// The commits of a commit's submodules, and of theirs. What a release pins is fetched; what a base pins and isn't here is left out.
    async fn modules(
        &self,
        commit: &CommitId,
        lacking: Lacking,
    ) -> Result<BTreeSet<CommitId>, MirrorProblem> {
        let mut found = BTreeSet::new();
        let mut rest = vec![(commit.clone(), self.remote.url.clone())];
        while let Some((commit, url)) = rest.pop() {
            for Pinned { path, commit, url } in self.pinned(&commit, &url).await? {
                if !self.has(&commit).await {
                    match lacking {
                        Lacking::IsLeftOut => continue,
                        Lacking::IsFetched => self.fetch_module(&path, &commit, &url).await?,
                    }
                }
                if found.insert(commit.clone()) {
                    rest.push((commit, url));
                }
            }
        }
        Ok(found)
    }

    /// The submodules of a commit whose repository is at `url`, as its `.gitmodules` says.
    async fn pinned(&self, commit: &CommitId, url: &str) -> Result<Vec<Pinned>, MirrorProblem> {
        let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", commit.as_str()]).await?;
        let links: Vec<(&str, CommitId)> = listed
            .split('\0')
            .filter_map(|entry| {
                let (meta, path) = entry.split_once('\t')?;
                Some((path, CommitId::new(meta.strip_prefix("160000 commit ")?).ok()?))
            })
            .collect();
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let blob = format!("--blob={commit}:.gitmodules");
        // A project without the file names none of them: on hosts git says so.
        let settings = self
            .git(&["config", &blob, "-z", "--get-regexp", r"^submodule\..*\.(path|url)$"])
            .await
            .unwrap_or_default();
        let settings: BTreeMap<&str, &str> =
            settings.split('\0').filter_map(|setting| setting.split_once('\n')).collect();
        let pinned = links.into_iter().filter_map(|(path, commit)| {
            let of_path = settings.iter().find(|(key, value)| key.ends_with(".path") && **value == path)?.0;
            let written = settings.get(format!("{}.url", of_path.strip_suffix(".path")?).as_str())?;
            Some(Pinned { path: path.to_owned(), commit, url: relative_to(url, written) })
        });
        Ok(pinned.collect())
    }

    async fn fetch_module(&self, path: &str, commit: &CommitId, url: &str) -> Result<(), MirrorProblem> {
        let remote = self.with_credentials(url);
        let name = hex::encode(Sha256::digest(remote.url.as_bytes()));
        let heads = format!("+refs/heads/*:refs/buedafab/remotes/{}/*", &name[..16]);
        let words = ["fetch", "--quiet", "--no-tags", "--prune", "--", &remote.url, &heads];
        let fetched = self.git_of(&remote, &words).await;
        if !self.has(commit).await {
            let kept = format!("+{commit}:{}", self::name(MODULES, Some(commit)));
            let words = ["fetch", "--quiet", "--no-tags", "--", &remote.url, &kept];
            let _ = self.git_of(&remote, &words).await;
        }
        if self.has(commit).await {
            return Ok(());
        }
        let why = fetched.err().map(|error| error.to_string());
        Err(MirrorProblem::NoSubmodule {
            path: path.to_owned(),
            commit: commit.clone(),
            url: remote.url,
            why,
        })
    }

    /// Has git pack what it keeps when there is much of it, as git judges. By itself it would ask after each fetch, by two processes
    /// for which hosts would wait.
    async fn pack(&self) {
        let many = |folder: &str, most: usize| {
            let entries = std::fs::read_dir(self.clone.join("objects").join(folder));
            entries.is_ok_and(|entries| entries.count() > most)
        };
        // Of loose objects one in 256 lies there; a pack has an index beside it, at least.
        if many("17", 27) || many("pack", 100) {
            let clone = format!("--git-dir={}", self.clone.display());
            let _ = git(&[&clone, "gc", "--auto", "--quiet"]).await;
        }
    }

    /// A remote by its address. Who may read the project may read what lies beside it.
    fn with_credentials(&self, url: &str) -> RemoteUrl {
        let mut remote = RemoteUrl::of(url);
        if remote.credentials.is_none()
            && RemoteUrl::server(&remote.url) == RemoteUrl::server(&self.remote.url)
        {
            remote.credentials = self.remote.credentials.clone();
        }
        remote
    }

    /// Removes what was sent days ago.
    fn remove_old(&self) {
        let Ok(entries) = std::fs::read_dir(self.cache.join("bundles")) else { return };
        for entry in entries.flatten() {
            let written = entry.metadata().and_then(|about| about.modified());
            let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
            if age.is_some_and(|age| age > KEPT) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    async fn git(&self, words: &[&str]) -> Result<String, MirrorProblem> {
        let clone = format!("--git-dir={}", self.clone.display());
        Ok(git(&[&[clone.as_str()], &UNPACKED[..], words].concat()).await?)
    }

    /// An address may be relative to the checkout.
    async fn git_of(&self, remote: &RemoteUrl, words: &[&str]) -> Result<String, MirrorProblem> {
        let (checkout, clone) =
            (self.checkout.display().to_string(), format!("--git-dir={}", self.clone.display()));
        let before = ["-C", checkout.as_str(), clone.as_str()];
        Ok(git_of(remote, &[&before, &UNPACKED[..], words].concat()).await?)
    }
}

/// Takes away what a git that was killed has locked; whether there was such a thing. Nobody else is at work here, as the lock is ours.
fn remove_locks(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut removed = false;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            removed |= entry.file_name() != "objects" && remove_locks(&path);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            removed |= std::fs::remove_file(&path).is_ok();
        }
    }
    removed
}

/// Has git leave what it keeps as it is.
const UNPACKED: [&str; 4] = ["-c", "gc.auto=0", "-c", "maintenance.auto=false"];

/// What the mirror calls the release whose bundles are made, and the commits of submodules. Hosts call them the same.
const RELEASE: &str = "refs/buedafab/release";
const MODULES: &str = "refs/buedafab/modules";
/// Where what was sent goes on hanging on a name, as hosts build on it: whoever pushes a branch back takes nothing away from here.
const KEPT_FOR_HOSTS: &str = "refs/kept";

/// Serves any commit, to those who may read the folder anyway.
const UPLOAD_PACK: &str = "git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack";

fn name(of: &str, commit: Option<&CommitId>) -> String {
    commit.map_or_else(|| of.to_owned(), |commit| format!("{of}/{commit}"))
}

/// What is here of some commits, once the remote was asked for what wasn't; and why it couldn't be asked, if so.
struct Fetched {
    known: BTreeSet<CommitId>,
    failed: Option<String>,
}

/// A submodule.
struct Pinned {
    path: String,
    commit: CommitId,
    url: String,
}

/// What becomes of a commit of a submodule that isn't here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lacking {
    IsFetched,
    IsLeftOut,
}

/// An address of a submodule, which may be relative to that of the project around it, as git understands it.
fn relative_to(url: &str, written: &str) -> String {
    if !written.starts_with("./") && !written.starts_with("../") {
        return written.to_owned();
    }
    let (mut base, mut rest, mut by) = (url.trim_end_matches('/'), written, '/');
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            rest = after;
            (base, by) = match base.rfind(['/', ':']) {
                Some(at) => (&base[..at], if base[at..].starts_with(':') { ':' } else { '/' }),
                None => (".", '/'),
            };
        } else {
            return format!("{base}{by}{}", rest.trim_end_matches('/'));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A remote with the commits `one` and `two`, a submodule with one of its own, and checkouts of it.
    const WORLD: &str = r#"
        export GIT_CONFIG_GLOBAL=$PWD/gitconfig
        printf '[init]\n\tdefaultBranch = main\n[user]\n\tname = Ada\n\temail = ada@example.com\n[protocol "file"]\n\tallow = always\n' >gitconfig
        for name in deep lib five; do git init -q $name; git -C $name commit -q --allow-empty -m $name; done
        git -C lib submodule --quiet add "$PWD/deep" deep; git -C lib commit -qm deep
        git -C five submodule --quiet add "$PWD/lib" lib; git -C five commit -qm one; git -C five tag -a -m one v1
        git -C five commit -q --allow-empty -m two
        git clone -q --bare five five.git; git -C five remote add origin "$PWD/five.git"
        git -C five commit -q --allow-empty -m 'not pushed'
        git clone -q --depth 1 "file://$PWD/five.git" shallow
    "#;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> World {
            let world = World(tempfile::tempdir().expect("a folder"));
            world.by_hand(WORLD);
            world
        }

        #[track_caller]
        fn by_hand(&self, script: &str) -> String {
            let output =
                Command::new("bash").args(["-ec", script]).current_dir(&self.0).output().expect("it runs");
            assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }

        fn commit(&self, name: &str) -> CommitId {
            CommitId::new(self.by_hand(&format!("git -C five rev-parse {name}"))).expect("a commit")
        }

        /// The mirror as a run in this checkout has it.
        fn mirror(&self, checkout: &str) -> Mirror {
            let cache = self.0.path().join("cache");
            Mirror {
                remote: RemoteUrl::of(&self.0.path().join("five.git").display().to_string()),
                checkout: self.0.path().join(checkout),
                clone: cache.join("mirrors/five.git"),
                cache,
            }
        }
    }

    fn on(commits: &[&CommitId], submodules: bool) -> Bases {
        commits.iter().map(|commit| Base { commit: (*commit).clone(), submodules, lfs: false }).collect()
    }

    fn wanted(commit: &CommitId, bases: impl IntoIterator<Item = Bases>) -> WantedBundles {
        WantedBundles {
            commit: commit.clone(),
            submodules: true,
            lfs: false,
            bases: bases.into_iter().collect(),
        }
    }

    #[tokio::test]
    async fn each_host_is_sent_what_it_lacks() {
        let world = World::new();
        let (one, two) = (world.commit("main~2"), world.commit("main~1"));
        let own = CommitId::new("e".repeat(40)).expect("a commit");
        let mirror = world.mirror("shallow");
        let bases = [
            on(&[], false),
            on(&[&one], false),
            on(&[&one], true),
            on(&[&own], false),
            on(&[&two, &one], true),
        ];
        let made = mirror.make(&wanted(&two, bases.clone())).await.expect("it is there");
        let told: Vec<String> = bases
            .iter()
            .map(|bases| {
                let Bundle { file, on, modules, lfs: _ } = &made.bundles[bases];
                let on = on.iter().map(|commit| if *commit == one { "one" } else { "two" });
                let on: Vec<&str> = on.collect();
                let Some(file) = file else { return format!("nothing, on {on:?}") };
                let path = &made.files[&file.key];
                let heads = world.by_hand(&format!("git -C five bundle list-heads {}", path.display()));
                let mut heads: Vec<&str> =
                    heads.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name).collect();
                heads.iter_mut().for_each(|name| {
                    *name = name
                        .rsplit_once('/')
                        .filter(|(of, _)| of.ends_with("modules"))
                        .map_or(*name, |_| "a module")
                });
                format!("{} with {} modules, on {on:?}", heads.join(", "), modules.len())
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        refs/buedafab/release, a module, a module, refs/tags/v1 with 2 modules, on []
        refs/buedafab/release, a module, a module with 2 modules, on ["one"]
        refs/buedafab/release with 2 modules, on ["one"]
        refs/buedafab/release, a module, a module, refs/tags/v1 with 2 modules, on []
        nothing, on ["two"]
        "#);
    }

    #[tokio::test]
    async fn what_is_not_pushed_yet_comes_from_the_checkout_if_that_has_all_of_it() {
        let world = World::new();
        let (head, two) = (world.commit("main"), world.commit("main~1"));
        let asked = wanted(&head, [on(&[&two], false)]);
        let refused = world.mirror("shallow").make(&asked).await.expect_err("nobody has it");
        assert!(refused.to_string().contains("nor this checkout has it"), "{refused}");
        let made = world.mirror("five").make(&asked).await.expect("the checkout has it");
        assert!(made.bundles.values().all(|bundle| bundle.file.is_some()));
        // The remote may be out of reach then.
        world.by_hand("mv five.git gone.git");
        world.mirror("shallow").make(&asked).await.expect("it is in the mirror");
    }

    #[tokio::test]
    async fn two_runs_share_a_mirror_and_a_damaged_one_is_made_anew() {
        let world = World::new();
        let two = world.commit("main~1");
        let asked = wanted(&two, [on(&[], false), on(&[&world.commit("main~2")], true)]);
        let (first, second) = (world.mirror("five"), world.mirror("shallow"));
        let (first, second) = tokio::join!(first.make(&asked), second.make(&asked));
        let made = first.expect("it is there");
        assert_eq!(
            made.bundles.keys().collect::<Vec<_>>(),
            second.expect("it is there").bundles.keys().collect::<Vec<_>>()
        );
        for damage in [
            "find cache/mirrors/five.git/objects -type f -exec sh -c 'chmod u+w $0; : >$0' {} \\;",
            ": >cache/mirrors/five.git/HEAD",
            "rm -r cache/mirrors/five.git/refs cache/mirrors/five.git/packed-refs || true",
            "rm -r cache/mirrors/five.git/*",
            "touch cache/mirrors/five.git/refs/buedafab/release.lock",
        ] {
            world.by_hand(damage);
            let made = world.mirror("five").make(&asked).await;
            made.unwrap_or_else(|error| panic!("{damage}: {error}"));
        }
        let left = world.by_hand("ls cache/mirrors; find cache -name '.new-*'");
        assert_eq!(left, "five.git\nfive.lock");
    }

    /// What Git LFS keeps for the project and its submodule: on each server `kept` is what that has.
    const LFS: &str = r#"
        export GIT_CONFIG_GLOBAL=$PWD/gitconfig
        put() { sum=$(printf "$3" | sha256sum | cut -c 1-64); kept=$1/lfs/objects/$(echo $sum | sed 's,^\(..\)\(..\).*,\1/\2/&,'); mkdir -p ${kept%/*}; printf "$3" >$kept
          printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' $sum ${#3} >$2; }
        for name in lib five; do printf '*.bin filter=lfs\n' >$name/.gitattributes; done
        put lib/.git lib/sound.bin 'a sound'; git -C lib add .; git -C lib commit -qm sound
        put five.git five/logo.bin 'a logo'; git -C five/lib fetch -q; git -C five/lib checkout -q origin/main
        git -C five add .; git -C five commit -qm three
        put five.git five/logo.bin 'another logo'; git -C five commit -qam four; git -C five push -q origin HEAD:main
        put five/.git five/logo.bin 'not pushed'; git -C five commit -qam five
        printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 1\n' $(printf x | sha256sum | cut -c 1-64) >five/lost.bin; git -C five add .; git -C five commit -qm six
    "#;

    #[tokio::test]
    async fn hosts_are_sent_the_lfs_files_that_they_lack() {
        let world = World::new();
        world.by_hand(LFS);
        let commit =
            |name: &str| world.commit(&format!("main~{}", 6 - name.parse::<usize>().expect("a number")));
        let (three, four, five, six) = (commit("3"), commit("4"), commit("5"), commit("6"));
        let bases = |commits: &[&CommitId], lfs: bool| -> Bases {
            on(commits, true).into_iter().map(|base| Base { lfs, ..base }).collect()
        };
        let mirror = world.mirror("five");
        let mut told = String::new();
        let mut make = async |what: &str, commit: &CommitId, bases: Bases| {
            let asked = WantedBundles { lfs: true, ..wanted(commit, [bases]) };
            let sent = match mirror.make(&asked).await {
                Ok(made) => match made.bundles.values().next().and_then(|bundle| bundle.lfs.clone()) {
                    Some(file) => world.by_hand(&format!(
                        "rm -rf new; mkdir new; tar -xf {} -C new; for file in new/*; do [ \"$(sha256sum <$file)\" = \"${{file#new/}}  -\" ]; cat $file; printf ', '; done",
                        made.files[&file.key].display()
                    )),
                    None => "nothing".to_owned(),
                },
                Err(error) => error
                    .to_string()
                    .replace(&world.0.path().display().to_string(), "ROOT")
                    .replace(commit.short(), "SIX"),
            };
            told.push_str(&format!("{what}: {sent}\n"));
        };
        make("all of it", &four, bases(&[], false)).await;
        make("what is new", &four, bases(&[&three], true)).await;
        make("to whom has the commit alone", &four, bases(&[&four], false)).await;
        make("to whom has it all", &four, bases(&[&four], true)).await;
        make("what only the checkout has", &five, bases(&[&four], true)).await;
        make("what nobody has", &six, bases(&[&five], true)).await;
        world.by_hand(
            "for file in cache/mirrors/five.git/lfs/objects/*/*/*; do rm $file; echo damaged >$file; done",
        );
        make("what was damaged", &four, bases(&[&three], true)).await;
        world.by_hand("mv five.git gone.git; mv lib gone");
        make("what is here, and no server answers", &four, bases(&[&three], true)).await;
        insta::assert_snapshot!(told, @"
        all of it: another logo, a sound,
        what is new: another logo,
        to whom has the commit alone: another logo, a sound,
        to whom has it all: nothing
        what only the checkout has: not pushed,
        what nobody has: what hosts lack of SIX can't be put together: the content of lost.bin, which Git LFS calls 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, is neither here nor on the LFS server of ROOT/five.git (error: failed to fetch some objects from 'file://ROOT/five.git')
        what was damaged: another logo,
        what is here, and no server answers: another logo,
        ");
    }

    #[test]
    fn addresses_of_submodules_are_relative_as_git_takes_them() {
        for (url, written, expected) in [
            ("https://x/a/five.git", "../lib.git", "https://x/a/lib.git"),
            ("https://x/a/five.git/", "../../b/lib", "https://x/b/lib"),
            ("git@x:a/five.git", "../lib", "git@x:a/lib"),
            ("git@x:five.git", "../lib", "git@x:lib"),
            ("/srv/five.git", "./lib", "/srv/five.git/lib"),
            ("https://x/five", "https://y/lib", "https://y/lib"),
            ("https://x/five", "git@y:lib", "git@y:lib"),
        ] {
            assert_eq!(relative_to(url, written), expected);
        }
    }
}
