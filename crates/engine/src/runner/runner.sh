# The runner: the program at the far end of a connection. POSIX sh, and no tool that Debian and BusyBox lack.
#
# Assignments stand before this text: greeting; lost_after, confirm_timeout and step_timeout, in seconds; first_phase.
#
# It is three processes. The reader takes frames off standard input; the watcher counts the seconds in which none
# came; this shell runs phases, one after the other, and holds the lock. They meet in a queue (a FIFO) and in a
# folder of small files. What it says is marked with a nonce that no step knows to print. The greeting is known to
# whoever lists processes, and so it marks only the hello, in which the nonce is told:
#
#   RS greeting hello NONCE
#   RS nonce beat | start ID | end ID STATUS | answer yes|no | confirmed | done PHASE 0|1 | short FOLDER | bye
#
# A phase is shell text, made by the deployer, that calls the functions below.

say() { printf '\036%s %s\n' "$nonce" "$1"; }
say_both() { say "$1"; say "$1" >&2; }

# Drawn here, and kept in this shell alone: arguments, environments and files can be read by every step. A variable that
# came with the environment would go on into those of steps.
unset nonce
{ read -r nonce </proc/sys/kernel/random/uuid; } 2>/dev/null ||
  nonce=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
if [ -z "$nonce" ]; then
  echo "the runner can't draw a random number: neither /proc nor /dev/urandom can be read" >&2
  exit 69
fi
printf '\036%s hello %s\n' "$greeting" "$nonce"
printf '\036%s hello %s\n' "$greeting" "$nonce" >&2

# A line that is gone must not end the runner: it has a host to put right and a lock to let go in order. Handlers,
# not ignored signals, because children would inherit those.
survive() { trap : HUP INT PIPE; }
survive
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
agent=$SSH_AUTH_SOCK
unset SSH_AUTH_SOCK
exec 3<&0 </dev/null

# In memory where there is such a place: a full disk must still be looked at, and what is sent stays off it. A folder
# can be made where no file can be written any more.
room=
for place in "$XDG_RUNTIME_DIR" /dev/shm /tmp "$HOME"; do
  [ -n "$place" ] || continue
  room=$(umask 077 && mktemp -d "$place/buedafab.XXXXXXXXXX" 2>/dev/null) || continue
  echo 0 2>/dev/null >"$room/beat" && [ -s "$room/beat" ] && break
  rm -rf "$room"
  room=
done
if [ -z "$room" ] || ! mkfifo "$room/queue"; then
  echo "the runner found no folder to work in: /dev/shm, /tmp and \$HOME can't be written" >&2
  exit 69
fi
exec 4<>"$room/queue"
# The last phase that was cancelled, of those that came.
echo 0 >"$room/cancelled"
# What runs now, and whether it may be stopped: empty, `GROUP`, or `GROUP unstoppable`. The group is its first process's
# id as well, and the file names it until that process was waited for: so no stranger has its number. A quick step has no
# group: it is named by its own number, `quick.ID`.
: >"$room/group"
: >"$room/armed"
# Where the link has to lead, once it was switched; and the way back, for who takes over.
: >"$room/target"
: >"$room/way"
# Whether it hasn't begun to go back from there.
: >"$room/forward"
# Whether a quick step is being ended.
: >"$room/ending"

# What sudo asks, once its password was sent. Where nothing in memory may be executed, the helper lies in a home, and the
# password stays here.
askpass=
lend_sudo() {
  [ -z "$askpass" ] && [ -s "$room/sudo" ] || return 0
  for place in "$room" "$HOME" /tmp; do
    askpass=$(umask 077 && mktemp "$place/.buedafab.XXXXXXXXXX" 2>/dev/null) || continue
    # Once for each sudo: one that asks again was given the wrong one, and three wrong ones lock some accounts.
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nmkdir "%s/asked.$PPID" 2>/dev/null && exec cat "%s/sudo"\n' "$room" "$room" >"$askpass"
    chmod 700 "$askpass"
    [ ! -x "$askpass" ] || break
    rm -f "$askpass"
  done
  export SUDO_ASKPASS="$askpass" BUEDAFAB_SUDO=-A
}

