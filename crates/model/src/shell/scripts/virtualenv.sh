# Brings the virtualenv of a slot to just what its release asks for. POSIX sh.
#
# Assignments stand before this text: slot, the folder of the release; app, where in it the app lies, with the requirement files;
# name, the virtualenv's in the slot; python; installer (auto, uv or pip); is_package, a pattern; options, words for the installer, quoted for eval;
# require_hashes, yes or no; constraints, files, a line each, and limits, the words that tell an installer of them; pins, what other
# hosts have, a line each; private, the private packages of this release, a line each, or written_down, yes; record, a file that
# they are written down in; packages, the folder that they lie in, and packages_url; kept, the folder of what is kept of releases,
# and release, the commit; link, what leads to the live release; index_settings and resolved, programs for Python; cache, a folder
# for uv; reinstall and upgrade, yes or no; scripts, words quoted for eval. The requirement files are the arguments.
#
# What the env was made from is summed up in env/.buedafab: while that is still so, no installer is run. What an installer has
# resolved is kept with the release, and is what every slot gets that asks for the same; where more or less is asked for, the
# rest stays as it was. What the env holds is told in env/.versions.

say_and_stop() {
  echo "$1" >&2
  exit 1
}

cd "$slot" || exit
here=$PWD env=$PWD/$name
cd "$app" || exit
base=$PWD
line='
'
interpreter=$(command -v "$python") || say_and_stop "there is no $python on this host; \`python\` in buedafab.toml names another"
uv=
for place in "$(command -v uv)" "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" /usr/local/bin/uv; do
  [ -z "$uv" ] && [ -n "$place" ] && [ -x "$place" ] && uv=$place
done
case $installer in
  uv) [ -n "$uv" ] || say_and_stop "there is no uv on this host; \`installer = \"pip\"\` does without" ;;
  pip) uv= ;;
