# Makes the submodules of the slot in which it runs those of its commit, and nothing else. Expects `name`, `no_mount_in`, `lfs_files`; `lfs`, whether the plan
# knows of files that Git LFS keeps, or nothing; `before`, what
# is done at each level before git looks for them; and `hint`, what a person should know where one can't be had. POSIX sh.

# Level by level: where the submodules of a submodule come from stands in its own files, which have to be those of its commit first.
# It is a program for the shells that git starts.
# shellcheck disable=SC2016,SC2089
level='git submodule --quiet sync && eval "$before" && git submodule --quiet update --init --force &&
  git submodule --quiet foreach '\''git clean -ffdxq && { [ ! -f .gitmodules ] || eval "$level"; }'\'
# shellcheck disable=SC2090
export level before
said=.git/submodules.said

# Whether git finds errors in any of their clones, or a folder that says that it has one has none.
are_damaged() {
  {
    find . -xdev -name node_modules -prune -o -name .git -type f -print
    ! [ -d .git/modules ] || find .git/modules -type d \( -name objects -o -name refs \) -prune -print
  } >.git/submodules.found
  while IFS= read -r found; do
    case $found in
      .git/modules/*) git --git-dir="${found%/*}" fsck --connectivity-only --no-dangling --no-progress >/dev/null 2>&1 || return 0 ;;
      *) git -C "${found%/*}" rev-parse --git-dir >/dev/null 2>&1 || return 0 ;;
    esac
  done <.git/submodules.found
  return 1
}

make_anew() {
  no_mount_in . || return
  rm -rf .git/modules.old
  ! [ -d .git/modules ] || mv .git/modules .git/modules.old || return
  # It complains of each clone that is gone.
  if git submodule --quiet deinit --force --all 2>/dev/null && eval "$level"; then
    rm -rf .git/modules.old
    echo "what git keeps of the submodules of $name was of no use, so it was made anew"
  else
    rm -rf .git/modules
    ! [ -d .git/modules.old ] || mv .git/modules.old .git/modules
    return 1
  fi
}

# Those in folders that aren't checked out are no part of the release.
leave_out() {
  git config -z -f .gitmodules --get-regexp '^submodule\..*\.path$' | tr '\n\0' '\t\n' >.git/submodules.named
  if [ -f .git/buedafab-left-out ]; then
    while IFS= read -r key; do git config --unset "$key"; done <.git/buedafab-left-out
    rm -f .git/buedafab-left-out
  fi
  left_out | sed -n 's/^160000 //p' >.git/submodules.found
  while IFS= read -r path; do
    module=$(path=$path awk -F '\t' '$2 == ENVIRON["path"] { print substr($1, 11, length($1) - 15) }' .git/submodules.named)
    # Git leaves them where they are.
    if [ -e "./$path" ]; then no_mount_in "./$path" && rm -rf "./$path" && rmdir -p "./${path%/*}" 2>/dev/null; fi
    echo "submodule.$module.update" >>.git/buedafab-left-out
    git update-index --skip-worktree -- "$path" && git config "submodule.$module.update" none || return
  done <.git/submodules.found
  rm -f .git/submodules.named
}

if [ -f .gitmodules ] && { [ -f .git/buedafab-part ] || [ -f .git/buedafab-left-out ]; }; then leave_out || exit; fi

eval "$level" 2>$said || {
  if are_damaged; then make_anew; else cat $said >&2; false; fi
} || {
  rm -f $said .git/submodules.found
  echo "$hint" >&2
  exit 1
}
rm -f $said .git/submodules.found
# A plan that knows of them has a step for them.
if [ -z "$lfs" ]; then
  # shellcheck disable=SC2016
  marked=$(git submodule --quiet foreach --recursive '! git grep -q -F -e filter=lfs HEAD -- ":(top,glob)**/.gitattributes" || printf "%s\n" "$displaypath"' 2>/dev/null)
  printf '%s\n' "$marked" | while IFS= read -r submodule; do
    [ -n "$submodule" ] || continue
    files=$(cd "$submodule" && lfs_files HEAD) || exit
    [ -n "$files" ] || continue
    echo "Git LFS keeps files of the submodule $submodule, which nobody could see that deploys: in your checkout, git submodule update --init --recursive" >&2
    exit 1
  done
fi
