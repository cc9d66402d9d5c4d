//! What a Python project asks for, and where.

use std::collections::BTreeSet;

use regex::Regex;
use toml::Value;

use super::files::is_aside;
use super::{Files, toml_of, within};
use crate::app::virtualenv::is_package;

/// A project of Python.
#[derive(Debug, Clone)]
pub(super) struct Python {
    /// The file that makes it one.
    pub(super) file: String,
    /// What it needs to run, as pip calls it: small letters, and `-` between words.
    pub(super) names: BTreeSet<String>,
    /// What it is developed with.
    pub(super) development: BTreeSet<String>,
    /// Files for pip.
    pub(super) requirements: Requirements,
    /// Whether there is a `pyproject.toml` or a `setup.py`, which is installed where no file is named.
    pub(super) has_project: bool,
    /// Whether that says what it needs, whatever requirement files say.
    pub(super) says_needs: bool,
    /// The programs that it installs, with the function that each is.
    pub(super) programs: Vec<String>,
    /// The file that names them.
    pub(super) programs_file: String,
}

/// Requirement files by the environments that they are for, within the app's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Requirements {
    pub(super) common: Vec<String>,
    pub(super) development: Vec<String>,
    pub(super) production: Vec<String>,
}

impl Requirements {
    pub(super) fn is_empty(&self) -> bool {
        self.common.is_empty() && self.production.is_empty()
    }
}

/// The project in a folder, if it is one.
pub(super) fn look(files: &Files, folder: &str) -> Option<Python> {
    let project = within(folder, "pyproject.toml");
    let setup = within(folder, "setup.py");
    let requirements = requirement_files(files, folder);
    let has_project = is_package(files.text(&project));
    let all = [&requirements.common, &requirements.production, &requirements.development];
    let lists = all.iter().flat_map(|files| files.iter()).map(|name| within(folder, name));
    let marks = [has_project.then(|| project.clone())].into_iter().flatten();
    let mut marks =
        marks.chain(lists).chain([setup.clone(), within(folder, "setup.cfg"), within(folder, "Pipfile")]);
    let is_cfg = |name: &String| !name.ends_with("setup.cfg") || files.text(name).contains("[options]");
    let file = marks.find(|name| files.has(name) && is_cfg(name))?;

    let mut names = BTreeSet::new();
    let mut development = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for list in requirements.common.iter().chain(&requirements.production) {
        read_requirements(files, &within(folder, list), &mut names, &mut seen);
    }
    for list in &requirements.development {
        read_requirements(files, &within(folder, list), &mut development, &mut seen);
    }
    let mut programs = Vec::new();
    read_project(files.text(&project), &mut names, &mut development, &mut programs);
    let programs_file = if programs.is_empty() { setup.clone() } else { project.clone() };
    read_setup(files.text(&setup), &mut names, &mut development, &mut programs);
    read_setup_cfg(files.text(&within(folder, "setup.cfg")), &mut names);
    read_pipfile(files.text(&within(folder, "Pipfile")), &mut names, &mut development);
    // A lock says more exactly what the same project asks for.
    let is_locked = has_project && files.has(&within(folder, "uv.lock"));
    let says_needs = has_project || files.text(&setup).contains("install_requires");
    let has_project = has_project || files.has(&setup);
    let requirements = if is_locked { Requirements::default() } else { requirements };
    Some(Python { file, names, development, requirements, has_project, says_needs, programs, programs_file })
}

/// The project that a folder without one of its own belongs to. Its requirement files lie where the folder doesn't reach.
pub(super) fn above(files: &Files, folder: &str) -> Option<Python> {
    let mut folder = folder;
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
        if let Some(python) = look(files, folder) {
            return Some(Python { requirements: Requirements::default(), ..python });
        }
    }
    None
}

/// Whether the root is the roof of a workspace of uv's.
pub(super) fn is_workspace(files: &Files) -> bool {
    at(&toml_of(files.text("pyproject.toml")), &["tool", "uv", "workspace"]).is_some()
}

/// Whether it is only that.
pub(super) fn is_bare_workspace(files: &Files) -> bool {
    is_workspace(files) && !toml_of(files.text("pyproject.toml")).contains_key("project")
}

