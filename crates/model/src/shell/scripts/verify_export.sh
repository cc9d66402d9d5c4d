# Ends well where the folder is an export of the commit, without git, that another tool has made: it says so itself, and no file of
# the commit is newer than what was written down of it when it was adopted. A part of the proof of a slot: slot, commit, short and
# filled, the file of that time, stand before this text; and app, the app's folder, where the tool has a mirror. POSIX sh.

if [ ! -e .git ] && [ -f REVISION ] && [ -f "$filled" ]; then
  revision=
  IFS= read -r revision <REVISION || [ -n "$revision" ]
  case $commit in
    "$revision"*) [ ${#revision} -ge 7 ] ;;
    *) false ;;
  esac || {
    echo "$slot says that it holds ${revision:-nothing}, and not $short" >&2
    exit 1
  }
  newer=$(find . -xdev -type d \( -name node_modules -o -name __pycache__ \) -prune -o -type f -newer "$filled" -print | sed 's,^\./,,')
  for mirror in "$app/repo" "$app/.dep/repo"; do
    if [ -z "$newer" ] || [ ! -f "$mirror/HEAD" ]; then continue; fi
    # What isn't the commit's is the app's own.
    known=$(git --git-dir="$mirror" -c core.quotePath=false ls-tree -r --name-only "$commit" 2>/dev/null) || continue
    newer=$(printf '%s\n' "$newer" "$known" | sort | uniq -d)
  done
  [ -n "$newer" ] || exit 0
  echo "$slot is no longer as it was when it was adopted; files of $short that were changed since:" >&2
  printf '%s\n' "$newer" >&2
  exit 1
fi
