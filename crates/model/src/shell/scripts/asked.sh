# Defines `files FILE…`, which prints what requirement files say, with all that they include. POSIX sh.
#
# Assignments stand before it is called: constraints and options, as in virtualenv.sh; is_package; uv, where that is what installs;
# interpreter, a Python, and decode, a program for it; locked and itself, yes or nothing; lock, what `uv.lock` says; here, the slot; line, a line's end; tab.
# `$mark` begins what is told of them besides: hashed, where they have check sums; links, a folder of wheels; editable, where
# something is installed in its place; local, where a part of the project is, whose commit follows.

# What requirement files say, with those that they include. It is gone through in every deploy: what would start a process is
# asked for only where a file makes it likely.
files() {
  commit=no list=
  for file; do list=$list${list:+$line}r$file; done
  [ -z "$constraints" ] || list=$list${list:+$line}$(printf '%s\n' "$constraints" | sed 's/^/c/')
  seen=$line
  while [ -n "$list" ]; do
    file=${list%%"$line"*}
    case $list in *"$line"*) list=${list#*"$line"} ;; *) list= ;; esac
    case $seen in *"$line$file$line"*) continue ;; esac
    seen=$seen$file$line
    kind=${file%"${file#?}"}
    file=${file#?}
    [ -f "$file" ] || say_and_stop "the requirement file $file isn't there"
    { text=$(cat "$file"); } 2>/dev/null || say_and_stop "$(id -un) can't read the requirement file $file"
    # How it is written matters only where it isn't plain, and a text without marks is one for all that looks for words in it.
    case $text in *[!\ -~"$line$tab"]*) text=$("$interpreter" -c "$decode" "$file") || exit ;; esac
    printf 'file %s\n%s\n' "$file" "$text"
    case $kind$text in r*--hash[=\ ]*) echo "$mark hashed" ;; esac
    case $line$text in
      *"$line"[-.[:space:]]* | */* | *file:*) ;;
      *) continue ;;
    esac
    # What a file includes lies beside it, or far away: that is asked for when it is resolved.
    case $file in */*) folder=${file%/*}/ ;; *) folder= ;; esac
    included=
    case $text in *-r* | *-c*) included=$(includes) ;; esac
    [ -z "$included" ] || list=$included${list:+$line$list}
    ! says_links "$text" || printf '%s\n' "$text" | sed -nE 's/^[[:space:]]*(-f|--find-links)[[:space:]=]+([^/:[:space:]][^:]*)$/\2/p' |
      while read -r place; do echo "$mark links $folder$place"; done
    # A part of the project itself may change with every commit, and what is built in its place goes when that is cleaned up.
    case $line$text in
      *[[:space:]].* | */* | *file:* | *-e* | *-f*)
        ! printf '%s\n' "$text" | grep -qE "$is_local|^[[:space:]]*(-f|--find-links)[[:space:]=]*[^:]*\$" || commit=yes
        ;;
    esac
    case $text in
      *-e*)
        ! printf '%s\n' "$text" | grep -E '^[[:space:]]*(-e|--editable)' | grep -qvE '(-e|--editable)[[:space:]=]*[a-z]+(\+[a-z]+)?://' || echo "$mark editable"
        ;;
    esac
  done
  # So may what lies in a folder of wheels there.
  links=
  eval "set -- $options"
  for word; do
    case $links$word in
      *:*) ;;
      -f[!/]* | --find-links[!/=]* | --find-links=[!/]*) commit=yes ;;
    esac
    case $word in -f | --find-links) links=$word ;; *) links= ;; esac
  done
  [ -z "$itself" ] || commit=yes
  if [ -n "$locked" ]; then
    printf '%s\n' "$lock"
    cat pyproject.toml
    case $lock in *'source = { editable = '* | *'source = { directory = '*) commit=yes ;; esac
    case $lock in *'source = { editable = '*) echo "$mark editable" ;; esac
  elif [ -n "$uv" ] && [ -f pyproject.toml ] && grep -q '^\[*tool\.uv' pyproject.toml; then
    cat pyproject.toml
  fi
  [ "$commit" = no ] || printf '%s\n' "$mark local" "$release"
}
includes() {
  printf '%s\n' "$text" | sed -nE 's/^[[:space:]]*(-r|-c|--requirement|--constraint)[[:space:]=]*([^[:space:]#]+).*/\1 \2/p' |
    while read -r how place; do
      case $kind$how in r-r | r--r*) how=r ;; *) how=c ;; esac
      case $place in *://*) ;; /*) echo "$how$place" ;; *) echo "$how$folder$place" ;; esac
    done
}
says_links() { case $1 in *-f[\ =]* | *--find-links*) ;; *) return 1 ;; esac }
mark='# buedafab:'
is_local='^[[:space:]]*((-e|--editable)[[:space:]=]*)?([.]|/|file:|[A-Za-z0-9._-]+/)|@[[:space:]]*(file:|[.]|/)'
