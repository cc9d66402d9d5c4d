//! Whether a release says what its virtualenv holds: else that is found out when it doesn't start.

use super::BrokenRule;
use crate::app::recipe::Recipe;
use crate::app::virtualenv::is_package;
use crate::config::Settings;
use crate::deployer::checkout::PythonFiles;

/// Locks of other tools, and how each of them writes its own as a requirement file.
const LOCKS: [(&str, &str); 3] = [
    ("poetry.lock", "poetry export --output requirements.txt"),
    ("Pipfile.lock", "pipenv requirements --hash >requirements.txt"),
    ("pdm.lock", "pdm export --output requirements.txt"),
];

/// What speaks against a release that is to be installed, and what a person should know of it.
pub(super) fn nothing_to_install(
    settings: &Settings,
    files: &PythonFiles,
) -> (Option<BrokenRule>, Option<String>) {
    let python = &settings.python;
    // A project may lie above its app, but for one with limits: they are named from the app's folder on.
    let folders = settings.app.folders();
    let above = if python.constraints.is_empty() { folders.len() } else { 1 };
    let has = |file: &str| folders.iter().take(above).any(|folder| files.has(&format!("{folder}{file}")));
    if let Some(file) = python.requirements.iter().find(|file| !may_be_there(settings, files, file)) {
        let found = requirement_files(settings, files);
        return (Some(BrokenRule::NoRequirementFile { file: settings.app.file(file), found }), None);
    }
    let is_known = !python.requirements.is_empty()
        || !python.base.private_packages.is_empty()
        || !python.private_requirements.is_empty()
        || !python.installation_scripts.is_empty()
        || has("uv.lock");
    if is_known {
        return (None, None);
    }
    // A project that has a lock means it, though it could be installed without.
    if let Some((lock, export)) = LOCKS.into_iter().find(|(lock, _)| has(lock)) {
        return (Some(BrokenRule::LockOfAnother { lock, export }), None);
    }
    if has("setup.py") || files.pyprojects.iter().take(above).any(|text| is_package(text)) {
        return (None, None);
    }
    let found = requirement_files(settings, files);
    let needs_some = !matches!(settings.app.recipe, Recipe::Wsgi | Recipe::Asgi);
    if needs_some || !found.is_empty() {
        return (Some(BrokenRule::NothingToInstall { found }), None);
    }
    let note =
        "nothing is installed but the virtualenv itself: there is no requirement file, lock or package";
    (None, Some(note.to_owned()))
}

/// What a submodule has, or what is linked from `shared`, git doesn't list; and what is written with dots it lists otherwise.
fn may_be_there(settings: &Settings, files: &PythonFiles, file: &str) -> bool {
    let file = settings.app.file(file);
    let below =
        |folder: &String| file.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
    files.has(&file)
        || file.split('/').any(|part| matches!(part, "." | ".."))
        || files.paths.iter().any(below)
        || settings.shared_paths().iter().any(|shared| *shared == file || below(shared))
}

/// Files that look like what nobody has named, as they would be named.
fn requirement_files(settings: &Settings, files: &PythonFiles) -> Vec<String> {
    const MOST: usize = 5;
    let root = settings.app.file("");
    let looks_so = |path: &&str| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_plain = folder.is_empty() || folder == "requirements";
        let text = name.strip_suffix(".txt");
        is_plain && text.is_some_and(|name| folder == "requirements" || name.starts_with("requirements"))
    };
    let of_app = files.paths.iter().filter_map(|path| path.strip_prefix(root.as_str()));
    of_app.filter(looks_so).take(MOST).map(str::to_owned).collect()
}
