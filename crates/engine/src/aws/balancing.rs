//! The groups of load balancers that a host is in: into them and out of them, one call each. Who waits for what is decided
//! elsewhere.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use buedafab_model::host::Host;
use buedafab_model::host::balancer::{BalancerGroup, MemberState, Membership, Traffic, Wanted};

use super::elb::LoadBalancer;
use super::elbv2::{Target, TargetGroup, not_registered};
use super::machines::{Machine, Place};
use super::many::ask_all;
use super::{Aws, AwsError};

impl Aws {
    /// Every group that hosts are in, of any load balancer of the region, host by host.
    ///
    /// # Errors
    ///
    /// AWS doesn't answer; or a host may be one of several machines, of which one is in a group.
    pub async fn groups_of(&self, hosts: &[&Host]) -> Result<Vec<Vec<Membership>>, AwsError> {
        let machines = self.machines_of(hosts).await?;
        let ours: Vec<&Machine> = machines.iter().flatten().collect();
        let (balancers, groups) = (self.load_balancers(&[]).await?, self.target_groups(&[]).await?);
        let classic = balancers.iter().map(|balancer| self.places_in_balancer(balancer, &ours)).collect();
        let mut places = ask_all(classic).await?.concat();
        let groups = groups.iter().filter(|group| group.is_of_hosts());
        let groups = groups.map(|group| self.places_in_group(group, &ours)).collect();
        places.extend(ask_all(groups).await?.concat());
        let mut found = Vec::new();
        for (host, machines) in hosts.iter().zip(&machines) {
            found.push(self.places_of(host, machines, &places).await?);
        }
        Ok(found)
    }

    /// The places of ours in a classic load balancer.
    async fn places_in_balancer(
        &self,
        balancer: &LoadBalancer,
        ours: &[&Machine],
    ) -> Result<Vec<Place>, AwsError> {
        let group = BalancerGroup::LoadBalancer { name: balancer.name.clone() };
        let place = |id: &String| Place {
            membership: place_in(&group, id.clone(), None, None),
            is_address: false,
            vpc: None,
        };
        let mut its: Vec<Place> = balancer.instances.iter().map(place).collect();
        its.retain(|place| ours.iter().any(|machine| machine.is_at(place)));
        if its.is_empty() {
            return Ok(its);
        }
        let Some(states) = unless_gone(self.health_of_instances(&balancer.name).await)? else {
            return Ok(Vec::new());
        };
        its.retain(|place| states.get(&place.membership.id).is_none_or(is_in_traffic));
        self.with_delay(&group, its).await
    }

    /// The places of ours in a group of targets.
    async fn places_in_group(&self, group: &TargetGroup, ours: &[&Machine]) -> Result<Vec<Place>, AwsError> {
        let described = unless_gone(self.targets(&group.target_group_arn, None).await)?.unwrap_or_default();
        let its_group = group_of(group);
        let in_traffic = described.into_iter().filter(|it| is_in_traffic(&it.state()));
        let places = in_traffic.map(|it| {
            let Target { id, port, availability_zone } = it.target;
            let membership = place_in(&its_group, id, port, availability_zone);
            Place { membership, is_address: group.is_of_addresses(), vpc: group.vpc_id.clone() }
        });
        let its = places.filter(|place| ours.iter().any(|machine| machine.is_at(place))).collect();
        self.with_delay(&its_group, its).await
    }

    /// The same places of one group, which know how long it takes to leave it.
    async fn with_delay(
        &self,
        group: &BalancerGroup,
        mut places: Vec<Place>,
    ) -> Result<Vec<Place>, AwsError> {
        if places.is_empty() {
            return Ok(places);
        }
        let Some(delay_seconds) = unless_gone(self.delay_seconds_of(group).await)? else {
            return Ok(Vec::new());
        };
        for place in &mut places {
            place.membership.delay_seconds = delay_seconds;
        }
        Ok(places)
    }

    /// How long a group lets requests end before a host is out of it, in seconds; 0: it doesn't wait for them.
    async fn delay_seconds_of(&self, group: &BalancerGroup) -> Result<u32, AwsError> {
        match group {
            BalancerGroup::LoadBalancer { name } => self.connection_draining_seconds(name).await,
            BalancerGroup::TargetGroup { arn, .. } => self.deregistration_delay_seconds(arn).await,
        }
    }

    /// The members of a group that get requests, by what they are called there.
    pub(crate) async fn serving_in(&self, group: &BalancerGroup) -> Result<BTreeSet<String>, AwsError> {
        let states: Vec<(String, MemberState)> = match group {
            BalancerGroup::LoadBalancer { name } => {
                self.health_of_instances(name).await?.into_iter().collect()
            }
            BalancerGroup::TargetGroup { arn, .. } => {
                let described = self.targets(arn, None).await?;
                described.into_iter().map(|it| (it.target.id.clone(), it.state())).collect()
            }
        };
        let serving = states.into_iter().filter(|(_, state)| state.traffic == Traffic::Serves);
        Ok(serving.map(|(id, _)| id).collect())
    }

