#!/bin/busybox sh
# The first program of the guest: makes a root file system of the host's own, read-only below and a
# tmpfs above, and goes on with guest-run.sh in it. The folder that the guest may write to on the
# host is given on the kernel's command line as sund.out=FOLDER and is the same folder in both.
b=/bin/busybox
$b mkdir -p /proc /sys /dev /lower /upper /new
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
while read -r module; do $b insmod "/modules/$module" || echo "sund guest: $module is not loaded"; done </modules/order

for word in $($b cat /proc/cmdline); do
  case $word in sund.out=*) out=${word#sund.out=} ;; esac
done
options=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o "$options,cache=loose,ro" root /lower || exec $b reboot -f
$b mount -t tmpfs tmpfs /upper
$b mkdir /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /new || exec $b reboot -f
$b mkdir -p "/new$out"
$b mount -t 9p -o "$options" out "/new$out" || exec $b reboot -f
for folder in proc sys dev; do
  $b mkdir -p /new/$folder
  $b mount --move /$folder /new/$folder
done
exec $b switch_root /new /bin/sh "$out/guest-run.sh" "$out"
