#!/bin/bash
# Builds a Debian image, the same with upgraded packages, and keeps the packages:  upgraded.sh WORK MADE
#
#   MADE/layout:old   Debian 12 without its security updates
#   MADE/layout:new   what apt makes of that with these packages
#   MADE/packages/    those that apt would upgrade, as they are; and of some, one with other defaults in /etc and a later
#                     version, because updates within a release hardly ever change defaults
#
# Needs root, mmdebstrap and umoci; apt is used as this machine has it configured.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/../layers.sh"

work=$1
made=$2
layout=$made/layout
packages=$made/packages
bundle=$work/bundle
root=$bundle/rootfs
mkdir -p "$work" "$packages"
umask 022

main() {
  umoci init --layout "$layout"
  released "$work/base.tar"
  umoci new --image "$layout:old"
  umoci raw add-layer --image "$layout:old" --history.created_by mmdebstrap "$work/base.tar"
  umoci unpack --image "$layout:old" "$bundle"
  fetch
  for name in bash base-files login; do other_defaults "$name"; done
  cp -r "$packages" "$root/packages"
  # apt knows the order in which dpkg can do it
  in_root sh -c 'apt-get -qq install --yes -o Dpkg::Options::=--force-confnew /packages/*.deb'
  rm -r "$root/packages"
  umoci repack --image "$layout:new" --history.created_by 'apt-get install' "$bundle"
  umoci gc --layout "$layout"
  rm -rf "$work"
}

released() {
  say released
  apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries)' >"$work/apt.conf" || true
  # shellcheck disable=SC2016,SC2046
  mmdebstrap --quiet --variant=minbase --aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
    --include="perl,python3-minimal$(uses_https && echo ,ca-certificates)" bookworm "$1" \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(repository) bookworm main" >&2
}

# Where this machine gets Debian 12 from, without updates.
repository() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "bookworm" && $3 == "main" { print $1; exit }'
}

# In a copy of the tree, which apt may change.
fetch() {
  say fetch
  cp -a "$root" "$work/copy"
  rm -f "$work/copy/etc/apt/sources.list" "$work/copy/etc/apt/sources.list.d"/*
  # shellcheck disable=SC2046
  cp $(apt_sources) "$work/copy/etc/apt/sources.list.d/"
  (
    root=$work/copy
    in_root apt-get -qq update
    in_root apt-get -qq dist-upgrade --yes --download-only
    in_root sh -c 'cd /var/cache/apt/archives && apt-get -qq download bash base-files login'
  )
  mv "$work/copy/var/cache/apt/archives"/*.deb "$packages"
}

# A package with other contents of what it has in /etc, a new file there, and another script.
other_defaults() {
  local tree=$work/$1
  dpkg-deb --raw-extract "$packages/$1"_*.deb "$tree"
  rm "$packages/$1"_*.deb
  sed -i 's/^Version: .*/&+upgraded1/' "$tree/DEBIAN/control"
  sed -i '/^ /d; s/^Depends: .*/Depends: dpkg/; /^Pre-Depends: /d' "$tree/DEBIAN/control"
  while IFS= read -r conffile; do
    case $conffile in
      */.profile | */host.conf | */update-motd.d/*) ;;
      *) echo '# new default' >>"$tree$conffile" ;;
    esac
  done <"$tree/DEBIAN/conffiles"
  [ ! -e "$tree/usr/bin/bashbug" ] || echo '# upgraded' >>"$tree/usr/bin/bashbug"
  mkdir -p "$tree/etc/fresh.d"
  echo "$1" >"$tree/etc/fresh.d/$1"
  echo "/etc/fresh.d/$1" >>"$tree/DEBIAN/conffiles"
  dpkg-deb --build --root-owner-group "$tree" "$packages/$1.deb" >/dev/null
}

main
