//! Which machines hosts are. Load balancers know instances by their ids and all else by addresses, and neither need be what a host is
//! written by. Where several machines fit, nobody guesses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use buedafab_model::host::balancer::{BalancerGroup, Membership};
use buedafab_model::host::{Connect, Host};

use super::many::ask_all;
use super::{Aws, AwsError};
use crate::transport::host_name;

/// A machine that a host may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Machine {
    /// As an instance; `None`: it is none that Amazon tells of.
    pub id: Option<String>,
    /// The network that it is in.
    pub vpc: Option<String>,
    /// Its address there, of several the first.
    pub address: Option<String>,
    /// All of its addresses there.
    pub addresses: BTreeSet<String>,
    /// What else it is reached by: names, and its address outside.
    pub names: BTreeSet<String>,
}

/// A place in a group, with what tells whose it is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub membership: Membership,
    /// Whether the group has addresses, and not instances.
    pub is_address: bool,
    /// The network of the group.
    pub vpc: Option<String>,
}

/// The zone of an address that isn't in its group's own network.
const OUTSIDE: &str = "all";

impl Place {
    fn is_outside(&self) -> bool {
        self.membership.zone.as_deref() == Some(OUTSIDE)
    }
}

impl Machine {
    /// Whether that place is this machine's.
    pub(super) fn is_at(&self, place: &Place) -> bool {
        let id = &place.membership.id;
        if !place.is_address {
            return self.id.as_ref() == Some(id);
        }
        // The same address in another network is another machine.
        self.addresses.contains(&plain(id)) && (place.is_outside() || !self.is_elsewhere(place))
    }

    fn is_elsewhere(&self, place: &Place) -> bool {
        self.is_outside_of(place.vpc.as_ref())
    }

    fn is_outside_of(&self, vpc: Option<&String>) -> bool {
        matches!((&self.vpc, vpc), (Some(own), Some(vpc)) if own != vpc)
    }

    /// What it would be called in a group of this network, with the zone that has to be said.
    pub(super) fn called_in(&self, vpc: Option<&String>) -> Option<(String, Option<String>)> {
        Some((self.address.clone()?, self.is_outside_of(vpc).then(|| OUTSIDE.to_owned())))
    }

    fn is_called(&self, name: &str) -> bool {
        self.addresses.contains(name) || self.names.contains(name)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => f.write_str(id)?,
            None => {
                write!(f, "{}", self.addresses.iter().map(String::as_str).collect::<Vec<_>>().join(", "))?
            }
        }
        self.vpc.as_ref().map_or(Ok(()), |vpc| write!(f, " in {vpc}"))
    }
}

/// What a host is written by.
enum Written {
    Instance(String),
    Address(String),
    Name(String),
}

impl Written {
    async fn of(host: &Host) -> Written {
        if let Some(id) = host.origin.as_ref().and_then(|origin| origin.instance.clone()) {
            return Written::Instance(id);
        }
        match Written::by(&host.address) {
            // Where ssh knows a name, that is where it leads.
            Written::Name(name) if host.connect == Connect::Ssh => {
                let asked = host.clone();
                let asked = tokio::task::spawn_blocking(move || host_name(&asked));
                match tokio::time::timeout(LOOK_UP, asked).await {
                    Ok(Ok(Some(leads_to))) => Written::by(&leads_to),
                    Ok(Ok(None) | Err(_)) | Err(_) => Written::Name(name),
                }
            }
            written => written,
        }
    }

    fn by(address: &str) -> Written {
        let address = plain(address);
        if is_instance(&address) {
            Written::Instance(address)
        } else if address.parse::<IpAddr>().is_ok() {
            Written::Address(address)
        } else {
            Written::Name(address)
        }
    }
}

/// Whether that is the id of an instance, and no name that begins like one.
fn is_instance(text: &str) -> bool {
    text.strip_prefix("i-")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
}

/// An address or a name in the one form of it that is compared.
pub(super) fn plain(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => text.trim_end_matches('.').to_ascii_lowercase(),
    }
}

