//! What outlives releases.

use crate::config::area::area;
use crate::config::rule::{Empty, Unset};
use crate::config::values::FilePath;

area! {
    /// What outlives releases: files and folders in `shared`, which are linked into every release.
    shared: SharedSettings, SharedLayer, "What outlives releases";

    /// Files in `shared`, in the app's directory, that are linked into every release; they have to be there.
    shared_files as files: Vec<FilePath> => Vec<String> = Empty, example r#"[".env"]"#;

    /// Folders in `shared` that are linked into every release; missing ones are made.
    shared_dirs as folders: Vec<FilePath> => Vec<String> = Empty, example r#"["media"]"#;

    /// A file of variables in `shared` for the app's commands and services, secrets among them, that only the deploying user
    /// can read. It is kept by `buedafab env`.
    env_file: FilePath => Option<String> = Unset("none"), example r#"".env""#;
}
