/** Objects of a tree as tar: headers and bodies, read through handles without following links. */
import { createHash } from 'node:crypto'
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import { packHardlink, packObject, type PackRules } from '../plan/pack-entry.ts'
import type { Unheld } from '../plan/policy/metadata-policy.ts'
import { isErrno } from '../sys/failure.ts'
import type { Ledger } from '../sys/ledger.ts'
import { isUnreadable } from '../sys/lender.ts'
import { readSymlink } from '../sys/names.ts'
import { birthTime, status, type Status } from '../sys/status.ts'
import type { TarEntry, Timespec, Xattr } from '../tar/entry.ts'
import { headerBlocks, padding, type WriteOptions } from '../tar/writer.ts'
import { storedBytes, type Extents } from '../tar/sparse.ts'
import { HOLE_BYTES } from './body-writer.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { FirstNames } from './first-names.ts'
import { BODY_CHUNK, bodyExtents, fileChanged, readBody, withNewCtime } from './read-body.ts'
import { readXattrsAt } from './xattrs.ts'

/** Values that cost calls are asked for only if they matter. */
export type UnheldLookup = (object: {
  path: ByteString
  status: Status
  link: ByteString
  born: () => Timespec | undefined
  sha256: () => string
}) => Unheld | undefined

/** Where the bytes go. */
export interface TarOutput {
  write(bytes: Buffer): Promise<void>
  /** Memory for the next bytes, so that they need not be copied. */
  room(): Buffer
  /** Takes what is in the room now. */
  filled(count: number): Promise<void>
  zeros(count: number): Promise<void>
}

export interface PackOptions {
  rules: PackRules
  write: WriteOptions
  /** Notes the modes of what has to be opened up. Objects must come in an order with parents first. */
  ledger?: Ledger | undefined
  /** Whether `add` returns digests. Not together with `holes`. */
  digests: boolean
  /** Whether a file that has holes is written as a sparse one; default its holes are written as zeros. */
  holes?: boolean | undefined
  /** What the image says of an object and its disk does not hold. */
  unheld?: UnheldLookup | undefined
  /** Called for each attribute on disk, with the path in the layer. */
  onXattr: (path: ByteString, xattr: Xattr) => void
}

interface Place {
  directory: number
  base: ByteString
  path: ByteString
}

interface Found extends Place {
  /** In the layer. */
  name: ByteString
  found: Status
}

/** The caller must call `release`. */
export class ObjectPacker {
  private readonly cursor: DirectoryCursor
  private readonly output: TarOutput
  private readonly options: PackOptions
  private readonly buffer = Buffer.allocUnsafeSlow(BODY_CHUNK)
  /** Number of entries in the layer. */
  private readonly first = new FirstNames<TarEntry>()

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number, output: TarOutput, options: PackOptions) {
    this.cursor = new DirectoryCursor(root, options.ledger)
    this.output = output
    this.options = options
  }

  release(): void {
    this.cursor.release()
  }

  /**
   * Writes the object at `path` under `name`; `''` is the root itself. Returns the SHA-256 (hex) of a file's content if
   * it was written.
   * @throws FILE_CHANGED, also if there is nothing or a socket; ID_NOT_MAPPED, SYSCALL_FAILED
   */
  async add(path: ByteString, name: ByteString): Promise<string | undefined> {
    const { directory, base, found } = this.find(path)
    const first = this.first.get(found)
    if (first !== undefined) {
      await this.header(packHardlink(first, name, first.name))
      return undefined
    }
    const entry = this.read({ directory, base, path, name, found })
    this.first.note(found, entry)
    if (entry.type !== 'file') {
      await this.header(entry)
      return undefined
    }
    const file = { directory, base, path }
    const extents = this.extents(file, this.afterReading(directory, base, found))
    await this.header(entry, extents)
    return this.body(file, this.afterReading(directory, base, found), extents)
  }

  private extents({ directory, base, path }: Place, found: Status): Extents | undefined {
    if (this.options.holes !== true || found.size < HOLE_BYTES) return undefined
    return bodyExtents(directory, base, found, { lender: this.cursor.lender, path })
  }

  /** What had to be opened up for its attributes, or its digest, has another ctime by now. */
  private afterReading(directory: number, base: ByteString, found: Status): Status {
    if (this.cursor.lender === undefined || !isUnreadable(found)) return found
    return withNewCtime(found, status(directory, base), base)
  }

  async header(entry: TarEntry, sparse?: Extents): Promise<void> {
    const { write } = this.options
    await this.output.write(
      headerBlocks(entry, sparse === undefined ? write : { ...write, sparse })
    )
  }

  private find(path: ByteString): { directory: number; base: ByteString; found: Status } {
    try {
      const directory = this.cursor.at(path === '' ? '' : parentPath(path))
      const base = path === '' ? '.' : baseName(path)
      return { directory, base, found: status(directory, base) }
    } catch (error) {
      throw isErrno(error, 'ENOENT', 'ENOTDIR') ? fileChanged(path) : error
    }
  }

  private read({ directory, base, path, name, found }: Found): TarEntry {
    if (found.type === 'socket') throw fileChanged(name)
    const xattrs = readXattrsAt(this.cursor, path, directory, base)
    for (const xattr of xattrs) this.options.onXattr(name, xattr)
    const object = {
      type: found.type,
      link: found.type === 'symlink' ? readSymlink(directory, base) : '',
      mode: found.mode,
      uid: found.uid,
      gid: found.gid,
      size: found.size,
      mtime: { sec: found.mtimeSec, nsec: found.mtimeNsec },
      devMajor: found.devMajor,
      devMinor: found.devMinor,
      xattrs
    }
    const unheld = this.options.unheld?.({
      path: path === '' ? '.' : path,
      status: found,
      link: object.link,
      born: () => birthTime(directory, base),
      sha256: () => this.hash(directory, base, path, this.afterReading(directory, base, found))
    })
    return packObject(name, object, this.options.rules, unheld)
  }

  private hash(directory: number, base: ByteString, path: ByteString, found: Status): string {
    const hash = createHash('sha256')
    const lent = { lender: this.cursor.lender, path }
    for (const piece of readBody(directory, base, found, () => this.buffer, lent))
      hash.update(piece)
    return hash.digest('hex')
  }

  private async body(
    { directory, base, path }: Place,
    found: Status,
    extents: Extents | undefined
  ): Promise<string | undefined> {
    const hash = this.options.digests ? createHash('sha256') : undefined
    const lent = { lender: this.cursor.lender, path }
    const room = (): Buffer => this.output.room()
    for (const piece of readBody(directory, base, found, room, lent, extents)) {
      hash?.update(piece)
      await this.output.filled(piece.length)
    }
    await this.output.zeros(padding(extents === undefined ? found.size : storedBytes(extents)))
    return hash?.digest('hex')
  }
}
