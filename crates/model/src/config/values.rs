//! Small kinds of values, each checked once where it is read.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::mistake::{Mistake, TextVisitor, quoted, typed_as_text};
use super::rule::{Typed, means};
use crate::names::NameError;

/// A text that is handed to commands: not empty, no NUL byte, and nothing that they would take for an option.
#[derive(Debug, Clone)]
pub(super) struct Argument(pub(super) String);

/// The page of a repository.
#[derive(Debug, Clone)]
pub(super) struct Url(pub(super) String);

/// Any text without a NUL byte, which neither an environment nor a command line can hold.
#[derive(Debug, Clone)]
pub(super) struct Text(pub(super) String);

/// One line of a file.
#[derive(Debug, Clone)]
pub(super) struct Line(pub(super) String);

/// Letters, digits, `_`, `-` and `.`.
#[derive(Debug, Clone)]
pub(super) struct Word(pub(super) String);

/// The name of one folder or link, not a path.
#[derive(Debug, Clone)]
pub(super) struct FolderName(pub(super) String);

/// A file of the project: a path relative to its root, that doesn't lead out of it.
#[derive(Debug, Clone)]
pub(super) struct FilePath(pub(super) String);

/// The same of a file or a folder, which may end with a `/`.
#[derive(Debug, Clone)]
pub(super) struct ProjectPath(pub(super) String);

/// The name of a variable in the environment of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VariableName(pub(super) String);

/// A name of one of the types in [`names`](crate::names), in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<T>(pub(super) T);

/// Shell commands: one string, or a list of them.
#[derive(Debug, Clone)]
pub(super) struct Commands(pub(super) Vec<String>);

/// A whole number between two bounds, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded<const MIN: u32, const MAX: u32>(pub(super) u32);

/// A time in seconds, no longer than a week: every wait has a bound.
pub(super) type Seconds<const MIN: u32> = Bounded<MIN, 604_800>;

/// A TCP port.
pub(super) type Port = Bounded<1, 65_535>;

typed_as_text!(Argument, Url, Text, Line, Word, FolderName, FilePath, ProjectPath, VariableName);

impl FromStr for Argument {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Text(text) = text.parse()?;
        if text.trim().is_empty() {
            return Err(Mistake::new("this is empty").help("leave the line out, or write a value"));
        }
        if text.starts_with('-') {
            return Err(Mistake::new(format!("commands would take {} for an option", quoted(&text)))
                .within(0..1)
                .help("it can't begin with `-`"));
        }
        Ok(Argument(text))
    }
}

impl FromStr for Url {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let known = text.starts_with("http://") || text.starts_with("https://");
        if known && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Ok(Url(text.to_string()));
        }
        Err(Mistake::new(format!("{} isn't the address of a web page", quoted(text)))
            .help("write it like `https://github.com/bueda/five`"))
    }
}

impl FromStr for Text {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if text.contains('\0') {
            Err(Mistake::new("a NUL byte can't stand in here"))
        } else {
            Ok(Text(text.to_string()))
        }
    }
}

impl FromStr for Line {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Text(text) = text.parse()?;
        if text.trim().is_empty() || text.contains(['\n', '\r']) {
            return Err(
                Mistake::new("this has to be exactly one line").help("write a list with one string per line")
            );
        }
        Ok(Line(text))
    }
}

impl FromStr for Word {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || text.starts_with('-') || !text.chars().all(plain) {
            return Err(Mistake::new(format!("{} isn't a plain word", quoted(text)))
                .help("use letters, digits, `_`, `-` and `.`, and don't begin with `-`"));
        }
        Ok(Word(text.to_string()))
    }
}

impl FromStr for FolderName {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let odd = |c: char| c == '/' || c.is_control();
        if matches!(text, "" | "." | "..") || text.starts_with('-') || text.contains(odd) {
            return Err(Mistake::new(format!("{} isn't the plain name of a folder", quoted(text)))
                .help("write one name, without `/` and not beginning with `-`"));
        }
        Ok(FolderName(text.to_string()))
    }
}

impl FromStr for FilePath {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let odd = |part: &str| matches!(part, "" | "." | "..");
        if text.starts_with('-') || text.contains(char::is_control) || text.split('/').any(odd) {
            return Err(Mistake::new(format!("{} isn't the path of a file in the project", quoted(text)))
                .help("write it from the root of the project on: `requirements/common.txt`"));
        }
        Ok(FilePath(text.to_string()))
    }
}

impl FromStr for ProjectPath {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let FilePath(path) = text.strip_suffix('/').unwrap_or(text).parse()?;
        Ok(ProjectPath(path))
    }
}