# Ends the running step, if it may be stopped, without waiting for its end.
#
# A cancel may come in any instant of a step's start. Whoever wants it stopped first writes so, and then looks for a
# group; the main shell first writes the group, and then looks whether it is wanted stopped: one of them sees the other.
stop_step() {
  read -r group mode <"$room/group" || return 0
  [ -z "$mode" ] || return 0
  (
    survive
    exec >/dev/null 2>&1 3<&- 4>&- 9>&-
    end_group "$group"
  ) &
}

# Ends all that a quick step has started, down from the main shell's children: they have no group of their own. Whoever is
# told to end may leave children behind, so all are counted first; and a number that has another owner by then is left alone.
#
# The step may be over in any instant, and what comes next may be the way back. Whoever wants it ended first says so, and then
# looks whether it still runs; the main shell first says that it is over, and then waits for those who end it: one of them
# sees the other.
end_quick() {
  read -r self rest </proc/self/stat
  read -r ours <"$room/ours"
  below=
  echo yes >"$room/ending"
  if [ -s "$room/ending" ] && read -r group mode <"$room/group" && [ "$group" = "$1" ]; then
    list_below "$$"
    for process in $below; do kill -TERM "${process%:*}"; done
    sleep 1
    for process in $below; do
      started_at "${process%:*}"
      [ "$started" != "${process#*:}" ] || kill -KILL "${process%:*}"
    done
  fi
  : >"$room/ending"
}

# Adds to `below` all that comes from a process, each with the time of its start.
list_below() {
  # There is no newline at its end.
  children=
  read -r children <"/proc/$1/task/$1/children"
  for child in $children; do
    case " $ours $self " in
      *" $child "*) ;;
      *)
        started_at "$child"
        below="$below $child:$started"
        list_below "$child"
        ;;
    esac
  done
}

started_at() {
  started=gone
  read -r stat <"/proc/$1/stat" || return
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  started=${20}
}

# Ends a whole process group, politely for two seconds.
end_group() {
  case $1 in
    quick.*)
      end_quick "$1"
      return
      ;;
  esac
  # A step that has just begun has no group yet: `setsid` makes it in a moment, or its process ends without one.
  for try in 1 2 3 4 5 6 7 8 9 10; do
    ! kill -TERM "-$1" || break
    read -r group mode <"$room/group" && [ "$group" = "$1" ] || return 0
    sleep 0.1 || sleep 1
  done
  for try in 1 2; do
    sleep 1
    kill -TERM "-$1" || return 0
  done
  kill -KILL "-$1"
}

# The deployer is gone: stop, unless what runs now is the way back, or the last notes after a confirmation. What takes
# a process comes last: there may be none to be had, and some shells end where they can't make one.
lose() {
  : >"$room/lost"
  echo lost >&4
  stop_step
}

# Whether a file of the room is all that was sent, by its size and check sum.
whole() {
  case "$(cksum <"$room/$name") " in "$sum $size "*) return ;; esac
  fall_short
}

# What was sent can't be kept: this host can't go on, nor say that it did.
fall_short() {
  say "short ${room%/*}"
  return 1
}

