//! The files of a static inventory: one, or those of a folder; and the variables beside them. Links are followed, but none in a circle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use buedafab_model::host::inventory::ansible::{
    FileKind, holds_variables, is_of_inventory, owner_of_variables,
};

/// No inventory has more files: a link to the root of a disk shouldn't be read to its end.
const MOST_FILES: usize = 10_000;

/// All that make the inventory at a path, in the order in which they are read: hosts first.
///
/// # Errors
///
/// A path that can't be read, and why.
pub(super) fn files_of(path: &Path) -> Result<Vec<(PathBuf, FileKind)>, (PathBuf, String)> {
    fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> (PathBuf, String) {
        let path = path.to_owned();
        |error| (path, error.to_string())
    }
    let is_folder = std::fs::metadata(path).map_err(unreadable(path))?.is_dir();
    let mut inventories = vec![path.to_owned()];
    let mut around = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    if is_folder {
        let is_part = |name: &str, _| is_of_inventory(name);
        inventories = Walk::default().through(path, &is_part).map_err(unreadable(path))?;
        path.clone_into(&mut around);
    }
    let mut files: Vec<(PathBuf, FileKind)> =
        inventories.into_iter().map(|file| (file, FileKind::Inventory)).collect();
    for (folder, kind) in [
        ("group_vars", FileKind::GroupVariables as fn(String) -> FileKind),
        ("host_vars", FileKind::HostVariables as fn(String) -> FileKind),
    ] {
        let folder = around.join(folder);
        if folder.is_dir() {
            let found = variables_in(&folder).map_err(unreadable(&folder))?;
            files.extend(found.into_iter().map(|(file, name)| (file, kind(name))));
        }
    }
    Ok(files)
}

/// Files of variables with whose they are: `web.yml`, `web`, or all files of the folder `web`.
fn variables_in(folder: &Path) -> std::io::Result<Vec<(PathBuf, String)>> {
    let mut of_each: BTreeMap<String, (usize, PathBuf)> = BTreeMap::new();
    for name in names_in(folder)? {
        let path = folder.join(&name);
        let Some((owner, place)) = owner_of_variables(&name, path.is_dir()) else { continue };
        if of_each.get(owner).is_none_or(|(known, _)| place < *known) {
            of_each.insert(owner.to_owned(), (place, path));
        }
    }
    let mut found = Vec::new();
    for (owner, (_, path)) in of_each {
        let files =
            if path.is_dir() { Walk::default().through(&path, &holds_variables)? } else { vec![path] };
        found.extend(files.into_iter().map(|file| (file, owner.clone())));
    }
    Ok(found)
}

/// A walk through folders, in the order of names.
#[derive(Default)]
struct Walk {
    found: Vec<PathBuf>,
    /// The folders around the one that is read, wherever they really lie.
    around: Vec<PathBuf>,
}

impl Walk {
    /// The files below a folder, of those files and folders whose name says that they are meant.
    fn through(
        mut self,
        folder: &Path,
        is_meant: &impl Fn(&str, bool) -> bool,
    ) -> std::io::Result<Vec<PathBuf>> {
        self.read(folder, is_meant)?;
        Ok(self.found)
    }

    fn read(&mut self, folder: &Path, is_meant: &impl Fn(&str, bool) -> bool) -> std::io::Result<()> {
        let real = folder.canonicalize()?;
        if self.around.contains(&real) {
            return Ok(());
        }
        self.around.push(real);
        for name in names_in(folder)? {
            let path = folder.join(&name);
            // One that leads nowhere is told when it is read.
            let kind = std::fs::metadata(&path).map(|metadata| metadata.file_type());
            let is_folder = kind.as_ref().is_ok_and(std::fs::FileType::is_dir);
            if !is_meant(&name, is_folder) {
                continue;
            }
            if is_folder {
                self.read(&path, is_meant)?;
            } else if kind.map_or(true, |kind| kind.is_file()) {
                self.found.push(path);
            }
            if self.found.len() > MOST_FILES {
                return Err(std::io::Error::other(format!("more than {MOST_FILES} files lie in it")));
            }
        }
        self.around.pop();
        Ok(())
    }
}

fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a folder with these files, and links to others (`name -> target`).
    fn found(paths: &[&str], at: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        for path in paths {
            let (path, target) = path.split_once(" -> ").map_or((*path, None), |(path, to)| (path, Some(to)));
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is ours");
            match target {
                Some(target) => std::os::unix::fs::symlink(target, &path).expect("it is ours"),
                None => std::fs::write(&path, "").expect("it is ours"),
            }
        }
        let shown = |path: &Path| {
            path.strip_prefix(folder.path())
                .map_or_else(|_| path.display().to_string(), |path| path.display().to_string())
        };
        match files_of(&folder.path().join(at)) {
            Err((path, why)) => format!("{}: {why}", shown(&path)),
            Ok(files) => {
                let line = |(path, kind): &(PathBuf, FileKind)| match kind {
                    FileKind::Inventory => shown(path),
                    FileKind::GroupVariables(name) => format!("{} of the group {name}", shown(path)),
                    FileKind::HostVariables(name) => format!("{} of the host {name}", shown(path)),
                };
                files.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }

    #[test]
    fn a_folder_is_read_as_ansible_reads_it() {
        let paths = [
            "ops/zeta",
            "ops/10-web.ini",
            "ops/b/two.yml",
            "ops/b/.hidden/x",
            "ops/b/one",
            "ops/c.json",
            "ops/README.md",
            "ops/notes.txt",
            "ops/zeta.bak",
            "ops/zeta~",
            "ops/.zeta.swp",
            "ops/old.orig/x",
            "ops/ansible.cfg",
            "ops/x.retry",
            "ops/vars_plugins/x.py",
            "ops/group_vars/all.yml",
            "ops/group_vars/web.yml",
            "ops/group_vars/web/b.yml",
            "ops/group_vars/web/a",
            "ops/group_vars/web/more/c.yaml",
            "ops/group_vars/web/more.d/d.yml",
            "ops/group_vars/web/vars.toml",
            "ops/group_vars/web/.x.yml",
            "ops/group_vars/README.md",
            "ops/group_vars/db.yaml",
            "ops/group_vars/db.json",
            "ops/host_vars/web1.example.com",
            "ops/host_vars/web2.example.com.yml",
            "ops/host_vars/web1.yml~",
        ];
        insta::assert_snapshot!(found(&paths, "ops"), @"
        ops/10-web.ini
        ops/b/one
        ops/b/two.yml
        ops/c.json
        ops/zeta
        ops/group_vars/all.yml of the group all
        ops/group_vars/db.yaml of the group db
        ops/group_vars/web/a of the group web
        ops/group_vars/web/b.yml of the group web
        ops/group_vars/web/more/c.yaml of the group web
        ops/host_vars/web1.example.com of the host web1.example.com
        ops/host_vars/web2.example.com.yml of the host web2.example.com
        ");
        // One that is named is read, whatever its ending.
        assert_eq!(
            found(&["ops/hosts.bak", "ops/other", "ops/group_vars/all"], "ops/hosts.bak"),
            "ops/hosts.bak\nops/group_vars/all of the group all"
        );
        assert_eq!(found(&["ops/README.md"], "ops"), "");
    }

    #[test]
    fn links_are_followed_and_none_in_a_circle() {
        let paths = [
            "shared/hosts",
            "shared/vars/x.yml",
            "ops/own",
            "ops/linked -> ../shared/hosts",
            "ops/sub -> ../shared",
            "ops/here -> .",
            "ops/up -> ..",
            "ops/more/back -> ../../ops",
            "ops/group_vars/web -> ../../shared/vars",
            "ops/group_vars/db -> ../../shared/vars",
            "shared/vars/round -> ../vars",
        ];
        insta::assert_snapshot!(found(&paths, "ops"), @"
        ops/linked
        ops/own
        ops/sub/hosts
        ops/sub/vars/x.yml
        ops/up/shared/hosts
        ops/up/shared/vars/x.yml
        ops/group_vars/db/x.yml of the group db
        ops/group_vars/web/x.yml of the group web
        ");
        // As a folder that is itself a link; and one that leads nowhere is told, not left out.
        assert_eq!(found(&["real/hosts", "ops -> real"], "ops"), "ops/hosts");
        assert_eq!(found(&["ops/hosts", "ops/gone -> nowhere"], "ops"), "ops/gone\nops/hosts");
        assert_eq!(found(&[], "gone"), "gone: No such file or directory (os error 2)");
    }
}
