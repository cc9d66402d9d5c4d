# Makes the files of a slot those of an archive and nothing else, but for what is in `left`: the virtualenv and what is shared. All of it is
# unpacked beside the slot first, so that a full disk or a bad archive leaves the slot as it is. POSIX sh.
#
# Assignments stand before this text: name and slot, the slot's name and folder; commit; archive, the file; note, what says what it is;
# unpacked, the list of the slot's files; filled and overwritten, its other notes; aside, where what may be nowhere else is kept;
# changes, a file for what git knows of that; left, words quoted for eval. Functions too: no_mount_in, refuse_unsafe, make_list,
# keep_changes and what it needs, has_own_work, tell_what_is_in_the_way.

sum=
[ ! -f "$note" ] || read -r sum _ <"$note"
if [ ! -f "$archive" ]; then
  echo "$archive isn't there any more: the next deploy sends it again" >&2
  exit 1
fi
found=$(gzip -dc <"$archive" 2>/dev/null | sha256sum)
if [ "${found%% *}" != "$sum" ]; then
  rm -f "$archive"
  echo "$archive is damaged, so it was removed: the next deploy sends it again" >&2
  exit 1
fi
# It is only called by its name.
# shellcheck disable=SC2094
gzip -dc <"$archive" | refuse_unsafe "$archive" || exit
no_mount_in "$slot" || exit
new=$slot.new
give_up() {
  rm -rf "$new" "$unpacked.new"
  exit 1
}
# Who is stopped leaves nothing of a release's size.
trap 'rm -rf "$new" "$unpacked.new"; exit 143' HUP INT TERM
rm -rf "$new" "$unpacked.new" && mkdir -p "$new" && cd "$new" || exit
gzip -dc <"$archive" | tar --no-same-owner --no-same-permissions -xmf - || give_up
if [ -n "$(find . -name '*
*')" ]; then
  echo "$archive holds a file with a line break in its name: take it out of the release" >&2
  give_up
fi
(set -C && make_list "$commit" >"$unpacked.new") || give_up
cd .. || exit

if [ -L "$slot" ]; then rm -f "$slot" || give_up; fi
if [ ! -d "$slot" ]; then
  mv "$new" "$slot" || give_up
else
  keep_changes
  everything=
  if [ -e "$slot/.git" ] || [ -L "$slot/.git" ]; then
    if [ ! -f "$unpacked" ] && [ -e "$filled" ]; then
      # It was filled by git, which may not be of any use here any more.
      is_unchanged "$slot"
      case $? in
        0) ;;
        1)
          if ! is_as_built "$slot" "$filled"; then
            git -C "$slot" diff --binary --submodule=diff HEAD -- >"$changes" || give_up
            echo "local changes of $name were kept in $changes"
          fi
          ;;
        *) everything=yes ;;
      esac
    fi
    if [ -n "$everything" ] || has_own_work "$slot"; then
      { mkdir -p "$aside" && mv "$slot/.git" "$aside/.git"; } || give_up
      echo "what git kept in $name before is kept in $aside/.git"
    fi
  fi
  # From here on nothing in it is anybody's but this run's.
  { true >"$overwritten" || { rm -f "$overwritten" && true >"$overwritten"; }; } 2>/dev/null
  rm -f "$unpacked" || give_up
  eval "set -- $left"
  # What is to stay may lie deeper down.
  clear_out() (
    within=$1
    shift
    for entry in "$slot/$within"* "$slot/$within".[!.]* "$slot/$within"..?*; do
      [ -e "$entry" ] || [ -L "$entry" ] || continue
      path=${entry#"$slot/"}
      what=goes
      for stays; do
        case $stays in "$path") what=stays && break ;; "$path"/*) what=splits ;; esac
      done
      if [ $what = splits ] && { [ ! -d "$entry" ] || [ -L "$entry" ]; }; then what=goes; fi
      case $what in
        stays) ;;
        splits) clear_out "$path/" "$@" || exit ;;
        goes)
          if [ -n "$everything" ]; then
            mkdir -p "$aside/$within" && mv "$entry" "$aside/$within" || exit
          else
            rm -rf "$entry" || exit
          fi
          ;;
      esac
    done
  )
  said=$(clear_out '' "$@" 2>&1) || {
    find "$slot" -xdev -type d -user "$(id -u)" ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null
    said=$(clear_out '' "$@" 2>&1)
  } || {
    printf '%s\n' "$said" >&2
    tell_what_is_in_the_way "$slot"
    give_up
  }
  [ -z "$everything" ] || echo "git can't say what somebody changed in $name, so all of it is kept in $aside"
  merge() (
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
      [ -e "$entry" ] || [ -L "$entry" ] || continue
      into=$2/${entry##*/}
      if [ -d "$entry" ] && [ ! -L "$entry" ] && [ -d "$into" ] && [ ! -L "$into" ]; then
        merge "$entry" "$into" || exit
      else
        # No link is followed that stood there.
        if [ -L "$into" ]; then rm -f "$into" || exit; fi
        mv -fT "$entry" "$into" || exit
      fi
    done
  )
  said=$(merge "$new" "$slot" 2>&1) || {
    printf '%s\n' "$said" >&2
    tell_what_is_in_the_way "$slot"
    give_up
  }
  rm -rf "$new"
fi
mv -f "$unpacked.new" "$unpacked"