# A frame is a line, and for `phase` and `put` so many bytes and a seal: half a phase must never run. A `put` adds to
# its file, so that beats can pass between the pieces of a large one, and `check` says what all of it comes to. A beat is
# answered, or the deployer gives up. What matters most has no file, and needs no room: `confirm`, ahead of a phase of the
# same name, and `revert`.
reader() {
  survive
  trap 'lost_reader' EXIT
  beat=0 came=1 confirmed=
  while read -r verb size name sum <&3; do
    beat=$((beat + 1))
    # In the place that it has: one that is full takes nothing more.
    echo "$beat" 1<>"$room/beat"
    case $verb in
      phase | put)
        # Exact to the byte on a pipe, unlike BusyBox's head, which reads ahead.
        { [ "$size" = 0 ] || dd bs="$size" count=1 iflag=fullblock <&3; } >>"$room/$name" || fall_short || break
        read -r seal <&3
        [ "$seal" = sealed ] || break
        # A large file takes its time on a slow line: each piece that came is a sign of life.
        say beat
        if [ "$verb" = phase ]; then
          whole || break
          # Counted here and not where it is run: a cancel that follows closely is meant for this one.
          [ "$name" = "$confirmed" ] || came=$((came + 1))
          confirmed=
          echo "phase $name" >&4
        fi
        ;;
      check) whole || break ;;
      confirm | revert)
        confirmed=$size came=$((came + 1))
        echo "$verb $size" >&4
        ;;
      beat) main_lives && say beat ;;
      # Whether it still waits to be confirmed, and what it switched to still serves.
      ask)
        main_lives || break
        tell_serving
        ;;
      cancel)
        echo "$came" >"$room/cancelled" || break
        stop_step
        ;;
      bye)
        echo bye >&4
        : >"$room/read"
        trap - EXIT
        return
        ;;
    esac
  done
  lost_reader
}

# Nothing is read any more, whatever the reason.
lost_reader() {
  trap - EXIT
  : >"$room/read"
  lose
  main_lives || take_over
}

# Whether the link leads where this run has switched it to, as far as it has; and nothing of that is being taken back, which doesn't show
# where a release came in the place of another one.
serves() {
  [ -s "$room/target" ] || return 0
  [ -s "$room/forward" ] || return 1
  # shellcheck source=/dev/null
  . "$room/target"
  # Every shell of the tests has it; where one hadn't, nothing would be confirmed.
  # shellcheck disable=SC3013
  [ "$link/." -ef "$slot/." ]
}

tell_serving() {
  if serves; then say 'answer yes'; else say 'answer no' && return 1; fi
}

# A process that was killed keeps its number until its parent has asked for it, and not every parent does.
main_lives() {
  kill -0 "$$" 2>/dev/null || return 1
  read -r stat 2>/dev/null <"/proc/$$/stat" || return 0
  case $stat in *') Z '*) return 1 ;; esac
}

# What becomes of a runner whose main shell is gone, killed or unable to make a process: the watcher or the reader, whoever
# sees it first, becomes this program. It ends what still runs, takes the lock again, and goes the way back that lies on the
# disk; the line isn't closed before it has the lock, so that nobody asks too early what serves. A run that has the lock by now
# does the same.
#
# The way back ends with 1 where a step of it has failed, and stays for a person; with any other status, the shell could make
# no process. Where there is none to be had, it begins again from the start, in the same process, for some minutes.
# shellcheck disable=SC2016
guard='text=$1 try=$2 main=$3 reader=$4 room=$5 askpass=$6
again() {
  [ "$try" -ge 300 ] || exec sh -c "$text" buedafab "$text" "$((try + 1))" "$main" "$reader" "$room" "$askpass"
}
trap again EXIT
trap : HUP INT PIPE
n=0
while [ "$try" != 0 ] && [ "$n" -lt 200000 ]; do n=$((n + 1)); done
if [ "$try" = 0 ]; then
  set -C
  echo 2>/dev/null >"$room/guard" || { trap - EXIT; exit; }
  set +C
fi
lives() {
  kill -0 "$main" 2>/dev/null || return 1
  read -r stat 2>/dev/null <"/proc/$main/stat" || return 0
  case $stat in *") Z "*) return 1 ;; esac
}
if lives; then kill -TERM "$main"; fi
while lives; do sleep 1 || exit; done
[ -d "$room" ] || { trap - EXIT; exit; }
read -r group mode <"$room/group"
if [ -n "$group" ] && kill -TERM "-$group" 2>/dev/null; then
  sleep 1 || exit
  kill -KILL "-$group" 2>/dev/null
