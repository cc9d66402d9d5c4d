//! The logs of runs on this machine: `$XDG_STATE_HOME/buedafab/runs/RUN.jsonl`, readable by the user alone.
//!
//! Nothing depends on them: what serves, and what may be done, is asked of the hosts. Only files whose names are those of
//! runs are ever read or removed, and no link is followed to one.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use buedafab_model::names::RunId;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// How many logs are kept.
pub(crate) const MOST_RUNS: usize = 200;

/// No log is longer, but for its last few lines; the rest of one that somebody has made longer isn't read.
const MOST_BYTES: u64 = 64 << 20;

/// Why logs can't be kept, or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunsError {
    #[error("neither HOME nor XDG_STATE_HOME says where")]
    NoHome,
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
}

/// The folder of logs.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The folder itself, whatever its path leads to later.
    folder: OwnedFd,
}

impl RunFolder {
    /// The user's own folder, made if it isn't there.
    pub(crate) fn make() -> Result<RunFolder, RunsError> {
        RunFolder::make_at(usual_path().ok_or(RunsError::NoHome)?)
    }

    /// The user's own folder; `None` if there is none yet.
    pub(crate) fn find() -> Result<Option<RunFolder>, RunsError> {
        let Some(path) = usual_path() else { return Ok(None) };
        match open_folder(&path) {
            Ok(folder) => Ok(Some(RunFolder { path, folder })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(RunsError::File { path, error: error.into() }),
        }
    }

    fn make_at(path: PathBuf) -> Result<RunFolder, RunsError> {
        let made = make_private_folders(&path)
            .and_then(|()| Ok(open_folder(&path)?))
            // It may have been made by hand.
            .and_then(|folder| rustix::fs::fchmod(&folder, Mode::RWXU).map(|()| folder).map_err(Into::into));
        match made {
            Ok(folder) => Ok(RunFolder { path, folder }),
            Err(error) => Err(RunsError::File { path, error }),
        }
    }

    /// Begins the log of a run, and removes the oldest ones beyond the bound.
    pub(crate) fn begin(&self, run: &RunId) -> Result<File, RunsError> {
        // What is there already, be it a link, is never written to.
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, file_name(run), flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| self.error(run, error.into()))?;
        self.prune(MOST_RUNS);
        Ok(File::from(file))
    }

    /// The runs with a log, the oldest first.
    pub(crate) fn list(&self) -> Result<Vec<RunId>, RunsError> {
        let failed = |error: Errno| RunsError::File { path: self.path.clone(), error: error.into() };
        let mut runs = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let run = entry.file_name().to_str().ok().and_then(run_of);
            let Some(run) = run else { continue };
            // Names tell seconds; of runs in the same one, the first to be over was the first.
            if let Some(written) = self.last_written(&run) {
                let second = run.as_str().rsplit_once('-').map(|(second, _)| second.to_owned());
                runs.push((second, written, run));
            }
        }
        runs.sort_unstable();
        Ok(runs.into_iter().map(|(_, _, run)| run).collect())
    }

    /// What the log of a run holds.
    pub(crate) fn read(&self, run: &RunId) -> Result<String, RunsError> {
        let mut bytes = Vec::new();
        self.open(run)?.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| self.error(run, error))?;
        // A crash may have cut a letter in two.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its first line, which says what was worked on.
    pub(crate) fn read_first_line(&self, run: &RunId) -> Result<String, RunsError> {
        let mut line = Vec::new();
        BufReader::new(self.open(run)?.take(MOST_BYTES))
            .read_until(b'\n', &mut line)
            .map_err(|error| self.error(run, error))?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn open(&self, run: &RunId) -> Result<File, RunsError> {
        // A pipe of this name must not keep us waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, file_name(run), flags, Mode::empty());
        file.map(File::from).map_err(|error| self.error(run, error.into()))
    }

    /// Another program may do the same at the same time; and a log too many is no reason to stop a run.
    fn prune(&self, most: usize) {
        let runs = self.list().unwrap_or_default();
        for run in &runs[..runs.len().saturating_sub(most)] {
            let _ = rustix::fs::unlinkat(&self.folder, file_name(run), AtFlags::empty());
        }
    }

    /// When a log was last written to, in seconds and nanoseconds; `None` if it is no file.
    fn last_written(&self, run: &RunId) -> Option<(i64, i64)> {
        let found = rustix::fs::statat(&self.folder, file_name(run), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        is_file.then_some((found.st_mtime as i64, found.st_mtime_nsec as i64))
    }

    fn error(&self, run: &RunId, error: std::io::Error) -> RunsError {
        RunsError::File { path: self.path.join(file_name(run)), error }
    }
}

/// `$XDG_STATE_HOME/buedafab/runs`; a relative path in it counts as none, as the standard says.
fn usual_path() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    state.map(|state| state.join("buedafab/runs"))
}

