//! Virtualenvs and what is shared, with real pip, uv and packages.

use std::process::Command;

use buedafab_testkit::{FleetHost, FleetOptions, Remote};

use super::stage::{Ran, Stage};
use super::wheels::{Wheels, target};

const HOST: &str = "\n[environments.production]\nhosts = [\"web1\"]\n";

/// One host, and an app whose packages come from loopback.
struct App {
    stage: Stage,
    wheels: Wheels,
}

impl App {
    fn new(top: &str) -> App {
        let app = App { stage: Stage::with(FleetOptions::default()), wheels: Wheels::serve() };
        app.configure(top);
        app
    }

    fn configure(&self, top: &str) {
        let own = if top.contains("pip_options") { String::new() } else { self.wheels.options() };
        self.stage.configure(&format!(
            "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\npip_requirements = [\"requirements/common.txt\"]\n{own}\n{top}{HOST}"
        ));
    }

    /// Deploys, and gives back what the steps said.
    #[track_caller]
    fn deploy(&self, code: i32) -> Ran {
        self.stage.production(&["-v", "deploy"], code)
    }

    fn live(&self, script: &str) -> String {
        let script = format!("cd /var/webapps/five/releases/current && {{ {script}; }}");
        self.stage.fleet.host("web1").run(&script).trim_end().to_owned()
    }

