//! How the app is built, tested, migrated and started: what the files of its language, its Procfile, Makefile and Dockerfile
//! say.

use regex::Regex;
use serde_json::Value;

use crate::app::recipe::Recipe;

use super::django::Django;
use super::files::is_aside;
use super::python::{self, Python};
use super::{Files, toml_of, within};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What starts it, and where that is said.
    pub(super) command: Option<(String, String)>,
    /// More processes of it, by name.
    pub(super) workers: Vec<(String, String)>,
    pub(super) hooks: Vec<Hook>,
    pub(super) test_runner: Option<String>,
    pub(super) linter: Option<String>,
    /// Whether it has workers of Celery.
    pub(super) uses_celery: bool,
}

/// A command at a point of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) point: &'static str,
    pub(super) command: String,
    /// The file that says so.
    pub(super) why: String,
    /// Whether the app can't be deployed without it, as far as can be known. What may be superfluous is to be commented in.
    pub(super) is_needed: bool,
}

/// The port that apps answer on unless they are told another.
pub(super) const USUAL_PORT: u16 = 8000;

/// What is said of the app in a folder.
pub(super) fn look(
    files: &Files,
    folder: &str,
    recipe: Recipe,
    python: Option<&Python>,
    django: &Django,
) -> Found {
    let mut found = Found::default();
    let python = python.filter(|_| recipe.is_python());
    if let Some(python) = python {
        of_python(files, folder, recipe, python, django, &mut found);
    }
    of_node(files, folder, python.is_none() && recipe != Recipe::Static, &mut found);
    if python.is_none() {
        of_rust(files, folder, &mut found);
        of_go(files, folder, &mut found);
        of_ruby(files, folder, &mut found);
    }
    of_docker(files, folder, &mut found);
    of_make(files, folder, python.is_some(), &mut found);
    of_procfile(files, folder, &mut found);
    if recipe == Recipe::Static {
        found.command = None;
    }
    found
}

/// The file that makes a folder a server of another language than Python.
pub(super) fn server_file(files: &Files, folder: &str) -> Option<String> {
    let is_there = |name: &str| Some(within(folder, name)).filter(|path| files.has(path));
    let package = is_there("package.json").filter(|path| script(&json(files.text(path)), "start").is_some());
    let rust = is_there("Cargo.toml").filter(|_| rust_program(files, folder).is_some());
    package
        .or(rust)
        .or_else(|| is_there("go.mod").filter(|_| go_package(files, folder).is_some()))
        .or_else(|| is_there("Gemfile"))
        .or_else(|| is_there("Procfile"))
}

fn of_python(
    files: &Files,
    folder: &str,
    recipe: Recipe,
    python: &Python,
    django: &Django,
    found: &mut Found,
) {
    found.command = python_command(files, folder, recipe, python, django);
    // A project may only watch the workers of others.
    found.uses_celery = python.names.contains("celery")
        && files.below(folder).any(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            !is_aside(path)
                && (path == "tasks.py" || matches!(name, "celery.py" | "celery_app.py" | "celeryapp.py"))
        });
    found.test_runner = if python::has_pytest(files, folder, python) {
        Some("pytest".to_owned())
    } else if recipe == Recipe::Django {
        Some("django".to_owned())
    } else {
        None
    };
    found.linter = python::linter(files, folder, python).map(str::to_owned);
    let mut once = |command: &str, why: String| {
        found.hooks.push(Hook { point: "once", command: command.to_owned(), why, is_needed: true });
    };
    let migrations = within(folder, "migrations/env.py");
    let alembic = within(folder, "alembic.ini");
    if python.names.contains("flask-migrate") && files.has(&migrations) {
        let app = found.command.as_ref().and_then(|(command, _)| flask_app(command));
        once(
            &format!(
                "python -m flask {}db upgrade",
                app.map_or(String::new(), |app| format!("--app {app} "))
            ),
            migrations,
        );
    } else if recipe != Recipe::Django && python.names.contains("alembic") && files.has(&alembic) {
        once("python -m alembic upgrade head", alembic);
    }
}