impl Aws {
    /// The machines that each host may be: none where nobody knows its name, several where its address stands for several.
    pub(super) async fn machines_of(&self, hosts: &[&Host]) -> Result<Vec<Vec<Machine>>, AwsError> {
        let asked = hosts.iter().map(|host| async { Ok::<_, AwsError>(Written::of(host).await) }).collect();
        let written: Vec<Written> = ask_all(asked).await?;
        let (mut ids, mut addresses, mut names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for written in &written {
            match written {
                Written::Instance(id) => ids.insert(id.clone()),
                Written::Address(address) => addresses.insert(address.clone()),
                Written::Name(name) => names.insert(name.clone()),
            };
        }
        let mut known = Vec::new();
        self.learn(&mut known, "instance-id", &ids).await?;
        self.learn(&mut known, "private-dns-name", &names).await?;
        self.learn(&mut known, "dns-name", &names).await?;
        names.retain(|name| !known.iter().any(|machine| machine.is_called(name)));
        let resolved: BTreeMap<String, BTreeSet<String>> =
            ask_all(names.into_iter().map(resolve).collect()).await?.into_iter().collect();
        addresses.extend(resolved.values().flatten().cloned());
        let (newer, older) = addresses.into_iter().partition(|address| address.contains(':'));
        self.learn(&mut known, "network-interface.ipv6-addresses.ipv6-address", &newer).await?;
        self.learn(&mut known, "private-ip-address", &older).await?;
        self.learn(&mut known, "ip-address", &older).await?;

        let called = |names: &BTreeSet<String>| -> Vec<Machine> {
            let is_meant = |machine: &&Machine| names.iter().any(|name| machine.is_called(name));
            known.iter().filter(is_meant).cloned().collect()
        };
        let those = |written: &Written| match written {
            Written::Instance(id) => {
                let found = known.iter().find(|machine| machine.id.as_ref() == Some(id)).cloned();
                vec![found.unwrap_or_else(|| Machine { id: Some(id.clone()), ..Machine::default() })]
            }
            Written::Address(address) => known_or_not(called, BTreeSet::from([address.clone()])),
            Written::Name(name) => match resolved.get(name) {
                None => called(&BTreeSet::from([name.clone()])),
                Some(addresses) if addresses.is_empty() => Vec::new(),
                Some(addresses) => known_or_not(called, addresses.clone()),
            },
        };
        Ok(written.iter().map(those).collect())
    }

    /// Adds the instances that a filter takes with any of these values.
    async fn learn(
        &self,
        known: &mut Vec<Machine>,
        filter: &str,
        values: &BTreeSet<String>,
    ) -> Result<(), AwsError> {
        let values: Vec<String> = values.iter().cloned().collect();
        for found in self.machines(filter, &values).await? {
            if !known.iter().any(|machine| machine.id == found.id) {
                known.push(found);
            }
        }
        Ok(())
    }

    /// Which of these places are the host's.
    ///
    /// # Errors
    ///
    /// It may be one of several machines, and some place is one of theirs.
    pub(super) async fn places_of(
        &self,
        host: &Host,
        machines: &[Machine],
        places: &[Place],
    ) -> Result<Vec<Membership>, AwsError> {
        let its: Vec<&Place> =
            places.iter().filter(|place| machines.iter().any(|machine| machine.is_at(place))).collect();
        let [machine] = machines else {
            return if its.is_empty() { Ok(Vec::new()) } else { Err(ambiguous(host, machines)) };
        };
        let outside = its.iter().filter(|place| place.is_address && place.is_outside());
        match &machine.id {
            None => require_one_machine(host, &its)?,
            // An address outside may be that of any network that is joined with the group's.
            Some(_) => {
                let addresses = outside.filter(|place| machine.is_elsewhere(place));
                let addresses: Vec<String> = addresses.map(|place| place.membership.id.clone()).collect();
                let others = self.machines("private-ip-address", &addresses).await?;
                if others.iter().any(|other| other.id != machine.id) {
                    return Err(ambiguous(host, &others));
                }
            }
        }
        Ok(its.into_iter().map(|place| place.membership.clone()).collect())
    }
}

/// The instances that have these addresses, or else one machine that has them and is none.
fn known_or_not(
    known: impl Fn(&BTreeSet<String>) -> Vec<Machine>,
    addresses: BTreeSet<String>,
) -> Vec<Machine> {
    let found = known(&addresses);
    if found.is_empty() { vec![Machine { addresses, ..Machine::default() }] } else { found }
}

/// That all places of a machine of which no more than addresses are known can be one machine's.
fn require_one_machine(host: &Host, places: &[&Place]) -> Result<(), AwsError> {
    let mut seen: BTreeMap<(&str, Option<&str>), &BalancerGroup> = BTreeMap::new();
    for place in places {
        let vpc = place.vpc.as_deref().filter(|_| !place.is_outside());
        seen.entry((&place.membership.id, vpc)).or_insert(&place.membership.group);
    }
    let addresses: BTreeSet<&str> = seen.keys().map(|(address, _)| *address).collect();
    let networks: BTreeSet<&str> = seen.keys().filter_map(|(_, vpc)| *vpc).collect();
    if addresses.len() < 2 && networks.len() < 2 {
        return Ok(());
    }
    let may_be = seen.iter().map(|((address, vpc), group)| {
        let network = vpc.map_or_else(String::new, |vpc| format!(", {vpc}"));
        format!("{address} in {group}{network}")
    });
    Err(AwsError::Ambiguous { host: shown(host), may_be: may_be.collect() })
}

fn ambiguous(host: &Host, machines: &[Machine]) -> AwsError {
    AwsError::Ambiguous { host: shown(host), may_be: machines.iter().map(ToString::to_string).collect() }
}

fn shown(host: &Host) -> String {
    if host.machine() == host.address {
        host.address.clone()
    } else {
        format!("{}, {}", host.machine(), host.address)
    }
}

/// How long the name of a host may take to be looked up.
const LOOK_UP: Duration = Duration::from_secs(10);

/// The addresses of a name. One that isn't known here has none: ssh may know it, and load balancers know no names.
async fn resolve(name: String) -> Result<(String, BTreeSet<String>), AwsError> {
    let addresses = match tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((name.as_str(), 0))).await {
        Ok(Ok(found)) => found.map(|address| address.ip().to_string()).collect(),
        Ok(Err(_)) | Err(_) => BTreeSet::new(),
    };
    Ok((name, addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_compared_in_one_form_and_names_are_no_ids() {
        for (text, expected, is_id) in [
            ("i-0a1c", "i-0a1c", true),
            ("i-", "i-", false),
            ("i-love.example.com", "i-love.example.com", false),
            ("Web1.Example.com.", "web1.example.com", false),
            ("10.0.0.1", "10.0.0.1", false),
            ("2001:DB8:0::1", "2001:db8::1", false),
        ] {
            assert_eq!((plain(text).as_str(), is_instance(text)), (expected, is_id), "{text}");
        }
    }
}
