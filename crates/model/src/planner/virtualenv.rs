//! What the virtualenvs of an environment's releases are made from.

use crate::app::virtualenv::{Packages, VirtualenvSpec};
use crate::config::Settings;

/// The virtualenv of an environment's releases; `None` where its apps have none.
pub(crate) fn virtualenv_of(
    settings: &Settings,
    packages: Packages,
    reinstall: bool,
) -> Option<VirtualenvSpec> {
    settings.app.recipe.is_python().then(|| VirtualenvSpec {
        python: settings.python.base.interpreter.clone(),
        subdir: settings.app.subdir.clone(),
        installer: settings.python.installer,
        options: settings.python.options.clone(),
        requirements: settings.python.requirements.clone(),
        constraints: settings.python.constraints.clone(),
        packages,
        scripts: settings.python.installation_scripts.clone(),
        reinstall,
    })
}
