# Defines `bring_lfs` for `place_lfs`: the host's own git-lfs asks the LFS server of the remote at url, in the repository that it is called
# in. POSIX sh.

bring_lfs() {
  if ! command -v git-lfs >/dev/null; then
    echo "git-lfs isn't on this host" >&2
    return 1
  fi
  # Its addresses may have moved since the clone was made; that of a submodule was read just now.
  [ -n "$prefix" ] || git config remote.origin.url "$url" || return
  # Where a remote is a folder, what stands in the command would hold there, too.
  git config lfs.storage "$store" || return
  # Nobody's choice of what to have at hand leaves anything out.
  git lfs fetch --include= --exclude= origin "$(git rev-parse HEAD)"
}
