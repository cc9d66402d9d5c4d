# Takes a file from standard input and puts it in its place, whole or not at all. POSIX sh.
#
# Assignments stand before this text: place, where it goes, or a folder that it goes into; file, its name; sha256, its check
# sum; mode, its permissions in octal digits. `take` is defined. Nobody may read it who can't read what it replaces.

[ ! -d "$place" ] || place=${place%/}/$file
folder=${place%/*}
if [ ! -d "${folder:-/}" ]; then
  echo "there is no folder $folder: make it first, say by \`run -- mkdir -p $folder\`" >&2
  exit 1
fi
if [ -d "$place" ]; then
  echo "$place is a folder" >&2
  exit 1
fi
new=$place.buedafab-new group=
if [ -f "$place" ]; then
  had=$(stat -L -c %a -- "$place") && group=$(stat -L -c %g -- "$place") || exit
  # Who could read it may run it, if it is a program now.
  mode=$(printf %o $((0$mode & (0$had | (0$had & 0444) >> 2) | 0600)))
fi
umask 077
# However it ends, no half of it stays.
trap 'rm -f "$new"' EXIT
trap 'exit 1' HUP INT TERM
take "$new"
if [ -n "$group" ] && [ "$(stat -c %g -- "$new")" != "$group" ] && ! chgrp "$group" "$new" 2>/dev/null; then
  # Another group than the one before isn't to read it.
  mode=$(printf %o $((0$mode & 0707)))
  echo "$(id -un) can't give $place to the group that it had: that can't read it by that any more" >&2
fi
{ chmod "$mode" "$new" && mv -f "$new" "$place"; } || exit 1
echo "$place"
