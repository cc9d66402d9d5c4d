//! Inventories of Ansible's: files in INI and in YAML, folders of such, and what dynamic ones print. By the rules of Ansible's own
//! documentation: groups, groups of groups, variables of both, ranges in names; what a host's own variable says goes before its
//! groups', and a group's before that of the groups around it.
//!
//! Groups are roles. Of the variables those are read that say where a host is; those that would change how it is reached are told,
//! as they mean nothing here; and all others are nobody's business here.

mod dynamic;
mod files;
mod ini;
mod ranges;
mod value;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

pub use dynamic::read_dynamic;
pub use files::{holds_variables, is_of_inventory, owner_of_variables};
use minijinja::Environment;

use value::Value;

use super::{Listed, ListedHost};

/// No inventory has more hosts than this: a slip of the finger should not fill the memory.
const MOST_LISTED: usize = 10_000;

/// Variables by their names.
type Variables = BTreeMap<String, Value>;

/// A file of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryFile {
    /// Its path, as people know it.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// What it is.
    pub kind: FileKind,
}

/// What a file of an inventory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// Hosts and groups.
    Inventory,
    /// Variables of a group: `group_vars/web.yml`.
    GroupVariables(String),
    /// Variables of a host: `host_vars/web1.yml`.
    HostVariables(String),
}

/// What is wrong with an inventory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}{}: {why}", line.map_or(String::new(), |line| format!(":{line}")))]
pub struct InventoryError {
    path: String,
    line: Option<usize>,
    why: String,
}

impl InventoryError {
    fn new(path: &str, why: impl Into<String>) -> Self {
        InventoryError { path: path.to_owned(), line: None, why: why.into() }
    }
}

/// Hosts and groups as they are written, from one file or from many.
#[derive(Debug, Default)]
struct Inventory {
    /// In the order in which they were written first.
    order: Vec<String>,
    hosts: BTreeMap<String, Variables>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    hosts: BTreeSet<String>,
    children: BTreeSet<String>,
    variables: Variables,
}

/// The groups that every host is in, or every host that is in no other: neither says what a host is for.
const EVERYBODY: [&str; 2] = ["all", "ungrouped"];

impl Inventory {
    fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// Puts hosts into a group, each with variables of its own.
    fn add(&mut self, group: Option<&str>, names: Vec<String>, variables: &Variables) {
        for name in names {
            if !self.hosts.contains_key(&name) {
                self.order.push(name.clone());
            }
            self.hosts.entry(name.clone()).or_default().extend(variables.clone());
            if let Some(group) = group {
                self.group(group).hosts.insert(name);
            }
        }
    }

    /// The groups that a host is in, and those around them, each with how far it is from `all`.
    fn groups_of(&self, host: &str) -> BTreeMap<&str, usize> {
        let mut depths = BTreeMap::new();
        let own = self.groups.iter().filter(|(_, group)| group.hosts.contains(host));
        for (name, _) in own {
            self.climb(name, &mut depths, &mut Vec::new());
        }
        depths.insert("all", 0);
        depths
    }

    /// Notes a group and those around it; gives back how deep it lies.
    fn climb<'a>(
        &'a self,
        name: &'a str,
        depths: &mut BTreeMap<&'a str, usize>,
        way: &mut Vec<&'a str>,
    ) -> usize {
        if name == "all" || way.contains(&name) {
            return 0;
        }
        way.push(name);
        let mut deepest = 1;
        for (around, group) in &self.groups {
            if group.children.contains(name) {
                deepest = deepest.max(self.climb(around, depths, way) + 1);
            }
        }
        way.pop();
        let depth = depths.entry(name).or_default();
        *depth = (*depth).max(deepest);
        *depth
    }

    /// What holds for a host: the variables of its groups, the nearest last, and then its own.
    fn variables_of(&self, host: &str, groups: &BTreeMap<&str, usize>) -> Variables {
        let priority = |name: &str| {
            let said = self.groups.get(name).and_then(|group| group.variables.get("ansible_group_priority"));
            match said {
                Some(Value::Text(text)) => text.parse().unwrap_or(1),
                _ => 1,
            }
        };
        let mut order: Vec<(usize, i64, &str)> =
            groups.iter().map(|(name, depth)| (*depth, priority(name), *name)).collect();
        order.sort();
        let mut variables = Variables::new();
        for group in order.iter().filter_map(|(_, _, name)| self.groups.get(*name)) {
            variables.extend(group.variables.clone());
        }
        variables.extend(self.hosts.get(host).cloned().unwrap_or_default());
        variables
    }

    /// The hosts, with all that is known of each.
    fn listed(&self, path: &str) -> Result<Listed, InventoryError> {
        not_too_many(path, self.order.len())?;
        let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut hosts = Vec::new();
        for name in &self.order {
            let groups = self.groups_of(name);
            let variables = self.variables_of(name, &groups);
            for variable in CHANGES_HOW.iter().filter(|variable| variables.contains_key(**variable)) {
                told.entry(variable).or_default().push(name);
            }
            let roles =
                groups.keys().filter(|group| !EVERYBODY.contains(group)).map(|group| (*group).to_owned());
            hosts.push(host_of(name, roles.collect(), &variables));
        }
        let note = |(variable, hosts): (&&str, &Vec<&str>)| {
            format!(
                "{variable} of {} means nothing here: write it into ~/.ssh/config, or use `connect`",
                some_of(hosts)
            )
        };
        Ok(Listed { hosts, notes: told.iter().map(note).collect() })
    }
}

