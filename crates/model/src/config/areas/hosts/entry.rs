//! Hosts, as they are written: `"deploy@web[1:3].example.com:1222"`, or a table.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::connect::ConnectText;
use super::pattern::{Pattern, ipv6_prefix};
use crate::config::area::table;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::path::absolute;
use crate::config::rule::{DefaultValue, means};
use crate::config::template::Template;
use crate::config::values::{Name, Port, schema_of};
use crate::names::Role;

/// One entry of `hosts`: one host, or as many as its pattern stands for.
#[derive(Debug, Clone)]
pub(in crate::config) enum HostEntry {
    Text(HostText),
    Table(Box<HostTable>),
}

/// `[user@]pattern[:port]`.
#[derive(Debug, Clone)]
pub(in crate::config) struct HostText {
    pub(in crate::config) user: Option<String>,
    pub(in crate::config) pattern: Pattern,
    pub(in crate::config) port: Option<u16>,
}

table! {
    /// A host with more to say about it.
    HostTable;

    /// What the host is called in output and in `--hosts`; it may be a pattern.
    name: NameText, example r#""web[1:3]""#;

    /// Where it is reached: a name of your ssh_config, a DNS name or an IP address. `{name}`, `{unit}` and
    /// `{environment}` may stand in it.
    address: Option<At<AddressText>>, default DefaultValue::words("its name");

    /// The TCP port.
    port: Option<Port>, default DefaultValue::words("what your ssh_config says");

    /// The user to log in as.
    user: Option<UserText>, default DefaultValue::words("`deploy_user`, and else what your ssh_config says");

    /// What the host is for.
    roles: Option<Roles>, default DefaultValue::value(vec!["web"].into());

    /// The app's directory on this host. `{name}`, `{unit}` and `{environment}` may stand in it.
    path: Option<At<HostPathText>>, default DefaultValue::words("the `path` of the environment");

    /// How the host is reached, as `connect` of the environment.
    connect: Option<At<ConnectText>>, example r#""docker exec -i {host} sh""#;
}

/// The name of a host or a pattern of such names.
#[derive(Debug, Clone)]
pub(in crate::config) struct NameText(pub(in crate::config) Pattern);

/// An address with placeholders.
#[derive(Debug, Clone)]
pub(in crate::config) struct AddressText(pub(in crate::config) Template);

/// An absolute path with the placeholders of a host.
#[derive(Debug, Clone)]
pub(in crate::config) struct HostPathText(pub(in crate::config) Template);

/// Who logs in.
#[derive(Debug, Clone)]
pub(in crate::config) struct UserText(pub(in crate::config) String);

/// One role or more.
#[derive(Debug, Clone)]
pub(in crate::config) struct Roles(pub(in crate::config) Vec<Role>);

const PLACEHOLDERS: [&str; 3] = ["name", "unit", "environment"];

typed_as_text!(HostText, NameText, AddressText, HostPathText, UserText);

impl<'de> Deserialize<'de> for HostEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HostVisitor;

        impl<'de> Visitor<'de> for HostVisitor {
            type Value = HostEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HostEntry, E> {
                text.parse().map(HostEntry::Text).map_err(Mistake::into_error)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HostEntry, A::Error> {
                HostTable::deserialize(MapAccessDeserializer::new(map)).map(Box::new).map(HostEntry::Table)
            }
        }

        deserializer.deserialize_any(HostVisitor)
    }
}

impl FromStr for HostText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        if let Some(at) = text.find("://") {
            return Err(Mistake::new(format!("{} has a scheme", quoted(text)))
                .within(0..at + 3)
                .help("write hosts as `web1` or `deploy@web1:1222`"));
        }
        // A user of a domain has an `@` in the name: the last one counts, as it does for ssh.
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(UserText::from_str(user)?.0), rest),
            None => (None, text),
        };
        let start = text.len() - rest.len();
        let (host, port) = split_port(rest).map_err(|mistake| moved(mistake, start))?;
        let pattern = match ipv6_prefix(host) {
            Some(address) => Pattern::literal(address),
            None => Pattern::parse(host).map_err(|mistake| moved(mistake, start))?,
        };
        Ok(HostText { user, pattern, port })
    }
}

/// Splits `host:port`, in which the host may be a pattern or an IPv6 address in brackets.
fn split_port(text: &str) -> Result<(&str, Option<u16>), Mistake> {
    let after_brackets = match ipv6_prefix(text) {
        Some(address) => address.len() + 2,
        None => text.rfind(']').map_or(0, |at| at + 1),
    };
    if ipv6_prefix(text).is_some() && !matches!(text[after_brackets..].chars().next(), None | Some(':')) {
        return Err(Mistake::new(format!("{} has more than an IPv6 address", quoted(text))).help(IPV6));
    }
    if text[after_brackets..].matches(':').count() > 1 {
        return Err(Mistake::new(format!("{} has too many colons", quoted(text))).help(IPV6));
    }
    let Some(colon) = text[after_brackets..].find(':').map(|at| after_brackets + at) else {
        return Ok((text, None));
    };
    let digits = &text[colon + 1..];
    match digits.parse() {
        Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok((&text[..colon], Some(port)))
        }
        _ => Err(Mistake::new(format!("{} isn't a port", quoted(digits)))
            .within(colon..text.len())
            .help("a port is a number from 1 to 65535")),
    }
}

