# Removes the release in a slot, and what was noted about it. It stays where a process uses it, or where it holds what may be nowhere
# else. Assignments stand before this text: name and slot, the slot's name and folder; link; record, filled, overwritten, takes and unpacked,
# the files of what is noted. Expects `git`'s surroundings, `has_own_work`, `no_mount_in`, `is_unchanged`, `is_as_built` and `tell_what_is_in_the_way`.
# POSIX sh.

stays() {
  echo "$name stays: $1"
  exit 0
}

# What works in it, or has files of it in memory.
is_used() {
  real=$(cd -P "$slot" && pwd) || return 0
  while IFS= read -r line; do
    case "$line/" in *" -> $real/"*) return 0 ;; esac
  done <<PROCESSES
$(ls -l /proc/[0-9]*/cwd /proc/[0-9]*/exe 2>/dev/null)
PROCESSES
  grep -qsF -e " $real/" /proc/[0-9]*/maps
}

if [ -L "$slot" ]; then stays 'it is a link'; fi
# What an earlier removal has left.
said=$(no_mount_in "$slot.new" 2>&1) || stays "$said"
rm -rf "$slot.new"
if [ -d "$slot" ]; then
  # shellcheck disable=SC3013
  [ ! "$link/." -ef "$slot/." ] || stays 'it serves'
  said=$(no_mount_in "$slot" 2>&1) || stays "$said"
  ! is_used || stays 'a process runs from it'
  cd "$slot" || exit
  if [ -f "$unpacked" ]; then
    is_unchanged .
    case $? in
      0) ;;
      1) is_as_built . "$filled" || stays 'files in it were changed by hand' ;;
      *) stays "the list of its files can't be read, so nobody can say whether somebody changed it" ;;
    esac
  elif [ -e .git ]; then
    ! has_own_work . || stays 'somebody worked in its clone'
    said=$(git diff --quiet --ignore-submodules=untracked HEAD -- 2>&1) || [ -n "$said" ] || is_as_built . "$filled" ||
      stays 'files in it were changed by hand'
    [ -z "$said" ] || stays "git can't say whether somebody changed it"
  fi
  cd / || exit
  # From here on nobody takes what is left of it for a release.
  mv "$slot" "$slot.new" || exit
  said=$(rm -rf "$slot.new" 2>&1) || {
    find "$slot.new" -xdev -type d -user "$(id -u)" ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null
    rm -rf "$slot.new" 2>/dev/null
  } || {
    printf '%s\n' "$said" >&2
    tell_what_is_in_the_way "$slot.new"
    exit 1
  }
fi
rm -f "$filled" "$overwritten" "$takes" "$unpacked" "$record"
