# Brings the app's jobs to what a release says, and touches no others. POSIX sh.
#
# Assignments stand before this text: file, the release's crontab; label, of the app's jobs, and former, what they were labelled
# with once; owner, a comment that says whose they are; path, the app's folder; place, user or system; there and once, the files of
# both labels, for the system; sudo.

[ -f "$file" ] || {
  echo "there is no $file" >&2
  exit 1
}
if [ "$place" = system ]; then
  new=$(mktemp) && { echo "$owner" && cat "$file"; } >"$new" || exit
  # cron reads a file as soon as it sees it, so it must be whole by then.
  if ! cmp -s "$new" "$there"; then
    $sudo install -m 644 "$new" "$there.new" && $sudo mv -f "$there.new" "$there" && echo "installed $there"
  fi
  status=$?
  rm -f "$new"
  if [ "$status" = 0 ] && [ "$once" != "$there" ] && grep -qsF -e "$path/" "$once" && ! grep -qs '^# buedafab keeps this for ' "$once"; then
    $sudo rm -f "$once"
  fi
  exit "$status"
fi
begin="# begin $label, kept by buedafab"
end="# end $label"
now=$(crontab -l 2>/dev/null)
# A block of this app's under its former label goes: its jobs would be done twice. Those of another environment stay.
old_begin="# begin $former, kept by buedafab" old_end="# end $former"
export path old_begin old_end
[ "$label" = "$former" ] || now=$(printf '%s\n' "$now" | awk '
  $0 == ENVIRON["old_begin"] { block = ""; inside = 1; ours = 0; owned = 0 }
  !inside { print; next }
  { block = block $0 "\n" }
  index($0, ENVIRON["path"] "/") { ours = 1 }
  /^# buedafab keeps this for / { owned = 1 }
  $0 == ENVIRON["old_end"] { inside = 0; if (!ours || owned) printf "%s", block }
  END { if (inside) printf "%s", block }')
count() { printf '%s\n' "$now" | grep -cxF -e "$1"; }
if [ "$(count "$begin")" != "$(count "$end")" ]; then
  echo "in the crontab of $(id -un) one of the two lines is missing that mark the block of $label: repair it by hand, with crontab -e" >&2
  exit 1
fi
export begin end
others=$(printf '%s\n' "$now" | awk '
  $0 == ENVIRON["begin"] { ours = 1 }
  !ours { print }
  $0 == ENVIRON["end"] { ours = 0 }')
new=$(printf '%s\n' ${others:+"$others"} "$begin" "$owner" "$(cat "$file")" "$end")
[ "$new" = "$(crontab -l 2>/dev/null)" ] || printf '%s\n' "$new" | crontab -
