/** An object of a scanned tree, decoded from its bytes. */
import type { ByteString } from '../bytes.ts'
import { recordedStatus, recordedType } from '../sys/recorded-status.ts'
import { inodeKey, type FileType, type Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import type { Details, ScanBatch } from './scanner.ts'

/** A batch as part of a tree. */
export class StoredBatch {
  /** Number in the tree of the object in the first row. */
  readonly first: number
  readonly statuses: Buffer
  readonly details: ReadonlyMap<number, Details>
  readonly names: Buffer
  private readonly nameEnds: Uint32Array

  constructor({ statuses, names, nameEnds, details }: ScanBatch, first: number) {
    this.first = first
    this.statuses = Buffer.from(statuses.buffer)
    this.details = details
    this.names = Buffer.from(names.buffer)
    this.nameEnds = nameEnds
  }

  /** Where the name of a row begins in `names`, and where it ends. */
  nameStart(row: number): number {
    return row === 0 ? 0 : this.nameEnds[row - 1]!
  }

  nameEnd(row: number): number {
    return this.nameEnds[row]!
  }

  name(row: number): ByteString {
    return this.names.toString('latin1', this.nameStart(row), this.nameEnd(row))
  }

  /** Decoded on each call. */
  status(row: number): Status {
    return recordedStatus(this.statuses, row)
  }

  isDirectory(row: number): boolean {
    return recordedType(this.statuses, row) === 'directory'
  }
}

/** An object of the tree, valid as long as the tree. */
export class ScannedObject {
  /** Relative to the root; `.` for the root itself. */
  readonly path: ByteString
  readonly batch: StoredBatch
  readonly row: number

  constructor(path: ByteString, batch: StoredBatch, row: number) {
    this.path = path
    this.batch = batch
    this.row = row
  }

  /** Unique in the tree, and lower than its size. */
  get number(): number {
    return this.batch.first + this.row
  }

  get type(): FileType {
    return recordedType(this.batch.statuses, this.row)
  }

  /** Decoded on each call. */
  get status(): Status {
    return this.batch.status(this.row)
  }

  get link(): ByteString | undefined {
    return this.batch.details.get(this.row)?.link
  }

  /** Attributes that a tree manifest does not list: those of anything but files and directories. */
  get unlisted(): readonly Xattr[] {
    return this.batch.details.get(this.row)?.xattrs ?? NONE
  }
}

const NONE: readonly Xattr[] = []

/** Equal for all names of one file, and for no other file. */
export function fileOf({ status }: ScannedObject): string {
  return inodeKey(status)
}
