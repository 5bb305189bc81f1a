#!/bin/bash
# What lvm-thin.sh runs in the machine:  lvm-thin-guest.sh PHASE ...
# The volume group is on /dev/vdb, and what must last is in /data. Results are lines on the console.
set -euo pipefail
export LVM_SUPPRESS_FD_WARNINGS=1
program=lvm-thin

# There is no udev, which makes the files of devices elsewhere.
mkdir -p /etc/lvm /run/lock/lvm
cat >/etc/lvm/lvm.conf <<'END'
devices { filter = [ "a|^/dev/vdb$|", "r|.*|" ] }
backup { backup = 0 archive = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
END
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/phases.sh"

# The set, with a file system and the sizes of a small pool.
make_set() {
  cp -r hooks/lvm-thin "/data/set-$1"
  sed -i -e "s/^FS = .*/FS = \"$1\"/" -e 's/^SIZE_FLOOR = .*/SIZE_FLOOR = "400M"/' -e 's/^DATA_FLOOR = .*/DATA_FLOOR = "100M"/' \
    -e 's/^METADATA_FLOOR = .*/METADATA_FLOOR = "4M"/' -e "s|^STORE = .*|STORE = \"/data/store-$1\"|" "/data/set-$1/hooks.toml"
}

# What the pool has allocated, in KiB.
used() {
  sync
  dmsetup status vg-pool-tpool | awk '{ split($6, blocks, "/"); print blocks[1] * 64 }'
}

# Lines of a name and the tags of a volume in the pool.
tags() {
  lvs --noheadings --options lv_name,lv_tags --select 'pool_lv=pool' vg
}

states() {
  tags | awk '
    $2 !~ /^oci-unpack,oci-unpack:/ { print "untagged", $1; next }
    /showing=/ { print "showing", $1; next }
    match($2, /image=|staged=|instance=/) { print substr($2, RSTART, RLENGTH - 1), $1; next }
    { print "other", $0 }'
}

recover() {
  "$set/lvm-thin" recover "$@"
}

# What an instance costs, what a base refuses, and what goes back to the pool.
test_volumes() {
  local type=$1 before after base facts said
  use_set "$type"
  mkdir -p "$bundles/one/.oci-unpack"
  quietly hook one prepare
  quietly unpack_directly one 0 1
  base=$(tags | awk -v tag="image=$(key 1 | cut -d: -f2)" '$2 ~ tag { print $1 }')
  before=$(used)
  quietly unpack_directly two 0 1
  after=$(used)
  echo "$type: the second instance has $((after - before)) KiB in the pool"
  # at each mount xfs clears 2 MiB of its log
  [ $((after - before)) -lt "$([ "$type" = ext4 ] && echo 1024 || echo 3072)" ] || fail 'that is too much'
  for bundle in one two; do is_whole "$bundles/$bundle/rootfs" || fail "$bundle is not whole"; done
  find "$bundles/two/rootfs" -type f -exec cat {} + >/dev/null
  after=$(($(used) - after))
  [ "$after" -lt 256 ] || fail "reading an instance took $after KiB in the pool"

  quietly vgchange --activate y vg
  said=$(lvs --noheadings --options lv_permissions,lv_active,lv_skip_activation "vg/$base" | tr -s " ")
  [ "$said" = " read-only skip activation" ] || fail "the base is not read-only, inactive and skipped: $said"
  quietly lvchange --activate y --ignoreactivationskip "vg/$base"
  if dd if=/dev/zero of="/dev/vg/$base" bs=4096 count=1 oflag=direct 2>/dev/null; then fail 'a base can be written to'; fi
  quietly lvchange --activate n "vg/$base"

  before=$(used)
  dd if=/dev/urandom of="$bundles/one/rootfs/more" bs=1M count=40 status=none
  after=$(used)
  [ $((after - before)) -gt 40000 ] || fail "a file of 40 MiB has only $((after - before)) KiB in the pool"
  rm "$bundles/one/rootfs/more"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    after=$(used)
    [ "$after" -gt $((before + 2048)) ] || break
    sleep 1
  done
  echo "$type: of a file of 40 MiB that was removed, $((after - before)) KiB are left in the pool"
  [ "$after" -le $((before + 2048)) ] || fail 'the pool did not shrink'

  quietly hook one delete
  quietly hook two umount
  quietly hook two mount
  is_whole "$bundles/two/rootfs" || fail 'two is not whole after it was mounted again'
  quietly hook two delete
  # an image with more in it, on the same layer
  mkdir -p "$bundles/big/.oci-unpack"
  mapfile -t facts < <(layer 2)
  hook big pre-extract "${facts[@]}" OCI_UNPACK_UNPACKED_SIZE=400000000 >/tmp/target 2>/tmp/said || fail "$(cat /tmp/said)"
  after=$(df --output=size --block-size=1M "$(cat /tmp/target)" | tail -n 1)
  [ "$after" -gt 600 ] || fail "the volume has not grown, but has $after MiB"
  quietly hook big abort
  quietly hook two gc OCI_UNPACK_LIVE_KEYS=
  [ -z "$(tags)" ] || fail 'gc has left something'
  rm -rf "${bundles:?}"/*
  passed "volumes with $type"
}

# Half of the kills are undone by recover.
recover_dead() {
  quietly recover --remove
  grep -Eq '^(staged|showing) ' /tmp/seen || [ ! -s /tmp/said ] || fail "recover has found something else: $(cat /tmp/said)"
}

test_kills() {
  use_set ext4
  quietly unpack_directly kept 0
  echo mine >"$bundles/kept/rootfs/mine"
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS=
  make_killers lvcreate lvchange lvrename mkfs.ext4 mount umount
  kill_each_call 9 recover_dead unpack_directly killed 0
  cmp -s /usr/bin/bash "$bundles/killed/rootfs/file" || fail 'the bundle is not whole after all kills'
  for bundle in kept killed; do quietly hook "$bundle" delete; done
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS=
  rm -rf "${bundles:?}"/*
}

check() {
  quietly vgchange --activate y vg
  check_kept
  states | grep ^image | while read -r _ volume; do
    quietly lvchange --activate y --ignoreactivationskip "vg/$volume"
    quietly e2fsck -fn "/dev/vg/$volume"
    quietly lvchange --activate n "vg/$volume"
  done
  passed 'nothing was lost with the machine'
}

live
for phase in "$@"; do
  use_set ext4
  case $phase in
    setup)
      quietly vgcreate vg /dev/vdb
      quietly lvcreate --size 3G --poolmetadatasize 64M --thinpool pool vg
      for each in ext4 xfs; do make_set "$each"; done
      ;;
    test)
      for each in ext4 xfs; do test_volumes "$each"; done
      test_kills
      for each in ext4 xfs; do use_set "$each" && test_kit; done
      ;;
    kept) make_kept ;;
    check) check ;;
    again-*) again "${phase#again-}" ;;
    write-*) write "${phase#write-}" /data/store-ext4/staged ;;
  esac
done
