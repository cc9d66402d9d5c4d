//! Hosts out of the groups of Amazon's load balancers, and into them again: asks, and waits until it is so.

use std::collections::BTreeSet;
use std::time::Duration;

use buedafab_model::deployer::action::{DeployerAction, DeployerWay, TrafficShift};
use buedafab_model::host::balancer::{BalancerGroup, MemberState, Membership, Wanted};
use buedafab_model::run::state::NONE_TAKEN_OUT;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::aws::{Aws, AwsError};
use crate::deployer::{DeployerCommand, DeployerReply};

/// Starts an action that takes hosts out of load balancers, or puts them back; `None`: it is another one.
pub(crate) fn start(action: &DeployerAction) -> Option<DeployerCommand> {
    let (shift, wanted) = match action {
        DeployerAction::Drain(shift) => (shift, Wanted::Out),
        DeployerAction::Undrain(shift) => (shift, Wanted::In),
        _ => return None,
    };
    let DeployerWay::LoadBalancer { region, least, timeout_seconds } = shift.way.clone() else {
        return None;
    };
    let shift = shift.clone();
    Some(DeployerCommand::work(|says| async move {
        let limits = Limits { least, timeout: Duration::from_secs(timeout_seconds.into()) };
        let done = match Aws::new(region.as_deref()).await {
            Ok(aws) => go(&aws, &shift, wanted, &limits, &says).await,
            Err(error) => Err(Trouble::before(words(&error))),
        };
        match done {
            Ok(()) => 0,
            Err(Trouble { why, has_begun }) => {
                say(&says, why).await;
                if has_begun { 1 } else { NONE_TAKEN_OUT }
            }
        }
    }))
}

/// Why hosts aren't where they are wanted.
struct Trouble {
    why: String,
    /// Whether a load balancer may have done anything.
    has_begun: bool,
}

impl Trouble {
    fn before(why: String) -> Self {
        Trouble { why, has_begun: false }
    }

    fn after(why: String) -> Self {
        Trouble { why, has_begun: true }
    }
}

/// What a wait may come to.
struct Limits {
    /// How many others have to stay in service in each group.
    least: u32,
    /// How long the load balancer may take.
    timeout: Duration,
}

async fn go(
    aws: &Aws,
    shift: &TrafficShift,
    wanted: Wanted,
    limits: &Limits,
    says: &mpsc::Sender<DeployerReply>,
) -> Result<(), Trouble> {
    let mut members: Vec<Membership> = shift.hosts.iter().flat_map(|host| host.memberships.clone()).collect();
    if wanted == Wanted::Out {
        enough_stay(aws, &members, limits.least).await.map_err(Trouble::before)?;
    }
    // Whoever puts hosts back leaves none out because of another.
    let mut trouble = Vec::new();
    let mut has_begun = false;
    let mut gone = Vec::new();
    for member in &members {
        let asked = match wanted {
            Wanted::Out => aws.deregister(member).await,
            Wanted::In => aws.register(member).await,
        };
        // What was refused wasn't done; of the rest nobody knows.
        has_begun |= !asked.as_ref().is_err_and(AwsError::is_refusal);
        if let Err(error) = asked {
            // There is nothing any more that it could be put back into.
            if wanted == Wanted::In && matches!(error, AwsError::NotFound { .. }) {
                say(says, format!("{member}: it is gone since")).await;
                gone.push(member.clone());
                continue;
            }
            trouble.push(format!("{member}: {}", words(&error)));
            if wanted == Wanted::Out {
                break;
            }
        }
    }
    if !trouble.is_empty() {
        return Err(Trouble { why: trouble.join("\n"), has_begun });
    }
    members.retain(|member| !gone.contains(member));
    wait(aws, &members, wanted, limits.timeout, says).await.map_err(Trouble::after)?;
    if wanted == Wanted::Out {
        sleep(Duration::from_secs(shift.grace_seconds.into())).await;
    }
    Ok(())
}

/// That in each group enough others get requests.
async fn enough_stay(aws: &Aws, members: &[Membership], least: u32) -> Result<(), String> {
    let groups: BTreeSet<&BalancerGroup> = members.iter().map(|member| &member.group).collect();
    for group in groups {
        let mut serving = aws.serving_in(group).await.map_err(|error| words(&error))?;
        for member in members.iter().filter(|member| member.group == *group) {
            serving.remove(&member.id);
        }
        if serving.len() < least as usize {
            let others = match serving.len() {
                0 => "no other is".to_owned(),
                1 => "only one other is".to_owned(),
                more => format!("only {more} others are"),
            };
            return Err(format!(
                "{others} in service in {group}, and `min_in_service` is {least}: nothing was taken out"
            ));
        }
    }
    Ok(())
}

/// Until the load balancer says of all that they are where they are wanted. What it says meanwhile is told.
async fn wait(
    aws: &Aws,
    members: &[Membership],
    wanted: Wanted,
    timeout: Duration,
    says: &mpsc::Sender<DeployerReply>,
) -> Result<(), String> {
    let tell = |member: &Membership, state: &MemberState| {
        // Nobody may listen any more.
        let _ = says.try_send(DeployerReply::Line(format!("{member}: {state}")));
    };
    let states = aws.wait_until(members, wanted, timeout, tell).await.map_err(|error| words(&error))?;
    let still = members.iter().zip(&states).filter(|(_, state)| !wanted.is_met(state));
    let still: Vec<String> = still.map(|(member, state)| format!("{member}: {state}")).collect();
    if still.is_empty() {
        return Ok(());
    }
    let place = if wanted == Wanted::Out { "out of traffic" } else { "in traffic" };
    Err(format!("not {place} after {} s (`drain_timeout_seconds`): {}", timeout.as_secs(), still.join("; ")))
}

