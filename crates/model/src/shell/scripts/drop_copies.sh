# Takes copies away that were kept of a slot, unless something is pending, which may need them. POSIX sh.
#
# Assignments stand before this text: copies, their folder; pending, the file that says so; of, a commit, whose copy goes; or but, the one
# whose copy stays, or nothing.

[ ! -e "$pending" ] || exit 0
[ -d "$copies" ] || exit 0
if [ -n "$of" ]; then
  rm -rf "${copies:?}/$of" "$copies/$of.new" || exit
else
  for copy in "$copies"/*; do
    [ "${copy##*/}" = "$but" ] || rm -rf "$copy" || exit
  done
fi
# As long as there are others, they stay.
rmdir "$copies" "${copies%/*}" 2>/dev/null || true
