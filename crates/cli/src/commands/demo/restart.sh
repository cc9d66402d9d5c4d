# Restarts the app of this host; `restart.sh stop` only ends it. Runs in a release: the host's folder is two above.
host=$(cd ../.. && pwd)
if [ -f "$host/app.pid" ]; then
  old=$(cat "$host/app.pid")
  kill "$old" 2>/dev/null
  # Its port is free as soon as it is gone; a zombie that nobody has reaped yet holds none.
  while grep -qs '^State:.[^ZX]' "/proc/$old/status"; do sleep 0.1; done
  rm -f "$host/app.pid"
fi
[ "$1" != stop ] || exit 0
python3 app.py "$(cat "$host/port")" >>"$host/app.log" 2>&1 &
echo $! >"$host/app.pid"
