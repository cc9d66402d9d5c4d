# Defines `env_entries WHAT FILE [NAME]`: what a file of variables consists of, however a person wrote it. WHAT is `names`, which prints
# the name of each variable; `others`, all of the file but NAME; or `has`, whether NAME is there. POSIX sh.
#
# What stands in quotes may go on over several lines, in which nothing is another variable. One that is never closed could hold
# anything: that fails.

env_entries() {
  entries_what=$1 entries_name=$3 LC_ALL=C awk '
    function is_open(text,  i, c) {
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\\" && quote == "\"") i++
        else if (c == quote) return 0
      }
      return 1
    }
    function finish() {
      if (name == wanted) found = 1
      if (what == "names" && name != "") print name "=…"
      if (what == "others" && (name == "" || name != wanted)) print entry
    }
    BEGIN { what = ENVIRON["entries_what"]; wanted = ENVIRON["entries_name"] }
    open { entry = entry "\n" $0; open = is_open($0); if (!open) finish(); next }
    {
      entry = $0; name = ""; from = NR
      if (match($0, /^[ \t]*(export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*/)) {
        value = substr($0, RLENGTH + 1)
        name = substr($0, 1, RLENGTH)
        sub(/[ \t]*=[ \t]*$/, "", name); sub(/^[ \t]*/, "", name); sub(/^export[ \t]+/, "", name)
        quote = substr(value, 1, 1)
        open = (quote == "\"" || quote == "\047") && is_open(substr(value, 2))
      }
      if (!open) finish()
    }
    END {
      if (open) { print "line " from " has a quote that is never closed: write the file anew by `env push`" >"/dev/stderr"; exit 78 }
      if (what == "has") exit !found
    }' "$2"
}
