# Takes the archive of a release from standard input, whole or not at all, and writes down what it is. What comes is its check sum, a
# line of its own, and then the file. The sum is that of what is packed: versions of gzip pack differently. POSIX sh.
#
# Assignments stand before this text: packages, the folder of all of them; file, its name there; note, where what it is is written.
# `take` and `replace` are defined.

IFS= read -r sha256 || {
  echo "$file didn't arrive" >&2
  exit 1
}
mkdir -p "$packages" "${note%/*}" || exit
new=$packages/.$file.new
packed=yes
take "$new"
mv -f "$new" "$packages/$file" && echo "$sha256 $file" | replace "$note"
