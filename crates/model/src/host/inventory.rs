//! Hosts that nobody writes down: who is asked for them, what the answers are, and where each host came from.

pub mod ansible;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Host;

/// Who knows the hosts of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HostSource {
    /// A classic load balancer of Amazon's: the instances that are registered with it.
    LoadBalancer(String),
    /// A group of targets of an application or network load balancer, by its name or ARN.
    TargetGroup(String),
    /// The instances of a group that scales itself.
    AutoScalingGroup(String),
    /// The instances that filters of EC2 take, each by its name and with the values that it takes.
    Ec2(BTreeMap<String, Vec<String>>),
    /// An inventory of Ansible's: a file, or a folder of such.
    Inventory(String),
    /// A command of the deployer's that prints JSON.
    Command(String),
}

impl HostSource {
    /// Whether hosts come and go there without anybody's doing.
    pub fn comes_and_goes(&self) -> bool {
        match self {
            HostSource::LoadBalancer(_)
            | HostSource::TargetGroup(_)
            | HostSource::AutoScalingGroup(_)
            | HostSource::Ec2(_) => true,
            HostSource::Inventory(_) | HostSource::Command(_) => false,
        }
    }
}

impl fmt::Display for HostSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostSource::LoadBalancer(name) => write!(f, "load balancer {name}"),
            HostSource::TargetGroup(name) => {
                write!(f, "target group {}", name.rsplit("targetgroup/").next().unwrap_or(name))
            }
            HostSource::AutoScalingGroup(name) => write!(f, "auto scaling group {name}"),
            HostSource::Ec2(filters) => {
                let filters: Vec<String> =
                    filters.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
                write!(f, "EC2 {}", filters.join(" "))
            }
            HostSource::Inventory(path) => write!(f, "inventory {path}"),
            HostSource::Command(command) => write!(f, "command `{command}`"),
        }
    }
}

/// What somebody is asked: who, and in which region of Amazon's, where that is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// Who is asked.
    pub source: HostSource,
    /// `None`: what the environment says, or the profile.
    pub region: Option<String>,
}

/// What was answered, in one run: each question is asked once.
pub type Answers = BTreeMap<Question, Answer>;

/// An answer, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Machines of a cloud.
    Instances(Vec<Instance>),
    /// Hosts that somebody has written down.
    Listed(Listed),
}

/// A machine of a cloud.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    /// Its id; or the address of a target that is known by nothing else.
    pub id: String,
    /// Whether that is an address.
    pub is_address: bool,
    /// `running`, and else what it is about.
    pub state: String,
    /// Where it stands.
    pub zone: Option<String>,
    /// Its address inside.
    pub private: Option<String>,
    /// Its address outside.
    pub public: Option<String>,
    /// Its name inside.
    pub private_dns: Option<String>,
    /// Its name outside.
    pub public_dns: Option<String>,
    /// When it began, as text that sorts by time.
    pub launched: Option<String>,
    /// What people have written on it.
    pub tags: BTreeMap<String, String>,
    /// Why the source that named it leaves it out: `draining`.
    pub left_out: Option<String>,
}

/// Hosts that somebody has written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// They, in the order in which they stand there.
    pub hosts: Vec<ListedHost>,
    /// What is said there and means nothing here, though it would change how hosts are reached.
    pub notes: Vec<String>,
}

/// A host that somebody has written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedHost {
    /// What it is called.
    pub name: String,
    /// `None`: its name.
    pub address: Option<String>,
    /// `None`: nothing is said of it.
    pub port: Option<u16>,
    /// `None`: nothing is said of it.
    pub user: Option<String>,
    /// Its groups.
    pub roles: BTreeSet<String>,
    /// Whether it is this machine.
    pub is_local: bool,
    /// Why it can't be a host.
    pub left_out: Option<String>,
}

/// Where a host came from that isn't written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Who named it, in words: `load balancer web`.
    pub source: String,
    /// Its id as an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What people call it there, where that isn't its name here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether hosts come and go there without anybody's doing: one that has gone is missed by nobody.
    #[serde(skip)]
    pub comes_and_goes: bool,
}

impl Origin {
    /// What there is to say of a host besides who named it.
    pub fn about(&self, host: &Host) -> String {
        let Origin { source: _, instance, called, zone, comes_and_goes: _ } = self;
        let instance = instance.as_ref().filter(|id| *id != host.machine());
        [called.as_ref(), instance, zone.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        for part in [&self.called, &self.instance, &self.zone].into_iter().flatten() {
            write!(f, ", {part}")?;
        }
        Ok(())
    }
}

/// A machine that a source named, and that is no host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// Which: its id, with what people call it.
    pub name: String,
    /// Its id alone, or its name where it has none: by which it would be a host.
    #[serde(skip)]
    pub machine: String,
    /// Who named it.
    pub source: String,
    /// Why it is left out.
    pub why: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name, self.source, self.why)
    }
}
