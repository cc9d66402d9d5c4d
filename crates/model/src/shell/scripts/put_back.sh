# Puts what was kept of a slot back in its place, by renames: it takes no room, no git and no index. Wherever it is cut short, it can be
# done again. POSIX sh.
#
# Assignments stand before this text: name and slot, the slot's name and folder; copies, the folder of its copies; commit, what was kept;
# with_record, yes or no; record, filled, overwritten, takes and unpacked, the files of what is noted. `no_mount_in` is defined.

copy=$copies/$commit out=$copies/out
# From here on it is a copy no more, but for who goes on with this.
if [ -d "$copy" ]; then rm -rf "$copy.begun" && mv "$copy" "$copy.begun" || exit; fi
copy=$copy.begun
if [ ! -d "$copy" ]; then
  line=
  [ ! -f "$record" ] || IFS= read -r line <"$record"
  case $with_record$line in yes*'"state":"building"'*) ;; *)
    [ "$(git -C "$slot" rev-parse HEAD 2>/dev/null)" != "$commit" ] || exit 0
    ;;
  esac
  echo "no copy of $commit was kept that could be put back in $name" >&2
  exit 1
fi
no_mount_in "$slot" && mkdir -p "$out" && cd "$copy/tree" || exit
# Until it ends, nothing in the slot can be relied on.
if [ "$with_record" = yes ] && [ -f "$record" ]; then
  { sed 's/"state":"[a-z]*"/"state":"building"/' "$record" >"$record.put" && mv -f "$record.put" "$record"; } 2>/dev/null || rm -f "$record.put" "$record"
fi

is_there() { [ -e "$1" ] || [ -L "$1" ]; }
# What stands in its place is the other release's.
take_away() { rm -rf "${out:?}/$1" && mv -f "$slot/$1" "$out/"; }

for path in * .[!.]* ..?*; do
  is_there "./$path" || continue
  ! is_there "$slot/$path" || take_away "$path" || exit
  mv -f "./$path" "$slot/" || exit
done
cd "$slot" || exit
for path in * .[!.]* ..?*; do
  if ! is_there "./$path" || [ "$path" = .git ] || [ -e "$copy/names/$path" ]; then continue; fi
  take_away "$path" || exit
done
# put FILE INTO: by a rename, so that it says the one thing or the other.
put() { cp -p "$1" "$2.put" && mv -f "$2.put" "$2"; }
rm -f .git/unfinished
if [ -d "$copy/git" ]; then
  (cd "$copy/git" && find . -type f) | while IFS= read -r kept; do
    mkdir -p ".git/${kept%/*}" && put "$copy/git/$kept" ".git/$kept" || exit
  done || exit
fi
notes='filled overwritten takes unpacked'
# As soon as it is there, nothing was ever changed.
[ "$with_record" = no ] || notes="$notes record"
for note in $notes; do
  eval "file=\$$note"
  if [ -f "$copy/notes/$note" ]; then put "$copy/notes/$note" "$file"; else rm -f "$file"; fi || exit
done
rm -rf "$out" "$copy"
[ "$with_record" = no ] || rm -rf "$copies"/*.begun
rmdir "$copies" "${copies%/*}" 2>/dev/null || true
