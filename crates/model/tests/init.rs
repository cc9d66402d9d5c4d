//! What `init` makes of a checkout: of each shape of project the file that it writes, without its comments, and what it says or asks.
//! Every such file passes the configuration's own reader, in every environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use buedafab_model::config;
use buedafab_model::init::{Answers, CheckoutFacts, Files, Question, guess, matters, understand, write};

/// A checkout of `five`, on `main`, with these files.
fn checkout(files: &[(&str, &str)]) -> CheckoutFacts {
    let paths = files.iter().map(|(path, _)| (*path).to_owned());
    let texts: BTreeMap<String, String> = files
        .iter()
        .filter(|(path, _)| matters(path))
        .map(|(p, t)| ((*p).to_owned(), (*t).to_owned()))
        .collect();
    CheckoutFacts {
        folder: "checkout".to_owned(),
        remote: Some(("origin".to_owned(), "git@github.com:bueda/five.git".to_owned())),
        branch: Some("main".to_owned()),
        default_branch: Some("main".to_owned()),
        branches: vec!["main".to_owned()],
        can_sign: false,
        mentions_static_root: files.iter().any(|(_, text)| text.contains("STATIC_ROOT")),
        files: Files::new(paths, texts),
    }
}

/// The whole file, once it can be read.
#[track_caller]
fn file_of(facts: &CheckoutFacts, answers: &Answers) -> String {
    let text = write(&guess(facts, answers));
    let parsed =
        config::parse("buedafab.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    for environment in parsed.environment_names() {
        parsed.settings(&environment).unwrap_or_else(|mistakes| panic!("{environment}: {mistakes}\n{text}"));
    }
    text
}

/// What the file says of its own, and what is told beside it: the rest is the same for every project.
#[track_caller]
fn shape(facts: &CheckoutFacts) -> String {
    same_for_all(&file_of(facts, &Answers::default())) + &told(facts, &Answers::default())
}

fn same_for_all(text: &str) -> String {
    const SAME: [&str; 11] = [
        "unit = \"five\"",
        "path = \"/var/webapps/{unit}\"",
        "release_paths = [\"a\", \"b\", \"c\"]",
        "scm = \"git@github.com:bueda/five.git\"",
        "default_revision = \"HEAD\"",
        "sign_tags = false",
        "hosts = []",
        "[environments.development]",
        "[environments.staging]",
        "[environments.production]",
        "branch = \"main\"",
    ];
    let own = text.lines().filter(|line| {
        let offered = ["# [services.", "# command", "# build =", "# default =", "# To do"];
        let is_said = !line.starts_with('#') || offered.iter().any(|begin| line.starts_with(begin));
        let is_same = SAME.iter().any(|same| line.split(" #").next().unwrap_or(line).trim_end() == *same);
        is_said && !is_same && !["", "[hooks]", "# build = \"make\""].contains(line)
    });
    own.map(|line| format!("{line}\n")).collect()
}

fn told(facts: &CheckoutFacts, answers: &Answers) -> String {
    let guess = guess(facts, answers);
    let mut told = String::new();
    for (what, why) in &guess.reasons {
        let _ = writeln!(told, "- {what} ({why})");
    }
    for note in &guess.notes {
        let _ = writeln!(told, "! {note}");
    }
    for question in &guess.questions {
        match question {
            Question::Hosts | Question::Health { .. } | Question::Start { usual: Some(_) } => {}
            other => {
                let _ = writeln!(told, "? {}", other.words());
            }
        }
    }
    told
}

const MANAGE: &str = "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"hc.settings\")\n";

