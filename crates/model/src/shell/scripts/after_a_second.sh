# Waits until the link has led for a second where it leads: who looked it up before has asked by then. POSIX sh.
#
# An assignment stands before this text: link.

moved=$(stat -c %.3Y "$link" 2>/dev/null | tr -cd 0-9)
now=$(date +%s%3N 2>/dev/null)
case ${#moved}$now in
  13*[!0-9]* | '') sleep 1 ;;
  13*) if [ $((now - moved)) -lt 1000 ]; then sleep 1; fi ;;
  *) sleep 1 ;;
esac
