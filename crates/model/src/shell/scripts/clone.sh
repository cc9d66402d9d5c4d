# Defines `lacks FOLDER`, which is true where what git keeps in a folder is no whole clone, and sets `part` to what it lacks. It
# takes no process, and so says nothing of objects. POSIX sh.

lacks() {
  part='it is no folder'
  [ -d "$1/.git" ] || return 0
  # What a step has found that reads them.
  part='objects can'\''t be read'
  [ ! -e "$1/.git/damaged" ] || return 0
  for part in HEAD config; do
    if [ ! -s "$1/.git/$part" ]; then
      part="no $part in it"
      return 0
    fi
  done
  for part in objects refs; do
    if [ ! -d "$1/.git/$part" ]; then
      part="no $part in it"
      return 0
    fi
  done
  part=
  return 1
}
