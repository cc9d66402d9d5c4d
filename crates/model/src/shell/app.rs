//! A command of the app, with all that it finds in its environment.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::quote;
use crate::config::{Host, Settings};
use crate::layout::Layout;
use crate::names::HostPath;

/// A command in the live release of a host, with what the app's commands find in their environment as far as it doesn't
/// belong to a run.
pub fn app_shell(settings: &Settings, host: &Host, command: &str) -> String {
    let layout = Layout::new(settings, host);
    let mut variables = settings.variables.clone();
    variables.insert("DEPLOYMENT_TYPE".to_owned(), settings.deployment_type.clone());
    let current = layout.current();
    let virtualenv = settings.recipe.is_python().then(|| current.join(&layout.virtualenv));
    app_command(&layout, &current, &variables, virtualenv.as_ref(), command)
}

pub(super) fn app_command(
    layout: &Layout,
    directory: &HostPath,
    variables: &BTreeMap<String, String>,
    virtualenv: Option<&HostPath>,
    command: &str,
) -> String {
    let activate = activate(virtualenv);
    format!(
        "{}{}{activate}cd {} || exit\n{command}",
        exports(variables),
        secrets(layout),
        quote(directory.as_str())
    )
}

pub(super) fn exports(variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "export {name}={}", quote(value));
        text
    })
}

/// Puts a virtualenv's programs first, as activating it does.
pub(super) fn activate(virtualenv: Option<&HostPath>) -> String {
    let Some(folder) = virtualenv.map(|path| quote(path.as_str())) else { return String::new() };
    format!("[ ! -d {folder}/bin ] || export VIRTUAL_ENV={folder} PATH={folder}/bin:\"$PATH\"\n")
}

/// Reads the file of variables, if there is one.
pub(super) fn secrets(layout: &Layout) -> String {
    let Some(file) = layout.env_file.as_ref().map(|file| quote(file.as_str())) else { return String::new() };
    format!("if [ -f {file} ]; then set -a; . {file}; set +a; fi\n")
}
