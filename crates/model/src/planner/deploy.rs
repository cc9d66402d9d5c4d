//! The plan that makes a release live.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::{Workshop, pack};
use super::assemble::{Change, DeployedRef, Primary, assemble};
use super::context::{Direction, HostChange, HostPlanning, RunContext, SeenHost, Told};
use super::diagnosis::owner_by;
use super::examine::examine;
use super::maintenance::{can_announce, told_before};
use super::migrations::look_for_unknown;
use super::prepare::{Build, with_recipe};
use super::reach::about_skipped;
use super::resolved::resolve_release;
use super::virtualenv::Renewal;
use super::work::{prune_on, restart_on};
use crate::app::bundle::Bundles;
use crate::app::hooks::HookPoint;
use crate::app::package::FetchedPackage;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::deployer::action::DeployerAction;
use crate::deployer::developer::tests_of;
use crate::host::diagnosis::{DiagnosisKind, stray};
use crate::host::facts::{CurrentLink, Room};
use crate::host::left_over::LeftOver;
use crate::host::record::{JournalKind, SlotState};
use crate::names::{CommitId, HostName};
use crate::plan::action::{Schema, ToldVisitors};
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan, Target};
use crate::release::Release;
use crate::strategy::{Condition, RollbackTarget};

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct DeployRequest {
    /// The release to make live.
    pub release: Release,
    /// Where hosts fetch it from.
    pub url: String,
    /// What the release's own files take, where they come as an archive.
    pub unpacked: Option<Room>,
    /// Where the deployer makes what it sends instead.
    pub workshop: Workshop,
    /// Deploy also where it is live already.
    pub force: bool,
    /// Replace a link that leads to something that isn't ours.
    pub take_over: bool,
    /// Whether what the app has written into its releases may be lost.
    pub drop_written: bool,
    /// Whether what was installed and isn't wanted any more is stopped and removed.
    pub prune: bool,
    /// Whether virtualenvs are made anew, though nothing has changed.
    pub reinstall: bool,
    /// Whether what virtualenvs hold is resolved anew: else it stays as it was, as far as the release allows that.
    pub upgrade: bool,
    /// Whether the project's tests run first, where it has a runner for them.
    pub tests: bool,
    /// The release's private packages.
    pub packages: Vec<FetchedPackage>,
    /// What is sent of the release, where no host fetches it.
    pub bundles: Bundles,
    /// The release's templates of unit files and init scripts, by their paths in the project.
    pub templates: BTreeMap<String, String>,
    /// What visitors are told while it runs, if somebody asked for that.
    pub told: Option<ToldVisitors>,
    /// Tagging, and the push that hosts fetch from, as the rules of the environment ask for.
    pub before: Vec<DeployerAction>,
    /// What is made public once every host is ready.
    pub publish: Vec<DeployerAction>,
    /// What is done about migrations that the release doesn't know, where it may lack something that is live.
    pub goes_back: Option<Schema>,
    /// Commits that differ from the release in nothing that the app is made of: a host that serves one of them stays as it is.
    pub same: Vec<CommitId>,
    /// The ref of the remote that says what is live, where there is to be one.
    pub tells: Option<DeployedRef>,
    /// The hosts that lack what is live, where only they change: the release is live on the others, which have no part in the run, however
    /// well they are, and what is done once has been done for it.
    pub only: Option<BTreeSet<HostName>>,
    /// Whether other apps change in the same run: what is only down is deployed again then, and not only started.
    pub others_change: bool,
    /// What a person should know about the release.
    pub notes: Vec<String>,
}

impl DeployRequest {
    /// A release, and nothing special about it.
    pub fn new(release: Release, url: impl Into<String>) -> Self {
        DeployRequest {
            release,
            url: url.into(),
            unpacked: None,
            workshop: Workshop::default(),
            force: false,
            take_over: false,
            drop_written: false,
            prune: false,
            reinstall: false,
            upgrade: false,
            tests: true,
            packages: Vec::new(),
            bundles: Bundles::new(),
            templates: BTreeMap::new(),
            told: None,
            before: Vec::new(),
            publish: Vec::new(),
            goes_back: None,
            same: Vec::new(),
            tells: None,
            only: None,
            others_change: false,
            notes: Vec::new(),
        }
    }
}

