# Has git check out only a part of the project in the slot in which it runs: the folders in `only`, words for eval, and what stands at the
# root or in folders above them, as the patterns in `patterns` say; or all of it, where `only` is empty. `checked_out` is called when that
# is done. `left_out` and `skip_left_out` are defined. POSIX sh.

sparse=.git/info/sparse-checkout
if [ -n "$patterns" ]; then
  mkdir -p .git/info && printf '%s' "$patterns" >"$sparse" && git config core.sparseCheckout true || exit
  eval "set -- $only"
  for folder; do printf '%s\n' "$folder"; done >.git/buedafab-part || exit
elif [ -f "$sparse" ]; then
  # Git forgets what it left out when all of it is wanted.
  echo '/*' >"$sparse" && git config core.sparseCheckout true || exit
fi

checked_out() {
  if [ -z "$patterns" ]; then
    [ ! -f "$sparse" ] || { git config --unset core.sparseCheckout && rm -f "$sparse" .git/buedafab-part; } || exit
    return 0
  fi
  # Git leaves what lies there that it never checked out itself, as what came as an archive.
  left_out | while read -r mode path; do
    if [ "$mode" != 160000 ] && { [ -e "./$path" ] || [ -L "./$path" ]; }; then printf '%s\n' "$path"; fi
  done >.git/buedafab-stays
  if [ -s .git/buedafab-stays ]; then
    tr '\n' '\0' <.git/buedafab-stays | xargs -0 rm -rf -- && skip_left_out || exit
    sed -n 's,/[^/]*$,,p' .git/buedafab-stays | sort -u | tr '\n' '\0' | xargs -0 rmdir -p -- 2>/dev/null || :
  fi
  rm -f .git/buedafab-stays
  eval "set -- $only"
  for folder; do
    if [ ! -d "$folder" ]; then
      echo "there is no folder $folder in this release: \`subdir\` or \`sparse_checkout\` names it" >&2
      exit 1
    fi
  done
}
