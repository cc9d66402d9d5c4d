//! From the entries of `hosts` to hosts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use super::at::At;
use super::connect::ConnectText;
use super::diagnostics::Diagnostic;
use super::hosts::{HostEntry, HostTable, HostText, UserText, check_address};
use super::mistake::{Mistake, quoted};
use super::pattern::{MOST_HOSTS, too_many};
use crate::host::{Connect, Host};
use crate::names::{EnvironmentName, HostName, HostPath, Role, Unit};

/// What holds for all hosts of an environment.
pub(super) struct HostDefaults<'a> {
    pub(super) unit: &'a Unit,
    pub(super) environment: &'a EnvironmentName,
    pub(super) path: &'a HostPath,
    pub(super) user: Option<&'a UserText>,
    pub(super) connect: Option<&'a At<ConnectText>>,
}

/// The one host of `localhost`, for a project that names none.
pub(super) fn this_machine(defaults: &HostDefaults<'_>) -> Result<Vec<Host>, Diagnostic> {
    let only = "localhost".to_string();
    let draft = Draft { address: only.clone(), name: only, user: None, port: None };
    let connect = match defaults.connect {
        Some(connect) => fill_connect(connect, &draft)?,
        None => Connect::Command(vec!["sh".to_string()]),
    };
    let host = draft.into_host(connect, defaults.path.clone(), web(), &(0..0))?;
    Ok(vec![host])
}

/// All hosts, in the order of their entries.
///
/// # Errors
///
/// One diagnostic for each entry that can't be expanded, or whose hosts are there already.
pub(super) fn expand(
    entries: &[At<HostEntry>],
    defaults: &HostDefaults<'_>,
) -> Result<Vec<Host>, Vec<Diagnostic>> {
    let total = |total: usize, entry: &At<HostEntry>| match &entry.value {
        HostEntry::Text(text) => total + text.pattern.len(),
        HostEntry::Table(table) => total + table.name.0.len(),
    };
    if entries.iter().fold(0, total) > MOST_HOSTS {
        let last = entries.last().map_or(0..0, |entry| entry.span.clone());
        return Err(vec![Diagnostic::at(&last, too_many())]);
    }
    let ports = ports_by_address(entries);
    let mut names = HashSet::new();
    let mut hosts = Vec::new();
    let mut diagnostics = Vec::new();
    for entry in entries {
        let expanded = match &entry.value {
            HostEntry::Text(text) => expand_text(text, &entry.span, &ports, defaults),
            HostEntry::Table(table) => expand_table(table, &entry.span, defaults),
        };
        let expanded = match expanded {
            Ok(expanded) => expanded,
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                continue;
            }
        };
        let twice = expanded.iter().find(|host| !names.insert(host.name.clone()));
        diagnostics.extend(twice.map(|host| {
            Diagnostic::at(
                &entry.span,
                Mistake::new(format!("there are two hosts called {}", quoted(host.name.as_str())))
                    .help("leave one out, or tell them apart: `{ name = \"…\", address = \"…\" }`"),
            )
        }));
        hosts.extend(expanded);
    }
    if diagnostics.is_empty() { Ok(hosts) } else { Err(diagnostics) }
}

/// A host before its name and address are proven to be such.
struct Draft {
    name: String,
    address: String,
    user: Option<String>,
    port: Option<u16>,
}

