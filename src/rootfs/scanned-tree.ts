/** A scanned tree, kept as bytes; objects are decoded when they are looked at. */
import type { ByteString } from '../bytes.ts'
import { baseName, joinPath, parentPath } from '../plan/names.ts'
import { ScannedObject, StoredBatch } from './scanned-object.ts'
import type { ScanBatch } from './scanner.ts'

/** The content of a directory: rows of one batch. */
export interface Listing {
  batch: StoredBatch
  from: number
  to: number
}

export class ScannedTree {
  private readonly listings = new Map<ByteString, Listing>()
  private rootBatch: StoredBatch | undefined
  private objects = 0

  /** How many objects there are; the number of each is lower than this. */
  get size(): number {
    return this.objects
  }

  /** The first batch begins with the root; the others may come in any order. */
  add(batch: ScanBatch): void {
    const stored = new StoredBatch(batch, this.objects)
    const { directories, starts, nameEnds } = batch
    this.rootBatch ??= stored
    this.objects += nameEnds.length
    for (const [index, path] of directories.entries()) {
      const to = starts[index + 1] ?? nameEnds.length
      this.listings.set(path, { batch: stored, from: starts[index]!, to })
    }
  }

  get root(): ScannedObject {
    return new ScannedObject('.', this.rootBatch!, 0)
  }

  /** All objects in the order of a tree manifest's lines. */
  *inTreeManifestOrder(): Generator<ScannedObject> {
    for (const { object, listing } of this.directories()) {
      yield object
      if (listing !== undefined)
        for (let row = listing.from; row < listing.to; row++)
          if (!listing.batch.isDirectory(row)) yield objectAt(object.path, listing.batch, row)
    }
  }

  /** The directories in this order, each with its content unless nobody looked into it. */
  *directories(): Generator<{ object: ScannedObject; listing: Listing | undefined }> {
    const pending = [this.root]
    for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
      const listing = this.listing(object.path)
      yield { object, listing }
      if (listing === undefined) continue
      const { batch, from, to } = listing
      for (let row = to - 1; row >= from; row--)
        if (batch.isDirectory(row)) pending.push(objectAt(object.path, batch, row))
    }
  }

  /** The content of a directory, sorted bytewise by name. */
  children({ path }: ScannedObject): ScannedObject[] {
    const listing = this.listing(path)
    if (listing === undefined) return []
    const { batch, from, to } = listing
    return Array.from({ length: to - from }, (_, index) => objectAt(path, batch, from + index))
  }

  /** @param path relative to the root, `.` for the root itself */
  find(path: ByteString): ScannedObject | undefined {
    if (path === '.') return this.root
    const listing = this.listings.get(parentPath(path))
    const row = listing === undefined ? undefined : rowOf(listing, baseName(path))
    return row === undefined ? undefined : new ScannedObject(path, listing!.batch, row)
  }

  private listing(path: ByteString): Listing | undefined {
    return this.listings.get(path === '.' ? '' : path)
  }
}

/** @param parent path of its directory */
export function objectAt(parent: ByteString, batch: StoredBatch, row: number): ScannedObject {
  return new ScannedObject(joinPath(parent === '.' ? '' : parent, batch.name(row)), batch, row)
}

/** Relies on the names of a listing being sorted. */
function rowOf({ batch, from, to }: Listing, name: ByteString): number | undefined {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (batch.name(middle) < name) low = middle + 1
    else high = middle
  }
  return low < to && batch.name(low) === name ? low : undefined
}
