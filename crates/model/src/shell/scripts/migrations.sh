# Asks for the migrations that a database has and an older release doesn't know; says them, refuses, or undoes them from the
# release that knows them. POSIX sh.
#
# Assignments stand before this text: older and newer, the folders of the releases, and older_name and newer_name, what they are called; older_app and newer_app, where in them the app
# lies; env, the virtualenv's name in them; program, which asks Django; mode: say, refuse or undo; wanted, what a person has said yes to
# where it undoes.

manage() {
  release=$1
  shift
  case $release in "$older") app=$older_app ;; *) app=$newer_app ;; esac
  (cd "$release/$app" && PATH="$release/$env/bin:$PATH" && export PATH VIRTUAL_ENV="$release/$env" && python manage.py "$@")
}
# ask RELEASE WHAT, with what it reads on standard input
ask() (
  export BUEDAFAB_ASKS="$2" BUEDAFAB_PROGRAM="$program"
  manage "$1" shell -v 0 -c 'import os; exec(os.environ["BUEDAFAB_PROGRAM"], {"__name__": "buedafab"})'
)
marked() { printf '%s\n' "$said" | sed -n "s/^$1 //p"; }
said=$(ask "$older" known </dev/null) || {
  echo "the database can't be asked for its migrations by $older_name" >&2
  exit 1
}
known=$(marked BUEDAFAB)
strange=$(marked STRANGE)
case $mode in
  say) printf '%s\n' "$known" | ask "$newer" unknown ;;
  refuse)
    # A release that can't start any more can't say which of them were squashed away long ago.
    if said=$(printf '%s\n' "$known" | ask "$newer" unknown 2>/dev/null); then strange=$(marked STRANGE); fi
    [ -n "$strange" ] || exit 0
    {
      echo "the database has migrations that the release in slot $older_name doesn't know:"
      printf '%s\n' "$strange" | sed 's/^/  /'
      echo "--keep-schema leaves them; rollback --reverse-migrations undoes them first, and says before what is lost by that"
    } >&2
    exit 1
    ;;
  undo)
    printf '%s\n%s\n' "$known" "$wanted" | ask "$newer" undo || {
      echo "$newer_name still serves; if some of them are undone already, its own migrate brings their tables and columns back, empty" >&2
      exit 1
    }
    ;;
esac
