//! Settings, written as configuration again.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::SerializeMap;
use toml::Value;

use super::areas::Settings;
use super::rule::DefaultValue;
use super::template::escape;
use crate::names::{EnvironmentName, HostPath, Role, SlotName, Unit};

/// The settings of one environment as TOML, with every default written out. Put into a file of its own, it means the same
/// settings again; so all of it stands below the environment, where nothing else is added to it.
pub fn show(settings: &Settings) -> String {
    let table = format!("environments.{}", key(settings.environment.as_str()));
    let mut out = Out::default();
    out.header(&format!("[{table}]"));
    settings.show_entries(&mut out);
    settings.show_tables(&table, &mut out);
    out.0
}

/// How a resolved setting is written.
pub(super) trait Show: Serialize {
    /// What stands on a line of its own.
    fn entry(&self, name: &str, default: Option<&DefaultValue>, out: &mut Out);

    /// What has a table of its own, under this name.
    fn tables(&self, _table: &str, _out: &mut Out) {}

    /// The setting as it is in JSON.
    fn serialize_into<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, self)
    }
}

/// What is written as one value.
pub(super) trait Valued {
    fn value(&self) -> Value;
}

impl<T: Valued + Serialize> Show for T {
    fn entry(&self, name: &str, _: Option<&DefaultValue>, out: &mut Out) {
        out.entry(name, self.value());
    }
}

/// A value that is left out is told in a comment, so that the setting can be found.
impl<T: Valued + Serialize> Show for Option<T> {
    fn entry(&self, name: &str, default: Option<&DefaultValue>, out: &mut Out) {
        let unsaid = default.map_or("none".to_string(), ToString::to_string);
        out.entry_or(name, self.as_ref().map(Valued::value), &unsaid);
    }
}

impl<T: Valued + Serialize> Show for BTreeMap<String, T> {
    fn entry(&self, _: &str, _: Option<&DefaultValue>, _: &mut Out) {}

    fn tables(&self, table: &str, out: &mut Out) {
        if !self.is_empty() {
            out.header(&format!("[{table}]"));
        }
        for (name, value) in self {
            out.entry(&key(name), value.value());
        }
    }
}

macro_rules! valued {
    ($($type:ty: $this:ident => $value:expr),* $(,)?) => {$(
        impl Valued for $type {
            fn value(&self) -> Value {
                let $this = self;
                $value
            }
        }
    )*};
}

valued! {
    bool: this => Value::Boolean(*this),
    u32: this => Value::Integer(i64::from(*this)),
    String: this => text(this),
    Unit: this => text(this.as_str()),
    EnvironmentName: this => text(this.as_str()),
    SlotName: this => text(this.as_str()),
    Role: this => text(this.as_str()),
    // Braces would be placeholders.
    HostPath: this => text(&escape(this.as_str())),
}

impl<T: Valued> Valued for Vec<T> {
    fn value(&self) -> Value {
        Value::Array(self.iter().map(Valued::value).collect())
    }
}

/// The text that is written.
#[derive(Default)]
pub(super) struct Out(String);

impl Out {
    pub(super) fn header(&mut self, header: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(header);
        self.0.push('\n');
    }

    pub(super) fn entry(&mut self, name: &str, value: impl Into<Value>) {
        self.0.push_str(&format!("{name} = {}\n", value.into()));
    }

    pub(super) fn entry_or(&mut self, name: &str, value: Option<impl Into<Value>>, unsaid: &str) {
        match value {
            Some(value) => self.entry(name, value),
            None => self.0.push_str(&format!("# {name}: {unsaid}\n")),
        }
    }

    /// Something to know, on a line of its own.
    pub(super) fn comment(&mut self, text: &str) {
        let line = text.split(char::is_control).collect::<Vec<_>>().join(" ");
        self.0.push_str(&format!("# {line}\n"));
    }

    /// A table of commands by name, without those that are none.
    pub(super) fn commands(&mut self, header: &str, hooks: &[(&str, &Vec<String>)]) {
        let mut header = Some(header);
        for (name, commands) in hooks.iter().filter(|(_, commands)| !commands.is_empty()) {
            if let Some(header) = header.take() {
                self.header(header);
            }
            self.entry(name, commands.value());
        }
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_string())
}

/// A key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.chars().all(bare) { name.to_string() } else { text(name).to_string() }
}
