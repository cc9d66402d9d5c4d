//! Every plan, with everything that can go wrong at every moment of it: a complete release always serves, what is told
//! is true, and the next run heals.

mod common;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use buedafab_model::config::Settings;
use buedafab_model::names::CommitId;
use buedafab_model::outcome::Verdict;
use buedafab_model::plan::Plan;
use buedafab_model::planner::{DeployRequest, SeenHost, plan_deploy, plan_restart, plan_rollback};
use buedafab_model::refusal::Refusal;
use buedafab_model::simulate::{
    Content, Ending, Fault, FaultKind, Progress, Scenario, SimHost, simulate,
};

use common::{URL, assert_lints, release, run, settings};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Deploy(u8),
    Force(u8),
    TakeOver(u8),
    Rollback,
    Restart,
}

/// Hosts with a history.
#[derive(Clone)]
struct Fleet {
    settings: Settings,
    hosts: Vec<SimHost>,
    /// The commits that were ever confirmed, host by host.
    proven: Vec<BTreeSet<CommitId>>,
    runs: u32,
}

impl Fleet {
    fn new(hosts: usize, text: &str) -> Fleet {
        let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
        let text = format!(
            "unit = \"five\"\n{text}\n[environments.production]\nhosts = [{}]\n",
            names.join(", ")
        );
        let settings = settings(&text);
        let hosts: Vec<SimHost> = settings.hosts.iter().map(|host| SimHost::bare(&settings, host)).collect();
        Fleet { proven: vec![BTreeSet::new(); hosts.len()], hosts, settings, runs: 0 }
    }

    fn plan(&self, wanted: Wanted) -> Result<Plan, Vec<Refusal>> {
        let facts: Vec<_> = self.hosts.iter().map(SimHost::facts).collect();
        let seen: Vec<SeenHost<'_>> =
            self.hosts.iter().zip(&facts).map(|(host, facts)| SeenHost { host: &host.host, facts }).collect();
        let context = run(self.runs + 1);
        let deploy = |number, force, take_over| {
            let request = DeployRequest { release: release(number), url: URL.to_owned(), force, take_over };
            plan_deploy(&self.settings, &context, &request, &seen)
        };
        let plan = match wanted {
            Wanted::Deploy(number) => deploy(number, false, false),
            Wanted::Force(number) => deploy(number, true, false),
            Wanted::TakeOver(number) => deploy(number, false, true),
            Wanted::Rollback => plan_rollback(&self.settings, &context, URL, &seen),
            Wanted::Restart => plan_restart(&self.settings, &context, &seen),
        }?;
        assert_lints(&plan);
        Ok(plan)
    }

    fn simulate(&mut self, plan: &Plan, scenario: &Scenario) -> Ending {
        let ending = simulate(plan, &mut self.hosts, scenario);
        for (planned, confirmed) in plan.hosts.iter().zip(&ending.confirmed) {
            let at = self.hosts.iter().position(|host| host.host.name == planned.host.name).expect("known");
            if let (Some(target), true) = (&planned.to, confirmed) {
                self.proven[at].insert(target.release.commit.clone());
            }
        }
        self.runs += 1;
        ending
    }

    /// A run in which nothing goes wrong.
    #[track_caller]
    fn succeed(mut self, wanted: Wanted) -> Fleet {
        let plan = self.plan(wanted).expect("nothing speaks against it");
        let ending = self.simulate(&plan, &Scenario::default());
        assert_eq!(ending.outcome.map(|outcome| outcome.verdict), Some(Verdict::Done));
        self
    }

    /// A run that fails on every host at its first step of this kind.
    #[track_caller]
    fn fail(mut self, wanted: Wanted, step: &str) -> Fleet {
        let plan = self.plan(wanted).expect("nothing speaks against it");
        let host = plan.hosts[0].host.name.clone();
        for moment in 0.. {
            let fault = Fault { host: host.clone(), moment, kind: FaultKind::StepFails(Progress::Nothing) };
            let scenario = Scenario { faults: vec![fault], seed: 0, keep_trace: true };
            let mut hosts = self.clone();
            let ending = hosts.simulate(&plan, &scenario);
            let failure = ending.outcome.and_then(|outcome| outcome.failures.first().cloned());
            let failed = failure.and_then(|failure| failure.step).and_then(|id| plan.step(id));
            if failed.is_some_and(|(_, _, found)| found.action.to_string().starts_with(step)) {
                self = hosts;
                break;
            }
        }
        self
    }

    /// Changes one host by hand.
    fn change(mut self, host: usize, change: impl FnOnce(&mut SimHost)) -> Fleet {
        change(&mut self.hosts[host]);
        self
    }

    /// All that decides what later runs do.
    fn key(&self) -> String {
        let mut key = String::new();
        for host in &self.hosts {
            let _ = write!(key, "{:?}{:?}{}{}", host.link, host.process, host.has_room, host.is_up);
            for (name, slot) in &host.slots {
                let _ = write!(key, "{name}{:?}{:?}", slot.head, slot.content);
                if let Some(record) = &slot.record {
                    let former = record.former.as_ref().map(|former| &former.commit);
                    let _ =
                        write!(key, "{:?}{:?}{:?}{}", record.state, former, record.release.commit, record.at);
                }
            }
        }
        let _ = write!(key, "{:?}", self.proven);
        key
    }
}

