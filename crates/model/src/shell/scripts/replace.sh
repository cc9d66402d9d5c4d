# Defines `replace FILE`, which puts there what comes on standard input, whole or not at all. POSIX sh.

replace() (
  # Who shares the folder may have left a link there, which would be followed.
  rm -f "$1.new" && set -C && cat >"$1.new" && mv -f "$1.new" "$1" && exit
  rm -f "$1.new"
  exit 1
)