esac
# A lock decides what a project without requirement files needs, and else the project itself, where that is a package.
# It may lie above its app, and the lock of a workspace above its members.
is_installed() { [ -f "$1/setup.py" ] || { [ -f "$1/pyproject.toml" ] && grep -qE "$is_package" "$1/pyproject.toml"; }; }
is_project() { [ -f "$1/uv.lock" ] || is_installed "$1"; }
has_lock() { [ -f "$1/uv.lock" ] && { [ "$1" = "$PWD" ] || grep -q '^\[tool\.uv\.workspace\]' "$1/pyproject.toml" 2>/dev/null; }; }
find_upwards() {
  place=$PWD
  while ! "$1" "$place"; do
    case $place in "$here"/*) place=${place%/*} ;; *) return 1 ;; esac
  done
}
locked='' itself='' lock=
if [ $# = 0 ]; then
  if [ -z "$constraints" ] && find_upwards is_project; then cd "$place" || exit; fi
  if find_upwards has_lock; then
    locked=yes
    [ -n "$uv" ] || say_and_stop "uv.lock is uv's, and there is no uv on this host"
    lock=$(cat "$place/uv.lock") || exit
  elif is_installed "$PWD"; then
    itself=yes
  fi
fi

# What no index has lies on this host, and which of it is wanted is written down for the way back.
if [ "$written_down" = yes ]; then
  private=$(cat "$record" 2>/dev/null)
elif [ -n "$private" ]; then
  mkdir -p "${record%/*}" && printf '%s\n' "$private" >"$record.new" && mv -f "$record.new" "$record" || exit
elif [ -e "$record" ]; then
  rm -f "$record" || exit
fi

# What this host and the app's variables tell installers, but for what decides nothing.
settings=
case $(export -p) in
  *' PIP_'* | *' UV_'*) settings=$(export -p | sed -nE '/ (PIP|UV)_/{/(TIMEOUT|RETRIES|CACHE[A-Z_]*|CERT|PROXY|PROGRESS[A-Z_]*|COLOR|INPUT|CHECK|CONCURRENT[A-Z_]*|LINK_MODE|QUIET|VERBOSE)=/!p;}') ;;
esac
of_user=${XDG_CONFIG_HOME:-$HOME/.config}
settings=$settings$line$(
  set --
  for file in /etc/pip.conf /etc/xdg/pip/pip.conf "$HOME/.pip/pip.conf" "$of_user/pip/pip.conf" "$PIP_CONFIG_FILE" \
    /etc/uv/uv.toml /etc/xdg/uv/uv.toml "$of_user/uv/uv.toml" "$UV_CONFIG_FILE" uv.toml; do
    [ ! -f "$file" ] || [ ! -r "$file" ] || set -- "$@" "$file"
  done
  [ $# = 0 ] || exec cat "$@"
)

begins_plainly() {
  first=
  IFS= read -r first <"$1"
  case $first in '' | [-A-Za-z0-9#./_\ ]*) ;; *) return 1 ;; esac
}
# Both installers read these, and a text without its mark is one for all that looks for words in it.
decode() {
  utf16=$(printf '\377\376') utf16_big=$(printf '\376\377') utf8=$(printf '\357\273\277')
  case $first in
    "$utf16"* | "$utf16_big"*) encoding=utf-16 ;;
    "$utf8"*) encoding=utf-8-sig ;;
    *)
      cat "$1"
      return
      ;;
  esac
  "$interpreter" -c 'import sys
sys.stdout.buffer.write(open(sys.argv[1], encoding=sys.argv[2]).read().encode())' "$1" "$encoding"
}
# What requirement files say, with those that they include. It is gone through in every deploy: what would start a process is
# asked for only where a file makes it likely.
files() {
  commit=no list=
  for file; do list=$list${list:+$line}r$file; done
  [ -z "$constraints" ] || list=$list${list:+$line}$(printf '%s\n' "$constraints" | sed 's/^/c/')
  seen=$line
  while [ -n "$list" ]; do
    file=${list%%"$line"*}
    case $list in *"$line"*) list=${list#*"$line"} ;; *) list= ;; esac
    case $seen in *"$line$file$line"*) continue ;; esac
    seen=$seen$file$line
    kind=${file%"${file#?}"}
    file=${file#?}
    [ -f "$file" ] || say_and_stop "the requirement file $file isn't there"
    if begins_plainly "$file"; then text=$(cat "$file"); else text=$(decode "$file"); fi || exit
    printf 'file %s\n%s\n' "$file" "$text"
    case $kind$text in r*--hash[=\ ]*) echo "$mark hashed" ;; esac
    case $line$text in
      *"$line"[-.[:space:]]* | */* | *file:*) ;;
      *) continue ;;
    esac
    # What a file includes lies beside it, or far away: that is asked for when it is resolved.
    case $file in */*) folder=${file%/*}/ ;; *) folder= ;; esac
    included=
    case $text in *-r* | *-c*) included=$(includes) ;; esac
    [ -z "$included" ] || list=$included${list:+$line$list}
    ! says_links "$text" || printf '%s\n' "$text" | sed -nE 's/^[[:space:]]*(-f|--find-links)[[:space:]=]+([^/:[:space:]][^:]*)$/\2/p' |
      while read -r place; do echo "$mark links $folder$place"; done
    # A part of the project itself may change with every commit, and what is built in its place goes when that is cleaned up.
    case $line$text in
      *[[:space:]].* | */* | *file:* | *-e* | *-f*)
        ! printf '%s\n' "$text" | grep -qE "$is_local|^[[:space:]]*(-f|--find-links)[[:space:]=]*[^:]*\$" || commit=yes
        ;;
    esac
    case $text in
      *-e*)
        ! printf '%s\n' "$text" | grep -E '^[[:space:]]*(-e|--editable)' | grep -qvE '(-e|--editable)[[:space:]=]*[a-z]+(\+[a-z]+)?://' || echo "$mark editable"
        ;;
    esac
  done
  # So may what lies in a folder of wheels there.
  links=
  eval "set -- $options"
  for word; do
    case $links$word in
      *:*) ;;
      -f[!/]* | --find-links[!/=]* | --find-links=[!/]*) commit=yes ;;
    esac
    case $word in -f | --find-links) links=$word ;; *) links= ;; esac
  done
  [ -z "$itself" ] || commit=yes
  if [ -n "$locked" ]; then
    printf '%s\n' "$lock"
    cat pyproject.toml
    case $lock in *'source = { editable = '* | *'source = { directory = '*) commit=yes ;; esac
    case $lock in *'source = { editable = '*) echo "$mark editable" ;; esac
  elif [ -n "$uv" ] && [ -f pyproject.toml ] && grep -q '^\[*tool\.uv' pyproject.toml; then
    cat pyproject.toml
  fi
  [ "$commit" = no ] || printf '%s\n' "$mark local" "$(git -c safe.directory='*' rev-parse HEAD)"
}
includes() {
  printf '%s\n' "$text" | sed -nE 's/^[[:space:]]*(-r|-c|--requirement|--constraint)[[:space:]=]*([^[:space:]#]+).*/\1 \2/p' |
    while read -r how place; do
      case $kind$how in r-r | r--r*) how=r ;; *) how=c ;; esac
      case $place in *://*) ;; /*) echo "$how$place" ;; *) echo "$how$folder$place" ;; esac
    done
}
says_links() { case $1 in *-f[\ =]* | *--find-links*) ;; *) return 1 ;; esac }
mark='# buedafab:'
is_local='^[[:space:]]*((-e|--editable)[[:space:]=]*)?([.]|/|file:|[A-Za-z0-9._-]+/)|@[[:space:]]*(file:|[.]|/)'
asks=$(files "$@") || exit
says() { case $line$asks$line in *"$line$mark $1$line"*) ;; *) return 1 ;; esac }

