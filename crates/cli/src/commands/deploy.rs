//! `deploy`: makes a release live on all hosts, or on none.

use buedafab_engine::{GitError, Repository};
use buedafab_model::inspect::Scope;
use buedafab_model::plan::Plan;
use buedafab_model::planner::{DeployRequest, plan_deploy};
use buedafab_model::refusal::Refusal;
use buedafab_model::release::Release;
use buedafab_model::view::Detail;

use crate::arguments::{Cli, DeployArgs};
use crate::exit::Stop;
use crate::session::Session;

/// What was typed, and what it means to git.
struct Wanted {
    reference: String,
    remote: String,
    scm: Option<String>,
}

/// How many of the commits that a deploy brings are told.
const MOST_COMMITS: usize = 12;

pub(crate) async fn deploy(cli: &Cli, arguments: &DeployArgs) -> Result<u8, Stop> {
    let DeployArgs { commit, release, dry_run, force, take_over } = arguments;
    let mut session = Session::start(cli, "deploy", crate::report::StepOutput::Talk)?;
    let repository = session.repository()?;
    let reference = match (commit, release) {
        (Some(commit), _) => commit.clone(),
        (None, Some(tag)) => format!("refs/tags/{tag}"),
        (None, None) => session.settings.default_revision.clone(),
    };
    let wanted = Wanted {
        reference,
        remote: session.settings.master_remote.clone(),
        scm: session.settings.scm.clone(),
    };
    // Git is asked while the connections are opened.
    let (look, resolved) = tokio::join!(session.look_or_stop(Scope::Plan), resolve(&repository, &wanted));
    let (look, (release, url)) = (look?, resolved?);
    let Some(url) = url else {
        return Err(session.refuse(&[Refusal::NoRemote { remote: wanted.remote }], &look));
    };
    let request = DeployRequest { release, url, force: *force, take_over: *take_over };
    let planned = plan_deploy(&session.settings, &session.context, &request, &session.seen(&look));
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    if *dry_run {
        show(&mut session, &repository, &plan, true).await;
        return Ok(0);
    }
    show(&mut session, &repository, &plan, false).await;
    if !plan.is_empty() {
        let hosts = plan.hosts.iter().filter(|planned| planned.to.is_some()).count();
        let question = format!("{} to {} ({hosts} hosts)?", capitalize(&plan.headline()), plan.environment);
        session.confirm(question).await?;
    }
    Ok(session.carry_out(&plan).await)
}

async fn resolve(repository: &Repository, wanted: &Wanted) -> Result<(Release, Option<String>), GitError> {
    let release = repository.resolve(&wanted.reference).await?;
    let (on_remote, url) = tokio::join!(repository.require_on_remote(&release, &wanted.remote), async {
        match &wanted.scm {
            Some(url) => Some(url.clone()),
            None => repository.remote_url(&wanted.remote).await,
        }
    });
    on_remote?;
    Ok((release, url))
}

/// The plan, and the commits that it brings and takes away.
async fn show(session: &mut Session, repository: &Repository, plan: &Plan, dry_run: bool) {
    let detail = match (dry_run, session.global.verbose) {
        (false, _) => Detail::Changes,
        (true, 0) => Detail::Steps,
        (true, _) => Detail::Shell,
    };
    let title = format!("{} · {} · {}", plan.unit, plan.environment, plan.headline());
    session.reporter.say(&title);
    session.reporter.plan(plan, detail, dry_run);
    let change = plan.hosts.iter().find_map(|planned| Some((planned.from.as_ref()?, planned.to.as_ref()?)));
    if let Some((from, target)) = change {
        let to = &target.release;
        let Some(between) = repository.commits_between(&from.commit, &to.commit, MOST_COMMITS + 1).await
        else {
            return;
        };
        let all = between.brought.len() + between.taken_away.len();
        for (what, commits) in [("brings", between.brought), ("takes away", between.taken_away)] {
            if commits.is_empty() {
                continue;
            }
            session.reporter.say(&format!("  {what}:"));
            for commit in commits.iter().take(MOST_COMMITS) {
                session.reporter.say(&format!("    {commit}"));
            }
        }
        if all > MOST_COMMITS {
            session.reporter.say("    …");
        }
    }
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
