/** Making layouts and images, adding, listing and removing tags, and removing what no tag leads to. No layer is read. */
import { OciUnpackError } from '../errors.ts'
import { blankImage } from '../image/blank-image.ts'
import { hostPlatform, parsePlatform } from '../image/platform.ts'
import { parseTag } from '../image/tag.ts'
import {
  DEFAULT_TAG,
  digestNamed,
  entriesNamed,
  foundAs,
  withoutTag,
  withTag
} from '../image/tags.ts'
import type { ImageIndex } from '../image/types.ts'
import { findGarbage, tryCollectGarbage, type Garbage } from '../store/garbage.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { Layout } from '../store/layout.ts'
import { createLayout } from '../store/new-layout.ts'
import { storeImage, updateIndex } from '../store/index-update.ts'
import { findDescriptor } from '../store/resolve.ts'
import { openWorkspace, type Workspace } from '../store/layout-workspace.ts'
import {
  parseChangeable,
  parseImageInLayout,
  parseLayoutPath,
  parseNewName
} from '../transports/image-name.ts'
import { openLayoutAt } from '../transports/open-layout.ts'
import { heedSignals, pause, throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { timestamp } from './edit/history.ts'
import type { OnEvent } from './operation/events.ts'
import { warningTo } from './operation/warnings.ts'
import { whileChanging, type ChangingOptions } from './transfer/while-changing.ts'
import { requireOptions } from './operation/required-options.ts'

export type { Garbage }

export interface InitLayoutOptions {
  /** Directory to make. It must not exist. */
  layout: string
}

/** Makes an empty layout and returns its absolute path. @throws LAYOUT_EXISTS, REFERENCE_INVALID, SYSCALL_FAILED */
export async function initLayout(options: InitLayoutOptions): Promise<string> {
  requireOptions(options, { layout: 'text' })
  const { layout } = options
  return asked({ image: layout }, () => createLayout(parseLayoutPath(layout)))
}

export interface NewImageOptions {
  /** `PATH[:TAG]`; if another image has the tag, it loses it. */
  image: string
  /** SOURCE_DATE_EPOCH: the date of the image in seconds since 1970; default the current time. */
  sourceDateEpoch?: number
  /** How a registry is reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/** Adds an image without layers, for the platform of the host. @throws OciUnpackError with a stable `code` */
export async function newImage(options: NewImageOptions): Promise<{ manifestDigest: string }> {
  requireOptions(options, { image: 'text' })
  return asked({ image: options.image }, () => {
    const name = parseNewName(options.image, warningTo(options.onEvent))
    const { blobs, manifest } = blankImage(hostPlatform(), timestamp(options.sourceDateEpoch))
    const changing = { ...changingOptions(options), base: () => 'none' as const }
    return whileChanging(name, changing, async ({ layout, publish }) => {
      await inWorkspace(layout, options, (workspace, waitABit) =>
        storeImage(workspace, { blobs, descriptorPath: [manifest] }, name.tag, waitABit)
      )
      await publish(name.tag)
      return { manifestDigest: manifest.digest }
    })
  })
}

export interface TagImageOptions {
  /** `PATH[:TAG]` or `PATH@DIGEST` of the image. */
  image: string
  /** The new tag, in the same layout; if another image has it, it loses it. */
  tag: string
  /** `os/arch[/variant]`: only this image of an index; default the index with all its images. */
  platform?: string
  /** How a registry is reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/**
 * Gives an image one more tag. For an index, the tag covers all platforms unless one is chosen.
 * @throws OciUnpackError with a stable `code`
 */
export async function tagImage(options: TagImageOptions): Promise<void> {
  requireOptions(options, { image: 'text', tag: 'text' })
  return asked({ image: options.image }, () => {
    const newTag = parseTag(options.tag)
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
    const name = parseChangeable(options.image, warningTo(options.onEvent))
    const documents = (source: ImageSource, tag: string | undefined): void =>
      void findDescriptor(source, source.readIndex(), tag, platform)
    const changing = { ...changingOptions(options), documents }
    return whileChanging(name, changing, async ({ layout, tag, publish }) => {
      await edit(layout, options, (index) =>
        withTag(index, newTag, findDescriptor(layout, index, tag, platform))
      )
      await publish(newTag)
    })
  })
}

function changingOptions(options: EditOptions): ChangingOptions {
  const { registry, signal, onEvent = () => undefined } = options
  return { registry, signal, onEvent, documents: () => undefined }
}

export interface RemoveTagOptions {
  /** `PATH[:TAG]` */
  image: string
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

/** Removes a tag. It is not an error if the tag does not exist. The blobs stay until a garbage collection. */
export async function removeTag(options: RemoveTagOptions): Promise<void> {
  requireOptions(options, { image: 'text' })
  const { image } = options
  return asked({ image }, async () => {
    const { path, tag = DEFAULT_TAG } = parseImageInLayout(image, warningTo(options.onEvent))
    if (digestNamed(tag) !== undefined) throw notTag(image)
    const layout = await openLayoutAt(path, { onWarning: warningTo(options.onEvent) })
    return edit(layout, options, (index) => withoutTag(index, fullName(index, tag)))
  })
}

/** `debian` may be how the user names `docker.io/library/debian:latest`. */
function fullName(index: ImageIndex, tag: string): string {
  const [entry] = entriesNamed(index, tag)
  return (entry && foundAs(entry, tag)) ?? tag
}

function notTag(found: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'Only a tag can be removed.', {
    facts: { found },
    hint: 'Give the tag: PATH:TAG. An image without a tag can be tagged first.'
  })
}

type EditOptions = Pick<TagImageOptions, 'registry' | 'signal' | 'onEvent'>

function edit(
  layout: Layout,
  options: EditOptions,
  change: (index: ImageIndex) => ImageIndex
): Promise<void> {
  return inWorkspace(layout, options, (workspace, waitABit) =>
    updateIndex(workspace, change, waitABit)
  )
}

async function inWorkspace(
  layout: Layout,
  { signal }: EditOptions,
  act: (workspace: Workspace, waitABit: () => Promise<void>) => Promise<void>
): Promise<void> {
  const waitABit = (): Promise<void> => pause(signal)
  const workspace = await openWorkspace(layout.path, waitABit)
  try {
    await heedSignals(signal)
    await act(workspace, waitABit)
  } finally {
    workspace.close()
  }
}

export interface GarbageOptions {
  /** Directory of an OCI layout. */
  layout: string
  /** Only report what would be removed; this does not wait. */
  dryRun?: boolean
  /** Stops the waiting. */
  signal?: AbortSignal
  /** Called once if other processes use the layout and must be waited for. */
  onWait?: () => void
  /** Gets warnings about documents. */
  onEvent?: OnEvent
}

/**
 * Removes the blobs that nothing in `index.json` leads to, and workspaces of dead processes. Waits while an unpack, a
 * repack or a writing umoci works in the layout: what they rely on is never removed. Files that are not blobs and blobs
 * of unknown algorithms are kept. Returns what was removed.
 * @throws OciUnpackError with a stable `code`; nothing is removed if a document cannot be read
 */
export async function collectGarbage(options: GarbageOptions): Promise<Garbage> {
  requireOptions(options, { layout: 'text' })
  return asked({ image: options.layout }, async () => {
    const onWarning = warningTo(options.onEvent)
    const layout = await openLayoutAt(parseLayoutPath(options.layout), { onWarning })
    return options.dryRun === true ? findGarbage(layout) : collect(layout, options)
  })
}

const POLL_MS = 50

async function collect(layout: Layout, { signal, onWait }: GarbageOptions): Promise<Garbage> {
  throwIfAborted(signal)
  let garbage = tryCollectGarbage(layout)
  if (garbage === undefined) onWait?.()
  while (garbage === undefined) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    throwIfAborted(signal)
    garbage = tryCollectGarbage(layout)
  }
  return garbage
}
