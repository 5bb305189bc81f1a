/** The thread of a layer's own task on its line: it parses, and does whatever else nobody does. */
import type { decompress } from '../codec/decompress.ts'
import { digestAlgorithm } from '../image/digest.ts'
import { canShareStreams } from '../sys/sha256.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import type { BodyDigests } from './body-digests.ts'
import type { ByteStage } from './byte-stage.ts'
import type { Control } from './control.ts'
import { LayerLine, type LineTask } from './layer-line.ts'
import { CELL, PATIENCE_MS } from './line-cells.ts'
import type { LineHashes } from './line-hashes.ts'
import { FORMATS, type LineMemory } from './line-memory.ts'

/** What is done with the tar, chunk by chunk. */
export interface TarConsumer extends ByteStage {
  /** Takes the digests of the files in it. */
  bodies?: BodyDigests | undefined
  /** Its own way of inflating, which other threads cannot join. */
  decode?: Decode | undefined
}

export type Decode = typeof decompress

export interface LineWork {
  blob: VerifiedBlob
  hashes: LineHashes
  consumer: TarConsumer
}

/**
 * Returns when everything was read, parsed and hashed.
 * @throws what any stage throws, and ABORTED
 */
export function readLine(
  memory: LineMemory,
  task: LineTask,
  control: Control,
  { blob, hashes, consumer }: LineWork
): void {
  const line = new OwnLine(
    new LayerLine(memory, task, control, { blob, hashes }),
    task.layer,
    control,
    consumer
  )
  if (canShare(task)) line.open(task)
  try {
    line.run()
  } finally {
    line.close()
  }
}

/** Other algorithms are hashed by `node:crypto`, which keeps what it knows in one thread. */
function canShare({ source, diffId }: LineTask): boolean {
  const algorithms = [source.digest, diffId].map(digestAlgorithm)
  return canShareStreams() && algorithms.every((algorithm) => algorithm === 'sha256')
}

class OwnLine {
  private readonly line: LayerLine
  private readonly layer: number
  private readonly control: Control
  private readonly consumer: TarConsumer
  /** How many chunks gave their digests to the entries. */
  private taken = 0

  constructor(line: LayerLine, layer: number, control: Control, consumer: TarConsumer) {
    this.line = line
    this.layer = layer
    this.control = control
    this.consumer = consumer
  }

  /** Others may join. */
  open({ compression }: LineTask): void {
    const { cells } = this.line
    cells.set(CELL.format, FORMATS.indexOf(compression))
    cells.signal(CELL.signal)
  }

  /** Nobody may join any more. Returns when others have left, so that the blob is this thread's alone. */
  close(): void {
    const { cells } = this.line
    cells.set(CELL.closed, 1)
    for (;;) {
      const seen = cells.get(CELL.signal)
      cells.signal(CELL.signal)
      if (cells.get(CELL.assistants) === 0 || cells.get(CELL.deserted) === 1) return
      cells.wait(CELL.signal, seen + 1, PATIENCE_MS)
    }
  }

  run(): void {
    const { line, control } = this
    const { cells } = line
    for (;;) {
      control.throwIfAborted()
      const seen = cells.get(CELL.signal)
      const isOver = line.isOver
      this.takeDigests()
      if (isOver && this.isAllTaken) {
        line.throwFailure()
        return
      }
      if (cells.get(CELL.parsed) < cells.get(CELL.read)) this.parse()
      else if (!line.tryHash() && !line.tryRead()) this.wait(seen)
    }
  }

  /** Chunks are taken after they are hashed, which other threads may do at any moment. */
  private get isAllTaken(): boolean {
    return this.consumer.bodies === undefined || this.taken === this.line.cells.get(CELL.read)
  }

  private wait(seen: number): void {
    const { line, control } = this
    if (line.isOver) return
    const since = performance.now()
    line.cells.wait(CELL.signal, seen, PATIENCE_MS)
    control.addTime(this.layer, 'wait', since)
  }

  private parse(): void {
    const { line, consumer, control } = this
    const since = performance.now()
    const place = line.cells.get(CELL.parsed)
    const chunk = line.chunk(place)
    consumer.bodies?.begin(chunk, (pieces) => this.hashPart(place, pieces))
    consumer.push(chunk.bytes)
    line.parsed(consumer.bodies?.parse() ?? 0)
    control.addTime(this.layer, 'parse', since)
  }

  /** The chunks before it must be hashed first. */
  private hashPart(place: number, pieces: number): void {
    const { line, control } = this
    const { cells } = line
    while (cells.get(CELL.hashed) < place) {
      control.throwIfAborted()
      const seen = cells.get(CELL.signal)
      if (!line.tryHash() && cells.get(CELL.hashed) < place)
        cells.wait(CELL.signal, seen, PATIENCE_MS)
    }
    this.takeDigests()
    line.hashPart(place, pieces)
  }

  private takeDigests(): void {
    const { bodies } = this.consumer
    if (bodies === undefined) return
    const { line } = this
    for (const hashed = line.cells.get(CELL.hashed); this.taken < hashed; this.taken++) {
      bodies.take(line.chunk(this.taken))
      line.taken(this.taken)
    }
  }
}
