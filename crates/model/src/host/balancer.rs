//! The groups of a load balancer that a host is in, and what the balancer says of it there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A host's place in one group of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Membership {
    /// Which.
    pub group: BalancerGroup,
    /// What it is called there: the id of an instance, or an IP address.
    pub id: String,
    /// The port that gets its requests; `None`: the group says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The zone that it was registered with, where its address alone doesn't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How long the group lets requests end before a host is out of it, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_seconds: u32,
}

fn is_zero(seconds: &u32) -> bool {
    *seconds == 0
}

/// What requests are shared out in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BalancerGroup {
    /// A classic load balancer, which is its own only group.
    LoadBalancer {
        /// Its name.
        name: String,
    },
    /// A group of targets, of an application or a network load balancer.
    TargetGroup {
        /// Its name.
        name: String,
        /// What it is known by.
        arn: String,
        /// Whether connections are shared out and not requests: targets of a network load balancer get some still, for a while,
        /// when they are unused.
        of_connections: bool,
    },
}

impl Membership {
    /// Whether it is the same place in the same group.
    pub fn is_same_place(&self, other: &Membership) -> bool {
        let Membership { group, id, port, zone, delay_seconds: _ } = self;
        (group, id, port, zone) == (&other.group, &other.id, &other.port, &other.zone)
    }

    /// Whether connections are shared out there and not requests.
    pub fn is_of_connections(&self) -> bool {
        matches!(self.group, BalancerGroup::TargetGroup { of_connections: true, .. })
    }
}

impl fmt::Display for BalancerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BalancerGroup::LoadBalancer { name } => write!(f, "load balancer {name}"),
            BalancerGroup::TargetGroup { name, .. } => write!(f, "target group {name}"),
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.id, self.group)?;
        match self.port {
            Some(port) => write!(f, ", port {port}"),
            None => Ok(()),
        }
    }
}

/// What a load balancer says of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberState {
    /// Whether it gets requests.
    pub traffic: Traffic,
    /// The balancer's own word for it: `draining`, `OutOfService`.
    pub word: String,
    /// Why, in the balancer's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a member gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    /// It does.
    Serves,
    /// It is being put in: it isn't known to be well yet, or it isn't.
    Waits,
    /// It is being taken out, and what it has begun goes on.
    Drains,
    /// It is well, and its zone's requests go elsewhere for now.
    Shifted,
    /// It is in the group, and gets nothing for a reason that isn't its own: no load balancer uses the group, or not in its zone.
    Unused,
    /// It isn't in the group, or gets nothing for good.
    Out,
}

/// Where a member is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Among those that get requests.
    In,
    /// Where it gets none any more.
    Out,
}

impl Wanted {
    /// Whether a member is there.
    pub fn is_met(self, state: &MemberState) -> bool {
        match state.traffic {
            Traffic::Serves | Traffic::Shifted => self == Wanted::In,
            Traffic::Out => self == Wanted::Out,
            // No longer wait gets it any further, in or out.
            Traffic::Unused => true,
            Traffic::Waits | Traffic::Drains => false,
        }
    }
}

impl fmt::Display for MemberState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
