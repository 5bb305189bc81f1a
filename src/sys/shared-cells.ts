/** Numbers in memory that threads share, and waiting for one of them to change (futex). What each means, others say. */
export class SharedCells {
  private readonly cells: Int32Array

  constructor(cells: Int32Array) {
    this.cells = cells
  }

  get(cell: number): number {
    return Atomics.load(this.cells, cell)
  }

  set(cell: number, value: number): void {
    Atomics.store(this.cells, cell, value)
  }

  add(cell: number, value: number): void {
    Atomics.add(this.cells, cell, value)
  }

  tryLock(lock: number): boolean {
    return Atomics.compareExchange(this.cells, lock, 0, 1) === 0
  }

  unlock(lock: number): void {
    Atomics.store(this.cells, lock, 0)
  }

  /** Wakes those who wait for a cell that counts changes. */
  signal(cell: number): void {
    Atomics.add(this.cells, cell, 1)
    Atomics.notify(this.cells, cell)
  }

  /** Until the cell is no longer what was seen, or for so long. */
  wait(cell: number, seen: number, milliseconds?: number): void {
    Atomics.wait(this.cells, cell, seen, milliseconds)
  }

  async waitAsync(cell: number, seen: number): Promise<void> {
    await Atomics.waitAsync(this.cells, cell, seen).value
  }
}
