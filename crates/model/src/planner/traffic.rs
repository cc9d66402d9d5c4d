//! Which hosts are taken out of traffic while they change, how many of them at the same time, and what puts them back.

use super::context::{HostChange, HostPlanning, RunContext, SeenHost, Told};
use super::numbers::{Numbers, Part, renumber};
use super::work::{share_first, work};
use crate::app::traffic::{DrainCommand, DrainMethod, DrainOn};
use crate::config::Settings;
use crate::deployer::action::{DeployerAction, DeployerWay, HostTraffic, TrafficShift};
use crate::host::Host;
use crate::host::balancer::Membership;
use crate::host::facts::HostFacts;
use crate::host::record::{DrainRecord, JournalKind};
use crate::names::HostName;
use crate::plan::action::{Action, HostWay, RecordAction, ServiceAction, Surroundings, TrafficAction};
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
    traffic: InTraffic,
}

/// The hosts of an environment, as far as requests go.
struct InTraffic {
    /// Those that get some.
    serving: u32,
    /// Those that have been taken out.
    out: Vec<HostName>,
    /// Those that serve nothing, or couldn't be asked.
    silent: Vec<HostName>,
}

impl InTraffic {
    fn of(settings: &Settings, run: &RunContext, seen: &[&HostPlanning<'_>]) -> Self {
        let mut traffic = InTraffic { serving: 0, out: Vec::new(), silent: Vec::new() };
        for host in balanced(settings) {
            let planning = seen.iter().find(|planning| planning.host == host);
            let is_out = |facts: &HostFacts| facts.drained.is_some() || facts.has_drain_flag;
            if planning.is_some_and(|planning| is_out(planning.facts)) {
                traffic.out.push(host.name.clone());
            } else if planning.is_some_and(|planning| planning.facts.is_in_traffic())
                || run.in_traffic.contains(&host.name)
            {
                traffic.serving += 1;
            } else {
                traffic.silent.push(host.name.clone());
            }
        }
        traffic
    }

    fn too_few(&self, settings: &Settings) -> Refusal {
        let InTraffic { serving, out, silent } = self;
        Refusal::TooFewInService {
            hosts: serving + out.len() as u32 + silent.len() as u32,
            least: settings.drain.min_in_service,
            out: out.clone(),
            silent: silent.clone(),
        }
    }
}

impl<'s> Draining<'s> {
    /// How it is done; `None`: not at all, and the note says why where somebody might have expected it. A host that another run has taken out in
    /// another way speaks against the whole run.
    pub(super) fn of(
        settings: &'s Settings,
        run: &RunContext,
        changes: &[HostChange<'_>],
        others: &[HostPlanning<'_>],
    ) -> Result<(Option<Self>, Option<Note>), Vec<Refusal>> {
        let wanted: Vec<&HostChange<'_>> =
            changes.iter().filter(|change| change.is_in_traffic(settings)).collect();
        let method = settings.drain.method.as_ref();
        let is_otherwise = |change: &&&HostChange<'_>| match &change.planning.facts.drained {
            None => false,
            Some(DrainRecord { method: noted, .. }) => {
                method.is_none_or(|method| noted.as_ref().is_some_and(|noted| !noted.is_same_way(method)))
            }
        };
        let otherwise: Vec<Refusal> = wanted
            .iter()
            .filter(is_otherwise)
            .map(|change| Refusal::DrainedOtherwise { host: change.planning.host.name.clone() })
            .collect();
        if !otherwise.is_empty() {
            return Err(otherwise);
        }
        let Some(method) = method else { return Ok((None, None)) };
        let Some(first) = wanted.first() else { return Ok((None, None)) };
        // One that another run has left out is put back.
        if balanced(settings).count() == 1 && first.planning.facts.drained.is_none() {
            let text = "it isn't taken out of traffic: there is no other host that visitors could be sent to"
                .to_owned();
            return Ok((None, Some(Note { host: Some(first.planning.host.name.clone()), text })));
        }
        let seen: Vec<&HostPlanning<'_>> =
            changes.iter().map(|change| &change.planning).chain(others).collect();
        let traffic = InTraffic::of(settings, run, &seen);
        Ok((Some(Draining { settings, method, traffic }), None))
    }

    /// The same hosts, first of all those that another run has left out of traffic: each is one more that stays in it later.
    pub(super) fn in_order<'c, 'a>(&self, mut changes: Vec<&'c HostChange<'a>>) -> Vec<&'c HostChange<'a>> {
        changes.sort_by_key(|change| !self.takes_out(change) || change.planning.facts.drained.is_none());
        changes
    }

    /// The same waves, or smaller ones, so that enough hosts are in traffic at any time; or that there aren't.
    pub(super) fn leave_in_service(
        &self,
        waves: &[usize],
        changes: &[&HostChange<'_>],
    ) -> Result<Vec<usize>, Refusal> {
        let least = self.settings.drain.min_in_service;
        let mut serving = self.traffic.serving;
        let mut sizes = Vec::new();
        let mut rest = changes;
        for wave in waves {
            let (hosts, later) = rest.split_at(*wave);
            rest = later;
            let (mut size, mut leave, mut come) = (0, 0, 0);
            for change in hosts {
                let is_moved = self.takes_out(change);
                let is_out = change.planning.facts.drained.is_some();
                if is_moved && !is_out && serving < least + leave + 1 {
                    if size == 0 {
                        return Err(self.traffic.too_few(self.settings));
                    }
                    sizes.push(size);
                    serving += come;
                    (size, leave, come) = (0, 0, 0);
                    if serving < least + 1 {
                        return Err(self.traffic.too_few(self.settings));
                    }
                }
                size += 1;
                leave += u32::from(is_moved && !is_out);
                come += u32::from(is_moved && is_out);
            }
            sizes.push(size);
            serving += come;
        }
        Ok(sizes)
    }

    fn back_seconds(&self) -> u32 {
        let usual = if *self.method == DrainMethod::LoadBalancer { 0 } else { BACK_SECONDS };
        self.settings.drain.back_seconds.unwrap_or(usual)
    }

    pub(super) fn takes_out(&self, change: &HostChange<'_>) -> bool {
        change.is_in_traffic(self.settings)
    }

    fn those<'c, 'a>(&self, changes: &[&'c HostChange<'a>]) -> Vec<&'c HostChange<'a>> {
        changes.iter().copied().filter(|change| self.takes_out(change)).collect()
    }

    /// What has to be known of a wave of hosts, whatever becomes of this run, before the deployer takes them out. No earlier than after so many
    /// seconds: who reads it takes them for out.
    pub(super) fn announce(
        &self,
        wave: &[&HostChange<'_>],
        after_seconds: u32,
        numbers: &mut Numbers,
    ) -> Vec<HostWork> {
        if self.method.on() == DrainOn::Host {
            return Vec::new();
        }
        let note = |change: &&HostChange<'_>| {
            let wait = ServiceAction::VerifyRunning { services: Vec::new(), seconds: after_seconds };
            let wait = Some(Part::from(wait)).filter(|_| after_seconds > 0);
            let note = Part::Do(change.planning.drain(self.method, false));
            numbers.work(change.planning.host, wait.into_iter().chain([note]).collect())
        };
        self.those(wave).iter().map(note).collect()
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

    /// Puts a wave of hosts back into traffic; what follows waits until the load balancer has noticed.
    pub(super) fn put_back(
        &self,
        wave: &[&HostChange<'_>],
        is_last: bool,
        numbers: &mut Numbers,
    ) -> (Vec<DeployerStep>, Vec<HostWork>) {
        let those = self.those(wave);
        let wait = if is_last { 0 } else { self.back_seconds() };
        let steps = numbers.deployer(self.by_deployer(&those).map(DeployerAction::Undrain));
        let back = |HostChange { planning, .. }: &&HostChange<'_>| {
            numbers.work(planning.host, vec![Part::Do(planning.undrain(self.method, wait))])
        };
        (steps, those.iter().map(back).collect())
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

    fn by_deployer(&self, changes: &[&HostChange<'_>]) -> Option<TrafficShift> {
        let hosts = changes.iter().map(|change| &change.planning);
        shift(self.settings, self.method, hosts)
    }
}

/// What the deployer does about the traffic of hosts; `None`: nothing, as there are none, or they do it by themselves.
fn shift<'h, 'a: 'h>(
    settings: &Settings,
    method: &DrainMethod,
    hosts: impl Iterator<Item = &'h HostPlanning<'a>>,
) -> Option<TrafficShift> {
    let way = match method {
        DrainMethod::Command(command) if command.on == DrainOn::Deployer => {
            let DrainCommand { command, undo, on: _ } = command.clone();
            DeployerWay::Command { command, undo, timeout_seconds: settings.drain.timeout_seconds }
        }
        DrainMethod::LoadBalancer => DeployerWay::LoadBalancer {
            region: settings.inventory.from.aws_region.clone(),
            least: settings.drain.min_in_service,
            timeout_seconds: settings.drain.timeout_seconds,
        },
        DrainMethod::Command(_) | DrainMethod::File => return None,
    };
    let hosts: Vec<HostTraffic> = hosts
        .map(|planning| HostTraffic {
            host: planning.host.name.clone(),
            address: planning.host.address.clone(),
            memberships: planning.memberships(),
        })
        .collect();
    let is_network = hosts.iter().flat_map(|host| &host.memberships).any(Membership::is_of_connections);
    let usual = if is_network { NETWORK_GRACE_SECONDS } else { GRACE_SECONDS };
    let grace_seconds = settings.drain.grace_seconds.unwrap_or(usual);
    (!hosts.is_empty()).then_some(TrafficShift { hosts, way, grace_seconds })
}

impl HostChange<'_> {
    /// Whether visitors are sent to it, from whom it has to be taken: it serves something, tells nobody of maintenance, and nobody has taken it out.
    fn is_in_traffic(&self, settings: &Settings) -> bool {
        let HostPlanning { host, facts, .. } = &self.planning;
        is_balanced(settings, host)
            && facts.live_slot().is_some()
            && facts.drained.as_ref().is_none_or(|record| !record.is_by_hand)
            && !facts.is_flagged_by_hand()
            && self.told == Told::Nothing
    }
}

impl HostPlanning<'_> {
    /// Where it is, or was before somebody took it out, behind load balancers.
    fn memberships(&self) -> Vec<Membership> {
        let noted = self.facts.drained.iter().flat_map(|record| &record.memberships);
        let mut memberships: Vec<Membership> = self.facts.memberships.iter().chain(noted).cloned().collect();
        memberships.sort();
        memberships.dedup_by(|later, first| later.is_same_place(first));
        memberships
    }

    /// Whether what is written about its being out of traffic can't be read.
    fn has_bad_note(&self) -> bool {
        self.facts.bad_record(&self.layout.drained()).is_some()
    }

    /// How it was taken out of traffic, as far as that was written down.
    fn drained_by(&self) -> Option<&DrainMethod> {
        if self.facts.is_flagged_by_hand() {
            return Some(&DrainMethod::File);
        }
        self.facts.drained.as_ref()?.method.as_ref()
    }

    /// Whether it is out of traffic, or may be, as far as it says.
    fn may_be_out(&self) -> bool {
        self.facts.drained.is_some() || self.facts.has_drain_flag || self.has_bad_note()
    }

    fn drain(&self, method: &DrainMethod, is_by_hand: bool) -> Action {
        let drain = &self.configured.drain;
        TrafficAction::Drain {
            way: self.way(method, |command| &command.command),
            method: method.clone(),
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

/// Takes some of these hosts out of traffic until a person says otherwise, as far as enough of the others stay in it. Who couldn't be seen counts
/// as out. One that is out already is taken out again: a drain that was cut short may have left it in.
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
    let mut refusals = Vec::new();
    for planning in hosts.iter().filter(|planning| wanted.contains(&planning.host.name)) {
        let host = &planning.host.name;
        let mut note = |text| notes.push(Note { host: Some(host.clone()), text });
        if !is_balanced(settings, planning.host) {
            note("it isn't behind the load balancer, as `drain_roles` says".to_owned());
            continue;
        }
        if planning.drained_by().is_some_and(|drained_by| !drained_by.is_same_way(method)) {
            refusals.push(Refusal::DrainedOtherwise { host: host.clone() });
        }
        if let Some(record) = planning.facts.drained.as_ref().filter(|record| record.is_by_hand) {
            note(format!(
                "out of traffic already, says {} since {}: it is taken out again",
                record.by, record.at
            ));
        }
        open.push(planning);
    }
    let traffic = InTraffic::of(settings, run, &hosts.iter().collect::<Vec<_>>());
    let leaving = open.iter().filter(|planning| planning.facts.is_in_traffic()).count() as u32;
    if leaving > 0 && traffic.serving < settings.drain.min_in_service + leaving {
        refusals.push(traffic.too_few(settings));
    }
    if !refusals.is_empty() {
        return Err(refusals);
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
    let by_deployer = shift(settings, method, open.iter().copied()).map(DeployerAction::Drain);
    let mut plan = work(settings, run, Intent::Work, works.collect());
    // What can't be done to its end is taken back, and what was so before stays so.
    for (planned, planning) in plan.hosts.iter_mut().zip(&open) {
        planned.is_drained = planning.facts.drained.is_some();
        if !planned.is_drained {
            let back = Step { id: 0, action: planning.undrain(method, 0) };
            let frame = vec![Instruction::Do(back)];
            plan.on_failure.push(HostWork { host: planned.host.name.clone(), frame });
        }
    }
    let plan = with_traffic(plan, by_deployer.into_iter().collect());
    Ok(Plan { title: Some(title), notes, ..plan })
}

/// Puts these hosts back into traffic, as far as they are out of it or may be: in the way in which each was taken out.
pub fn plan_undrain(
    settings: &Settings,
    run: &RunContext,
    seen: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let hosts = HostPlanning::of_all(settings, run, seen);
    let (open, inside): (Vec<_>, Vec<_>) = hosts.iter().partition(|planning| planning.may_be_out());
    let notes = inside.into_iter().map(nobody_took_it_out).collect();
    let mut methods: Vec<(&DrainMethod, Vec<&HostPlanning<'_>>)> = Vec::new();
    for planning in &open {
        if planning.has_bad_note() {
            return Err(vec![Refusal::UnknownDraining { host: planning.host.name.clone() }]);
        }
        let (noted, configured) = (planning.drained_by(), settings.drain.method.as_ref());
        let is_noted = |method: &&DrainMethod| noted.is_none_or(|noted| noted.is_same_way(method));
        let Some(method) = configured.filter(is_noted).or(noted) else {
            return Err(vec![Refusal::NoDraining]);
        };
        match methods.iter_mut().find(|(known, _)| *known == method) {
            Some((_, hosts)) => hosts.push(planning),
            None => methods.push((method, vec![planning])),
        }
    }
    let title = format!("put {} back into traffic", names_of(&open));
    let holder = run.holder(title.as_str());
    let works =
        methods.iter().flat_map(|(method, hosts)| hosts.iter().map(move |planning| (*method, *planning)));
    let works = works.map(|(method, planning)| {
        let mut actions = planning.lock_as_seen(&holder);
        actions.extend([planning.undrain(method, 0), run.note(JournalKind::Undrained, None)]);
        (planning.host, actions)
    });
    let plan = work(settings, run, Intent::Work, works.collect());
    let shifts = methods.iter().filter_map(|(method, hosts)| shift(settings, method, hosts.iter().copied()));
    let plan = with_traffic(plan, shifts.map(DeployerAction::Undrain).collect());
    Ok(Plan { title: Some(title), notes, ..plan })
}

/// Has hosts forget that they are out of traffic: a person has put them back.
pub fn plan_forget_drain(settings: &Settings, run: &RunContext, seen: &[SeenHost<'_>]) -> Plan {
    let hosts = HostPlanning::of_all(settings, run, seen);
    let (open, inside): (Vec<_>, Vec<_>) = hosts.iter().partition(|planning| planning.may_be_out());
    let are = if open.len() == 1 { "is" } else { "are" };
    let title = format!("forget that {} {are} out of traffic", names_of(&open));
    let holder = run.holder(title.as_str());
    let works = open.iter().map(|planning| {
        let mut actions = planning.lock_as_seen(&holder);
        let forget = TrafficAction::Undrain { way: HostWay::ByDeployer, grace_seconds: 0 };
        actions.extend([forget.into(), run.note(JournalKind::Undrained, None)]);
        (planning.host, actions)
    });
    let plan = work(settings, run, Intent::Work, works.collect());
    let notes = inside.into_iter().map(nobody_took_it_out).collect();
    Plan { title: Some(title), notes, ..with_traffic(plan, Vec::new()) }
}

fn nobody_took_it_out(planning: &HostPlanning<'_>) -> Note {
    Note { host: Some(planning.host.name.clone()), text: "nobody has taken it out of traffic".to_owned() }
}

fn names_of(hosts: &[&HostPlanning<'_>]) -> String {
    let names: Vec<&str> = hosts.iter().map(|planning| planning.host.name.as_str()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// The same work with what the deployer does: once each host is locked and says that it is out of traffic, and before any says that it is back.
fn with_traffic(mut plan: Plan, actions: Vec<DeployerAction>) -> Plan {
    plan.phases.retain(|phase| !phase.work.is_empty());
    if let Some(first) = plan.phases.first_mut().filter(|_| !actions.is_empty()) {
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
        let deployer = Numbers::default().deployer(actions);
        plan.phases.push(Phase { kind: PhaseKind::Work, deployer, work });
    }
    renumber(&mut plan);
    plan
}