/// The app of a command of gunicorn's, as Flask's own command takes it.
fn flask_app(command: &str) -> Option<String> {
    let app = command.rsplit(' ').next()?;
    let plain = app.trim_matches('\'').trim_end_matches("()");
    plain.contains(':').then(|| plain.to_owned())
}

/// What would start it, by the app that its modules hold.
fn python_command(
    files: &Files,
    folder: &str,
    recipe: Recipe,
    python: &Python,
    django: &Django,
) -> Option<(String, String)> {
    let asks = |name: &str| python.names.contains(name);
    let wsgi = |app: &str| wsgi_server(python, app);
    let asgi_server = |app: &str| asgi_server(python, app);
    let found = match recipe {
        Recipe::Django => match (&django.asgi, &django.wsgi) {
            (Some(asgi), _) if ASGI_SERVERS.iter().any(|name| asks(name)) => Some((
                asgi_server(&format!("{asgi}:application")),
                "ASGI_APPLICATION in the settings".to_owned(),
            )),
            (_, Some(module)) if asks("waitress") && !asks("gunicorn") => {
                Some((wsgi(&format!("{module}:application")), format!("Django's module {module}")))
            }
            (_, Some(module)) => Some((wsgi(module), format!("Django's module {module}"))),
            (_, None) => None,
        },
        Recipe::Wsgi | Recipe::Webpy => {
            let likely = ["wsgi", "app", "main", "application", "run", "server", "serve"];
            let found = app_object(files, folder, r"(?m)^(app|application)\s*(?::\s*[\w.]+\s*)?=", &likely);
            let found = found.or_else(|| factory(files, folder));
            // Any module may have something of that name.
            let mut says_wsgi = super::app::WSGI_FRAMEWORKS.iter().chain(&WSGI_SERVERS);
            let is_of_framework = says_wsgi.any(|name| asks(name)) || recipe == Recipe::Webpy;
            found
                .filter(|(_, path)| is_of_framework || path.ends_with("wsgi.py"))
                .map(|(app, path)| (wsgi(&app), path))
        }
        Recipe::Asgi => {
            let made = "(?:FastAPI|Starlette|Quart|Litestar|Application)";
            let pattern = format!(r"(?m)^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:\w+\.)?{made}\(");
            let likely = ["main", "asgi", "app", "application", "server"];
            app_object(files, folder, &pattern, &likely).map(|(app, path)| (asgi_server(&app), path))
        }
        Recipe::Tornado => program(files, folder, python).or_else(|| tornado_file(files, folder)),
        Recipe::Static | Recipe::Generic => None,
    };
    found.or_else(|| program(files, folder, python))
}

/// Servers of WSGI apps; the one that is proposed where nothing is asked for comes first.
const WSGI_SERVERS: [&str; 2] = ["gunicorn", "waitress"];

/// The same of ASGI apps.
const ASGI_SERVERS: [&str; 3] = ["uvicorn", "hypercorn", "daphne"];

/// Serves `module:object` by the server that the project asks for.
fn wsgi_server(python: &Python, app: &str) -> String {
    match WSGI_SERVERS.into_iter().find(|name| python.names.contains(*name)) {
        Some("waitress") => match app.trim_matches('\'').strip_suffix("()") {
            Some(factory) => format!("python -m waitress --listen=127.0.0.1:{USUAL_PORT} --call {factory}"),
            None => format!("python -m waitress --listen=127.0.0.1:{USUAL_PORT} {app}"),
        },
        _ => format!("python -m gunicorn --bind 127.0.0.1:{USUAL_PORT} {app}"),
    }
}

fn asgi_server(python: &Python, app: &str) -> String {
    match ASGI_SERVERS.into_iter().find(|name| python.names.contains(*name)) {
        Some("hypercorn") => format!("python -m hypercorn --bind 127.0.0.1:{USUAL_PORT} {app}"),
        Some("daphne") => format!("python -m daphne --port {USUAL_PORT} {app}"),
        _ => format!("python -m uvicorn --port {USUAL_PORT} {app}"),
    }
}

