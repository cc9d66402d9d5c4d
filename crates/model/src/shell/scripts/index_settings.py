"""Prints, as shell, what this host tells pip about where packages come from, in the words that uv understands.

What is told to uv itself goes before it. pip's files are read as pip does: those of all, of the user, and the one that is named.
"""

import configparser
import os
import shlex

home = os.path.expanduser("~")
config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
named = os.environ.get("PIP_CONFIG_FILE")
paths = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", os.path.join(home, ".pip/pip.conf"), os.path.join(config, "pip/pip.conf")]
if named == os.devnull:
    paths = []
elif named:
    paths.append(named)

said = {}
for path in paths:
    parser = configparser.RawConfigParser()
    parser.read(path, encoding="utf-8")
    for section in ("global", "install"):
        if parser.has_section(section):
            said.update({key.replace("_", "-"): value for key, value in parser.items(section)})
for key in ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "constraint", "cert", "proxy"):
    value = os.environ.get("PIP_" + key.upper().replace("-", "_"))
    if value:
        said[key] = value


def tell(value, name, *others):
    if value and not any(os.environ.get(other) for other in (name, *others)):
        print(f"export {name}={shlex.quote(value)}")


if said.get("no-index", "").lower() in ("1", "true", "yes", "on"):
    # That one has no variable.
    print("case ' '$options' ' in *' --no-index '*) ;; *) options=\"--no-index $options\" ;; esac")
else:
    tell(said.get("index-url"), "UV_DEFAULT_INDEX", "UV_INDEX_URL")
    tell(" ".join(said.get("extra-index-url", "").split()), "UV_EXTRA_INDEX_URL", "UV_INDEX")
tell(",".join(said.get("find-links", "").split()), "UV_FIND_LINKS")
tell(" ".join(said.get("trusted-host", "").split()), "UV_INSECURE_HOST")
tell(" ".join(said.get("constraint", "").split()), "UV_CONSTRAINT")
tell(said.get("cert"), "SSL_CERT_FILE")
tell(said.get("proxy"), "ALL_PROXY")
