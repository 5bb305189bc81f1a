#!/bin/bash
# What a build of the program puts out, one line for each command: two builds can be compared by diff.
#
#   test/support/outputs.sh dist/main.js LAYOUT:TAG >before
#
# Digests of repacks, inserts, archives and configs, of tree manifests and trees, what stat and list print, and codes and
# statuses for bad input. LAYOUT:TAG is the image to begin with; the layout is not changed.
set -uo pipefail
main=$(realpath "$1")
layout=$(realpath "${2%%:*}")
tag=${2#*:}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000 TZ=UTC LC_ALL=C NO_COLOR=1
image=$work/layout
umask 022

ours() { node "$main" "$@"; }

# The status, the code of an error and the digest of standard output.
show() {
  local name=$1 status
  shift
  ours "$@" >"$work/stdout" 2>"$work/stderr"
  status=$?
  echo "$name: $status $(grep -oE '\[[A-Z_]+\]$' "$work/stderr" | head -1) $(sed "s|$work|WORK|g" "$work/stdout" | sha256sum | cut -c1-16)"
}

# Owner, mode, type, size, time and target of everything, and the content of all files.
tree() {
  echo "$1: $(cd "$2" && find . -printf '%y %m %U %G %s %T@ %l %p\n' | grep -v '^d' | sort | sha256sum | cut -c1-16)" \
    "$(cd "$2" && find . -type d -printf '%m %U %G %T@ %p\n' | sort | sha256sum | cut -c1-16)" \
    "$(cd "$2" && find . -type f -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-16)"
}

tagged() {
  python3 - "$image" "$1" <<'PY'
import hashlib, json, sys
layout, tag = sys.argv[1:]
index = json.load(open(f'{layout}/index.json'))
entry, = [it for it in index['manifests'] if it.get('annotations', {}).get('org.opencontainers.image.ref.name') == tag]
manifest = json.load(open(f"{layout}/blobs/{entry['digest'].replace(':', '/')}"))
print(f"{tag}: {entry['digest'][7:23]} config {manifest['config']['digest'][7:23]} top {manifest['layers'][-1]['digest'][7:23]}")
PY
}

edit() {
  echo changed >>"$1/etc/hostname"
  rm -rf "$1/usr/share/doc/bash"
  mkdir "$1/new" && echo file >"$1/new/file" && ln "$1/new/file" "$1/new/link" && ln -s file "$1/new/symbolic"
  mkfifo "$1/new/fifo" && mknod "$1/new/null" c 1 3 && chmod 4711 "$1/new/file"
  setfattr -n user.note -v noted "$1/new/file"
  truncate -s 3M "$1/new/sparse" && printf 'x' | dd of="$1/new/sparse" bs=1 seek=2000000 conv=notrunc status=none
  find "$1/new" "$1/etc/hostname" -exec touch -h -d @1600000000.123456789 {} +
  touch -d @1600000001 "$1/etc" "$1" "$1/usr/share/doc"
}

cp -al "$layout" "$image"
cp --remove-destination "$layout/index.json" "$image/index.json"

show unpack unpack --image "$image:$tag" "$work/bundle"
tree tree "$work/bundle/rootfs"
echo "files: $(find "$work/bundle" -maxdepth 1 -printf "%P\n" | sort | sha256sum | cut -c1-16) $(grep -v '^#' "$work"/bundle/sha256_*.mtree | sha256sum | cut -c1-16) $(sha256sum <"$work/bundle/config.json" | cut -c1-16)"
show raw-unpack raw unpack --image "$image:$tag" "$work/raw"
tree raw "$work/raw"
show diff-none diff "$work/bundle"
edit "$work/bundle/rootfs"
show diff diff "$work/bundle"
show diff-json diff --json "$work/bundle"
for compress in gzip zstd none; do
  show "repack-$compress" repack --image "$image:$compress" --compress "$compress" --history.created 2020-01-01T00:00:00Z "$work/bundle"
  tagged "$compress"
done
show repack-refresh repack --refresh-bundle --image "$image:refreshed" --history.created 2020-01-01T00:00:00Z "$work/bundle"
tagged refreshed
show repack-nothing repack --image "$image:nothing" --no-history "$work/bundle"
show insert insert --image "$image:$tag" --tag inserted --history.created 2020-01-01T00:00:00Z "$work/bundle/rootfs/etc/apt" /inserted
tagged inserted
show opaque insert --image "$image:$tag" --tag opaque --opaque --history.created 2020-01-01T00:00:00Z "$work/bundle/rootfs/etc/apt" /etc
tagged opaque
show whiteout insert --image "$image:$tag" --tag whiteout --whiteout --history.created 2020-01-01T00:00:00Z /usr/bin/perl
tagged whiteout
tar -C "$work/bundle/rootfs" --sort=name --mtime=@1600000000 -cf "$work/layer.tar" etc/apt
show add-layer raw add-layer --image "$image:$tag" --tag archive --history.created 2020-01-01T00:00:00Z "$work/layer.tar"
tagged archive
show config config --image "$image:$tag" --tag config --config.env A=b --config.user 1:2 --author me --manifest.annotation k=v --history.created 2020-01-01T00:00:00Z
tagged config
show runtime raw runtime-config --image "$image:$tag" "$work/runtime.json"
sha256sum <"$work/runtime.json" | cut -c1-16
show again unpack --image "$image:opaque" "$work/again"
tree again "$work/again/rootfs"
for one in "list" "list --json" "stat --image :$tag" "stat --json --image :$tag" "stat --json --image :config" "verify" "verify --json"; do
  # shellcheck disable=SC2086
  set -- ${one/ :/ $image:}
  case $one in *--image*) ;; *) set -- "$@" --layout "$image" ;; esac
  show "$one" "$@"
