/** The side of a blob that arrives on which its bytes are delivered, by one thread. */
import { ArrivalMemory, CELL, OUTCOME, POSITION } from './arrival-memory.ts'

/** A delivery that was asked for. */
export interface Delivery {
  /** Bytes before it are not needed. */
  from: number
  /** Counts deliveries of this blob. */
  turn: number
}

/** Thrown in a delivery that nobody needs any more. */
export class Superseded extends Error {}

export class ArrivalSender {
  private readonly memory: ArrivalMemory

  constructor(memory: SharedArrayBuffer) {
    this.memory = new ArrivalMemory(memory)
  }

  /** Resolves when a delivery was asked for that has not begun; with undefined if there will be no more. */
  async asked(): Promise<Delivery | undefined> {
    const { memory } = this
    const { cells } = memory
    for (;;) {
      const seen = cells.get(CELL.forSender)
      if (memory.isOver) return undefined
      const turn = cells.get(CELL.asked)
      if (turn !== cells.get(CELL.served)) return this.beginning(turn)
      await cells.waitAsync(CELL.forSender, seen)
    }
  }

  /** Resolves when the bytes are in the ring. @throws Superseded */
  async send({ turn }: Delivery, bytes: Buffer): Promise<void> {
    const { memory } = this
    const { cells } = memory
    for (let at = 0; at < bytes.length;) {
      const seen = cells.get(CELL.forSender)
      if (memory.isOver || cells.get(CELL.asked) !== turn) throw new Superseded()
      const sent = this.fill(bytes, at)
      if (sent === 0) await cells.waitAsync(CELL.forSender, seen)
      at += sent
    }
  }

  complete({ turn }: Delivery): void {
    if (this.memory.cells.get(CELL.asked) === turn) this.end(OUTCOME.complete)
  }

  fail({ turn }: Delivery, error: unknown): void {
    if (this.memory.cells.get(CELL.asked) !== turn) return
    this.memory.keep(error)
    this.end(OUTCOME.failed)
  }

  private beginning(turn: number): Delivery {
    const { memory } = this
    const { cells } = memory
    const from = memory.position(POSITION.from)
    memory.move(POSITION.written, from)
    cells.set(CELL.outcome, OUTCOME.underWay)
    cells.set(CELL.served, turn)
    cells.signal(CELL.forReader)
    return { from, turn }
  }

  private fill(bytes: Buffer, at: number): number {
    const { memory } = this
    const { ring } = memory
    const written = memory.position(POSITION.written)
    const free = ring.length - (written - memory.position(POSITION.read))
    const start = written % ring.length
    const length = Math.min(free, bytes.length - at, ring.length - start)
    if (length <= 0) return 0
    bytes.copy(ring, start, at, at + length)
    memory.move(POSITION.written, written + length)
    memory.cells.signal(CELL.forReader)
    return length
  }

  private end(outcome: number): void {
    this.memory.cells.set(CELL.outcome, outcome)
    this.memory.cells.signal(CELL.forReader)
  }
}
