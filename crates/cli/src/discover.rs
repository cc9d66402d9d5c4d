//! The configuration around: what can be known before a command line is understood.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use buedafab_model::config::{self, ConfigFile, Settings};
use buedafab_model::planner::names_on;

use crate::exit::CliError;

/// The configuration's name.
pub(crate) const FILE_NAME: &str = "buedafab.toml";

/// The names of the environments of the project around, for completion; nothing if there is none.
pub(crate) fn environment_names_nearby() -> Vec<String> {
    let config = config_nearby(None).and_then(Result::ok);
    config.map(|c| c.environment_names().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// What each environment of the project around comes to, as far as it comes to anything.
pub(crate) fn settings_nearby() -> Vec<Settings> {
    let Some(Ok(config)) = config_nearby(None) else { return Vec::new() };
    config.environment_names().iter().filter_map(|name| config.settings(name).ok()).collect()
}

/// The names of all services of the project around, for completion.
pub(crate) fn service_names_nearby() -> BTreeSet<String> {
    let all = settings_nearby();
    all.iter().flat_map(|settings| settings.hosts.iter().flat_map(|host| names_on(settings, host))).collect()
}

/// The configuration that was named, or the nearest; `None` if there is none.
pub(crate) fn config_nearby(named: Option<PathBuf>) -> Option<Result<ConfigFile, config::Diagnostics>> {
    let path = named.or_else(|| find_upward(&current_folder().ok()?))?;
    let text = std::fs::read_to_string(&path).ok()?;
    Some(config::parse(&path.file_name().unwrap_or_default().to_string_lossy(), &text))
}

/// Where the person stands.
pub(crate) fn current_folder() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::usage(format!("the current folder is gone: {error}")))
}

/// The nearest configuration.
pub(crate) fn find_upward(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}
