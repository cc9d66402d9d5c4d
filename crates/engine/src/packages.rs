//! Private packages: fetched by the deployer, once, into a cache of their own; a host gets what is in there.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use buedafab_model::app::package::{FetchedPackage, HEAD, PackageSource, PrivatePackage};
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::Settings;
use buedafab_model::shell::environment_of_git;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::process::async_program;
use crate::random::random_word;
use crate::s3::{S3, S3Error};

/// Why a package can't be had.
#[derive(Debug, thiserror::Error)]
#[error("the private package {package} can't be fetched: {why}")]
pub struct PackageError {
    package: String,
    why: PackageProblem,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageProblem {
    #[error("{0}")]
    Git(String),
    #[error("{url} has no tag and no branch called {rev:?}")]
    NoRevision { url: String, rev: String },
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error("its check sum is {found} instead of {expected}")]
    CheckSum { found: String, expected: String },
    #[error("there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set")]
    NoCache,
    #[error("the cache can't be written: {0}")]
    Cache(#[from] std::io::Error),
}

/// The program's own folder among the user's caches, if the user has one.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(cache.or_else(home)?.join("buedafab"))
}

/// Packages on the deployer.
#[derive(Debug)]
pub struct PackageCache {
    /// `None`: there is no folder that is the user's alone.
    folder: Option<PathBuf>,
    s3: S3,
}

impl PackageCache {
    /// The user's own cache.
    pub fn new(settings: &Settings) -> Self {
        Self { folder: cache_folder(), s3: S3::new(settings) }
    }

    /// The folder of all that can be had again; `None`: there is none that is the user's alone.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Fetches a package, unless it is there already. Nothing is asked over the network for what is known by its commit
    /// or check sum.
    pub async fn fetch(&self, package: &PrivatePackage) -> Result<FetchedPackage, PackageError> {
        let fetched = match (&self.folder, &package.source) {
            (None, _) => Err(PackageProblem::NoCache),
            (Some(folder), PackageSource::Git { url, rev }) => {
                fetch_git(folder, &package.name, url, rev).await
            }
            (Some(folder), PackageSource::S3 { bucket, key, sha256 }) => {
                self.fetch_s3(folder, &package.name, bucket, key, sha256).await
            }
        };
        fetched.map_err(|why| PackageError { package: package.name.clone(), why })
    }

    /// A file of a person's, as hosts get it: its check sum is what it is.
    pub async fn of_person(path: &Path) -> std::io::Result<FetchedPackage> {
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let sha256 = check_sum(path).await?;
        let size_bytes = std::fs::metadata(path)?.len();
        Ok(FetchedPackage { name: file.clone(), key: sha256.clone(), file, sha256, size_bytes })
    }

    /// Its file.
    pub fn path(&self, package: &FetchedPackage) -> PathBuf {
        path_in(self.folder.as_deref().unwrap_or(Path::new("")), package)
    }

    async fn fetch_s3(
        &self,
        cache: &Path,
        name: &str,
        bucket: &str,
        key: &str,
        sha256: &str,
    ) -> Result<FetchedPackage, PackageProblem> {
        let file = key.rsplit('/').next().unwrap_or(key).to_owned();
        let fetched = FetchedPackage {
            name: name.to_owned(),
            key: sha256.to_owned(),
            file,
            sha256: sha256.to_owned(),
            size_bytes: 0,
        };
        let of_size = |path: &Path| {
            let size_bytes = std::fs::metadata(path)?.len();
            Ok(FetchedPackage { size_bytes, ..fetched.clone() })
        };
        let path = path_in(cache, &fetched);
        // What lies there may have been tampered with, or cut short by a full disk.
        if path.exists() && check_sum(&path).await? == sha256 {
            return of_size(&path);
        }
        let folder = path.parent().expect("it is in a folder");
        std::fs::create_dir_all(folder)?;
        let new = folder.join(format!(".new-{}", random_word(8)));
        let got = self.s3.get(bucket, key, &new).await.map_err(PackageProblem::from);
        let found = match got {
            Ok(()) => check_sum(&new).await.map_err(PackageProblem::from),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) if found == sha256 => std::fs::rename(&new, &path)?,
            wrong => {
                let _ = std::fs::remove_file(&new);
                let found = wrong?;
                return Err(PackageProblem::CheckSum { found, expected: sha256.to_owned() });
            }
        }
        of_size(&path)
    }
}

fn path_in(cache: &Path, package: &FetchedPackage) -> PathBuf {
    cache.join("packages").join(package.place())
}

async fn fetch_git(cache: &Path, name: &str, url: &str, rev: &str) -> Result<FetchedPackage, PackageProblem> {
    let remote = RemoteUrl::of(url);
    let commit = if is_commit(rev) { rev.to_ascii_lowercase() } else { find_revision(&remote, rev).await? };
    // With git's own `g`, as in `git describe`: without it, digits and a `c` are the version of a candidate to pip.
    let versioned = format!("{name}-g{}", &commit[..10]);
    let file = format!("{versioned}.tar.gz");
    let folder = cache.join("packages").join(&commit);
    let path = folder.join(&file);
    if !path.exists() {
        let clone = cache.join("git").join(hex::encode(Sha256::digest(url.as_bytes())));
        let folder_text = clone.display().to_string();
        git(&["init", "--quiet", "--bare", &folder_text]).await?;
        if git(&["-C", &folder_text, "cat-file", "-e", &format!("{commit}^{{commit}}")]).await.is_err() {
            let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
            let words =
                ["-C", &folder_text, "fetch", "--quiet", "--prune", "--", &remote.url, all[0], all[1]];
            git_of(&remote, &words).await?;
        }
        std::fs::create_dir_all(&folder)?;
        let new = folder.join(format!(".new-{}", random_word(8)));
        let new_text = new.display().to_string();
        let prefix = format!("--prefix={versioned}/");
        let packed =
            git(&["-C", &folder_text, "archive", "--format=tar.gz", &prefix, "--output", &new_text, &commit])
                .await;
        if let Err(error) = packed {
            let _ = std::fs::remove_file(&new);
            return Err(error);
        }
        std::fs::rename(&new, &path)?;
    }
    let sha256 = check_sum(&path).await?;
    let size_bytes = std::fs::metadata(&path)?.len();
    Ok(FetchedPackage { name: name.to_owned(), key: commit, file, sha256, size_bytes })
}

