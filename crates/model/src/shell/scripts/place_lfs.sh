# Defines `place_lfs`, which puts the contents that Git LFS keeps for the commit of the repository in which it is called in the places of
# their pointers. Git takes them for unchanged from then on, by a filter of our own name: git-lfs has no part in it, be it installed or
# not. POSIX sh.
#
# Expects store, the folder of contents that all slots share; clean and smudge, the filter; taken, a file in which all is noted that was
# taken from there; prefix, what stands before paths where people read them; `lfs_files`, `attributes_of` and `forget_lfs`; and `bring_lfs`, which puts into the store what
# it lacks, as far as it can.

# Sets `kept` to the place of a content.
kept_at() {
  after=${1#??}
  kept=$store/objects/${1%"$after"}/${after%"${after#??}"}/$1
}

# Prints the lines of a list whose contents the store hasn't, or has otherwise.
not_in_store() {
  awk '{ print $1 "  " substr($1, 1, 2) "/" substr($1, 3, 2) "/" $1 }' "$1" | sort -u >"$1.sums"
  [ -s "$1.sums" ] || return 0
  (cd "$store/objects" && sha256sum -c "$1.sums" 2>/dev/null) | sed -n 's,^[0-9a-f]*/[0-9a-f]*/\([0-9a-f]*\): OK$,\1,p' >"$1.there"
  awk 'FILENAME ~ /\.there$/ { there[$1] = 1; next } !($1 in there)' "$1.there" "$1"
}

# Takes out of a list what is no file here, as only a part of the project is checked out.
checked_out_of() {
  [ -f "$known_by/info/sparse-checkout" ] || return 0
  git ls-files -t -z | tr '\0' '\n' | sed -n 's/^H //p' | awk '
    FILENAME == "-" { here[$0] = 1; next }
    substr($0, length($1 $2) + 3) in here' - "$1" >"$1.here" && mv -f "$1.here" "$1"
}

place_lfs() {
  known_by=$(git rev-parse --git-dir) || return
  case $known_by in /*) ;; *) known_by=$PWD/$known_by ;; esac
  attributes=$known_by/info/attributes
  known=$known_by/buedafab-lfs
  former=$known.former
  # A run may have come to an end in between.
  cat "$known" "$former" 2>/dev/null >"$known.before"
  mv -f "$known.before" "$former" || return
  lfs_files HEAD >"$known" && checked_out_of "$known" && mkdir -p "${attributes%/*}" && attributes_of "$known" "$attributes" && forget_lfs "$former" "$known" || return
  [ -s "$known" ] || return 0
  git config filter.buedafab-lfs.clean "$clean" && git config filter.buedafab-lfs.smudge "$smudge" && git config filter.buedafab-lfs.required true || return
  # What is marked and was committed without git-lfs is as it was committed.
  git config filter.lfs.process '' && git config filter.lfs.required false || return
  cut -d ' ' -f 3- "$known" | tr '\n' '\0' | LC_ALL=C xargs -0 stat -c '%F:%s:%n' -- 2>/dev/null >"$known.sizes"
  # A pointer may be as long as what it stands for.
  awk '
    FILENAME ~ /\.sizes$/ { split($0, part, ":"); seen[substr($0, length(part[1] part[2]) + 3)] = part[1] ":" part[2]; next }
    {
      path = substr($0, length($1 $2) + 3)
      is_wrong = seen[path] != "regular file:" $2
      if (!is_wrong && $2 < 256) {
        first = ""
        getline first <("./" path)
        close("./" path)
        is_wrong = first ~ /^version https:\/\/git-lfs\./
      }
    }
    is_wrong' "$known.sizes" "$known" >"$known.wrong"
  awk 'FILENAME ~ /\.wrong$/ { wrong[$0] = 1; next } !($0 in wrong)' "$known.wrong" "$known" >"$known.right"
  lacking=$known.lacking
  not_in_store "$known.wrong" >"$lacking"
  # What lies in its place and was lost in the store.
  while IFS= read -r line; do
    sum=${line%% *} path=${line#* }
    size=${path%% *} path=${path#* }
    kept_at "$sum"
    [ ! -f "$kept" ] || continue
    found=$(sha256sum <"./$path")
    if [ "${found%% *}" = "$sum" ]; then
      mkdir -p "${kept%/*}" && cp "./$path" "$kept.new" && mv -f "$kept.new" "$kept" || return
    else
      printf '%s\n' "$sum $size $path" | tee -a "$known.wrong" >>"$lacking"
    fi
  done <"$known.right"
  if [ -s "$lacking" ]; then
    while read -r sum _; do
      kept_at "$sum"
      rm -f "$kept"
    done <"$lacking"
    said=$(bring_lfs 2>&1)
    not_in_store "$lacking" >"$lacking.still"
    if [ -s "$lacking.still" ]; then
      # Of each content it says the same.
      [ -z "$said" ] || printf '%s\n' "$said" | tail -n 2 >&2
      count=0
      while IFS= read -r line; do
        sum=${line%% *} path=${line#* }
        path=${path#* }
        count=$((count + 1))
        [ $count -gt 5 ] || printf '%s\n' "the content of $prefix$path can't be had: Git LFS calls it $sum" >&2
      done <"$lacking.still"
      [ $count -le 5 ] || echo "nor those of $((count - 5)) more" >&2
      return 1
    fi
  fi
  cut -d ' ' -f 3- "$known.wrong" | tr '\n' '\0' >"$known.paths"
  if [ -s "$known.paths" ]; then
    xargs -0 rm -rf -- <"$known.paths" && git checkout-index -z --stdin -f -u <"$known.paths" || return
  fi
  cut -d ' ' -f 1 "$known" >>"$taken" || return
  rm -f "$known".*
}
