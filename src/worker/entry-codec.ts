/**
 * Entries as bytes, as they travel from a worker to the planner: about 120 bytes each, where cloned objects take 600.
 * Layers that wait for their turn are kept in this form.
 */
import type { ByteString, OwnedBytes } from '../bytes.ts'
import type { Unheld } from '../plan/policy/metadata-policy.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Timespec, Xattr } from '../tar/entry.ts'
import {
  DIGEST_BYTES,
  DOUBLE_FOLLOWS,
  flagsOf,
  HAS_ATIME,
  HAS_BODY,
  HAS_DIGEST,
  HAS_EXTENTS,
  HAS_UNHELD,
  NUMBERS,
  ONE_BYTE,
  TWO_BYTES_FOLLOW,
  typeNumbers,
  TYPES
} from './entry-format.ts'

/** Collects entries and returns them as one transferable buffer. */
export class EntryEncoder {
  private bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  private at = 0
  private entries = 0

  get count(): number {
    return this.entries
  }

  add(entry: StagedEntry): void {
    this.number(typeNumbers.get(entry.type)!)
    this.number(flagsOf(entry))
    this.string(entry.path)
    this.string(entry.link)
    for (const name of NUMBERS) this.number(entry[name])
    this.time(entry.mtime)
    if (entry.atime !== undefined) this.time(entry.atime)
    if (entry.sha256 !== undefined) this.raw(entry.sha256)
    if (entry.body !== undefined) this.number(entry.body)
    if (entry.extents !== undefined) this.numbers(entry.extents)
    this.number(entry.xattrs.length)
    for (const [name, value] of entry.xattrs) {
      this.string(name)
      this.string(value)
    }
    if (entry.unheld !== undefined) this.string(JSON.stringify(entry.unheld)) // rare
    this.entries += 1
  }

  /** All entries since the last call; the caller owns the memory. */
  take(): OwnedBytes {
    const taken = new Uint8Array(this.bytes.subarray(0, this.at))
    this.at = 0
    this.entries = 0
    return taken
  }

  private time({ sec, nsec }: Timespec): void {
    this.number(sec)
    this.number(nsec)
  }

  private numbers(values: readonly number[]): void {
    this.number(values.length)
    for (const value of values) this.number(value)
  }

  private string(text: ByteString): void {
    this.number(text.length)
    this.raw(text)
  }

  private raw(text: ByteString): void {
    this.reserve(text.length)
    this.bytes.write(text, this.at, 'latin1')
    this.at += text.length
  }

  /** Small whole numbers, by far the most common, take one byte or three; others are written as a double. */
  private number(value: number): void {
    this.reserve(9)
    if (value >= 0 && value < ONE_BYTE && Number.isInteger(value)) this.bytes[this.at++] = value
    else if (value >= 0 && value <= 0xffff && Number.isInteger(value)) {
      this.bytes[this.at++] = TWO_BYTES_FOLLOW
      this.at = this.bytes.writeUInt16LE(value, this.at)
    } else {
      this.bytes[this.at++] = DOUBLE_FOLLOWS
      this.at = this.bytes.writeDoubleLE(value, this.at)
    }
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + bytes))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }
}

const FIRST_BYTES = 262_144
/** Entries in the order in which they were added. */
export function* decodeEntries(encoded: Uint8Array): Generator<StagedEntry> {
  const decoder = new EntryDecoder(
    Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  )
  while (decoder.hasMore()) yield decoder.entry()
}

class EntryDecoder {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  hasMore(): boolean {
    return this.at < this.bytes.length
  }

  entry(): StagedEntry {
    const type = TYPES[this.number()]!
    const flags = this.number()
    const entry: StagedEntry = {
      type,
      path: this.string(),
      link: this.string(),
      mode: this.number(),
      uid: this.number(),
      gid: this.number(),
      size: this.number(),
      devMajor: this.number(),
      devMinor: this.number(),
      staged: this.number(),
      mtime: this.time(),
      xattrs: NO_XATTRS
    }
    if ((flags & HAS_ATIME) !== 0) entry.atime = this.time()
    if ((flags & HAS_DIGEST) !== 0) entry.sha256 = this.raw(DIGEST_BYTES)
    if ((flags & HAS_BODY) !== 0) entry.body = this.number()
    if ((flags & HAS_EXTENTS) !== 0) entry.extents = this.numbers(this.number())
    entry.xattrs = this.xattrs(this.number())
    if ((flags & HAS_UNHELD) !== 0) entry.unheld = JSON.parse(this.string()) as Unheld
    return entry
  }

  private xattrs(count: number): readonly Xattr[] {
    if (count === 0) return NO_XATTRS
    return Array.from({ length: count }, (): Xattr => [this.string(), this.string()])
  }

  private numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.number())
  }

  private time(): Timespec {
    return { sec: this.number(), nsec: this.number() }
  }

  private string(): ByteString {
    return this.raw(this.number())
  }

  private raw(length: number): ByteString {
    this.at += length
    return this.bytes.toString('latin1', this.at - length, this.at)
  }

  private number(): number {
    const first = this.bytes[this.at++]!
    if (first < ONE_BYTE) return first
    if (first === TWO_BYTES_FOLLOW) {
      this.at += 2
      return this.bytes.readUInt16LE(this.at - 2)
    }
    this.at += 8
    return this.bytes.readDoubleLE(this.at - 8)
  }
}

const NO_XATTRS: readonly Xattr[] = []
