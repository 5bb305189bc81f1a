/** Small pieces of data that are kept compressed. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'

export function deflated(bytes: Uint8Array): Buffer {
  return deflateRawSync(bytes)
}

/** @param most bytes that it may become. Throws errors of node:zlib. */
export function inflated(bytes: Uint8Array, most: number): Buffer {
  return inflateRawSync(bytes, { maxOutputLength: most })
}
