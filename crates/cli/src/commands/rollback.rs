//! `rollback`: makes an older release live again: the one before the live one, or one that is named.

use buedafab_engine::{Inputs, MadeBundles};
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::plan::action::Schema;
use buedafab_model::planner::{
    Preparation, RollbackRequest, UndoQuestion, plan_rollback, releases_not_kept, rollback_preparation,
    undo_question,
};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use crate::arguments::{Cli, RollbackArgs};
use crate::bundles::make_bundles;
use crate::commands::count_hosts;
use crate::exit::CliError;
use crate::packages::{fetch_packages, templates_of};
use crate::session::Session;

pub(crate) async fn rollback(cli: &Cli, arguments: &RollbackArgs) -> Result<ExitCode, CliError> {
    let RollbackArgs { to, keep_schema, reverse_migrations, dry_run } = arguments;
    let schema = match (keep_schema, reverse_migrations) {
        (true, _) => Schema::Keep,
        (false, true) => Schema::Reverse,
        (false, false) => Schema::Refuse,
    };
    let mut session = Session::start(cli, "rollback", crate::report::StepOutput::Talk)?;
    let mut look = session.look_and_recover(Scope::Back, *dry_run).await?;
    // Only a release that isn't whole on every host needs the remote, and then nearly never: a missing checkout is no
    // reason to refuse a rollback.
    let url = match (&session.settings.source.scm, session.repository()) {
        (Some(url), _) => url.clone(),
        (None, Ok(repository)) => {
            repository.remote_url(&session.settings.source.master_remote).await.unwrap_or_default()
        }
        (None, Err(_)) => String::new(),
    };
    let mut request = RollbackRequest { to: to.clone(), ..RollbackRequest::new(url, schema) };
    if let Ok(repository) = session.repository() {
        for release in releases_not_kept(&session.settings, &session.context, &request, &session.seen(&look))
        {
            if let Some(own) = session.settings_of(&repository, &release).await {
                request.own.insert(release.commit, own);
            }
        }
    }
    let credentials = RemoteUrl::of(&request.url).credentials;
    let mut inputs = Inputs { credentials, ..Inputs::default() };
    let fresh = rollback_preparation(&session.settings, &session.context, &request, &session.seen(&look));
    if let (Some(Preparation { release, templates }), Ok(repository)) = (fresh, session.repository()) {
        request.templates = templates_of(&repository, &release, templates).await;
        let packages = fetch_packages(&mut session, &repository, &release).await?;
        (request.packages, inputs.packages) = (packages.fetched, packages.files);
    }
    if schema == Schema::Reverse
        && let Some(UndoQuestion { host, script }) =
            undo_question(&session.settings, &session.context, &request, &session.seen(&look))
    {
        session.look_and_ask(&mut look, &host, &script).await?;
    }
    let planned = plan_rollback(&session.settings, &session.context, &request, &session.seen(&look));
    let mut plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let root = session.root();
    let MadeBundles { bundles, files } = make_bundles(&mut session, &request.url, &root, &plan).await?;
    if !bundles.is_empty() {
        request.bundles = bundles;
        inputs.packages.extend(files);
        plan = match plan_rollback(&session.settings, &session.context, &request, &session.seen(&look)) {
            Ok(plan) => plan,
            Err(refusals) => return Err(session.refuse(&refusals, &look)),
        };
    }
    session.show(&plan, *dry_run);
    if *dry_run {
        return Ok(ExitCode::Done);
    }
    session.require_answers(&plan)?;
    session.confirm_undoing(&plan).await?;
    let question = format!("Roll {} back on {}?", plan.environment, count_hosts(plan.hosts.len()));
    session.confirm(&question).await?;
    session.carry_out_with(&plan, inputs).await
}
