//! From what was answered to hosts: which of those that were named are hosts, where each is reached, and why the others are left out.

use std::collections::BTreeSet;

use super::expand::{Draft, HostDefaults, fill_connect, web};
use crate::config::areas::inventory::{AddressKind, InventoryLayer};
use crate::config::rule::Written;
use crate::host::inventory::{Answer, HostSource, Instance, LeftOut, ListedHost, Origin, Question};
use crate::host::{Connect, Host};
use crate::names::Role;

/// What came of the answers.
#[derive(Debug, Default)]
pub(in crate::config) struct Found {
    pub(in crate::config) hosts: Vec<Host>,
    pub(in crate::config) left_out: Vec<LeftOut>,
    /// Those who named no host.
    pub(in crate::config) empty: Vec<HostSource>,
    pub(in crate::config) notes: Vec<String>,
}

/// How machines become hosts here.
struct Rules<'a> {
    defaults: &'a HostDefaults<'a>,
    address: AddressKind,
    role_tag: Option<String>,
    port: Option<u16>,
}

/// The hosts that were named, in the order of the questions. The same machine is one host, whoever names it: with the roles that all of
/// them say, at the place of the first.
pub(super) fn find(questions: &[Question], defaults: &HostDefaults<'_>, written: &Written<'_>) -> Found {
    let rules = Rules {
        defaults,
        address: InventoryLayer::address(written),
        role_tag: InventoryLayer::role_tag(written),
        port: defaults.port,
    };
    let mut found = Found::default();
    let mut hosts = BTreeSet::new();
    for question in questions {
        let Some(answer) = written.answers.get(question) else { continue };
        let source = &question.source;
        let named: Vec<Result<Host, LeftOut>> = match answer {
            Answer::Instances(instances) => {
                let mut instances: Vec<&Instance> = instances.iter().collect();
                // The one that has been there longest goes first: a primary stays the same as long as it lives.
                instances.sort_by(|one, other| (&one.launched, &one.id).cmp(&(&other.launched, &other.id)));
                instances
                    .into_iter()
                    .map(|it| rules.host_of_instance(source, it, written, &mut found.notes))
                    .collect()
            }
            Answer::Listed(listed) => {
                found.notes.extend(listed.notes.clone());
                listed
                    .hosts
                    .iter()
                    .map(|it| rules.host_of_list(source, it, written, &mut found.notes))
                    .collect()
            }
        };
        if !named.iter().any(Result::is_ok) {
            found.empty.push(source.clone());
        }
        for named in named {
            match named {
                Ok(host) => {
                    hosts.insert(host.name.to_string());
                    add(&mut found.hosts, host);
                }
                Err(left_out) => found.left_out.push(left_out),
            }
        }
    }
    // One source may leave out what another names.
    found.left_out.retain(|left_out| !hosts.contains(&left_out.machine));
    found.left_out.sort();
    found.left_out.dedup();
    found.notes.dedup();
    found
}

/// Adds a host, unless it is there already under any name.
fn add(hosts: &mut Vec<Host>, host: Host) {
    match hosts.iter_mut().find(|known| is_same(known, &host)) {
        Some(known) => known.roles.extend(host.roles),
        None => hosts.push(host),
    }
}

/// Whether two are one machine.
pub(super) fn is_same(one: &Host, other: &Host) -> bool {
    one.name == other.name || (one.address == other.address && one.port == other.port)
}

