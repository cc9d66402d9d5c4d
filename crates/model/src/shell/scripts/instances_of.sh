# Defines `instances_of`, which prints words for `journalctl`: each slot's own unit of a service. POSIX sh.
#
# An assignment stands before it is called: releases, the folder of all slots.

instances_of() {
  for slot in "$releases"/*/; do
    slot=${slot%/}
    [ -L "$slot" ] || printf ' --unit %s@%s' "$1" "${slot##*/}"
  done
}
