//! What a repository says about itself.

use std::fs;
use std::path::Path;

use buedafab_engine::Repository;
use buedafab_model::app::recipe::Recipe;
use buedafab_model::app::remote_url::RemoteUrl;
use buedafab_model::names::Unit;
use regex::Regex;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) unit: String,
    pub(super) scm: Option<String>,
    /// Whether the remote's URL holds a password or token.
    pub(super) has_credentials: bool,
    pub(super) branch: Option<String>,
    pub(super) can_sign: bool,
    pub(super) recipe: Recipe,
    /// Whether there are workers of Celery.
    pub(super) uses_celery: bool,
    /// Requirement files of pip.
    pub(super) requirements: Vec<String>,
    /// Whether Django's settings say where static files are collected.
    pub(super) collects_static_files: bool,
    /// Databases that Django's settings place in the project.
    pub(super) databases: Vec<String>,
    /// The folders in it that uploads are written to.
    pub(super) uploads: Vec<String>,
    pub(super) test_runner: Option<&'static str>,
    pub(super) hooks: Vec<(&'static str, String)>,
}

pub(super) async fn detect(repository: &Repository) -> Found {
    let root = repository.root();
    let remote = repository.remote_url("origin").await.map(|url| RemoteUrl::of(&url));
    let has_credentials = remote.as_ref().is_some_and(|remote| remote.credentials.is_some());
    let scm = remote.map(|remote| remote.url);
    let folder = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let named = scm.as_deref().and_then(name_in_url).map(str::to_owned).or(folder).unwrap_or_default();
    let unit = if Unit::new(named.clone()).is_ok() { named } else { "app".to_owned() };
    let requirements = find_requirements(root);
    let needs = needs(root, &requirements);
    let recipe = guess_recipe(root, &requirements, &needs);
    let settings = if recipe == Recipe::Django { django_settings(root) } else { String::new() };
    Found {
        databases: if settings.contains("sqlite3") { paths_in(&settings, DATABASE) } else { Vec::new() },
        uploads: paths_in(&settings, UPLOADS),
        collects_static_files: repository.mentions("STATIC_ROOT").await,
        hooks: if recipe == Recipe::Generic { suggest_hooks(root) } else { Vec::new() },
        test_runner: suggest_test_runner(root),
        branch: repository.branch().await,
        can_sign: repository.can_sign().await,
        uses_celery: needs.contains("celery"),
        recipe,
        requirements,
        unit,
        scm,
        has_credentials,
    }
}

/// The last part of a git URL: `five` of `git@github.com:bueda/five.git`.
fn name_in_url(url: &str) -> Option<&str> {
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next()?;
    Some(last.strip_suffix(".git").unwrap_or(last)).filter(|name| !name.is_empty())
}

/// The file that names what the app needs everywhere. One for all environments is enough to begin with.
fn find_requirements(root: &Path) -> Vec<String> {
    let usual = [
        "requirements.txt",
        "requirements/common.txt",
        "requirements/base.txt",
        "requirements/production.txt",
    ];
    usual.into_iter().filter(|name| root.join(name).is_file()).take(1).map(str::to_owned).collect()
}

/// All that the project says about what it needs, in small letters.
fn needs(root: &Path, requirements: &[String]) -> String {
    let named = requirements.iter().map(String::as_str).chain(["pyproject.toml"]);
    let texts = named.filter_map(|name| fs::read_to_string(root.join(name)).ok());
    texts.collect::<String>().to_lowercase()
}

/// All that Django's settings say: `settings.py`, or a folder of such files, in the project or one folder below.
fn django_settings(root: &Path) -> String {
    let folders = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut text = String::new();
    for folder in folders.filter(|path| path.is_dir()).chain([root.to_owned()]) {
        let several = fs::read_dir(folder.join("settings")).into_iter().flatten().flatten();
        for file in several.map(|entry| entry.path()).chain([folder.join("settings.py")]) {
            if file.extension().is_some_and(|end| end == "py") {
                text.push_str(&fs::read_to_string(file).unwrap_or_default());
            }
        }
    }
    text
}

