//! Whether hosts can wait for as long as a plan has them wait: from the switch of each until it is confirmed.

use crate::config::LimitsSettings;
use crate::deployer::action::{DeployerAction, TrafficShift};
use crate::names::HostName;
use crate::plan::action::{Action, ServiceAction, TrafficAction};
use crate::plan::refusal::Refusal;
use crate::plan::{DeployerStep, HostWork, Phase, PhaseKind, Plan, Step};

/// For how many seconds a host waits, as far as a plan knows: what restarts and checks take comes on top of that.
#[derive(Clone, Copy, Default)]
struct Waits {
    /// Until hosts are out of traffic, and back in it.
    drain_seconds: u32,
    /// Until waves have baked.
    bake_seconds: u32,
}

/// What speaks against a plan by the time that its hosts wait: the first of them would go back by themselves.
pub(super) fn too_long(plan: &Plan, limits: &LimitsSettings) -> Option<Refusal> {
    let most = limits.confirm_timeout_seconds;
    let longest =
        plan.hosts.iter().map(|planned| waits_of(plan, &planned.host.name)).max_by_key(Waits::all)?;
    let Waits { drain_seconds, bake_seconds } = longest;
    (longest.all() >= most).then_some(Refusal::TooManyWaits { drain_seconds, bake_seconds, most })
}

/// What one host waits for, itself or for others.
fn waits_of(plan: &Plan, host: &HostName) -> Waits {
    let mut waits = Waits::default();
    let mut is_armed = false;
    for phase in &plan.phases {
        let work = phase.work_of(host);
        if work.is_some_and(HostWork::confirms) {
            break;
        }
        // What visitors are told, and that it is out of traffic, a host takes back by itself, too, but not after any time.
        is_armed |= work.and_then(HostWork::arm).is_some_and(|arm| arm.pending.to.is_some());
        if is_armed {
            waits.add(phase);
        }
    }
    waits
}

impl Waits {
    fn all(&self) -> u32 {
        self.drain_seconds.saturating_add(self.bake_seconds)
    }

    /// All hosts of a phase wait at the same time, after the deployer.
    fn add(&mut self, phase: &Phase) {
        let deployer: u32 = phase.deployer.iter().map(seconds_of_deployer).sum();
        let of_host = |work: &HostWork| work.steps().map(seconds_of).fold(0, u32::saturating_add);
        let seconds = deployer.saturating_add(phase.work.iter().map(of_host).max().unwrap_or_default());
        match phase.kind {
            PhaseKind::Drain { .. } | PhaseKind::Undrain { .. } => {
                self.drain_seconds = self.drain_seconds.saturating_add(seconds);
            }
            PhaseKind::Bake { .. } => self.bake_seconds = self.bake_seconds.saturating_add(seconds),
            _ => {}
        }
    }
}

fn seconds_of(step: &Step) -> u32 {
    match &step.action {
        Action::Traffic(
            TrafficAction::Drain { grace_seconds, .. } | TrafficAction::Undrain { grace_seconds, .. },
        ) => *grace_seconds,
        Action::Service(ServiceAction::VerifyRunning { seconds, .. }) => *seconds,
        _ => 0,
    }
}

fn seconds_of_deployer(step: &DeployerStep) -> u32 {
    let DeployerAction::Drain(TrafficShift { hosts, grace_seconds, .. }) = &step.action else { return 0 };
    let members = hosts.iter().flat_map(|host| &host.memberships);
    let delay = members.map(|member| member.delay_seconds).max().unwrap_or_default();
    grace_seconds.saturating_add(delay)
}
