# Tells what the web servers of a host are configured to do, as facts of a look. POSIX sh.
#
# `all` is yes where sudo lets everything be done without a password: else it isn't asked, as that would be reported to root. The files
# themselves are read, and no web server is asked what it makes of them: to say so, it would open its logs, write where its process is, and
# look up names.

# So much is told of each: characters, and files.
web_most=65536
web_most_files=200
# Also where a login doesn't look for programs.
is_installed() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || [ -x "/usr/local/sbin/$1" ]; }
# The files that a word takes in, from a text, as patterns.
taken_in() {
  printf '%s\n' "$text" | tr ';{' '\n' |
    sed -nE 's/^[[:space:]]*'"$word"'[[:space:]]+("([^"]+)"|'"'([^']+)'"'|([^[:space:]"}]+)).*$/\2\3\4/p'
}
# Which web server, its version, by which word it takes in other files and whether from the folder of the first one or of each, and the
# files that it begins with.
web_server() {
  software=$1 version=$2 word=$3 from=$4
  shift 4
  first=$1 known='' told='' whole=yes count=0
  old_ifs=$IFS
  IFS='
'
  while [ $# != 0 ]; do
    file=$1
    shift
    case "
$known" in *"
$file
"*) continue ;; esac
    known="$known$file
"
    count=$((count + 1))
    if [ "$count" -gt "$web_most_files" ]; then
      whole=no
      break
    fi
    if [ ! -f "$file" ]; then
      # A pattern that nothing fits, or the name of something else; and what can't be seen may be there.
      folder=${file%/*}
      while [ ! -d "$folder" ] && [ "$folder" != "${folder%/*}" ]; do folder=${folder%/*}; done
      { [ -r "${folder:-/}" ] && [ -x "${folder:-/}" ]; } || whole=no
      continue
    fi
    as=
    if [ -r "$file" ]; then :
    elif [ "${all-}" = yes ]; then as="sudo
-n"
    else
      whole=no
      continue
    fi
    text=$($as sed -E '/^[[:space:]]*(#|$)/d' -- "$file" 2>/dev/null | head -c $((web_most + 1)))
    if [ $((${#told} + ${#text})) -gt "$web_most" ]; then
      whole=no
      continue
    fi
    told="$told# configuration file $file:
$text
"
    # Most files take in none, and there may be many.
    case ${word:+$text} in *"$word"[[:space:]]*) ;; *) continue ;; esac
    for pattern in $(set -f; taken_in); do
      case $pattern in
        /*) set -- "$@" $pattern ;;
        *)
          case $from in first) folder=${first%/*} ;; *) folder=${file%/*} ;; esac
          set -- "$@" $folder/$pattern
          ;;
      esac
    done
  done
  IFS=$old_ifs
  fact web_server "$software
$version
$whole
$told"
}
if about=$(env PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" nginx -V 2>&1); then
  version=${about#*/}
  version=${version%%[!0-9.]*}
  case $about in
    *--conf-path=*)
      first=${about#*--conf-path=}
      first=${first%%[[:space:]\']*}
      ;;
    *) first=/etc/nginx/nginx.conf ;;
  esac
  web_server nginx "$version" include first "$first"
fi
if is_installed haproxy && [ -e /etc/haproxy/haproxy.cfg ]; then
  web_server haproxy '' '' first /etc/haproxy/haproxy.cfg /etc/haproxy/conf.d/*.cfg
fi
if is_installed caddy && [ -e /etc/caddy/Caddyfile ]; then
  web_server caddy '' import each /etc/caddy/Caddyfile
fi
