# Takes a private package from standard input, whole or not at all. POSIX sh.
#
# Assignments stand before this text: packages, the folder of all of them; key and file, its folder there and its name; sha256,
# its check sum. `take` is defined.

mkdir -p "$packages/$key" || exit
new=$packages/$key/.new
take "$new"
mv -f "$new" "$packages/$key/$file"
