//! What was resolved for a release: taken from the settings when it is prepared, and put in their place when it is gone
//! back to.

use std::collections::BTreeSet;

use crate::app::resolved::ResolvedRelease;
use crate::app::service::{NamedService, Service};
use crate::config::Settings;
use crate::plan::Target;

/// What these settings resolve for a release.
pub(super) fn resolve_release(settings: &Settings, target: &Target) -> ResolvedRelease {
    let Settings { app, django, health, hooks, services, shared, crontab, python, .. } = settings;
    ResolvedRelease {
        commit: target.release.commit.clone(),
        slot: target.slot.clone(),
        recipe: app.recipe,
        subdir: app.subdir.clone(),
        sparse_checkout: app.sparse_checkout.clone(),
        steps: app.steps.clone(),
        collectstatic: django.collectstatic,
        extra_fixtures: django.extra_fixtures.clone(),
        syncdb: django.syncdb,
        hooks: hooks.on_hosts.clone(),
        service: services.app.clone(),
        services: services.named.clone(),
        settle_seconds: services.settle_seconds,
        health: health.health.clone(),
        shared_files: shared.files.clone(),
        shared_dirs: shared.folders.clone(),
        env_file: shared.env_file.clone(),
        crontab: crontab.file.clone(),
        python: python.base.interpreter.clone(),
        installer: python.installer,
        pip_options: python.options.clone(),
        pip_requirements: python.requirements.clone(),
        pip_constraints: python.constraints.clone(),
        package_installation_scripts: python.installation_scripts.clone(),
        variables: app.variables.keys().cloned().collect(),
    }
}

/// The settings under which a release runs its own commands. Services that it doesn't know stay in them: going back has to
/// stop those, too.
pub(super) fn settings_as_of(settings: &Settings, resolved: &ResolvedRelease) -> Settings {
    let ResolvedRelease {
        commit: _,
        slot: _,
        recipe,
        subdir,
        sparse_checkout,
        steps,
        collectstatic,
        extra_fixtures,
        syncdb,
        hooks,
        service,
        services,
        settle_seconds,
        health,
        shared_files,
        shared_dirs,
        env_file: _,
        crontab,
        python,
        installer,
        pip_options,
        pip_requirements,
        pip_constraints,
        package_installation_scripts,
        variables: _,
    } = resolved.clone();
    let mut own = settings.clone();
    (own.app.recipe, own.app.subdir, own.app.steps) = (recipe, subdir, steps);
    (own.django.collectstatic, own.django.extra_fixtures) = (collectstatic, extra_fixtures);
    own.django.syncdb = syncdb;
    own.hooks.on_hosts = hooks;
    // What has a process in each slot isn't started in one whose release doesn't know it, and is stopped when nothing can go back.
    own.services.named.retain(|named| {
        !services.iter().any(|known| known.service == named.service) && !named.is_side_by_side()
    });
    own.services.named.iter_mut().for_each(|named| named.listening = None);
    own.services.named.splice(0..0, services);
    (own.services.app, own.services.settle_seconds) = (service, settle_seconds);
    own.health.health = health;
    (own.shared.files, own.shared.folders) = (shared_files, shared_dirs);
    own.crontab.file = crontab;
    own.python.base.interpreter = python;
    (own.python.installer, own.python.options) = (installer, pip_options);
    (own.python.requirements, own.python.constraints) = (pip_requirements, pip_constraints);
    own.app.sparse_checkout = sparse_checkout;
    own.python.installation_scripts = package_installation_scripts;
    own
}

/// The app's own service, if a release doesn't know it.
pub(super) fn later_service<'s>(settings: &'s Settings, resolved: &ResolvedRelease) -> Option<&'s Service> {
    let known = |service: &Service| {
        resolved.service == *service || resolved.services.iter().any(|named| named.service == *service)
    };
    settings.own_service().filter(|service| !known(service))
}

/// The same as [`settings_as_of`] for the way back from a switch, which has begun to run the app as a service that the
/// release may not know: it has to run that release, too, until a person stops it.
pub(super) fn settings_back_to(settings: &Settings, resolved: &ResolvedRelease) -> Settings {
    let mut own = settings_as_of(settings, resolved);
    own.services.named.extend(later_service(settings, resolved).map(|service| NamedService {
        name: String::from(service.clone()),
        service: service.clone(),
        definition: None,
        reload: false,
        roles: BTreeSet::new(),
        single: false,
        listening: None,
    }));
    own
}

/// Variables that a release was prepared with and that the settings no longer have.
pub(super) fn lost_variables(settings: &Settings, resolved: &ResolvedRelease) -> Vec<String> {
    let gone = resolved.variables.iter().filter(|name| !settings.app.variables.contains_key(*name));
    gone.cloned().collect()
}
