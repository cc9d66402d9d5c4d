# Makes a host out of fresh mount, pid and uts namespaces, of which this shell is pid 1. Then comes init.sh or
# systemd.sh.
# Arguments: the fleet's folder, the host's name, its address. What each path holds is told in layout.rs.
# Descriptor 3 is a pipe whose other end is the owner's: when it closes, the owner is gone, and the host has to end.
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
