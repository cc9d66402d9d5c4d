//! A throw-away git remote, and somebody who works on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::folder::{Folder, create_public_dir, mode_of, write_file};

/// The time of the first commit: the beginning of 2026.
const FIRST_COMMIT_SECONDS: u64 = 1_767_225_600;

/// A bare git remote and a checkout of it, on branch `master`.
///
/// Nothing in them depends on the machine's or the user's git configuration, and the times of commits are counted, one
/// minute each: so the same calls make the same commits, id for id, on every machine.
#[derive(Debug)]
pub struct Remote {
    bare: PathBuf,
    checkout: PathBuf,
    commits: AtomicU64,
    _folder: Option<Folder>,
}

impl Remote {
    /// Makes a remote in an empty or new folder, and leaves it there. For hosts of a fleet to read it, the folder must
    /// be readable for everybody, and not be one that hosts have of their own, such as `/tmp`.
    pub fn new(folder: &Path) -> Remote {
        Remote::make(folder, None)
    }

    /// Makes a remote that all hosts of all fleets can read, and that goes away on drop.
    pub fn temp() -> Remote {
        let folder = Folder::create("remote");
        let path = folder.path().to_owned();
        Remote::make(&path, Some(folder))
    }

    fn make(path: &Path, folder: Option<Folder>) -> Remote {
        let (bare, checkout) = (path.join("remote.git"), path.join("checkout"));
        create_public_dir(&bare);
        create_public_dir(&checkout);
        let remote = Remote { bare, checkout, commits: AtomicU64::new(0), _folder: folder };
        // Shared, so that everybody can read it, whatever the umask is.
        remote.git_in(&remote.bare, &["init", "-q", "--bare", "--shared=all"]);
        remote.git(&["init", "-q"]);
        remote.git(&["remote", "add", "origin", &remote.url()]);
        remote
    }

    /// The path of the bare repository.
    pub fn path(&self) -> &Path {
        &self.bare
    }

    /// The `file://` address of the bare repository.
    pub fn url(&self) -> String {
        format!("file://{}", self.bare.display())
    }

    /// The checkout in which commits are made: what a developer has.
    pub fn checkout_dir(&self) -> &Path {
        &self.checkout
    }

    /// Writes files, by path and content, commits everything in the checkout, and returns the full commit id. A file
    /// that begins with `#!` is made executable. A commit of no change is made all the same.
    pub fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, content) in files {
            let path = self.checkout.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the checkout is ours");
            write_file(&path, content, mode_of(content));
        }
        self.git(&["add", "--all"]);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Tags the last commit.
    pub fn tag(&self, name: &str) {
        self.git(&["tag", name]);
    }

    /// Switches to a branch, and creates it if there is none.
    pub fn branch(&self, name: &str) {
        let exists = !self.git(&["branch", "--list", name]).is_empty();
        if exists {
            self.git(&["switch", "-q", name])
        } else {
            self.git(&["switch", "-q", "-c", name])
        };
    }

    /// Pushes all branches and tags.
    pub fn push(&self) {
        self.git(&["push", "-q", "origin", "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]);
    }

    /// Runs git in the checkout and returns what it prints, without white space at the end.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.checkout, arguments)
    }

    fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let date = format!("{} +0000", FIRST_COMMIT_SECONDS + 60 * self.commits.load(Ordering::Relaxed));
        let mut command = Command::new("git");
        // A test may itself be run by git, say in a hook, whose variables would lead ours astray.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_"))
        {
            command.env_remove(name);
        }
        command
            .args(["-c", "init.defaultBranch=master"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.com")
                .env(format!("GIT_{role}_DATE"), &date);
        }
        let output = command.output().expect("git is installed");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}
