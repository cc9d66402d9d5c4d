# Defines `is_ours`: whether who listens where the app is asked can be what was started. POSIX sh.
#
# Assignments stand before it is called: sudo; link, the one that decides what is live; releases, the folder that it is in; listens, what
# `ss` is asked for, as words for the shell. `words` is what was answered, and what is wrong with that.

# A process that the restart didn't end keeps the port, and answers for a release that can't have it. Another program in front of the
# app isn't in the folder of a release, and of what can't be seen nothing is said.
is_ours() {
  command -v ss >/dev/null || return 0
  root=$(cd -P "$releases" 2>/dev/null && pwd -P) && live=$(readlink -f "$link") || return 0
  case $live in "$root"/*) ;; *) return 0 ;; esac
  eval "set -- ss -H -l -n -p $listens"
  as=
  found=$("$@" 2>/dev/null)
  case $found in
    *,pid=*) ;;
    # Others' processes only root sees; what sudo doesn't allow would be reported to root.
    *) if [ -n "$sudo" ] && $sudo -l "$@" >/dev/null 2>&1; then as=$sudo found=$($sudo "$@" 2>/dev/null); fi ;;
  esac
  stale=
  while :; do
    case $found in *,pid=*) found=${found#*,pid=} ;; *) break ;; esac
    pid=${found%%,*}
    if ! folder=$(readlink "/proc/$pid/cwd" 2>/dev/null); then
      { [ -n "$as" ] && $as -l readlink "/proc/$pid/cwd" >/dev/null 2>&1 &&
        folder=$($as readlink "/proc/$pid/cwd" 2>/dev/null); } || continue
    fi
    case $folder in
      "$root"/*' (deleted)') stale="$pid, which works in $folder" ;;
      "$live" | "$live"/*) return 0 ;;
      "$root"/*) stale="$pid, which works in $folder" ;;
    esac
  done
  [ -n "$stale" ] || return 0
  words="$words, but by process $stale: it isn't what was started, and has to be stopped"
  return 1
}
