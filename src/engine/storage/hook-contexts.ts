/** What hooks are told of an image and its bundle. */
import type { BundleContext, HookLayer, ImageContext } from '../../hooks/contexts.ts'
import { chainIds } from '../../image/digest.ts'
import { pathPlatform, target } from '../../image/choice.ts'
import { platformText } from '../../image/platform.ts'
import type { IdMapping } from '../../plan/id-map.ts'
import type { ResolvedImage } from '../../store/resolve.ts'

export interface ImageFacts {
  image: ResolvedImage
  /** Absolute path of the layout or archive. */
  layout: string
  /** The image's tag. */
  reference: string
  uidMap: readonly IdMapping[]
  gidMap: readonly IdMapping[]
}

export function imageContext(bundle: BundleContext, facts: ImageFacts): ImageContext {
  const { image, layout, reference, uidMap, gidMap } = facts
  const { descriptorPath, manifest, config } = image
  return {
    ...bundle,
    rootless: false,
    uidMap,
    gidMap,
    layout,
    reference,
    platform: platformText(pathPlatform(descriptorPath) ?? config),
    manifestDigest: target(descriptorPath).digest,
    configDigest: manifest.config.digest,
    layerCount: manifest.layers.length,
    manifest,
    config
  }
}

export function hookLayers({ manifest, config }: ResolvedImage): HookLayer[] {
  const diffIds = config.rootfs.diff_ids
  const chain = chainIds(diffIds)
  return manifest.layers.map(({ digest, mediaType, size }, index) => {
    const parent = chain[index - 1]
    return {
      index,
      digest,
      mediaType,
      size,
      diffId: diffIds[index]!,
      chainId: chain[index]!,
      ...(parent === undefined ? {} : { parentChainId: parent })
    }
  })
}

/** Of the whole image; undefined for one without layers. */
export function topChainId({ config }: ResolvedImage): HookLayer['chainId'] | undefined {
  return chainIds(config.rootfs.diff_ids).at(-1)
}
