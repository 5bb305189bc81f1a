/** The sink that writes the first wanted body of a layer to its final place. Other entries are only recorded, as in an index. */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Extents } from '../tar/sparse.ts'
import type { OutputWriter } from './output-writer.ts'
import { StoppedEarly, type LayerSink } from './layer-sink.ts'

/**
 * Which file: the one whose body begins there in the tar, or the first with a path, or the first directly below a directory.
 */
export type WantedBody = { body: number } | { path: ByteString } | { below: ByteString }

/** What was written. */
export interface WrittenBody {
  /** Where it begins in the tar. */
  body: number
  /** Bytes. */
  size: number
}

/** So much of the beginning and the end of the file is kept, to see what it is. */
export const HEAD_BYTES = 4096
export const TAIL_BYTES = 512

export class ExportSink implements LayerSink {
  readonly hashesFile = false
  written: WrittenBody | undefined
  readonly head: Buffer = Buffer.alloc(HEAD_BYTES)
  readonly tail: Buffer = Buffer.alloc(TAIL_BYTES)
  private readonly wanted: WantedBody
  private readonly writer: OutputWriter | undefined
  private readonly fd: number
  private readonly stopEarly: boolean
  private isOpen = false

  /** @param writer undefined: nothing is written */
  constructor(
    wanted: WantedBody,
    output: { writer: OutputWriter; fd: number } | undefined,
    stopEarly: boolean
  ) {
    this.wanted = wanted
    this.writer = output?.writer
    this.fd = output?.fd ?? -1
    this.stopEarly = stopEarly
  }

  /** @throws StoppedEarly for the first entry after the wanted one */
  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void {
    if (this.written !== undefined && this.stopEarly) throw new StoppedEarly()
    entry.body = body
    if (extents !== undefined) entry.extents = extents
    if (this.written !== undefined || !this.isWanted(entry, body)) return
    this.isOpen = true
    this.written = { body, size: entry.size }
    this.writer?.begin(this.fd, entry.size)
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (!this.isOpen) return
    this.keepEnds(chunk, start, end, position)
    this.writer?.write(chunk, start, end, position)
  }

  end(): void {
    if (this.isOpen) this.writer?.finish()
    this.isOpen = false
  }

  close(): void {
    // the output belongs to the caller
  }

  private isWanted({ type, path }: StagedEntry, body: number): boolean {
    const { wanted } = this
    if (type !== 'file') return false
    if ('body' in wanted) return wanted.body === body
    if ('path' in wanted) return wanted.path === path
    return parentPath(path) === wanted.below && baseName(path) !== ''
  }

  private keepEnds(chunk: Buffer, start: number, end: number, position: number): void {
    if (position < HEAD_BYTES) chunk.copy(this.head, position, start, end)
    const from = this.written!.size - TAIL_BYTES
    const skipped = Math.max(0, from - position)
    if (start + skipped < end)
      chunk.copy(this.tail, position + skipped - from, start + skipped, end)
  }
}