/// Plans a deploy on these hosts, or says all that speaks against it.
pub fn plan_deploy(
    settings: &Settings,
    run: &RunContext,
    request: &DeployRequest,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let DeployRequest {
        release,
        url: _,
        unpacked,
        workshop,
        force,
        take_over,
        drop_written,
        prune,
        reinstall: _,
        upgrade: _,
        tests,
        packages,
        bundles,
        templates: _,
        told,
        before,
        publish,
        goes_back,
        same,
        tells,
        only,
        others_change,
        notes: more,
    } = request;
    let mut hosts = HostPlanning::of_all(settings, run, hosts);
    for planning in &mut hosts {
        planning.owner = owner_by(settings, Some(&request.url));
        planning.is_sent(packages);
        planning.is_sent_bundles(bundles, release);
        planning.is_sent_archive(*unpacked, release);
    }
    let (mut refusals, mut notes) = examine(settings, &hosts);
    if *take_over {
        let is_taken = |kind| {
            matches!(
                kind,
                DiagnosisKind::Elsewhere
                    | DiagnosisKind::OtherLink
                    | DiagnosisKind::Foreign
                    | DiagnosisKind::UnitElsewhere
                    | DiagnosisKind::SlotOfOthers
            )
        };
        refusals.retain(|refusal| {
            let Refusal::Unfit { host, diagnosis } = refusal else { return true };
            if matches!(diagnosis.kind, DiagnosisKind::Foreign | DiagnosisKind::UnitElsewhere) {
                let text = format!("{}: it is taken over", diagnosis.words);
                notes.push(Note { host: Some(host.clone()), text });
            }
            !is_taken(diagnosis.kind)
        });
        notes.extend(hosts.iter().filter_map(taken_over));
    }
    if *drop_written {
        refusals.retain(|refusal| !is_about(refusal, DiagnosisKind::WrittenFiles));
    }
    if *prune {
        for planning in &mut hosts {
            planning.removes = planning.left_over().into_iter().filter(LeftOver::can_go).collect();
            let seen = SeenHost { host: planning.host, facts: planning.facts };
            refusals.extend(HostPlanning::cannot_remove(&planning.removes, seen));
            notes.retain(|note| {
                let is_about = |left| stray(left, &planning.layout).1;
                note.host.as_ref() != Some(&planning.host.name)
                    || !planning.removes.iter().any(|left| note.text.starts_with(&is_about(left)))
            });
        }
    }
    let is_wanted = |host: &HostName| only.as_ref().is_none_or(|only| only.contains(host));
    if only.is_some() {
        // What is wrong with a host that has no part is no reason, but for a person's word, and for work that is under way.
        let is_theirs = |kind: DiagnosisKind| matches!(kind, DiagnosisKind::Held | DiagnosisKind::Locked);
        refusals.retain(|refusal| match refusal {
            Refusal::Unfit { host, diagnosis } => is_wanted(host) || is_theirs(diagnosis.kind),
            _ => true,
        });
        notes.retain(|note| note.host.as_ref().is_none_or(is_wanted));
    }
    let stays = |planning: &HostPlanning<'_>| {
        if only.is_some() {
            return !is_wanted(&planning.host.name);
        }
        let is_there = |live: Release| live.commit == release.commit || same.contains(&live.commit);
        let live = planning.facts.live().is_some_and(is_there);
        live && planning.facts.live_is_confirmed() && !force
    };
    let lacking = hosts.iter().filter(|planning| !stays(planning) && planning.lacks_git_lfs(release));
    refusals.extend(lacking.map(HostPlanning::wants_git_lfs));
    // Jobs are only installed with a release.
    let is_well = |planning: &HostPlanning<'_>| planning.facts.trouble().is_empty();
    if hosts.iter().all(|planning| stays(planning) && is_well(planning) && *prune) {
        refusals.retain(|refusal| !is_about(refusal, DiagnosisKind::JobsElsewhere));
    }
    notes.splice(0..0, more.iter().map(|text| Note { host: None, text: text.clone() }));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    // What somebody has told visitors already is theirs to end.
    let told = told.as_ref().filter(|_| hosts.iter().all(|seen| can_announce(settings, seen.facts)));

    let (there, mut hosts): (Vec<_>, Vec<_>) = hosts.into_iter().partition(stays);
    let (others, down): (Vec<_>, Vec<_>) =
        there.into_iter().partition(|planning| only.is_some() || is_well(planning));
    // Who asks for what isn't wanted to go away has nothing else touched, where no release changes: the release that serves goes on,
    // however well.
    let removes = |planning: &HostPlanning<'_>| !planning.removes.is_empty();
    let prunes_only = !others_change && hosts.is_empty() && others.iter().chain(&down).any(removes);
    let restarts_only = !others_change && hosts.is_empty() && !down.is_empty();
    let then = if prunes_only {
        "and its app isn't touched: `deploy` again starts it"
    } else if restarts_only {
        "and its app is started again"
    } else {
        "and is deployed again: its app doesn't serve it"
    };
    for (planning, then) in others
        .iter()
        .map(|planning| {
            (
                planning,
                (!is_well(planning))
                    .then_some("and isn't touched, though its app doesn't serve it: `deploy` does"),
            )
        })
        .chain(down.iter().map(|planning| (planning, Some(then))))
    {
        let live = planning.facts.live().unwrap_or_else(|| release.clone());
        let then = then.map_or_else(String::new, |then| format!(", {then}"));
        let text = if live.commit == release.commit {
            format!("{live} is live already{then}")
        } else {
            let made_of = settings.app.skip_unless_changed.join(", ");
            format!("nothing in {made_of} has changed since {live}, which stays live{then}")
        };
        notes.push(Note { host: Some(planning.host.name.clone()), text });
    }
    // What stays as it is has no finish to remove anything in.
    if prunes_only {
        let mut all = others;
        all.extend(down);
        all.sort_by_key(|planning| settings.hosts.iter().position(|host| host.name == planning.host.name));
        return Ok(Plan { notes, ..prune_on(settings, run, &all) });
    }
    for planning in others.iter().filter(|planning| removes(planning)) {
        for left in &planning.removes {
            let text = format!("{}; `deploy --prune` again removes it", stray(left, &planning.layout).1);
            notes.push(Note { host: Some(planning.host.name.clone()), text });
        }
    }
    if restarts_only {
        if !(before.is_empty() && publish.is_empty()) {
            let text = "no release changes: nothing is tagged or pushed".to_owned();
            notes.push(Note { host: None, text });
        }
        return Ok(Plan { notes, ..restart_on(settings, run, &down) });
    }
    hosts.extend(down);
    hosts.sort_by_key(|planning| settings.hosts.iter().position(|host| host.name == planning.host.name));
    for planning in &hosts {
        let slot = planning.destination(release).slot;
        if planning.facts.slots.get(&slot).is_some_and(|found| found.record.is_none()) {
            let text = format!(
                "buedafab didn't make slot {slot}: files in it that git doesn't know will be removed"
            );
            notes.push(Note { host: Some(planning.host.name.clone()), text });
        }
    }
    for planning in &hosts {
        let to = Target { slot: planning.destination(release).slot, release: release.clone() };
        if is_there(planning, request, &to) {
            let text =
                format!("{release} is in {} already, as it was proven: it is only switched to", to.slot);
            notes.push(Note { host: Some(planning.host.name.clone()), text });
        }
    }
    if hosts.is_empty() && !others_change && !(before.is_empty() && publish.is_empty()) {
        let text = "no host changes: nothing is tagged or pushed either".to_owned();
        notes.push(Note { host: None, text });
    }
    let changes: Vec<Result<HostChange<'_>, Vec<Refusal>>> =
        hosts.into_iter().map(|planning| change(planning, request, told)).collect();
    if changes.iter().any(Result::is_err) {
        return Err(told_once(changes.into_iter().filter_map(Result::err).flatten()));
    }
    let changes: Vec<HostChange<'_>> = changes.into_iter().flatten().collect();
    let tests = tests.then(|| tests_of(settings)).flatten();
    let commands = with_recipe(settings, HookPoint::Once, &settings.hooks.on_hosts.once);
    if only.is_some() && !commands.is_empty() && !changes.is_empty() {
        let text = format!("what is done once isn't done again: it was when {release} became live");
        notes.push(Note { host: None, text });
    }
    let once = changes.first().filter(|_| only.is_none());
    let once = once.map(|primary| primary.planning.hooks(&primary.to, HookPoint::Once, &commands));
    let does_once = changes.first().filter(|_| once.as_ref().is_some_and(|once| !once.is_empty()));
    notes.extend(about_skipped(settings, run, does_once.map(|change| &change.planning.host.name)));
    let minds = changes.first().zip(*goes_back).and_then(|(change, schema)| look_for_unknown(change, schema));
    let change = Change {
        intent: Intent::Deploy,
        kind: JournalKind::Deployed,
        tests,
        begin: before.iter().cloned().chain(pack(settings, workshop, release, &changes)).collect(),
        publish: publish.clone(),
        primary: Primary { prepare: minds.into_iter().collect(), once: once.unwrap_or_default() },
        others_tell: told.cloned(),
        tells: tells.clone(),
        notes,
    };
    assemble(settings, run, change, &changes, &others)
}

