//! The plan that makes an older release live again: the one before the live one, or one that a person names.

use std::collections::{BTreeMap, BTreeSet};

use super::assemble::{Change, DeployedRef, Primary, assemble};
use super::context::{CorrectedRecord, Direction, HostChange, HostPlanning, RunContext, SeenHost, Told};
use super::diagnosis::stops_restarts;
use super::examine::examine;
use super::maintenance::told_before;
use super::migrations::{UndoQuestion, ask_for_unknown, mind_migrations};
use super::prepare::Build;
use super::reach::about_skipped;
use super::rehearse::rehearse;
use super::resolved::{later_service, lost_variables, resolve_release, settings_as_of};
use super::virtualenv::Renewal;
use crate::app::bundle::Bundles;
use crate::app::package::FetchedPackage;
use crate::app::resolved::ResolvedRelease;
use crate::app::virtualenv::Packages;
use crate::config::{Settings, SourceName};
use crate::host::Host;
use crate::host::diagnosis::DiagnosisKind;
use crate::host::facts::{CurrentLink, HostFacts};
use crate::host::known::known_release;
use crate::host::proven::turn;
use crate::host::record::{JournalKind, SlotState};
use crate::names::{CommitId, SlotName};
use crate::plan::action::Schema;
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan, Target};
use crate::release::Release;
use crate::strategy::{self, RollbackTarget};

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// The release, by its tag or the beginning of its commit's id. `None`: on each host, the one before.
    pub to: Option<String>,
    /// Where a release that isn't whole any more is fetched from again; its objects are nearly always still on the host.
    pub url: String,
    /// What is done about migrations that the release doesn't know.
    pub schema: Schema,
    /// The private packages of the release, for hosts that never had it.
    pub packages: Vec<FetchedPackage>,
    /// What is sent of it, where no host fetches it.
    pub bundles: Bundles,
    /// The ref of the remote that says what is live, where there is to be one.
    pub tells: Option<DeployedRef>,
    /// Whether it is only tried: what it would go to is started beside what serves, asked, and stopped again.
    pub rehearse: bool,
    /// Its templates of unit files and init scripts, for the same hosts.
    pub templates: BTreeMap<String, String>,
    /// What the own files of releases mean of which no host has kept what they were prepared with: those that the deployer has.
    pub own: BTreeMap<CommitId, Settings>,
}

impl RollbackRequest {
    /// Back to the release before.
    pub fn new(url: impl Into<String>, schema: Schema) -> Self {
        let (packages, bundles) = (Vec::new(), Bundles::new());
        let (templates, own) = (BTreeMap::new(), BTreeMap::new());
        RollbackRequest {
            to: None,
            url: url.into(),
            schema,
            packages,
            bundles,
            tells: None,
            rehearse: false,
            templates,
            own,
        }
    }

