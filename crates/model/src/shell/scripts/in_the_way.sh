# Defines `in_the_way FOLDER…`, which prints the first path in these folders that whoever runs this can't remove or write; `owner_of PATH`; and
# `tell_what_is_in_the_way FOLDER`, which says so with the command that mends it. POSIX sh.
#
# Where a folder can be written, files of others in it can be removed; so only folders count, and the few files that git writes to.
# One's own that can't be written is immutable. Some hosts have a `find` that can't ask the kernel: it knows owners and modes.

in_the_way() {
  me=$(id -u)
  if [ "$me" = 0 ]; then
    find "$@" -xdev ! -type l ! -writable -print -quit 2>/dev/null
    return
  fi
  if ! found=$(find "$@" -xdev ! -type l ! -writable \( -user "$me" -perm -200 -o ! -user "$me" \( -type d ! -empty -o -name FETCH_HEAD -o -path '*/.git/logs/*' \) \) -print -quit 2>/dev/null) && [ -z "$found" ]; then
    groups=
    for group in $(id -G); do groups="$groups${groups:+ -o} -group $group"; done
    found=$(find "$@" -xdev -type d ! -user "$me" ! -perm -2 ! \( -perm -20 \( $groups \) \) 2>/dev/null | head -n 1)
  fi
  [ -z "$found" ] || printf '%s\n' "$found"
}

# Whose a path is; by its number, where nobody has that.
owner_of() {
  case $(stat -c %U -- "$1") in
    UNKNOWN) stat -c %u -- "$1" ;;
    *) stat -c %U -- "$1" ;;
  esac
}

tell_what_is_in_the_way() {
  me=$(id -u)
  stuck=$(in_the_way "$1")
  mend='sudo chattr -R -i'
  if [ -z "$stuck" ]; then
    # Another's, in a folder that can be written.
    stuck=$(lsattr -Ra "$1" 2>/dev/null | sed -n '/^[-A-Za-z]*[ia][-A-Za-z]* *\//{s/^[^ ]* *//p;q;}')
    [ -n "$stuck" ] || return 0
    echo "$stuck is immutable: on this host, $mend $1" >&2
  elif [ "$me" = 0 ] || [ "$(stat -c %u -- "$stuck")" = "$me" ]; then
    # Whole file systems can be so, too.
    case $(lsattr -d "$stuck" 2>/dev/null) in
      [!/]*[ia]*' /'*) echo "$stuck is immutable: on this host, $mend $1" >&2 ;;
      *) echo "$stuck can't be written, not even by its owner: is its file system read-only?" >&2 ;;
    esac
  else
    echo "$stuck belongs to $(owner_of "$stuck"): on this host, sudo chown -R $(id -un) $1" >&2
  fi
}