done
show copy-oci-archive copy "$image:$tag" "oci-archive:$work/a.tar:$tag"
sha256sum <"$work/a.tar" | cut -c1-16
show copy-docker-archive copy "$image:$tag" "docker-archive:$work/d.tar:name:$tag"
sha256sum <"$work/d.tar" | cut -c1-16
show list-docker list --layout "docker-archive:$work/d.tar"
show unpack-docker raw unpack --image "docker-archive:$work/d.tar" "$work/docker"
tree docker "$work/docker"
show copy-existing copy "$image:$tag" "oci-archive:$work/a.tar:$tag"

# bad input
show no-layout unpack --image "$work/none:x" "$work/x"
show no-tag unpack --image "$image:missing" "$work/x"
show bad-name unpack --image "$image:-" "$work/x"
show bundle-there unpack --image "$image:$tag" "$work/bundle"
show no-bundle repack --image "$image:x" "$work/raw"
show no-command frobnicate
show no-image unpack "$work/x"
show bad-map unpack --uid-map 0:1 --uid-map x --image "$image:$tag" "$work/x"
show unmapped unpack --uid-map 0:100000:1 --image "$image:$tag" "$work/x"
show limit-entries unpack --max-entries 10 --image "$image:$tag" "$work/x"
show limit-bytes unpack --max-unpacked-bytes 1000 --image "$image:$tag" "$work/x"
show platform unpack --platform linux/s390x --image "$image:$tag" "$work/x"
show archive-read-only tag --image "oci-archive:$work/a.tar:$tag" other
show hooks-missing unpack --hooks "$work/none.toml" --image "$image:$tag" "$work/x"
damage() {
  rm -rf "$work/damaged" && cp -a "$image" "$work/damaged"
  python3 - "$work/damaged" "$tag" "$1" <<'PY'
import json, os, sys
layout, tag, what = sys.argv[1:]
index_file = f'{layout}/index.json'
index = json.load(open(index_file))
path = lambda digest: f"{layout}/blobs/{digest.replace(':', '/')}"
entry, = [it for it in index['manifests'] if it.get('annotations', {}).get('org.opencontainers.image.ref.name') == tag]
manifest = json.load(open(path(entry['digest'])))
layer = path(manifest['layers'][0]['digest'])
def rewrite(file, act):
    data = bytearray(open(file, 'rb').read())
    act(data)
    os.unlink(file)
    open(file, 'wb').write(data)
def flip(data): data[len(data) // 2] ^= 1
def cut(data): del data[len(data) // 2:]
def more(data): data.append(0)
match what:
    case 'flip-layer': rewrite(layer, flip)
    case 'cut-layer': rewrite(layer, cut)
    case 'long-layer': rewrite(layer, more)
    case 'no-layer': os.unlink(layer)
    case 'link-layer': os.rename(layer, layer + '.x'); os.symlink(layer + '.x', layer)
    case 'flip-config': rewrite(path(manifest['config']['digest']), flip)
    case 'no-config': os.unlink(path(manifest['config']['digest']))
    case 'flip-manifest': rewrite(path(entry['digest']), flip)
    case 'no-manifest': os.unlink(path(entry['digest']))
    case 'bad-index': open(index_file, 'w').write('{')
    case 'two-tags':
        other = dict(index['manifests'][0], annotations=entry['annotations'])
        index['manifests'] = [entry, dict(other, digest='sha256:' + '0' * 64)]
        os.unlink(index_file)
        json.dump(index, open(index_file, 'w'))
    case 'no-version': os.unlink(f'{layout}/oci-layout')
PY
}
for what in flip-layer cut-layer long-layer no-layer link-layer flip-config no-config flip-manifest no-manifest bad-index two-tags no-version; do
  damage "$what"
  show "$what" unpack --image "$work/damaged:$tag" "$work/x"
  show "$what-verify" verify --layout "$work/damaged"
  show "$what-stat" stat --image "$work/damaged:$tag"
  show "$what-gc" gc --layout "$work/damaged"
done
[ ! -e "$work/x" ] || echo "left behind"
