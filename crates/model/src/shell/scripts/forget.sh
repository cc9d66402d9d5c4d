# Takes away what no release needs any more. POSIX sh.
#
# Assignments stand before this text: kept, the folder of what is kept of releases; commit, of the one that is made now; slots,
# the folder of the slots' records; packages, that of private packages.

# A release that no slot holds, or could be rolled back to.
forget_releases() {
  for old in "$kept"/*/; do
    old=${old%/}
    [ "${old##*/}" = "$commit" ] || grep -qsF -e "${old##*/}" "$slots"/*.json || rm -rf "$old"
  done
}

# A package that no release names.
forget_packages() {
  for old in "$packages"/*/; do
    old=${old%/}
    grep -qsF -e "${old##*/}" "$kept"/*/packages || rm -rf "$old"
  done
}
