# Virtual machines with Debian's kernel: what the tests beside this file share. To be sourced by bash, with $work set to
# a directory for files that are thrown away.
#
# The kernel is the newest in /boot, or in VM_ROOT=DIRECTORY with boot/vmlinuz-* and lib/modules (usr/lib/modules).
# shellcheck shell=bash disable=SC2154
root=${VM_ROOT:-/}
kernel=$(find "$root/boot" -name 'vmlinuz-*' | sort --version-sort | tail -n 1)
version=${kernel##*/vmlinuz-}

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
  local tree=$1 program file
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
    (ldd "$file" || true) | grep -o '/[^ ]*' | sed 's|^/usr||' | while read -r file; do
      mkdir -p "$tree/usr${file%/*}"
      [ -e "$tree/usr$file" ] || cp --dereference "$file" "$tree/usr$file"
    done
  done
}
