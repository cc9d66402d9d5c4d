# Packs the files of a release into one file: a line with the check sum of what is packed, and then that, by gzip. POSIX sh, on the
# deployer, in the project.
#
# Assignments stand before this text: archive, that file; commit; clone, where it is laid out, or nothing; built and submodules, yes or no;
# part, whether only a part of the project is packed, with its folders and those above them, a line each; path, a file or folder that goes along; or url, sha256, file and packed, one from elsewhere. `refuse_unsafe`, `need_lfs` and `git_with_lfs`
# are defined.

folder=${archive%/*}
parts=$archive.parts
(umask 077 && mkdir -p "$folder") && rm -rf "$parts" && mkdir "$parts" || exit
trap 'rm -rf "$parts"' EXIT
trap 'exit 1' HUP INT TERM
sum_of() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
# Neither what macOS knows of files besides, nor who made them.
export COPYFILE_DISABLE=1
project=$PWD
root=$(git rev-parse --show-toplevel) || exit
hooks=$parts/hooks
pack() {
  repository=$1
  shift
  need_lfs "$repository" "$1" && git_with_lfs -C "$repository" --literal-pathspecs -c tar.umask=0 archive --format=tar "$@" >"$parts/tar"
}
# Prints the paths of the part of the project that the release is made of: its folders, and the files that stand above them.
paths_of_part() {
  printf '%s\n' "$folders" | while IFS= read -r within; do
    [ -n "$within" ] || continue
    if ! git -C "$root" --literal-pathspecs ls-tree "$commit" -- "$within" | grep -q '^[0-9]* \(tree\|commit\) '; then
      echo "there is no folder $within in this release: \`subdir\` or \`sparse_checkout\` names it" >&2
      exit 1
    fi
    printf '%s\n' "$within"
  done || return
  printf '%s\n' "$above" | while IFS= read -r within; do
    git -C "$root" ls-tree -z "$commit:$within" | tr '\0' '\n' | within=$within awk -F '\t' '
      BEGIN { before = ENVIRON["within"] == "" ? "" : ENVIRON["within"] "/" }
      $1 !~ / (tree|commit) / { print before substr($0, index($0, "\t") + 1) }'
  done
}
if [ "$part" = yes ]; then
  paths_of_part >"$parts/paths" || exit
  set -f
  IFS='
'
  # A path a line.
  # shellcheck disable=SC2046
  set -- $(cat "$parts/paths")
  unset IFS
  set +f
  if [ $# = 0 ]; then
    echo "there is nothing at the root of this release, and \`sparse_checkout\` names nothing else" >&2
    exit 1
  fi
  pack "$root" "$commit" -- "$@" || exit
else
  pack "$root" "$commit" || exit
fi
if [ "$submodules$path$url" != no ]; then
  release=$parts/release
  mkdir "$release" && tar -xf "$parts/tar" -C "$release" || exit
  if [ "$submodules" = yes ]; then
    cd "$clone" || exit
    # shellcheck disable=SC2016
    git submodule --quiet foreach --recursive 'printf "%s\n" "$displaypath"' >"$parts/submodules" || exit
    while IFS= read -r submodule; do
      # What isn't to be exported has no folder there.
      [ -d "$release/$submodule" ] || continue
      pack "$clone/$submodule" HEAD && tar -xf "$parts/tar" -C "$release/$submodule" || exit
    done <"$parts/submodules"
    cd "$project" || exit
  fi
  if [ -n "$path" ]; then
    from=$root/$path
    [ "$built" = no ] || from=$clone/$path
    if [ ! -e "$from" ]; then
      echo "there is no $from: \`[hooks.local] build\` has to make it, or \`artifact\` names another file" >&2
      exit 1
    fi
    case $path in */*) mkdir -p "$release/${path%/*}" || exit ;; esac
    rm -rf "${release:?}/$path" && cp -RPp "$from" "$release/$path" || exit
  elif [ -n "$url" ]; then
    fetched=$folder/artifact-$sha256
    is_right() { [ -f "$1" ] && sum=$(sum_of <"$1") && sum=${sum%% *} && [ "$sum" = "$sha256" ]; }
    if ! is_right "$fetched"; then
      if ! command -v curl >/dev/null; then
        echo "curl, which fetches $url, isn't on this machine" >&2
        exit 1
      fi
      curl --fail --silent --show-error --location --netrc-optional --connect-timeout 15 --max-time 600 --output "$parts/fetched" -- "$url" || exit
      if ! is_right "$parts/fetched"; then
        echo "the check sum of $url is $sum instead of $sha256" >&2
        exit 1
      fi
      mv "$parts/fetched" "$fetched" || exit
    fi
    mkdir "$parts/artifact" || exit
    case $packed in
      gzip) gzip -dc <"$fetched" >"$parts/tar" ;;
      tar) cp "$fetched" "$parts/tar" ;;
      no) cp "$fetched" "$parts/artifact/$file" && chmod 755 "$parts/artifact/$file" ;;
    esac || exit
    if [ "$packed" != no ]; then
      foreign=yes
      refuse_unsafe "$url" <"$parts/tar" && tar -xf "$parts/tar" -C "$parts/artifact" || exit
    fi
    cp -RPp "$parts/artifact/." "$release" || exit
  fi
  # Whoever unpacks it has a umask of their own.
  find "$release" ! -type l -exec chmod a+rwX {} + && tar -cf "$parts/tar" -C "$release" . || exit
fi
sum=$(sum_of <"$parts/tar") || exit
{ echo "${sum%% *}" && gzip -n <"$parts/tar"; } >"$parts/packed" && mv -f "$parts/packed" "$archive" || exit
# What earlier runs have left.
find "$folder" -type f -name '*.packed' -mtime +2 -exec rm -f {} +
