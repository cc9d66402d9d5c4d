# What services and files say, as it is asked for. POSIX sh.
#
# Assignments stand before this text: sudo; folder, releases and path, the live release, all of them and the app's; system_units and user_units, words
# for the shell; files, patterns of the shell, a line each; since, in seconds, lines and wanted, each maybe empty; follow, maybe
# empty; units, as people read them, and limits, what is asked of the lines. `instances_of` is defined.

cd "$folder" 2>/dev/null || cd "$path" 2>/dev/null || { echo "$path isn't there" >&2; exit 1; }

# Checks the pattern before anything is read: one that is nowhere found is no failure.
if [ -n "$wanted" ]; then
  echo | grep -E -e "$wanted" >/dev/null
  [ $? -lt 2 ] || exit
fi

# Passes the wanted lines on, each as it comes.
matching() {
  if [ -z "$wanted" ]; then
    cat
  elif [ -z "$follow" ]; then
    grep -E -e "$wanted" || true
  elif echo | grep --line-buffered -q '' 2>/dev/null; then
    grep --line-buffered -E -e "$wanted"
  else
    while IFS= read -r line; do printf '%s\n' "$line" | grep -E -e "$wanted"; done
  fi
}

# Passes on all lines; whether there was one. Whoever follows waits for one.
any() {
  if [ -n "$follow" ]; then
    cat
  else
    IFS= read -r line || [ -n "$line" ] || return
    printf '%s\n' "$line"
    cat
  fi
}

# Passes on what is wanted of what a command says, and fails where that does: of a pipe, a shell only tells how its end went.
# Silence looks like a mistake, and so it is told of whom there is nothing at all.
exec 4>&1
silent='' spoke=
is_silent() { silent="$silent${silent:+, nor in }$1"; }
telling() {
  source=$1
  shift
  said=$({ { "$@" </dev/null 3>&- 4>&- || echo failed >&3; } |
    { { matching | named; } 3>&- 4>&- | any >&4 3>&- 4>&- || echo nothing >&3; }; } 3>&1)
  case $said in
    *failed*) return 1 ;;
    *nothing*) [ -z "$source" ] || is_silent "$source" ;;
    *) spoke=yes ;;
  esac
}

# The journal is everybody's who is in one of its groups, and else root's. Who may not read it sees what is their own.
journal() {
  command -v journalctl >/dev/null || { echo 'there is no journalctl here' >&2; return 1; }
  as='' source="the journal of $units"
  if [ -n "$system_units" ] && [ "$(id -u)" != 0 ] &&
    ! id -Gn | tr ' ' '\n' | grep -qxE 'systemd-journal|adm|wheel'; then
    if $sudo journalctl --quiet --lines 0 --no-pager >/dev/null 2>&1; then
      as=$sudo
    else
      echo "$(id -un) may not read the journal of services: add them to the group systemd-journal" >&2
      source=
    fi
  fi
  set -- --quiet --no-pager --output short-iso --lines "${lines:-all}"
  ! journalctl --help 2>/dev/null | grep -q -e --no-hostname || set -- "$@" --no-hostname
  [ -z "$since" ] || set -- "$@" --since "-${since}s"
  [ -z "$follow" ] || set -- "$@" --follow
  eval "set -- \"\$@\" $system_units $user_units"
  # It ends when the pipe does, be it root's: no signal of ours would reach it.
  file=
  telling "$source" $as journalctl "$@"
}

# Sets the arguments to the files that there are.
found_files() {
  found=
  while IFS= read -r pattern; do
    [ -n "$pattern" ] || continue
    before=$found IFS=
    for file in $pattern; do
      [ -f "$file" ] || continue
      [ -z "$since" ] || [ -n "$(find -L "$file" -prune -mmin "-$((since / 60 + 1))")" ] || continue
      found="$found$file
"
    done
    unset IFS
    if [ "$found" != "$before" ]; then
      :
    elif [ -n "$since" ]; then
      is_silent "$pattern"
    else
      echo "no file is called $pattern here" >&2
    fi
  done <<END
$files
END
}

# Puts the file's name before each line where there are more sources than one.
named() {
  if [ -z "$several" ] || [ -z "$file" ]; then
    cat
  elif [ -z "$follow" ]; then
    sed "s|^|$(printf '%s' "${file##*/}" | sed 's/[&\\|]/\\&/g'): |"
  else
    while IFS= read -r line; do printf '%s: %s\n' "${file##*/}" "$line"; done
  fi
}

# The end of a file.
tell_file() {
  file=$1 as=
  [ -r "$file" ] || as=$sudo
  set -- -n "${lines:-+1}"
  [ -z "$follow" ] || set -- "$@" -F
  telling "$file" $as tail "$@" -- "$file"
}

found_files
several=
case $found in *?"
"?*) several=yes ;; ?*) several=$system_units$user_units ;; esac
status=0
if [ -n "$system_units$user_units" ]; then
  if [ -n "$follow" ]; then journal & else journal || status=1; fi
fi
while IFS= read -r file; do
  [ -n "$file" ] || continue
  if [ -n "$follow" ]; then tell_file "$file" & else tell_file "$file" || status=1; fi
done <<END
$found
END
wait
[ -z "$silent" ] || [ -n "$spoke$follow" ] || echo "nothing in $silent$limits" >&2
exit "$status"
