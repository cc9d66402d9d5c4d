//! How it is found out whether the app is well.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::Role;

/// A question that is put to the app on its own host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What is asked.
    #[serde(flatten)]
    pub question: HealthQuestion,
    /// How long one answer may take, in seconds.
    pub timeout_seconds: u32,
    /// How long is waited between two questions, in seconds.
    pub interval_seconds: u32,
    /// For how long after a restart it is asked again, in seconds.
    pub grace_seconds: u32,
    /// The roles of the hosts that are asked. Empty: all hosts.
    pub roles: BTreeSet<Role>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum HealthQuestion {
    /// A web page of the app.
    Http(HttpQuestion),
    /// Whether anything takes connections.
    Tcp {
        /// The address.
        address: String,
        /// The port.
        port: u16,
    },
    /// Whether commands of the project end well.
    Command {
        /// Which.
        commands: Vec<String>,
    },
}

/// A page, and which answer is a good one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpQuestion {
    /// Whether it is asked by TLS.
    pub tls: bool,
    /// The name that the page is asked for by.
    pub host: String,
    /// What follows it: a path, and a query.
    pub path: String,
    /// Where it is asked.
    pub place: HttpPlace,
    /// The statuses of a good answer. Empty: 200 to 399.
    pub statuses: Vec<u16>,
    /// What stands in a good answer.
    pub contains: Option<String>,
}

/// Where a page is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpPlace {
    /// At a TCP port of an address.
    Tcp {
        /// The address.
        address: String,
        /// The port.
        port: u16,
    },
    /// At a socket: an absolute path, or one in the live release.
    Socket {
        /// Its path.
        path: String,
    },
}

impl Health {
    /// The same question, with what lies in the app by its path in the project.
    pub fn of_app(&self, in_project: impl Fn(&str) -> String) -> Health {
        let mut health = self.clone();
        if let HealthQuestion::Http(HttpQuestion { place: HttpPlace::Socket { path }, .. }) =
            &mut health.question
            && !path.starts_with('/')
        {
            *path = in_project(path);
        }
        health
    }

    /// Whether hosts of these roles are asked.
    pub fn is_on(&self, roles: &BTreeSet<Role>) -> bool {
        self.roles.is_empty() || !self.roles.is_disjoint(roles)
    }
}

impl fmt::Display for HealthQuestion {
    /// Short, as a step's title names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HealthQuestion::Http(HttpQuestion { path, place, .. }) => match place {
                HttpPlace::Tcp { address, port } => write!(f, "{path} at {address}:{port}"),
                HttpPlace::Socket { path: socket } => write!(f, "{path} at {socket}"),
            },
            HealthQuestion::Tcp { address, port } => write!(f, "{address}:{port}"),
            HealthQuestion::Command { commands } => {
                f.write_str(&crate::app::text::one_line(&commands.join("; ")))
            }
        }
    }
}
