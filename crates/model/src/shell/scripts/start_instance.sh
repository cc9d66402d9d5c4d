# Starts a unit beside what serves, and waits until it listens: only then is it active. POSIX sh.
#
# Assignments stand before this text: unit; seconds, for how long it may take; anew, whether it is started though it runs; changed, whether
# its file is another now; sudo; link. What is known of units is defined.

look_at_unit "$unit"
case $active in
  active)
    [ -n "$changed$anew" ] || exit 0
    # What runs was started by the file that was there before.
    $sudo systemctl stop "$called" || exit
    ;;
  failed) $sudo systemctl reset-failed "$called" 2>/dev/null ;;
esac
before=$restarts
$sudo systemctl start --no-block "$called" || exit
end=$(($(date +%s) + seconds))
while :; do
  sleep 0.1 2>/dev/null || sleep 1
  look_at_unit "$unit" || exit
  case $active in
    active) exit 0 ;;
    failed) break ;;
    # A run before has told it to end, and it finishes first what it has begun: systemd limits that.
    deactivating) end=$(($(date +%s) + seconds)) ;;
    # Its turn comes.
    inactive) ;;
    # systemd would go on trying for ever. It begins to count anew with a start by hand.
    *) case "$restarts $result" in "$before " | "$before success" | '0 ' | '0 success') ;; *) break ;; esac ;;
  esac
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "$called doesn't listen at its socket after $seconds s" >&2
    break
  fi
done
show_words "$unit"
exit 1
