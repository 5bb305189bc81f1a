#!/bin/bash
# Prints the path of a layout made from the large Debian image, building it if it does not exist:
#   cached.sh fat|squashed|chown|upgrade
# These images are for benchmarks. Their scripts have a directory of their own, so that a change here does not rebuild
# the Debian images. They lie in the same cache; a change to any script here, or of the large image, makes new ones.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}
large=$("$here/../cached.sh" large)
key=$(cat "$here"/*.sh <(basename "$large") | sha256sum | cut -c1-16)
layout=$cache/debian-$1-$key

exec 9>"$cache/debian-$1.lock"
flock 9
if [ ! -d "$layout" ]; then
  fresh=$(mktemp -d "$cache/.derived.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  "$here/derive.sh" "$1" "$large" "$fresh" 9>&- >&2
  mv "$fresh/layout" "$layout"
fi
echo "$layout"
