//! `rollback`: makes an older release live again: the one before the live one, or one that is named.

use std::collections::BTreeMap;

use buedafab_engine::{Inputs, Look, MadeBundles};
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::config::Settings;
use buedafab_model::names::{AppName, Unit};
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::Schema;
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{
    Preparation, RollbackRequest, SeenHost, UndoQuestion, plan_for_each_app, plan_rollback,
    releases_not_kept, rollback_preparation, undo_question, what_stays,
};
use buedafab_model::run::exit_code::ExitCode;
use buedafab_model::shell::inspect::Scope;

use buedafab_model::view::count_hosts;

use crate::arguments::{Cli, RollbackArgs};
use crate::bundles::make_bundles;
use crate::exit::CliError;
use crate::packages::{fetch_packages, templates_of};
use crate::release::deployed_refs;
use crate::report::StepOutput;
use crate::session::Session;

pub(crate) async fn rollback(cli: &Cli, arguments: &RollbackArgs) -> Result<ExitCode, CliError> {
    let RollbackArgs { to, keep_schema, reverse_migrations, rehearse, dry_run } = arguments;
    let schema = match (keep_schema, reverse_migrations) {
        (true, _) => Schema::Keep,
        (false, true) => Schema::Reverse,
        (false, false) => Schema::Refuse,
    };
    let mut session = Session::start_together(cli, "rollback", StepOutput::Talk)?;
    session.can_skip = true;
    let mut look = session.look_and_recover(Scope::Back, *dry_run).await?;
    if to.is_none() && !session.apps.is_empty() {
        leave_what_changed_last(&mut session, &look);
    }
    // Only a release that isn't whole on every host needs the remote, and then nearly never: a missing checkout is no
    // reason to refuse a rollback.
    let url = match (&session.settings.source.scm, session.repository()) {
        (Some(url), _) => url.clone(),
        (None, Ok(repository)) => {
            repository.remote_url(&session.settings.source.master_remote).await.unwrap_or_default()
        }
        (None, Err(_)) => String::new(),
    };
    let mut inputs = Inputs { credentials: RemoteUrl::of(&url).credentials, ..Inputs::default() };
    let mut requests: BTreeMap<Unit, RollbackRequest> = BTreeMap::new();
    let apps: Vec<(Option<AppName>, Settings)> = match session.apps.as_slice() {
        [] => vec![(None, session.settings.clone())],
        apps => apps.iter().map(|app| (Some(app.name.clone()), app.settings.clone())).collect(),
    };
    let told_by = match session.repository() {
        Ok(repository) => {
            let all: Vec<&Settings> = apps.iter().map(|(_, settings)| settings).collect();
            session.unless_interrupted(deployed_refs(&all, &repository)).await?
        }
        Err(_) => BTreeMap::new(),
    };
    for why in told_by.values().filter_map(|told| told.as_ref().err()) {
        session.say(&format!("note: {why}"));
    }
    for (app, settings) in &apps {
        let tells = told_by.get(&settings.app.unit).and_then(|told| told.clone().ok());
        let mut request = RollbackRequest {
            to: to.clone(),
            tells,
            rehearse: *rehearse,
            ..RollbackRequest::new(url.clone(), schema)
        };
        let (app, context) = (app.as_ref(), session.context.clone());
        if let Ok(repository) = session.repository() {
            let releases = releases_not_kept(settings, &context, &request, &session.seen_of(&look, app));
            for release in releases {
                if let Some(own) = session.settings_of(&repository, &release, app).await {
                    request.own.insert(release.commit, own);
                }
            }
        }
        let fresh = rollback_preparation(settings, &context, &request, &session.seen_of(&look, app));
        if let (Some(Preparation { release, templates }), Ok(repository)) = (fresh, session.repository()) {
            request.templates = templates_of(&repository, &release, templates).await;
            let packages = fetch_packages(&mut session, settings, &repository, &release).await?;
            request.packages = packages.fetched;
            inputs.packages.extend(packages.files);
        }
        if schema == Schema::Reverse
            && let Some(UndoQuestion { host, script }) =
                undo_question(settings, &context, &request, &session.seen_of(&look, app))
        {
            session.look_and_ask(&mut look, &host, &script).await?;
        }
        requests.insert(settings.app.unit.clone(), request);
    }
    let planned = plan_all(&session, &look, &requests);
    let mut plan = match planned {
        Ok(plan) => plan,
        Err(refusals) => return Err(session.refuse(&refusals, &look)),
    };
    let root = session.root();
    let MadeBundles { bundles, files } = make_bundles(&mut session, &url, &root, &plan).await?;
    if !bundles.is_empty() {
        requests.values_mut().for_each(|request| request.bundles = bundles.clone());
        inputs.packages.extend(files);
        plan = match plan_all(&session, &look, &requests) {
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
    let hosts = count_hosts(plan.hosts.iter().map(|planned| &planned.host));
    let question = if *rehearse {
        format!("Rehearse the rollback of {} on {hosts}?", plan.environment)
    } else {
        format!("Roll {} back on {hosts}?", plan.environment)
    };
    session.confirm(&question).await?;
    session.carry_out_with(&plan, inputs).await
}

/// Of several apps, leaves those that the last run changed which changed any, and says which stay as they are.
fn leave_what_changed_last(session: &mut Session, look: &Look) {
    for (name, why) in what_stays(&session.apps, &session.seen(look)) {
        session.apps.retain(|app| app.name != name);
        session.hosts.retain(|host| host.app.as_ref() != Some(&name));
        session.say(&format!("{name} stays as it is: {why}"));
    }
}

/// The plan for the app, or for all that take part.
fn plan_all(
    session: &Session,
    look: &Look,
    requests: &BTreeMap<Unit, RollbackRequest>,
) -> Result<Plan, Vec<Refusal>> {
    let plan = |settings: &Settings, seen: &[SeenHost<'_>]| {
        plan_rollback(settings, &session.context, &requests[&settings.app.unit], seen).map(Some)
    };
    let planned = plan_for_each_app(session.by_host(), &session.context, &session.seen(look), plan)?;
    Ok(planned.expect("a rollback always has a plan"))
}
