# shellcheck shell=bash
# For scripts that print where something is that takes long to make: it is kept in ${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}.
# Not a part of any key, so that a change here makes nothing anew.
cache=${OCI_UNPACK_TEST_CACHE:-/var/tmp/oci-unpack-test}

# key_of FILE ...
key_of() {
  cat "$@" | sha256sum | cut -c1-16
}

#   made_once NAME KEY COMMAND [ARGUMENT ...]
# Prints the path of NAME-KEY. If it is not there yet, COMMAND gets a new directory as one more argument and makes `made` in it.
made_once() {
  local path=$cache/$1-$2
  mkdir -p "$cache"
  exec 9>"$cache/$1.lock"
  flock 9
  if [ ! -d "$path" ]; then
    fresh=$(mktemp -d "$cache/.$1.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    "${@:3}" "$fresh" 9>&- >&2
    mv "$fresh/made" "$path"
  fi
  echo "$path"
}
