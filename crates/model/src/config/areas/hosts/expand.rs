//! From the entries of `hosts` to hosts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::str::FromStr;

use super::connect::ConnectText;
use super::entry::{HostEntry, HostTable, HostText, UserText, check_address};
use super::pattern::{MOST_HOSTS, too_many};
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::path::host_path;
use crate::config::rule::Written;
use crate::config::template::Template;
use crate::host::{Connect, Host};
use crate::names::{EnvironmentName, HostName, HostPath, Role, Unit};

/// What holds for all hosts of an environment.
pub(in crate::config) struct HostDefaults<'a> {
    pub(in crate::config) unit: &'a Unit,
    pub(in crate::config) environment: &'a EnvironmentName,
    pub(in crate::config) path: &'a HostPath,
    pub(in crate::config) user: Option<&'a str>,
    pub(in crate::config) port: Option<u16>,
    pub(in crate::config) connect: Option<&'a At<ConnectText>>,
}

/// The one host of `localhost`, for a project that names none.
pub(in crate::config) fn this_machine(defaults: &HostDefaults<'_>, written: &Written<'_>) -> Vec<Host> {
    let only = "localhost".to_string();
    let draft = Draft { address: only.clone(), name: only, user: None, port: None };
    let connect = match defaults.connect {
        Some(connect) => fill_connect(connect, &draft, written),
        None => Some(Connect::Command(vec!["sh".to_string()])),
    };
    draft.into_host(connect, defaults.path.clone(), web(), &(0..0), written).into_iter().collect()
}

/// All hosts, in the order of their entries. What is wrong with an entry is noted, and that its hosts are there already.
pub(in crate::config) fn expand(
    entries: &[At<HostEntry>],
    defaults: &HostDefaults<'_>,
    written: &Written<'_>,
) -> Vec<Host> {
    let total = |total: usize, entry: &At<HostEntry>| match &entry.value {
        HostEntry::Text(text) => total + text.pattern.len(),
        HostEntry::Table(table) => total + table.name.0.len(),
    };
    if entries.iter().fold(0, total) > MOST_HOSTS {
        let last = entries.last().map_or(0..0, |entry| entry.span.clone());
        written.note_at(&last, too_many());
        return Vec::new();
    }
    let ports = ports_by_address(entries);
    let mut names = HashSet::new();
    let mut hosts = Vec::new();
    for entry in entries {
        let expanded = match &entry.value {
            HostEntry::Text(text) => expand_text(text, &entry.span, &ports, defaults, written),
            HostEntry::Table(table) => expand_table(table, &entry.span, defaults, written),
        };
        if let Some(host) = expanded.iter().find(|host| !names.insert(host.name.clone())) {
            let mistake = Mistake::new(format!("there are two hosts called {}", quoted(host.name.as_str())))
                .help("leave one out, or tell them apart: `{ name = \"…\", address = \"…\" }`");
            written.note_at(&entry.span, mistake);
        }
        hosts.extend(expanded);
    }
    hosts
}

/// A host before its name and address are proven to be such.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl Draft {
    /// The host, unless something is wrong with it, which is noted.
    fn into_host(
        self,
        connect: Option<Connect>,
        path: HostPath,
        roles: BTreeSet<Role>,
        span: &Range<usize>,
        written: &Written<'_>,
    ) -> Option<Host> {
        let Draft { name, address, user, port } = self;
        let address_is_right =
            check_address(&address).map_err(|mistake| written.note_at(span, mistake)).is_ok();
        let name =
            HostName::new(name).map_err(|error| written.note_at(span, Mistake::new(error.to_string())));
        let (Ok(name), true, Some(connect)) = (name, address_is_right, connect) else { return None };
        Some(Host { name, app: None, address, user, port, roles, path, connect, origin: None })
    }

    /// The same of a host that nobody has written here: what is wrong with it is no mistake of the configuration.
    pub(super) fn checked(
        self,
        path: HostPath,
        roles: BTreeSet<Role>,
        connect: Option<Connect>,
    ) -> Result<Host, String> {
        let Draft { name, address, user, port } = self;
        check_address(&address).map_err(|mistake| mistake.message)?;
        if let Some(Err(mistake)) = user.as_deref().map(UserText::from_str) {
            return Err(mistake.message);
        }
        let name = HostName::new(name).map_err(|error| error.to_string())?;
        let connect = connect.ok_or("`connect` can't be filled in for it")?;
        Ok(Host { name, app: None, address, user, port, roles, path, connect, origin: None })
    }
}

