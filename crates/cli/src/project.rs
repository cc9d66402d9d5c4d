//! The project that is deployed: where it is, and what its configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use buedafab_engine::Repository;
use buedafab_model::app::text::one_line;
use buedafab_model::config::{self, AppInEnvironment, ConfigFile, Settings, Task};
use buedafab_model::host::Host;
use buedafab_model::names::{AppName, EnvironmentName};
use clap::CommandFactory;
use glob::Pattern;

use crate::arguments::{Cli, GlobalArgs};
use crate::discover::{FILE_NAME, config_nearby, current_folder, find_upward};
use crate::exit::CliError;

/// A project with its configuration.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder: that of the configuration, mostly.
    pub root: PathBuf,
    /// The configuration's file.
    pub path: PathBuf,
    /// What it says; of the one app that was meant, where there are several and only one was.
    pub config: ConfigFile,
    /// The apps that were meant, where several were.
    apps: Vec<AppName>,
    /// What it says of all apps, where `config` is of one of them.
    whole: Option<ConfigFile>,
}

impl Project {
    /// Finds and reads the configuration.
    pub(crate) fn find(global: &GlobalArgs, color: bool) -> Result<Project, CliError> {
        let path = match &global.config {
            Some(path) => path.clone(),
            None => find_upward(&current_folder()?).ok_or_else(|| {
                CliError::configuration(format!("no {FILE_NAME} here or in a folder above"))
                    .hint("buedafab init writes one")
            })?,
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| CliError::configuration(format!("can't read {}: {error}", path.display())))?;
        let shown = path.strip_prefix(current_folder()?).unwrap_or(&path).display().to_string();
        let config =
            config::parse(&shown, &text).map_err(|mistakes| CliError::rendered(mistakes.render(color)))?;
        let config = config.with_answers(global.answers.clone());
        let taken =
            config.tasks().into_keys().find(|name| Cli::command().find_subcommand(name.as_str()).is_some());
        if let Some(name) = taken {
            return Err(CliError::configuration(format!(
                "{shown}: the task `{name}` has the name of one of buedafab's commands"
            ))
            .hint(format!("give it another name: [tasks.{name}_five]")));
        }
        let root = match &global.config {
            Some(named) => root_of(named, &current_folder()?),
            None => path.parent().map_or_else(PathBuf::new, Path::to_owned),
        };
        let apps = choose_apps(&config, global)?;
        Ok(match apps.as_slice() {
            [only] => {
                let own = config.of_app(only).expect("it is one of those that there are");
                Project { root, path, config: own, apps: Vec::new(), whole: Some(config) }
            }
            _ => Project { root, path, config, apps, whole: None },
        })
    }

    /// What the file says of all apps.
    pub(crate) fn whole(&self) -> &ConfigFile {
        self.whole.as_ref().unwrap_or(&self.config)
    }

    /// The apps that were meant, where several were.
    pub(crate) fn several_apps(&self) -> &[AppName] {
        &self.apps
    }

    /// Those of them that are on the hosts that were meant.
    pub(crate) fn apps_on_hosts(
        &self,
        environment: &str,
        global: &GlobalArgs,
        color: bool,
    ) -> Result<Vec<AppName>, CliError> {
        let settings = self.settings(environment, color)?;
        let apps = self.apps(&settings.environment, color)?;
        let hosts = apps.iter().flat_map(|app| app.settings.hosts.iter().cloned()).collect();
        let all = Settings { hosts, ..settings };
        let chosen: Vec<&AppName> =
            choose_hosts(&all, global)?.into_iter().filter_map(|host| host.app.as_ref()).collect();
        Ok(self.apps.iter().filter(|app| chosen.contains(app)).cloned().collect())
    }

    /// What several apps that were meant mean in an environment, in the order in which they switch; nothing, where one is meant.
    pub(crate) fn apps(
        &self,
        environment: &EnvironmentName,
        color: bool,
    ) -> Result<Vec<AppInEnvironment>, CliError> {
        let all = self.config.apps_in(environment);
        let mut apps = all.map_err(|mistakes| CliError::rendered(mistakes.render(color)))?;
        apps.retain(|app| self.apps.contains(&app.name));
        Ok(apps)
    }

    /// The settings of what is done on a developer's own checkout: those of `localhost`, unless an environment was typed.
    pub(crate) fn developer_settings(&self, cli: &Cli, color: bool) -> Result<Settings, CliError> {
        self.settings(cli.environment.as_deref().unwrap_or("localhost"), color)
    }

