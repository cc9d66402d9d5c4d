# Defines how a clone gets a commit from a slot beside it or from the git remote, for `fetch`. Expects `partial`, yes where a new clone
# is to hold only what releases take. POSIX sh.

suspect=

is_there() { holds "$1" "$commit"; }

begin() { git clone --quiet --origin origin --no-local ${partial:+--filter=blob:none} --no-checkout -- "$url" "$slot.new"; }

# A clone that holds only what releases took gets what this one takes, and by few requests: git by itself asks for each file alone. It
# knows where from only by the remote's name.
bring_part() {
  git -C "$1" remote set-url origin "$url" &&
    git -C "$1" -c gc.auto=0 -c maintenance.auto=false fetch --quiet --force --prune --tags --no-recurse-submodules origin '+refs/heads/*:refs/remotes/origin/*' || return
  has "$1" || git -C "$1" fetch --quiet --no-recurse-submodules origin "$commit"
  has "$1" || return 0
  missing "$1" "$commit" | xargs -r -n 500 git -C "$1" fetch --quiet --no-tags --no-recurse-submodules --filter=blob:none origin
}

# Objects come as a stream that git checks, so that no damage comes along. Submodules are fetched when their addresses are known.
bring() {
  into=$1
  shift
  for sibling; do
    if is_partial "$into" || lacks "$sibling" || is_partial "$sibling" || ! has "$sibling"; then continue; fi
    git -C "$into" fetch --quiet --prune --no-recurse-submodules --upload-pack "$serve" "$sibling" HEAD '+refs/remotes/origin/*:refs/remotes/origin/*' 2>/dev/null &&
      holds "$into" "$commit" && return
  done
  if is_partial "$into"; then
    bring_part "$into" || return
  else
    git -C "$into" -c gc.auto=0 -c maintenance.auto=false fetch --quiet --force --prune --tags --no-recurse-submodules -- "$url" '+refs/heads/*:refs/remotes/origin/*' || return
    ! holds "$into" "$commit" || return 0
    has "$into" || git -C "$into" fetch --quiet --no-recurse-submodules -- "$url" "$commit"
  fi
  ! holds "$into" "$commit" || return 0
  has "$into" || echo "the commit $commit isn't on $url" >&2
  return 1
}
