# Defines `follow`, which makes the link of another tool lead to ours, and ours to what serves; and `put_back`, which undoes that. Who
# reads through it finds the same folder in every moment. Assignments stand before this text: other and link, the two links; slot and
# folder, the name and the folder of what serves; follows, the text with which the other leads to ours; before, its own; and run, of
# which names are made that nobody else has. POSIX sh.

lead() {
  rm -f "$1.$run.new" && ln -s -- "$2" "$1.$run.new" && mv -fT "$1.$run.new" "$1"
}

serves() {
  # shellcheck disable=SC3013
  [ -L "$1" ] && [ "$1/." -ef "$folder/." ]
}

stop() {
  echo "$1" >&2
  exit 1
}

follow() {
  serves "$other" || stop "$other doesn't lead to $slot any more"
  if [ ! -e "$link" ] && [ ! -L "$link" ]; then lead "$link" "$slot" || exit; fi
  serves "$link" || stop "$link doesn't lead to $slot"
  lead "$other" "$follows" || exit
  serves "$other" || {
    lead "$other" "$before"
    stop "$other didn't lead to $slot by way of $link, and was put back"
  }
}

put_back() {
  serves "$link" || stop "$link doesn't lead to $slot any more"
  serves "$other" || stop "$other doesn't lead to $slot any more"
  lead "$other" "$before" || exit
  serves "$other" || {
    lead "$other" "$follows"
    stop "$before isn't $slot any more, so $other stays as it is"
  }
  rm -f "$link"
}
