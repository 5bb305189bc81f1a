/** What a new bundle remembers of its tree: the tree manifest, the fingerprints, and what the disk does not hold. */
import { join } from 'node:path'
import { treeManifestFile, unheldFile } from '../../bundle/files.ts'
import { target } from '../../image/choice.ts'
import { AS_SEEN } from '../../plan/outside.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import { writeRules } from '../../plan/policy/policies.ts'
import type { Directory } from '../../plan/tree.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { statementOf } from '../bundle/for-outside.ts'
import {
  completeDigests,
  writeScannedTreeManifest,
  type KnownTree
} from '../bundle/scanned-tree-manifest.ts'
import { currentTime } from '../bundle/tree-manifest-file.ts'
import { writeUnheldFile } from '../bundle/unheld-file.ts'
import type { Job } from '../extract/job.ts'
import { reportUnheld } from '../extract/unheld-objects.ts'
import type { EngineEvent } from '../operation/events.ts'
import { hasher } from '../tree/hash-files.ts'
import { scanTree } from '../tree/scan-tree.ts'
import type { NewBundle } from './layer-storage.ts'
import { withNewRootfs } from './new-rootfs.ts'
import { writeSurvey } from './write-survey.ts'
import { fetchCached, keepCached, type CachedManifest } from './tree-manifest-cache.ts'

/** Makes it from the tree if that is known, else from the cache, else by looking at every file. */
export async function writeTreeManifest(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const { path, destination, treeManifest } = bundle
  if (treeManifest.kind === 'none') return
  const { digest } = target(image.descriptorPath)
  const file = join(path, treeManifestFile(digest))
  const { outside } = statementOf(settings.policy)
  const shared = sharedOf(treeManifest, outside)
  if (tree === undefined && shared !== undefined && fetchManifest(shared, settings, file)) return
  const place = { path, destination, outside, digest, isLazy: settings.isLazy }
  await withNewRootfs(bundle, (rootfs, ledger) =>
    tree === undefined
      ? writeHashed(rootfs, ledger, place, settings)
      : writeSurvey(tree, { rootfs, ledger, ...place }, settings)
  )
  if (shared !== undefined) keepCached(shared, settings.isLazy ? 'lazy.mtree' : 'mtree', file)
}

/** A tree manifest that states digests serves a lazy bundle as well. */
function fetchManifest(shared: CachedManifest, { isLazy }: Job['settings'], file: string): boolean {
  return fetchCached(shared, 'mtree', file) || (isLazy && fetchCached(shared, 'lazy.mtree', file))
}

/** What is in the cache states owners as they are seen here. */
function sharedOf(
  treeManifest: NewBundle['treeManifest'],
  outside: IdMaps
): CachedManifest | undefined {
  return treeManifest.kind === 'shared' && outside === AS_SEEN ? treeManifest : undefined
}

interface ManifestPlace {
  /** Directory that the files are written into. */
  path: string
  /** Final path of the bundle. */
  destination: string
  /** For what the tree manifest says about owners. */
  outside: IdMaps
  /** Digest of the image manifest. */
  digest: string
  /** Whether no digests are stated. */
  isLazy: boolean
}

async function writeHashed(
  rootfs: number,
  ledger: Ledger | undefined,
  { path, destination, outside, digest, isLazy }: ManifestPlace,
  settings: Job['settings']
): Promise<void> {
  const scannedAt = currentTime()
  const options = { ...settings, ledger }
  const [tree] = await scanTree(rootfs, options, () => undefined)
  const knowledge: KnownTree = { tree, known: () => undefined, digests: new Map() }
  if (!isLazy) await completeDigests(knowledge, hasher(rootfs, options))
  const place = { path, bundle: destination, rootfs, ledger, outside, digest, isLazy }
  writeScannedTreeManifest(place, knowledge, scannedAt)
}

export interface Extracted {
  /** Of the image. */
  tree: Directory | undefined
  /** Whether all layers were extracted, and none found. */
  isWhole: boolean
}

/** What the disk does not hold is only known right after an extraction of all layers, or from the cache. */
export async function writeUnheld(
  { image, settings: { policy, onEvent } }: Job,
  bundle: NewBundle,
  { tree, isWhole }: Extracted
): Promise<void> {
  if (!writeRules(policy).isLenient) return
  const { path, treeManifest } = bundle
  const { digest } = target(image.descriptorPath)
  const shared = treeManifest.kind === 'shared' ? treeManifest : undefined
  const file = join(path, unheldFile(digest))
  if (!isWhole && shared !== undefined && fetchCached(shared, 'unheld', file)) return
  const objects = tree === undefined ? [] : reportUnheld(tree, policy, true, onEvent)
  if (!isWhole) onEvent(partlyKnown(bundle.destination))
  const isCached = shared !== undefined && isWhole
  if (objects.length === 0 && !isCached) return
  await withNewRootfs(bundle, (rootfs, ledger) =>
    writeUnheldFile(path, digest, { rootfs, ledger }, objects)
  )
  if (isCached) keepCached(shared, 'unheld', file)
}

function partlyKnown(path: string): EngineEvent {
  return {
    type: 'warning',
    message:
      'Some layers were extracted before, and what the disk does not hold of them is not known: devices and capabilities that change are packed as they are on disk.',
    facts: { path }
  }
}
