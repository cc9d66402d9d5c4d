# Counts what a release has done since its switch. POSIX sh.
#
# Assignments stand before this text: noted, a file; sudo; name, of what is counted; for a web server's log: log, most, in millionths, and
# least, of how many answers it says something; no_data, pass or fail; for what services say: link, units, words for `journalctl`, pattern and
# most; advisory, maybe empty. `mark_log` is called before the switch; the others after it.

# Who may not read a log may by sudo.
reading() {
  as=
  [ -r "$log" ] || as=$sudo
}

# Notes how far a log has come.
mark_log() {
  reading
  at=$($as stat -c '%i %s' "$log" 2>/dev/null) || at='0 0'
  printf '%s %s\n' "$at" "$log" >>"$noted"
}

# What was written to it since, also where it was put aside and begun anew meanwhile.
written_since() {
  reading
  inode=0 size=0
  while read -r inode size file; do [ "$file" != "$log" ] || break; done <"$noted"
  now=$($as stat -c '%i %s' "$log" 2>/dev/null) || return
  if [ "${now% *}" = "$inode" ]; then
    if [ "${now#* }" -lt "$size" ]; then size=0; fi
    $as tail -c "+$((size + 1))" "$log"
    return
  fi
  if [ "$($as stat -c %i "$log.1" 2>/dev/null)" = "$inode" ]; then $as tail -c "+$((size + 1))" "$log.1"; fi
  $as cat "$log"
}

speaks_against() {
  if [ -n "$advisory" ]; then
    echo "$1: it is only told"
    exit 0
  fi
  echo "$1" >&2
  exit 1
}

watch_log() {
  [ -f "$noted" ] || speaks_against "nothing says how far $log had come at the switch"
  reading
  $as test -r "$log" || speaks_against "$log can't be read, so $name can't be counted"
  counted=$(written_since | awk '
    {
      status = ""
      if (/^[ \t]*[{]/) {
        if (match($0, /"status"[ \t]*:[ \t]*"?[1-5][0-9][0-9]/)) status = substr($0, RSTART + RLENGTH - 3, 3)
      # What a visitor asks for may look like one, behind a quote that is no end.
      } else if (match($0, /[^\\]" [1-5][0-9][0-9] /)) status = substr($0, RSTART + 3, 3)
      if (status == "") next
      all++
      if (status >= 500) bad++
    }
    END { print all + 0, bad + 0, (all ? int(bad * 1000000 / all) : 0), (all ? sprintf("%.1f", bad * 100 / all) : 0) }') || exit
  # shellcheck disable=SC2086
  set -- $counted
  if [ "$1" -lt "$least" ]; then
    words="$1 requests since the switch are fewer than $least, and say nothing of $name"
    [ "$no_data" = pass ] || speaks_against "$words"
    echo "$words"
    exit 0
  fi
  words="$2 of $1 answers since the switch were errors of the server ($4 %)"
  [ "$3" -le "$most" ] || speaks_against "$name: $words, which is too much"
  echo "$words"
}

watch_lines() {
  as=
  id -Gn | tr ' ' '\n' | grep -qxE 'systemd-journal|adm|wheel' || as=$sudo
  eval "set -- $units"
  # What can't be read isn't nothing.
  if ! said=$($as journalctl --quiet --no-pager --output cat --since "@$(stat -c %Y "$link")" "$@"); then
    speaks_against "the journal can't be read, so $name can't be counted"
  fi
  said=$(printf '%s\n' "$said" | grep -E -e "$pattern")
  found=$(printf '%s' "$said" | grep -c '')
  [ "$found" -le "$most" ] || speaks_against "$name: $found lines since the switch match $pattern: $(printf '%s\n' "$said" | tail -n 3)"
  echo "$found lines since the switch match $pattern"
}
