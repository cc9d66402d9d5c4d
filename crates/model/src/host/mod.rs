//! Where the app is deployed to: a host, how it is reached, where everything lies on it, and what was seen there.

pub mod app_version;
pub mod bad_record;
pub mod check_sum;
pub mod diagnosis;
pub mod facts;
pub mod fleet;
pub mod known;
pub mod layout;
pub mod left_over;
pub mod proven;
pub mod record;
pub mod running;
pub mod sudo;
mod transport;
pub mod tree;
pub mod written;

use std::collections::BTreeSet;

use serde::Serialize;

pub use transport::Connect;

use crate::names::{HostName, HostPath, Role};

/// One machine that the app is deployed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// What it is called in output and in `--hosts`.
    pub name: HostName,
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
}
