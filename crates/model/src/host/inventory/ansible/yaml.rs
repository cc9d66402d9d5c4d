//! Inventories in YAML: groups with `hosts`, `children` and `vars`; and files of variables.

use super::ranges::expand;
use super::value::Value;
use super::{Inventory, InventoryError, Variables};

/// Adds what a file says.
pub(super) fn read(inventory: &mut Inventory, path: &str, text: &str) -> Result<(), InventoryError> {
    match parse(path, text)? {
        Value::Null => Ok(()),
        ref groups @ Value::Map(_) if matches!(groups.get("plugin"), Some(Value::Text(_))) => {
            let Some(Value::Text(plugin)) = groups.get("plugin") else { return Ok(()) };
            let why = format!(
                "it is made by the plugin {plugin} of Ansible: write `inventory = {{ command = \"ansible-inventory -i {path} --list\" }}`"
            );
            Err(InventoryError::new(path, why))
        }
        Value::Map(groups) => {
            groups.iter().try_for_each(|(name, group)| read_group(inventory, path, name, group))
        }
        _ => {
            Err(InventoryError::new(path, "it has to be a mapping of groups: `all:` with `hosts:` below it"))
        }
    }
}

fn read_group(
    inventory: &mut Inventory,
    path: &str,
    name: &str,
    group: &Value,
) -> Result<(), InventoryError> {
    let wrong = |why: String| InventoryError::new(path, why);
    inventory.group(name);
    let keys = match group {
        Value::Null => return Ok(()),
        Value::Map(keys) => keys,
        _ => {
            return Err(wrong(format!(
                "the group {name} has to be a mapping with `hosts`, `children` or `vars`"
            )));
        }
    };
    for (key, value) in keys {
        let mapping = match value {
            Value::Null => continue,
            Value::Map(mapping) => mapping,
            _ => {
                return Err(wrong(format!(
                    "`{key}` of the group {name} has to be a mapping: `web1:`, with a colon"
                )));
            }
        };
        match key.as_str() {
            "hosts" => {
                for (pattern, variables) in mapping {
                    let variables = match variables {
                        Value::Null => Variables::new(),
                        Value::Map(variables) => all_of(variables),
                        _ => return Err(wrong(format!("the variables of {pattern} have to be a mapping"))),
                    };
                    let names = expand(pattern).map_err(&wrong)?;
                    let group = (name != "ungrouped" && name != "all").then_some(name);
                    inventory.add(group, names, &variables);
                }
            }
            "children" => {
                for (child, group) in mapping {
                    inventory.group(name).children.insert(child.clone());
                    read_group(inventory, path, child, group)?;
                }
            }
            "vars" => inventory.group(name).variables.extend(all_of(mapping)),
            // Ansible passes over what it doesn't know there, with a warning.
            _ => {}
        }
    }
    Ok(())
}

/// The variables of a file.
pub(super) fn variables(path: &str, text: &str) -> Result<Variables, InventoryError> {
    // All of it is a secret then, and none of it an address.
    if text.starts_with("$ANSIBLE_VAULT") {
        return Ok(Variables::new());
    }
    match parse(path, text)? {
        Value::Null => Ok(Variables::new()),
        Value::Map(variables) => Ok(all_of(&variables)),
        _ => Err(InventoryError::new(path, "it has to be a mapping of variables")),
    }
}

fn all_of(variables: &[(String, Value)]) -> Variables {
    variables.iter().cloned().collect()
}

/// JSON is YAML, too.
fn parse(path: &str, text: &str) -> Result<Value, InventoryError> {
    let is_empty = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    if is_empty {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let text = error.to_string();
        InventoryError::new(path, text.lines().next().unwrap_or("it isn't YAML"))
    })
}
