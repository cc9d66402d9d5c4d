//! The hosts of an environment, and how each is reached.

mod connect;
pub(in crate::config) mod entry;
mod expand;
mod found;
mod pattern;

use serde::ser::SerializeMap;
use toml::Value;

use self::connect::{ConnectText, write_connect};
use self::entry::HostEntry;
use self::expand::{HostDefaults, expand, this_machine};
use self::found::{Found, find, with_found};
use crate::config::area::{Area, layer};
use crate::config::areas::{AppLayer, HostSourceSettings, InventoryLayer, UsersLayer};
use crate::config::at::At;
use crate::config::rule::{DefaultValue, Written, means};
use crate::config::show::{Out, Valued, text};
use crate::config::template::escape;
use crate::config::values::Name;
use crate::host::{Connect, Host};
use crate::names::{EnvironmentName, Role};

layer! {
    /// Where an environment is. All but `connect` belongs to environments only.
    HostsLayer, "How hosts are reached";

    /// How hosts are reached: `"ssh"`, or a command that gives a POSIX shell on its standard input. `{host}` (its name),
    /// `{address}`, `{user}` and `{port}` may stand in it.
    connect: At<ConnectText>, default Some(DefaultValue {
        value: Some("ssh".into()),
        words: Some("and `\"sh\"` for localhost without hosts".to_string()),
    }), example r#""docker exec -i {host} sh""#;

    /// The environment whose settings hold here where nothing else is said, hosts and defaults included.
    extends: At<Name<EnvironmentName>>, default DefaultValue::words("none"), example r#""production""#;

    /// The hosts of this environment: strings such as `"web1"`, `"deploy@web1:1222"`, `"web[1:3].example.com"`, or tables
    /// with `name`, `address`, `port`, `user`, `roles`, `path` and `connect`.
    hosts: Vec<At<HostEntry>>, default DefaultValue::words("none, and this machine for localhost");
}

means! {
    ConnectText => ConnectText: itself => itself,
    HostEntry => HostEntry: itself => itself,
}

impl Area for Vec<Host> {
    type Layer = HostsLayer;

    fn resolve(written: &Written<'_>) -> Self {
        written.apart(|| hosts_of(written))
    }

    fn show_entries(&self, out: &mut Out) {
        if self.iter().all(|host| host.origin.is_some()) {
            out.entry("hosts", Vec::<Value>::new());
        }
        // What was found isn't written, or it would be there twice.
        for host in self {
            if let Some(origin) = &host.origin {
                let user = host.user.as_ref().map_or(String::new(), |user| format!("{user}@"));
                let port = host.port.map_or(String::new(), |port| format!(":{port}"));
                let roles = host.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(", ");
                let place = format!("{user}{}{port}", host.address);
                out.comment(&format!("found: {} at {place}, for {roles}; from {origin}", host.name));
            }
        }
    }

    fn show_tables(&self, table: &str, out: &mut Out) {
        for Host { name, app: _, address, user, port, roles, path, connect, origin } in self {
            if origin.is_some() {
                continue;
            }
            out.header(&format!("[[{table}.hosts]]"));
            out.entry("name", text(name.as_str()));
            out.entry("address", text(&escape(address)));
            out.entry_or("user", user.as_deref().map(text), unsaid(connect));
            out.entry_or("port", port.map(i64::from), unsaid(connect));
            out.entry("roles", roles.iter().map(Valued::value).collect::<Vec<_>>());
            out.entry("path", path.value());
            out.entry("connect", text(&write_connect(connect)));
        }
    }

    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("hosts", self)
    }
}

/// What decides when nothing is written.
fn unsaid(connect: &Connect) -> &'static str {
    match connect {
        Connect::Ssh => "what ssh_config says",
        Connect::Command(_) => "none",
    }
}

/// What holds for all hosts of an environment, handed on.
fn with_defaults<R>(
    written: &Written<'_>,
    connect: Option<&At<ConnectText>>,
    work: impl FnOnce(&HostDefaults<'_>) -> R,
) -> R {
    written.rests_on("connect");
    let (unit, path) = (AppLayer::unit(written), AppLayer::path(written));
    let user = UsersLayer::deploy_user(written);
    let port = InventoryLayer::ssh_port(written);
    work(&HostDefaults {
        unit: &unit,
        environment: written.environment(),
        path: &path,
        user: user.as_deref(),
        port: port.and_then(|port| u16::try_from(port).ok()),
        connect,
    })
}

/// What was found of those who are asked.
pub(in crate::config) fn found(written: &Written<'_>) -> Found {
    let questions = HostSourceSettings::resolve(written).questions();
    let connect = written.all.hosts.connect.as_ref();
    with_defaults(written, connect, |defaults| find(&questions, defaults, written))
}

fn hosts_of(written: &Written<'_>) -> Vec<Host> {
    let HostsLayer { connect, extends: _, hosts } = &written.all.hosts;
    let fixed = match hosts {
        Some(entries) => {
            with_defaults(written, connect.as_ref(), |defaults| expand(entries, defaults, written))
        }
        None if written.lineage.kind() == Some("localhost") && !written.all.inventory.names_hosts() => {
            // A `connect` for all environments is meant for other machines than this one.
            let own = written.own.hosts.connect.as_ref();
            with_defaults(written, own, |defaults| this_machine(defaults, written))
        }
        None => Vec::new(),
    };
    with_found(fixed, found(written).hosts)
}
