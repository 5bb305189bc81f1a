/**
 * The digests of files. While a chunk of tar is parsed, this notes which of its bytes belong to which file; the chunk
 * is hashed afterwards, by whichever thread has time, together with the tar that it is part of.
 */
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { StreamHash } from '../sys/stream-hash.ts'
import { storedBytes, type Extents } from '../tar/sparse.ts'
import { knownZeros } from './zero-states.ts'
import { DIGEST_BYTES } from './entry-format.ts'
import { DIGESTS_PER_CHUNK, PIECES_PER_CHUNK, type ChunkMemory } from './line-memory.ts'

/** A piece is where it starts and ends in the chunk, or one of these and a number of zeros. */
const FIRST_ZEROS = -1
const ZEROS = -2
const END = -3

/** The entries of a chunk that was parsed, in order; those whose digests come with it are `hashed`. */
interface ParsedEntries {
  entries: StagedEntry[]
  hashed: StagedEntry[]
}

export interface DigestReport {
  /** An entry, with its digest if it has one. */
  entry: (entry: StagedEntry) => void
  /** Called before holes are hashed, with their bytes; throws if these are too many. */
  holes: (bytes: number) => void
}

export class BodyDigests {
  private readonly report: DigestReport
  private readonly parsed: ParsedEntries[] = []
  private current: ParsedEntries = { entries: [], hashed: [] }
  private chunk: ChunkMemory | undefined
  private hashNow: (pieces: number) => void = () => undefined
  private pieces = 0
  private file: StagedEntry | undefined
  private position = 0

  constructor(report: DigestReport) {
    this.report = report
  }

  /** What comes next is in this chunk. @param hashNow hashes what was noted so far, when there is no room for more */
  begin(chunk: ChunkMemory, hashNow: (pieces: number) => void): void {
    this.chunk = chunk
    this.hashNow = hashNow
  }

  /** Holes count even in a file that is not hashed, because layers above replace it. */
  countHoles(size: number, extents: Extents): void {
    this.report.holes(size - storedBytes(extents))
  }

  openFile(entry: StagedEntry): void {
    this.file = entry
    this.position = 0
  }

  data(start: number, end: number, position: number): void {
    if (this.file === undefined) return
    this.hole(position)
    this.note(start, end)
    this.position = position + end - start
  }

  /** The entry is complete, whether it is a file or not. */
  end(entry: StagedEntry): void {
    if (this.file !== undefined) {
      this.hole(entry.size)
      this.note(END, 0)
      this.current.hashed.push(entry)
      this.file = undefined
    }
    this.current.entries.push(entry)
  }

  /** The chunk has been parsed. Returns how many pieces of it have to be hashed. */
  parse(): number {
    const { pieces } = this
    this.pieces = 0
    this.parsed.push(this.current)
    this.current = { entries: [], hashed: [] }
    return pieces
  }

  /** A chunk was hashed. Chunks come in the order in which they were parsed. */
  take({ digests }: ChunkMemory): void {
    const { entries, hashed } = this.parsed.shift()!
    giveDigests(hashed, digests)
    for (const entry of entries) this.report.entry(entry)
  }

  private hole(end: number): void {
    const { position } = this
    if (end > position) this.note(position === 0 ? FIRST_ZEROS : ZEROS, end - position)
  }

  private note(start: number, end: number): void {
    const isFull = this.current.hashed.length === DIGESTS_PER_CHUNK
    if (isFull || this.pieces === PIECES_PER_CHUNK) this.makeRoom()
    const { pieces } = this.chunk!
    pieces[2 * this.pieces] = start
    pieces[2 * this.pieces + 1] = end
    this.pieces += 1
  }

  /** Rare: for a chunk of a sparse file that is stored in tiny parts. */
  private makeRoom(): void {
    this.hashNow(this.pieces)
    giveDigests(this.current.hashed, this.chunk!.digests)
    this.current.hashed = []
    this.pieces = 0
  }
}

function giveDigests(files: readonly StagedEntry[], digests: Buffer): void {
  for (const [at, file] of files.entries()) file.sha256 = digestAt(digests, at)
}

function digestAt(digests: Buffer, at: number): string {
  return digests.toString('latin1', at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES)
}

/**
 * Hashes the pieces of a chunk, and leaves the digests of files that end in it there.
 * @param beside the stream that has been given the whole chunk
 * @param pause called while long runs of zeros are hashed; throws to stop
 */
export function hashPieces(
  { bytes, pieces, digests }: ChunkMemory,
  count: number,
  hash: StreamHash,
  beside: StreamHash,
  pause: () => void
): void {
  let ended = 0
  for (let at = 0; at < 2 * count; at += 2) {
    const start = pieces[at]!
    const end = pieces[at + 1]!
    if (start >= 0) {
      hash.update(bytes, start, end)
      hash.settle(beside)
    } else if (start === FIRST_ZEROS) hashZeros(hash, end - skipZeros(hash, end), pause)
    else if (start === ZEROS) hashZeros(hash, end, pause)
    else {
      digests.write(hash.digest('binary', beside), ended * DIGEST_BYTES, 'latin1')
      ended += 1
      hash.reset()
    }
  }
}

/** What SHA-256 makes of many zeros is known. Returns of how many. */
function skipZeros(hash: StreamHash, count: number): number {
  const known = knownZeros(count)
  return known !== undefined && hash.resume(known.length, known.state) ? known.length : 0
}

const RUN = Buffer.alloc(65_536)

function hashZeros(hash: StreamHash, count: number, pause: () => void): void {
  for (let left = count; left > 0; left -= RUN.length) {
    pause()
    hash.update(RUN, 0, Math.min(left, RUN.length))
    hash.settle()
  }
}
