#!/bin/bash
# Prints a directory with two Debian images and the packages between them, building it if it does not exist:  cached.sh
# A change to a script that makes it makes a new one.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/../../support/made-once.sh"

make() {
  "$here/upgraded.sh" "$1/work" "$1/made"
}

made_once debian-upgraded "$(key_of "$here"/*.sh "$here/../layers.sh")" make
