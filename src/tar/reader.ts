/** Reads an archive from chunks of bytes. */
import { display } from '../bytes.ts'
import type { OciUnpackError } from '../errors.ts'
import { BodyCursor } from './body.ts'
import type { Dialect } from './dialect.ts'
import { tarInvalid } from './faults.ts'
import { Gather } from './gather.ts'
import { HeaderReader, type Next } from './header-reader.ts'
import { BLOCK_SIZE, padding, type Block } from './header.ts'
import { DEFAULT_TAR_LIMITS, type TarLimits } from './limits.ts'
import type { TarSink } from './sink.ts'

export type { TarLimits, TarSink }

/** What the next bytes are. `zero` is a header after one block of zeros. */
type State = 'header' | 'zero' | 'extension' | 'sparse' | 'body' | 'padding' | 'ended'

/**
 * Reads an archive (v7, ustar, PAX, old GNU, star) as it is pushed, in chunks of any size. The sink is called before
 * `push` returns. After an error the reader must not be used again.
 * @throws TAR_INVALID, ENTRY_INVALID or LIMIT_EXCEEDED, with the offset of the faulty header
 */
export class TarReader {
  private readonly sink: TarSink
  private readonly headers: HeaderReader
  private readonly cursor: BodyCursor
  private readonly gather = new Gather()
  /** The current block: one object for all blocks, because there are millions. */
  private readonly block: Block = { bytes: Buffer.alloc(0), at: 0, offset: 0 }
  private state: State = 'header'
  /** The position in the archive of the first byte that has not been processed. */
  private offset = 0
  /** How many bytes of the extension, body or padding are still to come. */
  private left = 0

  constructor(sink: TarSink, limits: Partial<TarLimits> = {}, dialect: Dialect = 'layer') {
    this.sink = sink
    this.headers = new HeaderReader({ ...DEFAULT_TAR_LIMITS, ...limits }, dialect)
    this.cursor = new BodyCursor(sink)
  }

  /** The position after the end blocks; undefined if they have not come. */
  get end(): number | undefined {
    return this.state === 'ended' ? this.offset : undefined
  }

  /** Whether the archive says that it ends: it may lack all that would follow otherwise. */
  get hasEnd(): boolean {
    return this.state === 'ended' || this.state === 'zero'
  }

  /** Whether there was a type of member that a reader of layers refuses. */
  get hasGnuTypes(): boolean {
    return this.headers.hasGnuTypes
  }

  /** Reads the next bytes. Anything after the two end blocks is accepted and ignored. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.advance(chunk, at)
  }

  /**
   * Skips the rest of the current body and its padding. Returns how many bytes must not be pushed; the sink gets no
   * data from them. 0 between members.
   */
  skip(): number {
    const from = this.offset
    if (this.state === 'body') {
      this.offset += this.left
      this.closeBody()
    }
    if (this.state === 'padding') {
      this.offset += this.left
      this.state = 'header'
    }
    return this.offset - from
  }

  /**
   * Ends the archive. Missing end blocks, and missing padding after the last body, are accepted as in GNU tar and Go;
   * so is an empty archive. An end anywhere else is an error.
   */
  finish(): void {
    if (this.state === 'ended') return
    const between = this.state === 'header' || this.state === 'zero' || this.state === 'padding'
    if (!between || this.gather.held > 0 || this.headers.waiting) throw this.truncated()
  }

  private advance(chunk: Buffer, at: number): number {
    switch (this.state) {
      case 'header':
      case 'zero':
      case 'sparse':
        return this.collect(chunk, at, BLOCK_SIZE)
      case 'extension':
        return this.collect(chunk, at, this.left)
      case 'body':
        return this.stream(chunk, at)
      case 'padding':
        return this.skipPadding(chunk, at)
      case 'ended':
        return chunk.length
    }
  }

  private collect(chunk: Buffer, at: number, want: number): number {
    const gather = this.gather
    if (gather.offer(chunk, at, want)) {
      this.dispatch(gather.bytes, gather.at)
      this.offset += want
    }
    return gather.next
  }

  private dispatch(bytes: Buffer, at: number): void {
    switch (this.state) {
      case 'extension':
        this.headers.takeExtension(bytes, at)
        this.enterPadding(this.left)
        break
      case 'sparse':
        this.follow(this.headers.takeSparse(bytes, at))
        break
      default:
        this.block.bytes = bytes
        this.block.at = at
        this.block.offset = this.offset
        this.follow(this.headers.takeHeader(this.block))
    }
  }

  private follow(next: Next): void {
    if (this.state === 'zero' && next !== 'zero') {
      throw tarInvalid(this.offset, 'A tar header follows a block of zeros.')
    }
    switch (next) {
      case 'zero':
        this.takeZeros()
        break
      case 'extension':
        this.expectExtension()
        break
      case 'sparse':
        this.state = 'sparse'
        break
      case 'member':
        this.openBody()
    }
  }

  /** One block of zeros may be the end already, if nothing follows; two always are. */
  private takeZeros(): void {
    if (this.headers.waiting) throw this.truncated()
    this.state = this.state === 'zero' ? 'ended' : 'zero'
  }

  private expectExtension(): void {
    this.left = this.headers.extensionSize
    this.state = 'extension'
    if (this.left === 0) this.dispatch(this.block.bytes, this.block.at)
  }

  private openBody(): void {
    const { entry, body } = this.headers.member!
    const extents = body.sparse?.extents
    // the block that made the member complete is not counted yet
    this.sink.entry(entry, this.offset + BLOCK_SIZE, extents)
    this.cursor.open(extents)
    this.left = body.stored
    this.state = 'body'
    if (this.left === 0) this.closeBody()
  }

  private stream(chunk: Buffer, at: number): number {
    const end = this.take(chunk, at)
    this.cursor.deliver(chunk, at, end)
    if (this.left === 0) this.closeBody()
    return end
  }

  private closeBody(): void {
    this.sink.end()
    this.enterPadding(this.headers.member!.body.stored)
  }

  private enterPadding(size: number): void {
    this.left = padding(size)
    this.state = this.left === 0 ? 'header' : 'padding'
  }

  private skipPadding(chunk: Buffer, at: number): number {
    const end = this.take(chunk, at)
    if (this.left === 0) this.state = 'header'
    return end
  }

  private take(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.left)
    this.offset += end - at
    this.left -= end - at
    return end
  }

  private truncated(): OciUnpackError {
    const inside = this.state === 'body' || this.state === 'sparse'
    const entry = inside ? { entry: display(this.headers.member!.entry.name) } : {}
    return tarInvalid(this.offset + this.gather.held, 'The tar archive is cut short.', entry)
  }
}
