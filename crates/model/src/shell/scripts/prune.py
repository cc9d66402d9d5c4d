"""Prints the names of installed packages that no requirement file asks for, directly or by another package.

Prints nothing where a requirement can't be understood: a package too many is better than one too few.
"""

import os
import re
import sys
from importlib import metadata

try:
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
except ImportError:
    sys.exit(0)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path, seen):
    """The requirements of a file and of those that it includes; None if one isn't understood."""
    if path in seen:
        return []
    seen.add(path)
    found = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().replace("\\\n", " ").splitlines()
    for line in lines:
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        line = re.sub(r"\s--hash=\S+", "", line).strip()
        if not line:
            continue
        option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)$", line)
        if option:
            if option.group(1) in ("-r", "--requirement"):
                more = read(os.path.join(os.path.dirname(path), option.group(2)), seen)
                if more is None:
                    return None
                found.extend(more)
            continue
        editable = re.match(r"(-e|--editable)[\s=]*(.+)$", line)
        egg = re.search(r"#egg=([A-Za-z0-9._-]+)", line)
        if egg:
            found.append(Requirement(egg.group(1)))
        elif editable:
            return None
        elif line.startswith("-"):
            continue
        else:
            try:
                found.append(Requirement(line))
            except InvalidRequirement:
                return None
    return found


def main(paths):
    installed = {normal(dist.metadata["Name"]): dist for dist in metadata.distributions() if dist.metadata["Name"]}
    wanted = []
    for path in paths:
        found = read(path, set())
        if found is None:
            return
        wanted.extend(found)
    kept = {"pip", "setuptools", "wheel"}
    done = set()
    while wanted:
        requirement = wanted.pop()
        extras = frozenset(requirement.extras)
        name = normal(requirement.name)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        kept.add(name)
        if name not in installed:
            continue
        for text in installed[name].requires or []:
            needed = Requirement(text)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in [*extras, ""]):
                wanted.append(needed)
    print("\n".join(sorted(set(installed) - kept)))


main(sys.argv[1:])
