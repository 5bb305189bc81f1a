#!/bin/bash
# Adds two copies of LAYOUT:debian made by skopeo to the layout: `zstd` (OCI) and `docker` (schema 2 media types).
#   convert.sh LAYOUT WORK
# skopeo 1.9 recompresses only what is not compressed yet, so the zstd copy goes through plain layers; it does not
# write Docker media types into a layout, so that copy goes through a `dir:` and is registered by hand.
set -euo pipefail
layout=$1
work=$2
here=$(dirname "$(readlink -f "$0")")

skopeo copy --quiet --dest-decompress "oci:$layout:debian" "dir:$work/plain"
skopeo copy --quiet --dest-compress-format zstd --dest-compress "dir:$work/plain" "oci:$layout:zstd"
skopeo copy --quiet --format v2s2 "oci:$layout:debian" "dir:$work/docker"
node "$here/add-docker.mjs" "$work/docker" "$layout" docker
