//! What outlives releases.

use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::rule::{DefaultValue, Empty, Rule, Typed, Unset, Written};
use crate::config::values::FilePath;

area! {
    /// What outlives releases: files and folders in `shared`, which are linked into every release.
    shared: SharedSettings, SharedLayer, "What outlives releases";

    /// Files in `shared`, in the app's directory, that are linked into every release; they have to be there.
    shared_files as files: Vec<At<FilePath>> => Vec<String> = OutsideTheFolders, example r#"[".env"]"#;

    /// Folders in `shared` that are linked into every release; missing ones are made.
    shared_dirs as folders: Vec<At<FilePath>> => Vec<String> = OutsideTheFolders, example r#"["media"]"#;

    /// A file of variables in `shared` for the app's commands and services, secrets among them, that only the deploying user
    /// can read. It is kept by `buedafab env`.
    env_file: FilePath => Option<String> = Unset("none"), example r#"".env""#;
}

/// What lies in a shared folder is shared with it, and can't be a link of its own.
struct OutsideTheFolders;

impl Rule<Vec<At<FilePath>>, Vec<String>> for OutsideTheFolders {
    fn resolve(&self, typed: Option<&Vec<At<FilePath>>>, written: &Written<'_>) -> Vec<String> {
        let typed = typed.cloned().unwrap_or_default();
        let folders =
            || written.all.shared.shared_dirs.iter().flatten().map(|folder| folder.value.0.as_str());
        for At { value: FilePath(path), span } in &typed {
            let is_around =
                |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'));
            if let Some(folder) = folders().find(is_around) {
                let mistake =
                    Mistake::new(format!("{} is shared with {} already", quoted(path), quoted(folder)))
                        .help("leave it out: all that lies in a shared folder is shared");
                written.note_at(span, mistake);
            }
        }
        typed.meaning()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Rule::<Vec<At<FilePath>>, Vec<String>>::default_value(&Empty)
    }
}
