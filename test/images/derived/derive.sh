#!/bin/bash
# Makes one image for benchmarks from the large Debian image:  derive.sh fat|squashed|chown|upgrade LARGE WORK
# The result is WORK/made:debian. GNU tar writes the trees and umoci compresses them (gzip -6), as the large image's.
#
#   fat       one layer of 0.6 GB of tar: Go and PostgreSQL, the large image's fifth layer
#   squashed  the whole large image in one layer; its sparse file of 1 GiB is written out, as other squashers do
#   chown     the tree of `fat`, and on top what `chown -R` makes of it: every object again with another owner
#   upgrade   the base and the toolchain, and on top every file of every package again, as after an upgrade of all of
#             them. A stand-in: the bytes are those of the same release with other times, since no older one is at hand.
set -euo pipefail
wanted=$1
large=$2
work=$3
layout=$work/made
tree=$work/tree

fat() {
  layer_of_large 4 "$work/layer.tar"
  add_layer fat
}

squashed() {
  umoci raw unpack --image "$large:debian" "$tree"
  pack "$work/layer.tar" .
  add_layer squashed
}

chown_all() {
  layer_of_large 4 "$work/layer.tar"
  extract
  add_layer base
  chown -hR 1000:1000 "$tree"
  pack "$work/layer.tar" .
  add_layer "chown -R"
}

upgrade() {
  for index in 0 1; do
    layer_of_large "$index" "$work/layer.tar"
    extract
    add_layer "layer $index"
  done
  reinstall
  add_layer upgrade
}

# Every package's files with new times, and the database of packages; directories are written, but nothing else in them.
reinstall() {
  files_of_packages | (cd "$tree" && xargs -0 touch -h -d '2026-01-01 UTC')
  files_of_packages | pack "$work/layer.tar" --no-recursion --null --files-from=-
}

# Packages still name `/bin/ls`, but a layer names objects by where they are.
files_of_packages() {
  (cd "$tree" && {
    sed -E -e 's|^/||' -e '/^\.?$/d' -e 's#^(bin|sbin|lib|lib32|lib64|libx32)/#usr/&#' var/lib/dpkg/info/*.list
    find var/lib/dpkg -type f
  } | sort -u | while IFS= read -r name; do
    [ ! -e "$name" ] && [ ! -L "$name" ] || printf '%s\0' "$name"
  done)
}

# --- layers -----------------------------------------------------------------------------------------------------------

# The tar of one layer, counted from 0.
layer_of_large() {
  gzip -dc "$(blob "$(jq -r ".layers[$1].digest" "$(manifest)")")" >"$2"
}

manifest() { blob "$(jq -r '.manifests[0].digest' "$large/index.json")"; }

blob() { echo "$large/blobs/${1/://}"; }

# What is in the layer, without looking at whiteouts.
extract() {
  mkdir -p "$tree"
  tar --extract --file="$work/layer.tar" --directory="$tree" --preserve-permissions --numeric-owner \
    --xattrs --xattrs-include='*' --exclude='.wh.*'
}

pack() {
  local file=$1
  shift
  tar --create --file="$file" --directory="$tree" --format=posix --sort=name --numeric-owner \
    --xattrs --xattrs-include='*' "$@"
}

add_layer() {
  umoci raw add-layer --image "$layout:debian" --history.created_by "$1" "$work/layer.tar"
  rm "$work/layer.tar"
}

umoci init --layout "$layout"
umoci new --image "$layout:debian"
case $wanted in
  fat | squashed | upgrade) "$wanted" ;;
  chown) chown_all ;;
  *) echo "usage: derive.sh fat|squashed|chown|upgrade LARGE WORK" >&2; exit 2 ;;
esac
umoci gc --layout "$layout"
