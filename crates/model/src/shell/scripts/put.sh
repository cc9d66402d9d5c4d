# Takes a file from standard input and puts it in its place, whole or not at all. POSIX sh.
#
# Assignments stand before this text: place, where it goes, or a folder that it goes into; file, its name; sha256, its check
# sum; mode, its permissions.

[ ! -d "$place" ] || place=${place%/}/$file
folder=${place%/*}
if [ ! -d "${folder:-/}" ]; then
  echo "there is no folder $folder: make it first, say by \`run -- mkdir -p $folder\`" >&2
  exit 1
fi
if [ -d "$place" ]; then
  echo "$place is a folder" >&2
  exit 1
fi
new=$place.buedafab-new
cat >"$new" || {
  rm -f "$new"
  exit 1
}
sum=$(sha256sum <"$new")
if [ "${sum%% *}" != "$sha256" ]; then
  rm -f "$new"
  echo "$file arrived damaged, or there was no room for all of it: its check sum is ${sum%% *} instead of $sha256" >&2
  exit 1
fi
chmod "$mode" "$new" && mv -f "$new" "$place" && echo "$place"
