# Defines `git_with_lfs …`, git that puts contents in the places of the pointers of Git LFS and fails where it can't, whatever is set up
# here; and `need_lfs FOLDER COMMIT`, which fails, and says so, where there is no git-lfs and a commit needs it. `lfs_files` is defined, and
# hooks, a folder of our own: git-lfs puts its hooks into any repository that it works in, which is nobody's wish here. POSIX sh, on the
# deployer.

git_with_lfs() {
  if ! command -v git-lfs >/dev/null; then
    git "$@"
    return
  fi
  GIT_LFS_SKIP_SMUDGE=0 git -c core.hooksPath="$hooks" -c filter.lfs.process='git-lfs filter-process' -c filter.lfs.smudge='git-lfs smudge -- %f' \
    -c filter.lfs.clean='git-lfs clean -- %f' -c filter.lfs.required=true -c lfs.fetchinclude= -c lfs.fetchexclude= "$@"
}

need_lfs() (
  cd "$1" && files=$(lfs_files "$2") || exit
  [ -n "$files" ] && ! command -v git-lfs >/dev/null || exit 0
  echo "git-lfs isn't on this machine, and Git LFS keeps files of this release, such as $(printf '%s\n' "$files" | sed 's/^[0-9a-f]* [0-9]* //;q')" >&2
  exit 1
)
