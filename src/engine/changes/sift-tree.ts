/**
 * Sets aside the objects of a tree that are certainly as the bundle remembers them. These are nearly all, so names and
 * statuses are compared as bytes, and only the other objects are decoded.
 */
import type { Memory } from '../../bundle/bundle.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import type { ByteString } from '../../bytes.ts'
import { NONE, type Sifted } from '../../plan/seen-tree.ts'
import type { ScannedObject, StoredBatch } from '../../rootfs/scanned-object.ts'
import { objectAt, type Listing, type ScannedTree } from '../../rootfs/scanned-tree.ts'
import { recordedNames } from '../../sys/recorded-status.ts'
import { isRecorded } from './is-recorded.ts'

export function siftTree(tree: ScannedTree, memory: Memory): Sifted<ScannedObject> {
  const sieve = new Sieve(tree.size, memory)
  for (const { object, listing } of tree.directories()) sieve.directory(object, listing)
  return sieve
}

class Sieve implements Sifted<ScannedObject> {
  readonly indexes: Int32Array
  readonly others: ScannedObject[] = []
  readonly linked: ScannedObject[] = []
  private readonly memory: Memory
  private readonly plain: Memory['plain']

  constructor(size: number, memory: Memory) {
    this.indexes = new Int32Array(size).fill(NONE)
    this.memory = memory
    this.plain = memory.plain
  }

  directory(object: ScannedObject, listing: Listing | undefined): void {
    const entries = this.plain?.outline.listing(object.path) ?? NOTHING
    if (!this.isSetAside(object.batch, object.row, entries.index)) this.others.push(object)
    if (listing !== undefined) this.leaves(object.path, listing, entries)
  }

  /** Both are sorted by name. */
  private leaves(directory: ByteString, { batch, from, to }: Listing, entries: Entries): void {
    let next = entries.index + 1
    for (let row = from; row < to; row++) {
      if (batch.isDirectory(row)) continue
      if (recordedNames(batch.statuses, row) > 1) this.linked.push(objectAt(directory, batch, row))
      let order = 1
      for (; next < entries.end; next++) {
        order = this.compareName(next, batch, row)
        if (order >= 0) break
      }
      if (order === 0 && next < entries.end && this.isSetAside(batch, row, next)) continue
      this.others.push(objectAt(directory, batch, row))
    }
  }

  private compareName(index: number, batch: StoredBatch, row: number): number {
    const { outline } = this.plain!
    return outline.compareName(index, batch.names, batch.nameStart(row), batch.nameEnd(row))
  }

  /** @param index of the entry with its path, or `NONE` */
  private isSetAside(batch: StoredBatch, row: number, index: number): boolean {
    if (index === NONE || !this.isUnchanged(batch, row, index)) return false
    this.indexes[batch.first + row] = index
    return true
  }

  private isUnchanged(batch: StoredBatch, row: number, index: number): boolean {
    const details = batch.details.get(row)
    if (details === undefined) return isRecorded(this.plain!.prints, index, batch.statuses, row)
    return this.memory.isUnchanged(index, fileStat(batch.status(row), details.xattrs))
  }
}

/** The entries of a directory: its own, its leaves, and then the end. */
interface Entries {
  index: number
  end: number
}

const NOTHING: Entries = { index: NONE, end: NONE }
