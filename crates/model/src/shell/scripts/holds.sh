# Defines `holds FOLDER COMMIT`: whether all is there that a checkout of the commit reads. Of every file the beginning is read; what
# can't be is BAD.
#
# Defines `is_partial FOLDER`: whether its clone was made to hold only what releases took, and `missing FOLDER COMMIT`, which prints what
# it lacks of this one. Whoever read that would have git fetch it, file by file. POSIX sh.

is_partial() {
  while IFS= read -r line; do
    case $line in *promisor*=*true*) return 0 ;; esac
  done 2>/dev/null <"$1/.git/config"
  return 1
}

missing() { git -C "$1" rev-list --objects --missing=print --no-walk "$2" 2>/dev/null | sed -n 's/^?//p'; }

holds() {
  if is_partial "$1" && [ -n "$(missing "$1" "$2")" ]; then return 1; fi
  sizes=$(git -C "$1" ls-tree -r -l --full-tree "$2" 2>/dev/null) || return
  # In a file's name git writes a tab in another way.
  case $sizes in *' BAD	'*) return 1 ;; esac
}
