# The second program of the guest, in a copy of the host's files: runs OUT/command.sh between the
# second serial line and nobody else, writes its exit code to OUT/exit, and switches the guest off.
# Without that file the guest has died on the way.
out=$1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t tmpfs -o mode=755 tmpfs /run
# What is tried may itself lie below /tmp; it is writable there too, in the layer above.
case $out in /tmp/*) ;; *) mount -t tmpfs -o mode=1777 tmpfs /tmp ;; esac
mkdir -p /run/netns /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
ln -sfn /proc/self/fd /dev/fd
. "$out/guest.env"
mkdir -p /lib/modules
ln -sfn "$SUND_GUEST_MODULES" "/lib/modules/$(uname -r)"
ip link set lo up
# Loaded now: what comes with these modules (a tunl0 in every namespace) is then nobody's leftover.
for module in $SUND_GUEST_LOAD; do modprobe "$module" || echo "sund guest: no module $module"; done
exec 3<>/dev/ttyS1 # held open: what a closed line receives is lost
stty -F /dev/ttyS1 raw -echo
sh "$out/command.sh" <&3 >&3 2>"$out/worker.txt" 3>&-
echo $? >"$out/exit"
sync
busybox reboot -f
