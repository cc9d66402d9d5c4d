//! Every plan, with everything that can go wrong at every moment of it: a complete release always serves, what is told
//! is true, and the next run heals.

#![expect(clippy::print_stdout, reason = "how much was explored is worth a line")]

mod common;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::rc::Rc;

use buedafab_model::config::{AppInEnvironment, Settings, SettingsByHost, StrategyName};
use buedafab_model::deployer::action::DeployerAction;
use buedafab_model::host::level::FleetLevel;
use buedafab_model::host::record::SlotState;
use buedafab_model::names::{CommitId, SlotName};
use buedafab_model::plan::action::{Action, Effect};
use buedafab_model::plan::action::{Schema, ToldVisitors};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Plan, SkippedHost};
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, RunContext, SeenHost, plan_adopt, plan_deploy_together, plan_drain,
    plan_for_each_app, plan_hold, plan_migrate_layout, plan_put_layout_back, plan_recover, plan_restart,
    plan_rollback, plan_unadopt, plan_undrain,
};
use buedafab_model::run::outcome::Verdict;
use buedafab_model::simulate::{
    Content, Fault, FaultKind, Process, Progress, Scenario, SimDeployer, SimHost, SimSlot, SimulatedRun,
    simulate,
};

use common::{URL, apps, assert_sound, release, run, settings};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Deploy(u8),
    Force(u8),
    TakeOver(u8),
    Rollback,
    RollbackTo(u8),
    /// It is tried, and not made.
    Rehearsal,
    Restart,
    Hold,
    /// Under a tag that is made and pushed for it, while visitors are told of maintenance.
    Release(u8),
    Adopt,
    Unadopt,
    MigrateLayout,
    PutLayoutBack,
    /// While the last host can't be reached.
    WithoutLast(u8),
    /// Hosts that lack what is live are brought level with it.
    Level,
    /// The first host is taken out of traffic by hand.
    Drain,
    /// All hosts are put back into it.
    Undrain,
}

/// Hosts with a history.
#[derive(Clone)]
struct Fleet {
    settings: Rc<Settings>,
    /// The apps, where there are several.
    apps: Rc<Vec<AppInEnvironment>>,
    hosts: Vec<SimHost>,
    /// The commits that were ever confirmed, host by host.
    proven: Vec<BTreeSet<CommitId>>,
    runs: u32,
}

impl Fleet {
    fn new(hosts: usize, text: &str) -> Fleet {
        let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
        let text =
            format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [{}]\n", names.join(", "));
        let (settings, apps) = (settings(&text), apps(&text));
        let by_host = SettingsByHost { whole: &settings, apps: &apps };
        let hosts = match apps.as_slice() {
            [] => settings.hosts.clone(),
            apps => apps.iter().flat_map(|app| app.settings.hosts.clone()).collect(),
        };
        let hosts: Vec<SimHost> = hosts.iter().map(|host| SimHost::bare(by_host.of(host), host)).collect();
        let proven = vec![BTreeSet::new(); hosts.len()];
        Fleet { proven, hosts, settings: Rc::new(settings), apps: Rc::new(apps), runs: 0 }
    }

    /// The last host has joined with its first deploy: of all before it knows nothing.
    fn last_joins(self, wanted: Wanted) -> Fleet {
        self.last_bare().succeed(wanted)
    }

    /// The last host has joined, and knows of nothing.
    fn last_bare(mut self) -> Fleet {
        let settings = self.settings.clone();
        let (host, proven) = self.hosts.iter_mut().zip(&mut self.proven).next_back().expect("there is one");
        (*host, *proven) =
            (SimHost::bare(&settings, &settings.hosts[settings.hosts.len() - 1]), BTreeSet::new());
        self
    }

