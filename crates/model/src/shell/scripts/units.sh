# Reports what runs of the app, and from which slots. POSIX sh.
#
# `fact`, `record`, `path`, `releases` and `link`, the one that decides what is live, stand before this text; services are its arguments: units of
# systemd, `NAME@*` where each slot has its own, `user/NAME` for those
# of the user's own, and `supervisor/NAME`, `runit/NAME`, `init/NAME`. What the user may not see of a process isn't
# there.

# Its times are those of the host's own zone otherwise.
ask_manager() {
  LC_ALL=C TZ=UTC "$@" 2>/dev/null
}
properties=Id,LoadState,ActiveState,SubState,Result,Type,MainPID,NRestarts,ControlGroup,ActiveEnterTimestamp,WorkingDirectory
ask_units() {
  for unit; do
    shift
    case $unit in */*) ;; *) set -- "$@" "$unit" ;; esac
  done
  [ $# != 0 ] || return 0
  ask_manager systemctl show --property "$properties" "$@" && return
  # What sudo doesn't allow would be reported to root.
  sudo -n -l systemctl show --property "$properties" "$@" >/dev/null 2>&1 &&
    ask_manager sudo -n systemctl show --property "$properties" "$@"
}
ask_own_units() {
  for unit; do
    shift
    case $unit in user/*) set -- "$@" "${unit#user/}" ;; esac
  done
  [ $# != 0 ] || return 0
  echo
  # What a session doesn't say that came about without PAM.
  XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}" ask_manager systemctl --user show --property "$properties" "$@"
}
# Of what each slot has its own: the live one by its name, whether it is there or not, and all that are.
live=$(readlink "$link" 2>/dev/null)
live=${live##*/}
instances=
for unit; do
  case $unit in
    *@\*)
      shift
      instances="$instances${unit%\*}
"
      [ -z "$live" ] || set -- "$@" "${unit%\*}$live.service"
      set -- "$@" "$unit.service"
      ;;
    *)
      shift
      set -- "$@" "$unit"
      ;;
  esac
done
shown=$(ask_units "$@"; ask_own_units "$@")
fact units "$shown"
[ -z "$instances" ] || fact instances "$instances"

folders='' maps=''
look_at_process() {
  fact process "$1 $2"
  folders="$folders /proc/$1/cwd"
  # Others' can't be opened, and some awks end at the first such file.
  if true 2>/dev/null <"/proc/$1/maps"; then maps="$maps /proc/$1/maps"; fi
}

# A process that another manager than systemd has started, and all that comes from it.
look_at_family() {
  look_at_process "$1" "$2"
  children=
  read -r children 2>/dev/null <"/proc/$1/task/$1/children"
  for child in $children; do look_at_family "$child" "$2"; done
}

# Other managers: what they say of a service, and the process that they started.
ask_root() {
  "$@" 2>/dev/null
  sudo -n -l "$@" >/dev/null 2>&1 && sudo -n "$@" 2>/dev/null
}
look_at_service() {
  name=${1#*/} state='' pid=''
  case $1 in
    supervisor/*)
      while IFS= read -r line; do
        case $line in
          "$name "*)
            read -r state line <<EOF
${line#"$name"}
EOF
            case $line in *'pid '*) pid=${line#*pid } ;; esac
            pid=${pid%%,*}
            ;;
        esac
      done <<EOF
$(ask_root supervisorctl status "$name")
EOF
      ;;
    runit/*)
      said=$(ask_root sv status "$name")
      case $said in
        *'run: '*'(pid '[0-9]*)
          state=RUNNING
          pid=${said#*"(pid "}
          pid=${pid%%)*}
          ;;
        *'down: '*) state=down ;;
      esac
      ;;
    # An init script says where its process is in a file that is called like it. The program's own takes that away when it
    # stops it; one that a template made, as any other, may keep it elsewhere.
    init/*)
      if read -r pid 2>/dev/null <"/run/$name.pid"; then
        if [ -d "/proc/$pid" ]; then state=RUNNING; else state=dead; fi
      elif [ -r "/etc/init.d/$name" ] && grep -q '^# .*, written by buedafab: ' "/etc/init.d/$name"; then
        state=stopped
      fi
      ;;
  esac
  [ -n "$state" ] || return 0
  case $pid in '' | *[!0-9]*) pid= ;; esac
  since=
  [ -z "$pid" ] || since=$(stat -c %Y "/proc/$pid" 2>/dev/null)
  fact service "$1
$state
$pid
$since"
  [ -z "$since" ] || look_at_family "$pid" "$1"
}
for unit; do
  case $unit in user/*) ;; */*) look_at_service "$unit" ;; esac
done

# Whether a unit works for another app, or for this one in another environment.
look_where() {
  # `~` is a home.
  case $2 in /*) above=$2 ;; *) return ;; esac
  # shellcheck disable=SC3013
  while [ -n "$above" ] && ! [ "$above" -ef "$path" ]; do
    if [ -d "$above/.buedafab" ]; then
      fact elsewhere "$1
$above"
      record owner_elsewhere "$above/.buedafab/owner.json"
      return
    fi
    above=${above%/*}
  done
}
unit='' where=''
while IFS='=' read -r key value; do
  case $key in
    Id) unit=$value ;;
    WorkingDirectory) where=${value#!} ;;
    '')
      look_where "$unit" "${where%/}"
      unit='' where=''
      ;;
  esac
done <<EOF
$shown
EOF
look_where "$unit" "${where%/}"
groups=$(printf '%s\n' "$shown" | sed -n 's/^ControlGroup=\(.\)/\1/p')
while IFS= read -r group; do
  [ -n "$group" ] || continue
  for root in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -r "$root$group/cgroup.procs" ] || continue
    # Services that divide themselves up have groups below their own.
    for file in "$root$group"/cgroup.procs "$root$group"/*/cgroup.procs; do
      [ -r "$file" ] || continue
      while read -r pid; do look_at_process "$pid" "$group"; done <"$file"
    done
    break
  done
done <<EOF
$groups
EOF
# Where the files lie that a process has in memory, and the folder that it works in: as the kernel has it, which knows no link.
[ -z "$folders" ] || releases=$(cd -P "$releases" 2>/dev/null && pwd -P)
fact releases "$releases"
if [ -n "$maps" ]; then
  export releases
  fact mapped "$(awk '
    { at = index($0, ENVIRON["releases"] "/") }
    at { rest = substr($0, at + length(ENVIRON["releases"]) + 1); sub("/.*", "", rest); key = FILENAME " " rest }
    at && !(key in seen) { seen[key]; print key }' $maps 2>/dev/null)"
fi
if [ -n "$folders" ]; then
  # shellcheck disable=SC2012
  fact folders "$(ls -ld $folders 2>/dev/null | sed -n 's,.* \(/proc/[0-9]*/cwd\) -> ,\1 ,p')"
fi
