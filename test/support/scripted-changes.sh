#!/bin/bash
# Changes the tree of the small Debian image in every way that a repack must see:  scripted-changes.sh ROOTFS
#
# The tree may be a plain directory or a mounted overlay. Needs root, dpkg-deb and a file system with xattrs; works
# without a network. Each function is one kind of change.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=../images/layers.sh
. "$here/../images/layers.sh"

root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

new_files() {
  mkdir -p "$root/srv/new/deep/er"
  echo new >"$root/srv/new/file"
  head -c 3000000 /dev/zero | tr '\0' 'x' >"$root/srv/new/deep/er/big"
  truncate -s 20M "$root/srv/new/sparse"
  printf 'end' >>"$root/srv/new/sparse"
  : >"$root/srv/new/empty"
  ln -s ../new/file "$root/srv/new/link"
  mkfifo "$root/srv/new/fifo"
  mknod "$root/srv/new/device" c 10 200
  hard_names "$root/srv/new"
}

# The second kind can be seen only by content, the third only in nanoseconds.
changed_content() {
  echo more >>"$root/etc/bash.bashrc"
  local time
  time=$(stat -c %y "$root/etc/debian_version")
  printf '21.1\n' | dd of="$root/etc/debian_version" conv=notrunc status=none
  touch -d "$time" "$root/etc/debian_version"
  touch -d "$(date -d "@$(stat -c %Y "$root/etc/profile")" '+%F %T').987654321" "$root/etc/profile"
}

deletions() {
  rm "$root/etc/deluser.conf" "$root/usr/bin/tac"
  rm -r "$root/usr/share/bash-completion" "$root/usr/share/perl5"
}

type_changes() {
  rm "$root/usr/bin/wc" && mkdir "$root/usr/bin/wc" && echo in >"$root/usr/bin/wc/in"
  rm -r "$root/usr/share/pixmaps" && echo file >"$root/usr/share/pixmaps"
  rm -r "$root/usr/share/menu" && ln -s pixmaps "$root/usr/share/menu"
  rm "$root/usr/bin/od" && ln -s wc "$root/usr/bin/od"
  rm "$root/var/run" && mkdir "$root/var/run" && echo pid >"$root/var/run/pid"
  # A directory moves and a link takes its place: whiteouts of what it held would go through the link.
  mv "$root/usr/lib/git-core" "$root/usr/lib/git-moved" && ln -s git-moved "$root/usr/lib/git-core"
}

owners_and_modes() {
  chmod 4711 "$root/usr/bin/nl"
  chmod 0700 "$root/srv"
  chown 1000:1000 "$root/usr/bin/pr"
  chown -h 12:34 "$root/srv/odds/dangling"
  chown -R 3000000:3000000 "$root/var/mail"
  chmod 0 "$root/etc/motd"
}

attribute_edits() {
  setcap cap_net_bind_service+ep "$root/usr/bin/cut"
  setcap -r "$root/usr/bin/id-cap"
  setfattr -n user.binary -v 0x000a3dff "$root/srv/odds/attributes"
  setfattr -x user.text "$root/srv/odds/attributes"
  setfattr -n trusted.large -v "$(head -c 3000 /dev/zero | tr '\0' v)" "$root/usr/bin/cut"
  setfattr -h -n trusted.on-symlink -v other "$root/srv/odds/dangling-hard"
  setfattr -n user.on-directory -v new "$root/usr/games"
  # overlayfs refuses ACLs of what is still in a lower layer with EROFS
  chmod --reference="$root/srv/odds/dir" "$root/srv/odds/dir"
  setfacl -m u:77:rwx "$root/srv/odds/dir"
}

hardlink_edits() {
  ln "$root/usr/bin/env" "$root/usr/bin/env-hard"
  cp -a "$root/usr/bin/tail-hard" "$root/usr/bin/tail-copy" && mv "$root/usr/bin/tail-copy" "$root/usr/bin/tail-hard"
  echo 1 >"$root/srv/pair-a" && ln "$root/srv/pair-a" "$root/srv/pair-b"
  ln "$root/srv/odds/fifo-hard" "$root/srv/odds/fifo-harder"
  regroup "$root/srv/odds/link-2" "$root/srv/pax/link-2"
}

# Two names of two files with two names each change places, times and counts staying as they are.
regroup() {
  mv "$1" "$1.moving" && mv "$2" "$1" && mv "$1.moving" "$2"
}

device_edits() {
  local time
  time=$(stat -c %y "$root/srv/odds/char")
  rm "$root/srv/odds/char" && mknod -m 0640 "$root/srv/odds/char" c 7 7 && chown 5:6 "$root/srv/odds/char"
  touch -d "$time" "$root/srv/odds/char"
}

renames() {
  mv "$root/usr/share/zoneinfo" "$root/usr/share/zones"
  mv "$root/usr/bin/sum" "$root/srv/there" && mv "$root/srv/there" "$root/usr/bin/sum"
  mv "$root/usr/bin/base32" "$root/usr/bin/base-32"
}

package_install() {
  local deb=$work/scripted
  mkdir -p "$deb/DEBIAN" "$deb/usr/bin" "$deb/etc/scripted" "$deb/usr/lib/scripted"
  printf 'Package: scripted\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n' \
    >"$deb/DEBIAN/control"
  echo /etc/scripted/conf >"$deb/DEBIAN/conffiles"
  printf '#!/bin/sh\nset -e\nuseradd --system scripted\nchown scripted /usr/lib/scripted\nldconfig\n' >"$deb/DEBIAN/postinst"
  chmod 0755 "$deb/DEBIAN/postinst"
  printf '#!/bin/sh\necho scripted\n' >"$deb/usr/bin/scripted" && chmod 0755 "$deb/usr/bin/scripted"
  echo conf >"$deb/etc/scripted/conf"
  dpkg-deb --root-owner-group --build "$deb" "$root/tmp/scripted.deb" >/dev/null
  in_root apt-get -qq install --yes /tmp/scripted.deb
  rm "$root/tmp/scripted.deb"
}

new_files
changed_content
deletions
type_changes
owners_and_modes
attribute_edits
hardlink_edits
device_edits
renames
package_install
