# What a database has of Django's migrations, and which of them an older release doesn't know. Runs inside a release, by
# `manage.py shell`, and asks Django's own graph: names tell neither an order nor what a squash stands for.
#
# BUEDAFAB_ASKS says what for: `known`, which migrations this release knows and the database has; `unknown`, which of the latter
# a release that knows those on standard input doesn't, in the order in which they are undone, each with what that does;
# `undo`, to undo just those on the second line of standard input. Lines of the answer begin with a mark: settings may print, too.

import json
import os
import sys

from django.core.management import call_command
from django.core.management.commands import migrate as django_migrate
from django.db import connections
from django.db.migrations import operations as kinds
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class CantUndo(Exception):
    pass


def name_of(key):
    return "%s.%s" % key


def databases():
    for alias in connections:
        # A copy that is written by its original has nothing of its own.
        if not (connections[alias].settings_dict.get("TEST") or {}).get("MIRROR"):
            yield alias, connections[alias]


class Loader(MigrationLoader):
    """A loader to which some squashes don't exist: only what they stand for."""

    def __init__(self, connection, without=()):
        self.without = without
        MigrationLoader.__init__(self, connection)

    def load_disk(self):
        MigrationLoader.load_disk(self)
        for key in self.without:
            self.disk_migrations.pop(key)


def replaced_by(migration):
    return [tuple(key) for key in migration.replaces or ()]


def known():
    """Those on disk, and those that a squash on disk stands for."""
    found, applied = set(), {}
    for alias, connection in databases():
        loader = MigrationLoader(connection)
        for key, migration in loader.disk_migrations.items():
            found.add(key)
            found.update(replaced_by(migration))
        # What is written down, and not what follows from it: a squash counts as applied when all of its own are.
        applied[alias] = sorted(key for key in MigrationRecorder(connection).applied_migrations())
    return {"known": sorted(found), "applied": applied}


class Undoing:
    """What one database has that the older release doesn't know."""

    def __init__(self, connection, known, older_applied):
        self.connection, self.known, self.blocked = connection, known, []
        loader = Loader(connection)
        disk = loader.disk_migrations
        # A squash of some that the older release knows and some that it doesn't is undone by its parts.
        self.split = [
            key
            for key in loader.graph.nodes
            if key in loader.applied_migrations and self.is_split(disk[key], disk)
        ]
        whole = [key for key in self.split if not all(part in disk for part in replaced_by(disk[key]))]
        if whole:
            raise CantUndo(
                "%s stands for migrations that the older release has and for ones that it doesn't, and those aren't there by themselves any more"
                % ", ".join(map(name_of, sorted(whole)))
            )
        if self.split:
            try:
                loader = Loader(connection, self.split)
            except Exception as error:
                raise CantUndo(
                    "%s stands for migrations that the older release has and for ones that it doesn't, and others depend on it: %s"
                    % (", ".join(map(name_of, sorted(self.split))), error)
                )
        self.loader = loader
        applied = loader.applied_migrations
        disk = loader.disk_migrations
        self.keys = []
        for key in sorted(loader.graph.nodes):
            if key not in applied or self.knows(key, disk):
                continue
            # With all that was built on it, last things first.
            for node in loader.graph.backwards_plan(key):
                if node in applied and node not in self.keys:
                    self.keys.append(node)
        for key in self.keys:
            if self.knows(key, disk):
                self.blocked.append(
                    "%s is in the older release, too, and builds here on what it doesn't know" % name_of(key)
                )

        # Whoever took a squash's parts away, and its word for what it stands for, left nobody to say what it is.
        here = set(disk).union(*map(replaced_by, disk.values()))
        apps = {app for app, _ in self.keys}
        gone = sorted(key for key in older_applied if key[0] in apps and key in known and key not in here)
        if gone:
            self.blocked.append(
                "the newer release lacks %s, which the older one has: what came after can't be told from what took its place"
                % ", ".join(map(name_of, gone))
            )

    def knows(self, key, disk):
        if key in self.known:
            return True
        parts = replaced_by(disk[key]) if key in disk else []
        return bool(parts) and all(self.knows(part, disk) for part in parts)

    def is_split(self, migration, disk):
        key = (migration.app_label, migration.name)
        parts = [self.knows(part, disk) for part in replaced_by(migration)]
        return key not in self.known and any(parts) and not all(parts)

    def listed(self):
        entries = []
        for key in self.keys:
            does, cannot = [], []
            for operation in reversed(self.loader.graph.nodes[key].operations):
                undone(key[0], operation, does, cannot)
            self.blocked.extend("%s can't be undone: %s" % (name_of(key), why) for why in cannot)
            entries.append({"app": key[0], "name": key[1], "does": does})
        return entries

    def undo(self):
        loader, keys = self.loader, self.keys

        class Executor(MigrationExecutor):
            def __init__(self, *arguments, **named):
                MigrationExecutor.__init__(self, *arguments, **named)
                self.loader = loader

            def migration_plan(self, targets, clean_start=False):
                if clean_start:
                    return MigrationExecutor.migration_plan(self, targets, clean_start=True)
                return [(loader.graph.nodes[key], True) for key in keys]

        # Django's own command, signals and all, with another plan: none that it can be told says just this.
        usual = django_migrate.MigrationExecutor
        django_migrate.MigrationExecutor = Executor
        try:
            call_command(django_migrate.Command(), database=self.connection.alias, interactive=False, verbosity=1)
        finally:
            django_migrate.MigrationExecutor = usual
        recorder = MigrationRecorder(self.connection)
        for app, name in self.split:
            recorder.record_unapplied(app, name)