async fn say(says: &mpsc::Sender<DeployerReply>, words: String) {
    for line in words.lines() {
        // Nobody may listen any more.
        let _ = says.send(DeployerReply::Line(line.to_owned())).await;
    }
}

fn words(error: &AwsError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\n{hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use buedafab_model::deployer::action::HostTraffic;
    use buedafab_model::names::HostName;

    use super::*;
    use crate::aws::tests::{Server, aws, error, member, targets};

    /// What is said, and how it ends, where the load balancer answers so, question by question.
    async fn told(wanted: Wanted, least: u32, patience: u64, answers: Vec<(u16, String)>) -> String {
        let server = Server::with(answers);
        let shift = TrafficShift {
            hosts: vec![HostTraffic {
                host: HostName::new("web1").expect("a name"),
                address: "10.0.0.1".to_owned(),
                memberships: vec![member()],
            }],
            way: DeployerWay::LoadBalancer { region: None, least, timeout_seconds: 0 },
            grace_seconds: 0,
        };
        let timeout = Duration::from_secs(patience);
        let limits = Limits { least, timeout };
        let (says, mut said) = mpsc::channel(64);
        let end = go(&aws(&server.url), &shift, wanted, &limits, &says).await;
        drop(says);
        let mut told = Vec::new();
        while let Some(reply) = said.recv().await {
            if let DeployerReply::Line(line) = reply {
                told.push(line);
            }
        }
        told.push(match end {
            Ok(()) => "done".to_owned(),
            Err(Trouble { why, has_begun: true }) => format!("error: {why}"),
            Err(Trouble { why, has_begun: false }) => format!("error before anything was done: {why}"),
        });
        told.join("\n")
    }

    fn done() -> (u16, String) {
        (200, "<Response/>".to_owned())
    }

    fn state(state: &str, reason: &str) -> (u16, String) {
        (200, targets(state, reason, ""))
    }

    /// The other one is in service, too.
    fn two() -> (u16, String) {
        let (status, answer) = state("healthy", "");
        let (from, to) = (
            answer.find("<member>").expect("one"),
            answer.find("</TargetHealthDescriptions>").expect("an end"),
        );
        let other = answer[from..to].replace("i-1", "i-2");
        (status, format!("{}{other}{}", &answer[..to], &answer[to..]))
    }

    #[tokio::test]
    async fn a_host_is_out_when_the_load_balancer_says_so() {
        let draining = || state("draining", "Target.DeregistrationInProgress");
        let out = vec![two(), done(), draining(), draining(), state("unused", "Target.NotRegistered")];
        insta::assert_snapshot!(told(Wanted::Out, 1, 30, out).await, @"
        i-1 in target group five, port 80: draining (Target.DeregistrationInProgress)
        i-1 in target group five, port 80: unused (Target.NotRegistered)
        done
        ");
        insta::assert_snapshot!(told(Wanted::Out, 1, 30, vec![state("healthy", "")]).await, @"error before anything was done: no other is in service in target group five, and `min_in_service` is 1: nothing was taken out");
        insta::assert_snapshot!(told(Wanted::Out, 2, 30, vec![two()]).await, @"error before anything was done: only one other is in service in target group five, and `min_in_service` is 2: nothing was taken out");
        insta::assert_snapshot!(told(Wanted::Out, 1, 0, vec![two(), done(), draining()]).await, @"
        i-1 in target group five, port 80: draining (Target.DeregistrationInProgress)
        error: not out of traffic after 0 s (`drain_timeout_seconds`): i-1 in target group five, port 80: draining (Target.DeregistrationInProgress)
        ");
        let denied =
            "User: ada is not authorized to perform: elasticloadbalancing:DeregisterTargets on resource: *";
        insta::assert_snapshot!(told(Wanted::Out, 1, 0, vec![two(), (403, error("AccessDenied", denied))]).await, @"
        error before anything was done: i-1 in target group five, port 80: whoever the AWS credentials are of may not elasticloadbalancing:DeregisterTargets
        allow elasticloadbalancing:DeregisterTargets in a policy of the user or role
        ");
    }

    /// A group that was deleted keeps no host from being back.
    #[tokio::test]
    async fn nobody_waits_for_a_group_that_is_gone() {
        let gone = (400, error("TargetGroupNotFound", "One or more target groups not found"));
        insta::assert_snapshot!(told(Wanted::In, 1, 30, vec![gone]).await, @"
        i-1 in target group five, port 80: it is gone since
        done
        ");
    }

    #[tokio::test]
    async fn a_host_is_back_when_it_is_well() {
        let back = vec![
            done(),
            state("initial", "Elb.RegistrationInProgress"),
            state("unhealthy", "Target.Timeout"),
            state("healthy", ""),
        ];
        insta::assert_snapshot!(told(Wanted::In, 1, 30, back).await, @"
        i-1 in target group five, port 80: initial (Elb.RegistrationInProgress)
        i-1 in target group five, port 80: unhealthy (Target.Timeout)
        i-1 in target group five, port 80: healthy
        done
        ");
        insta::assert_snapshot!(told(Wanted::In, 1, 0, vec![done(), state("unhealthy", "Target.Timeout")]).await, @"
        i-1 in target group five, port 80: unhealthy (Target.Timeout)
        error: not in traffic after 0 s (`drain_timeout_seconds`): i-1 in target group five, port 80: unhealthy (Target.Timeout)
        ");
    }
}
