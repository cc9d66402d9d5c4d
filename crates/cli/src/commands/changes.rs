//! `changes`: the commits that a deploy would bring, and those that it would take away. Asked of the hosts themselves.

use buedafab_engine::Repository;
use buedafab_model::config::Settings;
use buedafab_model::deployer::checkout::{CheckoutFacts, ReleaseFile};
use buedafab_model::names::HostName;
use buedafab_model::notify::compare_page;
use buedafab_model::release::Release;
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::view::{Change, show_changes};

use crate::arguments::{Cli, ReleaseArgs};
use crate::exit::CliError;
use crate::release::{made_of, wanted};
use crate::report::{StepOutput, print_json, print_view};
use crate::session::Session;

/// How many commits are told.
const MOST_COMMITS: usize = 200;

pub(crate) async fn changes(cli: &Cli, arguments: &ReleaseArgs) -> Result<ExitCode, CliError> {
    let mut session = Session::start_together(cli, "changes", StepOutput::Silent)?;
    let repository = session.repository()?;
    let wanted = wanted(arguments, &session.settings);
    let settings = session.settings.clone();
    let configuration = session.configuration_in(&repository);
    let survey = repository.survey(&settings, &wanted, None, configuration.as_deref());
    let (look, facts) =
        session.look_beside(async |session| session.look_or_stop(Scope::Plan).await, survey).await?;
    let CheckoutFacts { release: to, release_file: configuration, .. } = facts?;
    let mut groups: Vec<(Option<Release>, Vec<String>, Vec<HostName>)> = Vec::new();
    for host in &session.hosts {
        let live = look.facts.get(&host.name).and_then(|facts| facts.live());
        let own = session.by_host().of(host);
        let is_same = match &live {
            Some(live) if live.commit != to.commit => {
                stays(&repository, own, live, &to, configuration.as_ref()).await
            }
            _ => false,
        };
        let same = if is_same { own.app.skip_unless_changed.clone() } else { Vec::new() };
        match groups.iter_mut().find(|(known, known_same, _)| *known == live && *known_same == same) {
            Some((_, _, hosts)) => hosts.push(host.name.clone()),
            None => groups.push((live, same, vec![host.name.clone()])),
        }
    }
    let mut changes = Vec::new();
    for (from, same, hosts) in groups {
        let page = settings.source.scm_http_url.as_deref();
        changes.push(Change { same, ..change(&repository, hosts, from, &to, page).await });
    }
    if session.global.json {
        changes.iter().for_each(print_json);
    } else {
        print_view(&show_changes(&changes));
    }
    Ok(ExitCode::Done)
}

async fn change(
    repository: &Repository,
    hosts: Vec<HostName>,
    from: Option<Release>,
    to: &Release,
    repository_page: Option<&str>,
) -> Change {
    let other = from.as_ref().filter(|from| from.commit != to.commit);
    let commits = match other {
        Some(from) => repository.commits_between(&from.commit, &to.commit, MOST_COMMITS).await,
        None => None,
    };
    let page =
        other.zip(repository_page).and_then(|(from, page)| compare_page(page, &from.commit, &to.commit));
    Change { hosts, from, to: to.clone(), same: Vec::new(), commits, page }
}

/// Whether a deploy of the release leaves this one as it is, as nothing that the app is made of has changed.
async fn stays(
    repository: &Repository,
    settings: &Settings,
    live: &Release,
    to: &Release,
    configuration: Option<&ReleaseFile>,
) -> bool {
    let made_of = made_of(settings, configuration);
    // Git needn't be asked about an app that always changes.
    if made_of.is_empty() {
        return false;
    }
    let remote = &settings.source.master_remote;
    let ancestry = repository.ancestry(&to.commit, vec![live.clone()], remote, 0, &made_of).await;
    ancestry.iter().any(|live| live.is_same)
}
