//! Which files of a folder make an inventory: by their names, as Ansible's own documentation has it.

/// Endings of what lies beside inventories and is none: the default of Ansible's `inventory_ignore_extensions` since 2.19. Before that,
/// `.ini` was among them.
const ENDINGS_OF_OTHERS: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// Folders that hold what belongs to an inventory, and no hosts.
const OTHER_FOLDERS: [&str; 3] = ["group_vars", "host_vars", "vars_plugins"];

/// Endings of files with variables, in the order in which Ansible looks for them.
const ENDINGS_OF_VARIABLES: [&str; 3] = [".yml", ".yaml", ".json"];

/// Whether a file or a folder of this name, in the folder of an inventory, is part of it.
pub fn is_of_inventory(name: &str) -> bool {
    is_meant(name) && !OTHER_FOLDERS.contains(&name)
}

fn is_meant(name: &str) -> bool {
    !name.starts_with('.') && !ENDINGS_OF_OTHERS.iter().any(|ending| name.ends_with(ending))
}

/// Whose variables a file or a folder in `group_vars` or `host_vars` holds, and where it stands among several of the same group or host:
/// Ansible reads only the first. `None`: nobody's.
pub fn owner_of_variables(name: &str, is_folder: bool) -> Option<(&str, usize)> {
    if !is_meant(name) {
        return None;
    }
    // `web.example.com` is a name, and has no ending.
    let mut endings = (1..).zip(ENDINGS_OF_VARIABLES).filter(|_| !is_folder);
    Some(endings.find_map(|(place, ending)| Some((name.strip_suffix(ending)?, place))).unwrap_or((name, 0)))
}

/// Whether a file or a folder of this name, in the folder of one group or host, holds more of its variables.
pub fn holds_variables(name: &str, is_folder: bool) -> bool {
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    is_meant(name) && (ending.is_empty() || !is_folder && ENDINGS_OF_VARIABLES.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_what() {
        for name in ["hosts", "hosts.ini", "production.yml", "all.json", "web.d", "01-web", "group_vars.yml"]
        {
            assert!(is_of_inventory(name), "{name}");
        }
        for name in [
            ".hosts",
            ".git",
            "hosts~",
            "hosts.bak",
            "hosts.orig",
            "hosts.retry",
            "ansible.cfg",
            "README.md",
            "notes.txt",
            "notes.rst",
            "x.pyc",
            "x.pyo",
            ".hosts.swp",
            "hosts.swp",
            "x.rpm",
            "group_vars",
            "host_vars",
            "vars_plugins",
            "old.bak",
        ] {
            assert!(!is_of_inventory(name), "{name}");
        }
        let owners = [
            ("web", false, Some(("web", 0))),
            ("web", true, Some(("web", 0))),
            ("web.yml", false, Some(("web", 1))),
            ("web.yaml", false, Some(("web", 2))),
            ("web.json", false, Some(("web", 3))),
            ("web.example.com", false, Some(("web.example.com", 0))),
            ("web.example.com.yml", false, Some(("web.example.com", 1))),
            ("web.yml", true, Some(("web.yml", 0))),
            ("web.yml~", false, None),
            ("web.yml.orig", false, None),
            (".web.yml.swp", false, None),
            ("README.md", false, None),
        ];
        for (name, is_folder, owner) in owners {
            assert_eq!(owner_of_variables(name, is_folder), owner, "{name}");
        }
        for (name, is_folder, holds) in [
            ("vars.yml", false, true),
            ("vars", false, true),
            ("vault", false, true),
            ("more", true, true),
            ("more.d", true, false),
            ("vars.toml", false, false),
            ("vars.yml.orig", false, false),
            ("vars~", false, false),
            (".vars.yml", false, false),
        ] {
            assert_eq!(holds_variables(name, is_folder), holds, "{name}");
        }
    }
}
