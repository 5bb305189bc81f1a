/** How large the layers of an image are without compression, as far as that is known before they are read. */
import { unpackedSizeOf, type UnpackedSize } from '../../codec/size-hint.ts'
import type { ImageContext } from '../../hooks/contexts.ts'
import { mediaKind } from '../../image/media-types.ts'
import { UNCOMPRESSED_SIZE } from '../../image/rewrite.ts'
import type { Descriptor } from '../../image/types.ts'
import type { ImageSource } from '../../store/image-source.ts'
import type { Job } from '../extract/job.ts'

/** By layer, base first. An annotation is what the image says: nobody has checked it. */
export function unpackedSizes({ source, image }: Job): (UnpackedSize | undefined)[] {
  return image.manifest.layers.map((layer) => annotated(layer) ?? shownBy(source, layer))
}

/** A blob that is missing or wrong is none of our business: hooks may have the layer. */
function shownBy(source: ImageSource, layer: Descriptor): UnpackedSize | undefined {
  const kind = mediaKind(layer.mediaType)
  if (kind.kind !== 'layer') return undefined
  try {
    return unpackedSizeOf(source.blobSource(layer), kind.compression)
  } catch {
    return undefined
  }
}

/** Of all layers together; layers of unknown size count as nothing. */
export function imageSize(
  sizes: readonly (UnpackedSize | undefined)[]
): Pick<ImageContext, 'imageUnpackedSize' | 'imageUnpackedSizeIs'> {
  const isExact = sizes.every((size) => size?.is === 'exactly')
  return {
    imageUnpackedSize: sizes.reduce((total, size) => total + (size?.bytes ?? 0), 0),
    imageUnpackedSizeIs: isExact ? 'exactly' : 'at least'
  }
}

function annotated({ annotations }: Descriptor): UnpackedSize | undefined {
  const value = annotations?.[UNCOMPRESSED_SIZE]
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined
  return { bytes: Number(value), is: 'exactly' }
}