    /// What decides of a release, if that isn't today's configuration: what any of these hosts has kept of it, or else its own
    /// file.
    fn own(&self, settings: &Settings, hosts: &[SeenHost<'_>], to: &Target) -> Option<Settings> {
        let resolved = kept_anywhere(hosts, to).cloned().or_else(|| self.of_own_file(to))?;
        Some(settings_as_of(settings, &resolved))
    }

    fn of_own_file(&self, to: &Target) -> Option<ResolvedRelease> {
        self.own.get(&to.release.commit).map(|settings| resolve_release(settings, to))
    }
}

/// Plans a rollback of these hosts, all to one release, or says all that speaks against it.
pub fn plan_rollback(
    settings: &Settings,
    run: &RunContext,
    request: &RollbackRequest,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let (hosts, bare) = without_bare(settings, request, hosts);
    let hosts = hosts.as_slice();
    let configured = settings;
    // What runs on the first of some hosts only runs on the first of those that serve.
    let mut among = settings.clone();
    among.hosts.retain(|host| !bare.iter().any(|bare| bare.name == host.name));
    let settings = &among;
    let mut all = HostPlanning::of_all(settings, run, hosts);
    for planning in &mut all {
        planning.configured = configured;
        planning.is_sent(&request.packages);
        planning.bundles = request.bundles.clone();
    }
    let (mut refusals, mut notes) = examine(configured, &all);
    notes.extend(bare.into_iter().map(|host| Note {
        host: Some(host.name.clone()),
        text: "nothing was ever live here: it stays as it is".to_owned(),
    }));
    // It stays in the slot that is gone back from, until a deploy takes that; which it then says.
    let left_behind = refusals.iter().filter_map(|refusal| match refusal {
        Refusal::Unfit { host, diagnosis } if diagnosis.kind == DiagnosisKind::WrittenFiles => {
            Some(Note { host: Some(host.clone()), text: diagnosis.words.clone() })
        }
        _ => None,
    });
    notes.extend(left_behind);
    // A person who rolls back at night must not be stopped by a colleague's "do not deploy", nor by what only a new release
    // would need.
    refusals.retain(
        |refusal| !matches!(refusal, Refusal::Unfit { diagnosis, .. } if !diagnosis.kind.stops_rollbacks() && !stops_restarts(settings, diagnosis.kind)),
    );
    let mut others = Vec::new();
    let mut ways = Vec::new();
    match &request.to {
        None => {
            let common = common_target(&all);
            for planning in all {
                match planning.rollback_targets().into_iter().next() {
                    Some(target) => ways.push((planning, Way::of(target))),
                    None => {
                        let host = planning.host.name.clone();
                        // Where there is nothing to go back to, it doesn't matter where the link leads.
                        refusals.retain(|refusal| match refusal {
                            Refusal::Unfit { host: other, diagnosis } => {
                                *other != host || diagnosis.kind.stops_any_change()
                            }
                            _ => true,
                        });
                        let why = why_nothing(planning.facts);
                        refusals.push(Refusal::NothingBefore { host, why, common: common.clone() });
                    }
                }
            }
        }
        Some(word) => {
            let release = match named_release(&all, word) {
                Ok(release) => release,
                Err(refusal) => {
                    refusals.push(refusal);
                    return Err(refusals);
                }
            };
            for planning in all {
                match way_to(&planning, &release) {
                    Some(way) => ways.push((planning, way)),
                    None => {
                        let text = format!("{release} is live already");
                        notes.push(Note { host: Some(planning.host.name.clone()), text });
                        others.push(planning);
                    }
                }
            }
            if request.url.is_empty() && ways.iter().any(|(_, way)| matches!(way.how, How::Anew)) {
                refusals.push(Refusal::NoRemote { remote: settings.source.master_remote.clone() });
            }
        }
    }
    // What a release was prepared with is the same on all hosts: one that never had it learns it from another.
    let kept: Vec<Option<ResolvedRelease>> = ways
        .iter()
        .map(|(planning, way)| {
            let here = planning.facts.resolved_for(&way.to.slot, &way.to.release.commit);
            let kept = here.or_else(|| kept_anywhere(hosts, &way.to)).cloned();
            kept.or_else(|| request.of_own_file(&way.to))
        })
        .collect();
    let own: Vec<Option<Settings>> = kept
        .iter()
        .map(|resolved| resolved.as_ref().map(|resolved| settings_as_of(settings, resolved)))
        .collect();
    let mut changes = Vec::new();
    for (((planning, way), resolved), own) in ways.into_iter().zip(kept).zip(&own) {
        let planning = HostPlanning { settings: own.as_ref().unwrap_or(settings), ..planning };
        notes.extend(
            notes_about(&planning, &way, resolved.as_ref(), kept_anywhere(hosts, &way.to).is_some())
                .into_iter()
                .map(|text| Note { host: Some(planning.host.name.clone()), text }),
        );
        match change(planning, way, resolved, request) {
            Ok(change) => changes.push(change),
            Err(more) => refusals.extend(more),
        }
    }
    let releases: BTreeSet<_> = changes.iter().map(|change| &change.to.release.commit).collect();
    if releases.len() > 1 {
        let target =
            |change: &HostChange<'_>| format!("{} to {}", change.planning.host.name, change.to.release);
        refusals.push(Refusal::DifferentTargets { targets: changes.iter().map(target).collect() });
    }
    let minded = changes.first().map(|change| mind_migrations(change, request.schema));
    let primary = match minded.unwrap_or_else(|| Ok((Primary::default(), Vec::new()))) {
        Ok((primary, more)) => {
            notes.extend(more);
            primary
        }
        Err(refusal) => {
            refusals.push(refusal);
            Primary::default()
        }
    };
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if request.rehearse {
        return rehearse(settings, run, &changes, notes);
    }
    let does_once = changes.first().filter(|_| !primary.prepare.is_empty() || !primary.once.is_empty());
    notes.extend(about_skipped(configured, run, does_once.map(|change| &change.planning.host.name)));
    let change = Change {
        intent: Intent::Rollback,
        kind: JournalKind::RolledBack,
        tests: None,
        begin: Vec::new(),
        publish: Vec::new(),
        primary,
        others_tell: None,
        tells: request.tells.clone(),
        notes,
    };
    assemble(settings, run, change, &changes, &others)
}

/// A release that a rollback prepares on hosts that never had it, and what has to be at hand for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// The release.
    pub release: Release,
    /// Its templates of unit files and init scripts, by their paths in the project.
    pub templates: Vec<String>,
}

