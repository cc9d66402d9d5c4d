//! Which migrations a release doesn't know, and what is lost when they are undone: asked of real Django.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use buedafab_model::app::migration::{Migration, UnknownMigrations};
use buedafab_model::plan::action::{AppIn, PythonAction, Schema, Surroundings};
use insta::assert_snapshot;

use common::shells::{Place, Shell, shells, slot};

/// Django as script/setup has downloaded it, and a database beside the releases.
struct Project {
    place: Place,
    shell: Shell,
}

const MANAGE: &str = "import os, sys\nprint('settings may print')\nos.environ['DJANGO_SETTINGS_MODULE'] = 'five.settings'\n\
                      from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n";

const INITIAL: &str = "dependencies = []\n    operations = [migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True))])]";

/// Django's own folder, of the wheels that script/setup has downloaded. Many tests may make it at once: whichever is first
/// wins.
fn django() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("django");
    if !folder.exists() {
        let new = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder").keep();
        let wheels = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/wheels");
        let script = "cd \"$1\" && for wheel in django-5.2.8 asgiref sqlparse typing_extensions; do \
                      /usr/bin/python3 -m zipfile -e \"$wheel\"-*.whl \"$2\" || exit; done";
        let status = Command::new("sh").args(["-c", script, "sh"]).args([&wheels, &new]).status();
        assert!(status.expect("sh runs").success(), "script/setup has run");
        if std::fs::rename(&new, &folder).is_err() {
            std::fs::remove_dir_all(new).expect("it is there");
        }
    }
    folder
}

/// A migration that adds a field of its own name.
fn adds(name: &str, after: &[&str]) -> String {
    let after: Vec<String> = after.iter().map(|key| format!("('shop', '{key}')")).collect();
    format!(
        "dependencies = [{}]\n    operations = [migrations.AddField('Item', '{name}', models.IntegerField(default=0))]",
        after.join(", ")
    )
}

impl Project {
    fn new() -> Project {
        let [shell, ..] = shells();
        Project { place: Place::with_room("five"), shell }
    }

