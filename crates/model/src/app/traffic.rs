//! Taking a host out of traffic before it changes, and putting it back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::RunId;

/// How a host is taken out of traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrainMethod {
    /// `shared/drained` is there, which the web server or the app turns into a failing health check of the load balancer's.
    File,
    /// By a command; another one takes it back.
    Command(DrainCommand),
    /// By this machine: it takes the host out of every load balancer and target group of Amazon's that it is in.
    LoadBalancer,
}

impl DrainMethod {
    /// Who does it.
    pub fn on(&self) -> DrainOn {
        match self {
            DrainMethod::File => DrainOn::Host,
            DrainMethod::Command(command) => command.on,
            DrainMethod::LoadBalancer => DrainOn::Deployer,
        }
    }
}

/// A command that takes a host out of traffic, and one that puts it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrainCommand {
    /// Takes it out, for `sh`.
    pub command: String,
    /// Puts it back.
    pub undo: String,
    /// Where both run.
    pub on: DrainOn,
}

/// Who takes a host out of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrainOn {
    /// The host itself, which goes back by itself, too, when its deployer is lost.
    Host,
    /// The deployer.
    Deployer,
}

/// A place of a host's behind a load balancer of Amazon's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BalancerTarget {
    /// Behind a classic load balancer.
    Classic {
        /// The load balancer's name.
        load_balancer: String,
        /// The instance.
        instance: String,
    },
    /// In a target group of an application or a network load balancer.
    Group {
        /// The group's ARN.
        arn: String,
        /// An instance, or an IP address.
        id: String,
        /// `None`: the group's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// Whether a network load balancer passes traffic to it, which goes on for a while after it was taken out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_network: bool,
    },
}

impl BalancerTarget {
    /// Whether a network load balancer passes traffic to it.
    pub fn is_network(&self) -> bool {
        matches!(self, BalancerTarget::Group { is_network: true, .. })
    }

    /// What a person calls the load balancer or the group.
    pub fn group(&self) -> &str {
        match self {
            BalancerTarget::Classic { load_balancer, .. } => load_balancer,
            // arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID
            BalancerTarget::Group { arn, .. } => arn.split('/').nth(1).unwrap_or(arn),
        }
    }
}

/// `.buedafab/drained`: there while a host is out of traffic, or may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainRecord {
    /// Since when, by the host's clock.
    pub at: Timestamp,
    /// Who said it.
    #[serde(deserialize_with = "crate::names::words")]
    pub by: String,
    /// The run that took it out.
    pub run: RunId,
    /// Whether a person did, by `drain`: then only `undrain` puts it back. Else the run does so at its end.
    #[serde(default)]
    pub is_by_hand: bool,
    /// Where it was behind load balancers of Amazon's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<BalancerTarget>,
}
