//! `deploy`: makes a release live on all hosts, or on none.

use std::path::PathBuf;

use buedafab_engine::{Inputs, MadeBundles};
use buedafab_model::app::maintenance::Announcement;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::LiveRelease;
use buedafab_model::deployer::rules::{Allowed, Ruling};
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::plan::{Intent, Plan};
use buedafab_model::planner::{DeployRequest, plan_deploy};
use buedafab_model::release::Release;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::strategy;
use buedafab_model::view::show_commits;

use crate::arguments::{Cli, DeployArgs};
use crate::bundles::{make_bundles, prepare_mirror};
use crate::commands::count_hosts;
use crate::commands::maintenance::tell;
use crate::exit::CliError;
use crate::packages::{fetch_packages, templates_of, workshop};
use crate::release::{Choosing, open_questions, told, wanted};
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
    let mut session = Session::start(cli, "deploy", crate::report::StepOutput::Talk)?;
    let repository = session.repository().map_err(|error| session.give_up(error))?;
    let wanted = wanted(wanted_release, &session.settings);
    let settings = session.settings.clone();
    // Git is asked while the connections are opened.
    let configuration = session.configuration_in(&repository);
    let survey = async {
        let facts = repository.survey(&settings, &wanted, tag.as_deref(), configuration.as_deref()).await;
        if let Ok(facts) = &facts {
            let url = facts.remote.url.as_deref();
            prepare_mirror(&settings, url, repository.root(), &facts.release).await;
        }
        facts
    };
    let scope = match *prune {
        true => Scope::Removal,
        // What is only switched to has to be whole.
        false if strategy::of(&settings).goes_to_what_is_there() => Scope::Back,
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
    let told_visitors = maintenance.then(|| tell(&session, Announcement::default())).transpose();
    let told_visitors = told_visitors.map_err(|error| session.give_up(error))?;
    let draft = |release: Release| DeployRequest {
        told: told_visitors.clone(),
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
        let request = draft(choosing.facts.release.clone());
        let planned = plan_deploy(&session.settings, &session.context, &request, &session.seen(&look));
        let of_hosts = |refusal: &Refusal| !matches!(refusal, Refusal::BadTemplate { .. });
        match planned {
            Err(refusals) if refusals.iter().any(of_hosts) => return Err(session.refuse(&refusals, &look)),
            Ok(plan) if !dry_run => session.require_answers(&plan)?,
            Ok(_) | Err(_) => {}
        }
        choosing.choose_tag(&mut session, &repository, choice, &look).await?;
    };
    let Choosing { facts, live, .. } = choosing;
    let allowed = if dry_run { told(allowed) } else { allowed };
    let Allowed { release, before, publish, goes_back, questions, mut notes } = allowed;
    notes.extend(files);
    let questions = open_questions(&mut session, questions, &look)?;
    let mut request = draft(release.clone());
    if request.tests && (!facts.is_head || !facts.changes.is_empty()) {
        let text = "the tests run on your checkout, which differs from what is deployed".to_owned();
        notes.push(text);
    }
    notes.extend(no_virtualenv(&session, request.tests));
    let templates = session.settings.services.named.iter();
    let templates: Vec<String> =
        templates.filter_map(|service| Some(session.settings.app.file(service.template()?))).collect();
    let templates = templates_of(&repository, &release, templates).await;
    let packages = fetch_packages(&mut session, &repository, &release).await?;
    let same = live.iter().filter(|live| live.is_same).map(|live| live.release.commit.clone()).collect();
    let goes_back = goes_back.then_some(if *keep_schema { Schema::Keep } else { Schema::Refuse });
    let workshop = workshop(&mut session)?;
    request = DeployRequest {
        packages: packages.fetched,
        templates,
        workshop: workshop.clone(),
        before,
        publish,
        goes_back,
        same,
        notes,
        ..request
    };
    let planned = plan_deploy(&session.settings, &session.context, &request, &session.seen(&look));
    let mut plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let MadeBundles { bundles, files } = make_bundles(&mut session, &url, repository.root(), &plan).await?;
    if !bundles.is_empty() {
        request.bundles = bundles;
        plan = match plan_deploy(&session.settings, &session.context, &request, &session.seen(&look)) {
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
        let changed = plan.hosts.iter().filter(|planned| planned.to.is_some()).count();
        // Where no link moves, what is live is started again.
        let (to, hosts) = match plan.intent {
            Intent::Restart | Intent::Work => ("in", plan.hosts.len()),
            Intent::Deploy | Intent::Rollback => ("to", changed),
        };
        let hosts = count_hosts(hosts);
        let question = format!("{} {to} {} ({hosts})?", capitalize(&plan.headline()), plan.environment);
        session.confirm(&question).await?;
    }
    let credentials = RemoteUrl::of(&url).credentials;
    let sent = packages.files.into_iter().chain(files).collect();
    let archive = PathBuf::from(workshop.archive);
    let inputs = Inputs { packages: sent, credentials, archive: Some(archive.clone()), ..Inputs::default() };
    let ended = session.carry_out_with(&plan, inputs).await;
    // Hosts keep it. There is none where nothing was sent.
    let _ = std::fs::remove_file(archive);
    ended
}

/// What a first deploy's tests may fail for: nobody has made the virtualenv yet that holds what they need.
fn no_virtualenv(session: &Session, tests: bool) -> Option<String> {
    let Settings { app, developer, python, layout, .. } = &session.settings;
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
