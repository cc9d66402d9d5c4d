"""Makes a virtualenv that was copied into another slot lead to that one: ENV, the copy; OLD and NEW, the folders of the slots.

What names a place is text: scripts and their first lines, pyvenv.cfg, and what tells Python of packages beside it."""

import glob
import os
import re
import sys

env, old, new = (os.fsencode(argument) for argument in sys.argv[1:])
site = os.path.join(glob.escape(env), b"lib*", b"python*", b"site-packages")
patterns = [
    os.path.join(glob.escape(env), b"bin", b"*"),
    os.path.join(glob.escape(env), b"pyvenv.cfg"),
    os.path.join(site, b"*.pth"),
    os.path.join(site, b"*.egg-link"),
    os.path.join(site, b"__editable__*.py"),
    os.path.join(site, b"*.dist-info", b"direct_url.json"),
]
# Another slot's name may begin with this one's.
place = re.compile(re.escape(old) + rb"(?![A-Za-z0-9._+-])")
for path in {path for pattern in patterns for path in glob.glob(pattern)}:
    if os.path.islink(path) or not os.path.isfile(path):
        continue
    with open(path, "rb") as file:
        text = file.read()
    moved = place.sub(lambda _: new, text)
    # A program is no text.
    if moved == text or b"\0" in text:
        continue
    times = os.stat(path)
    os.chmod(path, times.st_mode | 0o200)
    with open(path, "wb") as file:
        file.write(moved)
    os.chmod(path, times.st_mode)
