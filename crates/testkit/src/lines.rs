//! Long lines to the hosts of a fleet.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::layout::Layout;
use crate::{Client, FleetHost, Relay};

/// A [`Relay`] in front of each host of a fleet, and a user's ssh config that leads through them. The hosts have the
/// same names as without, so that the product can be run with either.
#[derive(Debug)]
pub struct Lines {
    relays: Vec<(String, Relay)>,
    client: Client,
}

impl Lines {
    pub(crate) fn start(layout: &Layout, hosts: &[FleetHost], round_trip: Duration) -> Lines {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let relays: Vec<_> = hosts
            .iter()
            .map(|host| (host.name().to_owned(), Relay::start(host.address(), round_trip / 2)))
            .collect();
        let addresses: Vec<_> = relays.iter().map(|(name, relay)| (name.clone(), relay.address())).collect();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Lines { relays, client: layout.write_client(&format!("lines-{number}"), &addresses) }
    }

    /// The user's side of ssh, through the relays.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The ssh config of [`client`](Lines::client).
    pub fn ssh_config(&self) -> &Path {
        self.client.ssh_config()
    }

    /// The folder with the `ssh` of [`client`](Lines::client).
    pub fn bin(&self) -> &Path {
        self.client.bin()
    }

    /// The relay in front of the host of this name.
    pub fn relay(&self, host: &str) -> &Relay {
        let found = self.relays.iter().find(|(name, _)| name == host);
        &found.unwrap_or_else(|| panic!("the fleet has no {host}")).1
    }
}
