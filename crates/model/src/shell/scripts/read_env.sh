# Defines `read_env FILE`, which prints what a file of variables means: `export NAME='VALUE'`, each on a line of its own, and so
# quoted that nothing of it ever runs. POSIX sh.
#
# A line means what systemd's EnvironmentFile= takes it for. One that systemd and people read in different ways is refused, by its
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
  [ -r "$file" ] || { echo "$(id -un) can't read $file" >&2; exit 78; }
  while IFS= read -r text || [ -n "$text" ]; do
    number=$((number + 1))
    text=${text%"$return"}
    trim
    case $text in
      '' | '#'*) continue ;;
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
    case $text in
      \'*)
        text=${text#?}
        case $text in *\'*) ;; *) wrong "has a quote that is never closed" ;; esac
        rest=${text#*\'}
        value=${text%%\'*}
        ;;
      \"*)
        rest=${text#?}
        value=
        while :; do
          part=${rest%%[\"\\]*}
          [ "$part" != "$rest" ] || wrong "has a quote that is never closed"
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
    [ -z "$rest" ] || wrong "goes on after its closing quote"
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
