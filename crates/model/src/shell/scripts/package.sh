# Takes a private package from standard input, whole or not at all. POSIX sh.
#
# Assignments stand before this text: packages, the folder of all of them; key and file, its folder there and its name; sha256,
# its check sum.

mkdir -p "$packages/$key" || exit
new=$packages/$key/.new
cat >"$new" || {
  rm -f "$new"
  exit 1
}
sum=$(sha256sum <"$new")
if [ "${sum%% *}" != "$sha256" ]; then
  rm -f "$new"
  echo "$file arrived damaged, or there was no room for all of it in ${XDG_RUNTIME_DIR:-/dev/shm}: its check sum is ${sum%% *} instead of $sha256" >&2
  exit 1
fi
mv -f "$new" "$packages/$key/$file"
