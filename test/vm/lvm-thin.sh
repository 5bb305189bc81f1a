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

work=$(mktemp -d "${TMPDIR:-/var/tmp}/oci-unpack-vm.XXXXXX")
machine=
# shellcheck disable=SC2317
clean_up() {
  [ -z "$machine" ] || kill -KILL -- "-$machine" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
. test/vm/machine.sh

programs=(
  awk bash basename blkid cat chmod chroot cmp cp cut date dd df dirname dmsetup du e2fsck env find findmnt flock grep head id
  kill ln ls lvchange lvcreate lvextend lvm lvremove lvrename lvs mkdir mkfs.ext4 mkfs.xfs mktemp mount mv node numfmt od
  readlink realpath resize2fs rm rmdir sed sh sha256sum sleep sort stat sync tail thin_check touch tr umount vgchange vgcreate
  xfs_growfs
)

cat >"$work/init" <<'END'
mkdir /system
mount -t ext4 -o ro /dev/vda /system
mount -t devtmpfs none /system/dev
ln -s /proc/self/fd /system/dev/fd
mount -t proc none /system/proc
mount -t sysfs none /system/sys
for directory in etc/lvm run tmp var; do mount -t tmpfs none "/system/$directory"; done
mount -t ext4 /dev/vdc /system/data
mkdir -p /system/run/lock/lvm
chroot /system /bin/bash /lvm-thin-guest.sh $(sed -n 's/.*phases=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
echo "exit status $?"
sync
poweroff -f
END

# The root of the machine: the programs, what was built, the images, and which cases of the kit are run.
make_system() {
  local tree=$work/system
  mkdir -p "$tree"/{data,dev,etc/lvm,oci-unpack/node_modules,proc,run,sys,system,tmp,var}
  copy_programs "$tree" "${programs[@]}"
  cp -r dist hooks package.json "$tree/oci-unpack/"
  cp -r node_modules/{@koromix,koffi} "$tree/oci-unpack/node_modules/"
  cp test/vm/lvm-thin-guest.sh "$tree/"
  make_images "$tree/system/images"
  if [ "${1-}" = --all ]; then
    for type in ext4 xfs; do echo --gc >"$tree/system/cases-$type"; done
  else
    printf '%s\n' --case 'cold unpack' >"$tree/system/cases-ext4"
  fi
  truncate --size 700M "$work/system.disk"
  mke2fs -q -t ext4 -O '^has_journal' -d "$tree" "$work/system.disk"
  rm -r "$tree"
}

# Two layers each, with the sums of all files in the second.
make_images() {
  local tag number files=$work/files
  for tag in kept first second; do
    mkdir "$files"
    for number in $(seq 24); do head --bytes 1M /dev/urandom >"$files/$number"; done
    tar --create --file "$files.tar" --directory "$files" .
    node dist/main.js --log error copy "tar:$files.tar" "$1:$tag"
    (cd "$files" && sha256sum ./*) >"$work/sums"
    node dist/main.js --log error insert --image "$1:$tag" "$work/sums" /sums
    rm -r "$files" "$files.tar"
  done
}

# Boots for some phases, in a process group of its own, and shows the console. With a number of seconds, kills the machine so long
# after it said that it is writing.
boot() {
  local phases=$1 delay=${2-} console line status=''
  coproc setsid bash -c ". test/vm/machine.sh; work=$work run_machine $limit \"mitigations=off phases=$phases\" \
    -machine q35 -accel tcg,thread=multi -cpu Nehalem -smp 2 -m 1536 -serial stdio \
    -drive file=$work/system.disk,format=raw,if=virtio,readonly=on \
    -drive file=$work/pool.disk,format=raw,if=virtio,discard=unmap -drive file=$work/data.disk,format=raw,if=virtio"
  machine=$COPROC_PID
  exec {console}<&"${COPROC[0]}" # bash closes its own when the machine has ended
  while IFS= read -r line <&"$console"; do
    line=${line%$'\r'}
    line=${line##*$'\e[2J'} # what the firmware begins with
    case $line in
      'exit status '*) status=${line##* } ;;
      writing)
        sleep "$delay"
        kill -KILL -- "-$machine"
        status=0
        echo "killed the machine $delay s after the image was begun"
        ;;
      *SeaBIOS* | *Booting* | *reboot:*) ;;
      *) echo "$line" ;;
    esac
  done
  exec {console}<&-
  { wait "$machine" || true; } 2>/dev/null
  machine=
  [ "$status" = 0 ] || {
    echo "The machine ended with the exit status ${status:-unknown} ($phases)"
    exit 1
  }
}

limit=1200
[ "${1-}" != --all ] || limit=7200
make_system "$@"
make_initramfs "$work/init" virtio_pci virtio_blk dm_thin_pool xfs
truncate --size 4G "$work/pool.disk" "$work/data.disk"
mke2fs -q -t ext4 "$work/data.disk"
boot setup,test,kept,write-first 0
boot check,write-second 5
boot check,again-second
echo "Linux $version: all passed ($SECONDS s)"
