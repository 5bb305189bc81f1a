#!/bin/bash
# Prints the path of the layout with the Debian image, building it where it is not there yet:  cached.sh small|large
# A change to any script here makes a new image.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/../support/made-once.sh"
size=$1

make() {
  "$here/debian.sh" "$size" "$1/made"
}

made_once "debian-$size" "$(key_of "$here"/*.sh "$here"/*.mjs)" make
