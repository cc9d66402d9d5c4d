//! Classic load balancers.

use std::collections::BTreeMap;

use buedafab_model::host::balancer::{MemberState, Traffic};
use serde::Deserialize;

use super::elbv2::not_registered;
use super::{Action, Aws, AwsError, List, numbered};

/// A load balancer with what is registered with it.
#[derive(Debug)]
pub(crate) struct LoadBalancer {
    pub name: String,
    pub instances: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Balancers {
    describe_load_balancers_result: BalancersResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BalancersResult {
    #[serde(default)]
    load_balancer_descriptions: List<Balancer>,
    #[serde(default)]
    next_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Balancer {
    load_balancer_name: String,
    #[serde(default)]
    instances: List<InstanceId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceId {
    instance_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    describe_instance_health_result: HealthResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthResult {
    #[serde(default)]
    instance_states: List<InstanceState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceState {
    instance_id: String,
    state: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesAnswer {
    describe_load_balancer_attributes_result: AttributesResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesResult {
    load_balancer_attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(default)]
    connection_draining: Option<ConnectionDraining>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectionDraining {
    enabled: bool,
    #[serde(default)]
    timeout: u32,
}

impl InstanceState {
    fn state(&self) -> MemberState {
        let reason = self.description.clone().filter(|reason| reason != NO_REASON && !reason.is_empty());
        // Several messages may stand in it.
        let says = |words: &str| reason.as_deref().is_some_and(|why| why.contains(words));
        let traffic = match self.state.as_str() {
            // What it has begun goes on, and it is in service for that.
            _ if says("deregistration") => Traffic::Drains,
            "InService" => Traffic::Serves,
            _ if says("not currently registered") => Traffic::Out,
            _ if says("LoadBalancer is not configured to route traffic to") => Traffic::Unused,
            _ => Traffic::Waits,
        };
        MemberState { traffic, word: self.state.clone(), reason }
    }
}

/// An answer of which nothing is wanted but that it is one.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// What is said where nothing is wrong.
const NO_REASON: &str = "N/A";

impl Aws {
    /// Load balancers by their names, or all of them.
    pub(crate) async fn load_balancers(&self, names: &[String]) -> Result<Vec<LoadBalancer>, AwsError> {
        let parameters = numbered("LoadBalancerNames.member", names.iter().map(String::as_str), "");
        let mut found = Vec::new();
        let add = |page: Balancers| {
            let BalancersResult { load_balancer_descriptions, next_marker } =
                page.describe_load_balancers_result;
            found.extend(load_balancer_descriptions.into_iter().map(|balancer| LoadBalancer {
                name: balancer.load_balancer_name,
                instances: balancer.instances.into_iter().map(|instance| instance.instance_id).collect(),
            }));
            next_marker
        };
        self.pages(Action::DescribeLoadBalancers, &parameters, "Marker", add).await?;
        Ok(found)
    }

    /// What a load balancer says of an instance.
    pub(crate) async fn instance_health(&self, balancer: &str, id: &str) -> Result<MemberState, AwsError> {
        let answer = self.call::<Health>(Action::DescribeInstanceHealth, &of(balancer, &[id])).await;
        let states = match answer {
            Ok(answer) => answer.describe_instance_health_result.instance_states,
            // That is how it says that it hasn't got it.
            Err(AwsError::Refused { code, .. }) if code.starts_with("InvalidInstance") => List::default(),
            Err(error) => return Err(error),
        };
        let Some(found) = states.into_iter().find(|state| state.instance_id == id) else {
            return Ok(not_registered());
        };
        // For a moment it may not know; of what was never registered it knows nothing for good.
        if found.state == "Unknown" {
            let known = self.load_balancers(&[balancer.to_owned()]).await?;
            if !known.iter().any(|balancer| balancer.instances.iter().any(|known| known == id)) {
                return Ok(not_registered());
            }
        }
        Ok(found.state())
    }

    /// How long a load balancer lets requests end that an instance has begun, in seconds.
    pub(crate) async fn connection_draining_seconds(&self, balancer: &str) -> Result<u32, AwsError> {
        let parameters = of(balancer, &[]);
        let answer: AttributesAnswer = self.call(Action::DescribeLoadBalancerAttributes, &parameters).await?;
        let draining =
            answer.describe_load_balancer_attributes_result.load_balancer_attributes.connection_draining;
        Ok(draining.filter(|draining| draining.enabled).map_or(0, |draining| draining.timeout))
    }

    /// What a load balancer says of each instance that it knows.
    pub(crate) async fn health_of_instances(
        &self,
        balancer: &str,
    ) -> Result<BTreeMap<String, MemberState>, AwsError> {
        let answer: Health = self.call(Action::DescribeInstanceHealth, &of(balancer, &[])).await?;
        let states = answer.describe_instance_health_result.instance_states.into_iter();
        Ok(states.map(|found| (found.instance_id.clone(), found.state())).collect())
    }

    /// Those that are registered already aren't again: not every server counts them once then.
    pub(crate) async fn register_instances(&self, balancer: &str, ids: &[&str]) -> Result<(), AwsError> {
        let known = self.load_balancers(&[balancer.to_owned()]).await?;
        let is_in =
            |id: &&str| known.iter().any(|balancer| balancer.instances.iter().any(|known| known == *id));
        let new: Vec<&str> = ids.iter().copied().filter(|id| !is_in(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let action = Action::RegisterInstancesWithLoadBalancer;
        self.call::<Nothing>(action, &of(balancer, &new)).await.map(|_| ())
    }

    pub(crate) async fn deregister_instances(&self, balancer: &str, ids: &[&str]) -> Result<(), AwsError> {
        let action = Action::DeregisterInstancesFromLoadBalancer;
        match self.call::<Nothing>(action, &of(balancer, ids)).await {
            Err(AwsError::Refused { code, .. }) if code.starts_with("InvalidInstance") => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

fn of(balancer: &str, ids: &[&str]) -> Vec<(String, String)> {
    let mut parameters = vec![("LoadBalancerName".to_owned(), balancer.to_owned())];
    parameters.extend(numbered("Instances.member", ids.iter().copied(), ".InstanceId"));
    parameters
}
