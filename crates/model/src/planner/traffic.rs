//! Which hosts are taken out of traffic while they change, how many of them at the same time, and what puts them back.

use super::context::{HostChange, HostPlanning, RunContext, SeenHost, Told};
use super::numbers::{Numbers, Part, renumber};
use super::reach::skipped_of;
use super::work::{share_first, work};
use crate::app::traffic::{DrainCommand, DrainMethod, DrainOn};
use crate::config::Settings;
use crate::deployer::action::{DeployerAction, DeployerWay, HostTraffic, Traffic};
use crate::host::Host;
use crate::host::balancer::Membership;
use crate::host::record::JournalKind;
use crate::names::HostName;
use crate::plan::action::{Action, HostWay, RecordAction, Surroundings, TrafficAction};
use crate::plan::frame::Instruction;
use crate::plan::refusal::Refusal;
use crate::plan::{DeployerStep, HostWork, Intent, Note, Phase, PhaseKind, Plan, Step};

/// For how long a host waits that its own health check takes out of traffic: threshold × interval, and the longest request.
const BY_FILE_SECONDS: u32 = 30;

/// For how long any other waits: until requests that were under way have ended.
const GRACE_SECONDS: u32 = 10;

/// For how long behind a network load balancer, which passes on requests after it was told not to.
const NETWORK_GRACE_SECONDS: u32 = 120;

/// For how long it takes a load balancer to notice that a host is back.
const BACK_SECONDS: u32 = 10;

fn usual_grace(method: &DrainMethod) -> u32 {
    if *method == DrainMethod::File { BY_FILE_SECONDS } else { GRACE_SECONDS }
}

/// The hosts of an environment that are behind a load balancer, as far as the settings say.
fn balanced(settings: &Settings) -> impl Iterator<Item = &Host> {
    settings.hosts.iter().filter(|host| is_balanced(settings, host))
}

fn is_balanced(settings: &Settings, host: &Host) -> bool {
    let roles = &settings.drain.roles;
    roles.is_empty() || roles.iter().any(|role| host.roles.contains(role))
}

/// How a deploy or a rollback takes hosts out of traffic.
pub(super) struct Draining<'s> {
    settings: &'s Settings,
    method: &'s DrainMethod,
    /// How many may be out at the same time.
    most_out: usize,
}

