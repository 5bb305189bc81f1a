#!/bin/bash
# Runs the set hooks/pool on a real zfs in a virtual machine, with Debian's kernel and zfs and a pool on a virtio disk: what
# instances cost, datasets inside of them, kills after each call that changes something, cases of the kit (hooks test), and the
# machine itself killed while an image is unpacked. See pool-zfs-guest.sh.
#
#   test/vm/pool-zfs.sh [--all]     (--all: every case of the kit, which takes more than an hour)
#
# Needs root, a built program (npm run build), what zfs-module.sh needs, and the packages busybox-static, e2fsprogs, fdisk,
# linux-image-cloud-amd64 and qemu-system-x86. VM_ROOT names another kernel, see machine.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
VM_ROOT=$(test/vm/zfs-module.sh)
export VM_ROOT
. test/vm/machine.sh
make_work

programs=(
  awk bash basename cat chmod cmp cp cut dd df dirname du env find findmnt flock grep head id kill ln ls mkdir mktemp mount mv node
  od readlink realpath rm rmdir sed sh sha256sum sleep sort stat sync tail touch tr umount zfs zpool
)

limit=1800
PATH=$VM_ROOT/usr/bin:$PATH LD_LIBRARY_PATH=$VM_ROOT/usr/lib begin_system pool-zfs-guest.sh "${programs[@]}"
if [ "${1-}" = --all ]; then
  limit=7200
  echo --gc >"$system/system/cases-zfs"
else
  printf '%s\n' --gc --case 'cold unpack' --case 'unmounted and mounted again' --case gc >"$system/system/cases-zfs"
fi
end_system
echo , | sfdisk --quiet "$work/pool.disk" # zpool waits for udev if it has to make partitions itself
make_initramfs "$work/init" virtio_pci virtio_blk zfs
boot_phases "$limit" setup,instances,deletion,kills,kit,kept,write-first 0
boot_phases "$limit" check,write-second 5
boot_phases "$limit" check,again-second
echo "Linux $version, zfs $(modinfo --field version "$VM_ROOT/lib/modules/$version/extra/zfs.ko"): all passed ($SECONDS s)"