    fn installed(&self) -> String {
        self.live(
            "env/bin/python -c 'from importlib import metadata as m
print(*sorted(d.name + d.version for d in m.distributions() if d.name not in (\"pip\", \"setuptools\")))'",
        )
    }
}

const INSTALLS: &str = "installing with ";

fn the_life_of_a_virtualenv(app: &App) {
    let common = ("requirements/common.txt", "six==1.16.0\n-r more/extra.txt  # beside it\n");
    app.stage.release_with("first", &[common, ("requirements/more/extra.txt", "iniconfig==2.0.0\n")]);
    app.deploy(0).says("making env with /usr/bin/python3").says(INSTALLS);
    assert_eq!(app.installed(), "iniconfig2.0.0 six1.16.0");
    // The second slot begins with a copy. Each has an env of its own by then, and while nothing changes nothing is installed.
    for name in ["two", "three", "four"] {
        app.stage.release_with(name, &[]);
        let ran = app.deploy(0);
        assert!(!ran.stderr.contains(INSTALLS), "{}", ran.stderr);
        assert_eq!(app.installed(), "iniconfig2.0.0 six1.16.0");
    }
    // A file that is included decides too; and what isn't asked for any more goes.
    app.stage.release_with("five", &[("requirements/more/extra.txt", "# nothing\n")]);
    let ran = app.deploy(0);
    ran.says(INSTALLS);
    assert!(!ran.stderr.contains("making env"), "it is brought up to date: {}", ran.stderr);
    assert_eq!(app.installed(), "six1.16.0");
    app.stage.production(&["-v", "deploy", "--force", "--reinstall"], 0).says("making env").says(INSTALLS);
    // One that came from elsewhere, or is broken, is made again.
    let idle = app.live("case $(readlink ../current) in a) echo b;; b) echo a;; esac");
    app.live(&format!("rm -rf ../{idle}/env && cp -r env ../{idle}/env && chown -R deploy ../{idle}/env"));
    app.stage.release_with("six", &[]);
    app.deploy(0).says("making env");
    app.live("rm ../a/env/bin/python ../b/env/bin/python");
    app.stage.release_with("seven", &[]);
    app.deploy(0).says("making env");
    assert_eq!(app.installed(), "six1.16.0");
    // What can't be installed gets nowhere, and doesn't hang.
    app.stage.release_with("eight", &[("requirements/common.txt", "six==1.16.0\nno-such-package==1\n")]);
    app.deploy(7)
        .says("no-such-package")
        .says("the packages can't be installed")
        .says("the link leads to seven (");
    app.stage.release_with("nine", &[("requirements/common.txt", "-r gone.txt\n")]);
    app.deploy(7).says("the requirement file requirements/gone.txt isn't there");
    app.configure("pip_options = [\"--index-url\", \"http://127.0.0.1:1/simple\"]\n");
    app.stage.release_with("ten", &[("requirements/common.txt", "six==1.17.0\n")]);
    app.deploy(7).says("a host that can't reach the package index");
    assert_eq!(app.installed(), "six1.16.0");
    app.configure("python = \"python9.9\"\n");
    app.deploy(7).says("there is no python9.9 on this host");
    app.configure("");
    app.deploy(0);
    assert_eq!(app.installed(), "six1.17.0");
    app.stage.production(&["rollback"], 0);
    assert_eq!(app.installed(), "six1.16.0");
}

#[test]
fn a_virtualenv_by_pip_is_made_once_and_kept_exact() {
    the_life_of_a_virtualenv(&App::new("installer = \"pip\"\n"));
}

/// Puts uv where `auto` finds it.
pub(crate) fn install_uv(stage: &Stage) {
    install_uv_on(&stage.remote, stage.fleet.host("web1"));
}

/// The same on any host that sees this remote.
pub(crate) fn install_uv_on(remote: &Remote, host: &FleetHost) {
    let uv = std::fs::read(target("tools/bin/uv")).expect("script/setup has run");
    let home = "/home/deploy/.local/bin";
    host.run(&format!("mkdir -p {home}"));
    let path = remote.path().join("uv");
    std::fs::write(&path, uv).expect("it is ours");
    host.run(&format!(
        "cp {} {home}/uv && chmod 755 {home}/uv && chown -R deploy /home/deploy/.local",
        path.display()
    ));
}

#[test]
fn a_virtualenv_by_uv_is_made_once_and_kept_exact() {
    let app = App::new("");
    install_uv(&app.stage);
    the_life_of_a_virtualenv(&app);
}

/// Where another release was built in its place, what was installed is there again to the last file, without an index.
#[test]
fn a_virtualenv_in_the_one_folder_comes_back_as_it_was() {
    const IN_PLACE: &str = "strategy = \"in-place\"\n";
    let app = App::new(IN_PLACE);
    let all = "cd env && find . -type f ! -name '*.pyc' -exec sha256sum {} + | sort | sha256sum";
    app.stage.release_with("first", &[("requirements/common.txt", "six==1.16.0\n")]);
    app.deploy(0);
    let before = app.live(all);
    app.stage.release_with("two", &[("requirements/common.txt", "six==1.17.0\n")]);
    app.configure(&format!("{IN_PLACE}[hooks]\nverify = \"env/bin/python -c 'import six; six.gone'\"\n"));
    app.deploy(8).says(INSTALLS).says("six").says("first (");
    assert_eq!((app.installed().as_str(), app.live(all)), ("six1.16.0", before.clone()));
    app.configure(IN_PLACE);
    app.deploy(0);
    assert_eq!(app.installed(), "six1.17.0");
    // From here on there is no index any more.
    let nowhere = format!("{IN_PLACE}pip_options = [\"--index-url\", \"http://127.0.0.1:1/simple\"]\n");
    app.configure(&nowhere);
    app.stage.production(&["rollback"], 0);
    assert_eq!((app.installed().as_str(), app.live(all)), ("six1.16.0", before.clone()));
    app.stage.release_with("three", &[("requirements/common.txt", "iniconfig==2.0.0\n")]);
    app.deploy(8).says("a host that can't reach the package index").says("first (");
    assert_eq!((app.installed().as_str(), app.live(all)), ("six1.16.0", before));
}

#[test]
fn a_lock_says_what_a_virtualenv_holds() {
    let app = App::new("");
    let options = app.wheels.options();
    let configuration = format!("unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\n{options}\n{HOST}");
    app.stage.configure(&configuration);
    let lock = |six: &str| {
        let project = format!(
            "[project]\nname = \"five\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\"six=={six}\"]\n"
        );
        std::fs::write(app.stage.checkout().join("pyproject.toml"), project).expect("it is ours");
    };
    let write_lock = || {
        let mut uv = Command::new(target("tools/bin/uv"));
        uv.args(["lock", "--quiet", "--no-index", "--find-links", &app.wheels.url()])
            .current_dir(app.stage.checkout());
        assert!(uv.env("UV_PYTHON", "/usr/bin/python3").status().expect("it runs").success());
    };
    lock("1.16.0");
    write_lock();
    app.stage.release_with("first", &[]);
    app.deploy(7).says("uv.lock is uv's, and there is no uv on this host");
    install_uv(&app.stage);
    app.deploy(0).says(INSTALLS);
    assert_eq!(app.installed(), "six1.16.0");
    app.stage.release_with("two", &[]);
    app.deploy(0);
    app.stage.release_with("three", &[]);
    assert!(!app.deploy(0).stderr.contains(INSTALLS), "nothing has changed");
    // What was asked for and what was locked are two things: that is told.
    lock("1.17.0");
    app.stage.release_with("four", &[]);
    app.deploy(7).says("lockfile").says("the link leads to three (");
    write_lock();
    app.stage.release_with("five", &[]);
    app.deploy(0);
    assert_eq!(app.installed(), "six1.17.0");
}

#[test]
fn commands_of_the_app_find_its_virtualenv_first() {
    let app = App::new(
        "installer = \"pip\"\nhooks.build = \"python -c 'import six, sys; print(six.__version__, sys.prefix)'\"\n\
         package_installation_scripts = [\"bin/extra\"]\n[tasks.which]\nrun = \"command -v python\"\n",
    );
    let script = "#!/bin/sh\necho \"extra for $1\"\ntouch \"$1/extra\"\n";
    app.stage.release_with("first", &[("requirements/common.txt", "six==1.17.0\n"), ("bin/extra", script)]);
    let ran = app.deploy(0);
    ran.says("1.17.0 /var/webapps/five/releases/a/env").says("extra for /var/webapps/five/releases/a/env");
    app.stage.production(&["which"], 0).says("web1 │ /var/webapps/five/releases/current/env/bin/python\n");
    app.stage.production(&["run", "--", "python", "-c", "import six"], 0);
    // A script that has changed is reason enough.
    app.stage.release_with("two", &[]);
    app.deploy(0);
    app.stage.release_with("three", &[("bin/extra", "#!/bin/sh\nexit 3\n")]);
    app.deploy(7).says("bin/extra failed");
}

#[test]
fn what_is_shared_outlives_releases_and_is_never_made_up() {
    let stage = Stage::with(FleetOptions::default());
    let configure = |shared: &str| {
        stage.configure(&format!("unit = \"five\"\nrecipe = \"static\"\n{shared}{HOST}"));
    };
    configure("shared_files = [\"conf/.env\"]\nshared_dirs = [\"media\", \"var/up loads\"]\n");
    let ran = stage.production(&["deploy"], 7);
    ran.says("web1: not in /var/webapps/five/shared: conf/.env").says("nothing was touched");
    stage.production(&["check"], 4).says("shared: conf/.env");
    let host = stage.fleet.host("web1");
    host.run("mkdir -p /var/webapps/five/shared/conf && echo SECRET=1 >/var/webapps/five/shared/conf/.env && chown -R deploy /var/webapps/five");
    stage.production(&["check"], 0);
    stage.production(&["deploy"], 0);
    let live = |script: &str| host.run(&format!("cd /var/webapps/five/releases/current && {{ {script}; }}"));
    // What only keeps the folder in git is in no way, however often it is checked out.
    stage.remote.commit(&[("media/.gitignore", "*.jpg\n"), ("media/thumbs/.gitkeep", "")], "Keep the folder");
    assert_eq!(
        live("cat conf/.env; readlink media; ls -d 'var/up loads'"),
        "SECRET=1\n/var/webapps/five/shared/media\nvar/up loads\n"
    );
    live("echo picture >media/cat.jpg");
    for name in ["two", "three", "four"] {
        stage.release(name);
        let ran = stage.production(&["-v", "deploy"], 0);
        assert!(!ran.stderr.contains("kept in"), "{}", ran.stderr);
        assert_eq!(live("cat media/cat.jpg conf/.env"), "picture\nSECRET=1\n");
    }
    let ran = stage.production(&["status"], 0);
    assert!(!ran.stdout.contains("changes"), "{}", ran.stdout);
    stage.production(&["rollback"], 0);
    assert_eq!(live("cat media/cat.jpg version"), "picture\nthree");
    // What git tracks would be lost from sight.
    stage.remote.commit(&[("media/logo.svg", "<svg/>\n")], "A logo");
    stage.remote.tag("five");
    stage.remote.push();
    stage
        .production(&["deploy"], 4)
        .says("media is in five (")
        .says("(media/logo.svg), so it can't be a link to what is shared")
        .says("nothing was touched");
    assert_eq!(live("cat media/cat.jpg"), "picture\n");
}

/// What `startproject` and `startapp` make, in short, with a database in `shared`.
pub(crate) fn django_files(database: &str) -> Vec<(String, String)> {
    let settings = format!(
        "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\nSECRET_KEY = 'x' * 60 + 'abcdefg'\n\
         DEBUG = False\nALLOWED_HOSTS = ['*']\nINSTALLED_APPS = ['django.contrib.staticfiles', 'shop']\nROOT_URLCONF = 'five.urls'\n\
         WSGI_APPLICATION = 'five.wsgi.application'\nSTATIC_URL = '/static/'\nSTATIC_ROOT = BASE_DIR / 'static'\n\
         DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\nDATABASES = {{'default': {database}}}\n"
    );
    let manage = "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'five.settings')\n\
                  from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n";
    let first = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    initial = True\n    dependencies = []\n    \
                 operations = [migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)), ('name', models.CharField(max_length=20))])]\n";
    let model = "from django.db import models\nclass Item(models.Model):\n    name = models.CharField(max_length=20)\n";
    let fixture = "[{\"model\": \"shop.item\", \"pk\": 1, \"fields\": {\"name\": \"first\"}}]\n";
    let urls = "from django.http import HttpResponse\nfrom django.urls import path\nfrom shop.models import Item\n\
                urlpatterns = [path('', lambda request: HttpResponse(' '.join(Item.objects.values_list('name', flat=True))))]\n";
    let wsgi = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'five.settings')\nfrom django.core.wsgi import get_wsgi_application\n\
                application = get_wsgi_application()\n";
    let files = [
        ("requirements/common.txt", "django==5.2.8\ngunicorn==27.0.1\npsycopg2-binary==2.9.11\n"),
        ("manage.py", manage),
        ("five/__init__.py", ""),
        ("five/settings.py", settings.as_str()),
        ("five/urls.py", urls),
        ("five/wsgi.py", wsgi),
        ("shop/__init__.py", ""),
        ("shop/models.py", model),
        ("shop/migrations/__init__.py", ""),
        ("shop/migrations/0001_initial.py", first),
        ("shop/static/shop/style.css", "body { color: red }\n"),
        ("shop/fixtures/first.json", fixture),
    ];
    files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
}

