# The end of host.sh on hosts without systemd: this shell stays as the host's init.

# When the owner is gone, init ends, and the kernel ends the host with it. The shell waits rather than reads, because
# while it waits it also reaps the orphans of the host.
# A status of 137 means that the host was powered off, and `cat` with it: init lives on, and the files with it.
status=137
while [ "$status" -eq 137 ]; do
    cat <&3 >/dev/null &
    wait $! && status=0 || status=$?
done
