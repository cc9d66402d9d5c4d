//! What the virtualenvs of an environment's releases are made from.

use crate::app::virtualenv::{Packages, VirtualenvSpec};
use crate::config::Settings;

/// What a person asked to be done again about virtualenvs, though nothing has changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Renewal {
    /// They are made anew.
    pub(crate) reinstall: bool,
    /// What they hold is resolved anew.
    pub(crate) upgrade: bool,
}

/// The virtualenv of an environment's releases; `None` where its apps have none.
pub(crate) fn virtualenv_of(
    settings: &Settings,
    packages: Packages,
    pins: Vec<String>,
    renewal: Renewal,
) -> Option<VirtualenvSpec> {
    settings.app.recipe.is_python().then(|| VirtualenvSpec {
        python: settings.python.base.interpreter.clone(),
        subdir: settings.app.subdir.clone(),
        installer: settings.python.installer,
        options: settings.python.options.clone(),
        requirements: settings.python.requirements.clone(),
        constraints: settings.python.constraints.clone(),
        packages,
        pins,
        scripts: settings.python.installation_scripts.clone(),
        reinstall: renewal.reinstall,
        upgrade: renewal.upgrade,
    })
}
