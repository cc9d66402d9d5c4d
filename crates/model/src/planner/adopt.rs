//! The plans that write down what a tree holds that another tool made, or a person; and that have its web servers follow the link of
//! buedafab's. Nothing of the tree is moved or removed, and what serves goes on serving.

use super::context::{HostPlanning, RunContext, SeenHost};
use super::diagnosis::owner_by;
use super::examine::examine;
use super::work::work;
use crate::config::{Settings, StrategyName};
use crate::host::Host;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::fleet::FleetHost;
use crate::host::record::{JournalKind, SlotRecord};
use crate::names::{HostName, RunId, SlotName};
use crate::plan::action::{Action, RecordAction};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan};
use crate::release::Release;
use crate::strategy::{self, AdoptedRelease, Adoption, NotAdoptable, RollbackTarget, adoption, has_deployed};

/// Writes down which releases these hosts have. Empty where all of it is known. `url` is where the code comes from.
pub fn plan_adopt(
    settings: &Settings,
    run: &RunContext,
    url: Option<&str>,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let mut work = TreeWork::begin(settings, run, url, hosts, "adopt")?;
    for planning in &work.hosts.clone() {
        match adoption(planning.facts, &planning.layout) {
            Ok(Some(found)) => {
                tell(&mut work, planning, &found);
                tell_of_shared(&mut work, planning);
                if !found.is_known {
                    let actions = adopt(planning, &found);
                    work.add(planning, actions, found.live_release());
                }
            }
            Ok(None) => work.note(
                planning,
                "buedafab deploys here already, and knows which releases there are".to_owned(),
            ),
            Err(not) => work.refuse(planning, not),
        }
    }
    work.end()
}

/// Takes away what an adoption has written down, as long as nothing was deployed since.
pub fn plan_unadopt(
    settings: &Settings,
    run: &RunContext,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let mut work = TreeWork::begin(settings, run, None, hosts, "undo adopt")?;
    for planning in &work.hosts.clone() {
        let facts = planning.facts;
        if facts.tree.adoption.is_none() {
            work.note(planning, "nothing was adopted here".to_owned());
        } else if has_deployed(facts) {
            work.refuse(planning, deployed_since("what was adopted stays known"));
        } else if facts.outer.as_ref().is_some_and(|outer| outer.follows(&planning.layout)) {
            let why =
                format!("{} follows {} already", planning.layout.outer_link(), planning.layout.current());
            work.refuse(
                planning,
                NotAdoptable { why, help: "put it back first: migrate-layout --undo".to_owned() },
            );
        } else {
            let slots = facts.slots.iter().filter(|(_, seen)| seen.record.is_some());
            let slots = slots.map(|(slot, _)| slot.clone()).collect();
            let mut actions = vec![RecordAction::Disown { slots, all: true }.into()];
            actions.push(run.note(JournalKind::AdoptionUndone, None));
            work.add(planning, actions, None);
        }
    }
    work.end()
}