impl Rules<'_> {
    fn host_of_instance(
        &self,
        source: &HostSource,
        instance: &Instance,
        written: &Written<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Host, LeftOut> {
        let Instance {
            id,
            is_address,
            state,
            zone,
            private,
            public,
            private_dns,
            public_dns,
            launched: _,
            tags,
            left_out,
        } = instance;
        let called = tags.get("Name").filter(|name| !name.is_empty() && *name != id);
        let leave = |why: String| Err(leave(id, called, source.to_string(), why));
        if let Some(why) = left_out {
            return leave(why.clone());
        }
        if state != "running" {
            return leave(format!("it is {state}"));
        }
        let address = match self.address {
            _ if *is_address => Some(id),
            AddressKind::Private => private.as_ref(),
            AddressKind::Public => public.as_ref(),
            AddressKind::PrivateDns => private_dns.as_ref(),
            AddressKind::PublicDns => public_dns.as_ref(),
            AddressKind::InstanceId => Some(id),
        };
        let Some(address) = address else { return leave(format!("it has no {}", self.address.name())) };
        let said = self.role_tag.as_ref().and_then(|tag| tags.get(tag));
        let said = said
            .map(|said| said.split([',', ' ']).filter(|role| !role.is_empty()).map(str::to_string).collect());
        let origin = Origin {
            source: source.to_string(),
            instance: (!is_address).then(|| id.clone()),
            called: called.cloned(),
            zone: zone.clone(),
            comes_and_goes: source.comes_and_goes(),
        };
        let draft = Draft {
            name: id.clone(),
            address: address.clone(),
            user: self.defaults.user.map(str::to_string),
            port: self.port,
        };
        self.host(draft, &said.unwrap_or_default(), false, origin, written, notes)
    }

    fn host_of_list(
        &self,
        source: &HostSource,
        listed: &ListedHost,
        written: &Written<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Host, LeftOut> {
        let ListedHost { name, address, port, user, roles, is_local, left_out } = listed;
        if let Some(why) = left_out {
            return Err(leave(name, None, source.to_string(), why.clone()));
        }
        let origin = Origin {
            source: source.to_string(),
            instance: None,
            called: None,
            zone: None,
            comes_and_goes: source.comes_and_goes(),
        };
        let draft = Draft {
            name: name.clone(),
            address: address.clone().unwrap_or_else(|| name.clone()),
            user: user.clone().or_else(|| self.defaults.user.map(str::to_string)),
            port: port.or(self.port),
        };
        self.host(draft, roles, *is_local, origin, written, notes)
    }

    fn host(
        &self,
        draft: Draft,
        said: &BTreeSet<String>,
        is_local: bool,
        origin: Origin,
        written: &Written<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Host, LeftOut> {
        let mut roles = BTreeSet::new();
        for role in said {
            match Role::new(role) {
                Ok(role) => drop(roles.insert(role)),
                Err(error) => {
                    let which = shown(&draft.name, origin.called.as_ref());
                    notes.push(format!("{which} ({}): {error}", origin.source));
                }
            }
        }
        if roles.is_empty() {
            roles = web();
        }
        let connect = match self.defaults.connect {
            Some(connect) => fill_connect(connect, &draft, written),
            None if is_local => Some(Connect::Command(vec!["sh".to_string()])),
            None => Some(Connect::Ssh),
        };
        let id = draft.name.clone();
        match draft.checked(self.defaults.path.clone(), roles, connect) {
            Ok(host) => Ok(Host { origin: Some(origin), ..host }),
            Err(why) => Err(leave(&id, origin.called.as_ref(), origin.source, why)),
        }
    }
}

fn leave(machine: &str, called: Option<&String>, source: String, why: String) -> LeftOut {
    LeftOut { name: shown(machine, called), machine: machine.to_owned(), source, why }
}

/// A machine with what people call it.
fn shown(machine: &str, called: Option<&String>) -> String {
    called.map_or_else(|| machine.to_owned(), |called| format!("{machine}, {called}"))
}

/// Static hosts with those that were found, each machine once: what is written of one goes before what is found.
pub(super) fn with_found(written: Vec<Host>, found: Vec<Host>) -> Vec<Host> {
    let mut all = written;
    let count = all.len();
    for host in found {
        if !all[..count].iter().any(|known| is_same(known, &host)) {
            all.push(host);
        }
    }
    all
}
