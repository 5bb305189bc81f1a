/** How a layer is really compressed, if its media type is wrong. */
import type { Compression } from '../image/media-types.ts'
import { compressionOf } from './content.ts'
import { replay, type CompressedInput } from './source.ts'

export interface ActualContent {
  /** Gives the same bytes as the input that was looked at, which must no longer be used. */
  input: CompressedInput
  compression: Compression
}

/** Reads the first bytes of a layer. If these say nothing, the media type counts. */
export function actualContent(input: CompressedInput, declared: Compression): ActualContent {
  const head = input.read()
  return {
    input: { fd: input.fd, size: input.size, read: replay(head, () => input.read()) },
    compression: compressionOf(head, declared)
  }
}
