# Brings the virtualenv of a slot to just what its release asks for. POSIX sh.
#
# Assignments stand before this text: slot, the folder of the release; app, where in it the app lies, with the requirement files;
# name, the virtualenv's in the slot; python; installer (auto, uv or pip); is_package, a pattern; options, words for the installer, quoted for eval;
# require_hashes, yes or no; constraints, files, a line each, and limits, the words that tell an installer of them; pins, what other
# hosts have, a line each; private, the private packages of this release, a line each, or written_down, yes; record, a file that
# they are written down in; packages, the folder that they lie in, and packages_url; kept, the folder of what is kept of releases,
# and release, the commit; link, what leads to the live release; unpacked, the list of the release's files, where
# it came as an archive, and notes, the folder of such lists; decode, index_settings, resolved and move_env, programs for Python; cache, a folder
# for uv; reinstall and upgrade, yes or no; scripts, words quoted for eval. The requirement files are the arguments. `replace`
# is defined, and what unpacked.sh, asked.sh, install.sh and seed_env.sh define.
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
' tab='	'
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

# What is kept of a release, what an installer is told and what it answers may hold names and passwords of an index: that is for
# those who deploy.
close() { if [ -g "$kept/$release" ]; then umask 007; else umask 077; fi; }

# What no index has lies on this host, and which of it is wanted is written down for the way back.
if [ "$written_down" = yes ]; then
  private=$(cat "$record" 2>/dev/null)
elif [ -n "$private" ]; then
  mkdir -p "${record%/*}" && printf '%s\n' "$private" | (close && replace "$record") || exit
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

asks=$(files "$@") || exit
says() { case $line$asks$line in *"$line$mark $1$line"*) ;; *) return 1 ;; esac }

# Everything that decides what the env holds.
inputs() {
  printf '%s\n' "format 3" "${uv:-pip}" "$interpreter" "$(stat -L -c '%d %i %s %Y' -- "$interpreter" ${uv:+"$uv"})" \
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
# As git names it, whether there is one or not.
id_of() {
  git hash-object --stdin 2>/dev/null <<TEXT && return
$1
TEXT
  { printf 'blob %d\0' "$(printf '%s\n' "$1" | wc -c)" && printf '%s\n' "$1"; } | sha1sum | cut -c 1-40
}
asked=$(id_of "$all") || exit
# What was resolved for that before: for this release, or for the one that serves.
known='' id=- serves=
IFS= read -r serves 2>/dev/null <"$link/.git/HEAD"
for list in "$notes"/*.unpacked; do
  serving=${list##*/}
  # shellcheck disable=SC3013
  if [ -f "$list" ] && [ "$link/." -ef "${link%/*}/${serving%.unpacked}/." ]; then IFS= read -r serves <"$list"; fi
