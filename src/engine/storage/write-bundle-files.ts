/** The files of a new bundle beside its root file system. Its storage may have a say in config.json and the tree manifest. */
import { join } from 'node:path'
import { CONFIG_FILE, manifestFile, METADATA_FILE, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { formatRuntimeConfig } from '../../bundle/runtime-config.ts'
import { target } from '../../image/choice.ts'
import type { Directory } from '../../plan/tree.ts'
import { readAccounts, readAccountsOnDisk } from '../../rootfs/accounts.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { currentTime } from '../bundle/manifest-file.ts'
import {
  completeDigests,
  writeScannedManifest,
  type KnownTree
} from '../bundle/scanned-manifest.ts'
import {
  bundleMetadata,
  runtimeConfig,
  writeNew,
  writeSurvey,
  type SurveyPlace
} from '../bundle/write-bundle.ts'
import type { Job } from '../extract/job.ts'
import { heedSignals } from '../operation/abort.ts'
import { hasher } from '../tree/hash-files.ts'
import { scanTree } from '../tree/scan-tree.ts'
import type { NewBundle } from './layer-storage.ts'
import { fetchManifest, keepManifest } from './tree-manifest-cache.ts'

/**
 * The last one, umoci.json, makes it a bundle.
 * @param tree of the image, with digests, where all of it was extracted now
 */
export async function writeBundleFiles(
  job: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const { image, settings } = job
  await writeConfig(job, bundle, tree)
  settings.onEvent({ type: 'phase', phase: 'manifest' })
  await writeTreeManifest(job, bundle, tree)
  settings.onEvent({ type: 'phase', phase: 'publish' })
  await heedSignals(settings.signal)
  writeNew(join(bundle.path, METADATA_FILE), bundleMetadata(image, settings))
}

async function writeConfig(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const accounts = await withRootfs(bundle, (rootfs) =>
    tree === undefined ? readAccountsOnDisk(rootfs) : readAccounts(rootfs, tree)
  )
  const made = formatRuntimeConfig(runtimeConfig(accounts, image, settings))
  writeNew(join(bundle.path, CONFIG_FILE), await bundle.runtimeConfig(made))
}

/** From the tree, if it is known; else from the cache; else by reading every file. */
async function writeTreeManifest(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const { path, destination, treeManifest } = bundle
  if (treeManifest.kind === 'none') return
  const { digest } = target(image.descriptorPath)
  const file = join(path, manifestFile(digest))
  const shared = treeManifest.kind === 'shared' ? treeManifest : undefined
  if (tree === undefined && shared !== undefined && fetchManifest(shared, file)) return
  const place = { path, destination, digest }
  await withRootfs(bundle, (rootfs) =>
    tree === undefined ? writeHashed(rootfs, place, settings) : writeSurvey(rootfs, tree, place)
  )
  if (shared !== undefined) keepManifest(shared, file)
}

async function writeHashed(
  rootfs: number,
  { path, destination, digest }: SurveyPlace,
  settings: Job['settings']
): Promise<void> {
  const scannedAt = currentTime()
  const [tree] = await scanTree(rootfs, settings, () => undefined)
  const knowledge: KnownTree = { tree, known: () => undefined, digests: new Map() }
  await completeDigests(knowledge, hasher(rootfs, settings))
  writeScannedManifest({ path, bundle: destination, rootfs, digest }, knowledge, scannedAt)
}

/** Closed while hooks are asked: they may unmount it. */
async function withRootfs<T>({ fd }: NewBundle, act: (rootfs: number) => T): Promise<Awaited<T>> {
  const rootfs = openDirectory(fd, ROOTFS_DIRECTORY)
  try {
    return await act(rootfs)
  } finally {
    close(rootfs)
  }
}
