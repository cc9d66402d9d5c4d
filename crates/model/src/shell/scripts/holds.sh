# Defines `holds FOLDER COMMIT`: whether all is there that a checkout of the commit reads. Of every file the beginning is read; what
# can't be is BAD. POSIX sh.

holds() {
  ! { git -C "$1" ls-tree -r -l --full-tree "$2" 2>/dev/null || echo '0 blob 0 BAD'; } |
    grep -q '^[0-9]* blob [^ ]* *BAD'
}