/// Makes the link of another tool follow the one that decides what is live, and says what becomes of which release with the strategy of
/// these settings, where another was configured until now. A tree that nobody has adopted is adopted by the way.
pub fn plan_migrate_layout(
    settings: &Settings,
    run: &RunContext,
    url: Option<&str>,
    from: StrategyName,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let name = settings.layout.strategy.word();
    let mut work = TreeWork::begin(settings, run, url, hosts, &format!("migrate to {name}"))?;
    for planning in &work.hosts.clone() {
        let (facts, layout) = (planning.facts, &planning.layout);
        let found = match adoption(facts, layout) {
            Ok(found) => found,
            // Where nothing was ever deployed, the setting alone decides.
            Err(_) if facts.outer.is_none() && facts.live_slot().is_none() && facts.slots.is_empty() => {
                work.note(
                    planning,
                    "nothing was deployed here yet: the first deploy does as the setting says".to_owned(),
                );
                continue;
            }
            Err(not) => {
                work.refuse(planning, not);
                continue;
            }
        };
        let mut actions = Vec::new();
        if let Some(found) = found.as_ref().filter(|found| !found.is_known) {
            tell(&mut work, planning, found);
            actions.extend(adopt(planning, found));
        }
        match facts.outer.as_ref().and_then(|outer| Some((outer, outer.passes_by(layout)?))) {
            Some((_, slot)) if facts.live_slot().is_some_and(|live| live != slot) => {
                let (other, path) = (layout.outer_link(), layout.current());
                let live = facts.live_slot().map_or("", |live| live.as_str());
                let why = format!(
                    "{other} leads to {slot}, and {path} to {live}: to let it follow would be a deploy"
                );
                let help = format!(
                    "where nobody reads through {other} any more, remove it; else roll back to {slot} first"
                );
                work.refuse(planning, NotAdoptable { why, help });
                continue;
            }
            Some((outer, slot)) => {
                let (runs, link) = (adopting_runs(planning), Some(outer.text.clone()));
                actions.push(RecordAction::NoteAdoption { runs, link }.into());
                actions
                    .push(RecordAction::FollowLink { slot: slot.clone(), before: outer.text.clone() }.into());
                actions.push(run.note(JournalKind::LayoutMigrated, Some(name.to_owned())));
                let text = format!(
                    "{} will lead to {}, and that to {slot}: who reads through it sees the same, and what is deployed from now on",
                    layout.outer_link(),
                    layout.current()
                );
                work.note(planning, text);
            }
            None => {}
        }
        if found.is_some() {
            tell_of_shared(&mut work, planning);
        }
        // Nobody would keep it up to date any more.
        let stale = strategy::named(from).previous().filter(|_| planning.strategy.previous().is_none());
        if let Some(link) = stale {
            actions.push(RecordAction::LinkPrevious { link, slot: None }.into());
        }
        foresee(&mut work, planning, found.as_ref());
        if !actions.is_empty() {
            let live = found.and_then(|found| found.live_release()).or_else(|| facts.live());
            work.add(planning, actions, live);
        }
    }
    work.end()
}

/// Puts the link of another tool back as it was, as long as nothing was deployed since.
pub fn plan_put_layout_back(
    settings: &Settings,
    run: &RunContext,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let mut work = TreeWork::begin(settings, run, None, hosts, "undo migrate-layout")?;
    for planning in &work.hosts.clone() {
        let facts = planning.facts;
        let moved = facts.tree.adoption.as_ref().and_then(|record| Some((record, record.link.clone()?)));
        let Some((record, before)) = moved else {
            work.note(planning, "no link was changed here".to_owned());
            continue;
        };
        if has_deployed(facts) {
            work.refuse(planning, deployed_since("the link goes on following what is live"));
            continue;
        }
        let mut actions = vec![
            RecordAction::NoteAdoption { runs: record.runs.clone(), link: None }.into(),
            run.note(JournalKind::LayoutPutBack, None),
        ];
        let is_back = facts.outer.as_ref().is_some_and(|outer| outer.passes_by(&planning.layout).is_some());
        match facts.live_slot() {
            Some(slot) => {
                let back = RecordAction::PutLinkBack { slot: slot.clone(), before: before.clone() };
                actions.insert(0, back.into());
            }
            // A run was cut short before it could write that down, or before it had done anything.
            None if is_back => {
                let other = planning.layout.outer_link();
                work.note(planning, format!("{other} leads to {before:?} already, and that is written down"));
                work.add(planning, actions, None);
                continue;
            }
            None => {
                work.note(planning, "no link was changed here".to_owned());
                continue;
            }
        }
        work.note(planning, format!("{} will lead to {before:?} again", planning.layout.outer_link()));
        work.add(planning, actions, facts.live());
    }
    work.end()
}

fn deployed_since(so: &str) -> NotAdoptable {
    NotAdoptable {
        why: format!("buedafab has deployed since: {so}"),
        help: "`rollback` goes back to a release that was adopted".to_owned(),
    }
}

impl Adoption {
    fn live_release(&self) -> Option<Release> {
        self.releases.last().map(|adopted| adopted.release.clone())
    }
}

