//! Taking a host out of traffic while it changes, and putting it back.

use std::fmt;

use serde::Serialize;

use super::effects::{Effect, Effects, FailureMeans, PhaseName};
use super::{Action, Surroundings};
use crate::app::text::one_line;
use crate::app::traffic::DrainMethod;
use crate::host::balancer::Membership;

/// What a host does about its traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum TrafficAction {
    /// Writes down that the host is out of traffic, or may be; takes it out; and waits until what was under way has ended.
    Drain {
        /// How.
        way: HostWay,
        /// As the settings say it, for whoever puts it back.
        method: DrainMethod,
        /// Who says it.
        by: String,
        /// Whether a person wants it so until they say otherwise.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_by_hand: bool,
        /// Where it was behind load balancers of Amazon's.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        memberships: Vec<Membership>,
        /// How long it waits, in seconds.
        grace_seconds: u32,
    },
    /// Puts it back into traffic, takes the note away, and waits until the load balancer has noticed.
    Undrain {
        /// How.
        way: HostWay,
        /// How long it waits, in seconds.
        grace_seconds: u32,
    },
}

/// How a host takes itself out of traffic, or back into it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum HostWay {
    /// By the file that its health check looks for.
    File,
    /// By a command.
    Command {
        /// The command.
        command: String,
        /// Where it runs.
        #[serde(flatten)]
        around: Box<Surroundings>,
    },
    /// The deployer does it: here it is only noted.
    ByDeployer,
}

impl TrafficAction {
    /// Whether it only writes down what the deployer does.
    pub fn is_told_by_deployer(&self) -> bool {
        let (TrafficAction::Drain { way, .. } | TrafficAction::Undrain { way, .. }) = self;
        *way == HostWay::ByDeployer
    }

    pub(super) fn effects(&self) -> Effects<'_> {
        use PhaseName::{Announce, Bake, Drain, Switch, Undrain, Work};
        let way = match self {
            TrafficAction::Drain { way, .. } | TrafficAction::Undrain { way, .. } => way,
        };
        let may_use_sudo = matches!(way, HostWay::Command { .. });
        match self {
            TrafficAction::Drain { is_by_hand, .. } => Effects::new(
                Effect::Drained { is_by_hand: *is_by_hand },
                &[Announce, Drain, Undrain, Bake, Work],
            ),
            // What stands behind it on a way back is done although it failed.
            TrafficAction::Undrain { .. } => Effects {
                failure: FailureMeans::StopUnlessGoingBack,
                ..Effects::new(Effect::InTraffic, &[Announce, Drain, Switch, Undrain, Work])
            },
        }
        .by_sudo(may_use_sudo)
    }
}

impl fmt::Display for TrafficAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = |f: &mut fmt::Formatter<'_>, seconds: u32| match seconds {
            0 => Ok(()),
            seconds => write!(f, ", and wait {seconds} s"),
        };
        match self {
            TrafficAction::Drain { way: HostWay::ByDeployer, .. } => {
                f.write_str("note that it is taken out of traffic")
            }
            TrafficAction::Drain { way, grace_seconds, .. } => {
                f.write_str("take it out of traffic")?;
                tell_way(f, way)?;
                waits(f, *grace_seconds)
            }
            TrafficAction::Undrain { way: HostWay::ByDeployer, grace_seconds } => {
                f.write_str("note that it is back in traffic")?;
                waits(f, *grace_seconds)
            }
            TrafficAction::Undrain { way, grace_seconds } => {
                f.write_str("put it back into traffic")?;
                tell_way(f, way)?;
                waits(f, *grace_seconds)
            }
        }
    }
}

fn tell_way(f: &mut fmt::Formatter<'_>, way: &HostWay) -> fmt::Result {
    match way {
        HostWay::Command { command, .. } => write!(f, ": {}", one_line(command)),
        HostWay::File | HostWay::ByDeployer => Ok(()),
    }
}

impl From<TrafficAction> for Action {
    fn from(action: TrafficAction) -> Action {
        Action::Traffic(action)
    }
}
