//! How it is found out whether the app is well.

use std::collections::BTreeSet;
use std::str::FromStr;

use schemars::json_schema;
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::app::health::{Health, HealthQuestion, HttpPlace, HttpQuestion};
use crate::app::service::NamedService;
use crate::config::area::{area, table};
use crate::config::areas::hosts::entry::Roles;
use crate::config::areas::services::ServicesLayer;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::rule::{DefaultValue, Rule, Written, means};
use crate::config::show::{Out, Show, Valued, text};
use crate::config::values::{Bounded, Commands, Port, Seconds, Text, schema_of};
use crate::names::Role;

area! {
    /// How it is found out whether the app is well.
    health: HealthSettings, HealthLayer, "Health";

    /// How it is found out, on each host, whether the app is well: after every restart, until it is or `grace_seconds` are
    /// over, which takes a switch back; and whenever its status is asked for. One of `http`, `tcp` and `command` says how. That of an environment replaces that of the top level.
    health: At<HealthTable> => Option<Health> = HealthRule;
}

table! {
    /// How it is found out whether the app is well, as it is typed.
    HealthTable;

    /// A page of the app: its path, asked at `port` or `socket` by the name `localhost`; or its whole address, whose name
    /// the app is asked for by, even at a `port` or `socket` of the host itself. No redirection is followed.
    http: Option<HttpText>, example r#""/healthz""#;

    /// The port of 127.0.0.1 that `http` is asked at.
    port: Option<Port>, default DefaultValue::words("that of the address in `http`"), example "8000";

    /// The socket that `http` is asked at: an absolute path, or one in the live release.
    socket: Option<Text>, default DefaultValue::words("for a path alone, the `socket` of the only service that has one"), example r#""run/app.sock""#;

    /// The statuses of a good answer: a number, or a list of numbers.
    status: Option<Statuses>, default DefaultValue::words("200 to 399"), example "200";

    /// What a good answer holds.
    contains: Option<Text>, example r#""ok""#;

    /// A port of 127.0.0.1, or an address with a port, that takes connections when the app is well.
    tcp: Option<TcpText>, example "8000";

    /// Commands that end well when the app is well; run by `sh` in the live release.
    command: Option<Commands>, example r#""env/bin/python manage.py check --database default""#;

    /// How long one answer may take, in seconds.
    timeout_seconds: Option<Seconds<1>>, default DefaultValue::value(Value::Integer(5));

    /// How long is waited between two questions, in seconds.
    interval_seconds: Option<Seconds<1>>, default DefaultValue::value(Value::Integer(1));

    /// For how long after a restart it is asked again, in seconds.
    grace_seconds: Option<Seconds<0>>, default DefaultValue::value(Value::Integer(30));

    /// The roles of the hosts that are asked.
    roles: Option<Roles>, default DefaultValue::words("all hosts; at a service's `socket`, those of that service"), example r#"["web"]"#;
}

/// A path of the app, or a whole address.
#[derive(Debug, Clone)]
pub(in crate::config) struct HttpText {
    tls: bool,
    /// The name and port, as they are written; `None` for a path alone.
    authority: Option<String>,
    path: String,
}

/// A port, or an address with one.
#[derive(Debug, Clone)]
pub(in crate::config) struct TcpText {
    address: String,
    port: u16,
}

/// One status, or several.
#[derive(Debug, Clone)]
pub(in crate::config) struct Statuses(Vec<u16>);

typed_as_text!(HttpText);

impl FromStr for HttpText {
    type Err = Mistake;

    fn from_str(written: &str) -> Result<Self, Mistake> {
        let mistake = || {
            Mistake::new(format!("{} is neither a path nor the address of a web page", quoted(written)))
                .help("write `/healthz`, or `http://www.example.com/healthz`")
        };
        if written.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '\\' | '"')) {
            return Err(mistake());
        }
        if written.starts_with('/') {
            return Ok(HttpText { tls: false, authority: None, path: written.to_string() });
        }
        let (scheme, rest) = written.split_once("://").ok_or_else(mistake)?;
        let tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(mistake()),
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        if authority.is_empty() || authority.contains('@') {
            return Err(mistake());
        }
        let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
        let text = HttpText { tls, authority: Some(authority.to_string()), path };
        address_of(authority, text.usual_port()).map_err(|()| mistake())?;
        Ok(text)
    }
}

impl HttpText {
    fn usual_port(&self) -> u16 {
        if self.tls { 443 } else { 80 }
    }
}

