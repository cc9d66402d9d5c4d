# Puts the unit file or init script of a release where the service manager looks for it, if another one is there. POSIX sh.
#
# Assignments stand before this text: stored, what was rendered for the release; installed, where it belongs; list, a file of
# what buedafab has installed; kind, unit or init_script; name, for the service manager; sudo. `stop_it` is defined. Afterwards
# `changed` says whether there was anything to do.

changed=
if [ -f "$stored" ]; then
  if ! cmp -s "$stored" "$installed"; then
    case $kind in unit) mode=644 ;; *) mode=755 ;; esac
    $sudo install -m "$mode" "$stored" "$installed.new" && $sudo mv -f "$installed.new" "$installed" || exit
    echo "installed $installed"
    changed=yes
    [ "$kind" != unit ] || $sudo systemctl daemon-reload || exit
  fi
  if ! grep -qxF -e "$installed" "$list" 2>/dev/null; then
    # It comes up again with its host.
    if [ "$kind" = unit ]; then
      $sudo systemctl enable --quiet "$name"
    elif command -v update-rc.d >/dev/null; then
      $sudo update-rc.d "$name" defaults >/dev/null
    fi || echo "$name won't come up with its host" >&2
    echo "$installed" >>"$list" || exit
  fi
elif grep -qxF -e "$installed" "$list" 2>/dev/null; then
  echo "$name isn't part of this release: it is stopped"
  stop_it
  exit
fi
