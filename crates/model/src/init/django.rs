//! What Django's own files say: which settings, where its data is, what serves it.

use std::collections::BTreeMap;

use regex::Regex;

use super::python::resolve;
use super::{Files, within};

/// A project of Django.
#[derive(Debug, Clone, Default)]
pub(super) struct Django {
    pub(super) modules: SettingsModules,
    /// What the choice of production's settings was made from.
    pub(super) source: Option<String>,
    /// Databases that the settings place in the project, within the app's folder.
    pub(super) databases: Vec<String>,
    /// The folders in it that uploads are written to.
    pub(super) uploads: Vec<String>,
    /// The module that a WSGI server is given.
    pub(super) wsgi: Option<String>,
    /// The module that an ASGI server is given, where the project is made for one.
    pub(super) asgi: Option<String>,
}

/// The values of `DJANGO_SETTINGS_MODULE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SettingsModules {
    /// What `manage.py` says.
    pub(super) usual: Option<String>,
    /// Where it isn't that.
    pub(super) staging: Option<String>,
    /// The one of production.
    pub(super) production: Option<String>,
}

/// Whether this `manage.py` is Django's: Flask's scripts are called so, too.
pub(super) fn is_manage(text: &str) -> bool {
    text.contains("DJANGO_SETTINGS_MODULE") || text.contains("django.core.management")
}

