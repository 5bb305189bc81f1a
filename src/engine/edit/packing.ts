/** How a new layer is packed: chosen once, before any other work, so that what cannot be packed is refused early. */
import { assertCanCompress } from '../../codec/compress.ts'
import { target } from '../../image/choice.ts'
import { mediaKind, type Compression } from '../../image/media-types.ts'
import type { ImageManifest } from '../../image/types.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { ChangeSettings } from './change-options.ts'

export interface Packing {
  compression: Compression
  level: number | undefined
  threads: number
  /** Media type of the image's manifest: a Docker image gets Docker layers. */
  manifestType: string
  signal: AbortSignal | undefined
}

/** @throws USAGE, COMPRESSOR_UNAVAILABLE */
export function choosePacking(
  { manifest, descriptorPath }: Pick<ResolvedImage, 'manifest' | 'descriptorPath'>,
  { compress, level, jobs, signal }: Pick<ChangeSettings, 'compress' | 'level' | 'jobs' | 'signal'>
): Packing {
  const compression = compress === 'auto' ? inheritedCompression(manifest) : compress
  assertCanCompress(compression, level)
  const manifestType = target(descriptorPath).mediaType
  return { compression, level, threads: jobs, manifestType, signal }
}

/** As the topmost packed layer, else with gzip. */
function inheritedCompression(manifest: ImageManifest): Exclude<Compression, 'none'> {
  for (const { mediaType } of manifest.layers.toReversed()) {
    const kind = mediaKind(mediaType)
    if (kind.kind === 'layer' && kind.compression !== 'none') return kind.compression
  }
  return 'gzip'
}
