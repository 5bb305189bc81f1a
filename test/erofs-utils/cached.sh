#!/bin/bash
# Prints the path of a directory with the programs of Debian 13's erofs-utils, which can read tar archives, fetching them
# if they are not there yet:  cached.sh
# Nothing is installed: apt fetches the packages and their libraries with lists of its own, and they are only unpacked. A
# change to this script fetches them again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$(readlink -f "$0")")/../support/made-once.sh"
key=$(key_of "$0")
programs=$cache/erofs-utils-$key
packages=(erofs-utils libc6 libdeflate0 liblz4-1 liblzma5 libpcre2-8-0 libselinux1 libuuid1 libxxhash0 libzstd1 zlib1g)

# Into the directory $1, with the mirror that apt knows.
fetch() {
  local mirror
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Origin: Debian' 'Created-By: Packages' | grep -v security | head -n 1)
  mkdir -p "$1"/state/lists/partial "$1"/cache/archives/partial "$1"/packages "$1"/made
  touch "$1/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$1/sources.list"
  local options=(
    -qq -o "Dir::Etc::sourcelist=$1/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State=$1/state"
    -o "Dir::State::status=$1/status" -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root
  )
  apt-get "${options[@]}" update
  (cd "$1/packages" && apt-get "${options[@]}" download "${packages[@]}")
  for package in "$1"/packages/*.deb; do dpkg-deb -x "$package" "$1/made/root"; done
}

# Programs that find the libraries that came with them.
wrap() {
  local program loader
  loader=$(cd "$1" && find root -name 'ld-linux*.so.*' | head -n 1)
  for program in mkfs.erofs fsck.erofs; do
    cat >"$1/$program" <<SCRIPT
#!/bin/sh
root=$programs/root
exec "$programs/$loader" --library-path "\$(echo "\$root"/usr/lib/*-linux-gnu)" "\$root/usr/bin/$program" "\$@"
SCRIPT
    chmod 755 "$1/$program"
  done
}

make() {
  fetch "$1"
  wrap "$1/made"
}

made_once erofs-utils "$key" make
