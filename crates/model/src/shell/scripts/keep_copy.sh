# Keeps a copy of all that a slot holds, and of what is noted about it, beside the slots: the way back to what serves, where another
# release takes its place. POSIX sh.
#
# Assignments stand before this text: name and slot, the slot's name and folder; copies, the folder of its copies; commit, what it holds;
# record, filled, overwritten, takes and unpacked, the files of what is noted. `no_mount_in` is defined.
#
# A copy is a folder: tree, all that lies in the slot but git's own; names, an empty file for each of that; git, the few files that say
# what is checked out; notes. Objects stay where they are.

copy=$copies/$commit

keep_git() {
  # What submodules have checked out, too.
  {
    printf '%s\n' .git/HEAD .git/index
    [ ! -d .git/modules ] || find .git/modules -type d \( -name objects -o -name refs -o -name logs \) -prune -o -type f \( -name HEAD -o -name index \) -print
  } | while IFS= read -r kept; do
    [ -f "$kept" ] || continue
    mkdir -p "$copy.new/${kept%/*}" && cp -p "$kept" "$copy.new/$kept" || exit
  done && { [ ! -d "$copy.new/.git" ] || mv "$copy.new/.git" "$copy.new/git"; }
}

make_copy() {
  rm -rf "$copy.new" && mkdir -p "$copy.new/tree" "$copy.new/names" "$copy.new/notes" || return
  set --
  for path in * .[!.]* ..?*; do
    if [ "$path" = .git ] || ! { [ -e "$path" ] || [ -L "$path" ]; }; then continue; fi
    set -- "$@" "./$path"
    : >"$copy.new/names/$path" || return
  done
  [ $# = 0 ] || cp -RPp "$@" "$copy.new/tree/" || return
  keep_git || return
  for note in record filled overwritten takes unpacked; do
    eval "file=\$$note"
    [ ! -f "$file" ] || cp -p "$file" "$copy.new/notes/$note" || return
  done
  # A host that loses its power has to find all of it.
  sync -f "$copy.new" 2>/dev/null || sync
}

no_mount_in "$slot" && cd "$slot" || exit
# The app runs, and may take a file away just then.
said=$(make_copy 2>&1) || said=$(make_copy 2>&1) || {
  rm -rf "$copy.new"
  printf '%s\n' "$said" >&2
  echo "no copy of $name can be kept, so what serves there stays" >&2
  exit 1
}
rm -rf "$copy" "$copy.begun" && mv "$copy.new" "$copy"
