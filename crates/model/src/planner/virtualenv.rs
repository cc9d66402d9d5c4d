//! What the virtualenvs of an environment's releases are made from.

use crate::app::virtualenv::{Packages, VirtualenvSpec};
use crate::config::Settings;

/// The virtualenv of an environment's releases; `None` where its apps have none.
pub(crate) fn virtualenv_of(
    settings: &Settings,
    packages: Packages,
    reinstall: bool,
) -> Option<VirtualenvSpec> {
    settings.recipe.is_python().then(|| VirtualenvSpec {
        python: settings.python.clone(),
        installer: settings.installer,
        options: settings.pip_options.clone(),
        requirements: settings.pip_requirements.clone(),
        constraints: settings.pip_constraints.clone(),
        packages,
        scripts: settings.package_installation_scripts.clone(),
        reinstall,
    })
}
