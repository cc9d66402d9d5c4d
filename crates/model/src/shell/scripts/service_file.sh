# Puts the unit file or init script of a release where the service manager looks for it, if another one is there. POSIX sh.
#
# Assignments stand before this text: stored, what was rendered for the release; installed, where it belongs; list, a file of
# what buedafab has installed; kind, unit or init_script; name, for the service manager; sudo. `stop_it` and `disable_it` are
# defined. Afterwards `changed` says whether there was anything to do.

enable_it() {
  if [ "$kind" = unit ]; then
    systemctl is-enabled --quiet "$name" 2>/dev/null || $sudo systemctl enable --quiet "$name"
  elif command -v update-rc.d >/dev/null; then
    for link in /etc/rc2.d/S[0-9][0-9]"$name"; do [ ! -e "$link" ] || return 0; done
    $sudo update-rc.d "$name" defaults >/dev/null && $sudo update-rc.d "$name" enable >/dev/null
  fi
}

# By a rename: another of the group may have written it.
note_it() {
  rm -f "$list.new" || return
  { cat "$list" 2>/dev/null; echo "$installed"; } >"$list.new" && mv -f "$list.new" "$list"
}

changed=
if [ -f "$stored" ]; then
  if ! cmp -s "$stored" "$installed"; then
    # The next script may look for the process elsewhere, and find none to stop.
    [ "$kind" = unit ] || [ ! -x "$installed" ] || $sudo "$installed" stop
    case $kind in unit) mode=644 ;; *) mode=755 ;; esac
    $sudo install -m "$mode" "$stored" "$installed.new" && $sudo mv -f "$installed.new" "$installed" || exit
    echo "installed $installed"
    changed=yes
    [ "$kind" != unit ] || $sudo systemctl daemon-reload || exit
  fi
  # It comes up again with its host.
  enable_it || echo "$name couldn't be enabled: it won't start when the host starts" >&2
  grep -qxF -e "$installed" "$list" 2>/dev/null || note_it || exit
  # Neither what it did under another release, nor how often, is held against it.
  [ "$kind" != unit ] || $sudo systemctl reset-failed "$name" 2>/dev/null
elif grep -qxF -e "$installed" "$list" 2>/dev/null; then
  echo "$name isn't part of this release: it is stopped"
  disable_it
  stop_it
  exit
elif [ ! -e "$installed" ]; then
  # It was never put in place: a way back began before its turn came.
  exit 0
fi
