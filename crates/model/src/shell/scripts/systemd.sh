# What systemd says of a unit, and what its service said. POSIX sh.
#
# Assignments stand before this text: sudo; link, the one that decides what is live. What is asked, everybody may ask, where systemd can be asked by everybody: that
# takes D-Bus.

# Sets what is known of a unit; old systemds don't know all of it.
look_at_unit() {
  active='' result='' kind='' restarts=0
  properties=ActiveState,Result,Type,NRestarts
  shown=$(systemctl show --property "$properties" "$1" 2>/dev/null) ||
    shown=$($sudo systemctl show --property "$properties" "$1" 2>/dev/null) || return
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
    $sudo systemctl reset-failed "$2" 2>/dev/null
  fi
  $sudo systemctl "$1" "$2" && return
  $sudo systemctl reset-failed "$2" && $sudo systemctl "$1" "$2"
}

# The words of a unit's service, and systemd's about it, since the switch, as far as the user may read them.
words_of() {
  set -- --quiet --no-pager --output cat --lines 40 --since "@$(stat -c %Y "$link" 2>/dev/null || echo 0)" --unit "$1"
  said=$($sudo journalctl "$@" 2>/dev/null)
  [ -n "$said" ] || said=$(journalctl "$@" 2>/dev/null)
}

# How a unit is, and why, as far as it says so.
show_words() {
  look_at_unit "$1"
  if [ "$active" = activating ]; then state='is being started'; else state="is ${active:-unknown}"; fi
  case $result in '' | success) ;; *) state="$state ($result)" ;; esac
  [ "$restarts" = 0 ] || state="$state, started again $restarts times"
  echo "$1 $state"
  words_of "$1"
  if [ -z "$said" ]; then
    # What it says goes elsewhere, or isn't for this user.
    said=$($sudo systemctl status --no-pager --lines 15 "$1" 2>/dev/null)
    [ $? -ne 1 ] || said=$(systemctl status --no-pager --lines 15 "$1" 2>/dev/null)
  fi
  printf '%s\n' "$said"
  case $said in *'ddress already in use'*)
    # Only root sees whose they are.
    echo 'what listens now:'
    { $sudo ss -Hltnp 2>/dev/null || ss -Hltn 2>/dev/null; } | awk '{ print "  " $4 "  " $6 }' | head -n 20
    ;;
  esac
} >&2
