# Brings a clone of the project, which is kept for builds alone, to a commit and nothing else, but for what git ignores there: caches of
# a build. POSIX sh, on the deployer, in the project.
#
# Assignments stand before this text: clone; commit; remote, the one that addresses of submodules may be relative to; submodules, yes or no.
# `need_lfs` and `git_with_lfs` are defined.

root=$(git rev-parse --show-toplevel) || exit
url=$(git config "remote.$remote.url")
if ! git -C "$clone" rev-parse --git-dir >/dev/null 2>&1 || [ ! -d "$clone/.git" ]; then
  rm -rf "$clone" && mkdir -p "$clone" && git init --quiet "$clone" || exit
fi
cd "$clone" || exit
git fetch --quiet --force --tags --no-recurse-submodules -- "$root" HEAD '+refs/heads/*:refs/project/heads/*' '+refs/remotes/*:refs/project/remotes/*' || exit
git cat-file -e "$commit^{commit}" 2>/dev/null || git fetch --quiet --no-recurse-submodules -- "$root" "$commit" || exit
[ -z "$url" ] || git config remote.origin.url "$url" || exit
hooks=$PWD/.git/no-hooks
need_lfs . "$commit" || exit
# What Git LFS keeps is at hand in the project, mostly; as a setting of the clone, no remote takes it for its own.
lfs=$(cd "$root" && cd "$(git rev-parse --git-common-dir)" && pwd) && git config lfs.storage "$lfs/lfs" || exit
git_with_lfs -c advice.detachedHead=false -c submodule.recurse=false checkout --quiet --force --detach "$commit" && git clean -ffdq || exit
if [ "$submodules" = yes ]; then
  git submodule --quiet sync --recursive && git_with_lfs submodule --quiet update --init --recursive --force &&
    git submodule --quiet foreach --recursive 'git clean -ffdq'
fi
