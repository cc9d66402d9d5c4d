# What systemd says of a unit, and what its service said. POSIX sh.
#
# Assignments stand before this text: sudo; link, the one that decides what is live. What is asked, everybody may ask, where systemd can be asked by everybody: that
# takes D-Bus.

# Sets `called` to the name of a unit, and how its manager is spoken to: `user/NAME` is one of the user's own systemd. A session
# that came about without PAM doesn't say where that is.
find_manager() {
  case $1 in
    user/*)
      called=${1#user/} own=--user as=
      export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
      ;;
    *) called=$1 own='' as=$sudo ;;
  esac
}

# Sets what is known of a unit; old systemds don't know all of it.
look_at_unit() {
  find_manager "$1"
  active='' result='' kind='' restarts=0
  properties=ActiveState,Result,Type,NRestarts
  shown=$(systemctl $own show --property "$properties" "$called" 2>/dev/null) ||
    shown=$($as systemctl $own show --property "$properties" "$called" 2>/dev/null) || return
  while IFS='=' read -r key value; do
    case $key in
      ActiveState) active=$value ;;
      Result) result=$value ;;
      Type) kind=$value ;;
      NRestarts) restarts=${value:-0} ;;
    esac
  done <<EOF
$shown
EOF
}

# Whether a unit is up. One that runs to its end is done when it ended well.
is_up() {
  look_at_unit "$1" || return
  case "$active $kind" in
    'active '* | 'reloading '* | 'activating oneshot') return 0 ;;
    'inactive oneshot') [ "$result" = success ] ;;
    *) return 1 ;;
  esac
}

# Restarts or reloads a unit. Restarts count as much as failures do, and after some of both systemd starts nothing more: that
# must not keep the release down that is gone back to. Where all is well sudo needn't allow more than the restart.
act_on_unit() {
  if look_at_unit "$2" && { [ "$active" != active ] || [ "$restarts" != 0 ]; }; then
    $as systemctl $own reset-failed "$called" 2>/dev/null
  fi
  $as systemctl $own "$1" "$called" && return
  $as systemctl $own reset-failed "$called" && $as systemctl $own "$1" "$called"
}

# The words of a unit's service, and systemd's about it, since the switch, as far as the user may read them.
words_of() {
  find_manager "$1"
  set -- --quiet --no-pager --output cat --lines 40 --since "@$(stat -c %Y "$link" 2>/dev/null || echo 0)"
  if [ -z "$own" ]; then
    set -- "$@" --unit "$called"
  else
    # Of a process of the user's that has died by then, the journal doesn't know the unit.
    case $called in *.*) ;; *) called=$called.service ;; esac
    set -- "$@" --user _TRANSPORT=stdout + "USER_UNIT=$called"
  fi
  said=$($as journalctl "$@" 2>/dev/null)
  [ -n "$said" ] || said=$(journalctl "$@" 2>/dev/null)
}

# How a unit is, and why, as far as it says so.
show_words() {
  look_at_unit "$1"
  if [ "$active" = activating ]; then state='is being started'; else state="is ${active:-unknown}"; fi
  case $result in '' | success) ;; *) state="$state ($result)" ;; esac
  [ "$restarts" = 0 ] || state="$state, started again $restarts times"
  echo "$called $state"
  words_of "$1"
  if [ -z "$said" ]; then
    # What it says goes elsewhere, or isn't for this user.
    said=$($as systemctl $own status --no-pager --lines 15 "$called" 2>/dev/null)
    [ $? -ne 1 ] || said=$(systemctl $own status --no-pager --lines 15 "$called" 2>/dev/null)
  fi
  printf '%s\n' "$said"
  case $said in *'ddress already in use'*)
    # Only root sees whose they are.
    echo 'what listens now:'
    { $sudo ss -Hltnp 2>/dev/null || ss -Hltn 2>/dev/null; } | awk '{ print "  " $4 "  " $6 }' | head -n 20
    ;;
  esac
} >&2
