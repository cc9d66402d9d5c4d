# Defines `difference FOLDER`, which prints the check sum of all in which the files of a release differ from its commit,
# `is_as_built FOLDER FILE`: whether they differ in just what its own build has changed, as the file says, and `is_unchanged FOLDER`,
# which ends with 0 where they don't differ at all, with 1 where they do, and with more where nobody can say. Where the file `unpacked`
# is there, the release came as an archive, and that is the list of its files: git has no part in it. `changed_since` is defined.
# POSIX sh.

# No setting of whoever deploys makes a difference.
difference() {
  if [ -f "$unpacked" ]; then
    (
      cd "$1" && changed=$(changed_since "$unpacked") || exit
      printf '%s\n' "$changed"
      printf '%s\n' "$changed" | sed -n 's/^ M //p' | while IFS= read -r path; do
        if [ -L "./$path" ]; then readlink "./$path"; else sha256sum <"./$path"; fi
      done
    ) | cksum
    return
  fi
  git -C "$1" diff --no-ext-diff --no-textconv --no-color --no-renames --binary --full-index --diff-algorithm=myers --unified=0 \
    --inter-hunk-context=0 --src-prefix=a/ --dst-prefix=b/ --ignore-submodules=untracked --submodule=diff HEAD -- | cksum
}

is_as_built() { [ -s "$2" ] && [ "$(difference "$1" 2>/dev/null)" = "$(cat "$2" 2>/dev/null)" ]; }

is_unchanged() {
  if [ -f "$unpacked" ]; then
    changed=$(cd "$1" && changed_since "$unpacked") || return 2
    [ -z "$changed" ]
    return
  fi
  git -C "$1" diff --quiet --ignore-submodules=untracked HEAD -- 2>/dev/null
}
