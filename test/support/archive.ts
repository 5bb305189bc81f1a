import { toBuffer, type ByteString } from '../../src/bytes.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { TarReader, type TarLimits, type TarSink } from '../../src/tar/reader.ts'
import {
  endOfArchive,
  headerBlocks,
  padding,
  type TimePrecision,
  type WriteOptions
} from '../../src/tar/writer.ts'

/** An entry with its logical body: holes filled with zeros. */
export interface ReadEntry {
  entry: TarEntry
  body: Buffer
  /** Bytes that the reader delivered: fewer than the size where there are holes. */
  delivered: number
}

export interface ReadOptions {
  limits?: Partial<TarLimits>
  /** Where to cut the archive into chunks, as rising offsets. */
  cuts?: readonly number[]
}

/** Reads a whole archive, with bodies; throws what the reader throws. */
export function readArchive(archive: Buffer, options: ReadOptions = {}): ReadEntry[] {
  const collector = new Collector()
  const reader = new TarReader(collector, options.limits)
  for (const chunk of cut(archive, options.cuts ?? [])) reader.push(chunk)
  reader.finish()
  if (collector.open !== undefined) throw new Error('the last entry did not end')
  return collector.entries
}

/** Reads a whole archive and keeps nothing, whatever sizes its entries claim. */
export function scanArchive(archive: Buffer): void {
  const reader = new TarReader({ entry: ignore, data: ignore, end: ignore })
  reader.push(archive)
  reader.finish()
}

function ignore(): void {
  return
}

/** Keeps all entries, and holds the reader to the contract of a sink. */
class Collector implements TarSink {
  readonly entries: ReadEntry[] = []
  open: ReadEntry | undefined

  entry(entry: TarEntry): void {
    if (this.open !== undefined) throw new Error('an entry began before the last one ended')
    this.open = { entry, body: Buffer.alloc(entry.size), delivered: 0 }
    this.entries.push(this.open)
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.open === undefined || end <= start || end > chunk.length) {
      throw new Error('bytes that belong to no entry')
    }
    this.open.delivered += chunk.copy(this.open.body, position, start, end)
  }

  end(): void {
    if (this.open === undefined) throw new Error('an end without an entry')
    this.open = undefined
  }
}

/** Chunks with memory of their own, as a decompressor hands them out. */
function cut(archive: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.filter((at) => at > 0 && at < archive.length), archive.length]
  return edges.slice(1).map((end, i) => Buffer.from(archive.subarray(edges[i], end)))
}

/** An entry of which a test states only what matters. */
export function entry(fields: Partial<TarEntry> = {}): TarEntry {
  return {
    type: 'file',
    name: 'file',
    link: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { sec: 0, nsec: 0 },
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    offset: 0,
    ...fields
  }
}

/** A member as the writer makes it, with its body and padding. */
export function member(
  fields: Partial<TarEntry>,
  body: ByteString | Buffer = '',
  options: WriteOptions = {}
): Buffer {
  const bytes = typeof body === 'string' ? toBuffer(body) : body
  const blocks = headerBlocks(entry({ size: bytes.length, ...fields }), options)
  return Buffer.concat([blocks, bytes, Buffer.alloc(padding(bytes.length))])
}

export function archive(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, endOfArchive()])
}

/** The same members with the same bodies, written anew. */
export function rewrite(entries: readonly ReadEntry[], precision: TimePrecision): Buffer {
  const members = entries.flatMap(({ entry, body }) => [
    headerBlocks(entry, { precision }),
    body,
    Buffer.alloc(padding(body.length))
  ])
  return archive(...members)
}
