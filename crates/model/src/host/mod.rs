//! Where the app is deployed to: a host, how it is reached, where everything lies on it, and what was seen there.

pub mod app_version;
pub mod bad_record;
pub mod balancer;
pub mod check_sum;
pub mod diagnosis;
pub mod facts;
pub mod fleet;
pub mod inventory;
pub mod known;
pub mod layout;
pub mod left_over;
pub mod level;
pub mod proven;
pub mod record;
pub mod running;
pub mod served;
pub mod sudo;
mod transport;
pub mod tree;
pub mod web_server;
pub mod written;

use std::collections::BTreeSet;

use serde::Serialize;

pub use transport::Connect;

use inventory::Origin;

use crate::names::{AppName, HostName, HostPath, Role};

/// One machine that the app is deployed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// What it is called in output and in `--hosts`: `web1`; and `web1/api` for one of several apps, each of which has a host of its
    /// own wherever it is, with its own folder, lock and connection.
    pub name: HostName,
    /// The one of several apps that it is a host of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Where it is reached: a name of the user's ssh_config, a DNS name or an IP address.
    pub address: String,
    /// `None`: what ssh_config says.
    pub user: Option<String>,
    /// `None`: what ssh_config says.
    pub port: Option<u16>,
    /// What it is for; `web` when nothing is said.
    pub roles: BTreeSet<Role>,
    /// The app's directory on this host.
    pub path: HostPath,
    /// How it is reached.
    pub connect: Connect,
    /// Where it came from; `None`: it stands in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Host {
    /// What the machine is called, whichever app is meant.
    pub fn machine(&self) -> &str {
        let name = self.name.as_str();
        let machine = self.app.as_ref().and_then(|app| name.strip_suffix(app.as_str())?.strip_suffix('/'));
        machine.unwrap_or(name)
    }

    /// The same machine, for one of several apps.
    pub fn with(self, app: &AppName) -> Host {
        let name = HostName::new(format!("{}/{app}", self.name)).expect("a name and a plain word");
        Host { name, app: Some(app.clone()), ..self }
    }
}
