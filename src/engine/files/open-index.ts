/** An index of a layer that is open: its tail is in memory, and the rest is read when it is needed. */
import { closeSync } from 'node:fs'
import { inflated } from '../../codec/deflated.ts'
import type { Restart } from '../../codec/gunzip-blocks.ts'
import {
  assertEntries,
  FOOTER_BYTES,
  indexInvalid,
  parseTail,
  tailBytes,
  type IndexTail
} from '../../random-access/index-file.ts'
import type { Place } from '../../random-access/span-table.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import type { RegularFile } from '../../sys/open-regular.ts'
import { readFully } from '../../sys/read.ts'
import { decodeEntries } from '../../worker/entry-codec.ts'

const WINDOW_BYTES = 32_768
/** Of one batch of entries. A name has at most 4095 bytes, but an entry may have many attributes. */
const BATCH_BYTES = 2 ** 30

export class OpenIndex {
  readonly tail: IndexTail
  /** Its path, for messages. */
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
  private readonly fd: number

  private constructor({ fd, size }: RegularFile, path: string, tail: IndexTail) {
    this.fd = fd
    this.size = size
    this.path = path
    this.tail = tail
  }

  /**
   * Takes over the descriptor. Undefined, and closed, if another version of this program made the file.
   * @throws INDEX_INVALID; then it is closed, too
   */
  static open(file: RegularFile, path: string): OpenIndex | undefined {
    let index: OpenIndex | undefined
    try {
      const tail = readTail(file.fd, file.size, path)
      if (tail !== undefined) index = new OpenIndex(file, path, tail)
      return index
    } finally {
      if (index === undefined) closeSync(file.fd)
    }
  }

  /** The entries of the layer, which may be asked for repeatedly. @throws INDEX_INVALID */
  entries(): () => Iterable<StagedEntry> {
    const { tail, path } = this
    const stored = tail.entries.map((place) => this.part(place))
    assertEntries(tail, stored, path)
    return function* () {
      for (const batch of stored) yield* decodeEntries(inflated(batch, BATCH_BYTES))
    }
  }

  /** @throws INDEX_INVALID */
  restartOf(span: number): Restart {
    const { restart } = this.tail.spans.at(span)
    if (restart === undefined) throw new Error('[internal] no decoder can begin there')
    const { bits, window } = restart
    if (window.length === 0) return { bits, window: Buffer.alloc(0) }
    try {
      return { bits, window: inflated(this.part(window), WINDOW_BYTES) }
    } catch (error) {
      throw indexInvalid(this.path, 'a window in it is damaged', error)
    }
  }

  close(): void {
    closeSync(this.fd)
  }

  private part({ offset, length }: Place): Buffer {
    const part = Buffer.allocUnsafeSlow(length)
    if (readFully(this.fd, part, length, offset) === length) return part
    throw indexInvalid(this.path, 'it is cut off')
  }
}

function readTail(fd: number, size: number, path: string): IndexTail | undefined {
  const footer = Buffer.alloc(FOOTER_BYTES)
  if (size < FOOTER_BYTES) throw indexInvalid(path, 'it is cut off')
  readFully(fd, footer, FOOTER_BYTES, size - FOOTER_BYTES)
  const length = tailBytes(footer, path)
  if (length > size - FOOTER_BYTES) throw indexInvalid(path, 'it is cut off')
  const tail = Buffer.allocUnsafeSlow(length)
  readFully(fd, tail, length, size - FOOTER_BYTES - length)
  return parseTail(tail, footer, path)
}
