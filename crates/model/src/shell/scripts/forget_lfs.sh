# Defines `forget_lfs OLD NEW`, which makes the files of the repository in which it is called what they are as committed, where Git LFS kept
# their content for the release before, by the list OLD, and doesn't for this one, by the list NEW; and `attributes_of LIST FILE`, which
# puts what git is to know of such files into its own list of attributes. POSIX sh.

attributes_of() {
  # A pattern means one path and nothing else.
  {
    [ ! -f "$2" ] || grep -v ' filter=buedafab-lfs$' "$2"
    sed -e 's/^[0-9a-f]* [0-9]* //' -e 's/[*?[\\]/\\&/g' -e 's/[\\"]/\\&/g' -e 's,.*,"/&" filter=buedafab-lfs,' "$1"
  } >"$2.new"
  mv -f "$2.new" "$2"
}

forget_lfs() {
  # But for what is left out.
  git ls-files -t -z | tr '\0' '\n' | sed -n 's/^H //p' | awk '
    FILENAME == "-" { tracked[$0] = 1; next }
    { path = substr($0, length($1 $2) + 3) }
    FILENAME == ARGV[2] { kept[path] = 1; next }
    path in tracked && !(path in kept) { print path }' - "$2" "$1" | tr '\n' '\0' >"$1.forgotten"
  [ ! -s "$1.forgotten" ] || { xargs -0 rm -f -- <"$1.forgotten" && git checkout-index -z --stdin -f -u <"$1.forgotten"; } || return
  rm -f "$1.forgotten"
}