    fn by_host(&self) -> SettingsByHost<'_> {
        SettingsByHost { whole: &self.settings, apps: &self.apps }
    }

    fn plan(&self, wanted: Wanted) -> Result<Plan, Vec<Refusal>> {
        let facts: Vec<_> = self.hosts.iter().map(SimHost::facts).collect();
        let seen: Vec<SeenHost<'_>> =
            self.hosts.iter().zip(&facts).map(|(host, facts)| SeenHost { host: &host.host, facts }).collect();
        let context = run(self.runs + 1);
        let deploy = |number, force, take_over| {
            let request = DeployRequest { force, take_over, ..DeployRequest::new(release(number), URL) };
            plan_deploy_together(self.by_host(), &context, &seen, |_| request.clone())
        };
        let rollback = |to: Option<u8>| {
            let to = to.map(|number| format!("v{number}"));
            let rehearse = wanted == Wanted::Rehearsal;
            let request = RollbackRequest { to, rehearse, ..RollbackRequest::new(URL, Schema::Refuse) };
            let plan = |settings: &Settings, seen: &[SeenHost<'_>]| {
                plan_rollback(settings, &context, &request, seen).map(Some)
            };
            plan_for_each_app(self.by_host(), &context, &seen, plan).map(|plan| plan.expect("there is one"))
        };
        match wanted {
            Wanted::WithoutLast(number) => {
                let (last, rest) = seen.split_last().expect("there is one");
                let skipped = SkippedHost { host: last.host.name.clone(), why: "no route".to_owned() };
                let context = RunContext { skipped: vec![skipped], ..context };
                let request = DeployRequest::new(release(number), URL);
                plan_deploy_together(self.by_host(), &context, rest, |_| request.clone())
            }
            Wanted::Level => {
                let hosts: Vec<_> = seen.iter().map(|seen| (&seen.host.name, seen.facts)).collect();
                let FleetLevel::Clear { live, outdated } = FleetLevel::of(&hosts) else {
                    panic!("it isn't clear what is live")
                };
                let only = outdated.into_iter().map(|outdated| outdated.host).collect();
                let request = DeployRequest { only: Some(only), ..DeployRequest::new(live, URL) };
                plan_deploy_together(self.by_host(), &context, &seen, |_| request.clone())
            }
            Wanted::Deploy(number) => deploy(number, false, false),
            Wanted::Force(number) => deploy(number, true, false),
            Wanted::TakeOver(number) => deploy(number, false, true),
            Wanted::Rollback | Wanted::Rehearsal => rollback(None),
            Wanted::RollbackTo(number) => rollback(Some(number)),
            Wanted::Restart => plan_restart(&self.settings, &context, &seen),
            Wanted::Hold => {
                let hosts: Vec<_> = self.hosts.iter().map(|host| &host.host).collect();
                Ok(plan_hold(&self.settings, &context, "the audit", &hosts, &[]))
            }
            Wanted::Drain => {
                let first = self.hosts[0].host.name.clone();
                plan_drain(&self.settings, &context, &[first], &seen)
            }
            Wanted::Undrain => plan_undrain(&self.settings, &context, &seen),
            Wanted::Adopt => plan_adopt(&self.settings, &context, Some(URL), &seen),
            Wanted::Unadopt => plan_unadopt(&self.settings, &context, &seen),
            Wanted::MigrateLayout => {
                plan_migrate_layout(&self.settings, &context, Some(URL), StrategyName::Revision, &seen)
            }
            Wanted::PutLayoutBack => plan_put_layout_back(&self.settings, &context, &seen),
            Wanted::Release(number) => {
                let (remote, tag) = ("origin".to_owned(), format!("v{number}"));
                let (commit, signed) = (release(number).commit, true);
                let tagging = DeployerAction::Tag {
                    tag: tag.clone(),
                    commit,
                    signed,
                    signers: Vec::new(),
                    remote: remote.clone(),
                };
                let told = ToldVisitors {
                    by: context.by.clone(),
                    message: None,
                    until: None,
                    page: "soon".to_owned(),
                };
                let request = DeployRequest {
                    told: Some(told),
                    before: vec![tagging],
                    publish: vec![DeployerAction::PushTag { remote, tag }],
                    ..DeployRequest::new(release(number), URL)
                };
                plan_deploy_together(self.by_host(), &context, &seen, |_| request.clone())
            }
        }
    }

    /// More hosts hold nothing new for a linter, and take it longer.
    #[track_caller]
    fn check(&self, plan: &Plan) {
        if self.hosts.len() < 3 {
            assert_sound(plan);
        }
    }

    fn simulate(&mut self, plan: &Plan, scenario: &Scenario) -> SimulatedRun {
        let ending = simulate(plan, &mut self.hosts, scenario);
        self.learn(plan, &ending);
        ending
    }

    /// Takes note of what a run has proven live.
    fn learn(&mut self, plan: &Plan, ending: &SimulatedRun) {
        for (planned, confirmed) in plan.hosts.iter().zip(&ending.confirmed) {
            let at = self.hosts.iter().position(|host| host.host.name == planned.host.name).expect("known");
            if let (Some(target), true) = (&planned.to, confirmed) {
                self.proven[at].insert(target.release.commit.clone());
            }
        }
        self.runs += 1;
    }

    /// A run in which nothing goes wrong.
    #[track_caller]
    fn succeed(mut self, wanted: Wanted) -> Fleet {
        let plan = self.plan(wanted).expect("nothing speaks against it");
        let ending = self.simulate(&plan, &Scenario::default());
        assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::Done));
        self
    }

    /// A run in which something happens to the first host at its first step of this kind.
    #[track_caller]
    fn disturb(self, wanted: Wanted, step: &str, kind: FaultKind) -> Fleet {
        let plan = self.plan(wanted).expect("nothing speaks against it");
        let host = plan.hosts[0].host.name.clone();
        for moment in 0..100 {
            let fault = Fault { host: host.clone(), moment, kind };
            let scenario = Scenario { faults: vec![fault], keep_trace: true, ..Scenario::default() };
            let mut fleet = self.clone();
            let ending = fleet.simulate(&plan, &scenario);
            let struck = ending.trace.iter().position(|line| line.starts_with("!!!"));
            if let Some(line) = struck.and_then(|at| ending.trace.get(at + 1))
                && line.contains(&format!(" {step}"))
            {
                fleet.hosts.iter_mut().filter(|host| !host.is_up).for_each(SimHost::boot);
                return recover(fleet).expect("what is pending is put back");
            }
        }
        panic!("no step begins with {step:?}");
    }

    /// A run that fails on the first host.
    #[track_caller]
    fn fail(self, wanted: Wanted, step: &str) -> Fleet {
        self.disturb(wanted, step, FaultKind::StepFails(Progress::Nothing))
    }

    /// A run that ends with a power loss of the first host, which leaves it on what it had just switched to.
    #[track_caller]
    fn lose_power(self, wanted: Wanted, step: &str) -> Fleet {
        self.disturb(wanted, step, FaultKind::HostRebooted { progress: Progress::Nothing, comes_back: true })
    }

    /// Changes one host by hand.
    fn change(mut self, host: usize, change: impl FnOnce(&mut SimHost)) -> Fleet {
        change(&mut self.hosts[host]);
        self
    }

    /// What people and tools see of how releases are laid out, whichever run has written it down.
    fn layout(&self) -> String {
        let hosts = self.hosts.iter().map(|host| {
            let adopted = host.adoption.as_ref().map(|adoption| &adoption.link);
            let slot = |slot: &SimSlot| {
                let record = slot.record.as_ref();
                let record = record.map(|record| (record.state, record.release.commit.clone(), record.turn));
                (slot.content.clone(), record)
            };
            let slots = host.slots.iter().map(|(name, found)| (name, slot(found)));
            format!(
                "{:?}",
                (&host.link, &host.outer, adopted, host.owner.is_some(), slots.collect::<Vec<_>>())
            )
        });
        hosts.collect::<Vec<_>>().join("\n")
    }

    /// All that decides what later runs do. Commits are told apart by their first digit.
    fn key(&self) -> String {
        let mut key = String::with_capacity(200);
        let digit = |commit: Option<&CommitId>| {
            commit.and_then(|commit| commit.as_str().chars().next()).unwrap_or('-')
        };
        for (host, proven) in self.hosts.iter().zip(&self.proven) {
            key.push_str(host.link.as_deref().unwrap_or("-"));
            let adopted = host.adoption.as_ref().map(|adoption| &adoption.link);
            let _ = write!(key, "{:?}{adopted:?}", host.outer);
            key.extend(host.processes.values().map(|process| match process {
                Process::Runs(commit) => digit(Some(commit)),
                Process::Nothing => 'n',
                Process::Dead => 'd',
                Process::Foreign => 'f',
            }));
            if let Some(pending) = &host.pending {
                let _ = write!(key, "{:?}{:?}", pending.record.from, pending.record.to);
            }
            key.extend([
                if host.maintenance { 'm' } else { '-' },
                host.drained.as_ref().map_or('-', |(_, is_by_hand)| if *is_by_hand { 'h' } else { 'o' }),
                if host.has_folders { 'r' } else { '-' },
                if host.is_up { 'u' } else { '-' },
                if host.disk_is_full { 'f' } else { '-' },
            ]);
            for slot in host.slots.values() {
                let content = match &slot.content {
                    Content::Complete(commit) => digit(Some(commit)),
                    Content::Partial => 'p',
                    Content::Missing => 'm',
                };
                key.extend(['/', content, digit(slot.head.as_ref())]);
                if let Some(record) = &slot.record {
                    let former = record.former.as_ref().map(|former| &former.commit);
                    key.extend([digit(Some(&record.release.commit)), digit(former)]);
                    let _ = write!(key, "{:?}{}", record.state, record.at.as_second() % 3600);
                }
            }
            key.extend(host.copies.keys().map(|(_, commit)| digit(Some(commit))));
            key.push('|');
            key.extend(proven.iter().map(|commit| digit(Some(commit))));
        }
        key
    }
}

