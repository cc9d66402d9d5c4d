# see that databases and uploads outlive the release
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