fi
folder= lock= pending=
. "$room/way"
locks() {
  [ -n "$lock" ] || return 0
  [ -f "$lock" ] && [ ! -L "$lock" ] || return 1
  exec 9<>"$lock"
  for ask in 1 2 3 4 5; do
    ! flock -n 9 9<&9 || return 0
    sleep 0.2 2>/dev/null || sleep 1 || exit
  done
  return 1
}
if [ -n "$folder" ] && IFS= read -r line 2>/dev/null <"$folder/pending.json" && [ "$line" = "$pending" ] && locks; then
  [ -z "$reader" ] || [ -e "$room/read" ] || kill -KILL "$reader"
  for round in 1 2 3 4 5; do
    sh "$folder/back.sh" </dev/null >/dev/null 2>&1 9<&-
    case $? in 0 | 1 | 75) break ;; esac
    sleep 1 || exit
  done
  [ -z "$lock" ] || printf "" >"$lock"
fi
[ -z "$reader" ] || [ -e "$room/read" ] || kill -KILL "$reader"
rm -rf "$room" "$askpass"
trap - EXIT'

take_over() {
  trap - EXIT
  [ -d "$room" ] || exit
  lend_sudo
  exec sh -c "$guard" buedafab "$guard" 0 "$$" "$reader" "$room" "$askpass" 3<&- 4>&-
}

watcher() {
  survive
  trap take_over EXIT
  half=$(((lost_after + 1) / 2)) seen=none silent=0 pending=0 watched=none running=0 over=
  while sleep "$half"; do
    group='' mode=''
    read -r group mode <"$room/group"
    main_lives || take_over
    # Time limits are the deployer's to keep; this one is for steps that run even when it is gone.
    if [ "$group$mode" = "$watched" ]; then running=$((running + half)); else running=0; fi
    watched=$group$mode
    if [ -n "$mode" ] && [ "$running" -ge "$step_timeout" ]; then end_group "$group"; fi
    [ -z "$over" ] || continue
    read -r beat <"$room/beat"
    if [ "$beat" = "$seen" ]; then silent=$((silent + half)); else silent=0; fi
    if [ -s "$room/armed" ]; then pending=$((pending + half)); else pending=0; fi
    seen=$beat
    if [ "$silent" -ge "$lost_after" ] || [ "$pending" -ge "$confirm_timeout" ]; then
      over=yes
      # Where the reader has ended by itself, its number may be another's.
      [ ! -e "$room/read" ] || continue
      kill -KILL "$reader"
      : >"$room/read"
      lose
    fi
  done
  take_over
}

# step ID FLAGS SCRIPT: runs the script in a session of its own. Flags: a, the agent is lent to it; i, standard input
# is the upload in.ID; o, its failure is told and stops nothing; k, its failure counts, but only at the end; q, it is quick, and
# needs no session; h, not even a shell of its own: it sets no variable, and never exits.
step() {
  goes_on || return 0
  if [ -n "$unarmed" ]; then
    say_both "start $1"
    cat "$room/why" >&2
    echo "$unarmed" >&2
    unarmed=
    ended "$1" '' 73
    return
  fi
  case $2 in
    *q*)
      say_both "start $1"
      case $3 in *buedafab_now*) stamp ;; esac
      echo "quick.$1 $unstoppable" 2>/dev/null >"$room/group"
      case $2 in
        *h*) do_here "$3" 3<&- 4>&- 9>&- ;;
        *) (eval "$3") 3<&- 4>&- 9>&- ;;
      esac
      status=$?
      : >"$room/group"
      try=0
      until [ ! -s "$room/ending" ] || [ "$try" = 30 ]; do
        try=$((try + 1))
        sleep 0.1 2>/dev/null || sleep 1
      done
      ended "$1" "$2" "$status"
      return
      ;;
  esac
  lend_sudo
  script=$3
  # Commands of the configuration say just `sudo`.
  if [ -n "$askpass" ]; then
    rm -rf "$room"/asked.*
    script="sudo() { command sudo -A \"\$@\"; }