    /// The places of instances in the groups that settings name, group by group: with several ports there are several. One that isn't in
    /// a group has the place there that it would get.
    pub async fn places_for(
        &self,
        balancers: &[String],
        target_groups: &[String],
        ids: &[String],
    ) -> Result<Vec<Membership>, AwsError> {
        let mut found = Vec::new();
        if !balancers.is_empty() {
            for balancer in self.load_balancers(balancers).await? {
                let group = BalancerGroup::LoadBalancer { name: balancer.name };
                let delay_seconds = self.delay_seconds_of(&group).await?;
                let place =
                    |id: &String| Membership { delay_seconds, ..place_in(&group, id.clone(), None, None) };
                found.extend(ids.iter().map(place));
            }
        }
        if target_groups.is_empty() {
            return Ok(found);
        }
        let groups = self.target_groups(target_groups).await?;
        let machines = match groups.iter().any(TargetGroup::is_of_addresses) {
            true => self.machines("instance-id", ids).await?,
            false => Vec::new(),
        };
        let groups = groups.iter().map(|group| self.places_in_target_group(group, ids, &machines)).collect();
        found.extend(ask_all(groups).await?.concat());
        Ok(found)
    }

    async fn places_in_target_group(
        &self,
        group: &TargetGroup,
        ids: &[String],
        machines: &[Machine],
    ) -> Result<Vec<Membership>, AwsError> {
        let its_group = group_of(group);
        let described = self.targets(&group.target_group_arn, None).await?;
        let mut found = Vec::new();
        for id in ids {
            let known = machines.iter().find(|machine| machine.id.as_ref() == Some(id));
            let machine =
                known.cloned().unwrap_or_else(|| Machine { id: Some(id.clone()), ..Machine::default() });
            let before = found.len();
            for target in described.iter().map(|described| described.target.clone()) {
                let membership = place_in(&its_group, target.id, target.port, target.availability_zone);
                let is_address = group.is_of_addresses();
                let place = Place { membership, is_address, vpc: group.vpc_id.clone() };
                if machine.is_at(&place) {
                    found.push(place.membership);
                }
            }
            if found.len() == before {
                let would_be = match group.is_of_addresses() {
                    true => machine.called_in(group.vpc_id.as_ref()),
                    false => Some((id.clone(), None)),
                };
                let (name, zone) = would_be.ok_or_else(|| AwsError::NotFound {
                    code: "InvalidInstanceID.NotFound".to_owned(),
                    said: format!("no instance {id} with an address for {its_group} is known"),
                })?;
                found.push(place_in(&its_group, name, None, zone));
            }
        }
        let delay_seconds = self.delay_seconds_of(&its_group).await?;
        Ok(found.into_iter().map(|place| Membership { delay_seconds, ..place }).collect())
    }

    /// Takes a host out of a group: what it has begun goes on for a while. One that isn't in it stays out.
    pub async fn deregister(&self, member: &Membership) -> Result<(), AwsError> {
        match &member.group {
            BalancerGroup::LoadBalancer { name } => self.deregister_instances(name, &[&member.id]).await,
            BalancerGroup::TargetGroup { arn, .. } => self.deregister_target(arn, &target(member)).await,
        }
    }

    /// Puts a host into a group. One that is in it stays.
    pub async fn register(&self, member: &Membership) -> Result<(), AwsError> {
        match &member.group {
            BalancerGroup::LoadBalancer { name } => self.register_instances(name, &[&member.id]).await,
            BalancerGroup::TargetGroup { arn, .. } => self.register_target(arn, &target(member)).await,
        }
    }

    /// What a group says of a host, with its reason.
    pub async fn state_of(&self, member: &Membership) -> Result<MemberState, AwsError> {
        match &member.group {
            BalancerGroup::LoadBalancer { name } => self.instance_health(name, &member.id).await,
            BalancerGroup::TargetGroup { arn, .. } => {
                let found = self.targets(arn, Some(&target(member))).await?;
                let is_it = |target: &Target| {
                    target.id == member.id && (member.port.is_none() || target.port == member.port)
                };
                let found = found.into_iter().find(|described| is_it(&described.target));
                Ok(found.map_or_else(not_registered, |described| described.state()))
            }
        }
    }

    /// Asks until all members are where they are wanted, or the time is over: what their groups said last. Whatever is new is told as it comes.
    pub async fn wait_until(
        &self,
        members: &[Membership],
        wanted: Wanted,
        limit: Duration,
        mut tell: impl FnMut(&Membership, &MemberState),
    ) -> Result<Vec<MemberState>, AwsError> {
        let began = Instant::now();
        let mut known: Vec<MemberState> = Vec::new();
        loop {
            let states = ask_all(members.iter().map(|member| self.state_of(member)).collect()).await?;
            for (at, (member, state)) in members.iter().zip(&states).enumerate() {
                if known.get(at) != Some(state) {
                    tell(member, state);
                }
            }
            if states.iter().all(|state| wanted.is_met(state)) || began.elapsed() >= limit {
                return Ok(states);
            }
            known = states;
            tokio::time::sleep(self.pause).await;
        }
    }
}

/// Whether a run has to take it out, and to put it back. One that somebody takes out already is theirs, and one that gets nothing there
/// has nothing to be taken out of.
fn is_in_traffic(state: &MemberState) -> bool {
    !matches!(state.traffic, Traffic::Drains | Traffic::Unused)
}

/// `None` where a group was deleted since it was listed.
fn unless_gone<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AwsError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn group_of(group: &TargetGroup) -> BalancerGroup {
    BalancerGroup::TargetGroup {
        name: group.target_group_name.clone(),
        arn: group.target_group_arn.clone(),
        of_connections: group.is_of_connections(),
    }
}

fn place_in(group: &BalancerGroup, id: String, port: Option<u16>, zone: Option<String>) -> Membership {
    Membership { group: group.clone(), id, port, zone, delay_seconds: 0 }
}

fn target(member: &Membership) -> Target {
    let Membership { group: _, id, port, zone, delay_seconds: _ } = member;
    Target { id: id.clone(), port: *port, availability_zone: zone.clone() }
}
