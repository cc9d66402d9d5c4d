//! What a run has to see of a host before anything can be decided.

use super::diagnosis::{
    followed_sockets, jobs_on, needs_sudo, owner_by, service_files_on, sudo_commands, wanted_files,
};
use super::surroundings::{surroundings, variables_on};
use crate::app::crontab::{CrontabLocation, system_crontab};
use crate::config::{Settings, StrategyName};
use crate::host::Host;
use crate::shell::inspect::{AlsoLookAt, Scope, inspect_script};

/// The shell of the one look at a host.
pub fn look_script(settings: &Settings, host: &Host, scope: Scope) -> String {
    let url = settings.version.url_of(host);
    let shared_files: Vec<String> =
        settings.shared.files.iter().chain(&settings.shared.env_file).cloned().collect();
    let services = settings.services_of_others(host);
    let units = settings.watched_on(host);
    let mut service_files = service_files_on(settings, host);
    let jobs = jobs_on(settings, host);
    if let Some((label, CrontabLocation::System)) = &jobs {
        service_files.extend(system_crontab(label));
    }
    let layout = settings.layout(host);
    let around = surroundings(settings, &layout.current(), variables_on(settings, host));
    let (mark, wanted) = (owner_by(settings, None).line(), wanted_files(settings, host));
    let removals = (mark.trim_end_matches('}'), &wanted[..]);
    let health = settings.health.health.as_ref().filter(|health| health.is_on(&host.roles));
    let health = health.map(|health| health.of_app(|path| settings.app.file(path)));
    let also = AlsoLookAt {
        version_url: url.as_deref(),
        scratch_files: &settings.shared.scratch_files,
        shared_files: &shared_files,
        slots: &settings.layout.release_paths,
        services: &services,
        service_files: &service_files,
        has_jobs: jobs.is_some_and(|(_, location)| location == CrontabLocation::User),
        needs_sudo: needs_sudo(settings, host),
        sudo_commands: &sudo_commands(settings, host),
        removals: (!settings.users.ask_sudo_password).then_some(removals),
        run_as: settings.users.run_as.as_deref(),
        group: settings.users.deploy_group.as_deref(),
        units: &units,
        health: health.as_ref().map(|health| (health, &around)),
        has_others: settings.hosts.len() > 1,
        source: settings.source.method,
        has_web_servers: !followed_sockets(settings, host).is_empty(),
        has_history: settings.layout.strategy == StrategyName::InPlace,
    };
    inspect_script(&layout, scope, &also)
}
