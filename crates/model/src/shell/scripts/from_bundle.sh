# Defines how a clone gets a commit from what the deployer sends, and from the slots beside it that this builds on, for `fetch`. No
# remote is asked. POSIX sh.
#
# Expects besides: bundle, the file that was sent, or nothing; thin, whether it builds on what slots hold; modules, the commits of
# submodules that the release has; submodules, whether it has any; whole, the file by which all of a release is asked for the next
# time.

# Of what a release's submodules take, the clone itself holds the objects: it is noted for which commit it has all of them.
has_modules() {
  of=
  [ ! -f "$1/.git/buedafab-modules" ] || IFS= read -r of <"$1/.git/buedafab-modules"
  [ "$of" = "$commit" ]
}

suspect=
[ ! -e "$whole" ] || suspect=yes

is_there() { holds "$1" "$commit" && { [ -z "$submodules" ] || has_modules "$1"; }; }

begin() {
  git -c init.defaultBranch=master init --quiet "$slot.new" && git -C "$slot.new" remote add origin "$url"
}

# A bundle can be taken only where what it builds on hangs on a name: so what comes from beside gets one.
bring() {
  into=$1 beside=0 complete=$modules
  shift
  for sibling; do
    beside=$((beside + 1))
    ! lacks "$sibling" || continue
    git -C "$into" fetch --quiet --no-recurse-submodules --upload-pack "$serve" "$sibling" "+HEAD:refs/buedafab/beside/$beside" \
      '+refs/buedafab/modules/*:refs/buedafab/modules/*' 2>/dev/null || continue
    ! has_modules "$sibling" || complete=yes
    [ -n "$bundle" ] || ! holds "$into" "$commit" || break
  done
  if [ -n "$bundle" ]; then
    git -C "$into" -c gc.auto=0 -c maintenance.auto=false fetch --quiet --no-recurse-submodules -- "$bundle" \
      '+refs/buedafab/*:refs/buedafab/*' '+refs/tags/*:refs/tags/*' || {
      status=$?
      [ -z "$thin" ] || git -C "$into" bundle verify "$bundle" >/dev/null 2>&1 || ask_for_all
      return $status
    }
  fi
  if has "$into" && holds "$into" "$commit" && name_them; then
    git -C "$into" remote set-url origin "$url" && note_modules || return
    # A clone says in its log that it is one.
    [ "$into" != "$slot.new" ] || git -C "$into" update-ref -m 'clone: from a bundle' --no-deref HEAD "$commit" || return
    [ ! -e "$whole" ] || rm -f "$whole"
    return 0
  fi
  if [ -z "$bundle" ] || [ -n "$thin" ]; then ask_for_all; fi
  return 1
}

name_them() {
  {
    printf 'update refs/buedafab/release %s\n' "$commit"
    for module in $modules; do printf 'update refs/buedafab/modules/%s %s\n' "$module" "$module"; done
  } | git -C "$into" update-ref --stdin 2>/dev/null
}

note_modules() {
  [ -z "$submodules" ] || [ -z "$complete" ] || echo "$commit" >"$into/.git/buedafab-modules"
}

# A person does nothing about it but to do it again.
ask_for_all() {
  : >"$whole"
  echo "what the slots of this host hold isn't what the bundle builds on: do it again, and all of $commit is sent" >&2
}