done
answers_this() { [ -f "$1" ] && IFS= read -r first <"$1" && case $first in "# $asked "*) ;; *) false ;; esac; }
for list in "$kept/$release/requirements" "$kept/$serves/requirements"; do
  if [ "$upgrade$known" = no ] && answers_this "$list"; then known=$list id=${first##* }; fi
done
find_maker() {
  find_version_of_pip
  made_by="${uv:+uv}$version_of_pip in $env"
}
find_maker
# What is built beside its sources goes with `git clean`: it is kept in the env, and put back while all that it came from is the same.
built=$env/.built
builds_here() { [ -n "$scripts" ] || says editable; }
changed_here() {
  if [ -f "$unpacked" ]; then (cd "$slot" && changed_since "$unpacked"); else git -c safe.directory='*' diff --name-only HEAD; fi
}
files_here() {
  (cd "$here" && find . \( -path "./$name" -o -name .git \) -prune -o ! -type d -print &&
    changed_here | sed 's/^/changed /') | LC_ALL=C sort
}
keep_built() (
  cd "$here" && mkdir "$built" && files_here | LC_ALL=C comm -13 "$answers/here" - >"$answers/built" &&
    ! grep -q '^changed ' "$answers/built" && "$interpreter" -c 'import os, shutil, sys
for path in sys.stdin.read().split("\n")[:-1]:
    there = os.path.join(sys.argv[1], path)
    os.makedirs(os.path.dirname(there), exist_ok=True)
    shutil.copy2(path, there, follow_symlinks=False)' "$built" <"$answers/built"
)
put_back() { ! builds_here || { [ -d "$built" ] && cp -RP "$built/." "$here"; }; }
seed_env
if [ "$reinstall$upgrade" = nono ] && [ ! -L "$env" ] && [ -x "$env/bin/python" ]; then
  read -r was_asked was_id was_made 2>/dev/null <"$env/.buedafab" && [ "$was_asked" = "$asked" ] && [ "$was_made" = "$made_by" ] &&
    { [ -z "$known" ] || [ "$was_id" = "$id" ]; } && put_back && exit 0
fi
rm -rf "$env/.buedafab" "$built"

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
# Where packages come from is the host's to say, whichever of the two it says that to. No argument holds a password.
case $uv$options in
  /* | *://*@*)
    told=$(eval "printf '%s\\n' $options" | "$env/bin/python" -c "$index_settings" "${uv:+uv}") ||
      say_and_stop "where packages come from can't be told to ${uv:-pip}${uv:+; \`installer = \"pip\"\` reads itself what this host tells pip}"
    eval "$told"
    ;;
esac

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
  ! answers_this "$list" || { printf '%s\n' "$list" && break; }
done)
answers=$env/.answers
rm -rf "$answers" && mkdir -p "$kept/$release" && (close && mkdir "$answers") || exit
# Versions alone: what was resolved for other requirements decides nothing else.
pins_of() { sed -nE 's/^([A-Za-z0-9._-]+)(\[[^]]*\])?(==[^ ;\\]+).*/\1\3/p' "$1"; }
before=$answers/before
: >"$before" || exit
if [ -n "$earlier" ]; then
  pins_of "${earlier%%"$line"*}" >"$before"
elif [ "$upgrade" = no ] && [ -n "$pins" ]; then
  printf '%s\n' "$pins" >"$before"
fi
list=$answers/requirements sums=$env/.sums

# Options of requirement files hold for what is installed because of them. What lies beside such a file is found from elsewhere,
# too.
of_files=$(printf '%s\n' "$asks" | sed -nE '/^[[:space:]]*(-i|--(index-url|extra-index-url|no-index|trusted-host|pre|no-binary|only-binary|prefer-binary))([[:space:]=]|$)/p
/^[[:space:]]*(-f|--find-links)[[:space:]=]+(\/|[^:]*:)/p'
  printf '%s\n' "$asks" | sed -n "s/^$mark links //p" | while read -r place; do echo "--find-links $PWD/$place"; done)

echo "installing with ${uv:-pip}"
! builds_here || files_here >"$answers/here" || exit
{ if [ -n "$uv" ]; then install_with_uv "$@"; else install_with_pip "$@"; fi && install_last; } ||
  say_and_stop "the packages can't be installed, as told above; a host that can't reach the package index has to find them by \`pip_options\`"
[ ! -e "$answers/sums" ] || mv -f "$answers/sums" "$sums" || exit
versions=$(freeze) || exit
# What lies in the project comes with its commit. Nothing here is called by two names.
printf '%s\n' "$versions" | grep -vE '^(#|-e [./]|-e file:)|@ file:' >"$env/.versions"

# What names this slot is of no use in another, but for the versions in it.
id=-
if [ -s "$list" ]; then
  resolution=$(grep -v '^#' "$list")
  id=$(id_of "$resolution") || exit
  header="# $asked $id"
  ! grep -qF -e "$here" "$list" || header='#'
  printf '%s\n' "$header" "$resolution" | (close && replace "$kept/$release/requirements") || exit
fi

eval "set -- $scripts"
for script; do
  echo "running $script"
  case $script in /*) ;; *) script=./$script ;; esac
  (cd "$base" && "$script" "$env") || say_and_stop "$script failed"
done
# Where it can't be kept, it is built each time.
! builds_here || keep_built 2>/dev/null || rm -rf "$built"
find_maker
echo "$asked $id $made_by" >"$env/.buedafab"
