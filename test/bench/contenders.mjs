// The ways to turn a layout into a tree, as commands. Those by tar know no whiteouts, and only the last one verifies
// anything; where tar cannot replace a directory or misses a link's target (exit status 2), it goes on.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'

const main = new URL('../../dist/main.js', import.meta.url).pathname
// An id without an account.
const USER = '51500'
const ours = (image, target, ...options) => [
  ...[process.execPath, main, 'unpack', ...options, '--image', image, target]
]
const erofs = (image, target, ...options) => [
  ...[process.execPath, main, 'erofs', 'make', ...options, '--image', image, target]
]

/** Name → command for an image `LAYOUT:TAG` and a target that is not there yet. The first is what others are compared with. */
export const contenders = {
  umoci: (image, target) => ['umoci', 'unpack', '--image', image, target],
  'oci-unpack': (image, target) => ours(image, target),
  'oci-unpack --manifest lazy': (image, target) => ours(image, target, '--manifest', 'lazy'),
  'oci-unpack --decompressor none': (image, target) =>
    ours(image, target, '--decompressor', 'none'),
  'oci-unpack --rootless': (image, target) => ours(image, target, '--rootless'),
  'oci-unpack --rootless as a user': (image, target) => [
    ...['setpriv', '--reuid', USER, '--regid', USER, '--clear-groups', '--'],
    ...ours(image, target, '--rootless')
  ],
  'tar xzf': (image, target) => shell(image, target, 'tar xpzf "$blob" -C "$target"'),
  'igzip + tar': (image, target) =>
    shell(image, target, 'igzip -dc "$blob" | tar xpf - -C "$target"'),
  'igzip + tar (two layers at once)': (image, target) =>
    pairs(image, target, 'igzip -dc "$blob" | tar xpf - -C "$directory"'),
  'igzip + tar + openssl (two layers at once)': (image, target) => pairs(image, target, VERIFIED)
}

/** Ways to turn the layers of a layout into EROFS images, which run only where `--only` names them. */
export const erofsContenders = {
  'oci-unpack erofs make': (image, target) => erofs(image, target),
  'oci-unpack erofs make --cache': (image, target) =>
    erofs(image, target, '--cache', `${target}-cache`),
  'igzip + openssl + mkfs.erofs (two layers at once)': (image, target) =>
    withMkfs(pairs(image, target, MKFS)),
  'igzip + sha256sum + mkfs.erofs (two layers at once)': (image, target) =>
    withMkfs(pairs(image, target, MKFS.replace('openssl dgst -sha256', 'sha256sum')))
}

// The digest of the tar, and an image of each layer: no digest of the blob or of the image, no whiteouts, and nothing joins the
// layers. mkfs.erofs 1.8.6 fails at the fourth and the sixth layer of the large image, so take another size.
const MKFS = `
  mkfifo "$directory.tar" && {
    openssl dgst -sha256 <"$directory.tar" >"$directory.diff-id" &
    igzip -dc "$blob" | tee "$directory.tar" | "$MKFS_EROFS" --quiet --tar=f -T0 --mkfs-time "$directory/layer.erofs"
    status=$?
    wait
    (exit $status)
  }`

/** That of Debian 12 reads no tar archives. */
function withMkfs(command) {
  const cached = new URL('../erofs-utils/cached.sh', import.meta.url).pathname
  const programs = execFileSync(cached, { encoding: 'utf8' }).trim()
  return ['env', `MKFS_EROFS=${programs}/mkfs.erofs`, ...command]
}

// The digests of the blob and of the tar, each taken by a process of its own. FIFOs instead of process substitution,
// because the shell waits only for processes that it knows, and only those count as CPU time.
const VERIFIED = `
  mkfifo "$directory.tar" && {
    openssl dgst -sha256 "$blob" >"$directory.digest" &
    openssl dgst -sha256 <"$directory.tar" >"$directory.diff-id" &
    igzip -dc "$blob" | tee "$directory.tar" | tar xpf - -C "$directory"
    status=$?
    wait
    grep -q "$(basename "$blob")" "$directory.digest" && (exit $status)
  }`

function shell(image, target, step) {
  const script = `set -e; target=$1; mkdir "$target"; shift; for blob; do ${step} || [ $? = 2 ]; done`
  return ['bash', '-c', script, 'bash', target, ...layerBlobs(image)]
}

// Separate directories, so that the order of the layers does not matter.
function pairs(image, target, step) {
  const one = `blob=$1; directory=$0/$(basename "$1"); mkdir "$directory" && ${step} || [ $? = 2 ]`
  const script = `mkdir "$1" && target=$1 && shift && printf "%s\\n" "$@" | xargs -P 2 -n 1 bash -c "$STEP" "$target"`
  return ['env', `STEP=${one}`, 'bash', '-c', script, 'bash', target, ...layerBlobs(image)]
}

/** @returns {string[]} the files of the layers in order */
export function layerBlobs(image) {
  const [layout, tag] = [image.slice(0, image.indexOf(':')), image.slice(image.indexOf(':') + 1)]
  const blob = (digest) => join(layout, 'blobs', digest.replace(':', '/'))
  const json = (file) => JSON.parse(readFileSync(file, 'utf8'))
  const entry = json(join(layout, 'index.json')).manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag
  )
  return json(blob(entry.digest)).layers.map(({ digest }) => blob(digest))
}