/// What goes wrong, at every moment.
fn kinds() -> Vec<FaultKind> {
    let mut kinds = Vec::new();
    for progress in Progress::EACH {
        kinds.push(FaultKind::StepFails(progress));
        kinds.push(FaultKind::ConnectionLost { unnoticed: 0, progress });
        kinds.push(FaultKind::TakenForDead(progress));
        kinds.push(FaultKind::HostRebooted { progress, comes_back: true });
        kinds.push(FaultKind::DeployerKilled { unnoticed: 0, progress });
        kinds.push(FaultKind::Interrupted(progress));
        kinds.push(FaultKind::RunnerKilled(progress));
    }
    kinds.push(FaultKind::DiskFills);
    kinds.push(FaultKind::FrameCut(Progress::Nothing));
    kinds.push(FaultKind::FrameCut(Progress::Half));
    let progress = Progress::Half;
    kinds.push(FaultKind::HostRebooted { progress, comes_back: false });
    for unnoticed in [2, u32::MAX] {
        kinds.push(FaultKind::ConnectionLost { unnoticed, progress });
        kinds.push(FaultKind::DeployerKilled { unnoticed, progress });
    }
    for after in [0, 1, 4] {
        kinds.push(FaultKind::Abandoned { after, progress });
    }
    kinds
}

/// Whether there is anything that a fault could leave half done, or make fail at all.
fn makes_a_difference(kind: FaultKind, action: Option<&Action>) -> bool {
    let can_be_half_done = match action.map(|action| action.effects().effect) {
        Some(Effect::Objects { .. } | Effect::Files { .. } | Effect::Part { .. }) => true,
        Some(Effect::InPlace { .. } | Effect::PutBack { .. }) => true,
        Some(
            Effect::Start(_)
            | Effect::Stop(_)
            | Effect::StartIn { .. }
            | Effect::StopIn { .. }
            | Effect::Recovered,
        ) => true,
        Some(Effect::Command { fills, .. }) => fills,
        _ => false,
    };
    match kind {
        FaultKind::StepFails(Progress::Half) => can_be_half_done,
        FaultKind::StepFails(_) => action.is_some(),
        FaultKind::ConnectionLost { unnoticed: 0, progress: Progress::Half }
        | FaultKind::TakenForDead(Progress::Half)
        | FaultKind::RunnerKilled(Progress::Half)
        | FaultKind::HostRebooted { progress: Progress::Half, comes_back: true }
        | FaultKind::DeployerKilled { unnoticed: 0, progress: Progress::Half }
        | FaultKind::Interrupted(Progress::Half) => can_be_half_done,
        _ => true,
    }
}

/// What a run has left half-made gives its room back; where all is whole, somebody has to look what fills the disk.
fn make_room(host: &mut SimHost) {
    let is_half_made =
        |slot: &SimSlot| slot.record.as_ref().is_some_and(|record| record.state == SlotState::Building);
    host.disk_is_full &= host.slots.values().any(is_half_made);
}

/// What is explored, and what was found.
struct Exploration<'f> {
    fleet: &'f Fleet,
    plan: &'f Plan,
    /// What speaks against how a run has left hosts that are all up.
    judge: &'f dyn Fn(Fleet, &Plan) -> Vec<String>,
    runs: usize,
    /// The states in which runs have left the hosts.
    endings: HashSet<String>,
}

impl Exploration<'_> {
    /// One run, and then the next, which has to heal whatever this one left.
    #[track_caller]
    fn judge(&mut self, faults: Vec<Fault>, seed: u64) {
        self.runs += 1;
        let scenario = Scenario { faults, seed, ..Scenario::default() };
        let mut hosts = self.fleet.hosts.clone();
        let ending = simulate(self.plan, &mut hosts, &scenario);
        let mut broken: Vec<String> = ending.violations.iter().map(ToString::to_string).collect();
        let mut after = Fleet { hosts, ..self.fleet.clone() };
        after.learn(self.plan, &ending);
        if broken.is_empty() && self.endings.insert(after.key()) {
            after.hosts.iter_mut().filter(|host| !host.is_up).for_each(SimHost::boot);
            after.hosts.iter_mut().for_each(make_room);
            broken.extend((self.judge)(after.clone(), self.plan));
        }
        if !broken.is_empty() {
            let again = Scenario { keep_trace: true, ..scenario };
            let trace = simulate(self.plan, &mut self.fleet.hosts.clone(), &again).trace;
            let faults: Vec<String> = again.faults.iter().map(ToString::to_string).collect();
            panic!(
                "with {}, seed {seed}:\n{}\n\n{}\n\nafterwards: {:#?}",
                faults.join(" and "),
                broken.join("\n"),
                trace.join("\n"),
                after
                    .hosts
                    .iter()
                    .map(|host| (&host.link, &host.processes, &host.pending, &host.slots))
                    .collect::<Vec<_>>(),
            );
        }
    }
}