fn is_about(refusal: &Refusal, kind: DiagnosisKind) -> bool {
    matches!(refusal, Refusal::Unfit { diagnosis, .. } if diagnosis.kind == kind)
}

/// What becomes of a link that isn't ours; `None` if it is.
fn taken_over(planning: &HostPlanning<'_>) -> Option<Note> {
    let HostPlanning { host, facts, layout, .. } = planning;
    let (target, back) = match &facts.current {
        CurrentLink::Elsewhere(target) => (target.as_str(), false),
        CurrentLink::Slot(slot) if !planning.is_ours(slot) => (slot.as_str(), facts.live().is_some()),
        CurrentLink::Slot(_) | CurrentLink::Missing | CurrentLink::Dangling(_) | CurrentLink::NotALink => {
            return None;
        }
    };
    let path = layout.current();
    let back = if back { "a rollback goes back to it" } else { "a rollback can't go back to it" };
    let text = format!("{path} points to {target:?}: it will be replaced, and {back}");
    Some(Note { host: Some(host.name.clone()), text })
}

/// What is wrong with a template is so on every host.
fn told_once(refusals: impl Iterator<Item = Refusal>) -> Vec<Refusal> {
    let mut told: Vec<Refusal> = Vec::new();
    for refusal in refusals {
        let same = told.iter_mut().find_map(|other| match (other, &refusal) {
            (
                Refusal::BadTemplate { hosts, service, why, .. },
                Refusal::BadTemplate { service: also, why: again, .. },
            ) if service == also && why == again => Some(hosts),
            _ => None,
        });
        match (same, refusal) {
            (Some(hosts), Refusal::BadTemplate { hosts: more, .. }) => hosts.extend(more),
            (_, refusal) => told.push(refusal),
        }
    }
    told
}

