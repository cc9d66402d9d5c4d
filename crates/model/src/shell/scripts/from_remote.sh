# Defines how a clone gets a commit from a slot beside it or from the git remote, for `fetch`. POSIX sh.

suspect=

is_there() { holds "$1" "$commit"; }

begin() { git clone --quiet --origin origin --no-local --no-checkout -- "$url" "$slot.new"; }

# Objects come as a stream that git checks, so that no damage comes along. Submodules are fetched when their addresses are known.
bring() {
  into=$1
  shift
  for sibling; do
    if lacks "$sibling" || ! has "$sibling"; then continue; fi
    git -C "$into" fetch --quiet --prune --no-recurse-submodules --upload-pack "$serve" "$sibling" HEAD '+refs/remotes/origin/*:refs/remotes/origin/*' 2>/dev/null &&
      holds "$into" "$commit" && return
  done
  git -C "$into" -c gc.auto=0 -c maintenance.auto=false fetch --quiet --force --prune --tags --no-recurse-submodules -- "$url" '+refs/heads/*:refs/remotes/origin/*' || return
  ! holds "$into" "$commit" || return 0
  has "$into" || git -C "$into" fetch --quiet --no-recurse-submodules -- "$url" "$commit"
  ! holds "$into" "$commit" || return 0
  has "$into" || echo "the commit $commit isn't on $url" >&2
  return 1
}
