//! `check`: can I deploy? Looks at everything that would stop a deploy, on every host, and changes nothing.

use buedafab_model::facts::HostFacts;
use buedafab_model::inspect::Scope;
use buedafab_model::names::HostName;
use buedafab_model::outcome::Verdict;
use buedafab_model::view::{HostCheck, show_checks};
use jiff::Timestamp;

use crate::arguments::Cli;
use crate::exit::Stop;
use crate::report::{StepOutput, print_data, print_json};
use crate::session::Session;

pub(crate) async fn check(cli: &Cli) -> Result<u8, Stop> {
    let mut session = Session::start(cli, "check", StepOutput::Silent)?;
    let look = session.look(Scope::Full).await?;
    let now = Timestamp::now();
    let needs_sudo = session.settings.needs_sudo();
    let check = |host: &HostName, facts: Option<&HostFacts>| match facts {
        Some(facts) => HostCheck::of(host.clone(), facts, needs_sudo, now),
        None => {
            let error = look.unreachable.get(host);
            HostCheck::unreachable(
                host.clone(),
                error.map(|error| error.why.clone()).unwrap_or_default(),
                error.and_then(|error| error.hint.clone()),
            )
        }
    };
    let mut checks: Vec<HostCheck> =
        session.hosts.iter().map(|host| check(&host.name, look.facts.get(&host.name))).collect();
    checks.insert(0, check_here(&session).await);
    if session.global.json {
        checks.iter().for_each(print_json);
    } else {
        print_data(&show_checks(&checks));
    }
    Ok(match () {
        () if !look.unreachable.is_empty() => Verdict::Unreachable.exit_code(),
        () if checks.iter().any(HostCheck::would_stop) => Verdict::Refused.exit_code(),
        () => 0,
    })
}

/// The deployer's own part: is there a checkout, and a remote that hosts could fetch from?
async fn check_here(session: &Session) -> HostCheck {
    let mut check = HostCheck::here();
    let repository = match session.repository() {
        Ok(repository) => repository,
        Err(stop) => {
            check.fail("git", stop.to_string(), None);
            return check;
        }
    };
    let remote = &session.settings.master_remote;
    match repository.resolve(&session.settings.default_revision).await {
        Ok(release) => {
            check.pass("revision", format!("{} is {release}", session.settings.default_revision));
            match repository.require_on_remote(&release, remote).await {
                Ok(()) => check.pass("remote", format!("{remote} has it")),
                Err(error) => check.fail("remote", error.to_string(), error.hint()),
            }
        }
        Err(error) => check.fail("revision", error.to_string(), error.hint()),
    }
    let url = match &session.settings.scm {
        Some(url) => Some(url.clone()),
        None => repository.remote_url(remote).await,
    };
    match url {
        Some(url) => check.pass("source", format!("hosts fetch from {url}")),
        None => check.fail("source", format!("no remote {remote:?}, and `scm` isn't set"), None),
    }
    check
}
