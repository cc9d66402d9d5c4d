//! Plans for apps of every recipe: what a recipe does, as whom, and with which files.

mod common;

use buedafab_model::app::migration::{Migration, UnknownMigrations};
use buedafab_model::host::app_version::AppAnswer;
use buedafab_model::plan::Step;
use buedafab_model::plan::action::{Action, Schema, ToldVisitors};
use buedafab_model::plan::action::{AppAction, PythonAction, ServiceAction};
use buedafab_model::planner::{DeployRequest, RollbackRequest, plan_deploy, plan_rollback};
use buedafab_model::shell::render_step;
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::{URL, assert_sound, deploy, difference, fleet, plain_deploy, request, run, second, seen};

#[test]
fn the_app_is_asked_after_the_switch() {
    let switches = |url: &str| {
        let text =
            format!("waves = [1]\nservice = \"none\"\nversion_url = \"{url}\"\nhooks.verify = \"true\"");
        let shown = deploy(&text, &[second(), second()], 3);
        let lines = shown
            .lines()
            .filter(|line| ["switch", "  on", "    ask", "    verify"].iter().any(|s| line.starts_with(s)));
        lines.skip_while(|line| !line.starts_with("switch")).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(switches("http://localhost:8000/version"), @"
    switch, wave 1 of 2
      on web1
        ask the app whether it runs v3 (3333333333)
        verify: true
    switch, wave 2 of 2
      on web2
        ask the app whether it runs v3 (3333333333)
        verify: true
      on web1, web2
    ");
    // Behind a load balancer any host may answer.
    assert_snapshot!(switches("http://five.example.com/version"), @"
    switch, wave 1 of 2
      on web1
        verify: true
    switch, wave 2 of 2
      on web2
        ask the app whether it runs v3 (3333333333)
        verify: true
      on web1, web2
    ");
    let says = |answer: &str| {
        let answer = AppAnswer::Says(answer.to_owned());
        deploy("", &[second().change(|facts| facts.app = Some(answer))], 3)
            .lines()
            .find(|line| line.contains("note:"))
            .map(str::to_owned)
    };
    assert_eq!(says("2222222"), None);
    assert_snapshot!(says("<html>1111111</html>").unwrap_or_default(), @"  note: web1: asked what it runs, the app doesn't name v2 (2222222222): <html>1111111</html>");
}

const DJANGO: &str = "recipe = \"django\"\nservice = \"systemd:five\"\npip_requirements = [\"requirements.txt\"]\n\
                      shared_files = [\".env\"]\nextra_fixtures = [\"first\"]\nhooks.build = \"npm run build\"";

#[test]
fn a_deploy_of_a_django_project() {
    assert_snapshot!(difference(&plain_deploy(), &deploy(DJANGO, &[second()], 3)), @"
    prepare
    +     link what is shared into a: .env
    +     bring the virtualenv of a up to date
    +     build: npm run build
    +     build: python manage.py collectstatic --noinput --verbosity 0
    +     check: python manage.py shell -v 0 -c '# see that databases and upl …
    +     check: python manage.py check --deploy
    + once
    +   on web1
    +     once: python manage.py migrate --check >/dev/null 2>&1 || { { pyth …
    +     once: python manage.py loaddata first
    + 
    switch
    -     restart init:five
    +     restart systemd:five
    +     verify that systemd:five stays up for 2 s
    -     if it fails: restart init:five
    +     if it fails: restart systemd:five
    +     if it fails: verify that systemd:five stays up for 2 s
    ");
}

#[test]
fn a_rollback_of_a_django_project_minds_its_migrations() {
    let steps = |schema: Schema| {
        let settings = fleet(DJANGO, 2);
        let undone = UnknownMigrations::These(vec![Migration {
            app: "shop".to_owned(),
            name: "more".to_owned(),
            database: "default".to_owned(),
            does: vec!["drops shop.Item.more, with all of its values".to_owned()],
        }]);
        let asked = schema == Schema::Reverse;
        let hosts = [second().change(|facts| facts.migrations = asked.then_some(undone)), second()];
        let plan =
            plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, schema), &seen(&settings, &hosts))
                .expect("a plan");
        assert_sound(&plan);
        let shown = show_plan(&plan, Detail::Steps);
        let notes = shown.lines().filter(|line| line.contains("undo"));
        let lines = shown.lines().skip_while(|line| *line != "prepare").take_while(|line| *line != "switch");
        notes.take_while(|line| line.contains("note:")).chain(lines).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(steps(Schema::Refuse), @"
    prepare
      on web1
        verify that a holds 1111111111, unchanged
        look for migrations that a doesn't know
      on web2
        verify that a holds 1111111111, unchanged
    ");
    assert_snapshot!(steps(Schema::Reverse), @"
      note: undoing shop.more drops shop.Item.more, with all of its values
      note: v2 (2222222222) serves without these until the link has moved; if the rollback comes to nothing after they are undone, `manage -- migrate` makes their tables and columns again, empty
    prepare
      on web1, web2
        verify that a holds 1111111111, unchanged

    once
      on web1
        undo migrations that a doesn't know: shop.more
    ");
    assert_snapshot!(steps(Schema::Keep), @"
    prepare
      on web1, web2
        verify that a holds 1111111111, unchanged
    ");
}

/// An app that tells visitors of maintenance itself says so to whoever asks: that is no reason to go back. Once it no longer
/// does, it has to answer.
#[test]
fn an_app_is_asked_again_when_its_maintenance_is_over() {
    let asks = |method: &str, told: Option<ToldVisitors>| {
        let text = format!(
            "recipe = \"wsgi\"\nservice = \"none\"\nmaintenance = \"{method}\"\nversion_url = \"http://localhost:8000/version\"\n\
             [health]\nhttp = \"http://localhost:8000/\""
        );
        let settings = fleet(&text, 1);
        let hosts = [second()];
        let request = DeployRequest { told, ..request(3) };
        let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        let works = plan.phases.iter().flat_map(|phase| phase.work.iter().map(move |work| (phase, work)));
        let found = works.flat_map(|(phase, work)| {
            work.steps()
                .filter_map(move |step| match &step.action {
                    Action::App(AppAction::AskApp { in_maintenance, .. }) => {
                        Some(("version", in_maintenance))
                    }
                    Action::App(AppAction::AskHealth { in_maintenance, .. }) => {
                        Some(("health", in_maintenance))
                    }
                    _ => None,
                })
                .map(move |(what, excused)| {
                    format!("{}: {what}{}", phase.kind, if *excused { ", or 503" } else { "" })
                })
        });
        found.collect::<Vec<_>>().join("\n")
    };
    let told = ToldVisitors { by: "ada".to_owned(), message: None, until: None, page: String::new() };
    for method in ["file", "setting", "command"] {
        assert_eq!(
            asks(method, Some(told.clone())),
            "switch: health, or 503\nswitch: version, or 503\nreopen: health\nreopen: version",
            "{method}"
        );
        assert_eq!(asks(method, None), "switch: health\nswitch: version", "{method}");
    }
}

/// There is one place where it is decided, and whatever a release runs or reads follows it.
#[test]
fn an_app_below_the_root_runs_and_reads_where_it_lies() {
    let text = format!(
        "{DJANGO}\nsubdir = \"src\"\ncrontab = \"conf/crontab\"\nmaintenance = \"setting\"\ntest_runner = \"pytest\"\n\
         hooks.before_prepare = \"true\"\n[health]\nhttp = \"http://localhost/\"\nsocket = \"run/sock\""
    );
    let settings = fleet(&text, 1);
    let hosts = [second().change(|facts| facts.missing_shared.clear())];
    let request = DeployRequest { goes_back: Some(Schema::Refuse), ..request(3) };
    let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
    assert_sound(&plan);
    let shown = serde_json::to_string_pretty(&plan).expect("plain data");
    let words = ["directory", "virtualenv\": \"/", "subdir", "\"file", "socket", "\"path"];
    let mut lines: Vec<&str> =
        shown.lines().map(str::trim).filter(|line| words.iter().any(|word| line.contains(word))).collect();
    lines.sort();
    lines.dedup();
    assert_snapshot!(lines.join("\n"), @r#"
    "command": "python manage.py shell -v 0 -c '# see that databases and uploads outlive the release\nimport os, sys\nfrom django.conf import settings\nfrom django.core.files.storage import default_storage\n\nrelease = os.path.realpath(\".\") + os.sep\nfound = []\n\n\ndef look(what, path, setting):\n    real = os.path.realpath(path)\n    if real.startswith(release):\n        found.append(\"%s is %s, in this release alone: share it, %s = [\\\"%s\\\"]\" % (what, real, setting, real[len(release):]))\n\n\nfor alias, database in settings.DATABASES.items():\n    name = str(database.get(\"NAME\") or \"\")\n    in_memory = name.startswith(\"file:\") or name == \":memory:\"\n    if database.get(\"ENGINE\", \"\").endswith((\"sqlite3\", \"spatialite\")) and name and not in_memory:\n        look(\"the database \" + alias, name, \"shared_files\")\nif settings.MEDIA_ROOT:\n    try:\n        look(\"MEDIA_ROOT\", default_storage.path(\"\"), \"shared_dirs\")\n    except NotImplementedError:\n        pass\nif found:\n    found.append(\"every deploy would begin with an empty one; where that is meant, leave this out: steps.data = []\")\n    sys.exit(\"\\n\".join(found))\n'",
    "directory": "/var/webapps/five",
    "directory": "/var/webapps/five/releases",
    "directory": "/var/webapps/five/releases/a/src",
    "directory": "/var/webapps/five/releases/b/src",
    "directory": "/var/webapps/five/releases/current/src",
    "file": "src/conf/crontab"
    "file": "src/conf/crontab",
    "file": "src/settings.py",
    "file": null,
    "files": [
    "path": "/",
    "path": "/var/webapps/five",
    "path": "run/sock"
    "path": "src/run/sock"
    "socket": {
    "subdir": "src"
    "subdir": "src",
    "virtualenv": "/var/webapps/five/env",
    "virtualenv": "/var/webapps/five/releases/a/env"
    "virtualenv": "/var/webapps/five/releases/a/env",
    "virtualenv": "/var/webapps/five/releases/b/env"
    "virtualenv": "/var/webapps/five/releases/current/env"
    "#);
}

/// By whichever command it goes back, the database may have what the release doesn't know.
#[test]
fn a_deploy_that_goes_back_minds_its_migrations_too() {
    let minds = |text: &str, goes_back| {
        let settings = fleet(text, 2);
        let hosts = [second(), second()];
        let request = DeployRequest { goes_back, ..request(1) };
        let plan = plan_deploy(&settings, &run(60), &request, &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        let looks = |step: &&Step| matches!(step.action, Action::Python(PythonAction::Migrations { .. }));
        let works = plan.phases.iter().flat_map(|phase| phase.work.iter().map(move |work| (phase, work)));
        let found = works.flat_map(|(phase, work)| {
            work.steps()
                .filter(looks)
                .map(move |step| format!("{}, {}: {}", phase.kind, work.host, step.action))
        });
        found.collect::<Vec<_>>().join("\n")
    };
    let looks = "prepare, web1: look for migrations that a doesn't know";
    assert_eq!(minds(DJANGO, Some(Schema::Refuse)), looks);
    assert_eq!(minds(DJANGO, Some(Schema::Keep)), "");
    assert_eq!(minds(DJANGO, None), "", "what is newer knows all that the database has");
    assert_eq!(minds("recipe = \"wsgi\"", Some(Schema::Refuse)), "");
}

#[test]
fn whatever_runs_the_app_reads_its_secrets() {
    let settings = fleet(&format!("{DJANGO}\nenv_file = \".env\""), 1);
    let hosts = [second()];
    let seen = seen(&settings, &hosts);
    let deploy = plan_deploy(&settings, &run(60), &request(3), &seen).expect("a plan");
    let rollback = plan_rollback(&settings, &run(60), &RollbackRequest::new(URL, Schema::Refuse), &seen)
        .expect("a plan");
    let asks = |action: &Action| {
        matches!(
            action,
            Action::Python(PythonAction::Virtualenv { .. } | PythonAction::Migrations { .. })
                | Action::App(AppAction::Hook { .. })
        )
    };
    let mut read = 0;
    for plan in [&deploy, &rollback] {
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        for step in steps.filter(|step| asks(&step.action)) {
            let shell = render_step(&step.action, &plan.hosts[0].layout, &plan.run);
            assert!(shell.contains("$(read_env /var/webapps/five/shared/.env)"), "{}:\n{shell}", step.action);
            read += 1;
        }
    }
    // The virtualenv, a build of the project's own, five steps of the recipe, and a rollback's look at migrations.
    assert_eq!(read, 8);
}

#[test]
fn a_missing_shared_file_is_refused() {
    let missing = second().change(|facts| facts.missing_shared = vec![".env".to_owned()]);
    assert_snapshot!(deploy(DJANGO, &[missing], 3), @"
    web1: not in /var/webapps/five/shared: .env
      hint: put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`
    ");
}

#[test]
fn a_recipe_can_be_read_and_replaced() {
    let settings = fleet(&format!("{DJANGO}\nsteps.collectstatic = []"), 1);
    assert_snapshot!(buedafab_model::view::show_recipe(&settings), @r#"
    recipe = "django"

    # In every new slot, before anything else:
    # - what is shared is linked into it: shared_files, shared_dirs
    # - the virtualenv env gets exactly what requirements.txt asks for

    [steps]
    # after your `build` hooks; your own
    collectstatic = []
    # before your `check` hooks
    data = ['''
    python manage.py shell -v 0 -c '# see that databases and uploads outlive the release
    import os, sys
    from django.conf import settings
    from django.core.files.storage import default_storage

    release = os.path.realpath(".") + os.sep
    found = []


    def look(what, path, setting):
        real = os.path.realpath(path)
        if real.startswith(release):
            found.append("%s is %s, in this release alone: share it, %s = [\"%s\"]" % (what, real, setting, real[len(release):]))


    for alias, database in settings.DATABASES.items():
        name = str(database.get("NAME") or "")
        in_memory = name.startswith("file:") or name == ":memory:"
        if database.get("ENGINE", "").endswith(("sqlite3", "spatialite")) and name and not in_memory:
            look("the database " + alias, name, "shared_files")
    if settings.MEDIA_ROOT:
        try:
            look("MEDIA_ROOT", default_storage.path(""), "shared_dirs")
        except NotImplementedError:
            pass
    if found:
        found.append("every deploy would begin with an empty one; where that is meant, leave this out: steps.data = []")
        sys.exit("\n".join(found))
    '''']
    # before your `check` hooks
    check = ["python manage.py check --deploy"]
    # before your `once` hooks, on the primary
    migrate = ["python manage.py migrate --check >/dev/null 2>&1 || { { python manage.py migrate --plan || :; } && python manage.py migrate --noinput; }"]
    # before your `once` hooks, on the primary
    fixtures = ["python manage.py loaddata first"]
    "#);
    assert_snapshot!(buedafab_model::view::show_recipe(&fleet("recipe = \"static\"", 1)), @r#"
    recipe = "static"

    # In every new slot, before anything else:
    # - its files are those of the commit, and no others
    # The rest is what your hooks say.
    "#);
}

#[test]
fn the_apps_own_code_runs_as_its_user_and_a_password_is_tried_first() {
    let text = "recipe = \"django\"\nrun_as = \"app\"\ndeploy_group = \"web\"\nask_sudo_password = true\n[hooks]\nbuild = \"make\"\nrestart = \"sudo r\"\n\
                after_switch = \"x\"\n";
    let settings = fleet(text, 1);
    let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &[second()])).expect("a plan");
    assert_sound(&plan);
    let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let who = |action: &Action| {
        let around = match action {
            Action::App(AppAction::Hook { around, .. })
            | Action::Service(ServiceAction::Restart { around, .. }) => around,
            Action::Service(ServiceAction::VerifySudo) => return Some(action.to_string()),
            _ => return None,
        };
        let user = around.run_as.as_ref().map_or("-", |app| app.user.as_str());
        Some(format!("{user}: {action}"))
    };
    let told: Vec<String> = steps.filter_map(|step| who(&step.action)).collect();
    assert_snapshot!(told.join("\n"), @"
    check the password of sudo
    app: build: make
    app: build: python manage.py collectstatic --noinput --verbosity 0
    app: check: python manage.py shell -v 0 -c '# see that databases and upl …
    app: check: python manage.py check --deploy
    app: once: python manage.py migrate --check >/dev/null 2>&1 || { { pyth …
    -: restart: sudo r
    -: after_switch: x
    ");
}

#[test]
fn static_files_are_collected_everywhere_or_once() {
    let steps = |text: &str| {
        let settings = fleet(&format!("recipe = \"django\"\n{text}"), 1);
        let line = |step: buedafab_model::app::recipe::RecipeStep| format!("{} {}", step.point, step.name);
        buedafab_model::shell::recipe::steps(&settings).into_iter().map(line).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(steps(""), "build collectstatic, check data, check check, once migrate, once fixtures");
    assert_eq!(
        steps("collectstatic = \"once\""),
        "once collectstatic, check data, check check, once migrate, once fixtures"
    );
}