$3"
  fi
  case $2 in *i*) input=$room/in.$1 ;; *) input=/dev/null ;; esac
  case $2 in *a*) [ -z "$agent" ] || export SSH_AUTH_SOCK="$agent" ;; esac
  if [ -n "$unstoppable" ]; then
    # What has to be done even when nobody listens must not die of a closed pipe, nor of a room that is full.
    say_both "start $1"
    out=$room/out err=$room/err
    { echo >"$out" && [ -s "$out" ]; } 2>/dev/null || out=/dev/null err=/dev/null
    setsid sh -c "$script" <"$input" >"$out" 2>"$err" 3<&- 4>&- 9>&- &
  else
    # The step's own process says the start, so that what a daemon of the step before still prints comes before it.
    {
      say_both "start $1"
      exec setsid sh -c "$script"
    } <"$input" 3<&- 4>&- 9>&- &
  fi
  leader=$! buedafab_now=
  unset SSH_AUTH_SOCK
  # A step that couldn't be stopped must not run.
  echo "$leader $unstoppable" >"$room/group" || [ -n "$unstoppable" ] || kill -KILL "$leader"
  may_go_on || stop_step
  while :; do
    wait "$leader" 2>/dev/null
    status=$?
    kill -0 "$leader" 2>/dev/null || break
  done
  : >"$room/group"
  # What was stopped is over when all of it is: its children get no longer than the two seconds.
  try=0
  until may_go_on || [ "$try" = 30 ]; do
    kill -0 "-$leader" 2>/dev/null || break
    try=$((try + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  # Files of the room are emptied, which takes no process, and go with it.
  case $input in /dev/null) ;; *) : >"$input" ;; esac
  if [ -n "$unstoppable" ]; then
    [ ! -s "$out" ] || cat "$out"
    [ ! -s "$err" ] || cat "$err" >&2
  fi
  ended "$1" "$2" "$status"
}

do_here() { eval "$1"; }

# The time, once for all quick steps in a row.
stamp() { [ -n "$buedafab_now" ] || buedafab_now=$(date -u +%Y-%m-%dT%H:%M:%SZ); }

ended() {
  say_both "end $1 $3"
  case $3$2 in 0* | *o*) ;; *k*) failed_late=1 ;; *) failed=1 ;; esac
}

# Whether the next step may begin.
goes_on() {
  [ -z "$failed" ] || return 1
  may_go_on && return 0
  failed=1
  return 1
}

# Whether nobody wants this phase stopped, or nobody may. A file that is empty is just being written.
may_go_on() {
  [ -z "$unstoppable" ] || return 0
  [ ! -e "$room/lost" ] && read -r cancelled <"$room/cancelled" && [ "$cancelled" -lt "$phase" ]
}

# lock ID FILE HOLDER: takes the lock for as long as this shell lives, or says who has it and fails with 75. Steps are
# given no descriptor of it: a daemon that one leaves behind must not keep it.
lock() {
  goes_on || return 0
  say_both "start $1"
  status=0
  # A queue would be waited for, and what a link leads to isn't ours. Not `:`, which may end a shell that can't write.
  if [ -L "$2" ] || { [ -e "$2" ] && [ ! -f "$2" ]; }; then
    echo "$2 is no file: nothing can be locked by it" >&2
    status=73
  elif printf '' >>"$2"; then
    # Whoever can open it could hold it. That it was closed to others is marked by the sticky bit, which means nothing to
    # a file: to look costs no process.
    [ -k "$2" ] || { if [ -g "${2%/*}" ]; then chmod 1660 "$2"; else chmod 1600 "$2"; fi; } 2>/dev/null
    exec 9<>"$2"
    # Whoever only looks at a lock, or lets go of several, holds it for a moment: ask for a second.
    for try in 1 2 3 4 5; do
      # Some shells close their own descriptors in what they start.
      flock -n 9 9<&9
      status=$?
      [ "$status" = 0 ] || [ "$try" = 5 ] || sleep 0.2 2>/dev/null || sleep 1
      [ "$status" != 0 ] || break
    done
    if [ "$status" = 0 ]; then
      held=$2
      printf '%s\n' "$3" >"$2"
    else
      cat "$2"
      [ -s "$2" ] || echo "held by a process that doesn't say who it is: see lslocks, or fuser $2" >&2
      exec 9>&-
      status=75
    fi
  else
    status=73
  fi
  say_both "end $1 $status"
  [ "$status" = 0 ] || failed=1
}

