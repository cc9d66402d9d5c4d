//! Secrets, as they are written: never themselves, only where they are got.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::app::clear_text::is_sent_in_the_clear;
use crate::app::notify::{SecretSource, UrlSource};
use crate::config::area::table;
use crate::config::mistake::Mistake;
use crate::config::show::{Valued, text};
use crate::config::values::{Url, VariableName, schema_of};

table! {
    /// Where a secret is got.
    SecretTable;

    /// A variable of the environment of whoever deploys.
    env: Option<VariableName>, example r#""SLACK_URL""#;

    /// A command that prints it, on your own machine: its words, for no shell.
    command: Option<Words>, example r#""op read op://deploy/slack/url""#;
}

/// The only ways in which a secret may be written.
#[derive(Debug, Clone)]
pub(in crate::config) struct SecretText(pub(in crate::config) SecretSource);

/// A URL, which may be written or got like a secret.
#[derive(Debug, Clone)]
pub(in crate::config) struct UrlText(pub(in crate::config) UrlSource);

/// The words of a command: a list of them, or one string that is split as a shell does it, without one.
#[derive(Debug, Clone)]
pub(in crate::config) struct Words(pub(in crate::config) Vec<String>);

/// What to write where a secret stands.
const INSTEAD: &str = "write where it is got, `{ env = \"NAME\" }` or `{ command = \"op read …\" }`, and give it a new value \
                       if this file was shared";

/// The keys of notifications whose value nobody may read, not even in what is said about the line that they stand in.
pub(in crate::config) const SECRET_KEYS: [&str; 7] =
    ["url", "token", "bot_key", "key", "api_key", "secret", "password"];

fn source(table: SecretTable) -> Result<SecretSource, Mistake> {
    match table {
        SecretTable { env: Some(VariableName(name)), command: None } => Ok(SecretSource::Env(name)),
        SecretTable { env: None, command: Some(Words(words)) } => Ok(SecretSource::Command(words)),
        SecretTable { env: Some(_), command: Some(_) } => {
            Err(Mistake::new("a secret is got in one way").help("keep only one of `env` and `command`"))
        }
        SecretTable { env: None, command: None } => {
            Err(Mistake::new("this doesn't say where the secret is got")
                .help("write `{ env = \"NAME\" }` or `{ command = \"op read …\" }`"))
        }
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecretVisitor;

        impl<'de> Visitor<'de> for SecretVisitor {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretText, E> {
                let message =
                    "a secret can't stand in this file, which everybody reads who reads the project";
                Err(Mistake::new(message).help(INSTEAD).into_error())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretText, A::Error> {
                let table = SecretTable::deserialize(MapAccessDeserializer::new(map))?;
                source(table).map(SecretText).map_err(Mistake::into_error)
            }
        }

        deserializer.deserialize_any(SecretVisitor)
    }
}

impl<'de> Deserialize<'de> for UrlText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlVisitor;

        impl<'de> Visitor<'de> for UrlVisitor {
            type Value = UrlText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<UrlText, E> {
                let url = server_address(text).map_err(Mistake::into_error)?;
                Ok(UrlText(UrlSource::Written(url)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UrlText, A::Error> {
                let table = SecretTable::deserialize(MapAccessDeserializer::new(map))?;
                let source = source(table).map_err(Mistake::into_error)?;
                Ok(UrlText(UrlSource::Secret(source)))
            }
        }

        deserializer.deserialize_any(UrlVisitor)
    }
}

/// The address of a service that is sent a secret, without credentials: nobody can read what is sent there on the way.
#[derive(Debug, Clone)]
pub(in crate::config) struct ServiceUrl(pub(in crate::config) String);

crate::config::mistake::typed_as_text!(ServiceUrl);

impl FromStr for ServiceUrl {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let url = server_address(text)?;
        if is_sent_in_the_clear(&url) {
            return Err(Mistake::new("a secret would be sent there in the clear")
                .help("begin the address with `https://`; only this machine, `localhost`, is sent secrets without it"));
        }
        Ok(ServiceUrl(url))
    }
}

/// The address of a server, without credentials.
fn server_address(text: &str) -> Result<String, Mistake> {
    let wrong = || {
        // What is wrong with it may be that it is something else, and a secret.
        Mistake::new("this isn't the address of a server").help("write it like `https://chat.example.com`")
    };
    let Url(url) = text.parse().map_err(|_| wrong())?;
    let (_, rest) = url.split_once("://").ok_or_else(wrong)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Mistake::new("a name or password can't stand in this address").help(INSTEAD));
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;

        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command or a list of its words")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Words, E> {
                let never_closed = || {
                    Mistake::new("a quote in this command is never closed")
                        .help("close it, or write a list of words: `[\"bin/tell\", \"it's\"]`")
                };
                let words = shlex::split(text).ok_or_else(never_closed).map_err(Mistake::into_error)?;
                checked(words).map_err(Mistake::into_error)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                checked(words).map_err(Mistake::into_error)
            }
        }

        deserializer.deserialize_any(WordsVisitor)
    }
}

fn checked(words: Vec<String>) -> Result<Words, Mistake> {
    if words.iter().any(|word| word.contains('\0')) {
        return Err(Mistake::new("a NUL byte can't stand in here"));
    }
    match words.first() {
        Some(program) if !program.is_empty() => Ok(Words(words)),
        _ => Err(Mistake::new("this command is empty").help("write a program and its arguments")),
    }
}

impl Valued for SecretSource {
    fn value(&self) -> Value {
        let (key, value) = match self {
            SecretSource::Env(name) => ("env", text(name)),
            SecretSource::Command(words) => ("command", words.value()),
        };
        Value::Table([(key.to_owned(), value)].into_iter().collect())
    }
}

impl Valued for UrlSource {
    fn value(&self) -> Value {
        match self {
            UrlSource::Written(url) => text(url),
            UrlSource::Secret(source) => source.value(),
        }
    }
}

schema_of! {
    ServiceUrl => json_schema!({ "type": "string", "pattern": "^https?://[^@]+$" }),
    Words => json_schema!({
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }]
    }),
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SecretTable::json_schema(generator)
    }
}

impl JsonSchema for UrlText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UrlOrSecret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [ServiceUrl::json_schema(generator), SecretTable::json_schema(generator)] })
    }
}
