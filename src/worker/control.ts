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
}

const ABORTED = 0
const UNPACKED = 1
const ENTRIES = 2
const RUNNING = 3
const CORES = 4
const TURN = 5
const HOLES = 6
const FIRST_LAYER = 7
const FIELDS = 3

export class Control {
  readonly memory: SharedArrayBuffer
  private readonly cells: BigInt64Array

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.cells = new BigInt64Array(memory)
  }

  /** @param cores how many threads may be busy at once; 0 for the calling one alone */
  static forLayers(count: number, cores: number): Control {
    const control = new Control(new SharedArrayBuffer(8 * (FIRST_LAYER + FIELDS * count)))
    Atomics.store(control.cells, CORES, BigInt(cores))
    return control
  }

  abort(): void {
    Atomics.store(this.cells, ABORTED, 1n)
  }

  aborted(): boolean {
    return Atomics.load(this.cells, ABORTED) !== 0n
  }

  /** @throws ABORTED */
  throwIfAborted(): void {
    if (this.aborted()) throw aborted()
  }

  /** Records that a task begins or has ended, in this or another thread. */
  begin(): void {
    Atomics.add(this.cells, RUNNING, 1n)
  }

  end(): void {
    Atomics.sub(this.cells, RUNNING, 1n)
  }

  /** 0, 1, 2, … across all threads: which part of the shared work is the caller's. */
  takeTurn(): number {
    return Number(Atomics.add(this.cells, TURN, 1n))
  }

  hasIdleCore(): boolean {
    return Atomics.load(this.cells, RUNNING) < Atomics.load(this.cells, CORES)
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
    return { read: cell(0), unpacked: cell(1), entries: cell(2) }
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

  private add(layer: number, field: number, value: number): void {
    Atomics.add(this.cells, FIRST_LAYER + FIELDS * layer + field, BigInt(value))
  }
}