pub(crate) const SECOND_MIGRATION: &str = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    dependencies = [('shop', '0001_initial')]\n    \
     operations = [migrations.AddField('Item', 'price', models.IntegerField(default=0))]\n";

fn the_life_of_a_django_project(app: &App, database: &str) {
    let files = django_files(database);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    app.stage.release_with("first", &files);
    let ran = app.deploy(0);
    ran.says("Planned operations:")
        .says("Applying shop.0001_initial")
        .says("Installed 1 object(s) from 1 fixture(s)");
    assert_eq!(app.live("cat static/shop/style.css"), "body { color: red }");
    let ask = "env/bin/python -c 'import os; os.environ[\"DJANGO_SETTINGS_MODULE\"] = \"five.settings\"
import django; django.setup()
from django.test import Client; print(Client().get(\"/\").content.decode())'";
    assert_eq!(app.live(ask), "first");
    // Nothing pending: nothing is migrated, and nothing loaded again.
    app.stage.release_with("two", &[]);
    let ran = app.deploy(0);
    assert!(!ran.stderr.contains("Planned operations"), "{}", ran.stderr);
    app.stage.release_with("three", &[("shop/migrations/0002_price.py", SECOND_MIGRATION)]);
    app.deploy(0).says("Applying shop.0002_price");
    // A migration that fails is told, and nothing switches.
    let broken = SECOND_MIGRATION
        .replace("0001_initial", "0002_price")
        .replace("'Item', 'price'", "'Nothing', 'price'");
    app.stage.release_with("four", &[("shop/migrations/0003_broken.py", &broken)]);
    app.deploy(7).says("once: ").says("the link leads to three (");
    app.stage
        .release_with("five", &[("shop/migrations/0003_broken.py", "syntax error"), ("version", "five")]);
    app.deploy(7).says("SyntaxError").says("the link leads to three (");
    app.stage.remote.git(&["rm", "-q", "shop/migrations/0003_broken.py"]);
    // A release that doesn't know a migration of the database isn't gone back to unasked.
    app.stage
        .production(&["rollback"], 7)
        .says("  shop.0002_price\n")
        .says("--keep-schema")
        .says("the link leads to three (");
    // Nor by another command.
    app.stage
        .production(&["deploy:release=two,allow_older"], 7)
        .says("  shop.0002_price\n")
        .says("the link leads to three (");
    let migrations =
        || app.stage.production(&["manage", "--", "showmigrations", "shop"], 0).stdout.replace("\r", "");
    assert!(migrations().contains("[X] 0002_price"));
    app.stage.production(&["rollback", "--keep-schema"], 0).says("the link leads to two (");
    app.stage.production(&["deploy:release=three"], 0);
    app.stage.production(&["deploy:release=two,allow_older,keep_schema"], 0);
    app.stage.production(&["deploy:release=three"], 0);
    // What would be lost is said before anything is done, and nothing is without a yes.
    let loses = "note: undoing shop.0002_price drops shop.Item.price, with all of its values\n";
    app.stage.production(&["rollback", "--reverse-migrations", "--dry-run"], 0).says(loses);
    app.stage
        .production(&["rollback", "--reverse-migrations"], 4)
        .says("nobody is there to confirm which migrations are undone: nothing was touched");
    assert!(migrations().contains("[X] 0002_price"));
    app.stage
        .production(&["rollback", "--reverse-migrations", "--yes"], 0)
        .says(loses)
        .says("the link leads to two (");
    assert_eq!(migrations().trim_end(), "shop\n [X] 0001_initial");
    app.stage.production(&["deploy:release=three"], 0);
    assert!(migrations().contains("[X] 0002_price"), "it was done again");
    let mut shell = app.stage.command(&["production", "django_shell"]);
    shell.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut shell = shell.spawn().expect("it starts");
    let mut typed = shell.stdin.take().expect("it is piped");
    std::io::Write::write_all(
        &mut typed,
        b"from shop.models import Item; print(Item.objects.count(), 'items')\n",
    )
    .expect("it listens");
    drop(typed);
    let said = String::from_utf8_lossy(&shell.wait_with_output().expect("it ends").stdout).into_owned();
    assert!(said.contains("1 items"), "{said}");
    // A check that fails stops it before the database is touched.
    app.stage.release_with("six", &[("five/urls.py", "import nothing_of_that_name\n")]);
    app.deploy(7).says("check: python manage.py check --deploy").says("nothing_of_that_name");
    assert_eq!(app.live(ask), "first");
}

/// Commands, requirements, what is shared, migrations and the way back: all of it where the app lies.
#[test]
fn an_app_below_the_root_of_its_project_is_at_home_there() {
    let app = App { stage: Stage::with(FleetOptions::default()), wheels: Wheels::serve() };
    app.stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\nrecipe = \"django\"\nsubdir = \"back end/src\"\ninstaller = \"pip\"\n\
         pip_requirements = [\"requirements/common.txt\"]\nshared_dirs = [\"data\"]\ncrontab = \"conf/crontab\"\n{}\n\
         hooks.build = \"pwd >built\"\n[tasks.where]\nrun = \"pwd; command -v python\"\n{HOST}",
        app.wheels.options()
    ));
    let files =
        django_files("{'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'data/db.sqlite3'}");
    let files: Vec<(String, &str)> =
        files.iter().map(|(path, text)| (format!("back end/src/{path}"), text.as_str())).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    files.push(("back end/src/conf/crontab", "# nothing yet\n"));
    app.stage.release_with("first", &files);
    app.deploy(0).says("Applying shop.0001_initial");
    assert_eq!(
        app.live("cd back*/src && cat built && readlink data && ls -d ../../env"),
        "/var/webapps/five/releases/a/back end/src\n/var/webapps/five/shared/data\n../../env"
    );
    app.stage.production(&["where"], 0).says("current/back end/src\n").says("current/env/bin/python\n");
    app.stage.release_with("two", &[("back end/src/shop/migrations/0002_price.py", SECOND_MIGRATION)]);
    app.deploy(0).says("Applying shop.0002_price");
    app.stage.production(&["rollback"], 7).says("  shop.0002_price\n");
    app.stage.production(&["rollback", "--reverse-migrations", "--yes"], 0).says("the link leads to first (");
    let migrations = app.stage.production(&["manage", "--", "showmigrations", "shop"], 0).stdout;
    assert!(!migrations.contains("0002"), "{migrations}");
}

