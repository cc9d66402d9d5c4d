//! What outlives releases.

use super::app::AppLayer;
use super::layout::LayoutLayer;
use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::rule::{DefaultValue, Empty, Rule, Typed, Unset, Written};
use crate::config::show::Valued;
use crate::config::values::{FilePath, Line};

area! {
    /// What outlives releases: files and folders in `shared`, which are linked into every release.
    shared: SharedSettings, SharedLayer, "What outlives releases";

    /// Files in `shared`, in the app's directory, that are linked into every release; they have to be there.
    shared_files as files: Vec<At<FilePath>> => Vec<String> = OutsideTheFolders, example r#"[".env"]"#;

    /// Folders in `shared` that are linked into every release; missing ones are made.
    shared_dirs as folders: Vec<At<FilePath>> => Vec<String> = OutsideTheFolders, example r#"["media"]"#;

    /// Files that the app writes into its release and may lose with it: names, or paths with a `/`, in which `*` stands for
    /// anything. What else it writes there stops a deploy.
    scratch_files: Vec<Line> => Vec<String> = ScratchFiles, example r#"["*.log", "cache/*"]"#;

    /// A file of variables in `shared` for the app's commands and services, secrets among them, that only the deploying user,
    /// or `deploy_group`, can read. It is kept by `buedafab env`.
    env_file: At<FilePath> => Option<String> = NoFolder, example r#"".env""#;
}

/// What lies in a shared folder is shared with it, and can't be a link of its own. Nor can what is there for something else.
struct OutsideTheFolders;

impl Rule<Vec<At<FilePath>>, Vec<String>> for OutsideTheFolders {
    fn resolve(&self, typed: Option<&Vec<At<FilePath>>>, written: &Written<'_>) -> Vec<String> {
        let typed = typed.cloned().unwrap_or_default();
        let SharedLayer { shared_files, shared_dirs, .. } = &written.all.shared;
        let all = || shared_dirs.iter().chain(shared_files).flatten();
        let virtualenv = AppLayer::recipe(written).is_python().then(|| LayoutLayer::virtualenv(written));
        for At { value: FilePath(path), span } in &typed {
            let is_around = |other: &&At<FilePath>| is_below(path, &other.value.0);
            let is_twice = |other: &&At<FilePath>| other.value.0 == *path && other.span.start < span.start;
            let mistake = if let Some(other) = all().find(is_around) {
                let folder = &other.value.0;
                Mistake::new(format!("{} is shared with {} already", quoted(path), quoted(folder)))
                    .help("leave it out: all that lies in a shared folder is shared")
            } else if all().any(|other| is_twice(&other)) {
                Mistake::new(format!("{} is shared twice", quoted(path)))
                    .help("name it once: a folder in `shared_dirs`, a file in `shared_files`")
            } else if let Some(taken) = [Some(".git"), virtualenv.as_deref()]
                .into_iter()
                .flatten()
                .find(|taken| path == taken || is_below(path, taken))
            {
                Mistake::new(format!(
                    "{} can't be shared: {} belongs to each release",
                    quoted(path),
                    quoted(taken)
                ))
                .help("choose another place for what outlives releases")
            } else {
                continue;
            };
            written.note_at(span, mistake);
        }
        typed.meaning()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Rule::<Vec<At<FilePath>>, Vec<String>>::default_value(&Empty)
    }
}

/// What common programs write beside what they run, and make again.
struct ScratchFiles;

impl ScratchFiles {
    fn usual() -> Vec<String> {
        ["*.pyc", "*.pid", "celerybeat-schedule*", "maintenance_mode_state.txt"].map(str::to_owned).to_vec()
    }
}

impl Rule<Vec<Line>, Vec<String>> for ScratchFiles {
    fn resolve(&self, typed: Option<&Vec<Line>>, _: &Written<'_>) -> Vec<String> {
        typed.map_or_else(ScratchFiles::usual, |typed| typed.clone().meaning())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(ScratchFiles::usual().value())
    }
}

/// The file of variables is a file, and no shared folder.
struct NoFolder;

impl Rule<At<FilePath>, Option<String>> for NoFolder {
    fn resolve(&self, typed: Option<&At<FilePath>>, written: &Written<'_>) -> Option<String> {
        let SharedLayer { shared_files, shared_dirs, .. } = &written.all.shared;
        let At { value: FilePath(path), span } = typed?;
        let is_folder = |folder: &&At<FilePath>| folder.value.0 == *path || is_below(&folder.value.0, path);
        let is_around = |file: &&At<FilePath>| is_below(path, &file.value.0);
        let folder = shared_dirs.iter().flatten().find(is_folder);
        if let Some(other) = folder.or_else(|| shared_files.iter().flatten().find(is_around)) {
            let mistake = Mistake::new(format!(
                "{} can't be a file: {} is shared",
                quoted(path),
                quoted(&other.value.0)
            ))
            .help("choose another name for one of them");
            written.note_at(span, mistake);
        }
        Some(path.clone())
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Rule::<FilePath, Option<String>>::default_value(&Unset("none"))
    }
}

/// Whether a path lies in a folder.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