impl FromStr for VariableName {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if text == "DEPLOYMENT_TYPE" {
            return Err(Mistake::new("`DEPLOYMENT_TYPE` has a setting of its own")
                .help("write `deployment_type = \"…\"` outside of `variables`"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(plain) {
            return Err(Mistake::new(format!("{} isn't the name of a variable", quoted(text)))
                .help("use letters, digits and `_`, and don't begin with a digit"));
        }
        Ok(VariableName(text.to_string()))
    }
}

impl<'de, T: TryFrom<String, Error = NameError>> Deserialize<'de> for Name<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(|text: &str| {
            T::try_from(text.to_string()).map(Name).map_err(|error| Mistake::new(error.to_string()))
        }))
    }
}

impl<'de> Deserialize<'de> for Commands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CommandsVisitor;

        impl<'de> Visitor<'de> for CommandsVisitor {
            type Value = Commands;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command or a list of commands")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Commands, E> {
                let Command(text) = text.parse().map_err(Mistake::into_error)?;
                Ok(Commands(vec![text]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Commands, A::Error> {
                let mut commands = Vec::new();
                while let Some(Command(text)) = list.next_element()? {
                    commands.push(text);
                }
                Ok(Commands(commands))
            }
        }

        deserializer.deserialize_any(CommandsVisitor)
    }
}

struct Command(String);

typed_as_text!(Command);

impl FromStr for Command {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Text(text) = text.parse()?;
        if text.trim().is_empty() {
            Err(Mistake::new("this command is empty").help("write `[]` to run nothing"))
        } else {
            Ok(Command(text))
        }
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoundedVisitor<const MIN: u32, const MAX: u32>;

        impl<const MIN: u32, const MAX: u32> Visitor<'_> for BoundedVisitor<MIN, MAX> {
            type Value = Bounded<MIN, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                match u32::try_from(number) {
                    Ok(fitting) if (MIN..=MAX).contains(&fitting) => Ok(Bounded(fitting)),
                    _ if number < i64::from(MIN) => Err(too_small(number, MIN)),
                    _ => Err(too_large(number, MAX)),
                }
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Err(too_large(number, MAX))
            }

            fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<Self::Value, E> {
                if number < 0 { Err(too_small(number, MIN)) } else { Err(too_large(number, MAX)) }
            }

            fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<Self::Value, E> {
                Err(too_large(number, MAX))
            }
        }

        deserializer.deserialize_any(BoundedVisitor)
    }
}

fn too_small<E: serde::de::Error>(number: impl fmt::Display, min: u32) -> E {
    Mistake::new(format!("{number} is too small")).help(format!("the smallest is {min}")).into_error()
}

fn too_large<E: serde::de::Error>(number: impl fmt::Display, max: u32) -> E {
    Mistake::new(format!("{number} is too large")).help(format!("the largest is {max}")).into_error()
}

means! {
    Argument => String: Argument(text) => text,
    Url => String: Url(text) => text,
    Text => String: Text(text) => text,
    Line => String: Line(text) => text,
    Word => String: Word(text) => text,
    FolderName => String: FolderName(name) => name,
    FilePath => String: FilePath(path) => path,
    ProjectPath => String: ProjectPath(path) => path,
    VariableName => String: VariableName(name) => name,
    Commands => Vec<String>: Commands(commands) => commands,
}

impl<T: Clone> Typed for Name<T> {
    type Meaning = T;

    fn meaning(self) -> T {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> Typed for Bounded<MIN, MAX> {
    type Meaning = u32;

    fn meaning(self) -> u32 {
        self.0
    }
}

/// Implements `JsonSchema` by one expression.
macro_rules! schema_of {
    ($($type:ty => $schema:expr),* $(,)?) => {$(
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    )*};
}
pub(super) use schema_of;

schema_of! {
    Argument => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    Url => json_schema!({ "type": "string", "pattern": "^https?://" }),
    Text => json_schema!({ "type": "string" }),
    Line => json_schema!({ "type": "string", "pattern": "^[^\\n\\r]+$" }),
    Word => json_schema!({ "type": "string", "pattern": "^[^-/\\s][^/\\s]*$" }),
    FolderName => json_schema!({ "type": "string", "pattern": "^[^-/][^/]*$" }),
    FilePath => json_schema!({ "type": "string", "pattern": "^[^-/]" }),
    ProjectPath => json_schema!({ "type": "string", "pattern": "^[^-/]" }),
    VariableName => json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
    Commands => json_schema!({
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
    }),
}

impl<T> JsonSchema for Name<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^-]" })
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Number_{MIN}_to_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