const DJANGO: &str =
    "recipe = \"django\"\ninstaller = \"pip\"\nextra_fixtures = [\"first\"]\nshared_dirs = [\"data\"]\n";

fn django_app() -> App {
    let app = App { stage: Stage::with(FleetOptions::default()), wheels: Wheels::serve() };
    app.stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\npip_requirements = [\"requirements/common.txt\"]\n{}\n{DJANGO}{HOST}",
        app.wheels.options()
    ));
    app
}

#[test]
fn django_tells_visitors_itself_and_goes_on_after_a_switch() {
    let app = django_app();
    let files =
        django_files("{'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'data' / 'db.sqlite3'}");
    let files: Vec<(String, String)> = files
        .into_iter()
        .map(|(path, text)| match path.as_str() {
            "requirements/common.txt" => (path, "django==5.2.8\ndjango-maintenance-mode==0.23.0\n".to_owned()),
            "five/settings.py" => {
                let middleware = "MIDDLEWARE = ['maintenance_mode.middleware.MaintenanceModeMiddleware']\n\
                                  TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True}]\n";
                (path, text.replace("'shop']", "'shop', 'maintenance_mode']") + middleware)
            }
            _ => (path, text),
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    app.stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\nmaintenance = \"command\"\npip_requirements = [\"requirements/common.txt\"]\n{}\n{DJANGO}{HOST}",
        app.wheels.options()
    ));
    app.stage.release_with("first", &files);
    app.deploy(0);
    let answers = || {
        app.live(
            "env/bin/python -c 'import os; os.environ[\"DJANGO_SETTINGS_MODULE\"] = \"five.settings\"
import django; django.setup()
from django.test import Client; print(Client().get(\"/\").status_code)'",
        )
    };
    assert_eq!(answers(), "200");
    app.stage.production(&["maintenance", "on", "--message", "moving"], 0);
    assert_eq!(answers(), "503");
    app.stage.release_with("two", &[]);
    app.deploy(0);
    assert_eq!(answers(), "503", "the new release knows of it");
    app.stage.production(&["maintenance", "status"], 0).says(": moving");
    app.stage.production(&["maintenance", "off"], 0);
    assert_eq!(answers(), "200");
}

#[test]
fn a_django_project_on_sqlite() {
    let database = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'data' / 'db.sqlite3'}";
    the_life_of_a_django_project(&django_app(), database);
}

/// What `startproject` writes would begin with an empty database at every deploy.
#[test]
fn a_database_or_uploads_in_the_release_are_refused() {
    let app = django_app();
    let database = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db.sqlite3'}";
    let files = django_files(database);
    let uploads = files.iter().map(|(path, text)| match path.as_str() {
        "five/settings.py" => (path.as_str(), format!("{text}\nMEDIA_ROOT = BASE_DIR / 'media'\n")),
        _ => (path.as_str(), text.clone()),
    });
    let uploads: Vec<(&str, String)> = uploads.collect();
    let files: Vec<(&str, &str)> = uploads.iter().map(|(path, text)| (*path, text.as_str())).collect();
    app.stage.release_with("first", &files);
    app.deploy(7)
        .says("shared_files = [\"db.sqlite3\"]")
        .says("MEDIA_ROOT is ")
        .says("shared_dirs = [\"media\"]");
    app.stage.production(&["check"], 0).says("the settings name a SQLite database");
    app.stage
        .run(&["init", "--print"])
        .says("shared_files = [\"db.sqlite3\"]")
        .says("shared_dirs = [\"media\"]");
    let shared = "shared_files = [\"db.sqlite3\"]\nshared_dirs = [\"data\", \"media\"]\n";
    app.stage.configure(&format!(
        "unit = \"five\"\nservice = \"none\"\npip_requirements = [\"requirements/common.txt\"]\n{}\n{}{HOST}",
        app.wheels.options(),
        DJANGO.replace("shared_dirs = [\"data\"]\n", shared)
    ));
    app.deploy(7).says("not in /var/webapps/five/shared: db.sqlite3");
    app.stage.fleet.hosts()[0].run("install -o deploy /dev/null /var/webapps/five/shared/db.sqlite3");
    app.deploy(0).says("Applying shop.0001_initial");
    app.stage.release_with("two", &[]);
    let ran = app.deploy(0);
    assert!(!ran.stderr.contains("Planned operations"), "{}", ran.stderr);
}

#[test]
fn a_django_project_on_postgresql() {
    let server = Postgres::start();
    let database = format!(
        "{{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'postgres', 'USER': 'postgres', 'HOST': '127.0.0.1', 'PORT': {}}}",
        server.port
    );
    the_life_of_a_django_project(&django_app(), &database);
}

/// A real PostgreSQL on loopback, with a cluster of its own.
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    bin: std::path::PathBuf,
    port: u16,
}

