//! What git tracks, with the texts of the few files that say something.

use std::collections::{BTreeMap, BTreeSet};

/// Paths from the root of the checkout, and the texts of those that [`matters`].
#[derive(Debug, Clone, Default)]
pub struct Files {
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
}

/// Folders that hold no app that is deployed.
const ASIDE: [&str; 16] = [
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "example",
    "examples",
    "demo",
    "demos",
    "vendor",
    "node_modules",
    "third_party",
    "benchmarks",
    "scripts",
    "tools",
    "templates",
];

/// Files that are read wherever they are.
const NAMES: [&str; 33] = [
    "manage.py",
    "wsgi.py",
    "asgi.py",
    "app.py",
    "main.py",
    "application.py",
    "server.py",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "Pipfile",
    "package.json",
    "Cargo.toml",
    "go.mod",
    "Gemfile",
    "Procfile",
    "Makefile",
    "GNUmakefile",
    "Dockerfile",
    "fabfile.py",
    "deploy.php",
    "deploy.yaml",
    "deploy.yml",
    "__init__.py",
    "run.py",
    "wsgi.ini",
    "pytest.ini",
    "Containerfile",
    "Gemfile.lock",
    "settings.py",
    "serve.py",
    "conf.py",
];

/// Whether the text of a file of this path says something about how the project is deployed.
pub fn matters(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let depth = path.matches('/').count();
    if depth > 4 || is_aside(path) {
        return false;
    }
    let is_requirement =
        name.ends_with(".txt") && (path.contains("requirement") || path.contains("constraint"));
    let is_settings = name.ends_with(".py") && (path.contains("settings") || path.contains("config"));
    let is_earlier = path.starts_with("config/deploy");
    // A package's own beginning may hold the app; those of packages within it don't.
    let is_deep = name == "__init__.py" && depth > 3;
    (NAMES.contains(&name) && !is_deep) || is_requirement || is_settings || is_earlier
}

/// Whether a path lies in a folder of tests, documents or examples.
pub(super) fn is_aside(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    parts.iter().any(|part| ASIDE.contains(part) || part.starts_with('.'))
}

impl Files {
    /// All tracked paths, and the texts that were read.
    pub fn new(paths: impl IntoIterator<Item = String>, texts: BTreeMap<String, String>) -> Files {
        Files { paths: paths.into_iter().collect(), texts }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The text of a file; empty if there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.texts.get(path).map_or("", String::as_str)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The paths below a folder, without its name.
    pub(super) fn below<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        self.paths().filter_map(move |path| match folder {
            "" => Some(path),
            folder => path.strip_prefix(folder)?.strip_prefix('/'),
        })
    }

    /// The folders down to this depth, nearest first, but for those of tests, documents and examples; the root isn't one.
    pub(super) fn folders(&self, deepest: usize) -> Vec<String> {
        let mut folders = BTreeSet::new();
        for path in self.paths().filter(|path| !is_aside(path)) {
            let parts: Vec<&str> = path.split('/').collect();
            for depth in 1..parts.len().min(deepest + 1) {
                folders.insert((depth, parts[..depth].join("/")));
            }
        }
        folders.into_iter().map(|(_, folder)| folder).collect()
    }
}