fn file_name(run: &RunId) -> String {
    format!("{run}.jsonl")
}

/// The run whose log has this name. Others that a run could have don't sort by age: they are left alone.
fn run_of(name: &str) -> Option<RunId> {
    RunId::new(name.strip_suffix(".jsonl")?).ok().filter(RunId::is_dated)
}

fn make_private_folders(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn id(text: &str) -> RunId {
        RunId::new(text).expect("a word")
    }

    fn folder() -> (tempfile::TempDir, RunFolder) {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::make_at(outer.path().join("state/buedafab/runs")).expect("it is made");
        (outer, folder)
    }

    /// What a name doesn't tell, the time does at which a log was last written to.
    #[test]
    fn runs_of_one_second_stand_in_their_order() {
        let (_outer, folder) = folder();
        let runs = ["20261127-060643-zzzz", "20261127-060643-aaaa", "20261127-060644-0000"].map(id);
        for (run, seconds) in runs.iter().zip([1, 2, 0]) {
            let file = folder.begin(run).expect("it is new");
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            file.set_modified(at).expect("it is ours");
        }
        assert_eq!(folder.list().expect("it can be read"), runs);
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    #[test]
    fn the_folder_and_its_logs_are_the_users_alone() {
        let (_outer, folder) = folder();
        let run = id("20261123-203221-ie2d");
        folder.begin(&run).expect("it begins");
        assert_eq!((mode(&folder.path), mode(&folder.path.join(file_name(&run)))), (0o700, 0o600));
        // One that was made by hand is mended.
        std::fs::set_permissions(&folder.path, PermissionsExt::from_mode(0o755)).expect("it is ours");
        RunFolder::make_at(folder.path.clone()).expect("it is there");
        assert_eq!(mode(&folder.path), 0o700);
    }

    #[test]
    fn nothing_is_written_over_nor_through_a_link() {
        let (outer, folder) = folder();
        let victim = outer.path().join("victim");
        std::fs::write(&victim, "precious").expect("it is ours");
        let run = id("20261123-203221-ie2d");
        symlink(&victim, folder.path.join(file_name(&run))).expect("it is ours");
        folder.begin(&run).expect_err("a link is there");
        folder.read(&run).expect_err("nor is it read");
        assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "precious");
        let other = outer.path().join("other");
        symlink(&folder.path, &other).expect("it is ours");
        RunFolder::make_at(other).expect_err("nor is a link a folder");
    }

    #[test]
    fn the_newest_logs_are_kept_and_what_is_no_log_is_left_alone() {
        let (outer, folder) = folder();
        for number in 0..MOST_RUNS + 20 {
            let name = format!("20261123-{number:06}-aaaa.jsonl");
            std::fs::write(folder.path.join(name), "").expect("it is ours");
        }
        let left_alone =
            ["notes.jsonl", "20251123-000000-aaaa.txt", "20251123-000000-a b.jsonl", "old.jsonl"];
        for name in left_alone {
            std::fs::write(folder.path.join(name), "").expect("it is ours");
        }
        std::fs::create_dir(folder.path.join("20251123-000000-aaaa.jsonl")).expect("it is ours");
        symlink(outer.path(), folder.path.join("20251123-000001-aaaa.jsonl")).expect("it is ours");
        let newest = id("20261124-000000-aaaa");
        folder.begin(&newest).expect("it begins");
        let runs = folder.list().expect("it is read");
        assert_eq!(runs.len(), MOST_RUNS);
        assert_eq!(runs.first(), Some(&id("20261123-000021-aaaa")));
        assert_eq!(runs.last(), Some(&newest));
        let others = std::fs::read_dir(&folder.path).expect("it is read").count() - MOST_RUNS;
        assert_eq!(others, left_alone.len() + 2);
    }
}
