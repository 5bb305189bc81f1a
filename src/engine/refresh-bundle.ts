/**
 * Makes a bundle one of the image that was just made from it. The new manifest and fingerprints are written under
 * names of their own; replacing umoci.json is the one step that counts, so a bundle can be repacked wherever this ends.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprintsFile, manifestFile, METADATA_FILE } from '../bundle/files.ts'
import { formatMetadata, sourceManifest } from '../bundle/metadata.ts'
import { target, type DescriptorPath } from '../image/choice.ts'
import type { ManifestEntry } from '../mtree/entry.ts'
import type { ScannedObject } from '../rootfs/scanned-object.ts'
import type { Timespec } from '../tar/entry.ts'
import type { Changes, HashFiles } from './changes.ts'
import { matchTree } from './match-tree.ts'
import type { OpenBundle } from './open-bundle.ts'
import { scanTree } from './scan-tree.ts'
import { completeDigests, writeScannedManifest, type KnownTree } from './scanned-manifest.ts'
import type { ThreadOptions } from './threads.ts'

export interface Refresh {
  /** The new image. */
  image: DescriptorPath
  scannedAt: Timespec
  hashFiles: HashFiles
  threads: ThreadOptions
}

export async function refreshBundle(
  bundle: OpenBundle,
  changes: Changes,
  refresh: Refresh
): Promise<void> {
  const old = sourceManifest(bundle.metadata).digest
  const { digest } = target(refresh.image)
  if (digest === old) return
  const knowledge = await wholeTree(bundle, changes, refresh)
  await completeDigests(knowledge, refresh.hashFiles)
  removeManifest(bundle.path, digest)
  writeScannedManifest({ ...bundle, digest }, knowledge, refresh.scannedAt)
  for (const name of filesOf(digest)) flush(join(bundle.path, name))
  replaceMetadata(bundle, refresh.image)
  flush(bundle.path)
  removeManifest(bundle.path, old)
}

/** A tree of which only a part was looked at is looked at now; the rest of it is as the bundle remembers. */
async function wholeTree(
  bundle: OpenBundle,
  { tree, remembered, entries, digests, isWhole }: Changes,
  { threads }: Refresh
): Promise<KnownTree> {
  const entryAt = (index: number | undefined): ManifestEntry | undefined =>
    index === undefined ? undefined : entries.entry(index)
  if (isWhole) return { tree, digests, known: (object) => entryAt(remembered(object)) }
  const [whole] = await scanTree(bundle.rootfs, threads, () => undefined)
  const match = matchTree(whole, entries)
  const known = (object: ScannedObject): ManifestEntry | undefined => {
    const part = tree.find(object.path)
    return entryAt(part === undefined ? match.indexOf(object) : remembered(part))
  }
  return { tree: whole, digests, known }
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