# Everything that decides what the env holds.
inputs() {
  printf '%s\n' "format 2" "${uv:-pip}" "$interpreter" "$(stat -L -c '%d %i %s %Y' -- "$interpreter" ${uv:+"$uv"})" \
    "$options" "$require_hashes" "$scripts" "$settings" "$asks"
  [ -z "$private" ] || printf 'private %s\n' "$private"
  eval "set -- $scripts"
  for script; do (cd "$base" && cat "$script") || exit; done
}
# pip lies in the env itself.
find_version_of_pip() {
  version_of_pip=
  [ -z "$uv" ] || return 0
  for pip in "$env"/lib/python*/site-packages/pip-*.dist-info; do
    pip=${pip##*/pip-}
    version_of_pip=${pip%.dist-info}
  done
}
all=$(inputs) || exit
asked=$(
  git hash-object --stdin <<END
$all
END
) || exit
# What was resolved for that before: for this release, or for the one that serves.
known='' id=- serves=
IFS= read -r serves 2>/dev/null <"$link/.git/HEAD"
for list in "$kept/$release/requirements" "$kept/$serves/requirements"; do
  if [ "$upgrade$known" != no ] || [ ! -f "$list" ] || ! IFS= read -r first <"$list"; then continue; fi
  case $first in "# $asked "*) known=$list id=${first##* } ;; esac
done
find_maker() {
  find_version_of_pip
  made_by="${uv:+uv}$version_of_pip in $env"
}
find_maker
if [ "$reinstall$upgrade" = nono ] && ! says editable && [ ! -L "$env" ] && [ -x "$env/bin/python" ]; then
  read -r was_asked was_id was_made 2>/dev/null <"$env/.buedafab" && [ "$was_asked" = "$asked" ] && [ "$was_made" = "$made_by" ] &&
    { [ -z "$known" ] || [ "$was_id" = "$id" ]; } && exit 0
fi
rm -f "$env/.buedafab"

# One that was made elsewhere, by another Python, or that is broken, is made again.
fits() {
  [ ! -L "$env" ] && [ "$reinstall" = no ] || return
  # A copy runs, but its scripts still lead to where it came from.
  grep -qF -e "$env" "$env/bin/activate" 2>/dev/null || return
  wanted=$("$interpreter" -c 'import os, sys; print(os.path.realpath(sys.executable))')
  "$env/bin/python" -c 'import os, sys
real = os.path.realpath
sys.exit(real(sys.prefix) != real(sys.argv[1]) or real(sys.executable) != sys.argv[2])' "$env" "$wanted" 2>/dev/null || return
  [ -n "$uv" ] || can_report
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
# No download is waited for longer than it takes to see that there is no network.
export UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR="${UV_CACHE_DIR:-$cache}" UV_PROJECT_ENVIRONMENT="$env" UV_NO_PROGRESS=1
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-15}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-2}"
export PIP_DEFAULT_TIMEOUT="${PIP_DEFAULT_TIMEOUT:-15}" PIP_RETRIES="${PIP_RETRIES:-2}" PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_PROGRESS_BAR=off
unset VIRTUAL_ENV PYTHONHOME
if ! fits; then
  rm -rf "$env"
  echo "making $name with $interpreter"
  if [ -n "$uv" ]; then
    "$uv" venv --quiet --python "$interpreter" "$env"
  else
    "$interpreter" -m venv "$env"
  fi || say_and_stop "the virtualenv can't be made; Debian has what it takes in the package python3-venv"
