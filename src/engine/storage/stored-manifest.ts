/** The manifest of a bundle whose layers were there already, or not all of them. */
import { join } from 'node:path'
import { treeManifestFile } from '../../bundle/files.ts'
import { fromText } from '../../bytes.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { ImageContext } from '../../hooks/contexts.ts'
import type { Directory } from '../../plan/tree.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { hasher } from '../tree/hash-files.ts'
import type { Job } from '../extract/job.ts'
import { currentTime } from '../bundle/tree-manifest-file.ts'
import { scanTree } from '../tree/scan-tree.ts'
import {
  completeDigests,
  writeScannedTreeManifest,
  type KnownTree
} from '../bundle/scanned-tree-manifest.ts'
import { writeSurvey } from '../bundle/write-bundle.ts'
import { topChainId } from './hook-contexts.ts'
import { fetchManifest, keepManifest } from './manifest-cache.ts'

/**
 * From the tree, if all of it was extracted now; else from the cache; else by reading every file.
 * @param directory of the bundle
 * @param tree of the image, with digests, where it is known
 */
export async function writeStoredManifest(
  job: Job,
  hooks: HookSet,
  context: ImageContext,
  directory: string,
  tree: Directory | undefined
): Promise<void> {
  if (hooks.manifest === 'never') return
  const chainId = topChainId(job.image) ?? 'empty'
  const path = join(directory, treeManifestFile(context.manifestDigest))
  // a tree of the engine's own depends on id maps and other options too
  const isShared = hooks.extract !== 'rootfs'
  if (tree === undefined && isShared && fetchManifest(hooks.name, chainId, path)) return
  await withRootfs(context.rootfs, async (rootfs) => {
    const place = placeOf(context, directory)
    if (tree === undefined) await hashAll(job, place, rootfs)
    else writeSurvey(rootfs, tree, place)
  })
  if (isShared) keepManifest(hooks.name, chainId, path)
}

type Place = Parameters<typeof writeSurvey>[2]

function placeOf({ bundle, manifestDigest }: ImageContext, directory: string): Place {
  return { path: directory, destination: bundle, digest: manifestDigest }
}

async function hashAll({ settings }: Job, place: Place, rootfs: number): Promise<void> {
  const scannedAt = currentTime()
  const [tree] = await scanTree(rootfs, settings, () => undefined)
  const knowledge: KnownTree = { tree, known: () => undefined, digests: new Map() }
  await completeDigests(knowledge, hasher(rootfs, settings))
  writeScannedTreeManifest({ ...place, bundle: place.destination, rootfs }, knowledge, scannedAt)
}

async function withRootfs(path: string, act: (rootfs: number) => Promise<void>): Promise<void> {
  const rootfs = openOperatorDirectory(fromText(path))
  try {
    await act(rootfs)
  } finally {
    close(rootfs)
  }
}