    /// Puts a release in a slot: its migrations by app and name.
    fn release(&self, name: &str, migrations: &[(&str, &str, &str)]) -> &Project {
        let folder = self.place.slot(name);
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            std::fs::write(path, text).expect("it is ours");
        };
        write(
            "env/bin/python",
            &format!("#!/bin/sh\nPYTHONPATH='{}' exec /usr/bin/python3 \"$@\"\n", django().display()),
        );
        let apps: std::collections::BTreeSet<&str> = migrations.iter().map(|(app, ..)| *app).collect();
        write("manage.py", MANAGE);
        write("five/__init__.py", "");
        write(
            "five/settings.py",
            &format!(
                "SECRET_KEY = 'x'\nUSE_TZ = True\nUSE_I18N = False\nINSTALLED_APPS = {:?}\nDATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{}/db'}}}}\n",
                apps.iter().collect::<Vec<_>>(),
                self.place.root().display()
            ),
        );
        for app in apps {
            write(&format!("{app}/__init__.py"), "");
            write(&format!("{app}/migrations/__init__.py"), "");
        }
        for (app, name, text) in migrations {
            let text = format!(
                "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    {text}\n"
            );
            write(&format!("{app}/migrations/{name}.py"), &text);
        }
        self.place.by_hand(&format!("chmod +x {}/env/bin/python", folder.display()));
        self
    }

    #[track_caller]
    fn manage(&self, release: &str, words: &str) -> String {
        let folder = self.place.slot(release);
        self.place.by_hand(&format!("cd {} && env/bin/python manage.py {words}", folder.display()))
    }

    /// What the database has of an app, by a release that knows it.
    fn applied(&self, release: &str, app: &str) -> String {
        let shown = self.manage(release, &format!("showmigrations {app}"));
        let lines = shown.lines().filter_map(|line| line.trim().strip_prefix("[X] "));
        lines.map(|line| line.split(' ').next().unwrap_or(line)).collect::<Vec<_>>().join(" ")
    }

    /// The app in a slot, which may lie below its root in one and not in the other.
    fn app(&self, name: &str) -> AppIn {
        let is_below = self.place.slot(name).join("src").exists();
        AppIn { slot: slot(name), kept: None, subdir: is_below.then(|| "src".to_owned()) }
    }

    fn action(&self, schema: Schema, undoes: &[Migration]) -> PythonAction {
        let around = Surroundings {
            directory: self.place.layout.releases.clone(),
            variables: BTreeMap::new(),
            virtualenv: None,
            run_as: None,
        };
        let (older, newer, undoes) = (self.app("a"), self.app("b"), undoes.to_vec());
        PythonAction::Migrations { older, newer, schema, undoes, around }
    }

    /// What the release in b would have to undo for the one in a.
    #[track_caller]
    fn unknown(&self) -> Result<Vec<Migration>, String> {
        let script =
            buedafab_model::shell::ask_for_migrations(&self.place.layout, &self.app("a"), &self.app("b"));
        let output = self.shell.run(&script, &self.place.root());
        let said = [output.stdout, output.stderr].concat();
        match UnknownMigrations::read(&String::from_utf8_lossy(&said)) {
            UnknownMigrations::These(these) => Ok(these),
            UnknownMigrations::Lasting(why) => Err(why.join("\n")),
            UnknownMigrations::Silent(why) => Err(why),
        }
    }

    fn told(&self) -> String {
        match self.unknown() {
            Ok(these) => these.iter().map(Migration::undone).collect::<Vec<_>>().join("\n"),
            Err(why) => format!("can't: {why}"),
        }
    }

    /// Undoes all of that.
    #[track_caller]
    fn undo(&self) {
        let these = self.unknown().expect("they can be undone");
        let told = self.place.act(&self.shell, &self.action(Schema::Reverse, &these));
        assert!(told.starts_with("0: "), "{told}");
        assert_eq!(self.told(), "");
        assert_eq!(self.place.act(&self.shell, &self.action(Schema::Refuse, &[])), "0");
    }
}

