/**
 * The files of a new bundle beside its root file system. The storage can influence config.json and the tree manifest.
 */
import { join } from 'node:path'
import { CONFIG_FILE, METADATA_FILE, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { formatMetadata } from '../../bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../../bundle/runtime-config.ts'
import type { Directory } from '../../plan/tree.ts'
import { readAccounts, readAccountsOnDisk } from '../../rootfs/accounts.ts'
import { statementOf } from '../bundle/for-outside.ts'
import { writeNew } from '../bundle/new-bundle.ts'
import type { Job } from '../extract/job.ts'
import { isRootless } from '../extract/rootless.ts'
import { heedSignals } from '../operation/abort.ts'
import type { NewBundle } from './layer-storage.ts'
import { withNewRootfs } from './new-rootfs.ts'
import { writeTreeManifest, writeUnheld, type Extracted } from './write-memory.ts'

/**
 * Writes all files; the last one, umoci.json, makes it a bundle.
 * @param extracted what was just extracted: the tree of the image, with digests, if it is known
 */
export async function writeBundleFiles(
  job: Job,
  bundle: NewBundle,
  { tree, isWhole }: Extracted
): Promise<void> {
  const { settings } = job
  await writeConfig(job, bundle, tree)
  settings.onEvent({ type: 'phase', phase: 'manifest' })
  await writeTreeManifest(job, bundle, tree)
  await writeUnheld(job, bundle, { tree, isWhole })
  settings.onEvent({ type: 'phase', phase: 'publish' })
  await heedSignals(settings.signal)
  writeNew(join(bundle.path, METADATA_FILE), metadataOf(job))
}

async function writeConfig(
  { image, settings }: Job,
  bundle: NewBundle,
  tree: Directory | undefined
): Promise<void> {
  const accounts = await withNewRootfs(bundle, (rootfs, ledger) =>
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

function metadataOf({ image, source, settings }: Job): string {
  const { policy, isLazy, keepDirlinks, reference } = settings
  const { recorded } = statementOf(policy)
  const dirlinkLayers = keepDirlinks ? image.manifest.layers.length : 0
  const { transport } = reference
  const place = { transport, path: source.path }
  return formatMetadata({
    descriptorWalk: image.descriptorPath.map((descriptor) => ({ ...descriptor })),
    uidMaps: recorded.uidMap,
    gidMaps: recorded.gidMap,
    rootless: isRootless({ policy }),
    source: place,
    lazy: isLazy ? { ...place, dirlinkLayers } : undefined
  })
}
