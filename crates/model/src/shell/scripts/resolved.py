"""What pip has resolved, by its own report.

`list REPORT SLOT` prints it as requirements, none of which leaves a choice: a package of an index with its version and check
sums, one of a repository with its commit, what lies in the slot by its path from here. Standard input is what was asked for, as
pip tells nobody by whose name an address is asked. `left LIST SUMS NEW` prints the names of installed packages that such a list
lacks, or has from elsewhere, and those that `changed` prints.

`changed LIST SUMS NEW` prints the names of installed packages that a list or a lock has with check sums, and that weren't installed
by one of these though their version may be the same: then an installer sees no difference. `SUMS` is what they were installed by. What won't
have changed whatever happens stays there, and what it is when all is installed goes to `NEW`.
"""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from urllib.parse import unquote, urlsplit


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def origin(info):
    """Where a package comes from, if that isn't an index."""
    url = info["url"]
    if "vcs_info" in info:
        url = f"{info['vcs_info']['vcs']}+{url}@{info['vcs_info']['commit_id']}"
        return url + (f"#subdirectory={info['subdirectory']}" if "subdirectory" in info else "")
    return url


def hashes(info):
    archive = info.get("archive_info", {})
    if archive.get("hashes"):
        return [f"{kind}:{value}" for kind, value in sorted(archive["hashes"].items())]
    return [archive["hash"].replace("=", ":")] if archive.get("hash") else []


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip("\n")


def anybody(url):
    return re.sub(r"://[^\s/@]+@", "://", url)


def by_name(url, asked):
    """An address with the name or token that it was asked for with, and that as it is written there: it may be a variable."""
    found = re.search(r"://([^\s/@]+)@" + re.escape(anybody(url).partition("://")[2]) + r"(?=[\s@#;]|$)", asked, re.M)
    return anybody(url).replace("://", f"://{found.group(1)}@") if found else url


def lies_here(name, info, slot, asked):
    """The requirement for a folder or a file of this host. One says its package's name behind it, for `left`."""
    path = unquote(urlsplit(info["url"]).path)
    editable = "-e " if info.get("dir_info", {}).get("editable") else ""
    if editable and path.startswith(os.path.join(sys.prefix, "src", "")):
        # pip has cloned that, and tells no more of it.
        url, commit = git(path, "config", "remote.origin.url"), git(path, "rev-parse", "HEAD")
        url = by_name(re.sub(r"^([^/:]+):(?!//)/?", r"ssh://\1/", url), asked)
        below = git(path, "rev-parse", "--show-prefix").rstrip("/")
        return f"-e git+{url}@{commit}#egg={name}" + (f"&subdirectory={below}" if below else "") + f" # {name}"
    if not os.path.join(path, "").startswith(os.path.join(slot, "")):
        return f"{editable}{path} # {name}" if editable else f"{name} @ {info['url']}"
    path = os.path.relpath(path)
    return f"{editable}{path if path.startswith('.') else './' + path} # {name}"


def lines(report, slot, asked):
    for item in report["install"]:
        name, info = normal(item["metadata"]["name"]), item["download_info"]
        if not item["is_direct"]:
            yield " ".join([f"{name}=={item['metadata']['version']}", *(f"--hash={text}" for text in hashes(info))])
        elif info["url"].startswith("file:") and "vcs_info" not in info:
            yield lies_here(name, info, slot, asked)
        elif info["url"].startswith("file:"):
            # After a name, pip takes no address without a host.
            place = origin(info)
            yield f"{place}{'&' if '#' in place else '#'}egg={name} # {name}"
        else:
            yield f"{name} @ {origin(dict(info, url=by_name(info['url'], asked)))}"


def left(text):
    wanted = {}
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)(==| @ )(\S+)", line)
        if found:
            wanted[normal(found.group(1))] = anybody(found.group(3)) if found.group(2) == " @ " else None
        elif " # " in line:
            wanted[line.rpartition(" # ")[2]] = None
    for dist in metadata.distributions():
        name = normal(dist.metadata["Name"] or "")
        if not name or name in {"pip", "setuptools", "wheel"}:
            continue
        direct = dist.read_text("direct_url.json")
        is_from = anybody(origin(json.loads(direct))) if direct else None
        # Of two releases in one repository only what their origins say may differ.
        if name not in wanted or (is_from or "").startswith("git+") and is_from != wanted[name]:
            yield name
        elif wanted[name] and "+" in wanted[name].partition(":")[0] and is_from != wanted[name]:
            yield name


def sums(text):
    """The version of each package, with its check sums, as a list of requirements has them, or a lock of uv's, or `changed`."""
    found = {}
    if re.search(r"^\[\[package\]\]", text, re.M):
        for part in re.split(r"^\[\[package\]\]", text, flags=re.M)[1:]:
            name, version = (re.search(rf'^{key} = "([^"]+)"', part, re.M) for key in ("name", "version"))
            if name and version:
                found[normal(name.group(1))] = version.group(1), set(re.findall(r'hash = "(\w+:\w+)"', part))
    for line in re.sub(r"\\\s*\n", " ", text).splitlines():
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*==\s*([^\s;]+)", line)
        if match:
            found[normal(match.group(1))] = match.group(2), set(re.findall(r"--hash[=\s]+(\w+:\w+)", line))
    return {name: of for name, of in found.items() if of[1]}


def write_sums(path, found):
    with open(path, "w", encoding="utf-8") as file:
        for name, (version, those) in sorted(found.items()):
            print(f"{name}=={version}", *(f"--hash={text}" for text in sorted(those)), file=file)


def changed(text, path, new):
    now, before = sums(text), {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before = sums(file.read())
    stay = {name: of for name, of in before.items() if name in now and now[name][0] == of[0] and of[1] <= now[name][1]}
    write_sums(new, now)
    write_sums(path, stay)
    other_version = {name for name in now.keys() & before.keys() if now[name][0] != before[name][0]}
    installed = {normal(dist.metadata["Name"] or "") for dist in metadata.distributions()}
    return installed & now.keys() - stay.keys() - other_version


mode, place, *more = sys.argv[1:]
with open(place, encoding="utf-8") as file:
    text = file.read()
if mode == "list":
    found = lines(json.loads(text), more[0], sys.stdin.read())
elif mode == "left":
    found = {*left(text), *changed(text, *more)}
else:
    found = changed(text, *more)
print("\n".join(sorted(found)))
