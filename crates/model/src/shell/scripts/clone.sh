# Defines `has_own_work FOLDER`, whether a person has made what git keeps in a folder, or has done something there that is nowhere
# else, as far as can be seen.
#
# Defines `lacks FOLDER`, which is true where what git keeps in a folder is no whole clone, and sets `part` to what it lacks. It
# takes no process, and so says nothing of objects. POSIX sh.

lacks() {
  part='it is no folder'
  [ -e "$1/.git" ] || [ -L "$1/.git" ] || part='it is gone'
  [ -d "$1/.git" ] || return 0
  # Of what can't be read nothing is known.
  if [ ! -r "$1/.git" ] || [ ! -x "$1/.git" ]; then return 1; fi
  # What a step has found that reads them.
  part='objects can'\''t be read'
  [ ! -e "$1/.git/damaged" ] || return 0
  # After a power cut files are empty, or full of zeroes.
  part='no HEAD in it'
  line=
  [ ! -f "$1/.git/HEAD" ] || IFS= read -r line 2>/dev/null <"$1/.git/HEAD"
  case $line in 'ref: '?* | *[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*) ;; *) return 0 ;; esac
  part='no config in it'
  line=
  [ ! -f "$1/.git/config" ] || IFS= read -r line 2>/dev/null <"$1/.git/config"
  case $line in *[\[#\;]*) ;; *) return 0 ;; esac
  for part in objects refs; do
    if [ ! -d "$1/.git/$part" ]; then
      part="no $part in it"
      return 0
    fi
  done
  part=
  return 1
}

has_own_work() {
  set -- "$1/.git"
  [ -f "$1" ] || [ -L "$1" ] || [ -s "$1/logs/refs/stash" ] || { [ -d "$1" ] && [ ! -s "$1/logs/HEAD" ]; } ||
    grep -v '	\(clone\|checkout\): ' "$1/logs/HEAD" 2>/dev/null | grep -q '	'
}
