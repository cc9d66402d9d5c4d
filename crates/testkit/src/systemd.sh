# The end of host.sh on hosts with systemd, which run in a cgroup namespace of their own: systemd becomes pid 1.

# It sees no cgroups but the host's. Without the v1 hierarchies that the machine may have, it doesn't use their
# controllers, which would take the host's processes out of the limits of whoever runs the tests.
# The tmpfs is in between because nothing is mounted on itself, which is what it would be on a machine without v1.
mount -t tmpfs host /sys/fs/cgroup
mount -t cgroup2 host /sys/fs/cgroup
# It would set the hostname to the machine's, and take the machine's id for the host's.
echo "$name" >/etc/hostname
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
# The machine's units can be started, but none starts by itself: some would set up the machine anew, such as its kernel
# settings and its disks, and others, such as apt-daily.timer, change files that are no host's own.
for folder in /etc/systemd/system /lib/systemd/system-generators /lib/systemd/system/*.wants; do
    mount -t tmpfs -o mode=755 host "$folder"
done
# systemd raises some kernel settings by itself. They are the machine's.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

# Nobody but the kernel can end systemd at once. This is a reboot(2) without more ado, at which the kernel ends the pid
# namespace that it comes from, and not the machine.
(
    cat <&3 >/dev/null
    exec systemctl poweroff --force --force
) &
exec 3<&-
# Said to be in a container, systemd leaves devices, clock and console alone.
export container=lxc
exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=no
