//! The project's own commands.

use std::collections::BTreeMap;
use std::str::FromStr;

use schemars::json_schema;
use serde::Serialize;
use serde::ser::SerializeMap;
use toml::Value;

use crate::config::area::{Area, layer, table};
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::nearest::did_you_mean;
use crate::config::rule::{DefaultValue, Typed, Written, means};
use crate::config::show::{Out, Valued, key, text};
use crate::config::values::{Commands, Name, Text, VariableName, schema_of};
use crate::names::{Role, TaskName};

layer! {
    /// The one key of this area.
    TasksKey, "Tasks";

    /// Commands of your own: `buedafab production NAME` runs them. Those of an environment are added to those of the
    /// top level.
    tasks: BTreeMap<Name<TaskName>, TaskLayer>;
}

means! { TaskLayer => Task: layer => Task::from(layer) }

impl Area for BTreeMap<TaskName, Task> {
    type Layer = TasksKey;

    fn resolve(written: &Written<'_>) -> Self {
        written.all.tasks.tasks.clone().unwrap_or_default().meaning()
    }

    fn show_entries(&self, _: &mut Out) {}

    fn show_tables(&self, table: &str, out: &mut Out) {
        for (name, Task { run, on, description, arguments }) in self {
            out.header(&format!("[{table}.tasks.{}]", key(name.as_str())));
            out.entry("run", run.value());
            out.entry("on", text(&String::from(on.clone())));
            out.entry_or("description", description.as_deref().map(text), "none");
            let arguments = arguments.as_ref().map(|arguments| {
                Value::Table(arguments.iter().map(|(name, value)| (name.clone(), text(value))).collect())
            });
            out.entry_or("arguments", arguments, "any");
        }
    }

    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("tasks", self)
    }
}

/// A command of the project's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What it runs, in order; the first that fails is the last.
    pub run: Vec<String>,
    /// Where.
    pub on: TaskTarget,
    /// What it is for.
    pub description: Option<String>,
    /// The arguments that it takes, with their defaults. `None`: any, and none has a default.
    pub arguments: Option<BTreeMap<String, String>>,
}

/// Where a task runs. Written `hosts`, `primary`, `deployer`, `role:worker`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum TaskTarget {
    /// On every host that takes part.
    Hosts,
    /// On the first of them.
    Primary,
    /// On the deployer, at the root of the project.
    Deployer,
    /// On every host with this role.
    Role(Role),
}

/// A [`TaskTarget`] as it is typed.
#[derive(Debug, Clone)]
pub(in crate::config) struct PlaceText(TaskTarget);

table! {
    /// A [`Task`] as it is typed.
    TaskLayer;

    /// What it runs: shell, in the live release on a host.
    run: Commands, example r#""sudo chef-client""#;

    /// Where: `"hosts"`, all of them; `"primary"`, the first; `"role:NAME"`; or `"deployer"`, your own machine.
    on: Option<PlaceText>, default DefaultValue::value("hosts".into());

    /// What it is for, told by `buedafab --list`.
    description: Option<Text>, default DefaultValue::words("none"), example r#""Run chef again""#;

    /// The arguments that it takes, with their defaults: `buedafab production NAME:verbose=1` sets the variable
    /// `verbose`.
    arguments: Option<BTreeMap<VariableName, Text>>, default DefaultValue::words("it takes any"),
        example r#"{ verbose = "0" }"#;
}

impl From<TaskLayer> for Task {
    fn from(layer: TaskLayer) -> Task {
        let TaskLayer { run: Commands(run), on, description, arguments } = layer;
        let plain = |(VariableName(name), Text(value))| (name, value);
        Task {
            run,
            on: on.map_or(TaskTarget::Hosts, |PlaceText(place)| place),
            description: description.map(|Text(text)| text),
            arguments: arguments.map(|arguments| arguments.into_iter().map(plain).collect()),
        }
    }
}

typed_as_text!(PlaceText);

impl FromStr for PlaceText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        match text.split_once(':') {
            None if text == "hosts" => Ok(PlaceText(TaskTarget::Hosts)),
            None if text == "primary" => Ok(PlaceText(TaskTarget::Primary)),
            None if text == "deployer" => Ok(PlaceText(TaskTarget::Deployer)),
            Some(("role", role)) => Role::new(role)
                .map(|role| PlaceText(TaskTarget::Role(role)))
                .map_err(|error| Mistake::new(error.to_string()).within(5..text.len())),
            _ => Err(Mistake::new(format!("{} isn't a place where a task could run", quoted(text)))
                .help(did_you_mean(text, ["hosts", "primary", "deployer", "role:NAME"]))),
        }
    }
}

impl From<TaskTarget> for String {
    fn from(place: TaskTarget) -> String {
        match place {
            TaskTarget::Hosts => "hosts".to_string(),
            TaskTarget::Primary => "primary".to_string(),
            TaskTarget::Deployer => "deployer".to_string(),
            TaskTarget::Role(role) => format!("role:{role}"),
        }
    }
}

schema_of! {
    PlaceText => json_schema!({
        "type": "string",
        "anyOf": [{ "enum": ["hosts", "primary", "deployer"] }, { "pattern": "^role:[^-\\s]\\S*$" }]
    }),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        for same in ["hosts", "primary", "deployer", "role:worker"] {
            assert_eq!(
                PlaceText::from_str(same).map(|PlaceText(place)| String::from(place)),
                Ok(same.to_string())
            );
        }
        let help = |text: &str| PlaceText::from_str(text).expect_err("it is wrong").help;
        assert_eq!(help("host").as_deref(), Some("did you mean `hosts`?"));
        assert_eq!(
            help("everywhere").as_deref(),
            Some("write `hosts`, `primary`, `deployer` or `role:NAME`")
        );
        assert!(PlaceText::from_str("role:").is_err());
    }
}
