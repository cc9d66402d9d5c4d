//! What the app's commands find around them: folder, variables, virtualenv, user.

use std::collections::BTreeMap;

use super::context::HostPlanning;
use crate::app::hooks::HookPoint;
use crate::config::Settings;
use crate::host::Host;
use crate::names::{HostPath, SlotName};
use crate::plan::Target;
use crate::plan::action::Surroundings;
use crate::release::Release;

/// What the app's own commands find around them, in the release in a folder.
pub(super) fn surroundings(
    settings: &Settings,
    release: &HostPath,
    variables: BTreeMap<String, String>,
) -> Surroundings {
    Surroundings {
        directory: settings.app.folder_in(release),
        variables,
        virtualenv: settings.app.recipe.is_python().then(|| release.join(&settings.layout.virtualenv)),
        run_as: settings.users.run_as(),
    }
}

/// What every command of the app finds in its environment on a host, whatever is done there.
pub(super) fn variables_on(settings: &Settings, host: &Host) -> BTreeMap<String, String> {
    let roles = host.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
    let mut variables = settings.app.variables.clone();
    let mut set = |name: &str, value: &str| drop(variables.insert(name.to_owned(), value.to_owned()));
    set("DEPLOYMENT_TYPE", &settings.app.deployment_type);
    set("BUEDAFAB_ENVIRONMENT", settings.environment.as_str());
    set("BUEDAFAB_HOST", host.machine());
    set("BUEDAFAB_PATH", settings.layout(host).path.as_str());
    set("BUEDAFAB_ROLES", &roles);
    set("BUEDAFAB_UNIT", settings.app.unit.as_str());
    variables
}

impl HostPlanning<'_> {
    /// What the app's own commands find around them, in the release in a folder.
    pub(super) fn surroundings(
        &self,
        release: &HostPath,
        variables: BTreeMap<String, String>,
    ) -> Surroundings {
        surroundings(self.settings, release, variables)
    }

    /// The same in the release in a slot.
    pub(super) fn surroundings_of(&self, to: &Target) -> Surroundings {
        self.surroundings(&self.layout.slot(&to.slot), self.variables_of(to))
    }

    /// What the live release's own commands find around them, whoever put it there.
    pub(super) fn live_surroundings(&self) -> Surroundings {
        let current = self.layout.current();
        let live = self.facts.live();
        self.surroundings(&current, self.variables(self.facts.live_slot(), live.as_ref(), &current))
    }

    /// What a hook finds around it. Only those that run the app's own code are the app's user's: the others are about the
    /// host.
    pub(super) fn hook_surroundings(
        &self,
        point: HookPoint,
        directory: &HostPath,
        variables: BTreeMap<String, String>,
    ) -> Surroundings {
        let around = self.surroundings(directory, variables);
        match point {
            // There is no release yet.
            HookPoint::BeforePrepare => Surroundings { directory: directory.clone(), run_as: None, ..around },
            HookPoint::Build | HookPoint::Check | HookPoint::Once => around,
            HookPoint::BeforeSwitch | HookPoint::AfterSwitch | HookPoint::Verify | HookPoint::AfterFinish => {
                Surroundings { run_as: None, ..around }
            }
        }
    }

    /// What every command of the app finds in its environment, for the release in a slot.
    pub(super) fn variables_of(&self, to: &Target) -> BTreeMap<String, String> {
        self.variables(Some(&to.slot), Some(&to.release), &self.layout.slot(&to.slot))
    }

    /// The same, where the release may have no name and lie in no slot.
    pub(super) fn variables(
        &self,
        slot: Option<&SlotName>,
        release: Option<&Release>,
        directory: &HostPath,
    ) -> BTreeMap<String, String> {
        let HostPlanning {
            strategy: _,
            configured: _,
            settings,
            run,
            host,
            facts,
            layout: _,
            owner: _,
            pins: _,
            sent: _,
            bundles: _,
            removes: _,
        } = self;
        let previous = facts.live().map_or(String::new(), |release| release.commit.to_string());
        let mut variables = variables_on(settings, host);
        let mut set = |name: &str, value: &str| drop(variables.insert(name.to_owned(), value.to_owned()));
        set("BUEDAFAB_BY", &run.by);
        set("BUEDAFAB_COMMIT", release.map_or("", |release| release.commit.as_str()));
        set("BUEDAFAB_DESCRIBE", release.map_or("", |release| release.describe.as_str()));
        set("BUEDAFAB_PREVIOUS_COMMIT", &previous);
        set("BUEDAFAB_RELEASE_PATH", directory.as_str());
        set("BUEDAFAB_RUN", run.run.as_str());
        set("BUEDAFAB_SLOT", slot.map_or("", SlotName::as_str));
        set("BUEDAFAB_TAG", release.and_then(|release| release.tag.as_deref()).unwrap_or_default());
        variables
    }
}
