//! Files that only keep a folder in git, which knows no empty ones.

/// Their names.
pub const PLACEHOLDERS: [&str; 4] = [".gitkeep", ".gitignore", ".keep", ".placeholder"];

/// Whether a file only keeps its folder.
pub fn keeps_a_folder(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(_, name)| PLACEHOLDERS.contains(&name))
}
