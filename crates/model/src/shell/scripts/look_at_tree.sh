# Looks at a tree that another tool made, or a person: which folder holds which commit, and in which order they came. A part of the
# look, whose `fact`, `slots`, `is_export`, path, releases, memory, link and virtualenv stand before this text. POSIX sh.

export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
# What Capistrano and Deployer fetch into.
mirror=
for folder in "$path/repo" "$path/.dep/repo"; do [ ! -f "$folder/HEAD" ] || mirror=$folder; done
look_at_tree() {
  [ -d "$releases/$slot" ] || return 0
  clone=
  revision=
  file=$releases/$slot
  if [ -e "$releases/$slot/.git" ]; then
    clone=$releases/$slot/.git
    revision=HEAD
    [ ! -f "$clone/HEAD" ] || file=$clone/HEAD
  elif is_export; then
    clone=$mirror
    file=$releases/$slot/REVISION
  fi
  case $revision in
    HEAD) ;;
    *[!0-9a-f]* | '') clone='' revision='' ;;
  esac
  commit='' described='' words=''
  if [ -n "$clone" ] && commit=$(git --git-dir="$clone" rev-parse --quiet --verify "$revision^{commit}" 2>/dev/null); then
    described=$(git --git-dir="$clone" describe --tags --always --long "$commit" 2>/dev/null)
    ! git --git-dir="$clone" cat-file -e "$commit:.gitmodules" 2>/dev/null || words=modules
  fi
  [ ! -e "$releases/$slot/BAD_RELEASE" ] || words="$words bad"
  [ "$revision" != HEAD ] || revision=
  fact tree_folder "$slot
$revision
$commit
$described
$(stat -c %Y -- "$file" 2>/dev/null)
$words"
}
look=look_at_tree
slots
if [ -L "$path/current" ]; then
  fact tree_link_made "$(stat -c %Y -- "$path/current")"
elif [ -L "$link" ]; then
  fact tree_link_made "$(stat -c %Y -- "$link")"
fi
# What of the release that serves lies in `shared`: other tools link what their own settings name.
list_shared() (
  shared=$(cd -P "$path/shared" && pwd) && releases=$(cd -P "$releases" && pwd) || exit
  cd -P "$path/current/." || cd -P "$link/." || exit
  # A link may lead anywhere.
  case $(pwd) in "$releases"/*) ;; *) exit ;; esac
  find . -xdev \( -name .git -o -name node_modules -o -path "$virtualenv" \) -prune -o -type l -print | head -n 500 |
    while IFS= read -r file; do
      case $(readlink -f "$file") in "$shared"/*) printf '%s\n' "${file#./}" ;; esac
    done
)
fact tree_shared "$(list_shared 2>/dev/null)"
if [ -f "$path/revisions.log" ]; then
  fact capistrano_log "$(tail -n 500 "$path/revisions.log")"
elif [ -f "$path/.dep/releases_log" ]; then
  fact deployer_log "$(tail -n 500 "$path/.dep/releases_log")"
fi
record adoption "$memory/adopted.json"