fn at<'t>(table: &'t toml::Table, keys: &[&str]) -> Option<&'t Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.as_table()?.get(*key))
}

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, and `requirements/production.txt`.
fn requirement_files(files: &Files, folder: &str) -> Requirements {
    let beside =
        Regex::new(r"^(?:(\w+)[-_.])?(?:pip-)?requirements(?:[-_.](\w+))?\.txt$").expect("it is fixed");
    let inside = Regex::new(r"^requirements/(?:requirements[-_.])?([\w-]+)\.txt$").expect("it is fixed");
    let (mut own, mut others) = (Requirements::default(), Requirements::default());
    for path in files.below(folder) {
        if let Some(found) = beside.captures(path) {
            let word = found.get(2).or(found.get(1)).map_or("", |word| word.as_str());
            own.add(if word == "pip" { "" } else { word }, path);
        } else if let Some(found) = inside.captures(path) {
            others.add(&found[1], path);
        }
    }
    for found in [&mut own, &mut others] {
        // What has the plainest name includes the others of its kind, if anything does.
        found.common.sort_by_key(|path| (path.len(), path.clone()));
        found.common.truncate(1);
    }
    // One that only includes the files of the folder says nothing of its own.
    let only_includes = |path: &String| {
        let text = files.text(&within(folder, path));
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.clone().next().is_some()
            && lines.all(|line| line.starts_with("-r") && line.contains("requirements/"))
    };
    if !others.is_empty() && own.common.iter().all(only_includes) {
        own.common.clear();
    }
    // Of several that everybody needs, the one at the root is made from the others.
    if own.common.is_empty() {
        own.common = others.common;
    }
    if own.production.is_empty() {
        own.production = others.production;
    }
    if own.development.is_empty() {
        own.development = others.development;
    }
    own
}

impl Requirements {
    fn add(&mut self, word: &str, path: &str) {
        let list = match word {
            "" | "common" | "base" | "default" | "main" | "requirements" | "core" => &mut self.common,
            "dev" | "devel" | "development" | "local" | "test" | "tests" | "testing" => &mut self.development,
            "production" | "prod" | "deploy" => &mut self.production,
            _ => return,
        };
        list.push(path.to_owned());
    }
}

/// The name at the beginning of a requirement, as pip compares it.
fn name_of(requirement: &str) -> Option<String> {
    let requirement = requirement.trim();
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let name = &requirement[..end.unwrap_or(requirement.len())];
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        .then(|| name.to_lowercase().replace(['_', '.'], "-"))
}

fn read_requirements(files: &Files, path: &str, names: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
    if !seen.insert(path.to_owned()) {
        return;
    }
    for line in files.text(path).lines().map(str::trim) {
        let included = ["-r", "--requirement"].iter().find_map(|flag| line.strip_prefix(flag));
        match included {
            Some(name) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let name = name.trim_start_matches([' ', '=']);
                if let Some(path) = resolve(folder, name) {
                    read_requirements(files, &path, names, seen);
                }
            }
            None => match line.split_once("#egg=") {
                Some((_, name)) => names.extend(name_of(name)),
                None => names.extend(name_of(line)),
            },
        }
    }
}

/// A path from a folder of the checkout, unless it leads out of it.
pub(super) fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn read_project(
    text: &str,
    names: &mut BTreeSet<String>,
    development: &mut BTreeSet<String>,
    programs: &mut Vec<String>,
) {
    let table = toml_of(text);
    let listed = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.filter_map(name_of).collect()
    };
    names.extend(at(&table, &["project", "dependencies"]).map(listed).unwrap_or_default());
    let poetry = |keys: &[&str]| -> Vec<String> {
        let table = at(&table, keys).and_then(Value::as_table);
        table.into_iter().flat_map(|table| table.keys()).filter_map(|name| name_of(name)).collect()
    };
    names.extend(poetry(&["tool", "poetry", "dependencies"]));
    let groups = [&["dependency-groups"][..], &["project", "optional-dependencies"]];
    for group in groups.iter().filter_map(|keys| at(&table, keys).and_then(Value::as_table)) {
        development.extend(group.values().flat_map(listed));
    }
    development.extend(poetry(&["tool", "poetry", "dev-dependencies"]));
    development.extend(poetry(&["tool", "poetry", "group", "dev", "dependencies"]));
    development.extend(at(&table, &["tool", "uv", "dev-dependencies"]).map(listed).unwrap_or_default());
    let scripts = at(&table, &["project", "scripts"]).or(at(&table, &["tool", "poetry", "scripts"]));
    programs.extend(scripts.and_then(Value::as_table).into_iter().flat_map(|table| table.keys().cloned()));
}

