# shellcheck shell=bash disable=SC2154,SC2016
# The layers of debian.sh; `layout`, `work`, `bundle` and `root` come from there.

# --- how a layer gets into the image -------------------------------------------------------------------------------

base_layer() {
  say "base"
  debian_base "$work/base.tar"
  umoci raw add-layer --image "$layout:debian" --history.created_by mmdebstrap "$work/base.tar"
  rm "$work/base.tar"
  umoci unpack --image "$layout:debian" "$bundle"
}

# Runs a function that changes $root; umoci packs what changed.
changed_layer() {
  say "$*"
  "$@"
  umoci repack --refresh-bundle --image "$layout:debian" --history.created_by "$*" "$bundle"
}

# Runs a function that writes the tar file it is given; it becomes a layer as it is.
plain_layer() {
  say "$1"
  "$1" "$work/layer.tar"
  umoci raw add-layer --image "$layout:debian" --history.created_by "$1" "$work/layer.tar"
  rm "$work/layer.tar"
}

say() { echo "debian.sh: layer: $*" >&2; }

# --- Debian ---------------------------------------------------------------------------------------------------------

debian_base() {
  apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries)' >"$work/apt.conf" || true
  # shellcheck disable=SC2046
  mmdebstrap --quiet --variant=minbase --aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
    $(uses_https && echo --include=ca-certificates) bookworm "$1" $(apt_sources) >&2
}

apt_sources() { grep -ls bookworm /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; }

# shellcheck disable=SC2046
uses_https() { grep -q 'https://' $(apt_sources); }

packages() {
  in_root apt-get -qq update
  in_root apt-get -qq install --yes --no-install-recommends "$@"
  in_root apt-get clean
  find "$root/var/lib/apt/lists" -type f -delete
}

# The mounts live in a namespace of their own and end with the command.
in_root() {
  ROOT=$root unshare --mount --pid --fork --kill-child sh -euc '
    mount -t proc proc "$ROOT/proc"
    [ ! -d "$ROOT/etc/ssl/certs" ] || mount --bind /etc/ssl/certs "$ROOT/etc/ssl/certs"
    exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
  ' sh "$@" >"$work/apt.log" 2>&1 </dev/null || { cat "$work/apt.log" >&2; return 1; }
}

# --- changes to what is there -----------------------------------------------------------------------------------------

deletions_and_owners() {
  in_root apt-get -qq purge --yes libcap2-bin rsync
  rm -r "$root/usr/share/doc" "$root/usr/share/locale"
  rm "$root/usr/bin/yes" "$root/etc/issue"
  chown -R 1000:1000 "$root/usr/lib/git-core"
  chown -h 33:33 "$root/usr/bin/awk"
  find "$root/usr/share/perl5" -type f -exec chmod g+w {} +
  cp -a "$root/usr/bin/env" "$root/usr/bin/env-suid" && chmod 4755 "$root/usr/bin/env-suid"
  cp -a "$root/usr/bin/id" "$root/usr/bin/id-cap" && setcap cap_net_raw,cap_sys_ptrace+ep "$root/usr/bin/id-cap"
  rm "$root/usr/bin/head" && mkdir "$root/usr/bin/head" && echo body >"$root/usr/bin/head/in-a-former-file"
  rm -r "$root/usr/share/common-licenses" && echo file >"$root/usr/share/common-licenses"
}

sparse_and_odds() {
  truncate -s 1G "$root/srv/sparse"
  printf head | dd of="$root/srv/sparse" conv=notrunc status=none
  printf middle | dd of="$root/srv/sparse" bs=1 seek=500000001 conv=notrunc status=none
  odds_and_ends
}

odds_and_ends() {
  local odds=$root/srv/odds
  packages --reinstall coreutils
  mkdir -p "$odds/dir" "$odds/empty"
  ln "$root/usr/bin/tail" "$root/usr/bin/tail-hard"
  links "$odds"
  special_files "$odds"
  hard_names "$odds"
  attributes "$odds"
  old_times "$odds"
}

links() {
  echo linked >"$1/link-1"
  ln "$1/link-1" "$1/link-2"
  ln "$1/link-1" "$1/dir/link-3"
  ln -s nowhere "$1/dangling"
  ln "$1/dangling" "$1/dangling-hard"
  ln -s /../../../etc/passwd "$1/climbing"
}

special_files() {
  mknod -m 0640 "$1/char" c 1 3
  mknod -m 0600 "$1/block" b 259 65536
  mkfifo -m 0644 "$1/fifo"
  ln "$1/fifo" "$1/fifo-hard"
  chown 5:6 "$1/char" "$1/fifo"
}

