# Changes the app's file of variables, which only those who deploy can read, and keeps the one before. POSIX sh.
#
# Assignments stand before this text: file; edit, set, unset, replace or restore; name, of a variable; group, of those who deploy,
# or nothing. What is set, or the whole new file, comes on standard input: never on a command line, where everybody could read it.
# `env_entries` is defined.

# The file is for nobody else, the folder for everybody: the web server's page lies there, too.
mkdir -p "${file%/*}" || exit
mode=600
# Who may write the folder replaces the file.
[ -z "$group" ] || mode=640
# As a person gave it: a web server may be who reads it.
if [ -f "$file" ]; then
  given=$(stat -c '%a %g' -- "$file") || exit
  [ "$given" = "600 $(id -g)" ] || mode=${given% *} group=${given#* }
fi
umask 077
new=$file.new
former=$file.former
if [ -e "$file" ] && [ ! -r "$file" ]; then
  echo "$(id -un) can't read $file, which belongs to $(stat -c %U "$file")" >&2
  exit 1
fi
# Who shares the folder may have left half a file of theirs there, or a link, which would be followed.
rm -f "$new" "$former.new" || exit
# However it ends, no half of it stays: there are secrets in it.
trap 'rm -f "$new" "$former.new"' EXIT
trap 'exit 1' HUP INT TERM
set -C
others() { [ ! -f "$file" ] || env_entries others "$file" "$name"; }
case $edit in
  set) { others && cat; } >"$new" ;;
  unset)
    if [ ! -f "$file" ] || ! env_entries has "$file" "$name"; then
      echo "there is no $name in $file" >&2
      exit 1
    fi
    others >"$new"
    ;;
  replace) cat >"$new" ;;
  restore)
    if [ ! -f "$former" ]; then
      echo "there is no version before this one" >&2
      exit 1
    fi
    cat "$former" >"$new"
    ;;
esac || exit
if [ -f "$file" ] && cmp -s "$file" "$new"; then
  echo 'nothing has changed'
  exit
fi
give() {
  [ -z "$group" ] || chgrp -h "$group" "$1" 2>/dev/null || case $mode in
    # All may read it, of whatever group it is.
    *[4-7]) ;;
    *)
      echo "$(id -un) can't give $1 to the group $group, which reads $file: nothing was changed" >&2
      return 1
      ;;
  esac && chmod "$mode" "$1"
}
keep_former() { [ ! -f "$file" ] || { cat "$file" >"$former.new" && give "$former.new" && mv -f "$former.new" "$former"; }; }
keep_former && give "$new" && mv -f "$new" "$file" || exit 1
