//! The configuration around: what can be known before a command line is understood.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use buedafab_model::config::{self, ConfigFile, Settings};
use buedafab_model::planner::names_on;

use crate::exit::CliError;

/// The configuration's name.
pub(crate) const FILE_NAME: &str = "buedafab.toml";

/// The names of the environments of the project around, or of the one that was named; nothing if there is none.
pub(crate) fn environment_names_nearby(words: &[String]) -> Vec<String> {
    let config = config_nearby(words).and_then(Result::ok);
    config.map(|c| c.environment_names().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// The names of the apps of the project around, where it has several.
pub(crate) fn app_names_nearby(words: &[String]) -> Vec<String> {
    let config = config_nearby(words).and_then(Result::ok);
    config.map(|c| c.app_names().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// What each environment of the project around comes to, as far as it comes to anything; of several apps, for each.
pub(crate) fn settings_nearby(words: &[String]) -> Vec<Settings> {
    let Some(Ok(config)) = config_nearby(words) else { return Vec::new() };
    let apps: Vec<ConfigFile> = config.app_names().iter().filter_map(|app| config.of_app(app)).collect();
    let all = if apps.is_empty() { vec![config] } else { apps };
    let of_environments = |config: &ConfigFile| -> Vec<Settings> {
        config.environment_names().iter().filter_map(|name| config.settings(name).ok()).collect()
    };
    all.iter().flat_map(of_environments).collect()
}

/// The names of all services of the project around, for completion.
pub(crate) fn service_names_nearby(words: &[String]) -> BTreeSet<String> {
    let all = settings_nearby(words);
    all.iter().flat_map(|settings| settings.hosts.iter().flat_map(|host| names_on(settings, host))).collect()
}

/// The configuration that a command line names, or the nearest; `None` if there is none.
pub(crate) fn config_nearby(words: &[String]) -> Option<Result<ConfigFile, config::Diagnostics>> {
    let path = named_config(words).or_else(|| find_upward(&current_folder().ok()?))?;
    let text = std::fs::read_to_string(&path).ok()?;
    Some(config::parse(&path.file_name().unwrap_or_default().to_string_lossy(), &text))
}

/// The configuration that a command line names, before it is understood.
fn named_config(words: &[String]) -> Option<PathBuf> {
    let typed = words.iter().zip(words.iter().skip(1).map(Some).chain([None])).find_map(|(word, next)| {
        if word == "--config" { next.cloned() } else { word.strip_prefix("--config=").map(str::to_owned) }
    });
    typed.or_else(|| std::env::var("BUEDAFAB_CONFIG").ok()).map(PathBuf::from)
}

/// Where the person stands.
pub(crate) fn current_folder() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::usage(format!("the current folder is gone: {error}")))
}

/// The nearest configuration.
pub(crate) fn find_upward(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a word, or offered for it, is of the file that the same line names.
    #[test]
    fn the_file_that_a_line_names_decides_which_words_there_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("other.toml");
        let text = "unit = \"five\"\nservice = \"systemd:five\"\n[environments.blue]\nhosts = [\"b1\"]\n";
        std::fs::write(&file, text).expect("it is ours");
        let named = file.display().to_string();
        for typed in [format!("buedafab --config {named} bleu"), format!("buedafab depoy --config={named}")] {
            let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            assert!(environment_names_nearby(&words).contains(&"blue".to_owned()), "{typed}");
            assert_eq!(service_names_nearby(&words), BTreeSet::from(["five".to_owned()]), "{typed}");
        }
    }
}
