# Keeps the unit files and init scripts of a release, for its switch and for every way back to it. POSIX sh.
#
# Assignments stand before this text: folder, where they are kept; there, where what stands in their places now is kept; list, a
# file of what buedafab has installed. `replace` is defined. `keep NAME INSTALLED KIND TEXT TEXT_TO_CHECK` is called after it, once
# for each file; of what is the program's own there is nothing to check.

mkdir -p "$folder" || exit

keep() {
  name=$1 installed=$2 kind=$3
  [ -z "$5" ] || check_it "$@"
  printf %s "$4" | replace "$folder/$name" || exit
  # What somebody else has put there belongs to what serves: a way back puts it back.
  if [ -f "$installed" ] && [ ! -e "$there/$name" ] && ! grep -qxF -e "$installed" "$list" 2>/dev/null; then
    mkdir -p "$there" && replace "$there/$name" <"$installed" || exit
  fi
}

check_it() {
  place=$(mktemp -d) || exit
  printf %s "$5" >"$place/$name"
  case $kind in
    unit) verify_unit "$place/$name" ;;
    *) sh -n "$place/$name" ;;
  esac >"$place/said" 2>&1
  status=$?
  if [ "$status" != 0 ]; then
    sed "s|$place/||g" "$place/said" >&2
    echo "$name has a mistake: correct the template, or the command, of its service" >&2
  fi
  rm -rf "$place"
  [ "$status" = 0 ] || exit "$status"
}

# In a chroot or container there may be no systemd to ask.
verify_unit() {
  command -v systemd-analyze >/dev/null || return 0
  only_this=--recursive-errors=no
  systemd-analyze --help 2>/dev/null | grep -q -e --recursive-errors || only_this=
  systemd-analyze verify --man=no $only_this "$1"
}
