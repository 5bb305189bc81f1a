#!/bin/sh
# Runs a command with another version of Node, from the npm package `node`, which is downloaded once:
#   test/support/with-node.sh MAJOR COMMAND [ARGUMENT...]
set -eu

major=$1
shift
home=${OCI_UNPACK_NODES:-/var/tmp/oci-unpack-test}/node-$major
if ! [ -x "$home/node_modules/node/bin/node" ]; then
  mkdir -p "$home"
  npm install --silent --no-audit --no-fund --no-save --prefix "$home" "node@$major"
fi
PATH=$home/node_modules/node/bin:$PATH
export PATH
echo "Node $(node --version)"
exec "$@"
