/**
 * Scratch memory for arguments: one block for each thread, reused by every call, so a system call allocates nothing. A
 * string written here is valid until the same slot is written again.
 */
import type { ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { addressOf } from './libc.ts'

/** Room for a path: PATH_MAX, plus a `/proc/self/fd/N/` in front of it. */
const PATH_ROOM = 8192

/** Bytes of a string that is written one by one. */
const SHORT = 32

const block = Buffer.allocUnsafeSlow(4 * PATH_ROOM)
const blockAddress = addressOf(block)

class Slot {
  readonly address: number
  private readonly bytes: Buffer

  constructor(start: number, end: number) {
    this.address = blockAddress + start
    this.bytes = block.subarray(start, end)
  }

  /** Writes a NUL-terminated string and returns its address. */
  string(bytes: ByteString): number {
    if (bytes.length <= SHORT) this.writeShort(bytes)
    else {
      if (bytes.length >= this.bytes.length || bytes.includes('\0')) throw unusable(bytes)
      this.bytes[this.bytes.write(bytes, 'latin1')] = 0
    }
    return this.address
  }

  /** Most names are short, and calling Buffer.write would cost more than this. */
  private writeShort(bytes: ByteString): void {
    const { bytes: block } = this
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes.charCodeAt(at)
      if (byte === 0) throw unusable(bytes)
      block[at] = byte
    }
    block[bytes.length] = 0
  }

  /** The memory of the slot, for structures. */
  view(): Buffer {
    return this.bytes
  }
}

function unusable(bytes: ByteString): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'A name cannot be passed to the kernel.', {
    facts: { reason: bytes.includes('\0') ? 'it contains a NUL' : `it has ${bytes.length} bytes` }
  })
}

export const firstPath: Slot = new Slot(0, PATH_ROOM)
export const secondPath: Slot = new Slot(PATH_ROOM, 2 * PATH_ROOM)
export const attributeName: Slot = new Slot(2 * PATH_ROOM, 3 * PATH_ROOM)
export const structure: Slot = new Slot(3 * PATH_ROOM, 4 * PATH_ROOM)

/** A block that grows on demand: for values and lists of xattrs, up to 64 KiB in practice. */
export class GrowingBlock {
  buffer: Buffer = Buffer.allocUnsafeSlow(65_536)
  address: number = addressOf(this.buffer)

  /** @param kept how many bytes from the start must be preserved */
  reserve(bytes: number, kept = 0): void {
    if (bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * kept))
    this.buffer.copy(larger, 0, 0, kept)
    this.buffer = larger
    this.address = addressOf(larger)
  }
}

export const valueBlock: GrowingBlock = new GrowingBlock()
