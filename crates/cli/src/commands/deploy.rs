//! `deploy`: makes a release live on all hosts, or on none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use buedafab_engine::{Inputs, Look, MadeBundles};
use buedafab_model::app::archive::archive_name;
use buedafab_model::app::maintenance::Announcement;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::{Settings, SourceName};
use buedafab_model::deployer::checkout::LiveRelease;
use buedafab_model::deployer::rules::{Allowed, Ruling};
use buedafab_model::names::Unit;
use buedafab_model::plan::action::{Schema, ToldVisitors};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Intent, Plan};
use buedafab_model::planner::{DeployRequest, plan_deploy_together};
use buedafab_model::release::Release;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::strategy;
use buedafab_model::view::{count_hosts, show_commits};

use crate::arguments::{Cli, DeployArgs};
use crate::bundles::{make_bundles, prepare_mirror};
use crate::commands::maintenance::tell;
use crate::exit::CliError;
use crate::packages::{OwnWorkshop, fetch_packages, templates_of, workshop};
use crate::release::{Choosing, open_questions, told, wanted};
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
    } = arguments;
    let dry_run = *dry_run;
    let mut session = Session::start_together(cli, "deploy", StepOutput::Talk)?;
    let repository = session.repository().map_err(|error| session.give_up(error))?;
    let wanted = wanted(wanted_release, &session.settings);
    let settings = session.settings.clone();
    let all: Vec<Settings> = session.all_settings().into_iter().cloned().collect();
    // Git is asked while the connections are opened.
    let configuration = session.configuration_in(&repository);
    let survey = async {
        let facts = repository.survey(&settings, &wanted, tag.as_deref(), configuration.as_deref()).await;
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
        // What is only switched to has to be whole.
        false if all.iter().any(|settings| strategy::of(settings).goes_to_what_is_there()) => Scope::Back,
        false => Scope::Plan,
    };
    let (mut look, facts) =
        session.look_beside(async |session| session.look_and_recover(scope, dry_run).await, survey).await?;
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
        tests: !skip_tests && settings.developer.test_runner.is_some(),
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
    let questions = open_questions(&mut session, questions, &look)?;
    let all: Vec<Settings> = session.all_settings().into_iter().cloned().collect();
    let tests = !skip_tests && all.iter().any(|settings| settings.developer.test_runner.is_some());
    if tests && (!choosing.facts.is_head || !choosing.facts.changes.is_empty()) {
        let text = "the tests run on your checkout, which differs from what is deployed".to_owned();
        notes.push(text);
    }
    notes.extend(all.iter().find_map(|settings| no_virtualenv(&session, settings, tests)));
    let goes_back = goes_back.then_some(if *keep_schema { Schema::Keep } else { Schema::Refuse });
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
        let request = DeployRequest {
            packages: packages.fetched,
            templates,
            unpacked,
            workshop,
            before: before.clone(),
            publish: publish.clone(),
            goes_back,
            same,
            notes: notes.clone(),
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
    let mut changed = plan.hosts.iter().filter(|planned| planned.to.is_some());
    let from = changed.find_map(|planned| planned.from.as_ref());
    let live = from.and_then(|from| live.iter().find(|live| live.release.commit == from.commit));
    if let Some(commits) = live.and_then(|live| live.commits.as_ref()) {
        session.say(&show_commits(commits));
    }
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
