# Starts a unit beside what serves, and waits until it listens: only then is it active. POSIX sh.
#
# Assignments stand before this text: unit; seconds, for how long it may take; changed, whether its file is another now; sudo; link. What is
# known of units is defined.

look_at_unit "$unit"
[ -z "$changed" ] && [ "$active" = active ] && exit 0
how=start
# What runs was started by the file that was there before.
[ "$active" != active ] || how=restart
[ "$active" != failed ] || $sudo systemctl reset-failed "$called" 2>/dev/null
before=$restarts
$sudo systemctl "$how" --no-block "$called" || exit
end=$(($(date +%s) + seconds))
while :; do
  sleep 0.1 2>/dev/null || sleep 1
  look_at_unit "$unit" || exit
  case $active in
    active) exit 0 ;;
    failed | inactive) break ;;
    # It is told to end by a run before, and finishes first what it has begun: systemd limits that.
    deactivating)
      end=$(($(date +%s) + seconds))
      continue
      ;;
  esac
  # systemd would go on trying for ever.
  case "$restarts $result" in "$before " | "$before success") ;; *) break ;; esac
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "$called doesn't listen at its socket after $seconds s" >&2
    break
  fi
done
show_words "$unit"
exit 1