/// `install_requires=[…]`, and the programs of `console_scripts`. Where the list is made by code, requirement files say the rest.
fn read_setup(
    text: &str,
    names: &mut BTreeSet<String>,
    development: &mut BTreeSet<String>,
    programs: &mut Vec<String>,
) {
    let string = Regex::new(r#"["']([^"'\n]+)["']"#).expect("it is fixed");
    let list = |key: &str, open: char, close: char| -> Vec<String> {
        let Some((_, rest)) = text.split_once(key) else { return Vec::new() };
        let Some(rest) = rest.trim_start().strip_prefix(['=', ':']).map(str::trim_start) else {
            return Vec::new();
        };
        let Some(rest) = rest.strip_prefix(open) else { return Vec::new() };
        let end = rest.find(close).unwrap_or(rest.len());
        string.captures_iter(&rest[..end]).map(|found| found[1].to_owned()).collect()
    };
    names.extend(list("install_requires", '[', ']').iter().filter_map(|name| name_of(name)));
    development.extend(list("extras_require", '{', '}').iter().filter_map(|name| name_of(name)));
    development.extend(list("tests_require", '[', ']').iter().filter_map(|name| name_of(name)));
    let program = Regex::new(r#"["'\s]([\w.-]+)\s*=\s*[\w.]+:\w+"#).expect("it is fixed");
    if let Some((_, entries)) = text.split_once("console_scripts") {
        // A list, or a section of a text that is an ini file.
        let entries = entries.trim_start_matches(']');
        let ends = ["]", "}", "\"\"\"", "'''", "\n["];
        let end = ends.iter().filter_map(|end| entries.find(end)).min().unwrap_or(entries.len());
        programs.extend(program.captures_iter(&entries[..end]).map(|found| found[1].to_owned()));
    }
}

fn read_setup_cfg(text: &str, names: &mut BTreeSet<String>) {
    let Some((_, rest)) = text.split_once("install_requires") else { return };
    let lines = rest.lines().skip(1).take_while(|line| line.starts_with([' ', '\t']));
    names.extend(lines.filter_map(name_of));
}

fn read_pipfile(text: &str, names: &mut BTreeSet<String>, development: &mut BTreeSet<String>) {
    let table = toml_of(text);
    for (key, names) in [("packages", names), ("dev-packages", development)] {
        let packages = table.get(key).and_then(Value::as_table);
        names.extend(packages.into_iter().flat_map(|table| table.keys()).filter_map(|name| name_of(name)));
    }
}

/// Whether pytest runs the project's tests.
pub(super) fn has_pytest(files: &Files, folder: &str, python: &Python) -> bool {
    let own = |name: &str| files.text(&within(folder, name));
    let says = |name: &str, section: &str| own(name).contains(section);
    let conftest = |path: &str| {
        path == "conftest.py" || (path.ends_with("/conftest.py") && path.matches('/').count() < 3)
    };
    files.has(&within(folder, "pytest.ini"))
        || files.below(folder).any(conftest)
        || says("pyproject.toml", "[tool.pytest")
        || says("setup.cfg", "[tool:pytest]")
        || says("tox.ini", "[pytest]")
        || python
            .names
            .iter()
            .chain(&python.development)
            .any(|name| name == "pytest" || name.starts_with("pytest-"))
}

/// What checks the project's code, if it isn't the usual one.
pub(super) fn linter(files: &Files, folder: &str, python: &Python) -> Option<&'static str> {
    let has = |name: &str| files.has(name) || files.has(&within(folder, name));
    let says = |name: &str, section: &str| {
        files.text(name).contains(section) || files.text(&within(folder, name)).contains(section)
    };
    let asks = |name: &str| python.names.contains(name) || python.development.contains(name);
    if has("ruff.toml") || has(".ruff.toml") || says("pyproject.toml", "[tool.ruff") || asks("ruff") {
        Some("ruff")
    } else if has(".pylintrc") || asks("pylint") {
        None
    } else if has(".flake8") || says("setup.cfg", "[flake8]") || asks("flake8") {
        Some("flake8")
    } else {
        None
    }
}

/// The modules of a folder's packages, as Python names them, with their paths: the shortest first.
pub(super) fn modules(files: &Files, folder: &str) -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> = files
        .below(folder)
        .filter(|path| path.ends_with(".py") && path.matches('/').count() < 3 && !is_aside(path))
        .map(|path| {
            let plain =
                path.strip_suffix("/__init__.py").or_else(|| path.strip_suffix(".py")).unwrap_or(path);
            let plain = plain.strip_prefix("src/").unwrap_or(plain);
            (plain.replace('/', "."), within(folder, path))
        })
        .collect();
    modules.sort_by_key(|(name, path)| (name.matches('.').count(), path.clone()));
    modules
}
