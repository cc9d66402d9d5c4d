//! Taking a host out of traffic before it changes, and putting it back.

use serde::{Deserialize, Serialize};

/// How a host is taken out of traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether both take a host out in the same way. What puts it back may have been mended since.
    pub fn is_same_way(&self, other: &DrainMethod) -> bool {
        match (self, other) {
            (DrainMethod::Command(one), DrainMethod::Command(other)) => {
                (one.on, &one.command) == (other.on, &other.command)
            }
            (one, other) => one == other,
        }
    }

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
