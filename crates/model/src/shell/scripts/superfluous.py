"""Prints the names of installed packages that no requirement file asks for, directly or by another package.

Prints nothing where a requirement can't be understood: a package too many is better than one too few.
"""

import json
import os
import re
import sys
from importlib import metadata
from urllib.parse import quote, unquote, urlsplit

try:
    from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
except ImportError:
    sys.exit(0)


class NotUnderstood(Exception):
    """A line that could ask for anything."""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def plain(url):
    """A URL without what says how to get there, as a requirement and an installation both have it."""
    url = re.sub(r"^[a-z]+\+", "", url.partition("#")[0])
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    if parts.scheme == "file":
        return "file://" + os.path.realpath(path)
    return parts.hostname, parts.port, re.sub(r"(\.git)?(@[^/]*)?$", "", path)


def read(path, seen):
    """What a file and those that it includes ask for: requirements with a name; and URLs without, with their extras."""
    if path in seen:
        return
    seen.add(path)
    folder = os.path.dirname(path)
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
                yield from read(os.path.join(folder, option.group(2)), seen)
            continue
        line = re.sub(r"^(-e|--editable)[\s=]*", "", line)
        egg = re.search(r"#egg=([A-Za-z0-9._-]+)", line)
        if egg:
            yield Requirement(egg.group(1))
            continue
        if line.startswith("-"):
            continue
        where, extras = re.match(r"(.*?)(\[[^\]]*\])?$", line).groups(default="")
        if re.match(r"[a-z+]+:", where):
            yield plain(where), extras
        elif re.match(r"[./]", where) or os.path.exists(where):
            yield plain("file://" + quote(os.path.abspath(where))), extras
        else:
            try:
                yield Requirement(line)
            except InvalidRequirement:
                raise NotUnderstood(line) from None


def origin(dist):
    """Where a package was installed from, if that wasn't an index."""
    text = dist.read_text("direct_url.json")
    return plain(json.loads(text)["url"]) if text else None


def main(paths):
    installed = {normal(dist.metadata["Name"]): dist for dist in metadata.distributions() if dist.metadata["Name"]}
    by_origin = {origin(dist): name for name, dist in installed.items()}
    wanted = []
    try:
        for path in paths:
            for found in read(path, set()):
                if isinstance(found, Requirement):
                    wanted.append(found)
                elif found[0] in by_origin:
                    wanted.append(Requirement(by_origin[found[0]] + found[1]))
                else:
                    raise NotUnderstood(found)
    except NotUnderstood:
        return
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