/// `BASE_DIR / 'db.sqlite3'`, or `os.path.join(BASE_DIR, 'db.sqlite3')`.
const DATABASE: &str = r#"BASE_DIR\)?\s*[/,]\s*["']([\w./-]+\.(?:sqlite3?|db3?))["']"#;

/// The same of a folder.
const UPLOADS: &str = r#"(?m)^MEDIA_ROOT\s*=.*BASE_DIR\)?\s*[/,]\s*["']([\w./-]*\w)/?["']"#;

fn paths_in(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("it is fixed");
    let mut paths: Vec<String> = pattern.captures_iter(text).map(|found| found[1].to_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn guess_recipe(root: &Path, requirements: &[String], needs: &str) -> Recipe {
    let has = |name: &str| root.join(name).exists();
    let needs_any = |names: &[&str]| names.iter().any(|name| needs.contains(name));
    if has("manage.py") {
        Recipe::Django
    } else if needs_any(&["tornado"]) {
        Recipe::Tornado
    } else if needs_any(&["fastapi", "starlette", "uvicorn", "hypercorn", "granian", "quart", "litestar"]) {
        Recipe::Asgi
    } else if needs_any(&["web.py"]) {
        Recipe::Webpy
    } else if !requirements.is_empty() || has("pyproject.toml") {
        Recipe::Wsgi
    } else if has("index.html") && !has("package.json") {
        Recipe::Static
    } else {
        Recipe::Generic
    }
}

/// Commands that this kind of project would want, from the files that it has.
fn suggest_hooks(root: &Path) -> Vec<(&'static str, String)> {
    let has = |name: &str| root.join(name).exists();
    let build = if has("package-lock.json") {
        "npm ci && npm run build --if-present"
    } else if has("Cargo.toml") {
        "cargo build --release --locked"
    } else if has("go.mod") {
        "go build ./..."
    } else if has("Gemfile.lock") {
        "bundle install --deployment"
    } else if has("Makefile") {
        "make"
    } else {
        return Vec::new();
    };
    vec![("build", build.to_owned())]
}

/// What would run the tests of such a project.
fn suggest_test_runner(root: &Path) -> Option<&'static str> {
    let has = |name: &str| root.join(name).exists();
    if ["pytest.ini", "conftest.py", "tests/conftest.py"].iter().any(|name| has(name)) {
        Some("pytest")
    } else if has("manage.py") {
        Some("django")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_named_for_their_repository() {
        assert_eq!(name_in_url("git@github.com:bueda/five.git"), Some("five"));
        assert_eq!(name_in_url("https://github.com/bueda/five/"), Some("five"));
        assert_eq!(name_in_url(""), None);
    }

    #[test]
    fn recipes_are_guessed_from_what_is_there() {
        let guess = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("it is ours");
                fs::write(path, text).expect("it is ours");
            }
            let requirements = find_requirements(folder.path());
            let needs = needs(folder.path(), &requirements);
            (guess_recipe(folder.path(), &requirements, &needs), requirements.join(" "))
        };
        assert_eq!(
            guess(&[("manage.py", ""), ("requirements/common.txt", "Django")]),
            (Recipe::Django, "requirements/common.txt".into())
        );
        assert_eq!(
            guess(&[("requirements.txt", "Tornado>=6\n")]),
            (Recipe::Tornado, "requirements.txt".into())
        );
        assert_eq!(
            guess(&[("pyproject.toml", "dependencies = [\"fastapi\"]")]),
            (Recipe::Asgi, String::new())
        );
        assert_eq!(guess(&[("requirements.txt", "flask")]).0, Recipe::Wsgi);
        assert_eq!(guess(&[("requirements.txt", "web.py")]).0, Recipe::Webpy);
        assert_eq!(guess(&[("index.html", "")]).0, Recipe::Static);
        assert_eq!(guess(&[("Cargo.toml", "")]).0, Recipe::Generic);
    }
}
