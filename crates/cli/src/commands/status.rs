//! `status`: what runs where, since when, by whom. Asked of the hosts alone: there is no other state. How far that is behind its
//! branch is asked of the checkout.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use buedafab_engine::Look;
use buedafab_model::deployer::checkout::Behind;
use buedafab_model::host::Host;
use buedafab_model::names::CommitId;
use buedafab_model::planner::{SeenHost, diagnose_host};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;
use buedafab_model::strategy;
use buedafab_model::view::{HostStatus, compare_hosts, show_status};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::arguments::{Cli, StatusArgs};
use crate::exit::CliError;
use crate::project::Project;
use crate::report::{StepOutput, clear_screen, columns, print_json, print_view};
use crate::session::{Session, interrupted};

pub(crate) async fn status(cli: &Cli, arguments: &StatusArgs) -> Result<ExitCode, CliError> {
    let mut sessions = sessions(cli)?;
    let Some(seconds) = arguments.watch else { return show(cli, &mut sessions, None).await };
    let mut code = ExitCode::Done;
    loop {
        code = match show(cli, &mut sessions, Some(seconds)).await {
            Err(error) if error.code() == ExitCode::Interrupted => return Ok(code),
            shown => shown?,
        };
        all(sessions.iter_mut().map(|session| Box::pin(session.let_go()) as Open<'_, ()>)).await;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds.into())) => {}
            () = interrupted() => return Ok(code),
        }
    }
}

/// The environment that was typed, or all in the file that have hosts.
fn sessions(cli: &Cli) -> Result<Vec<Session>, CliError> {
    if cli.environment.is_some() {
        return Ok(vec![Session::start_together(cli, "status", StepOutput::Silent)?]);
    }
    if !(cli.global.hosts.is_empty() && cli.global.roles.is_empty()) {
        return Err(CliError::usage("--hosts and --roles choose among the hosts of an environment")
            .hint("name one: buedafab production --hosts web1 status"));
    }
    let color = console::colors_enabled_stderr();
    let project = Project::find(&cli.global, color)?;
    let mut sessions = Vec::new();
    for environment in project.config.written_environments() {
        let hosts = project.settings(environment.as_str(), color)?.hosts;
        let apps = project.apps(&environment, color)?;
        if !hosts.is_empty() || apps.iter().any(|app| !app.settings.hosts.is_empty()) {
            sessions.push(Session::start_together_in(cli, environment.as_str(), StepOutput::Silent)?);
        }
    }
    if sessions.is_empty() {
        return Err(CliError::configuration("no environment has hosts")
            .hint("add to buedafab.toml: [environments.production] hosts = [\"deploy@web1.example.com\"]"));
    }
    Ok(sessions)
}

/// Looks at all of them at once, and shows what was seen.
async fn show(cli: &Cli, sessions: &mut [Session], every: Option<u32>) -> Result<ExitCode, CliError> {
    let seen = all(sessions.iter_mut().map(|session| Box::pin(statuses(session)) as Open<'_, Seen>)).await;
    let now = Timestamp::now();
    let mut text = String::new();
    let mut code = ExitCode::Done;
    for seen in seen {
        let (statuses, all_reached) = seen?;
        if !all_reached {
            code = ExitCode::Unreachable;
        }
        if cli.global.json {
            statuses.iter().for_each(print_json);
            continue;
        }
        if let (None, Some(environment)) =
            (&cli.environment, statuses.first().and_then(|s| s.environment.as_ref()))
        {
            let begin = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{begin}{environment}\n"));
        }
        text.push_str(&show_status(&statuses, now, columns()));
    }
    if cli.global.json {
        return Ok(code);
    }
    if let Some(seconds) = every {
        clear_screen();
        let time = TimeZone::system().to_datetime(now).strftime("%H:%M:%S").to_string();
        print_view(&format!("{time}, every {seconds} s; Ctrl-C ends it\n"));
    }
    print_view(&text);
    Ok(code)
}

async fn statuses(session: &mut Session) -> Seen {
    let look = session.look(Scope::Full).await?;
    let url = session.code_url().await;
    let behind = behind(session, &look).await;
    let now = Timestamp::now();
    let status = |host: &Host| {
        let settings = session.by_host().of(host);
        let status = match look.facts.get(&host.name) {
            Some(facts) => {
                let diagnoses = diagnose_host(settings, SeenHost { host, facts }, url.as_deref());
                let targets = strategy::of(settings).rollback_targets(settings, facts);
                HostStatus::of(host.name.clone(), facts, &diagnoses, targets, now)
            }
            None => {
                let why = look.unreachable.get(&host.name).map(|error| error.why.clone()).unwrap_or_default();
                HostStatus::unreachable(host.name.clone(), why)
            }
        };
        let behind = status.live.as_ref().and_then(|live| behind.get(&live.commit)).cloned();
        HostStatus {
            of_app: host.app.clone(),
            environment: Some(session.settings.environment.clone()),
            behind,
            ..status
        }
    };
    let mut statuses: Vec<HostStatus> = session.hosts.iter().map(status).collect();
    compare_hosts(&mut statuses, &look.facts);
    Ok((statuses, look.unreachable.is_empty()))
}

/// How far each commit that is live is behind the branch that releases come from.
async fn behind(session: &Session, look: &Look) -> BTreeMap<CommitId, Behind> {
    let mut found = BTreeMap::new();
    let Ok(repository) = session.repository() else { return found };
    let (remote, branch) = (&session.settings.source.master_remote, session.settings.rules.branch.name());
    for release in crate::release::live_releases(look) {
        if let Some(behind) = repository.behind(&release.commit, remote, branch).await {
            found.insert(release.commit, behind);
        }
    }
    found
}

/// How each host of an environment is, and whether all could be asked.
type Seen = Result<(Vec<HostStatus>, bool), CliError>;

/// Something under way.
type Open<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

/// Waits for all of these at once; what they come to is in their order.
async fn all<'f, T>(futures: impl Iterator<Item = Open<'f, T>>) -> Vec<T> {
    let mut open: Vec<_> = futures.map(|future| (future, None)).collect();
    poll_fn(|context| {
        for (future, done) in &mut open {
            if done.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if open.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    open.into_iter().filter_map(|(_, done)| done).collect()
}
