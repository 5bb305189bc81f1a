#!/bin/bash
# What pool-zfs.sh runs in the machine:  pool-zfs-guest.sh PHASE ...
# The zpool is on /dev/vdb1 and mounted in /data, where what must last is. Bundles are in POOL/instances, or on the ext4 of
# /data. Results are lines on the console.
set -euo pipefail
program=pool
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/phases.sh"
bundles=/data/pool/instances
set=/data/set-zfs

make_set() {
  cp -r hooks/pool "$set"
  sed -i 's|^POOL = .*|POOL = "/data/pool"|' "$set/hooks.toml"
}

states() {
  local name point
  zfs list -H -o name,mountpoint -r tank/pool | while read -r name point; do
    case $name in
      tank/pool) ;;
      tank/pool/images | tank/pool/staged | tank/pool/instances) echo "directory ${name##*/}" ;;
      tank/pool/images/*) echo "image ${name##*/}" ;;
      tank/pool/staged/*) echo "staged ${name##*/}" ;;
      tank/pool/instances/*) echo "$(is_shown "$point") ${name##*/}" ;;
      *) echo "other $name" ;;
    esac
  done
}

# The bundle that is killed has no other instance.
is_shown() {
  case $1 in */killed/rootfs) echo showing ;; *) echo instance ;; esac
}

recover() {
  "$set/pool" sweep "$@"
}

# What the zpool has allocated, in KiB.
used() {
  zpool sync tank
  echo $(($(zpool get -Hp -o value allocated tank) / 1024))
}

# What must not be there any more, or must be:  expect_states 'LINES'
expect_states() {
  states | cut -d' ' -f1 | sed /directory/d | sort | tr '\n' ' ' >/tmp/seen
  [ "$(cat /tmp/seen)" = "$1" ] || fail "there is \"$(cat /tmp/seen)\" instead of \"$1\""
}

prepared_unpack() {
  mkdir -p "$bundles/$1/.oci-unpack"
  hook "$1" prepare && unpack_directly "$@"
}

# What an instance costs, and what an image refuses.
test_instances() {
  local image before after
  mkdir -p "$bundles/one/.oci-unpack"
  touch "$bundles/one/.oci-unpack/begun" # by the engine, before there is anything in the pool
  quietly prepared_unpack one 0 1
  [ -e "$bundles/one/.oci-unpack/begun" ] || fail 'the first bundle is hidden by a mount'
  [ "$(cat /data/pool/backend)" = zfs ] || fail "the pool is for $(cat /data/pool/backend)"
  image=$(key 1 | cut -d: -f2)
  before=$(used)
  quietly prepared_unpack two 0 1
  after=$(used)
  echo "zfs: the second instance has $((after - before)) KiB in the pool, an image $(($(zfs get -Hp -o value used "tank/pool/images/$(key 0 | cut -d: -f2)") / 1024)) KiB"
  [ $((after - before)) -lt 1024 ] || fail 'that is too much'
  for bundle in one two; do is_whole "$bundles/$bundle/rootfs" || fail "$bundle is not whole"; done
  if touch "/data/pool/images/$image/file" 2>/dev/null; then fail 'an image can be written to'; fi
  expect_states 'image image instance instance '

  # as after a start at which zfs mounted nothing
  quietly hook two umount
  quietly hook two umount
  [ ! -e "$bundles/two/rootfs/file" ] || fail 'two is still mounted'
  quietly zfs unmount "tank/pool/images/$image"
  quietly prepared_unpack three 0 1
  quietly hook two mount
  quietly hook two mount
  for bundle in two three; do is_whole "$bundles/$bundle/rootfs" || fail "$bundle is not whole when it is mounted again"; done
  before=0
  (cd "$bundles/two/rootfs" && hook two umount >/tmp/said 2>&1) || before=$?
  [ "$before" = 75 ] || fail "in use, umount ends with $before: $(cat /tmp/said)"
  passed 'instances'
}

# Datasets in an instance, mounts that are not its own, and images on which something depends.
test_deletion() {
  local instance
  instance=tank/pool/instances/$(cat "$bundles/one/.oci-unpack/instance")
  for name in outer outer/inner outer/inner/most 'in side'; do quietly zfs create "$instance/$name"; done
  quietly zfs snapshot "$instance/outer@theirs"
  echo mine >"$bundles/one/rootfs/outer/inner/most/file"
  mkdir "$bundles/one/rootfs/in side/there"
  mount -t tmpfs tmpfs "$bundles/one/rootfs/in side/there"
  if hook one delete >/tmp/said 2>&1; then fail 'what is mounted in an instance is deleted with it'; fi
  grep -q 'Something is mounted in' /tmp/said || fail "$(cat /tmp/said)"
  [ -e "$bundles/one/rootfs/outer/inner/most/file" ] || fail 'a refused deletion has deleted something'
  umount "$bundles/one/rootfs/in side/there"
  quietly hook one delete
  quietly hook one delete
  [ ! -e "$bundles/one/rootfs" ] || fail 'there still is a rootfs'
  expect_states 'image image instance instance '

  quietly hook two gc OCI_UNPACK_LIVE_KEYS=
  [ "$(cat /tmp/said)" = '{"removed": []}' ] || fail "gc has removed something: $(cat /tmp/said)"
  quietly recover --remove
  [ ! -s /tmp/said ] || fail "sweep has found something: $(cat /tmp/said)"
  for bundle in two three; do quietly hook "$bundle" delete; done
  quietly recover
  [ "$(grep -c '^image images/0' /tmp/said)" = 2 ] || fail "sweep lists $(cat /tmp/said)"
  quietly recover --remove
  expect_states ''
  rm -rf "${bundles:?}"/*
  passed 'deletion'
}

# Half of the kills are undone by gc.
gc_dead() {
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS="$(key 0)"$'\n'"$(key 1)"
  states >/tmp/left
  if grep ^staged /tmp/left; then fail 'gc has left something that was staged'; fi
}

# From the first dataset of the pool on.
test_kills() {
  quietly prepared_unpack kept
  echo mine >"$bundles/kept/rootfs/mine"
  for directory in images staged; do quietly zfs destroy "tank/pool/$directory"; done
  make_killers zfs
  kill_each_call 11 gc_dead prepared_unpack killed 0 1
  is_whole "$bundles/killed/rootfs" || fail 'the bundle is not whole after all kills'
  for bundle in kept killed; do quietly hook "$bundle" delete; done
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS=
  expect_states ''
  rm -rf "${bundles:?}"/*
}

check() {
  quietly zpool import -d /dev/vdb1 tank
  check_kept
  if grep -q kept /tmp/listed; then fail 'sweep lists a bundle that is whole'; fi
  quietly zpool scrub -w tank
  zpool status tank | grep -q 'errors: No known data errors' || fail "$(zpool status tank)"
  passed 'nothing was lost with the machine'
}

live
for phase in "$@"; do
  case $phase in
    setup)
      zfs version
      quietly zpool create -o cachefile=none -O mountpoint=none tank /dev/vdb1
      quietly zfs create -o mountpoint=/data/pool tank/pool
      make_set
      ;;
    instances) test_instances ;;
    deletion) test_deletion ;;
    kills) test_kills ;;
    kit) test_kit ;;
    kept) make_kept ;;
    check) check ;;
    again-*) again "${phase#again-}" ;;
    write-*) write "${phase#write-}" /data/pool/staged ;;
  esac
done
