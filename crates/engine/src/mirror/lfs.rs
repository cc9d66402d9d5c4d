//! What Git LFS keeps for releases, in the mirror, and what hosts lack of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use buedafab_model::app::bundle::{Base, Bases};
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::names::CommitId;
use buedafab_model::shell::list_lfs_files;

use super::{Mirror, MirrorProblem};
use crate::packages::{PackageProblem, check_sum, git};
use crate::process::async_program;
use crate::random::random_word;

/// A content that Git LFS keeps for a file, and the commit that names it.
#[derive(Debug, Clone)]
pub(super) struct LfsFile {
    sum: String,
    /// Where people find it.
    path: String,
    commit: CommitId,
    url: String,
}

impl Mirror {
    /// All that Git LFS keeps for a commit and, if asked, its submodules.
    pub(super) async fn lfs_files(
        &self,
        commit: &CommitId,
        submodules: bool,
    ) -> Result<Vec<LfsFile>, MirrorProblem> {
        let mut found = Vec::new();
        let mut rest = vec![(String::new(), commit.clone(), self.remote.url.clone())];
        while let Some((prefix, commit, url)) = rest.pop() {
            for line in self.list_lfs(&commit).await?.lines() {
                let Some((sum, path)) = line.split_once(' ').and_then(|(sum, rest)| {
                    let (_, path) = rest.split_once(' ')?;
                    Some((sum.to_owned(), format!("{prefix}{path}")))
                }) else {
                    continue;
                };
                found.push(LfsFile { sum, path, commit: commit.clone(), url: url.clone() });
            }
            if submodules {
                for pinned in self.pinned(&commit, &url).await? {
                    if self.has(&pinned.commit).await {
                        rest.push((format!("{prefix}{}/", pinned.path), pinned.commit, pinned.url));
                    }
                }
            }
        }
        Ok(found)
    }

    async fn list_lfs(&self, commit: &CommitId) -> Result<String, MirrorProblem> {
        let output = async_program("sh")
            .args(["-c", &list_lfs_files(commit)])
            .env("GIT_DIR", &self.clone)
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(PackageProblem::Git(why).into())
    }

    /// Where the mirror keeps a content, as git-lfs does.
    fn place_of(&self, sum: &str) -> PathBuf {
        in_lfs(&self.clone, sum)
    }

    /// Has these contents at hand, each of them read and found to be what it is called.
    pub(super) async fn bring_lfs(&self, files: &[LfsFile]) -> Result<(), MirrorProblem> {
        let mut lacking = self.lacking(files).await?;
        if lacking.is_empty() {
            return Ok(());
        }
        // What was committed here may not be pushed yet.
        let ask = ["-C", &self.checkout.display().to_string(), "rev-parse", "--git-common-dir"];
        if let Ok(folder) = git(&ask).await {
            let own = self.checkout.join(folder.trim());
            for file in &lacking {
                let (from, to) = (in_lfs(&own, &file.sum), self.place_of(&file.sum));
                if from.is_file() {
                    to.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                    std::fs::copy(&from, &to)?;
                }
            }
            lacking = self.lacking(&lacking).await?;
        }
        let commits: BTreeMap<CommitId, String> =
            lacking.iter().map(|file| (file.commit.clone(), file.url.clone())).collect();
        let mut why = None;
        for (commit, url) in &commits {
            why = self.fetch_lfs(commit, url).await.err().or(why);
        }
        lacking = self.lacking(&lacking).await?;
        let Some(LfsFile { sum, path, url, .. }) = lacking.first().cloned() else { return Ok(()) };
        let more = lacking.len() - 1;
        let why = why.map(|why| last_line(&why.to_string()));
        Err(MirrorProblem::NoContent { path, sum, more, url: RemoteUrl::of(&url).url, why })
    }

    /// Those that aren't here, or are something else.
    async fn lacking(&self, files: &[LfsFile]) -> Result<Vec<LfsFile>, MirrorProblem> {
        let mut lacking = Vec::new();
        for file in files {
            let place = self.place_of(&file.sum);
            if check_sum(&place).await.is_ok_and(|sum| sum == file.sum) {
                continue;
            }
            let _ = std::fs::remove_file(&place);
            lacking.push(file.clone());
        }
        Ok(lacking)
    }

    async fn fetch_lfs(&self, commit: &CommitId, url: &str) -> Result<(), MirrorProblem> {
        let remote = self.with_credentials(url);
        let blob = format!("--blob={commit}:.lfsconfig");
        let address = self.git(&["config", &blob, "lfs.url"]).await.unwrap_or_default();
        let (origin, lfs) =
            (format!("remote.origin.url={}", remote.url), format!("lfs.url={}", address.trim()));
        let mut words = vec!["-c", &origin];
        if !address.trim().is_empty() {
            words.extend(["-c", &lfs]);
        }
        words.extend(["lfs", "fetch", "--include=", "--exclude=", "origin", commit.as_str()]);
        self.git_of(&remote, &words).await.map(drop)
    }

    /// What a host lacks of these, which are all at hand, as one file; `None`, where it lacks nothing.
    pub(super) async fn lfs_for(
        &self,
        wanted: &[LfsFile],
        bases: &Bases,
        known: &BTreeSet<CommitId>,
        files: &mut BTreeMap<String, PathBuf>,
    ) -> Result<Option<FetchedPackage>, MirrorProblem> {
        let mut sums: BTreeSet<&str> = wanted.iter().map(|file| file.sum.as_str()).collect();
        for Base { commit, submodules: _, lfs } in bases {
            if *lfs && known.contains(commit) {
                for file in self.lfs_files(commit, true).await? {
                    sums.remove(file.sum.as_str());
                }
            }
        }
        let Some(first) = wanted.first().filter(|_| !sums.is_empty()) else { return Ok(None) };
        let folder = self.cache.join("bundles");
        let new = folder.join(format!(".new-{}", random_word(8)));
        let made = self.pack_lfs(&sums, &folder, &new).await;
        let _ = std::fs::remove_dir_all(&new);
        let (path, sha256, size_bytes) = made?;
        files.insert(sha256.clone(), path);
        Ok(Some(FetchedPackage {
            name: "LFS files".to_owned(),
            key: sha256.clone(),
            file: format!("{}.lfs.tar", first.commit.short()),
            sha256,
            size_bytes,
        }))
    }

    async fn pack_lfs(
        &self,
        sums: &BTreeSet<&str>,
        folder: &Path,
        new: &Path,
    ) -> Result<(PathBuf, String, u64), MirrorProblem> {
        let contents = new.join("contents");
        std::fs::create_dir_all(&contents)?;
        for sum in sums {
            std::fs::hard_link(self.place_of(sum), contents.join(sum))?;
        }
        let tar = new.join("tar");
        let status = async_program("tar")
            .arg("-cf")
            .arg(&tar)
            .arg("-C")
            .arg(&contents)
            .args(sums)
            // A tar of macOS would add what only that knows of files.
            .env("COPYFILE_DISABLE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await?;
        if !status.success() {
            return Err(std::io::Error::other("tar can't write what Git LFS keeps").into());
        }
        let sha256 = check_sum(&tar).await?;
        let path = folder.join(format!("{sha256}.lfs.tar"));
        let size_bytes = std::fs::metadata(&tar)?.len();
        std::fs::rename(&tar, &path)?;
        Ok((path, sha256, size_bytes))
    }
}

/// Where git-lfs keeps a content, below git's own folder.
fn in_lfs(folder: &Path, sum: &str) -> PathBuf {
    folder.join("lfs/objects").join(&sum[..2]).join(&sum[2..4]).join(sum)
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().to_owned()
}