#[test]
fn django() {
    // Healthchecks: the package isn't called like the project.
    let healthchecks = checkout(&[
        ("manage.py", MANAGE),
        ("requirements.txt", "Django==5.2\ngunicorn\n"),
        ("requirements-dev.txt", "ruff\n"),
        (
            "hc/settings.py",
            "BASE_DIR = Path(__file__).resolve().parent.parent\nWSGI_APPLICATION = \"hc.wsgi.application\"\nSTATIC_ROOT = BASE_DIR / \"static-collected\"\n\
             DATABASES = {\"default\": {\"ENGINE\": \"django.db.backends.sqlite3\", \"NAME\": os.getenv(\"DB_NAME\", BASE_DIR / \"hc.sqlite\")}}\n",
        ),
        ("hc/wsgi.py", ""),
        ("docker/Dockerfile", "CMD [\"uwsgi\", \"/opt/healthchecks/docker/uwsgi.ini\"]\n"),
    ]);
    insta::assert_snapshot!(shape(&healthchecks), @r#"
    recipe = "django"
    pip_requirements = ["requirements.txt"]
    pip_requirements_dev = ["requirements-dev.txt"]
    variables = { DJANGO_SETTINGS_MODULE = "hc.settings" }
    shared_files = ["hc.sqlite"]
    test_runner = "django"
    linter = "ruff"
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 hc.wsgi"
    - recipe django (manage.py is Django's)
    - production's settings hc.settings (manage.py)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 hc.wsgi (Django's module hc.wsgi)
    - production's branch main (the HEAD of origin)
    "#);

    // Baby Buddy: a package of settings, a database beside the package, assets by npm, a Procfile.
    let baby_buddy = checkout(&[
        ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'babybuddy.settings.base')\n"),
        ("Pipfile", "[packages]\ndjango = \"*\"\n[dev-packages]\ntblib = \"*\"\n"),
        ("requirements.txt", "-i https://pypi.org/simple\ndjango==5.0\ngunicorn==22\n"),
        ("package.json", "{\"scripts\": {\"lint\": \"gulp lint\"}}"),
        ("Procfile", "web: gunicorn babybuddy.wsgi:application --timeout 30 --log-file -\n"),
        ("babybuddy/settings/__init__.py", ""),
        (
            "babybuddy/settings/base.py",
            "BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.path.join(BASE_DIR, '../data/db.sqlite3')\n\
             STATIC_ROOT = os.path.join(BASE_DIR, 'static')\nMEDIA_ROOT = os.path.join(BASE_DIR, '../media')\n",
        ),
        ("babybuddy/settings/production.py", "from .base import *\n"),
        ("babybuddy/settings/test.py", "from .base import *\n"),
        ("babybuddy/wsgi.py", ""),
    ]);
    insta::assert_snapshot!(shape(&baby_buddy), @r#"
    recipe = "django"
    pip_requirements = ["requirements.txt"]
    variables = { DJANGO_SETTINGS_MODULE = "babybuddy.settings.base" }
    shared_files = ["data/db.sqlite3"]
    shared_dirs = ["media"]
    test_runner = "django"
    service = "systemd:{unit}"
    # [services.web]
    # command = "gunicorn babybuddy.wsgi:application --timeout 30 --log-file -"
    variables = { DJANGO_SETTINGS_MODULE = "babybuddy.settings.production" }
    variables = { DJANGO_SETTINGS_MODULE = "babybuddy.settings.production" }
    - recipe django (manage.py is Django's)
    - production's settings babybuddy.settings.production (babybuddy/settings/production.py)
    - started by: gunicorn babybuddy.wsgi:application --timeout 30 --log-file - (Procfile)
    - production's branch main (the HEAD of origin)
    "#);

    // bakerydemo: requirements by environment, and a manage.py for developers.
    let bakerydemo = checkout(&[
        ("manage.py", "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"bakerydemo.settings.dev\")\n"),
        ("requirements.txt", "# For Heroku\n-r requirements/production.txt\n"),
        ("requirements/base.txt", "Django>=5\nwagtail\n"),
        ("requirements/development.txt", "-r base.txt\nruff==0.1\n"),
        ("requirements/production.txt", "-r base.txt\ngunicorn\n"),
        (
            "bakerydemo/settings/base.py",
            "PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\nBASE_DIR = os.path.dirname(PROJECT_DIR)\nSTATIC_ROOT = os.path.join(BASE_DIR, 'collect_static')\nMEDIA_ROOT = os.path.join(BASE_DIR, \"media\")\nWSGI_APPLICATION = \"bakerydemo.wsgi.application\"\n",
        ),
        ("bakerydemo/settings/dev.py", "from .base import *\n"),
        ("bakerydemo/settings/production.py", "from .base import *\n"),
        ("bakerydemo/wsgi.py", ""),
        ("Dockerfile", "CMD [\"uwsgi\", \"/code/etc/uwsgi.ini\"]\n"),
    ]);
    insta::assert_snapshot!(shape(&bakerydemo), @r#"
    recipe = "django"
    pip_requirements = ["requirements/base.txt"]
    pip_requirements_production = ["requirements/production.txt"]
    pip_requirements_dev = ["requirements/development.txt"]
    variables = { DJANGO_SETTINGS_MODULE = "bakerydemo.settings.dev" }
    shared_dirs = ["media"]
    test_runner = "django"
    linter = "ruff"
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 bakerydemo.wsgi"
    variables = { DJANGO_SETTINGS_MODULE = "bakerydemo.settings.production" }
    variables = { DJANGO_SETTINGS_MODULE = "bakerydemo.settings.production" }
    - recipe django (manage.py is Django's)
    - production's settings bakerydemo.settings.production (bakerydemo/settings/production.py)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 bakerydemo.wsgi (Django's module bakerydemo.wsgi)
    - production's branch main (the HEAD of origin)
    "#);

    // pretalx: Django in src/, its pyproject at the root.
    let pretalx = checkout(&[
        (
            "pyproject.toml",
            "[project]\nname = \"pretalx\"\ndependencies = [\"django[argon2]~=5.2\", \"celery\"]\n[project.optional-dependencies]\ndev = [\"pytest-django\"]\n[tool.pytest.ini_options]\ntestpaths = \"src/tests\"\n",
        ),
        ("src/manage.py", "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"pretalx.settings\")\n"),
        ("src/pretalx/__init__.py", ""),
        (
            "src/pretalx/settings.py",
            "BASE_DIR = Path(__file__).resolve().parent.parent\nSTATIC_ROOT = BASE_DIR / \"static.dist\"\nWSGI_APPLICATION = \"pretalx.wsgi.application\"\n",
        ),
        ("src/pretalx/wsgi.py", ""),
        ("src/tests/conftest.py", ""),
        (
            "src/pretalx/frontend/schedule-editor/package.json",
            "{\"scripts\": {\"start\": \"vite\", \"build\": \"vite build\"}}",
        ),
    ]);
    insta::assert_snapshot!(shape(&pretalx), @r#"
    recipe = "django"
    subdir = "src"
    pip_requirements = []
    variables = { DJANGO_SETTINGS_MODULE = "pretalx.settings" }
    test_runner = "pytest"
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 pretalx.wsgi"
    - recipe django, in src (src/manage.py is Django's)
    - production's settings pretalx.settings (src/manage.py)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 pretalx.wsgi (Django's module pretalx.wsgi)
    - production's branch main (the HEAD of origin)
    "#);
}

/// What `manage.py` names may be a module, one of several, or their package.
#[test]
fn production_s_settings() {
    let cases: [(&str, &str, &[&str]); 6] = [
        ("a module", "five.settings", &["five/settings.py", "five/production.py"]),
        (
            "one of several",
            "five.settings.local",
            &["five/settings/local.py", "five/settings/prod.py", "five/settings/staging.py"],
        ),
        ("their package", "five.settings", &["five/settings/__init__.py", "five/settings/production.py"]),
        (
            "a package alone",
            "config.settings",
            &["config/settings/__init__.py", "config/settings/defaults.py"],
        ),
        (
            "nothing but for developers",
            "five.settings.dev",
            &["five/settings/dev.py", "five/settings/base.py"],
        ),
        ("a package of configuration", "config.dev", &["config/dev.py", "config/production.py"]),
    ];
    let mut all = String::new();
    for (name, module, paths) in cases {
        let manage = format!("os.environ.setdefault('DJANGO_SETTINGS_MODULE', '{module}')\n");
        let mut files = vec![("manage.py", manage.as_str())];
        files.extend(paths.iter().map(|path| (*path, "")));
        let text = file_of(&checkout(&files), &Answers::default());
        let said: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split("DJANGO_SETTINGS_MODULE = ").nth(1)?.strip_suffix(" }"))
            .collect();
        let _ = writeln!(all, "{name}: {}", said.join(" · "));
    }
    insta::assert_snapshot!(all, @r#"
    a module: "five.settings"
    one of several: "five.settings.local" · "five.settings.staging" · "five.settings.prod"
    their package: "five.settings" · "five.settings.production" · "five.settings.production"
    a package alone: "config.settings"
    nothing but for developers: "five.settings.dev"
    a package of configuration: "config.dev" · "config.production" · "config.production"
    "#);
}

#[test]
fn other_python() {
    // CTFd: Flask's factory, a manage.py that isn't Django's, flask-migrate.
    let ctfd = checkout(&[
        ("manage.py", "from CTFd import create_app\napp = create_app()\n"),
        (
            "CTFd/__init__.py",
            "from flask import Flask\n\ndef create_app(config=\"CTFd.config.Config\"):\n    app = CTFdFlask(__name__)\n",
        ),
        ("requirements.txt", "flask==2.1.3\nflask-migrate==2.5.3\ngunicorn==20.1.0\n"),
        ("migrations/env.py", ""),
        ("migrations/alembic.ini", ""),
        ("package.json", "{\"scripts\": {\"build\": \"vite build\"}}"),
        ("yarn.lock", ""),
        ("Makefile", "lint:\n\truff check\n\ntest:\n\tpytest -rf\n"),
        ("tests/helpers.py", ""),
        ("development.txt", "pytest==7\n"),
        ("ruff.toml", ""),
        ("docker-entrypoint.sh", ""),
        ("Dockerfile", "ENTRYPOINT [\"/opt/CTFd/docker-entrypoint.sh\"]\n"),
    ]);
    insta::assert_snapshot!(shape(&ctfd), @r#"
    recipe = "wsgi"
    pip_requirements = ["requirements.txt"]
    test_runner = "make test"
    linter = "ruff"
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 'CTFd:create_app()'"
    once = "python -m flask --app CTFd:create_app db upgrade"    # migrations/env.py
    # build = "yarn install --frozen-lockfile && yarn run build"    # package.json
    - recipe wsgi (requirements.txt asks for flask)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 'CTFd:create_app()' (CTFd/__init__.py)
    - production's branch main (the HEAD of origin)
    "#);

    // flower: Tornado with setup.py.
    let flower = checkout(&[
        (
            "setup.py",
            "setup(name='flower', install_requires=get_requirements('default.txt'),\n  entry_points={'celery.commands': ['flower = flower.command:flower']})\n",
        ),
        ("requirements/default.txt", "celery>=5.0.5\ntornado>=5.0.0,<7.0.0\n"),
        ("requirements/dev.txt", "pylint\n"),
        ("requirements/docs.txt", "sphinx\n"),
        ("requirements/test.txt", "mock\n"),
        ("flower/__init__.py", ""),
        ("flower/__main__.py", ""),
        ("flower/api/tasks.py", ""),
        ("examples/tasks.py", ""),
        ("tox.ini", "[testenv]\ncommands = python -m tests.unit\n"),
    ]);
    insta::assert_snapshot!(shape(&flower), @r#"
    recipe = "tornado"
    pip_requirements = ["requirements/default.txt"]
    pip_requirements_dev = ["requirements/dev.txt", "requirements/test.txt"]
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m flower"
    - recipe tornado (requirements/default.txt asks for tornado)
    - started by: python -m flower (flower/__main__.py)
    - production's branch main (the HEAD of origin)
    "#);

    // A program of setup.py's is there only where that is installed, and it says itself what it needs.
    let program = checkout(&[
        (
            "setup.py",
            "setup(name='five', install_requires=read('default.txt'), entry_points={'console_scripts': ['five = five.main:main']})\n",
        ),
        ("requirements/default.txt", "tornado>=5.0.0\n"),
        ("requirements/dev.txt", "pylint\n"),
        ("five/__init__.py", ""),
    ]);
    insta::assert_snapshot!(shape(&program), @r#"
    recipe = "tornado"
    pip_requirements = []
    pip_requirements_dev = ["requirements/dev.txt"]
    service = "systemd:{unit}"
    # [services.web]
    # command = "five"
    - recipe tornado (requirements/default.txt asks for tornado)
    - started by: five (setup.py)
    - production's branch main (the HEAD of origin)
    "#);

    // datasette: an ASGI app that is a program.
    let datasette = checkout(&[
        (
            "setup.py",
            "setup(\n    install_requires=[\n        \"asgiref>=3.2.10\",\n        \"uvicorn>=0.11\",\n    ],\n    entry_points=\"\"\"\n        [console_scripts]\n        datasette=datasette.cli:cli\n    \"\"\",\n    extras_require={\"test\": [\"pytest>=5.2.2\"]},\n)\n",
        ),
        ("datasette/__init__.py", ""),
        ("datasette/app.py", "class Datasette:\n"),
        ("Dockerfile", "FROM python\nRUN pip install datasette\n"),
    ]);
    insta::assert_snapshot!(shape(&datasette), @r#"
    recipe = "asgi"
    pip_requirements = []
    test_runner = "pytest"
    service = "systemd:{unit}"
    # [services.web]
    # command = "datasette"
    - recipe asgi (setup.py asks for uvicorn)
    - started by: datasette (setup.py)
    - production's branch main (the HEAD of origin)
    "#);

    // FastAPI's template: an app in backend/, a front end beside it.
    let fastapi = checkout(&[
        ("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"backend\"]\n"),
        ("uv.lock", ""),
        (
            "backend/pyproject.toml",
            "[project]\nname = \"app\"\ndependencies = [\"fastapi[standard]\", \"alembic\"]\n[dependency-groups]\ndev = [\"pytest\", \"ruff\"]\n",
        ),
        ("backend/app/__init__.py", ""),
        ("backend/app/main.py", "app = FastAPI(\n    title=settings.PROJECT_NAME,\n)\n"),
        ("backend/alembic.ini", ""),
        ("backend/app/alembic/env.py", ""),
        ("backend/Dockerfile", "CMD [\"fastapi\", \"run\", \"--workers\", \"4\", \"app/main.py\"]\n"),
        ("frontend/package.json", "{\"scripts\": {\"dev\": \"vite\", \"build\": \"tsc && vite build\"}}"),
    ]);
    insta::assert_snapshot!(shape(&fastapi), @r#"
    recipe = "asgi"
    subdir = "backend"
    pip_requirements = []
    test_runner = "pytest"
    linter = "ruff"
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m uvicorn --port 8000 app.main:app"
    once = "python -m alembic upgrade head"    # backend/alembic.ini
    - recipe asgi, in backend (backend/pyproject.toml asks for fastapi)
    - started by: python -m uvicorn --port 8000 app.main:app (backend/app/main.py)
    - production's branch main (the HEAD of origin)
    "#);

    // A workspace of uv's with two servers: only a person can say.
    let project =
        |name: &str, asks: &str| format!("[project]\nname = \"{name}\"\ndependencies = [\"{asks}\"]\n");
    let workspace = checkout(&[
        ("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n"),
        ("uv.lock", ""),
        ("packages/api/pyproject.toml", &project("api", "fastapi")),
        ("packages/api/src/api/main.py", "app = FastAPI()\n"),
        ("packages/admin/pyproject.toml", &project("admin", "flask")),
        ("packages/core/pyproject.toml", &project("core", "pydantic")),
    ]);
    insta::assert_snapshot!(shape(&workspace), @r#"
    recipe = "wsgi"
    subdir = "packages/admin"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    - recipe wsgi, in packages/admin (packages/admin/pyproject.toml asks for flask)
    - production's branch main (the HEAD of origin)
    ? There are several apps here: packages/admin, packages/api. Which folder is deployed? [packages/admin]
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);

    // A package that nothing says how to start.
    let package = checkout(&[
        ("pyproject.toml", "[project]\nname = \"five\"\ndependencies = [\"requests\"]\n"),
        ("src/five/__init__.py", ""),
    ]);
    insta::assert_snapshot!(shape(&package), @r#"
    recipe = "wsgi"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    - recipe wsgi (pyproject.toml is Python's, and asks for no framework)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
    let poetry = checkout(&[
        ("pyproject.toml", "[tool.poetry]\nname = \"five\"\n[tool.poetry.dependencies]\nflask = \"^3\"\n"),
        ("poetry.lock", ""),
        ("five/__init__.py", "app = Flask(__name__)\n"),
    ]);
    insta::assert_snapshot!(shape(&poetry), @r#"
    recipe = "wsgi"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 five:app"
    - recipe wsgi (pyproject.toml asks for flask)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 five:app (five/__init__.py)
    - production's branch main (the HEAD of origin)
    ! a deploy won't read poetry.lock: have its tool write a requirement file of it, and name that in `pip_requirements`
    "#);
    let setup = checkout(&[("setup.py", "setup(install_requires=['requests'])\n"), ("five/__init__.py", "")]);
    insta::assert_snapshot!(shape(&setup), @r#"
    recipe = "wsgi"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    - recipe wsgi (setup.py is Python's, and asks for no framework)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
}

#[test]
fn other_languages() {
    let mut all = String::new();
    let cases: [(&str, &[(&str, &str)]); 10] = [
        (
            "node",
            &[
                (
                    "package.json",
                    "{\"scripts\": {\"start\": \"node server.js\", \"build\": \"tsc\", \"test\": \"jest\", \"lint\": \"eslint .\"}}",
                ),
                ("package-lock.json", ""),
            ],
        ),
        ("rust", &[("Cargo.toml", "[package]\nname = \"five\"\n"), ("Cargo.lock", ""), ("src/main.rs", "")]),
        ("go", &[("go.mod", "module github.com/bueda/five\n"), ("cmd/server/main.go", "")]),
        (
            "rails",
            &[
                ("Gemfile", "gem \"rails\", \"~> 8.0\"\ngem 'puma'\ngem \"rspec-rails\"\n"),
                ("Gemfile.lock", ""),
                ("config/puma.rb", ""),
            ],
        ),
        (
            "a Procfile",
            &[("Procfile", "web: bin/serve -p $PORT\nworker: bin/work --all\nrelease: bin/migrate\n")],
        ),
        (
            "a Makefile",
            &[("Makefile", "CC := gcc\nbuild: main.c\n\tcc main.c\ntest:\n\t./test\nserve:\n\t./five\n")],
        ),
        (
            "a Dockerfile",
            &[("Dockerfile", "FROM elixir\nCMD mix phx.server --host 0.0.0.0 \\\n  --port ${PORT:-4000}\n")],
        ),
        ("pages", &[("index.html", ""), ("style.css", "")]),
        ("nothing known", &[("README.md", "")]),
        (
            "tests of Django alone",
            &[
                ("tests/manage.py", MANAGE),
                ("setup.cfg", "[options]\ninstall_requires =\n    Django>=4\n"),
                ("setup.py", ""),
            ],
        ),
    ];
    for (name, files) in cases {
        let _ = writeln!(all, "== {name}\n{}", shape(&checkout(files)));
    }
    insta::assert_snapshot!(all, @r#"
    == node
    recipe = "generic"
    test_runner = "npm test"
    linter = "npm run lint"
    service = "systemd:{unit}"
    # [services.web]
    # command = "npm start"
    build = "npm ci && npm run build"    # package.json
    - recipe generic (package.json)
    - started by: npm start (package.json)
    - production's branch main (the HEAD of origin)

    == rust
    recipe = "generic"
    test_runner = "cargo test"
    linter = "cargo clippy"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./target/release/five"
    build = "cargo build --release --locked"    # Cargo.toml
    - recipe generic (Cargo.toml)
    - started by: ./target/release/five (Cargo.toml)
    - production's branch main (the HEAD of origin)

    == go
    recipe = "generic"
    test_runner = "go test ./..."
    linter = "go vet ./..."
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/server"
    build = "go build -o bin/server ./cmd/server"    # go.mod
    - recipe generic (go.mod)
    - started by: ./bin/server (go.mod)
    - production's branch main (the HEAD of origin)

    == rails
    recipe = "generic"
    test_runner = "bundle exec rspec"
    service = "systemd:{unit}"
    # [services.web]
    # command = "bundle exec puma -C config/puma.rb"
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    - recipe generic (Gemfile)
    - started by: bundle exec puma -C config/puma.rb (Gemfile)
    - production's branch main (the HEAD of origin)

    == a Procfile
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "bin/serve -p 8000"
    # [services.worker]
    # command = "bin/work --all"
    once = "bin/migrate"    # Procfile
    - recipe generic (Procfile)
    - started by: bin/serve -p 8000 (Procfile)
    - production's branch main (the HEAD of origin)

    == a Makefile
    recipe = "generic"
    test_runner = "make test"
    service = "systemd:{unit}"
    # [services.web]
    # command = "make serve"
    build = "make build"    # Makefile
    - recipe generic (nothing here is known to a recipe)
    - started by: make serve (Makefile)
    - production's branch main (the HEAD of origin)

    == a Dockerfile
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "mix phx.server --host 127.0.0.1 --port 8000"
    - recipe generic (nothing here is known to a recipe)
    - started by: mix phx.server --host 127.0.0.1 --port 8000 (Dockerfile)
    - production's branch main (the HEAD of origin)

    == pages
    recipe = "static"
    service = "none"
    - recipe static (index.html)
    - production's branch main (the HEAD of origin)

    == nothing known
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]

    == tests of Django alone
    recipe = "wsgi"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    - recipe wsgi (setup.py is Python's, and asks for no framework)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
}

/// The branch that happens to be checked out is none to release from.
#[test]
fn production_s_branch() {
    let facts = |branch: Option<&str>, default: Option<&str>, branches: &[&str]| CheckoutFacts {
        branch: branch.map(str::to_owned),
        default_branch: default.map(str::to_owned),
        branches: branches.iter().map(|name| (*name).to_owned()).collect(),
        ..checkout(&[])
    };
    let cases = [
        ("a feature branch", facts(Some("feature"), Some("trunk"), &["feature", "trunk"])),
        ("a detached HEAD", facts(None, Some("main"), &["main"])),
        ("no HEAD of the remote", facts(Some("feature"), None, &["feature", "master"])),
        ("several could be", facts(Some("feature"), None, &["feature", "main", "master"])),
        ("none of a usual name", facts(Some("feature"), None, &["feature", "one"])),
        ("nothing committed", facts(Some("main"), None, &[])),
        ("nothing committed on another", facts(Some("wip"), None, &[])),
        ("no remote", CheckoutFacts { remote: None, ..facts(Some("wip"), None, &["wip", "main"]) }),
        (
            "a remote of another name",
            CheckoutFacts {
                remote: Some(("upstream".to_owned(), "https://git.example.com/five".to_owned())),
                ..facts(Some("wip"), Some("main"), &["main"])
            },
        ),
    ];
    let mut all = String::new();
    for (name, facts) in cases {
        let text = file_of(&facts, &Answers::default());
        let said: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("branch = ") || line.starts_with("master_remote"))
            .collect();
        let told: Vec<String> = told(&facts, &Answers::default())
            .lines()
            .filter(|l| l.contains("branch"))
            .map(str::to_owned)
            .collect();
        let _ = writeln!(all, "{name}: {}\n    {}", said.join("; "), told.join("; "));
    }
    insta::assert_snapshot!(all, @r#"
    a feature branch: branch = "trunk"
        - production's branch trunk (the HEAD of origin)
    a detached HEAD: branch = "main"
        - production's branch main (the HEAD of origin)
    no HEAD of the remote: branch = "master"
        - production's branch master (the only branch of such a name)
    several could be: # branch = "master"
        ? Which branch do production's releases come from: main, master? [main]
    none of a usual name: # branch = "master"
        ? Which branch do production's releases come from: feature, one? [feature]
    nothing committed: branch = "main"
        - production's branch main (it is checked out, and there is no other)
    nothing committed on another: # branch = "master"
        ? Which branch do production's releases come from? [main]
    no remote: branch = "main"
        - production's branch main (the only branch of such a name)
    a remote of another name: master_remote = "upstream"; branch = "main"
        - production's branch main (the HEAD of upstream)
    "#);
}

/// What the tool before was told goes before all guesses.
#[test]
fn earlier_tools() {
    let capistrano = checkout(&[
        ("Gemfile", "gem \"rails\"\n"),
        (
            "config/deploy.rb",
            "lock \"~> 3.19\"\nset :application, \"five\"\nset :repo_url, \"git@git.example.com:bueda/five.git\"\n# set :branch, \"no\"\nset :deploy_to, \"/var/www/#{fetch(:application)}\"\nappend :linked_files, \"config/master.key\"\nappend :linked_dirs, \"log\", \"tmp/pids\",\n  \"storage\"\n",
        ),
        (
            "config/deploy/production.rb",
            "set :branch, \"stable\"\nserver \"web1.example.com\", user: \"deploy\", roles: %w{app web}, port: 2222\nserver \"db1\", user: \"deploy\", roles: [:db]\n",
        ),
        ("config/deploy/qa.rb", "role :app, %w{deploy@qa1}\nrole :web, %w{deploy@qa1}\n"),
    ]);
    insta::assert_snapshot!(shape(&capistrano), @r#"
    recipe = "generic"
    shared_files = ["config/master.key"]
    shared_dirs = ["log", "tmp/pids", "storage"]
    path = "/var/www/five"
    scm = "git@git.example.com:bueda/five.git"
    test_runner = "bin/rails test"
    service = "none"
    # To do: Capistrano's `current` goes on serving until the web server follows releases/current: docs/from-capistrano.md says how to move over, and what to set `service` to then.
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    [environments.qa]
    hosts = [{ name = "qa1", user = "deploy", roles = ["app", "web"] }]
    branch = "stable"
    hosts = [
        { name = "web1.example.com", user = "deploy", port = 2222, roles = ["app", "web"] },
        { name = "db1", user = "deploy", roles = ["db"] },
    ]
    - what the tool before was told (config/deploy.rb)
    - recipe generic (Gemfile)
    - production's branch stable (config/deploy.rb)
    "#);

    let kamal = checkout(&[
        ("Gemfile", "gem \"rails\"\n"),
        (
            "config/deploy.yml",
            "service: five\nimage: bueda/five\nservers:\n  web:\n    - 192.0.2.1\n    - 192.0.2.2\n  job:\n    hosts:\n      - 192.0.2.1\n    cmd: bin/jobs\nssh:\n  user: app\nproxy:\n  app_port: 3000\n  healthcheck:\n    path: /up\naccessories:\n  db:\n    image: mysql\n",
        ),
        ("config/deploy.staging.yml", "servers:\n  - staging.example.com\n"),
    ]);
    insta::assert_snapshot!(shape(&kamal), @r#"
    recipe = "generic"
    test_runner = "bin/rails test"
    service = "systemd:{unit}"
    # To do: Kamal's accessories, databases and the like, are yours to install.
    # To do: what Kamal passes into its containers, `env`, becomes `variables` and `env_file`.
    # [services.web]
    # command = "./bin/serve --port 8000"
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    [health]
    http = "/up"
    port = 3000
    hosts = ["app@staging.example.com"]
    hosts = [
        { name = "192.0.2.1", user = "app", roles = ["web", "job"] },
        { name = "192.0.2.2", user = "app", roles = ["web"] },
    ]
    - what the tool before was told (config/deploy.yml)
    - recipe generic (Gemfile)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);

    let deployer = checkout(&[(
        "deploy.php",
        "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('application', 'five');\nset('repository', 'git@git.example.com:bueda/five.git');\nadd('shared_files', ['.env']);\nadd('shared_dirs', ['storage']);\nhost('web1.example.com')\n    ->set('remote_user', 'deployer')\n    ->set('deploy_path', '/srv/five');\nhost('test')->setHostname('web9')->setLabels(['stage' => 'staging']);\n",
    )]);
    insta::assert_snapshot!(shape(&deployer), @r#"
    recipe = "generic"
    shared_files = [".env"]
    shared_dirs = ["storage"]
    path = "/srv/five"
    scm = "git@git.example.com:bueda/five.git"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    hosts = ["web9"]
    hosts = ["deployer@web1.example.com"]
    - what the tool before was told (deploy.php)
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
    let deployer = checkout(&[(
        "deploy.yaml",
        "import:\n  - recipe/common.php\nconfig:\n  application: five\n  repository: git@git.example.com:bueda/five.git\n  shared_dirs:\n    - storage\nhosts:\n  web1.example.com:\n    remote_user: deployer\n    deploy_path: ~/five\n",
    )]);
    insta::assert_snapshot!(shape(&deployer), @r#"
    recipe = "generic"
    shared_dirs = ["storage"]
    scm = "git@git.example.com:bueda/five.git"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    hosts = ["deployer@web1.example.com"]
    - what the tool before was told (deploy.yaml)
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
}

/// A fabfile of the buedafab that was a library for Fabric.
#[test]
fn a_fabfile() {
    let fabfile = "from fabric.api import *\n\
        from buedafab.test import test, django_test_runner as _django_test_runner, lint\n\
        from buedafab.deploy.types import django_deploy as deploy\n\
        from buedafab.environments import (django_development as development, django_localhost as localhost)\n\n\
        env.unit = \"six\"\n\
        env.path = \"/srv/%(unit)s\" % env\n\
        env.scm = \"git@github.com:bueda/%(unit)s.git\" % env\n\
        env.scm_http_url = \"http://github.com/bueda/%(unit)s\" % env\n\
        env.root_dir = os.path.abspath(os.path.dirname(__file__))\n\
        env.test_runner = _django_test_runner\n\
        env.pip_requirements = [\"requirements/common.txt\",\n        'vendor/allo/pip-requirements.txt',]\n\
        env.pip_requirements_dev = [\"requirements/dev.txt\",]\n\
        env.pip_requirements_production = [\"requirements/production.txt\",]\n\
        env.extra_fixtures = [\"permissions\"]\n\
        env.deploy_group = 'bueda'\n\
        env.celeryd = 'scripts/init.d/celeryd'\n\
        env.private_requirements = ['five-utils==v1.2']\n\
        env.load_balancer = 'web'\n\n\
        @task\ndef staging():\n    \"\"\"The two of them.\"\"\"\n    env.hosts = [\"staging.example.com:1222\"]\n    env.deployment_type = 'STAGING'\n\n\
        def production():\n    env.roledefs = {'web': ['deploy@web1:1222', 'web2'], 'worker': ['web2']}\n\n\
        def rechef():\n    \"\"\"Run Chef.\"\"\"\n    sudo('chef-client')\n    run(\"echo %(unit)s\" % env)\n\n\
        def docs():\n    local(\"make docs\")\n\n\
        def clever(x=1):\n    for host in env.hosts:\n        print(host)\n\n\
        def _helper():\n    pass\n";
    insta::assert_snapshot!(shape(&checkout(&[("fabfile.py", fabfile), ("manage.py", MANAGE)])), @r#"
    unit = "six"
    recipe = "django"
    pip_requirements = ["requirements/common.txt", "vendor/allo/pip-requirements.txt"]
    pip_requirements_production = ["requirements/production.txt"]
    pip_requirements_dev = ["requirements/dev.txt"]
    variables = { DJANGO_SETTINGS_MODULE = "hc.settings" }
    steps.collectstatic = []
    path = "/srv/{unit}"
    scm = "git@github.com:bueda/six.git"
    scm_http_url = "http://github.com/bueda/six"
    test_runner = "django"
    service = "init:{unit}"
    deploy_group = "bueda"
    private_requirements = ["five-utils==v1.2"]
    extra_fixtures = ["permissions"]
    # To do: private_source, where those private packages are whose lines hold no URL: docs/from-fabric-buedafab.md.
    # To do: for env.load_balancer: list the hosts in `hosts`; a hook, `before_switch`, can take one out of the balancer.
    # To do: the task clever is Python: write its commands below [tasks.clever].
    [services.celery]
    template = "scripts/init.d/celeryd"
    service = "init:celeryd-{unit}_{deployment_type}"
    [tasks.rechef]
    run = ["sudo chef-client", "echo six"]
    [tasks.docs]
    run = ["make docs"]
    on = "deployer"
    hosts = ["staging.example.com:1222"]
    hosts = [
        { name = "web1", user = "deploy", port = 1222, roles = ["web"] },
        { name = "web2", roles = ["web", "worker"] },
    ]
    - what the tool before was told (fabfile.py)
    - recipe django (fabfile.py)
    - production's settings hc.settings (manage.py)
    - production's branch main (the HEAD of origin)
    "#);
    // Somebody else's says nothing.
    let other = checkout(&[("fabfile.py", "from fabric import task\n"), ("requirements.txt", "flask\n")]);
    assert!(!shape(&other).contains("earlier"));
}

/// What a person answers, and what the file then says.
#[test]
fn answers() {
    let facts = checkout(&[
        ("requirements.txt", "flask\n"),
        ("wsgi.py", "from five import create_app\napp = create_app()\n"),
    ]);
    let answer = |typed: &[&str]| {
        let mut answers = Answers::default();
        let mut talk = String::new();
        for typed in typed {
            let Some(question) = guess(&facts, &answers).questions.first().cloned() else { break };
            let _ = writeln!(talk, "{}", format!("{} {typed}", question.words()).trim_end());
            match understand(&facts, &answers, &question, typed) {
                Ok(more) => answers = more,
                Err(why) => talk.push_str(&format!("  {why}\n")),
            }
        }
        let open = guess(&facts, &answers).questions;
        assert!(open.is_empty(), "{open:?}");
        let file = file_of(&facts, &answers);
        let own = file.lines().filter(|line| {
            let begins = ["hosts = [\"", "service =", "[services", "command", "[health", "http", "port"];
            begins.iter().any(|begin| line.starts_with(begin))
        });
        talk + &own.map(|line| format!("    {line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(answer(&["", "", ""]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later]
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app]
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/]
        service = "none"
        [services.web]
        command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
        [health]
        http = "/"
        port = 8000
    "#);
    insta::assert_snapshot!(answer(&["deploy@web[1:3].example.com, jobs1", "systemd:five", "/healthz"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] deploy@web[1:3].example.com, jobs1
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:five
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/] /healthz
        service = "systemd:five"
        [health]
        http = "/healthz"
        port = 8000
    "#);
    insta::assert_snapshot!(
        answer(&["web[3:1]", "web1", "python -m gunicorn -b 127.0.0.1:9000 wsgi:app", "well", ":9001/well"]), @r#"
        Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web[3:1]
          `[3:1]` runs backwards
        Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web1
        What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] python -m gunicorn -b 127.0.0.1:9000 wsgi:app
        The page that says it is well, such as :9000/healthz, or - for none? [:9000/] well
          a path such as /healthz, or a port with one such as :8000/healthz, please
        The page that says it is well, such as :9000/healthz, or - for none? [:9000/] :9001/well
            service = "none"
            [services.web]
            command = "python -m gunicorn -b 127.0.0.1:9000 wsgi:app"
            [health]
            http = "/well"
            port = 9001
            hosts = ["web1"]
        "#);
    insta::assert_snapshot!(answer(&["later", "-"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] later
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] -
        service = "none"
    "#);
    insta::assert_snapshot!(answer(&["web1", "systemd:a b c", "systemd:", "systemd:five", "-"]), @r#"
    Production's hosts, such as deploy@web[1:3].example.com jobs1? [later] web1
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:a b c
      `a b c` isn't the name of a service
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:
      `systemd:` doesn't say which service
    What starts the app: a command, or systemd:NAME for a unit that is there? [python -m gunicorn --bind 127.0.0.1:8000 wsgi:app] systemd:five
    The page that says it is well, such as :8000/healthz, or - for none? [:8000/] -
        service = "systemd:five"
        hosts = ["web1"]
    "#);
}

/// The whole of what is written, once.
#[test]
fn the_whole_file() {
    let facts =
        checkout(&[("requirements.txt", "flask\ncelery\n"), ("tasks.py", ""), ("wsgi.py", "app = 1\n")]);
    insta::assert_snapshot!(file_of(&facts, &Answers::default()), @r#"
    # How five is deployed. All settings: buedafab config --schema; their values: buedafab production config

    # The app's short name: its folder and its service on the hosts.
    unit = "five"

    # What kind of app it is: "django", "tornado", "wsgi", "asgi", "webpy", "static", or "generic" for any other.
    # `buedafab recipe` shows what that brings.
    recipe = "wsgi"
    pip_requirements = ["requirements.txt"]
    # Files and folders that outlive releases, in `shared` on every host: shared_files = [".env"], shared_dirs = ["media"]

    # The app's folder on every host. {unit} and {environment} are replaced.
    path = "/var/webapps/{unit}"

    # The folders that releases take turns in, in `releases` on every host. Two are enough; with a third one, a deploy that
    # fails never costs you the release that you could go back to.
    release_paths = ["a", "b", "c"]

    # Where hosts fetch from. Without it: the URL of this checkout's remote `origin`.
    scm = "git@github.com:bueda/five.git"
    # Lend your SSH agent to the one step that fetches, for hosts that may not read the repository themselves:
    # forward_agent = true

    # What is deployed when no commit is named.
    default_revision = "HEAD"

    # What runs the tests, before every deploy and in `buedafab test`: "django", "pytest", "unittest", or a command.
    # test_runner = "pytest"

    # Your git has no key to sign tags with. Once it has: sign_tags = true
    sign_tags = false

    # How the app is restarted once the link has moved: "systemd:NAME", "systemd-user:NAME", "supervisor:NAME",
    # "runit:NAME", "init:NAME", or "none" if it needs no restart.
    service = "systemd:{unit}"

    # Unit files can come along with the release that they belong to; without these lines they are yours to install. With
    # them, `service` above is "none", and the unit is called five-web; outside of production five-web-ENVIRONMENT.
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
    # [services.celery]
    # default = "celery"
    # roles = ["worker"]
    # [services.beat]
    # default = "celery-beat"
    # roles = ["worker"]

    # Shell commands at named points, in the new release. A failure before the switch changes nothing that serves; a
    # failure after it puts every host back.
    #   before_prepare · build · check · once (one host) · before_switch · restart · after_switch · verify · after_finish
    [hooks]
    # build = "make"
    # check = "./bin/check"

    # How each host finds out whether the app is well: after a restart until it is, or the host goes back; and for `status`.
    # [health]
    # http = "/"                              # or tcp = 8000, or a command
    # port = 8000

    # Environments: localhost, development, staging and production are there without being declared. Each may override any
    # setting above.
    [environments.development]
    hosts = []                                # "dev.example.com:1222"

    [environments.staging]
    hosts = []
    # On a host of production's, it needs a service of its own.
    # service = "systemd:{unit}-staging"

    # Production takes only tagged commits of this branch; a deploy offers to make the tag.
    [environments.production]
    branch = "main"
    hosts = []                                # "deploy@web[1:3].example.com", { name = "jobs1", roles = ["worker"] }
    # waves = [1, "100%"]                     # one host first, then all the others
    "#);
}

/// What is offered can be commented in.
#[test]
fn what_is_commented_out_can_be_read() {
    for unit in ["five", "it's \"5\""] {
        let mut facts = checkout(&[
            ("manage.py", MANAGE),
            ("requirements.txt", "django\ncelery\n"),
            ("package.json", "{\"scripts\": {\"build\": \"x\"}}"),
            ("hc/celery.py", ""),
            ("hc/wsgi.py", ""),
        ]);
        facts.remote = Some(("origin".to_owned(), format!("/srv/{unit}")));
        let text = file_of(&facts, &Answers::default());
        let offered = [
            "build",
            "waves",
            "[services",
            "service =",
            "command",
            "default =",
            "roles",
            "[health]",
            "http",
            "port",
        ];
        let text = offered
            .iter()
            .fold(text, |text, line| text.replace(&format!("\n# {line}"), &format!("\n{line}")));
        assert_eq!(text.contains("\n[services.celery]\n"), unit == "five");
        config::parse("buedafab.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[test]
fn what_serves_is_what_the_requirements_ask_for() {
    let command = |requirements: &str, name: &str, text: &str| {
        let facts = checkout(&[("requirements.txt", requirements), (name, text)]);
        let offered = file_of(&facts, &Answers::default());
        let line = offered.lines().find_map(|line| line.strip_prefix("# command = "));
        line.unwrap_or("nothing").to_owned()
    };
    let app = "app = make()\n";
    let commands: String = [
        command("falcon\n", "app.py", app),
        command("bottle\nwaitress\n", "app.py", app),
        command("flask\nwaitress\n", "app.py", "def create_app():\n"),
        command("gunicorn\n", "app.py", app),
        command("six\n", "app.py", app),
        command("fastapi\nhypercorn\n", "app.py", "app = FastAPI()\n"),
        command("starlette\ndaphne\n", "app.py", "app = Starlette()\n"),
        command("starlette\n", "app.py", "app = Starlette()\n"),
    ]
    .map(|line| line + "\n")
    .concat();
    insta::assert_snapshot!(commands, @r#"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m waitress --listen=127.0.0.1:8000 app:app"
    "python -m waitress --listen=127.0.0.1:8000 --call app:create_app"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    "python -m hypercorn --bind 127.0.0.1:8000 app:app"
    "python -m daphne --port 8000 app:app"
    "python -m uvicorn --port 8000 app:app"
    "#);
}

#[test]
fn who_starts_it_later_finds_in_the_file_how() {
    let facts = checkout(&[("requirements.txt", "flask\n"), ("wsgi.py", "app = Flask()\n")]);
    let mut answers = Answers::default();
    answers.take(&Question::Start { usual: None }, "later").expect("it is an answer");
    let file = file_of(&facts, &answers);
    let about = file.lines().skip_while(|line| !line.starts_with("# Nothing starts")).take(4);
    insta::assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r#"
    # Nothing starts the app yet. With these lines a unit file comes along with each release: five-web, and outside of
    # production five-web-ENVIRONMENT.
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 wsgi:app"
    "#);
}

/// What a person has said once isn't asked for again, nor lost.
#[test]
fn what_a_former_file_was_told_is_kept() {
    let facts = checkout(&[("requirements.txt", "flask\n"), ("wsgi.py", "app = Flask()\n")]);
    let former = "unit = \"old\"\nservice = \"none\"\n[services.web]\ncommand = \"python -m gunicorn -b :9000 wsgi:app\"\n\
        [health]\nhttp = \"/well\"\nport = 9000\n[environments.development]\nhosts = [\"dev:1222\"]\n[environments.qa]\nhosts = [\"qa1\"]\n\
        [environments.production]\nbranch = \"stable\"\nhosts = [\"deploy@web[1:3]\", { name = \"jobs1\", roles = [\"worker\"] }]\n";
    let answers = Answers::of_former(former, &facts.files).expect("a file");
    let file = file_of(&facts, &answers);
    let kept = ["service =", "[services", "command", "[health", "http", "port", "[env", "hosts =", "branch"];
    let kept: Vec<&str> =
        file.lines().filter(|line| kept.iter().any(|begin| line.starts_with(begin))).collect();
    insta::assert_snapshot!(kept.join("\n") + "\n" + &told(&facts, &answers), @r#"
    service = "none"
    [services.web]
    command = "python -m gunicorn -b :9000 wsgi:app"
    [health]
    http = "/well"
    port = 9000
    [environments.development]
    hosts = ["dev:1222"]
    [environments.staging]
    hosts = []
    [environments.qa]
    hosts = ["qa1"]
    [environments.production]
    branch = "stable"
    hosts = [
    - development's hosts dev:1222 (the former buedafab.toml)
    - production's hosts deploy@web[1:3], { name = jobs1, roles = [worker] } (the former buedafab.toml)
    - qa's hosts qa1 (the former buedafab.toml)
    - recipe wsgi (requirements.txt asks for flask)
    - started by: python -m gunicorn --bind 127.0.0.1:8000 wsgi:app (wsgi.py)
    "#);
    assert!(guess(&facts, &answers).questions.is_empty());
    // Its own lines are an answer to nothing.
    let own = file_of(&facts, &Answers::default());
    let again = Answers::of_former(&own, &facts.files).expect("a file");
    assert_eq!(file_of(&facts, &again), own);
    assert!(guess(&facts, &again).questions.contains(&Question::Hosts));
    assert!(Answers::of_former("unit =", &facts.files).is_err());
}