/// What is written down about a tree.
fn adopt(planning: &HostPlanning<'_>, found: &Adoption) -> Vec<Action> {
    let run = planning.run;
    let mut actions: Vec<Action> = Vec::new();
    if !found.outdated.is_empty() {
        actions.push(RecordAction::Disown { slots: found.outdated.clone(), all: false }.into());
    }
    // Says which records are an adoption's, before there are any.
    let link = planning.facts.tree.adoption.as_ref().and_then(|record| record.link.clone());
    actions.push(RecordAction::NoteAdoption { runs: adopting_runs(planning), link }.into());
    actions.extend(found.releases.iter().map(|adopted| {
        let (slot, state) = (adopted.slot.clone(), adopted.state);
        RecordAction::Adopt { slot, state, release: adopted.release.clone(), turn: adopted.turn }.into()
    }));
    let hosts = planning.configured.hosts.iter().map(FleetHost::of).collect();
    actions.push(RecordAction::Fleet { hosts, gone: Vec::new() }.into());
    let (by, release) = (run.by.clone(), found.live_release());
    actions.push(
        RecordAction::Journal {
            kind: JournalKind::Adopted,
            by,
            release,
            from: None,
            reason: None,
            skipped: Vec::new(),
        }
        .into(),
    );
    actions
}

/// The runs that have adopted the tree once this one has.
fn adopting_runs(planning: &HostPlanning<'_>) -> Vec<RunId> {
    let mut runs =
        planning.facts.tree.adoption.as_ref().map(|record| record.runs.clone()).unwrap_or_default();
    runs.push(planning.run.run.clone());
    runs.dedup();
    runs
}

/// Which folder is what, for people.
fn tell(work: &mut TreeWork<'_>, planning: &HostPlanning<'_>, found: &Adoption) {
    let Adoption { serves, releases, left, outdated: _, is_known } = found;
    for adopted in releases.iter().rev() {
        let what = if adopted.slot == *serves { "serves" } else { "can be gone back to" };
        let known = if *is_known { ", as is written down already" } else { "" };
        let kept = if adopted.is_clone { "" } else { "; without git, it can only be used as it is" };
        work.note(planning, format!("{}: {} {what}{known}{kept}", adopted.slot, adopted.release));
    }
    for (slot, why) in left {
        work.note(planning, format!("{slot} is left alone: {why}"));
    }
    if planning.facts.more_slots > 0 {
        let more = planning.facts.more_slots;
        work.note(planning, format!("{more} more folders weren't looked at, and are left alone"));
    }
}

