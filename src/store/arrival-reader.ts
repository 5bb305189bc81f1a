/** The side of a blob that arrives on which it is read, by one thread at a time. */
import { ArrivalMemory, CELL, OUTCOME, POSITION } from './arrival-memory.ts'

/** A read waits for so many bytes, if that many are left. */
const WORTH_READING_BYTES = 1 << 16

export class ArrivalReader {
  private readonly memory: ArrivalMemory

  constructor(memory: SharedArrayBuffer) {
    this.memory = new ArrivalMemory(memory)
  }

  /**
   * Copies bytes from a position on, and waits for them. Returns their number, 0 at the end.
   * @throws what the delivery has thrown, after the bytes that it brought; ABORTED after a stop
   */
  read(buffer: Buffer, length: number, position: number): number {
    const { cells } = this.memory
    this.begin(position)
    for (;;) {
      const seen = cells.get(CELL.forReader)
      const there = this.available(position, length)
      if (there !== undefined) return this.copy(buffer, Math.min(length, there), position)
      cells.wait(CELL.forReader, seen)
    }
  }

  /** Resolves when a read of so many bytes would not wait. */
  async arrived(length: number, position: number): Promise<void> {
    const { cells } = this.memory
    this.begin(position)
    for (;;) {
      const seen = cells.get(CELL.forReader)
      if (this.available(position, length) !== undefined) return
      await cells.waitAsync(CELL.forReader, seen)
    }
  }

  private begin(position: number): void {
    const { memory } = this
    const { cells } = memory
    if (!this.isWithin(position)) {
      memory.move(POSITION.from, position)
      memory.move(POSITION.read, position)
      cells.set(CELL.asked, cells.get(CELL.asked) + 1)
    } else if (memory.position(POSITION.read) === position) return
    memory.move(POSITION.read, position)
    cells.signal(CELL.forSender)
  }

  private isWithin(position: number): boolean {
    const { memory } = this
    const asked = memory.cells.get(CELL.asked)
    if (asked === 0) return false
    if (memory.cells.get(CELL.served) !== asked) return position === memory.position(POSITION.from)
    return (
      memory.position(POSITION.read) <= position && position <= memory.position(POSITION.written)
    )
  }

  /** Undefined: they are worth waiting for. */
  private available(position: number, length: number): number | undefined {
    const { memory } = this
    const { cells, ring } = memory
    if (memory.isOver) return 0
    if (cells.get(CELL.served) !== cells.get(CELL.asked)) return undefined
    const outcome = cells.get(CELL.outcome)
    const there = memory.position(POSITION.written) - position
    const enough = Math.min(length, WORTH_READING_BYTES, ring.length)
    return there >= enough || outcome !== OUTCOME.underWay ? there : undefined
  }

  private copy(buffer: Buffer, length: number, position: number): number {
    const { memory } = this
    const { ring } = memory
    if (length === 0 && this.hasFailed()) throw memory.failure()
    const start = position % ring.length
    const first = Math.min(length, ring.length - start)
    ring.copy(buffer, 0, start, start + first)
    ring.copy(buffer, first, 0, length - first)
    return length
  }

  private hasFailed(): boolean {
    const { memory } = this
    return memory.isOver || memory.cells.get(CELL.outcome) === OUTCOME.failed
  }
}
