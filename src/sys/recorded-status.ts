/** Statuses of many objects, as the kernel writes them. */
import type { ByteString, OwnedBytes } from '../bytes.ts'
import { GrowingBlock } from './memory.ts'
import { look, readStatx, STATX, typeAt, type FileType, type Status } from './status.ts'

const STATX_BYTES = 256
/** The rest of a struct statx is not read, so the next record may overwrite it. */
export const RECORD_BYTES = 144

/**
 * Keeps statuses as the kernel writes them. Most are only compared, and making objects of all would cost more than the
 * calls.
 */
export class StatusRecorder {
  private readonly block = new GrowingBlock()
  private used = 0

  /** Appends the status of a name and returns its type. @throws SyscallError, including ENOENT */
  add(directory: number, name: ByteString): FileType {
    this.block.reserve(this.used + STATX_BYTES, this.used)
    look(directory, name, this.block.address + this.used)
    const type = typeAt(this.block.buffer, this.used)
    this.used += RECORD_BYTES
    return type
  }

  /** All records since the last call; the memory belongs to the caller. */
  take(): OwnedBytes {
    const taken = new Uint8Array(this.block.buffer.subarray(0, this.used))
    this.used = 0
    return taken
  }
}

/** The record number `row`, counted from 0. */
export function recordedStatus(records: Buffer, row: number): Status {
  return readStatx(records, row * RECORD_BYTES)
}

export function recordedType(records: Buffer, row: number): FileType {
  return typeAt(records, row * RECORD_BYTES)
}

/** How many names an object has. */
export function recordedNames(records: Buffer, row: number): number {
  return records.readUInt32LE(row * RECORD_BYTES + STATX.nlink)
}
