//! Application and network load balancers: groups of targets.

use buedafab_model::host::balancer::{MemberState, Traffic};
use serde::Deserialize;

use super::elb::Nothing;
use super::{Action, Aws, AwsError, List, numbered};

/// A group of targets.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetGroup {
    pub target_group_arn: String,
    pub target_group_name: String,
    #[serde(default)]
    pub protocol: Option<String>,
    /// `instance`, `ip`, `lambda` or `alb`.
    #[serde(default)]
    pub target_type: Option<String>,
    /// The network of its targets.
    #[serde(default)]
    pub vpc_id: Option<String>,
}

impl TargetGroup {
    /// Whether its targets are hosts, and neither functions nor other load balancers.
    pub(crate) fn is_of_hosts(&self) -> bool {
        matches!(self.target_type.as_deref(), None | Some("instance" | "ip"))
    }

    /// Whether it knows its targets by their addresses.
    pub(crate) fn is_of_addresses(&self) -> bool {
        self.target_type.as_deref() == Some("ip")
    }

    /// Whether connections are shared out, by a network load balancer.
    pub(crate) fn is_of_connections(&self) -> bool {
        self.protocol.as_deref().is_some_and(|protocol| !protocol.starts_with("HTTP"))
    }
}

/// A target as its group has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    pub id: String,
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub availability_zone: Option<String>,
}

/// A target and how it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetDescription {
    pub target: Target,
    #[serde(default)]
    target_health: Option<TargetHealth>,
    #[serde(default)]
    administrative_override: Option<TargetHealth>,
}

/// A word about a target, with its reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TargetHealth {
    #[serde(default)]
    state: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl TargetHealth {
    fn code(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    fn why(&self) -> Option<String> {
        let said = [self.reason.as_deref(), self.description.as_deref()];
        let said: Vec<&str> = said.into_iter().flatten().filter(|said| !said.is_empty()).collect();
        (!said.is_empty()).then(|| said.join(": "))
    }
}

impl TargetDescription {
    /// What its group says of it. The words are those of `TargetHealthStateEnum`, `TargetHealthReasonEnum` and
    /// `TargetAdministrativeOverrideStateEnum` in Amazon's reference; any other is told, and waited through.
    pub(crate) fn state(&self) -> MemberState {
        let Some(health) = &self.target_health else { return not_registered() };
        let moved = self.administrative_override.as_ref();
        let moved = moved
            .filter(|it| matches!(it.state.as_str(), "zonal_shift_active" | "zonal_shift_delegated_to_dns"));
        let mut reason = health.why();
        let traffic = match (health.state.as_str(), health.code()) {
            (_, "Target.NotRegistered") => Traffic::Out,
            // Nobody asks after its health, so it gets requests.
            ("healthy", _) | ("unavailable", "Target.HealthCheckDisabled") => match moved {
                Some(moved) => {
                    reason = moved.why();
                    Traffic::Shifted
                }
                None => Traffic::Serves,
            },
            ("draining", _) => Traffic::Drains,
            ("unused", "Target.NotInUse" | "Target.IpUnusable") => Traffic::Unused,
            ("unused", _) => Traffic::Out,
            // What drains there are the connections of one that is unwell and stays in the group.
            ("initial" | "unhealthy" | "unhealthy.draining" | "unavailable", _) => Traffic::Waits,
            _ => {
                let unknown = "a state that isn't known here";
                reason = Some(reason.map_or_else(|| unknown.to_owned(), |why| format!("{unknown}: {why}")));
                Traffic::Waits
            }
        };
        MemberState { traffic, word: health.state.clone(), reason }
    }
}

/// What is said of one that its group doesn't have.
pub(crate) fn not_registered() -> MemberState {
    MemberState { traffic: Traffic::Out, word: "not registered".to_owned(), reason: None }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    describe_target_groups_result: GroupsResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupsResult {
    #[serde(default)]
    target_groups: List<TargetGroup>,
    #[serde(default)]
    next_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    describe_target_health_result: HealthResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthResult {
    #[serde(default)]
    target_health_descriptions: List<TargetDescription>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    describe_target_group_attributes_result: AttributesResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesResult {
    #[serde(default)]
    attributes: List<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    key: String,
    #[serde(default)]
    value: String,
}

impl Aws {
    /// Groups of targets by their names or ARNs, or all of them.
    pub(crate) async fn target_groups(&self, names: &[String]) -> Result<Vec<TargetGroup>, AwsError> {
        let (arns, names): (Vec<&str>, Vec<&str>) =
            names.iter().map(String::as_str).partition(|name| name.starts_with("arn:"));
        let mut lists = Vec::new();
        if !arns.is_empty() {
            lists.push(numbered("TargetGroupArns.member", arns.iter().copied(), ""));
        }
        if !names.is_empty() || arns.is_empty() {
            lists.push(numbered("Names.member", names, ""));
        }
        let mut found = Vec::new();
        for parameters in lists {
            let add = |page: Groups| {
                let GroupsResult { target_groups, next_marker } = page.describe_target_groups_result;
                found.extend(target_groups);
                next_marker
            };
            self.pages(Action::DescribeTargetGroups, &parameters, "Marker", add).await?;
        }
        Ok(found)
    }

    /// The targets of a group; or only this one, which may be none of them.
    pub(crate) async fn targets(
        &self,
        arn: &str,
        only: Option<&Target>,
    ) -> Result<Vec<TargetDescription>, AwsError> {
        let parameters = of(arn, only);
        let answer: Health = self.call(Action::DescribeTargetHealth, &parameters).await?;
        Ok(answer.describe_target_health_result.target_health_descriptions.items)
    }

    /// How long a group lets requests end that a target has begun, in seconds.
    pub(crate) async fn deregistration_delay_seconds(&self, arn: &str) -> Result<u32, AwsError> {
        let parameters = [("TargetGroupArn".to_owned(), arn.to_owned())];
        let answer: Attributes = self.call(Action::DescribeTargetGroupAttributes, &parameters).await?;
        let mut attributes = answer.describe_target_group_attributes_result.attributes.into_iter();
        let delay = attributes.find(|attribute| attribute.key == "deregistration_delay.timeout_seconds");
        Ok(delay.and_then(|delay| delay.value.parse().ok()).unwrap_or_default())
    }

    pub(crate) async fn register_target(&self, arn: &str, target: &Target) -> Result<(), AwsError> {
        self.call::<Nothing>(Action::RegisterTargets, &of(arn, Some(target))).await.map(|_| ())
    }

    pub(crate) async fn deregister_target(&self, arn: &str, target: &Target) -> Result<(), AwsError> {
        match self.call::<Nothing>(Action::DeregisterTargets, &of(arn, Some(target))).await {
            // It isn't in there: that is what was wanted.
            Err(AwsError::Refused { code, .. }) if code == "InvalidTarget" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

fn of(arn: &str, target: Option<&Target>) -> Vec<(String, String)> {
    let mut parameters = vec![("TargetGroupArn".to_owned(), arn.to_owned())];
    if let Some(Target { id, port, availability_zone }) = target {
        parameters.push(("Targets.member.1.Id".to_owned(), id.clone()));
        let more =
            [("Port", port.map(|port| port.to_string())), ("AvailabilityZone", availability_zone.clone())];
        let more =
            more.into_iter().filter_map(|(key, value)| Some((format!("Targets.member.1.{key}"), value?)));
        parameters.extend(more);
    }
    parameters
}