def undone(app, operation, does, cannot):
    """What undoing an operation does, as far as anything is lost by it or nobody knows."""
    if isinstance(operation, kinds.SeparateDatabaseAndState):
        for inner in reversed(operation.database_operations):
            undone(app, inner, does, cannot)
        return
    if not getattr(operation, "reversible", True):
        cannot.append(operation.describe())
        return
    model = "%s.%s" % (app, getattr(operation, "model_name", getattr(operation, "name", "")))
    if isinstance(operation, kinds.CreateModel):
        options = operation.options or {}
        if options.get("managed", True) and not options.get("proxy", False):
            does.append("drops the table of %s, with all of its rows" % model)
    elif isinstance(operation, kinds.DeleteModel):
        does.append("makes the table of %s again, empty" % model)
    elif isinstance(operation, kinds.AddField):
        does.append("drops %s.%s, with all of its values" % (model, operation.name))
    elif isinstance(operation, kinds.RemoveField):
        does.append("makes %s.%s again, without its values" % (model, operation.name))
    elif isinstance(operation, kinds.AlterField):
        does.append("changes %s.%s back, and its values where they don't fit" % (model, operation.name))
    elif isinstance(operation, kinds.RunPython):
        name = getattr(operation.reverse_code, "__name__", "a function")
        if operation.reverse_code is not kinds.RunPython.noop:
            does.append("runs %s" % name)
    elif isinstance(operation, kinds.RunSQL):
        if operation.reverse_sql != kinds.RunSQL.noop:
            does.append("runs SQL: %s" % " ".join(str(operation.reverse_sql).split())[:80])
    elif type(operation).__module__.split(".")[0] != "django":
        does.append("undoes: %s" % operation.describe())


def answer(what, strange):
    """Also a line for each that the older release doesn't know, for a shell to read."""
    lines = ["BUEDAFAB " + json.dumps(what)] + ["STRANGE " + name for name in strange]
    sys.stdout.write("\n%s\n" % "\n".join(lines))
    sys.stdout.flush()


def main():
    asks = os.environ["BUEDAFAB_ASKS"]
    if asks == "known":
        here = known()
        names = set(here["known"])
        return answer(here, [name_of(key) for keys in here["applied"].values() for key in keys if key not in names])
    older = json.loads(sys.stdin.readline())
    names = set(map(tuple, older["known"]))
    undoings, blocked, listed = [], [], []
    for alias, connection in databases():
        try:
            undoing = Undoing(connection, names, map(tuple, older["applied"].get(alias, ())))
        except CantUndo as error:
            blocked.append(str(error))
            continue
        entries = undoing.listed()
        blocked.extend(undoing.blocked)
        listed.extend(dict(entry, database=alias) for entry in entries)
        undoings.append(undoing)
    if asks == "unknown":
        strange = ["%(app)s.%(name)s" % entry for entry in listed]
        return answer({"migrations": listed, "blocked": blocked}, strange or blocked)
    wanted = json.loads(sys.stdin.readline())
    if blocked or listed != wanted:
        sys.exit("the database isn't what it was when this was planned: nothing is undone")
    for undoing in undoings:
        if undoing.keys:
            undoing.undo()


main()
