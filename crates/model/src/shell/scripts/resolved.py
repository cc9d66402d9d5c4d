"""What pip has resolved, by its own report.

`list REPORT` prints it as requirements: a package of an index with its version and check sums, any other with where it comes
from. `left LIST` prints the names of installed packages that such a list lacks, or has from elsewhere.
"""

import json
import re
import sys
from importlib import metadata


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


def lines(report):
    for item in report["install"]:
        name, info = normal(item["metadata"]["name"]), item["download_info"]
        if item["is_direct"]:
            yield f"{name} @ {origin(info)}"
        else:
            yield " ".join([f"{name}=={item['metadata']['version']}", *(f"--hash={text}" for text in hashes(info))])


def left(text):
    wanted = {}
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)(==| @ )(\S+)", line)
        if found:
            wanted[normal(found.group(1))] = found.group(3) if found.group(2) == " @ " else None
    for dist in metadata.distributions():
        name = normal(dist.metadata["Name"] or "")
        if not name or name in {"pip", "setuptools", "wheel"}:
            continue
        direct = dist.read_text("direct_url.json")
        is_from = origin(json.loads(direct)) if direct else None
        # Of two releases in one repository only what their origins say may differ.
        if name not in wanted or (is_from or "").startswith("git+") and is_from != wanted[name]:
            yield name
        elif wanted[name] and "+" in wanted[name].partition(":")[0] and is_from != wanted[name]:
            yield name


with open(sys.argv[2], encoding="utf-8") as file:
    text = file.read()
found = sorted(lines(json.loads(text)) if sys.argv[1] == "list" else set(left(text)))
print("\n".join(found))
