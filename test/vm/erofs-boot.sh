#!/bin/bash
# Boots a Debian kernel in qemu with the disk.vmdk of an image as a virtio disk, and compares all that the guest sees in
# it with what unpack makes: types, modes, owners, times, links, devices, sizes and the SHA-256 of every file.
#
#   test/vm/erofs-boot.sh [IMAGE]     (default: the small Debian image of the tests)
#
# Needs root, a built program (npm run build) and the packages qemu-system-x86, busybox-static and linux-image-cloud-amd64.
# VM_ROOT names another kernel, see machine.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

image=${1:-$(test/images/cached.sh small):debian}
. test/vm/machine.sh
make_work

# What host and guest run to list a tree. Directories have sizes and links of their own on every file system.
cat >"$work/list" <<'END'
#!/bin/busybox sh
cd "$1" && {
  find . -type d -exec stat -c '%f %u %g %Y %N' {} +
  find . ! -type d -exec stat -c '%f %h %u %g %Y %s %t:%T %N' {} +
  find . -type f -exec sha256sum {} +
} | LC_ALL=C sort
END

cat >"$work/init" <<'END'
mkdir /mnt
if mount -t erofs -o ro /dev/vda /mnt; then
  { sh /list /mnt; echo END; } >/dev/vdb
else
  { dmesg | tail -n 5; } >/dev/vdb
fi
sync
poweroff -f
END

# Boots with the disk and puts what the guest saw into a file.
boot() {
  truncate --size 256M "$work/output"
  run_machine 115 '' -machine q35,accel=tcg -m 1024 -serial "file:$work/console" \
    -drive "file.driver=file,file.filename=$1,format=vmdk,if=virtio,readonly=on" \
    -drive "file=$work/output,format=raw,if=virtio"
  tr --delete '\0' <"$work/output" >"$2"
  rm "$work/output"
}

# Kernels before 6.4 can only mount the linear form.
forms=(linear)
if printf '6.4\n%s\n' "$version" | sort --version-sort --check=quiet; then forms+=(devices); fi

mkdir -p "$work/initramfs.d"
cp "$work/list" "$work/initramfs.d/list"
make_initramfs "$work/init" virtio_pci virtio_blk erofs
node dist/main.js raw unpack --image "$image" "$work/rootfs"
busybox sh "$work/list" "$work/rootfs" >"$work/expected"
for form in "${forms[@]}"; do
  node dist/main.js --log error erofs make --image "$image" --vmdk="$form" "$work/$form"
  seconds=$SECONDS
  boot "$work/$form/disk.vmdk" "$work/seen"
  if ! diff <(cat "$work/expected" <(echo END)) "$work/seen" >"$work/diff"; then
    echo "Linux $version sees something else ($form):"
    (head -n 10 && tail -n 5) <"$work/diff"
    tail -n 5 "$work/console"
    exit 1
  fi
  files=$(grep -Ec "^[0-9a-f]{64} " "$work/seen")
  objects=$(($(wc -l <"$work/seen") - files - 1))
  echo "Linux $version, $form: $objects objects and the SHA-256 of $files files are equal ($((SECONDS - seconds)) s)"
done
