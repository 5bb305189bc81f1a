/**
 * The files of a new bundle beside its root file system. The storage can influence config.json and the tree manifest.
 */
import { join } from 'node:path'
import {
  CONFIG_FILE,
  treeManifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  unheldFile
} from '../../bundle/files.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import { formatMetadata } from '../../bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../../bundle/runtime-config.ts'
import { target } from '../../image/choice.ts'
import { AS_SEEN } from '../../plan/outside.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import type { Directory } from '../../plan/tree.ts'
import { readAccounts, readAccountsOnDisk } from '../../rootfs/accounts.ts'
import { withSurvey, type SurveyedNode } from '../../rootfs/survey.ts'
import { close, openDirectory } from '../../sys/files.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { openTree } from '../../sys/lender.ts'
import { currentTime, writeTreeManifestFiles } from '../bundle/tree-manifest-file.ts'
import {
  completeDigests,
  writeScannedTreeManifest,
  type KnownTree
} from '../bundle/scanned-tree-manifest.ts'
import { statementOf } from '../bundle/for-outside.ts'
import { writeNew } from '../bundle/new-bundle.ts'
import { isRootless } from '../extract/rootless.ts'
import { writeUnheldFile } from '../bundle/unheld-file.ts'
import type { Job } from '../extract/job.ts'
import { reportUnheld } from '../extract/unheld-objects.ts'
import { heedSignals } from '../operation/abort.ts'
import { whileLendingAsync } from '../place/lent-modes.ts'
import { hasher } from '../tree/hash-files.ts'
import { scanTree } from '../tree/scan-tree.ts'
import type { NewBundle } from './layer-storage.ts'
import { fetchCached, keepCached, type CachedManifest } from './tree-manifest-cache.ts'

/**
 * Writes all files; the last one, umoci.json, makes it a bundle.
 * @param tree of the image, with digests, if all of it was just extracted
 */
export async function writeBundleFiles(
  job: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const { settings } = job
  await writeConfig(job, bundle, tree)
  settings.onEvent({ type: 'phase', phase: 'manifest' })
  await writeTreeManifest(job, bundle, tree)
  await writeUnheld(job, bundle, tree)
  settings.onEvent({ type: 'phase', phase: 'publish' })
  await heedSignals(settings.signal)
  writeNew(join(bundle.path, METADATA_FILE), metadataOf(job))
}

async function writeConfig(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const accounts = await withRootfs(bundle, (rootfs, ledger) =>
    tree === undefined ? readAccountsOnDisk(rootfs, ledger) : readAccounts(rootfs, tree, ledger)
  )
  const { recorded, rootless } = statementOf(settings.policy)
  const made = createRuntimeConfig({
    image: image.config,
    rootPath: ROOTFS_DIRECTORY,
    accounts,
    uidMaps: recorded.uidMap,
    gidMaps: recorded.gidMap,
    rootless
  })
  const content = await bundle.runtimeConfig(formatRuntimeConfig(made))
  writeNew(join(bundle.path, CONFIG_FILE), content)
}

/** Makes it from the tree if that is known, else from the cache, else by reading every file. */
async function writeTreeManifest(
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
  if (tree === undefined && shared !== undefined && fetchCached(shared, 'mtree', file)) return
  const place = { path, destination, outside, digest }
  await withRootfs(bundle, (rootfs, ledger) =>
    tree === undefined
      ? writeHashed(rootfs, ledger, place, settings)
      : writeSurvey(rootfs, ledger, tree, place)
  )
  if (shared !== undefined) keepCached(shared, 'mtree', file)
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
}

/** Looks at each object once, since digests are known. */
function writeSurvey(
  rootfs: number,
  ledger: Ledger | undefined,
  root: Directory,
  { path, destination, outside, digest }: ManifestPlace
): void {
  const scannedAt = currentTime()
  const write = (tree: SurveyedNode): void => {
    writeTreeManifestFiles(path, destination, digest, {
      root: tree,
      statOf: ({ status, xattrs }) => fileStat(status, xattrs ?? []),
      scannedAt
    })
  }
  withSurvey(rootfs, root, outside, write, ledger)
}

async function writeHashed(
  rootfs: number,
  ledger: Ledger | undefined,
  { path, destination, outside, digest }: ManifestPlace,
  settings: Job['settings']
): Promise<void> {
  const scannedAt = currentTime()
  const options = { ...settings, ledger }
  const [tree] = await scanTree(rootfs, options, () => undefined)
  const knowledge: KnownTree = { tree, known: () => undefined, digests: new Map() }
  await completeDigests(knowledge, hasher(rootfs, options))
  const place = { path, bundle: destination, rootfs, ledger, outside, digest }
  writeScannedTreeManifest(place, knowledge, scannedAt)
}

/** The root file system is closed while hooks are called, because they may unmount it. */
async function withRootfs<T>(
  { fd }: NewBundle,
  act: (rootfs: number, ledger: Ledger | undefined) => T | Promise<T>
): Promise<T> {
  return whileLendingAsync(fd, ROOTFS_DIRECTORY, async (ledger) => {
    const rootfs = ledger === undefined ? openDirectory(fd, ROOTFS_DIRECTORY) : openTree(ledger)
    try {
      return await act(rootfs, ledger)
    } finally {
      close(rootfs)
    }
  })
}

/** What the disk does not hold is only known right after an extraction of all layers, or from the cache. */
async function writeUnheld(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const { path, treeManifest } = bundle
  const { digest } = target(image.descriptorPath)
  const shared = sharedOf(treeManifest, statementOf(settings.policy).outside)
  const file = join(path, unheldFile(digest))
  if (tree === undefined) {
    if (shared !== undefined) fetchCached(shared, 'unheld', file)
    return
  }
  const objects = reportUnheld(tree, settings.policy, true, settings.onEvent)
  if (objects.length === 0) return
  await withRootfs(bundle, (rootfs, ledger) =>
    writeUnheldFile(path, digest, { rootfs, ledger }, objects)
  )
  if (shared !== undefined) keepCached(shared, 'unheld', file)
}

function metadataOf({ image, settings: { policy } }: Job): string {
  const { recorded } = statementOf(policy)
  return formatMetadata({
    descriptorWalk: image.descriptorPath.map((descriptor) => ({ ...descriptor })),
    uidMaps: recorded.uidMap,
    gidMaps: recorded.gidMap,
    rootless: isRootless({ policy })
  })
}
