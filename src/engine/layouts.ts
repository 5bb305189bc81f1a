/** Making layouts and images, and adding, listing and removing tags. No layer is read. */
import { blankImage } from '../image/blank-image.ts'
import { hostPlatform, parsePlatform } from '../image/platform.ts'
import { parseTag } from '../image/tag.ts'
import { withoutTag, withTag } from '../image/tags.ts'
import type { ImageIndex } from '../image/types.ts'
import { createLayout } from '../store/new-layout.ts'
import { storeImage, updateIndex } from '../store/index-update.ts'
import { openLayout } from '../store/layout.ts'
import { findDescriptor } from '../store/resolve.ts'
import { openWorkspace, type Workspace } from '../store/layout-workspace.ts'
import { parseLayoutPath, parseTagInLayout } from '../transports/image-name.ts'
import { heedSignals, pause } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { timestamp } from './edit/history.ts'
import { requireOptions } from './operation/required-options.ts'

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
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
}

/** Adds an image without layers, for the platform of the host. @throws OciUnpackError with a stable `code` */
export async function newImage(options: NewImageOptions): Promise<{ manifestDigest: string }> {
  requireOptions(options, { image: 'text' })
  return asked({ image: options.image }, async () => {
    const { path, tag } = parseTagInLayout(options.image)
    const { blobs, manifest } = blankImage(hostPlatform(), timestamp(options.sourceDateEpoch))
    await inWorkspace(path, options.signal, (workspace, waitABit) =>
      storeImage(workspace, { blobs, descriptorPath: [manifest] }, tag, waitABit)
    )
    return { manifestDigest: manifest.digest }
  })
}

export interface TagImageOptions {
  /** `PATH[:TAG]` of the image. */
  image: string
  /** The new tag, in the same layout; if another image has it, it loses it. */
  tag: string
  /** `os/arch[/variant]`: only this image of an index; default the index with all its images. */
  platform?: string
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
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
    const { path, tag } = parseTagInLayout(options.image)
    const layout = openLayout(path)
    return edit(path, options.signal, (index) =>
      withTag(index, newTag, findDescriptor(layout, index, tag, platform))
    )
  })
}

export interface RemoveTagOptions {
  /** `PATH[:TAG]` */
  image: string
  /** Stops waiting for other processes that use the layout. */
  signal?: AbortSignal
}

/** Removes a tag. It is not an error if the tag does not exist. The blobs stay until a garbage collection. */
export async function removeTag(options: RemoveTagOptions): Promise<void> {
  requireOptions(options, { image: 'text' })
  const { image, signal } = options
  return asked({ image }, () => {
    const { path, tag } = parseTagInLayout(image)
    return edit(path, signal, (index) => withoutTag(index, tag))
  })
}

function edit(
  path: string,
  signal: AbortSignal | undefined,
  change: (index: ImageIndex) => ImageIndex
): Promise<void> {
  return inWorkspace(path, signal, (workspace, waitABit) =>
    updateIndex(workspace, change, waitABit)
  )
}

async function inWorkspace(
  path: string,
  signal: AbortSignal | undefined,
  act: (workspace: Workspace, waitABit: () => Promise<void>) => Promise<void>
): Promise<void> {
  const waitABit = (): Promise<void> => pause(signal)
  const workspace = await openWorkspace(openLayout(path).path, waitABit)
  try {
    await heedSignals(signal)
    await act(workspace, waitABit)
  } finally {
    workspace.close()
  }
}