/// What a rollback would have to prepare from nothing on some host; `None` where no host lacks the release, or there is
/// none of that name.
pub fn rollback_preparation(
    settings: &Settings,
    run: &RunContext,
    request: &RollbackRequest,
    hosts: &[SeenHost<'_>],
) -> Option<Preparation> {
    let all = HostPlanning::of_all(settings, run, hosts);
    let release = named_release(&all, request.to.as_ref()?).ok()?;
    let mut ways = all.iter().filter_map(|planning| way_to(planning, &release));
    let to = ways.find(|way| matches!(way.how, How::Anew))?.to;
    let own = request.own(settings, hosts, &to);
    let own = own.as_ref().unwrap_or(settings);
    let services = own.services.named.iter();
    let templates = services.filter_map(|service| Some(own.app.file(service.template()?))).collect();
    Some(Preparation { release, templates })
}

/// The releases that a rollback may go back to and of which no host has kept what they were prepared with: their own files say it.
pub fn releases_not_kept(
    settings: &Settings,
    run: &RunContext,
    request: &RollbackRequest,
    hosts: &[SeenHost<'_>],
) -> Vec<Release> {
    let all = HostPlanning::of_all(settings, run, hosts);
    let named = request.to.as_ref().and_then(|word| named_release(&all, word).ok());
    let to = all.iter().filter_map(|planning| match (&request.to, &named) {
        (None, _) => planning.rollback_targets().into_iter().next().map(|target| Way::of(target).to),
        (Some(_), Some(release)) => way_to(planning, release).map(|way| way.to),
        (Some(_), None) => None,
    });
    let releases: BTreeMap<CommitId, Release> = to
        .filter(|to| kept_anywhere(hosts, to).is_none())
        .map(|to| (to.release.commit.clone(), to.release))
        .collect();
    releases.into_values().collect()
}

/// The hosts without those on which nothing was ever live, and these: a host that was added and not deployed to yet has nothing to
/// go back from, and is no reason for the others to stay.
fn without_bare<'a>(
    settings: &Settings,
    request: &RollbackRequest,
    hosts: &[SeenHost<'a>],
) -> (Vec<SeenHost<'a>>, Vec<&'a Host>) {
    let is_bare = |seen: &SeenHost<'_>| {
        seen.facts.current == CurrentLink::Missing
            && seen.facts.slots.values().all(|slot| slot.record.is_none())
    };
    let (bare, used): (Vec<SeenHost<'a>>, Vec<SeenHost<'a>>) = hosts.iter().copied().partition(is_bare);
    let strategy = strategy::of(settings);
    let can_go = |seen: &SeenHost<'_>| !strategy.rollback_targets(settings, seen.facts).is_empty();
    // Who names a release wants it everywhere; and where nobody can go back, that is told of all.
    if request.to.is_some() || !used.iter().any(can_go) {
        return (hosts.to_vec(), Vec::new());
    }
    (used, bare.into_iter().map(|seen| seen.host).collect())
}

/// The one release that all hosts would go back to that have one before: by its name it can be gone back to everywhere.
fn common_target(hosts: &[HostPlanning<'_>]) -> Option<Release> {
    let mut targets = hosts.iter().filter_map(|planning| planning.rollback_targets().into_iter().next());
    let first = targets.next()?.release;
    targets.all(|target| target.release.commit == first.commit).then_some(first)
}

/// What a release was prepared with, as any of these hosts has kept it.
fn kept_anywhere<'a>(hosts: &[SeenHost<'a>], to: &Target) -> Option<&'a ResolvedRelease> {
    hosts.iter().find_map(|seen| seen.facts.resolved_for(&to.slot, &to.release.commit))
}

/// Where one host goes, and what it takes.
struct Way {
    to: Target,
    how: How,
    /// Records of releases that are gone back past.
    corrected: Vec<CorrectedRecord>,
}

