# Defines `take NEW`, which takes a file from standard input, or ends with 1 and leaves nothing. POSIX sh.
#
# Assignments stand before it is called: file, the name that people know it by; sha256, its check sum; packed, where that is of what
# gzip has packed.

take() {
  # Who shares the folder may have left a link there, which would be followed.
  rm -f "$1" || exit
  set -C
  cat >"$1" || {
    rm -f "$1"
    exit 1
  }
  set +C
  sum=$(if [ -n "${packed-}" ]; then gzip -dc <"$1" 2>/dev/null | sha256sum; else sha256sum <"$1"; fi)
  if [ "${sum%% *}" != "$sha256" ]; then
    rm -f "$1"
    echo "$file arrived damaged, or there was no room for all of it: its check sum is ${sum%% *} instead of $sha256" >&2
    exit 1
  fi
}
