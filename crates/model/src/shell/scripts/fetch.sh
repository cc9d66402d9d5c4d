# Brings a commit into the clone in a slot, and ends well only where that clone can check it out. A damaged one is made anew beside
# it, and replaced when the new one is proven; what else is in the slot stays. Expects `slot`, `name`, `url`, `commit`, `aside`,
# `filled`, `lacks`, `has_own_work`, `holds`, `is_partial`, `missing`, `shares`, `no_mount_in` and `tell_what_is_in_the_way`; the slots beside it are the arguments.
# POSIX sh.
#
# Where it comes from is another script's (`from_remote`, `from_bundle`), which defines `bring INTO SIBLING…`, by which a clone gets the
# commit; `begin`, which makes a clone at "$slot.new" where no slot beside it can be cloned; `is_there CLONE`, whether all is there
# that the release takes; and `suspect`, whether the slot's clone may be damaged where nobody sees it.

# Git's own servers take nothing from the environment: a sibling of another user has to be called safe where it is read.
serve="git -c safe.directory='*' upload-pack"

has() { git -C "$1" cat-file -e "$commit^{commit}" 2>/dev/null; }

# No run is at work here, as the lock is ours; but git may still be packing, since the run before. Fails where there was no lock
# to take away.
unlock() {
  if [ -s .git/gc.pid ]; then
    read -r pid _ <.git/gc.pid
    if [ -d "/proc/$pid" ] && grep -q gc "/proc/$pid/cmdline" 2>/dev/null; then return 1; fi
  fi
  [ -n "$(find .git -path '*/objects/??' -prune -o -type f \( -name '*.lock' -o -name gc.pid \) -print -exec rm -f {} +)" ]
}