enum How {
    /// Switching is enough.
    AsItIs,
    /// The release is built again where it was, for this reason.
    Again(&'static str),
    /// The host never had it, or lost every trace of it.
    Anew,
}

impl Way {
    fn of(RollbackTarget { slot, release, condition }: RollbackTarget) -> Self {
        let how = condition.why_rebuilt().map_or(How::AsItIs, How::Again);
        Way { to: Target { slot, release }, how, corrected: Vec::new() }
    }
}

/// The release that a word names, if it was proven live on any host.
fn named_release(hosts: &[HostPlanning<'_>], word: &str) -> Result<Release, Refusal> {
    let release = known_release(word, hosts.iter().map(|planning| planning.facts))?;
    let is_live = |planning: &HostPlanning<'_>| {
        planning.facts.live_is_confirmed()
            && planning.facts.live().is_some_and(|live| live.commit == release.commit)
    };
    let proven = hosts.iter().any(|planning| {
        is_live(planning)
            || planning.rollback_targets().iter().any(|target| target.release.commit == release.commit)
    });
    if proven {
        return Ok(release);
    }
    let mut others: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for planning in hosts {
        for target in planning.rollback_targets() {
            others.entry(target.to_string()).or_default().push(planning.host.name.as_str());
        }
    }
    let targets = others.iter().map(|(target, hosts)| format!("{target} on {}", hosts.join(", ")));
    Err(Refusal::NeverProven { release, targets: targets.collect() })
}

/// How a host comes to a release; `None` if it is there.
fn way_to(planning: &HostPlanning<'_>, release: &Release) -> Option<Way> {
    let HostPlanning { facts, .. } = planning;
    let is_live = facts.live().is_some_and(|live| live.commit == release.commit);
    if is_live && facts.live_is_confirmed() {
        return None;
    }
    let targets = planning.rollback_targets();
    let target = targets.iter().find(|target| target.release.commit == release.commit);
    let mut way = match target {
        Some(target) => Way::of(target.clone()),
        None => {
            let slot = planning.destination(release).slot;
            let to = Target { slot, release: release.clone() };
            Way { to, how: How::Anew, corrected: Vec::new() }
        }
    };
    let recorded = |slot: &SlotName| facts.slots.get(slot).and_then(|seen| seen.record.as_ref());
    // Where the host never had it, all that it had came later.
    let turn_of = |slot: &SlotName| facts.slots.get(slot).and_then(|seen| turn(facts, seen));
    let since = target.and_then(|target| turn_of(&target.slot));
    let passed = targets.iter().filter(|other| other.slot != way.to.slot).filter_map(|other| {
        // Of two whose order nobody knows, either may be the later one.
        let record = recorded(&other.slot).filter(|_| turn_of(&other.slot) >= since)?;
        let state = match record.state {
            SlotState::Live | SlotState::Retired => SlotState::Ready,
            SlotState::Empty | SlotState::Building | SlotState::Ready | SlotState::Failed => record.state,
        };
        Some(CorrectedRecord { slot: other.slot.clone(), state, release: record.release.clone() })
    });
    way.corrected = passed.collect();
    Some(way)
}

/// What a person should know about a host's way.
fn notes_about(
    planning: &HostPlanning<'_>,
    way: &Way,
    resolved: Option<&ResolvedRelease>,
    was_kept: bool,
) -> Vec<String> {
    let Way { to: Target { slot: _, release }, how, corrected: _ } = way;
    let mut notes = Vec::new();
    if planning.facts.live().is_some_and(|live| live.commit == release.commit) {
        notes.push(format!(
            "the release before is {release}, too: both slots hold it since it was deployed again with --force"
        ));
    }
    if let Some(jobs) = planning
        .facts
        .jobs_of_another()
        .filter(|_| planning.is_primary() && planning.settings.crontab.file.is_some())
    {
        notes.push(format!("the app's jobs stay as they are: they stand in the crontab of {}", jobs.user));
    }
    match how {
        How::AsItIs => {}
        How::Again(why) => {
            let from = match planning.settings.source.method {
                SourceName::Archive if planning.kept_archive(release).is_none() => {
                    "; its archive isn't kept here, so git fetches it"
                }
                SourceName::Fetch | SourceName::Bundle | SourceName::Archive => "",
            };
            notes.push(format!("{release} has to be built again first: {why}{from}"));
        }
        How::Anew => {
            let from = match planning.settings.source.method {
                SourceName::Archive if planning.kept_archive(release).is_some() => {
                    "the archive that is kept here"
                }
                SourceName::Fetch | SourceName::Archive => "the remote",
                SourceName::Bundle => "what this machine sends",
            };
            notes.push(format!("{release} was never live here: it is prepared first, from {from}"))
        }
    }
    match resolved {
        None => notes.push(format!(
            "what {release} was prepared with wasn't kept: the commands of today's configuration are used"
        )),
        Some(resolved) => {
            if !was_kept {
                notes.push(format!(
                    "what {release} was prepared with wasn't kept: what the configuration says that was committed with it is used"
                ));
            }
            let lost = lost_variables(planning.configured, resolved);
            if !lost.is_empty() {
                notes.push(format!(
                    "{release} was given variables that aren't set any more: {}",
                    lost.join(", ")
                ));
            }
            if let Some(service) = later_service(planning.configured, resolved) {
                notes.push(format!(
                    "{} came after {release}, and is left as it is",
                    String::from(service.clone())
                ));
            }
        }
    }
    notes
}

fn change<'a>(
    planning: HostPlanning<'a>,
    way: Way,
    resolved: Option<ResolvedRelease>,
    request: &RollbackRequest,
) -> Result<HostChange<'a>, Vec<Refusal>> {
    let Way { to, how, corrected } = way;
    let fills = !matches!(how, How::AsItIs);
    if fills && planning.facts.no_git && planning.kept_archive(&to.release).is_none() {
        let (host, release) = (planning.host.name.clone(), to.release);
        return Err(vec![Refusal::ArchiveGone { host, release }]);
    }
    let build = |former, packages, services| Build {
        former,
        url: &request.url,
        keep_written: true,
        renewal: Renewal::default(),
        packages,
        services,
        archive: planning.kept_archive(&to.release),
        resolved,
    };
    let live = planning.facts.live().filter(|_| planning.is_in_place(&to));
    let (prepare, in_place) = match how {
        How::AsItIs => match &live {
            Some(live) => planning.put_back(Vec::new(), &to, live),
            None => (planning.take_as_it_is(Vec::new(), &to), Vec::new()),
        },
        How::Again(_) => {
            let former = live.unwrap_or_else(|| to.release.clone());
            let build = build(Some(former), Packages::WrittenDown, Vec::new());
            planning.build(build, &to)
        }
        How::Anew => {
            let former = planning.destination(&to.release).former;
            let services = planning.service_files(&to, &request.templates)?;
            let build = build(former, Packages::These(request.packages.clone()), services);
            planning.build(build, &to)
        }
    };
    let told = planning.facts.maintenance.as_ref();
    Ok(HostChange {
        from: planning.facts.live(),
        to,
        prepare,
        in_place,
        leaves_behind: SlotState::Ready,
        direction: Direction::Back,
        told: told.map_or(Told::Nothing, |record| Told::Before(told_before(record))),
        corrected,
        planning,
    })
}

