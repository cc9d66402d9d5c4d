# The marked block of jobs in the user's crontab. POSIX sh.
#
# Assignments stand before this text: label, of the app's jobs. Afterwards `now` is the crontab, `begin` and `end` are the lines
# around the block, and `others` prints all but it. A block of which one line is missing is nobody's to change.

begin="# begin $label, kept by buedafab"
end="# end $label"
export begin end
# It is read, changed and written by one at a time: another app's run may be at it. The lock ends with this step.
home=$HOME
[ -n "$home" ] && [ -d "$home" ] && [ -r "$home" ] || home=/
exec 8<"$home" && flock 8 || exit
now=$(crontab -l 2>/dev/null)
count() { printf '%s\n' "$now" | grep -cxF -e "$1"; }
require_whole() {
  [ "$(count "$begin")" = "$(count "$end")" ] || {
    echo "in the crontab of $(id -un) one of the two lines is missing that mark the block of $label: repair it by hand, with crontab -e" >&2
    exit 1
  }
}
others() {
  printf '%s\n' "$now" | awk '
  $0 == ENVIRON["begin"] { ours = 1 }
  !ours { print }
  $0 == ENVIRON["end"] { ours = 0 }'
}
# Leaves only what isn't the app's.
take_out() {
  left=$(others)
  if [ -n "$left" ]; then printf '%s\n' "$left" | crontab -; else crontab -r; fi
}
