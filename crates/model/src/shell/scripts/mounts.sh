# Defines `no_mount_in FOLDER`, which fails, and says so, where something is mounted on this folder or in it: what is removed there
# is removed from another file system, or from a folder that the app shares with somebody. POSIX sh.

no_mount_in() {
  [ -r /proc/self/mountinfo ] && [ -d "$1" ] || return 0
  real=$(cd -P "$1" && pwd) || return
  while read -r _ _ _ _ mounted _; do
    # The kernel writes blanks and backslashes in octal.
    case $mounted in *\\*) mounted=$(printf '%b' "$(printf '%s' "$mounted" | sed 's/\\/\\0/g')") ;; esac
    case $mounted in
      "$real" | "$real"/*)
        echo "something is mounted on $mounted, and nothing is removed through a mount: unmount it there, and share it by shared_dirs" >&2
        return 1
        ;;
    esac
  done </proc/self/mountinfo
}