    /// The settings of an environment.
    pub(crate) fn settings(&self, environment: &str, color: bool) -> Result<Settings, CliError> {
        let name = EnvironmentName::new(environment).map_err(|error| CliError::usage(error.to_string()))?;
        // What an app would take from another one is wrong, whichever is meant.
        let beside = self.whole.as_ref().map_or(Ok(Vec::new()), |whole| whole.apps_in(&name));
        let settings = beside.and_then(|_| self.config.settings(&name));
        settings.map_err(|mistakes| CliError::rendered(mistakes.render(color)))
    }
}

/// The project of a configuration that was named: its folder, unless that lies outside of the checkout in which the person stands. A
/// `buedafab.toml` at the root of another checkout is that one's own.
fn root_of(config: &Path, here: &Path) -> PathBuf {
    let folder = here.join(config.parent().unwrap_or(config));
    let folder = folder.canonicalize().unwrap_or(folder);
    let checkout =
        |folder: &Path| Some(Repository::find(&folder.canonicalize().ok()?).ok()?.root().to_owned());
    let own = checkout(&folder);
    let is_its_own =
        own.as_ref() == Some(&folder) && config.file_name().is_some_and(|name| name == FILE_NAME);
    match checkout(here) {
        Some(around) if own.as_ref() != Some(&around) && !is_its_own => around,
        _ => folder,
    }
}

/// The environment that was typed, or a word about the missing one.
pub(crate) fn require_environment(environment: Option<&String>, command: &str) -> Result<String, CliError> {
    environment.cloned().ok_or_else(|| {
        CliError::usage("the environment is missing".to_owned())
            .hint(format!("it comes first: buedafab production {command}"))
    })
}

/// The apps that `--app` leaves, in the order of the configuration; none, where it has only one.
fn choose_apps(config: &ConfigFile, global: &GlobalArgs) -> Result<Vec<AppName>, CliError> {
    let names = config.app_names();
    let there_are = || names.iter().map(AppName::as_str).collect::<Vec<_>>().join(", ");
    for typed in &global.apps {
        if !names.iter().any(|name| name.as_str() == typed) {
            let error = CliError::usage(format!("no app is called {typed:?}"));
            return Err(if names.is_empty() {
                error.hint("this configuration has one app, and `--app` isn't needed")
            } else {
                error.hint(format!("there are: {}", there_are()))
            });
        }
    }
    // A host's whole name, `web1/api`, is one of an app's.
    let of_host = |typed: &String| {
        let (_, app) = typed.rsplit_once('/')?;
        names.iter().any(|name| name.as_str() == app).then(|| app.to_owned())
    };
    let of_hosts: Option<Vec<String>> = global.hosts.iter().map(of_host).collect();
    let typed = if global.apps.is_empty() { of_hosts.unwrap_or_default() } else { global.apps.clone() };
    let is_meant = |name: &&AppName| typed.is_empty() || typed.iter().any(|typed| typed == name.as_str());
    Ok(names.iter().filter(is_meant).cloned().collect())
}

/// Refuses a command that is about one app, where several are meant.
pub(crate) fn require_one_app(project: &Project, command: &str) -> Result<(), CliError> {
    let Some(first) = project.apps.first() else { return Ok(()) };
    let meant = project.apps.iter().map(AppName::as_str).collect::<Vec<_>>().join(", ");
    Err(CliError::usage(format!("{command} is about one app, and there are {meant}"))
        .hint(format!("name one: --app {first}")))
}