/// The project whose `manage.py` is in this folder.
pub(super) fn look(files: &Files, folder: &str) -> Django {
    let manage = within(folder, "manage.py");
    let module =
        Regex::new(r#"DJANGO_SETTINGS_MODULE["']\s*[,\]=]+\s*["']([\w.]+)["']"#).expect("it is fixed");
    let named = |text: &str| module.captures(text).map(|found| found[1].to_owned());
    let usual = named(files.text(&manage));
    let mut source = usual.as_ref().map(|_| manage.clone());
    // One module of several, or the package of all of them.
    let package = usual.as_deref().and_then(|usual| match path_of(files, folder, usual) {
        Some(path) if path.ends_with("/__init__.py") => Some(usual),
        _ => usual.rsplit_once('.').map(|(package, _)| package),
    });
    let siblings = package.map(|package| siblings(files, folder, package)).unwrap_or_default();
    let sibling = |names: &[&str]| {
        let package = package?;
        let name = names.iter().find(|name| siblings.contains_key(**name))?;
        Some((format!("{package}.{name}"), siblings[*name].clone()))
    };
    let production = match sibling(&["production", "prod"]) {
        Some((module, path)) => {
            source = Some(path);
            Some(module)
        }
        None => usual.clone(),
    };
    let staging = sibling(&["staging", "stage"]).map(|(module, _)| module).or(production.clone());

    let own = usual.as_deref().and_then(|module| path_of(files, folder, module));
    let mut sources: Vec<String> = own.into_iter().chain(siblings.into_values()).collect();
    if sources.is_empty() {
        // Where it isn't said which, all that look like settings may be.
        let found =
            files.below(folder).filter(|path| path.ends_with("settings.py") || path.contains("/settings/"));
        sources.extend(found.map(|path| within(folder, path)));
    }
    sources.dedup();
    let text: String = sources.iter().map(|path| files.text(path)).collect();
    let folders = folders_in(files, &sources, folder);
    let databases = if text.contains("sqlite3") {
        places(files, &sources, &folders, DATABASE, folder)
    } else {
        Vec::new()
    };
    Django {
        databases,
        uploads: places(files, &sources, &folders, UPLOADS, folder),
        wsgi: served_by(files, folder, &text, "WSGI_APPLICATION", "wsgi.py"),
        asgi: if text.contains("ASGI_APPLICATION") {
            served_by(files, folder, &text, "ASGI_APPLICATION", "asgi.py")
        } else {
            None
        },
        modules: SettingsModules { usual, staging, production },
        source,
    }
}

/// The file of a module.
fn path_of(files: &Files, folder: &str, module: &str) -> Option<String> {
    let path = within(folder, &module.replace('.', "/"));
    [format!("{path}.py"), format!("{path}/__init__.py")].into_iter().find(|path| files.has(path))
}

/// The modules of a package of settings, by their last names, with their paths.
fn siblings(files: &Files, folder: &str, package: &str) -> BTreeMap<String, String> {
    // Beside a `settings.py` lie modules that are no settings.
    if !package.rsplit('.').next().is_some_and(|last| last.contains("settings") || last.contains("config")) {
        return BTreeMap::new();
    }
    let package = within(folder, &package.replace('.', "/"));
    let modules = files.below(&package).filter_map(|path| path.strip_suffix(".py"));
    modules
        .filter(|name| !name.contains('/') && *name != "__init__")
        .map(|name| (name.to_owned(), format!("{package}/{name}.py")))
        .collect()
}

/// The module with the server's entry: what the settings say, or the file of that name nearest to the root.
fn served_by(files: &Files, folder: &str, settings: &str, setting: &str, file: &str) -> Option<String> {
    let said = Regex::new(&format!(r#"(?m)^{setting}\s*=\s*["']([\w.]+)["']"#)).expect("it is fixed");
    if let Some((module, attribute)) = said.captures(settings).and_then(|found| {
        found
            .get(1)
            .and_then(|path| path.as_str().rsplit_once('.'))
            .map(|(m, a)| (m.to_owned(), a.to_owned()))
    }) {
        return Some(if attribute == "application" { module } else { format!("{module}:{attribute}") });
    }
    let mut found: Vec<&str> =
        files.below(folder).filter(|path| path.rsplit('/').next() == Some(file)).collect();
    found.sort_by_key(|path| path.matches('/').count());
    Some(found.first()?.strip_suffix(".py")?.replace('/', "."))
}

/// `BASE_DIR / 'db.sqlite3'`, or `os.path.join(BASE_DIR, 'db.sqlite3')`.
const DATABASE: &str = r#"([A-Z_]+)\)?\s*[/,]\s*["']([\w./-]+\.(?:sqlite3?|db3?))["']"#;

/// The same of a folder.
const UPLOADS: &str = r#"(?m)^MEDIA_ROOT\s*=.*?\b([A-Z_]+)\)?\s*[/,]\s*["']([\w./-]*\w)/?["']"#;

/// The folders that the settings name, from the root of the checkout: `BASE_DIR` is so many levels above its file.
fn folders_in(files: &Files, sources: &[String], folder: &str) -> BTreeMap<String, String> {
    let assigned = Regex::new(r"(?m)^([A-Z_]+)\s*=\s*(.*__file__.*)$").expect("it is fixed");
    let from_another =
        Regex::new(r"(?m)^([A-Z_]+)\s*=\s*(?:os\.path\.dirname\()?([A-Z_]+)(?:\)|\.parent)\s*$")
            .expect("it is fixed");
    let parents = Regex::new(r"parents\[(\d+)\]").expect("it is fixed");
    let mut folders = BTreeMap::from([("BASE_DIR".to_owned(), folder.to_owned())]);
    let above = |path: &str, levels: usize| {
        (0..levels).try_fold(path.to_owned(), |path, _| {
            if path.is_empty() {
                None
            } else {
                Some(path.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned()))
            }
        })
    };
    for path in sources {
        for found in assigned.captures_iter(files.text(path)) {
            let named = parents.captures(&found[2]).and_then(|found| found[1].parse::<usize>().ok());
            let levels = found[2].matches("dirname(").count() + found[2].matches(".parent").count()
                - found[2].matches(".parents[").count()
                + named.map_or(0, |levels| levels + 1)
                + found[2].matches("pardir").count()
                + found[2].matches("..").count();
            if let Some(place) = above(path, levels) {
                folders.insert(found[1].to_owned(), place);
            }
        }
    }
    for path in sources {
        for found in from_another.captures_iter(files.text(path)) {
            if let Some(place) = folders.get(&found[2]).and_then(|place| above(place, 1)) {
                folders.insert(found[1].to_owned(), place);
            }
        }
    }
    folders
}

/// What a pattern finds in the settings, within the app's folder: a variable that is a folder, and a path from there.
fn places(
    files: &Files,
    sources: &[String],
    folders: &BTreeMap<String, String>,
    pattern: &str,
    folder: &str,
) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("it is fixed");
    let mut places: Vec<String> = sources
        .iter()
        .flat_map(|path| pattern.captures_iter(files.text(path)))
        .filter_map(|found| resolve(folders.get(&found[1])?, &found[2]))
        .filter_map(|place| match folder {
            "" => Some(place),
            folder => Some(place.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
        })
        .collect();
    places.sort();
    places.dedup();
    places
}
