# Defines `left_out`, which prints what the index of the clone in which it is called has and the part of the project hasn't that is checked
# out there, mode and path a line; and `skip_left_out`, after which git takes none of that for a change. The part is what lies in the
# folders in .git/buedafab-part, and the files above them; without that file it is all. POSIX sh.

left_out() {
  [ -f .git/buedafab-part ] || return 0
  git ls-files -s -z | tr '\0' '\n' | awk '
    BEGIN { above[""] = 1 }
    FILENAME != "-" {
      folders[$0] = 1
      path = $0
      while (sub(/\/[^\/]*$/, "", path)) above[path] = 1
      next
    }
    {
      path = substr($0, index($0, "\t") + 1)
      is_in = path in folders
      folder = path
      while (!is_in && sub(/\/[^\/]*$/, "", folder)) is_in = folder in folders
      folder = path
      if (!sub(/\/[^\/]*$/, "", folder)) folder = ""
      # A submodule is a folder.
      if (!is_in && ($1 == "160000" || !(folder in above))) print $1 " " path
    }' .git/buedafab-part -
}

skip_left_out() { left_out | cut -d ' ' -f 2- | tr '\n' '\0' | git update-index -z --skip-worktree --stdin; }
