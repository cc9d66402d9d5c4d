//! What hosts are sent of a release, where they don't fetch it: made on this machine, before anything is asked or done.

use std::path::Path;
use std::time::Instant;

use buedafab_engine::{MadeBundles, Mirror};
use buedafab_model::config::{Settings, SourceName};
use buedafab_model::plan::Plan;
use buedafab_model::planner::wanted_bundles;
use buedafab_model::release::Release;
use buedafab_model::run::event::Event;
use buedafab_model::run::outcome::Verdict;

use crate::exit::CliError;
use crate::session::Session;

/// Has a release at hand by the time that hosts have said what they lack of it, where it is sent to them.
pub(crate) async fn prepare_mirror(settings: &Settings, url: Option<&str>, root: &Path, release: &Release) {
    let url = settings.source.scm.as_deref().or(url).filter(|_| settings.source.method == SourceName::Bundle);
    if let Some(mirror) = url.and_then(|url| Mirror::of(url, root)) {
        mirror.prepare(&release.commit).await;
    }
}

/// Makes the bundles that a plan lacks; Ctrl-C ends it.
pub(crate) async fn make_bundles(
    session: &mut Session,
    url: &str,
    root: &Path,
    plan: &Plan,
) -> Result<MadeBundles, CliError> {
    let Some(wanted) = wanted_bundles(plan) else { return Ok(MadeBundles::default()) };
    let Some(mirror) = Mirror::of(url, root) else {
        let text = format!(
            "there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set\n  {}",
            session.untouched()
        );
        return Err(session.give_up(CliError::verdict(Verdict::Refused, text)));
    };
    let title = format!("put together what hosts lack of {}", wanted.commit.short());
    // Its check sum and its size stand in the plan, so that it can't be a step of it.
    session.event(Event::DeployerStarted { step: 0, title, may_ask: false });
    let began = Instant::now();
    let made = session.unless_interrupted(mirror.make(&wanted)).await?;
    session.event(Event::DeployerEnded {
        step: 0,
        status: i32::from(made.is_err()),
        milliseconds: began.elapsed().as_millis() as u64,
    });
    made.map_err(|error| {
        let error = CliError::verdict(Verdict::Refused, format!("{error}\n  {}", session.untouched())).hint(
            "with the source \"bundle\" this machine fetches it, with your own git: git fetch must work here",
        );
        session.give_up(error)
    })
}
