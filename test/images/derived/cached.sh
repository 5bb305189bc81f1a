#!/bin/bash
# Prints the path of a layout made from the large Debian image, building it if it does not exist:
#   cached.sh fat|squashed|chown|upgrade
# These images are for benchmarks. Their scripts have a directory of their own, so that a change here does not rebuild
# the Debian images. A change to any script here, or of the large image, makes new ones.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/../../support/made-once.sh"
large=$("$here/../cached.sh" large)

made_once "debian-$1" "$(key_of "$here"/*.sh <(basename "$large"))" "$here/derive.sh" "$1" "$large"
