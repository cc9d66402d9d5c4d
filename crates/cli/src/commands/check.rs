//! `check`: can I deploy? Looks at everything that would stop a deploy, on every host, and changes nothing.

use buedafab_engine::{Look, Notifier, Repository, Wanted, secret_trouble};
use buedafab_model::app::notify::Notify;
use buedafab_model::app::recipe::Recipe;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::{Settings, SourceName};
use buedafab_model::deployer::checkout::CheckoutFacts;
use buedafab_model::deployer::rules::{Ruling, judge};
use buedafab_model::host::Host;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{SeenHost, UnreachableHost, diagnose_host, same_folders, without_unreachable};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{HostCheck, show_checks};

use crate::arguments::Cli;
use crate::exit::CliError;
use crate::release::live_releases;
use crate::report::{StepOutput, print_json, print_view};
use crate::session::Session;

pub(crate) async fn check(cli: &Cli) -> Result<ExitCode, CliError> {
    let mut session = Session::start_together(cli, "check", StepOutput::Silent)?;
    let (look, here) = look_and_check_here(&mut session).await?;
    let url = session.code_url().await;
    // What a deploy goes on without doesn't stop it.
    let unreachable: Vec<UnreachableHost> = session
        .unreachable(&look)
        .map(|(host, error)| UnreachableHost {
            host: host.clone(),
            why: error.why.clone(),
            hint: error.hint.clone(),
        })
        .collect();
    let goes_on = without_unreachable(&session.settings, &session.hosts, &[], &unreachable, true).is_ok();
    let check = |host: &Host| match look.facts.get(&host.name) {
        Some(facts) => {
            let diagnoses =
                diagnose_host(session.by_host().of(host), SeenHost { host, facts }, url.as_deref());
            HostCheck::of(host.name.clone(), facts, &diagnoses)
        }
        None => {
            let error = look.unreachable.get(&host.name);
            HostCheck::unreachable(
                host.name.clone(),
                error.map(|error| error.why.clone()).unwrap_or_default(),
                error.and_then(|error| error.hint.clone()),
                goes_on,
            )
        }
    };
    let mut checks: Vec<HostCheck> = session.hosts.iter().map(check).collect();
    let seen: Vec<SeenHost<'_>> = session
        .hosts
        .iter()
        .filter_map(|host| Some(SeenHost { host, facts: look.facts.get(&host.name)? }))
        .collect();
    let of_apps = session.all_settings().into_iter().flat_map(|settings| same_folders(settings, &seen));
    for refusal in of_apps {
        let Refusal::SameFolder { other, .. } = &refusal else { continue };
        if let Some(check) = checks.iter_mut().find(|check| check.host.as_ref() == Some(other)) {
            check.fail("hosts", refusal.to_string(), refusal.hint());
        }
    }
    checks.insert(0, here);
    if session.global.json {
        checks.iter().for_each(print_json);
    } else {
        print_view(&show_checks(&checks));
    }
    Ok(if !look.unreachable.is_empty() && !goes_on {
        ExitCode::Unreachable
    } else if checks.iter().any(HostCheck::would_stop) {
        ExitCode::Refused
    } else {
        ExitCode::Done
    })
}

/// What is said of an address with a name or password in it.
pub(crate) const CREDENTIALS_SHOULD_GO: &str = "holds a password or token, which everybody sees who sees the address: \
    let hosts read the repository with a key of their own, or lend your agent (`forward_agent`), and take it out";

/// Looks at all hosts, by the settings of what would be deployed, and at the deployer's own part.
async fn look_and_check_here(session: &mut Session) -> Result<(Look, HostCheck), CliError> {
    let mut check = HostCheck::here();
    let repository = match session.repository() {
        Ok(repository) => repository,
        Err(stop) => {
            check.fail("git", stop.to_string(), None);
            return Ok((session.look(Scope::Full).await?, check));
        }
    };
    let settings = session.settings.clone();
    let wanted = Wanted::Commit(settings.source.default_revision.clone());
    let configuration = session.configuration_in(&repository);
    let survey = repository.survey(&settings, &wanted, None, configuration.as_deref());
    let (mut look, facts) =
        session.look_beside(async |session| session.look(Scope::Full).await, survey).await?;
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            check.fail("revision", error.to_string(), error.hint());
            return Ok((look, check));
        }
    };
    match session.use_release_file(&facts) {
        Ok((notes, looks_again)) => {
            if looks_again {
                look = session.look_again(Scope::Full).await?;
            }
            for note in notes {
                check.warn("settings", note);
            }
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                check.fail(
                    "settings",
                    format!("{}: {}", mistakes.file_name(), mistake.message),
                    mistake.help.clone(),
                );
            }
        }
    }
    check_here(session, &repository, &facts, &look, &mut check).await;
    Ok((look, check))
}

