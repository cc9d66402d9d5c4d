//! Where everything lies on a host.

use crate::app::service_file::FilesOf;
use crate::names::{CommitId, HostPath, RunId, SlotName};

/// The paths of one app on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The app's directory.
    pub path: HostPath,
    /// The folder of the slots and of the link.
    pub releases: HostPath,
    /// The link's name in `releases`.
    pub link: String,
    /// The folder that survives the clean-up of a slot.
    pub virtualenv: String,
    /// The file of variables for the app's commands, if it has one.
    pub env_file: Option<HostPath>,
    /// Whether every release has a folder of its own. A new one shares the files of git that never change with one beside it: else each
    /// deploy would copy all of the project's history.
    pub adds_up: bool,
}

impl Layout {
    /// The directory of a slot.
    pub fn slot(&self, slot: &SlotName) -> HostPath {
        self.releases.join(slot.as_str())
    }

    /// The link that decides what is live.
    pub fn current(&self) -> HostPath {
        self.releases.join(&self.link)
    }

    /// The folder of what buedafab itself remembers.
    pub fn state(&self) -> HostPath {
        self.path.join(".buedafab")
    }

    /// The way back from a switch that isn't confirmed yet.
    pub fn way_back(&self) -> HostPath {
        self.state().join("back.sh")
    }

    /// What says that there is a switch that isn't confirmed yet.
    pub fn pending(&self) -> HostPath {
        self.state().join("pending.json")
    }

    /// How far logs had come at the last switch of which something is counted since.
    pub fn watched(&self) -> HostPath {
        self.state().join("watched")
    }

    /// The record of a slot.
    pub fn record(&self, slot: &SlotName) -> HostPath {
        self.state().join("slots").join(&format!("{slot}.json"))
    }

    /// A file of the time at which a slot was filled. It says in what check sum its own build has changed it, and is empty where it
    /// hasn't.
    pub fn filled(&self, slot: &SlotName) -> HostPath {
        self.state().join("slots").join(&format!("{slot}.filled"))
    }

    /// The list of a slot's files, where its release came as an archive: first the commit, then a check sum of each.
    pub fn unpacked(&self, slot: &SlotName) -> HostPath {
        self.state().join("slots").join(&format!("{slot}.unpacked"))
    }

    /// What the archive of a release is, where one is kept in `packages`: its check sum, and its file there.
    pub fn archive_note(&self, commit: &CommitId) -> HostPath {
        self.kept().join(commit.as_str()).join("archive")
    }

    /// Says which contents of Git LFS a release takes; where it is, they all are.
    pub fn lfs_note(&self, commit: &CommitId) -> HostPath {
        self.kept().join(commit.as_str()).join("lfs")
    }

    /// The contents that Git LFS keeps for any release of the host.
    pub fn lfs_store(&self) -> HostPath {
        self.state().join("lfs")
    }

    /// What a slot takes of the disk.
    pub fn takes(&self, slot: &SlotName) -> HostPath {
        self.state().join("slots").join(&format!("{slot}.takes"))
    }

    /// An empty file of the time from which on nothing in a slot is anybody's but a run's.
    pub fn overwritten(&self, slot: &SlotName) -> HostPath {
        self.state().join("slots").join(&format!("{slot}.overwritten"))
    }

    /// An empty file, where what the slots hold was no use to what was sent, so that all of a release is asked for.
    pub fn wants_all(&self) -> HostPath {
        self.state().join("wants-all")
    }

    /// What keeps room for records where the disk is full: each with `.` and a digit behind it.
    pub fn reserve(&self) -> HostPath {
        self.state().join("reserve")
    }

    /// What uv has downloaded, and could again.
    pub fn uv_cache(&self) -> HostPath {
        self.state().join("uv-cache")
    }

    /// Files and folders that outlive releases.
    pub fn shared(&self) -> HostPath {
        self.path.join("shared")
    }

    /// What a run found in a slot where something else belongs. Nobody but a person takes it away.
    pub fn aside(&self, slot: &SlotName, run: &RunId) -> HostPath {
        self.state().join("aside").join(&format!("{run}-{slot}"))
    }

    /// Copies of what a slot has held, a folder for each commit; beside the slots, so that they are put back by renames.
    pub fn copies(&self, slot: &SlotName) -> HostPath {
        self.releases.join(".copies").join(slot.as_str())
    }

    /// What says that visitors are told of maintenance.
    pub fn maintenance(&self) -> HostPath {
        self.state().join("maintenance")
    }

    /// The page that the web server shows meanwhile.
    pub fn maintenance_page(&self) -> HostPath {
        self.shared().join("maintenance.html")
    }

    /// What says that the host is out of traffic, or may be.
    pub fn drained(&self) -> HostPath {
        self.state().join("drained")
    }

    /// What the web server or the app turns into a failing health check meanwhile.
    pub fn drained_flag(&self) -> HostPath {
        self.shared().join("drained")
    }

    /// What releases need besides their commits, a folder for each: so that the way back needs neither git nor a deployer.
    pub fn kept(&self) -> HostPath {
        self.state().join("releases")
    }

    /// What was resolved for a release, as it was prepared in a slot.
    pub fn resolved(&self, commit: &CommitId, slot: &SlotName) -> HostPath {
        self.kept().join(commit.as_str()).join(&format!("resolved-{slot}.json"))
    }

    /// The folder that unit files and init scripts are kept in.
    pub fn service_files(&self, of: &FilesOf) -> HostPath {
        match of {
            FilesOf::Release { commit, slot } => {
                self.kept().join(commit.as_str()).join(&format!("units-{slot}"))
            }
            FilesOf::Before => self.kept().join("before"),
        }
    }

    /// Private packages, each in a folder that says what it is.
    pub fn packages(&self) -> HostPath {
        self.path.join("packages")
    }

    /// The unit files and init scripts that were put in place, a path a line.
    pub fn installed_services(&self) -> HostPath {
        self.state().join("installed")
    }

    /// The hosts of the environment.
    pub fn fleet(&self) -> HostPath {
        self.state().join("fleet.json")
    }

    /// Where the app's jobs stand, and in whose crontab.
    pub fn jobs(&self) -> HostPath {
        self.state().join("jobs.json")
    }

    /// The shell of the app's jobs: the usual one, with what the app's commands find around them.
    pub fn job_shell(&self) -> HostPath {
        self.state().join("jobs.sh")
    }

    /// The history.
    pub fn journal(&self) -> HostPath {
        self.state().join("journal.jsonl")
    }

    /// What says which run wrote the records of a tree that others had made.
    pub fn adopted(&self) -> HostPath {
        self.state().join("adopted.json")
    }

    /// The link that other tools keep in the app's folder, and web servers read through.
    pub fn outer_link(&self) -> HostPath {
        self.path.join("current")
    }

    /// The file that says whose all this is.
    pub fn owner(&self) -> HostPath {
        self.state().join("owner.json")
    }

    /// The file that is locked.
    pub fn lock(&self) -> HostPath {
        self.state().join("lock")
    }

    /// A person's "do not deploy".
    pub fn hold(&self) -> HostPath {
        self.state().join("hold")
    }
}
