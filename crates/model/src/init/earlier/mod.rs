//! What the tool that deployed the project before was told: its hosts, its folders, its branches.

mod capistrano;
mod deployer;
mod fabric;
mod kamal;

use crate::app::recipe::Recipe;

use super::python::Requirements;
use super::question::Page;
use super::{ByEnvironment, Files};

/// What is known from there. What it says goes before what is guessed.
#[derive(Debug, Clone, Default)]
pub(super) struct Earlier {
    /// Its file, if there is one.
    pub(super) file: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) path: Option<String>,
    pub(super) scm: Option<String>,
    pub(super) scm_http_url: Option<String>,
    /// Production's branch.
    pub(super) branch: Option<String>,
    pub(super) environments: ByEnvironment<Vec<EarlierHost>>,
    pub(super) shared_files: Vec<String>,
    pub(super) shared_dirs: Vec<String>,
    pub(super) recipe: Option<Recipe>,
    pub(super) requirements: Option<Requirements>,
    pub(super) test_runner: Option<String>,
    /// As `service` says it.
    pub(super) service: Option<String>,
    pub(super) health: Option<Page>,
    /// More settings, by name, as TOML.
    pub(super) more: Vec<(String, String)>,
    /// Celery's init script, a template of the project.
    pub(super) celeryd: Option<String>,
    pub(super) tasks: Vec<EarlierTask>,
    /// What has no place in the file: a line each.
    pub(super) left: Vec<String>,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EarlierHost {
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<String>,
    pub(super) roles: Vec<String>,
}

/// A command by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EarlierTask {
    pub(super) name: String,
    pub(super) run: Vec<String>,
    /// Whether it runs on the deployer.
    pub(super) is_local: bool,
}

impl EarlierHost {
    /// `deploy@web1:1222`.
    pub(super) fn read(text: &str) -> EarlierHost {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let is_port = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
        let (name, port) = match rest.rsplit_once(':') {
            Some((name, port)) if is_port(port) && !name.contains(':') => (name, Some(port.to_owned())),
            _ => (rest, None),
        };
        EarlierHost { name: name.to_owned(), user, port: port.filter(|port| port != "22"), roles: Vec::new() }
    }
}

/// The first tool that is found, buedafab's own predecessor before all others.
pub(super) fn read(files: &Files) -> Earlier {
    let tools = [fabric::read, capistrano::read, kamal::read, deployer::read];
    tools.iter().find_map(|read| read(files)).unwrap_or_default()
}

/// Adds a machine to an environment, or a role to one that is there.
fn add(hosts: &mut Vec<EarlierHost>, host: EarlierHost) {
    match hosts.iter_mut().find(|known| known.name == host.name) {
        Some(known) => {
            for role in host.roles.into_iter().filter(|role| !known.roles.contains(role)).collect::<Vec<_>>()
            {
                known.roles.push(role);
            }
        }
        None => hosts.push(host),
    }
}

/// The environment that other tools call so.
fn environment(stage: &str) -> String {
    match stage {
        "prod" | "live" => "production".to_owned(),
        "dev" => "development".to_owned(),
        "stage" => "staging".to_owned(),
        other => other.to_owned(),
    }
}
