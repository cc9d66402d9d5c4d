//! Folders that go away with the process that made them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::claim::Claim;
use crate::{cgroup, processes};

/// Where all folders of this crate are. It isn't in `/tmp`, because every host has a `/tmp` of its own, and what
/// lies here has to be at the same path on all hosts.
const ROOT: &str = "/var/lib/buedafab-testkit";

/// A folder of this process, visible on every host at the same path, and removed on drop.
///
/// The claim on its name tells other processes that its owner is alive. It is taken before the folder exists and
/// given back after it is gone, so that nobody ever sees a folder of the living without it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _claim: Claim,
}

impl Folder {
    /// Creates an empty folder that everybody may read, after sweeping away those whose owners are dead.
    pub(crate) fn create(kind: &str) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        assert!(
            rustix::process::geteuid().is_root(),
            "the testkit makes hosts from namespaces, which takes root"
        );
        create_public_dir(Path::new(ROOT));
        sweep();
        for _ in 0..1000 {
            let name = format!("{kind}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let Some(claim) = Claim::take(&name) else { continue };
            let path = Path::new(ROOT).join(name);
            match fs::create_dir(&path) {
                Ok(()) => {
                    create_public_dir(&path);
                    return Folder { path, _claim: claim };
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("cannot create {}: {error}", path.display()),
            }
        }
        panic!("no free name for a {kind} folder in {ROOT}");
    }

    /// The folder's absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is swept away by a later process: no reason to panic during a drop.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Creates a folder, and those above it that are missing, and lets everybody read them, whatever the umask is.
pub(crate) fn create_public_dir(path: &Path) {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        create_public_dir(parent);
    }
    fs::create_dir_all(path).unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
    set_mode(path, 0o755);
}

/// Writes a file with exactly these permissions, whatever the umask is.
pub(crate) fn write_file(path: &Path, content: &str, mode: u32) {
    fs::write(path, content).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    set_mode(path, mode);
}

/// The mode of a file that everybody may read: a script can be executed.
pub(crate) fn mode_of(content: &str) -> u32 {
    if content.starts_with("#!") { 0o755 } else { 0o644 }
}

/// Sets the permissions of a file or a folder.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|error| panic!("cannot set the mode of {}: {error}", path.display()));
}

/// Removes the folders of dead owners, their cgroups, and what still runs in their name: hosts end by themselves when
/// their owner dies, but a frozen one can't.
fn sweep() {
    let Ok(entries) = fs::read_dir(ROOT) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        // The claim is held until the folder is gone, so that two sweepers don't get into each other's way.
        let Some(_claim) = name.to_str().and_then(Claim::take) else { continue };
        // A name that could be claimed may also be one whose folder went between the listing and the claim.
        processes::kill_namespaces_of(&entry.path());
        cgroup::remove_left_over(&entry.path());
        let _ = fs::remove_dir_all(entry.path());
    }
}