# arm FOLDER PENDING REVERT [patient | LINK SLOT]: from here until `confirm`, this host puts itself back by the phase REVERT
# if it loses its deployer, or waits too long for the rest of the fleet; unless it is patient, as nothing new serves yet. For
# the case that this runner is killed, or the power fails, FOLDER keeps what is pending, and the way back. Once LINK was switched
# to SLOT, it has to stay there.
arm() {
  goes_on || return 0
  # On a full disk, room is kept for it.
  if ! keep_way_back "$1" "$2" "$3" 2>"$room/why" &&
    { [ ! -e "$1/reserve.1" ] || ! rm -f "$1"/reserve.[1-4] || ! keep_way_back "$1" "$2" "$3" 2>"$room/why"; }; then
    # Told by the step that would have switched: it is the one that isn't done.
    unarmed="can't write $1/pending.json, without which nothing is switched"
    return
  fi
  pending_folder=$1
  revert_phase=$3
  tell_guard "$2" || unarmed=yes
  case $4 in
    patient) : >"$room/armed" ;;
    *)
      quote "$4"
      link=$quoted
      quote "$5"
      echo forward >"$room/forward" || unarmed=yes
      [ -z "$4" ] || printf 'link=%s slot=%s\n' "$link" "$quoted" >"$room/target" || unarmed=yes
      echo armed >"$room/armed" || unarmed=yes
      ;;
  esac
  # What it keeps on the disk by now may be more than this run's, and is gone back all the same.
  [ -z "$unarmed" ] || unarmed="can't write in $room, without which nothing is switched"
}

# For who takes over from this shell: where the way back lies, that it is this one, and the lock.
tell_guard() {
  quote "$pending_folder"
  way="folder=$quoted"
  quote "$held"
  way="$way lock=$quoted"
  quote "{\"at\":\"$buedafab_now\",$1"
  printf '%s pending=%s\n' "$way" "$quoted" >"$room/way"
}

# On the disk, and not only on its way there: first the way back, then what says that there is one to go.
keep_way_back() {
  umask >"$room/umask"
  read -r mask <"$room/umask"
  quote "$1"
  stamp
  printf '{"at":"%s",%s\n' "$buedafab_now" "$2" >"$1/.pending.$greeting" &&
    # Those who deploy here as a group share it, as they share the folder.
    if [ -g "$1" ]; then umask 027; else umask 077; fi &&
    printf '%s\n' '#!/bin/sh' "umask $mask" "folder=$quoted" "$way_back" "$3" "$way_back_end" >"$1/.back.$greeting" &&
    umask "$mask" &&
    sync "$1/.back.$greeting" "$1/.pending.$greeting" &&
    mv -fT "$1/.back.$greeting" "$1/back.sh" &&
    mv -fT "$1/.pending.$greeting" "$1/pending.json" &&
    sync_folder "$1" && return 0
  umask "$mask"
  rm -f "$1/.back.$greeting" "$1/.pending.$greeting"
  return 1
}

# Some file systems can't say of a folder whether it was written.
sync_folder() { sync "$1" 2>/dev/null || sync; }

