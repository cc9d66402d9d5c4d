//! Loopback addresses for hosts, such that fleets don't get into each other's way.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::claim::Claim;

/// The port of all hosts. It isn't 22, so that a product that forgets the port in the user's ssh config is noticed.
const PORT: u16 = 2222;
/// The networks 127.1.0.0/24 to 127.254.255.0/24.
const NETWORKS: usize = 254 * 256;
/// How many networks to try before giving up.
const ATTEMPTS: usize = 1000;
/// How many hosts are in one network.
const HOSTS_PER_NETWORK: u8 = 250;

/// Addresses on which nobody else listens, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Addresses {
    list: Vec<SocketAddr>,
    _claims: Vec<Claim>,
}

impl Addresses {
    /// Claims as many addresses as there are hosts, in as many networks as they need.
    pub(crate) fn claim(hosts: usize) -> Addresses {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (mut list, mut claims) = (Vec::new(), Vec::new());
        for _ in 0..ATTEMPTS {
            if list.len() >= hosts {
                list.truncate(hosts);
                return Addresses { list, _claims: claims };
            }
            // Processes begin at different places, so that they seldom meet. The claims make it never.
            let turn = NEXT.fetch_add(1, Ordering::Relaxed);
            let network = (process::id() as usize * 31 + turn) % NETWORKS;
            let Some(claim) = Claim::take(&format!("network {network}")) else { continue };
            let addresses: Vec<_> = (1..=HOSTS_PER_NETWORK).map(|host| address(network, host)).collect();
            let needed = &addresses[..addresses.len().min(hosts - list.len())];
            // Somebody who knows nothing of claims may listen there.
            if needed.iter().all(|address| TcpListener::bind(address).is_ok()) {
                list.extend(needed);
                claims.push(claim);
            }
        }
        panic!("found no {hosts} free loopback addresses at port {PORT}");
    }

    /// The addresses, one for each host.
    pub(crate) fn list(&self) -> &[SocketAddr] {
        &self.list
    }
}

fn address(network: usize, host: u8) -> SocketAddr {
    let third = u8::try_from(network % 256).expect("a remainder of 256");
    let second = u8::try_from(1 + network / 256).expect("there are 254 networks of networks");
    SocketAddr::from((Ipv4Addr::new(127, second, third, host), PORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_fleets_span_networks_and_share_no_address() {
        let (first, second) = (Addresses::claim(300), Addresses::claim(3));
        let mut all: Vec<_> = first.list().iter().chain(second.list()).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 303);
    }

    #[test]
    fn the_ends_of_the_range_are_loopback_addresses() {
        assert_eq!(address(0, 1).to_string(), "127.1.0.1:2222");
        assert_eq!(address(NETWORKS - 1, 250).to_string(), "127.254.255.250:2222");
    }
}
