//! `deploy`: makes a release live on all hosts, or on none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use buedafab_engine::{Inputs, Look, MadeBundles, Wanted};
use buedafab_model::app::archive::archive_name;
use buedafab_model::app::maintenance::Announcement;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::{Settings, SourceName};
use buedafab_model::deployer::checkout::{CheckoutFacts, LiveRelease};
use buedafab_model::deployer::rules::{Allowed, Ruling};
use buedafab_model::host::level::FleetLevel;
use buedafab_model::names::{AppName, HostName, Unit};
use buedafab_model::plan::action::{Schema, ToldVisitors};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Intent, Plan};
use buedafab_model::planner::{DeployRequest, plan_deploy_together};
use buedafab_model::release::Release;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::run::outcome::Verdict;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::strategy;
use buedafab_model::view::{count_hosts, show_commits};

use crate::arguments::{Cli, DeployArgs};
use crate::bundles::{make_bundles, prepare_mirror};
use crate::commands::maintenance::tell;
use crate::exit::CliError;
use crate::packages::{OwnWorkshop, fetch_packages, templates_of, workshop};
use crate::release::{Choosing, deployed_refs, open_questions, told, wanted};
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn deploy(cli: &Cli, arguments: &DeployArgs) -> Result<ExitCode, CliError> {
    let DeployArgs {
        release: wanted_release,
        tag,
        skip_tests,
        maintenance,
        reinstall,
        upgrade,
        allow_older,
        dry_run,
        force,
        take_over,
        drop_written,
        keep_schema,
        prune,
        only_outdated,
    } = arguments;
    let dry_run = *dry_run;
    let mut session = match only_outdated {
        true => Session::start_beside_others(cli, "deploy", StepOutput::Talk)?,
        false => Session::start_together(cli, "deploy", StepOutput::Talk)?,
    };
    session.can_skip = true;
    let repository = session.repository().map_err(|error| session.give_up(error))?;
    let wanted = wanted(wanted_release, &session.settings);
    let settings = session.settings.clone();
    let all: Vec<Settings> = session.all_settings().into_iter().cloned().collect();
    // Git is asked while the connections are opened.
    let configuration = session.configuration_in(&repository);
    let survey = async |wanted: &Wanted| {
        let facts = repository.survey(&settings, wanted, tag.as_deref(), configuration.as_deref()).await;
        if let Ok(facts) = &facts {
            let url = facts.remote.url.as_deref();
            let wants = |settings: &&Settings| settings.source.method == SourceName::Bundle;
            if let Some(settings) = all.iter().find(wants) {
                prepare_mirror(settings, url, repository.root(), &facts.release).await;
            }
        }
        facts
    };
    let scope = match *prune {
        true => Scope::Removal,
        // The journals say which release is live.
        false if *only_outdated => Scope::Full,
        // What is only switched to has to be whole.
        false if all.iter().any(|settings| strategy::of(settings).goes_to_what_is_there()) => Scope::Back,
        false => Scope::Plan,
    };
    let mut level = None;
    let (mut look, facts) = if *only_outdated {
        let look = session.look_and_recover(scope, dry_run).await?;
        let Some(Level { release, hosts }) = find_level(&mut session, &look)? else {
            session.end_early(Verdict::Done, ExitCode::Done, &look);
            return Ok(ExitCode::Done);
        };
        let live = Wanted::Commit(release.commit.to_string());
        let facts = session.unless_interrupted(survey(&live)).await?;
        // It is called what it is called on the hosts, also where it got a tag since.
        let facts = facts.map(|facts| CheckoutFacts {
            release: Release { lfs: facts.release.lfs, submodules: facts.release.submodules, ..release },
            ..facts
        });
        level = Some(hosts);
        (look, facts)
    } else {
        let look = async |session: &mut Session| session.look_and_recover(scope, dry_run).await;
        session.look_beside(look, survey(&wanted)).await?
    };
    let facts = facts.map_err(|error| session.give_up(error.into()))?;
    if *allow_older {
        session.settings.rules.allow_older = true;
    }
    let Some(url) = settings.source.scm.clone().or(facts.remote.url.clone()) else {
        return Err(session.refuse(&[Refusal::NoRemote { remote: facts.remote.name }], &look));
    };
    let mut told_visitors: BTreeMap<Unit, ToldVisitors> = BTreeMap::new();
    for settings in all.iter().filter(|_| *maintenance) {
        let told = tell(&session, settings, Announcement::default());
        told_visitors.insert(settings.app.unit.clone(), told.map_err(|error| session.give_up(error))?);
    }
    let draft = |release: Release, settings: &Settings| DeployRequest {
        told: told_visitors.get(&settings.app.unit).cloned(),
        force: *force,
        take_over: *take_over,
        drop_written: *drop_written,
        prune: *prune,
        reinstall: *reinstall,
        upgrade: *upgrade,
        tests: !skip_tests && !only_outdated && settings.developer.test_runner.is_some(),
        only: level.clone(),
        ..DeployRequest::new(release, url.clone())
    };
    let mut choosing = Choosing::new(facts, tag.clone());
    let (allowed, files) = loop {
        let used = session.use_release_file(&choosing.facts);
        let (files, looks_again) = used.map_err(|mistakes| session.give_up(mistakes.into()))?;
        if looks_again {
            let again = session.look_again(scope).await?;
            look = session.stop_unless_reached(again)?;
        }
        // What is live already has passed the rules, and has its tag.
        if level.is_some() {
            break (Allowed::as_it_is(choosing.facts.release.clone()), files);
        }
        let choice = match choosing.judge(&mut session, &repository, &look).await? {
            Ruling::Allowed(allowed) => break (*allowed, files),
            Ruling::NeedsTag(choice) => choice,
        };
        // What speaks against any release on these hosts is said before a person thinks about its name.
        let request = |settings: &Settings| draft(choosing.facts.release.clone(), settings);
        let planned = plan_all(&session, &look, request);
        let of_hosts = |refusal: &Refusal| !matches!(refusal, Refusal::BadTemplate { .. });
        match planned {
            Err(refusals) if refusals.iter().any(of_hosts) => return Err(session.refuse(&refusals, &look)),
            Ok(plan) if !dry_run => session.require_answers(&plan)?,
            Ok(_) | Err(_) => {}
        }
        choosing.choose_tag(&mut session, &repository, choice, &look).await?;
    };
    let allowed = if dry_run { told(allowed) } else { allowed };
    let Allowed { release, before, publish, goes_back, questions, mut notes } = allowed;
    notes.extend(files);
    // What is live already on other hosts was asked about then.
    if !only_outdated {
        session.require_checks(&release).await?;
    }
    let questions = open_questions(&mut session, questions, &look)?;
    let all: Vec<Settings> = session.all_settings().into_iter().cloned().collect();
    let tests =
        !skip_tests && !only_outdated && all.iter().any(|settings| settings.developer.test_runner.is_some());
    if tests && (!choosing.facts.is_head || !choosing.facts.changes.is_empty()) {
        let text = "the tests run on your checkout, which differs from what is deployed".to_owned();
        notes.push(text);
    }
    notes.extend(all.iter().find_map(|settings| no_virtualenv(&session, settings, tests)));
    let goes_back = goes_back.then_some(if *keep_schema { Schema::Keep } else { Schema::Refuse });
    let all_again: Vec<&Settings> = all.iter().collect();
    let told_by = session.unless_interrupted(deployed_refs(&all_again, &repository)).await?;
    let mut requests: BTreeMap<Unit, DeployRequest> = BTreeMap::new();
    // Nobody else builds in them until this run has ended.
    let mut clones = Vec::new();
    let mut inputs = Inputs { credentials: RemoteUrl::of(&url).credentials, ..Inputs::default() };
    for settings in &all {
        let templates = settings.services.named.iter();
        let templates: Vec<String> =
            templates.filter_map(|service| Some(settings.app.file(service.template()?))).collect();
        let templates = templates_of(&repository, &release, templates).await;
        let packages = fetch_packages(&mut session, settings, &repository, &release).await?;
        let same = choosing.same(&mut session, &repository, settings).await?;
        let unpacked = match settings.source.method {
            SourceName::Archive => repository.room_of(&release.commit).await.ok(),
            SourceName::Fetch | SourceName::Bundle => None,
        };
        let OwnWorkshop { workshop, lock } = workshop(&mut session, settings, dry_run)?;
        clones.extend(lock);
        inputs.packages.extend(packages.files);
        inputs.archives.insert(archive_name(&settings.app.unit, &release), PathBuf::from(&workshop.archive));
        let (tells, untold) = match told_by.get(&settings.app.unit) {
            Some(Ok(tells)) => (Some(tells.clone()), None),
            Some(Err(why)) => (None, Some(why.clone())),
            None => (None, None),
        };
        let request = DeployRequest {
            packages: packages.fetched,
            templates,
            unpacked,
            workshop,
            before: before.clone(),
            publish: publish.clone(),
            goes_back,
            same,
            tells,
            notes: notes.clone().into_iter().chain(untold).collect(),
            ..draft(release.clone(), settings)
        };
        requests.insert(settings.app.unit.clone(), request);
    }
    let live = choosing.live;
    let request = |settings: &Settings| requests[&settings.app.unit].clone();
    let mut plan = match plan_all(&session, &look, request) {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let MadeBundles { bundles, files } = make_bundles(&mut session, &url, repository.root(), &plan).await?;
    if !bundles.is_empty() {
        inputs.packages.extend(files);
        let request = |settings: &Settings| DeployRequest { bundles: bundles.clone(), ..request(settings) };
        plan = match plan_all(&session, &look, request) {
            Ok(plan) => plan,
            Err(refusals) => return Err(session.refuse(&refusals, &look)),
        };
    }
    if dry_run {
        show(&mut session, &plan, &live, dry_run);
        return Ok(ExitCode::Done);
    }
    session.require_answers(&plan)?;
    for question in &questions {
        if !session.ask_whether(&question.prompt()).await? {
            return Err(session.not_confirmed());
        }
    }
    show(&mut session, &plan, &live, dry_run);
    session.confirm_removals(&plan).await?;
    if !plan.is_empty() {
        // Where no link moves, what is live is started again.
        let (to, switches) = match plan.intent {
            Intent::Restart | Intent::Work => ("in", false),
            Intent::Deploy | Intent::Rollback => ("to", true),
        };
        let changed = plan.hosts.iter().filter(|planned| planned.to.is_some() || !switches);
        let hosts = count_hosts(changed.map(|planned| &planned.host));
        let question = format!("{} {to} {} ({hosts})?", capitalize(&plan.headline()), plan.environment);
        session.confirm(&question).await?;
    }
    let archives: Vec<PathBuf> = inputs.archives.values().cloned().collect();
    let ended = session.carry_out_with(&plan, inputs).await;
    // Hosts keep them. There is none where nothing was sent.
    for archive in archives {
        let _ = std::fs::remove_file(archive);
    }
    drop(clones);
    ended
}

/// What hosts are brought level with.
struct Level {
    release: Release,
    /// The hosts that lack it.
    hosts: BTreeSet<HostName>,
}

/// Which release is live, and which of the chosen hosts lack it; `None`, where none does. Of several apps those that lack nothing are left
/// as they are.
fn find_level(session: &mut Session, look: &Look) -> Result<Option<Level>, CliError> {
    let apps: Vec<Option<AppName>> = match session.apps.as_slice() {
        [] => vec![None],
        apps => apps.iter().map(|app| Some(app.name.clone())).collect(),
    };
    let mut levels: Vec<(Option<AppName>, Level)> = Vec::new();
    let mut refusals = Vec::new();
    for app in apps {
        let seen = session.seen_of(look, app.as_ref());
        let seen: Vec<_> = seen.iter().map(|seen| (&seen.host.name, seen.facts)).collect();
        let refusal = match FleetLevel::of(&seen) {
            FleetLevel::Clear { live, outdated } => {
                let is_part = |host: &HostName| !session.only_asked.contains(host);
                let hosts: BTreeSet<HostName> =
                    outdated.into_iter().map(|outdated| outdated.host).filter(is_part).collect();
                if hosts.is_empty() {
                    let of = app.as_ref().map_or_else(String::new, |app| format!(" of {app}"));
                    let away = !session.context.skipped.is_empty();
                    let reached = if away { " that can be reached" } else { "" };
                    session.say(&format!("no host{of}{reached} lacks {live}, which is live"));
                    leave_app(session, app.as_ref());
                } else {
                    levels.push((app, Level { release: live, hosts }));
                }
                continue;
            }
            FleetLevel::Nothing => Refusal::NoLevel,
            FleetLevel::Unclear { releases } => Refusal::unclear_level(&releases),
        };
        refusals.push(match app {
            Some(app) => Refusal::OfApp { app, refusal: Box::new(refusal) },
            None => refusal,
        });
    }
    if !refusals.is_empty() {
        return Err(session.refuse(&refusals, look));
    }
    let mut levels = levels.into_iter();
    let Some((app, mut first)) = levels.next() else { return Ok(None) };
    for (other, Level { release, hosts }) in levels {
        if release.commit != first.release.commit {
            let [one, other] = [app, other].map(|app| app.map_or_else(String::new, |app| app.to_string()));
            let live = format!("{} is live of {one}, and {release} of {other}", first.release);
            let error = CliError::verdict(
                Verdict::Refused,
                format!("{live}: one run brings hosts level with one release"),
            );
            return Err(session.give_up(
                error.hint(format!("name one app after the other: --app {one}, then --app {other}")),
            ));
        }
        first.hosts.extend(hosts);
    }
    Ok(Some(first))
}

/// Of several apps, has this one take no part.
fn leave_app(session: &mut Session, app: Option<&AppName>) {
    let Some(app) = app else { return };
    session.apps.retain(|other| other.name != *app);
    session.hosts.retain(|host| host.app.as_ref() != Some(app));
}

/// The plan for the app, or for all that take part.
fn plan_all(
    session: &Session,
    look: &Look,
    request_of: impl Fn(&Settings) -> DeployRequest,
) -> Result<Plan, Vec<Refusal>> {
    plan_deploy_together(session.by_host(), &session.context, &session.seen(look), request_of)
}

/// What a first deploy's tests may fail for: nobody has made the virtualenv yet that holds what they need.
fn no_virtualenv(session: &Session, settings: &Settings, tests: bool) -> Option<String> {
    let Settings { app, developer, python, layout, .. } = settings;
    let installs = !python.requirements.is_empty() || !python.requirements_dev.is_empty();
    let is_active = std::env::var("VIRTUAL_ENV").is_ok_and(|folder| !folder.is_empty());
    let is_there = || session.root().join(&layout.virtualenv).join("bin/python").exists();
    let lacks = tests && developer.test_runner.is_some() && app.recipe.is_python() && installs;
    (lacks && !is_active && !is_there()).then(|| {
        format!(
            "the tests run with what PATH finds, as this checkout has no virtualenv {}: `buedafab setup` makes it, and \
             installs the requirements",
            layout.virtualenv
        )
    })
}

/// The plan, and the commits that it brings and takes away.
fn show(session: &mut Session, plan: &Plan, live: &[LiveRelease], dry_run: bool) {
    session.show(plan, dry_run);
    let live =
        plan.from.as_ref().and_then(|from| live.iter().find(|live| live.release.commit == from.commit));
    if let Some(commits) = live.and_then(|live| live.commits.as_ref()) {
        session.say(&show_commits(commits));
    }
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
