/** Counting the bytes of a blob as they are read. */
import type { CompressedInput } from '../codec/source.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import type { Control } from './control.ts'

/** A blob in the form that codecs read; its bytes count towards the progress of the layer. */
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
