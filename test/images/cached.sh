#!/bin/bash
# Prints the path of the layout with the Debian image, building it where it is not there yet:  cached.sh small|large
# The cache is ${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}; a change to any script here makes a new image.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}
key=$(cat "$here"/*.sh "$here"/*.mjs | sha256sum | cut -c1-16)
layout=$cache/debian-$1-$key

mkdir -p "$cache"
exec 9>"$cache/debian-$1.lock"
flock 9
if [ ! -d "$layout" ]; then
  fresh=$(mktemp -d "$cache/.debian.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  "$here/debian.sh" "$1" "$fresh/layout" 9>&- >&2
  mv "$fresh/layout" "$layout"
fi
echo "$layout"