/// The deployer's own part: may what it has be deployed, and could hosts fetch it?
async fn check_here(
    session: &Session,
    repository: &Repository,
    facts: &CheckoutFacts,
    look: &Look,
    check: &mut HostCheck,
) {
    let settings = &session.settings;
    check.pass("revision", format!("{} is {}", settings.source.default_revision, facts.release));
    let remote = &settings.source.master_remote;
    let live = repository.ancestry(&facts.release.commit, live_releases(look), remote, 1, &[]).await;
    match judge(settings, facts, &live, None) {
        Err(broken) => {
            for rule in broken {
                check.fail("rules", rule.to_string(), Some(rule.hint()));
            }
        }
        Ok(Ruling::NeedsTag(_)) => {
            check.warn("rules", "it has no release tag: a deploy asks for one".to_owned());
            if let Some(push) = facts.remote.push.as_ref().filter(|_| !facts.remote.has_release) {
                check.warn(
                    "rules",
                    format!("{} isn't pushed to {} yet: a deploy does so", push.branch, facts.remote.name),
                );
            }
        }
        Ok(Ruling::Allowed(allowed)) => {
            for question in &allowed.questions {
                check.warn("rules", format!("{question}: a deploy asks about it"));
            }
            for note in &allowed.notes {
                check.warn("rules", note.clone());
            }
            let first: Vec<String> =
                allowed.before.iter().chain(&allowed.publish).map(ToString::to_string).collect();
            check.pass(
                "rules",
                if first.is_empty() {
                    format!("may be deployed; {} has it", facts.remote.name)
                } else {
                    format!("may be deployed; first: {}", first.join(", "))
                },
            );
        }
    }
    let all = session.all_settings();
    let is_django = all.iter().any(|settings| settings.app.recipe == Recipe::Django);
    if is_django && repository.mentions("django.db.backends.sqlite3").await {
        let text =
            "the settings name a SQLite database: where it is used, a deploy refuses one that isn't shared";
        check.warn("data", text.to_owned());
    }
    for unstarted in all.iter().filter_map(|settings| settings.starts_nothing()) {
        check.advise("service", unstarted.to_string(), unstarted.hint());
    }
    check_notify(settings, check);
    for notify in settings.notify.iter().filter(|notify| notify.to.has_a_say()) {
        let name = notify.to.name();
        match Notifier::new(notify.clone(), &session.root()).check(&facts.release).await {
            Ok(()) => {
                check.pass("checks", format!("{name} says that all checks of {} have passed", facts.release))
            }
            Err(why) => check.fail("checks", format!("{name} is against {}: {why}", facts.release), None),
        }
    }
    match settings.source.scm.as_ref().or(facts.remote.url.as_ref()) {
        Some(url) => {
            let remote = RemoteUrl::of(url);
            let mut methods: Vec<SourceName> = all.iter().map(|settings| settings.source.method).collect();
            methods.dedup();
            let how = |method: &SourceName| match method {
                SourceName::Fetch => format!("hosts fetch from {}", remote.url),
                SourceName::Bundle => {
                    format!("this machine fetches from {}, and sends each host what it lacks", remote.url)
                }
                SourceName::Archive => "this machine packs each release once, for all hosts".to_owned(),
            };
            methods.iter().map(how).for_each(|how| check.pass("source", how));
            if remote.credentials.is_some() {
                let place = match settings.source.scm {
                    Some(_) => "`scm` in buedafab.toml".to_owned(),
                    None => format!("the URL of {:?}", facts.remote.name),
                };
                check.warn("source", format!("{place} {CREDENTIALS_SHOULD_GO}"));
            }
        }
        None => check.fail("source", format!("no remote {:?}, and `scm` isn't set", facts.remote.name), None),
    }
}

/// Whether those can be told of a run who are to be, as far as that is seen from here.
fn check_notify(settings: &Settings, check: &mut HostCheck) {
    let mut ready = Vec::new();
    for Notify { to, .. } in &settings.notify {
        match secret_trouble(to) {
            None => ready.push(to.name()),
            Some(why) => check.warn("notify", format!("{} won't be told of runs: {why}", to.name())),
        }
    }
    if !ready.is_empty() {
        check.pass("notify", format!("{} can be told; `notify --test` tries it", ready.join(", ")));
    }
}
