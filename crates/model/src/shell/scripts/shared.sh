# Links files and folders that outlive releases into a slot. POSIX sh.
#
# Assignments stand before this text: slot; app, where in it the app lies; shared, the folder of what is shared; files and dirs, words quoted for eval;
# placeholders, a pattern of files that only keep a folder in git; group, that shall be able to write the folders, or nothing; aside, a folder for what stands in the way; unpacked, the list of the
# files of a release that came as an archive. `no_mount_in` and `listed` are defined.

cd "$slot/$app" || exit
# What git tracks would be replaced by the link, and every later look at the slot would find it missing.
tracks() {
  if [ -f "$unpacked" ]; then
    # As an own line or the beginning of one; nothing in it is a pattern.
    listed "$unpacked" | path=$app/$1 awk '{
      path = ENVIRON["path"]
      sub(/^\.\//, "", path)
      if ($0 == path || index($0, path "/") == 1) print
    }'
  else
    git -c safe.directory='*' -c core.quotePath=false ls-files -- ":(literal)$1"
  fi
}
link() {
  tracked=$(tracks "$1" | head -n 1)
  # A checkout brings them back each time; that they are missing then is a part of how the release is built.
  if [ "$2" = folder ] && [ -n "$tracked" ]; then tracked=$(tracks "$1" | grep -v -e "/$placeholders\$" | head -n 1); fi
  if [ -n "$tracked" ]; then
    echo "$1 is in this release ($tracked), so it can't be a link: take it out of git, or out of shared_files and shared_dirs" >&2
    exit 1
  fi
  # Through a link, what is shared would be taken away instead of what the release has.
  above=$1
  while [ "$above" != "${above%/*}" ]; do
    above=${above%/*}
    if [ -L "./$above" ]; then
      echo "$1 lies in $above, which is a link in this release: it can't be shared by itself" >&2
      exit 1
    fi
  done
  case $1 in */*) mkdir -p "./${1%/*}" || exit ;; esac
  if [ "$2" = folder ] && [ ! -L "./$1" ] && [ -d "./$1" ]; then
    find "./$1" -xdev -type f -name '.*' | grep -e "/$placeholders\$" | while IFS= read -r file; do
      [ -z "$(tracks "${file#./}" 2>/dev/null)" ] || rm -f "$file"
    done
    find "./$1" -xdev -depth -type d -exec rmdir {} + 2>/dev/null
  fi
  if [ -L "./$1" ]; then
    rm -f "./$1" || exit
  elif [ -d "./$1" ] && rmdir "./$1" 2>/dev/null; then
    :
  elif [ -e "./$1" ]; then
    # Whoever wrote it may know it from nowhere else.
    no_mount_in "./$1" || exit
    kept=$aside/$1
    mkdir -p "${kept%/*}" && mv "./$1" "$kept" || exit
    echo "$1 of ${slot##*/} stood where the shared one belongs: it is kept in $kept"
  fi
  ln -s "$shared/$1" "./$1" || exit
}
eval "set -- $dirs"
for name; do
  mkdir -p "$shared/$name" || exit
  # What belongs to another member of the group was given by them.
  [ -z "$group" ] || { chgrp "$group" "$shared/$name" && chmod g+rwxs "$shared/$name"; } 2>/dev/null || :
  link "$name" folder
done
eval "set -- $files"
for name; do
  if [ ! -e "$shared/$name" ]; then
    echo "the shared file $shared/$name isn't there" >&2
    exit 1
  fi
  link "$name" file
done
