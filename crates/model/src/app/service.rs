//! What runs of the app: its own service, and those that the configuration describes besides.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::names::{HostPath, Role, SlotName};

/// How the app is restarted. Written `init:five`, `none`, `systemd:five`, `systemd-user:five`,
/// `supervisor:five`, `runit:five`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum Service {
    /// `/etc/init.d/NAME restart`; NAME is the unit by default, as in buedafab.
    Init(String),
    /// Nothing is restarted.
    None,
    /// `systemctl restart NAME`, which must be active afterwards.
    Systemd(String),
    /// `systemctl --user restart NAME`, by the systemd of the user who logs in, which nobody needs root for.
    SystemdUser(String),
    /// `supervisorctl restart NAME`, which must be RUNNING afterwards.
    Supervisor(String),
    /// `sv restart NAME`, which must be up afterwards.
    Runit(String),
}

/// A text that is none of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} isn't a service")]
pub struct ServiceError(String);

impl TryFrom<String> for Service {
    type Error = ServiceError;

    /// Reads back what was written down; what a person types is read with the configuration.
    fn try_from(text: String) -> Result<Self, ServiceError> {
        match text.split_once(':') {
            None if text == "none" => Ok(Service::None),
            Some(("init", name)) => Ok(Service::Init(name.to_owned())),
            Some(("systemd", name)) => Ok(Service::Systemd(name.to_owned())),
            Some(("systemd-user", name)) => Ok(Service::SystemdUser(name.to_owned())),
            Some(("supervisor", name)) => Ok(Service::Supervisor(name.to_owned())),
            Some(("runit", name)) => Ok(Service::Runit(name.to_owned())),
            None | Some(_) => Err(ServiceError(text)),
        }
    }
}

impl Service {
    /// Its unit of systemd, if it is one, as our shell takes it: `NAME`, or `user/NAME` of the user's own systemd. No name of a
    /// unit has a slash.
    pub fn unit(&self) -> Option<String> {
        match self {
            Service::Systemd(name) => Some(name.clone()),
            Service::SystemdUser(name) => Some(format!("user/{name}")),
            Service::Init(_) | Service::None | Service::Supervisor(_) | Service::Runit(_) => None,
        }
    }

    /// How a look is told to look at it: as its unit, or as `MANAGER/NAME`.
    pub fn watched(&self) -> Option<String> {
        match self {
            Service::None => None,
            Service::Systemd(_) | Service::SystemdUser(_) => self.unit(),
            Service::Supervisor(name) => Some(format!("supervisor/{name}")),
            Service::Runit(name) => Some(format!("runit/{name}")),
            Service::Init(name) => Some(format!("init/{name}")),
        }
    }

    /// Whether it is root's to restart, and not the user's own.
    pub fn needs_root(&self) -> bool {
        match self {
            Service::Init(_) | Service::Systemd(_) | Service::Supervisor(_) | Service::Runit(_) => true,
            Service::None | Service::SystemdUser(_) => false,
        }
    }
}

/// A service besides the app's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedService {
    /// What it is called here.
    pub name: String,
    /// How it is restarted and stopped.
    pub service: Service,
    /// What it is, where its unit file or init script is ours to write.
    pub definition: Option<ServiceDefinition>,
    /// Whether a new release only takes a reload.
    pub reload: bool,
    /// The roles of the hosts that have it. Empty: all hosts.
    pub roles: BTreeSet<Role>,
    /// Whether it runs on the first of these hosts only, and is stopped on the others.
    pub single: bool,
    /// How it is given connections, where that is ours to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listening: Option<Listening>,
}

/// How a service is given connections, and how they come to the next release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// Where web servers find its socket, by a path in the app: a link in each release leads to where it really is.
    pub socket: String,
    /// What happens between two releases.
    pub cutover: Cutover,
    /// Whether the release before goes on running beside the new one, so that a rollback is one rename.
    pub keep_warm: bool,
}

/// How connections come from one release to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cutover {
    /// systemd holds the socket while the service restarts: who asks meanwhile waits in its queue.
    Restart,
    /// Each slot has a process with a socket of its own. The new one runs and is well before the link moves, which is what hands over.
    Socket,
}

/// What a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDefinition {
    /// Who says it.
    pub by: DefinedBy,
    /// How long it may take to stop before it is killed, in seconds.
    pub stop_seconds: u32,
}

/// Who says what a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinedBy {
    /// A shell command, in the program's own unit file or init script.
    Command(String),
    /// A template of the project.
    Template(String),
}

impl NamedService {
    /// Whether each slot has a process of its own.
    pub fn is_side_by_side(&self) -> bool {
        self.listening.as_ref().is_some_and(|listening| listening.cutover == Cutover::Socket)
    }

    /// Whether systemd holds its socket.
    pub fn is_behind_socket(&self) -> bool {
        self.listening.as_ref().is_some_and(|listening| listening.cutover == Cutover::Restart)
    }

    /// The one of its processes that runs the release in a slot, where each slot has its own.
    pub fn instance(&self, slot: &SlotName) -> Option<Service> {
        match &self.service {
            Service::Systemd(name) if self.is_side_by_side() => {
                Some(Service::Systemd(format!("{name}@{slot}")))
            }
            _ => None,
        }
    }

    /// The unit whose words are its own: `NAME@*`, where each slot has one.
    pub fn journal(&self) -> Option<String> {
        if self.is_side_by_side() { self.watched() } else { self.service.unit() }
    }

    /// How a look is told to look at it: `NAME@*`, where each slot has its own.
    pub fn watched(&self) -> Option<String> {
        match &self.service {
            Service::Systemd(name) if self.is_side_by_side() => Some(format!("{name}@*")),
            service => service.watched(),
        }
    }

    /// What holds its socket, where systemd does.
    pub fn socket_unit(&self) -> Option<Service> {
        match &self.service {
            Service::Systemd(name) if self.is_behind_socket() => {
                Some(Service::Systemd(format!("{name}.socket")))
            }
            _ => None,
        }
    }

    /// What its service manager knows of it, where each has a file: what holds its socket or starts it with its host, then what runs in
    /// these slots.
    pub fn parts<'s>(&self, slots: impl IntoIterator<Item = &'s SlotName>) -> Vec<Service> {
        let mut parts: Vec<Service> = self.socket_unit().into_iter().collect();
        parts.push(self.service.clone());
        parts.extend(slots.into_iter().filter_map(|slot| self.instance(slot)));
        parts
    }

    /// Where the release in a slot is given connections: a socket that is there as long as somebody listens.
    pub fn socket_of(&self, slot: &SlotName) -> Option<HostPath> {
        let Service::Systemd(name) = &self.service else { return None };
        let file = match self.listening.as_ref()?.cutover {
            Cutover::Restart => name.as_str(),
            Cutover::Socket => slot.as_str(),
        };
        HostPath::new(format!("/run/{name}/{file}.sock")).ok()
    }

    /// Whether hosts of these roles have it.
    pub fn is_on(&self, roles: &BTreeSet<Role>) -> bool {
        self.roles.is_empty() || !self.roles.is_disjoint(roles)
    }

    /// The project's file that its unit file or init script is made of.
    pub fn template(&self) -> Option<&str> {
        match &self.definition {
            Some(ServiceDefinition { by: DefinedBy::Template(file), .. }) => Some(file),
            _ => None,
        }
    }
}
