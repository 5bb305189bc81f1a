/** Warns of layers that are compressed in another way than their media types say. */
import type { Compression } from '../../image/media-types.ts'
import type { OnEvent } from '../operation/events.ts'
import { layerName } from './layer-tasks.ts'

export type OnOtherCompression = (
  layer: number,
  blob: { digest: string },
  declared: Compression,
  found: Compression
) => void

/** One warning for an image: a tool that writes one wrong media type usually writes many. */
export function warnOfOtherCompression(onEvent: OnEvent): OnOtherCompression {
  let isTold = false
  return (layer, blob, declared, found) => {
    if (isTold) return
    isTold = true
    onEvent({
      type: 'warning',
      message: 'A layer is not compressed as its media type says. It is read as what it is.',
      facts: { layer: layerName(layer, blob), expected: declared, found }
    })
  }
}