# Whether there is a lock where the shell sees it without a process; one on a single branch shows when it is fetched.
is_locked() {
  for file in .git/*.lock .git/gc.pid .git/modules; do [ ! -e "$file" ] || return 0; done
  return 1
}

# Has git pack what it keeps when there is much of it, as git judges. By itself it would ask after each fetch, by two processes.
pack() {
  set -- .git/objects/17/*
  [ $# -le 27 ] || { git gc --auto --quiet && return; }
  set -- .git/objects/pack/*.pack
  [ $# -le 50 ] || git gc --auto --quiet
}

give_up() {
  rm -rf "$slot.new"
  [ ! -d "$slot" ] || tell_what_is_in_the_way "$slot"
  [ -z "$damage" ] || echo "what git keeps in $name is damaged ($damage), and couldn't be made anew" >&2
  exit "$1"
}

# Files of the slot that somebody changed are still to be found: what they were changed from is written down again.
remember_commit() {
  was=
  [ ! -f "$slot/.git/HEAD" ] || IFS= read -r was <"$slot/.git/HEAD"
  case $was in
    '' | *[!0-9a-f]*)
      was=$(tail -n 1 "$slot/.git/logs/HEAD" 2>/dev/null)
      was=${was#* }
      was=${was%% *}
      ;;
  esac
  [ -n "$was" ] && { git -C "$slot.new" update-ref --no-deref HEAD "$was^{commit}" && git -C "$slot.new" read-tree "$was" && (cd "$slot.new" && skip_left_out); } 2>/dev/null
}

# What Git LFS keeps, and what was left out, is no change of anybody's for the new one either.
take_over() {
  mkdir -p "$2/info" || return
  for file in buedafab-lfs buedafab-part info/attributes info/sparse-checkout; do
    [ ! -f "$1/$file" ] || cp "$1/$file" "$2/$file" || return
  done
  [ ! -f "$2/info/sparse-checkout" ] || git config -f "$2/config" core.sparseCheckout true || return
  git config -f "$1/config" --get-regexp '^filter\.' 2>/dev/null | while read -r key value; do git config -f "$2/config" "$key" "$value"; done
}

# A clone isn't damaged that only lacks what no release took.
is_unfetched() { is_partial "$1" && [ -n "$(missing "$1" "$commit")" ]; }

# It goes on to hold only what releases take.
stay_partial() {
  git -C "$1" config core.repositoryFormatVersion 1 && git -C "$1" config remote.origin.promisor true &&
    git -C "$1" config remote.origin.partialCloneFilter blob:none
}

# A new clone with the commit at "$slot.new": from a slot beside it in this way, or else from where the release comes from.
clone_anew() {
  way=$1
  shift
  rm -rf "$slot.new" || return
  for sibling; do
    # What one doesn't hold that has only what releases took, nobody gets from it.
    if lacks "$sibling" || { is_partial "$sibling" && [ "$way" != --local ]; }; then continue; fi
    git -c init.defaultBranch=master clone --quiet --origin origin "$way" --no-checkout --upload-pack "$serve" -- "$sibling" "$slot.new" 2>/dev/null &&
      git -C "$slot.new" remote set-url origin "$url" && { ! is_partial "$sibling" || stay_partial "$slot.new"; } && break
    rm -rf "$slot.new"
  done
  [ -d "$slot.new" ] || begin || return
  { has "$slot.new" && is_there "$slot.new"; } || bring "$slot.new" "$@"
}

make_anew() {
  no_mount_in "$slot" || exit
  # Who is stopped leaves nothing of a release's size.
  trap 'rm -rf "$slot.new"; exit 143' HUP INT TERM
  # What is shared may be damaged, or be on another disk: a stream of what git reads is checked.
  if [ -z "$shares" ] || ! clone_anew --local "$@" 2>/dev/null; then
    clone_anew --no-local "$@" || give_up $?
  fi
  if [ ! -d "$slot" ] || [ -L "$slot" ]; then
    rm -rf "$slot" && mv "$slot.new" "$slot"
    exit
  fi
  old=$slot/.git
  take_over "$old" "$slot.new/.git" || give_up $?
  remember_commit || [ ! -e "$filled" ] || echo "what somebody may have changed in $name can't be told from the release any more"
  if has_own_work "$slot"; then
    mkdir -p "$aside" && mv "$old" "$aside/.git" || exit
    echo "what git kept in $name before is kept in $aside/.git"
  elif [ -d "$old/modules" ]; then
    mv "$old/modules" "$slot.new/.git/modules" || exit
  fi
  { rm -rf "$old" && mv "$slot.new/.git" "$old" && rm -rf "$slot.new"; } || give_up $?
  [ -z "$damage" ] || echo "what git keeps in $name was damaged ($damage), so it was made anew"
}

damage=
if lacks "$slot"; then
  # Where nothing of ours was, nothing is damaged.
  if [ -d "$slot/" ] && { [ "$part" != 'it is gone' ] || [ -e "$filled" ]; }; then damage=$part; fi
elif [ -n "$suspect" ] && ! git -C "$slot" fsck --connectivity-only --no-dangling --no-progress >/dev/null 2>&1; then
  damage='git finds errors in it'
else
  cd "$slot" || exit
  # Before, git kept the name and password of the remote.
  while IFS= read -r line; do
    case $line in *"url = http"*://*@*) git remote set-url origin "$url" && break ;; esac
  done <.git/config
  ! is_locked || unlock
  if has .; then
    ! is_there . || exit 0
    holds . "$commit" || is_unfetched . || damage='objects can'\''t be read'
  fi
  if [ -n "$damage" ]; then
    :
  elif said=$(bring . "$@" 2>&1) || { status=$? && unlock && said=$(bring . "$@" 2>&1); }; then
    pack
    exit 0
  else
    if { ! has . || is_unfetched . || holds . "$commit"; } && git fsck --connectivity-only --no-dangling --no-progress >/dev/null 2>&1; then
      printf '%s\n' "$said" >&2
      tell_what_is_in_the_way "$slot/.git"
      exit $status
    fi
    damage='git finds errors in it'
  fi
  cd .. || exit
fi
make_anew "$@"
