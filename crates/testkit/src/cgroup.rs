//! The cgroups of hosts that run systemd.
//!
//! systemd keeps the processes of each unit in a cgroup that is named for the unit. So each host has a tree of its own:
//! in a common one, to stop a unit on one host would kill the processes of all others.
//!
//! Only cgroup2 is made use of, and no controller. That is the same on machines that also have the hierarchies of v1.

use std::fs;
use std::path::{Path, PathBuf};

use crate::host::wait_until;

/// A cgroup of this process, and all below it. Removed on drop, for which all processes in it must have ended, or must
/// be about to.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Creates the cgroup that belongs to a [`Folder`](crate::folder::Folder), with one for each host in it. The name
    /// of the folder is claimed, and so is the cgroup's.
    pub(crate) fn create<'a>(folder: &Path, hosts: impl Iterator<Item = &'a str>) -> Cgroup {
        let cgroup = Cgroup { path: path_for(folder) };
        hosts.for_each(|host| {
            fs::create_dir_all(cgroup.host(host)).expect("the machine's cgroups can be written")
        });
        cgroup
    }

    /// The cgroup of a host.
    pub(crate) fn host(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // One that stays behind is empty, and in nobody's way: no reason to panic during a drop.
        remove(&self.path);
    }
}

/// Removes what a dead owner of a folder may have left, as soon as its last processes have ended.
pub(crate) fn remove_left_over(folder: &Path) {
    remove(&path_for(folder));
}

fn path_for(folder: &Path) -> PathBuf {
    let name = folder.file_name().expect("a folder of ours has a name").display();
    root().join(format!("buedafab-testkit-{name}"))
}

/// Where cgroup2 is mounted: beside the hierarchies of v1, or alone.
fn root() -> &'static Path {
    let hybrid = Path::new("/sys/fs/cgroup/unified");
    if hybrid.exists() { hybrid } else { Path::new("/sys/fs/cgroup") }
}

fn remove(path: &Path) {
    wait_until(|| {
        remove_empty(path);
        !path.exists()
    });
}

/// Removes the folders of a cgroup, deepest first. The files in them aren't real, and go with them.
fn remove_empty(path: &Path) {
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_empty(&entry.path());
    }
    // It fails as long as a process is in it.
    let _ = fs::remove_dir(path);
}
