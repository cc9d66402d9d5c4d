//! Instances: what EC2 says of them.

use std::collections::{BTreeMap, BTreeSet};

use buedafab_model::host::inventory::Instance;
use serde::Deserialize;

use super::machines::{Machine, plain};
use super::{Action, Aws, AwsError, List, numbered};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instances {
    #[serde(default)]
    reservation_set: List<Reservation>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    #[serde(default)]
    instances_set: List<InstanceAnswer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceAnswer {
    instance_id: String,
    instance_state: Named,
    #[serde(default)]
    private_ip_address: Option<String>,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    private_dns_name: Option<String>,
    #[serde(default)]
    dns_name: Option<String>,
    #[serde(default)]
    launch_time: Option<String>,
    #[serde(default)]
    placement: Option<Placement>,
    #[serde(default)]
    tag_set: List<Tag>,
    #[serde(default)]
    vpc_id: Option<String>,
    #[serde(default)]
    network_interface_set: List<Interface>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    #[serde(default)]
    private_ip_addresses_set: List<PrivateAddress>,
    #[serde(default)]
    ipv6_addresses_set: List<Ipv6Address>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrivateAddress {
    private_ip_address: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ipv6Address {
    ipv6_address: String,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placement {
    #[serde(default)]
    availability_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

impl From<InstanceAnswer> for Instance {
    fn from(answer: InstanceAnswer) -> Self {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let tags: BTreeMap<String, String> =
            answer.tag_set.into_iter().map(|Tag { key, value }| (key, value)).collect();
        Instance {
            id: answer.instance_id,
            state: answer.instance_state.name,
            zone: answer.placement.and_then(|placement| said(placement.availability_zone)),
            private: said(answer.private_ip_address),
            public: said(answer.ip_address),
            private_dns: said(answer.private_dns_name),
            public_dns: said(answer.dns_name),
            launched: said(answer.launch_time),
            tags,
            left_out: None,
            is_address: false,
        }
    }
}

impl From<InstanceAnswer> for Machine {
    fn from(answer: InstanceAnswer) -> Self {
        let mut addresses: BTreeSet<String> = answer.private_ip_address.iter().map(|it| plain(it)).collect();
        for interface in answer.network_interface_set {
            addresses.extend(
                interface.private_ip_addresses_set.into_iter().map(|it| plain(&it.private_ip_address)),
            );
            addresses.extend(interface.ipv6_addresses_set.into_iter().map(|it| plain(&it.ipv6_address)));
        }
        let names = [answer.ip_address, answer.private_dns_name, answer.dns_name].into_iter().flatten();
        let names = names.filter(|name| !name.is_empty()).map(|name| plain(&name)).collect();
        let address = answer.private_ip_address.map(|address| plain(&address));
        Machine { id: Some(answer.instance_id), vpc: answer.vpc_id, address, addresses, names }
    }
}

/// So many values a filter may have.
const MOST_VALUES: usize = 200;

impl Aws {
    /// Instances that these filters take, all of each; those that have ended are nobody's any more.
    pub(crate) async fn instances(
        &self,
        filters: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<Instance>, AwsError> {
        Ok(self.described(filters).await?.into_iter().map(Instance::from).collect())
    }

    /// The same as machines that hosts may be, which this filter takes with any of these values.
    pub(super) async fn machines(&self, filter: &str, values: &[String]) -> Result<Vec<Machine>, AwsError> {
        let mut found = Vec::new();
        for some in values.chunks(MOST_VALUES) {
            let filter = BTreeMap::from([(filter.to_owned(), some.to_vec())]);
            found.extend(self.described(&filter).await?.into_iter().map(Machine::from));
        }
        Ok(found)
    }

    async fn described(
        &self,
        filters: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<InstanceAnswer>, AwsError> {
        let mut parameters = vec![("MaxResults".to_owned(), "1000".to_owned())];
        let states =
            ["pending", "running", "stopping", "stopped", "shutting-down"].map(str::to_owned).to_vec();
        let states = ("instance-state-name".to_owned(), states);
        let has_state = filters.contains_key(&states.0);
        let all = filters.iter();
        let all = all.chain((!has_state).then_some((&states.0, &states.1)));
        for (at, (name, values)) in all.enumerate() {
            let filter = format!("Filter.{}", at + 1);
            parameters.push((format!("{filter}.Name"), name.clone()));
            parameters.extend(numbered(&format!("{filter}.Value"), values.iter().map(String::as_str), ""));
        }
        let mut found = Vec::new();
        let add = |page: Instances| {
            found.extend(page.reservation_set.into_iter().flat_map(|reservation| reservation.instances_set));
            page.next_token
        };
        self.pages(Action::DescribeInstances, &parameters, "NextToken", add).await?;
        Ok(found)
    }

    /// Instances by their ids, in the order of the ids. One that isn't there any more is told as such.
    pub(crate) async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, AwsError> {
        let mut known: BTreeMap<String, Instance> = BTreeMap::new();
        for some in ids.chunks(MOST_VALUES) {
            // By a filter, and not by name: one name that isn't known any more would make all of it an error.
            let filter = BTreeMap::from([("instance-id".to_owned(), some.to_vec())]);
            known.extend(self.instances(&filter).await?.into_iter().map(|found| (found.id.clone(), found)));
        }
        let gone =
            |id: &String| Instance { id: id.clone(), state: "terminated".to_owned(), ..Instance::default() };
        Ok(ids.iter().map(|id| known.remove(id).unwrap_or_else(|| gone(id))).collect())
    }
}
