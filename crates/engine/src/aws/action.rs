//! The calls that are made, all of them: each with its service and with the permission that it needs.

use super::Service;

macro_rules! actions {
    ($($action:ident: $service:ident,)*) => {
        /// A call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Action {
            $($action,)*
        }

        impl Action {
            /// All calls that can be made.
            #[cfg(test)]
            pub(crate) const ALL: &[Action] = &[$(Action::$action,)*];

            /// Whom it is made to.
            pub(crate) fn service(self) -> Service {
                match self {
                    $(Action::$action => Service::$service,)*
                }
            }

            /// Amazon's name for it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Action::$action => stringify!($action),)*
                }
            }
        }
    };
}

actions! {
    DescribeInstances: Ec2,
    DescribeAutoScalingGroups: AutoScaling,
    DescribeLoadBalancers: Elb,
    DescribeLoadBalancerAttributes: Elb,
    DescribeInstanceHealth: Elb,
    RegisterInstancesWithLoadBalancer: Elb,
    DeregisterInstancesFromLoadBalancer: Elb,
    DescribeTargetGroups: Elbv2,
    DescribeTargetGroupAttributes: Elbv2,
    DescribeTargetHealth: Elbv2,
    RegisterTargets: Elbv2,
    DeregisterTargets: Elbv2,
    AssumeRole: Sts,
}

impl Action {
    /// What a policy has to allow for it: `elasticloadbalancing:DescribeLoadBalancers`.
    pub(crate) fn permission(self) -> String {
        format!("{}:{}", self.service().name(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A policy that allows what the manual's table says is enough, and allows nothing that isn't needed.
    #[test]
    fn the_manual_tells_the_permission_of_every_call() {
        let manual = include_str!("../../../../docs/inventories.md");
        let rows = manual.lines().skip_while(|line| !line.starts_with("| permission |")).skip(2);
        let rows = rows.take_while(|line| line.starts_with('|'));
        let told: BTreeSet<String> =
            rows.map(|row| row.split('`').nth(1).unwrap_or(row).to_owned()).collect();
        let needed: BTreeSet<String> = Action::ALL.iter().map(|action| action.permission()).collect();
        assert_eq!(told, needed);
    }
}
