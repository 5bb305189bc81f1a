/**
 * A layer on its way from the blob to a sink, as stages that several threads share:
 *
 *     read     the blob is read, hashed and inflated into a free chunk       in order, one thread at a time
 *     parse    the chunk is parsed, and files are written                     the thread of the layer's own task
 *     hash     the chunk is hashed for the diff ID, and the files in it       in order, one thread at a time
 *
 * Alone, the thread of the task does one after the other, so that a chunk stays in its cache. A thread that has nothing
 * else to do assists: it reads ahead, and hashes what was parsed. Nobody waits for a particular thread: whoever finds a
 * stage free takes it. All that the stages remember is in memory that they share (`line-memory.ts`).
 */
import { IsalGunzip } from '../codec/gunzip-isal.ts'
import { aborted, fromErrorRecord, toErrorRecord, type ErrorRecord } from '../errors.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import { SharedCells } from '../sys/shared-cells.ts'
import { hashPieces } from './body-digests.ts'
import type { Control } from './control.ts'
import { isItsTar, type ExpectedTar } from './diff-id.ts'
import { CELL, CHUNKS } from './line-cells.ts'
import type { LineHashes } from './line-hashes.ts'
import type { ChunkMemory, LineMemory } from './line-memory.ts'

export interface LineTask extends ExpectedTar {
  /** Its index among the layers of the image. */
  layer: number
  /** Whether the files in it are hashed, each for itself. */
  digests: boolean
}

/** Parsing and hashing; and digests of files wait in the memory of the chunk until they are taken. */
const STAGES_AFTER_READING = 2
const STAGES_WITH_DIGESTS = 3

/** The end of the line, as the cell `end` says it. */
const ALL_READ = 1
const FAILED = 2

/** What one thread needs to work on a line. */
export class LayerLine {
  readonly cells: SharedCells
  private readonly memory: LineMemory
  private readonly task: LineTask
  private readonly control: Control
  private readonly blob: VerifiedBlob
  private readonly hashes: LineHashes
  private readonly isItsTar: boolean
  private readonly fill: (chunk: Buffer) => number

  /** @param task with the compression that the blob really has */
  constructor(
    memory: LineMemory,
    task: LineTask,
    control: Control,
    { blob, hashes }: { blob: VerifiedBlob; hashes: LineHashes }
  ) {
    this.memory = memory
    this.task = task
    this.control = control
    this.blob = blob
    this.hashes = hashes
    this.cells = new SharedCells(memory.cells)
    this.isItsTar = isItsTar(task)
    this.fill = task.compression === 'gzip' ? this.inflate() : (chunk) => this.readBlob(chunk)
  }

  /**
   * Whether everything has passed that was read before the end, or before reading failed. How many chunks there are is only
   * final once there is an end.
   */
  get isOver(): boolean {
    const { cells } = this
    if (cells.get(CELL.end) === 0) return false
    const read = cells.get(CELL.read)
    return cells.get(CELL.hashed) === read && cells.get(CELL.parsed) === read
  }

  chunk(place: number): ChunkMemory {
    const { cells, memory } = this
    const id = this.idAt(place)
    const chunk = memory.chunks[id]!
    const length = cells.get(CELL.lengths + id)
    return length === chunk.bytes.length
      ? chunk
      : { ...chunk, bytes: chunk.bytes.subarray(0, length) }
  }

  /** Reads one chunk, if there is room and nobody else reads. A failure waits for the layer's own thread. */
  tryRead(): boolean {
    const { cells } = this
    if (cells.get(CELL.end) !== 0 || !cells.tryLock(CELL.readLock)) return false
    const id = cells.get(CELL.end) === 0 ? this.freeChunk() : undefined
    try {
      if (id !== undefined) this.read(id)
    } finally {
      this.hashes.blob.settle()
      cells.unlock(CELL.readLock)
    }
    if (id !== undefined) cells.signal(CELL.signal)
    return id !== undefined
  }

  /** The chunk that is parsed next has been. @param pieces of files in it that are to be hashed */
  parsed(pieces: number): void {
    const { cells } = this
    const place = cells.get(CELL.parsed)
    const id = this.idAt(place)
    cells.set(CELL.pieces + id, pieces)
    cells.set(CELL.parsed, place + 1)
    cells.add(CELL.busy + id, -1)
    cells.signal(CELL.signal)
  }

