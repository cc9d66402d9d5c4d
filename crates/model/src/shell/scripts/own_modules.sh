# Sets `before` for `submodules`: each submodule's clone takes its commit from the slot's own clone, to which its objects were sent, so
# that git has nothing to ask a remote for. No other way is open to it. POSIX sh.

export GIT_ALLOW_PROTOCOL=file
modules_from=$PWD/.git
# Git has a shell read it.
# shellcheck disable=SC2089
modules_by="git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack"
# It is a program for the shells that git starts. Git takes a commit for lacking that hangs on no name.
# shellcheck disable=SC2016,SC2034
before='git submodule --quiet init && git config -f .gitmodules --name-only --get-regexp "^submodule\\..*\\.path\$" | while IFS= read -r key; do
  module=${key#submodule.} module=${module%.path}
  case $module in *..*) continue ;; esac
  commit=$(git rev-parse --quiet --verify ":$(git config -f .gitmodules "$key")") || continue
  git --git-dir="$modules_from" cat-file -e "$commit^{commit}" 2>/dev/null || continue
  clone=$(git rev-parse --git-dir)/modules/$module
  [ -d "$clone" ] || { git init --quiet --bare "$clone" && git --git-dir="$clone" config core.bare false; } || exit
  git --git-dir="$clone" --work-tree=. rev-parse --quiet --verify "refs/buedafab/$commit" >/dev/null ||
    git --git-dir="$clone" --work-tree=. fetch --quiet --no-tags --no-recurse-submodules --upload-pack "$modules_by" "$modules_from" "+$commit:refs/buedafab/$commit" || exit
  git --git-dir="$clone" --work-tree=. config remote.origin.url "$(git config "submodule.$module.url")"
done'
# shellcheck disable=SC2090
export modules_from modules_by
