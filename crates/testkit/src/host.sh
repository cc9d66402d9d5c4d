# Makes a host out of fresh mount, pid and uts namespaces, of which this shell is pid 1, and stays as its init.
# Arguments: the fleet's folder, the host's name, its address. What each path holds is told in layout.rs.
set -eu
umask 022
fleet=$1 name=$2 address=$3
exec 3<&0 </dev/null

echo "$name" >/proc/sys/kernel/hostname
mount -t tmpfs -o mode=755 host "$fleet/disk"
mkdir "$fleet/disk/upper" "$fleet/disk/work"
mount --all --fstab "$fleet/fstab"
mkdir /run/sshd
cp -a "$fleet/home/." /home
cp -a "$fleet/root/." /root
/usr/sbin/sshd -f "$fleet/sshd_config" -E "$fleet/logs/$name.log" -o "ListenAddress=$address"

# The other end of this pipe is the owner's: when it closes, the owner is gone, init ends, and the kernel ends the
# host with it. The shell waits rather than reads, because while it waits it also reaps the orphans of the host.
# A status of 137 means that the host was powered off, and `cat` with it: init lives on, and the files with it.
status=137
while [ "$status" -eq 137 ]; do
    cat <&3 >/dev/null &
    wait $! && status=0 || status=$?
done
