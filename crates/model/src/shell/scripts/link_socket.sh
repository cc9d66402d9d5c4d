# Puts a link into a slot by which web servers find where its release listens. POSIX sh.
#
# Assignments stand before this text: slot; path, in it; socket, where the link leads.

link=$slot/$path
# What lies behind a link is no release's own: the next one would move what this one serves by.
above=${link%/*}
while [ "$above" != "$slot" ]; do
  if [ -L "$above" ]; then
    echo "$path lies in ${above#"$slot/"}, which is a link in this release: give the service another \`socket\`" >&2
    exit 1
  fi
  above=${above%/*}
done
[ "$(readlink "$link" 2>/dev/null)" != "$socket" ] || exit 0
if [ -e "$link" ] && [ ! -L "$link" ] && [ ! -S "$link" ]; then
  echo "$path is in this release, so it can't be a link to the service's socket: take it out, or give the service another \`socket\`" >&2
  exit 1
fi
mkdir -p "${link%/*}" && rm -f "$link.new" && ln -s "$socket" "$link.new" && mv -fT "$link.new" "$link"
