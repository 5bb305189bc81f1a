/** An image becomes a bundle whose layers lie where hooks say. The story; each step is told elsewhere. */
import { join } from 'node:path'
import { METADATA_FILE, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { BundleContext, ImageContext } from '../../hooks/contexts.ts'
import { target } from '../../image/choice.ts'
import { LayerStack } from '../../plan/layer-stack.ts'
import type { Directory } from '../../plan/tree.ts'
import { heedSignals } from '../operation/abort.ts'
import { newPlanRoot } from '../extract/plan-root.ts'
import type { Job } from '../extract/job.ts'
import { mergeImage } from '../extract/merge-image.ts'
import { withWorkspaceIn } from '../place/workspace.ts'
import { bundleMetadata, writeNew } from '../bundle/write-bundle.ts'
import { withBundleSite, type BundleSite } from '../bundle/bundle-site.ts'
import { hookLayers, imageContext } from './hook-contexts.ts'
import { extractChain } from './extract-chain.ts'
import { extractLayers } from './extract-layers.ts'
import { LayerStore } from './layer-store.ts'
import { writeOrigin } from '../bundle/origin.ts'
import { rootfsKind } from '../bundle/shown-rootfs.ts'
import { writeStoredConfig } from './stored-config.ts'
import { writeStoredManifest } from './stored-manifest.ts'

/** @throws what hooks, layers and the place of the bundle give reason for; nothing of the bundle is left then */
export async function unpackStored(job: Job, hooks: HookSet): Promise<void> {
  assertFits(job, hooks)
  const { image, settings } = job
  const contextOf = (bundle: BundleContext): ImageContext => describe(job, bundle)
  await withBundleSite(
    {
      bundle: settings.destination,
      digest: target(image.descriptorPath).digest,
      owner: hooks.owner,
      recover: (bundle) => newStore(job, hooks, contextOf(bundle)).abort(),
      onEvent: settings.onEvent
    },
    (site) => unpackAt(job, hooks, contextOf(site.context), site)
  )
}

async function unpackAt(
  job: Job,
  hooks: HookSet,
  context: ImageContext,
  site: BundleSite
): Promise<void> {
  writeOrigin(site, hooks) // first of all: who takes away what a crash leaves has to know whose it is
  const store = newStore(job, hooks, context)
  try {
    const tree = await makeRootfs(job, hooks, store, site)
    await writeFiles(job, hooks, context, site, tree)
  } catch (error) {
    await undo(store, job)
    throw error
  } finally {
    store.close()
  }
}

/** Gives the whole tree of the image where all of it was extracted. */
async function makeRootfs(
  job: Job,
  hooks: HookSet,
  store: LayerStore,
  site: BundleSite
): Promise<Directory | undefined> {
  const missing = await store.open()
  const tree = missing.length === 0 ? undefined : await extract(job, hooks, store, missing, site)
  await heedSignals(job.settings.signal)
  await store.finish()
  writeOrigin(site, hooks, rootfsKind(site.context.bundle))
  return missing.length === job.image.manifest.layers.length ? tree : undefined
}

async function extract(
  job: Job,
  hooks: HookSet,
  store: LayerStore,
  missing: readonly number[],
  site: BundleSite
): Promise<Directory | undefined> {
  switch (hooks.extract) {
    case 'layer':
      return extractLayers(job, hooks, store, missing)
    case 'chain':
      return extractChain(job, store, missing, site.state)
    case 'rootfs':
      return extractRootfs(job, store, missing, site)
  }
}

/** The engine's own directory; hooks are told of each layer before and after. */
async function extractRootfs(
  job: Job,
  store: LayerStore,
  layers: readonly number[],
  site: BundleSite
): Promise<Directory> {
  for (const layer of layers) await store.stage(layer)
  const { settings } = job
  const stack = new LayerStack({ keepDirlinks: settings.keepDirlinks })
  await withWorkspaceIn(site.fd, site.context.bundle, settings.onEvent, async (workspace) => {
    const planRoot = newPlanRoot(workspace)
    await mergeImage(job, stack, { planRoot, name: ROOTFS_DIRECTORY, digests: true })
    workspace.publish([ROOTFS_DIRECTORY])
  })
  for (const layer of layers) await store.commit(layer)
  return stack.root
}

async function writeFiles(
  job: Job,
  hooks: HookSet,
  context: ImageContext,
  { path }: BundleSite,
  tree: Directory | undefined
): Promise<void> {
  const { image, settings } = job
  await writeStoredConfig(job, hooks, context, path, tree)
  settings.onEvent({ type: 'phase', phase: 'manifest' })
  await writeStoredManifest(job, hooks, context, path, tree)
  await heedSignals(settings.signal)
  settings.onEvent({ type: 'phase', phase: 'publish' })
  writeNew(join(path, METADATA_FILE), bundleMetadata(image, settings))
}

/** The failure that led here says more than one of the clean-up, which the next unpack will try again. */
async function undo(store: LayerStore, { settings }: Job): Promise<void> {
  try {
    await store.abort()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    settings.onEvent({
      type: 'warning',
      message: 'Hooks could not undo all that was made before the failure.',
      facts: { path: settings.destination, reason }
    })
  }
}

function newStore(job: Job, hooks: HookSet, context: ImageContext): LayerStore {
  const { signal } = job.settings
  return new LayerStore({ hooks, context, layers: hookLayers(job.image), signal })
}

function describe({ source, image, settings }: Job, bundle: BundleContext): ImageContext {
  const { policy, reference } = settings
  return imageContext(bundle, {
    image,
    layout: source.path,
    reference: reference.tag ?? '',
    uidMap: policy.uidMap,
    gidMap: policy.gidMap
  })
}

/** A store files layers by chain ID, so that what is in it must depend on nothing else. */
function assertFits({ settings }: Job, { extract, name }: HookSet): void {
  if (extract === 'rootfs') return
  const { keepDirlinks, policy } = settings
  if (!keepDirlinks && policy.uidMap.length === 0 && policy.gidMap.length === 0) return
  throw new OciUnpackError(
    'USAGE',
    'The storage of these hooks cannot hold layers unpacked with this option.',
    {
      facts: { hooks: name, found: keepDirlinks ? 'keepDirlinks' : 'uidMap or gidMap' },
      hint: 'Layers are shared by chain ID, whatever the options were. Use no hooks ({hooks: undefined}).'
    }
  )
}