fn kinds() -> Vec<FaultKind> {
    let mut kinds = Vec::new();
    for progress in Progress::EACH {
        kinds.push(FaultKind::StepFails(progress));
        kinds.push(FaultKind::ConnectionLost { unnoticed: 0, progress });
        kinds.push(FaultKind::PowerLost { progress, comes_back: true });
        kinds.push(FaultKind::PowerLost { progress, comes_back: false });
        kinds.push(FaultKind::DeployerKilled { unnoticed: 0, progress });
        kinds.push(FaultKind::Interrupted(progress));
        kinds.push(FaultKind::Abandoned { after: 0, progress });
    }
    for unnoticed in [2, u32::MAX] {
        kinds.push(FaultKind::ConnectionLost { unnoticed, progress: Progress::Half });
        kinds.push(FaultKind::DeployerKilled { unnoticed, progress: Progress::Half });
    }
    for after in [1, 4] {
        kinds.push(FaultKind::Abandoned { after, progress: Progress::Half });
    }
    kinds
}

/// What was explored.
#[derive(Debug, Default)]
struct Count {
    runs: usize,
    endings: usize,
}

/// Everything that can go wrong, everywhere and at any time, and what comes after it.
#[track_caller]
fn check(fleet: &Fleet, wanted: Wanted) -> Count {
    let plan = fleet.plan(wanted).expect("nothing speaks against it");
    let mut count = Count::default();
    let mut known = HashSet::new();
    for seed in [0, 1, 2, 0x5eed] {
        let mut undisturbed = fleet.clone();
        let ending = undisturbed.simulate(&plan, &Scenario { seed, ..Scenario::default() });
        assert_eq!(ending.outcome.as_ref().map(|outcome| outcome.verdict), Some(Verdict::Done));
        judge(fleet, &plan, &Scenario { seed, ..Scenario::default() }, &mut count, &mut known);
        for (planned, moments) in plan.hosts.iter().zip(ending.moments) {
            let host = &planned.host.name;
            for moment in 0..moments {
                for kind in kinds() {
                    let faults = vec![Fault { host: host.clone(), moment, kind }];
                    let scenario = Scenario { faults, seed, keep_trace: false };
                    judge(fleet, &plan, &scenario, &mut count, &mut known);
                }
            }
            for attempts in [1, 3, 4, 9] {
                let kind = FaultKind::LockTaken { attempts };
                let faults = vec![Fault { host: host.clone(), moment: 0, kind }];
                judge(fleet, &plan, &Scenario { faults, seed, keep_trace: false }, &mut count, &mut known);
            }
            let faults = vec![Fault { host: host.clone(), moment: 0, kind: FaultKind::Unreachable }];
            judge(fleet, &plan, &Scenario { faults, seed, keep_trace: false }, &mut count, &mut known);
        }
    }
    count.endings = known.len();
    count
}

/// One run, and then the next.
#[track_caller]
fn judge(fleet: &Fleet, plan: &Plan, scenario: &Scenario, count: &mut Count, known: &mut HashSet<String>) {
    count.runs += 1;
    let mut after = fleet.clone();
    let ending = after.simulate(plan, scenario);
    let mut broken: Vec<String> = ending.violations.iter().map(ToString::to_string).collect();
    if broken.is_empty() && known.insert(after.key()) {
        after.hosts.iter_mut().filter(|host| !host.is_up).for_each(SimHost::boot);
        broken.extend(deploy_heals(&after, plan));
        broken.extend(rollback_heals(&after));
    }
    if !broken.is_empty() {
        let again = fleet.clone().simulate(plan, &Scenario { keep_trace: true, ..scenario.clone() });
        let faults: Vec<String> = scenario.faults.iter().map(ToString::to_string).collect();
        panic!(
            "with {}, seed {}:\n{}\n\n{}\n\nafterwards: {:#?}",
            faults.join(" and "),
            scenario.seed,
            broken.join("\n"),
            again.trace.join("\n"),
            after.hosts.iter().map(|host| (&host.link, &host.process, &host.slots)).collect::<Vec<_>>(),
        );
    }
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

fn explore(hosts: std::ops::RangeInclusive<usize>, text: &str, history: impl Fn(Fleet) -> Fleet, wanted: Wanted) {
    for hosts in hosts {
        let began = std::time::Instant::now();
        let count = check(&history(Fleet::new(hosts, text)), wanted);
        println!("{hosts} hosts: {count:?} in {:?}", began.elapsed());
    }
}

#[test]
fn a_first_deploy() {
    explore(1..=4, "", |fleet| fleet, Wanted::Deploy(1));
}

#[test]
fn a_second_deploy() {
    explore(1..=4, "", |fleet| fleet.succeed(Wanted::Deploy(1)), Wanted::Deploy(2));
}

#[test]
fn a_deploy_with_hooks() {
    let history = |fleet: Fleet| fleet.succeed(Wanted::Deploy(1)).succeed(Wanted::Deploy(2));
    explore(1..=2, HOOKS, history, Wanted::Deploy(3));
}
