/**
 * What the threads of one operation share without messages: the request to stop, and counters that feed the progress
 * display and are checked against the limits.
 */
import { aborted } from '../errors.ts'

export interface LayerCounters {
  /** Compressed bytes read from the blob. */
  read: number
  /** Bytes of tar. */
  unpacked: number
  entries: number
  /** How long threads were busy with each stage of the layer, and how long its own thread waited; milliseconds. */
  stages: StageTimes
}

export interface StageTimes {
  /** The blob was read, hashed and inflated. */
  read: number
  /** The tar was parsed, and files were written. */
  parse: number
  /** The tar and the files in it were hashed, unless that happened while reading. */
  hash: number
  wait: number
}

const STAGES: readonly (keyof StageTimes)[] = ['read', 'parse', 'hash', 'wait']

const ABORTED = 0
const UNPACKED = 1
const ENTRIES = 2
const TURN = 3
const HOLES = 4
const FIRST_LAYER = 5
const COUNTS = 3
const FIELDS = COUNTS + 4

export class Control {
  readonly memory: SharedArrayBuffer
  /** Why everything was stopped, where the calling thread knows. */
  failure: unknown
  private readonly cells: BigInt64Array
  private readonly onAbort = new Set<() => void>()

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.cells = new BigInt64Array(memory)
  }

  static forLayers(count: number): Control {
    return new Control(new SharedArrayBuffer(8 * (FIRST_LAYER + FIELDS * count)))
  }

  abort(): void {
    Atomics.store(this.cells, ABORTED, 1n)
    for (const act of this.onAbort) act()
  }

  /** Until what it returns is called, `act` is called when everything is stopped by means of this object. */
  whenAborted(act: () => void): () => void {
    if (this.aborted()) act()
    this.onAbort.add(act)
    return () => void this.onAbort.delete(act)
  }

  aborted(): boolean {
    return Atomics.load(this.cells, ABORTED) !== 0n
  }

  /** @throws ABORTED */
  throwIfAborted(): void {
    if (this.aborted()) throw aborted()
  }

  /** 0, 1, 2, … across all threads: which part of the shared work is the caller's. */
  takeTurn(): number {
    return Number(Atomics.add(this.cells, TURN, 1n))
  }

  /** Sums over all layers. */
  get unpacked(): number {
    return Number(Atomics.load(this.cells, UNPACKED))
  }

  /** Bytes of holes in sparse files that are hashed. */
  get holes(): number {
    return Number(Atomics.load(this.cells, HOLES))
  }

  get entries(): number {
    return Number(Atomics.load(this.cells, ENTRIES))
  }

  layer(index: number): LayerCounters {
    const at = FIRST_LAYER + FIELDS * index
    const cell = (field: number): number => Number(Atomics.load(this.cells, at + field))
    const times = STAGES.map((stage, field) => [stage, cell(COUNTS + field) / 1000])
    const stages = Object.fromEntries(times) as StageTimes
    return { read: cell(0), unpacked: cell(1), entries: cell(2), stages }
  }

  addRead(layer: number, bytes: number): void {
    this.add(layer, 0, bytes)
  }

  addUnpacked(layer: number, bytes: number): void {
    this.add(layer, 1, bytes)
    Atomics.add(this.cells, UNPACKED, BigInt(bytes))
  }

  addHoles(bytes: number): void {
    Atomics.add(this.cells, HOLES, BigInt(bytes))
  }

  addEntries(layer: number, count: number): void {
    this.add(layer, 2, count)
    Atomics.add(this.cells, ENTRIES, BigInt(count))
  }

  /** @param since a time of `performance.now` */
  addTime(layer: number, stage: keyof StageTimes, since: number): void {
    const microseconds = Math.round((performance.now() - since) * 1000)
    this.add(layer, COUNTS + STAGES.indexOf(stage), microseconds)
  }

  private add(layer: number, field: number, value: number): void {
    Atomics.add(this.cells, FIRST_LAYER + FIELDS * layer + field, BigInt(value))
  }
}
