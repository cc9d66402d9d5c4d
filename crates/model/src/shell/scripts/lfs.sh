# Puts contents in the places of the pointers of Git LFS in a slot and its submodules, and writes down what they are, so that they are kept
# for as long as the release. POSIX sh.
#
# Assignments stand before this text: slot; store; note, the file of the release in which that is written; hint, what a person should know
# where one can't be had; whole, the file by which all of a release is asked for the next time, or nothing. `place_lfs`, `replace` and what
# they need are defined.

mkdir -p "$store/objects" && cd "$slot" || exit
taken=$store/taken
rm -f "$taken" && (set -C && : >"$taken") || exit
place_all() {
  prefix=
  place_lfs || return
  [ -f .gitmodules ] || return 0
  # shellcheck disable=SC2016
  git submodule --quiet foreach --recursive 'printf "%s\n" "$displaypath"' >"$store/submodules" || return
  while IFS= read -r submodule; do
    (cd "$submodule" && prefix=$submodule/ && place_lfs) || return
  done <"$store/submodules"
}
place_all || {
  [ -z "$whole" ] || : >"$whole"
  echo "$hint" >&2
  exit 1
}
mkdir -p "${note%/*}" && sort -u "$taken" | replace "$note" || exit
rm -f "$taken" "$store/submodules"