fn is_commit(rev: &str) -> bool {
    hex::decode(rev).is_ok_and(|id| matches!(id.len(), 20 | 32))
}

/// The commit of a tag, or else of a branch, or of the default branch, as the remote has it now.
async fn find_revision(remote: &RemoteUrl, rev: &str) -> Result<String, PackageProblem> {
    let names = match rev {
        HEAD => vec![HEAD.to_owned()],
        _ => vec![format!("refs/tags/{rev}^{{}}"), format!("refs/tags/{rev}"), format!("refs/heads/{rev}")],
    };
    let wanted = names.iter().map(String::as_str);
    let words: Vec<&str> = ["ls-remote", "--", &remote.url].into_iter().chain(wanted).collect();
    let listed = git_of(remote, &words).await?;
    let commit_of = |name: &String| {
        listed.lines().find_map(|line| Some(line.split_once('\t').filter(|(_, found)| found == name)?.0))
    };
    let found = names.iter().find_map(commit_of).filter(|commit| is_commit(commit));
    found
        .map(str::to_owned)
        .ok_or_else(|| PackageProblem::NoRevision { url: remote.url.clone(), rev: rev.to_owned() })
}

/// How long a git server may take for a whole package.
const GIT_LIMIT: Duration = Duration::from_secs(600);

pub(crate) async fn git(arguments: &[&str]) -> Result<String, PackageProblem> {
    run_git(async_program("git").args(arguments)).await
}

/// The same, as who may read a repository. Neither arguments nor what git keeps have a password of its address.
pub(crate) async fn git_of(remote: &RemoteUrl, arguments: &[&str]) -> Result<String, PackageProblem> {
    let before = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let mut command = async_program("git");
    for (name, value) in environment_of_git(remote, before) {
        command.env(name, OsStr::from_bytes(value.reveal()));
    }
    run_git(command.args(arguments)).await
}

async fn run_git(command: &mut Command) -> Result<String, PackageProblem> {
    let output = command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let wrong = |why: String| PackageProblem::Git(why);
    match tokio::time::timeout(GIT_LIMIT, output).await {
        Err(_) => Err(wrong(format!("git took longer than {} s", GIT_LIMIT.as_secs()))),
        Ok(Err(error)) => Err(wrong(format!("can't run git: {error}"))),
        Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Ok(output)) => Err(wrong(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

/// The check sum of a file. Beats go on meanwhile: runners would take this end for dead while a large one is read.
pub(crate) async fn check_sum(path: &Path) -> std::io::Result<String> {
    let path = path.to_owned();
    let summed = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = [0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hex::encode(hasher.finalize())),
                read => hasher.update(&buffer[..read]),
            }
        }
    });
    summed.await.expect("reading a file doesn't panic")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command as Blocking};

    use super::*;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Git is told who to be, and nothing keeps or shows it.
    #[tokio::test]
    async fn no_argument_or_file_has_the_password_of_a_package() {
        const PASSWORD: &str = "s3cret-%@'$x";
        let folder = tempfile::tempdir().expect("a folder");
        let sh = "git init -q -b main plato; cd plato; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one; git tag v1; git clone -q --bare . ../plato.git";
        let made = Blocking::new("sh").args(["-c", sh]).current_dir(&folder).status().expect("it runs");
        assert!(made.success());
        let mut server = Blocking::new("/usr/bin/python3")
            .args(["-c", include_str!("../../model/tests/common/git_server.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let words = format!("{}\nada\n{PASSWORD}\n", folder.path().display());
        server.stdin.take().expect("it is piped").write_all(words.as_bytes()).expect("it reads");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("it is piped")).read_line(&mut port).expect("it says");
        let _server = Ended(server);
        let cache = folder.path().join("cache");
        let at = |who: &str| format!("http://{who}@127.0.0.1:{}/plato.git", port.trim());
        let url = at("ada:s3cret-%25%40'$x");
        for rev in ["v1", "main", HEAD] {
            let fetched = fetch_git(&cache, "plato", &url, rev).await.expect("it is there");
            assert!(fetched.file.starts_with("plato-g"), "{fetched:?}");
        }
        let gone = fetch_git(&cache, "plato", &url, "gone").await.expect_err("there is none");
        let wrong = fetch_git(&cache, "plato", &at("ada:s3cret-wrong"), "v1").await.expect_err("it is wrong");
        for said in [gone.to_string(), wrong.to_string()] {
            assert!(said.contains("127.0.0.1") && !said.contains("s3cret"), "{said}");
        }
        let found =
            Blocking::new("grep").args(["-rl", "s3cret"]).arg(folder.path()).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}
