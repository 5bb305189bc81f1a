#!/bin/bash
# Builds a real Debian image into a new OCI layout:  debian.sh small|large LAYOUT
#
# Every layer is made by tools other than ours: mmdebstrap makes the base, apt-get and shell commands in the tree the
# next ones (packed by umoci), GNU tar those that umoci cannot express. skopeo converts the result. Tags: `debian`
# (OCI, gzip), and for `small` also `zstd`, `docker` (schema 2 media types) and `device` (one more layer). Needs root and a file system with
# xattrs; apt is used as this machine has it configured.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/layers.sh"

size=$1
layout=$2
work=$(mktemp -d "$(dirname "$layout")/.image.XXXXXX")
trap 'rm -rf "$work"' EXIT
bundle=$work/bundle
root=$bundle/rootfs
umask 022

small() {
  base_layer
  changed_layer packages git iputils-ping libcap2-bin
  changed_layer packages python3 rsync
  changed_layer deletions_and_owners
  changed_layer odds_and_ends
  plain_layer pax_tree
  plain_layer opaque_tree
}

# The benchmark's six layers.
large() {
  base_layer
  changed_layer packages build-essential clang cmake gdb git libcap2-bin iputils-ping libboost-dev \
    "linux-headers-$(dpkg --print-architecture)" python3-django python3-numpy rsync
  changed_layer packages nodejs npm openjdk-17-jdk
  changed_layer deletions_and_owners
  changed_layer packages golang postgresql
  changed_layer sparse_and_odds
}

case $size in small | large) ;; *) echo "usage: debian.sh small|large LAYOUT" >&2; exit 2 ;; esac
umoci init --layout "$layout"
umoci new --image "$layout:debian"
"$size"
umoci config --image "$layout:debian" --config.cmd /bin/bash --config.env LANG=C.UTF-8 --config.workingdir /root \
  --config.label org.opencontainers.image.title=debian --history.comment "test image, $size"
rm -rf "$bundle"
[ "$size" = large ] || whiteout_device
umoci gc --layout "$layout"
[ "$size" = large ] || "$here/convert.sh" "$layout" "$work"