const IPV6: &str = "write an IPv6 address in brackets: `[::1]` or `[::1]:22`";

fn moved(mut mistake: Mistake, by: usize) -> Mistake {
    mistake.within = mistake.within.map(|within| within.start + by..within.end + by);
    mistake
}

impl FromStr for NameText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Pattern::parse(text).map(NameText)
    }
}

impl FromStr for AddressText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        check_address(text)?;
        Template::parse(text, &PLACEHOLDERS).map(AddressText)
    }
}

/// Checks what is handed to ssh as the place to connect to.
pub(in crate::config) fn check_address(text: &str) -> Result<(), Mistake> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '@' | '/');
    if text.starts_with('-') {
        return Err(Mistake::new(format!("ssh would take {} for an option", quoted(text)))
            .within(0..1)
            .help("an address can't begin with `-`"));
    }
    if text.is_empty() || text.contains(odd) {
        return Err(Mistake::new(format!("{} isn't an address", quoted(text)))
            .help("write a host name or an IP address; `user` and `port` have keys of their own"));
    }
    Ok(())
}

impl FromStr for HostPathText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        absolute(text, &PLACEHOLDERS).map(HostPathText)
    }
}

impl FromStr for UserText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.starts_with('-') || text.contains(odd) {
            return Err(Mistake::new(format!("{} isn't the name of a user", quoted(text)))
                .within(0..text.len())
                .help("it has no spaces and doesn't begin with `-`"));
        }
        Ok(UserText(text.to_string()))
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let roles = Vec::<Name<Role>>::deserialize(deserializer)?;
        if roles.is_empty() {
            Err(Mistake::new("a host needs a role")
                .help("leave `roles` out for `[\"web\"]`, or name one")
                .into_error())
        } else {
            Ok(Roles(roles.into_iter().map(|Name(role)| role).collect()))
        }
    }
}

means! { UserText => String: UserText(name) => name }

schema_of! {
    NameText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    AddressText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    HostPathText => json_schema!({ "type": "string", "pattern": "^/" }),
    UserText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
    Roles => json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
}

impl JsonSchema for HostEntry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Host".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, HostTable::json_schema(generator)] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match HostText::from_str(text) {
            Ok(HostText { user, pattern, port }) => {
                let part =
                    |name: &str, part: Option<String>| part.map_or(String::new(), |p| format!(" {name}={p}"));
                let (user, port) = (part("user", user), part("port", port.map(|p| p.to_string())));
                format!("{}{user}{port}", pattern.expand().join(" "))
            }
            Err(Mistake { message, within: Some(within), .. }) => format!("{message} at `{}`", &text[within]),
            Err(mistake) => mistake.message,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn users_ports_and_addresses() {
        check("web1", "web1");
        check("deploy@web1:1222", "web1 user=deploy port=1222");
        check("ada@corp@web1", "web1 user=ada@corp");
        check("10.0.0.1:22", "10.0.0.1 port=22");
        check("[::1]", "::1");
        check("[::1]:22", "::1 port=22");
        check("deploy@[fe80::1%eth0]:22", "fe80::1%eth0 user=deploy port=22");
        check("deploy@web[1:2]:1222", "web1 web2 user=deploy port=1222");
        check("[1:2].example.com:65535", "1.example.com 2.example.com port=65535");
    }

    #[test]
    fn mistakes_are_pointed_at() {
        check("", "a host needs a name");
        check("deploy@", "a host needs a name");
        check("@web1", "`` isn't the name of a user at ``");
        check("-l@web1", "`-l` isn't the name of a user at `-l`");
        check("-oProxyCommand=x", "ssh would take this host for an option at `-`");
        check("deploy@-x", "ssh would take this host for an option at `-`");
        check("web1:0", "`0` isn't a port at `:0`");
        check("web1:", "`` isn't a port at `:`");
        check("web1:65536", "`65536` isn't a port at `:65536`");
        check("web1:+22", "`+22` isn't a port at `:+22`");
        check("ssh://web1", "`ssh://web1` has a scheme at `ssh://`");
        check("::1", "`::1` has too many colons");
        check("[::1]x", "`[::1]x` has more than an IPv6 address");
        check("[::1][1:2]", "`[::1][1:2]` has more than an IPv6 address");
        check("deploy@web[3:1]:22", "`[3:1]` runs backwards at `[3:1]`");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in r"[\[\]:0-9a-c@%é-]{0,30}|.*") {
            let _ = HostText::from_str(&text);
        }
    }
}
