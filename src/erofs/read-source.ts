/** The bytes of images for the reader, which trusts none of them: what is out of bounds is refused before it is read. */
import { OciUnpackError, type Facts } from '../errors.ts'

/** An image, or another device that it refers to. */
export interface ReadableDevice {
  /** In bytes. */
  length: number
  /** Exactly `length` bytes, which are within the device. */
  read: (offset: number, length: number) => Uint8Array
}

export function invalid(reason: string, facts: Facts = {}): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'The EROFS image is damaged or not supported.', {
    facts: { ...facts, reason }
  })
}

/** @throws EROFS_INVALID */
export function readBytes(device: ReadableDevice, offset: number, length: number): Buffer {
  if (!(offset >= 0 && length >= 0 && offset + length <= device.length))
    throw invalid('a structure lies outside of the image', { offset })
  const bytes = device.read(offset, length)
  if (bytes.length !== length) throw invalid('the image ends early', { offset })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws EROFS_INVALID for what is more than numbers hold exactly */
export function readU64(bytes: Buffer, at: number, what: string): number {
  const value = bytes.readBigUInt64LE(at)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`${what} is out of range`)
  return Number(value)
}