impl Postgres {
    pub(crate) fn start() -> Postgres {
        let versions = std::fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed");
        let bin =
            versions.flatten().map(|version| version.path().join("bin")).max().expect("there is a version");
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").expect("a folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        drop(listener);
        let server = Postgres { folder, bin, port };
        let data = server.folder.path().display().to_string();
        assert!(Command::new("chown").args(["postgres", &data]).status().expect("it runs").success());
        server.run("initdb", &["--auth=trust", "--no-sync", "-D", &format!("{data}/data")]);
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data} -c fsync=off"
        );
        let log = format!("{data}/log");
        server.run("pg_ctl", &["-D", &format!("{data}/data"), "-w", "-l", &log, "-o", &options, "start"]);
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// It refuses to run as root.
    fn run(&self, program: &str, words: &[&str]) {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(self.bin.join(program))
            .args(words);
        let output = command
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = format!("{}/data", self.folder.path().display());
        self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}

#[test]
fn constraints_limit_versions_and_ask_for_nothing() {
    for installer in ["pip", "uv"] {
        let app = App::new("");
        install_uv(&app.stage);
        app.configure(&format!("pip_constraints = [\"limits.txt\"]\ninstaller = \"{installer}\"\n"));
        let limits = ("limits.txt", "six<1.17\niniconfig==2.0.0\n");
        app.stage.release_with("first", &[("requirements/common.txt", "six\n"), limits]);
        app.deploy(0);
        assert_eq!(app.installed(), "six1.16.0");
        app.stage.release_with("two", &[("limits.txt", "six<2\n")]);
        app.deploy(0).says(INSTALLS);
        // What is allowed now isn't asked for: whoever wants it says so.
        assert_eq!(app.installed(), "six1.16.0");
        app.stage.production(&["deploy", "--force", "--upgrade"], 0);
        assert_eq!(app.installed(), "six1.17.0");
        app.stage.release_with("three", &[("limits.txt", "six==9\n")]);
        app.deploy(7).says("the packages can't be installed");
    }
}

