# Defines `keep_changes`, which keeps what somebody has changed in an unpacked release, before anything there changes. Expects `name`,
# `slot`, `unpacked`, `filled`, `aside`, and what `difference` defines. POSIX sh.

keep_changes() {
  [ -f "$unpacked" ] && [ -d "$slot/" ] || return 0
  is_unchanged "$slot"
  case $? in
    0) return 0 ;;
    1) ;;
    *)
      echo "what somebody may have changed in $name can't be told from the release any more"
      return 0
      ;;
  esac
  ! is_as_built "$slot" "$filled" || return 0
  kept=
  while IFS= read -r path; do
    path=${path# M }
    case $path in ' D '* | '') continue ;; esac
    case $path in */*) into=$aside/${path%/*} ;; *) into=$aside ;; esac
    mkdir -p "$into" && mv -f "$slot/$path" "$into/" || exit
    kept=yes
  done <<CHANGED
$changed
CHANGED
  # Of what is only gone, the archive has all.
  [ -n "$kept" ] || return 0
  # shellcheck disable=SC3013
  if [ ! -e "$filled" ] || [ "$unpacked" -nt "$filled" ]; then
    echo "what a build that came to nothing, or somebody, changed in $name is kept in $aside"
  else
    echo "local changes of $name were kept in $aside"
  fi
}
