//! Inventories in INI: `[group]`, `[group:children]`, `[group:vars]`.

use super::ranges::expand;
use super::value::Value;
use super::{Inventory, InventoryError, Variables};

enum Section {
    Hosts(Option<String>),
    Children(String),
    Variables(String),
}

/// Adds what a file says.
pub(super) fn read(inventory: &mut Inventory, path: &str, text: &str) -> Result<(), InventoryError> {
    let mut section = Section::Hosts(None);
    // A group may be named as a child, or with variables, before it is declared.
    let mut wanted: Vec<(usize, String, &str)> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let wrong = |why: String| InventoryError { path: path.to_owned(), line: Some(number), why };
        if number == 1 && line.starts_with("#!") {
            return Err(wrong("this is a program: write `inventory = { command = \"…\" }`".to_owned()));
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = header(line) {
            section = section_of(header).map_err(wrong)?;
            match &section {
                Section::Hosts(Some(name)) | Section::Children(name) => {
                    inventory.group(name);
                }
                Section::Variables(name) => wanted.push((number, name.clone(), "vars")),
                Section::Hosts(None) => {}
            }
            continue;
        }
        match &section {
            Section::Hosts(group) => {
                let (names, variables) = host_line(line).map_err(wrong)?;
                inventory.add(group.as_deref(), names, &variables);
            }
            Section::Children(group) => {
                let child = uncommented(line).to_owned();
                wanted.push((number, child.clone(), "children"));
                inventory.group(group).children.insert(child);
            }
            Section::Variables(group) => {
                let (name, value) = line
                    .split_once('=')
                    .ok_or_else(|| wrong(format!("{line:?} isn't a variable: write `name=value`")))?;
                // A value may hold a `#`: only what stands after a space is a comment.
                let value = read_value(uncommented(value));
                inventory.group(group).variables.insert(name.trim().to_owned(), value);
            }
        }
    }
    for (line, name, section) in wanted {
        if section == "children" && !inventory.groups.contains_key(&name) {
            let why = format!("there is no group {name:?}: begin it with `[{name}]`");
            return Err(InventoryError { path: path.to_owned(), line: Some(line), why });
        }
        inventory.group(&name);
    }
    Ok(())
}

fn header(line: &str) -> Option<&str> {
    let line = uncommented(line);
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    // `[a:f].example.com` begins with a range; alone it would be a group.
    (!inner.contains(['[', ']'])).then_some(inner.trim())
}

fn section_of(header: &str) -> Result<Section, String> {
    match header.split_once(':') {
        None if header.is_empty() => Err("a section needs a name".to_owned()),
        None if header == "ungrouped" => Ok(Section::Hosts(None)),
        None => Ok(Section::Hosts(Some(header.to_owned()))),
        Some((group, "children")) => Ok(Section::Children(group.to_owned())),
        Some((group, "vars")) => Ok(Section::Variables(group.to_owned())),
        Some((group, "hosts")) => Ok(Section::Hosts(Some(group.to_owned()))),
        Some((_, kind)) => Err(format!("[{header}]: {kind:?} is neither children, vars nor hosts")),
    }
}

/// A line without the comment at its end.
fn uncommented(line: &str) -> &str {
    line.split(" #").next().unwrap_or(line).trim()
}

/// The hosts of a line, and the variables that it gives each of them. Words are told apart as a shell does.
fn host_line(line: &str) -> Result<(Vec<String>, Variables), String> {
    let words = shlex::split(line).ok_or("a quote is never closed")?;
    let (first, rest) = words.split_first().ok_or("a host needs a name")?;
    let mut variables = Variables::new();
    let pattern = match port_of(first) {
        Some((host, port)) => {
            variables.insert("ansible_port".to_owned(), Value::Text(port.to_string()));
            host
        }
        None => first.as_str(),
    };
    for word in rest {
        let (name, value) =
            word.split_once('=').ok_or_else(|| format!("{word:?} isn't a variable: write `name=value`"))?;
        variables.insert(name.to_owned(), read_value(value));
    }
    let pattern = pattern
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .filter(|inner| is_address(inner))
        .unwrap_or(pattern);
    if is_address(pattern) {
        return Ok((vec![pattern.to_owned()], variables));
    }
    let names = expand(pattern)?;
    match names.iter().find(|name| name.is_empty() || name.starts_with('-') || name.contains(['[', ']', ',']))
    {
        Some(name) => Err(format!("{name:?} isn't the name of a host")),
        None => Ok((names, variables)),
    }
}

fn is_address(text: &str) -> bool {
    text.split('%').next().unwrap_or(text).parse::<std::net::Ipv6Addr>().is_ok()
}

/// The port behind a name. The colons of ranges and of addresses are none.
fn port_of(word: &str) -> Option<(&str, u16)> {
    if is_address(word) {
        return None;
    }
    let (host, port) = word.rsplit_once(':')?;
    let is_outside = !host.is_empty() && host.matches('[').count() == host.matches(']').count();
    Some((host, port.parse().ok().filter(|_| is_outside)?))
}

/// A value as Python would read it, as far as that matters here: what stands in quotes is what is in them.
fn read_value(text: &str) -> Value {
    let text = text.trim();
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return Value::Text(inner.to_owned());
        }
    }
    Value::Text(text.to_owned())
}