fn not_too_many(path: &str, hosts: usize) -> Result<(), InventoryError> {
    let why = || format!("it lists {hosts} hosts, and no more than {MOST_LISTED} are taken");
    if hosts > MOST_LISTED { Err(InventoryError::new(path, why())) } else { Ok(()) }
}

/// The first of many names.
fn some_of(names: &[&str]) -> String {
    match names {
        [one, two, three, _, ..] => format!("{one}, {two}, {three} and {} more", names.len() - 3),
        few => few.join(", "),
    }
}

/// What would change how a host is reached, and can't here: that is OpenSSH's to know.
const CHANGES_HOW: [&str; 9] = [
    "ansible_password",
    "ansible_private_key_file",
    "ansible_ssh_common_args",
    "ansible_ssh_executable",
    "ansible_ssh_extra_args",
    "ansible_ssh_host_key_checking",
    "ansible_ssh_pass",
    "ansible_ssh_private_key_file",
    "ansible_ssh_args",
];

/// Ways to reach a host that are ssh, under whatever name.
const BY_SSH: [&str; 4] = ["ssh", "smart", "paramiko", "paramiko_ssh"];

fn host_of(name: &str, roles: BTreeSet<String>, variables: &Variables) -> ListedHost {
    let mut host = ListedHost { name: name.to_owned(), roles, ..ListedHost::default() };
    let mut said = |names: &[&str]| {
        let value = names.iter().find_map(|name| variables.get(*name))?;
        match plain(value, name, variables) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(why) => {
                host.left_out = Some(format!("{} of it can't be read: {why}", names[0]));
                None
            }
        }
    };
    let connection = said(&["ansible_connection"]);
    let address = said(&["ansible_host", "ansible_ssh_host"]);
    let user = said(&["ansible_user", "ansible_ssh_user"]);
    let port = said(&["ansible_port", "ansible_ssh_port"]);
    host.address = address;
    host.user = user;
    match port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(port)) {
        Some(Ok(port)) => host.port = Some(port),
        Some(Err(port)) => host.left_out = Some(format!("{port:?} isn't a port")),
        None => {}
    }
    match connection.as_deref() {
        Some("local") => host.is_local = true,
        Some(way) if !BY_SSH.contains(&way.rsplit('.').next().unwrap_or(way)) => {
            host.left_out = Some(format!("it is reached by {way}, not by ssh"));
        }
        Some(_) | None => {}
    }
    host
}

/// A variable as text; what is a template is filled in.
fn plain(value: &Value, host: &str, variables: &Variables) -> Result<String, String> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Null => String::new(),
        Value::List(_) | Value::Map(_) => return Err("it is a list or a mapping".to_owned()),
    };
    if !text.contains("{{") {
        return Ok(text);
    }
    let text_of = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let known = variables.iter().filter_map(|(name, value)| Some((name.clone(), text_of(value)?)));
    let mut known: BTreeMap<String, String> = known.collect();
    known.insert("inventory_hostname".to_owned(), host.to_owned());
    let short = host.split('.').next().unwrap_or(host);
    known.insert("inventory_hostname_short".to_owned(), short.to_owned());
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let filled = environment.render_str(&text, known).map_err(|error| error.to_string())?;
    if filled.contains("{{") { Err(format!("{text:?} rests on other templates")) } else { Ok(filled) }
}

/// Reads all files of an inventory. What one says of a host or a group is added to what those before it said.
///
/// # Errors
///
/// What can't be read, and where.
pub fn read(files: &[InventoryFile]) -> Result<Listed, InventoryError> {
    let mut inventory = Inventory::default();
    let mut more: Vec<(&InventoryFile, &str, bool)> = Vec::new();
    for file in files {
        match &file.kind {
            FileKind::Inventory if is_yaml(&file.path) => yaml::read(&mut inventory, &file.path, &file.text)?,
            FileKind::Inventory if file.path.ends_with(".json") => {
                dynamic::read_into(&mut inventory, &file.path, &file.text)?;
            }
            FileKind::Inventory => ini::read(&mut inventory, &file.path, &file.text)?,
            FileKind::GroupVariables(name) => more.push((file, name, false)),
            FileKind::HostVariables(name) => more.push((file, name, true)),
        }
    }
    // Files of variables go before what stands with the hosts, of the same host or group.
    for (file, name, is_of_host) in more {
        // What belongs to nobody isn't read, whatever is in it.
        let is_known = match is_of_host {
            true => inventory.hosts.contains_key(name),
            false => inventory.groups.contains_key(name) || EVERYBODY.contains(&name),
        };
        if !is_known {
            continue;
        }
        let variables = yaml::variables(&file.path, &file.text)?;
        if is_of_host {
            if let Some(own) = inventory.hosts.get_mut(name) {
                own.extend(variables);
            }
        } else {
            inventory.group(name).variables.extend(variables);
        }
    }
    inventory.listed(files.first().map_or("", |file| &file.path))
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

#[cfg(test)]
mod tests;