# Names that are not UTF-8, hold a newline, look like an option, or are as long as the kernel allows.
hard_names() {
  echo 1 >"$1/$(printf 'latin1-\344\366\374')"
  echo 2 >"$1/$(printf 'new\nline')"
  echo 3 >"$1/$(printf 'ctrl-\001-\177')"
  echo 4 >"$1/-rf"
  echo 5 >"$1/ leading and trailing "
  echo 6 >"$1/ünïcødé-☃"
  echo 7 >"$1/$(printf 'n%.0s' $(seq 255))"
  ln -s "$(printf 'to-\377\n')" "$1/$(printf 'link-\376')"
  mkdir -p "$1/$(printf 'deep-component/%.0s' $(seq 30))"
  echo 8 >"$1/$(printf 'deep-component/%.0s' $(seq 30))file"
}

attributes() {
  echo attributes >"$1/attributes"
  setfattr -n user.text -v text "$1/attributes"
  setfattr -n user.binary -v 0x00ff0a3d00fe "$1/attributes"
  setfattr -n trusted.root -v only "$1/attributes"
  setfattr -n user.on-directory -v yes "$1/empty"
  setfattr -h -n trusted.on-symlink -v yes "$1/dangling"
  setfattr -n trusted.on-fifo -v yes "$1/fifo"
  setfacl -m u:1000:rwx,g:100:r "$1/attributes"
  setfacl -m u:1000:rwx -m d:u:1000:rwx "$1/dir"
  chmod 2770 "$1/empty"
  chmod 1777 "$1/dir"
  echo secret >"$1/unreadable" && chmod 0 "$1/unreadable"
}

old_times() {
  touch -h -d @1 "$1/dangling"
  touch -d '1969-12-31 12:00:00 UTC' "$1/attributes"
  touch -d '2100-01-01 UTC' "$1/char"
  touch -d @1000000000 "$1/dir"
}

# --- layers that umoci cannot make ------------------------------------------------------------------------------------

# Nanosecond times on everything, a sparse file in PAX form, xattrs and ACLs as GNU tar records them.
pax_tree() {
  local tree=$work/pax
  mkdir -p "$tree/srv/pax/dir"
  odd_files "$tree/srv/pax"
  truncate -s 40M "$tree/srv/pax/sparse"
  printf data | dd of="$tree/srv/pax/sparse" bs=1 seek=20000001 conv=notrunc status=none
  chown 4294967294:3000000 "$tree/srv/pax/file"
  find "$tree" -depth -exec touch -h -d '@1234567890.123456789' {} +
  touch -h -d @-1.5 "$tree/srv/pax/symlink"
  tar --create --file="$1" --directory="$tree" --format=posix --sort=name --numeric-owner --sparse \
    --xattrs --xattrs-include='*' --acls .
  rm -r "$tree"
}

odd_files() {
  links "$1"
  special_files "$1"
  hard_names "$1"
  mkdir -p "$1/empty"
  attributes "$1"
  echo file >"$1/file"
  ln -s file "$1/symlink"
}

# What overlayfs takes for a whiteout: every unpack but one into a mount must show it.
whiteout_device() {
  local tree=$work/device
  mkdir -p "$tree/srv"
  mknod -m 0666 "$tree/srv/overlay-whiteout" c 0 0
  tar -C "$tree" --numeric-owner -cf "$work/device.tar" srv/overlay-whiteout
  umoci raw add-layer --image "$layout:debian" --tag device "$work/device.tar"
}

# Opaque and plain whiteouts among entries of their own layer, changes of type, a link to a lower layer's file.
opaque_tree() {
  local tree=$work/opaque
  mkdir -p "$tree/srv/odds/dir" "$tree/srv/pax/dir" "$tree/usr/share/perl5" "$tree/usr/bin" "$tree/etc"
  touch "$tree/usr/share/perl5/.wh..wh..opq" "$tree/srv/odds/dir/.wh..wh..opq" "$tree/usr/bin/.wh.tee"
  touch "$tree/etc/.wh.never-was" "$tree/srv/odds/.wh.both" "$tree/srv/pax/.wh.dir"
  echo before >"$tree/usr/share/perl5/A-before"
  echo after >"$tree/usr/share/perl5/z-after"
  echo both >"$tree/srv/odds/both"
  echo kept >"$tree/srv/pax/dir/kept"
  ln -s dir "$tree/srv/odds/empty"
  mkdir "$tree/srv/odds/fifo" && echo file >"$tree/srv/odds/fifo/file"
  mkfifo "$tree/srv/odds/link-1"
  echo lower >"$tree/srv/odds/link-2" && ln "$tree/srv/odds/link-2" "$tree/srv/odds/to-lower"
  find "$tree" -depth -exec touch -h -d '2020-02-02 02:02:02.222222222 UTC' {} +
  tar --create --file="$1" --directory="$tree" --format=posix --sort=name --numeric-owner srv usr etc
  tar --delete --file="$1" srv/odds/link-2
  rm -r "$tree"
}
