/**
 * Makes a bundle one of the image that was just made from it. The new manifest and fingerprints are written under
 * names of their own; replacing umoci.json is the one step that counts, so a bundle can be repacked wherever this ends.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStat } from '../bundle/file-stat.ts'
import { fingerprintsFile, manifestFile, METADATA_FILE } from '../bundle/files.ts'
import { formatMetadata, sourceManifest } from '../bundle/metadata.ts'
import { target, type DescriptorPath } from '../image/choice.ts'
import type { MtreeNode } from '../mtree/entry.ts'
import { baseName } from '../plan/names.ts'
import { mtreeTypes } from '../rootfs/mtree-entry.ts'
import type { ScannedObject } from '../rootfs/scanned-object.ts'
import { XattrReader } from '../rootfs/tree-xattrs.ts'
import type { Timespec } from '../tar/entry.ts'
import type { Changes, FileToHash, HashFiles } from './changes.ts'
import { writeManifestFiles } from './manifest-file.ts'
import type { OpenBundle } from './open-bundle.ts'

export interface Refresh {
  /** The new image. */
  image: DescriptorPath
  scannedAt: Timespec
  hashFiles: HashFiles
}

export async function refreshBundle(
  bundle: OpenBundle,
  changes: Changes,
  refresh: Refresh
): Promise<void> {
  const old = sourceManifest(bundle.metadata).digest
  const { digest } = target(refresh.image)
  if (digest === old) return
  await completeDigests(changes, refresh.hashFiles)
  removeManifest(bundle.path, digest)
  writeManifest(bundle, digest, changes, refresh.scannedAt)
  for (const name of filesOf(digest)) flush(join(bundle.path, name))
  replaceMetadata(bundle, refresh.image)
  flush(bundle.path)
  removeManifest(bundle.path, old)
}

/** Files that are masked, or were compared by size alone, have not been read yet. */
async function completeDigests(
  { tree, digests, remembered }: Changes,
  hashFiles: HashFiles
): Promise<void> {
  const unread: FileToHash[] = []
  for (const object of tree.inManifestOrder()) {
    const { path, type } = object
    if (type !== 'file' || digests.has(path) || remembered(object) !== undefined) continue
    unread.push({ path, size: object.status.size })
  }
  const found = await hashFiles(unread)
  for (const [index, { path }] of unread.entries()) digests.set(path, found[index]!)
}

function writeManifest(
  { path, rootfs }: OpenBundle,
  digest: string,
  changes: Changes,
  scannedAt: Timespec
): void {
  const xattrs = new XattrReader(rootfs)
  try {
    writeManifestFiles(path, path, digest, {
      root: toNode(changes.tree.root, changes, xattrs),
      statOf: ({ object }) => fileStat(object.status, object.unlisted),
      scannedAt
    })
  } finally {
    xattrs.release()
  }
}

interface ScannedNode extends MtreeNode {
  object: ScannedObject
  children?: readonly ScannedNode[]
}

/** Children are made when they are asked for: the tree is never in memory as a whole. */
function toNode(object: ScannedObject, changes: Changes, xattrs: XattrReader): ScannedNode {
  const { path, status } = object
  const index = changes.remembered(object)
  const known = index === undefined ? undefined : changes.entries.entry(index)
  const link = known === undefined ? object.link : known.link
  const sha256 = known === undefined ? changes.digests.get(path) : known.sha256
  const node: ScannedNode = {
    name: baseName(path),
    type: mtreeTypes[status.type],
    size: status.size,
    uid: status.uid,
    gid: status.gid,
    mode: status.mode,
    nlink: status.nlink,
    mtimeSec: status.mtimeSec,
    ...(link === undefined ? {} : { link }),
    ...(sha256 === undefined ? {} : { sha256 }),
    xattrs: known?.xattrs ?? xattrs.listed(object),
    object
  }
  const children = (): ScannedNode[] =>
    changes.tree.children(object).map((child) => toNode(child, changes, xattrs))
  return status.type === 'directory'
    ? Object.defineProperty(node, 'children', { get: children })
    : node
}

function replaceMetadata({ path, metadata }: OpenBundle, image: DescriptorPath): void {
  const descriptorWalk = image.map((descriptor) => ({ ...descriptor }))
  const temporary = join(path, `.${METADATA_FILE}.new`)
  writeFileSync(temporary, formatMetadata({ ...metadata, descriptorWalk }), { flush: true })
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
