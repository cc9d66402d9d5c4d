# The runner: the program at the far end of a connection. POSIX sh, and no tool that Debian and BusyBox lack.
#
# Assignments stand before this text: nonce; lost_after, confirm_timeout and step_timeout, in seconds; first_phase.
#
# It is three processes. The reader takes frames off standard input; the watcher counts the seconds in which none
# came; this shell runs phases, one after the other, and holds the lock. They meet in a queue (a FIFO) and in a
# folder of small files. What it says is marked with the nonce, which no step knows to print:
#
#   RS nonce hello | beat | start ID | end ID STATUS | done PHASE 0|1 | bye
#
# A phase is shell text, made by the deployer, that calls the functions below.

say() { printf '\036%s %s\n' "$nonce" "$1"; }
say_both() { say "$1"; say "$1" >&2; }
say hello

# A line that is gone must not end the runner: it has a host to put right and a lock to let go in order. Handlers,
# not ignored signals, because children would inherit those.
survive() { trap : HUP INT PIPE; }
survive
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
agent=$SSH_AUTH_SOCK
unset SSH_AUTH_SOCK
exec 3<&0 </dev/null

# In memory where there is such a place: a full disk must still be looked at, and what is sent stays off it.
room=
for place in "$XDG_RUNTIME_DIR" /dev/shm /tmp "$HOME"; do
  [ -n "$place" ] && room=$(umask 077 && mktemp -d "$place/buedafab.XXXXXXXXXX" 2>/dev/null) && break
  room=
done
if [ -z "$room" ] || ! mkfifo "$room/queue"; then
  echo "the runner found no folder to work in: /dev/shm, /tmp and \$HOME can't be written" >&2
  exit 69
fi
exec 4<>"$room/queue"
echo 0 >"$room/beat"
: >"$room/group"

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

# Ends the running step, its whole process group, politely for two seconds.
stop_step() {
  read -r group <"$room/group" || return 0
  for try in 1 2 3; do
    kill -TERM "-$group" 2>/dev/null
    [ "$try" = 3 ] || sleep 1
    kill -0 "-$group" 2>/dev/null || return 0
  done
  kill -KILL "-$group" 2>/dev/null
}

# The deployer is gone: stop, unless what runs now is the way back, or the last notes after a confirmation.
lose() {
  : >"$room/lost"
  [ -e "$room/unstoppable" ] || stop_step
  echo lost >&4
}

# A frame is a line, and for `phase` and `put` so many bytes and a seal: half a phase must never run. A `put` adds to
# its file, so that beats can pass between the pieces of a large one. A beat is answered, or the deployer gives up.
reader() {
  survive
  beat=0
  while read -r verb size name <&3; do
    beat=$((beat + 1))
    echo "$beat" >"$room/beat"
    case $verb in
      phase | put)
        # Exact to the byte on a pipe, unlike BusyBox's head, which reads ahead.
        dd bs="$size" count=1 iflag=fullblock <&3 >>"$room/$name"
        read -r seal <&3
        [ "$seal" = sealed ] || break
        # A large file takes its time on a slow line: each piece that came is a sign of life.
        say beat
        if [ "$verb" = phase ]; then
          # Here and not where it is run: a cancel that follows closely is meant for this one.
          rm -f "$room/cancel"
          echo "phase $name" >&4
        fi
        ;;
      beat) say beat ;;
      cancel)
        : >"$room/cancel"
        [ -e "$room/unstoppable" ] || stop_step
        ;;
      bye)
        echo bye >&4
        return
        ;;
    esac
  done
  lose
}

watcher() {
  survive
  half=$(((lost_after + 1) / 2)) seen=none silent=0 pending=0
  while sleep "$half"; do
    if ! kill -0 "$$" 2>/dev/null; then
      stop_step
      rm -rf "$room"
      return
    fi
    read -r beat <"$room/beat"
    if [ "$beat" = "$seen" ]; then silent=$((silent + half)); else silent=0; fi
    if [ -e "$room/armed" ]; then pending=$((pending + half)); else pending=0; fi
    seen=$beat
    if [ "$silent" -ge "$lost_after" ] || [ "$pending" -ge "$confirm_timeout" ]; then
      kill "$reader"
      lose
      return
    fi
  done
}

