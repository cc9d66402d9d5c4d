# Waits until the link has led for a second where it leads: who looked it up before has asked by then. POSIX sh.
#
# An assignment stands before this text: link.

moved=$(stat -c %.3Y "$link" 2>/dev/null | tr -cd 0-9)
now=$(date +%s%3N 2>/dev/null)
case $moved$now in
  *[!0-9]* | '') sleep 1 ;;
  *) [ "${#moved}" = "${#now}" ] && [ $((now - moved)) -gt 1000 ] || sleep 1 ;;
esac
