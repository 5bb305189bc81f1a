#!/bin/bash
# Prints a directory with two Debian images and the packages between them, building it if it does not exist:  cached.sh
# It lies in the cache of the Debian images; a change to a script that makes it makes a new one.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}
key=$(cat "$here"/*.sh "$here/../layers.sh" | sha256sum | cut -c1-16)
made=$cache/debian-upgraded-$key

mkdir -p "$cache"
exec 9>"$cache/debian-upgraded.lock"
flock 9
if [ ! -d "$made" ]; then
  fresh=$(mktemp -d "$cache/.upgraded.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  "$here/upgraded.sh" "$fresh/work" "$fresh/made" 9>&- >&2
  mv "$fresh/made" "$made"
fi
echo "$made"