/// The hosts that the flags leave, in the order of the configuration.
pub(crate) fn choose_hosts<'s>(
    settings: &'s Settings,
    global: &GlobalArgs,
) -> Result<Vec<&'s Host>, CliError> {
    let environment = &settings.environment;
    if settings.hosts.is_empty() {
        return Err(CliError::configuration(format!("{environment} has no hosts")).hint(format!(
            "add to {FILE_NAME}: [environments.{environment}] hosts = [\"deploy@web1.example.com\"]"
        )));
    }
    let names = global.hosts.iter().map(|typed| glob(typed)).collect::<Result<Vec<_>, _>>()?;
    let roles = global.roles.iter().map(|typed| glob(typed)).collect::<Result<Vec<_>, _>>()?;
    for pattern in &names {
        if !settings.hosts.iter().any(|host| is_named(pattern, host)) {
            let mut seen = BTreeSet::new();
            let names = settings.hosts.iter().map(Host::machine).filter(|name| seen.insert(*name));
            let names: Vec<&str> = names.take(12).collect();
            return Err(CliError::usage(format!(
                "no host of {environment} is called {:?}",
                pattern.as_str()
            ))
            .hint(format!("there are: {}", names.join(", "))));
        }
    }
    for pattern in &roles {
        let mut known: Vec<&str> =
            settings.hosts.iter().flat_map(|host| host.roles.iter().map(|role| role.as_str())).collect();
        known.sort_unstable();
        known.dedup();
        if !known.iter().any(|role| pattern.matches(role)) {
            return Err(CliError::usage(format!(
                "no host of {environment} has the role {:?}",
                pattern.as_str()
            ))
            .hint(format!("there are: {}", known.join(", "))));
        }
    }
    let chosen = settings.hosts.iter().filter(|host| {
        let has_role = |pattern: &Pattern| host.roles.iter().any(|role| pattern.matches(role.as_str()));
        (names.is_empty() || names.iter().any(|pattern| is_named(pattern, host)))
            && (roles.is_empty() || roles.iter().any(has_role))
    });
    let chosen: Vec<&Host> = chosen.collect();
    if chosen.is_empty() {
        return Err(CliError::usage("no host matches both --hosts and --roles".to_owned()));
    }
    Ok(chosen)
}

/// The tasks of the project around, and what they are for: the command line has to know them before it is read. What is
/// wrong with the configuration is told by the command that needs it.
pub(crate) fn tasks_nearby(words: &[String]) -> BTreeMap<String, String> {
    let config = config_nearby(words).and_then(Result::ok);
    let about = |task: &Task| match &task.description {
        Some(description) => description.clone(),
        None => format!("Run {}", one_line(task.run.first().map_or("", String::as_str))),
    };
    let tasks = config.map(|config| config.tasks()).unwrap_or_default();
    let is_free = |name: &str| Cli::command().find_subcommand(name).is_none();
    tasks
        .iter()
        .filter(|(name, _)| is_free(name.as_str()))
        .map(|(name, task)| (name.to_string(), about(task)))
        .collect()
}

/// What is wrong with the configuration around, if it can't be read: a task's name means nothing then.
pub(crate) fn mistakes_nearby(words: &[String]) -> Option<CliError> {
    let mistakes = config_nearby(words)?.err()?;
    Some(CliError::rendered(mistakes.render(console::colors_enabled_stderr())))
}

/// Whether `--hosts` means a host: by its own name, or that of its machine.
fn is_named(pattern: &Pattern, host: &Host) -> bool {
    pattern.matches(host.machine()) || pattern.matches(host.name.as_str())
}

/// A pattern of `--hosts` or `--roles`.
fn glob(pattern: &str) -> Result<Pattern, CliError> {
    Pattern::new(pattern).map_err(|error| CliError::usage(format!("{pattern:?} isn't a pattern: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_of_the_checkout_around_it_or_around_the_person() {
        let place = tempfile::tempdir().expect("a folder");
        let place = place.path().canonicalize().expect("it is there");
        for folder in ["five/.git", "five/deploy", "five/src", "ops/.git", "ops/apps", "bare"] {
            std::fs::create_dir_all(place.join(folder)).expect("it is ours");
        }
        let check = |here: &str, config: &str, expected: &str| {
            assert_eq!(
                root_of(Path::new(config), &place.join(here)),
                place.join(expected),
                "{config} in {here}"
            );
        };
        check("five", "buedafab.toml", "five");
        check("five", "./deploy/other.toml", "five/deploy");
        check("five/src", "../deploy/other.toml", "five/deploy");
        check("five/src", "../other.toml", "five");
        // Outside of every checkout, or in one that keeps what is to be known of others.
        check("five", "../bare/five.toml", "five");
        check("five/src", &place.join("bare/five.toml").display().to_string(), "five");
        check("five", "../ops/apps/five.toml", "five");
        check("five", "../ops/five.toml", "five");
        check("five", "../ops/apps/buedafab.toml", "five");
        check("ops", "../five/buedafab.toml", "five");
        check("bare", "../five/deploy/other.toml", "five/deploy");
        check("bare", "five.toml", "bare");
    }
}