impl<'s> Draining<'s> {
    /// How it is done; `None`: not at all, and the note says why where somebody might have expected it. Too few hosts in traffic speak against
    /// the whole run.
    pub(super) fn of(
        settings: &'s Settings,
        run: &RunContext,
        changes: &[HostChange<'_>],
        others: &[HostPlanning<'_>],
    ) -> Result<(Option<Self>, Option<Note>), Refusal> {
        let Some(method) = &settings.drain.method else { return Ok((None, None)) };
        let wanted: Vec<&HostChange<'_>> =
            changes.iter().filter(|change| change.is_in_traffic(settings)).collect();
        if wanted.is_empty() {
            return Ok((None, None));
        }
        let hosts = balanced(settings).count();
        if hosts == 1 {
            let text = "it isn't taken out of traffic: there is no other host that visitors could be sent to"
                .to_owned();
            return Ok((None, Some(Note { host: Some(wanted[0].planning.host.name.clone()), text })));
        }
        // What another run has left out of traffic, this one puts back, where it changes it.
        let comes_back =
            |planning: &HostPlanning<'_>| wanted.iter().any(|change| change.planning.host == planning.host);
        let seen = changes.iter().map(|change| &change.planning).chain(others);
        let seen = seen.filter(|planning| is_balanced(settings, planning.host) && !comes_back(planning));
        let (drained, others): (Vec<_>, Vec<_>) = seen.partition(|planning| planning.facts.drained.is_some());
        let silent = others.iter().filter(|planning| planning.facts.live_slot().is_none()).count();
        let is_away = |host: &&Host| skipped_of(settings, run).any(|skipped| skipped.host == host.name);
        let away = balanced(settings).filter(is_away).count();
        let least = settings.drain.min_in_service as usize;
        let most_out = hosts.saturating_sub(drained.len() + silent + away + least);
        if most_out == 0 {
            let out = drained.iter().map(|planning| planning.host.name.clone()).collect();
            return Err(Refusal::TooFewInService { hosts: hosts as u32, least: least as u32, out });
        }
        Ok((Some(Draining { settings, method, most_out }), None))
    }

    /// The same hosts, first of all those that another run has left out of traffic: each is one more that stays in it later.
    pub(super) fn in_order<'c, 'a>(&self, mut changes: Vec<&'c HostChange<'a>>) -> Vec<&'c HostChange<'a>> {
        changes.sort_by_key(|change| !self.takes_out(change) || change.planning.facts.drained.is_none());
        changes
    }

    /// The same waves, or smaller ones, so that no more hosts are out at the same time than may.
    pub(super) fn leave_in_service(&self, waves: &[usize], changes: &[&HostChange<'_>]) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut rest = changes;
        for wave in waves {
            let (hosts, later) = rest.split_at(*wave);
            rest = later;
            let (mut size, mut out) = (0, 0);
            for change in hosts {
                let leaves = usize::from(self.takes_out(change));
                if out + leaves > self.most_out {
                    sizes.push(size);
                    (size, out) = (0, 0);
                }
                size += 1;
                out += leaves;
            }
            sizes.push(size);
        }
        sizes
    }

    /// What speaks against so many waves: the first hosts wait for the last to be confirmed.
    pub(super) fn too_long(&self, waves: usize) -> Option<Refusal> {
        let drain = &self.settings.drain;
        let grace = match self.method.on() {
            DrainOn::Host => drain.grace_seconds.unwrap_or(usual_grace(self.method)),
            DrainOn::Deployer => drain.grace_seconds.unwrap_or(GRACE_SECONDS),
        };
        let waves = u32::try_from(waves).unwrap_or(u32::MAX);
        let back = self.back_seconds().saturating_mul(waves.saturating_sub(1));
        let seconds = grace.saturating_mul(waves).saturating_add(back);
        let most = self.settings.limits.confirm_timeout_seconds;
        (seconds >= most).then_some(Refusal::TooManyWaits { seconds, most })
    }

    fn back_seconds(&self) -> u32 {
        let usual = if self.method.on() == DrainOn::Host { BACK_SECONDS } else { 0 };
        self.settings.drain.back_seconds.unwrap_or(usual)
    }

    pub(super) fn takes_out(&self, change: &HostChange<'_>) -> bool {
        change.is_in_traffic(self.settings)
    }

    fn those<'c, 'a>(&self, changes: &[&'c HostChange<'a>]) -> Vec<&'c HostChange<'a>> {
        changes.iter().copied().filter(|change| self.takes_out(change)).collect()
    }

    /// What has to be known of a host, whatever becomes of this run, before the deployer takes it out.
    pub(super) fn announce(&self, change: &HostChange<'_>) -> Option<Part> {
        let is_ours = self.method.on() == DrainOn::Deployer && self.takes_out(change);
        is_ours.then(|| Part::Do(change.planning.drain(self.method, false)))
    }

    /// Takes a wave of hosts out of traffic. One that does it by itself is armed with what puts it back.
    pub(super) fn take_out(
        &self,
        wave: &[&HostChange<'_>],
        numbers: &mut Numbers,
    ) -> (Vec<DeployerStep>, Vec<HostWork>) {
        let those = self.those(wave);
        if self.method.on() == DrainOn::Deployer {
            return (numbers.deployer(self.by_deployer(&those).map(DeployerAction::Drain)), Vec::new());
        }
        let work = those.iter().map(|HostChange { planning, .. }| {
            let way_back = vec![planning.undrain(self.method, 0)];
            let arm = Part::Arm { pending: planning.pending(None), way_back };
            numbers.work(planning.host, vec![arm, Part::Do(planning.drain(self.method, false))])
        });
        (Vec::new(), work.collect())
    }

    /// Puts a wave of hosts back into traffic; the next one waits until the load balancer has noticed.
    pub(super) fn put_back(
        &self,
        wave: &[&HostChange<'_>],
        is_last: bool,
        numbers: &mut Numbers,
    ) -> (Vec<DeployerStep>, Vec<HostWork>) {
        let those = self.those(wave);
        let on = self.method.on();
        let by_deployer = self.by_deployer(&those).filter(|_| on == DrainOn::Deployer);
        let wait = if is_last { 0 } else { self.back_seconds() };
        let steps = numbers.deployer(by_deployer.map(DeployerAction::Undrain));
        let work = those.iter().map(|HostChange { planning, .. }| {
            numbers.work(planning.host, vec![Part::Do(planning.undrain(self.method, wait))])
        });
        (steps, work.collect())
    }

    /// What puts a host back that goes back: where it does so by itself.
    pub(super) fn way_back(&self, change: &HostChange<'_>) -> Option<Action> {
        let is_own = self.method.on() == DrainOn::Host && self.takes_out(change);
        is_own.then(|| change.planning.undrain(self.method, 0))
    }

    /// What is forgotten of a host when the run has come to nothing, as the deployer puts it back then.
    pub(super) fn on_failure(&self, change: &HostChange<'_>) -> Option<Action> {
        let is_ours = self.method.on() == DrainOn::Deployer && self.takes_out(change);
        is_ours.then(|| change.planning.undrain(self.method, 0))
    }

    fn by_deployer(&self, changes: &[&HostChange<'_>]) -> Option<Traffic> {
        let hosts = changes.iter().map(|change| &change.planning);
        traffic(self.settings, self.method, hosts)
    }
}

/// What the deployer does about the traffic of hosts; `None`, where there is none.
fn traffic<'h, 'a: 'h>(
    settings: &Settings,
    method: &DrainMethod,
    hosts: impl Iterator<Item = &'h HostPlanning<'a>>,
) -> Option<Traffic> {
    let hosts: Vec<HostTraffic> = hosts
        .map(|planning| HostTraffic {
            host: planning.host.name.clone(),
            address: planning.host.address.clone(),
            memberships: planning.memberships(),
        })
        .collect();
    let is_network = hosts.iter().flat_map(|host| &host.memberships).any(Membership::is_of_connections);
    let way = match method {
        DrainMethod::Command(command) => {
            DeployerWay::Command { command: command.command.clone(), undo: command.undo.clone() }
        }
        DrainMethod::LoadBalancer | DrainMethod::File => DeployerWay::LoadBalancer {
            region: settings.inventory.from.aws_region.clone(),
            least: settings.drain.min_in_service,
            timeout_seconds: settings.drain.timeout_seconds,
        },
    };
    let usual = if is_network { NETWORK_GRACE_SECONDS } else { GRACE_SECONDS };
    let grace_seconds = settings.drain.grace_seconds.unwrap_or(usual);
    (!hosts.is_empty()).then_some(Traffic { hosts, way, grace_seconds })
}

impl HostChange<'_> {
    /// Whether visitors are sent to it, from whom it has to be taken: it serves something, tells nobody of maintenance, and nobody has taken it out.
    fn is_in_traffic(&self, settings: &Settings) -> bool {
        let HostPlanning { host, facts, .. } = &self.planning;
        is_balanced(settings, host)
            && facts.live_slot().is_some()
            && facts.drained.as_ref().is_none_or(|record| !record.is_by_hand)
            && self.told == Told::Nothing
    }
}

impl HostPlanning<'_> {
    /// Where it is, or was before somebody took it out, behind load balancers.
    fn memberships(&self) -> Vec<Membership> {
        let noted = self.facts.drained.iter().flat_map(|record| &record.memberships);
        let mut memberships: Vec<Membership> = self.facts.memberships.iter().chain(noted).cloned().collect();
        memberships.sort();
        memberships.dedup();
        memberships
    }

    fn drain(&self, method: &DrainMethod, is_by_hand: bool) -> Action {
        let drain = &self.configured.drain;
        TrafficAction::Drain {
            way: self.way(method, |command| &command.command),
            by: self.run.by.clone(),
            is_by_hand,
            memberships: if *method == DrainMethod::LoadBalancer { self.memberships() } else { Vec::new() },
            grace_seconds: if method.on() == DrainOn::Deployer {
                0
            } else {
                drain.grace_seconds.unwrap_or(usual_grace(method))
            },
        }
        .into()
    }

    fn undrain(&self, method: &DrainMethod, grace_seconds: u32) -> Action {
        TrafficAction::Undrain { way: self.way(method, |command| &command.undo), grace_seconds }.into()
    }

    fn way(&self, method: &DrainMethod, which: impl Fn(&DrainCommand) -> &String) -> HostWay {
        match method {
            DrainMethod::File => HostWay::File,
            DrainMethod::Command(command) if command.on == DrainOn::Host => {
                // It is about the host, whichever release there is.
                let variables = self.variables(self.facts.live_slot(), None, &self.layout.current());
                let around = Surroundings {
                    directory: self.layout.path.clone(),
                    variables,
                    virtualenv: None,
                    run_as: None,
                };
                HostWay::Command { command: which(command).clone(), around: Box::new(around) }
            }
            DrainMethod::Command(_) | DrainMethod::LoadBalancer => HostWay::ByDeployer,
        }
    }
}

/// Takes some of these hosts out of traffic until a person says otherwise, as far as they aren't out already and enough of the others stay in
/// it. Who couldn't be seen counts as out.
pub fn plan_drain(
    settings: &Settings,
    run: &RunContext,
    wanted: &[HostName],
    seen: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let Some(method) = &settings.drain.method else { return Err(vec![Refusal::NoDraining]) };
    let hosts = HostPlanning::of_all(settings, run, seen);
    let mut notes = Vec::new();
    let mut open = Vec::new();
    for planning in hosts.iter().filter(|planning| wanted.contains(&planning.host.name)) {
        let mut note = |text| notes.push(Note { host: Some(planning.host.name.clone()), text });
        match &planning.facts.drained {
            _ if !is_balanced(settings, planning.host) => {
                note("it isn't behind the load balancer, as `drain_roles` says".to_owned());
            }
            Some(record) if record.is_by_hand => {
                note(format!("out of traffic already, says {} since {}", record.by, record.at));
            }
            Some(_) | None => open.push(planning),
        }
    }
    let is_in =
        |host: &Host| hosts.iter().any(|planning| planning.host == host && planning.facts.drained.is_none());
    let (inside, out): (Vec<&Host>, Vec<&Host>) = balanced(settings).partition(|host| is_in(host));
    let leaving = open.iter().filter(|planning| planning.facts.drained.is_none()).count();
    let least = settings.drain.min_in_service as usize;
    if leaving > 0 && inside.len() < least + leaving {
        let hosts = (inside.len() + out.len()) as u32;
        let out = out.into_iter().map(|host| host.name.clone()).collect();
        return Err(vec![Refusal::TooFewInService { hosts, least: least as u32, out }]);
    }
    let title = format!("take {} out of traffic", names_of(&open));
    let holder = run.holder(title.as_str());
    let works = open.iter().map(|planning| {
        let mut actions: Vec<Action> = share_first(settings, Some(planning.facts)).into_iter().collect();
        actions.extend(planning.lock_as_seen(&holder));
        actions.push(planning.drain(method, true));
        actions.push(run.note(JournalKind::Drained, None));
        (planning.host, actions)
    });
    let by_deployer =
        traffic(settings, method, open.iter().copied()).filter(|_| method.on() == DrainOn::Deployer);
    let plan = work(settings, run, Intent::Work, works.collect());
    Ok(Plan { title: Some(title), notes, ..with_traffic(plan, by_deployer.map(DeployerAction::Drain)) })
}

/// Puts these hosts back into traffic, as far as they are out of it or may be.
pub fn plan_undrain(
    settings: &Settings,
    run: &RunContext,
    seen: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let Some(method) = &settings.drain.method else { return Err(vec![Refusal::NoDraining]) };
    let hosts = HostPlanning::of_all(settings, run, seen);
    let layout_knows =
        |planning: &&HostPlanning<'_>| planning.facts.bad_record(&planning.layout.drained()).is_some();
    let (open, inside): (Vec<_>, Vec<_>) =
        hosts.iter().partition(|planning| planning.facts.drained.is_some() || layout_knows(planning));
    let note = |planning: &HostPlanning<'_>| Note {
        host: Some(planning.host.name.clone()),
        text: "nobody has taken it out of traffic".to_owned(),
    };
    let notes = inside.into_iter().map(note).collect();
    // What Amazon's load balancers were told, only they can be told again, whatever the settings say by now.
    let is_at_amazon = |planning: &&HostPlanning<'_>| {
        planning.facts.drained.iter().any(|record| !record.memberships.is_empty())
    };
    let method = if open.iter().any(is_at_amazon) { &DrainMethod::LoadBalancer } else { method };
    let title = format!("put {} back into traffic", names_of(&open));
    let holder = run.holder(title.as_str());
    let works = open.iter().map(|planning| {
        let mut actions = planning.lock_as_seen(&holder);
        actions.extend([planning.undrain(method, 0), run.note(JournalKind::Undrained, None)]);
        (planning.host, actions)
    });
    let by_deployer =
        traffic(settings, method, open.iter().copied()).filter(|_| method.on() == DrainOn::Deployer);
    let plan = work(settings, run, Intent::Work, works.collect());
    Ok(Plan { title: Some(title), notes, ..with_traffic(plan, by_deployer.map(DeployerAction::Undrain)) })
}

fn names_of(hosts: &[&HostPlanning<'_>]) -> String {
    let names: Vec<&str> = hosts.iter().map(|planning| planning.host.name.as_str()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// The same work with what the deployer does: once each host is locked and says that it is out of traffic, and before any says that it is back.
fn with_traffic(mut plan: Plan, action: Option<DeployerAction>) -> Plan {
    plan.phases.retain(|phase| !phase.work.is_empty());
    let (Some(action), Some(first)) = (action, plan.phases.first_mut()) else { return plan };
    let split = |work: &mut HostWork| {
        let at = work.frame.iter().position(|instruction| match instruction {
            Instruction::Do(Step { action: Action::Traffic(action), .. }) => {
                matches!(action, TrafficAction::Undrain { .. })
            }
            Instruction::Do(Step { action: Action::Record(RecordAction::Journal { .. }), .. }) => true,
            _ => false,
        });
        let frame = work.frame.split_off(at.unwrap_or_default());
        HostWork { host: work.host.clone(), frame }
    };
    let work = first.work.iter_mut().map(split).collect();
    // By hand nothing is taken back: who took it out says when it goes back.
    let deployer = vec![DeployerStep { id: 0, action, way_back: None }];
    plan.phases.push(Phase { kind: PhaseKind::Work, deployer, work });
    renumber(&mut plan);
    plan
}
