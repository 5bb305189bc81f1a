/** A tree as it was scanned: bytes, of which an object is made when it is looked at. */
import type { ByteString } from '../bytes.ts'
import type { ManifestEntry, MtreeType } from '../mtree/entry.ts'
import { baseName, joinPath, parentPath } from '../plan/names.ts'
import { recordedStatus, recordedType, type FileType, type Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import type { Details, ScanBatch } from './scanner.ts'

/** What a directory holds: rows of one batch. */
interface Listing {
  batch: StoredBatch
  from: number
  to: number
}

export class ScannedTree {
  private readonly listings = new Map<ByteString, Listing>()
  private rootBatch: StoredBatch | undefined
  private objects = 0

  /** How many objects there are; each has a number below it. */
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

  /** Everything in the order of a manifest's lines. */
  *inManifestOrder(): Generator<ScannedObject> {
    const pending = [this.root]
    for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
      yield object
      const directories: ScannedObject[] = []
      for (const child of this.children(object)) {
        if (child.type === 'directory') directories.push(child)
        else yield child
      }
      pending.push(...directories.reverse())
    }
  }

  /** What a directory holds, names in byte order. */
  children({ path }: ScannedObject): ScannedObject[] {
    const directory = path === '.' ? '' : path
    const listing = this.listings.get(directory)
    if (listing === undefined) return []
    const { batch, from, to } = listing
    return Array.from({ length: to - from }, (_, index) => {
      const row = from + index
      return new ScannedObject(joinPath(directory, batch.name(row)), batch, row)
    })
  }

  /** @param path relative to the root, `.` for the root itself */
  find(path: ByteString): ScannedObject | undefined {
    if (path === '.') return this.root
    const listing = this.listings.get(parentPath(path))
    const row = listing === undefined ? undefined : rowOf(listing, baseName(path))
    return row === undefined ? undefined : new ScannedObject(path, listing!.batch, row)
  }
}

/** Names of a listing are sorted. */
function rowOf({ batch, from, to }: Listing, name: ByteString): number | undefined {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (batch.name(middle) < name) low = middle + 1
    else high = middle
  }
  return low < to && batch.name(low) === name ? low : undefined
}

class StoredBatch {
  /** Number of the first row's object in the tree. */
  readonly first: number
  readonly statuses: Buffer
  readonly details: ReadonlyMap<number, Details>
  private readonly names: Buffer
  private readonly nameEnds: Uint32Array

  constructor({ statuses, names, nameEnds, details }: ScanBatch, first: number) {
    this.first = first
    this.statuses = Buffer.from(statuses.buffer)
    this.details = details
    this.names = Buffer.from(names.buffer)
    this.nameEnds = nameEnds
  }

  name(row: number): ByteString {
    return this.names.toString('latin1', row === 0 ? 0 : this.nameEnds[row - 1], this.nameEnds[row])
  }
}

/** An object of the tree, good for as long as the tree. */
export class ScannedObject {
  /** Relative to the root; `.` for the root itself. */
  readonly path: ByteString
  private readonly batch: StoredBatch
  private readonly row: number

  constructor(path: ByteString, batch: StoredBatch, row: number) {
    this.path = path
    this.batch = batch
    this.row = row
  }

  /** Below the size of the tree, and of this object alone. */
  get number(): number {
    return this.batch.first + this.row
  }

  get type(): FileType {
    return recordedType(this.batch.statuses, this.row)
  }

  /** Decoded at each call. */
  get status(): Status {
    return recordedStatus(this.batch.statuses, this.row)
  }

  get link(): ByteString | undefined {
    return this.batch.details.get(this.row)?.link
  }

  /** Attributes that a manifest does not list: those of anything but files and directories. */
  get unlisted(): readonly Xattr[] {
    return this.batch.details.get(this.row)?.xattrs ?? NONE
  }
}

const NONE: readonly Xattr[] = []

/** As a manifest would list it, without `sha256`. */
export function toManifestEntry(
  { path, status, link }: ScannedObject,
  xattrs: readonly Xattr[]
): ManifestEntry {
  return {
    path,
    type: mtreeTypes[status.type],
    size: status.size,
    uid: status.uid,
    gid: status.gid,
    mode: status.mode,
    nlink: status.nlink,
    link,
    mtimeSec: status.mtimeSec,
    time: undefined,
    sha256: undefined,
    xattrs,
    other: undefined
  }
}

export const mtreeTypes: Readonly<Record<FileType, MtreeType>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  fifo: 'fifo',
  char: 'char',
  block: 'block',
  socket: 'socket'
}
