/** A tree on disk, asked for single paths: what is at them, and what is in them. */
import type { ByteString } from '../bytes.ts'
import { baseName, joinPath, parentPath } from '../plan/names.ts'
import { xattrsOutside } from '../plan/outside.ts'
import type { IdMaps } from '../plan/policy/exact.ts'
import type { SeenEntry } from '../plan/upgrade/same-object.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import type { Ledger } from '../sys/ledger.ts'
import { readSymlink } from '../sys/names.ts'
import { status, type Status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { FileHasher } from './hash-file.ts'
import { toMtreeEntry } from './mtree-entry.ts'
import { readXattrsAt } from './xattrs.ts'

/** Whoever makes one calls `release`. Paths are relative to the root; `''` is the root itself. */
export class DiskTreeView {
  private readonly cursor: DirectoryCursor
  private readonly hasher: FileHasher
  private readonly outside: IdMaps
  /** A directory is looked at before it is opened up for what is in it. */
  private readonly seen = new Map<ByteString, SeenEntry | undefined>()

  /**
   * @param root descriptor of the tree; stays the caller's
   * @param outside how the tree manifest of its bundle states owners
   * @param ledger notes the modes of what has to be opened up
   */
  constructor(root: number, outside: IdMaps, ledger: Ledger | undefined) {
    this.cursor = new DirectoryCursor(root, ledger)
    this.hasher = new FileHasher(root, ledger)
    this.outside = outside
  }

  release(): void {
    this.cursor.release()
    this.hasher.release()
  }

  /** Undefined if there is nothing, or a socket, which no image can hold. @throws SYSCALL_FAILED */
  at(path: ByteString): SeenEntry | undefined {
    if (this.seen.has(path)) return this.seen.get(path)
    const seen = this.look(path)
    this.seen.set(path, seen)
    return seen
  }

  /** The names in a directory, without sockets. @throws SYSCALL_FAILED */
  names(path: ByteString): ByteString[] {
    const names = listDirectory(this.cursor.at(path))
    return names.filter((name) => this.at(joinPath(path, name)) !== undefined)
  }

  private look(path: ByteString): SeenEntry | undefined {
    const found = this.find(path)
    if (found === undefined || found.status.type === 'socket') return undefined
    const { directory, name, status } = found
    const { type, devMajor, devMinor } = status
    const link = type === 'symlink' ? readSymlink(directory, name) : undefined
    const isListed = type === 'file' || type === 'directory'
    const xattrs = isListed ? readXattrsAt(this.cursor, path, directory, name) : []
    const listed = xattrsOutside(xattrs, this.outside)
    let digest: string | undefined
    return {
      entry: toMtreeEntry({ path, status, link }, listed, this.outside),
      sha256: () => (digest ??= this.hasher.hash(path, () => undefined)),
      device: type === 'char' || type === 'block' ? `${devMajor},${devMinor}` : undefined
    }
  }

  private find(
    path: ByteString
  ): { directory: number; name: ByteString; status: Status } | undefined {
    try {
      const directory = this.cursor.at(path === '' ? '' : parentPath(path))
      const name = path === '' ? '.' : baseName(path)
      return { directory, name, status: status(directory, name) }
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
      throw error
    }
  }
}
