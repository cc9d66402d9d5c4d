# Brings the app's jobs to what a release says, and touches no others. POSIX sh.
#
# Assignments stand before this text: file, the release's crontab; unit; place, user or system; sudo.

[ -f "$file" ] || {
  echo "there is no $file" >&2
  exit 1
}
if [ "$place" = system ]; then
  # cron passes over files with a dot in their name.
  there=/etc/cron.d/$(printf %s "$unit" | tr -c 'A-Za-z0-9_-' _)
  cmp -s "$file" "$there" && exit 0
  # cron reads a file as soon as it sees it, so it must be whole by then.
  $sudo install -m 644 "$file" "$there.new" && $sudo mv -f "$there.new" "$there" && echo "installed $there"
  exit
fi
begin="# begin $unit, kept by buedafab"
end="# end $unit"
now=$(crontab -l 2>/dev/null)
count() { printf '%s\n' "$now" | grep -cxF -e "$1"; }
if [ "$(count "$begin")" != "$(count "$end")" ]; then
  echo "in the crontab of $(id -un) one of the two lines is missing that mark the block of $unit: repair it by hand, with crontab -e" >&2
  exit 1
fi
export begin end
others=$(printf '%s\n' "$now" | awk '
  $0 == ENVIRON["begin"] { ours = 1 }
  !ours { print }
  $0 == ENVIRON["end"] { ours = 0 }')
new=$(printf '%s\n' ${others:+"$others"} "$begin" "$(cat "$file")" "$end")
[ "$new" = "$now" ] || printf '%s\n' "$new" | crontab -