/// How many orders of events each fault meets. One is enough to find most mistakes, as every fault meets another one;
/// set `BUEDAFAB_SIMULATE_ORDERS` to a larger number for an evening's worth.
fn orders() -> u64 {
    let orders = std::env::var("BUEDAFAB_SIMULATE_ORDERS").ok();
    orders.map_or(1, |orders| orders.parse().expect("BUEDAFAB_SIMULATE_ORDERS is a number"))
}

/// Everything that can go wrong, everywhere and at any time, and what comes after it.
#[track_caller]
fn check(fleet: &Fleet, wanted: Wanted) {
    check_by(fleet, wanted, &next_runs_heal);
}

/// What was left pending is put back, and then both a deploy and a rollback do what they should.
fn next_runs_heal(after: Fleet, plan: &Plan) -> Vec<String> {
    match recover(after) {
        Ok(after) => deploy_heals(&after, plan).into_iter().chain(rollback_heals(&after)).collect(),
        Err(what) => vec![what],
    }
}

/// A tree is adopted, or laid out anew, by whichever run gets there: the next one does what is left, and it comes to the same.
#[track_caller]
fn check_tree(fleet: &Fleet, wanted: Wanted) {
    let expected = fleet.clone().succeed(wanted).layout();
    check_by(fleet, wanted, &|mut after, _| {
        let plan = match after.plan(wanted) {
            Ok(plan) => plan,
            Err(refusals) => return vec![format!("it is refused when asked for again: {refusals:?}")],
        };
        if !plan.is_empty() {
            after.check(&plan);
            let ending = after.simulate(&plan, &Scenario::default());
            if let Some(violation) = ending.violations.first() {
                return vec![format!("when asked for again: {violation}")];
            }
        }
        let comes_to = after.layout();
        if comes_to == expected {
            return Vec::new();
        }
        vec![format!("asked for again, it comes to\n{comes_to}\nrather than\n{expected}")]
    });
}

#[track_caller]
fn check_by(fleet: &Fleet, wanted: Wanted, judge: &dyn Fn(Fleet, &Plan) -> Vec<String>) {
    let plan = fleet.plan(wanted).expect("nothing speaks against it");
    assert_sound(&plan);
    let mut found = Exploration { fleet, plan: &plan, judge, runs: 0, endings: HashSet::new() };
    for seed in 0..16 {
        found.judge(Vec::new(), seed);
        let ending = simulate(&plan, &mut fleet.hosts.clone(), &Scenario { seed, ..Scenario::default() });
        assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::Done), "seed {seed}");
    }
    let undisturbed = simulate(&plan, &mut fleet.hosts.clone(), &Scenario::default());
    let orders = orders();
    let mut number = 0;
    for (planned, moments) in plan.hosts.iter().zip(undisturbed.moments) {
        let mut judge = |moment, kind| {
            let fault = Fault { host: planned.host.name.clone(), moment, kind };
            for _ in 0..orders {
                // Three orders are in order, four are shuffled.
                found.judge(vec![fault.clone()], number % 7);
                number += 1;
            }
        };
        for (moment, step) in moments.iter().enumerate() {
            let action = step.and_then(|id| plan.action(id));
            let kinds = kinds().into_iter().filter(|kind| makes_a_difference(*kind, action));
            kinds.for_each(|kind| judge(moment as u32, kind));
        }
        for attempts in [1, 3, 4, 9] {
            judge(0, FaultKind::LockTaken { attempts });
        }
        judge(0, FaultKind::Unreachable);
        if planned.host.name == plan.hosts[0].host.name {
            for nth in 0..plan.deployer_steps().count() as u32 {
                for progress in Progress::EACH {
                    judge(0, FaultKind::DeployerStepFails { nth, progress });
                }
            }
        }
    }
    println!("{} hosts: {} runs, {} endings", fleet.hosts.len(), found.runs, found.endings.len());
}

/// Two things go wrong in one run: not all that could, but many.
#[track_caller]
fn check_pairs(fleet: &Fleet, wanted: Wanted, runs: u64) {
    let plan = fleet.plan(wanted).expect("nothing speaks against it");
    let undisturbed = simulate(&plan, &mut fleet.hosts.clone(), &Scenario::default());
    let judge = &next_runs_heal;
    let mut found = Exploration { fleet, plan: &plan, judge, runs: 0, endings: HashSet::new() };
    let kinds = kinds();
    for seed in 0..runs * orders() {
        // Multiples of a prime walk through all moments and kinds without a pattern.
        let mut rest = seed * 1_000_003;
        let mut pick = |count: usize| {
            let picked = rest % count as u64;
            rest /= count as u64;
            picked as usize
        };
        let mut fault = || {
            let site = pick(plan.hosts.len());
            // The way back has moments of its own.
            let moment = pick(undisturbed.moments[site].len() + 6) as u32;
            Fault { host: plan.hosts[site].host.name.clone(), moment, kind: kinds[pick(kinds.len())] }
        };
        let faults = vec![fault(), fault()];
        found.judge(faults, seed);
    }
    println!("{} hosts: {} pairs, {} endings", fleet.hosts.len(), found.runs, found.endings.len());
}

