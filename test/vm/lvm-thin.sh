#!/bin/bash
# Runs the set hooks/lvm-thin in a virtual machine, with LVM and the thin volumes of a Debian kernel on a virtio disk: what
# instances cost, kills at each of its calls, cases of the kit (hooks test), and the machine itself killed while an image is
# unpacked. See lvm-thin-guest.sh.
#
#   test/vm/lvm-thin.sh [--all]     (--all: every case of the kit, which takes an hour)
#
# Needs root, a built program (npm run build) and the packages busybox-static, e2fsprogs, linux-image-cloud-amd64, lvm2,
# qemu-system-x86, thin-provisioning-tools and xfsprogs. VM_ROOT names another kernel, see machine.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/vm/machine.sh
make_work

programs=(
  awk bash basename blkid cat chmod chroot cmp cp cut date dd df dirname dmsetup du e2fsck env find findmnt flock grep head id
  kill ln ls lvchange lvcreate lvextend lvm lvremove lvrename lvs mkdir mkfs.ext4 mkfs.xfs mktemp mount mv node numfmt od
  readlink realpath resize2fs rm rmdir sed sh sha256sum sleep sort stat sync tail thin_check touch tr umount vgchange vgcreate
  xfs_growfs
)

limit=1200
begin_system lvm-thin-guest.sh "${programs[@]}"
if [ "${1-}" = --all ]; then
  limit=7200
  for type in ext4 xfs; do echo --gc >"$system/system/cases-$type"; done
else
  printf '%s\n' --case 'cold unpack' >"$system/system/cases-ext4"
fi
end_system
make_initramfs "$work/init" virtio_pci virtio_blk dm_thin_pool xfs
boot_phases "$limit" setup,test,kept,write-first 0
boot_phases "$limit" check,write-second 5
boot_phases "$limit" check,again-second
echo "Linux $version: all passed ($SECONDS s)"
