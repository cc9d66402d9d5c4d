# Defines `read_env FILE`, which prints what a file of variables means: `export NAME='VALUE'`, one after the other, and so
# quoted that nothing of it ever runs. POSIX sh.
#
# A line, or what stands in quotes over several, means what systemd's EnvironmentFile= takes it for. One that systemd and people read in different ways is refused, by its
# number alone: what stands in it is secret. To be called where a process of its own is started for it, as in `$( )`.

read_env() {
  LC_ALL=C
  file=$1
  number=0
  all=
  blank=$(printf ' \t')
  return=$(printf '\r')
  wrong() {
    echo "line $number of $file $1: correct it, or write the file anew by \`env push\`" >&2
    exit 78
  }
  trim() {
    text=${text#"${text%%[!"$blank"]*}"}
    text=${text%"${text##*[!"$blank"]}"}
  }
  # What stands in quotes goes on in the next line.
  go_on() {
    begun=${begun:-$number}
    case $tail in *"$return"*) wrong "holds a carriage return" ;; esac
    tail=
    IFS= read -r more || [ -n "$more" ] || {
      number=$begun
      wrong "has a quote that is never closed"
    }
    number=$((number + 1))
    case $more in
      *"$return")
        # Behind the closing quote it is but the end of a line.
        tail=$return
        more=${more%"$return"}
        ;;
    esac
    case $more in *"$return"*) wrong "holds a carriage return" ;; esac
  }
  [ -r "$file" ] || { echo "$(id -un) can't read $file" >&2; exit 78; }
  while IFS= read -r text || [ -n "$text" ]; do
    number=$((number + 1))
    raw=$text begun=''
    text=${text%"$return"}
    trim
    case $text in
      '') continue ;;
      '#'*)
        case $raw in *\\) wrong "is a comment that ends in a backslash, to which some take the next line" ;; esac
        continue
        ;;
      *"$return"*) wrong "holds a carriage return" ;;
      export["$blank"]*) wrong "begins with export, which systemd doesn't know" ;;
      *=*) ;;
      *) wrong "isn't NAME=value" ;;
    esac
    rest=${text#*=}
    text=${text%%=*}
    trim
    name=$text
    case $name in '' | [0-9]* | *[!A-Za-z0-9_]*) wrong "has a name that no variable can have" ;; esac
    text=$rest
    trim
    rest=
    # What was taken off the end belongs to a value that goes on.
    tail=${raw#*=}
    tail=${tail##*"$text"}
    case $text in
      \'*)
        text=${text#?}
        while case $text in *\'*) false ;; esac; do
          text=$text$tail
          go_on
          text="$text
$more"
        done
        rest=${text#*\'}
        value=${text%%\'*}
        ;;
      \"*)
        rest=${text#?}
        value=
        while :; do
          part=${rest%%[\"\\]*}
          if [ "$part" = "$rest" ] || { [ "${rest#"$part"}" = \\ ] && [ -z "$tail" ]; }; then
            # A backslash at its end takes the line break away.
            if [ "$part" = "$rest" ]; then value="$value$part$tail
"; else value=$value$part; fi
            go_on
            rest=$more
            continue
          fi
          value=$value$part
          rest=${rest#"$part"}
          case $rest in
            \"*) rest=${rest#?} && break ;;
            \\[\"\\\`\$]*) rest=${rest#?} && value=$value${rest%"${rest#?}"} && rest=${rest#?} ;;
            *) value=$value\\ && rest=${rest#?} ;;
          esac
        done
        ;;
      *\\*) wrong "has a backslash outside of quotes" ;;
      *["$blank"]\#*) wrong "has a # outside of quotes that some take for a comment" ;;
      *) value=$text ;;
    esac
    text=$rest
    trim
    [ -z "$text" ] || wrong "goes on after its closing quote"
    quoted=
    while :; do
      case $value in *\'*) ;; *) break ;; esac
      quoted="$quoted${value%%\'*}'\\''"
      value=${value#*\'}
    done
    all="${all}export $name='$quoted$value'
"
  done <"$file"
  # Where printf is a program, everybody could read its arguments.
  cat <<END
$all
END
}
