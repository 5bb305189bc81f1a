# Virtual machines with Debian's kernel: what the tests beside this file share. To be sourced by bash.
#
# The kernel is the newest in /boot, or in VM_ROOT=DIRECTORY with boot/vmlinuz-* and lib/modules (usr/lib/modules).
# shellcheck shell=bash
root=${VM_ROOT:-/}
kernel=$(find "$root/boot" -name 'vmlinuz-*' | sort --version-sort | tail -n 1)
version=${kernel##*/vmlinuz-}
work=${work-} # files that are thrown away
machine=

make_work() {
  work=$(mktemp -d "${TMPDIR:-/var/tmp}/oci-unpack-vm.XXXXXX")
  trap clean_up EXIT
}

# shellcheck disable=SC2317 # called when the script ends
clean_up() {
  [ -z "$machine" ] || kill -KILL -- "-$machine" 2>/dev/null || true
  rm -rf "$work"
}

# Files of modules, after those that they depend on.
module_files() {
  modprobe --dirname "$root" --set-version "$version" --show-depends --all "$@" |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# A file system in memory, made of a script that is run first, busybox, modules in the order of their dependencies, and
# what is in initramfs.d by then:  make_initramfs SCRIPT MODULE ...
make_initramfs() {
  local init=$1 tree=$work/initramfs.d module number=10
  shift
  mkdir -p "$tree"/{bin,dev,proc,modules}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  {
    printf '%s\n' '#!/bin/busybox sh' '/bin/busybox --install -s /bin' 'mount -t devtmpfs none /dev' 'mount -t proc none /proc'
    # shellcheck disable=SC2016 # expanded in the machine
    printf '%s\n' 'for module in /modules/*; do insmod "$module" || echo "insmod $module failed"; done'
    cat "$init"
  } >"$tree/init"
  chmod +x "$tree/init"
  for module in $(module_files "$@"); do
    number=$((number + 1))
    case $module in
      *.xz) xz --decompress --stdout "$module" >"$tree/modules/$number.ko" ;;
      *) cp "$module" "$tree/modules/$number.ko" ;;
    esac
  done
  (cd "$tree" && find . | cpio --quiet --create --format=newc) >"$work/initramfs"
}

# Boots, and returns when the machine is switched off, or after so many seconds with a failure.
run_machine() {
  local seconds=$1 words=$2
  shift 2
  timeout --foreground --kill-after=5 "$seconds" qemu-system-x86_64 -nodefaults -no-reboot -nographic \
    -kernel "$kernel" -initrd "$work/initramfs" -append "console=ttyS0 panic=-1 quiet no_timer_check $words" "$@"
}

# Copies programs from PATH, with the libraries that they need, into a tree that can be the root of a machine.
copy_programs() {
  local tree=$1 program file copy
  shift
  mkdir -p "$tree"/usr/{bin,lib,lib64}
  for program in bin lib lib64; do ln -sfnT "usr/$program" "$tree/$program"; done
  ln -sfnT bin "$tree/usr/sbin"
  ln -sfnT usr/bin "$tree/sbin"
  for program in "$@"; do
    file=$(realpath "$(type -P "$program")")
    [ -e "$tree/usr/bin/${file##*/}" ] || cp "$file" "$tree/usr/bin/"
    [ "${file##*/}" = "$program" ] || ln -sf "${file##*/}" "$tree/usr/bin/$program"
    # paths of libraries as the linker looks for them; a program without libraries is a failure of ldd
    (ldd "$file" || true) | grep -o '/[^ ]*' | while read -r file; do
      copy=$tree/usr/${file##*/usr/}
      mkdir -p "${copy%/*}"
      [ -e "$copy" ] || cp --dereference "$file" "$copy"
    done
  done
}

# The root of a machine that runs a set of hooks, and a disk of it:  begin_system GUEST-SCRIPT PROGRAM ...  then whatever
# else belongs in $system, then end_system. It has the programs, what was built, three images, and the script.
begin_system() {
  local guest=$1
  shift
  system=$work/system
  mkdir -p "$system"/{data,dev,etc,oci-unpack/node_modules,proc,run,sys,system,tmp,var}
  copy_programs "$system" "$@"
  cp -r dist hooks package.json "$system/oci-unpack/"
  cp -r node_modules/{@koromix,koffi} "$system/oci-unpack/node_modules/"
  cp "test/vm/$guest" "$system/guest.sh"
  cp test/vm/phases.sh "$system/"
  make_images "$system/system/images"
  cat >"$work/init" <<'END'
mkdir /system
mount -t ext4 -o ro /dev/vda /system
mount -t devtmpfs none /system/dev
ln -s /proc/self/fd /system/dev/fd
mount -t proc none /system/proc
mount -t sysfs none /system/sys
for directory in etc run tmp var; do mount -t tmpfs none "/system/$directory"; done
mount -t ext4 /dev/vdc /system/data
chroot /system /bin/bash /guest.sh $(sed -n 's/.*phases=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
echo "exit status $?"
sync
poweroff -f
END
}

# Besides the root (vda), the machine has an empty disk for the set (vdb) and one for what must last (vdc).
end_system() {
  truncate --size 700M "$work/system.disk"
  mke2fs -q -t ext4 -O '^has_journal' -d "$system" "$work/system.disk"
  rm -r "$system"
  truncate --size 4G "$work/pool.disk" "$work/data.disk"
  mke2fs -q -t ext4 "$work/data.disk"
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

# Boots for some phases of the guest's script, in a process group of its own, and shows the console:
# boot_phases SECONDS PHASES [DELAY]. With a delay, kills the machine so many seconds after it said that it is writing.
boot_phases() {
  local limit=$1 phases=$2 delay=${3-} console line status=''
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
