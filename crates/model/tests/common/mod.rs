//! What the tests of plans share.

#![allow(dead_code)]

pub(crate) mod shells;

use std::collections::BTreeSet;

use buedafab_model::app::owner::Owner;
use buedafab_model::config::{AppInEnvironment, Settings, parse};
use buedafab_model::host::facts::{CurrentLink, HostFacts, SlotFacts};
use buedafab_model::host::record::{SlotRecord, SlotState};
use buedafab_model::names::{CommitId, EnvironmentName, RunId, SlotName, Unit};
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{
    DeployRequest, RollbackRequest, RunContext, SeenHost, plan_deploy, plan_rollback,
};
use buedafab_model::release::Release;
use buedafab_model::shell::check_plan;
use buedafab_model::simulate::SimHost;
use buedafab_model::view::{Detail, show_plan};
use jiff::Timestamp;
use similar::{ChangeTag, TextDiff};

/// The settings of the environment `production` of a `buedafab.toml`.
#[track_caller]
pub(crate) fn settings(text: &str) -> Settings {
    let production = EnvironmentName::new("production").expect("a word");
    match parse("buedafab.toml", text).and_then(|file| file.settings(&production)) {
        Ok(settings) => settings,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// Release 3 is the tag v3 on the commit 3333….
/// What several apps mean in production, in the order in which they switch.
pub(crate) fn apps(text: &str) -> Vec<AppInEnvironment> {
    let production = EnvironmentName::new("production").expect("a name");
    let apps = parse("buedafab.toml", text).and_then(|file| file.apps_in(&production));
    apps.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

pub(crate) fn release(number: u8) -> Release {
    let commit = format!("{number:x}").repeat(40)[..40].to_owned();
    let tag = format!("v{number}");
    Release::unnamed(CommitId::new(commit).expect("40 digits")).tagged(&tag)
}

/// Run 7 begins at seven minutes past midnight.
pub(crate) fn run(number: u32) -> RunContext {
    let midnight: Timestamp = "2026-11-05T00:00:00Z".parse().expect("a time");
    RunContext {
        run: RunId::new(format!("r{number}")).expect("a word"),
        at: midnight + jiff::SignedDuration::from_mins(number.into()),
        by: "ada@laptop".to_owned(),
        skipped: Vec::new(),
        in_traffic: BTreeSet::new(),
    }
}

/// Whose folders are.
pub(crate) fn owner() -> Owner {
    let production = EnvironmentName::new("production").expect("a word");
    Owner::new(Unit::new("five").expect("a unit"), production, Some(URL))
}

pub(crate) const URL: &str = "git@git.example.com:bueda/five.git";

/// No plan may be harmful, whatever it was made from.
#[track_caller]
pub(crate) fn assert_sound(plan: &Plan) {
    let findings = check_plan(plan);
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// What was seen on a host, built piece by piece.
#[derive(Debug, Clone)]
pub(crate) struct Seen(pub(crate) HostFacts);

/// A host that is fit for the app, and on which nothing was ever deployed.
pub(crate) fn bare() -> Seen {
    let settings = settings("unit = \"five\"\n[environments.production]\nhosts = [\"web1\"]\n");
    let facts = SimHost::bare(&settings, &settings.hosts[0]).facts();
    Seen(HostFacts { state_sum: "1234567 89".to_owned(), ..facts })
}

/// A host that serves release 1 from slot a, confirmed.
pub(crate) fn live() -> Seen {
    bare().slot("a", SlotState::Live, 1).link("a")
}

impl Seen {
    /// A slot with a record, written so many minutes after midnight as the number of its release says.
    pub(crate) fn slot(self, slot: &str, state: SlotState, number: u8) -> Seen {
        self.slot_with_former(slot, state, number, None)
    }

    pub(crate) fn slot_with_former(
        mut self,
        slot: &str,
        state: SlotState,
        number: u8,
        former: Option<u8>,
    ) -> Seen {
        let RunContext { run, at, .. } = run(number.into());
        let record =
            SlotRecord { at, state, release: release(number), former: former.map(release), turn: 0, run };
        let commit = (state != SlotState::Building).then(|| release(number).commit);
        let seen = SlotFacts { commit, record: Some(record), ..SlotFacts::default() };
        self.0.slots.insert(SlotName::new(slot).expect("a slot"), seen);
        self.0.exists = true;
        self.0.has_folders = true;
        self.0.owner = Some(owner());
        self
    }

    /// A link, as it reads; to a slot only if that is there.
    pub(crate) fn link(self, text: &str) -> Seen {
        let slot = self.0.slots.keys().find(|slot| slot.as_str() == text).cloned();
        self.change(|facts| {
            facts.current = match slot {
                Some(slot) => CurrentLink::Slot(slot),
                None => CurrentLink::Elsewhere(text.to_owned()),
            }
        })
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut HostFacts)) -> Seen {
        change(&mut self.0);
        self
    }
}

pub(crate) fn fleet(text: &str, hosts: usize) -> Settings {
    let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
    settings(&format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [{}]\n", names.join(", ")))
}

pub(crate) fn request(number: u8) -> DeployRequest {
    DeployRequest::new(release(number), URL)
}

pub(crate) fn seen<'a>(settings: &'a Settings, hosts: &'a [Seen]) -> Vec<SeenHost<'a>> {
    settings.hosts.iter().zip(hosts).map(|(host, seen)| SeenHost { host, facts: &seen.0 }).collect()
}

/// The plan, step by step, or all that speaks against it.
#[track_caller]
pub(crate) fn check(plan: Result<Plan, Vec<Refusal>>) -> String {
    match plan {
        Ok(plan) => {
            assert_sound(&plan);
            format!("{}\n{}", plan.headline(), show_plan(&plan, Detail::Steps))
        }
        Err(refusals) => {
            let line = |refusal: &Refusal| match refusal.hint() {
                Some(hint) => format!("{refusal}\n  hint: {hint}\n"),
                None => format!("{refusal}\n"),
            };
            refusals.iter().map(line).collect()
        }
    }
}

/// What `plan` has beside `base`, where that was shown whole: the lines that differ, below the phase in which they stand.
pub(crate) fn difference(base: &str, plan: &str) -> String {
    let (mut phase, mut shown) = (String::new(), String::new());
    for change in TextDiff::from_lines(base, plan).iter_all_changes() {
        let line = change.value();
        if change.tag() == ChangeTag::Equal {
            if !line.starts_with([' ', '\n']) {
                line.clone_into(&mut phase);
            }
        } else {
            shown += &std::mem::take(&mut phase);
            shown += &format!("{} {line}", change.tag());
        }
    }
    shown
}

/// What most plans of a deploy are shown beside: release 3 on a host where release 2 is live, and 1 was before.
pub(crate) fn plain_deploy() -> String {
    deploy("", &[second()], 3)
}

/// A deploy of release `number` on hosts of which this was seen.
#[track_caller]
pub(crate) fn deploy(text: &str, hosts: &[Seen], number: u8) -> String {
    deploy_as(text, hosts, &request(number))
}

#[track_caller]
pub(crate) fn deploy_as(text: &str, hosts: &[Seen], request: &DeployRequest) -> String {
    let settings = fleet(text, hosts.len());
    check(plan_deploy(&settings, &run(60), request, &seen(&settings, hosts)))
}

/// A rollback on hosts of which this was seen.
#[track_caller]
pub(crate) fn rollback(text: &str, hosts: &[Seen]) -> String {
    let settings = fleet(text, hosts.len());
    check(plan_rollback(
        &settings,
        &run(60),
        &RollbackRequest::new(URL, Schema::Refuse),
        &seen(&settings, hosts),
    ))
}

/// What most plans of a rollback are shown beside: from release 2 to release 1, on one host.
pub(crate) fn plain_rollback() -> String {
    rollback("", &[second()])
}

/// Release 2 is live in slot b, release 1 can be rolled back to.
pub(crate) fn second() -> Seen {
    bare().slot("a", SlotState::Retired, 1).slot("b", SlotState::Live, 2).link("b")
}
