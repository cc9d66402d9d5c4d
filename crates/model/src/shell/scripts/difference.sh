# Defines `difference FOLDER`, which prints the check sum of all in which the files of a release differ from its commit, and
# `is_as_built FOLDER FILE`: whether they differ in just what its own build has changed, as the file says. POSIX sh.

# No setting of whoever deploys makes a difference.
difference() {
  git -C "$1" diff --no-ext-diff --no-textconv --no-color --no-renames --binary --full-index --diff-algorithm=myers --unified=0 \
    --inter-hunk-context=0 --src-prefix=a/ --dst-prefix=b/ --ignore-submodules=untracked --submodule=diff HEAD -- | cksum
}

is_as_built() { [ -s "$2" ] && [ "$(difference "$1" 2>/dev/null)" = "$(cat "$2" 2>/dev/null)" ]; }
