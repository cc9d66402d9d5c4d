# Takes away what no release needs any more: also its archive. POSIX sh.
#
# Assignments stand before this text: kept, the folder of what is kept of releases; slots, the folder of the slots' records;
# packages, that of private packages; store, that of what Git LFS keeps. What isn't called like a commit or a check sum isn't ours to judge.

is_id() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" = 40 ] || [ "${#1}" = 64 ]
}
remembered=
for record in "$slots"/*.json; do
  [ -f "$record" ] || continue
  IFS= read -r line <"$record" || [ -n "$line" ] || continue
  remembered="$remembered $line"
done
for old in "$kept"/*/; do
  old=${old%/}
  is_id "${old##*/}" || continue
  # A slot holds it, or could be rolled back to it.
  case $remembered in *"${old##*/}"*) continue ;; esac
  # What another release is called like has taken its file over.
  if [ -f "$old/archive" ] && read -r sum file <"$old/archive"; then
    others=$(grep -lF -e " $file" "$kept"/*/archive)
    case $file in */* | .* | '') ;; *) [ "$others" != "$old/archive" ] || rm -f "$packages/$file" ;; esac
  fi
  rm -rf "$old"
done
for old in "$packages"/*/; do
  old=${old%/}
  is_id "${old##*/}" || continue
  grep -qsF -e "${old##*/}" "$kept"/*/packages || rm -rf "$old"
done
if [ -d "$store/objects" ]; then
  cat "$kept"/*/lfs 2>/dev/null >"$store/wanted"
  find "$store/objects" -type f | awk '
    FILENAME != "-" { wanted[$0] = 1; next }
    { sum = $0; sub(/.*\//, "", sum) }
    !(sum in wanted)' "$store/wanted" - | while IFS= read -r old; do rm -f "$old"; done
  rm -f "$store/wanted"
fi