/// What has to be asked before a rollback that undoes migrations can be planned; `None` where there is nothing to ask.
pub fn undo_question(
    settings: &Settings,
    run: &RunContext,
    request: &RollbackRequest,
    hosts: &[SeenHost<'_>],
) -> Option<UndoQuestion> {
    let all = HostPlanning::of_all(settings, run, hosts);
    let named = request.to.as_ref().map(|word| named_release(&all, word)).transpose().ok()?;
    let (planning, way) = all.iter().find_map(|planning| {
        let way = match &named {
            Some(release) => way_to(planning, release),
            None => planning.rollback_targets().into_iter().next().map(Way::of),
        };
        Some((planning, way?))
    })?;
    let Way { to, how: How::AsItIs, .. } = way else { return None };
    let own = request.own(settings, hosts, &to);
    let planning = HostPlanning { settings: own.as_ref().unwrap_or(settings), ..planning.clone() };
    ask_for_unknown(&planning, &to)
}

fn why_nothing(facts: &HostFacts) -> String {
    let idle = facts.slots.iter().filter(|(slot, _)| Some(*slot) != facts.live_slot());
    let described: Vec<String> = idle
        .filter_map(|(slot, seen)| {
            let record = seen.record.as_ref()?;
            let what = match record.state {
                SlotState::Ready => "isn't older than what is live: it was rolled back from, or never served",
                SlotState::Building | SlotState::Failed => "never served",
                SlotState::Live | SlotState::Retired | SlotState::Empty => return None,
            };
            Some(format!("{} in slot {slot} {what}", record.release))
        })
        .collect();
    match (described.is_empty(), facts.live_slot()) {
        (false, _) => described.join("; "),
        (true, Some(_)) => "what serves is the first release on this host".to_owned(),
        (true, None) => "nothing was ever live on this host".to_owned(),
    }
}