impl Draft {
    fn into_host(
        self,
        connect: Connect,
        path: HostPath,
        roles: BTreeSet<Role>,
        span: &Range<usize>,
    ) -> Result<Host, Diagnostic> {
        let Draft { name, address, user, port } = self;
        check_address(&address).map_err(|mistake| Diagnostic::at(span, mistake))?;
        let name =
            HostName::new(name).map_err(|error| Diagnostic::at(span, Mistake::new(error.to_string())))?;
        Ok(Host { name, address, user, port, roles, path, connect })
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

fn expand_text(
    text: &HostText,
    span: &Range<usize>,
    ports: &BTreeMap<String, BTreeSet<Option<u16>>>,
    defaults: &HostDefaults<'_>,
) -> Result<Vec<Host>, Diagnostic> {
    let host = |address: String| {
        let several = ports.get(&address).is_some_and(|ports| ports.len() > 1);
        let name = match text.port.filter(|_| several) {
            Some(port) if address.contains(':') => format!("[{address}]:{port}"),
            Some(port) => format!("{address}:{port}"),
            None => address.clone(),
        };
        let user = text.user.clone().or_else(|| defaults.user.map(|user| user.0.clone()));
        let draft = Draft { name, address, user, port: text.port };
        let connect = defaults.connect.map_or(Ok(Connect::Ssh), |connect| fill_connect(connect, &draft))?;
        draft.into_host(connect, defaults.path.clone(), web(), span)
    };
    text.pattern.expand().into_iter().map(host).collect()
}

fn expand_table(
    table: &HostTable,
    span: &Range<usize>,
    defaults: &HostDefaults<'_>,
) -> Result<Vec<Host>, Diagnostic> {
    let HostTable { name, address, port, user, roles, path, connect } = table;
    let host = |name: String| {
        let value = |placeholder: &str| match placeholder {
            "name" => Some(name.as_str()),
            "unit" => Some(defaults.unit.as_str()),
            "environment" => Some(defaults.environment.as_str()),
            _ => None,
        };
        let filled = match address {
            Some(At { value: address, span }) => {
                address.0.fill(value).map_err(|placeholder| no_value(&placeholder, &name, span))?
            }
            None if name.matches(':').count() == 1 => return Err(port_in_name(&name, span)),
            None => name.clone(),
        };
        // The brackets only keep the colons of an address from its port, which has a key of its own here.
        let address =
            filled.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&filled).to_string();
        let path = match path {
            Some(At { value: path, span }) => {
                let path = path.0.fill(value).map_err(|placeholder| no_value(&placeholder, &name, span))?;
                host_path(&path).map_err(|mistake| Diagnostic::at(span, mistake))?
            }
            None => defaults.path.clone(),
        };
        let roles = roles.as_ref().map_or_else(web, |roles| roles.0.iter().cloned().collect());
        let draft = Draft {
            address,
            user: user.as_ref().or(defaults.user).map(|user| user.0.clone()),
            port: port.and_then(|port| u16::try_from(port.0).ok()),
            name,
        };
        let connect = match connect.as_ref().or(defaults.connect) {
            Some(connect) => fill_connect(connect, &draft)?,
            None => Connect::Ssh,
        };
        draft.into_host(connect, path, roles, span)
    };
    name.0.expand().into_iter().map(host).collect()
}

fn fill_connect(connect: &At<ConnectText>, draft: &Draft) -> Result<Connect, Diagnostic> {
    let port = draft.port.map(|port| port.to_string());
    let value = |placeholder: &str| match placeholder {
        "host" => Some(draft.name.as_str()),
        "address" => Some(draft.address.as_str()),
        "user" => draft.user.as_deref(),
        "port" => port.as_deref(),
        _ => None,
    };
    connect.value.fill(value).map_err(|placeholder| no_value(&placeholder, &draft.name, &connect.span))
}

fn no_value(placeholder: &str, host: &str, span: &Range<usize>) -> Diagnostic {
    Diagnostic::at(
        span,
        Mistake::new(format!("`{{{placeholder}}}` has no value for the host {}", quoted(host)))
            .help(format!("give the host a {placeholder}, or leave `{{{placeholder}}}` out")),
    )
}

fn port_in_name(name: &str, span: &Range<usize>) -> Diagnostic {
    Diagnostic::at(
        span,
        Mistake::new(format!("{} names a host and a port", quoted(name)))
            .help("the port has a key of its own: `port = 1222`"),
    )
}

/// A path with all its placeholders filled, without slashes at its end.
pub(super) fn host_path(text: &str) -> Result<HostPath, Mistake> {
    let trimmed = text.trim_end_matches('/');
    HostPath::new(if trimmed.is_empty() { text } else { trimmed })
        .map_err(|error| Mistake::new(error.to_string()))
}

fn web() -> BTreeSet<Role> {
    BTreeSet::from([Role::new("web").expect("`web` is a plain word")])
}
