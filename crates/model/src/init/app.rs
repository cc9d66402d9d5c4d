//! Which folder of the checkout holds the app that is deployed, and what kind of app it is.

use crate::app::recipe::Recipe;

use super::files::is_aside;
use super::python::{self, Python};
use super::question::{Answers, Question};
use super::{Files, django, start, within};

/// An app in the checkout.
#[derive(Debug, Clone)]
pub(super) struct App {
    /// Empty for the root.
    pub(super) folder: String,
    pub(super) recipe: Recipe,
    /// What says so.
    pub(super) why: String,
    strength: Strength,
}

/// How sure it is that this is deployed. The surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Django,
    Framework,
    Server,
    Package,
    Pages,
    Nothing,
}

/// No app lies deeper.
const DEEPEST: usize = 3;

/// The app that is deployed. Of several that are equally likely, a person says which.
pub(super) fn find(files: &Files, answers: &Answers, questions: &mut Vec<Question>) -> App {
    let root = app_in(files, "");
    // A whole app at the root is the one: what lies in folders belongs to it.
    if root.strength <= Strength::Framework {
        return root;
    }
    let mut apps: Vec<App> = files.folders(DEEPEST).iter().map(|folder| app_in(files, folder)).collect();
    apps.push(root.clone());
    let is_workspace = python::is_bare_workspace(files);
    apps.retain(|app| match app.strength {
        Strength::Django | Strength::Framework | Strength::Server => true,
        // The members of a workspace without a project of its own.
        Strength::Package => is_workspace && !app.folder.is_empty(),
        Strength::Pages | Strength::Nothing => false,
    });
    // What serves is deployed rather than the libraries beside it.
    if apps.iter().any(|app| app.strength <= Strength::Server) {
        apps.retain(|app| app.strength <= Strength::Server);
    }
    if apps.iter().any(|app| app.strength == Strength::Django) {
        apps.retain(|app| app.strength == Strength::Django);
    }
    // The folders of an app aren't apps of their own.
    let folders: Vec<String> = apps.iter().map(|app| app.folder.clone()).filter(|f| !f.is_empty()).collect();
    apps.retain(|app| {
        let is_within =
            |outer: &String| app.folder.strip_prefix(outer.as_str()).is_some_and(|r| r.starts_with('/'));
        !folders.iter().any(is_within)
    });
    apps.sort_by(|one, other| (one.strength, &one.folder).cmp(&(other.strength, &other.folder)));
    if let Some(chosen) = answers.folder() {
        return app_in(files, chosen);
    }
    let choices =
        || apps.iter().map(|app| if app.folder.is_empty() { ".".into() } else { app.folder.clone() });
    match apps.as_slice() {
        [] => root,
        [one] => one.clone(),
        [first, ..] => {
            questions.push(Question::Folder { choices: choices().collect() });
            first.clone()
        }
    }
}

/// What a folder would be, if it were the app's.
fn app_in(files: &Files, folder: &str) -> App {
    let app = |recipe, strength, why: String| App { folder: folder.to_owned(), recipe, strength, why };
    let manage = within(folder, "manage.py");
    if django::is_manage(files.text(&manage)) {
        return app(Recipe::Django, Strength::Django, format!("{manage} is Django's"));
    }
    let python = python::look(files, folder);
    if let Some((recipe, name)) = python.as_ref().and_then(framework) {
        let file = python.as_ref().map_or("", |python| python.file.as_str());
        return app(recipe, Strength::Framework, format!("{file} asks for {name}"));
    }
    if let Some(python) = python {
        // A package becomes a server by what starts it, which isn't known.
        return app(
            Recipe::Wsgi,
            Strength::Package,
            format!("{} is Python's, and asks for no framework", python.file),
        );
    }
    if let Some(file) = start::server_file(files, folder) {
        return app(Recipe::Generic, Strength::Server, file);
    }
    let page = within(folder, "index.html");
    if files.has(&page) && !is_aside(&page) && !files.has(&within(folder, "package.json")) {
        return app(Recipe::Static, Strength::Pages, page);
    }
    let why = "nothing here is known to a recipe".to_owned();
    app(Recipe::Generic, Strength::Nothing, why)
}

/// What WSGI apps are made with.
pub(super) const WSGI_FRAMEWORKS: [&str; 10] = [
    "flask",
    "bottle",
    "pyramid",
    "falcon",
    "cherrypy",
    "pecan",
    "morepath",
    "masonite",
    "connexion",
    "dash",
];

/// The framework that a project is made with, by what it asks for. Those that are servers of their own come last: others bring
/// them along.
fn framework(python: &Python) -> Option<(Recipe, &'static str)> {
    const KNOWN: [(Recipe, &[&str]); 5] = [
        (Recipe::Asgi, &["fastapi", "quart", "litestar", "blacksheep", "starlette", "django-ninja"]),
        (Recipe::Wsgi, &WSGI_FRAMEWORKS),
        (Recipe::Tornado, &["tornado"]),
        (Recipe::Webpy, &["web-py"]),
        (Recipe::Asgi, &["uvicorn", "hypercorn", "daphne", "granian", "aiohttp", "sanic"]),
    ];
    KNOWN.iter().find_map(|(recipe, names)| {
        names.iter().find(|name| python.names.contains(**name)).map(|name| (*recipe, *name))
    })
}
