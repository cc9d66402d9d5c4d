# Brings the virtualenv of a slot to just what its release asks for. POSIX sh.
#
# Assignments stand before this text: slot, the folder of the release; app, where in it the app lies, with the requirement files; name,
# the virtualenv's in the slot; python; installer
# (auto, uv or pip); options, words for the installer, quoted for eval; constraints, files, a line each, and limits, the words
# that tell an installer of them; private, the private packages of this release, a line each, or written_down, yes; record, a
# file that they are written down in; packages, the folder that they lie in, and packages_url; prune, a program for Python;
# cache, a folder for uv; reinstall, yes or no; scripts, words quoted for eval. The requirement files are the arguments.
#
# What the env was made from is summed up in env/.buedafab: while that is still so, nothing is run at all.

say_and_stop() {
  echo "$1" >&2
  exit 1
}

cd "$slot" || exit
env=$PWD/$name
cd "$app" || exit
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
# A lock decides what a project without requirement files needs.
locked='' itself=''
if [ $# = 0 ] && [ -f uv.lock ]; then
  locked=yes
  [ -n "$uv" ] || say_and_stop "uv.lock is uv's, and there is no uv on this host"
elif [ $# = 0 ] && [ -f pyproject.toml ]; then
  itself=yes
fi

# What no index has lies on this host, and which of it is wanted is written down for the way back.
if [ "$written_down" = yes ]; then
  private=$(cat "$record" 2>/dev/null)
elif [ -n "$private" ]; then
  mkdir -p "${record%/*}" && printf '%s\n' "$private" >"$record.new" && mv -f "$record.new" "$record" || exit
elif [ -e "$record" ]; then
  rm -f "$record" || exit
fi

# Everything that decides what the env holds. It is gone through in every deploy: what would start a process is asked for
# only where a file makes it likely.
inputs() {
  printf '%s\n' "format 1" "$env" "${uv:-pip}" "$(readlink -f "$interpreter")" "$options" "$scripts"
  [ -z "$private" ] || printf 'private %s\n' "$private"
  list=$constraints seen=$line commit=${itself:-no}
  for file; do list=$list${list:+$line}$file; done
  while [ -n "$list" ]; do
    file=${list%%"$line"*}
    case $list in *"$line"*) list=${list#*"$line"} ;; *) list= ;; esac
    case $seen in *"$line$file$line"*) continue ;; esac
    seen=$seen$file$line
    [ -f "$file" ] || say_and_stop "the requirement file $file isn't there"
    text=$(cat "$file") || exit
    printf 'file %s\n%s\n' "$file" "$text"
    case $line$text in
      *"$line"[-.[:space:]]* | *file:*) ;;
      *) continue ;;
    esac
    # What a file includes lies beside it.
    case $file in */*) folder=${file%/*}/ ;; *) folder= ;; esac
    included=$(sed -nE 's/^[[:space:]]*(-r|-c|--requirement|--constraint)[[:space:]=]*([^[:space:]#]+).*/\2/p' "$file" |
      while read -r name; do case $name in /*) echo "$name" ;; *) echo "$folder$name" ;; esac; done)
    [ -z "$included" ] || list=$included${list:+$line$list}
    # A part of the project itself may change with every commit.
    ! grep -qE '^[[:space:]]*(-e|--editable|\.|file:)|@[[:space:]]*file:' "$file" || commit=yes
  done
  [ "$commit" = no ] || git -c safe.directory='*' rev-parse HEAD
  [ -z "$locked" ] || cat uv.lock pyproject.toml
  eval "set -- $scripts"
  for script; do cat "$script" || exit; done
}
all=$(inputs "$@") || exit
sum=$(git hash-object --stdin <<END
$all
END
) || exit
if [ "$reinstall" = no ] && [ ! -L "$env" ] && [ -x "$env/bin/python" ]; then
  read -r known 2>/dev/null <"$env/.buedafab" && [ "$known" = "$sum" ] && exit 0
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
  [ -n "$uv" ] || "$env/bin/python" -m pip --version >/dev/null 2>&1
}
# No download is waited for longer than it takes to see that there is no network.
export UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR="${UV_CACHE_DIR:-$cache}" UV_PROJECT_ENVIRONMENT="$env"
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-15}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-2}"
export PIP_DEFAULT_TIMEOUT="${PIP_DEFAULT_TIMEOUT:-15}" PIP_RETRIES="${PIP_RETRIES:-2}" PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
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

# Private packages are a requirement file of their own.
own=
if [ -n "$private" ]; then
  own=$env/.private
  missing=$(printf '%s\n' "$private" | while read -r place; do [ -f "$packages/$place" ] || echo "$place"; done)
  [ -z "$missing" ] || say_and_stop "$packages/$missing isn't there any more: deploy again"
  printf '%s\n' "$private" | sed "s|^|$packages_url/|" >"$own" || exit
fi
hashes=
[ $# = 0 ] || ! cat "$@" | grep -q -e '--hash=' || hashes=yes
# Where nothing but what is named may be installed, private packages come last, and change nothing of the rest.
last=
[ -z "$own" ] || [ -z "$locked$hashes" ] || last=yes
[ -z "$own" ] || [ -n "$last$itself" ] || set -- "$@" "$own"

# In exactly the versions that are asked for, and nothing besides.
install_with_uv() {
  if [ -n "$locked" ]; then
    eval "\"\$uv\" sync --quiet --locked --no-dev --compile-bytecode --python \"\$env/bin/python\" $options"
  elif [ -n "$itself" ]; then
    eval "\"\$uv\" pip install --quiet --compile-bytecode --python \"\$env/bin/python\" $options $limits . \${own:+-r \"\$own\"}"
  elif [ -n "$hashes" ]; then
    eval "\"\$uv\" pip sync --quiet --require-hashes --compile-bytecode --python \"\$env/bin/python\" $options \"\$@\""
  else
    eval "\"\$uv\" pip compile --quiet --python \"\$env/bin/python\" $options $limits --output-file \"\$env/.requirements\" \"\$@\"" >/dev/null &&
      eval "\"\$uv\" pip sync --quiet --allow-empty-requirements --compile-bytecode --python \"\$env/bin/python\" $options \"\$env/.requirements\""
  fi
}
install_with_pip() {
  if [ -n "$itself" ]; then
    eval "\"\$env/bin/python\" -m pip install --quiet $options $limits . \${own:+-r \"\$own\"}"
    return
  fi
  [ $# -gt 0 ] || return 0
  # pip leaves what was asked for once. Names of packages hold no blanks.
  pip_install_files "$@" && left=$("$env/bin/python" -c "$prune" "$@") || return
  [ -z "$left" ] || "$env/bin/python" -m pip uninstall --yes $left
}
install_last() {
  [ -n "$last" ] || return 0
  without=
  [ -z "$hashes" ] || without=--no-deps
  if [ -n "$uv" ]; then
    frozen=$("$uv" pip freeze --quiet --python "$env/bin/python") || return
    printf '%s\n' "$frozen" | grep '==' >"$env/.frozen"
    eval "\"\$uv\" pip install --quiet --compile-bytecode --python \"\$env/bin/python\" $options $without -c \"\$env/.frozen\" -r \"\$own\""
  else
    frozen=$("$env/bin/python" -m pip freeze) || return
    printf '%s\n' "$frozen" | grep '==' >"$env/.frozen"
    eval "\"\$env/bin/python\" -m pip install --quiet $options $without -c \"\$env/.frozen\" -r \"\$own\""
  fi
}
# pip takes a wheel for one that it has installed already if only their versions are the same.
install_wheels_again() {
  [ -z "$uv" ] || return 0
  printf '%s\n' "$private" | grep '\.whl$' | while read -r place; do
    "$env/bin/python" -m pip install --quiet --no-deps --force-reinstall --no-index "$packages/$place" || exit
  done
}
pip_install_files() {
  for file; do
    shift
    set -- "$@" -r "$file"
  done
  eval "\"\$env/bin/python\" -m pip install --quiet $options $limits \"\$@\""
}
echo "installing with ${uv:-pip}"
{ if [ -n "$uv" ]; then install_with_uv "$@"; else install_with_pip "$@"; fi && install_last && install_wheels_again; } ||
  say_and_stop "the packages can't be installed, as told above; a host that can't reach the package index has to find them by \`pip_options\`"

eval "set -- $scripts"
for script; do
  echo "running $script"
  case $script in /*) ;; *) script=./$script ;; esac
  "$script" "$env" || say_and_stop "$script failed"
done
echo "$sum" >"$env/.buedafab"
