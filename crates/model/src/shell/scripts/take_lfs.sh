# Takes contents for the store from standard input: a tar archive of files that are called by their check sums. POSIX sh.
#
# Assignments stand before this text: store; file and sha256, as `take` expects them, which is defined.

sent=$store/sent
rm -rf "$sent" && mkdir -p "$sent" || exit
trap 'rm -rf "$sent"' EXIT
take "$sent/tar"
mkdir "$sent/new" && tar -xf "$sent/tar" -C "$sent/new" && rm -f "$sent/tar" || exit
for content in "$sent/new"/*; do
  sum=${content##*/}
  found=$(sha256sum <"$content")
  # What is missed later is asked for again.
  [ "${found%% *}" = "$sum" ] || continue
  kept_at "$sum"
  mkdir -p "${kept%/*}" && mv -f "$content" "$kept" || exit
done
