#!/bin/bash
# Prints the path of a root that has a Debian kernel with all its modules, and those and the programs of zfs, building it where
# it is not there yet:  VM_ROOT=$(test/vm/zfs-module.sh)
# Another kernel or a change to this script makes a new root, with the zfs that Debian has by then (contrib). Nothing is
# installed: apt fetches sources, headers and programs with lists of its own, and they are only unpacked.
#
# Needs root and the packages gcc, kmod, libtirpc3 and make. VM_ROOT names another kernel, see machine.sh.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/../support/made-once.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/machine.sh"

# Into the directory $1/packages, with the mirrors that apt knows.
fetch() {
  local options=(
    -qq -o "Dir::Etc::sourcelist=$1/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$1/lists"
    -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root
  )
  mkdir -p "$1"/lists/partial "$1"/cache/archives/partial "$1"/debs
  apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) main contrib" 'Created-By: Packages' 'Origin: Debian' |
    sort --unique >"$1/sources.list"
  apt-get "${options[@]}" update
  local names
  mapfile -t names < <(
    with_dependencies zfsutils-linux '^lib(nvpair|uutil|zfs)'
    with_dependencies "linux-headers-$version" '^linux-'
  )
  (cd "$1/debs" && apt-get "${options[@]}" download zfs-dkms "${names[@]}")
  for package in "$1"/debs/*.deb; do dpkg-deb -x "$package" "$1/packages"; done
}

# A package, and what it depends on as far as the names match.
with_dependencies() {
  echo "$1"
  apt-cache "${options[@]}" depends --important "$1" | awk -v names="$2" '$1 == "Depends:" && $2 ~ names { print $2 }'
}

build() {
  local sources=$1/packages/usr/src headers
  headers=$(find "$sources" -maxdepth 1 -name 'linux-headers-*-common*')
  sed -i "s|/usr/src/|$sources/|" "$sources/linux-headers-$version/Makefile"
  (
    cd "$sources"/zfs-* &&
      ./configure --with-config=kernel --with-linux="$headers" --with-linux-obj="$sources/linux-headers-$version" &&
      make --jobs="$(nproc)"
  ) >"$1/log" 2>&1 || {
    tail -n 50 "$1/log"
    exit 1
  }
}

# The kernel as it is, and beside its own modules those of zfs.
assemble() {
  local modules=$1/made/lib/modules/$version
  mkdir -p "$1/made"/{boot,usr/bin,usr/lib} "$modules/extra"
  cp "$kernel" "$1/made/boot/"
  cp -r "$root/lib/modules/$version"/* "$modules/"
  find "$1/packages/usr/src" -path '*/module/*.ko' -exec cp -t "$modules/extra" {} +
  strip --strip-debug "$modules"/extra/*.ko
  depmod --basedir "$1/made" "$version"
  find "$1/packages" -path '*/sbin/*' \( -name zfs -o -name zpool \) -exec cp -t "$1/made/usr/bin" {} +
  find "$1/packages" -path '*-linux-gnu/*' -name 'lib*.so.*' -exec cp --no-dereference -t "$1/made/usr/lib" {} +
}

make_root() {
  fetch "$1"
  build "$1"
  assemble "$1"
}

made_once "zfs-$version" "$(key_of "$here/zfs-module.sh")" make_root
