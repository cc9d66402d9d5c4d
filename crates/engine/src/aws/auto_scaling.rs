//! Groups that grow and shrink by themselves.

use serde::Deserialize;

use super::{Action, Aws, AwsError, List, numbered};

/// An instance, and where it stands between its beginning and its end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScaledInstance {
    pub instance_id: String,
    #[serde(default)]
    pub lifecycle_state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    describe_auto_scaling_groups_result: GroupsResult,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupsResult {
    #[serde(default)]
    auto_scaling_groups: List<Group>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    #[serde(default)]
    instances: List<ScaledInstance>,
}

impl Aws {
    /// The instances of a group; `None`: there is no such group.
    pub(crate) async fn scaled_instances(&self, name: &str) -> Result<Option<Vec<ScaledInstance>>, AwsError> {
        let parameters = numbered("AutoScalingGroupNames.member", [name], "");
        let mut found = None;
        let add = |page: Groups| {
            let GroupsResult { auto_scaling_groups, next_token } = page.describe_auto_scaling_groups_result;
            for group in auto_scaling_groups {
                found.get_or_insert_with(Vec::new).extend(group.instances);
            }
            next_token
        };
        self.pages(Action::DescribeAutoScalingGroups, &parameters, "NextToken", add).await?;
        Ok(found)
    }
}
