//! What runs of the app: its own service, and those that the configuration describes besides.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::names::Role;

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