fi
# Where packages come from is the host's to say, whichever of the two it says that to.
if [ -n "$uv" ]; then
  told=$("$env/bin/python" -c "$index_settings") || say_and_stop "what this host tells pip can't be told to uv; \`installer = \"pip\"\` reads it itself"
  eval "$told"
fi

# Private packages are a requirement file of their own.
own=
if [ -n "$private" ]; then
  own=$env/.private
  missing=$(printf '%s\n' "$private" | while read -r place; do [ -f "$packages/$place" ] || echo "$place"; done)
  [ -z "$missing" ] || say_and_stop "$packages/$missing isn't there any more: deploy again"
  printf '%s\n' "$private" | sed "s|^|$packages_url/|" >"$own" || exit
fi
hashes=
if [ "$require_hashes" = yes ] || says hashed; then hashes=yes; fi
if [ -n "$itself" ]; then
  echo . >"$env/.itself" || exit
  set -- "$env/.itself"
fi
# Where nothing but what is named may be installed, private packages come last, and change nothing of the rest.
last=
[ -z "$own" ] || [ -z "$locked$hashes" ] || last=yes
[ -z "$own" ] || [ -n "$last" ] || set -- "$@" "$own"

# What was resolved for others, too, the latest first.
earlier=$(for list in "$kept/$release/requirements" "$kept/$serves/requirements"; do [ ! -f "$list" ] || echo "$list"; done
  ls -t "$kept"/*/requirements 2>/dev/null)
fresh=
[ "$upgrade" = no ] || earlier='' fresh=--refresh
[ -n "$known" ] || known=$(printf '%s\n' "$earlier" | while IFS= read -r list; do
  if [ -z "$list" ] || ! IFS= read -r first <"$list"; then continue; fi
  case $first in "# $asked "*) printf '%s\n' "$list" && break ;; esac
done)
# What an installer is told and what it answers may hold names and passwords of an index: that is for those who deploy.
shut() { if [ -g "$kept/$release" ]; then chmod o-rwx "$1"; else chmod go-rwx "$1"; fi; }
answers=$env/.answers
mkdir -p "$kept/$release" "$answers" && shut "$answers" || exit
# Versions alone: what was resolved for other requirements decides nothing else.
pins_of() { sed -nE 's/^([A-Za-z0-9._-]+)(\[[^]]*\])?(==[^ ;\\]+).*/\1\3/p' "$1"; }
before=$answers/before
: >"$before" || exit
if [ -n "$earlier" ]; then
  pins_of "${earlier%%"$line"*}" >"$before"
elif [ "$upgrade" = no ] && [ -n "$pins" ]; then
  printf '%s\n' "$pins" >"$before"
fi
list=$answers/requirements

# Options of requirement files hold for what is installed because of them. What lies beside such a file is found from elsewhere,
# too.
of_files=$(printf '%s\n' "$asks" | sed -nE '/^[[:space:]]*(-i|--(index-url|extra-index-url|no-index|trusted-host|pre|no-binary|only-binary|prefer-binary))([[:space:]=]|$)/p
/^[[:space:]]*(-f|--find-links)[[:space:]=]+(\/|[^:]*:)/p'
  printf '%s\n' "$asks" | sed -n "s/^$mark links //p" | while read -r place; do echo "--find-links $PWD/$place"; done)

# Puts what was resolved into a file for each kind that there is: .local, what has such words as .hashed, and the rest as .index.
split_list() {
  rm -f "$list.local" "$list.hashed" "$list.index" &&
    of_files=$of_files awk -v list="$list" -v words="${1-}" -v is_local="$is_local" '
      !/^[[:space:]]/ { kind = list "." ($0 ~ is_local ? "local" : words && index($0, words) ? "hashed" : "index") }
      !(kind in seen) { seen[kind]; print ENVIRON["of_files"] >kind }
      { print >kind }' "$list"
}
# In exactly the versions that are asked for, and nothing besides.
install_with_uv() {
  if [ -n "$locked" ]; then
    sync_lock
  elif [ -n "$hashes" ]; then
    eval "\"\$uv\" pip sync --require-hashes --compile-bytecode --python \"\$env/bin/python\" $options $limits \"\$@\""
  elif [ $# -gt 0 ]; then
    if [ -n "$known" ]; then
      cp "$known" "$list"
    else
      # What stands in its output already is what uv prefers.
      cp "$before" "$list" &&
        eval "\"\$uv\" pip compile $fresh --generate-hashes --no-header --no-annotate --python \"\$env/bin/python\" $options $limits --output-file \"\$list\" \"\$@\"" >/dev/null
    fi || return
    # A version says nothing about what lies in a folder, so that is built and installed each time.
    split_list && { [ -e "$list.index" ] || printf '%s\n' "$of_files" >"$list.index"; } || return
    eval "\"\$uv\" pip sync --allow-empty-requirements --compile-bytecode --python \"\$env/bin/python\" $options \"\$list.index\"" || return
    [ ! -e "$list.local" ] ||
      eval "\"\$uv\" pip install --reinstall --no-deps --compile-bytecode --python \"\$env/bin/python\" $options -r \"\$list.local\""
  else
    eval "\"\$uv\" pip sync --allow-empty-requirements --python \"\$env/bin/python\" /dev/null"
  fi
}
# A lock that was made with another index says the same of versions and check sums as one that was made with this.
sync_lock() {
  again=$(printf '%s\n' "$lock" | awk -F '"' '/^name = /{ name = $2 } /^source = \{ (editable|directory) = /{ print "--reinstall-package " name }')
  said=$(eval "\"\$uv\" sync --locked --no-dev --compile-bytecode --python \"\$env/bin/python\" $again $options" 2>&1) && return
  if [ -n "$options${settings#"$line"}" ] && "$uv" export --quiet --locked --offline --no-dev --no-config --output-file "$list" >/dev/null 2>&1; then
    eval "\"\$uv\" pip sync --compile-bytecode --python \"\$env/bin/python\" $again $options \"\$list\""
  else
    printf '%s\n' "$said" >&2
    return 1
  fi
}
install_with_pip() {
  [ $# -gt 0 ] || return 0
  for file; do
    shift
    set -- "$@" -r "$file"
  done
  if ! can_report; then
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
  left=$("$env/bin/python" -c "$resolved" left "$list") || return
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
  if [ -n "$known" ]; then
    cp "$known" "$list" && pins_of "$list" >"$answers/pins" && pip_installs -c "$answers/pins" "$@"
  else
    preferring pip_installs "$@" && "$env/bin/python" -m pip freeze >"$list"
  fi
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
    eval "\"\$env/bin/python\" -m pip install $options $without -c \"\$answers/frozen\" -r \"\$own\""
  fi
}
# pip takes a wheel for one that it has installed already if only their versions are the same.
install_wheels_again() {
  [ -z "$uv" ] || return 0
  printf '%s\n' "$private" | grep '\.whl$' | while read -r place; do
    "$env/bin/python" -m pip install --quiet --no-deps --force-reinstall --no-index "$packages/$place" || exit
  done
}
echo "installing with ${uv:-pip}"
rm -f "$list"
{ if [ -n "$uv" ]; then install_with_uv "$@"; else install_with_pip "$@"; fi && install_last && install_wheels_again; } ||
  say_and_stop "the packages can't be installed, as told above; a host that can't reach the package index has to find them by \`pip_options\`"
versions=$(freeze) || exit
# What lies in the project comes with its commit. Nothing here is called by two names.
printf '%s\n' "$versions" | grep -vE '^(#|-e [./]|-e file:)|@ file:' >"$env/.versions"

# What names this slot is of no use in another, but for the versions in it.
id=-
if [ -s "$list" ]; then
  resolution=$(grep -v '^#' "$list")
  id=$(printf '%s\n' "$resolution" | git hash-object --stdin) || exit
  header="# $asked $id"
  ! grep -qF -e "$here" "$list" || header='#'
  new=$kept/$release/requirements.new
  : >"$new" && shut "$new" && printf '%s\n' "$header" "$resolution" >"$new" && mv -f "$new" "$kept/$release/requirements" || exit
fi

eval "set -- $scripts"
for script; do
  echo "running $script"
  case $script in /*) ;; *) script=./$script ;; esac
  (cd "$base" && "$script" "$env") || say_and_stop "$script failed"
done
find_maker
echo "$asked $id $made_by" >"$env/.buedafab"
