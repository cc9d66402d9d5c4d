//! The Python of virtualenvs, as it is written: `python = "python3.12"`, or a table that also names private packages.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::at::At;
use super::diagnostics::Diagnostic;
use super::mistake::Mistake;
use super::values::{Argument, Word};
use crate::app::package::{PrivatePackage, locate, name_of};

/// What virtualenvs are made with.
#[derive(Debug, Clone)]
pub(super) enum PythonEntry {
    Interpreter(Argument),
    Table(Box<PythonTable>),
}

/// The same with more to say about it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PythonTable {
    /// The Python that virtualenvs are made with, on the hosts. Default: `"python3"`. Example: `"python3.12"`.
    pub(super) interpreter: Option<Argument>,
    /// Packages that no index has: fetched by the deployer, sent to the hosts, installed into every virtualenv.
    pub(super) private: Vec<At<PrivateTable>>,
}

/// A package that no index has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivateTable {
    /// A git repository as your own git reaches it, or an object of a bucket such as `"s3://bueda/plato-1.2.tar.gz"`, a
    /// source distribution or a wheel. Example: `"git@github.com:bueda/five-utils.git"`.
    pub(super) url: Argument,
    /// Of a git repository: a tag, a branch, or a whole commit id. Example: `"v1.2"`.
    #[serde(default)]
    pub(super) rev: Option<Argument>,
    /// Of an object: its check sum, as `sha256sum` prints it.
    #[serde(default)]
    pub(super) sha256: Option<Word>,
    /// What it is called in what you see. Default: what the URL says.
    #[serde(default)]
    pub(super) name: Option<Word>,
}

impl PythonEntry {
    /// The interpreter, and the packages.
    pub(super) fn resolve(self) -> Result<(Option<String>, Vec<PrivatePackage>), Vec<Diagnostic>> {
        let table = match self {
            PythonEntry::Interpreter(Argument(text)) => return Ok((Some(text), Vec::new())),
            PythonEntry::Table(table) => table,
        };
        let mut diagnostics = Vec::new();
        let mut packages = Vec::new();
        for At { value: PrivateTable { url: Argument(url), rev, sha256, name }, span } in table.private {
            let (rev, sha256) = (rev.map(|Argument(rev)| rev), sha256.map(|Word(sum)| sum));
            match locate(&url, rev.as_deref(), sha256.as_deref()) {
                Ok(source) => {
                    let name = name.map_or_else(|| name_of(&url), |Word(name)| name);
                    packages.push(PrivatePackage { name, source });
                }
                Err(why) => {
                    let mistake = Mistake::new(why)
                        .help("write `url` and `rev` for git, `url = \"s3://…\"` and `sha256` for a bucket");
                    diagnostics.push(Diagnostic::at(&span, mistake));
                }
            }
        }
        let interpreter = table.interpreter.map(|Argument(text)| text);
        if diagnostics.is_empty() { Ok((interpreter, packages)) } else { Err(diagnostics) }
    }
}

impl<'de> Deserialize<'de> for PythonEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PythonVisitor;

        impl<'de> Visitor<'de> for PythonVisitor {
            type Value = PythonEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PythonEntry, E> {
                text.parse().map(PythonEntry::Interpreter).map_err(Mistake::into_error)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PythonEntry, A::Error> {
                PythonTable::deserialize(MapAccessDeserializer::new(map))
                    .map(Box::new)
                    .map(PythonEntry::Table)
            }
        }

        deserializer.deserialize_any(PythonVisitor)
    }
}

impl JsonSchema for PythonEntry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PythonEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<PythonTable>();
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "^[^-]" }, table] })
    }
}
