//! The plan that makes a release live.

use std::collections::BTreeMap;

use super::maintenance::told_before;
use super::prepare::Build;
use super::services::service_files;
use super::{
    Change, Direction, HostChange, Primary, RunContext, SeenHost, assemble, examine, hooks, local_hooks,
    with_recipe,
};
use crate::app::hooks::HookPoint;
use crate::app::package::FetchedPackage;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::deployer::action::DeployerAction;
use crate::deployer::developer::tests_of;
use crate::host::facts::CurrentLink;
use crate::host::record::{JournalKind, SlotState};
use crate::plan::action::ToldVisitors;
use crate::plan::refusal::Refusal;
use crate::plan::{Intent, Note, Plan, Target};
use crate::release::Release;
use crate::strategy;

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct DeployRequest {
    /// The release to make live.
    pub release: Release,
    /// Where hosts fetch it from.
    pub url: String,
    /// Deploy also where it is live already.
    pub force: bool,
    /// Replace a link that leads to something that isn't ours.
    pub take_over: bool,
    /// Whether virtualenvs are made anew, though nothing has changed.
    pub reinstall: bool,
    /// Whether the project's tests run first, where it has a runner for them.
    pub tests: bool,
    /// The release's private packages.
    pub packages: Vec<FetchedPackage>,
    /// The release's templates of unit files and init scripts, by their paths in the project.
    pub templates: BTreeMap<String, String>,
    /// What visitors are told while it runs, if it is this deploy that tells them.
    pub told: Option<ToldVisitors>,
    /// Tagging and pushing, as the rules of the environment ask for.
    pub actions: Vec<DeployerAction>,
    /// What a person should know about the release.
    pub notes: Vec<String>,
}

impl DeployRequest {
    /// A release, and nothing special about it.
    pub fn new(release: Release, url: impl Into<String>) -> Self {
        DeployRequest {
            release,
            url: url.into(),
            force: false,
            take_over: false,
            reinstall: false,
            tests: true,
            packages: Vec::new(),
            templates: BTreeMap::new(),
            told: None,
            actions: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Plans a deploy on these hosts, or says all that speaks against it.
pub fn plan_deploy(
    settings: &Settings,
    context: &RunContext,
    request: &DeployRequest,
    hosts: &[SeenHost<'_>],
) -> Result<Plan, Vec<Refusal>> {
    let DeployRequest {
        release,
        url: _,
        force,
        take_over,
        reinstall: _,
        tests,
        packages: _,
        templates: _,
        told: _,
        actions,
        notes: more,
    } = request;
    let (mut refusals, mut notes) = examine(settings, hosts);
    notes.splice(0..0, more.iter().map(|text| Note { host: None, text: text.clone() }));
    for SeenHost { host, facts } in hosts {
        let layout = settings.layout(host);
        if !facts.missing_shared.is_empty() {
            refusals.push(Refusal::MissingShared {
                host: host.name.clone(),
                path: layout.shared().to_string(),
                files: facts.missing_shared.clone(),
            });
        }
        if !facts.missing_services.is_empty() {
            refusals.push(Refusal::MissingServices {
                host: host.name.clone(),
                services: facts.missing_services.clone(),
            });
        }
        if let Some(user) = &facts.missing_user {
            refusals.push(Refusal::MissingUser { host: host.name.clone(), user: user.clone() });
        }
        let path = layout.current().to_string();
        match &facts.current {
            CurrentLink::NotALink => refusals.push(Refusal::NotALink { host: host.name.clone(), path }),
            CurrentLink::Elsewhere(target) if *take_over => notes.push(Note {
                host: Some(host.name.clone()),
                text: format!(
                    "{path} points to {target:?}: it will be replaced, and a rollback can't go back to it"
                ),
            }),
            CurrentLink::Elsewhere(target) => {
                refusals.push(Refusal::Elsewhere { host: host.name.clone(), path, target: target.clone() });
            }
            CurrentLink::Missing | CurrentLink::Slot(_) | CurrentLink::Dangling(_) => {}
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }

    let is_live = |seen: &SeenHost<'_>| {
        let live = seen.facts.live().is_some_and(|live| live.commit == release.commit);
        live && seen.facts.live_is_confirmed() && !force
    };
    let (others, hosts): (Vec<_>, Vec<_>) = hosts.iter().copied().partition(is_live);
    for seen in &others {
        let live = seen.facts.live().unwrap_or_else(|| release.clone());
        let text = format!("{live} is live already");
        notes.push(Note { host: Some(seen.host.name.clone()), text });
    }
    for seen in &hosts {
        let slot = strategy::destination(settings, seen.facts).slot;
        if seen.facts.slots.get(&slot).is_some_and(|found| found.record.is_none()) {
            let text = format!(
                "slot {slot} is none that buedafab made: files in it that git doesn't know will be removed"
            );
            notes.push(Note { host: Some(seen.host.name.clone()), text });
        }
    }
    if hosts.is_empty() && !actions.is_empty() {
        let text = "no host changes: nothing is tagged or pushed either".to_owned();
        notes.push(Note { host: None, text });
    }
    let changes: Vec<Result<HostChange<'_>, Vec<Refusal>>> =
        hosts.iter().map(|seen| change(settings, context, request, *seen)).collect();
    if changes.iter().any(Result::is_err) {
        return Err(told_once(changes.into_iter().filter_map(Result::err).flatten()));
    }
    let changes: Vec<HostChange<'_>> = changes.into_iter().flatten().collect();
    // A tag is made last, when all else that could stop the run here is over.
    let tests = tests.then(|| tests_of(settings)).flatten();
    let local = tests.into_iter().chain(local_hooks(settings)).chain(actions.iter().cloned()).collect();
    let commands = with_recipe(settings, HookPoint::Once, &settings.hooks.once);
    let once = changes.first().map(|primary| hooks(settings, context, primary, HookPoint::Once, &commands));
    let primary = Primary { prepare: Vec::new(), once: once.unwrap_or_default() };
    let change = Change { intent: Intent::Deploy, kind: JournalKind::Deployed, local, primary, notes };
    Ok(assemble(settings, context, change, &changes, &others))
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

fn change<'a>(
    settings: &Settings,
    context: &RunContext,
    request: &DeployRequest,
    seen: SeenHost<'a>,
) -> Result<HostChange<'a>, Vec<Refusal>> {
    let place = strategy::destination(settings, seen.facts);
    let to = Target { slot: place.slot, release: request.release.clone() };
    let build = Build {
        former: place.former,
        url: &request.url,
        reinstall: request.reinstall,
        packages: Packages::These(request.packages.clone()),
        services: service_files(settings, seen, &to, &request.templates)?,
    };
    Ok(HostChange {
        seen,
        layout: settings.layout(seen.host),
        from: seen.facts.live(),
        prepare: build.steps(settings, context, seen, &to),
        to,
        leaves_behind: SlotState::Retired,
        direction: Direction::Forward,
        told: seen.facts.maintenance.as_ref().map(told_before).or_else(|| request.told.clone()),
    })
}