/// The file that is run by itself, as Tornado's apps mostly are.
fn tornado_file(files: &Files, folder: &str) -> Option<(String, String)> {
    let names = ["app.py", "main.py", "server.py"];
    let path = names.into_iter().find(|name| files.has(&within(folder, name)))?;
    let takes_port = files.text(&within(folder, path)).contains("\"port\"");
    let port = if takes_port { format!(" --port={USUAL_PORT}") } else { String::new() };
    Some((format!("python {path}{port}"), within(folder, path)))
}

/// `module:object`, with the path of the module: those of a likely name first.
fn app_object(files: &Files, folder: &str, pattern: &str, likely: &[&str]) -> Option<(String, String)> {
    let pattern = Regex::new(pattern).expect("it is fixed");
    let mut modules = python::modules(files, folder);
    // Scripts for developers make an app, too.
    modules
        .retain(|(name, _)| !matches!(name.as_str(), "manage" | "setup" | "conftest" | "fabfile" | "tasks"));
    modules.sort_by_key(|(name, _)| {
        let last = name.rsplit('.').next().unwrap_or(name);
        let rank = likely.iter().position(|known| *known == last).unwrap_or(likely.len());
        (name.matches('.').count(), rank)
    });
    modules.into_iter().find_map(|(module, path)| {
        let found = pattern.captures(files.text(&path))?;
        Some((format!("{module}:{}", &found[1]), path))
    })
}

/// `'module:create_app()'`, for a shell.
fn factory(files: &Files, folder: &str) -> Option<(String, String)> {
    let pattern = Regex::new(r"(?m)^def (create_app|make_app|app_factory)\(").expect("it is fixed");
    python::modules(files, folder).into_iter().find_map(|(module, path)| {
        let found = pattern.captures(files.text(&path))?;
        Some((format!("'{module}:{}()'", &found[1]), path))
    })
}

/// The one program that the project installs, or its one package that can be run.
fn program(files: &Files, folder: &str, python: &Python) -> Option<(String, String)> {
    if let [program] = python.programs.as_slice() {
        return Some((program.clone(), python.programs_file.clone()));
    }
    let modules = python::modules(files, folder);
    let mut runnable =
        modules.iter().filter(|(name, _)| name.ends_with(".__main__") && name.matches('.').count() == 1);
    match (runnable.next(), runnable.next()) {
        (Some((name, path)), None) => {
            Some((format!("python -m {}", name.trim_end_matches(".__main__")), path.clone()))
        }
        _ => None,
    }
}

fn of_node(files: &Files, folder: &str, is_the_app: bool, found: &mut Found) {
    let path = within(folder, "package.json");
    if !files.has(&path) {
        return;
    }
    let package = json(files.text(&path));
    let has = |name: &str| files.has(&within(folder, name));
    let (install, run) = if has("pnpm-lock.yaml") {
        ("pnpm install --frozen-lockfile", "pnpm")
    } else if has("yarn.lock") {
        ("yarn install --frozen-lockfile", "yarn")
    } else if has("package-lock.json") {
        ("npm ci", "npm")
    } else {
        ("npm install", "npm")
    };
    let builds = script(&package, "build").is_some();
    if is_the_app || builds {
        let build = if builds { format!("{install} && {run} run build") } else { install.to_owned() };
        // What it builds may be committed.
        found.hooks.push(Hook { point: "build", command: build, why: path.clone(), is_needed: is_the_app });
    }
    if !is_the_app {
        return;
    }
    if script(&package, "start").is_some() {
        found.command = Some((format!("{run} start"), path.clone()));
    }
    if script(&package, "test").is_some_and(|test| !test.contains("no test specified")) {
        found.test_runner = Some(format!("{run} test"));
    }
    if script(&package, "lint").is_some() {
        found.linter = Some(format!("{run} run lint"));
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn script<'p>(package: &'p Value, name: &str) -> Option<&'p str> {
    package.get("scripts")?.get(name)?.as_str()
}

