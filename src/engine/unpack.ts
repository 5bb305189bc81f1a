/** Makes a bundle that a runtime can use from an image. This file tells the story; the steps are elsewhere. */
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import { checkRuntimeConfig } from '../bundle/runtime-config.ts'
import { target } from '../image/choice.ts'
import { LayerStack } from '../plan/layer-stack.ts'
import { assertRunnable } from '../store/resolve.ts'
import { heedSignals } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { addExistingTree, newPlanRoot, journaledPlanRoot } from './extract/plan-root.ts'
import type { Job } from './extract/job.ts'
import { mergeImage } from './extract/merge-image.ts'
import { withoutMemory } from './extract/rootless.ts'
import { reportUnheld } from './extract/unheld-objects.ts'
import { extractMissing } from './storage/extract-missing.ts'
import type { NewBundle } from './storage/layer-storage.ts'
import { withStorage } from './storage/storages.ts'
import { writeBundleFiles } from './storage/write-bundle-files.ts'
import {
  normalizeUnpack,
  type UnpackOptions,
  type UnpackSettings
} from './extract/unpack-options.ts'
import { keepBlobs } from './transfer/keep-blobs.ts'
import { withImage } from './transfer/with-image.ts'
import { withWorkspace } from './place/with-workspace.ts'
import type { ExistingDestination, Workspace } from './place/workspace.ts'
import { keepingThreads } from './operation/threads.ts'
import { suggestingRootless } from './operation/suggest-rootless.ts'
import { requireOptions } from './operation/required-options.ts'

export interface UnpackResult {
  /** Absolute path of what was made. */
  destination: string
  /** Digest of the image manifest that was unpacked. */
  manifestDigest: string
}

/**
 * Unpacks an image into a new bundle: `rootfs`, `config.json`, `umoci.json`, the tree manifest and its fingerprints.
 * With hooks, the root file system is what they make of the layers that they keep. Every blob that is read is verified
 * (size, digest, diff ID) before the bundle becomes visible. On any failure, nothing of it remains, and what was there
 * before is untouched.
 *
 * Follows image-spec layer.md and conversion.md, and umoci where they are silent.
 * @throws OciUnpackError with a stable `code`
 */
export async function unpack(options: UnpackOptions): Promise<UnpackResult> {
  return unpackThen(options, () => Promise.resolve())
}

/** Called with a bundle that has all its files, and that nobody sees yet. If it fails, nothing of the bundle remains. */
export type CompleteBundle = (job: Job, bundle: NewBundle) => Promise<void>

/** As `unpack`, with another step before the bundle becomes visible. */
export async function unpackThen(
  options: UnpackOptions,
  complete: CompleteBundle
): Promise<UnpackResult> {
  return unpacked(options, async (job) => {
    assertRunnable(job.image)
    checkRuntimeConfig(job.image.config)
    const { hooks, onEvent } = job.settings
    await withStorage({ hooks }, onEvent, (storage) =>
      storage.withNewBundle(job, (bundle) =>
        ['rootfs', 'image'].includes(bundle.extraction.kind)
          ? keepingThreads(job.settings, (settings) =>
              makeBundle({ ...job, settings }, bundle, complete)
            )
          : makeBundle(job, bundle, complete)
      )
    )
  })
}

async function makeBundle(job: Job, bundle: NewBundle, complete: CompleteBundle): Promise<void> {
  const { signal, onEvent } = job.settings
  await undoneOnFailure(bundle, onEvent, async () => {
    const missing = await bundle.find()
    reportFound(job, missing ?? [])
    const tree = missing === undefined ? undefined : await extractMissing(job, missing, bundle)
    await heedSignals(signal)
    await bundle.show()
    const isWhole = missing?.length === job.image.manifest.layers.length
    await writeBundleFiles(job, bundle, { tree, isWhole })
    await complete(job, bundle)
  })
}

/** Layers that the storage has from earlier. */
function reportFound({ image, settings }: Job, missing: readonly number[]): void {
  const { layers } = image.manifest
  const found = layers.flatMap((_, layer) => (missing.includes(layer) ? [] : layer + 1))
  if (found.length === 0) return
  settings.onEvent({
    type: 'choice',
    message: 'The storage has layers already.',
    facts: { found: `${found.join(', ')} of ${layers.length}` }
  })
}

/** A failure of `act` says more than one of the clean-up, which the next unpack will retry. */
async function undoneOnFailure(
  bundle: NewBundle,
  onEvent: OnEvent,
  act: () => Promise<void>
): Promise<void> {
  try {
    await act()
  } catch (failure) {
    try {
      await bundle.abort()
    } catch (error) {
      onEvent({
        type: 'warning',
        message: 'The hooks could not undo everything that was made before the failure.',
        facts: {
          path: bundle.destination,
          reason: error instanceof Error ? error.message : String(error)
        }
      })
    }
    throw failure
  }
}

/**
 * Unpacks only the root file system, into a new directory or on top of the content of an existing one. Layers are
 * verified before the first change to an existing directory.
 * @throws OciUnpackError with a stable `code`
 */
export async function unpackRootfs(options: UnpackOptions): Promise<UnpackResult> {
  return unpacked(options, (job) =>
    withWorkspace(job.settings.destination, job.settings.onEvent, (workspace) =>
      unpackInto(workspace, { ...job, settings: withoutMemoryOf(job.settings) })
    )
  )
}

function unpackInto(workspace: Workspace, job: Job): Promise<void> {
  return workspace.existing === undefined
    ? unpackNewRootfs(job, workspace)
    : unpackOverRootfs(job, workspace, workspace.existing)
}

function withoutMemoryOf(settings: UnpackSettings): UnpackSettings {
  return { ...settings, policy: withoutMemory(settings.policy) }
}

async function unpackNewRootfs(job: Job, workspace: Workspace): Promise<void> {
  const options = { planRoot: newPlanRoot(workspace), name: ROOTFS_DIRECTORY, digests: false }
  const stack = newStack(job.settings)
  await mergeImage(job, stack, options)
  reportLost(job, stack)
  await heedSignals(job.settings.signal)
  workspace.publishOnly(ROOTFS_DIRECTORY)
}

async function unpackOverRootfs(
  job: Job,
  workspace: Workspace,
  existing: ExistingDestination
): Promise<void> {
  const stack = newStack(job.settings)
  addExistingTree(stack, workspace.destination, existing)
  const planRoot = journaledPlanRoot(workspace, existing)
  await mergeImage(job, stack, { planRoot, name: '', digests: false })
  reportLost(job, stack)
}

/** Only a bundle remembers what the disk does not hold. */
function reportLost({ settings: { policy, onEvent } }: Job, { root }: LayerStack): void {
  reportUnheld(root, policy, false, onEvent)
}

async function unpacked(
  options: UnpackOptions,
  act: (job: Job) => Promise<void>
): Promise<UnpackResult> {
  requireOptions(options, { image: 'text', destination: 'text' })
  const settings = normalizeUnpack(options)
  return suggestingRootless(options.rootless, () =>
    asked({ image: options.image }, async () => {
      const { layout } = options
      const reference =
        layout === undefined ? settings.reference : await keepBlobs(layout, settings)
      return withImage(options.image, { ...settings, reference }, async (job) => {
        await act(job)
        return {
          destination: settings.destination,
          manifestDigest: target(job.image.descriptorPath).digest
        }
      })
    })
  )
}

function newStack({ keepDirlinks }: UnpackSettings): LayerStack {
  return new LayerStack({ keepDirlinks })
}
