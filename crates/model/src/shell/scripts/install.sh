# Defines `install_with_uv FILE…` and `install_with_pip FILE…`, which bring an env to just what requirement files ask for, and
# `install_last`, for private packages that may change nothing of the rest. POSIX sh. `says`, `say_and_stop`, `pins_of` and
# `find_version_of_pip` are those of virtualenv.sh.
#
# Besides what stands before virtualenv.sh, these are assigned before they are called: env; uv; locked, hashes and last, yes or
# nothing; lock; own, the requirement file of private packages; asks, what the requirement files say, and of_files, their options for
# installers; answers, a folder for what installers answer, with before, a file of what was installed before; list, where what was
# resolved is put; sums, a file of what was installed by which check sums, which stands in answers, too, once all is installed; known,
# a file of what was resolved for this before, or nothing; fresh, a word for uv that asks for what is newest.

# Puts what was resolved into a file for each kind that there is: .local, what has such words as .hashed, and the rest as .index.
split_list() {
  rm -f "$list.local" "$list.hashed" "$list.index" &&
    of_files=$of_files awk -v list="$list" -v words="${1-}" -v is_local="$is_local" '
      !/^[[:space:]]/ { kind = list "." ($0 ~ is_local ? "local" : words && index($0, words) ? "hashed" : "index") }
      !(kind in seen) { seen[kind]; print ENVIRON["of_files"] >kind }
      { print >kind }' "$list"
}
# Makes words for uv of what a list has in a version that is installed, but by other check sums.
find_changed() {
  again=$("$env/bin/python" -c "$resolved" changed "$1" "$sums" "$answers/sums") || return
  again=$(for package in $again; do printf '%s' "--reinstall-package $package "; done)
}
# In exactly the versions that are asked for, and nothing besides.
install_with_uv() {
  if [ -n "$locked" ]; then
    sync_lock
  elif [ -n "$hashes" ]; then
    printf '%s\n' "$asks" >"$answers/asks" && find_changed "$answers/asks" || return
    eval "\"\$uv\" pip sync $again --require-hashes --compile-bytecode --python \"\$env/bin/python\" $options $limits \"\$@\""
  else
    if [ $# = 0 ]; then
      : >"$list"
    elif [ -n "$known" ]; then
      cp "$known" "$list"
    else
      # What stands in its output already is what uv prefers.
      cp "$before" "$list" &&
        eval "\"\$uv\" pip compile $fresh --generate-hashes --no-header --no-annotate --python \"\$env/bin/python\" $options $limits --output-file \"\$list\" \"\$@\"" >/dev/null
    fi || return
    find_changed "$list" || return
    # A version says nothing about what lies in a folder, so that is built and installed each time.
    split_list && { [ -e "$list.index" ] || printf '%s\n' "$of_files" >"$list.index"; } || return
    eval "\"\$uv\" pip sync $again --allow-empty-requirements --compile-bytecode --python \"\$env/bin/python\" $options \"\$list.index\"" || return
    [ ! -e "$list.local" ] ||
      eval "\"\$uv\" pip install --reinstall --no-deps --compile-bytecode --python \"\$env/bin/python\" $options -r \"\$list.local\""
  fi
}
# A lock that was made with another index says the same of versions and check sums as one that was made with this.
sync_lock() {
  printf '%s\n' "$lock" >"$answers/lock" && find_changed "$answers/lock" || return
  again=$again$(printf '%s\n' "$lock" | awk -F '"' '/^name = /{ name = $2 } /^source = \{ (editable|directory) = /{ printf "--reinstall-package %s ", name }')
  said=$(eval "\"\$uv\" sync --locked --no-dev --compile-bytecode --python \"\$env/bin/python\" $again $options" 2>&1) && return
  if [ -n "$options${settings#"$line"}" ] && "$uv" export --quiet --locked --offline --no-dev --no-config --output-file "$list" >/dev/null 2>&1; then
    eval "\"\$uv\" pip sync --compile-bytecode --python \"\$env/bin/python\" $again $options \"\$list\""
  else
    printf '%s\n' "$said" >&2
    return 1
  fi
}
install_with_pip() {
  for file; do
    shift
    set -- "$@" -r "$file"
  done
  if [ $# = 0 ]; then
    : >"$list" || return
  elif ! can_report; then
    install_with_old_pip "$@"
    return
  elif [ -n "$known" ]; then
    cp "$known" "$list" || return
  else
    preferring pip_reports "$@" || return
    "$env/bin/python" -c "$resolved" list "$answers/report" "$here" >"$list" <<END || return
$asks
END
  fi
  # Names of packages hold no blanks.
  left=$("$env/bin/python" -c "$resolved" left "$list" "$sums" "$answers/sums") || return
  [ -z "$left" ] || "$env/bin/python" -m pip uninstall --yes $left || return
  # Of an index only the very files that were resolved, of a repository only that commit. What has no check sum can't be asked for
  # together with what has one.
  split_list ' --hash=' && install_part hashed --require-hashes && install_part index && install_part local --force-reinstall
}
install_part() {
  part=$1
  shift
  [ ! -e "$list.$part" ] || eval "\"\$env/bin/python\" -m pip install --no-deps \$* $options -r \"\$list.\$part\""
}
install_with_old_pip() {
  refuse_what_moves
  if [ -n "$known" ]; then
    cp "$known" "$list" && pins_of "$list" >"$answers/pins" && pip_installs -c "$answers/pins" "$@"
  else
    preferring pip_installs "$@" && freeze >"$list"
  fi
}
# Which commit a branch or a tag was, such a pip tells of some packages and not of others.
refuse_what_moves() {
  moves=$(printf '%s\n' "$asks" | grep -v '^[[:space:]]*#' | grep -oE '(git|hg|svn|bzr)(\+[a-z]+)?://[^[:space:];#]+' | grep -vE '@[0-9a-f]{40}$' | sed q)
  [ -z "$moves" ] || say_and_stop "$moves names no commit, and pip $version_of_pip can't tell which it is, so each slot might get another: write \`@\` and the commit behind it, or install by uv or by a Python whose pip is 22.2 or newer"
}
# Does something with what was installed before, as far as that goes together with what is asked for now: first with all of it,
# then without what a requirement says a version of, and at last with none.
preferring() {
  if [ -s "$before" ] && [ -z "$hashes" ]; then
    "$@" -c "$before" >/dev/null 2>&1 && return
    normal='y/ABCDEFGHIJKLMNOPQRSTUVWXYZ_./abcdefghijklmnopqrstuvwxyz--/'
    printf '%s\n' "$asks" | sed -nE "s/^[[:space:]]*([A-Za-z0-9._-]+)(\[[^]]*\])?[[:space:]]*[(<>=!~@].*/\1/;t said;d;:said;$normal;p" >"$before.said"
    sed -E 's/==.*//' "$before" | sed "$normal" | paste - "$before" | awk -v said="$before.said" \
      'BEGIN { while ((getline name <said) > 0) is_said[name] } !($1 in is_said) { print $2 }' >"$before.rest"
    [ ! -s "$before.rest" ] || { "$@" -c "$before.rest" >/dev/null 2>&1 && return; }
  fi
  "$@"
}
must_hash=
[ "$require_hashes" = no ] || must_hash=--require-hashes
pip_reports() {
  eval "\"\$env/bin/python\" -m pip install $must_hash --dry-run --ignore-installed --report \"\$answers/report\" $options $limits \"\$@\""
}
pip_installs() {
  eval "\"\$env/bin/python\" -m pip install $must_hash $options $limits \"\$@\""
}
freeze() {
  if [ -n "$uv" ]; then "$uv" pip freeze --quiet --python "$env/bin/python"; else "$env/bin/python" -m pip freeze; fi
}
install_last() {
  [ -n "$last" ] || return 0
  without=
  [ -z "$hashes" ] || without=--no-deps
  frozen=$(freeze) || return
  printf '%s\n' "$frozen" | grep '==' >"$answers/frozen"
  if [ -n "$uv" ]; then
    eval "\"\$uv\" pip install --compile-bytecode --python \"\$env/bin/python\" $options $without -c \"\$answers/frozen\" -r \"\$own\""
  else
    # pip takes a wheel for one that it has installed already if only their versions are the same.
    eval "\"\$env/bin/python\" -m pip install --force-reinstall $options $without -c \"\$answers/frozen\" -r \"\$own\""
  fi
}
# pip says since 22.2 what it would install. An older one can't tell what is no longer asked for: its env is made anew.
can_report() {
  find_version_of_pip
  major=${version_of_pip%%.*}
  minor=${version_of_pip#*.}
  minor=${minor%%.*}
  case $major$minor in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -gt 22 ] || { [ "$major" = 22 ] && [ "$minor" -ge 2 ]; }
}
