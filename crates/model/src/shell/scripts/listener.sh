# Reports whose unit listens where the app is to listen, if that is written down. POSIX sh.
#
# `fact` and `record` stand before this text, and `place`, in words; what `ss` is asked for are its arguments. Only its own user
# sees which process listens; the kernel tells everybody its control group, at a port.

look_at_listener() {
  command -v ss >/dev/null || return 0
  line=$(ss -H -l -n -p "$@" 2>/dev/null) || return 0
  group=
  case $line in
    *,pid=*)
      pid=${line#*,pid=}
      while IFS= read -r of; do group=${of##*:}; done 2>/dev/null <"/proc/${pid%%,*}/cgroup"
      ;;
    # Which one, not everybody may find by its number in this way.
    *' cgroup:unreachable:'*)
      number=${line#* cgroup:unreachable:}
      group=$(find /sys/fs/cgroup -xdev -maxdepth 8 -inum "$((0x${number%% *}))" -print -quit 2>/dev/null)
      ;;
    *' cgroup:'*)
      group=${line#* cgroup:}
      group=${group%% *}
      ;;
  esac
  unit=${group##*/}
  case $unit in *.service) ;; *) return 0 ;; esac
  for file in "/etc/systemd/system/$unit" "/etc/systemd/system/${unit%%@*}@.service" "/run/systemd/generator.late/$unit"; do
    [ -r "$file" ] || continue
    where=
    while IFS= read -r line; do
      case $line in
        '# buedafab keeps this for '*)
          fact listener "$place
$unit"
          fact listener_owner "${line#\# buedafab keeps this for }"
          return
          ;;
        WorkingDirectory=/*) where=${line#*=} ;;
      esac
    done <"$file"
    # The units of many apps work in the folder of a release, and say so.
    while [ -n "$where" ]; do
      if [ -f "$where/.buedafab/owner.json" ]; then
        fact listener "$place
$unit"
        record listener_owner "$where/.buedafab/owner.json"
        return
      fi
      where=${where%/*}
    done
    return
  done
}
look_at_listener "$@"
