# Defines `refuse_unsafe NAME`, which reads a tar archive from standard input and fails, and says why of this name, where something
# in it would lie outside of the folder that it is unpacked in, or be neither a file, a folder nor a link. Links in it may lead where they
# like, as they may in git, but nothing is written through one; with `foreign=yes` they may not lead out either. POSIX sh.

refuse_unsafe() {
  LC_ALL=C tar -tvf - 2>&1 | name=$1 foreign=${foreign-} awk '
    function refuse(why) {
      if (!refused) print ENVIRON["name"] " isn'\''t unpacked: " why >"/dev/stderr"
      refused = 1
    }
    function refuse_outside() { refuse("something in it would lie outside of the release") }
    function is_outside(path) { return path ~ /^\// || path ~ /(^|\/)\.\.(\/|$)/ }
    # Whether a link leads out of the folder.
    function leads_out(path, target, parts, count, depth, i) {
      if (target ~ /^\//) return 1
      depth = split(path, parts, "/") - 1
      count = split(target, parts, "/")
      for (i = 1; i <= count; i++) {
        if (parts[i] == "..") { if (--depth < 0) return 1 } else if (parts[i] != "" && parts[i] != ".") depth++
      }
      return 0
    }
    # Some take that away from what they list.
    /^tar: [Rr]emoving leading/ { refuse_outside(); next }
    /^tar: / { refuse($0); next }
    {
      type = substr($0, 1, 1)
      path = $0
      for (i = ($2 ~ /\//) ? 5 : 8; i > 0; i--) sub(/^[^ ]+ +/, "", path)
      target = ""
      if (type !~ /[-dlh]/) refuse(path " is neither a file, a folder nor a link")
      if (type == "h" && match(path, / link to | -> /)) {
        target = substr(path, RSTART + RLENGTH)
        path = substr(path, 1, RSTART - 1)
        if (is_outside(target)) refuse_outside()
      }
      if (type == "l" && (at = index(path, " -> "))) {
        target = substr(path, at + 4)
        path = substr(path, 1, at - 1)
      }
      if (is_outside(path)) refuse_outside()
      sub(/^(\.\/)+/, "", path)
      sub(/\/+$/, "", path)
      if (type == "l") {
        if (ENVIRON["foreign"] != "" && leads_out(path, target)) refuse(path " leads out of the release")
        links[path] = 1
      }
      paths[NR] = path
    }
    END {
      for (n = 1; n <= NR; n++) {
        above = paths[n]
        while (sub(/\/[^\/]*$/, "", above)) if (above in links) refuse(paths[n] " lies behind a link")
      }
      exit refused
    }'
}