fn of_rust(files: &Files, folder: &str, found: &mut Found) {
    let Some(program) = rust_program(files, folder) else { return };
    let why = within(folder, "Cargo.toml");
    let locked = if files.has(&within(folder, "Cargo.lock")) { " --locked" } else { "" };
    let build = format!("cargo build --release{locked}");
    found.hooks.push(Hook { point: "build", command: build, why: why.clone(), is_needed: true });
    found.test_runner = Some("cargo test".to_owned());
    found.linter = Some("cargo clippy".to_owned());
    found.command = Some((format!("./target/release/{program}"), why));
}

/// The one program of a crate.
fn rust_program(files: &Files, folder: &str) -> Option<String> {
    let table = toml_of(files.text(&within(folder, "Cargo.toml")));
    let name = |table: &toml::Table| table.get("name").and_then(|name| name.as_str()).map(str::to_owned);
    let programs = table.get("bin").and_then(|bin| bin.as_array()).cloned().unwrap_or_default();
    match programs.as_slice() {
        [one] => one.as_table().and_then(name),
        _ if files.has(&within(folder, "src/main.rs")) => table.get("package")?.as_table().and_then(name),
        _ => None,
    }
}

fn of_go(files: &Files, folder: &str, found: &mut Found) {
    let Some((package, program)) = go_package(files, folder) else { return };
    let why = within(folder, "go.mod");
    let build = format!("go build -o bin/{program} {package}");
    found.hooks.push(Hook { point: "build", command: build, why: why.clone(), is_needed: true });
    found.test_runner = Some("go test ./...".to_owned());
    found.linter = Some("go vet ./...".to_owned());
    found.command = Some((format!("./bin/{program}"), why));
}

/// The one package of a module that is a program, and what it is called.
fn go_package(files: &Files, folder: &str) -> Option<(String, String)> {
    let module =
        files.text(&within(folder, "go.mod")).lines().find_map(|line| line.strip_prefix("module "))?;
    if files.has(&within(folder, "main.go")) {
        let name = module.trim().rsplit('/').next().unwrap_or("app");
        return Some((".".to_owned(), name.to_owned()));
    }
    let commands: Vec<&str> = files
        .below(folder)
        .filter_map(|path| path.strip_prefix("cmd/")?.strip_suffix("/main.go"))
        .filter(|name| !name.contains('/'))
        .collect();
    match commands.as_slice() {
        [one] => Some((format!("./cmd/{one}"), (*one).to_owned())),
        _ => None,
    }
}

fn of_ruby(files: &Files, folder: &str, found: &mut Found) {
    let why = within(folder, "Gemfile");
    if !files.has(&why) {
        return;
    }
    let gems = files.text(&why);
    let asks = |name: &str| gems.contains(&format!("\"{name}\"")) || gems.contains(&format!("'{name}'"));
    let is_rails = asks("rails");
    let install = "bundle config set --local deployment true && bundle install";
    let build =
        if is_rails { format!("{install} && bin/rails assets:precompile") } else { install.to_owned() };
    let mut hook = |point, command: &str| {
        found.hooks.push(Hook { point, command: command.to_owned(), why: why.clone(), is_needed: true });
    };
    hook("build", &build);
    if is_rails {
        hook("once", "bin/rails db:migrate");
    }
    found.test_runner = if asks("rspec-rails") || asks("rspec") {
        Some("bundle exec rspec".to_owned())
    } else if is_rails {
        Some("bin/rails test".to_owned())
    } else {
        None
    };
    found.linter = asks("rubocop").then(|| "bundle exec rubocop".to_owned());
    found.command = if asks("puma") {
        let config = if files.has(&within(folder, "config/puma.rb")) { " -C config/puma.rb" } else { "" };
        Some((format!("bundle exec puma{config}"), why.clone()))
    } else if files.has(&within(folder, "config.ru")) {
        Some((format!("bundle exec rackup --port {USUAL_PORT}"), within(folder, "config.ru")))
    } else {
        None
    };
}

