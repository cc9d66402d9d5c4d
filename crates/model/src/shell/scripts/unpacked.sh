# Defines what is known of a release that was unpacked, by the list of its files that its slot's notes have: the commit, and then
# `sha256sum`'s line of each file, `link PATH -> TARGET` of each link, `exec PATH` of each program, and `end`. POSIX sh.
#
# `changed_since LIST` prints, of the folder that it is called in, what is changed ` M PATH` and what is gone ` D PATH`, as git would;
# it fails where that can't be said. `make_list COMMIT` prints a list. `listed LIST` prints the paths in it.

make_list() {
  echo "$1"
  find . -type f -exec sha256sum {} + || return
  find . -type l -exec sh -c 'for path; do printf "link %s -> %s\n" "$path" "$(readlink "$path")"; done' sh {} + || return
  find . -type f -perm -100 | sed 's/^/exec /'
  echo end
}

is_sum='^\\\{0,1\}[0-9a-f]\{64\}  '

listed() { sed -n -e "s/$is_sum\.\///p" -e 's/^link \.\/\(.*\) -> .*/\1/p' "$1"; }

changed_since() {
  # After a power cut it may be empty, full of zeroes, or cut.
  head=
  IFS= read -r head <"$1"
  case $head in '' | *[!0-9a-f]*) return 2 ;; esac
  wanted=$(grep -c "$is_sum" "$1")
  said=
  if [ "$wanted" != 0 ]; then
    said=$(sed -n "/$is_sum/p" "$1" | LC_ALL=C sha256sum -c 2>/dev/null)
    [ "$(printf '%s\n' "$said" | wc -l)" -eq "$wanted" ] || return 2
  fi
  printf '%s\n' "$said" | sed -n -e 's/^\\\{0,1\}\.\/\(.*\): FAILED\( open or read\)\{0,1\}$/\1/p' | while IFS= read -r path; do
    if [ -e "./$path" ]; then printf ' M %s\n' "$path"; else printf ' D %s\n' "$path"; fi
  done
  is_whole_list=
  while IFS= read -r line; do
    case $line in
      'link ./'*)
        path=${line#link ./}
        path=${path%% -> *}
        if [ ! -L "./$path" ] && [ ! -e "./$path" ]; then
          printf ' D %s\n' "$path"
        elif [ "$line" != "link ./$path -> $(readlink "./$path")" ]; then
          printf ' M %s\n' "$path"
        fi
        ;;
      'exec ./'*)
        path=${line#exec ./}
        [ ! -f "./$path" ] || [ -x "./$path" ] || printf ' M %s\n' "$path"
        ;;
      end) is_whole_list=yes ;;
    esac
  done <"$1"
  [ -n "$is_whole_list" ]
}
