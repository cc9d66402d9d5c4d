# Defines `holds FOLDER COMMIT`: whether all is there that a checkout of the commit reads. Of every file the beginning is read; what
# can't be is BAD. POSIX sh.

holds() {
  sizes=$(git -C "$1" ls-tree -r -l --full-tree "$2" 2>/dev/null) || return
  # In a file's name git writes a tab in another way.
  case $sizes in *' BAD	'*) return 1 ;; esac
}
