/**
 * A blob that arrives while it is read: one thread delivers its bytes (`arrival-sender.ts`), and others read them
 * (`arrival-reader.ts`), one at a time. What is between them is a ring in shared memory, so that little is kept and nothing
 * is on a disk.
 *
 * Bytes are read in order. Those before the position of the last read are forgotten. The first read asks for a delivery
 * from its position on, and so does every read of bytes that were forgotten or skipped.
 */
import { aborted, fromErrorRecord, toErrorRecord, type ErrorRecord } from '../errors.ts'
import { SharedCells } from '../sys/shared-cells.ts'

/** Bytes under way for each blob. The sockets of the system hold as much again. */
const RING_BYTES = 1 << 20

const HEADER_BYTES = 64
const ERROR_BYTES = 1 << 14

/** Cells of 32 bits. */
export const CELL = {
  /** These two count changes, for those who wait. */
  forReader: 0,
  forSender: 1,
  /** Which delivery was asked for, which is under way, and how that ended. */
  asked: 2,
  served: 3,
  outcome: 4,
  /** Bytes of the error. */
  errorLength: 5,
  /** Whether there will be more deliveries: one of `END`. */
  end: 6
} as const

/** Cells of 64 bits: where the delivery that was asked for begins, and how far it was written and read. */
export const POSITION = { from: 4, written: 5, read: 6 } as const

export const OUTCOME = { underWay: 0, complete: 1, failed: 2 } as const

const END = { notYet: 0, stopped: 1, died: 2 } as const

/** @param size of the blob, in bytes */
export function newArrival(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + ERROR_BYTES + Math.min(RING_BYTES, size + 1))
}

/** Nothing more will be delivered: whoever reads, now or later, gets ABORTED. Any thread may say so at any time. */
export function stopArrival(memory: SharedArrayBuffer): void {
  new ArrivalMemory(memory).finish(END.stopped)
}

/** Nothing more will be delivered, because the thread that did it has died: whoever reads gets this error. */
export function failArrival(memory: SharedArrayBuffer, error: unknown): void {
  const arrival = new ArrivalMemory(memory)
  arrival.keep(error)
  arrival.finish(END.died)
}

/** What both sides see. */
export class ArrivalMemory {
  readonly cells: SharedCells
  readonly ring: Buffer
  private readonly positions: BigInt64Array
  private readonly error: Buffer

  constructor(memory: SharedArrayBuffer) {
    this.cells = new SharedCells(new Int32Array(memory, 0, HEADER_BYTES / 4))
    this.positions = new BigInt64Array(memory, 0, HEADER_BYTES / 8)
    this.error = Buffer.from(memory, HEADER_BYTES, ERROR_BYTES)
    this.ring = Buffer.from(memory, HEADER_BYTES + ERROR_BYTES)
  }

  position(cell: number): number {
    return Number(Atomics.load(this.positions, cell))
  }

  move(cell: number, to: number): void {
    Atomics.store(this.positions, cell, BigInt(to))
  }

  /** Whether there will be no more deliveries. */
  get isOver(): boolean {
    return this.cells.get(CELL.end) !== END.notYet
  }

  finish(end: number): void {
    this.cells.set(CELL.end, end)
    this.cells.signal(CELL.forReader)
    this.cells.signal(CELL.forSender)
  }

  /** For `failure`, which other threads call. */
  keep(error: unknown): void {
    const { cause, stack, ...record } = toErrorRecord(error)
    const all = Buffer.from(JSON.stringify({ ...record, cause, stack }))
    const text = all.length > ERROR_BYTES ? Buffer.from(JSON.stringify(record)) : all
    this.cells.set(CELL.errorLength, text.copy(this.error))
  }

  /** Why there are no more bytes. */
  failure(): Error {
    if (this.cells.get(CELL.end) === END.stopped) return aborted()
    const text = this.error.toString('utf8', 0, this.cells.get(CELL.errorLength))
    return fromErrorRecord(JSON.parse(text) as ErrorRecord)
  }
}
