//! Which hosts an environment had: each host keeps it, so that one that left the configuration is not forgotten while it
//! still runs what was deployed to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::facts::HostFacts;
use crate::host::layout::Layout;
use crate::host::{Connect, Host};
use crate::names::{HostName, HostPath};

/// `.buedafab/fleet.json`: the hosts of the environment, as the last run knew it that changed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// When this was written, by the host's clock.
    pub at: Timestamp,
    /// The hosts of the configuration.
    pub hosts: Vec<FleetHost>,
    /// Hosts that left it, and that nobody has retired yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<GoneHost>,
}

/// A host, with as much as it takes to reach it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetHost {
    /// What it is called.
    pub name: HostName,
    /// Where it is reached, if not by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Who logs in; `None`: what ssh_config says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `None`: what ssh_config says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The app's directory on it.
    pub path: HostPath,
}

/// A host that left the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneHost {
    /// Which.
    #[serde(flatten)]
    pub host: FleetHost,
    /// When it was deployed to last, as far as others know.
    pub until: Timestamp,
}

/// The hosts of larger fleets aren't written down: on each of them all would be, and they come from an inventory.
pub const FLEET_KEPT: usize = 200;

impl FleetHost {
    /// A host of the configuration.
    pub fn of(host: &Host) -> Self {
        let Host { name, app: _, address, user, port, roles: _, path, connect: _, origin: _ } = host;
        FleetHost {
            name: name.clone(),
            address: (address != name.as_str()).then(|| address.clone()),
            user: user.clone(),
            port: *port,
            path: path.clone(),
        }
    }

    /// Whether both are one folder that is reached in one way, whatever they are called.
    fn is_place_of(&self, other: &Self) -> bool {
        let address = |host: &Self| host.address.clone().unwrap_or_else(|| host.name.to_string());
        address(self) == address(other) && self.port == other.port && self.path == other.path
    }

    /// The same as a host, which is reached as this other one is, and is for nothing any more.
    pub fn like(&self, other: Option<&Host>) -> Host {
        let FleetHost { name, address, user, port, path } = self;
        Host {
            name: name.clone(),
            app: other.and_then(|other| other.app.clone()),
            address: address.clone().unwrap_or_else(|| name.to_string()),
            user: user.clone(),
            port: *port,
            roles: [].into(),
            path: path.clone(),
            connect: other.map_or(Connect::Ssh, |other| other.connect.clone()),
            origin: None,
        }
    }
}

/// Hosts that this one knows of and the configuration doesn't have any more. One that is only called otherwise now is there
/// still.
pub fn gone_hosts(facts: &HostFacts, configured: &[Host]) -> Vec<GoneHost> {
    let Some(fleet) = &facts.fleet else { return Vec::new() };
    let live = facts.live_slot().and_then(|slot| facts.slots.get(slot)?.record.as_ref());
    let until = live.map_or(fleet.at, |record| record.at);
    let just = fleet.hosts.iter().map(|host| GoneHost { host: host.clone(), until });
    let is_gone = |GoneHost { host, .. }: &GoneHost| {
        configured.iter().map(FleetHost::of).all(|other| host.name != other.name && !host.is_place_of(&other))
    };
    fleet.gone.iter().cloned().chain(just).filter(is_gone).collect()
}

/// What a run that changes hosts of this configuration writes down; `None`, where that stands there already, or there is
/// nobody to tell.
pub fn fleet_after(
    facts: &HostFacts,
    configured: &[Host],
    layout: &Layout,
) -> Option<(Vec<FleetHost>, Vec<GoneHost>)> {
    // What can't be read is written anew, and must not go on being told.
    let is_there = facts.fleet.is_some() || facts.bad_record(&layout.fleet()).is_some();
    // Those that end by themselves are missed by nobody, and would be told as gone for ever.
    let comes_and_goes = |host: &&Host| host.origin.as_ref().is_some_and(|origin| origin.comes_and_goes);
    let lasting: Vec<FleetHost> =
        configured.iter().filter(|host| !comes_and_goes(host)).map(FleetHost::of).collect();
    if lasting.len() > FLEET_KEPT || (lasting.len() < 2 && !is_there) {
        return None;
    }
    let (hosts, gone) = (lasting, gone_hosts(facts, configured));
    let stands = facts.fleet.as_ref().is_some_and(|fleet| fleet.hosts == hosts && fleet.gone == gone);
    (!stands).then_some((hosts, gone))
}