/// The address and the port in `example.com:8000` or `[::1]`.
fn address_of(authority: &str, usual_port: u16) -> Result<(String, u16), ()> {
    let (address, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or(())?;
            (address, rest.strip_prefix(':').or(rest.is_empty().then_some("")).ok_or(())?)
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if address.is_empty() || address.starts_with('-') || !address.chars().all(plain) {
        return Err(());
    }
    let port =
        if port.is_empty() { usual_port } else { port.parse().ok().filter(|port| *port > 0).ok_or(())? };
    Ok((address.to_string(), port))
}

impl<'de> Deserialize<'de> for TcpText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (address, port) = match Value::deserialize(deserializer)? {
            Value::Integer(port) => {
                ("127.0.0.1".to_string(), u16::try_from(port).ok().filter(|port| *port > 0))
            }
            Value::String(written) => match address_of(&written, 0) {
                Ok((address, port)) => (address, Some(port).filter(|port| *port > 0)),
                Err(()) => (String::new(), None),
            },
            _ => (String::new(), None),
        };
        let port = port.ok_or_else(|| {
            serde::de::Error::custom(
                "this is neither a port nor an address with one: write `8000`, or `\"127.0.0.1:8000\"`",
            )
        })?;
        Ok(TcpText { address, port })
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = match Value::deserialize(deserializer)? {
            Value::Array(list) => list,
            one => vec![one],
        };
        let status = |value: &Value| {
            u16::try_from(value.as_integer()?).ok().filter(|status| (100..600).contains(status))
        };
        let statuses: Option<Vec<u16>> = list.iter().map(status).collect();
        let statuses = statuses.filter(|statuses| !statuses.is_empty());
        statuses.map(Statuses).ok_or_else(|| serde::de::Error::custom("a status is a number from 100 to 599"))
    }
}

schema_of! {
    HttpText => json_schema!({ "type": "string", "pattern": "^(https?:/)?/" }),
    TcpText => json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 65535 }, { "type": "string" }] }),
    Statuses => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "array", "items": { "type": "integer" }, "minItems": 1 }
        ]
    }),
}

means! { HealthTable => HealthTable: itself => itself }

/// One question, or none.
struct HealthRule;

impl Rule<At<HealthTable>, Option<Health>> for HealthRule {
    fn resolve(&self, typed: Option<&At<HealthTable>>, written: &Written<'_>) -> Option<Health> {
        let At { value: table, span } = typed?;
        let named = ServicesLayer::services(written);
        let listen: Vec<(&NamedService, &str)> = named
            .iter()
            .filter_map(|named| Some((named, named.listening.as_ref()?.socket.as_str())))
            .collect();
        let sockets: BTreeSet<&str> = listen.iter().map(|(_, socket)| *socket).collect();
        let only_socket = sockets.first().copied().filter(|_| sockets.len() == 1);
        let asked = question(table, only_socket);
        let question = asked.map_err(|mistake| written.note_at(span, mistake)).ok()?;
        let roles = || match &question {
            HealthQuestion::Http(HttpQuestion { place: HttpPlace::Socket { path }, .. }) => {
                let of = listen.iter().filter(|(_, socket)| socket == path).map(|(named, _)| &named.roles);
                let all: Vec<&BTreeSet<Role>> = of.collect();
                if all.iter().any(|roles| roles.is_empty()) {
                    BTreeSet::new()
                } else {
                    all.into_iter().flatten().cloned().collect()
                }
            }
            _ => BTreeSet::new(),
        };
        let roles = table.roles.clone().map_or_else(roles, |Roles(roles)| roles.into_iter().collect());
        let seconds = |typed: Option<Seconds<1>>, usual: u32| typed.map_or(usual, |Bounded(seconds)| seconds);
        Some(Health {
            question,
            timeout_seconds: seconds(table.timeout_seconds, 5),
            interval_seconds: seconds(table.interval_seconds, 1),
            grace_seconds: table.grace_seconds.map_or(30, |Bounded(seconds)| seconds),
            roles,
        })
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::words("the app isn't asked")
    }
}