/// The last `CMD`, unless it means a place of its own image.
fn of_docker(files: &Files, folder: &str, found: &mut Found) {
    let names = ["Dockerfile", "Containerfile"].map(|name| within(folder, name));
    let Some(path) = names.into_iter().find(|path| files.has(path)) else { return };
    // A line may go on in the next.
    let text = Regex::new(r"[ \t]*\\\n\s*").expect("it is fixed").replace_all(files.text(&path), " ");
    let last = |word: &str| {
        let line =
            text.lines().rev().find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(' '))?.trim();
        Some(match serde_json::from_str::<Vec<String>>(line) {
            Ok(words) => shlex::try_join(words.iter().map(String::as_str)).ok()?,
            Err(_) => line.to_owned(),
        })
    };
    let words: Vec<String> = [last("ENTRYPOINT"), last("CMD")].into_iter().flatten().collect();
    let command = words.join(" ");
    let is_of_the_image = command.split(' ').any(|word| word.starts_with('/') || word.ends_with(".sh"));
    if !command.is_empty() && !is_of_the_image && found.command.is_none() {
        found.command = Some((on_this_host(&command), path));
    }
}

/// Targets by their usual names.
fn of_make(files: &Files, folder: &str, is_python: bool, found: &mut Found) {
    let names = ["Makefile", "GNUmakefile"].map(|name| within(folder, name));
    let Some(path) = names.into_iter().find(|path| files.has(path)) else { return };
    let target = Regex::new(r"(?m)^([\w-]+)\s*:(?:[^=]|$)").expect("it is fixed");
    let targets: Vec<&str> = target
        .captures_iter(files.text(&path))
        .filter_map(|found| found.get(1))
        .map(|name| name.as_str())
        .collect();
    let has = |name: &str| targets.contains(&name);
    if !is_python && !found.hooks.iter().any(|hook| hook.point == "build") {
        let build = if has("build") { Some("make build") } else { targets.first().map(|_| "make") };
        if let Some(command) = build {
            let command = command.to_owned();
            found.hooks.push(Hook { point: "build", command, why: path.clone(), is_needed: has("build") });
        }
    }
    if found.test_runner.is_none() && has("test") {
        found.test_runner = Some("make test".to_owned());
    }
    if found.linter.is_none() && has("lint") {
        found.linter = Some("make lint".to_owned());
    }
    if found.command.is_none()
        && let Some(name) = ["serve", "run", "start"].into_iter().find(|name| has(name))
    {
        found.command = Some((format!("make {name}"), path));
    }
}

/// What stands in a Procfile is what runs.
fn of_procfile(files: &Files, folder: &str, found: &mut Found) {
    let path = within(folder, "Procfile");
    let process = Regex::new(r"(?m)^([\w-]+):\s*(\S.*)$").expect("it is fixed");
    for captures in process.captures_iter(files.text(&path)) {
        let command = on_this_host(captures[2].trim());
        match &captures[1] {
            "web" => found.command = Some((command, path.clone())),
            "release" => {
                found.hooks.retain(|hook| hook.point != "once");
                found.hooks.push(Hook { point: "once", command, why: path.clone(), is_needed: true });
            }
            name => found.workers.push((name.to_owned(), command)),
        }
    }
    if found.workers.iter().any(|(_, command)| command.contains("celery")) {
        found.uses_celery = false;
    }
}

/// A command that was written for a platform that gives out ports, or for a container of its own.
fn on_this_host(command: &str) -> String {
    let port = Regex::new(r"\$\{PORT[^}]*\}|\$PORT\b").expect("it is fixed");
    let command = port.replace_all(command, USUAL_PORT.to_string());
    command.replace("0.0.0.0", "127.0.0.1")
}

/// The port that a command names.
pub(super) fn port_of(command: &str) -> Option<u16> {
    let named = Regex::new(r"(?:--port[= ]|-p |:)(\d{2,5})\b").expect("it is fixed");
    named.captures(command)?.get(1)?.as_str().parse().ok()
}
