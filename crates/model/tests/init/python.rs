//! What is made of Python projects.

use super::*;

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
