//! What was resolved for a release when it was prepared, and is kept beside it on its hosts: so that a way back, or a
//! rebuild, runs the release's own commands, whatever the configuration has become since.

use serde::{Deserialize, Serialize};

use crate::app::health::Health;
use crate::app::hooks::Hooks;
use crate::app::recipe::{Collectstatic, Recipe, Steps};
use crate::app::service::{NamedService, Service};
use crate::app::virtualenv::Installer;
use crate::names::{CommitId, SlotName};

/// `.buedafab/releases/COMMIT/resolved-SLOT.json`: what decides the commands of a release. Where the app lies, who runs it
/// and what its variables hold is a matter of the environment, and is always today's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedRelease {
    /// The release.
    pub commit: CommitId,
    /// The slot that it was prepared in: the same commit may lie in two, prepared differently.
    pub slot: SlotName,
    /// What kind of app it is.
    pub recipe: Recipe,
    /// Where in the project the app lies; `None`: at its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
    /// The folders of the project that it is made of, besides that one; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse_checkout: Option<Vec<String>>,
    /// Commands in place of steps of the recipe.
    pub steps: Steps,
    /// Where Django's static files are collected.
    pub collectstatic: Collectstatic,
    /// Django's fixtures that are loaded after a migration.
    pub extra_fixtures: Vec<String>,
    /// Whether `manage.py syncdb` comes before a migration.
    pub syncdb: bool,
    /// Shell commands at named points.
    pub hooks: Hooks,
    /// How the app is restarted.
    pub service: Service,
    /// More services.
    pub services: Vec<NamedService>,
    /// For how long services have to stay up.
    pub settle_seconds: u32,
    /// How it is found out whether the app is well.
    #[serde(default)]
    pub health: Option<Health>,
    /// Files in `shared` that are linked into it.
    pub shared_files: Vec<String>,
    /// Folders in `shared` that are linked into it.
    pub shared_dirs: Vec<String>,
    /// The file of variables that its units read. A release that is prepared again reads today's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_file: Option<String>,
    /// Its crontab.
    pub crontab: Option<String>,
    /// The Python of its virtualenv.
    pub python: String,
    /// What installs packages.
    pub installer: Installer,
    /// Words for the installer.
    pub pip_options: Vec<String>,
    /// Requirement files.
    pub pip_requirements: Vec<String>,
    /// Files that limit versions.
    pub pip_constraints: Vec<String>,
    /// Scripts that install packages.
    pub package_installation_scripts: Vec<String>,
    /// The names of the variables that its commands were given; never what they hold.
    pub variables: Vec<String>,
}
