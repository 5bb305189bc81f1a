/** Lists what a layout or an archive contains, as far as it can be read; damaged images are listed, too. */
import { OciUnpackError } from '../errors.ts'
import { goTime } from '../image/go-time.ts'
import { platformOf } from '../image/platform.ts'
import { listTags, nameOf, REF_NAME } from '../image/tags.ts'
import type { Descriptor, Platform } from '../image/types.ts'
import { prepared, type ImageSource } from '../store/image-source.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import { parsePlace } from '../transports/image-name.ts'
import type { ImageName } from '../transports/list.ts'
import { tagsAt, withImages } from '../transports/open-images.ts'
import type { OpenOptions } from '../transports/transport.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { choiceTo, warningTo } from './operation/warnings.ts'
import { statDescriptor, type PlatformStat } from './stat-image.ts'
import { requireOptions } from './operation/required-options.ts'

export interface ListOptions {
  /** `[TRANSPORT:]PATH` */
  layout: string
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  /** Stops it, which then rejects with ABORTED. */
  signal?: AbortSignal
  /** Gets warnings about the index. */
  onEvent?: OnEvent
}

/** An entry of a layout's or archive's index. */
export interface ListedImage {
  /** Undefined: it has none. */
  tag: string | undefined
  /** By what it can be named after `PATH`, if others do not have the same: its tag, its full name, or `@DIGEST`. */
  name: string
  descriptor: Descriptor
  /** What it contains, one image for each platform; empty if it is not an image or cannot be read. */
  images: readonly ListedPlatform[]
  /** Why `images` is empty. */
  error: string | undefined
}

export interface ListedPlatform {
  platform: Platform | undefined
  /** Of its manifest. */
  digest: string
  /** RFC 3339. */
  created: string | undefined
  layers: number
  /** Bytes of manifest, config and layers as stored. */
  size: number
}

/** The tags of a layout, in the order of its index, including duplicates; of a registry, as it gives them. @throws OciUnpackError */
export function listLayout(options: ListOptions): Promise<string[]> {
  return atPlace(options, async (name, opening) => {
    const tags = await tagsAt(name, opening)
    return tags ?? withImages(name, opening, (source) => listTags(source.readIndex()))
  })
}

/** All entries of a layout's or archive's index, tagged or not, with their content. @throws OciUnpackError */
export function listImages(options: ListOptions): Promise<ListedImage[]> {
  return atPlace(options, async (name, opening) => {
    const tags = await tagsAt(name, opening)
    if (tags === undefined) return listOpened(name, opening)
    const images: ListedImage[] = []
    for (const tag of tags) images.push(...(await listOpened({ ...name, tag }, opening)))
    return images
  })
}

function listOpened(name: ImageName, opening: OpenOptions): Promise<ListedImage[]> {
  return withImages(name, opening, (source) =>
    prepared(source, () =>
      source.readIndex().manifests.map((descriptor) => ({
        tag: descriptor.annotations?.[REF_NAME],
        name: nameOf(descriptor),
        descriptor,
        ...look(source, descriptor)
      }))
    )
  )
}

function look(source: ImageSource, descriptor: Descriptor): Pick<ListedImage, 'images' | 'error'> {
  try {
    const stat = statDescriptor(source, descriptor)
    const images = stat.kind === 'image' ? [alone(stat, descriptor)] : stat.images
    return { images: images.flatMap(summarise), error: undefined }
  } catch (error) {
    if (error instanceof OciUnpackError) return { images: [], error: error.code }
    throw error
  }
}

function alone(
  { image }: { image: NonNullable<PlatformStat['image']> },
  descriptor: Descriptor
): PlatformStat {
  return { platform: descriptor.platform ?? image.config?.content, descriptor, image }
}

function summarise({ platform, descriptor, image }: PlatformStat): ListedPlatform[] {
  if (image === undefined) return []
  const { config, layers } = image.manifest.content
  const created = image.config?.content?.created
  return [
    {
      platform: platform === undefined ? undefined : platformOf(platform),
      digest: descriptor.digest,
      created: created === undefined ? undefined : goTime(created),
      layers: layers.length,
      size: [descriptor, config, ...layers].reduce((sum, { size }) => sum + size, 0)
    }
  ]
}

async function atPlace<T>(
  options: ListOptions,
  act: (name: ImageName, opening: OpenOptions) => Promise<T>
): Promise<T> {
  requireOptions(options, { layout: 'text' })
  const { registry, signal, onEvent } = options
  const opening = {
    registry,
    signal,
    onWarning: warningTo(onEvent),
    onChoice: choiceTo(onEvent),
    onRetry: onEvent
  }
  return asked({ image: options.layout }, () => act(parsePlace(options.layout), opening))
}