/// What the release that serves has of `shared`, and the next one wouldn't: nobody has said so in these settings.
fn tell_of_shared(work: &mut TreeWork<'_>, planning: &HostPlanning<'_>) {
    let named = planning.settings.shared_paths();
    let is_named = |path: &&String| {
        let has = |named: &String| {
            path.strip_prefix(named.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        named.iter().any(has)
    };
    let mut lost: Vec<&str> =
        planning.facts.tree.shared.iter().filter(|path| !is_named(path)).map(String::as_str).collect();
    lost.sort_unstable();
    if !lost.is_empty() {
        let text = format!(
            "what serves has {} from {}, and the next release won't: name them in `shared_files` and `shared_dirs`",
            lost.join(", "),
            planning.layout.shared()
        );
        work.note(planning, text);
    }
}

/// What is known of a host once its tree is adopted, and the link leads to what serves.
fn as_known(planning: &HostPlanning<'_>, found: &Adoption) -> HostFacts {
    let mut facts = planning.facts.clone();
    facts.current = CurrentLink::Slot(found.serves.clone());
    for AdoptedRelease { slot, release, state, turn, is_clone: _ } in &found.releases {
        let seen = facts.slots.entry(slot.clone()).or_default();
        let at = facts.clock.unwrap_or(planning.run.at);
        let (state, release, run) = (*state, release.clone(), planning.run.run.clone());
        seen.record = Some(SlotRecord { at, state, release, former: None, turn: *turn, run });
    }
    facts
}

/// What the next deploys do with which folder.
fn foresee(work: &mut TreeWork<'_>, planning: &HostPlanning<'_>, found: Option<&Adoption>) {
    let settings = planning.settings;
    let facts = found.map_or_else(|| planning.facts.clone(), |found| as_known(planning, found));
    let Some(live) = facts.live() else { return };
    let next = planning.strategy.destination(settings, &facts, planning.run.at, &live).slot;
    let goes_to = match settings.layout.strategy {
        StrategyName::Ab => format!("slot {next}"),
        StrategyName::Timestamp => format!("a folder that is called by its time, such as {next}"),
        StrategyName::Revision => "a folder that is called by its release".to_owned(),
        StrategyName::InPlace if Some(&next) == facts.live_slot() => {
            format!("{next}, in the place of what serves")
        }
        StrategyName::InPlace => format!("{next}, and all that follow to the same folder"),
    };
    work.note(planning, format!("the next deploy goes to {goes_to}"));
    let removed = planning.strategy.prunable(settings, &facts, planning.run.at, &next);
    let targets = planning.strategy.rollback_targets(settings, &facts);
    let in_words = |target: &RollbackTarget| format!("{} ({})", target.release, target.slot);
    let kept = targets.iter().filter(|target| !removed.contains(&target.slot) && target.slot != next);
    let kept: Vec<String> = kept.map(in_words).collect();
    if !kept.is_empty() {
        work.note(planning, format!("stays, and can be gone back to: {}", kept.join(", ")));
    }
    if !removed.is_empty() {
        let names: Vec<&str> = removed.iter().map(|slot| slot.as_str()).collect();
        work.note(planning, format!("the next deploy removes, as more than `keep`: {}", names.join(", ")));
    }
    let never_removed = |slot: &SlotName| {
        *slot == next || planning.strategy.expects(settings, slot) || settings.layout.strategy.adds_up()
    };
    let forever = facts.slots.iter().filter(|(slot, seen)| seen.record.is_some() && !never_removed(slot));
    let forever: Vec<String> = forever.map(|(slot, _)| planning.layout.slot(slot).to_string()).collect();
    if !forever.is_empty() {
        let text = format!(
            "no deploy removes: {}; do it by hand when you need none of them any more",
            forever.join(", ")
        );
        work.note(planning, text);
    }
}

/// Work on some hosts, as it comes together.
struct TreeWork<'a> {
    settings: &'a Settings,
    run: &'a RunContext,
    title: String,
    hosts: Vec<HostPlanning<'a>>,
    works: Vec<(&'a Host, Vec<Action>)>,
    from: Vec<(HostName, Option<Release>)>,
    notes: Vec<Note>,
    refusals: Vec<Refusal>,
}

impl<'a> TreeWork<'a> {
    fn begin(
        settings: &'a Settings,
        run: &'a RunContext,
        url: Option<&str>,
        seen: &[SeenHost<'a>],
        title: &str,
    ) -> Result<TreeWork<'a>, Vec<Refusal>> {
        let mut hosts = HostPlanning::of_all(settings, run, seen);
        if url.is_some() {
            hosts.iter_mut().for_each(|planning| planning.owner = owner_by(settings, url));
        }
        let (mut refusals, _) = examine(settings, &hosts);
        refusals.retain(|refusal| match refusal {
            Refusal::Unfit { diagnosis, .. } => diagnosis.kind.stops_any_change(),
            _ => true,
        });
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let (works, from, notes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(TreeWork { settings, run, title: title.to_owned(), hosts, works, from, notes, refusals })
    }

    fn note(&mut self, planning: &HostPlanning<'_>, text: String) {
        self.notes.push(Note { host: Some(planning.host.name.clone()), text });
    }

    fn refuse(&mut self, planning: &HostPlanning<'_>, NotAdoptable { why, help }: NotAdoptable) {
        self.refusals.push(Refusal::NotAdopted { host: planning.host.name.clone(), why, help });
    }

    fn add(&mut self, planning: &HostPlanning<'a>, actions: Vec<Action>, live: Option<Release>) {
        let mut all = Vec::new();
        if !planning.facts.has_folders || planning.facts.owner.is_none() {
            all.push(planning.create_folders());
        }
        all.extend(planning.lock_as_seen(&self.run.holder(self.title.as_str())));
        all.extend(actions);
        self.works.push((planning.host, all));
        self.from.push((planning.host.name.clone(), live));
    }

    fn end(self) -> Result<Plan, Vec<Refusal>> {
        let TreeWork { settings, run, title, hosts: _, works, from, notes, refusals } = self;
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let is_empty = works.is_empty();
        let mut plan = Plan { title: Some(title), notes, ..work(settings, run, Intent::Work, works) };
        for (planned, (_, live)) in plan.hosts.iter_mut().zip(from) {
            planned.from = live;
        }
        if is_empty {
            plan.phases.clear();
        }
        Ok(plan)
    }
}