# Time limits are the deployer's to keep; this one is for steps that run even when it is gone.
limit() {
  left=$step_timeout
  while [ "$left" -gt 0 ]; do
    sleep 2
    left=$((left - 2))
    kill -0 "$group" || return
  done
  stop_step
}

# step ID FLAGS SCRIPT: runs the script in a session of its own. Flags: a, the agent is lent to it; i, standard input
# is the upload in.ID; o, its failure is told and stops nothing; k, its failure counts, but only at the end; q, it is quick, and needs no session.
step() {
  goes_on || return 0
  case $2 in
    *q*)
      say_both "start $1"
      (eval "$3") 3<&- 4>&- 9>&-
      ended "$1" "$2" $?
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
    # What has to be done even when nobody listens must not die of a closed pipe.
    say_both "start $1"
    setsid sh -c "$script" <"$input" >"$room/out" 2>"$room/err" 3<&- 4>&- 9>&- &
  else
    # The step's own shell says the start, so that what a daemon of the step before still prints comes before it.
    setsid sh -c "printf '\\036$nonce start $1\\n'
printf '\\036$nonce start $1\\n' >&2
$script" <"$input" 3<&- 4>&- 9>&- &
  fi
  group=$!
  unset SSH_AUTH_SOCK
  echo "$group" >"$room/group"
  if [ -n "$unstoppable" ]; then
    # A redirection of the function alone would leave this copy of the shell with a spare descriptor of the lock.
    (
      exec >/dev/null 2>&1 3<&- 4>&- 9>&-
      limit
    ) &
  fi
  while :; do
    wait "$group" 2>/dev/null
    status=$?
    kill -0 "$group" 2>/dev/null || break
  done
  : >"$room/group"
  case $input in /dev/null) ;; *) rm -f "$input" ;; esac
  if [ -n "$unstoppable" ]; then
    cat "$room/out"
    cat "$room/err" >&2
  fi
  ended "$1" "$2" "$status"
}

ended() {
  say_both "end $1 $3"
  case $3$2 in 0* | *o*) ;; *k*) failed_late=1 ;; *) failed=1 ;; esac
}

# Whether the next step may begin.
goes_on() {
  [ -z "$failed" ] || return 1
  [ -z "$unstoppable" ] || return 0
  [ ! -e "$room/cancel" ] && [ ! -e "$room/lost" ] && return 0
  failed=1
  return 1
}

# lock ID FILE HOLDER: takes the lock for as long as this shell lives, or says who has it and fails with 75. Steps are
# given no descriptor of it: a daemon that one leaves behind must not keep it.
lock() {
  goes_on || return 0
  say_both "start $1"
  status=0
  if (: >>"$2"); then
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
      exec 9>&-
      status=75
    fi
  else
    status=73
  fi
  say_both "end $1 $status"
  [ "$status" = 0 ] || failed=1
}

# arm REVERT: from here until `confirm`, this host puts itself back by the phase REVERT if it loses its deployer.
arm() {
  goes_on || return 0
  revert_phase=$1
  : >"$room/armed"
}

# The release is live for good: what follows is run to its end, deployer or not.
confirm() {
  goes_on || return 0
  revert_phase=
  unstoppable=1
  : >"$room/unstoppable"
  rm -f "$room/armed"
}

# The run is over, if all went well: nothing more needs to be said.
leave() { over=${failed:-yes}; }

# Runs what `arm` was given, once.
revert() {
  [ -n "$revert_phase" ] || return 0
  failed='' failed_late='' unstoppable=1
  : >"$room/unstoppable"
  eval "$revert_phase"
  [ -z "$failed_late" ] || failed=1
  revert_phase='' unstoppable=''
  rm -f "$room/armed" "$room/unstoppable"
}

failed='' failed_late='' unstoppable='' revert_phase='' held='' over=''
reader 2>/dev/null &
reader=$!
watcher >/dev/null 2>&1 &
watcher=$!
trap lose TERM

eval "$first_phase"
say "done p0 ${failed:-0}"
while [ "$over" != yes ] && read -r verb name <&4; do
  case $verb in
    phase)
      failed=
      . "$room/$name"
      rm -f "$room/$name"
      say "done $name ${failed:-0}"
      ;;
    *) break ;;
  esac
done
# Also where it was only a signal that ended the waiting.
revert
[ -z "$held" ] || : >"$held"
say bye
kill "$reader" "$watcher" 2>/dev/null
rm -rf "$room" "$askpass"
