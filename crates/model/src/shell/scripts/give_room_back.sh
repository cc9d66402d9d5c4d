# Gives back what a release takes of a full disk that a run couldn't make ready there. POSIX sh.
#
# Assignments stand before this text: name, the slot's, and slot, its folder; link, the one that decides what is live; record,
# filled, overwritten, takes and unpacked, the slot's files; state, the folder that they lie in; run, the one that couldn't; packages, the
# folder of private packages, and cache, that of uv's downloads. Functions too: no_mount_in, keep_reserve, and write_failed,
# which writes down that the slot holds nothing. Packages that came for this release alone are the arguments.

# Only what this run has begun there, and hasn't ended.
{ IFS= read -r line <"$record"; } 2>/dev/null || exit 0
case $line in *'"state":"building"'*) ;; *) exit 0 ;; esac
case $line in *"\"run\":\"$run\""*) ;; *) exit 0 ;; esac
# Every shell of the tests has these two.
# shellcheck disable=SC3013
[ ! "$link/." -ef "$slot/." ] || exit 0

# What is free now: KiB, inodes, and all inodes, if they are counted.
look() {
  # shellcheck disable=SC2046
  set -- $(stat -f -c '%a %S %d %c' -- "$state")
  free_kib=$(($1 * $2 / 1024)) free_inodes=$3 all_inodes=$4
}
# By trying, since a quota is no less full than a disk.
is_short() {
  look
  [ "$all_inodes" = 0 ] || [ "$free_inodes" -ge 64 ] || return 0
  dd if=/dev/urandom of="$state/probe" bs=65536 count=16 2>/dev/null
  status=$?
  rm -f "$state/probe"
  [ "$status" != 0 ]
}
is_short || exit 0

rm -rf "$slot.new" "$unpacked.new"
# shellcheck disable=SC3013
if [ -e "$overwritten" ] && { [ ! -e "$filled" ] || [ "$overwritten" -nt "$filled" ]; }; then
  # All in it is this run's, or of a commit.
  no_mount_in "$slot" && rm -rf "$slot" || exit
  rm -f "$filled" "$overwritten" "$takes" "$unpacked"
else
  # It is as it was, but for what git had begun to take in.
  for file in "$slot"/.git/objects/tmp_* "$slot"/.git/objects/??/tmp_* "$slot"/.git/objects/pack/tmp_*; do
    [ ! -f "$file" ] || rm -f "$file"
  done
fi
for package; do
  rm -f "$packages/$package" && rmdir "$packages/${package%/*}"
done 2>/dev/null
# It can all be had again, and nothing else of ours can.
! is_short || rm -rf "$cache"
write_failed || exit
keep_reserve 2>/dev/null
look
echo "there was no room for the release: what slot $name held of it was removed, and $((free_kib / 1024)) MiB are free now"
