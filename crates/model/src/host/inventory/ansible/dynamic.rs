//! What a command prints: the form of Ansible's dynamic inventories, or a plain list of hosts.

use super::value::Value;
use super::{Inventory, InventoryError, Variables, not_too_many};
use crate::host::inventory::{Listed, ListedHost};

/// Reads what a command has printed; it is called so in what is said of it.
///
/// # Errors
///
/// What can't be read.
pub fn read_dynamic(command: &str, text: &str) -> Result<Listed, InventoryError> {
    let value = parse(command, text)?;
    if let Value::List(list) = value {
        not_too_many(command, list.len())?;
        let hosts = list.iter().enumerate().map(|(at, item)| {
            plain_host(item).map_err(|why| InventoryError::new(command, format!("its host {} {why}", at + 1)))
        });
        return Ok(Listed { hosts: hosts.collect::<Result<_, _>>()?, notes: Vec::new() });
    }
    let mut inventory = Inventory::default();
    read_groups(&mut inventory, command, value)?;
    inventory.listed(command)
}

/// A host of a plain list.
fn plain_host(item: &Value) -> Result<ListedHost, String> {
    let mut host = ListedHost::default();
    let entries = match item {
        Value::Text(name) => return Ok(ListedHost { name: name.clone(), ..host }),
        Value::Map(entries) => entries,
        Value::Null | Value::List(_) => return Err(A_HOST.to_owned()),
    };
    for (key, value) in entries {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("name", Value::Text(text)) => host.name = text.clone(),
            ("address", Value::Text(text)) => host.address = Some(text.clone()),
            ("user", Value::Text(text)) => host.user = Some(text.clone()),
            ("port", Value::Text(text)) => {
                let port = text.parse().ok().filter(|port: &u16| *port > 0);
                host.port = Some(port.ok_or_else(|| format!("has the port {text:?}, which is none"))?);
            }
            ("roles", Value::List(roles)) => {
                for role in roles {
                    let Value::Text(role) = role else { return Err(A_HOST.to_owned()) };
                    host.roles.insert(role.clone());
                }
            }
            ("name" | "address" | "user" | "port" | "roles", _) => {
                return Err(format!("has a bad {key:?}: it {A_HOST}"));
            }
            _ => return Err(format!("has the key {key:?}, which means nothing: it {A_HOST}")),
        }
    }
    if host.name.is_empty() { Err("has no name".to_owned()) } else { Ok(host) }
}

const A_HOST: &str = "has to be a name, or an object with `name`, `address`, `port`, `user` and `roles`";

/// Adds what a file in that form says.
pub(super) fn read_into(inventory: &mut Inventory, path: &str, text: &str) -> Result<(), InventoryError> {
    let value = parse(path, text)?;
    read_groups(inventory, path, value)
}

fn parse(from: &str, text: &str) -> Result<Value, InventoryError> {
    serde_json::from_str(text).map_err(|error| {
        let why = if text.trim().is_empty() {
            "it says nothing".to_owned()
        } else {
            format!("it isn't JSON: {error}")
        };
        InventoryError::new(from, why)
    })
}

fn read_groups(inventory: &mut Inventory, from: &str, value: Value) -> Result<(), InventoryError> {
    let wrong = |why: String| InventoryError::new(from, why);
    let Value::Map(groups) = &value else {
        return Err(wrong("it has to be a list of hosts, or an object of groups as of Ansible's".to_owned()));
    };
    let names_in = |value: &Value, what: &str| -> Result<Vec<String>, InventoryError> {
        let not_names = || InventoryError::new(from, format!("{what} has to be a list of names"));
        let Value::List(list) = value else { return Err(not_names()) };
        let name = |item: &Value| match item {
            Value::Text(name) => Ok(name.clone()),
            _ => Err(not_names()),
        };
        list.iter().map(name).collect()
    };
    let add = |inventory: &mut Inventory, group: &str, hosts: Vec<String>| {
        let group = (group != "all" && group != "ungrouped").then_some(group);
        inventory.add(group, hosts, &Variables::new());
    };
    for (name, group) in groups {
        if name == "_meta" {
            continue;
        }
        inventory.group(name);
        match group {
            Value::List(_) => {
                let hosts = names_in(group, name)?;
                add(inventory, name, hosts);
            }
            Value::Map(_) => {
                if let Some(hosts) = group.get("hosts") {
                    let hosts = names_in(hosts, &format!("`hosts` of {name}"))?;
                    add(inventory, name, hosts);
                }
                if let Some(children) = group.get("children") {
                    let children = names_in(children, &format!("`children` of {name}"))?;
                    inventory.group(name).children.extend(children);
                }
                if let Some(variables) = group.get("vars") {
                    inventory.group(name).variables.extend(variables_of(variables));
                }
            }
            _ => return Err(wrong(format!("the group {name} has to be a list or an object"))),
        }
    }
    let of_hosts = value.get("_meta").and_then(|meta| meta.get("hostvars"));
    for (host, variables) in of_hosts.into_iter().flat_map(Value::entries) {
        // As Ansible does: a host of no group is one all the same.
        inventory.add(None, vec![host.clone()], &variables_of(variables));
    }
    Ok(())
}

fn variables_of(value: &Value) -> Variables {
    value.entries().iter().cloned().collect()
}