/// Where requirements leave a version open, hosts may come to different ones: none of them switches then.
#[test]
fn hosts_that_would_differ_do_not_switch() {
    let stage = Stage::with(FleetOptions { hosts: 2, ..FleetOptions::default() });
    let wheels = Wheels::serve();
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\npip_requirements = [\"requirements.txt\"]\n{}\n\
         [environments.production]\nhosts = [\"web1\", \"web2\"]\n",
        wheels.options()
    ));
    let web2 = stage.fleet.host("web2");
    web2.run(
        "mkdir -p /home/deploy/.config/pip && echo 'six<1.17' >/home/deploy/limits.txt && \
         printf '[install]\\nconstraint = /home/deploy/limits.txt\\n' >/home/deploy/.config/pip/pip.conf",
    );
    stage.release_with("first", &[("requirements.txt", "six\n")]);
    let ran = stage.production(&["deploy"], 7);
    ran.says("six is 1.17.0 on web1 and 1.16.0 on web2").says("deploy --upgrade");
    web2.run("rm /home/deploy/.config/pip/pip.conf");
    stage.production(&["deploy", "--upgrade"], 0);
    for host in ["web1", "web2"] {
        let version =
            "/var/webapps/five/releases/current/env/bin/python -c 'import six; print(six.__version__)'";
        assert_eq!(stage.fleet.host(host).run(version), "1.17.0\n");
    }
}
