/** The documents of an image, held to what an unpack needs of them. */
import { checkRuntimeConfig } from '../../bundle/runtime-config.ts'
import { OciUnpackError } from '../../errors.ts'
import { configDiffIds, layerDiffIds, parseConfig } from '../../image/documents.ts'
import { layerCompression } from '../../image/media-types.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { documentSource } from '../../store/manifests-in-index.ts'
import type { ManifestContent, ReachableBlob } from '../../store/reachable.ts'
import { assertRunnable, type ResolvedImage } from '../../store/resolve.ts'

/** Called with a blob for which an unpack would fail. */
export type OnFault = (blob: ReachableBlob, fault: OciUnpackError) => void

/** A manifest that was read. */
export interface ImageBlob extends ReachableBlob {
  content: ManifestContent
}

/** The image; undefined if an unpack would not begin with its layers. */
export function readImageDocuments(
  source: ImageSource,
  blob: ImageBlob,
  onFault: OnFault
): ResolvedImage | undefined {
  const { manifest, raw, config, layers } = blob.content
  const about = documentSource(config.descriptor)
  const check = new Checks(onFault)
  const image = check.of(config, () => {
    const rawConfig = source.readDocument(config.descriptor)
    const parsed = parseConfig(rawConfig, about)
    if (layers.length > 0) configDiffIds(rawConfig, about)
    const image: ResolvedImage = {
      descriptorPath: [blob.descriptor],
      manifest,
      rawManifest: raw,
      config: parsed,
      rawConfig
    }
    if (mayRunHere(image)) assertUnpackable(image)
    return image
  })
  if (image === undefined) return undefined
  check.of(blob, () => layerDiffIds(manifest, image.rawConfig, about))
  for (const layer of layers) check.of(layer, () => layerCompression(layer.descriptor.mediaType))
  return check.isOk ? image : undefined
}

/** Of an image for another system, only the root file system can be unpacked. */
function mayRunHere({ config }: ResolvedImage): boolean {
  return config.os === '' || config.os === 'linux'
}

function assertUnpackable(image: ResolvedImage): void {
  assertRunnable(image)
  checkRuntimeConfig(image.config)
}

class Checks {
  isOk = true
  private readonly onFault: OnFault

  constructor(onFault: OnFault) {
    this.onFault = onFault
  }

  of<T>(blob: ReachableBlob, check: () => T): T | undefined {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof OciUnpackError)) throw error
      this.isOk = false
      this.onFault(blob, error)
      return undefined
    }
  }
}
