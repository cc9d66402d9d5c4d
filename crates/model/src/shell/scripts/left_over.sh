# Stops and takes away what was installed for the app and isn't wanted any more, if it is still what was looked at. POSIX sh.
#
# Assignments stand before this text: kind, unit, init_script, jobs_file or jobs; path, of its file; mark, the line that says whose
# it is; list, a file of what buedafab has installed; record, a file that says where the jobs are; sudo. For a service there are
# `name`, `stop_it` and `disable_it`; for jobs, what is said of the user's crontab.

# What the record says of jobs in this place. Those of another label, in another place or of somebody else stay there.
recorded() { sed -n 's/.*"place":"'"$1"'","label":"\(.*\)"}$/\1/p' "$record" 2>/dev/null; }
is_ours() { grep -qsxF -e "$mark"; }
not_ours() {
  echo "$1 doesn't say any more that it is this app's: it is left as it is" >&2
  exit 1
}
case $kind in
  jobs)
    printf '%s\n' "$now" | grep -qxF -e "$begin" || exit 0
    require_whole
    printf '%s\n' "$now" | is_ours || not_ours "the block of $label"
    take_out || exit
    if [ "$(recorded user)" = "$label" ] && grep -qF -e "\"user\":\"$(id -un)\"" "$record"; then rm -f "$record" "${record%.json}.sh"; fi
    exit
    ;;
  jobs_file)
    [ -e "$path" ] || exit 0
    is_ours <"$path" || not_ours "$path"
    $sudo rm -f "$path" || exit
    # In the file's name, what cron doesn't take stands as an underscore.
    if [ "$(recorded system | tr -c 'A-Za-z0-9_\n-' _)" = "${path##*/}" ]; then rm -f "$record" "${record%.json}.sh"; fi
    exit
    ;;
esac
if [ -e "$path" ]; then
  # A link leads to what has another name, and may be wanted by it.
  { [ ! -L "$path" ] && is_ours <"$path"; } || not_ours "$path"
  # What can't be stopped is left whole, so that a person can.
  (disable_it)
  (stop_it) || exit
  [ "$kind" = unit ] || ! command -v update-rc.d >/dev/null || $sudo update-rc.d -f "$name" remove >/dev/null
  $sudo rm -f "$path" || exit
  echo "removed $path"
  if [ "$kind" = unit ]; then
    $sudo systemctl daemon-reload || exit
    $sudo systemctl reset-failed "$name" 2>/dev/null
  fi
fi
[ -f "$list" ] || exit 0
rm -f "$list.new"
grep -vxF -e "$path" "$list" >"$list.new"
# It found none, or was cut short: what it hasn't read must not be forgotten.
if [ $? -le 1 ]; then mv -f "$list.new" "$list" && exit; fi
rm -f "$list.new"
echo "couldn't write $list" >&2
exit 1
