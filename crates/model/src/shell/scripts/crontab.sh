# Brings the app's jobs to what a release says, and touches no others. POSIX sh.
#
# Assignments stand before this text: file, the release's crontab; label, of the app's jobs, and former, what they were labelled
# with once; owner, a comment that says whose they are; path, the app's folder; place, user or system; there and once, the files of
# both labels, for the system; record, a file that says where they are, and recorded, the end of what it says; shell, a file
# that becomes the jobs' shell, and what it does before each: around, which sets the app's variables, and virtualenv, which puts
# its programs first; sudo. What is said of the user's crontab is defined.

[ -f "$file" ] || {
  echo "there is no $file" >&2
  exit 1
}
# Jobs that moved from one place to the other must not be done twice.
note_jobs() {
  rm -f "$record.new" || return
  printf '{"at":"%s","user":"%s","place":"%s",%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(id -un)" "$place" "$recorded" >"$record.new" &&
    mv -f "$record.new" "$record"
}
# cron passes a job to its SHELL as it does a login's, with what stands before it as `VAR=value`: so that is where variables come
# from, and nothing of a job's line needs to be understood. No secret stands in it: the file of variables is read for each job.
name="[[:blank:]]*[\"']\\{0,1\\}"
is="[\"']\\{0,1\\}[[:blank:]]*="
write_shell() {
  rm -f "$shell.new"
  # What the crontab itself sets stands nearest to the job, and holds.
  own=$(sed -n "s/^$name\([A-Za-z_][A-Za-z0-9_]*\)$is.*/\1/p" "$file" | sort -u | tr '\n' ' ')
  {
    printf '%s\n' '#!/bin/sh' "# The shell of the app's jobs: cron runs each by it. buedafab writes it anew when a release is live." "own='$own'"
    cat <<'END'
for each in $own; do eval "[ -z \"\${$each+set}\" ] || kept_$each=\$$each"; done
END
    printf '%s\n' "$around"
    cat <<'END'
for each in $own; do eval "[ -z \"\${kept_$each+set}\" ] || export $each=\"\$kept_$each\""; done
END
    printf '%s\n' "$virtualenv"
    cat <<'END'
export SHELL="${BUEDAFAB_SHELL:-/bin/sh}"
unset BUEDAFAB_SHELL
exec "$SHELL" "$@"
END
  } >"$shell.new" && chmod 755 "$shell.new" && mv -f "$shell.new" "$shell"
}
write_shell || exit
# The shell that a job would have had is the one that its own shell becomes.
jobs() {
  printf '%s\n' "SHELL=$shell" "BUEDAFAB_SHELL=$1"
  sed "s/^\($name\)SHELL\($is\)/\1BUEDAFAB_SHELL\2/" "$file"
}
if [ "$place" = system ]; then
  new=$(mktemp) && { echo "$owner" && jobs /bin/sh; } >"$new" || exit
  # cron reads a file as soon as it sees it, so it must be whole by then.
  if ! cmp -s "$new" "$there"; then
    $sudo install -m 644 "$new" "$there.new" && $sudo mv -f "$there.new" "$there" && echo "installed $there"
  fi
  status=$?
  rm -f "$new"
  if [ "$status" = 0 ] && [ "$once" != "$there" ] && grep -qsF -e "$path/" "$once" && ! grep -qs '^# buedafab keeps this for ' "$once"; then
    $sudo rm -f "$once"
  fi
  if [ "$status" = 0 ] && printf '%s\n' "$now" | grep -qxF -e "$begin" && printf '%s\n' "$now" | grep -qxF -e "$owner"; then
    require_whole
    take_out || exit
  fi
  [ "$status" != 0 ] || note_jobs || exit
  exit "$status"
fi
# A block of this app's under its former label goes: its jobs would be done twice. Those of another environment stay.
old_begin="# begin $former, kept by buedafab" old_end="# end $former"
export path old_begin old_end
was=$now
[ "$label" = "$former" ] || now=$(printf '%s\n' "$now" | awk '
  $0 == ENVIRON["old_begin"] { block = ""; inside = 1; ours = 0; owned = 0 }
  !inside { print; next }
  { block = block $0 "\n" }
  index($0, ENVIRON["path"] "/") { ours = 1 }
  /^# buedafab keeps this for / { owned = 1 }
  $0 == ENVIRON["old_end"] { inside = 0; if (!ours || owned) printf "%s", block }
  END { if (inside) printf "%s", block }')
require_whole
left=$(others)
# What is set in a crontab holds for all that stands below.
before=$(printf '%s\n' "$left" | sed -n "s/^${name}SHELL${is}[[:blank:]]*//p" | tail -n 1)
before=${before:-/bin/sh}
new=$(printf '%s\n' ${left:+"$left"} "$begin" "$owner" "$(jobs "$before")" "SHELL=$before" "$end")
[ "$new" = "$was" ] || printf '%s\n' "$new" | crontab - || exit
if grep -qsxF -e "$owner" "$there"; then
  $sudo rm -f "$there" || {
    echo "$there stays, and so its jobs are done twice: take it away, as root" >&2
    exit 1
  }
fi
note_jobs
