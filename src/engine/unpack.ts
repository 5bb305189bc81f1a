/** An image becomes a bundle that a runtime can use. The story; each step is told elsewhere. */
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import { checkRuntimeConfig } from '../bundle/runtime-config.ts'
import { withFacts } from '../errors.ts'
import { target } from '../image/choice.ts'
import { LayerStack } from '../plan/layer-stack.ts'
import { readExisting } from '../rootfs/existing.ts'
import { whileInUse } from '../store/in-use.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { resolveImage, type ResolvedImage } from '../store/resolve.ts'
import { fromNode } from '../sys/failure.ts'
import type { EngineEvent } from './events.ts'
import { existingGround, newGround, type Ground } from './ground.ts'
import { joinLayers } from './join-layers.ts'
import { stageImage } from './stage-image.ts'
import { undescribedDirectory } from './undescribed.ts'
import { normalizeUnpack, type UnpackOptions, type UnpackSettings } from './unpack-options.ts'
import { withWorkspace, type ExistingDestination, type Workspace } from './workspace.ts'
import { refuseExistingBundle, writeBundle } from './write-bundle.ts'

export interface UnpackResult {
  /** Absolute path of what was made. */
  destination: string
  /** Digest of the image manifest that was unpacked. */
  manifestDigest: string
}

/** An image that was found, and what to do with it. */
interface Job {
  layout: Layout
  image: ResolvedImage
  settings: UnpackSettings
}

/**
 * Unpacks an image into a new bundle: `rootfs`, `config.json`, `umoci.json`, the mtree manifest and its
 * fingerprints. Every blob is verified (size, digest, diff ID) before the bundle can be seen. On any failure
 * nothing of it remains, and what was there before is untouched.
 *
 * Follows image-spec layer.md and conversion.md, and umoci where they are silent.
 * @throws OciUnpackError with a stable `code`
 */
export async function unpack(options: UnpackOptions): Promise<UnpackResult> {
  return withImage(options, async (job) => {
    const { image, settings } = job
    checkRuntimeConfig(image.config)
    refuseExistingBundle(settings.destination)
    await withWorkspace(settings.destination, async (workspace) => {
      const stack = await merge(
        job,
        newGround(workspace),
        ROOTFS_DIRECTORY,
        newStack(settings),
        true
      )
      settings.onEvent({ type: 'phase', phase: 'manifest' })
      const names = writeBundle(workspace, stack.root, image, settings)
      settings.onEvent({ type: 'phase', phase: 'publish' })
      workspace.publish(names)
    })
  })
}

/**
 * Unpacks only the root file system: into a new directory, or on top of what a directory holds. Layers are
 * verified before the first change to an existing directory.
 * @throws OciUnpackError with a stable `code`
 */
export async function unpackRootfs(options: UnpackOptions): Promise<UnpackResult> {
  return withImage(options, (job) =>
    withWorkspace(job.settings.destination, (workspace) =>
      workspace.existing === undefined
        ? unpackNewRootfs(job, workspace)
        : unpackOverRootfs(job, workspace, workspace.existing)
    )
  )
}

async function unpackNewRootfs(job: Job, workspace: Workspace): Promise<void> {
  await merge(job, newGround(workspace), ROOTFS_DIRECTORY, newStack(job.settings), false)
  workspace.publishOnly(ROOTFS_DIRECTORY)
}

async function unpackOverRootfs(
  job: Job,
  workspace: Workspace,
  existing: ExistingDestination
): Promise<void> {
  const stack = newStack(job.settings)
  readExisting(existing.fd, new Set([existing.workspaceName]), (entry, inode) =>
    stack.addExisting(entry, inode)
  )
  await merge(job, existingGround(workspace.destination, existing), '', stack, false)
}

async function withImage(
  options: UnpackOptions,
  act: (job: Job) => Promise<void>
): Promise<UnpackResult> {
  const settings = normalizeUnpack(options)
  try {
    const { path, tag } = settings.reference
    const { jsonBytes } = settings
    const layout = openLayout(path, jsonBytes === undefined ? {} : { maxDocumentSize: jsonBytes })
    return await whileInUse(layout.path, async () => {
      const image = resolveImage(layout, tag, settings.platform)
      settings.onEvent(describe(options.image, image))
      await act({ layout, image, settings })
      return {
        destination: settings.destination,
        manifestDigest: target(image.descriptorPath).digest
      }
    })
  } catch (error) {
    throw withFacts(fromNode(error), { image: options.image })
  }
}

/** All layers into one tree at `name` of the ground. Nothing outside the staging changes until all are verified. */
async function merge(
  { layout, image, settings }: Job,
  ground: Ground,
  name: string,
  stack: LayerStack,
  digests: boolean
): Promise<LayerStack> {
  const undescribed = undescribedDirectory(settings.policy)
  await stageImage(ground, stack, { layout, image, settings, digests })
  settings.onEvent({ type: 'phase', phase: 'join' })
  joinLayers(ground, stack, name, undescribed, settings.onEvent)
  return stack
}

function newStack({ keepDirlinks }: UnpackSettings): LayerStack {
  return new LayerStack({ keepDirlinks })
}

function describe(name: string, { descriptorPath, manifest, config }: ResolvedImage): EngineEvent {
  const layers = manifest.layers.map(({ digest, mediaType, size }, index) => ({
    digest,
    diffId: config.rootfs.diff_ids[index]!,
    mediaType,
    size
  }))
  return { type: 'image', image: name, manifest: target(descriptorPath).digest, layers }
}
