#!/bin/bash
# What lvm-thin.sh runs in the machine:  lvm-thin-guest.sh PHASE ...
# The volume group is on /dev/vdb, and what must last is in /data. Results are lines on the console.
set -euo pipefail
export PATH=/usr/bin HOME=/data/home NO_COLOR=1 LVM_SUPPRESS_FD_WARNINGS=1
kills='' owner=owner-alive type=ext4 begun=0

# There is no udev, which makes the files of devices elsewhere.
cat >/etc/lvm/lvm.conf <<'END'
devices { filter = [ "a|^/dev/vdb$|", "r|.*|" ] }
backup { backup = 0 archive = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
END
mkdir -p /run/oci-unpack/owners /data/home /data/bundles
cd /oci-unpack

passed() {
  echo "passed: $* ($((SECONDS - begun)) s)"
  begun=$SECONDS
}

fail() {
  echo "FAILED: $*"
  lvs --options +lv_tags vg || true
  grep /dev/mapper /proc/mounts || true
  exit 1
}

quietly() {
  "$@" >/tmp/said 2>&1 || {
    cat /tmp/said
    fail "$*"
  }
}

oci_unpack() {
  node dist/main.js --log error "$@"
}

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

# Calls a hook as the engine does, for a bundle:  hook BUNDLE POINT [VARIABLE=VALUE ...]
hook() {
  local bundle=/data/bundles/$1 point=$2 settings
  shift 2
  mapfile -t settings < <(sed -n 's/^\([A-Z_]*\) = "\(.*\)"$/\1=\2/p' "/data/set-$type/hooks.toml")
  env -i PATH="${kills:+$kills:}$PATH" "${settings[@]}" OCI_UNPACK_OWNER="/run/oci-unpack/owners/$owner" \
    OCI_UNPACK_BUNDLE="$bundle" OCI_UNPACK_ROOTFS="$bundle/rootfs" OCI_UNPACK_STATE="$bundle/.oci-unpack" \
    OCI_UNPACK_LAYOUT=/images/direct OCI_UNPACK_REFERENCE="$type" OCI_UNPACK_MANIFEST_DIGEST=sha256:00 \
    OCI_UNPACK_LAYER_COUNT=2 OCI_UNPACK_UNPACKED_SIZE=30000000 "$@" "/data/set-$type/lvm-thin" "$point"
}

recover() {
  "/data/set-$type/lvm-thin" recover "$@"
}

key() {
  printf 'sha256:%064d' "$1"
}

# The facts of a layer.
layer() {
  printf 'OCI_UNPACK_LAYER_INDEX=%s\nOCI_UNPACK_KEY=%s\nOCI_UNPACK_PARENT_CHAIN_ID=%s\n' "$1" "$(key "$1")" \
    "$([ "$1" = 0 ] || key $(($1 - 1)))"
}

# Layer 0 has files, and layer 1 has less and another one.
write_layer() {
  if [ "$1" = 0 ]; then
    cp /usr/bin/bash "$2/file"
    cp /usr/bin/lvm "$2/removed"
  else
    rm "$2/removed"
    echo added >"$2/added"
  fi
}

is_whole() {
  cmp -s /usr/bin/bash "$1/file" && [ "$(cat "$1/added")" = added ] && [ ! -e "$1/removed" ]
}

# An unpack of some layers without the engine, which takes long to start here. Ends with the first call that fails.
unpack_directly() {
  local bundle=$1 number target targets='' facts status
  shift
  mkdir -p "/data/bundles/$bundle/.oci-unpack"
  for number in "$@"; do
    mapfile -t facts < <(layer "$number")
    status=0
    target=$(hook "$bundle" try-skip "${facts[@]}") || status=$?
    if [ "$status" = 10 ]; then
      target=$(hook "$bundle" pre-extract "${facts[@]}") || return
      write_layer "$number" "$target" || return
      target=$(hook "$bundle" post-extract "${facts[@]}" OCI_UNPACK_TARGET="$target") || return
    elif [ "$status" != 0 ]; then
      return "$status"
    fi
    targets+=$target$'\n'
  done
  hook "$bundle" finish OCI_UNPACK_LAYER_TARGETS="$targets"
}

# What an instance costs, what a base refuses, and what goes back to the pool.
test_volumes() {
  local before after base bundles=/data/bundles facts said
  type=$1
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

# Programs for PATH that kill the one that calls them, after the call whose number is in the file "left".
make_killers() {
  kills=/tmp/kills
  mkdir -p "$kills"
  for program in lvcreate lvchange lvrename mkfs.ext4 mount umount; do
    cat >"$kills/$program" <<END
#!/bin/bash
left=\$(cat $kills/left)
echo \$((left - 1)) >$kills/left
[ "\$left" = 1 ] || exec /usr/bin/$program "\$@"
/usr/bin/$program "\$@" >&2
kill -KILL \$PPID
END
    chmod +x "$kills/$program"
  done
}

# Killed after each of its calls in turn, the set finds again what it left, and loses nothing.
test_kills() {
  local call=1 killed=0 before after
  type=ext4
  quietly unpack_directly kept 0
  echo mine >/data/bundles/kept/rootfs/mine
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS=
  make_killers
  tags >/tmp/seen
  while :; do
    owner=owner-dead-$killed
    before=$(grep -c image= /tmp/seen) || true
    echo "$call" >"$kills/left"
    if unpack_directly killed 0 >/tmp/said 2>&1; then break; fi
    [ "$(cat "$kills/left")" = 0 ] || fail "without being killed at call $call: $(cat /tmp/said)"
    killed=$((killed + 1))
    kills='' owner=owner-alive
    tags >/tmp/seen
    if grep -v ' oci-unpack,oci-unpack:' /tmp/seen; then fail "after kill $killed a volume has no tags"; fi
    # one of them is enough
    if [ $((killed % 2)) = 1 ]; then
      quietly recover --remove
      grep -Eq 'staged=|showing=' /tmp/seen || [ ! -s /tmp/said ] || fail "recover has found something else: $(cat /tmp/said)"
    fi
    quietly hook killed abort
    tags >/tmp/seen
    if grep -E 'staged=|showing=' /tmp/seen; then fail "after kill $killed something is left"; fi
    [ ! -e /data/bundles/killed/rootfs ] || fail "after kill $killed there is a rootfs"
    [ "$(cat /data/bundles/kept/rootfs/mine)" = mine ] || fail "after kill $killed a change is lost"
    after=$(grep -c image= /tmp/seen) || true
    [ "$after" -ge "$before" ] || fail "after kill $killed a base is lost"
    # a layer that was committed is not made again
    if [ "$after" -gt "$before" ]; then call=1; else call=$((call + 1)); fi
    kills=/tmp/kills
  done
  kills='' owner=owner-alive
  cmp -s /usr/bin/bash /data/bundles/killed/rootfs/file || fail 'the bundle is not whole after all kills'
  [ "$killed" -ge 9 ] || fail "there were only $killed kills"
  for bundle in kept killed; do quietly hook "$bundle" delete; done
  quietly hook kept gc OCI_UNPACK_LIVE_KEYS=
  rm -rf /data/bundles/*
  passed "$killed kills at calls of the set"
}

# The kit of the program. What is staged or shown after it was not cleaned up.
test_kit() {
  local cases
  type=$1
  [ -e "/system/cases-$type" ] || return 0
  mapfile -t cases <"/system/cases-$type"
  node dist/main.js hooks test --directory /data/bundles "${cases[@]}" "/data/set-$type/hooks.toml" || fail 'the kit'
  if tags | grep -E 'staged=|instance='; then fail 'the kit has left something'; fi
  quietly hook kit gc OCI_UNPACK_LIVE_KEYS=
  passed "the kit with $type"
}

# A bundle that must last, with a change.
make_kept() {
  quietly oci_unpack unpack --hooks /data/set-ext4/hooks.toml --image /system/images:kept /data/bundles/kept
  echo mine >/data/bundles/kept/rootfs/mine
  sync
}

# Unpacks an image until the host pulls the plug.
write() {
  oci_unpack unpack --hooks /data/set-ext4/hooks.toml --image "/system/images:$1" "/data/bundles/$1" >/tmp/said 2>&1 &
  until [ "$(du -sm /data/store-ext4/staged | cut -f1)" -ge 8 ]; do sleep 0.1; done
  echo 'writing'
  wait || cat /tmp/said
  sleep 1000
}

# After the plug was pulled.
check() {
  quietly vgchange --activate y vg
  quietly oci_unpack bundle mount --hooks /data/set-ext4/hooks.toml /data/bundles/kept
  [ "$(cat /data/bundles/kept/rootfs/mine)" = mine ] || fail 'a change is lost'
  (cd /data/bundles/kept/rootfs && quietly sha256sum --check --quiet sums)
  recover >/tmp/listed
  sed 's/^/recover: /' /tmp/listed
  recover --remove >/tmp/removed 2>/tmp/said || fail "$(cat /tmp/said)"
  cmp -s /tmp/listed /tmp/removed || fail 'what is removed is not what was listed'
  if tags | grep -E 'staged=|showing='; then fail 'recover has left something'; fi
  tags | grep image= | while read -r volume _; do
    quietly lvchange --activate y --ignoreactivationskip "vg/$volume"
    quietly e2fsck -fn "/dev/vg/$volume"
    quietly lvchange --activate n "vg/$volume"
  done
  passed 'nothing was lost with the machine'
}

# At the place of the unpack that was killed.
again() {
  local bundle=/data/bundles/$1
  quietly oci_unpack unpack --hooks /data/set-ext4/hooks.toml --image "/system/images:$1" "$bundle"
  (cd "$bundle/rootfs" && quietly sha256sum --check --quiet sums)
  quietly oci_unpack bundle delete --hooks /data/set-ext4/hooks.toml "$bundle"
  passed 'the image that was being unpacked is unpacked again'
}

exec 9>"/run/oci-unpack/owners/$owner"
flock 9
for phase in "$@"; do
  case $phase in
    setup)
      quietly vgcreate vg /dev/vdb
      quietly lvcreate --size 3G --poolmetadatasize 64M --thinpool pool vg
      for each in ext4 xfs; do make_set "$each"; done
      ;;
    test)
      for each in ext4 xfs; do test_volumes "$each"; done
      test_kills
      for each in ext4 xfs; do test_kit "$each"; done
      ;;
    kept) make_kept ;;
    check) check ;;
    again-*) again "${phase#again-}" ;;
    write-*) write "${phase#write-}" ;;
  esac
done
