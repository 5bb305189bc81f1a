/** Records the content of directories as compact batches that can be sent to another thread. */
import { display, type ByteString, type OwnedBytes } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { joinPath } from '../plan/names.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import type { Ledger } from '../sys/ledger.ts'
import { readSymlink } from '../sys/names.ts'
import { StatusRecorder } from '../sys/recorded-status.ts'
import type { Xattr } from '../tar/entry.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { readXattrs } from './xattrs.ts'

/** The content of directories, one row for each object. The rows of a directory are adjacent and sorted by name. */
export interface ScanBatch {
  /** Paths of the directories, `''` for the root. */
  directories: readonly ByteString[]
  /** The row at which the content of each directory begins; it ends where the next begins. */
  starts: readonly number[]
  /** As a StatusRecorder returns them. */
  statuses: OwnedBytes
  /** The concatenated names of all rows, and where each ends. */
  names: OwnedBytes
  nameEnds: ReturnType<Uint32Array['slice']>
  /**
   * For rows that are neither files nor directories: what a tree manifest does not list, or what takes another call to
   * read.
   */
  details: ReadonlyMap<number, Details>
}

export interface Details {
  /** Target of a symbolic link. */
  link?: ByteString
  /** Always read here: a tree manifest does not list them, so there is no other way to see whether they changed. */
  xattrs: readonly Xattr[]
}

/** Large enough to make a batch cheap per object, small enough to keep memory flat. */
const BATCH = 4096

/**
 * A directory is recorded through its parent before it is entered, so that a mode which must be changed to enter it is
 * recorded as it was. The caller must call `release`.
 */
export class Scanner {
  private readonly cursor: DirectoryCursor
  private readonly emit: (batch: ScanBatch) => void
  private readonly statuses = new StatusRecorder()
  private names: ByteString[] = []
  private directories: ByteString[] = []
  private starts: number[] = []
  private details = new Map<number, Details>()

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number, emit: (batch: ScanBatch) => void, ledger?: Ledger) {
    this.cursor = new DirectoryCursor(root, ledger)
    this.emit = emit
  }

  release(): void {
    this.cursor.release()
  }

  /** Records the root itself, which has no parent directory. */
  root(): void {
    this.record(this.cursor.at(''), '')
  }

  /**
   * Records the content of the directory at `path`, reports the paths of its subdirectories and returns the number of
   * objects. Batches are emitted as they fill up. @throws SYSCALL_FAILED
   */
  directory(path: ByteString, onDirectory: (path: ByteString) => void): number {
    let current = ''
    try {
      const fd = this.cursor.at(path)
      // Code units of byte strings are bytes, so the default order is theirs; and it is twice as fast.
      const names = listDirectory(fd).sort()
      this.begin(path)
      for (const name of names) {
        current = name
        if (this.record(fd, name)) onDirectory(joinPath(path, name))
      }
      return names.length
    } catch (error) {
      throw withFacts(error, { entry: display(joinPath(path, current) || '.') })
    }
  }

  /** Records those of the given names that exist in a directory; neither they nor the directory need exist. */
  some(path: ByteString, names: readonly ByteString[]): void {
    const fd = this.enter(path)
    if (fd === undefined) return
    this.begin(path)
    for (const name of [...names].sort()) this.recordIfThere(fd, path, name)
  }

  private enter(path: ByteString): number | undefined {
    try {
      return this.cursor.at(path)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
      throw withFacts(error, { entry: display(path) })
    }
  }

  private recordIfThere(fd: number, path: ByteString, name: ByteString): void {
    try {
      this.record(fd, name)
    } catch (error) {
      if (!isErrno(error, 'ENOENT'))
        throw withFacts(error, { entry: display(joinPath(path, name)) })
    }
  }

  /** Emits what was recorded since the last batch. */
  flush(): void {
    let end = 0
    const nameEnds = Uint32Array.from(this.names, (name) => (end += name.length))
    this.emit({
      directories: this.directories,
      starts: this.starts,
      statuses: this.statuses.take(),
      names: new Uint8Array(Buffer.from(this.names.join(''), 'latin1')),
      nameEnds,
      details: this.details
    })
    this.names = []
    this.directories = []
    this.starts = []
    this.details = new Map()
  }

  private begin(path: ByteString): void {
    if (this.names.length >= BATCH) this.flush()
    this.directories.push(path)
    this.starts.push(this.names.length)
  }

  /** Returns whether it is a directory. */
  private record(directory: number, name: ByteString): boolean {
    const type = this.statuses.add(directory, name)
    if (type !== 'file' && type !== 'directory')
      this.details.set(this.names.length, {
        ...(type === 'symlink' ? { link: readSymlink(directory, name) } : {}),
        xattrs: readXattrs(directory, name)
      })
    this.names.push(name)
    return type === 'directory'
  }
}
