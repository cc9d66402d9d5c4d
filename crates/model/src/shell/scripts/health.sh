# Asks the app whether it is well. POSIX sh.
#
# Assignments stand before this text: by, http, tcp or command; timeout, in seconds; address and port, or socket; for http:
# scheme, host, path, statuses, contains, and also, a status that is good besides; for command: command. Whatever this host has
# is asked with.

has() { command -v "$1" >/dev/null; }

# Prints the status of an answer in HTTP, and below it its body; or says why there is none.
split_answer() {
  return=$(printf '\r')
  case $1 in
    # Its head has to be whole.
    HTTP/*"$return
$return"*) printf '%s\n' "$1" | sed -n -e '1s/^[^ ]* \([0-9]*\).*/\1/p' -e '1,/^\r*$/d' -e p ;;
    *) printf '%s\n' "${1:-no connection}" && return 1 ;;
  esac
}

# The same for what is asked, of which the first 64 KiB are enough.
get() {
  if has curl; then
    set -- --silent --show-error --globoff --noproxy '*' --max-time "$timeout" --include -- "$scheme://$host$path"
    case $address in *:*) there="::[$address]:$port" ;; *) there="::$address:$port" ;; esac
    if [ -n "$socket" ]; then set -- -q --unix-socket "$socket" "$@"; else set -- -q --connect-to "$there" "$@"; fi
    split_answer "$(curl "$@" 2>&1 | head -c 65536 | sed 's/^curl: ([0-9]*) //')"
  elif has python3; then
    timeout "$timeout" python3 -c 'import http.client, socket, ssl, sys
scheme, host, path, address, port, place, timeout = sys.argv[1:]
class Connection(http.client.HTTPConnection):
    def connect(self):
        if place:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(float(timeout))
            self.sock.connect(place)
        else:
            self.sock = socket.create_connection((address, int(port)), float(timeout))
        if scheme == "https":
            name = host.rsplit(":", 1)[0].strip("[]")
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=name)
try:
    connection = Connection("localhost", timeout=float(timeout))
    connection.request("GET", path, headers={"Host": host, "Connection": "close"})
    answer = connection.getresponse()
    body = answer.read(65536)
except Exception as error:
    sys.exit(str(error) or type(error).__name__)
print(answer.status, flush=True)
sys.stdout.buffer.write(body)' "$scheme" "$host" "$path" "$address" "$port" "$socket" "$timeout" 2>&1
  elif [ "$scheme" = http ] && has perl; then
    perl -MIO::Socket::INET -MIO::Socket::UNIX -e 'my ($host, $path, $address, $port, $place, $timeout) = @ARGV;
      $SIG{ALRM} = sub { die "no answer in $timeout s\n" };
      alarm $timeout;
      my $line = $place ne "" ? IO::Socket::UNIX->new(Peer => $place) : IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port);
      $line or die "no connection: $!\n";
      print $line "GET $path HTTP/1.0\r\nHost: $host\r\nConnection: close\r\n\r\n";
      my ($all, $more) = ("");
      while (length $all < 131072 and sysread $line, $more, 65536) { $all .= $more }
      $all =~ m{^HTTP/\S+ +(\d+).*?\r?\n\r?\n(.*)}s or die "no answer in HTTP\n";
      print "$1\n$2\n"' "$host" "$path" "$address" "$port" "$socket" "$timeout" 2>&1
  elif [ "$scheme" = http ] && [ -z "$socket" ] && has nc; then
    split_answer "$(printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$host" |
      timeout "$timeout" nc "$address" "$port" 2>&1 | head -c 65536)"
  else
    echo 'asking the app takes curl, python3 or perl, and this host has none of them' && return 1
  fi
}

connects() {
  if has python3; then
    python3 -c 'import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
except Exception as error: sys.exit(str(error))' "$address" "$port" "$timeout" 2>&1
  elif has perl; then
    perl -MIO::Socket::INET -e 'alarm $ARGV[2];
      IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or die "no connection: $!\n"' "$address" "$port" "$timeout" 2>&1
  elif has nc; then
    timeout "$((timeout + 1))" nc -w "$timeout" "$address" "$port" </dev/null 2>&1
    # Whoever waits for us to speak has taken the connection.
    case $? in 0 | 124 | 143) ;; *) return 1 ;; esac
  else echo 'asking the app takes python3, perl or nc, and this host has none of them' && return 1
  fi
}

# Whether the app is well; `words` say what it answered.
is_well() {
  case $by in
    command)
      words=$(timeout "$timeout" sh -c "$command" 2>&1) || { words="$command fails with $?: $words" && return 1; }
      words="$command succeeds"
      ;;
    tcp)
      words=$(connects) || { words="$address:$port takes no connections: $words" && return 1; }
      words="$address:$port takes connections"
      ;;
    http)
      if ! answer=$(get); then
        # It is told of a port that nobody has meant.
        if [ -n "$socket" ] && [ ! -S "$socket" ]; then
          answer="there is no socket $socket"
        else
          case $socket$answer in /*'ailed to connect to localhost port'*) answer="nobody takes connections at $socket" ;; esac
        fi
        words="$path isn't answered: $answer"
        return 1
      fi
      answered=${answer%%
*}
      body=${answer#*
}
      words="$path is answered with $answered"
      case "$answered ${statuses:-any}" in
        "$also "*) return 0 ;;
        [23][0-9][0-9]' any') ;;
        *' any') words="$words: $body" && return 1 ;;
        *) case " $statuses " in *" $answered "*) ;; *) words="$words instead of $statuses: $body" && return 1 ;; esac ;;
      esac
      case $body in
        *"$contains"*) ;;
        *) words="$words, without \"$contains\": $body" && return 1 ;;
      esac
      ;;
  esac
}