/// `socket` is that of the only service that has one.
fn question(table: &HealthTable, only_socket: Option<&str>) -> Result<HealthQuestion, Mistake> {
    let HealthTable { http, port, socket, status, contains, tcp, command, .. } = table;
    let one_way = "keep only one of `http`, `tcp` and `command`";
    match (http, tcp, command) {
        (Some(http), None, None) => {
            let place = match (port, socket) {
                (Some(_), Some(_)) => {
                    return Err(Mistake::new("the app is asked at two places")
                        .help("keep only one of `port` and `socket`"));
                }
                (Some(Bounded(port)), None) => {
                    let port = u16::try_from(*port).expect("a port has an upper bound");
                    HttpPlace::Tcp { address: "127.0.0.1".to_string(), port }
                }
                (None, Some(Text(path))) => HttpPlace::Socket { path: path.clone() },
                (None, None) if http.authority.is_none() && only_socket.is_some() => {
                    HttpPlace::Socket { path: only_socket.unwrap_or_default().to_string() }
                }
                (None, None) => {
                    let asked = http
                        .authority
                        .as_deref()
                        .and_then(|authority| address_of(authority, http.usual_port()).ok());
                    let (address, port) = asked.ok_or_else(|| {
                        Mistake::new("it isn't known where the app is asked for this path")
                            .help("add `port = 8000`, or `socket = \"run/app.sock\"`")
                    })?;
                    HttpPlace::Tcp { address, port }
                }
            };
            Ok(HealthQuestion::Http(HttpQuestion {
                tls: http.tls,
                host: http.authority.clone().unwrap_or_else(|| "localhost".to_string()),
                path: http.path.clone(),
                place,
                statuses: status.clone().map(|Statuses(statuses)| statuses).unwrap_or_default(),
                contains: contains.clone().map(|Text(text)| text),
            }))
        }
        (None, tcp, command) => {
            let of_http = [
                ("port", port.is_some()),
                ("socket", socket.is_some()),
                ("status", status.is_some()),
                ("contains", contains.is_some()),
            ];
            if let Some((key, _)) = of_http.iter().find(|(_, is_there)| *is_there) {
                return Err(Mistake::new(format!("`{key}` needs a page to ask for"))
                    .help("add `http = \"/healthz\"`"));
            }
            match (tcp, command) {
                (Some(TcpText { address, port }), None) => {
                    Ok(HealthQuestion::Tcp { address: address.clone(), port: *port })
                }
                (None, Some(Commands(commands))) if !commands.is_empty() => {
                    Ok(HealthQuestion::Command { commands: commands.clone() })
                }
                (None, _) => Err(Mistake::new("this doesn't say how the app is asked")
                    .help("add `http = \"/healthz\"` with a `port`, `tcp = 8000`, or a `command`")),
                (Some(_), Some(_)) => Err(Mistake::new("the app is asked in two ways").help(one_way)),
            }
        }
        (Some(_), _, _) => Err(Mistake::new("the app is asked in two ways").help(one_way)),
    }
}

impl Show for Option<Health> {
    fn entry(&self, _: &str, _: Option<&DefaultValue>, _: &mut Out) {}

    fn tables(&self, table: &str, out: &mut Out) {
        let Some(Health { question, timeout_seconds, interval_seconds, grace_seconds, roles }) = self else {
            return;
        };
        out.header(&format!("[{table}]"));
        match question {
            HealthQuestion::Http(HttpQuestion { tls, host, path, place, statuses, contains }) => {
                let scheme = if *tls { "https" } else { "http" };
                out.entry("http", text(&format!("{scheme}://{host}{path}")));
                match place {
                    HttpPlace::Tcp { address, port } if address == "127.0.0.1" => {
                        out.entry("port", i64::from(*port))
                    }
                    HttpPlace::Tcp { .. } => {}
                    HttpPlace::Socket { path } => out.entry("socket", text(path)),
                }
                let list = Value::Array(statuses.iter().map(|status| i64::from(*status).into()).collect());
                out.entry_or("status", Some(list).filter(|_| !statuses.is_empty()), "200 to 399");
                out.entry_or("contains", contains.as_deref().map(text), "anything");
            }
            HealthQuestion::Tcp { address, port } => {
                let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
                out.entry("tcp", text(&format!("{address}:{port}")));
            }
            HealthQuestion::Command { commands } => out.entry("command", commands.value()),
        }
        out.entry("timeout_seconds", timeout_seconds.value());
        out.entry("interval_seconds", interval_seconds.value());
        out.entry("grace_seconds", grace_seconds.value());
        let roles: Vec<Value> = roles.iter().map(Valued::value).collect();
        out.entry_or("roles", Some(roles).filter(|roles| !roles.is_empty()), "all hosts");
    }
}