  /** The digests of the files in a chunk were taken. */
  taken(place: number): void {
    this.cells.add(CELL.busy + this.idAt(place), -1)
    this.cells.signal(CELL.signal)
  }

  /** Hashes one chunk, if there is one and nobody else hashes. Files in it can only be hashed after it was parsed. */
  tryHash(): boolean {
    const { cells } = this
    const place = this.nextToHash()
    if (place === undefined || !cells.tryLock(CELL.hashLock)) return false
    const isStillNext = this.nextToHash() === place
    try {
      if (isStillNext) this.hash(place)
    } finally {
      cells.unlock(CELL.hashLock)
    }
    if (isStillNext) cells.signal(CELL.signal)
    return isStillNext
  }

  /** For a chunk that has more pieces than fit in its memory: hashes those that it has. It must be its turn. */
  hashPart(place: number, pieces: number): void {
    const { body } = this.hashes
    hashPieces(this.chunk(place), pieces, body, body, this.pause)
  }

  /** @throws what reading has thrown, in whatever thread */
  throwFailure(): void {
    if (this.cells.get(CELL.end) !== FAILED) return
    const { bytes } = this.chunk(this.cells.get(CELL.read))
    throw fromErrorRecord(JSON.parse(bytes.toString('utf8')) as ErrorRecord)
  }

  /** Long runs of zeros are hashed. The layer's own thread may have given up, and waits for others to leave. */
  private readonly pause = (): void => {
    this.control.throwIfAborted()
    if (this.cells.get(CELL.closed) === 1) throw aborted()
  }

  private read(id: number): void {
    const { cells, memory } = this
    const place = cells.get(CELL.read)
    cells.set(orderOf(place), id)
    const { bytes } = memory.chunks[id]!
    try {
      const since = performance.now()
      const length = this.fill(bytes)
      this.control.addTime(this.task.layer, 'read', since)
      if (length > 0) this.publish(id, place, length)
      else cells.set(CELL.end, ALL_READ)
    } catch (error) {
      cells.set(CELL.lengths + id, bytes.write(JSON.stringify(toErrorRecord(error)), 'utf8'))
      cells.set(CELL.end, FAILED)
    }
  }

  private publish(id: number, place: number, length: number): void {
    const { cells } = this
    cells.set(CELL.lengths + id, length)
    cells.set(CELL.busy + id, this.task.digests ? STAGES_WITH_DIGESTS : STAGES_AFTER_READING)
    cells.set(CELL.read, place + 1)
    if (!this.task.digests && !this.isParserIdle(place)) this.tryHash()
  }

  /** Then it takes this chunk at once, and might hash it, too. */
  private isParserIdle(place: number): boolean {
    const { cells } = this
    return cells.get(CELL.assistants) > 0 && cells.get(CELL.parsed) + 1 >= place
  }

  private nextToHash(): number | undefined {
    const { cells } = this
    const place = cells.get(CELL.hashed)
    return place < cells.get(this.task.digests ? CELL.parsed : CELL.read) ? place : undefined
  }

  private hash(place: number): void {
    const { cells, hashes, control, task } = this
    const since = performance.now()
    const id = this.idAt(place)
    const chunk = this.chunk(place)
    const { tar, body, blob } = hashes
    if (!this.isItsTar) tar.update(chunk.bytes, 0, chunk.bytes.length)
    if (task.digests) hashPieces(chunk, cells.get(CELL.pieces + id), body, tar, this.pause)
    tar.settle(blob)
    control.addTime(task.layer, 'hash', since)
    cells.set(CELL.hashed, place + 1)
    cells.add(CELL.busy + id, -1)
  }

  private idAt(place: number): number {
    return this.cells.get(orderOf(place))
  }

  private freeChunk(): number | undefined {
    for (let id = 0; id < CHUNKS; id++) if (this.cells.get(CELL.busy + id) === 0) return id
    return undefined
  }

  private inflate(): (chunk: Buffer) => number {
    const { memory, offset } = this.memory.gunzip
    const gunzip = IsalGunzip.create(memory, offset, {
      read: (buffer) => this.readBlob(buffer),
      release: () => this.hashes.blob.settle()
    })!
    return (chunk) => gunzip.next(chunk)
  }

  private readBlob(buffer: Buffer): number {
    const length = this.blob.readInto(buffer)
    this.control.addRead(this.task.layer, length)
    return length
  }
}

/** The cell that says which chunk has a place. */
function orderOf(place: number): number {
  return CELL.order + (place % CHUNKS)
}
