/** The first part of a layer's line: its bytes as they are stored. */
import type { CompressedInput } from '../codec/source.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import type { Control } from './control.ts'

/** A blob as the codecs take it, whose bytes are counted for the progress of a layer. */
export function countedInput(blob: VerifiedBlob, control: Control, layer: number): CompressedInput {
  return {
    fd: blob.fd,
    size: blob.size,
    read() {
      const chunk = blob.read()
      if (chunk !== undefined) control.addRead(layer, chunk.length)
      return chunk
    }
  }
}
