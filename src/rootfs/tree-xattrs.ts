/** Reading the extended attributes of a tree. */
import { display } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import { xattrsOutside } from '../plan/outside.ts'
import type { IdMaps } from '../plan/policy/exact.ts'
import type { Ledger } from '../sys/ledger.ts'
import type { Xattr } from '../tar/entry.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import type { ScannedObject } from './scanned-object.ts'
import { readXattrsAt } from './xattrs.ts'

const NONE: readonly Xattr[] = []

/** Reads extended attributes below a root. The caller must call `release`. */
export class XattrReader {
  private readonly cursor: DirectoryCursor
  private readonly outside: IdMaps

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number, outside: IdMaps, ledger?: Ledger) {
    this.cursor = new DirectoryCursor(root, ledger)
    this.outside = outside
  }

  release(): void {
    this.cursor.release()
  }

  /** The attributes that a tree manifest lists: those of files and directories. @throws SYSCALL_FAILED */
  listed({ path, type }: ScannedObject): readonly Xattr[] {
    if (type !== 'file' && type !== 'directory') return NONE
    try {
      const directory = this.cursor.at(parentPath(path))
      const seen = readXattrsAt(this.cursor, path, directory, baseName(path))
      return xattrsOutside(seen, this.outside)
    } catch (error) {
      throw withFacts(error, { entry: display(path) })
    }
  }
}
