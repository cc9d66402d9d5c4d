//! A recipe, to read and to write anew.

use std::fmt::Write;

use toml::Value;

use crate::app::hooks::HookPoint;
use crate::app::recipe::Side;
use crate::app::virtualenv::Packages;
use crate::config::Settings;
use crate::planner::virtualenv::{Renewal, virtualenv_of};
use crate::shell::recipe::steps;

/// The steps of the recipe as configuration: what is copied from here into `[steps]` changes nothing, until it is changed.
pub fn show_recipe(settings: &Settings) -> String {
    let recipe = serde_json::to_value(settings.app.recipe).expect("an enum without fields is a string");
    let mut text = format!("recipe = {recipe}\n");
    let mut line = |what: &str| {
        let _ = writeln!(text, "{what}");
    };
    line("");
    line("# In every new slot, before anything else:");
    if !(settings.shared.files.is_empty() && settings.shared.folders.is_empty()) {
        line("# - what is shared is linked into it: shared_files, shared_dirs");
    }
    match virtualenv_of(settings, Packages::WrittenDown, Vec::new(), Renewal::default()) {
        Some(spec) => {
            let from = if spec.requirements.is_empty() {
                "uv.lock, pyproject.toml or setup.py".to_owned()
            } else {
                spec.requirements.join(", ")
            };
            if !(settings.python.base.private_packages.is_empty()
                && settings.python.private_requirements.is_empty())
            {
                let packages =
                    settings.python.base.private_packages.iter().map(|package| package.name.clone());
                let named: Vec<String> =
                    packages.chain(settings.python.private_requirements.clone()).collect();
                line(&format!("# - private packages are sent to the host: {}", named.join(", ")));
            }
            line(&format!(
                "# - the virtualenv {} gets exactly what {from} asks for",
                settings.layout.virtualenv
            ));
        }
        None => line("# - its files are those of the commit, and no others"),
    }
    let steps = steps(settings);
    if steps.is_empty() {
        line("# The rest is what your hooks say.");
        return text;
    }
    line("\n[steps]");
    for step in steps {
        let side = match step.side {
            Side::Before => "before",
            Side::After => "after",
        };
        let whose = if settings.app.steps.contains_key(step.name.as_str()) { "; your own" } else { "" };
        let where_else = if step.point == HookPoint::Once { ", on the primary" } else { "" };
        line(&format!("# {side} your `{}` hooks{where_else}{whose}", step.point));
        let commands = step.commands.iter().cloned().map(Value::String).collect();
        line(&format!("{} = {}", step.name, Value::Array(commands)));
    }
    text
}