/// What was left pending is put back, as the next deploy or rollback does first: then it serves what it served.
fn recover(mut fleet: Fleet) -> Result<Fleet, String> {
    let before = fleet.hosts.clone();
    let facts: Vec<_> = fleet.hosts.iter().map(SimHost::facts).collect();
    let seen: Vec<SeenHost<'_>> =
        fleet.hosts.iter().zip(&facts).map(|(host, facts)| SeenHost { host: &host.host, facts }).collect();
    let context = run(fleet.runs + 1);
    let plan = |settings: &Settings, seen: &[SeenHost<'_>]| plan_recover(settings, &context, seen);
    let plan = match plan_for_each_app(fleet.by_host(), &context, &seen, plan) {
        Ok(Some(plan)) => plan,
        Ok(None) => return Ok(fleet),
        Err(refusals) => return Err(format!("a recovery is refused: {refusals:?}")),
    };
    fleet.check(&plan);
    let ending = fleet.simulate(&plan, &Scenario::default());
    if let Some(violation) = ending.violations.first() {
        return Err(format!("in a recovery: {violation}"));
    }
    let is_back = |(before, after): (&SimHost, &SimHost)| {
        after.pending.is_none()
            && before.pending.as_ref().is_none_or(|pending| pending.record.from == after.link)
    };
    let done = ending.outcome.is_some_and(|outcome| outcome.verdict == Verdict::Done);
    if !done || !before.iter().zip(&fleet.hosts).all(is_back) {
        return Err("what was pending isn't put back".to_owned());
    }
    Ok(fleet)
}

/// The same release is deployed once more, and nothing goes wrong.
fn deploy_heals(fleet: &Fleet, plan: &Plan) -> Option<String> {
    let target = plan.hosts.iter().find_map(|planned| planned.to.as_ref())?;
    let number = u8::from_str_radix(&target.release.commit.as_str()[..1], 16).expect("a digit");
    let mut fleet = fleet.clone();
    let plan = match fleet.plan(Wanted::TakeOver(number)) {
        Ok(plan) => plan,
        Err(refusals) => return Some(format!("the next deploy is refused: {refusals:?}")),
    };
    fleet.check(&plan);
    let ending = fleet.simulate(&plan, &Scenario::default());
    if let Some(violation) = ending.violations.first() {
        return Some(format!("in the next deploy: {violation}"));
    }
    let live = |host: &SimHost| {
        let facts = host.facts();
        facts.live_is_confirmed() && facts.live().as_ref() == Some(&target.release)
    };
    let heals = ending.outcome.is_some_and(|outcome| outcome.verdict == Verdict::Done)
        && fleet.hosts.iter().all(live);
    (!heals).then(|| "the next deploy doesn't heal".to_owned())
}

/// A person wants the release before, and gets it, or a reason why not.
fn rollback_heals(fleet: &Fleet) -> Option<String> {
    let mut fleet = fleet.clone();
    let plan = match fleet.plan(Wanted::Rollback) {
        Ok(plan) => plan,
        Err(refusals) => {
            let good =
                |r: &Refusal| matches!(r, Refusal::NothingBefore { .. } | Refusal::DifferentTargets { .. });
            return (!refusals.iter().all(good)).then(|| format!("a rollback is refused: {refusals:?}"));
        }
    };
    fleet.check(&plan);
    let proven = fleet.proven.clone();
    let ending = fleet.simulate(&plan, &Scenario::default());
    if let Some(violation) = ending.violations.first() {
        return Some(format!("in a rollback: {violation}"));
    }
    let is_proven = |(host, proven): (&SimHost, &BTreeSet<CommitId>)| {
        host.live_commit().is_some_and(|commit| proven.contains(commit))
    };
    let heals = ending.outcome.is_some_and(|outcome| outcome.verdict == Verdict::Done)
        && fleet.hosts.iter().zip(&proven).all(is_proven);
    (!heals).then(|| "a rollback ends on something that was never proven live".to_owned())
}

const HOOKS: &str = "service = \"systemd:five\"\n[hooks]\nbefore_prepare = \"true\"\nbuild = [\"make\", \"make more\"]\n\
    check = \"make test\"\nonce = \"migrate\"\nbefore_switch = \"warm\"\nafter_switch = \"touch\"\n\
    verify = \"curl\"\nafter_finish = \"tell\"\n";

fn explore(
    hosts: std::ops::RangeInclusive<usize>,
    text: &str,
    history: impl Fn(Fleet) -> Fleet,
    wanted: Wanted,
) {
    hosts.for_each(|hosts| check(&history(Fleet::new(hosts, text)), wanted));
}

const WAVES: &str = "waves = [1, \"100%\"]\n";
const BAKES: &str = "bake_seconds = 30\nservice = \"systemd:five\"\n";
const BY_DEPLOYER: &str = "drain = { command = \"out\", undo = \"in\", on = \"deployer\" }\n";
const STOPS: &str = "on_wave_failure = \"stop\"\n";
const NOTHING_TO_RESTART: &str = "service = \"none\"\n";
const THREE_SLOTS: &str = "release_paths = [\"a\", \"b\", \"c\"]\n";

fn one(fleet: Fleet) -> Fleet {
    fleet.succeed(Wanted::Deploy(1))
}

fn two(fleet: Fleet) -> Fleet {
    one(fleet).succeed(Wanted::Deploy(2))
}

fn three(fleet: Fleet) -> Fleet {
    two(fleet).succeed(Wanted::Deploy(3))
}

#[test]
fn a_first_deploy() {
    explore(1..=3, "", |fleet| fleet, Wanted::Deploy(1));
}

#[test]
fn a_first_deploy_after_one_that_failed() {
    explore(1..=2, "", |fleet| fleet.fail(Wanted::Deploy(1), "restart"), Wanted::Deploy(2));
}

#[test]
fn a_deploy() {
    explore(1..=3, "", two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_without_a_restart() {
    explore(1..=2, NOTHING_TO_RESTART, one, Wanted::Deploy(2));
}

#[test]
fn a_deploy_in_waves() {
    explore(4..=4, WAVES, two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_whose_waves_bake() {
    explore(1..=1, BAKES, two, Wanted::Deploy(3));
    explore(3..=3, &format!("{WAVES}{BAKES}"), two, Wanted::Deploy(3));
    explore(2..=2, &format!("drain = \"file\"\n{WAVES}{BAKES}"), two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_whose_waves_are_confirmed_one_by_one() {
    explore(3..=3, &format!("{WAVES}{STOPS}"), two, Wanted::Deploy(3));
    explore(3..=3, &format!("waves = [2]\n{STOPS}"), two, Wanted::Deploy(3));
    explore(2..=2, &format!("drain = \"file\"\n{WAVES}{BAKES}{STOPS}"), two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_whose_waves_leave_traffic_and_are_confirmed_one_by_one() {
    explore(2..=2, &format!("{BY_DEPLOYER}{WAVES}{STOPS}"), two, Wanted::Deploy(3));
    explore(2..=2, &format!("{BY_DEPLOYER}{WAVES}{BAKES}"), two, Wanted::Deploy(3));
}

#[test]
fn a_rollback_whose_waves_are_confirmed_one_by_one() {
    explore(2..=2, &format!("{WAVES}{STOPS}"), three, Wanted::Rollback);
}

#[test]
fn a_deploy_whose_hosts_fetch_in_turn() {
    explore(2..=3, "fetch_concurrency = 1\n", two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_with_hooks() {
    explore(1..=2, HOOKS, two, Wanted::Deploy(3));
}

#[test]
fn a_deploy_over_a_failed_one() {
    explore(1..=2, "", |fleet| two(fleet).fail(Wanted::Deploy(3), "check out"), Wanted::Deploy(4));
}

#[test]
fn a_deploy_where_one_host_is_ahead() {
    let history = |fleet: Fleet| {
        let mut fleet = two(fleet);
        let mut ahead = fleet.clone().succeed(Wanted::Deploy(3));
        fleet.hosts[0] = ahead.hosts.swap_remove(0);
        fleet
    };
    explore(2..=3, "", history, Wanted::Deploy(3));
}

#[test]
fn a_deploy_where_the_live_release_was_never_confirmed() {
    let history = |fleet: Fleet| two(fleet).lose_power(Wanted::Deploy(3), "restart");
    explore(1..=2, "", history, Wanted::Deploy(3));
}

#[test]
fn a_forced_deploy() {
    explore(1..=2, "", two, Wanted::Force(2));
}

#[test]
fn a_deploy_that_takes_over() {
    let history = |fleet: Fleet| {
        fleet.change(0, |host| {
            host.link = Some("/srv/old".to_owned());
            host.processes.insert("init:five".to_owned(), Process::Foreign);
        })
    };
    explore(1..=2, "", history, Wanted::TakeOver(1));
}

#[test]
fn a_deploy_where_the_link_leads_to_nothing() {
    let history = |fleet: Fleet| {
        two(fleet).change(0, |host| {
            let slot =
                host.slots.values_mut().find(|slot| slot.content == Content::Complete(release(2).commit));
            *slot.expect("it is live") = SimSlot { record: None, content: Content::Missing, head: None };
            host.processes.insert("init:five".to_owned(), Process::Nothing);
        })
    };
    explore(1..=2, "", history, Wanted::Deploy(3));
}

/// As an older tool leaves a host: slots that nothing was written about.
#[test]
fn a_deploy_over_slots_without_records() {
    let history = |fleet: Fleet| {
        two(fleet).change(0, |host| host.slots.values_mut().for_each(|slot| slot.record = None))
    };
    explore(1..=2, "", history, Wanted::Deploy(3));
}

/// As one leaves it that didn't use git.
#[test]
fn a_deploy_over_slots_without_a_commit() {
    let history = |fleet: Fleet| {
        two(fleet).change(0, |host| {
            for slot in host.slots.values_mut() {
                slot.record = None;
                slot.head = None;
            }
        })
    };
    explore(1..=2, "", history, Wanted::Deploy(3));
}

#[test]
fn a_deploy_on_three_slots() {
    explore(1..=2, THREE_SLOTS, three, Wanted::Deploy(4));
}

/// A tag, maintenance and the deployer's own hooks, with all that can go wrong in between.
const TOLD: &str =
    "[hooks]\nbuild = \"make\"\n[hooks.local]\nbefore = \"check\"\nafter = \"tell\"\non_failure = \"warn\"\n";

/// The host that is left out stays as it is, whatever happens to the others; and comes level with them, whatever happens to it.
#[test]
fn a_deploy_without_a_host_that_is_away() {
    explore(2..=3, HOOKS, one, Wanted::WithoutLast(2));
}

#[test]
fn a_host_that_was_away_is_brought_level() {
    explore(2..=3, HOOKS, |fleet| one(fleet).succeed(Wanted::WithoutLast(2)), Wanted::Level);
    // Where one joins, a rollback leaves it as it is: there is nothing that it could go back to.
    let joined = two(Fleet::new(3, "")).last_bare();
    check_by(&joined, Wanted::Level, &|after, plan| match recover(after) {
        Ok(after) => deploy_heals(&after, plan).into_iter().collect(),
        Err(what) => vec![what],
    });
}

#[test]
fn a_release_under_maintenance() {
    explore(1..=2, TOLD, two, Wanted::Release(3));
    explore(1..=2, &format!("maintenance = \"setting\"\n{TOLD}"), two, Wanted::Release(3));
    explore(3..=3, &format!("{WAVES}{TOLD}"), one, Wanted::Release(2));
}

#[test]
fn a_release_under_maintenance_where_one_host_is_ahead() {
    let history = |fleet: Fleet| {
        let mut fleet = two(fleet);
        let mut ahead = fleet.clone().succeed(Wanted::Deploy(3));
        fleet.hosts[1] = ahead.hosts.swap_remove(1);
        fleet
    };
    explore(2..=3, TOLD, history, Wanted::Release(3));
}

/// Somebody else has pushed a tag of this name in the meantime.
#[test]
fn a_tag_that_is_taken_meanwhile() {
    for hosts in 1..=2 {
        let fleet = two(Fleet::new(hosts, TOLD));
        let plan = fleet.plan(Wanted::Release(3)).expect("nothing speaks against it");
        let mut theirs = SimDeployer::default();
        theirs.remote_tags.insert("v3".to_owned(), false);
        let scenario = Scenario { deployer: theirs, ..Scenario::default() };
        let ending = simulate(&plan, &mut fleet.hosts.clone(), &scenario);
        assert!(ending.violations.is_empty(), "{:?}", ending.violations);
        assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::FailedBefore));
        assert!(ending.deployer.tags.is_empty(), "ours is left");
        assert_eq!(ending.deployer.remote_tags, [("v3".to_owned(), false)].into());
    }
}

const SERVICES: &str = "service = \"systemd:five\"\n[services.jobs]\nservice = \"systemd:five-jobs\"\n\
    [services.mail]\nservice = \"systemd:five-mail\"\n";

#[test]
fn a_deploy_with_several_services() {
    explore(1..=2, SERVICES, two, Wanted::Deploy(3));
    explore(1..=2, SERVICES, two, Wanted::Rollback);
}

/// A web service whose slots have a process each, and a worker that restarts.
const SIDE_BY_SIDE: &str = "service = \"none\"\nwaves = [1, \"100%\"]\n[services.worker]\nservice = \"systemd:worker\"\n[services.web]\n\
    command = \"serve $SOCKET\"\ncutover = \"socket\"\n[health]\nhttp = \"/healthz\"\n";

#[test]
fn side_by_side() {
    explore(1..=2, SIDE_BY_SIDE, |fleet| fleet, Wanted::Deploy(1));
    explore(1..=2, SIDE_BY_SIDE, one, Wanted::Deploy(2));
    explore(1..=2, SIDE_BY_SIDE, two, Wanted::Rollback);
    explore(1..=2, SIDE_BY_SIDE, two, Wanted::Restart);
    explore(1..=2, SIDE_BY_SIDE, two, Wanted::Rehearsal);
    let warm = SIDE_BY_SIDE.replace("cutover", "keep_warm_instance = true\ncutover");
    explore(1..=2, &warm, two, Wanted::Deploy(3));
    explore(1..=2, &warm, two, Wanted::Rollback);
}

#[test]
fn a_rollback() {
    explore(1..=3, "", two, Wanted::Rollback);
}

#[test]
fn a_rollback_with_hooks_in_waves() {
    explore(3..=3, &format!("{WAVES}{HOOKS}"), three, Wanted::Rollback);
}

#[test]
fn a_rollback_to_a_release_that_was_overwritten() {
    let history = |fleet: Fleet| two(fleet).fail(Wanted::Deploy(3), "check out");
    explore(1..=2, "", history, Wanted::Rollback);
}

#[test]
fn a_rollback_on_three_slots() {
    explore(1..=2, THREE_SLOTS, three, Wanted::Rollback);
}

#[test]
fn a_rollback_to_a_release_that_is_named() {
    explore(1..=2, THREE_SLOTS, three, Wanted::RollbackTo(1));
}

#[test]
fn a_rollback_to_a_release_that_a_host_never_had() {
    let history = |fleet: Fleet| two(fleet).last_joins(Wanted::Deploy(3));
    explore(2..=2, THREE_SLOTS, history, Wanted::RollbackTo(1));
    explore(2..=2, HOOKS, history, Wanted::RollbackTo(2));
}

/// How releases reach hosts, and the step that fills a slot.
const SOURCES: [(&str, &str); 3] = [
    ("source = \"fetch\"\n", "check out"),
    ("source = \"bundle\"\n", "check out"),
    ("source = \"archive\"\nartifact = \"five\"\n[hooks.local]\nbuild = \"make\"\n", "unpack"),
];

/// One life for every strategy with every source. Two hosts hold what one doesn't only where they wait for one another.
fn live_with_every_source(strategy: &str) {
    for (source, fills) in SOURCES {
        let text = format!("{strategy}\n{source}");
        explore(1..=2, &text, |fleet| fleet, Wanted::Deploy(1));
        explore(1..=2, &text, three, Wanted::Deploy(4));
        explore(1..=2, &text, three, Wanted::Rollback);
        explore(1..=1, &text, three, Wanted::Force(3));
        let failed = |fleet: Fleet| two(fleet).fail(Wanted::Deploy(3), fills);
        explore(1..=1, &text, failed, Wanted::Deploy(3));
    }
}

/// Where the release is changed where it serves, all else is kept: what was served is put back from its copy, whatever happens, and
/// whatever is told is true.
#[test]
fn one_folder() {
    let text = "strategy = \"in-place\"\n";
    explore(1..=2, text, |fleet| fleet, Wanted::Deploy(1));
    explore(1..=3, text, two, Wanted::Deploy(3));
    explore(1..=2, text, two, Wanted::Force(2));
    explore(1..=2, text, two, Wanted::Rollback);
    // From a copy, and without one.
    explore(1..=2, text, three, Wanted::RollbackTo(1));
    explore(1..=1, text, |fleet| three(fleet).succeed(Wanted::Rollback), Wanted::Rollback);
    explore(1..=2, text, |fleet| two(fleet).fail(Wanted::Deploy(3), "check out"), Wanted::Deploy(3));
    explore(1..=2, &format!("{text}{HOOKS}"), two, Wanted::Deploy(3));
    explore(1..=2, &format!("{text}source = \"bundle\"\n"), three, Wanted::Rollback);
    explore(2..=2, &format!("{text}{TOLD}"), two, Wanted::Release(3));
    explore(1..=1, &format!("{text}maintenance = \"setting\"\n{TOLD}"), two, Wanted::Release(3));
    explore(3..=3, &format!("{text}{WAVES}"), one, Wanted::Deploy(2));
}

#[test]
fn two_faults_where_there_is_one_folder() {
    let text = "strategy = \"in-place\"\n";
    check_pairs(&two(Fleet::new(1, text)), Wanted::Deploy(3), 2000);
    check_pairs(&two(Fleet::new(2, text)), Wanted::Rollback, 2000);
}

/// Two apps on one machine, the second of which switches when the first has: nothing that befalls either leaves the other behind.
#[test]
fn several_apps() {
    let text = "[apps.api]\n[apps.web]\nafter = [\"api\"]\n";
    explore(1..=1, text, |fleet| fleet, Wanted::Deploy(1));
    explore(1..=1, text, two, Wanted::Deploy(3));
    explore(1..=1, text, two, Wanted::Rollback);
    explore(2..=2, "[apps.api]\n[apps.web]\n", two, Wanted::Release(3));
}

/// Hosts that are taken out of traffic while they change, by themselves or by the deployer: none stays out, whatever goes wrong, but where only
/// a deployer could put it back that is gone; and it says so.
#[test]
fn a_host_that_is_out_of_traffic_comes_back() {
    for text in ["drain = \"file\"\n", BY_DEPLOYER] {
        explore(2..=2, text, two, Wanted::Deploy(3));
        explore(2..=2, text, two, Wanted::Rollback);
    }
    // What an earlier run has left out is put back, or goes on saying so.
    let left = |fleet: Fleet| {
        let left = Some((run(1).run, false));
        two(fleet).change(1, |host| host.drained = left)
    };
    for text in ["drain = \"file\"\n", BY_DEPLOYER] {
        explore(2..=2, text, left, Wanted::Deploy(3));
    }
    // By hand: a drain that fails is taken back, and whatever comes of it, `undrain` puts all back.
    let all_come_back = |mut after: Fleet, _: &Plan| {
        let plan = after.plan(Wanted::Undrain).expect("nothing speaks against it");
        let ending = after.simulate(&plan, &Scenario::default());
        let violations = ending.violations.iter().map(ToString::to_string);
        let out = after.hosts.iter().filter(|host| host.drained.is_some());
        violations.chain(out.map(|host| format!("{} is out of traffic", host.host.name))).collect()
    };
    for text in ["drain = \"file\"\n", BY_DEPLOYER] {
        let fleet = two(Fleet::new(2, text));
        check_by(&fleet, Wanted::Drain, &all_come_back);
        check_by(&fleet.succeed(Wanted::Drain), Wanted::Undrain, &all_come_back);
    }
    // A person's word stands.
    let by_hand = |fleet: Fleet| {
        let by_hand = Some((run(1).run, true));
        two(fleet).change(2, |host| host.drained = by_hand)
    };
    explore(3..=3, "drain = \"file\"\n", by_hand, Wanted::Deploy(3));
}

#[test]
fn slots_that_take_turns() {
    live_with_every_source("strategy = \"ab\"");
    // What was overwritten is filled again.
    for (source, fills) in SOURCES {
        explore(1..=1, source, |fleet| two(fleet).fail(Wanted::Deploy(3), fills), Wanted::Rollback);
    }
}

#[test]
fn a_folder_for_every_deploy() {
    live_with_every_source("strategy = \"timestamp\"\nkeep = 2");
    more_than_two_are_kept("timestamp");
}

#[test]
fn a_folder_for_every_release() {
    live_with_every_source("strategy = \"revision\"\nkeep = 2");
    more_than_two_are_kept("revision");
}

/// What is there already is only switched to, or has a second folder.
fn more_than_two_are_kept(strategy: &str) {
    let text = format!("strategy = \"{strategy}\"\n");
    explore(1..=1, &text, three, Wanted::RollbackTo(1));
    explore(1..=1, &text, three, Wanted::Deploy(2));
}

/// As another tool leaves a host: two releases, and a link beside their folder through which web servers find the second.
fn tree(mut fleet: Fleet, names: [&str; 2]) -> Fleet {
    for host in &mut fleet.hosts {
        for (name, number) in names.iter().zip(1..) {
            host.tagged.push(release(number));
            let commit = release(number).commit;
            let content = Content::Complete(commit.clone());
            let slot = SimSlot { record: None, content, head: Some(commit) };
            host.slots.insert(SlotName::new(*name).expect("a slot"), slot);
        }
        host.outer = Some(format!("releases/{}", names[1]));
        host.processes.insert("init:five".to_owned(), Process::Runs(release(2).commit));
    }
    for proven in &mut fleet.proven {
        proven.extend([release(1).commit, release(2).commit]);
    }
    fleet
}

/// Web servers find the same release in every moment, whatever goes wrong; and what was done is undone without a trace.
#[test]
fn a_tree_that_is_adopted_and_laid_out_anew() {
    let layouts = [
        ("ab", ["a", "b"]),
        ("timestamp", ["20261126101500", "20261127101500"]),
        ("revision", ["v1", "v2"]),
        ("in-place", ["v1", "v2"]),
    ];
    for (strategy, names) in layouts {
        for hosts in 1..=2 {
            let found = tree(Fleet::new(hosts, &format!("strategy = \"{strategy}\"\n")), names);
            let adopted = found.clone().succeed(Wanted::Adopt);
            let moved = adopted.clone().succeed(Wanted::MigrateLayout);
            for (fleet, wanted) in [
                (&found, Wanted::Adopt),
                (&found, Wanted::MigrateLayout),
                (&adopted, Wanted::MigrateLayout),
                (&adopted, Wanted::Unadopt),
                (&moved, Wanted::PutLayoutBack),
            ] {
                check_tree(fleet, wanted);
            }
            let back = moved.clone().succeed(Wanted::PutLayoutBack).succeed(Wanted::Unadopt);
            assert_eq!(back.layout(), found.layout());
            // From then on it is a host like any other.
            check(&moved, Wanted::Deploy(3));
            check(&moved, Wanted::Rollback);
        }
    }
}

#[test]
fn a_rollback_from_a_release_that_was_never_confirmed() {
    let history = |fleet: Fleet| two(fleet).lose_power(Wanted::Deploy(3), "restart");
    explore(1..=1, "", history, Wanted::Rollback);
}

#[test]
fn two_faults_in_a_first_deploy() {
    check_pairs(&Fleet::new(2, ""), Wanted::Deploy(1), 2000);
}

#[test]
fn two_faults_in_a_deploy() {
    check_pairs(&two(Fleet::new(1, "")), Wanted::Deploy(3), 2000);
    check_pairs(&two(Fleet::new(2, WAVES)), Wanted::Deploy(3), 3000);
}

#[test]
fn two_faults_in_a_rollback() {
    check_pairs(&two(Fleet::new(2, "")), Wanted::Rollback, 2000);
}

#[test]
fn a_restart() {
    explore(1..=3, "", two, Wanted::Restart);
}

#[test]
fn a_hold() {
    explore(1..=3, "", two, Wanted::Hold);
}

/// Whoever changes a host between the look and the lock stops the run before it has done anything.
#[test]
fn a_host_that_was_changed_since_the_look() {
    for at in 0..3 {
        let mut fleet = two(Fleet::new(3, ""));
        let plan = fleet.plan(Wanted::Deploy(3)).expect("nothing speaks against it");
        let slot = fleet.hosts[at].slots.values_mut().next().expect("there are two");
        slot.record = None;
        for seed in 0..20 {
            let mut hosts = fleet.hosts.clone();
            let ending = simulate(&plan, &mut hosts, &Scenario { seed, ..Scenario::default() });
            assert!(ending.violations.is_empty(), "{:?}", ending.violations);
            assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::Refused));
        }
    }
}
