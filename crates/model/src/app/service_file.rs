//! Unit files and init scripts: data, which the planner makes and [`shell`](crate::shell) puts in place.

use serde::Serialize;

use crate::app::owner::Owner;
use crate::app::service::Service;
use crate::names::{CommitId, HostPath, SlotName};

/// A file that tells a host's service manager how to run a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceFile {
    /// Where the service manager looks for it.
    pub path: HostPath,
    /// All that is in it.
    pub text: String,
    /// Which checker understands it.
    pub kind: ServiceFileKind,
    /// Whether anything of the project's stands in it, which may be wrong.
    #[serde(skip)]
    pub is_checked: bool,
}

impl ServiceFile {
    /// The same with a comment in it that says so, where whoever would replace it looks.
    pub fn owned_by(self, owner: &Owner) -> Self {
        // An init script begins with its interpreter.
        let begins = if self.text.starts_with("#!") {
            self.text.find('\n').map_or(self.text.len(), |end| end + 1)
        } else {
            0
        };
        let (first, rest) = self.text.split_at(begins);
        let text = format!("{first}{}\n{rest}", owner.line());
        ServiceFile { text, ..self }
    }
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceFileKind {
    /// systemd's.
    Unit,
    /// A program that takes `start`, `stop` and `restart`.
    InitScript,
}

/// Whose files: they are kept until no slot holds the release any more, so that the way back needs no git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilesOf {
    /// Of a release in its slot. The same commit in the other slot, under another configuration, has files of its own.
    Release {
        /// The commit.
        commit: CommitId,
        /// The slot.
        slot: SlotName,
    },
    /// What stood there before any release of ours that is known.
    Before,
}

/// The file of a service as a release has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleasedServiceFile {
    /// Which.
    pub of: FilesOf,
    /// Where the service manager looks for it.
    pub path: HostPath,
    /// What kind of file it is.
    pub kind: ServiceFileKind,
}

/// Where a service's file lies, and of what kind it is; `None` for service managers whose files are not ours to write.
pub fn service_file_place(service: &Service) -> Option<(HostPath, ServiceFileKind)> {
    let (path, kind) = match service {
        Service::Systemd(name)
            if name.rsplit_once('.').is_some_and(|(_, kind)| matches!(kind, "service" | "socket")) =>
        {
            (format!("/etc/systemd/system/{name}"), ServiceFileKind::Unit)
        }
        Service::Systemd(name) => (format!("/etc/systemd/system/{name}.service"), ServiceFileKind::Unit),
        Service::Init(name) => (format!("/etc/init.d/{name}"), ServiceFileKind::InitScript),
        Service::None | Service::SystemdUser(_) | Service::Supervisor(_) | Service::Runit(_) => return None,
    };
    Some((HostPath::new(path).ok()?, kind))
}