/// Whether a release is in its slot as it was proven there, and would be made of the same again.
fn is_there(planning: &HostPlanning<'_>, request: &DeployRequest, to: &Target) -> bool {
    let HostPlanning { strategy, settings, facts, .. } = planning;
    let anew = request.force || request.reinstall || request.upgrade;
    let proven = planning.rollback_targets().into_iter().any(|target| {
        let RollbackTarget { slot, release, condition } = target;
        slot == to.slot && release.commit == to.release.commit && condition == Condition::Whole
    });
    strategy.goes_to_what_is_there()
        && !anew
        && proven
        && facts.resolved.contains(&resolve_release(settings, to))
}

fn change<'a>(
    planning: HostPlanning<'a>,
    request: &DeployRequest,
    told: Option<&ToldVisitors>,
) -> Result<HostChange<'a>, Vec<Refusal>> {
    let destination = planning.destination(&request.release);
    let to = Target { slot: destination.slot, release: request.release.clone() };
    // What served for a moment and was taken back stopped no deploy.
    let record = planning.facts.slots.get(&to.slot).and_then(|seen| seen.record.as_ref());
    let has_failed = record.is_some_and(|record| record.state == SlotState::Failed);
    let services = planning.service_files(&to, &request.templates)?;
    let (prepare, in_place) = if is_there(&planning, request, &to) {
        (planning.take_as_it_is(services, &to), Vec::new())
    } else {
        let build = Build {
            former: destination.former,
            url: &request.url,
            keep_written: has_failed,
            renewal: Renewal { reinstall: request.reinstall, upgrade: request.upgrade },
            packages: Packages::These(request.packages.clone()),
            services,
            archive: planning.archive_of(&request.release),
            resolved: None,
        };
        planning.build(build, &to)
    };
    Ok(HostChange {
        from: planning.facts.live(),
        prepare,
        in_place,
        to,
        leaves_behind: SlotState::Retired,
        corrected: Vec::new(),
        direction: Direction::Forward,
        told: match (&planning.facts.maintenance, told) {
            (Some(record), _) => Told::Before(told_before(record)),
            (None, Some(told)) => Told::ByThisRun(told.clone()),
            (None, None) => Told::Nothing,
        },
        planning,
    })
}