/// By their names, `initial` comes last.
#[test]
fn what_is_undone_is_what_came_after_by_the_graph() {
    let project = Project::new();
    let (price, more) = (adds("price", &["initial"]), adds("more", &["add_price"]));
    let first = [("shop", "initial", INITIAL), ("shop", "add_price", &price)];
    project.release("a", &first).release("b", &[&first[..], &[("shop", "more", &more)]].concat());
    project.manage("b", "migrate");
    project.place.by_hand("cd five/releases/a && mkdir src && mv five shop manage.py src");
    assert_snapshot!(project.told(), @"undoing shop.more drops shop.Item.more, with all of its values");
    assert_snapshot!(project.place.act(&project.shell, &project.action(Schema::Refuse, &[])), @"
    1: the database has migrations that the release in slot a doesn't know:
      shop.more
    --keep-schema leaves them; rollback --reverse-migrations undoes them first, and says before what is lost by that
    ");
    // A person has said yes to another list.
    let other = [Migration {
        app: "shop".to_owned(),
        name: "add_price".to_owned(),
        database: "default".to_owned(),
        does: Vec::new(),
    }];
    let told = project.place.act(&project.shell, &project.action(Schema::Reverse, &other));
    assert!(told.contains("isn't what it was when this was planned: nothing is undone"), "{told}");
    assert_eq!(project.applied("b", "shop"), "initial add_price more");
    project.undo();
    assert_eq!(project.applied("b", "shop"), "initial add_price");
}

#[test]
fn branches_merges_and_new_apps_are_undone_in_their_order() {
    let project = Project::new();
    let (one, two) = (adds("one", &["initial"]), adds("two", &["initial"]));
    let merge = "dependencies = [('shop', 'one'), ('shop', 'two')]\n    operations = []";
    let post = "dependencies = [('shop', 'merge')]\n    operations = [migrations.CreateModel('Post', [('id', models.BigAutoField(primary_key=True)), ('item', models.ForeignKey('shop.Item', models.CASCADE))]), migrations.RunSQL('select 1', 'select 2')]";
    let first = [("shop", "initial", INITIAL), ("shop", "one", &one)];
    let then = [("shop", "two", two.as_str()), ("shop", "merge", merge), ("blog", "first", post)];
    project.release("a", &first).release("b", &[&first[..], &then].concat());
    project.manage("b", "migrate");
    assert_snapshot!(project.told(), @"
    undoing blog.first runs SQL: select 2; drops the table of blog.Post, with all of its rows
    undoing shop.merge loses nothing
    undoing shop.two drops shop.Item.two, with all of its values
    ");
    project.undo();
    assert_eq!(project.applied("b", "shop"), "initial one");
    assert_eq!(project.applied("b", "blog"), "");
}

#[test]
fn a_squash_is_what_it_stands_for() {
    let project = Project::new();
    let (price, more) = (adds("price", &["initial"]), adds("more", &["price"]));
    let parts = [("shop", "initial", INITIAL), ("shop", "price", &price), ("shop", "more", &more)];
    let made = "dependencies = []\n    operations = [migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)), ('price', models.IntegerField(default=0)), ('more', models.IntegerField(default=0))])]";
    let squash = format!("replaces = [('shop', 'initial'), ('shop', 'price'), ('shop', 'more')]\n    {made}");
    let squash = [("shop", "squashed", squash.as_str())];
    project.release("a", &parts).release("b", &[&parts[..], &squash].concat());
    project.manage("b", "migrate");
    assert_eq!(project.told(), "", "the older release has all of its parts");
    assert_eq!(project.place.act(&project.shell, &project.action(Schema::Refuse, &[])), "0");
    // The older one has some of them.
    project.release("a", &parts[..2]);
    std::fs::remove_file(project.place.slot("a").join("shop/migrations/more.py")).expect("it is there");
    assert_snapshot!(project.told(), @"undoing shop.more drops shop.Item.more, with all of its values");
    project.undo();
    assert_eq!(project.applied("a", "shop"), "initial price");
    // Without them nobody can undo a part of it.
    project.manage("b", "migrate");
    for part in ["initial", "price", "more"] {
        std::fs::remove_file(project.place.slot("b").join(format!("shop/migrations/{part}.py")))
            .expect("it is there");
    }
    assert_snapshot!(project.told(), @"can't: shop.squashed stands for migrations that the older release has and for ones that it doesn't, and those aren't there by themselves any more");
    // Nor is it known what it stands for, where it doesn't say so any more.
    project.release("b", &[("shop", "squashed", made)]);
    assert_snapshot!(project.told(), @"can't: the newer release lacks shop.initial, shop.price, which the older one has: what came after can't be told from what took its place");
}

#[test]
fn what_has_no_way_back_is_told_before_anything_is_undone() {
    let project = Project::new();
    let first = [("shop", "initial", INITIAL)];
    let fill = "dependencies = [('shop', 'initial')]\n    operations = [migrations.RunPython(lambda apps, editor: None)]";
    project.release("a", &first).release("b", &[&first[..], &[("shop", "fill", fill)]].concat());
    project.manage("b", "migrate");
    assert_snapshot!(project.told(), @"can't: shop.fill can't be undone: Raw Python operation");
    let both = "dependencies = [('shop', 'initial')]\n    operations = [migrations.SeparateDatabaseAndState([migrations.RunSQL('select 1')], [])]";
    project.release("b", &[&first[..], &[("shop", "fill", both)]].concat());
    assert_snapshot!(project.told(), @"can't: shop.fill can't be undone: Raw SQL operation");
    project.release("b", &[&first[..], &[("shop", "fill", "syntax error")]].concat());
    let told = project.told();
    assert!(told.contains("SyntaxError"), "{told}");
}
