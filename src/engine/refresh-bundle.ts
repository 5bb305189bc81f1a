/**
 * Makes a bundle one of the image that was just made from it. The new manifest and fingerprints are written under
 * names of their own; replacing umoci.json is the one step that counts, so a bundle can be repacked wherever this ends.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStat } from '../bundle/file-stat.ts'
import { fingerprintsFile, manifestFile, METADATA_FILE } from '../bundle/files.ts'
import { formatMetadata, sourceManifest } from '../bundle/metadata.ts'
import type { ByteString } from '../bytes.ts'
import { target, type DescriptorPath } from '../image/choice.ts'
import type { ManifestEntry, MtreeNode } from '../mtree/entry.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { Scanned } from '../rootfs/scan.ts'
import type { Timespec } from '../tar/entry.ts'
import type { Changes, HashFiles } from './changes.ts'
import { writeManifestFiles } from './manifest-file.ts'
import type { OpenBundle } from './open-bundle.ts'

export interface Refresh {
  /** The new image. */
  image: DescriptorPath
  /** SHA-256 (hex) of files that were packed, by path. */
  digests: ReadonlyMap<ByteString, string>
  scannedAt: Timespec
  hashFiles: HashFiles
}

export async function refreshBundle(
  bundle: OpenBundle,
  changes: Changes,
  refresh: Refresh
): Promise<void> {
  const old = sourceManifest(bundle.state.metadata).digest
  const { digest } = target(refresh.image)
  if (digest === old) return
  await completeDigests(changes, refresh)
  removeManifest(bundle.path, digest)
  writeManifestFiles(bundle.path, bundle.path, digest, {
    root: toNodes(changes.tree),
    statOf: ({ scanned }) => fileStat(scanned.status, scanned.unlisted),
    scannedAt: refresh.scannedAt
  })
  for (const name of filesOf(digest)) flush(join(bundle.path, name))
  replaceMetadata(bundle, refresh.image)
  flush(bundle.path)
  removeManifest(bundle.path, old)
}

/** Files that are masked, or were compared by size alone, have not been read yet. */
async function completeDigests({ tree }: Changes, refresh: Refresh): Promise<void> {
  const unknown: ManifestEntry[] = []
  for (const { entry } of tree.values()) {
    if (entry.type !== 'file' || entry.sha256 !== undefined) continue
    entry.sha256 = refresh.digests.get(entry.path)
    if (entry.sha256 === undefined) unknown.push(entry)
  }
  const digests = await refresh.hashFiles(unknown)
  unknown.forEach((entry, index) => {
    entry.sha256 = digests[index]
  })
}

export interface ScannedNode extends MtreeNode {
  scanned: Scanned
  children: ScannedNode[]
}

/** Parents come before their children in the tree. */
export function toNodes(tree: Iterable<readonly [ByteString, Scanned]>): ScannedNode {
  const nodes = new Map<ByteString, ScannedNode>()
  for (const [path, scanned] of tree) {
    const node = toNode(path, scanned)
    nodes.set(path, node)
    if (path !== '.') nodes.get(parentPath(path) || '.')!.children.push(node)
  }
  return nodes.get('.')!
}

function toNode(path: ByteString, scanned: Scanned): ScannedNode {
  const { entry } = scanned
  return {
    name: path === '.' ? '.' : baseName(path),
    type: entry.type!,
    size: scanned.status.size,
    uid: scanned.status.uid,
    gid: scanned.status.gid,
    mode: scanned.status.mode,
    nlink: scanned.status.nlink,
    mtimeSec: scanned.status.mtimeSec,
    ...(entry.link === undefined ? {} : { link: entry.link }),
    ...(entry.sha256 === undefined ? {} : { sha256: entry.sha256 }),
    xattrs: entry.xattrs,
    scanned,
    children: []
  }
}

function replaceMetadata({ path, state }: OpenBundle, image: DescriptorPath): void {
  const descriptorWalk = image.map((descriptor) => ({ ...descriptor }))
  const temporary = join(path, `.${METADATA_FILE}.new`)
  writeFileSync(temporary, formatMetadata({ ...state.metadata, descriptorWalk }), { flush: true })
  renameSync(temporary, join(path, METADATA_FILE))
}

function removeManifest(bundle: string, digest: string): void {
  for (const name of filesOf(digest)) rmSync(join(bundle, name), { force: true })
}

function filesOf(digest: string): readonly string[] {
  return [fingerprintsFile(digest), manifestFile(digest)]
}

/** A file or directory outlives a power cut from here on. */
function flush(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