/// The ports that each address was written with in a string. An address with several has to be told apart by them.
fn ports_by_address(entries: &[At<HostEntry>]) -> BTreeMap<String, BTreeSet<Option<u16>>> {
    let mut ports: BTreeMap<String, BTreeSet<Option<u16>>> = BTreeMap::new();
    for entry in entries {
        if let HostEntry::Text(text) = &entry.value {
            for address in text.pattern.expand() {
                ports.entry(address).or_default().insert(text.port);
            }
        }
    }
    ports
}

/// The hosts of a pattern have their mistakes in common: those of the first one are enough.
fn expand_text(
    text: &HostText,
    span: &Range<usize>,
    ports: &BTreeMap<String, BTreeSet<Option<u16>>>,
    defaults: &HostDefaults<'_>,
    written: &Written<'_>,
) -> Vec<Host> {
    let host = |address: String| {
        let several = ports.get(&address).is_some_and(|ports| ports.len() > 1);
        let name = match text.port.filter(|_| several) {
            Some(port) if address.contains(':') => format!("[{address}]:{port}"),
            Some(port) => format!("{address}:{port}"),
            None => address.clone(),
        };
        let user = text.user.clone().or_else(|| defaults.user.map(str::to_string));
        let draft = Draft { name, address, user, port: text.port.or(defaults.port) };
        let connect = match defaults.connect {
            Some(connect) => fill_connect(connect, &draft, written),
            None => Some(Connect::Ssh),
        };
        draft.into_host(connect, defaults.path.clone(), web(), span, written)
    };
    text.pattern.expand().into_iter().map_while(host).collect()
}

fn expand_table(
    table: &HostTable,
    span: &Range<usize>,
    defaults: &HostDefaults<'_>,
    written: &Written<'_>,
) -> Vec<Host> {
    let HostTable { name, address, port, user, roles, path, connect } = table;
    let host = |name: String| {
        let value = |placeholder: &str| match placeholder {
            "name" => Some(name.as_str()),
            "unit" => Some(defaults.unit.as_str()),
            "environment" => Some(defaults.environment.as_str()),
            _ => None,
        };
        let fill = |template: &Template, span: &Range<usize>| {
            let filled = template.fill(value).map_err(|placeholder| no_value(&placeholder, &name));
            filled.map_err(|mistake| written.note_at(span, mistake)).ok()
        };
        let filled = match address {
            Some(At { value: address, span }) => fill(&address.0, span),
            None if name.matches(':').count() == 1 => {
                written.note_at(span, port_in_name(&name));
                None
            }
            None => Some(name.clone()),
        };
        // The brackets only keep the colons of an address from its port, which has a key of its own here.
        let address = filled.map(|filled| {
            filled.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&filled).to_string()
        });
        let path = match path {
            Some(At { value: path, span }) => fill(&path.0, span)
                .and_then(|path| host_path(&path).map_err(|mistake| written.note_at(span, mistake)).ok()),
            None => Some(defaults.path.clone()),
        };
        let roles = roles.as_ref().map_or_else(web, |roles| roles.0.iter().cloned().collect());
        let (Some(address), Some(path)) = (address, path) else { return None };
        let draft = Draft {
            address,
            user: user.as_ref().map(|user| user.0.as_str()).or(defaults.user).map(str::to_string),
            port: port.and_then(|port| u16::try_from(port.0).ok()).or(defaults.port),
            name: name.clone(),
        };
        let connect = match connect.as_ref().or(defaults.connect) {
            Some(connect) => fill_connect(connect, &draft, written),
            None => Some(Connect::Ssh),
        };
        draft.into_host(connect, path, roles, span, written)
    };
    name.0.expand().into_iter().map_while(host).collect()
}

pub(super) fn fill_connect(
    connect: &At<ConnectText>,
    draft: &Draft,
    written: &Written<'_>,
) -> Option<Connect> {
    let port = draft.port.map(|port| port.to_string());
    let value = |placeholder: &str| match placeholder {
        "host" => Some(draft.name.as_str()),
        "address" => Some(draft.address.as_str()),
        "user" => draft.user.as_deref(),
        "port" => port.as_deref(),
        _ => None,
    };
    let filled = connect.value.fill(value).map_err(|placeholder| no_value(&placeholder, &draft.name));
    filled.map_err(|mistake| written.note_at(&connect.span, mistake)).ok()
}

fn no_value(placeholder: &str, host: &str) -> Mistake {
    Mistake::new(format!("`{{{placeholder}}}` has no value for the host {}", quoted(host)))
        .help(format!("give the host a {placeholder}, or leave `{{{placeholder}}}` out"))
}

fn port_in_name(name: &str) -> Mistake {
    Mistake::new(format!("{} names a host and a port", quoted(name)))
        .help("the port has a key of its own: `port = 1222`")
}

pub(super) fn web() -> BTreeSet<Role> {
    BTreeSet::from([Role::new("web").expect("`web` is a plain word")])
}
