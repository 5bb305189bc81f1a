# What the scripts that run in the machines share. To be sourced by bash, with $program set to the name of the set, and these
# functions defined:
#
#   states    lines "image NAME", "instance NAME", "staged NAME", "showing NAME" (an instance whose unpack has not ended), "directory NAME"
#             (where these are kept), or of anything else
#   recover   what the set has to list leftovers, and with --remove to remove them
# shellcheck shell=bash disable=SC2154
export PATH=/usr/bin HOME=/data/home NO_COLOR=1
kills='' owner=owner-feed begun=0 bundles=/data/bundles
mkdir -p /run/oci-unpack/owners /data/home /data/bundles
cd /oci-unpack || exit

passed() {
  echo "passed: $* ($((SECONDS - begun)) s)"
  begun=$SECONDS
}

fail() {
  echo "FAILED: $*"
  states || true
  grep /data/ /proc/mounts || true
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

# The set to be used from now on, a copy in /data.
use_set() {
  set=/data/set-$1
}

# Calls a hook as the engine does, for a bundle:  hook BUNDLE POINT [VARIABLE=VALUE ...]
hook() {
  local bundle=$bundles/$1 point=$2 settings
  shift 2
  mapfile -t settings < <(sed -n 's/^\([A-Z_]*\) = "\(.*\)"$/\1=\2/p' "$set/hooks.toml")
  env -i PATH="${kills:+$kills:}$PATH" "${settings[@]}" OCI_UNPACK_OWNER="/run/oci-unpack/owners/$owner" \
    OCI_UNPACK_BUNDLE="$bundle" OCI_UNPACK_ROOTFS="$bundle/rootfs" OCI_UNPACK_STATE="$bundle/.oci-unpack" \
    OCI_UNPACK_LAYOUT=/images/direct OCI_UNPACK_REFERENCE="${set##*-}" OCI_UNPACK_MANIFEST_DIGEST=sha256:00 \
    OCI_UNPACK_LAYER_COUNT=2 OCI_UNPACK_UNPACKED_SIZE=30000000 "$@" "$set/$program" "$point"
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
    cp /usr/bin/sed "$2/removed"
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
  mkdir -p "$bundles/$bundle/.oci-unpack"
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

# Programs for PATH that kill the one that calls them, after the call whose number is in the file "left". Calls of zfs that
# change nothing do not count.
make_killers() {
  local each
  kills=/tmp/kills
  mkdir -p "$kills"
  for each in "$@"; do
    cat >"$kills/$each" <<END
#!/bin/bash
case \$1 in list | get) exec /usr/bin/$each "\$@" ;; esac
left=\$(cat $kills/left)
echo \$((left - 1)) >$kills/left
[ "\$left" = 1 ] || exec /usr/bin/$each "\$@"
/usr/bin/$each "\$@" >&2
kill -KILL \$PPID
END
    chmod +x "$kills/$each"
  done
}

# Killed after each of its calls in turn, the set finds again what it left, and loses nothing. The bundle "kept" is there, with
# a change:  kill_each_call LEAST FORGET UNPACK ...  where LEAST is the number of kills to be expected, and FORGET a
# function that removes what dead processes left, before abort does.
kill_each_call() {
  local least=$1 forget=$2 call=1 killed=0 before after
  shift 2
  states >/tmp/seen
  while :; do
    owner=owner-dead$killed kills=/tmp/kills
    before=$(count_lasting)
    echo "$call" >"$kills/left"
    if "$@" >/tmp/said 2>&1; then break; fi
    [ "$(cat "$kills/left")" = 0 ] || fail "without being killed at call $call: $(cat /tmp/said)"
    killed=$((killed + 1))
    kills='' owner=owner-feed
    states >/tmp/seen
    if grep -Ev '^(image|instance|staged|showing|directory) ' /tmp/seen; then fail "after kill $killed there is what nobody knows"; fi
    # one of them is enough
    if [ $((killed % 2)) = 1 ]; then "$forget"; fi
    quietly hook killed abort
    states >/tmp/seen
    if grep -E '^(staged|showing) ' /tmp/seen; then fail "after kill $killed something is left"; fi
    [ ! -e "$bundles/killed/rootfs" ] || fail "after kill $killed there is a rootfs"
    [ "$(cat "$bundles/kept/rootfs/mine")" = mine ] || fail "after kill $killed a change is lost"
    after=$(count_lasting)
    [ "$after" -ge "$before" ] || fail "after kill $killed an image is lost"
    # what lasts is not made again
    if [ "$after" -gt "$before" ]; then call=1; else call=$((call + 1)); fi
  done
  kills='' owner=owner-feed
  [ "$killed" -ge "$least" ] || fail "there were only $killed kills"
  passed "$killed kills at calls of the set"
}

count_lasting() {
  grep -Ec '^(image|directory) ' /tmp/seen || true
}

# The kit of the program, with the options in a file. What is staged or shown after it was not cleaned up.
test_kit() {
  local cases
  [ -e "/system/cases-${set##*-}" ] || return 0
  mapfile -t cases <"/system/cases-${set##*-}"
  node dist/main.js hooks test --directory /data/bundles "${cases[@]}" "$set/hooks.toml" || fail 'the kit'
  states >/tmp/seen
  if grep -Ev '^(image|directory) ' /tmp/seen; then fail 'the kit has left something'; fi
  quietly hook kit gc OCI_UNPACK_LIVE_KEYS=
  passed "the kit with ${set##*-}"
}

# A bundle that must last, with a change.
make_kept() {
  quietly oci_unpack unpack --hooks "$set/hooks.toml" --image /system/images:kept "$bundles/kept"
  echo mine >"$bundles/kept/rootfs/mine"
  sync
}

# Unpacks an image until the host pulls the plug, once something is in the directory of what is staged.
write() {
  oci_unpack unpack --hooks "$set/hooks.toml" --image "/system/images:$1" "/data/bundles/$1" >/tmp/said 2>&1 &
  until [ "$(du -sm --apparent-size "$2" | cut -f1)" -ge 8 ]; do sleep 0.1; done
  echo 'writing'
  wait || cat /tmp/said
  sleep 1000
}

# After the plug was pulled.
check_kept() {
  quietly oci_unpack bundle mount --hooks "$set/hooks.toml" "$bundles/kept"
  [ "$(cat "$bundles/kept/rootfs/mine")" = mine ] || fail 'a change is lost'
  (cd "$bundles/kept/rootfs" && quietly sha256sum --check --quiet sums)
  recover >/tmp/listed
  sed 's/^/listed: /' /tmp/listed
  recover --remove >/tmp/removed 2>/tmp/said || fail "$(cat /tmp/said)"
  cmp -s /tmp/listed /tmp/removed || fail 'what is removed is not what was listed'
  states >/tmp/seen
  if grep -E '^(staged|showing) ' /tmp/seen; then fail 'something is left'; fi
}

# At the place of the unpack that was killed.
again() {
  local bundle=/data/bundles/$1
  quietly oci_unpack unpack --hooks "$set/hooks.toml" --image "/system/images:$1" "$bundle"
  (cd "$bundle/rootfs" && quietly sha256sum --check --quiet sums)
  quietly oci_unpack bundle delete --hooks "$set/hooks.toml" "$bundle"
  passed 'the image that was being unpacked is unpacked again'
}

# Until the script ends: what is staged belongs to somebody alive.
live() {
  exec 9>"/run/oci-unpack/owners/$owner"
  flock 9
}
