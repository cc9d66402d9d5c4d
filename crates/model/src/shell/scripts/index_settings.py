"""Prints, as shell, where packages come from, for an installer that is told so by its environment alone.

Standard input is `options`, a word a line. What of them has a name or a password in its address is taken out: arguments can be read
by everybody on the host. For uv, what this host tells pip is put into its words. What is told to uv itself goes before it. pip's
files are read as pip does: those of all, of the user, and the one that is named.
"""

import configparser
import os
import re
import shlex
import sys

for_uv = sys.argv[1] == "uv"
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

SHORT = {"-i": "index-url", "-f": "find-links", "-c": "constraint"}
ONE, MANY = ["index-url", "proxy"], ["extra-index-url", "find-links", "constraint"]
if for_uv:
    ONE.append("default-index")
    MANY.append("index")


def read_options(words):
    """The options of a command: their names, their values where they have one in an address, and their words."""
    words = iter(words)
    for word in words:
        name, is_one_word, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        name = SHORT.get(name, name[2:])
        if name not in ONE + MANY:
            yield None, word, [word]
        elif is_one_word:
            yield name, value, [word]
        else:
            value = next(words, "")
            yield name, value, [word, value]


options = list(read_options(sys.stdin.read().splitlines()))
secret = {name for name, value, _ in options if re.search(r"://[^\s/]*@", value)}
if None in secret:
    sys.exit("`pip_options` has an address with a name or password in an option that can only be told where everybody reads it")
if secret:
    print("options=" + shlex.quote(" ".join(shlex.quote(word) for name, _, words in options if name not in secret for word in words)))
for key in sorted(secret):
    values = [value for name, value, _ in options if name == key]
    variable = key.upper().replace("-", "_")
    before = for_uv and os.environ.get("UV_" + variable, "").replace(",", " ") or said.get(key, "")
    said[key] = " ".join([*before.split(), *values]) if key in MANY else values[-1]
    if not for_uv:
        print(f"export PIP_{variable}={shlex.quote(said[key])}")
if not for_uv:
    sys.exit()


def tell(key, value, name, *others):
    if value and (key in secret or not any(os.environ.get(other) for other in (name, *others))):
        print(f"export {name}={shlex.quote(value)}")


if said.get("no-index", "").lower() in ("1", "true", "yes", "on"):
    # That one has no variable.
    print("case ' '$options' ' in *' --no-index '*) ;; *) options=\"--no-index $options\" ;; esac")
else:
    tell("index-url", said.get("index-url"), "UV_DEFAULT_INDEX", "UV_INDEX_URL")
    tell("default-index", said.get("default-index"), "UV_DEFAULT_INDEX")
    tell("extra-index-url", " ".join(said.get("extra-index-url", "").split()), "UV_EXTRA_INDEX_URL", "UV_INDEX")
    tell("index", said.get("index"), "UV_INDEX")
tell("find-links", ",".join(said.get("find-links", "").split()), "UV_FIND_LINKS")
tell("trusted-host", " ".join(said.get("trusted-host", "").split()), "UV_INSECURE_HOST")
tell("constraint", " ".join(said.get("constraint", "").split()), "UV_CONSTRAINT")
tell("cert", said.get("cert"), "SSL_CERT_FILE")
tell("proxy", said.get("proxy"), "ALL_PROXY")