# Sets `quoted` to a word that a shell reads as this.
quote() {
  rest=$1 quoted="'"
  while :; do
    case $rest in
      *\'*)
        quoted=$quoted${rest%%\'*}"'\\''"
        rest=${rest#*\'}
        ;;
      *) break ;;
    esac
  done
  quoted=$quoted$rest\'
}

# What stands before and behind REVERT in the script that is kept: the steps by themselves, without a runner.
# shellcheck disable=SC2016
way_back='PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
[ -f "$folder/pending.json" ] || { echo "nothing is pending in $folder: there is nothing to take back" >&2; exit 75; }
buedafab_now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export buedafab_now
failed= failed_late=
step() {
  [ -z "$failed" ] || return 0
  # As a host starts, it starts its services by itself.
  case $at_boot$2 in yes*b*) return 0 ;; esac
  echo "way back, step $1"
  script=$3
  # As in a runner that was given the password of sudo.
  [ -z "$SUDO_ASKPASS" ] || script="sudo() { command sudo -A \"\$@\"; }
$3"
  sh -c "$script" </dev/null
  status=$?
  [ "$status" != 0 ] || return 0
  echo "way back, step $1 failed with status $status" >&2
  case $2 in *o*) ;; *k*) failed_late=1 ;; *) failed=1 ;; esac
}'
# shellcheck disable=SC2016
way_back_end='[ -z "$failed$failed_late" ] || { echo "not all was put back: $folder/pending.json stays" >&2; exit 1; }
rm -f "$folder/pending.json" "$folder/back.sh"'

# What is pending no longer is. A crash between the two files leaves one that does nothing.
forget_way_back() {
  rm -f "$pending_folder/pending.json" "$pending_folder/back.sh"
  [ ! -e "$pending_folder/pending.json" ]
}

# The release is live for good: what follows is run to its end, deployer or not.
confirm() { ! goes_on || settle; }

settle() {
  if ! tell_serving; then
    failed=1
    return
  fi
  if [ -n "$revert_phase" ]; then
    if ! forget_way_back; then
      failed=1
      return
    fi
    # Or a host that loses its power now would go back from what was confirmed.
    sync_folder "$pending_folder"
  fi
  revert_phase=
  unstoppable=unstoppable
  : >"$room/armed"
  : >"$room/way"
  say confirmed
}

# The run is over, if all went well: nothing more needs to be said.
leave() { over=${failed:-yes}; }

# Runs what `arm` was given, once.
revert() {
  [ -n "$revert_phase" ] || return 0
  failed='' failed_late='' unstoppable=unstoppable buedafab_now=''
  : >"$room/forward"
  eval "$revert_phase"
  [ -z "$failed_late" ] || failed=1
  # Otherwise it stays for a person, or for the next run.
  [ -n "$failed" ] || forget_way_back || failed=1
  revert_phase='' unstoppable=''
  : >"$room/armed"
  : >"$room/target"
  : >"$room/way"
}

begin() { failed='' buedafab_now='' phase=$((phase + 1)); }

failed='' failed_late='' unstoppable='' reader='' revert_phase='' held='' confirmed='' over='' unarmed='' buedafab_now='' phase=1
reader 2>/dev/null &
reader=$!
watcher >/dev/null 2>&1 &
watcher=$!
trap lose TERM
echo "$reader $watcher" >"$room/ours"

eval "$first_phase"
say "done p0 ${failed:-0}"
while [ "$over" != yes ] && read -r verb name <&4; do
  case $verb in
    confirm)
      # Whatever the reader met since: the word was said, and others go by it.
      begin
      settle
      confirmed=$name
      ;;
    phase)
      [ "$name" = "$confirmed" ] || begin
      confirmed=
      . "$room/$name"
      : >"$room/$name"
      say "done $name ${failed:-0}"
      ;;
    revert)
      begin
      revert
      say "done $name ${failed:-0}"
      ;;
    *) break ;;
  esac
done
# Also where it was only a signal that ended the waiting.
revert
[ -z "$held" ] || : >"$held"
say bye
kill -KILL "$reader" "$watcher" 2>/dev/null
rm -rf "$room" "$askpass"
