//! How hosts are taken out of traffic while they change.

use schemars::json_schema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Value;

use super::limits::InOneStep;
use crate::app::traffic::{DrainCommand, DrainMethod, DrainOn};
use crate::config::area::{area, table};
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::nearest::did_you_mean;
use crate::config::rule::{Always, DefaultValue, Empty, Noted, Rule, Typed, Unset, Written, means};
use crate::config::show::{Valued, text};
use crate::config::values::{Bounded, Name, Seconds, Text, schema_of};
use crate::names::Role;

area! {
    /// How hosts are taken out of traffic while they change.
    drain: DrainSettings, DrainLayer, "Draining";

    /// How a host is taken out of traffic while it changes: `"none"`, not at all; `"file"`, by the file `shared/drained`, which your web server or
    /// your app turns into a failing health check; `{ command = "…", undo = "…" }`, by commands; or `"load_balancer"`, out of all load balancers and
    /// target groups of Amazon's that it is in.
    drain as method: DrainText => Option<DrainMethod> = OrNone, example r#""file""#;

    /// For how long a host that was taken out waits before it changes, in seconds: until the load balancer has noticed, which takes its interval
    /// times its threshold, and the longest request has ended.
    drain_grace_seconds as grace_seconds: At<Seconds<0>> => Option<u32> = InOneStep(Unset("30 with \"file\"; else 10, and 120 behind a network load balancer")), example "45";

    /// For how long it is waited before the next hosts are taken out, once some are back, in seconds: until the load balancer has noticed.
    undrain_grace_seconds as back_seconds: At<Seconds<0>> => Option<u32> = InOneStep(Unset("10; with \"load_balancer\" it is asked")), example "6";

    /// How long this machine waits for a load balancer to say that a host is out of traffic, or back in it, or for its own command that does it, in
    /// seconds.
    drain_timeout_seconds as timeout_seconds: Seconds<1> => u32 = Always(600u32);

    /// The roles of the hosts that are taken out of traffic.
    drain_roles as roles: Vec<Name<Role>> => Vec<Role> = Noted(Empty, "all hosts"), example r#"["web"]"#;

    /// How many hosts have to stay in traffic: no more are taken out at the same time than leave so many. The only host of an environment is
    /// never taken out.
    min_in_service: Bounded<1, 10000> => u32 = Always(1u32), example "2";
}

/// How a host is taken out of traffic, as it is typed.
#[derive(Debug, Clone)]
pub(in crate::config) enum DrainText {
    Not,
    By(DrainMethod),
}

table! {
    /// Commands that do it, as they are typed.
    DrainCommandLayer;

    /// Takes a host out of traffic, for `sh`.
    command: Text, example r#""echo 'disable server five/web1' | socat stdio /run/haproxy/admin.sock""#;

    /// Puts it back.
    undo: Text, example r#""echo 'enable server five/web1' | socat stdio /run/haproxy/admin.sock""#;

    /// Where both run: on the `"host"`, which puts itself back when its deployer is lost, or on the `"deployer"`.
    on: Option<DrainOn>, default DefaultValue::value(Value::from("host"));
}

const METHODS: [&str; 3] = ["none", "file", "load_balancer"];

impl<'de> Deserialize<'de> for DrainText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DrainVisitor;

        impl<'de> Visitor<'de> for DrainVisitor {
            type Value = DrainText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, or a table with `command` and `undo`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DrainText, E> {
                match text {
                    "none" => Ok(DrainText::Not),
                    "file" => Ok(DrainText::By(DrainMethod::File)),
                    "load_balancer" => Ok(DrainText::By(DrainMethod::LoadBalancer)),
                    _ => {
                        Err(Mistake::new(format!("{} is no way to take a host out of traffic", quoted(text)))
                            .help(did_you_mean(text, METHODS))
                            .into_error())
                    }
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DrainText, A::Error> {
                let layer = DrainCommandLayer::deserialize(MapAccessDeserializer::new(map))?;
                let DrainCommandLayer { command: Text(command), undo: Text(undo), on } = layer;
                for command in [&command, &undo] {
                    if command.trim().is_empty() {
                        return Err(Mistake::new("one of the commands is empty")
                            .help("write one that takes a host out of traffic, and one that puts it back")
                            .into_error());
                    }
                }
                let on = on.unwrap_or(DrainOn::Host);
                Ok(DrainText::By(DrainMethod::Command(DrainCommand { command, undo, on })))
            }
        }

        deserializer.deserialize_any(DrainVisitor)
    }
}

means! {
    DrainText => Option<DrainMethod>: drain => match drain {
        DrainText::Not => None,
        DrainText::By(method) => Some(method),
    },
}

impl Valued for DrainMethod {
    fn value(&self) -> Value {
        match self {
            DrainMethod::File => text("file"),
            DrainMethod::LoadBalancer => text("load_balancer"),
            DrainMethod::Command(DrainCommand { command, undo, on }) => {
                let on = if *on == DrainOn::Host { "host" } else { "deployer" };
                let entries = [("command", command.as_str()), ("undo", undo), ("on", on)];
                Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
            }
        }
    }
}

schema_of! {
    DrainText => json_schema!({
        "anyOf": [
            { "enum": METHODS },
            {
                "type": "object",
                "properties": {
                    "command": { "type": "string" },
                    "undo": { "type": "string" },
                    "on": { "enum": ["host", "deployer"] },
                },
                "required": ["command", "undo"],
                "additionalProperties": false,
            },
        ]
    }),
}

struct OrNone;

impl Rule<DrainText, Option<DrainMethod>> for OrNone {
    fn resolve(&self, typed: Option<&DrainText>, _: &Written<'_>) -> Option<DrainMethod> {
        typed.cloned().and_then(Typed::meaning)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("hosts are not taken out of traffic")
    }
}
